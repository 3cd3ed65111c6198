//! The card's connections into the network (bearer independent protocol in client mode): policy, consent,
//! octets both ways, and how the card hears of the link.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::client::{CardId, CardSignal};
use dmsc::config::{Config, NetworkConfig};
use dmsc::error::Code;
use dmsc::event::{ConnectionKind, EventKind};
use dmsc::store::memory::MemoryStore;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use support::abi::DEVICE;
use support::facade::Facade;
use support::injector::Injector;
use support::remote::Detour;
use support::sim::Sim;

const OPEN: u8 = 0x40;
const CLOSE: u8 = 0x41;
const RECEIVE: u8 = 0x42;
const SEND: u8 = 0x43;
const STATUS: u8 = 0x44;
const TERMINAL: u8 = 0x82;
const CHANNEL: u8 = 0x21;

/// Default bearer, 1400 octets, TCP client to port 443 of 192.0.2.7 in the network TestGp.rs.
const TCP: &str = "35010339020578470A06546573744770027273\
                   3C030201BB3E0521C0000207";
const UDP: &str = "350103390200103C03010035 3E0521C0000207";

struct Bench {
    phone: Facade,
    card: CardId,
    injector: Injector,
    detour: Arc<Detour>,
    _sim: Sim,
}

impl Bench {
    fn new(port: u16, allowed_by_config: bool) -> Self {
        let network =
            NetworkConfig { card_connections: allowed_by_config, ..NetworkConfig::default() };
        let config = Config { network, ..Config::new(DEVICE) };
        let phone = Facade::on(config, Arc::new(MemoryStore::new())).unwrap();
        let sim = Sim::named("demo");
        let card = phone.ready(&sim);
        let injector = Injector::of(&sim);
        let detour = Detour::of(&phone.client, port);
        let bench = Self { phone, card, injector, detour, _sim: sim };
        // The web server's channel is not needed here.
        assert_eq!(bench.run(CLOSE, 0, CHANNEL, ""), "830100");
        bench
    }

    /// Carries one command out; the result and what follows in the response.
    fn run(&self, kind: u8, qualifier: u8, device: u8, objects: &str) -> String {
        self.injector.queue(kind, qualifier, device, &objects.replace([' ', '\n'], ""));
        self.phone.client.notify_card(self.card, CardSignal::Proactive).unwrap();
        self.phone.settle();
        let mut responses = self.injector.responses();
        assert_eq!(responses.len(), 1, "{responses:?}");
        responses.remove(0)
    }

    fn refusal(&self) -> (i32, String) {
        let event = self.phone.of(EventKind::ConnectionRefused).pop().unwrap();
        (event.status, String::from_utf8(event.data).unwrap())
    }
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Drives until the card has received `wanted` more octets; what RECEIVE DATA gives.
fn receive(bench: &Bench, peer: &mut TcpStream, octets: &[u8]) -> String {
    peer.write_all(octets).unwrap();
    bench.phone.until(|phone| {
        phone.advance(1);
        bench.run(STATUS, 0, TERMINAL, "").starts_with("8301 00".replace(' ', "").as_str())
            && !bench.injector.envelopes().is_empty()
    });
    bench.run(RECEIVE, 0, CHANNEL, "B701ED")
}

const EVENTS: &str = "990209 0A";

fn established(bench: &Bench, listener: &TcpListener) -> TcpStream {
    assert_eq!(bench.run(0x05, 0, TERMINAL, EVENTS), "830100");
    assert_eq!(bench.run(OPEN, 1, TERMINAL, TCP), "8301003802810035010339020578");
    listener.accept().unwrap().0
}

#[test]
fn a_card_talks_tcp_to_a_server_with_the_hosts_consent() {
    let (listener, port) = listen();
    let bench = Bench::new(port, true);
    let mut peer = established(&bench, &listener);
    let info = bench.phone.connections.lock().unwrap()[0].clone();
    assert_eq!((info.kind, info.slot, info.port), (ConnectionKind::CardTcp, 0, 443));
    assert_eq!(info.address.to_string(), "192.0.2.7");
    assert_eq!(info.network.as_deref(), Some("TestGp.rs"));
    let attempt = bench.detour.attempts.lock().unwrap()[0].clone();
    assert_eq!(attempt, ("tcp://192.0.2.7:443".to_owned(), None, Some("TestGp.rs".to_owned())));

    assert_eq!(bench.run(SEND, 0, CHANNEL, "B6037069 6E"), "8301 00B701FF".replace(' ', ""));
    assert_eq!(bench.run(SEND, 1, CHANNEL, "B60167"), "830100B701FF");
    let mut octets = [0; 4];
    peer.read_exact(&mut octets).unwrap();
    assert_eq!(&octets, b"ping");

    assert_eq!(receive(&bench, &mut peer, b"pong!"), "830102B605706F6E6721B70100");
    assert_eq!(bench.run(STATUS, 0, TERMINAL, ""), "830100B8028100");
    assert_eq!(bench.run(CLOSE, 0, CHANNEL, ""), "830100");
    bench.phone.settle();
    assert_eq!(peer.read(&mut octets).unwrap(), 0);
    assert_eq!(bench.run(STATUS, 0, TERMINAL, ""), "830100B8020000");
}

#[test]
fn what_the_card_sent_last_still_leaves() {
    let (listener, port) = listen();
    let bench = Bench::new(port, true);
    let mut peer = established(&bench, &listener);
    bench.injector.queue(SEND, 1, CHANNEL, "B60462796521");
    bench.injector.queue(CLOSE, 0, CHANNEL, "");
    bench.phone.client.notify_card(bench.card, CardSignal::Proactive).unwrap();
    bench.phone.settle();
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"bye!");
}

