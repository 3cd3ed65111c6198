//! DM accounts: reading them for the session, creating them for a bootstrap
//! (DM Standardized Objects 1.2.1, 5.3.1).
//!
//! The only place that reads AAuthSecret and AAuthData.

use super::acl::Acl;
use super::ddf::MO_DMACC;
use super::edit::{Content, NewNode, Tree};
use super::format::{Format, decode_base64};
use super::node::{Node, Origin};
use super::records;
use super::refusal::Refusal;
use super::uri::Path;
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use crate::store::{Reader, Txn};
use crate::time::Now;

/// Name of the node that holds the accounts.
const ACCOUNTS: &str = "DMAcc";
/// AppID of a DM account.
const APP_ID: &str = "w7";

/// How an address is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddrType {
    /// An absolute URI.
    #[default]
    Uri,
    /// A dotted IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
}

impl AddrType {
    /// Reads the value in any case; unknown or empty is a URI.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "IPV4" => Self::Ipv4,
            "IPV6" => Self::Ipv6,
            _ => Self::Uri,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Uri => "URI",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }
}

/// What one side proves its identity with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credential {
    /// AAuthType: `BASIC`, `DIGEST`, `HMAC`, `TRANSPORT`, ...
    pub auth_type: String,
    /// AAuthName; empty if absent.
    pub name: String,
    /// AAuthSecret.
    pub secret: Secret,
    /// AAuthData, the octets of the nonce; empty if there is none yet.
    pub nonce: Secret,
}

/// A DM account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// URI of the account's root.
    pub root_uri: String,
    /// ServerID.
    pub server_id: String,
    /// Name; empty if absent.
    pub name: String,
    /// First address.
    pub addr: String,
    /// How it is written.
    pub addr_type: AddrType,
    /// First port of that address.
    pub port: Option<u16>,
    /// AAuthPref; `None` if absent, empty if the type negotiated last is preferred.
    pub auth_pref: Option<String>,
    /// PrefConRef, or else the first ConRef of ToConRef.
    pub con_ref: Option<String>,
    /// Client to server (CLCRED).
    pub client: Option<Credential>,
    /// Server to client (SRVCRED). Without a name of its own it bears the ServerID.
    pub server: Option<Credential>,
    /// Client to server, in HTTP.
    pub http: Option<Credential>,
    /// Where the account came from.
    pub origin: Origin,
}

/// Which side a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The client proves itself to the server.
    Client,
    /// The server proves itself to the client.
    Server,
    /// OBEX authentication of the client.
    Obex,
    /// HTTP authentication of the client.
    Http,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Client => "CLCRED",
            Self::Server => "SRVCRED",
            Self::Obex => "OBEX",
            Self::Http => "HTTP",
        }
    }
}

/// An address of a new account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub addr: String,
    /// How it is written.
    pub addr_type: AddrType,
    /// Ports.
    pub ports: Vec<u16>,
}

/// The parts of a new account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAccount {
    /// ServerID.
    pub server_id: String,
    /// Name; empty for none.
    pub name: String,
    /// Addresses in order of preference.
    pub addresses: Vec<Address>,
    /// Connectivity references: one becomes PrefConRef, several become ToConRef.
    pub con_refs: Vec<String>,
    /// AAuthPref.
    pub auth_pref: Option<String>,
    /// Credentials.
    pub credentials: Vec<(Level, Credential)>,
    /// The server gets Get, Replace and Delete on the account (CP profile).
    pub grant: bool,
}

pub(super) fn accounts() -> Path {
    // The name is constant and valid.
    Path::root().child(ACCOUNTS).unwrap_or_default()
}

fn below(path: &Path, names: &[&str]) -> Result<Path> {
    let mut path = path.clone();
    for name in names {
        path = path.child(name).map_err(Error::from)?;
    }
    Ok(path)
}

fn text_of(reader: &dyn Reader, path: &Path, names: &[&str]) -> Result<Option<String>> {
    records::text(reader, &below(path, names)?)
}

/// All accounts, in order of their names. One without ServerID is left out.
pub fn list(reader: &dyn Reader) -> Result<Vec<Account>> {
    let mut found = Vec::new();
    for root in records::children(reader, &accounts())? {
        found.extend(load(reader, &root)?);
    }
    Ok(found)
}

/// The account of this server, if there is one.
pub fn find(reader: &dyn Reader, server_id: &str) -> Result<Option<Account>> {
    match root_of(reader, server_id)? {
        Some(root) => load(reader, &root),
        None => Ok(None),
    }
}

