//! TLS over a byte stream, against a server whose certificates the tests make.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::error::{Code, Error, Result};
use dmsc::secret::Secret;
use dmsc::time::Now;
use dmsc::transport::http::{Exchange, Headers, Response};
use dmsc::transport::tcp::TcpStream;
use dmsc::transport::tls::{Tls, TlsConfig};
use dmsc::transport::{ByteStream, Moved};
use dmsc::url::Url;
use rustls::version::{TLS12, TLS13};
use std::time::Duration;
use support::certificates::{Authority, Identity, tls};
use support::web::{Reply, Web};

const NAME: &str = "dm.example";
/// 2026-01-01.
const NOW: Now = Now { mono_ms: 0, unix_s: 1_767_225_600 };
const YEARS: (i32, i32) = (2025, 2035);
const LONG: Duration = Duration::from_secs(10);
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&TLS12, &TLS13];

fn answers(_: &support::web::Request) -> Reply {
    Reply::message(b"answer")
}

fn server(identity: &Identity) -> Web {
    Web::start(tls(identity, None, VERSIONS), Box::new(answers))
}

fn roots(authority: &Authority) -> TlsConfig {
    TlsConfig { roots_pem: authority.pem().into_bytes(), ..TlsConfig::default() }
}

/// One octet at a time in both directions, with a "not yet" in between.
struct Slow(TcpStream, [bool; 2]);

impl Slow {
    fn waits(&mut self, direction: usize) -> bool {
        self.1[direction] = !self.1[direction];
        self.1[direction]
    }
}

impl ByteStream for Slow {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Moved> {
        if self.waits(0) { Ok(Moved::NotYet) } else { self.0.read(&mut buffer[..1], wait) }
    }
    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved> {
        if self.waits(1) { Ok(Moved::NotYet) } else { self.0.write(&data[..1], wait) }
    }
    fn close(&mut self) {
        self.0.close();
    }
}

fn post_over(
    config: &TlsConfig,
    under: &mut dyn ByteStream,
    name: &str,
    now: Now,
) -> Result<Response> {
    let mut session = Tls::new(config)?.session(name, now)?;
    let url = Url::parse("https://dm.example/dm").unwrap();
    let headers = Headers { content_type: "a/b", accept: "a/b", user_agent: "u", more: &[] };
    let mut exchange = Exchange::post(&url, &headers, &[7; 40_000], 1000).unwrap();
    loop {
        let polled = exchange.poll(&mut *session.over(under), LONG, 0)?;
        if let Some(response) = polled {
            session.over(under).close();
            return Ok(response);
        }
    }
}

fn post(config: &TlsConfig, web: &Web) -> Result<Response> {
    let mut under = TcpStream::connect("127.0.0.1", web.port, LONG)?;
    post_over(config, &mut under, NAME, NOW)
}

fn refusal(config: &TlsConfig, identity: &Identity) -> String {
    let error: Error = post(config, &server(identity)).unwrap_err();
    assert_eq!(error.code(), Code::Tls, "{error}");
    error.what().to_owned()
}

#[test]
fn a_post_over_tls_1_2_and_1_3() {
    let authority = Authority::new("root");
    let identity = authority.issue(NAME, YEARS);
    for version in VERSIONS {
        let web = Web::start(tls(&identity, None, &[version]), Box::new(answers));
        let response = post(&roots(&authority), &web).unwrap();
        assert_eq!((response.status, response.body.as_slice()), (200, b"answer".as_slice()));
        assert_eq!(web.requests()[0].body, [7; 40_000]);
    }
}

#[test]
fn octets_may_come_one_by_one() {
    let authority = Authority::new("root");
    let web = server(&authority.issue(NAME, YEARS));
    let under = TcpStream::connect("127.0.0.1", web.port, LONG).unwrap();
    let response = post_over(&roots(&authority), &mut Slow(under, [false; 2]), NAME, NOW).unwrap();
    assert_eq!(response.body, b"answer");
}

#[test]
fn an_address_is_a_name_too() {
    let authority = Authority::new("root");
    let web = server(&authority.issue("127.0.0.1", YEARS));
    let mut under = TcpStream::connect("127.0.0.1", web.port, LONG).unwrap();
    assert!(post_over(&roots(&authority), &mut under, "127.0.0.1", NOW).is_ok());
}

