//! Servers in the network that want to know in HTTP who the client is: AppAuth with AAuthLevel HTTP.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::config::{Config, NetworkConfig, PlainHttp};
use dmsc::error::Code;
use dmsc::store::memory::MemoryStore;
use dmsc::transport::tls::TlsConfig;
use dmsc::tree::Format;
use rustls::version::TLS13;
use std::sync::{Arc, Mutex};
use support::abi::DEVICE;
use support::certificates::{Authority, tls};
use support::facade::Facade;
use support::remote::{Detour, HOST, add_account, answer, profile};
use support::web::{Reply, Request, Web, Wrap};
use uicc_sim::dm::auth::md5;
use uicc_sim::dm::server::DmServer;

/// The kind of the account's credentials for HTTP; their name is "caller", the password "http-secret".
type Kind = Option<&'static str>;

/// A phone with an account at `address`, and how its one session ends: name of the code, HTTP status.
fn session(address: &str, network: NetworkConfig, web: &Web, kind: Kind) -> (i32, u32) {
    let config = Config { network, ..Config::new(DEVICE) };
    let phone = Facade::on(config, Arc::new(MemoryStore::new())).unwrap();
    add_account(&phone.client, address, "DIGEST");
    if let Some(kind) = kind {
        let mut txn = phone.client.begin().unwrap();
        for (name, value) in [
            ("AAuthLevel", "HTTP"),
            ("AAuthType", kind),
            ("AAuthName", "caller"),
            ("AAuthSecret", "http-secret"),
        ] {
            let uri = format!("./DMAcc/remote/AppAuth/3/{name}");
            txn.add(&uri, Format::Chr, None, value.as_bytes()).unwrap();
        }
        txn.commit().unwrap();
    }
    let _detour = Detour::of(&phone.client, web.port);
    let id = phone.client.start_session(None).unwrap();
    let (status, _) = phone.wait_ended(1);
    let error = phone.client.session_info(id).unwrap().error;
    (status, error.map_or(0, |error| error.http_status.into()))
}

/// A server that gives requests to the DM server when `wants` has nothing to say against them.
fn server(
    address: &str,
    wrap: Wrap,
    wants: impl Fn(usize, &Request) -> Option<String> + Send + 'static,
) -> Web {
    let commands = r#"{ get = "./DevInfo/Man" }, { add = "./Vendor/Apn", value = "internet" }"#;
    let behind = Mutex::new(DmServer::new(profile(address, "DIGEST", commands)).unwrap());
    let mut number = 0;
    Web::start(
        wrap,
        Box::new(move |request| {
            number += 1;
            match wants(number, request) {
                Some(challenge) => {
                    let status = if challenge.starts_with("Proxy") { "407 No" } else { "401 No" };
                    Reply::http(status, &format!("{challenge}\r\n"), b"who is it?")
                }
                None => answer(&behind, request),
            }
        }),
    )
}

fn plain() -> Wrap {
    Box::new(|socket| Box::new(socket))
}

fn plainly() -> NetworkConfig {
    NetworkConfig { plain_http: PlainHttp::Allow, ..NetworkConfig::default() }
}

const HTTP: &str = "http://dm.example/dm";
const HTTPS: &str = "https://dm.example/dm";
const OK: (i32, u32) = (0, 0);

fn digest(nonce: &str) -> String {
    format!(
        "WWW-Authenticate: Basic realm=\"dm\"\r\nWWW-Authenticate: Digest realm=\"dm\", nonce=\"{nonce}\", qop=\"auth\", opaque=\"op\""
    )
}

/// A parameter of the request's Authorization.
fn parameter(request: &Request, name: &str) -> Option<String> {
    let header = request.header("authorization")?.strip_prefix("Digest ")?;
    let found = header.split(", ").find_map(|one| one.strip_prefix(name)?.strip_prefix('='))?;
    Some(found.trim_matches('"').to_owned())
}

