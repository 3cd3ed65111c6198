//! A volatile store, for tests and for hosts that want nothing to survive the process.

use super::tables::Tables;
use super::{Batch, Snapshot, Store};
use crate::error::Result;

/// Tables that live as long as this object.
#[derive(Debug, Default)]
pub struct MemoryStore(Tables);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemoryStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(self.0.snapshot()))
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        self.commit_owned(batch.clone())
    }

    fn commit_owned(&self, batch: Batch) -> Result<()> {
        self.0.apply(batch);
        Ok(())
    }
}
