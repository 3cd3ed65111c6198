//! Servers that cannot be reached soon: the client goes on meanwhile, and the attempt ends when it should.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]
#![cfg(all(feature = "tls", unix))]

mod support;

use dmsc::config::{NetworkConfig, PlainHttp};
use dmsc::error::Code;
use dmsc::event::EventKind;
use dmsc::transport::tcp::Resolver;
use dmsc::transport::tls::TlsConfig;
use rustls::version::TLS13;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::certificates::{Authority, tls};
use support::facade::Facade;
use support::remote::{HOST, Remote, SERVER, add_account, profile};

const HTTPS: &str = "https://dm.example/dm";

/// A listener that takes no connection any more; what fills it.
struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // SAFETY: the descriptor is an open socket that listens.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 100, "the queue of the listener does not fill");
        }
        Self { address, _listener: listener, _waiting: waiting }
    }
}

/// Every host has this address.
#[derive(Debug)]
struct Names(SocketAddr);

impl Resolver for Names {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![self.0])
    }
}

/// Says which host is asked for, and knows it only when it is told.
#[derive(Debug)]
struct Slow {
    ask: Mutex<Sender<(String, u16)>>,
    told: Mutex<Receiver<SocketAddr>>,
}

impl Resolver for Slow {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.ask.lock().unwrap().send((host.to_owned(), port)).unwrap();
        let address = self.told.lock().unwrap().recv();
        address.map(|address| vec![address]).map_err(io::Error::other)
    }
}

fn slow() -> (Arc<Slow>, Receiver<(String, u16)>, Sender<SocketAddr>) {
    let ((ask, asked), (tell, told)) = (channel(), channel());
    (Arc::new(Slow { ask: Mutex::new(ask), told: Mutex::new(told) }), asked, tell)
}

fn phone(network: NetworkConfig) -> Facade {
    let phone = Facade::configured(&|config| {
        config.network = NetworkConfig { plain_http: PlainHttp::Allow, ..network.clone() };
    });
    add_account(&phone.client, HTTPS, "DIGEST");
    phone
}

#[test]
fn a_server_that_takes_no_connection_keeps_nobody_waiting() {
    let hole = BlackHole::new();
    let connect_timeout = Duration::from_secs(30);
    let resolver = Arc::new(Names(hole.address));
    let phone = phone(NetworkConfig { resolver, connect_timeout, ..NetworkConfig::default() });
    let id = phone.client.start_session(Some(SERVER.to_owned())).unwrap();
    // These come back although the connection hangs.
    phone.settle();
    assert_eq!(phone.of(EventKind::SessionStarted).len(), 1);
    assert_eq!(phone.text("./DMAcc/remote/ServerID").as_deref(), Some(SERVER));
    assert!(phone.ended().is_empty());
    phone.client.cancel_session(id).unwrap();
    phone.settle();
    assert_eq!(phone.ended()[0].0, Code::Cancelled as i32);
}

#[test]
fn the_limit_of_the_configuration_ends_the_attempt() {
    let hole = BlackHole::new();
    let connect_timeout = Duration::from_millis(30);
    let resolver = Arc::new(Names(hole.address));
    let phone = phone(NetworkConfig { resolver, connect_timeout, ..NetworkConfig::default() });
    phone.client.start_session(None).unwrap();
    let (status, text) = phone.wait_ended(1);
    assert_eq!(status, Code::Connect as i32);
    assert!(text.starts_with("connecting to the server: "), "{text}");
}

#[test]
fn a_name_that_is_looked_up_for_long_is_not_waited_for() {
    let (resolver, asked, tell) = slow();
    let phone = phone(NetworkConfig { resolver, ..NetworkConfig::default() });
    phone.client.start_session(None).unwrap();
    phone.settle();
    assert_eq!(asked.recv().unwrap(), (HOST.to_owned(), 443));
    phone.settle();
    assert!(phone.ended().is_empty());
    phone.client.close();
    // The thread that looks it up has outlived the client, and ends by itself.
    assert!(tell.send(SocketAddr::from(([127, 0, 0, 1], 1))).is_ok());
}

#[test]
fn the_session_goes_on_when_the_name_is_known() {
    let authority = Authority::new("root");
    let identity = authority.issue(HOST, (2020, 2035));
    let add = r#"{ add = "./Vendor", format = "node" }"#;
    let remote = Remote::start(profile(HTTPS, "DIGEST", add), tls(&identity, None, &[&TLS13]));
    let tls = TlsConfig { roots_pem: authority.pem().into_bytes(), ..TlsConfig::default() };
    let (resolver, asked, tell) = slow();
    let phone = phone(NetworkConfig { tls, resolver, ..NetworkConfig::default() });
    phone.deliver(remote.push()).unwrap();
    phone.until(|_| asked.try_recv().is_ok());
    tell.send(SocketAddr::from(([127, 0, 0, 1], remote.web.port))).unwrap();
    assert_eq!(phone.wait_ended(1), (0, String::new()));
    assert_eq!(remote.verdict(), (1, 0));
}
