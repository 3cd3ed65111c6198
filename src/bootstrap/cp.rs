//! The CP profile: provisioning documents become DM accounts, access points and proxies
//! (OMA DM Bootstrap 1.2, 5.4.2; OMA DM Standardized Objects 1.2.1, 5.3.1.1).
//!
//! Owns the mapping of parms to nodes, and which of several documents counts. Must not know cards nor
//! pushes.

use crate::error::{Code, Error, Result};
use crate::prov::{
    self, AddrType, AppAuth, AuthLevel, DmApplication, Document, NapDef, Port, PxLogical,
    Reference, Settings, Target, Validity,
};
use crate::secret::Secret;
use crate::store::Reader;
use crate::tree::connectivity::{self, Connection, INTERNET, Leaf};
use crate::tree::dmacc::{self, Address, Credential, Level, NewAccount};
use crate::tree::{MO_DMACC, MO_NAP, MO_PROXY, Path, Placed, Tree};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Authentication types that a session or a transport can use.
const SUPPORTED: [&str; 6] = ["HMAC", "DIGEST", "BASIC", "TRANSPORT", "HTTP-BASIC", "HTTP-DIGEST"];

/// Reads a document in either encoding; octets 00 or FF may follow.
///
/// Fails with `BootstrapFormat`.
pub(super) fn read(octets: &[u8]) -> Result<Document<'_>> {
    prov::read_with(octets, true)
        .map_err(|fault| Error::from(fault).with_code(Code::BootstrapFormat))
}

/// What a document provisions. Fails with `BootstrapFormat`, also if that is nothing for a DM client.
pub(super) fn judge<'d>(document: &'d Document<'d>) -> Result<Settings<'d>> {
    let settings = Settings::of(document)
        .map_err(|fault| Error::from(fault).with_code(Code::BootstrapFormat))?;
    if settings.accounts.is_empty()
        && settings.proxies.is_empty()
        && settings.access_points.is_empty()
    {
        let text = "the document has neither w7 nor NAPDEF nor PXLOGICAL";
        return Err(Error::new(Code::BootstrapFormat, text));
    }
    for account in &settings.accounts {
        if addresses(account).is_empty() {
            let text = format!("w7 {}: no address that is a URI or IP", account.provider_id);
            return Err(Error::new(Code::BootstrapFormat, text));
        }
    }
    Ok(settings)
}

/// Checks that the references of `settings` lead into one of the documents `all`, or to an object on
/// the device that is none of `leaving`.
///
/// Fails with `BootstrapFormat` (`E_CP_REFERENCE`).
pub(super) fn check_references(
    settings: &Settings<'_>,
    all: &[&Settings<'_>],
    reader: &dyn Reader,
    leaving: &[String],
) -> Result<()> {
    let failure = RefCell::new(None);
    let on_device = |reference: Reference<'_>| {
        let inside = match reference.target {
            Target::Proxy => all.iter().any(|other| other.proxy(reference.id).is_some()),
            _ => all.iter().any(|other| other.access_point(reference.id).is_some()),
        };
        if inside {
            return true;
        }
        match connectivity::find(reader, kind(reference.target), reference.id) {
            Ok(found) => found.is_some_and(|path| !leaving.contains(&path.to_string())),
            Err(error) => {
                failure.replace(Some(error));
                true
            }
        }
    };
    let checked = settings.check_references(on_device);
    match failure.into_inner() {
        Some(error) => Err(error),
        None => checked.map_err(|fault| Error::from(fault).with_code(Code::BootstrapFormat)),
    }
}

fn kind(target: Target) -> Connection {
    match target {
        Target::Proxy => Connection::Proxy,
        Target::AccessPoint | Target::Internet => Connection::AccessPoint,
    }
}

/// What the documents made of the tree.
#[derive(Debug, Default)]
pub(super) struct Provisioned {
    /// The objects, with the number of the document that brought each.
    pub(super) placed: Vec<(usize, Placed)>,
    /// Servers whose w7 asks for a session at once (INIT).
    pub(super) init: Vec<String>,
}

