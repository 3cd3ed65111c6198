//! A write transaction: reads its own writes, can go back to savepoints, commits as one batch.
//!
//! Also keeps the list of changes the layer above reports, so that it follows the savepoints.

use super::database::{Permit, View};
use super::outside::{Operation, Outside, Participant};
use super::{Attachment, Batch, Change, Reader, Table, Visit};
use crate::error::{Code, Error, Result};
use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// Number of the last committed transaction with participants, in [`Table::Meta`].
const NUMBER_KEY: &[u8] = b"host";

/// An overlay entry before it was overwritten: `None` if there was none.
type Undo = ((Table, Vec<u8>), Option<Option<Vec<u8>>>);

/// A place to go back to.
#[derive(Debug)]
#[must_use = "pass it to rollback_to or release"]
pub struct Savepoint(u64);

#[derive(Debug)]
struct Mark {
    id: u64,
    /// What was written to [`Table::Meta`]: so few values that no journal is kept of them.
    singles: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    journal: usize,
    changes: usize,
    outside: usize,
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
    outside: Outside,
    /// What the layer above has found out about the present state; nothing else.
    memo: Option<Box<dyn Any + Send>>,
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
            outside: Outside::default(),
            memo: None,
            permit,
        }
    }

    /// Writes `value` under `key`.
    pub fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        let value = self.view.sealed(table, key, value);
        self.set(table, key, Some(value));
    }

    /// Writes a value of [`Table::Meta`], where the same ones are written again and again.
    pub fn put_single(&mut self, key: &[u8], value: &[u8]) {
        match self.overlay.table_mut(Table::Meta).get_mut(key) {
            Some(Some(written)) => {
                written.clear();
                written.extend_from_slice(value);
                self.memo = None;
            }
            _ => self.put(Table::Meta, key, value.to_vec()),
        }
    }

    /// Removes the entry, if there is one.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.set(table, key, None);
    }

    fn set(&mut self, table: Table, key: &[u8], value: Option<Vec<u8>>) {
        self.memo = None;
        if self.marks.is_empty() || table == Table::Meta {
            self.overlay.insert((table, key.to_vec()), value);
        } else {
            let key = (table, key.to_vec());
            let before = self.overlay.insert(key.clone(), value);
            self.journal.push((key, before));
        }
    }

    /// Keeps what was found out about the present state, in place of what was kept before. Whatever is
    /// written or undone forgets it.
    pub fn keep(&mut self, memo: Box<dyn Any + Send>) {
        self.memo = Some(memo);
    }

    /// What was kept, if it is a `T`.
    pub fn memo<T: Any>(&self) -> Option<&T> {
        self.memo.as_ref()?.downcast_ref()
    }

    /// Takes what was kept; it is gone if it is no `T`.
    pub fn take_memo<T: Any>(&mut self) -> Option<Box<T>> {
        self.memo.take()?.downcast().ok()
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
        let singles = self.overlay.table(Table::Meta).clone();
        let (journal, changes) = (self.journal.len(), self.changes.len());
        self.marks.push(Mark { id, singles, journal, changes, outside: self.outside.mark() });
        Savepoint(id)
    }

    /// Undoes everything since `savepoint` and forgets it with the ones inside it.
    ///
    /// A savepoint that an outer one already took along is ignored.
    pub fn rollback_to(&mut self, savepoint: Savepoint) {
        let Some(mark) = self.close(&savepoint) else { return };
        self.memo = None;
        *self.overlay.table_mut(Table::Meta) = mark.singles;
        while self.journal.len() > mark.journal {
            let Some((key, before)) = self.journal.pop() else { break };
            match before {
                Some(before) => self.overlay.insert(key, before),
                None => self.overlay.table_mut(key.0).remove(&key.1),
            };
        }
        self.changes.truncate(mark.changes);
        self.outside.go_back(mark.outside);
    }

    /// Undoes everything since the beginning or the last [`checkpoint`](Self::checkpoint), and forgets the
    /// savepoints. Nobody outside takes part any more.
    pub fn undo(&mut self) {
        self.memo = None;
        self.overlay = Batch::new();
        self.journal.clear();
        self.marks.clear();
        self.changes.clear();
        self.outside = Outside::default();
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

    /// Makes a change of somebody outside the store that is part of this transaction: it is undone with
    /// it, and by [`rollback_to`](Self::rollback_to).
    ///
    /// Errors: what participant or change gives; nothing is changed then.
    pub fn perform(&mut self, who: Arc<dyn Participant>, what: Operation) -> Result<()> {
        if self.outside.is_idle() {
            let number = committed_number(self)? + 1;
            self.outside.number_from(number);
        }
        self.outside.perform(who, what)
    }

    /// True if somebody outside takes part.
    pub fn has_participants(&self) -> bool {
        !self.outside.is_idle()
    }

    /// Asks those who take part to promise that a commit will not fail. Errors: a refusal.
    pub fn prepare(&mut self) -> Result<()> {
        self.outside.prepare()
    }

    /// Everything to be made durable; with participants also that their transaction is decided.
    fn seal(&mut self) -> Result<()> {
        self.prepare()?;
        if !self.outside.is_idle() {
            let number = committed_number(self)? + 1;
            let key = (Table::Meta, NUMBER_KEY.to_vec());
            self.overlay.insert(key, Some(number.to_be_bytes().to_vec()));
        }
        Ok(())
    }

    /// Makes all writes durable, or none, and goes on without letting anybody else write. Returns
    /// the changes noted; savepoints are forgotten.
    ///
    /// Errors: what the store gives; the store then still holds the state before.
    pub fn checkpoint(&mut self) -> Result<Vec<Change>> {
        self.seal()?;
        if !self.overlay.is_empty() {
            self.permit.commit(std::mem::take(&mut self.overlay), &self.changes)?;
            self.view = self.permit.view()?;
        }
        self.outside.commit();
        self.journal.clear();
        self.marks.clear();
        Ok(std::mem::take(&mut self.changes))
    }

    /// Makes all writes durable, or none, and returns the changes noted.
    ///
    /// Nothing is written when there is nothing to write. Errors: what the store or a participant gives;
    /// the store then still holds the state before, and the participants are rolled back.
    pub fn commit(mut self) -> Result<Vec<Change>> {
        self.seal()?;
        let Self { view, overlay, changes, permit, mut outside, .. } = self;
        // A store in memory copies itself while a snapshot looks at it.
        drop(view);
        if !overlay.is_empty() {
            permit.commit(overlay, &changes)?;
        }
        outside.commit();
        Ok(changes)
    }
}

