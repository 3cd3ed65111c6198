//! Sessions with servers in the network: TLS, HTTP as it is in the field, networks that come and go, and
//! what is tried again. The servers are on the loopback interface under the name `dm.example`.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::config::{Config, NetworkConfig, PlainHttp};
use dmsc::error::Code;
use dmsc::event::EventKind;
use dmsc::store::Store;
use dmsc::store::memory::MemoryStore;
use dmsc::transport::tls::TlsConfig;
use rustls::version::{TLS12, TLS13};
use std::sync::{Arc, Mutex};
use support::abi::DEVICE;
use support::certificates::{Authority, tls};
use support::facade::Facade;
use support::remote::{Detour, HOST, Remote, SERVER, add_account, answer, profile};
use support::web::{Reply, Request, Web, Wrap};
use uicc_sim::dm::server::DmServer;

const HTTP: &str = "http://dm.example/dm";
const HTTPS: &str = "https://dm.example/dm";
const ADD: &str = r#"{ add = "./Vendor/Apn", value = "internet" }, { get = "./DevInfo/DevId" }"#;

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn plainly() -> NetworkConfig {
    NetworkConfig { plain_http: PlainHttp::Allow, ..NetworkConfig::default() }
}

/// A phone with the account of a server at `address`.
fn phone(network: NetworkConfig, address: &str, auth: &str) -> Facade {
    let config = Config { network, ..Config::new(DEVICE) };
    let phone = Facade::on(config, memory()).unwrap();
    add_account(&phone.client, address, auth);
    phone
}

fn as_is() -> Wrap {
    Box::new(|socket| Box::new(socket))
}

/// A phone, and a server whose answers `change` may replace by others before they go out.
fn scripted(
    network: NetworkConfig,
    mut change: impl FnMut(usize, &Request) -> Option<Reply> + Send + 'static,
) -> (Facade, Web, Arc<Detour>) {
    let server = Mutex::new(DmServer::new(profile(HTTP, "DIGEST", ADD)).unwrap());
    let mut number = 0;
    let web = Web::plain(move |request| {
        number += 1;
        change(number, request).unwrap_or_else(|| answer(&server, request))
    });
    let phone = phone(network, HTTP, "DIGEST");
    let detour = Detour::of(&phone.client, web.port);
    (phone, web, detour)
}

fn session(phone: &Facade) -> (i32, String) {
    let before = phone.ended().len();
    phone.client.start_session(None).unwrap();
    phone.wait_ended(before + 1)
}

fn ok() -> (i32, String) {
    (0, String::new())
}

// ---- the remote flow --------------------------------------------------------------------------------

#[test]
fn remote_flow_factory_account_push_and_https_session() {
    let authority = Authority::new("root");
    let identity = authority.issue(HOST, (2020, 2035));
    for version in [&TLS12, &TLS13] {
        let remote = Remote::start(profile(HTTPS, "DIGEST", ADD), tls(&identity, None, &[version]));
        let tls = TlsConfig { roots_pem: authority.pem().into_bytes(), ..TlsConfig::default() };
        let phone = phone(NetworkConfig { tls, ..NetworkConfig::default() }, HTTPS, "DIGEST");
        let detour = Detour::of(&phone.client, remote.web.port);
        phone.deliver(remote.push()).unwrap();
        assert_eq!(phone.wait_ended(1), ok());
        assert_eq!(remote.verdict(), (1, 0));
        assert_eq!(phone.client.tree_get("./Vendor/Apn").unwrap(), b"internet");
        let attempts = detour.attempts.lock().unwrap().clone();
        let owned = |text: &str| Some(text.to_owned());
        assert_eq!(
            attempts,
            [("tcp://dm.example:443".to_owned(), owned(SERVER), owned("./NAP/operator"))]
        );
        assert!(remote.web.requests().iter().all(|request| request.connection == 1));
    }
}

