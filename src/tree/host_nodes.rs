//! Nodes that the host keeps: subtrees bound to a handler, seen by the rest of the tree like stored ones.
//!
//! Owns the table of bound subtrees and the way from a node to its handler. What a handler does not keep
//! (ACL, Title, time and number of changes) is stored under [`Table::Host`]. The root of a bound subtree
//! is an ordinary stored node. Checks no right.

use super::ddf::{self, Description};
use super::edit::{Content, NewNode, Tree};
use super::format::Format;
use super::node::{Access, Node, Record};
use super::records;
use super::refusal::Refusal;
use super::uri::Path;
use crate::error::{Code, Error, Result};
use crate::store::{ChangeKind, Operation, Participant, Reader, Table, Txn};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use zeroize::Zeroizing;

type Done = core::result::Result<(), Refusal>;

/// What a handler says of one of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostNode {
    /// Its format.
    pub format: Format,
    /// MIME type of a leaf, MO identifier or nothing of an interior node.
    pub mime: String,
    /// Octets of the value.
    pub size: u32,
}

/// A value on its way to a handler.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HostValue<'a> {
    /// Its format.
    pub format: Format,
    /// Its type.
    pub mime: &'a str,
    /// Its octets; none for an interior node.
    pub octets: &'a [u8],
}

impl fmt::Debug for HostValue<'_> {
    /// The value may be a secret: only its length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.octets.len();
        f.debug_struct("HostValue").field("format", &self.format).field("octets", &octets).finish()
    }
}

/// A part of a value on its way to a handler.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HostChunk<'a> {
    /// The node, which need not be there yet.
    pub uri: &'a str,
    /// Octets of the value that came before.
    pub offset: u64,
    /// Octets that the whole value has at most; exactly so many unless it travels as base64.
    pub total: u64,
    /// The octets that follow; only the first chunk may have none.
    pub octets: &'a [u8],
}

impl fmt::Debug for HostChunk<'_> {
    /// The value may be a secret: only its length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.octets.len();
        f.debug_struct("HostChunk")
            .field("uri", &self.uri)
            .field("offset", &self.offset)
            .field("octets", &octets)
            .finish_non_exhaustive()
    }
}

/// An Exec on its way to a handler.
#[derive(Clone, Copy)]
pub struct HostExec<'a> {
    /// The node.
    pub uri: &'a str,
    /// Data of the command.
    pub argument: &'a [u8],
    /// The server's Correlator, for the alert that reports the end of what goes on in the background.
    pub correlator: Option<&'a str>,
    /// The library's number of the session.
    pub session_id: u64,
    /// The server.
    pub server_id: &'a str,
}

impl fmt::Debug for HostExec<'_> {
    // Nobody but the host knows what the argument is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostExec").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// Who keeps the nodes of a subtree. Called by one thread at a time.
