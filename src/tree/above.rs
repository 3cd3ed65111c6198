//! The interior node above the one that is changed: siblings mostly come together, so it is kept in the
//! transaction from one change to the next.
//!
//! Owns what is kept, and who may keep it again. Whatever is written or rolled back makes the transaction
//! forget it; who has written nothing but a node directly below it knows that it still counts. Nodes of the
//! host are asked for each time, and so is what the host describes: both change without a transaction.

use super::acl::Acl;
use super::node::Node;
use super::uri::Path;
use super::{host_nodes, records};
use crate::error::Result;
use crate::store::{Reader, Txn};
use std::cell::OnceCell;

/// An interior node.
pub(super) struct Above {
    pub(super) path: Path,
    pub(super) node: Node,
    /// Its ACL, or the nearest one above it.
    acl: OnceCell<Acl>,
}

impl Above {
    pub(super) fn new(path: Path, node: Node) -> Box<Self> {
        Box::new(Self { path, node, acl: OnceCell::new() })
    }

    /// The parent of the node at `path`, if it was kept and nothing was written since.
    pub(super) fn kept(txn: &mut Txn, path: &Path) -> Option<Box<Self>> {
        let is_it = txn.memo::<Self>().is_some_and(|above| path.is_child_of(&above.path));
        if is_it { txn.take_memo() } else { None }
    }

    /// Keeps it; since it was found or [`kept`](Self::kept), nothing but a node directly below it was written.
    pub(super) fn keep(self: Box<Self>, txn: &mut Txn) {
        if host_nodes::below_root(txn, &self.path).is_none() {
            txn.keep(self);
        }
    }

    /// The ACL that counts for it, and for children without one.
    pub(super) fn acl(&self, reader: &dyn Reader) -> Result<&Acl> {
        if !self.node.acl.is_empty() {
            return Ok(&self.node.acl);
        }
        if let Some(acl) = self.acl.get() {
            return Ok(acl);
        }
        let acl = records::inherited_acl(reader, &self.path)?;
        Ok(self.acl.get_or_init(|| acl))
    }
}
