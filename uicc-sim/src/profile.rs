//! A card as its issuer ordered it: one TOML file with files, account, bootstrap and script.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::card::{Card, CardConfig};
use crate::cp::Provisioning;
use crate::dm::auth::Scheme;
use crate::dm::bootstrap::{self, Bootstrap};
pub use crate::dm::notification::{Initiator, UiMode};
use crate::dm::script::Package;
use crate::dm::server::DmServer;
use crate::hex;

/// Everything that is on a simulated card.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the profile shows, for people.
    #[serde(default)]
    pub description: String,
    /// The card's files, protocol and toolkit application.
    #[serde(default)]
    pub card: CardConfig,
    /// The DM account that the bootstrap gives to the terminal and the server uses itself.
    pub account: Account,
    /// Another account, brought by a second bootstrap object in a DODF of its own.
    #[serde(default)]
    pub second_account: Option<Account>,
    /// The client provisioning documents on the card.
    #[serde(default)]
    pub provisioning: Provisioning,
    /// How the bootstrap is written.
    #[serde(default)]
    pub bootstrap: Bootstrap,
    /// How package #0 is written.
    #[serde(default)]
    pub notification: Notification,
    /// How the on-card server behaves.
    #[serde(default)]
    pub server: Server,
    /// What the server does in each session.
    #[serde(default, rename = "package")]
    pub script: Vec<Package>,
    /// What the card's web server has for browsers, beside the DM server.
    #[serde(default, rename = "page")]
    pub pages: Vec<Page>,
}

/// A page of the card's web server, which anybody may GET.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Path and query of its address.
    pub path: String,
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its octets.
    pub body: Octets,
}

/// The account between the terminal and the on-card server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The server identifier, as in package #0 and in ACLs.
    pub server_id: String,
    /// What users may see.
    #[serde(default)]
    pub name: String,
    /// Where the server is.
    pub address: String,
    /// A port node beside the address.
    #[serde(default)]
    pub port: Option<u16>,
    /// The AAuthPref node; absent: none.
    #[serde(default)]
    pub auth_pref: Option<String>,
    /// The PrefConRef node; absent: none.
    #[serde(default)]
    pub pref_con_ref: Option<String>,
    /// What the terminal shows the server (CLCRED).
    pub client: Credential,
    /// What the server shows the terminal (SRVCRED).
    pub server: Credential,
}

/// A name, a secret and the first nonce.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// How it is shown.
    #[serde(default)]
    pub auth: Scheme,
    /// The user name.
    pub name: String,
    /// The secret.
    pub secret: String,
    /// The first nonce.
    #[serde(default)]
    pub nonce: Option<Octets>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Octets, written as text or as `{ hex = "..." }`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OctetsSpec")]
pub struct Octets(Vec<u8>);

impl Octets {
    /// The octets.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Octets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OctetsSpec {
    Text(String),
    Hex(HexSpec),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HexSpec {
    hex: String,
}

impl TryFrom<OctetsSpec> for Octets {
    type Error = String;

    fn try_from(spec: OctetsSpec) -> Result<Self, String> {
        match spec {
            OctetsSpec::Text(text) => Ok(Self(text.into_bytes())),
            OctetsSpec::Hex(HexSpec { hex }) => hex::decode(&hex).map(Self),
        }
    }
}

/// How the server writes package #0.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notification {
    /// How the terminal should treat its user.
    pub ui_mode: UiMode,
    /// Who caused the session.
    pub initiator: Initiator,
    /// Which digest it carries.
    pub digest: NotificationDigest,
    /// Another server identifier than the account's.
    pub server_id: Option<String>,
    /// Vendor octets at its end.
    pub vendor: Option<Octets>,
    /// Only so many notifications are wrong, the later ones are right. Zero: all.
    pub wrong_times: u32,
}

/// Which digest package #0 carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationDigest {
    /// The right one.
    #[default]
    Right,
    /// One with a bit flipped.
    Wrong,
    /// One that asks for nonce resynchronisation: the nonce is 00000000.
    Resync,
}