///
/// What fails has changed nothing. [`Error::number`] is the host's; see [`Refusal::Host`] for the
/// status that a server gets.
pub trait HostNodes: Send + Sync {
    /// The commands that it takes.
    fn abilities(&self) -> Access;
    /// What a node is; `None` if there is none.
    fn info(&self, uri: &str) -> Result<Option<HostNode>>;
    /// The value of a leaf.
    fn get(&self, uri: &str) -> Result<Vec<u8>>;
    /// Opens the value of a leaf for reading part by part, as it is now, whatever becomes of the node: a handle
    /// of the host's own. `None` if it gives values as a whole only; then the next two are never called.
    fn open(&self, uri: &str) -> Result<Option<u64>>;
    /// Fills `place` with the octets that follow in an open value; never beyond the size that `info` gave.
    fn read(&self, handle: u64, place: &mut [u8]) -> Result<()>;
    /// Nothing more is read of an open value.
    fn close(&self, handle: u64);
    /// Names of the nodes directly below, in any order.
    fn children(&self, uri: &str) -> Result<Vec<String>>;
    /// Creates a node; its parent is there.
    fn add(&self, uri: &str, value: &HostValue<'_>) -> Result<()>;
    /// Replaces the value of a leaf.
    fn replace(&self, uri: &str, value: &HostValue<'_>) -> Result<()>;
    /// True if it takes values in chunks: then the next three may be called.
    fn takes_chunks(&self) -> bool;
    /// Keeps a chunk of a value aside; no node is changed, and no transaction need be open.
    fn write(&self, chunk: &HostChunk<'_>) -> Result<()>;
    /// Gives a node, which is created if it is not there, the `size` octets kept aside. They stay aside:
    /// after a rollback this may come again.
    fn store(&self, uri: &str, format: Format, mime: &str, size: u32) -> Result<()>;
    /// The octets kept aside for a node are not needed any more.
    fn discard(&self, uri: &str);
    /// Removes a node with all below it.
    fn remove(&self, uri: &str) -> Result<()>;
    /// Runs a node; the SyncML status: 200, 202 if it goes on in the background, or from 400 to 599.
    fn exec(&self, request: &HostExec<'_>) -> Result<u16>;
    /// See [`Participant::begin`].
    fn begin(&self, number: u64) -> Result<()>;
    /// See [`Participant::prepare`].
    fn prepare(&self) -> Result<()>;
    /// See [`Participant::commit`]; a failure is told to the host, nothing can be done about it.
    fn commit(&self) -> Result<()>;
    /// See [`Participant::rollback`]; a failure as for [`commit`](Self::commit).
    fn rollback(&self) -> Result<()>;
    /// What was prepared in transactions up to `number` counts, anything later does not. Called once,
    /// when the subtree is bound: the process may have died between prepare and commit.
    fn settle(&self, number: u64) -> Result<()>;
}

/// A failure of a handler that is more than an answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFailure {
    /// The node, or the root of the bound subtree.
    pub uri: String,
    /// What failed, with the host's number.
    pub error: Error,
}

/// A subtree and who keeps it.
pub struct Bound {
    root: Path,
    pub(super) host: Box<dyn HostNodes>,
    /// Nodes for which the host keeps a value aside: one value for each.
    pub(super) aside: Mutex<BTreeSet<Path>>,
    failures: Arc<Mutex<Vec<HostFailure>>>,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("root", &self.root).finish_non_exhaustive()
    }
}

/// The bound subtrees of one client.
#[derive(Debug, Default)]
pub struct BoundNodes {
    bound: RwLock<Vec<Arc<Bound>>>,
    failures: Arc<Mutex<Vec<HostFailure>>>,
}

impl BoundNodes {
    /// The handler of the bound subtree that `path` lies in; its root included.
    pub fn at(&self, path: &Path) -> Option<Arc<Bound>> {
        self.bound.read().iter().find(|bound| path.is_within(&bound.root)).cloned()
    }

    /// True if there is a bound node at, above or below `path`.
    pub fn touches(&self, path: &Path) -> bool {
        let touches =
            |bound: &Arc<Bound>| path.is_within(&bound.root) || bound.root.is_within(path);
        self.bound.read().iter().any(touches)
    }

    /// True if `path` is the root of a bound subtree.
    pub fn is_root(&self, path: &Path) -> bool {
        self.bound.read().iter().any(|bound| bound.root == *path)
    }

    /// True if any handler runs nodes.
    pub fn can_exec(&self) -> bool {
        self.bound.read().iter().any(|bound| bound.host.abilities().contains(Access::EXEC))
    }

    /// Gives the subtree at `root`, which nobody has, to `host`, which first hears which of its
    /// transactions counts; then `place` makes the node itself, by abilities and type.
    ///
    /// Errors: what `host` and `place` give; nothing is bound then.
    pub fn bind(
        &self,
        root: Path,
        host: Box<dyn HostNodes>,
        committed: u64,
        place: impl FnOnce(&Path, Access, &str) -> Result<()>,
    ) -> Result<()> {
        let failures = Arc::clone(&self.failures);
        let bound = Bound { root, host, aside: Mutex::default(), failures };
        bound.host.settle(committed)?;
        place(&bound.root, bound.host.abilities(), &bound.root_type()?)?;
        self.bound.write().push(Arc::new(bound));
        Ok(())
    }

    /// Takes the subtree at `root` away from its handler; false if it was not bound.
    pub fn remove(&self, root: &Path) -> bool {
        let mut bound = self.bound.write();
        let at = bound.iter().position(|bound| bound.root == *root);
        let gone = at.map(|at| bound.remove(at));
        // A handler that is dropped may call the library.
        drop(bound);
        gone.is_some()
    }

    /// Takes all subtrees away from their handlers.
    pub fn clear(&self) {
        let gone = std::mem::take(&mut *self.bound.write());
        // As above.
        drop(gone);
    }

    /// The failures since the last call.
    pub fn take_failures(&self) -> Vec<HostFailure> {
        std::mem::take(&mut self.failures.lock())
    }
}

/// The handler of the node at `path`, which lies below the root of a bound subtree.
pub(super) fn below_root(reader: &dyn Reader, path: &Path) -> Option<Arc<Bound>> {
    let bound = of(reader)?.at(path)?;
    (bound.root != *path).then_some(bound)
}

/// The handler that knows the children of the node at `path`.
pub(super) fn at(reader: &dyn Reader, path: &Path) -> Option<Arc<Bound>> {
    of(reader)?.at(path)
}

/// The bound subtrees that a reader knows.
pub(super) fn of(reader: &dyn Reader) -> Option<&BoundNodes> {
    reader.attachment()?.downcast_ref::<super::Hosted>().map(|hosted| &hosted.nodes)
}

/// What is stored of a node that the host keeps.
pub(super) fn stored(reader: &dyn Reader, path: &Path) -> Result<Option<Node>> {
    reader.get(Table::Host, path.key())?.map(|record| Node::decode(&record)).transpose()
}

impl Bound {
    /// The node: kind and size from the handler, properties from the store.
    pub(super) fn node(&self, reader: &dyn Reader, path: &Path) -> Result<Option<Node>> {
        let uri = path.uri();
        let Some(HostNode { format, mime, size }) = self.ask(&uri, self.host.info(&uri))? else {
            return Ok(None);
        };
        let access = self.host.abilities();
        let stored = stored(reader, path)?.unwrap_or_default();
        Ok(Some(Node { format, mime, size, access, ..stored }))
    }

    pub(super) fn value(&self, path: &Path) -> Result<Vec<u8>> {
        let uri = path.uri();
        self.ask(&uri, self.host.get(&uri))
    }

    /// The children in order of their names.
    pub(super) fn children(&self, path: &Path) -> Result<Vec<Path>> {
        let uri = path.uri();
        let names = self.ask(&uri, self.host.children(&uri))?;
        let unusable = |refusal: Refusal| {
            Error::new(Code::Callback, format!("the host gives a child that is none: {refusal}"))
        };
        let children: Result<Vec<Path>> =
            names.iter().map(|name| path.child(name).map_err(unusable)).collect();
        let mut children = self.ask(&uri, children)?;
        children.sort();
        children.dedup();
        Ok(children)
    }

    /// Visits the node at `top` and all below it, parents first.
    pub(super) fn walk(
        &self,
        reader: &dyn Reader,
        top: &Path,
        visit: &mut dyn FnMut(Path, Node) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let mut open = vec![top.clone()];
        while let Some(path) = open.pop() {
            // It may have gone since its parent was asked.
            let Some(node) = records::load(reader, &path)? else { continue };
            if node.format.is_interior() {
                open.extend(self.children(&path)?.into_iter().rev());
            }
            if visit(path, node).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Type of the root; empty if the handler knows no such node.
    fn root_type(&self) -> Result<String> {
        let uri = self.root.uri();
        let root = self.ask(&uri, self.host.info(&uri))?;
        Ok(root.map(|node| node.mime).unwrap_or_default())
    }

    /// Runs the node.
    pub fn exec(&self, request: &HostExec<'_>) -> core::result::Result<u16, Refusal> {
        Ok(self.ask(request.uri, self.host.exec(request))?)
    }

    /// A handler's answer. A failure is marked as the host's own, and kept for the host if no status of
    /// its own tells the server about it.
    pub(super) fn ask<T>(&self, uri: &str, answer: Result<T>) -> Result<T> {
        let answer = answer.map_err(as_hosts_own);
        answer.inspect_err(|error| {
            if Refusal::from(error.clone()).status() == 500 {
                self.note(uri, error);
            }
        })
    }

    /// As [`ask`](Self::ask) where no status will tell the server: the host hears of every failure.
    pub(super) fn ask_for_itself<T>(&self, uri: &str, answer: Result<T>) -> Result<T> {
        answer.map_err(as_hosts_own).inspect_err(|error| self.note(uri, error))
    }

    pub(super) fn note(&self, uri: &str, error: &Error) {
        log::warn!("host node {uri}: {error}");
        self.failures.lock().push(HostFailure { uri: uri.to_owned(), error: error.clone() });
    }

    /// Nothing can be done about a failure of these but to tell it.
    fn report(&self, done: Result<()>) {
        if let Err(error) = done {
            self.note(&self.root.uri(), &as_hosts_own(error));
        }
    }
}

/// The error with the code that all failures of a handler have; the number is kept.
fn as_hosts_own(error: Error) -> Error {
    match error.code() {
        Code::Callback => error,
        _ => {
            let number = error.number();
            error.with_code(Code::Callback).with_os_error(number)
        }
    }
}

impl Participant for Bound {
    fn begin(&self, number: u64) -> Result<()> {
        self.ask(&self.root.uri(), self.host.begin(number))
    }

    fn prepare(&self) -> Result<()> {
        self.ask(&self.root.uri(), self.host.prepare())
    }

    fn commit(&self) {
        self.report(self.host.commit());
    }

    fn rollback(&self) {
        self.report(self.host.rollback());
    }
}

/// What a server may do to the root of a bound subtree, if its handler can.
const ROOT: Access = Access::ADD.union(Access::GET).union(Access::EXEC);

impl Tree<'_> {
    /// Makes the node at `root` ready for a handler with these `abilities` and this type: creates it and
    /// what is missing above it, or takes the one that an earlier binding has left.
    ///
    /// Errors: `NotAllowed` for the root and for a place in a standard object; `Exists` if anything is
    /// there or a bound subtree lies at, above or below it; those of [`Tree::add`].
    pub fn place_host_nodes(&mut self, root: &Path, abilities: Access, mime: &str) -> Done {
        let access = abilities.intersection(ROOT);
        if root.is_root() || !matches!(ddf::standard(root), Description::Free) {
            return Err(Refusal::NotAllowed);
        }
        if of(self.reader()).is_some_and(|nodes| nodes.touches(root)) {
            return Err(Refusal::Exists);
        }
        let Some(node) = records::load(self.reader(), root)? else {
            let content = Content::interior(mime);
            let new = NewNode { content, permanent: true, access, ..NewNode::default() };
            self.add(&root.clone().into(), &new)?;
            self.txn.put(Table::Host, root.key(), Node::default().record().encode());
            return Ok(());
        };
        if !node.format.is_interior() || !records::children(self.reader(), root)?.is_empty() {
            return Err(Refusal::Exists);
        }
        let mime = mime.to_owned();
        let node = Node { permanent: true, access, mime, ..node };
        records::update(self.txn, root, &node.record());
        self.txn.put(Table::Host, root.key(), Node::default().record().encode());
        Ok(())
    }

    /// Removes the root of a bound subtree and all that is stored of it.
    pub fn remove_host_nodes(&mut self, root: &Path) -> Done {
        let size = records::load(self.reader(), root)?.ok_or(Refusal::NotFound)?.size;
        for (path, _) in stored_at(self.reader(), root)? {
            self.txn.delete(Table::Host, path.key());
        }
        records::remove(self.txn, std::slice::from_ref(root))?;
        self.note(root, ChangeKind::Deleted, size, 0);
        Ok(())
    }

    /// Lets nothing be done to the roots of subtrees that were bound when the process ended, until
    /// their handlers are there again.
    pub(super) fn suspend_host_nodes(&mut self) -> Done {
        for (path, _) in stored_at(self.reader(), &Path::root())? {
            match records::load(self.reader(), &path)? {
                Some(node) if node.access != Access::GET => {
                    let record = Record { access: Access::GET, ..node.record() };
                    records::update(self.txn, &path, &record);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn stored_at(reader: &dyn Reader, top: &Path) -> Result<Vec<(Path, Node)>> {
    let mut found = Vec::new();
    records::walk_stored(reader, Table::Host, top, &mut |path, node| {
        found.push((path, node));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// What is done to a node of the host's.
pub(super) enum Deed {
    Add,
    Replace,
}

/// Lets the host create a node or replace its value, and stores the properties it does not keep.
pub(super) fn write(
    txn: &mut Txn,
    bound: &Arc<Bound>,
    path: &Path,
    record: &Record<'_>,
    value: &[u8],
    deed: Deed,
) -> Result<()> {
    let (who, uri) = (Arc::clone(bound), path.uri());
    let (format, mime) = (record.format, record.mime.to_owned());
    let octets = Zeroizing::new(value.to_vec());
    let operation: Operation = Box::new(move || {
        let value = HostValue { format, mime: &mime, octets: &octets };
        let done = match deed {
            Deed::Add => who.host.add(&uri, &value),
            Deed::Replace => who.host.replace(&uri, &value),
        };
        who.ask(&uri, done)
    });
    txn.perform(Arc::clone(bound) as Arc<dyn Participant>, operation)?;
    txn.put(Table::Host, path.key(), record.encode());
    Ok(())
}

/// Lets the host remove nodes, which come parents first with all that is below them.
pub(super) fn remove(txn: &mut Txn, bound: &Arc<Bound>, paths: &[&Path]) -> Result<()> {
    let mut top: Option<&Path> = None;
    for path in paths {
        txn.delete(Table::Host, path.key());
        if top.is_some_and(|top| path.is_within(top)) {
            continue;
        }
        top = Some(path);
        let (who, uri) = (Arc::clone(bound), path.uri());
        let operation: Operation = Box::new(move || who.ask(&uri, who.host.remove(&uri)));
        txn.perform(Arc::clone(bound) as Arc<dyn Participant>, operation)?;
    }
    Ok(())
}
