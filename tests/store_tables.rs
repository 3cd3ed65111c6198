//! Every store does the same: ordered tables, snapshots, one writer, atomic commits.
#![allow(clippy::unwrap_used)]

use dmsc::error::{Code, Error, Result};
use dmsc::store::blob::{BlobStorage, BlobStore};
use dmsc::store::memory::MemoryStore;
use dmsc::store::{Batch, Change, ChangeKind, Database, Reader, Snapshot, Store, Table, Txn};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Blobs in memory that outlive the store; can fail on demand.
#[derive(Clone, Default)]
struct Blobs(Arc<Mutex<HashMap<String, Vec<u8>>>>, Arc<AtomicBool>);

impl BlobStorage for Blobs {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap().get(name).cloned())
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<()> {
        if self.1.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Callback, "host storage: save failed"));
        }
        self.0.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}

/// A store whose commits fail while told so.
struct Failing(MemoryStore, Arc<AtomicBool>);

impl Store for Failing {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.0.snapshot()
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        if self.1.load(Ordering::Relaxed) {
            return Err(Error::new(Code::StorageFull, "store: no room"));
        }
        self.0.commit(batch)
    }
}

fn memory() -> Database {
    Database::new(Arc::new(MemoryStore::new())).unwrap()
}

fn blob(blobs: &Blobs) -> Result<Database> {
    Database::new(Arc::new(BlobStore::open(Arc::new(blobs.clone()))?))
}

