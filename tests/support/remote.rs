//! The DM server of the simulated card as one in the network: behind a web server of the tests, under a
//! name that leads there.

use super::web::{Reply, Request, Web, Wrap};
use dmsc::client::{Client, StreamScheme};
use dmsc::error::{Code, Error, Result};
use dmsc::transport::tcp::TcpStream;
use dmsc::transport::udp::UdpStream;
use dmsc::transport::{ByteStream, Connector, Target};
use dmsc::tree::Format;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::application::Application;
use uicc_sim::dm::server::DmServer;
use uicc_sim::profile::Profile;

pub(crate) const SERVER: &str = "com.example.dm";
pub(crate) const HOST: &str = "dm.example";

/// A profile of the server at `address` whose one package has `commands`.
pub(crate) fn profile(address: &str, auth: &str, commands: &str) -> Profile {
    Profile::parse(&format!(
        r#"
        [account]
        server_id = "{SERVER}"
        address = "{address}"
        auth_pref = "{auth}"
        client = {{ name = "phone", secret = "phone-secret", nonce = "first" }}
        server = {{ name = "{SERVER}", secret = "server-secret", nonce = "second" }}
        [server]
        seed = 1
        [[package]]
        commands = [ {commands} ]
        "#
    ))
    .unwrap()
}

/// The account of that profile, as a maker's factory document would have it.
pub(crate) fn add_account(client: &Client, address: &str, auth: &str) {
    let mut txn = client.begin().unwrap();
    let mut put = |uri: &str, format: Format, value: &str| {
        txn.add(&format!("./DMAcc/remote{uri}"), format, None, value.as_bytes()).unwrap();
    };
    let chr = Format::Chr;
    put("", Format::Node, "");
    for (uri, value) in [
        ("/AppID", "w7"),
        ("/ServerID", SERVER),
        ("/PrefConRef", "./NAP/operator"),
        ("/AppAddr/1/Addr", address),
        ("/AppAddr/1/AddrType", "URI"),
        ("/AAuthPref", auth),
        ("/AppAuth/1/AAuthLevel", "CLCRED"),
        ("/AppAuth/1/AAuthType", auth),
        ("/AppAuth/1/AAuthName", "phone"),
        ("/AppAuth/1/AAuthSecret", "phone-secret"),
        ("/AppAuth/2/AAuthLevel", "SRVCRED"),
        ("/AppAuth/2/AAuthType", auth),
        ("/AppAuth/2/AAuthName", SERVER),
        ("/AppAuth/2/AAuthSecret", "server-secret"),
    ] {
        put(uri, chr, value);
    }
    put("/AppAuth/1/AAuthData", Format::Bin, "first");
    put("/AppAuth/2/AAuthData", Format::Bin, "second");
    txn.set_acl("./DMAcc", &format!("Add={SERVER}&Get={SERVER}")).unwrap();
    txn.commit().unwrap();
}

/// The DM server of `profile` on a port of its own; shared with the test.
pub(crate) struct Remote {
    pub(crate) web: Web,
    pub(crate) server: Arc<Mutex<DmServer>>,
}

impl Remote {
    pub(crate) fn start(profile: Profile, wrap: Wrap) -> Self {
        let server = Arc::new(Mutex::new(DmServer::new(profile).unwrap()));
        let behind = server.clone();
        let web = Web::start(wrap, Box::new(move |request| answer(&behind, request)));
        Self { web, server }
    }

    /// Good and bad sessions; fails with what the server found wrong.
    pub(crate) fn verdict(&self) -> (u32, u32) {
        let server = self.server.lock().unwrap();
        let bad: Vec<_> = server.findings().into_iter().filter(|finding| !finding.good).collect();
        assert!(bad.is_empty(), "{bad:?}");
        (server.good_sessions(), server.bad_sessions())
    }

    pub(crate) fn push(&self) -> Vec<u8> {
        self.server.lock().unwrap().notification()
    }
}

/// The answer of the DM server to one request.
pub(crate) fn answer(server: &Mutex<impl Application>, request: &Request) -> Reply {
    let octets = [request.head.as_bytes(), &request.body].concat();
    let output = server.lock().unwrap().http_received(&octets);
    if output.close { Reply::Last(output.octets) } else { Reply::Octets(output.octets) }
}

/// URI, server and connectivity.
type Attempt = (String, Option<String>, Option<String>);

/// Takes every connection to the port of a test's server, and notes what was asked for.
#[derive(Default)]
pub(crate) struct Detour {
    pub(crate) port: u16,
    /// What each attempt was for.
    pub(crate) attempts: Mutex<Vec<Attempt>>,
    /// Attempts that fail with this code first.
    pub(crate) failures: Mutex<Vec<Code>>,
}

struct Shared(Arc<Detour>);

impl Connector for Shared {
    fn connect(&self, target: &Target<'_>) -> Result<Box<dyn ByteStream + Send>> {
        let is_udp = target.uri.starts_with("udp:");
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let attempt = (target.uri.to_owned(), owned(target.server_id), owned(target.con_ref));
        self.0.attempts.lock().unwrap().push(attempt);
        if let Some(code) = self.0.failures.lock().unwrap().pop() {
            return Err(Error::new(code, "as the test wants it"));
        }
        if is_udp {
            return Ok(Box::new(UdpStream::connect("127.0.0.1", self.0.port)?));
        }
        Ok(Box::new(TcpStream::connect("127.0.0.1", self.0.port, Duration::from_secs(5))?))
    }
    fn cancel(&self, _: u64) {}
}

impl Detour {
    /// Makes all connections of `client` go to `port`.
    pub(crate) fn of(client: &Client, port: u16) -> Arc<Self> {
        let detour = Arc::new(Self { port, ..Self::default() });
        let shared = Arc::new(Shared(detour.clone()));
        client.set_connector(StreamScheme::Tcp, Some(shared.clone())).unwrap();
        client.set_connector(StreamScheme::Udp, Some(shared)).unwrap();
        detour
    }
}
