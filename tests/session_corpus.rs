//! Canned messages of a DM server, in both encodings, against the engine through its public API.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use dmsc::random::Random;
use dmsc::session::{Cause, Context, Engine, Setup, Step};
use dmsc::store::{Database, memory::MemoryStore};
use dmsc::syncml::model::{Command, Message};
use dmsc::syncml::{self, Encoding};
use dmsc::time::Now;
use dmsc::tree::dmacc::{self, Credential, Level, NewAccount};
use dmsc::tree::{Actor, Answer, Content, DeviceInfo, Query, Tree, Uri, install};
use std::sync::Arc;

const NOW: Now = Now { mono_ms: 0, unix_s: 994_869_497 };

struct Fixed;

impl Random for Fixed {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

/// The state before each session, as the corpus describes it.
fn database() -> Database {
    let db = Database::new(Arc::new(MemoryStore::new())).unwrap();
    let mut txn = db.begin().unwrap();
    let device = DeviceInfo {
        dev_id: "IMEI:490154203237518",
        man: "Maker",
        model: "Model",
        dm_v: "1.2",
        lang: "en",
        dev_typ: "phone",
        oem: "Maker",
        fw_v: "1",
        sw_v: "2",
        hw_v: "3",
    };
    install(&mut txn, &device, NOW).unwrap();
    let mut tree = Tree::new(&mut txn, Actor::Host, NOW);
    let basic = Credential {
        auth_type: "BASIC".into(),
        name: "bench".into(),
        secret: dmsc::secret::Secret::new("secret"),
        ..Credential::default()
    };
    let account = NewAccount {
        server_id: "bench-server".into(),
        credentials: vec![(Level::Client, basic)],
        ..NewAccount::default()
    };
    dmacc::create(&mut tree, &account).unwrap();
    tree.add(&uri("./Bench"), &Content::interior("").into()).unwrap();
    let acl = Content::text("Add=*&Get=*&Replace=*&Delete=*&Exec=*");
    tree.replace(&uri("./Bench?prop=ACL"), &acl).unwrap();
    for number in 0..20 {
        let leaf = Content::text("0000000000000000");
        tree.add(&uri(&format!("./Bench/L{number:02}")), &leaf.into()).unwrap();
    }
    let stored = "A".repeat(1_048_576);
    tree.add(&uri("./Bench/Stored"), &Content::text(&stored).into()).unwrap();
    txn.commit().unwrap();
    db
}

/// The client's side of one session.
struct Client {
    db: Database,
    engine: Engine,
    encoding: Encoding,
}

impl Client {
    fn start(encoding: Encoding) -> Self {
        let db = database();
        let account = dmacc::find(&db.read().unwrap(), "bench-server").unwrap().unwrap();
        let setup = Setup {
            account,
            address: "http://127.0.0.1:8080/dm".into(),
            session_id: 1,
            cause: Cause::ServerInitiated,
            encoding,
            max_msg_size: 16_384,
            max_obj_size: 2_097_152,
            large_objects: true,
            ui: false,
            exec: false,
            trusted_transport: true,
            require_tls: false,
            alerts: Vec::new(),
        };
        let context = Context { db: &db, now: NOW, random: &mut Fixed };
        let (engine, _) = Engine::start(setup, context).unwrap();
        Self { db, engine, encoding }
    }

    /// The reply to a message of the server; `None` at the end of the session.
    fn receive(&mut self, body: &[u8]) -> Option<Message<'static>> {
        let context = Context { db: &self.db, now: NOW, random: &mut Fixed };
        match self.engine.receive(context, body, None).unwrap() {
            Step::Send(outgoing) => {
                assert!(outgoing.body.len() <= 16_384, "{}", outgoing.body.len());
                let (message, encoding) = syncml::read(&outgoing.body).unwrap();
                assert_eq!(encoding, self.encoding);
                Some(message.into_owned())
            }
            Step::Done => None,
            step => panic!("{step:?}"),
        }
    }

    fn value(&self, path: &str) -> Option<Vec<u8>> {
        let view = self.db.read().unwrap();
        match Query::new(&view, Actor::Host).get(&uri(path)) {
            Ok(Answer::Leaf { value, .. }) => Some(value),
            _ => None,
        }
    }
}

