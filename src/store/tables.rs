//! Tables held in memory, shared by the volatile store and the blob store.
//!
//! Owns copy-on-write snapshots of them. Knows nothing about durability.

use super::{Batch, Entries, Snapshot, Table, Visit};
use crate::error::Result;
use parking_lot::RwLock;
use std::borrow::Cow;
use std::ops::Bound;
use std::sync::Arc;

/// What is committed.
pub(super) type Committed = Entries<Vec<u8>>;

/// The committed entries; a snapshot shares them until the next commit.
#[derive(Debug, Default)]
pub(super) struct Tables(RwLock<Arc<Committed>>);

impl Tables {
    pub(super) fn new(entries: Committed) -> Self {
        Self(RwLock::new(Arc::new(entries)))
    }

    pub(super) fn snapshot(&self) -> Shared {
        Shared(Arc::clone(&self.0.read()))
    }

    /// Copies the entries only if a snapshot still looks at them.
    pub(super) fn apply(&self, batch: Batch) {
        let mut entries = self.0.write();
        let entries = Arc::make_mut(&mut entries);
        for (table, batch) in batch.into_tables() {
            let entries = entries.table_mut(table);
            for (key, value) in batch {
                match value {
                    Some(value) => entries.insert(key, value),
                    None => entries.remove(&key),
                };
            }
        }
    }
}

/// A consistent view of [`Tables`].
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<Committed>);

impl Snapshot for Shared {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        Ok(self.0.table(table).get(key).map(Cow::from))
    }

    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()> {
        let bounds = (Bound::Included(prefix.max(from)), Bound::Unbounded);
        for (key, value) in self.0.table(table).range::<[u8], _>(bounds) {
            if !key.starts_with(prefix) || visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}
