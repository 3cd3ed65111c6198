//! A whole session with a server that sends the input: messages led by two octets of length and one of
//! form, either as they are or as the commands of a message with the right header.

#![no_main]

use dmsc::random::Random;
use dmsc::secret::Secret;
use dmsc::session::{Answer, Cause, Context, Engine, Setup, Step};
use dmsc::store::memory::MemoryStore;
use dmsc::store::{Batch, Database, Store, Table};
use dmsc::syncml::Encoding;
use dmsc::time::Now;
use dmsc::tree::dmacc::{self, Credential, Level, NewAccount};
use dmsc::tree::{Actor, DeviceInfo, Tree, install};
use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

const DEVICE: DeviceInfo<'static> = DeviceInfo {
    dev_id: "IMEI:493005100592800",
    man: "Maker",
    model: "One",
    dm_v: "1.2.1",
    lang: "en",
    dev_typ: "phone",
    oem: "Maker",
    fw_v: "1",
    sw_v: "2",
    hw_v: "3",
};

/// Octets that count up.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// A store with the standard objects and the server's account; made once, for it takes long.
fn store() -> MemoryStore {
    static CONTENT: OnceLock<Batch> = OnceLock::new();
    let content = CONTENT.get_or_init(|| {
        let filled = Arc::new(MemoryStore::new());
        fill(&Database::new(filled.clone()).unwrap());
        let snapshot = filled.snapshot().unwrap();
        let mut content = Batch::new();
        for table in Table::ALL {
            let mut visit = |key: &[u8], value: &[u8]| {
                content.insert((table, key.to_vec()), Some(value.to_vec()));
                ControlFlow::Continue(())
            };
            snapshot.scan(table, &[], &[], &mut visit).unwrap();
        }
        content
    });
    let store = MemoryStore::new();
    store.commit(content).unwrap();
    store
}

fn fill(db: &Database) {
    let mut txn = db.begin().unwrap();
    install(&mut txn, &DEVICE, Now::default()).unwrap();
    let client = Credential {
        auth_type: "BASIC".into(),
        name: "user".into(),
        secret: Secret::new(*b"secret"),
        nonce: Secret::new(*b""),
    };
    let account = NewAccount {
        server_id: "S1".into(),
        credentials: vec![(Level::Client, client)],
        ..NewAccount::default()
    };
    dmacc::create(&mut Tree::new(&mut txn, Actor::Host, Now::default()), &account).unwrap();
    txn.commit().unwrap();
}

fn setup(db: &Database, encoding: Encoding) -> Setup {
    Setup {
        account: dmacc::find(&db.read().unwrap(), "S1").unwrap().unwrap(),
        address: "http://dm.example:8080/dm".into(),
        session_id: 0x1234,
        cause: Cause::ClientInitiated,
        encoding,
        max_msg_size: 2048,
        max_obj_size: 10_000,
        large_objects: true,
        ui: true,
        exec: true,
        trusted_transport: true,
        require_tls: false,
        alerts: Vec::new(),
    }
}

/// `commands` as message `number` of the server, in text XML.
fn wrapped(commands: &[u8], number: usize, is_final: bool) -> Vec<u8> {
    let head = format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>1234</SessionID><MsgID>{number}</MsgID><Target><LocURI>{}</LocURI></Target>\
         <Source><LocURI>S1</LocURI></Source></SyncHdr><SyncBody><Status><CmdID>1</CmdID>\
         <MsgRef>{number}</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>212</Data></Status>",
        DEVICE.dev_id
    );
    let tail = if is_final { "<Final/></SyncBody></SyncML>" } else { "</SyncBody></SyncML>" };
    [head.as_bytes(), commands, tail.as_bytes()].concat()
}

fn context<'a>(db: &'a Database, random: &'a mut Counting) -> Context<'a> {
    Context { db, now: Now::default(), random }
}

fn answer(choice: u8) -> Answer {
    match choice % 7 {
        0 => Answer::Accepted,
        1 => Answer::Rejected,
        2 => Answer::Text("text".into()),
        3 => Answer::Choices(vec![1, u32::from(choice)]),
        4 => Answer::Cancelled,
        5 => Answer::TimedOut,
        _ => Answer::CannotShow,
    }
}

fuzz_target!(|octets: &[u8]| {
    let [first, rest @ ..] = octets else { return };
    let mut rest = rest;
    let db = Database::new(Arc::new(store())).unwrap();
    let encoding = if first & 1 == 0 { Encoding::Xml } else { Encoding::Wbxml };
    let setup = setup(&db, encoding);
    let mut random = Counting(*first);
    let (mut engine, mut step) = Engine::start(setup, context(&db, &mut random)).unwrap();
    let mut number = 0;
    let mut choice = *first;
    // Every round takes a message or answers a question; a message cannot ask for ever.
    for _ in 0..1000 {
        let next = match step {
            Step::Done => return,
            Step::Ask(_) => {
                choice = choice.wrapping_add(1);
                engine
                    .answer(context(&db, &mut random), answer(choice))
                    .or_else(|_| engine.answer(context(&db, &mut random), Answer::Cancelled))
            }
            Step::Execute(_) => {
                engine.executed(context(&db, &mut random), if choice & 1 == 0 { 200 } else { 500 })
            }
            Step::Send(_) => {
                let [high, low, form, more @ ..] = rest else { break };
                let length = usize::from(u16::from_be_bytes([*high, *low])).min(more.len());
                let (octets, after) = more.split_at(length);
                rest = after;
                number += 1;
                let body = match form % 4 {
                    0 => octets.to_vec(),
                    form => wrapped(octets, number, form > 1),
                };
                engine.receive(context(&db, &mut random), &body, None)
            }
        };
        engine.take_events();
        match next {
            Ok(next) => step = next,
            Err(why) => {
                engine.abort(context(&db, &mut random), &why);
                return;
            }
        }
    }
});