/// Command and status of each Status but that of the SyncHdr.
fn statuses(message: &Message<'_>) -> Vec<(String, u16)> {
    let statuses = message.commands.iter().filter_map(|command| match command {
        Command::Status(status) if status.cmd != "SyncHdr" => {
            Some((status.cmd.to_string(), status.code))
        }
        _ => None,
    });
    statuses.collect()
}

/// Data of all Results.
fn results(message: &Message<'_>) -> Vec<u8> {
    let results = message.commands.iter().filter_map(|command| match command {
        Command::Results(results) => Some(results),
        _ => None,
    });
    let data = results.flat_map(|results| &results.items).filter_map(|item| item.data.as_ref());
    data.flat_map(|data| data.octets.iter().copied()).collect()
}

const ONE_GET: [(Encoding, &[u8]); 2] = [
    (Encoding::Xml, include_bytes!("data/sessions/a-get1/01.xml")),
    (Encoding::Wbxml, include_bytes!("data/sessions/a-get1/01.wbxml")),
];

#[test]
fn one_get() {
    for (encoding, body) in ONE_GET {
        let mut client = Client::start(encoding);
        let reply = client.receive(body).unwrap();
        assert_eq!(statuses(&reply), [("Get".into(), 200)]);
        assert_eq!(results(&reply), b"2");
        assert!(reply.is_final);
    }
}

const ATOMIC: [(Encoding, &[u8]); 2] = [
    (Encoding::Xml, include_bytes!("data/sessions/d-atomic20-ok/01.xml")),
    (Encoding::Wbxml, include_bytes!("data/sessions/d-atomic20-ok/01.wbxml")),
];

#[test]
fn atomic_of_twenty() {
    for (encoding, body) in ATOMIC {
        let mut client = Client::start(encoding);
        let statuses = statuses(&client.receive(body).unwrap());
        assert_eq!(statuses.len(), 22);
        assert!(statuses.iter().all(|(_, code)| *code == 200), "{statuses:?}");
        assert!(client.value("./Bench/A19").is_some());
    }
}

#[test]
fn atomic_of_twenty_that_fails_at_the_fifteenth() {
    for (encoding, body) in ATOMIC {
        let (mut message, _) = syncml::read(body).unwrap();
        let group = message.commands.iter_mut().find_map(|command| match command {
            Command::Group(group) => Some(group),
            _ => None,
        });
        let Command::Action(add) = &mut group.unwrap().commands[14] else { panic!("no Add") };
        add.items[0].target.as_mut().unwrap().uri = "./Bench/L03".into();
        let body = syncml::write(&message, encoding).unwrap();
        let mut client = Client::start(encoding);
        let statuses = statuses(&client.receive(&body).unwrap());
        let codes: Vec<_> = statuses.iter().map(|(_, code)| *code).collect();
        let mut expected = vec![507];
        expected.extend([216; 14]);
        expected.push(418);
        expected.extend([215; 5]);
        expected.push(404);
        assert_eq!(codes, expected);
        assert!((0..20).all(|number| client.value(&format!("./Bench/A{number:02}")).is_none()));
    }
}

const NEXT: [(Encoding, &[u8]); 2] = [
    (Encoding::Xml, include_bytes!("data/sessions/f-lob1m-to-server/next.xml")),
    (Encoding::Wbxml, include_bytes!("data/sessions/f-lob1m-to-server/next.wbxml")),
];

#[test]
fn one_mebibyte_to_a_server_that_repeats_itself() {
    for ((encoding, first), (_, next)) in ONE_GET.into_iter().zip(NEXT) {
        let (mut message, _) = syncml::read(first).unwrap();
        for command in &mut message.commands {
            if let Command::Action(get) = command {
                get.items[0].target.as_mut().unwrap().uri = "./Bench/Stored".into();
            }
        }
        let mut client = Client::start(encoding);
        let mut reply = client.receive(&syncml::write(&message, encoding).unwrap()).unwrap();
        let mut value = results(&reply);
        let mut messages = 1;
        while !reply.is_final {
            reply = client.receive(next).unwrap();
            value.extend(results(&reply));
            messages += 1;
        }
        assert_eq!(value.len(), 1_048_576);
        assert!(value.iter().all(|octet| *octet == b'A'));
        assert!(messages <= 70, "{messages}");
    }
}
