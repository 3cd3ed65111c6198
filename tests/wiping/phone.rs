//! The process that is searched: a phone that knows nothing but what it is told, and forgets it.

use crate::support::remote::Detour;
use crate::wire::ask;
use dmsc::card::transport::CardTransport;
use dmsc::client::{CardSignal, Client, Delivery, Environment, Provisioning};
use dmsc::config::{Config, NetworkConfig};
use dmsc::driver::Ran;
use dmsc::error::Result;
use dmsc::event::{
    Event, EventKind, Listener, Purpose, Question, TriggerInfo, TriggerSource, TriggerVerdict,
};
use dmsc::secret::Secret;
use dmsc::session::Answer;
use dmsc::store::key_file::KeyFiles;
use dmsc::store::redb::RedbStore;
use dmsc::transport::tls::TlsConfig;
use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Names of what the phone leaves in its folder; the store is in a folder of its own.
pub(crate) const SOCKET: &str = "socket";
pub(crate) const LOG: &str = "log";
pub(crate) const CAPTURE: &str = "capture.pcap";
pub(crate) const JOURNAL: &str = "journal.jsonl";
pub(crate) const STORE: &str = "store";
pub(crate) const KEYS: &str = "keys";
/// What the network's server is told to fill in, which is secret by the host's pattern.
pub(crate) const SECRET_NODE: &str = "./Vendor/Key";

type Wire = Arc<Mutex<UnixStream>>;

fn get(wire: &Wire, want: &str) -> Vec<u8> {
    ask(&mut wire.lock().unwrap(), want, &[])
}

struct Card(Wire);

impl CardTransport for Card {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        Ok(ask(&mut self.0.lock().unwrap(), "apdu", command))
    }
    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(get(&self.0, "atr"))
    }
}

struct Host {
    wire: Wire,
    /// Kind and status of what has ended.
    ended: Arc<Mutex<Vec<(EventKind, i32)>>>,
}

impl Listener for Host {
    fn event(&self, event: &Event) {
        if [EventKind::SessionEnded, EventKind::BootstrapDone].contains(&event.kind) {
            self.ended.lock().unwrap().push((event.kind, event.status));
        }
    }
    fn question(&self, question: Question) {
        let answer = match question.purpose {
            Purpose::BootstrapPin { .. } => {
                Answer::Text(String::from_utf8(get(&self.wire, "push-pin")).unwrap())
            }
            _ => Answer::Accepted,
        };
        question.answer(answer).unwrap();
    }
    fn trigger(&self, _: &TriggerInfo) -> TriggerVerdict {
        TriggerVerdict::Accept
    }
    fn has_user(&self) -> bool {
        true
    }
}

/// Every line of every level into a file.
struct LogFile(Mutex<File>);

impl log::Log for LogFile {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.0.lock().unwrap(), "{} {}", record.target(), record.args()).unwrap();
    }
    fn flush(&self) {}
}

fn config(folder: &Path, wire: &Wire) -> Config {
    let tls = TlsConfig {
        roots_pem: get(wire, "roots"),
        client_chain_pem: get(wire, "chain"),
        client_key_pem: Secret::new(get(wire, "key")),
        ..TlsConfig::default()
    };
    Config {
        network: NetworkConfig { tls, ..NetworkConfig::default() },
        keys: Some(Arc::new(KeyFiles::new(&folder.join(KEYS)))),
        secret_uris: vec![SECRET_NODE.to_owned()],
        ..Config::new("IMEI:004999010640000")
    }
}

/// A whole life of a client.
fn live(folder: &Path, wire: &Wire) {
    let ended = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::new(RedbStore::open(&folder.join(STORE)).unwrap());
    let host = Box::new(Host { wire: wire.clone(), ended: ended.clone() });
    let client = Client::new(config(folder, wire), store, Environment::system(), host).unwrap();
    client.set_policy("[[rules]]\naction = \"allow\"\n").unwrap();
    client.trace_to_pcap(&folder.join(CAPTURE)).unwrap();
    let port = String::from_utf8(get(wire, "port")).unwrap().parse().unwrap();
    Detour::of(&client, port);
    let wait = |what| {
        while ended.lock().unwrap().is_empty() {
            assert_ne!(client.run_once(Duration::from_secs(20)).unwrap(), Ran::Nothing, "{what:?}");
        }
        assert_eq!(ended.lock().unwrap().pop(), Some((what, 0)));
    };

    let card = client.open_card(0, Box::new(Card(wire.clone()))).unwrap();
    let verify = [&[0x00, 0x20, 0x00, 0x01, 0x08], &*get(wire, "card-pin")].concat();
    assert_eq!(client.card_transmit(card, verify).unwrap(), [0x90, 0x00]);
    assert_eq!(client.bootstrap_card(card).unwrap().accounts_added, 1);
    client.start_toolkit(card).unwrap();
    get(wire, "trigger");
    client.notify_card(card, CardSignal::Proactive).unwrap();
    wait(EventKind::SessionEnded);
    get(wire, "session-over");

    let message = Provisioning {
        content_type: Some("application/vnd.wap.connectivity-wbxml".to_owned()),
        sec: Some(dmsc::client::Sec::UserPin),
        mac: Some(String::from_utf8(get(wire, "mac")).unwrap()),
        octets: Secret::new(get(wire, "push")),
        ..Provisioning::default()
    };
    client.provision(message).unwrap();
    wait(EventKind::BootstrapDone);
    for _ in 0..2 {
        let octets = get(wire, "notification");
        let source = TriggerSource::Push;
        let delivery = Delivery { source, slot: 0, content_type: None, octets };
        client.deliver_trigger(delivery).unwrap();
        wait(EventKind::SessionEnded);
        get(wire, "session-over");
    }
    std::fs::write(folder.join(JOURNAL), client.audit_export().unwrap()).unwrap();
    get(wire, "idle");
    client.close();
}

/// The child: lives, forgets, and waits to be searched.
pub(crate) fn run(folder: &Path) -> ! {
    let file = LogFile(Mutex::new(File::create(folder.join(LOG)).unwrap()));
    log::set_logger(Box::leak(Box::new(file))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let wire = Arc::new(Mutex::new(UnixStream::connect(folder.join(SOCKET)).unwrap()));
    let canary = get(&wire, "canary");
    live(folder, &wire);
    get(&wire, "over");
    std::hint::black_box(canary);
    std::process::exit(0);
}