#[test]
fn each_refusal_says_what_failed() {
    let (authority, other) = (Authority::new("root"), Authority::new("other"));
    let config = roots(&authority);
    let says = |identity: &Identity| refusal(&config, identity);
    assert_eq!(
        says(&authority.issue(NAME, (2000, 2001))),
        "TLS: the server's certificate has expired"
    );
    assert_eq!(
        says(&authority.issue(NAME, (2100, 2101))),
        "TLS: the server's certificate is not valid yet"
    );
    assert_eq!(
        says(&other.issue(NAME, YEARS)),
        "TLS: the server's certificate is from an unknown issuer"
    );
    assert_eq!(
        says(&authority.issue("evil.example", YEARS)),
        "TLS: the server's certificate is for another name than dm.example"
    );
}

#[test]
fn the_time_of_the_client_counts() {
    let authority = Authority::new("root");
    let web = server(&authority.issue(NAME, YEARS));
    let mut under = TcpStream::connect("127.0.0.1", web.port, LONG).unwrap();
    let late = Now { unix_s: 4_000_000_000, ..NOW };
    let error = post_over(&roots(&authority), &mut under, NAME, late).unwrap_err();
    assert_eq!(error.what(), "TLS: the server's certificate has expired");
}

#[test]
fn the_systems_roots_do_not_know_the_tests_authority() {
    let identity = Authority::new("root").issue(NAME, YEARS);
    let says = refusal(&TlsConfig::default(), &identity);
    let no_roots = "TLS: the system has no root certificates, and none were given";
    let unknown = "TLS: the server's certificate is from an unknown issuer";
    assert!(says == unknown || says == no_roots, "{says}");
}

#[test]
fn pins_alone() {
    let authority = Authority::new("root");
    let identity = authority.issue(NAME, YEARS);
    let pinned = |pin| TlsConfig { pins: vec![[1; 32], pin], ..TlsConfig::default() };
    for pin in [identity.pin(), identity.key_pin(), authority.pin()] {
        assert!(post(&pinned(pin), &server(&identity)).is_ok());
    }
    let not_pinned = "TLS: the server's certificate is not a pinned one";
    assert_eq!(refusal(&pinned([2; 32]), &identity), not_pinned);
    for years in [(2000, 2001), (2000, 2060)] {
        let identity = authority.issue(NAME, years);
        let done = post(&pinned(identity.pin()), &server(&identity));
        assert_eq!(done.is_ok(), years.1 == 2060, "{done:?}");
    }
    let expired = authority.issue(NAME, (2000, 2001));
    let has_expired = "TLS: the server's certificate has expired";
    assert_eq!(refusal(&pinned(expired.key_pin()), &expired), has_expired);
    assert_eq!(refusal(&pinned(authority.pin()), &expired), has_expired);
    let early = authority.issue(NAME, (2100, 2101));
    assert_eq!(
        refusal(&pinned(early.pin()), &early),
        "TLS: the server's certificate is not valid yet"
    );
    let other = authority.issue("evil.example", YEARS);
    assert_eq!(
        refusal(&pinned(other.pin()), &other),
        "TLS: the server's certificate is for another name than dm.example"
    );
}

#[test]
fn a_pinned_authority_has_to_have_issued_it() {
    let (authority, other) = (Authority::new("root"), Authority::new("other"));
    let mut identity = other.issue(NAME, YEARS);
    identity.chain[1] = authority.der();
    let config = TlsConfig { pins: vec![authority.pin()], ..TlsConfig::default() };
    assert_eq!(
        refusal(&config, &identity),
        "TLS: the server's certificate is from an unknown issuer"
    );
}

#[test]
fn roots_and_pins_have_to_agree() {
    let (authority, other) = (Authority::new("root"), Authority::new("other"));
    let (good, stranger) = (authority.issue(NAME, YEARS), other.issue(NAME, YEARS));
    let config = TlsConfig { pins: vec![good.key_pin(), stranger.pin()], ..roots(&authority) };
    assert!(post(&config, &server(&good)).is_ok());
    assert!(refusal(&config, &stranger).ends_with("is from an unknown issuer"));
    let same_root = authority.issue(NAME, YEARS);
    assert!(refusal(&config, &same_root).ends_with("is not a pinned one"));
}

