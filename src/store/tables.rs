//! Tables held in memory, shared by the volatile store and the blob store.
//!
//! Owns copy-on-write snapshots of one ordered map. Knows nothing about durability.

use super::{Batch, Snapshot, Table, Visit};
use crate::error::Result;
use parking_lot::RwLock;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// The place of an entry. Lets a map with keys of its own be asked with a borrowed one.
pub(super) trait Place {
    fn place(&self) -> (Table, &[u8]);
}

impl Place for (Table, Vec<u8>) {
    fn place(&self) -> (Table, &[u8]) {
        (self.0, &self.1)
    }
}

impl Place for (Table, &[u8]) {
    fn place(&self) -> (Table, &[u8]) {
        *self
    }
}

impl<'a> Borrow<dyn Place + 'a> for (Table, Vec<u8>) {
    fn borrow(&self) -> &(dyn Place + 'a) {
        self
    }
}

impl PartialEq for dyn Place + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for dyn Place + '_ {}

impl PartialOrd for dyn Place + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Place + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

/// All entries of all tables.
pub(super) type Entries = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// The committed entries; a snapshot shares them until the next commit.
#[derive(Debug, Default)]
pub(super) struct Tables(RwLock<Arc<Entries>>);

impl Tables {
    pub(super) fn new(entries: Entries) -> Self {
        Self(RwLock::new(Arc::new(entries)))
    }

    pub(super) fn snapshot(&self) -> Shared {
        Shared(Arc::clone(&self.0.read()))
    }

    /// Copies the map only if a snapshot still looks at it.
    pub(super) fn apply(&self, batch: Batch) {
        let mut entries = self.0.write();
        let entries = Arc::make_mut(&mut entries);
        for (key, value) in batch {
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
    }
}

/// A consistent view of [`Tables`].
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<Entries>);

impl Snapshot for Shared {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(&(table, key) as &dyn Place).cloned())
    }

    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()> {
        let start: &dyn Place = &(table, prefix.max(from));
        for ((at, key), value) in
            self.0.range::<dyn Place, _>((Bound::Included(start), Bound::Unbounded))
        {
            if *at != table || !key.starts_with(prefix) || visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}
