//! The toolkit loop against the simulated card, which knows the standards from its own side.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use dmsc::card::apdu::Card;
use dmsc::card::cat::{Cat, Config, Effect};
use dmsc::card::toolkit::Toolkit;
use dmsc::card::transport::CardTransport;
use dmsc::error::{Code, Error, Result};
use dmsc::time::Now;
use std::sync::{Arc, Mutex};
use uicc_sim::application::{Application, Finding, HttpOutput};
use uicc_sim::card::{CardConfig, Protocol, TriggerTransport};

const NOTIFICATION: &[u8] = b"notification";

/// Answers a request of `expected` octets with `answer`, and closes.
struct Echo {
    received: Vec<u8>,
    expected: usize,
    answer: Vec<u8>,
}

impl Application for Echo {
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput {
        self.received.extend_from_slice(octets);
        if self.received.len() < self.expected {
            return HttpOutput::default();
        }
        HttpOutput { octets: std::mem::take(&mut self.answer), close: true }
    }
    fn http_closed(&mut self) {}
    fn notification(&mut self) -> Vec<u8> {
        NOTIFICATION.to_vec()
    }
    fn reset(&mut self) {}
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
    fn good_sessions(&self) -> u32 {
        0
    }
    fn bad_sessions(&self) -> u32 {
        0
    }
}

type Sim = Arc<Mutex<uicc_sim::card::Card>>;

struct Reader(Sim);

impl CardTransport for Reader {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let answer = self.0.lock().unwrap().transmit(command);
        answer.map_err(|_| Error::new(Code::CardRemoved, "the card was removed"))
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.lock().unwrap().atr().to_vec())
    }
}

struct Terminal {
    card: Card,
    sim: Sim,
    toolkit: Toolkit,
}

impl Terminal {
    fn start(config: CardConfig, expected: usize, answer: Vec<u8>) -> Self {
        let echo = Echo { received: Vec::new(), expected, answer };
        let sim = uicc_sim::card::Card::new(config, Vec::new(), Box::new(echo));
        let sim = Arc::new(Mutex::new(sim));
        let card = Card::new(Box::new(Reader(Arc::clone(&sim))));
        let mut terminal = Self { card, sim, toolkit: Toolkit::new(Cat::new(Config::default())) };
        terminal.toolkit.start(&mut terminal.card, Now::default()).unwrap();
        terminal
    }

    fn settle(&mut self, mono_ms: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        loop {
            let progress = self.toolkit.step(&mut self.card, Now { mono_ms, unix_s: 0 }).unwrap();
            effects.extend(progress.effects);
            if !progress.did_something {
                return effects;
            }
        }
    }

    #[track_caller]
    fn nothing_was_wrong(&self) {
        for finding in self.sim.lock().unwrap().findings() {
            assert!(finding.good, "{}", finding.text);
        }
    }
}

/// One request of 5000 octets, answered with 9000.
#[track_caller]
fn one_request(protocol: Protocol) {
    let request: Vec<u8> = (0..5000u32).map(|n| (n % 251) as u8).collect();
    let answer: Vec<u8> = (0..9000u32).map(|n| (n % 241) as u8).collect();
    let config = CardConfig { protocol, ..CardConfig::default() };
    let mut terminal = Terminal::start(config, request.len(), answer.clone());
    assert_eq!(terminal.settle(0), [Effect::Listening { port: 3516 }]);
    let client = terminal.toolkit.cat_mut().bip_mut().connect(3516).unwrap();
    let (mut sent, mut received) = (0, Vec::new());
    for _ in 0..100 {
        let bip = terminal.toolkit.cat_mut().bip_mut();
        sent += bip.write(client, &request[sent..]);
        let mut buffer = [0; 700];
        let count = bip.read(client, &mut buffer);
        received.extend_from_slice(&buffer[..count]);
        terminal.settle(0);
    }
    assert_eq!((sent, received.len()), (5000, 9000));
    assert_eq!(received, answer);
    assert!(!terminal.toolkit.cat().bip().is_open(client));
    assert!(terminal.toolkit.cat().bip().is_listening(3516));
    terminal.nothing_was_wrong();
}

