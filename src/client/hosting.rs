//! What the host adds to the tree: subtrees that it keeps, the running of their nodes, descriptions.

use super::Client;
use super::core::Core;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind};
use crate::session::Execution;
use crate::store::committed_number;
use crate::tree::ddf_document::{self, DdfDocument};
use crate::tree::{Actor, HostExec, HostNodes, Path, Refusal, Tree};

/// Status of an Exec that nobody runs: the feature is not there.
const NOBODY: u16 = 406;

impl Client {
    /// Gives the subtree at `uri` to `host`.
    pub fn bind(&self, uri: &str, host: Box<dyn HostNodes>) -> Result<()> {
        let root = Path::parse(uri)?;
        self.0.seat.call(move |core| core.bind(root, host))?
    }

    /// Takes the subtree at `uri` away from its handler; the node goes, with its properties.
    pub fn unbind(&self, uri: &str) -> Result<()> {
        let root = Path::parse(uri)?;
        self.0.seat.call(move |core| core.unbind(&root))?
    }
}

impl Client {
    /// Registers a description document (DDF, in either encoding) for the nodes below `uri`, in place of
    /// the one before at the same `uri`; no octets only remove that.
    pub fn describe(&self, uri: &str, document: &[u8]) -> Result<()> {
        let at = Path::parse(uri)?;
        self.db()?;
        let document = match document {
            [] => DdfDocument::default(),
            octets => ddf_document::read(octets).map_err(Error::from)?,
        };
        self.0.hosted.descriptions.register(&at, &document)
    }
}

impl Core {
    fn bind(&mut self, root: Path, host: Box<dyn HostNodes>) -> Result<()> {
        // The writer's place comes first: a handler is not troubled for what has to wait.
        let mut txn = self.db.begin()?;
        let (now, committed) = (self.now(), committed_number(&txn)?);
        let nodes = &self.hosted.nodes;
        nodes.bind(root, host, committed, |root, abilities, mime| {
            Tree::new(&mut txn, Actor::Host, now).place_host_nodes(root, abilities, mime)?;
            txn.commit().map(drop)
        })
    }

    fn unbind(&mut self, root: &Path) -> Result<()> {
        let mut txn = self.db.begin()?;
        if !self.hosted.nodes.is_root(root) {
            return Err(Error::new(Code::NodeNotFound, format!("{root} is not bound")));
        }
        Tree::new(&mut txn, Actor::Host, self.now()).remove_host_nodes(root)?;
        txn.commit()?;
        self.hosted.nodes.remove(root);
        Ok(())
    }

    /// Lets the host run a node; the status for the server.
    pub(super) fn execute(&self, execution: &Execution, session_id: u64, server_id: &str) -> u16 {
        let uri = execution.uri.as_str();
        let bound = Path::parse(uri).ok().and_then(|path| self.hosted.nodes.at(&path));
        let Some(bound) = bound else { return NOBODY };
        let argument = execution.argument.as_deref().unwrap_or_default();
        let correlator = execution.correlator.as_deref();
        let request = HostExec { uri, argument, correlator, session_id, server_id };
        bound.exec(&request).unwrap_or_else(|refusal: Refusal| refusal.status())
    }

    /// What the host's handlers could not do, as events.
    pub(super) fn handler_failures(&self) -> impl Iterator<Item = Event> {
        let failures = self.hosted.nodes.take_failures().into_iter();
        failures.map(|failure| {
            Event::new(EventKind::NodeFailed).uri(failure.uri).failed(&failure.error)
        })
    }
}