/// Applies the documents, the most important first: of several characteristics with one identifier
/// the first counts. Accounts of the servers `skipped` are left out.
///
/// Fails with the tree's error; the caller rolls back.
pub(super) fn apply(
    tree: &mut Tree<'_>,
    documents: &[&Settings<'_>],
    skipped: &[String],
) -> Result<Provisioned> {
    let mut work =
        Work { tree, links: BTreeMap::new(), internet: Vec::new(), done: Provisioned::default() };
    // What is referred to comes first, in whichever document it is.
    for (number, settings) in documents.iter().enumerate() {
        let owners: Vec<&str> = settings.accounts.iter().map(|a| a.provider_id).collect();
        for point in &settings.access_points {
            work.access_point(number, point, &owners)?;
        }
    }
    for (number, settings) in documents.iter().enumerate() {
        let owners: Vec<&str> = settings.accounts.iter().map(|a| a.provider_id).collect();
        for proxy in &settings.proxies {
            work.proxy(number, proxy, &owners)?;
        }
    }
    let mut known: Vec<&str> = skipped.iter().map(String::as_str).collect();
    for (number, settings) in documents.iter().enumerate() {
        for account in &settings.accounts {
            if !known.contains(&account.provider_id) {
                known.push(account.provider_id);
                work.account(number, account)?;
            }
        }
    }
    Ok(work.done)
}

struct Work<'w, 't> {
    tree: &'w mut Tree<'t>,
    /// URIs of the objects that these documents brought, by what references name.
    links: BTreeMap<(bool, String), String>,
    /// URIs of their access points to the Internet.
    internet: Vec<String>,
    done: Provisioned,
}

impl Work<'_, '_> {
    fn placed(&mut self, number: usize, root: &Path, mo: &str) -> String {
        let uri = root.to_string();
        self.done
            .placed
            .push((number, Placed { uri: uri.clone(), mo: mo.into(), replaced: false }));
        uri
    }

    fn access_point(&mut self, number: usize, point: &NapDef<'_>, owners: &[&str]) -> Result<()> {
        let key = (false, point.id.to_owned());
        if self.links.contains_key(&key) {
            return Ok(());
        }
        let leaves = access_point_leaves(point);
        let root = connectivity::create(self.tree, Connection::AccessPoint, owners, &leaves)?;
        let uri = self.placed(number, &root, MO_NAP);
        if point.internet {
            self.internet.push(uri.clone());
        }
        self.links.insert(key, uri);
        Ok(())
    }

    fn proxy(&mut self, number: usize, proxy: &PxLogical<'_>, owners: &[&str]) -> Result<()> {
        let key = (true, proxy.id.to_owned());
        if self.links.contains_key(&key) {
            return Ok(());
        }
        let mut leaves = proxy_leaves(proxy);
        let references = proxy.physical.iter().flat_map(|physical| &physical.to_nap);
        let con_refs = self.con_refs(references)?;
        for (con_ref, place) in con_refs.into_iter().zip(1..) {
            leaves.push(text(format!("ConRefs/{place}/ConRef"), con_ref));
        }
        let root = connectivity::create(self.tree, Connection::Proxy, owners, &leaves)?;
        let uri = self.placed(number, &root, MO_PROXY);
        self.links.insert(key, uri);
        Ok(())
    }

    fn account(&mut self, number: usize, from: &DmApplication<'_>) -> Result<()> {
        let con_refs = self.con_refs(from.to_proxy.iter().chain(&from.to_nap))?;
        let account = NewAccount {
            server_id: from.provider_id.to_owned(),
            name: from.name.unwrap_or_default().to_owned(),
            addresses: addresses(from),
            con_refs,
            auth_pref: None,
            credentials: from.auth.iter().map(credential).collect(),
            grant: true,
        };
        let root = dmacc::create(self.tree, &account)?;
        self.placed(number, &root, MO_DMACC);
        if from.init {
            self.done.init.push(from.provider_id.to_owned());
        }
        Ok(())
    }

    /// URIs of what is referred to, each once: of these documents, else of the device.
    fn con_refs<'r, 'd: 'r>(
        &self,
        references: impl Iterator<Item = &'r Reference<'d>>,
    ) -> Result<Vec<String>> {
        let mut uris: Vec<String> = Vec::new();
        for reference in references {
            for uri in self.resolved(reference)? {
                if !uris.contains(&uri) {
                    uris.push(uri);
                }
            }
        }
        Ok(uris)
    }

    fn resolved(&self, reference: &Reference<'_>) -> Result<Vec<String>> {
        let reader = self.tree.reader();
        if reference.target == Target::Internet {
            if !self.internet.is_empty() {
                return Ok(self.internet.clone());
            }
            let found = connectivity::internet(reader)?;
            return Ok(found.iter().map(Path::to_string).collect());
        }
        let key = (reference.target == Target::Proxy, reference.id.to_owned());
        if let Some(uri) = self.links.get(&key) {
            return Ok(vec![uri.clone()]);
        }
        let found = connectivity::find(reader, kind(reference.target), reference.id)?;
        Ok(found.iter().map(Path::to_string).collect())
    }
}