#[test]
fn a_server_that_is_not_trusted_hears_nothing() {
    let (authority, other) = (Authority::new("root"), Authority::new("other"));
    let identity = other.issue(HOST, (2020, 2035));
    let web = Web::start(tls(&identity, None, &[&TLS13]), Box::new(|_| unreachable!()));
    let tls = TlsConfig { roots_pem: authority.pem().into_bytes(), ..TlsConfig::default() };
    let phone =
        phone(NetworkConfig { tls, retries: 3, ..NetworkConfig::default() }, HTTPS, "DIGEST");
    Detour::of(&phone.client, web.port);
    let (status, text) = session(&phone);
    assert_eq!(status, Code::Tls as i32);
    assert_eq!(text, "TLS: the server's certificate is from an unknown issuer");
    assert!(web.requests().is_empty());
}

/// DM Security 1.2.1, 5.4: B64(MD5(B64(MD5(name:secret)):nonce:B64(MD5(body)))).
fn md5_mac(name: &str, secret: &str, nonce: &[u8], body: &[u8]) -> String {
    use uicc_sim::dm::auth::{base64, md5, user_hash};
    let hash = user_hash(name, secret);
    let parts = [hash.as_bytes(), b":", nonce, b":", base64(&md5(body)).as_bytes()].concat();
    base64(&md5(&parts))
}

#[test]
fn integrity_by_hmac_over_plain_http() {
    let web = Web::plain(|_| Reply::http("404 No", "", b""));
    let network = NetworkConfig { plain_http: PlainHttp::Hmac, ..NetworkConfig::default() };
    let phone = phone(network, HTTP, "HMAC");
    Detour::of(&phone.client, web.port);
    assert_eq!(session(&phone).0, Code::Http as i32);
    let request = web.requests()[0].clone();
    let mac = md5_mac("phone", "phone-secret", b"first", &request.body);
    let expected = format!("algorithm=MD5, username=\"phone\", mac={mac}");
    assert_eq!(request.header("x-syncml-hmac"), Some(expected.as_str()));
}

// ---- which address over which bearer ------------------------------------------------------------------

#[test]
fn dm_122_no_session_over_plain_http_unless_allowed() {
    for (policy, auth, allowed) in [
        (PlainHttp::Refuse, "HMAC", false),
        (PlainHttp::Hmac, "DIGEST", false),
        (PlainHttp::Hmac, "HMAC", true),
        (PlainHttp::Allow, "DIGEST", true),
    ] {
        let network = NetworkConfig { plain_http: policy, ..NetworkConfig::default() };
        let phone = phone(network, HTTP, auth);
        let detour = Detour::of(&phone.client, 1);
        detour.failures.lock().unwrap().push(Code::Connect);
        let (status, text) = session(&phone);
        assert_eq!(status, Code::Connect as i32);
        let refusal = "account com.example.dm: plain http is not allowed";
        let expected = if allowed { "as the test wants it" } else { refusal };
        assert_eq!(
            (text.as_str(), detour.attempts.lock().unwrap().len()),
            (expected, usize::from(allowed))
        );
    }
}

#[test]
fn sc_139_a_remote_server_gives_no_account_an_address_of_this_device() {
    let add = |address: &str, expect: u16| {
        format!(
            r#"{{ add = "./DMAcc/new/AppAddr/1/Addr", value = "{address}", expect = [{expect}] }}"#
        )
    };
    let commands = [
        r#"{ add = "./DMAcc/new", format = "node" }"#.to_owned(),
        add("http://127.0.0.1:3516/dm", 403),
        add("https://localhost/dm", 403),
        add("https://other.example/dm", 200),
        r#"{ replace = "./DMAcc/new/AppAddr/1/Addr", value = "[::1]", expect = [403] }"#.to_owned(),
    ];
    let remote = Remote::start(profile(HTTP, "DIGEST", &commands.join(", ")), as_is());
    let phone = phone(plainly(), HTTP, "DIGEST");
    Detour::of(&phone.client, remote.web.port);
    phone.deliver(remote.push()).unwrap();
    assert_eq!(phone.wait_ended(1), ok());
    assert_eq!(remote.verdict(), (1, 0));
    let stored = phone.client.tree_get("./DMAcc/new/AppAddr/1/Addr").unwrap();
    assert_eq!(stored, b"https://other.example/dm");
}

#[test]
fn an_account_of_this_device_reaches_no_port_of_it() {
    let phone = phone(plainly(), "http://127.0.0.1:3516/dm", "DIGEST");
    let detour = Detour::of(&phone.client, 1);
    let (status, text) = session(&phone);
    assert_eq!(status, Code::Connect as i32);
    assert!(text.ends_with("only a card's account may have a loopback address"), "{text}");
    assert!(detour.attempts.lock().unwrap().is_empty());
}

