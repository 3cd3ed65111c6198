//! Descriptions of the standard objects: which nodes they may have and what each one allows
//! (DM Standardized Objects 1.2.1; DM Tree and Description 1.2.1, 7.9).
//!
//! Owns constant tables. Nodes outside them are free: dynamic, any format, any command but Exec.

use super::described::RuleRef;
use super::format::Format;
use super::node::Access;
use super::uri::Path;
use crate::audit;
use crate::error::Result;
use crate::limits;
use crate::store::Reader;

/// How often a node may stand below its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// A node with a name of its own, so at most once.
    Named,
    /// Any names, none to N of them.
    ZeroToN(u32),
    /// Any names, one to N of them; the last one cannot be deleted.
    OneToN(u32),
}

/// The description of a node.
#[derive(Debug)]
pub(super) struct Rule {
    /// Names from the root, `*` is any name; empty for one of a document, where its place says it.
    pub(super) names: &'static [&'static str],
    pub(super) format: Format,
    pub(super) access: Access,
    pub(super) permanent: bool,
    pub(super) occurrence: Occurrence,
    /// What a value must look like besides its format.
    pub(super) check: Option<fn(&[u8]) -> bool>,
}

/// What the tables say about a place.
#[derive(Debug)]
pub(super) enum Description {
    /// Nothing: the node is free.
    Free,
    /// This rule.
    Rule(RuleRef),
    /// The object has no such node.
    Undefined,
}

impl Description {
    pub(super) fn rule(&self) -> Option<&RuleRef> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Free | Self::Undefined => None,
        }
    }
}

/// Type of a leaf that names none.
pub(super) const TEXT_PLAIN: &str = "text/plain";

/// Management object identifier of DMAcc.
pub const MO_DMACC: &str = "urn:oma:mo:oma-dm-dmacc:1.0";
/// The other identifier of DMAcc that is seen in bootstrap documents.
pub const MO_DMACC_W7: &str = "org.openmobilealliance/1.0/w7";
/// Management object identifier of DevInfo.
pub const MO_DEVINFO: &str = "urn:oma:mo:oma-dm-devinfo:1.0";
/// Management object identifier of DevDetail.
pub const MO_DEVDETAIL: &str = "urn:oma:mo:oma-dm-devdetail:1.0";
/// Management object identifier of Inbox.
pub const MO_INBOX: &str = "urn:oma:mo:oma-dm-inbox:1.0";
/// Management object identifier of an access point.
pub const MO_NAP: &str = "urn:oma:mo:oma-connmo-nap:1.0";
/// Management object identifier of a proxy.
pub const MO_PROXY: &str = "urn:oma:mo:oma-connmo-proxy:1.0";

const READ: Access = Access::GET;
/// Leaf that its object cannot be without.
const REQUIRED: Access = Access::ADD.union(Access::GET).union(Access::REPLACE);
/// Leaf that identifies its object.
const FIXED: Access = Access::ADD.union(Access::GET);
const OPTIONAL: Access = REQUIRED.union(Access::DELETE);
/// Leaf that can be set, never read.
const SECRET: Access = Access::ADD.union(Access::REPLACE).union(Access::DELETE);
/// Interior node that may be made, filled, renamed and deleted.
const BRANCH: Access = OPTIONAL;

const fn permanent(names: &'static [&'static str], format: Format) -> Rule {
    let occurrence = Occurrence::Named;
    Rule { names, format, access: READ, permanent: true, occurrence, check: None }
}

const fn leaf(names: &'static [&'static str], format: Format, access: Access) -> Rule {
    Rule { names, format, access, permanent: false, occurrence: Occurrence::Named, check: None }
}

const fn branch(names: &'static [&'static str], occurrence: Occurrence) -> Rule {
    Rule { names, format: Format::Node, access: BRANCH, permanent: false, occurrence, check: None }
}

const PARTS: Occurrence = Occurrence::OneToN(limits::ACCOUNT_PARTS);
use Format::{Bin, Bool, Chr, Node};
use Occurrence::{Named, ZeroToN};

const DEVINFO: &[Rule] = &[
    permanent(&["DevInfo"], Node),
    permanent(&["DevInfo", "DevId"], Chr),
    permanent(&["DevInfo", "Man"], Chr),
    permanent(&["DevInfo", "Mod"], Chr),
    permanent(&["DevInfo", "DmV"], Chr),
    permanent(&["DevInfo", "Lang"], Chr),
];

