//! A client with the standard objects and one account, for the targets that play a session.

use dmsc::policy::{Origin, Policy};
use dmsc::random::Random;
use dmsc::secret::Secret;
use dmsc::session::{Answer, Authority, Cause, Context, Setup};
use dmsc::store::memory::MemoryStore;
use dmsc::store::{Batch, Database, Store, Table};
use dmsc::syncml::Encoding;
use dmsc::time::Now;
use dmsc::tree::dmacc::{self, Credential, Level, NewAccount};
use dmsc::tree::{Actor, DeviceInfo, Tree, install};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

pub const DEVICE: DeviceInfo<'static> = DeviceInfo {
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
pub struct Counting(pub u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// A store with the standard objects and the server's account; made once, for it takes long.
pub fn store() -> MemoryStore {
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

pub fn setup(db: &Database, encoding: Encoding) -> Setup {
    let policy = Arc::new(Policy::built_in().unwrap());
    Setup {
        number: 1,
        authority: Authority { policy, origin: Origin::Remote },
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

pub fn context<'a>(db: &'a Database, random: &'a mut Counting) -> Context<'a> {
    Context { db, now: Now::default(), random }
}

pub fn answer(choice: u8) -> Answer {
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
