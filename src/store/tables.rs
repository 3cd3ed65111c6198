//! Tables held in memory, shared by the volatile store and the blob store.
//!
//! Owns copy-on-write snapshots of one ordered map. Knows nothing about durability.

use super::{Batch, Snapshot, Table, Visit};
use crate::error::Result;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

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
    pub(super) fn apply(&self, batch: &Batch) {
        let mut entries = self.0.write();
        let entries = Arc::make_mut(&mut entries);
        for (key, value) in batch {
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
    }
}

/// A consistent view of [`Tables`].
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<Entries>);

impl Snapshot for Shared {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()> {
        let start = (table, prefix.max(from).to_vec());
        for ((at, key), value) in self.0.range((Bound::Included(start), Bound::Unbounded)) {
            if *at != table || !key.starts_with(prefix) || visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}