/// How the on-card server behaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// How HTTP answers are delimited.
    pub framing: Framing,
    /// Whether the connection stays open behind an answer.
    pub connection: Connection,
    /// A query that the server puts behind its address in RespURI; absent: no RespURI.
    pub resp_query: Option<String>,
    /// MaxMsgSize of the server's headers, octets; absent: not sent.
    pub max_msg_size: Option<usize>,
    /// MaxObjSize of the server's headers, octets; absent: not sent.
    pub max_obj_size: Option<usize>,
    /// How long the terminal's credentials are good for.
    pub credentials: CredentialsFor,
    /// Makes session ids and nonces the same in every run; absent: different in every run.
    pub seed: Option<u64>,
    /// Where the server keeps nonces when the program ends; absent: nowhere.
    pub memory_file: Option<PathBuf>,
    /// What the server does wrong.
    pub fault: Fault,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            framing: Framing::default(),
            connection: Connection::default(),
            resp_query: None,
            max_msg_size: Some(4096),
            max_obj_size: None,
            credentials: CredentialsFor::default(),
            seed: None,
            memory_file: None,
            fault: Fault::default(),
        }
    }
}

/// How HTTP answers are delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// With Content-Length.
    #[default]
    Length,
    /// With Transfer-Encoding chunked.
    Chunked,
}

/// Whether the connection stays open behind an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// It stays open.
    #[default]
    KeepAlive,
    /// Every answer is the last one on its connection.
    Close,
}

/// How long the terminal's credentials are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialsFor {
    /// For the whole session: SyncHdr status 212.
    #[default]
    Session,
    /// For one message: SyncHdr status 200 with a new nonce each time.
    Message,
}

/// What the server does wrong on purpose.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// The server's own credentials are wrong in every session.
    pub server_credentials: bool,
    /// Requests are answered with this HTTP status.
    pub http_status: Option<u16>,
    /// After so many answers in a session the server closes connections and says nothing more.
    pub close_after: Option<u32>,
    /// Only so many requests or sessions are hit. Zero: all.
    pub times: u32,
}

const DEMO: &str = include_str!("../profiles/demo.toml");

impl Profile {
    /// Reads a profile file.
    ///
    /// # Errors
    /// One line of text saying what is wrong and where.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads the text of a profile.
    ///
    /// # Errors
    /// Text saying what is wrong and in which line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let profile: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        profile.check()?;
        Ok(profile)
    }

    /// The profile that is built in.
    #[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
    pub fn demo() -> Self {
        Self::parse(DEMO).expect("the demo profile is a profile")
    }

    /// Makes the card.
    ///
    /// # Errors
    /// When no card could be like that, or the server's memory file cannot be read.
    pub fn build(self) -> Result<Card, String> {
        self.card.check()?;
        let bootstrap = self.bootstrap_octets()?;
        let mut card = self.card.clone();
        self.provisioning.write(&mut card)?;
        if let Some(account) = &self.second_account {
            let alone = Bootstrap { node: "Second".to_owned(), ..Bootstrap::default() };
            card.second_bootstrap =
                bootstrap::build(&alone, account).map_err(|error| error.to_string())?;
        }
        Ok(Card::new(card, bootstrap, Box::new(DmServer::new(self)?)))
    }

    /// The octets of EF DM_Bootstrap.
    ///
    /// # Errors
    /// When a bootstrap object cannot be written.
    pub fn bootstrap_octets(&self) -> Result<Vec<u8>, String> {
        bootstrap::build(&self.bootstrap, &self.account).map_err(|error| error.to_string())
    }

    /// What serde cannot see.
    fn check(&self) -> Result<(), String> {
        if !(1..=255).contains(&self.account.server_id.len()) {
            return Err("account.server_id has to have 1 to 255 octets".to_owned());
        }
        let schemes = ["http://", "https://"];
        if !schemes.iter().any(|scheme| self.account.address.starts_with(scheme)) {
            return Err("account.address has to begin with http:// or https://".to_owned());
        }
        self.bootstrap_octets().map(|_| ())
    }
}
