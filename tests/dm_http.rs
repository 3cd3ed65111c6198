//! Whole sessions over HTTP with a DM server that is another implementation: every command, objects in
//! chunks both ways, every kind of credentials, challenges, alerts for the user; in both encodings.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use dmsc::error::{Code, Error};
use dmsc::policy::{Origin, Policy};
use dmsc::random::Random;
use dmsc::secret::Secret;
use dmsc::session::{
    Answer, Authority, Cause, Context, Engine, HostAlert, Kind, Outgoing, SessionEvent, Setup,
    Step, UserAlert,
};
use dmsc::store::{Database, memory::MemoryStore};
use dmsc::syncml::Encoding;
use dmsc::time::Now;
use dmsc::tree::dmacc::{self, Credential, Level, NewAccount};
use dmsc::tree::{self, Access, Actor, Content, DeviceInfo, NewNode, Query, Tree, Uri, install};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use uicc_sim::application::{self, Application as _, Verdict};
use uicc_sim::dm::listener::Listener;
use uicc_sim::profile::Profile;

const NOW: Now = Now { mono_ms: 0, unix_s: 994_869_497 };

/// Octets that differ from call to call.
struct Counting(u64);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *octet = (self.0 >> 33) as u8;
        }
    }
}

/// How the two sides prove themselves, and the nonces that the device knows.
#[derive(Clone, Copy)]
struct Logins {
    client: &'static str,
    server: &'static str,
    client_nonce: &'static str,
    server_nonce: &'static str,
}

const MD5: Logins =
    Logins { client: "md5", server: "md5", client_nonce: "c-nonce", server_nonce: "s-nonce" };

fn account_type(scheme: &str) -> &'static str {
    match scheme {
        "basic" => "BASIC",
        "md5" => "DIGEST",
        _ => "HMAC",
    }
}

fn at(uri: &str) -> Uri {
    Uri::parse(uri).unwrap()
}

fn device(logins: Logins) -> Database {
    let db = Database::new(Arc::new(MemoryStore::new())).unwrap();
    let mut txn = db.begin().unwrap();
    let info = DeviceInfo {
        dev_id: "IMEI:493005100592800",
        man: "Maker",
        model: "One",
        dm_v: "1.2",
        lang: "en",
        dev_typ: "phone",
        oem: "Maker",
        fw_v: "1",
        sw_v: "2",
        hw_v: "3",
    };
    install(&mut txn, &info, NOW).unwrap();
    let credential = |scheme, name: &str, secret: &str, nonce: &str| Credential {
        auth_type: account_type(scheme).into(),
        name: name.into(),
        secret: Secret::new(secret),
        nonce: Secret::new(nonce),
    };
    let account = NewAccount {
        server_id: "S1".into(),
        credentials: vec![
            (Level::Client, credential(logins.client, "term", "tsec", logins.client_nonce)),
            (Level::Server, credential(logins.server, "S1", "ssec", logins.server_nonce)),
        ],
        ..NewAccount::default()
    };
    let mut tree = Tree::new(&mut txn, Actor::Host, NOW);
    dmacc::create(&mut tree, &account).unwrap();
    tree.add(&at("./Lab"), &Content::interior("").into()).unwrap();
    let acl = Content::text("Add=*&Get=*&Replace=*&Delete=*&Exec=*");
    tree.replace(&at("./Lab?prop=ACL"), &acl).unwrap();
    let run = NewNode { access: Access::all(), ..NewNode::from(Content::text("")) };
    tree.add(&at("./Lab/Run"), &run).unwrap();
    txn.commit().unwrap();
    db
}

/// The profile of a server with this script.
fn profile(logins: Logins, more: &str, script: &str) -> Profile {
    let text = format!(
        "account = {{ server_id = 'S1', address = 'http://127.0.0.1:1/dm', \
         client = {{ name = 'term', secret = 'tsec', nonce = 'c-nonce', auth = '{}' }}, \
         server = {{ name = 'S1', secret = 'ssec', nonce = 's-nonce', auth = '{}' }} }}\n\
         {more}\n{script}",
        logins.client, logins.server
    );
    Profile::parse(&text).unwrap()
}