/// Root of the first account of this server.
pub(super) fn root_of(reader: &dyn Reader, server_id: &str) -> Result<Option<Path>> {
    for root in records::children(reader, &accounts())? {
        if text_of(reader, &root, &["ServerID"])?.as_deref() == Some(server_id) {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

/// True if some account has this server identifier.
pub(super) fn is_known(reader: &dyn Reader, server_id: &str) -> Result<bool> {
    Ok(root_of(reader, server_id)?.is_some())
}

fn load(reader: &dyn Reader, root: &Path) -> Result<Option<Account>> {
    let (Some(node), Some(server_id)) =
        (records::load(reader, root)?, text_of(reader, root, &["ServerID"])?)
    else {
        return Ok(None);
    };
    let mut account = Account {
        root_uri: root.to_string(),
        server_id,
        name: text_of(reader, root, &["Name"])?.unwrap_or_default(),
        auth_pref: text_of(reader, root, &["AAuthPref"])?,
        con_ref: con_ref(reader, root)?,
        client: credential(reader, root, Level::Client)?,
        server: credential(reader, root, Level::Server)?,
        http: credential(reader, root, Level::Http)?,
        origin: node.origin,
        ..Account::default()
    };
    load_address(reader, root, &mut account)?;
    if let Some(server) = &mut account.server
        && server.name.is_empty()
    {
        server.name.clone_from(&account.server_id);
    }
    Ok(Some(account))
}

fn con_ref(reader: &dyn Reader, root: &Path) -> Result<Option<String>> {
    if let Some(preferred) = text_of(reader, root, &["PrefConRef"])? {
        return Ok(Some(preferred));
    }
    match records::children(reader, &below(root, &["ToConRef"])?)?.first() {
        Some(first) => text_of(reader, first, &["ConRef"]),
        None => Ok(None),
    }
}

fn load_address(reader: &dyn Reader, root: &Path, account: &mut Account) -> Result<()> {
    let addresses = records::children(reader, &below(root, &["AppAddr"])?)?;
    let Some(first) = addresses.first() else { return Ok(()) };
    account.addr = text_of(reader, first, &["Addr"])?.unwrap_or_default();
    let addr_type = text_of(reader, first, &["AddrType"])?.unwrap_or_default();
    account.addr_type = AddrType::parse(&addr_type);
    if let Some(port) = records::children(reader, &below(first, &["Port"])?)?.first() {
        account.port = text_of(reader, port, &["PortNbr"])?.and_then(|port| port.parse().ok());
    }
    Ok(())
}

/// Root of the account's first credential of this level.
fn credential_root(reader: &dyn Reader, root: &Path, level: Level) -> Result<Option<Path>> {
    for entry in records::children(reader, &below(root, &["AppAuth"])?)? {
        if text_of(reader, &entry, &["AAuthLevel"])?.as_deref() == Some(level.name()) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

fn credential(reader: &dyn Reader, root: &Path, level: Level) -> Result<Option<Credential>> {
    let Some(entry) = credential_root(reader, root, level)? else { return Ok(None) };
    Ok(Some(Credential {
        auth_type: text_of(reader, &entry, &["AAuthType"])?.unwrap_or_default(),
        name: text_of(reader, &entry, &["AAuthName"])?.unwrap_or_default(),
        secret: Secret::new(octets(reader, &below(&entry, &["AAuthSecret"])?)?),
        nonce: Secret::new(octets(reader, &below(&entry, &["AAuthData"])?)?),
    }))
}

/// The octets of a secret, however they are stored.
fn octets(reader: &dyn Reader, path: &Path) -> Result<Vec<u8>> {
    let value = records::value(reader, path)?;
    match records::load(reader, path)? {
        Some(node) if node.format == Format::B64 => Ok(decode_base64(&value)?),
        _ => Ok(value),
    }
}

/// Stores the nonce for the client's next credentials.
///
/// Errors: `NodeNotFound` if the server has no account with a CLCRED entry.
pub fn set_client_nonce(txn: &mut Txn, server_id: &str, nonce: &Secret, now: Now) -> Result<()> {
    set_nonce(txn, server_id, Level::Client, nonce, now)
}

/// Stores the nonce for the server's next credentials and notifications.
///
/// Errors: `NodeNotFound` if the server has no account with a SRVCRED entry.
pub fn set_server_nonce(txn: &mut Txn, server_id: &str, nonce: &Secret, now: Now) -> Result<()> {
    set_nonce(txn, server_id, Level::Server, nonce, now)
}

fn set_nonce(txn: &mut Txn, server_id: &str, level: Level, nonce: &Secret, now: Now) -> Result<()> {
    let missing = || {
        let level = level.name();
        Error::new(Code::NodeNotFound, format!("DMAcc: {server_id} has no {level} entry"))
    };
    let root = root_of(txn, server_id)?.ok_or_else(missing)?;
    let entry = credential_root(txn, &root, level)?.ok_or_else(missing)?;
    let path = below(&entry, &["AAuthData"])?;
    let old = records::load(txn, &path)?;
    let is_new = old.is_none();
    let origin = records::load(txn, &entry)?.map(|entry| entry.origin).unwrap_or_default();
    let mut node = old.unwrap_or_else(|| Node {
        mime: "application/octet-stream".to_owned(),
        origin,
        ..Node::default()
    });
    node.format = Format::Bin;
    node.touch(now.unix_s);
    if is_new {
        records::create(txn, &path, node.record(), nonce.expose())?;
    } else {
        records::write(txn, &path, node.record(), nonce.expose())?;
    }
    Ok(())
}

/// A place below `parent` that is neither used nor `taken`: with the name `wanted`, or else with the
/// first free number.
pub(super) fn free_place(
    reader: &dyn Reader,
    parent: &Path,
    wanted: &str,
    taken: &[Path],
) -> core::result::Result<Path, Refusal> {
    let mut used = records::children(reader, parent)?;
    used.extend(taken.iter().cloned());
    // One more number than there are used names is always enough.
    let numbers = (1..=used.len() + 1).map(|number| number.to_string());
    for name in Some(wanted.to_owned()).filter(|name| !name.is_empty()).into_iter().chain(numbers) {
        let path = parent.child(&name)?;
        if !used.contains(&path) {
            return Ok(path);
        }
    }
    Err(Refusal::Full)
}

/// Creates an account under a free number below `./DMAcc` and returns its root.
///
/// Errors: those of [`Tree::add`]; nothing is created then.
pub fn create(tree: &mut Tree<'_>, new: &NewAccount) -> core::result::Result<Path, Refusal> {
    tree.all_or_nothing(|tree| {
        let root = free_place(tree.reader(), &accounts(), "", &[])?;
        let acl = Acl::of_owners(new.grant.then_some(new.server_id.as_str()));
        let node = NewNode { acl: Some(acl), ..Content::interior(MO_DMACC).into() };
        tree.add(&root.clone().into(), &node)?;
        fill(tree, &root, new)?;
        Ok(root)
    })
}

fn fill(tree: &mut Tree<'_>, root: &Path, new: &NewAccount) -> core::result::Result<(), Refusal> {
    let mut text = |uri: &str, value: &str| put(tree, root, uri, &Content::text(value));
    text("AppID", APP_ID)?;
    text("ServerID", &new.server_id)?;
    if !new.name.is_empty() {
        text("Name", &new.name)?;
    }
    match new.con_refs.as_slice() {
        [] => {}
        [single] => text("PrefConRef", single)?,
        several => {
            for (con_ref, number) in several.iter().zip(1..) {
                text(&format!("ToConRef/{number}/ConRef"), con_ref)?;
            }
        }
    }
    for (address, number) in new.addresses.iter().zip(1..) {
        text(&format!("AppAddr/{number}/Addr"), &address.addr)?;
        text(&format!("AppAddr/{number}/AddrType"), address.addr_type.name())?;
        for (port, port_number) in address.ports.iter().zip(1..) {
            let uri = format!("AppAddr/{number}/Port/{port_number}/PortNbr");
            text(&uri, &port.to_string())?;
        }
    }
    if let Some(preferred) = &new.auth_pref {
        text("AAuthPref", preferred)?;
    }
    for ((level, credential), number) in new.credentials.iter().zip(1..) {
        fill_credential(tree, root, number, *level, credential)?;
    }
    Ok(())
}

fn fill_credential(
    tree: &mut Tree<'_>,
    root: &Path,
    number: u32,
    level: Level,
    credential: &Credential,
) -> core::result::Result<(), Refusal> {
    let entry = root.join(&format!("AppAuth/{number}"))?;
    put(tree, &entry, "AAuthLevel", &Content::text(level.name()))?;
    put(tree, &entry, "AAuthType", &Content::text(&credential.auth_type))?;
    if !credential.name.is_empty() {
        put(tree, &entry, "AAuthName", &Content::text(&credential.name))?;
    }
    let chr = Content { format: Some(Format::Chr), ..Content::bin(credential.secret.expose()) };
    if !credential.secret.is_empty() {
        put(tree, &entry, "AAuthSecret", &chr)?;
    }
    if !credential.nonce.is_empty() {
        put(tree, &entry, "AAuthData", &Content::bin(credential.nonce.expose()))?;
    }
    Ok(())
}

fn put(
    tree: &mut Tree<'_>,
    root: &Path,
    uri: &str,
    content: &Content<'_>,
) -> core::result::Result<(), Refusal> {
    tree.add(&root.join(uri)?.into(), &(*content).into())
}
