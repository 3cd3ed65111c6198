//! The card's web server behind TLS, on its port 4116: a DM session through a channel with the library's TLS, and
//! curl through the gateway, which passes the octets on as they are.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::config::Config;
use dmsc::error::Code;
use dmsc::event::ConnectionKind;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection};
use std::io::{Read, Write};
use std::sync::Arc;
use support::certificates::{Authority, server};
use support::facade::Facade;
use support::local::{curl, free_port, meanwhile};
use support::sim::{Sim, profile};
use uicc_sim::application::{Application, Finding, HttpOutput};
use uicc_sim::card::Card;
use uicc_sim::dm::server::DmServer;

const TLS_PORT: u16 = 4116;
const YEARS: (i32, i32) = (2020, 2035);

/// TLS in front of the card's web server.
struct Encrypted {
    inside: DmServer,
    config: Arc<ServerConfig>,
    session: ServerConnection,
}

impl Encrypted {
    fn new(inside: DmServer, config: Arc<ServerConfig>) -> Self {
        let session = ServerConnection::new(config.clone()).unwrap();
        Self { inside, config, session }
    }

    /// The plain octets in what has come; `None` if it was no TLS.
    fn open(&mut self, mut octets: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        while self.session.read_tls(&mut octets).unwrap() > 0 {
            self.session.process_new_packets().ok()?;
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = self.session.reader().read(&mut part) {
                plain.extend(&part[..length]);
            }
        }
        Some(plain)
    }
}

impl Application for Encrypted {
    fn http_received(&mut self, octets: &[u8]) -> HttpOutput {
        let answer = match self.open(octets) {
            None => HttpOutput { octets: Vec::new(), close: true },
            Some(plain) if plain.is_empty() => HttpOutput::default(),
            Some(plain) => self.inside.http_received(&plain),
        };
        self.session.writer().write_all(&answer.octets).unwrap();
        if answer.close {
            self.session.send_close_notify();
        }
        let mut octets = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut octets).unwrap();
        }
        if answer.close {
            self.session = ServerConnection::new(self.config.clone()).unwrap();
        }
        HttpOutput { octets, close: answer.close }
    }
    fn http_closed(&mut self) {
        self.inside.http_closed();
        self.session = ServerConnection::new(self.config.clone()).unwrap();
    }
    fn notification(&mut self) -> Vec<u8> {
        self.inside.notification()
    }
    fn reset(&mut self) {
        self.inside.reset();
    }
    fn findings(&self) -> Vec<Finding> {
        self.inside.findings()
    }
    fn good_sessions(&self) -> u32 {
        self.inside.good_sessions()
    }
    fn bad_sessions(&self) -> u32 {
        self.inside.bad_sessions()
    }
}

/// A card whose web server, certified by `authority` as `name`, listens behind TLS only.
fn card(authority: &Authority, name: &str) -> Sim {
    let mut profile = profile("web-page");
    profile.account.address = format!("https://127.0.0.1:{TLS_PORT}/dm");
    profile.card.toolkit.scws_port = TLS_PORT;
    let config = server(&authority.issue(name, YEARS), None, &[&TLS12, &TLS13]);
    let (card, bootstrap) = (profile.card.clone(), profile.bootstrap_octets().unwrap());
    let application = Encrypted::new(DmServer::new(profile).unwrap(), config);
    Sim::of(Card::new(card, bootstrap, Box::new(application)))
}

fn phone(authority: &Authority) -> Facade {
    let roots = authority.pem().into_bytes();
    let configure = move |config: &mut Config| config.network.tls.roots_pem.clone_from(&roots);
    Facade::configured(&configure)
}

#[test]
fn a_session_with_the_card_over_tls_through_its_channel() {
    let authority = Authority::new("issuer");
    let (sim, phone) = (card(&authority, "127.0.0.1"), phone(&authority));
    phone.ready(&sim);
    let before = sim.exchanges();
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ended(), [(0, String::new())]);
    let card = sim.card();
    assert_eq!((card.good_sessions(), card.bad_sessions()), (1, 0), "{}", card.report());
    // The handshake is a few pieces of 237 octets each way; nothing is sent in vain.
    let exchanges = sim.exchanges() - before;
    assert!(exchanges < 120, "{exchanges} exchanges");
}

#[test]
fn a_card_that_is_another_than_its_address_says_gets_no_request() {
    let authority = Authority::new("issuer");
    for (issuer, name, says) in [
        (&authority, "card.example", "is for another name than 127.0.0.1"),
        (&Authority::new("somebody"), "127.0.0.1", "is from an unknown issuer"),
    ] {
        let (sim, phone) = (card(issuer, name), phone(&authority));
        phone.ready(&sim);
        phone.deliver(sim.push()).unwrap();
        phone.settle();
        let (status, text) = phone.ended().pop().unwrap();
        assert_eq!(status, Code::Tls as i32, "{text}");
        assert!(text.contains(says), "{text}");
        let card = sim.card();
        assert_eq!((card.good_sessions(), card.bad_sessions()), (0, 0));
    }
}

#[test]
fn curl_reads_a_page_over_tls_through_the_gateway() {
    let authority = Authority::new("issuer");
    let (sim, phone) = (card(&authority, "127.0.0.1"), phone(&authority));
    phone.ready(&sim);
    let port = free_port();
    phone.client.start_gateway(0, free_port(), Some(port)).unwrap();
    let roots = std::env::temp_dir().join(format!("dmsc-roots-{}.pem", std::process::id()));
    std::fs::write(&roots, authority.pem()).unwrap();
    let (url, trust) = (format!("https://127.0.0.1:{port}/"), roots.to_str().unwrap());
    let page = profile("web-page").pages.swap_remove(0);
    for version in ["--tlsv1.3", "--tls-max"] {
        let arguments = ["--cacert", trust, version, "1.2"];
        let arguments = if version == "--tlsv1.3" { &arguments[..3] } else { &arguments };
        let answer = meanwhile(&phone, || curl(&url, arguments));
        let expected = [page.body.as_slice(), b"[200]"].concat();
        assert_eq!(answer, String::from_utf8(expected).unwrap(), "{version}");
    }
    std::fs::remove_file(&roots).unwrap();
    let visitors = phone.connections.lock().unwrap();
    let seen: Vec<_> = visitors.iter().map(|info| (info.kind, info.local_port)).collect();
    assert_eq!(seen, [(ConnectionKind::Gateway, TLS_PORT); 2]);
}