/// What a POST brings back: `x-syncml-hmac` and the body.
fn post(sent: &Outgoing) -> (Option<String>, Vec<u8>) {
    let rest = sent.uri.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: {0}\r\nAccept: {0}\r\n\
         Connection: close\r\nContent-Length: {1}\r\n",
        sent.mime,
        sent.body.len()
    );
    if let Some(hmac) = &sent.hmac {
        head += &format!("x-syncml-hmac: {hmac}\r\n");
    }
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.write_all(&[head.as_bytes(), b"\r\n", &sent.body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let hmac = head.lines().find_map(|line| line.strip_prefix("x-syncml-hmac: "));
    (hmac.map(str::to_owned), answer[end + 4..].to_vec())
}

fn reply(alert: &UserAlert) -> Answer {
    match alert.kind {
        Kind::Display => Answer::Accepted,
        Kind::Confirm if alert.text.contains("No") => Answer::Rejected,
        Kind::Confirm => Answer::Accepted,
        Kind::TextInput => Answer::Text("CNN & <b>".into()),
        Kind::SingleChoice => Answer::Choices(vec![2]),
        Kind::MultipleChoice => Answer::Choices(vec![1, 3]),
    }
}

/// One session of the device, until it ends or fails.
fn session(
    db: &Database,
    address: &str,
    encoding: Encoding,
    seed: u64,
) -> Result<Vec<SessionEvent>, Error> {
    let policy = std::sync::Arc::new(Policy::built_in().unwrap());
    let setup = Setup {
        number: 1,
        authority: Authority { policy, origin: Origin::Remote },
        account: dmacc::find(&db.read()?, "S1")?.unwrap(),
        address: address.into(),
        session_id: 0x51,
        cause: Cause::ClientInitiated,
        encoding,
        max_msg_size: 8192,
        max_obj_size: 1 << 20,
        large_objects: true,
        ui: true,
        exec: true,
        trusted_transport: false,
        require_tls: false,
        alerts: vec![HostAlert::event(1, "text/plain", "chr", "hello")],
    };
    let mut random = Counting(seed);
    let mut events = Vec::new();
    let (mut engine, mut step) =
        Engine::start(setup, Context { db, now: NOW, random: &mut random })?;
    loop {
        let context = Context { db, now: NOW, random: &mut random };
        let next = match step {
            Step::Done => return Ok(events),
            Step::Send(sent) => {
                assert_eq!(sent.mime, encoding.mime());
                let (hmac, body) = post(&sent);
                if body.is_empty() {
                    return Ok(events);
                }
                engine.receive(context, &body, hmac.as_deref())
            }
            Step::Ask(alert) | Step::Consent(alert) => engine.answer(context, reply(&alert)),
            Step::Execute(execution) => {
                assert_eq!(execution.argument.as_deref(), Some(&b"now"[..]));
                let kind = "Reversed-Domain-Name:org.example.done";
                let end = HostAlert::generic(2, kind, "chr", "200").unwrap();
                let correlator = execution.correlator.unwrap();
                engine.queue_alert(end.with_correlator(&correlator)).unwrap();
                engine.executed(context, 202)
            }
        };
        events.extend(engine.take_events());
        match next {
            Ok(next) => step = next,
            Err(error) => {
                let context = Context { db, now: NOW, random: &mut random };
                if let Some(last) = engine.abort(context, &error) {
                    post(&last);
                }
                return Err(error);
            }
        }
    }
}

/// A server on a port of its own.
struct Running {
    listener: Arc<Listener>,
    address: String,
}

fn start(profile: Profile) -> Running {
    let listener = Arc::new(Listener::bind("127.0.0.1:0", profile).unwrap());
    let address = format!("http://{}/dm", listener.address().unwrap());
    let own = Arc::clone(&listener);
    // It waits for connections until the test ends.
    std::thread::spawn(move || own.serve(u32::MAX));
    Running { listener, address }
}

/// What the server found: its verdict and its report.
fn found(listener: &Listener) -> (Verdict, String) {
    let server = listener.server();
    let server = server.lock().unwrap();
    let (findings, good, bad) = (server.findings(), server.good_sessions(), server.bad_sessions());
    let report = application::report(&findings, good, bad);
    (application::verdict(&findings, good, bad), report)
}

fn value(db: &Database, uri: &str) -> Option<String> {
    let view = db.read().unwrap();
    match Query::new(&view, Actor::Host).get(&at(uri)) {
        Ok(tree::Answer::Leaf { value, .. }) => Some(String::from_utf8(value).unwrap()),
        _ => None,
    }
}

const EVERYTHING: &str = r#"
[[package]]
commands = [
    { get = "./DevInfo/Man", results = "Maker" },
    { get = "./DevInfo", results_children = ["DevId", "Man", "Mod", "DmV", "Lang"] },
    { get = "./None", expect = 404 },
    { get = "./Lab?prop=ACL", results_prefix = "Add=*" },
    { add = "./Lab/{session}", format = "node" },
    { add = "./Lab/{session}/A", value = "one & <two>" },
    { add = "./Lab/{session}/A", value = "x", expect = 418 },
    { add = "./Lab/{session}/B/C", value = "deep" },
    { add = "./Lab/{session}/bin", format = "b64", type = "image/png", value = "AQL/" },
    { replace = "./Lab/{session}/A", value = "three" },
    { replace = "./DevInfo/Man", value = "x", expect = 405 },
    { copy = "./Lab/{session}/A", to = "./Lab/{session}/copy" },
    { get = "./Lab/{session}/copy", results = "three" },
    { delete = "./Lab/{session}/B" },
    { get = "./Lab/{session}/B/C", expect = 404 },
]
[[package]]
commands = [
    { atomic = [ { add = "./Lab/{session}/x", value = "1" }, { replace = "./Lab/{session}/x", value = "2" } ] },
    { atomic = [ { add = "./Lab/{session}/y", value = "1", expect = 216 }, { delete = "./None", expect = 404 }, { add = "./Lab/{session}/z", value = "1", expect = 215 } ], expect = 507 },
    { get = "./Lab/{session}/y", expect = 404 },
    { sequence = [ { replace = "./None", value = "1", expect = 404 }, { get = "./Lab/{session}/x", results = "2" } ] },
    { sequence = [ { confirm = "No?", expect = 304 }, { delete = "./Lab/{session}/x", expect = 215 } ] },
    { atomic = [ { add = "./Lab/{session}/q", value = "1", expect = 216 }, { get = "./Lab/{session}/x", expect = 500 } ], expect = 507 },
]
[[package]]
commands = [
    { display = "Hello", options = "MINDT=1" },
    { confirm = "Yes?" },
    { input = "Channel?", options = "MAXLEN=20", answer = "CNN & <b>" },
    { choice = "One", from = ["a", "b"], answer = "2" },
    { choices = "Some", from = ["a", "b", "c"], answer = ["1", "3"] },
    { alert = 1105, value = "?", expect = 406 },
    { exec = "./Lab/Run", value = "now", correlator = "X1", expect = 202 },
]
[[package]]
commands = [
    { add = "./Lab/{session}/big", fill = 30000, chunk = 3000 },
    { get = "./Lab/{session}/big", results_fill = 30000 },
    { get = "./Lab/{session}/A", results = "three" },
]
[[package]]
commands = [
    { items = [
        { add = "./Lab/{session}/m1", format = "b64", type = "image/png", value = "AQL/", meta = "command" },
        { add = "./Lab/{session}/m2", value = "AwQ=" },
        { add = "./Lab/{session}/A", value = "AwQ=", expect = 418 },
        { add = "./Lab/{session}/m3", format = "chr", type = "text/plain", value = "own" },
    ] },
    { items = [
        { get = "./Lab/{session}/m1?prop=Type", results = "image/png" },
        { get = "./Lab/{session}/m2?prop=Size", results = "2" },
        { get = "./None", expect = 404 },
        { get = "./Lab/{session}/m3", results = "own" },
        { get = "./Lab/{session}/m3", results = "own" },
        { get = "./Lab/{session}/big", results_fill = 30000 },
    ] },
    { replace = "./Lab/{session}/m1", format = "bool", value = "true", meta = "command" },
    { items = [
        { replace = "./Lab/{session}/m2", value = "a", format = "chr" },
        { replace = "./Lab/{session}/m3", value = "b" },
    ] },
    { message = "next" },
    { get = "./Lab/{session}/m1", results = "true" },
    { items = [ { copy = "./Lab/{session}/m3", to = "./Lab/{session}/m4" } ] },
    { items = [ { delete = "./Lab/{session}/m1" }, { delete = "./Lab/{session}/m2" }, { delete = "./None", expect = 404 } ] },
    { get = "./Lab/{session}?list=StructData" },
    { put = "./Lab/{session}/x", value = "1" },
    { atomic = [
        { items = [ { replace = "./Lab/{session}/m3", value = "c", expect = 216 }, { replace = "./None", value = "1", expect = 404 }, { replace = "./Lab/{session}/m4", value = "c", expect = 215 } ] },
    ], expect = 507 },
    { get = "./Lab/{session}/m3", results = "b" },
]
[[package]]
commands = [
    { add = "./Lab/{session}/cut", fill = 9000, chunk = 3000, cut = 2 },
    { message = "next" },
    { get = "./Lab/{session}/cut", expect = 404 },
    { get = "./Lab/{session}/big", refuse = 413 },
    { get = "./Lab/{session}/A", results = "three" },
]
[[package]]
commands = [ { replace = "./Lab/{session}/big", fill = 9000, chunk = 3000, cut = 1 } ]
[[package]]
commands = [ { get = "./Lab/{session}/big", results_fill = 30000 } ]
"#;

const SMALL: &str = "server = { max_msg_size = 2000, max_obj_size = 100000 }";

/// Two sessions of a device with a server that finds nothing wrong.
fn good_sessions(logins: Logins, encoding: Encoding) {
    let server = start(profile(logins, SMALL, EVERYTHING));
    let db = device(logins);
    for number in 1..=2 {
        let events = session(&db, &server.address, encoding, number).unwrap();
        let alerts = events
            .iter()
            .filter(|event| matches!(event, SessionEvent::AlertAnswered { status: 200, .. }));
        assert_eq!(alerts.count(), 2);
        let (verdict, report) = found(&server.listener);
        assert_eq!(verdict, Verdict::Good, "{encoding:?}\n{report}");
        assert_eq!(value(&db, &format!("./Lab/{number}/A")).as_deref(), Some("three"));
        assert_eq!(value(&db, &format!("./Lab/{number}/x")).as_deref(), Some("2"));
        assert_eq!(value(&db, &format!("./Lab/{number}/y")), None);
        assert_eq!(value(&db, &format!("./Lab/{number}/big")).unwrap().len(), 30_000);
    }
    assert_eq!(found(&server.listener).1.matches("2 good, 0 bad").count(), 1);
}

fn every_login(encoding: Encoding) {
    for client in ["basic", "md5", "hmac"] {
        for server in ["basic", "md5", "hmac"] {
            good_sessions(Logins { client, server, ..MD5 }, encoding);
        }
    }
}

#[test]
fn every_command_and_every_login_in_xml() {
    every_login(Encoding::Xml);
}

#[test]
fn every_command_and_every_login_in_wbxml() {
    every_login(Encoding::Wbxml);
}

const ONE_GET: &str = "[[package]]\ncommands = [ { get = './DevInfo/Mod', results = 'One' } ]";

/// The server's report after one session that went well although nonces had to be told first.
fn after_challenges(logins: Logins, wanted: &[&str]) {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let server = start(profile(logins, "", ONE_GET));
        let db = device(logins);
        session(&db, &server.address, encoding, 1).unwrap();
        let (verdict, report) = found(&server.listener);
        assert_eq!(verdict, Verdict::Good, "{report}");
        for text in wanted {
            assert!(report.contains(text), "{text}\n{report}");
        }
        // The nonces of this session are good for the next one.
        session(&db, &server.address, encoding, 2).unwrap();
        assert!(found(&server.listener).1.contains("2 good, 0 bad"));
    }
}

