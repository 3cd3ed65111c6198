//! The servers of the soak: the one on the card and one in the network, with a note of what went through
//! them, and an impostor who knows the client's password but not the server's.

use dmsc::client::{AlertKind, QueuedAlert};
use dmsc::error::{Code, Error, Result};
use dmsc::transport::{ByteStream, Connector, Moved, Target};
use dmsc::tree::Format;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::application::{Application, Finding, HttpOutput};
use uicc_sim::card::Card;
use uicc_sim::dm::server::DmServer;
use uicc_sim::profile::Profile;

pub(crate) const CARD_SERVER: &str = "com.example.sc";
pub(crate) const NET_SERVER: &str = "com.example.dm";
pub(crate) const NET_ADDRESS: &str = "http://dm.example/dm";
/// What the data of each alert of the host begins with; a number and a full stop follow.
const ALERT_MARK: &str = "soak-alert-";

/// The host's alert of that number, for a server.
pub(crate) fn alert(server_id: &str, number: u64) -> QueuedAlert {
    QueuedAlert {
        server_id: server_id.to_owned(),
        kind: AlertKind::Generic,
        source: String::new(),
        mime: "Reversed-Domain-Name:org.example.soak".to_owned(),
        format: Format::Chr,
        mark: String::new(),
        correlator: String::new(),
        data: format!("{ALERT_MARK}{number}.").into_bytes(),
    }
}

/// What a server has sent and got, seen from the wire.
#[derive(Default)]
pub(crate) struct Record {
    /// Sessions whose commands were sent.
    pub(crate) offered: BTreeSet<u32>,
    /// Sessions in which the server was content with every answer.
    pub(crate) completed: BTreeSet<u32>,
    /// Alerts of the host that have come.
    pub(crate) alerts: BTreeSet<u64>,
    good: u32,
    octets: Vec<u8>,
}

/// A DM server whose connection is listened to.
pub(crate) struct Spy {
    server: DmServer,
    /// Its nodes are below `./<folder>`.
    folder: &'static str,
    record: Arc<Mutex<Record>>,
}

impl Spy {
    pub(crate) fn new(profile: Profile, folder: &'static str) -> Self {
        Self { server: DmServer::new(profile).unwrap(), folder, record: Arc::default() }
    }

    pub(crate) fn record(&self) -> Arc<Mutex<Record>> {
        self.record.clone()
    }
}

/// The numbers that follow `mark` in `octets`.
fn numbers<'a>(octets: &'a [u8], mark: &'a str) -> impl Iterator<Item = u64> + 'a {
    let found = octets.windows(mark.len()).enumerate();
    let found = found.filter(move |(_, window)| *window == mark.as_bytes());
    found.filter_map(move |(at, _)| {
        let digits = octets[at + mark.len()..].iter().take_while(|octet| octet.is_ascii_digit());
        String::from_utf8(digits.copied().collect()).unwrap().parse().ok()
    })
}

impl Application for Spy {
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput {
        let output = self.server.http_received(octets);
        let mut record = self.record.lock().unwrap();
        let record = &mut *record;
        record.octets.extend(octets);
        if !output.octets.is_empty() {
            record.alerts.extend(numbers(&record.octets, ALERT_MARK));
            record.octets.clear();
        }
        let mark = format!("./{}/a", self.folder);
        record.offered.extend(numbers(&output.octets, &mark).map(|number| number as u32));
        if self.server.good_sessions() > record.good {
            record.good = self.server.good_sessions();
            record.completed.extend(record.offered.last());
        }
        output
    }
    fn http_closed(&mut self) {
        self.record.lock().unwrap().octets.clear();
        self.server.http_closed();
    }
    fn notification(&mut self) -> Vec<u8> {
        self.server.notification()
    }
    fn reset(&mut self) {
        self.record.lock().unwrap().octets.clear();
        self.server.reset();
    }
    fn findings(&self) -> Vec<Finding> {
        self.server.findings()
    }
    fn good_sessions(&self) -> u32 {
        self.server.good_sessions()
    }
    fn bad_sessions(&self) -> u32 {
        self.server.bad_sessions()
    }
}

