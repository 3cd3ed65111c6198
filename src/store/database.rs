//! One store for the whole client: read views at any time, at most one write transaction.
//!
//! Owns the opening of a store (schema, key, rules of secrecy) and the rotation of its key. What the
//! bytes mean is not known here.

use super::change::coalesce;
use super::seal::{self, Vault};
use super::{
    Attachment, Batch, Change, KeySource, Reader, Secrecy, Snapshot, Store, Table, Txn, Visit,
    schema,
};
use crate::error::{Code, Error, Result};
use crate::random::Random;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Key in [`Table::Meta`] that says: old values may be left on the medium, and an old key.
const SWEEP_KEY: &[u8] = b"sweep";

/// A store with the gate that admits one writer. Clones share both.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
    attachment: Option<Attachment>,
}

struct Inner {
    store: Arc<dyn Store>,
    vault: Option<Vault>,
    writing: AtomicBool,
    /// Change sets that nobody has taken yet; `None` if nobody wants them.
    changed: Mutex<Option<Vec<Vec<Change>>>>,
}

/// What a store is sealed with.
pub struct Sealing {
    /// Where its keys are.
    pub keys: Arc<dyn KeySource>,
    /// Which values are secret.
    pub secrecy: Box<dyn Secrecy>,
    /// Unpredictable octets for nonces and new keys.
    pub random: Box<dyn Random>,
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Database {
    /// Takes over a store in which nothing is secret: a volatile one, or one in a test.
    ///
    /// Errors: `StorageKey` if it is sealed, and those of [`Self::open`].
    pub fn new(store: Arc<dyn Store>) -> Result<Self> {
        Self::prepare(store, None)
    }

    /// Takes the store over. An empty or older one is brought to the present schema, and what lies open
    /// although it is secret by now is sealed, in one commit.
    ///
    /// Errors: `StorageVersion` if it was written by a newer version; `StorageKey` if its key is missing
    /// or another one; `StorageCorrupt`; what store and key source give. Nothing is changed then.
    pub fn open(store: Arc<dyn Store>, sealing: Sealing) -> Result<Self> {
        Self::prepare(store, Some(sealing))
    }

    fn prepare(store: Arc<dyn Store>, sealing: Option<Sealing>) -> Result<Self> {
        let snapshot = store.snapshot()?;
        let mut batch = Batch::new();
        schema::migrate(&*snapshot, &mut batch)?;
        let mut sweep = snapshot.get(Table::Meta, SWEEP_KEY)?.is_some();
        let vault = match sealing {
            None => {
                seal::check_unsealed(&*snapshot)?;
                None
            }
            Some(Sealing { keys, secrecy, random }) => {
                let (vault, moved) = Vault::open(keys, secrecy, random, &*snapshot, &mut batch)?;
                if moved {
                    batch.extend([to_sweep(true)]);
                    sweep = true;
                }
                Some(vault)
            }
        };
        drop(snapshot);
        if !batch.is_empty() {
            store.commit(&batch)?;
        }
        let (writing, changed) = (AtomicBool::new(false), Mutex::new(None));
        let inner = Arc::new(Inner { store, vault, writing, changed });
        if sweep {
            inner.sweep();
        }
        Ok(Self { inner, attachment: None })
    }

    /// Seals everything with a new key, in one commit, and forgets the old one.
    ///
    /// Views that are open keep what they see. Errors: `NotSupported` if nothing is sealed, `Busy` while
    /// a write transaction is open, what store and key source give; the old key stays in use then.
    pub fn rotate_key(&self) -> Result<()> {
        let vault = self.inner.vault.as_ref().ok_or_else(|| {
            Error::new(Code::NotSupported, "store: nothing is sealed in a store that is not kept")
        })?;
        let permit = self.permit()?;
        let (next, mut batch) = vault.reseal(&*self.inner.store.snapshot()?)?;
        batch.extend([to_sweep(true)]);
        vault.admit(&next);
        permit.commit(batch, &[])?;
        vault.switch(next);
        self.inner.sweep();
        Ok(())
    }

    /// Gives `attachment` to every reader and transaction of this handle and its later clones.
    pub fn attach(&mut self, attachment: Attachment) {
        self.attachment = Some(attachment);
    }

    /// What is committed now.
    pub fn read(&self) -> Result<View> {
        self.inner.view(self.attachment.clone())
    }

    /// Keeps the changes of every later commit for [`take_changes`](Self::take_changes).
    pub fn watch(&self) {
        self.inner.changed.lock().get_or_insert_default();
    }

    /// The change sets of the commits since the last call, one for each commit that changed anything.
    pub fn take_changes(&self) -> Vec<Vec<Change>> {
        self.inner.changed.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// To be called at rest: what the store does to be opened sooner after a process that did not close it.
    /// While somebody writes it does nothing; nothing is lost when it fails.
    pub fn settle(&self) {
        let Ok(_permit) = self.permit() else { return };
        if let Err(error) = self.inner.store.settle() {
            log::warn!("store: the next opening may take longer: {error}");
        }
    }

    /// True while a write transaction is open.
    pub fn is_writing(&self) -> bool {
        self.inner.writing.load(Ordering::Acquire)
    }

    /// Opens the write transaction. Errors: `Busy` while another one is open.
    pub fn begin(&self) -> Result<Txn> {
        let permit = self.permit()?;
        Ok(Txn::new(permit.view()?, permit))
    }

    fn permit(&self) -> Result<Permit> {
        Permit::take(&self.inner, self.attachment.clone())
    }
}

/// Notes in a batch that there is something to sweep, or nothing any more.
fn to_sweep(due: bool) -> ((Table, Vec<u8>), Option<Vec<u8>>) {
    ((Table::Meta, SWEEP_KEY.to_vec()), due.then(Vec::new))
}

impl Inner {
    fn view(self: &Arc<Self>, attachment: Option<Attachment>) -> Result<View> {
        Ok(View { snapshot: self.store.snapshot()?, inner: Arc::clone(self), attachment })
    }

    /// Takes from the medium what was open or sealed with an older key. What fails is tried again at the
    /// next opening.
    fn sweep(&self) {
        let forgotten = self.vault.as_ref().map_or(Ok(()), |vault| vault.forget_previous());
        let swept = forgotten
            .and_then(|()| self.store.scrub())
            .and_then(|()| self.store.commit(&Batch::from([to_sweep(false)])));
        if let Err(error) = swept {
            log::warn!("store: old values are left on the medium: {error}");
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writing = self.inner.writing.load(Ordering::Relaxed);
        f.debug_struct("Database").field("writing", &writing).finish_non_exhaustive()
    }
}

/// The right to write; given back when dropped.
pub(super) struct Permit {
    inner: Arc<Inner>,
    attachment: Option<Attachment>,
}

impl Permit {
    fn take(inner: &Arc<Inner>, attachment: Option<Attachment>) -> Result<Self> {
        if inner.writing.swap(true, Ordering::Acquire) {
            return Err(Error::new(Code::Busy, "store: another write transaction is open"));
        }
        Ok(Self { inner: Arc::clone(inner), attachment })
    }

    pub(super) fn commit(&self, batch: Batch, changes: &[Change]) -> Result<()> {
        self.inner.store.commit_owned(batch)?;
        if let Some(changed) = self.inner.changed.lock().as_mut() {
            let set = coalesce(changes);
            if !set.is_empty() {
                changed.push(set);
            }
        }
        Ok(())
    }

    pub(super) fn view(&self) -> Result<View> {
        self.inner.view(self.attachment.clone())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.inner.writing.store(false, Ordering::Release);
    }
}

/// Read access to one committed state. The store stays open as long as there is one.
pub struct View {
    snapshot: Box<dyn Snapshot>,
    inner: Arc<Inner>,
    attachment: Option<Attachment>,
}

impl View {
    /// `value` as it is written.
    pub(super) fn sealed(&self, table: Table, key: &[u8], value: Vec<u8>) -> Vec<u8> {
        match self.vault_of(table) {
            Some(vault) => vault.seal(table, key, value),
            None => value,
        }
    }

    /// What was written as `value`.
    pub(super) fn unsealed<'v>(
        &self,
        table: Table,
        key: &[u8],
        value: Cow<'v, [u8]>,
    ) -> Result<Cow<'v, [u8]>> {
        match self.vault_of(table) {
            Some(vault) => Ok(vault.unseal(table, key, &value)?.into()),
            None => Ok(value),
        }
    }

    fn vault_of(&self, table: Table) -> Option<&Vault> {
        self.inner.vault.as_ref().filter(|_| table == Table::Secret)
    }

    /// The entries as they are written.
    pub(super) fn scan_written(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        visit: Visit<'_>,
    ) -> Result<()> {
        self.snapshot.scan(table, prefix, from, visit)
    }

    /// Visits entries as [`Self::sealed`] made them with their clear values.
    pub(super) fn unsealing(
        &self,
        table: Table,
        visit: Visit<'_>,
        scan: impl FnOnce(Visit<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(vault) = self.vault_of(table) else { return scan(visit) };
        let mut failed = None;
        scan(&mut |key, sealed| match vault.unseal(table, key, sealed).map(Zeroizing::new) {
            Ok(value) => visit(key, &value),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

impl Reader for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        let found = self.snapshot.get(table, key)?;
        found.map(|value| self.unsealed(table, key, value)).transpose()
    }

    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()> {
        let scan = |visit: Visit<'_>| self.scan_written(table, prefix, from, visit);
        self.unsealing(table, visit, scan)
    }

    fn attachment(&self) -> Option<&Attachment> {
        self.attachment.as_ref()
    }

    fn is_secret(&self, key: &[u8]) -> bool {
        self.inner.vault.as_ref().is_some_and(|vault| vault.covers(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn one_writer_at_a_time() {
        let database = Database::new(Arc::new(MemoryStore::new())).unwrap();
        let first = database.begin().unwrap();
        assert_eq!(database.clone().begin().unwrap_err().code(), Code::Busy);
        drop(first);
        assert!(database.begin().is_ok());
    }

    #[test]
    fn what_was_found_out_is_forgotten_with_every_change() {
        let database = Database::new(Arc::new(MemoryStore::new())).unwrap();
        let mut txn = database.begin().unwrap();
        let changes: [fn(&mut Txn); 5] = [
            |txn| txn.put(Table::Node, b"a", b"1".to_vec()),
            |txn| txn.delete(Table::Node, b"a"),
            |txn| txn.put_single(b"n", b"1"),
            |txn| txn.put_single(b"n", b"2"),
            Txn::undo,
        ];
        for change in changes {
            txn.keep(Box::new(7_u32));
            assert_eq!((txn.memo(), txn.memo::<u8>()), (Some(&7_u32), None));
            change(&mut txn);
            assert_eq!(txn.memo::<u32>(), None);
        }
        let savepoint = txn.savepoint();
        txn.keep(Box::new(8_u32));
        txn.rollback_to(savepoint);
        assert_eq!(txn.memo::<u32>(), None);
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