const DEVDETAIL: &[Rule] = &[
    permanent(&["DevDetail"], Node),
    permanent(&["DevDetail", "DevTyp"], Chr),
    permanent(&["DevDetail", "OEM"], Chr),
    permanent(&["DevDetail", "FwV"], Chr),
    permanent(&["DevDetail", "SwV"], Chr),
    permanent(&["DevDetail", "HwV"], Chr),
    permanent(&["DevDetail", "LrgObj"], Bool),
    permanent(&["DevDetail", "URI"], Node),
    permanent(&["DevDetail", "URI", "MaxDepth"], Chr),
    permanent(&["DevDetail", "URI", "MaxTotLen"], Chr),
    permanent(&["DevDetail", "URI", "MaxSegLen"], Chr),
];

const INBOX: &[Rule] = &[Rule { access: Access::ADD, ..permanent(&["Inbox"], Node) }];

/// What the library itself has below Ext.
const EXT: &[Rule] = &[
    permanent(&["Ext", "DMSC"], Node),
    permanent(&["Ext", "DMSC", "Audit"], Node),
    permanent(&["Ext", "DMSC", "Audit", "Head"], Chr),
];

const DMACC: &[Rule] = &[
    permanent(&["DMAcc"], Node),
    branch(&["DMAcc", "*"], ZeroToN(limits::ACCOUNTS)),
    leaf(&["DMAcc", "*", "AppID"], Chr, FIXED),
    leaf(&["DMAcc", "*", "ServerID"], Chr, FIXED),
    leaf(&["DMAcc", "*", "Name"], Chr, OPTIONAL),
    leaf(&["DMAcc", "*", "PrefConRef"], Chr, OPTIONAL),
    branch(&["DMAcc", "*", "ToConRef"], Named),
    branch(&["DMAcc", "*", "ToConRef", "*"], PARTS),
    leaf(&["DMAcc", "*", "ToConRef", "*", "ConRef"], Chr, REQUIRED),
    branch(&["DMAcc", "*", "AppAddr"], Named),
    branch(&["DMAcc", "*", "AppAddr", "*"], PARTS),
    leaf(&["DMAcc", "*", "AppAddr", "*", "Addr"], Chr, REQUIRED),
    leaf(&["DMAcc", "*", "AppAddr", "*", "AddrType"], Chr, OPTIONAL),
    branch(&["DMAcc", "*", "AppAddr", "*", "Port"], Named),
    branch(&["DMAcc", "*", "AppAddr", "*", "Port", "*"], PARTS),
    Rule {
        check: Some(is_port),
        ..leaf(&["DMAcc", "*", "AppAddr", "*", "Port", "*", "PortNbr"], Chr, REQUIRED)
    },
    leaf(&["DMAcc", "*", "AAuthPref"], Chr, OPTIONAL),
    branch(&["DMAcc", "*", "AppAuth"], Named),
    branch(&["DMAcc", "*", "AppAuth", "*"], PARTS),
    leaf(&["DMAcc", "*", "AppAuth", "*", "AAuthLevel"], Chr, REQUIRED),
    leaf(&["DMAcc", "*", "AppAuth", "*", "AAuthType"], Chr, REQUIRED),
    leaf(&["DMAcc", "*", "AppAuth", "*", "AAuthName"], Chr, OPTIONAL),
    leaf(&["DMAcc", "*", "AppAuth", "*", "AAuthSecret"], Chr, SECRET),
    leaf(&["DMAcc", "*", "AppAuth", "*", "AAuthData"], Bin, SECRET),
    branch(&["DMAcc", "*", "Ext"], Named),
];

