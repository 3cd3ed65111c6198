//! One store for the whole client: read views at any time, at most one write transaction.
//!
//! Owns the schema version of the content. What the bytes mean is not known here.

use super::change::coalesce;
use super::{Attachment, Batch, Change, Reader, Snapshot, Store, Table, Txn, Visit};
use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Version of keys and records; a store of a newer version is not opened.
const SCHEMA: u32 = 1;
/// Key of the version in [`Table::Meta`].
const SCHEMA_KEY: &[u8] = b"schema";

/// A store with the gate that admits one writer. Clones share both.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
    attachment: Option<Attachment>,
}

struct Inner {
    store: Arc<dyn Store>,
    writing: AtomicBool,
    /// Change sets that nobody has taken yet; `None` if nobody wants them.
    changed: Mutex<Option<Vec<Vec<Change>>>>,
}

impl Database {
    /// Takes the store over; marks an empty one with this build's schema version.
    ///
    /// Errors: `StorageCorrupt` if the content was written by a newer version; what the store gives.
    pub fn new(store: Arc<dyn Store>) -> Result<Self> {
        let found = store.snapshot()?.get(Table::Meta, SCHEMA_KEY)?;
        match found.as_deref().map(<[u8; 4]>::try_from) {
            Some(Ok(bytes)) => check_schema(u32::from_be_bytes(bytes))?,
            Some(Err(_)) => {
                return Err(Error::new(
                    Code::StorageCorrupt,
                    "store: schema version is unreadable",
                ));
            }
            None => {
                let key = (Table::Meta, SCHEMA_KEY.to_vec());
                store.commit(&Batch::from([(key, Some(SCHEMA.to_be_bytes().to_vec()))]))?;
            }
        }
        let (writing, changed) = (AtomicBool::new(false), Mutex::new(None));
        Ok(Self { inner: Arc::new(Inner { store, writing, changed }), attachment: None })
    }

    /// Gives `attachment` to every reader and transaction of this handle and its later clones.
    pub fn attach(&mut self, attachment: Attachment) {
        self.attachment = Some(attachment);
    }

    /// What is committed now.
    pub fn read(&self) -> Result<View> {
        let snapshot = self.inner.store.snapshot()?;
        Ok(View { snapshot, attachment: self.attachment.clone() })
    }

    /// Keeps the changes of every later commit for [`take_changes`](Self::take_changes).
    pub fn watch(&self) {
        self.inner.changed.lock().get_or_insert_default();
    }

    /// The change sets of the commits since the last call, one for each commit that changed anything.
    pub fn take_changes(&self) -> Vec<Vec<Change>> {
        self.inner.changed.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// True while a write transaction is open.
    pub fn is_writing(&self) -> bool {
        self.inner.writing.load(Ordering::Acquire)
    }

    /// Opens the write transaction. Errors: `Busy` while another one is open.
    pub fn begin(&self) -> Result<Txn> {
        let permit = Permit::take(&self.inner)?;
        Ok(Txn::new(self.inner.store.snapshot()?, permit, self.attachment.clone()))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writing = self.inner.writing.load(Ordering::Relaxed);
        f.debug_struct("Database").field("writing", &writing).finish_non_exhaustive()
    }
}

fn check_schema(found: u32) -> Result<()> {
    if (1..=SCHEMA).contains(&found) {
        return Ok(());
    }
    let what = format!("store: schema version {found}, this build reads 1 to {SCHEMA}");
    Err(Error::new(Code::StorageCorrupt, what))
}

/// The right to write; given back when dropped.
pub(super) struct Permit(Arc<Inner>);

impl Permit {
    fn take(inner: &Arc<Inner>) -> Result<Self> {
        if inner.writing.swap(true, Ordering::Acquire) {
            return Err(Error::new(Code::Busy, "store: another write transaction is open"));
        }
        Ok(Self(Arc::clone(inner)))
    }

    pub(super) fn commit(&self, batch: &Batch, changes: &[Change]) -> Result<()> {
        self.0.store.commit(batch)?;
        if let Some(changed) = self.0.changed.lock().as_mut() {
            let set = coalesce(changes);
            if !set.is_empty() {
                changed.push(set);
            }
        }
        Ok(())
    }

    pub(super) fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.0.store.snapshot()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.writing.store(false, Ordering::Release);
    }
}

/// Read access to one committed state.
pub struct View {
    snapshot: Box<dyn Snapshot>,
    attachment: Option<Attachment>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

impl Reader for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.snapshot.get(table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()> {
        self.snapshot.scan(table, prefix, from, visit)
    }

    fn attachment(&self) -> Option<&Attachment> {
        self.attachment.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn with_schema(value: &[u8]) -> Result<Database> {
        let store = MemoryStore::new();
        let key = (Table::Meta, SCHEMA_KEY.to_vec());
        store.commit(&Batch::from([(key, Some(value.to_vec()))])).unwrap();
        Database::new(Arc::new(store))
    }

    #[test]
    fn a_newer_schema_is_refused_with_both_numbers() {
        let error = with_schema(&2u32.to_be_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::StorageCorrupt);
        assert_eq!(error.what(), "store: schema version 2, this build reads 1 to 1");
        assert_eq!(with_schema(b"1").unwrap_err().code(), Code::StorageCorrupt);
        assert!(with_schema(&1u32.to_be_bytes()).is_ok());
    }

    #[test]
    fn one_writer_at_a_time() {
        let database = Database::new(Arc::new(MemoryStore::new())).unwrap();
        let first = database.begin().unwrap();
        assert_eq!(database.clone().begin().unwrap_err().code(), Code::Busy);
        drop(first);
        assert!(database.begin().is_ok());
    }

    #[test]
    fn a_checkpoint_is_durable_and_keeps_the_gate() {
        let database = Database::new(Arc::new(MemoryStore::new())).unwrap();
        let mut txn = database.begin().unwrap();
        txn.put(Table::Node, b"a", b"1".to_vec());
        txn.checkpoint().unwrap();
        assert_eq!(database.begin().unwrap_err().code(), Code::Busy);
        assert_eq!(txn.get(Table::Node, b"a").unwrap().as_deref(), Some(&b"1"[..]));
        let savepoint = txn.savepoint();
        txn.put(Table::Node, b"b", b"2".to_vec());
        txn.rollback_to(savepoint);
        drop(txn);
        let view = database.read().unwrap();
        assert_eq!(view.get(Table::Node, b"a").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(view.get(Table::Node, b"b").unwrap(), None);
    }
}