fn text<'d>(uri: impl Into<Cow<'static, str>>, value: impl Into<Cow<'d, str>>) -> Leaf<'d> {
    let value = match value.into() {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    Leaf { uri: uri.into(), value }
}

fn secret<'d>(uri: String, value: &'d Secret) -> Leaf<'d> {
    Leaf { uri: uri.into(), value: Cow::Borrowed(value.expose()) }
}

/// Bearers by the names of the object; others keep the name they have in the document.
const BEARERS: [(&str, &str); 2] = [("GSM-GPRS", "3GPP-PS"), ("GSM-CSD", "3GPP-CS")];

/// The leaves of an access point. Quality of service, link speeds and retry values belong to subtrees of
/// a bearer and are left to it; what the object has no node for stands below Ext.
fn access_point_leaves<'d>(from: &'d NapDef<'_>) -> Vec<Leaf<'d>> {
    let mut leaves = vec![text("NAPID", from.id)];
    let mut add = |uri: &'static str, value: Option<&'d str>| {
        leaves.extend(value.map(|value| text(uri, value)));
    };
    add("Name", from.name);
    add("Addr", from.address);
    add("AddrType", from.address_type);
    let bearer = from.bearers.first().map(|bearer| {
        let known = BEARERS.iter().find(|(name, _)| name == bearer);
        known.map_or(*bearer, |(_, object)| object)
    });
    add("Bearer/BearerType", bearer);
    let family = match from.local_addr_type {
        Some(kind) if kind.eq_ignore_ascii_case("IPV6") => "IPv6",
        _ => "IPv4",
    };
    if let Some(local) = from.local_addr {
        leaves.push(text(format!("{family}/LocalAddr"), local));
        leaves.push(text(format!("{family}/AutoConfig"), "false"));
    }
    for (dns, number) in from.dns.iter().zip(1..) {
        let family = if dns.contains(':') { "IPv6" } else { "IPv4" };
        leaves.push(text(format!("{family}/DNS/{number}/DNSAddr"), *dns));
    }
    leaves.extend(from.linger.map(|seconds| text("Linger", seconds.to_string())));
    for (auth, number) in from.auth.iter().zip(1..) {
        let root = format!("AuthInfo/{number}");
        leaves.extend(auth_leaves(&root, auth.auth_type, auth.name, auth.secret.as_ref()));
        for (entity, place) in auth.entities.iter().zip(1..) {
            leaves.push(text(format!("{root}/AuthEntities/{place}/AuthEntity"), *entity));
        }
        leaves.extend(auth.spi.map(|spi| text(format!("{root}/SPI"), spi)));
    }
    if from.internet {
        leaves.push(text(INTERNET, "true"));
    }
    for (validity, number) in from.validity.iter().zip(1..) {
        leaves.extend(validity_leaves(validity, number));
    }
    leaves
}

