//! Access points and proxies: making them for a bootstrap, and finding them by their identifiers
//! (OMA Connectivity Management Objects 1.0).
//!
//! Owns where they are. Must not know provisioning documents, nor what their leaves mean.

use super::acl::Acl;
use super::ddf::{MO_NAP, MO_PROXY};
use super::dmacc::free_place;
use super::edit::{Content, NewNode, Tree};
use super::records;
use super::refusal::Refusal;
use super::uri::Path;
use crate::error::Result;
use crate::store::Reader;
use std::borrow::Cow;
use std::fmt;

/// The kinds of connectivity objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// An access point, below `./NAP`.
    AccessPoint,
    /// A proxy, below `./PX`.
    Proxy,
}

/// A leaf of a new object.
pub struct Leaf<'d> {
    /// Its place below the object, for example `Bearer/BearerType`.
    pub uri: Cow<'static, str>,
    /// Its value, of format `chr`; may be a secret.
    pub value: Cow<'d, [u8]>,
}

impl fmt::Debug for Leaf<'_> {
    /// The value may be a secret: only its length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaf({}, {} octets)", self.uri, self.value.len())
    }
}

/// Beginnings of the management object identifiers. The registered name of the proxy is not sure: both
/// are taken.
const IDENTIFIERS: [(&str, Connection); 3] = [
    ("urn:oma:mo:oma-connmo-nap:", Connection::AccessPoint),
    ("urn:oma:mo:oma-connmo-proxy:", Connection::Proxy),
    ("urn:oma:mo:oma-connmo-px:", Connection::Proxy),
];

/// Where an access point says that it leads to the Internet; a vendor extension.
pub const INTERNET: &str = "Ext/Internet";

impl Connection {
    /// The kind of the objects with this management object identifier.
    pub(super) fn of_mo(mo: &str) -> Option<Self> {
        IDENTIFIERS.iter().find(|(begin, _)| mo.starts_with(begin)).map(|(_, kind)| *kind)
    }

    /// The node that holds the objects.
    pub(super) fn holder(self) -> Path {
        let name = match self {
            Self::AccessPoint => "NAP",
            Self::Proxy => "PX",
        };
        // The names are constant and valid.
        Path::root().child(name).unwrap_or_default()
    }

    fn mo(self) -> &'static str {
        match self {
            Self::AccessPoint => MO_NAP,
            Self::Proxy => MO_PROXY,
        }
    }

    /// The leaf with the identifier that references name.
    pub fn id_leaf(self) -> &'static str {
        match self {
            Self::AccessPoint => "NAPID",
            Self::Proxy => "ProxyID",
        }
    }
}

/// Creates an object under a free number and returns its root. `owners` may read, change and delete it.
///
/// Errors: those of [`Tree::add`]; nothing is created then.
pub fn create(
    tree: &mut Tree<'_>,
    kind: Connection,
    owners: &[&str],
    leaves: &[Leaf<'_>],
) -> core::result::Result<Path, Refusal> {
    tree.all_or_nothing(|tree| {
        let holder = kind.holder();
        tree.add_holder(&holder)?;
        let root = free_place(tree.reader(), &holder, "", &[])?;
        let acl = Some(Acl::of_owners(owners.iter().copied()));
        tree.add(&root.clone().into(), &NewNode { acl, ..Content::interior(kind.mo()).into() })?;
        for leaf in leaves {
            let value = std::str::from_utf8(&leaf.value).map_err(|_| Refusal::Format)?;
            tree.add(&root.join(&leaf.uri)?.into(), &Content::text(value).into())?;
        }
        Ok(root)
    })
}

/// The first object of this kind with the identifier `id`.
pub fn find(reader: &dyn Reader, kind: Connection, id: &str) -> Result<Option<Path>> {
    for root in records::children(reader, &kind.holder())? {
        if text(reader, &root, kind.id_leaf())?.as_deref() == Some(id) {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

/// The access points that lead to the Internet.
pub fn internet(reader: &dyn Reader) -> Result<Vec<Path>> {
    let mut found = Vec::new();
    for root in records::children(reader, &Connection::AccessPoint.holder())? {
        if text(reader, &root, INTERNET)?.as_deref() == Some("true") {
            found.push(root);
        }
    }
    Ok(found)
}

/// True for the password of an access point or proxy: the host needs it to connect.
pub fn is_password(path: &Path) -> bool {
    let names: Vec<&str> = path.names().collect();
    matches!(names[..], ["NAP" | "PX", _, "AuthInfo", _, "AuthSecret"])
}

fn text(reader: &dyn Reader, root: &Path, leaf: &str) -> Result<Option<String>> {
    records::text(reader, &root.join(leaf)?)
}
