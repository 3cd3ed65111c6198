//! The management tree: nodes, properties, ACL and standard objects, on a store transaction.
//!
//! [`Query`] reads as somebody, [`Tree`] changes as somebody; both enforce what DM Tree and
//! Description 1.2.1 lets that somebody do. Must not know messages, sessions or cards.

mod above;
mod acl;
mod checks;
pub mod connectivity;
mod ddf;
pub mod ddf_document;
mod described;
pub mod dmacc;
mod edit;
mod export;
mod format;
mod host_nodes;
pub mod import;
mod incoming;
pub mod install;
mod legacy;
mod mgmt_tree;
mod node;
mod outgoing;
mod property;
mod query;
mod records;
mod refusal;
mod secrecy;
#[cfg(test)]
mod tests;
pub mod tnds;
mod tstamp;
mod uri;

pub use acl::{Acl, Right};
pub use ddf::{MO_DEVDETAIL, MO_DEVINFO, MO_DMACC, MO_DMACC_W7, MO_INBOX, MO_NAP, MO_PROXY};
pub use described::Descriptions;
pub use edit::{Content, NewNode, Tree};
pub use format::Format;
pub use host_nodes::{
    Bound, BoundNodes, HostChunk, HostExec, HostFailure, HostNode, HostNodes, HostValue,
};
pub use import::{Imported, Placed};
pub use incoming::Incoming;
pub use install::{DeviceInfo, install};
pub use mgmt_tree::MgmtTree;
pub use node::{Access, Node, Origin};
pub use outgoing::Outgoing;
pub use query::{Answer, Listed, Query};
pub use refusal::Refusal;
pub use secrecy::SecretUris;
pub use uri::{Filter, List, Part, Path, Property, Uri, escape, unescape};

use crate::store::{By, Reader};

/// True if the node at `path`, below the root of a subtree that the host keeps, is the host's own: to look
/// at it means to call the host.
pub fn is_kept_by_host(reader: &dyn Reader, path: &Path) -> bool {
    host_nodes::below_root(reader, path).is_some()
}

/// True if the value of the node at `path` must not be shown: a secret of the standard objects, or of
/// those that the client was told of.
pub fn is_secret(reader: &dyn Reader, path: &Path) -> bool {
    reader.is_secret(path.key()) || ddf::is_secret(path)
}

/// What the host adds to the tree of one client. Attached to its database
/// ([`Database::attach`](crate::store::Database::attach)), so that every reader knows it.
#[derive(Debug, Default)]
pub struct Hosted {
    /// The nodes that the host keeps.
    pub nodes: BoundNodes,
    /// The descriptions that it has registered.
    pub descriptions: Descriptions,
}

/// Who works on the tree. ACL and AccessType bind servers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// The authenticated server with this identifier.
    Server(&'a str),
    /// A bootstrap document.
    Bootstrap,
    /// The host or the library itself.
    Host,
}

impl Actor<'_> {
    fn by(self) -> By {
        match self {
            Self::Server(server) => By::Server(server.into()),
            Self::Bootstrap => By::Bootstrap,
            Self::Host => By::Host,
        }
    }

    /// Origin of what this actor creates, if nothing more is known.
    fn origin(self) -> Origin {
        match self {
            Self::Server(server) => Origin::Server(server.to_owned()),
            Self::Bootstrap => Origin::Bootstrap,
            Self::Host => Origin::Host,
        }
    }
}