#[test]
fn sc_111_to_122_a_request_to_the_card_over_t1() {
    one_request(Protocol::T1);
}

#[test]
fn sc_111_to_122_a_request_to_the_card_over_t0() {
    one_request(Protocol::T0);
}

/// Octets that one RECEIVE DATA or SEND DATA moves.
const PIECE: usize = 237;

/// Exchanges of one POST, as section 5.3 of the card reference has it: the client's coming and its data are told,
/// each piece takes FETCH and TERMINAL RESPONSE, and so does the card's closing.
fn exchanges(request: usize, answer: usize) -> u64 {
    const TOLD: usize = 2;
    const CLOSED: usize = 2;
    (TOLD + 2 * request.div_ceil(PIECE) + 2 * answer.div_ceil(PIECE) + CLOSED) as u64
}

/// What one POST of these sizes costs.
fn post(protocol: Protocol, request: usize, answer: usize) -> u64 {
    let config = CardConfig { protocol, ..CardConfig::default() };
    let octets: Vec<u8> = (0..answer).map(|n| n as u8).collect();
    let mut terminal = Terminal::start(config, request, octets.clone());
    terminal.settle(0);
    let before = terminal.sim.lock().unwrap().apdus();
    let bip = terminal.toolkit.cat_mut().bip_mut();
    let client = bip.connect(3516).unwrap();
    assert_eq!(bip.write(client, &vec![b'x'; request]), request);
    terminal.settle(0);
    let bip = terminal.toolkit.cat_mut().bip_mut();
    let mut buffer = vec![0; answer + 1];
    assert_eq!(bip.read(client, &mut buffer), answer);
    assert_eq!(buffer[..answer], octets);
    assert!(bip.is_listening(3516) && !bip.is_open(client));
    terminal.nothing_was_wrong();
    let after = terminal.sim.lock().unwrap().apdus();
    after - before
}

#[test]
fn sc_111_to_116_a_post_costs_the_exchanges_of_the_formula() {
    assert_eq!(exchanges(612, 500), 16);
    for protocol in [Protocol::T0, Protocol::T1] {
        for request in [1, 236, 237, 238, 474, 475, 612, 1400] {
            for answer in [0, 1, 236, 237, 238, 474, 475, 500, 1400] {
                let cost = post(protocol, request, answer);
                assert_eq!(cost, exchanges(request, answer), "{request} and {answer} octets");
            }
        }
    }
}

#[test]
fn sc_119_a_client_that_says_nothing_costs_its_coming_and_its_going() {
    for protocol in [Protocol::T0, Protocol::T1] {
        let config = CardConfig { protocol, ..CardConfig::default() };
        let mut terminal = Terminal::start(config, 1, Vec::new());
        terminal.settle(0);
        let before = terminal.sim.lock().unwrap().apdus();
        let client = terminal.toolkit.cat_mut().bip_mut().connect(3516).unwrap();
        terminal.settle(0);
        terminal.toolkit.cat_mut().bip_mut().close(client);
        terminal.settle(0);
        assert_eq!(terminal.sim.lock().unwrap().apdus() - before, 2);
        terminal.nothing_was_wrong();
    }
}

#[test]
fn sc_130_the_card_asks_for_a_session_when_its_timer_expires() {
    for transport in [TriggerTransport::Udp, TriggerTransport::Tcp] {
        let mut config = CardConfig::default();
        config.toolkit.timer_seconds = 40;
        config.toolkit.trigger_transport = transport;
        let mut terminal = Terminal::start(config, 0, Vec::new());
        assert_eq!(terminal.settle(0), [Effect::Listening { port: 3516 }]);
        assert_eq!(terminal.settle(39_000), []);
        assert_eq!(terminal.toolkit.deadline(), Some(40_000));
        let effects = terminal.settle(40_000);
        let delivered = effects.iter().any(|effect| match effect {
            Effect::Datagram { port: 2948, octets, .. }
            | Effect::StreamClosed { port: 2948, octets } => octets == NOTIFICATION,
            _ => false,
        });
        assert!(delivered, "{effects:?}");
        terminal.nothing_was_wrong();
    }
}