fn is_port(value: &[u8]) -> bool {
    let text = std::str::from_utf8(value).unwrap_or_default();
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Nodes of access points, as far as provisioning documents fill them.
const NAP: &[Rule] = &[
    branch(&["NAP"], Named),
    branch(&["NAP", "*"], ZeroToN(limits::CONNECTIONS)),
    leaf(&["NAP", "*", "NAPID"], Chr, FIXED),
    leaf(&["NAP", "*", "Name"], Chr, OPTIONAL),
    leaf(&["NAP", "*", "Bearer", "BearerType"], Chr, OPTIONAL),
    leaf(&["NAP", "*", "Addr"], Chr, OPTIONAL),
    leaf(&["NAP", "*", "AddrType"], Chr, OPTIONAL),
    leaf(&["NAP", "*", "AuthInfo", "*", "AuthType"], Chr, OPTIONAL),
    leaf(&["NAP", "*", "AuthInfo", "*", "AuthName"], Chr, OPTIONAL),
    leaf(&["NAP", "*", "AuthInfo", "*", "AuthSecret"], Chr, SECRET),
];

/// Nodes of proxies, as far as provisioning documents fill them.
const PX: &[Rule] = &[
    branch(&["PX"], Named),
    branch(&["PX", "*"], ZeroToN(limits::CONNECTIONS)),
    leaf(&["PX", "*", "ProxyID"], Chr, FIXED),
    leaf(&["PX", "*", "Name"], Chr, OPTIONAL),
    leaf(&["PX", "*", "Addr"], Chr, OPTIONAL),
    leaf(&["PX", "*", "AddrType"], Chr, OPTIONAL),
    Rule { check: Some(is_port), ..leaf(&["PX", "*", "Ports", "*", "PortNbr"], Chr, REQUIRED) },
    leaf(&["PX", "*", "ConRefs", "*", "ConRef"], Chr, REQUIRED),
    leaf(&["PX", "*", "AuthInfo", "*", "AuthType"], Chr, OPTIONAL),
    leaf(&["PX", "*", "AuthInfo", "*", "AuthName"], Chr, OPTIONAL),
    leaf(&["PX", "*", "AuthInfo", "*", "AuthSecret"], Chr, SECRET),
];

/// What the standard objects say about the node at `path`.
pub(super) fn standard(path: &Path) -> Description {
    // Most nodes belong to no standard object: one look is enough.
    let rules = match path.top() {
        "DevInfo" => DEVINFO,
        "DevDetail" => DEVDETAIL,
        "Inbox" => INBOX,
        "Ext" => EXT,
        "DMAcc" => DMACC,
        "NAP" => NAP,
        "PX" => PX,
        _ => return Description::Free,
    };
    let names: Vec<&str> = path.names().collect();
    let other = match names.as_slice() {
        // Everything below Ext and Bearer is the vendor's.
        ["DevInfo" | "DevDetail", "Ext" | "Bearer", ..] | ["DMAcc", _, "Ext", _, ..] => {
            return Description::Free;
        }
        ["Ext", "DMSC", ..] => Description::Undefined,
        // The texts of the connectivity objects differ from device to device: other nodes are free.
        ["Ext" | "NAP" | "PX", ..] => Description::Free,
        _ => Description::Undefined,
    };
    let rule = rules.iter().find(|rule| rule.fits(&names)).map(RuleRef::BuiltIn);
    rule.map_or(other, Description::Rule)
}

impl Rule {
    fn fits(&self, names: &[&str]) -> bool {
        let fits = |(wanted, name): (&&str, &&str)| *wanted == "*" || wanted == name;
        self.names.len() == names.len() && self.names.iter().zip(names).all(fits)
    }

    /// True if the node may have any name.
    pub(super) fn is_unnamed(&self) -> bool {
        self.occurrence != Occurrence::Named
    }
}

/// The value of a node whose value follows from the rest of the store and is not stored.
pub(super) fn live_value(reader: &dyn Reader, path: &Path) -> Option<Result<Vec<u8>>> {
    let is_head = path.key() == b"Ext\0DMSC\0Audit\0Head";
    is_head.then(|| audit::head_value(reader))
}

/// True for `./Inbox` and everything below: nothing of it can be read.
pub(super) fn is_inbox(path: &Path) -> bool {
    path.top() == "Inbox"
}

/// True for AAuthSecret and AAuthData of an account, and for AuthSecret of an access point or proxy.
pub(super) fn is_secret(path: &Path) -> bool {
    standard(path).rule().is_some_and(|rule| rule.access == SECRET)
}

/// The account whose server this node gives an address, if it is one.
pub(super) fn account_of_address(path: &Path) -> Option<Path> {
    let mut names = path.names();
    let is_address = path.top() == "DMAcc"
        && names.nth(2) == Some("AppAddr")
        && names.nth(1) == Some("Addr")
        && names.next().is_none();
    // AppAddr/<x>/Addr
    is_address.then(|| path.parent()?.parent()?.parent()).flatten()
}

/// True for the ServerID of an account.
pub(super) fn is_server_id(path: &Path) -> bool {
    let mut names = path.names();
    path.top() == "DMAcc" && names.nth(2) == Some("ServerID") && names.next().is_none()
}