/// A credential of an access point or proxy.
fn auth_leaves<'d>(
    root: &str,
    kind: Option<&'d str>,
    name: Option<&'d str>,
    key: Option<&'d Secret>,
) -> impl Iterator<Item = Leaf<'d>> {
    let kind = kind.map(|kind| text(format!("{root}/AuthType"), kind));
    let name = name.map(|name| text(format!("{root}/AuthName"), name));
    let key = key.map(|key| secret(format!("{root}/AuthSecret"), key));
    [kind, name, key].into_iter().flatten()
}

fn validity_leaves<'d>(from: &Validity<'d>, number: u32) -> Vec<Leaf<'d>> {
    let parms = [
        ("Country", from.country),
        ("Network", from.network),
        ("SID", from.sid),
        ("SOC", from.soc),
        ("Until", from.until),
    ];
    let given = parms.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.map(|(name, value)| text(format!("Ext/Validity/{number}/{name}"), value)).collect()
}

/// The leaves of a proxy but its references. An object has one address: that of the first physical proxy.
fn proxy_leaves<'d>(from: &'d PxLogical<'_>) -> Vec<Leaf<'d>> {
    let mut leaves = vec![text("ProxyID", from.id)];
    leaves.extend(from.name.map(|name| text("Name", name)));
    if let Some(physical) = from.physical.first() {
        leaves.push(text("Addr", physical.addr));
        leaves.push(text("AddrType", physical.addr_type.unwrap_or("IPV4")));
    }
    let inner = from.physical.first().map(|physical| physical.ports.as_slice()).unwrap_or_default();
    let ports: &[Port<'_>] = if inner.is_empty() { &from.ports } else { inner };
    for (port, number) in ports.iter().zip(1..) {
        let root = format!("Ports/{number}");
        leaves.push(text(format!("{root}/PortNbr"), port.number.to_string()));
        for (service, place) in port.services.iter().zip(1..) {
            leaves.push(text(format!("{root}/Services/{place}/ServiceName"), *service));
        }
    }
    for (auth, number) in from.auth.iter().zip(1..) {
        let root = format!("AuthInfo/{number}");
        leaves.extend(auth_leaves(&root, auth.auth_type, auth.id, auth.password.as_ref()));
    }
    for (domain, number) in from.domains.iter().zip(1..) {
        leaves.push(text(format!("Domains/{number}/Domain"), *domain));
    }
    if from.trust {
        leaves.push(text("Trust", "true"));
    }
    leaves
}

/// The addresses that a DM session can use.
fn addresses(from: &DmApplication<'_>) -> Vec<Address> {
    let usable = from.addresses.iter().filter_map(|address| {
        let addr_type = match address.addr_type {
            AddrType::Uri => dmacc::AddrType::Uri,
            AddrType::Ipv4 => dmacc::AddrType::Ipv4,
            AddrType::Ipv6 => dmacc::AddrType::Ipv6,
            AddrType::E164 | AddrType::Alpha => return None,
        };
        let ports = address.ports.iter().map(|port| port.number).collect();
        Some(Address { addr: address.addr.to_owned(), addr_type, ports })
    });
    usable.collect()
}

/// APPSRV is what the client shows the server, CLIENT what the server shows the client.
fn credential(from: &AppAuth<'_>) -> (Level, Credential) {
    let (level, default) = match from.level {
        Some(AuthLevel::AppSrv) => (Level::Client, "DIGEST"),
        Some(AuthLevel::Client) => (Level::Server, "DIGEST"),
        Some(AuthLevel::Obex) => (Level::Obex, "HTTP-DIGEST"),
        None => (Level::Http, "HTTP-DIGEST"),
    };
    let is_supported =
        |kind: &&&str| SUPPORTED.iter().any(|known| known.eq_ignore_ascii_case(kind));
    let chosen = from.types.iter().find(is_supported).or(from.types.first());
    let credential = Credential {
        auth_type: chosen.map_or_else(|| default.to_owned(), |kind| kind.to_ascii_uppercase()),
        name: from.name.unwrap_or_default().to_owned(),
        secret: from.secret.clone().unwrap_or_default(),
        nonce: from.data.clone().unwrap_or_default(),
    };
    (level, credential)
}