#[test]
fn a_client_certificate() {
    let (servers, clients) = (Authority::new("root"), Authority::new("clients"));
    let identity = servers.issue(NAME, YEARS);
    let me = clients.issue("phone", YEARS);
    let with = TlsConfig {
        client_chain_pem: me.chain_pem.into_bytes(),
        client_key_pem: Secret::new(me.key_pem),
        ..roots(&servers)
    };
    for version in VERSIONS {
        let web = || Web::start(tls(&identity, Some(&clients), &[version]), Box::new(answers));
        assert!(post(&with, &web()).is_ok());
        let error = post(&roots(&servers), &web()).unwrap_err();
        assert_eq!(error.code(), Code::Tls);
        assert!(error.what().starts_with("TLS: the server refused with the alert"), "{error}");
    }
}

/// Can be written to twice, for the handshake, and then no more; what has come can be read.
struct Reset(TcpStream, u32);

impl ByteStream for Reset {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<Moved> {
        self.0.read(buffer, LONG)
    }
    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved> {
        self.1 += 1;
        if self.1 > 2 { Err(Error::new(Code::Io, "reset")) } else { self.0.write(data, wait) }
    }
    fn close(&mut self) {
        self.0.close();
    }
}

#[test]
fn the_reason_is_told_where_the_connection_was_reset_behind_it() {
    let (servers, clients) = (Authority::new("root"), Authority::new("clients"));
    let identity = servers.issue(NAME, YEARS);
    let web = Web::start(tls(&identity, Some(&clients), &[&TLS13]), Box::new(answers));
    let under = TcpStream::connect("127.0.0.1", web.port, LONG).unwrap();
    let error = post_over(&roots(&servers), &mut Reset(under, 0), NAME, NOW).unwrap_err();
    assert!(error.what().starts_with("TLS: the server refused with the alert"), "{error}");
}

#[test]
fn settings_that_cannot_be_used() {
    let bad = |config: TlsConfig| {
        let error = Tls::new(&config).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArg);
        error.what().to_owned()
    };
    let none = TlsConfig::default;
    assert_eq!(
        bad(TlsConfig { roots_pem: b"no PEM".to_vec(), ..none() }),
        "TLS settings: roots: no PEM of a certificate"
    );
    assert_eq!(
        bad(TlsConfig { pins: vec![[0; 32]; 65], ..none() }),
        "TLS settings: more than 64 pins"
    );
    let me = Authority::new("root").issue("phone", YEARS);
    let half = TlsConfig { client_chain_pem: me.chain_pem.clone().into_bytes(), ..none() };
    assert_eq!(
        bad(half.clone()),
        "TLS settings: client certificate and key: one without the other"
    );
    assert_eq!(
        bad(TlsConfig { client_key_pem: Secret::new(*b"secret-key"), ..half.clone() }),
        "TLS settings: client key: no PEM of a private key"
    );
    let other = Authority::new("root").issue("phone", YEARS);
    let mixed = TlsConfig { client_key_pem: Secret::new(other.key_pem), ..half };
    assert!(bad(mixed).starts_with("TLS settings: client certificate: "));
    assert_eq!(Tls::new(&none()).unwrap().session("a b", NOW).unwrap_err().code(), Code::Uri);
}

#[test]
fn a_server_that_speaks_no_tls() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        for words in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b""] {
            let (mut socket, _) = listener.accept().unwrap();
            std::io::Read::read(&mut socket, &mut [0; 4096]).unwrap();
            std::io::Write::write_all(&mut socket, words).unwrap();
        }
    });
    for says in ["TLS: the server does not speak TLS", "TLS: the server closed in the handshake"] {
        let mut under = TcpStream::connect("127.0.0.1", port, LONG).unwrap();
        let error = post_over(&TlsConfig::default(), &mut under, NAME, NOW);
        let error = error.unwrap_err();
        let no_roots = error.what().contains("no root certificates");
        assert!(error.what() == says || no_roots, "{error}");
        drop(under);
    }
    thread.join().unwrap();
}

#[test]
fn an_answer_cut_off_without_farewell_is_no_answer() {
    let authority = Authority::new("root");
    let wrap = tls(&authority.issue(NAME, YEARS), None, VERSIONS);
    let cut = |_: &support::web::Request| Reply::Last(b"HTTP/1.0 200 OK\r\n\r\nhalf".to_vec());
    let error = post(&roots(&authority), &Web::start(wrap, Box::new(cut))).unwrap_err();
    assert_eq!((error.code(), error.what()), (Code::Io, "TLS: the connection was cut off"));
}