#[test]
fn the_server_challenges_a_device_without_or_with_a_stale_nonce() {
    let missing = Logins { client_nonce: "", ..MD5 };
    after_challenges(missing, &["credentials missing, challenged"]);
    let stale = Logins { client_nonce: "old", ..MD5 };
    after_challenges(stale, &["credentials do not fit the nonce, challenged"]);
}

#[test]
fn the_device_challenges_a_server_with_a_stale_nonce() {
    for server in ["md5", "hmac"] {
        let stale = Logins { server, server_nonce: "old", ..MD5 };
        after_challenges(stale, &["the terminal refuses the server's credentials"]);
    }
}

#[test]
fn both_challenge_each_other() {
    let stale = Logins { client_nonce: "old", server_nonce: "old", ..MD5 };
    // The device's challenge comes with the message that answers the server's.
    after_challenges(stale, &["challenged", "NextNonce of the terminal is a new one"]);
}

#[test]
fn a_server_without_the_secret_is_refused_twice() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let wrong = "server = { fault = { server_credentials = true } }";
        let script = "[[package]]\ncommands = [ { add = './Lab/no', value = '1' } ]";
        let server = start(profile(MD5, wrong, script));
        let db = device(MD5);
        let error = session(&db, &server.address, encoding, 1).unwrap_err();
        assert_eq!(error.code(), Code::AuthServer);
        assert_eq!(value(&db, "./Lab/no"), None);
        let (verdict, report) = found(&server.listener);
        assert_eq!(verdict, Verdict::Good, "{report}");
    }
}

#[test]
fn a_server_that_asks_for_less_than_the_account_says_gets_nothing() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        // The account of the device says MD5, the server wants Basic.
        let server = start(profile(Logins { client: "basic", ..MD5 }, "", ONE_GET));
        let error = session(&device(MD5), &server.address, encoding, 1).unwrap_err();
        assert_eq!((error.code(), error.syncml_status), (Code::AuthClient, 401));
    }
}

#[test]
fn dm_026_a_server_may_give_the_session_up() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let script = "[[package]]\ncommands = [ { add = './Lab/kept', value = '1' } ]\n\
            [[package]]\ncommands = [ { add = './Lab/not', value = '1' }, { message = 'abort' } ]";
        let server = start(profile(MD5, "", script));
        let db = device(MD5);
        let error = session(&db, &server.address, encoding, 1).unwrap_err();
        assert_eq!(error.code(), Code::Aborted);
        assert_eq!(value(&db, "./Lab/kept").as_deref(), Some("1"));
        assert_eq!(value(&db, "./Lab/not"), None);
        let (verdict, report) = found(&server.listener);
        assert_eq!(verdict, Verdict::Good, "{report}");
    }
}