// ---- HTTP ---------------------------------------------------------------------------------------------

#[test]
fn headers_of_a_request() {
    let (phone, web, _detour) = scripted(plainly(), |_, _| None);
    assert_eq!(session(&phone), ok());
    let request = web.requests()[0].clone();
    assert!(request.head.starts_with("POST /dm HTTP/1.1\r\n"));
    for (name, value) in [
        ("Host", "dm.example"),
        ("Content-Type", "application/vnd.syncml.dm+wbxml"),
        ("Accept", "application/vnd.syncml.dm+wbxml, application/vnd.syncml.dm+xml"),
        ("Accept-Charset", "utf-8"),
        ("Accept-Language", "en"),
        ("Cache-Control", "no-store"),
        ("Connection", "keep-alive"),
        ("Content-Length", &request.body.len().to_string()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("Cookie"), None);
    assert_eq!(request.header("Transfer-Encoding"), None);
}

/// `reply` with another header line.
fn with_header(reply: Reply, line: &str) -> Reply {
    let insert = |octets: Vec<u8>| {
        let text = octets.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
        [&octets[..text], line.as_bytes(), b"\r\n", &octets[text..]].concat()
    };
    match reply {
        Reply::Octets(octets) => Reply::Octets(insert(octets)),
        Reply::Last(octets) => Reply::Last(insert(octets)),
    }
}

#[test]
fn cookies_live_as_long_as_the_session() {
    let server = Mutex::new(DmServer::new(profile(HTTP, "DIGEST", ADD)).unwrap());
    let web = Web::plain(move |request| {
        with_header(answer(&server, request), "Set-Cookie: JSESSIONID=1F; Path=/; HttpOnly")
    });
    let phone = phone(plainly(), HTTP, "DIGEST");
    Detour::of(&phone.client, web.port);
    assert_eq!(session(&phone), ok());
    let first: Vec<_> =
        web.requests().iter().map(|request| request.header("Cookie").map(str::to_owned)).collect();
    assert_eq!(first[0], None);
    assert!(first[1..].iter().all(|cookie| cookie.as_deref() == Some("JSESSIONID=1F")));
    assert!(first.len() > 1);
    session(&phone);
    assert_eq!(web.requests()[first.len()].header("Cookie"), None);
}

#[test]
fn a_redirect_within_the_server_takes_the_message_along() {
    let (phone, web, _detour) = scripted(plainly(), |_, request| {
        (request.path() == "/dm" && request.header("cookie").is_none())
            .then(|| Reply::http("307 Go", "Location: /dm?to=1\r\nSet-Cookie: moved=1\r\n", b""))
    });
    session(&phone);
    let requests = web.requests();
    assert_eq!(requests[1].path(), "/dm?to=1");
    assert_eq!(requests[0].body, requests[1].body);
}

#[test]
fn sc_127_redirects_to_others_fail_the_session() {
    for (location, why) in [
        ("http://evil.example/dm", "the server redirects to another host"),
        ("http://dm.example:81/dm", "the server redirects to another port"),
    ] {
        let (phone, web, detour) = scripted(plainly(), move |_, _| {
            Some(Reply::http("302 Found", &format!("Location: {location}\r\n"), b""))
        });
        assert_eq!(session(&phone), (Code::Http as i32, why.to_owned()));
        assert_eq!((web.requests().len(), detour.attempts.lock().unwrap().len()), (1, 1));
    }
}

#[test]
fn redirects_without_end_are_three() {
    let (phone, web, _detour) =
        scripted(plainly(), |_, _| Some(Reply::http("308 On", "Location: /dm\r\n", b"")));
    let text = "the server redirects more than 3 times".to_owned();
    assert_eq!(session(&phone), (Code::Http as i32, text));
    assert_eq!(web.requests().len(), 4);
}

#[test]
fn a_redirect_to_tls_is_a_new_connection() {
    let (phone, web, detour) = scripted(plainly(), |_, _| {
        Some(Reply::http("301 Up", "Location: https://dm.example/dm\r\n", b""))
    });
    detour.failures.lock().unwrap().clear();
    phone.client.start_session(None).unwrap();
    phone.until(|_| detour.attempts.lock().unwrap().len() == 2);
    let uris: Vec<_> = detour.attempts.lock().unwrap().iter().map(|a| a.0.clone()).collect();
    assert_eq!(uris, ["tcp://dm.example:80", "tcp://dm.example:443"]);
    // The server of this test speaks no TLS: the session ends, and nothing more is sent plainly.
    drop(phone);
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_is_replaced_once() {
    let (phone, web, detour) = scripted(plainly(), |number, _| {
        // Keep-alive is promised, and then the second request meets a closed connection.
        (number == 2).then(|| Reply::Last(Vec::new()))
    });
    assert_eq!(session(&phone), ok());
    let requests = web.requests();
    assert_eq!((requests[1].connection, requests[2].connection), (1, 2));
    assert_eq!(requests[1].body, requests[2].body);
    assert_eq!(detour.attempts.lock().unwrap().len(), 2);
}

#[test]
fn what_fails_on_a_fresh_connection_is_not_sent_twice() {
    let (phone, web, _detour) = scripted(plainly(), |_, _| Some(Reply::Last(Vec::new())));
    let text = "HTTP: the server closed before its answer was whole".to_owned();
    assert_eq!(session(&phone), (Code::Io as i32, text));
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn a_half_answer_is_not_asked_for_again() {
    let (phone, web, _detour) = scripted(plainly(), |number, _| {
        (number == 2)
            .then(|| Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec()))
    });
    assert_eq!(session(&phone).0, Code::Io as i32);
    assert_eq!(web.requests().len(), 2);
}

#[test]
fn servers_that_close_after_each_answer() {
    let mut profile = profile(HTTP, "DIGEST", ADD);
    profile.server.connection = uicc_sim::profile::Connection::Close;
    let remote = Remote::start(profile, as_is());
    let phone = phone(plainly(), HTTP, "DIGEST");
    let detour = Detour::of(&phone.client, remote.web.port);
    phone.deliver(remote.push()).unwrap();
    assert_eq!(phone.wait_ended(1), ok());
    assert_eq!(remote.verdict(), (1, 0));
    let requests = remote.web.requests().len();
    assert!(requests > 1 && detour.attempts.lock().unwrap().len() == requests);
}

#[test]
fn sc_128_a_silent_server_is_left_after_thirty_seconds() {
    let (phone, web, _detour) = scripted(plainly(), |_, _| Some(Reply::Octets(Vec::new())));
    phone.client.start_session(None).unwrap();
    phone.until(|_| web.requests().len() == 1);
    phone.advance(29_999);
    assert_eq!(phone.ended(), []);
    phone.advance(1);
    assert_eq!(phone.ended(), [(Code::Timeout as i32, "HTTP: the server is silent".to_owned())]);
}

// ---- what is tried again ------------------------------------------------------------------------------

fn deferred(phone: &Facade) -> Vec<(u32, i32)> {
    phone.of(EventKind::SessionDeferred).iter().map(|event| (event.phase, event.status)).collect()
}

#[test]
fn a_server_without_time_is_tried_again_when_it_wants() {
    let network = NetworkConfig { retries: 2, ..plainly() };
    let (phone, _web, _detour) = scripted(network, |number, _| {
        (number == 1).then(|| Reply::http("503 Later", "Retry-After: 600\r\n", b""))
    });
    let id = phone.client.start_session(None).unwrap();
    phone.until(|phone| !deferred(phone).is_empty());
    assert_eq!(deferred(&phone), [(1, Code::Http as i32)]);
    assert_eq!(phone.client.session_info(id).unwrap().state, dmsc::client::SessionState::Waiting);
    phone.advance(599_999);
    assert_eq!(phone.of(EventKind::SessionStarted).len(), 1);
    phone.advance(1);
    assert_eq!(phone.wait_ended(1), ok());
}

#[test]
fn pauses_grow_until_the_last_attempt() {
    let network = NetworkConfig { retries: 2, ..plainly() };
    let (phone, _web, detour) = scripted(network, |_, _| None);
    *detour.failures.lock().unwrap() = vec![Code::Connect; 9];
    phone.client.start_session(None).unwrap();
    let mut at = Vec::new();
    for second in 0..200 {
        if phone.of(EventKind::SessionStarted).len() > at.len() {
            at.push(second);
        }
        phone.advance(1000);
    }
    assert_eq!(detour.attempts.lock().unwrap().len(), 3);
    assert_eq!(phone.wait_ended(1), (Code::Connect as i32, "as the test wants it".to_owned()));
    assert_eq!(deferred(&phone).len(), 2);
    let pauses: Vec<i32> = at.windows(2).map(|two| two[1] - two[0]).collect();
    assert!((22..=38).contains(&pauses[0]) && (45..=76).contains(&pauses[1]), "{pauses:?}");
}

#[test]
fn without_a_network_the_session_waits_for_the_host() {
    let (phone, _web, detour) = scripted(plainly(), |_, _| None);
    detour.failures.lock().unwrap().push(Code::NoNetwork);
    phone.client.start_session(None).unwrap();
    phone.until(|phone| !phone.of(EventKind::NetworkWanted).is_empty());
    let wanted = phone.of(EventKind::NetworkWanted)[0].clone();
    assert_eq!(
        (wanted.uri.as_deref(), wanted.data.as_slice()),
        (Some(SERVER), &b"./NAP/operator"[..])
    );
    phone.advance(3_600_000);
    assert_eq!(detour.attempts.lock().unwrap().len(), 1);
    phone.client.network_changed(true).unwrap();
    assert_eq!(phone.wait_ended(1), ok());
}

#[test]
fn while_the_host_says_no_network_nothing_is_tried() {
    let (phone, _web, detour) = scripted(plainly(), |_, _| None);
    phone.client.network_changed(false).unwrap();
    phone.client.start_session(None).unwrap();
    phone.until(|phone| !phone.of(EventKind::NetworkWanted).is_empty());
    assert!(detour.attempts.lock().unwrap().is_empty());
    phone.advance(24 * 3_600_000);
    let text = "the session could not be held in time".to_owned();
    assert_eq!(phone.ended(), [(Code::Timeout as i32, text)]);
}

#[test]
fn a_session_cut_by_power_loss_is_begun_again() {
    let remote = Remote::start(profile(HTTP, "DIGEST", ADD), as_is());
    let store = memory();
    let config = || Config { network: plainly(), ..Config::new(DEVICE) };
    let first = Facade::on(config(), store.clone()).unwrap();
    add_account(&first.client, HTTP, "DIGEST");
    first.deliver(remote.push()).unwrap();
    first.client.network_changed(false).unwrap();
    first.until(|phone| !phone.of(EventKind::NetworkWanted).is_empty());
    drop(first);

    let second = Facade::on(config(), store.clone()).unwrap();
    Detour::of(&second.client, remote.web.port);
    assert_eq!(second.wait_ended(1), ok());
    assert_eq!(second.of(EventKind::SessionRequested).len(), 1);
    assert_eq!(remote.verdict(), (1, 0));
    second.settle();
    drop(second);

    let third = Facade::on(config(), store).unwrap();
    third.settle();
    assert!(third.events().is_empty(), "{:?}", third.events());
}

#[test]
fn a_session_that_ends_the_process_each_time_is_given_up() {
    let remote = Remote::start(profile(HTTP, "DIGEST", ADD), as_is());
    let store = memory();
    let mut begun = 0;
    let mut last = Vec::new();
    for life in 0..8 {
        let config = Config { network: plainly(), ..Config::new(DEVICE) };
        let phone = Facade::on(config, store.clone()).unwrap();
        let web = Web::plain(|_| Reply::Octets(Vec::new()));
        Detour::of(&phone.client, web.port);
        if life == 0 {
            add_account(&phone.client, HTTP, "DIGEST");
            phone.deliver(remote.push()).unwrap();
        }
        // As far as its first message, which nobody answers; then the power goes.
        phone.settle();
        begun += phone.of(EventKind::PackageSent).len();
        last.extend(phone.ended());
    }
    let text = "the client ended too often in the middle of this session".to_owned();
    assert_eq!((begun, last), (4, vec![(Code::Aborted as i32, text)]));
}