/// True if the request answers this nonce for the `count`-th time with the right password.
fn is_right(request: &Request, nonce: &str, count: u32) -> bool {
    let hash = |text: String| hex(&md5(text.as_bytes()));
    let of = |name: &str| parameter(request, name).unwrap_or_default();
    let a1 = hash("caller:dm:http-secret".into());
    let a2 = hash(format!("POST:{}", request.path()));
    let wanted = hash(format!("{a1}:{nonce}:{count:08x}:{}:auth:{a2}", of("cnonce")));
    of("response") == wanted && of("username") == "caller" && of("opaque") == "op"
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn digest_is_answered_once_and_goes_on_through_the_session() {
    let web = server(HTTP, plain(), |number, request| {
        // The first request is challenged; of the others each is the next use of the nonce.
        let count = u32::try_from(number).unwrap() - 1;
        (!is_right(request, "n1", count)).then(|| digest("n1"))
    });
    assert_eq!(session(HTTP, plainly(), &web, Some("HTTP-DIGEST")), OK);
    let requests = web.requests();
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests.len(), 3);
    // An account that allows Basic uses what shows no password where both are offered.
    drop(requests);
    let web = server(HTTP, plain(), |number, request| {
        let count = u32::try_from(number).unwrap() - 1;
        (!is_right(request, "n1", count)).then(|| digest("n1"))
    });
    assert_eq!(session(HTTP, plainly(), &web, Some("HTTP-BASIC")), OK);
}

#[test]
fn a_nonce_that_became_too_old_is_renewed() {
    let web = server(HTTP, plain(), |number, request| match number {
        1 => Some(digest("n1")),
        2 => (!is_right(request, "n1", 1)).then(|| digest("wrong")),
        3 => Some(format!("{}, stale=true", digest("n2"))),
        _ => {
            let count = u32::try_from(number).unwrap() - 3;
            (!is_right(request, "n2", count)).then(|| digest("wrong"))
        }
    });
    assert_eq!(session(HTTP, plainly(), &web, Some("HTTP-DIGEST")), OK);
}

#[test]
fn a_server_that_refuses_is_not_asked_for_ever() {
    for more in ["", ", stale=true"] {
        let web =
            server(HTTP, plain(), move |number, _| Some(digest(&format!("n{number}")) + more));
        let ended = session(HTTP, plainly(), &web, Some("HTTP-DIGEST"));
        assert_eq!(ended, (Code::AuthClient as i32, 401));
        assert_eq!(web.requests().len(), if more.is_empty() { 2 } else { 3 });
    }
}

#[test]
fn basic_goes_over_tls_and_never_over_an_open_way() {
    let basic = |_, request: &Request| {
        let right = request.header("authorization") == Some("Basic Y2FsbGVyOmh0dHAtc2VjcmV0");
        (!right).then(|| "WWW-Authenticate: Basic realm=\"dm\"".to_owned())
    };
    let authority = Authority::new("root");
    let identity = authority.issue(HOST, (2020, 2035));
    let network = NetworkConfig {
        tls: TlsConfig { roots_pem: authority.pem().into_bytes(), ..TlsConfig::default() },
        ..NetworkConfig::default()
    };
    let web = server(HTTPS, tls(&identity, None, &[&TLS13]), basic);
    assert_eq!(session(HTTPS, network, &web, Some("HTTP-BASIC")), OK);
    for kind in ["HTTP-BASIC", "HTTP-DIGEST"] {
        let web = server(HTTP, plain(), basic);
        assert_eq!(session(HTTP, plainly(), &web, Some(kind)), (Code::AuthClient as i32, 401));
        assert!(web.requests().iter().all(|request| request.header("authorization").is_none()));
    }
}

#[test]
fn without_credentials_the_session_says_what_is_missing() {
    for kind in [None, Some("TRANSPORT")] {
        let web = server(HTTP, plain(), |_, _| Some(digest("n1")));
        assert_eq!(session(HTTP, plainly(), &web, kind), (Code::Http as i32, 401));
        assert_eq!(web.requests().len(), 1);
    }
    // Proxies are the host's: its connections lead through them.
    let web =
        server(HTTP, plain(), |_, _| Some("Proxy-Authenticate: Basic realm=\"p\"".to_owned()));
    assert_eq!(session(HTTP, plainly(), &web, Some("HTTP-DIGEST")), (Code::Http as i32, 407));
}