#[test]
fn a_server_that_closes_drops_the_link_and_leaves_its_octets() {
    let (listener, port) = listen();
    let bench = Bench::new(port, true);
    let mut peer = established(&bench, &listener);
    peer.write_all(b"last").unwrap();
    drop(peer);
    bench.phone.until(|phone| {
        phone.advance(1);
        bench.run(STATUS, 0, TERMINAL, "") == "830100B8020105"
    });
    let envelopes = bench.injector.envelopes();
    let [data, dropped] = envelopes.as_slice() else { panic!("{envelopes:?}") };
    assert_eq!(data, "D60E990109820282 81B8028100B70104".replace(' ', "").as_str());
    assert_eq!(dropped, "D60B99010A820282 81B8020105".replace(' ', "").as_str());
    assert_eq!(bench.run(RECEIVE, 0, CHANNEL, "B701ED"), "830102B6046C617374B70100");
}

#[test]
fn a_fast_server_is_held_back_until_the_card_reads() {
    const ALL: usize = 20_000;
    let (listener, port) = listen();
    let bench = Bench::new(port, true);
    let mut peer = established(&bench, &listener);
    let writer = std::thread::spawn(move || {
        let octets: Vec<u8> = (0..ALL).map(|at| (at % 251) as u8).collect();
        peer.write_all(&octets).unwrap();
        peer
    });
    let mut received = String::new();
    while received.len() < 2 * ALL {
        bench.phone.advance(1);
        let response = bench.run(RECEIVE, 0, CHANNEL, "B701ED");
        if let Some((_, data)) = response.split_once("B681") {
            let length = usize::from_str_radix(&data[..2], 16).unwrap();
            received.push_str(&data[2..2 + 2 * length]);
        } else if let Some((_, data)) = response.split_once("B6") {
            let length = usize::from_str_radix(&data[..2], 16).unwrap();
            received.push_str(&data[2..2 + 2 * length]);
        }
    }
    let expected: String = (0..ALL).map(|at| format!("{:02X}", at % 251)).collect();
    assert!(received == expected);
    drop(writer.join().unwrap());
}

