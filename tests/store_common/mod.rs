//! What the tests of the store share: directories, key sources, a store's octets, and a tree with
//! secrets.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test file uses a part")]

#[path = "../support/dice.rs"]
pub(crate) mod dice;
pub(crate) mod disk;
pub(crate) mod workload;

use dmsc::error::{Code, Error, Result};
use dmsc::random::SystemRandom;
use dmsc::secret::Secret;
use dmsc::store::blob::BlobStorage;
use dmsc::store::redb::{FILE_NAME, RedbStore};
use dmsc::store::{Database, KeySource, Reader, Sealing, Store, Table, Txn};
use dmsc::time::Now;
use dmsc::tree::{Actor, Answer, Content, DeviceInfo, Query, SecretUris, Tree, Uri, install};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Says to a test that it runs as the second process, and where.
pub(crate) const CHILD: &str = "DMSC_TEST_CHILD_DIRECTORY";
pub(crate) const NOW: Now = Now { mono_ms: 0, unix_s: 1_700_000_000 };

/// A directory that goes away with the test.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    /// Its path; made by the store.
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("dmsc-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }

    /// All octets of all files in it.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs this one test again in a process of its own and returns what it printed.
pub(crate) fn run_child(test: &str, directory: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

pub(crate) fn child_directory() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// Keys in memory that outlive the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(pub(crate) Arc<Mutex<BTreeMap<u32, Secret>>>);

impl Keys {
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.0.lock().unwrap().keys().copied().collect()
    }
}

impl KeySource for Keys {
    fn load(&self, number: u32) -> Result<Option<Secret>> {
        Ok(self.0.lock().unwrap().get(&number).cloned())
    }

    fn make(&self, number: u32, random: Secret) -> Result<Secret> {
        self.0.lock().unwrap().insert(number, random.clone());
        Ok(random)
    }

    fn remove(&self, number: u32) -> Result<()> {
        self.0.lock().unwrap().remove(&number);
        Ok(())
    }
}

/// Blobs in memory that outlive the store; each save that is told to fail does.
#[derive(Clone, Default)]
pub(crate) struct Blobs(pub(crate) Arc<Mutex<Saved>>);

#[derive(Default)]
pub(crate) struct Saved {
    pub(crate) blobs: HashMap<String, Vec<u8>>,
    pub(crate) saves: usize,
    /// The save with this number fails, or with `stop` it and all after it.
    pub(crate) fails: Option<usize>,
    pub(crate) stop: bool,
    /// A failing save keeps the new blob all the same.
    pub(crate) lands: bool,
}

impl BlobStorage for Blobs {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap().blobs.get(name).cloned())
    }

    fn save(&self, name: &str, octets: &[u8]) -> Result<()> {
        let mut saved = self.0.lock().unwrap();
        let number = saved.saves;
        saved.saves += 1;
        let fails = saved.fails.is_some_and(|at| number == at || (saved.stop && number > at));
        if !fails || saved.lands {
            saved.blobs.insert(name.to_owned(), octets.to_vec());
        }
        if fails {
            return Err(Error::new(Code::Callback, "host storage: save failed"));
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.0.lock().unwrap().blobs.remove(name);
        Ok(())
    }
}

/// Opens a store whose values are sealed with `keys`; `more` are secret besides the built-in ones.
pub(crate) fn sealed(
    store: Arc<dyn Store>,
    keys: impl KeySource + 'static,
    more: &[&str],
) -> Result<Database> {
    let mut secret = SecretUris::built_in()?;
    more.iter().try_for_each(|uri| secret.add(uri))?;
    let (keys, secrecy, random) = (Arc::new(keys), Box::new(secret), Box::new(SystemRandom));
    Database::open(store, Sealing { keys, secrecy, random })
}

/// The redb store in `directory`, sealed.
pub(crate) fn redb(directory: &Directory, keys: impl KeySource + 'static) -> Result<Database> {
    sealed(Arc::new(RedbStore::open(&directory.0)?), keys, &[])
}

/// One transaction of the host.
pub(crate) fn change<T>(database: &Database, work: impl FnOnce(&mut Tree<'_>) -> T) -> Result<T> {
    let mut txn = database.begin()?;
    let done = work(&mut tree(&mut txn));
    txn.commit()?;
    Ok(done)
}

pub(crate) fn tree(txn: &mut Txn) -> Tree<'_> {
    Tree::new(txn, Actor::Host, NOW)
}

pub(crate) fn uri(uri: &str) -> Uri {
    Uri::parse(uri).unwrap()
}

/// Gives the store its standard objects.
pub(crate) fn furnish(database: &Database) -> Result<()> {
    let mut txn = database.begin()?;
    install(
        &mut txn,
        &DeviceInfo { dev_id: "IMEI:004999010640000", ..DeviceInfo::default() },
        NOW,
    )?;
    txn.commit().map(drop)
}

/// Adds a text leaf in a transaction of its own.
pub(crate) fn add(database: &Database, at: &str, value: &str) -> Result<()> {
    change(database, |tree| tree.add(&uri(at), &Content::text(value).into()))?.map_err(Into::into)
}

pub(crate) fn replace(database: &Database, at: &str, value: &str) -> Result<()> {
    change(database, |tree| tree.replace(&uri(at), &Content::text(value)))?.map_err(Into::into)
}

/// The value of a leaf, secret or not.
pub(crate) fn value(reader: &dyn Reader, at: &str) -> Result<String> {
    match Query::new(reader, Actor::Host).with_secrets().get(&uri(at))? {
        Answer::Leaf { value, .. } => Ok(String::from_utf8(value).unwrap()),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn get(database: &Database, at: &str) -> Result<String> {
    value(&database.read()?, at)
}

pub(crate) fn contains(octets: &[u8], text: &str) -> bool {
    octets.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Every entry of the store as it is written.
pub(crate) fn entries(store: &dyn Store) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
    let snapshot = store.snapshot().unwrap();
    let mut entries = BTreeMap::new();
    for table in Table::ALL {
        let mut visit = |key: &[u8], value: &[u8]| {
            entries.insert((table, key.to_vec()), value.to_vec());
            std::ops::ControlFlow::Continue(())
        };
        snapshot.scan(table, b"", b"", &mut visit).unwrap();
    }
    entries
}

pub(crate) fn key_of(at: &str) -> Vec<u8> {
    at.trim_start_matches("./").replace('/', "\0").into_bytes()
}
