//! The host's door to the management tree: reading at any time, writing in a transaction.

use super::Client;
use crate::error::{Code, Error, Result};
use crate::markup::Encoding;
use crate::store::{Database, Txn};
use crate::time::Now;
use crate::tree::connectivity::is_password;
use crate::tree::{
    Actor, Answer, Content, Filter, Format, NewNode, Node, Origin, Part, Path, Property, Query,
    Refusal, Tree, Uri, tnds,
};
use std::fmt;

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// Format property.
    pub format: Format,
    /// Octets of the value; 0 for interior nodes.
    pub size: u32,
    /// VerNo property.
    pub version: u16,
    /// TStamp property, seconds since 1970-01-01 UTC.
    pub tstamp: i64,
    /// Who brought the node.
    pub origin: Origin,
}

fn info(query: &Query<'_>, path: &Path) -> Result<NodeInfo> {
    let node = query.node(path)?.ok_or(Refusal::NotFound)?;
    let Node { format, size, ver_no: version, tstamp, origin, .. } = node;
    Ok(NodeInfo { format, size, version, tstamp, origin })
}

impl Client {
    pub(super) fn db(&self) -> Result<Database> {
        let db = self.0.db.lock().clone();
        db.ok_or_else(|| Error::new(Code::State, "the client is closed"))
    }

    /// The value of a leaf. Passwords and nonces of accounts are not given; those of access points and
    /// proxies are, since the host connects with them.
    pub fn tree_get(&self, uri: &str) -> Result<Vec<u8>> {
        let view = self.db()?.read()?;
        let (uri_text, uri) = (uri, Uri::parse(uri)?);
        let query = Query::new(&view, Actor::Host);
        let query = if is_password(&uri.path) { query.with_secrets() } else { query };
        match query.get(&uri)? {
            Answer::Leaf { value, .. } => Ok(value),
            Answer::Property(text) => Ok(text.into_bytes()),
            _ => Err(Error::new(Code::NodeNotAllowed, format!("{uri_text} is no leaf"))),
        }
    }

    /// What a node is.
    pub fn tree_info(&self, uri: &str) -> Result<NodeInfo> {
        let view = self.db()?.read()?;
        info(&Query::new(&view, Actor::Host), &Path::parse(uri)?)
    }

    /// Names and kinds of the children of an interior node, in order of their names.
    pub fn tree_children(&self, uri: &str) -> Result<Vec<(String, NodeInfo)>> {
        let view = self.db()?.read()?;
        let query = Query::new(&view, Actor::Host);
        let path = Path::parse(uri)?;
        if !info(&query, &path)?.format.is_interior() {
            return Err(Error::new(Code::NodeNotAllowed, format!("{uri} is a leaf")));
        }
        let children = query.children(&path)?;
        children.iter().map(|child| Ok((child.name().to_owned(), info(&query, child)?))).collect()
    }

    /// A subtree as TNDS, without passwords and nonces; `whole` writes the ACL that counts for the top node
    /// at it.
    pub fn tree_export(&self, uri: &str, encoding: Encoding, whole: bool) -> Result<Vec<u8>> {
        let view = self.db()?.read()?;
        let (query, path) = (Query::new(&view, Actor::Host), Path::parse(uri)?);
        let document = match whole {
            true => query.export_whole(&path)?,
            false => query.export(&path, Filter::ALL)?,
        };
        tnds::write(&document, encoding == Encoding::Wbxml)
    }

    /// A node's ACL; with `effective` the one that counts for it, from a node above if need be.
    pub fn tree_acl(&self, uri: &str, effective: bool) -> Result<String> {
        let view = self.db()?.read()?;
        let (query, path) = (Query::new(&view, Actor::Host), Path::parse(uri)?);
        Ok(match effective {
            true => query.effective_acl(&path)?.to_string(),
            false => query.property(&path, Property::Acl)?,
        })
    }

    /// Begins a transaction of the host; `Busy` while another writer is at work.
    pub fn begin(&self) -> Result<TreeTxn> {
        let db = self.db()?;
        Ok(TreeTxn { txn: db.begin()?, now: (self.0.clock)(), wake: Wake(self.clone()) })
    }
}

/// Changes of the tree by the host, all or nothing; dropped without commit they are undone.
pub struct TreeTxn {
    txn: Txn,
    now: Now,
    /// Behind `txn`, so that it is dropped after it.
    wake: Wake,
}

/// Wakes the driving thread when it is dropped: a session may have waited for the host's transaction.
struct Wake(Client);

impl Drop for Wake {
    fn drop(&mut self) {
        // In a closed client nobody waits.
        let _ = self.0.0.seat.post(|_| {});
    }
}

impl fmt::Debug for TreeTxn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeTxn").finish_non_exhaustive()
    }
}

impl TreeTxn {
    fn tree(&mut self) -> Tree<'_> {
        Tree::new(&mut self.txn, Actor::Host, self.now)
    }

    /// Adds a node and the interior nodes above it that are missing.
    pub fn add(
        &mut self,
        uri: &str,
        format: Format,
        mime: Option<&str>,
        value: &[u8],
    ) -> Result<()> {
        let value = (!format.is_interior()).then_some(value);
        let content = Content { format: Some(format), mime, value };
        let new = NewNode { content, ..NewNode::default() };
        Ok(self.tree().add(&Uri::parse(uri)?, &new)?)
    }

    /// Replaces the value of a leaf.
    pub fn replace(
        &mut self,
        uri: &str,
        format: Format,
        mime: Option<&str>,
        value: &[u8],
    ) -> Result<()> {
        let content = Content { format: Some(format), mime, value: Some(value) };
        Ok(self.tree().replace(&Uri::parse(uri)?, &content)?)
    }

    /// Deletes a node with its subtree.
    pub fn delete(&mut self, uri: &str) -> Result<()> {
        Ok(self.tree().delete(&Uri::parse(uri)?)?)
    }

    /// Sets a node's ACL; empty inherits.
    pub fn set_acl(&mut self, uri: &str, acl: &str) -> Result<()> {
        let uri = Uri { path: Path::parse(uri)?, part: Part::Property(Property::Acl) };
        let content = Content { value: Some(acl.as_bytes()), ..Content::default() };
        Ok(self.tree().replace(&uri, &content)?)
    }

    /// Adds the nodes of a TNDS document below `parent`, all or none.
    pub fn import(&mut self, parent: &str, document: &[u8]) -> Result<()> {
        let document = tnds::read(document)?;
        self.tree().import_add(&Uri::parse(parent)?, &document)?;
        Ok(())
    }

    /// Makes the subtree at `uri` what a TNDS document says, all or nothing.
    pub fn import_replace(&mut self, uri: &str, document: &[u8]) -> Result<()> {
        let document = tnds::read(document)?;
        self.tree().import_replace(&Uri::parse(uri)?, &document)?;
        Ok(())
    }

    /// Makes the changes durable.
    pub fn commit(self) -> Result<()> {
        self.wake.0.open()?;
        self.txn.commit().map(drop)
    }
}
