//! The host's door to the management tree: reading at any time, writing in a transaction.

use super::Client;
use crate::error::{Code, Error, Result};
use crate::markup::Encoding;
use crate::store::{Database, Txn};
use crate::time::Now;
use crate::tree::connectivity::is_password;
use crate::tree::{
    Actor, Answer, Content, Filter, Format, Node, Origin, Part, Path, Property, Query, Refusal,
    Tree, Uri, tnds,
};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;

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

    /// Reads the tree: on this thread, or, where nodes of the host are `meant`, on the driving one.
    fn reading<T: Send + 'static>(
        &self,
        meant: bool,
        work: impl FnOnce(&Query<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let view = self.db()?.read()?;
        if meant {
            return self.0.seat.call(move |_| work(&Query::new(&view, Actor::Host)))?;
        }
        work(&Query::new(&view, Actor::Host))
    }

    /// True if the host keeps the node at `path`.
    fn is_hosted(&self, path: &Path) -> bool {
        self.0.hosted.nodes.at(path).is_some()
    }

    /// The value of a leaf. Passwords and nonces of accounts are not given; those of access points and
    /// proxies are, since the host connects with them.
    pub fn tree_get(&self, uri: &str) -> Result<Vec<u8>> {
        let (parsed, uri) = (Uri::parse(uri)?, uri.to_owned());
        self.reading(self.is_hosted(&parsed.path), move |query| {
            let query = if is_password(&parsed.path) { query.with_secrets() } else { *query };
            match query.get(&parsed)? {
                Answer::Leaf { value, .. } => Ok(value),
                Answer::Property(text) => Ok(text.into_bytes()),
                _ => Err(Error::new(Code::NodeNotAllowed, format!("{uri} is no leaf"))),
            }
        })
    }

    /// What a node is.
    pub fn tree_info(&self, uri: &str) -> Result<NodeInfo> {
        let path = Path::parse(uri)?;
        self.reading(self.is_hosted(&path), move |query| info(query, &path))
    }

    /// Names and kinds of the children of an interior node, in order of their names.
    pub fn tree_children(&self, uri: &str) -> Result<Vec<(String, NodeInfo)>> {
        let (path, uri) = (Path::parse(uri)?, uri.to_owned());
        self.reading(self.is_hosted(&path), move |query| {
            if !info(query, &path)?.format.is_interior() {
                return Err(Error::new(Code::NodeNotAllowed, format!("{uri} is a leaf")));
            }
            let children = query.children(&path)?;
            let named = |child: &Path| Ok((child.name().to_owned(), info(query, child)?));
            children.iter().map(named).collect()
        })
    }

    /// A subtree as TNDS, without passwords and nonces; `whole` writes the ACL that counts for the top node
    /// at it.
    pub fn tree_export(&self, uri: &str, encoding: Encoding, whole: bool) -> Result<Vec<u8>> {
        let path = Path::parse(uri)?;
        self.reading(self.0.hosted.nodes.touches(&path), move |query| {
            let document = match whole {
                true => query.export_whole(&path)?,
                false => query.export(&path, Filter::ALL)?,
            };
            tnds::write(&document, encoding == Encoding::Wbxml)
        })
    }

    /// A node's ACL; with `effective` the one that counts for it, from a node above if need be.
    pub fn tree_acl(&self, uri: &str, effective: bool) -> Result<String> {
        let path = Path::parse(uri)?;
        self.reading(self.is_hosted(&path), move |query| {
            Ok(match effective {
                true => query.effective_acl(&path)?.to_string(),
                false => query.property(&path, Property::Acl)?,
            })
        })
    }

    /// Begins a transaction of the host; `Busy` while another writer is at work.
    pub fn begin(&self) -> Result<TreeTxn> {
        let txn = Some(self.db()?.begin()?);
        Ok(TreeTxn { txn, now: (self.0.clock)(), client: self.clone() })
    }
}

/// Changes of the tree by the host, all or nothing; dropped without commit they are undone.
pub struct TreeTxn {
    /// `None` once it is over.
    txn: Option<Txn>,
    now: Now,
    client: Client,
}

impl fmt::Debug for TreeTxn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeTxn").finish_non_exhaustive()
    }
}