fn entries(reader: &dyn Reader, prefix: &[u8], from: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    reader
        .scan(Table::Node, prefix, from, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn keys(reader: &dyn Reader) -> Vec<Vec<u8>> {
    entries(reader, b"", b"").into_iter().map(|(key, _)| key).collect()
}

#[test]
fn a_view_does_not_see_later_commits_and_a_txn_sees_its_own_writes() {
    let database = memory();
    let before = database.read().unwrap();
    let mut txn = database.begin().unwrap();
    txn.put(Table::Node, b"a", b"1".to_vec());
    assert_eq!(txn.get(Table::Node, b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(txn.get(Table::Value, b"a").unwrap(), None);
    assert_eq!(database.read().unwrap().get(Table::Node, b"a").unwrap(), None);
    txn.commit().unwrap();
    assert_eq!(before.get(Table::Node, b"a").unwrap(), None);
    assert_eq!(
        database.read().unwrap().get(Table::Node, b"a").unwrap().as_deref(),
        Some(&b"1"[..])
    );
}

#[test]
fn a_dropped_txn_leaves_nothing() {
    let database = memory();
    let mut txn = database.begin().unwrap();
    txn.put(Table::Node, b"a", b"1".to_vec());
    drop(txn);
    assert_eq!(keys(&database.read().unwrap()), Vec::<Vec<u8>>::new());
}

#[test]
fn a_scan_merges_and_stops_when_told() {
    let database = memory();
    let mut txn = database.begin().unwrap();
    for key in ["a", "c", "e"] {
        txn.put(Table::Node, key.as_bytes(), b"old".to_vec());
    }
    txn.commit().unwrap();
    let mut txn = database.begin().unwrap();
    txn.put(Table::Node, b"b", b"new".to_vec());
    txn.put(Table::Node, b"c", b"new".to_vec());
    txn.put(Table::Node, b"f", b"new".to_vec());
    txn.delete(Table::Node, b"a");
    assert_eq!(keys(&txn), [b"b", b"c", b"e", b"f"]);
    assert_eq!(entries(&txn, b"", b"c")[0], (b"c".to_vec(), b"new".to_vec()));
    for end in ["b", "c", "e", "f"] {
        let mut seen = Vec::new();
        let mut visit = |key: &[u8], _: &[u8]| {
            seen.push(key.to_vec());
            if key == end.as_bytes() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        txn.scan(Table::Node, b"", b"", &mut visit).unwrap();
        assert_eq!(seen.last().map(Vec::as_slice), Some(end.as_bytes()));
    }
}

#[test]
fn savepoints_nest() {
    let database = memory();
    let mut txn = database.begin().unwrap();
    let note = |uri: &str| Change {
        uri: uri.to_owned(),
        from: None,
        kind: ChangeKind::Added,
        by: dmsc::store::By::Host,
        old_size: 0,
        new_size: 0,
    };
    txn.put(Table::Node, b"a", b"0".to_vec());
    let outer = txn.savepoint();
    txn.put(Table::Node, b"a", b"1".to_vec());
    txn.note(note("./outer"));
    let inner = txn.savepoint();
    txn.delete(Table::Node, b"a");
    txn.put(Table::Node, b"b", b"2".to_vec());
    txn.note(note("./inner"));
    txn.rollback_to(inner);
    assert_eq!(entries(&txn, b"", b""), [(b"a".to_vec(), b"1".to_vec())]);
    assert_eq!(txn.changes(), [note("./outer")]);
    let kept = txn.savepoint();
    txn.put(Table::Node, b"c", b"3".to_vec());
    txn.release(kept);
    let stale = txn.savepoint();
    txn.rollback_to(outer);
    assert_eq!(entries(&txn, b"", b""), [(b"a".to_vec(), b"0".to_vec())]);
    // The outer rollback took this one along; a later savepoint is not hit by it.
    let later = txn.savepoint();
    txn.put(Table::Node, b"d", b"4".to_vec());
    txn.rollback_to(stale);
    assert_eq!(keys(&txn), [b"a", b"d"]);
    txn.rollback_to(later);
    assert_eq!(keys(&txn), [b"a"]);
    assert!(txn.commit().unwrap().is_empty());
}

#[test]
fn a_failed_commit_changes_nothing_and_frees_the_writer() {
    let fails = Arc::new(AtomicBool::new(false));
    let store = Failing(MemoryStore::new(), Arc::clone(&fails));
    let database = Database::new(Arc::new(store)).unwrap();
    let mut txn = database.begin().unwrap();
    txn.put(Table::Node, b"a", b"1".to_vec());
    fails.store(true, Ordering::Relaxed);
    assert_eq!(txn.commit().unwrap_err().code(), Code::StorageFull);
    assert_eq!(database.read().unwrap().get(Table::Node, b"a").unwrap(), None);
    let txn = database.begin().unwrap();
    assert_eq!(database.begin().unwrap_err().code(), Code::Busy);
    // Nothing to write: the failing store is not even asked.
    assert!(txn.commit().is_ok());
}

#[test]
fn a_blob_survives_and_a_failed_save_changes_nothing() {
    let blobs = Blobs::default();
    let database = blob(&blobs).unwrap();
    let mut txn = database.begin().unwrap();
    txn.put(Table::Node, b"a", b"1".to_vec());
    txn.put(Table::Card, b"\0\xff", Vec::new());
    txn.commit().unwrap();
    blobs.1.store(true, Ordering::Relaxed);
    let mut txn = database.begin().unwrap();
    txn.delete(Table::Node, b"a");
    assert_eq!(txn.commit().unwrap_err().code(), Code::Callback);
    assert_eq!(keys(&database.read().unwrap()), [b"a"]);
    let again = blob(&blobs).unwrap().read().unwrap();
    assert_eq!(again.get(Table::Node, b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(again.get(Table::Card, b"\0\xff").unwrap().as_deref(), Some(&b""[..]));
    BlobStore::erase(&blobs).unwrap();
    assert!(blobs.0.lock().unwrap().is_empty());
}

#[test]
fn a_damaged_blob_is_refused() {
    let blobs = Blobs::default();
    let database = blob(&blobs).unwrap();
    let mut txn = database.begin().unwrap();
    txn.put(Table::Node, b"key", b"value".to_vec());
    txn.commit().unwrap();
    let good = blobs.0.lock().unwrap().values().next().unwrap().clone();
    let refused = |bytes: Vec<u8>| {
        *blobs.0.lock().unwrap().values_mut().next().unwrap() = bytes;
        blob(&blobs).unwrap_err().code()
    };
    for end in 0..good.len() {
        assert_eq!(refused(good[..end].to_vec()), Code::StorageCorrupt, "cut at {end}");
    }
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 2;
        // The octet after "DMSC" is the form.
        let code = if at == 4 { Code::StorageVersion } else { Code::StorageCorrupt };
        assert_eq!(refused(bytes), code, "changed at {at}");
    }
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255), Just(b'a')], 0..4)
}

fn write(txn: &mut Txn, model: &mut Model, key: Vec<u8>, value: Option<Vec<u8>>) {
    match value {
        Some(value) => {
            txn.put(Table::Node, &key, value.clone());
            model.insert(key, value);
        }
        None => {
            txn.delete(Table::Node, &key);
            model.remove(&key);
        }
    }
}

fn same(reader: &dyn Reader, model: &Model, prefix: &[u8], from: &[u8]) {
    let expected: Vec<_> = model
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && key.as_slice() >= from)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    assert_eq!(entries(reader, prefix, from), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_store_reads_like_a_map(
        rounds in prop::collection::vec(
            prop::collection::vec((key(), prop::option::of(prop::collection::vec(any::<u8>(), 0..3))), 1..12),
            1..4,
        ),
        prefix in key(),
        from in key(),
    ) {
        let mut databases = vec![memory(), blob(&Blobs::default()).unwrap()];
        #[cfg(feature = "redb")]
        let directory = std::env::temp_dir().join(format!("dmsc-map-{}", std::process::id()));
        #[cfg(feature = "redb")]
        {
            let _ = std::fs::remove_dir_all(&directory);
            let store = dmsc::store::redb::RedbStore::open(&directory).unwrap();
            databases.push(Database::new(Arc::new(store)).unwrap());
        }
        for database in databases {
            let mut model = Model::new();
            for round in &rounds {
                let mut txn = database.begin().unwrap();
                for (key, value) in round {
                    write(&mut txn, &mut model, key.clone(), value.clone());
                }
                same(&txn, &model, &prefix, &from);
                txn.commit().unwrap();
                same(&database.read().unwrap(), &model, &prefix, &from);
                same(&database.read().unwrap(), &model, b"", b"");
            }
        }
        #[cfg(feature = "redb")]
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