#[test]
fn datagrams_over_a_link_that_is_made_on_demand() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let bench = Bench::new(peer.local_addr().unwrap().port(), true);
    assert_eq!(bench.run(0x05, 0, TERMINAL, EVENTS), "830100");
    assert_eq!(bench.run(OPEN, 0, TERMINAL, UDP), "8301003802010035010339020010");
    assert!(bench.phone.connections.lock().unwrap().is_empty());
    bench.run(SEND, 1, CHANNEL, "B6026869");
    let info = bench.phone.connections.lock().unwrap()[0].clone();
    assert_eq!((info.kind, info.port), (ConnectionKind::CardUdp, 53));
    assert_eq!(bench.run(STATUS, 0, TERMINAL, ""), "830100B8028100");
    assert_eq!(bench.injector.envelopes(), ["D60B99010A82028281B8028100"]);
    bench.run(SEND, 1, CHANNEL, "B6027A7A");
    let mut buffer = [0; 100];
    let (length, from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"hi");
    let length = peer.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"zz");

    // One that the card has no room for is lost, the two behind it are not joined.
    for datagram in [&[9; 17][..], b"one", b"two"] {
        peer.send_to(datagram, from).unwrap();
    }
    for expected in ["830102B6036F6E65B70100", "830102B60374776FB70100"] {
        bench.phone.until(|phone| {
            phone.advance(1);
            phone.settle();
            !bench.injector.envelopes().is_empty()
        });
        assert_eq!(bench.run(RECEIVE, 0, CHANNEL, "B701ED"), expected);
    }
}

#[test]
fn without_the_policy_the_card_is_told_so() {
    let bench = Bench::new(1, false);
    assert_eq!(bench.run(OPEN, 1, TERMINAL, TCP), "8301303501033902 0578".replace(' ', ""));
    assert!(bench.phone.connections.lock().unwrap().is_empty());
}

#[test]
fn without_consent_there_is_no_link() {
    let bench = Bench::new(1, true);
    bench.phone.allows.store(false, Ordering::SeqCst);
    let refused = "83023A0535010339020578";
    assert_eq!(bench.run(OPEN, 1, TERMINAL, TCP), refused);
    assert!(bench.detour.attempts.lock().unwrap().is_empty());
    let text = "the host refused the card's connection".to_owned();
    assert_eq!(bench.refusal(), (Code::Cancelled as i32, text));
    // The channel is free again, and one on demand is dropped.
    assert_eq!(bench.run(STATUS, 0, TERMINAL, ""), "830100B8020000");
    bench.run(OPEN, 0, TERMINAL, TCP);
    bench.run(SEND, 1, CHANNEL, "B60168");
    assert_eq!(bench.run(STATUS, 0, TERMINAL, ""), "830100B8020105");
}

#[test]
fn a_card_reaches_nothing_in_this_device() {
    let bench = Bench::new(1, true);
    let own = TCP.replace("C0000207", "7F000001");
    assert_eq!(bench.run(OPEN, 1, TERMINAL, &own), "83023A0535010339020578");
    assert!(bench.phone.connections.lock().unwrap().is_empty());
    assert_eq!(bench.refusal().0, Code::Connect as i32);
}

#[test]
fn a_server_out_of_reach() {
    let bench = Bench::new(1, true);
    *bench.detour.failures.lock().unwrap() = vec![Code::Connect];
    assert_eq!(bench.run(OPEN, 1, TERMINAL, TCP), "83023A0735010339020578");
    assert_eq!(bench.refusal().0, Code::Connect as i32);
}

#[test]
fn channels_to_servers_have_the_buffer_rules_of_all_channels() {
    let bench = Bench::new(1, true);
    *bench.detour.failures.lock().unwrap() = vec![Code::Connect; 9];
    let none = TCP.replace("39020578", "39020000");
    assert_eq!(bench.run(OPEN, 1, TERMINAL, &none), "83023A0435010339020000");
    let large = TCP.replace("39020578", "39022000");
    assert_eq!(bench.run(OPEN, 0, TERMINAL, &large), "8301073802010035010339020578");
    for number in 2..=7 {
        let expected = format!("83010038020{number}0035010339020578");
        assert_eq!(bench.run(OPEN, 0, TERMINAL, TCP), expected);
    }
    assert_eq!(bench.run(OPEN, 0, TERMINAL, TCP), "83023A0135010339020578");
}

#[test]
fn openings_that_lack_something() {
    let bench = Bench::new(1, true);
    for (objects, result) in [
        ("39020578 3C030201BB 3E0521C0000207", "830136"),
        ("350103 39020578 3C030201BB", "830136"),
        ("350103 39020578 3C030201BB 3E0421C00002", "830132"),
        ("350103 39020578 47020561 3C030201BB 3E0521C0000207", "830132"),
        ("350103 3C030201BB 3E0521C0000207", "830136"),
    ] {
        assert_eq!(bench.run(OPEN, 1, TERMINAL, objects), result, "{objects}");
    }
}