impl Drop for TreeTxn {
    /// Wakes the driving thread: a session may have waited for this. Handlers of the host are rolled
    /// back there.
    fn drop(&mut self) {
        // Nothing is left of any other one when the thread wakes.
        let rest = self.txn.take().filter(Txn::has_participants);
        // In a closed client nobody waits.
        let _ = self.client.0.seat.post(move |_| drop(rest));
    }
}

impl TreeTxn {
    /// Changes the tree at `path`: on this thread, or, where nodes of the host are meant, on the driving
    /// one.
    fn change(
        &mut self,
        path: &Path,
        work: impl FnOnce(&mut Tree<'_>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let now = self.now;
        let hosted = self.client.0.hosted.nodes.touches(path);
        self.with_txn(hosted, move |txn| work(&mut Tree::new(txn, Actor::Host, now)))
    }

    fn with_txn<T: Send + 'static>(
        &mut self,
        hosted: bool,
        work: impl FnOnce(&mut Txn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let over = || Error::new(Code::State, "the transaction is over");
        let Some(txn) = &mut self.txn else { return Err(over()) };
        if !hosted {
            return work(txn);
        }
        // The transaction goes to the driving thread and back; if the job is not taken it stays here.
        let place = Arc::new(Mutex::new(self.txn.take()));
        let there = Arc::clone(&place);
        let done = self.client.0.seat.call(move |_| match &mut *there.lock() {
            Some(txn) => work(txn),
            None => Err(over()),
        });
        self.txn = place.lock().take();
        done?
    }

    /// Adds a node and the interior nodes above it that are missing.
    pub fn add(
        &mut self,
        uri: &str,
        format: Format,
        mime: Option<&str>,
        value: &[u8],
    ) -> Result<()> {
        let (uri, mime) = (Uri::parse(uri)?, mime.map(str::to_owned));
        let value = (!format.is_interior()).then(|| value.to_vec());
        self.change(&uri.path.clone(), move |tree| {
            let (format, mime) = (Some(format), mime.as_deref());
            let content = Content { format, mime, value: value.as_deref() };
            Ok(tree.add(&uri, &content.into())?)
        })
    }

    /// Replaces the value of a leaf.
    pub fn replace(
        &mut self,
        uri: &str,
        format: Format,
        mime: Option<&str>,
        value: &[u8],
    ) -> Result<()> {
        let (uri, mime, value) = (Uri::parse(uri)?, mime.map(str::to_owned), value.to_vec());
        self.change(&uri.path.clone(), move |tree| {
            let (format, mime) = (Some(format), mime.as_deref());
            Ok(tree.replace(&uri, &Content { format, mime, value: Some(&value) })?)
        })
    }

    /// Deletes a node with its subtree.
    pub fn delete(&mut self, uri: &str) -> Result<()> {
        let uri = Uri::parse(uri)?;
        self.change(&uri.path.clone(), move |tree| Ok(tree.delete(&uri)?))
    }

    /// Sets a node's ACL; empty inherits.
    pub fn set_acl(&mut self, uri: &str, acl: &str) -> Result<()> {
        let uri = Uri { path: Path::parse(uri)?, part: Part::Property(Property::Acl) };
        let acl = acl.to_owned();
        self.change(&uri.path.clone(), move |tree| {
            let content = Content { value: Some(acl.as_bytes()), ..Content::default() };
            Ok(tree.replace(&uri, &content)?)
        })
    }

    /// Adds the nodes of a TNDS document below `parent`, all or none.
    pub fn import(&mut self, parent: &str, document: &[u8]) -> Result<()> {
        let document = tnds::read(document)?.into_owned();
        let parent = Uri::parse(parent)?;
        self.change(&parent.path.clone(), move |tree| {
            tree.import_add(&parent, &document)?;
            Ok(())
        })
    }

    /// Makes the subtree at `uri` what a TNDS document says, all or nothing.
    pub fn import_replace(&mut self, uri: &str, document: &[u8]) -> Result<()> {
        let document = tnds::read(document)?.into_owned();
        let uri = Uri::parse(uri)?;
        self.change(&uri.path.clone(), move |tree| {
            tree.import_replace(&uri, &document)?;
            Ok(())
        })
    }

    /// Makes the changes durable.
    pub fn commit(mut self) -> Result<()> {
        self.client.open()?;
        let hosted = self.txn.as_ref().is_some_and(Txn::has_participants);
        if hosted {
            self.with_txn(true, Txn::checkpoint)?;
        } else if let Some(txn) = self.txn.take() {
            txn.commit()?;
        }
        Ok(())
    }
}