/// Nodes with the session's number, which nobody may make twice, one of them in an Atomic; a leaf with the
/// number of the last session; and a question.
pub(crate) fn profile(server_id: &str, address: &str, folder: &str, secret: &str) -> Profile {
    Profile::parse(&format!(
        r#"
        [card.toolkit]
        timer_seconds = 90
        [account]
        server_id = "{server_id}"
        address = "{address}"
        auth_pref = "DIGEST"
        client = {{ name = "phone", secret = "phone-secret", nonce = "first" }}
        server = {{ name = "{server_id}", secret = "{secret}", nonce = "second" }}
        [server]
        seed = 1
        [[package]]
        commands = [
            {{ get = "./DevInfo/DevId" }},
            {{ add = "./{folder}", format = "node", expect = [200, 418] }},
            {{ add = "./{folder}/Last", value = "none", expect = [200, 418] }},
            {{ add = "./{folder}/s{{session}}", value = "{{session}}" }},
            {{ atomic = [
                {{ add = "./{folder}/a{{session}}", value = "{{session}}" }},
                {{ replace = "./{folder}/Last", value = "{{session}}" }},
            ] }},
            {{ confirm = "Go on?", options = "MAXDT=20", expect = [200, 214, 304, 408] }},
        ]
        [[package]]
        commands = [ {{ get = "./{folder}/Last", results = "{{session}}" }} ]
        "#
    ))
    .unwrap()
}

/// What is on the card.
pub(crate) fn card_profile() -> Profile {
    profile(CARD_SERVER, "http://127.0.0.1:3516/dm", "Card", "server-secret")
}

/// The server in the network.
pub(crate) fn net_profile() -> Profile {
    profile(NET_SERVER, NET_ADDRESS, "Net", "server-secret")
}

/// The card of that profile with this server on it.
pub(crate) fn card(profile: &Profile, server: impl Application + 'static) -> Arc<Mutex<Card>> {
    let bootstrap = profile.bootstrap_octets().unwrap();
    Arc::new(Mutex::new(Card::new(profile.card.clone(), bootstrap, Box::new(server))))
}

/// How the network treats the next connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Weather {
    #[default]
    Fair,
    /// There is no network.
    Down,
    /// Connections break after so many octets to the server.
    Breaking(usize),
    /// Somebody else answers.
    Impostor,
    /// Octets that are no HTTP.
    Garbage,
    /// HTTP, but no message.
    Status(u16),
}

/// The network with its servers.
pub(crate) struct Net {
    pub(crate) genuine: Mutex<Spy>,
    impostor: Mutex<DmServer>,
    pub(crate) weather: Mutex<Weather>,
}

impl Net {
    pub(crate) fn new() -> Arc<Self> {
        let impostor = profile(NET_SERVER, NET_ADDRESS, "Evil", "guessed");
        Arc::new(Self {
            genuine: Mutex::new(Spy::new(net_profile(), "Net")),
            impostor: Mutex::new(DmServer::new(impostor).unwrap()),
            weather: Mutex::default(),
        })
    }
}

/// The way into the network.
pub(crate) struct Way(pub(crate) Arc<Net>);

impl Connector for Way {
    fn connect(&self, _: &Target<'_>) -> Result<Box<dyn ByteStream + Send>> {
        let weather = *self.0.weather.lock().unwrap();
        if weather == Weather::Down {
            return Err(Error::new(Code::NoNetwork, "no network"));
        }
        Ok(Box::new(Line { net: self.0.clone(), weather, sent: 0, back: Vec::new(), ended: false }))
    }
    fn cancel(&self, _: u64) {}
}

struct Line {
    net: Arc<Net>,
    weather: Weather,
    sent: usize,
    back: Vec<u8>,
    ended: bool,
}

impl ByteStream for Line {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<Moved> {
        let octets = self.back.len().min(buffer.len());
        if octets == 0 {
            return Ok(if self.ended { Moved::Closed } else { Moved::NotYet });
        }
        buffer[..octets].copy_from_slice(&self.back[..octets]);
        self.back.drain(..octets);
        Ok(Moved::Octets(octets))
    }

    fn write(&mut self, data: &[u8], _: Duration) -> Result<Moved> {
        self.sent += data.len();
        let output = match self.weather {
            Weather::Breaking(octets) if self.sent > octets => {
                self.ended = true;
                return Err(Error::new(Code::Io, "the connection broke"));
            }
            Weather::Impostor => self.net.impostor.lock().unwrap().http_received(data),
            Weather::Garbage => HttpOutput { octets: vec![0xA5; 300], close: true },
            Weather::Status(status) => {
                let text = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
                HttpOutput { octets: text.into_bytes(), close: true }
            }
            _ => self.net.genuine.lock().unwrap().http_received(data),
        };
        self.back.extend(output.octets);
        self.ended |= output.close;
        Ok(Moved::Octets(data.len()))
    }

    fn close(&mut self) {
        if !self.ended && !matches!(self.weather, Weather::Impostor) {
            self.net.genuine.lock().unwrap().http_closed();
        }
        self.ended = true;
    }
}