/// Number of the last transaction with participants that was committed; 0 if there was none.
pub fn committed_number(reader: &dyn Reader) -> Result<u64> {
    match reader.get(Table::Meta, NUMBER_KEY)?.as_deref().map(<[u8; 8]>::try_from) {
        None => Ok(0),
        Some(Ok(number)) => Ok(u64::from_be_bytes(number)),
        Some(Err(_)) => {
            let what = "store: the number of the last transaction is damaged";
            Err(Error::new(Code::StorageCorrupt, what))
        }
    }
}

impl Reader for Txn {
    fn attachment(&self) -> Option<&Attachment> {
        self.view.attachment()
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        let written = self.overlay.table(table);
        // Much is written in the order of the keys: then there is nothing to search for what comes next.
        let is_next = written.last_key_value().is_none_or(|(last, _)| last.as_slice() < key);
        let written = if is_next { None } else { written.get(key) };
        match written {
            Some(Some(value)) => self.view.unsealed(table, key, value.into()).map(Some),
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
        let bounds = (Bound::Included(prefix.max(from)), Bound::Unbounded);
        let mut ours = self
            .overlay
            .table(table)
            .range::<[u8], _>(bounds)
            .take_while(|(key, _)| key.starts_with(prefix))
            .peekable();
        let mut ended = false;
        self.view.scan_written(table, prefix, from, &mut |key, value| {
            // Our entries before the committed one, then ours instead of it.
            let mut hidden = false;
            while let Some((our_key, our_value)) =
                ours.next_if(|(our_key, _)| our_key.as_slice() <= key)
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
        for (key, value) in ours {
            if let Some(value) = value
                && visit(key, value).is_break()
            {
                break;
            }
        }
        Ok(())
    }
}
