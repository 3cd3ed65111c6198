//! A write transaction: reads its own writes, can go back to savepoints, commits as one batch.
//!
//! Also keeps the list of changes the layer above reports, so that it follows the savepoints.

use super::database::{Permit, View};
use super::tables::Place;
use super::{Batch, Reader, Table, Visit};
use crate::error::Result;
use std::fmt;
use std::ops::{Bound, ControlFlow};

/// What happened to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was created.
    Added,
    /// Its value was replaced.
    Replaced,
    /// It was deleted with all below it.
    Deleted,
    /// It has this URI now instead of another one.
    Renamed,
    /// Its ACL or title was replaced.
    Property,
}

/// Who changed a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The server with this identifier.
    Server(String),
    /// A bootstrap document.
    Bootstrap,
    /// The host or the library itself.
    Host,
}

/// One change of the tree, told after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The node's URI.
    pub uri: String,
    /// What happened.
    pub kind: ChangeKind,
    /// Who did it.
    pub by: By,
}

/// An overlay entry before it was overwritten: `None` if there was none.
type Undo = ((Table, Vec<u8>), Option<Option<Vec<u8>>>);

/// A place to go back to.
#[derive(Debug)]
#[must_use = "pass it to rollback_to or release"]
pub struct Savepoint(u64);

#[derive(Debug)]
struct Mark {
    id: u64,
    journal: usize,
    changes: usize,
}

/// The one open write transaction of a database. Dropping it discards everything.
pub struct Txn {
    view: View,
    /// As it is going to be written: secret values are sealed already.
    overlay: Batch,
    journal: Vec<Undo>,
    marks: Vec<Mark>,
    next_mark: u64,
    changes: Vec<Change>,
    permit: Permit,
}

impl fmt::Debug for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets: only counts.
        f.debug_struct("Txn")
            .field("writes", &self.overlay.len())
            .field("savepoints", &self.marks.len())
            .finish_non_exhaustive()
    }
}

impl Txn {
    pub(super) fn new(view: View, permit: Permit) -> Self {
        Self {
            view,
            overlay: Batch::new(),
            journal: Vec::new(),
            marks: Vec::new(),
            next_mark: 0,
            changes: Vec::new(),
            permit,
        }
    }

    /// Writes `value` under `key`.
    pub fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        let value = self.view.sealed(table, key, value);
        self.set(table, key, Some(value));
    }

    /// Removes the entry, if there is one.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.set(table, key, None);
    }

    fn set(&mut self, table: Table, key: &[u8], value: Option<Vec<u8>>) {
        if self.marks.is_empty() {
            // Single values are written again and again, nodes rarely.
            let written = match table {
                Table::Meta => self.overlay.get_mut(&(table, key) as &dyn Place),
                _ => None,
            };
            match written {
                Some(written) => *written = value,
                None => drop(self.overlay.insert((table, key.to_vec()), value)),
            }
        } else {
            let key = (table, key.to_vec());
            let before = self.overlay.insert(key.clone(), value);
            self.journal.push((key, before));
        }
    }

    /// Notes a change for the time after the commit.
    pub fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Changes noted so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Marks the present state. Savepoints nest.
    pub fn savepoint(&mut self) -> Savepoint {
        let id = self.next_mark;
        self.next_mark += 1;
        let (journal, changes) = (self.journal.len(), self.changes.len());
        self.marks.push(Mark { id, journal, changes });
        Savepoint(id)
    }

    /// Undoes everything since `savepoint` and forgets it with the ones inside it.
    ///
    /// A savepoint that an outer one already took along is ignored.
    pub fn rollback_to(&mut self, savepoint: Savepoint) {
        let Some(mark) = self.close(&savepoint) else { return };
        while self.journal.len() > mark.journal {
            let Some((key, before)) = self.journal.pop() else { break };
            match before {
                Some(before) => self.overlay.insert(key, before),
                None => self.overlay.remove(&key),
            };
        }
        self.changes.truncate(mark.changes);
    }

    /// Keeps everything since `savepoint` and forgets it with the ones inside it.
    pub fn release(&mut self, savepoint: Savepoint) {
        if self.close(&savepoint).is_some() && self.marks.is_empty() {
            self.journal.clear();
        }
    }

    fn close(&mut self, savepoint: &Savepoint) -> Option<Mark> {
        let at = self.marks.iter().position(|mark| mark.id == savepoint.0)?;
        self.marks.truncate(at + 1);
        self.marks.pop()
    }

    /// Makes all writes durable, or none, and goes on without letting anybody else write. Returns
    /// the changes noted; savepoints are forgotten.
    ///
    /// Errors: what the store gives; the store then still holds the state before.
    pub fn checkpoint(&mut self) -> Result<Vec<Change>> {
        self.journal.clear();
        self.marks.clear();
        if !self.overlay.is_empty() {
            self.permit.commit(std::mem::take(&mut self.overlay))?;
            self.view = self.permit.view()?;
        }
        Ok(std::mem::take(&mut self.changes))
    }

    /// Makes all writes durable, or none, and returns the changes noted.
    ///
    /// Nothing is written when there is nothing to write. Errors: what the store gives; the store
    /// then still holds the state before.
    pub fn commit(self) -> Result<Vec<Change>> {
        let Self { view, overlay, changes, permit, .. } = self;
        // A store in memory copies itself while a snapshot looks at it.
        drop(view);
        if !overlay.is_empty() {
            permit.commit(overlay)?;
        }
        Ok(changes)
    }
}

impl Reader for Txn {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.overlay.get(&(table, key) as &dyn Place) {
            Some(Some(value)) => self.view.unsealed(table, key, value.clone()).map(Some),
            Some(None) => Ok(None),
            None => self.view.get(table, key),
        }
    }

    fn is_secret(&self, key: &[u8]) -> bool {
        self.view.is_secret(key)
    }

    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()> {
        let scan = |visit: Visit<'_>| self.scan_written(table, prefix, from, visit);
        self.view.unsealing(table, visit, scan)
    }
}

impl Txn {
    /// The entries as they are or are going to be written.
    fn scan_written(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        visit: Visit<'_>,
    ) -> Result<()> {
        let start: &dyn Place = &(table, prefix.max(from));
        let mut ours = self
            .overlay
            .range::<dyn Place, _>((Bound::Included(start), Bound::Unbounded))
            .take_while(|((at, key), _)| *at == table && key.starts_with(prefix))
            .peekable();
        let mut ended = false;
        self.view.scan_written(table, prefix, from, &mut |key, value| {
            // Our entries before the committed one, then ours instead of it.
            let mut hidden = false;
            while let Some(((_, our_key), our_value)) =
                ours.next_if(|((_, our_key), _)| our_key.as_slice() <= key)
            {
                hidden = our_key.as_slice() == key;
                if let Some(our_value) = our_value
                    && visit(our_key, our_value).is_break()
                {
                    ended = true;
                    return ControlFlow::Break(());
                }
            }
            if !hidden && visit(key, value).is_break() {
                ended = true;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        if ended {
            return Ok(());
        }
        for ((_, key), value) in ours {
            if let Some(value) = value
                && visit(key, value).is_break()
            {
                break;
            }
        }
        Ok(())
    }
}
