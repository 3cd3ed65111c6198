//! The recorded sessions of `tests/data/sessions`: the state before each, the server's messages, and
//! how one is played. Shared by a test and a bench.

#![allow(dead_code, reason = "not everybody needs everything")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use dmsc::error::Result;
use dmsc::policy::{Origin, Policy};
use dmsc::random::Random;
use dmsc::secret::Secret;
use dmsc::session::{Authority, Cause, Context, Engine, SessionEvent, Setup, Step};
use dmsc::store::Database;
use dmsc::syncml::Encoding;
use dmsc::time::Now;
use dmsc::tree::dmacc::{self, Credential, Level, NewAccount};
use dmsc::tree::{Actor, Content, DeviceInfo, Hosted, Tree, Uri, install};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sessions");
const NOW: Now = Now { mono_ms: 0, unix_s: 994_869_497 };

/// MaxMsgSize of both sides.
pub(crate) const MAX_MSG_SIZE: u32 = 16_384;

struct Fixed;

impl Random for Fixed {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

pub(crate) fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

/// Makes the state before each session, in an empty database as a client has it.
pub(crate) fn furnished(mut db: Database) -> Database {
    db.attach(Arc::new(Hosted::default()));
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
        secret: Secret::new("secret"),
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

/// The server's messages of one case.
pub(crate) struct Script {
    messages: Vec<Vec<u8>>,
    /// Said as long as the client's package goes on.
    next: Option<Vec<u8>>,
    /// Said from then on.
    end: Vec<u8>,
    encoding: Encoding,
}

impl Script {
    pub(crate) fn load(case: &str, encoding: Encoding) -> Self {
        let ending = if encoding == Encoding::Xml { "xml" } else { "wbxml" };
        let file = |name: &str| fs::read(Path::new(DATA).join(format!("{case}/{name}.{ending}")));
        let mut messages: Vec<Vec<u8>> =
            (1..).map_while(|number| file(&format!("{number:02}")).ok()).collect();
        assert!(!messages.is_empty(), "no case {case}");
        let (next, end) = (file("next").ok(), file("end").ok());
        let end = end.unwrap_or_else(|| messages.pop().unwrap());
        Self { messages, next, end, encoding }
    }

    /// The same messages about other nodes: `to` for `from`, which is as long.
    pub(crate) fn about(mut self, from: &str, to: &str) -> Self {
        assert_eq!(from.len(), to.len());
        for message in &mut self.messages {
            for at in 0..message.len().saturating_sub(from.len()) {
                if message[at..].starts_with(from.as_bytes()) {
                    message[at..at + to.len()].copy_from_slice(to.as_bytes());
                }
            }
        }
        self
    }

    fn answer(&self, number: usize, client_is_done: bool) -> &[u8] {
        match (self.messages.get(number), &self.next) {
            (Some(message), _) => message,
            (None, Some(next)) if !client_is_done => next,
            _ => &self.end,
        }
    }
}

/// The session as its caller sets it up.
pub(crate) fn setup(db: &Database, encoding: Encoding) -> Result<Setup> {
    let policy = Arc::new(Policy::built_in()?);
    Ok(Setup {
        number: 1,
        authority: Authority { policy, origin: Origin::Remote },
        account: dmacc::find(&db.read()?, "bench-server")?.unwrap(),
        address: "http://127.0.0.1:8080/dm".into(),
        session_id: 1,
        cause: Cause::ServerInitiated,
        encoding,
        max_msg_size: MAX_MSG_SIZE,
        max_obj_size: 2_097_152,
        large_objects: true,
        ui: false,
        exec: false,
        trusted_transport: true,
        require_tls: false,
        alerts: Vec::new(),
    })
}

/// Opens a session with package 1.
pub(crate) fn start(db: &Database, encoding: Encoding) -> Result<(Engine, Step)> {
    start_with(setup(db, encoding)?, db)
}

fn start_with(setup: Setup, db: &Database) -> Result<(Engine, Step)> {
    Engine::start(setup, Context { db, now: NOW, random: &mut Fixed })
}

/// Takes a message of the server.
pub(crate) fn receive(engine: &mut Engine, db: &Database, body: &[u8]) -> Result<Step> {
    engine.receive(Context { db, now: NOW, random: &mut Fixed }, body, None)
}

/// Plays a case from the first message to the end of the session; shows every message of the client.
pub(crate) fn play(
    setup: Setup,
    db: &Database,
    script: &Script,
    sent: &mut dyn FnMut(&[u8]),
) -> Result<()> {
    let (mut engine, mut step) = start_with(setup, db)?;
    let mut number = 0;
    while let Step::Send(outgoing) = step {
        sent(&outgoing.body);
        let closed = |event: &SessionEvent| {
            matches!(event, SessionEvent::PackageSent { is_final: true, .. })
        };
        let is_done = engine.take_events().iter().any(closed);
        step = receive(&mut engine, db, script.answer(number, is_done))?;
        number += 1;
    }
    assert_eq!(step, Step::Done);
    Ok(())
}
