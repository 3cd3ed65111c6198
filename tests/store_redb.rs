//! The built-in store on a real file system.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "redb")]

use dmsc::error::Code;
use dmsc::store::redb::{FILE_NAME, RedbStore};
use dmsc::store::{Batch, Database, Reader, Store, Table};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Says to a test that it runs as the second process, and where.
const CHILD: &str = "DMSC_TEST_CHILD_DIRECTORY";

/// A directory that goes away with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dmsc-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(directory: &Path) -> dmsc::error::Result<Database> {
    Database::new(Arc::new(RedbStore::open(directory)?))
}

fn put(database: &Database, key: &[u8], value: Vec<u8>) -> dmsc::error::Result<()> {
    let mut txn = database.begin()?;
    txn.put(Table::Node, key, value);
    txn.commit().map(drop)
}

fn get(database: &Database, key: &[u8]) -> Option<Vec<u8>> {
    database.read().unwrap().get(Table::Node, key).unwrap()
}

/// Runs this one test again in a process of its own and returns what it printed.
fn run_child(test: &str, directory: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn child_directory() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let directory = Directory::new("reopen");
    let database = open(&directory.0).unwrap();
    put(&database, b"a", b"1".to_vec()).unwrap();
    let mut txn = database.begin().unwrap();
    txn.put(Table::Node, b"b", b"2".to_vec());
    drop(txn);
    drop(database);
    let database = open(&directory.0).unwrap();
    assert_eq!(get(&database, b"a"), Some(b"1".to_vec()));
    assert_eq!(get(&database, b"b"), None);
}

#[test]
fn what_was_committed_survives_a_killed_process() {
    if let Some(directory) = child_directory() {
        let database = open(&directory).unwrap();
        put(&database, b"a", b"1".to_vec()).unwrap();
        let mut txn = database.begin().unwrap();
        txn.put(Table::Node, b"b", b"2".to_vec());
        // Neither the store nor the transaction is closed.
        std::process::exit(0);
    }
    let directory = Directory::new("killed");
    run_child("what_was_committed_survives_a_killed_process", &directory.0);
    let database = open(&directory.0).unwrap();
    assert_eq!(get(&database, b"a"), Some(b"1".to_vec()));
    assert_eq!(get(&database, b"b"), None);
}

#[test]
fn a_second_handle_is_busy() {
    let directory = Directory::new("handles");
    let database = open(&directory.0).unwrap();
    let error = open(&directory.0).unwrap_err();
    assert_eq!(error.code(), Code::Busy);
    assert!(error.what().contains(FILE_NAME), "{}", error.what());
    drop(database);
    assert!(open(&directory.0).is_ok());
}

#[test]
fn a_second_process_is_busy() {
    if let Some(directory) = child_directory() {
        println!("child got {}", open(&directory).unwrap_err().code().name());
        return;
    }
    let directory = Directory::new("processes");
    let database = open(&directory.0).unwrap();
    let said = run_child("a_second_process_is_busy", &directory.0);
    assert!(said.contains("child got DMSC_ERR_BUSY"), "{said}");
    put(&database, b"a", b"1".to_vec()).unwrap();
}

#[test]
fn a_file_that_is_no_store_is_refused_and_kept() {
    for content in [&b"not a store at all"[..], &[0; 5000], &[0xff; 5000]] {
        let directory = Directory::new("garbage");
        fs::create_dir_all(&directory.0).unwrap();
        fs::write(directory.file(), content).unwrap();
        assert_eq!(open(&directory.0).unwrap_err().code(), Code::StorageCorrupt);
        assert_eq!(fs::read(directory.file()).unwrap(), content);
    }
}

#[test]
fn a_damaged_file_never_panics() {
    let directory = Directory::new("damaged");
    let database = open(&directory.0).unwrap();
    for number in 0..200u32 {
        put(&database, &number.to_be_bytes(), vec![7; 100]).unwrap();
    }
    drop(database);
    let good = fs::read(directory.file()).unwrap();
    let mut refused = 0;
    let mut look = |bytes: &[u8]| {
        fs::write(directory.file(), bytes).unwrap();
        // Whatever is left of the content: an answer or an error, and the process goes on.
        let codes = (|| {
            let database = open(&directory.0)?;
            let view = database.read()?;
            for number in 0..200u32 {
                view.get(Table::Node, &number.to_be_bytes())?;
            }
            put(&database, b"new", b"1".to_vec())
        })();
        if let Err(error) = codes {
            assert!(matches!(error.code(), Code::StorageCorrupt | Code::StorageIo), "{error:?}");
            refused += 1;
        }
    };
    for end in [1, 63, 64, 320, 4096, good.len() / 2, good.len() - 1] {
        look(&good[..end]);
    }
    for at in (0..good.len()).step_by(4093) {
        let mut bytes = good.clone();
        bytes[at..].iter_mut().take(64).for_each(|byte| *byte ^= 0xff);
        look(&bytes);
    }
    assert!(refused > 0);
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = Directory::new("schema");
    let store = RedbStore::open(&directory.0).unwrap();
    let newer = Some(99u32.to_be_bytes().to_vec());
    store.commit(&Batch::from([((Table::Meta, b"schema".to_vec()), newer)])).unwrap();
    drop(store);
    let error = open(&directory.0).unwrap_err();
    assert_eq!(error.code(), Code::StorageCorrupt);
    assert!(error.what().contains("schema version 99"), "{}", error.what());
}

#[test]
fn a_directory_that_cannot_be_used() {
    let directory = Directory::new("nodir");
    fs::write(&directory.0, b"a file").unwrap();
    let error = open(&directory.0).unwrap_err();
    assert_eq!(error.code(), Code::StorageIo);
    assert_ne!(error.os_error, 0);
    fs::remove_file(&directory.0).unwrap();
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_may_read_the_file() {
        let directory = Directory::new("mode");
        drop(open(&directory.0).unwrap());
        assert_eq!((mode(&directory.0), mode(&directory.file())), (0o700, 0o600));
        fs::set_permissions(directory.file(), fs::Permissions::from_mode(0o644)).unwrap();
        drop(open(&directory.0).unwrap());
        assert_eq!(mode(&directory.file()), 0o600);
    }

    #[test]
    fn a_read_only_directory() {
        if let Some(directory) = child_directory() {
            // SAFETY: changes only this process; root would be allowed to write anyway.
            unsafe {
                if libc::geteuid() == 0 {
                    assert_eq!(libc::setuid(65_534), 0);
                }
            }
            let error = open(&directory).unwrap_err();
            assert_eq!((error.code(), error.os_error), (Code::StorageIo, libc::EACCES));
            return;
        }
        let directory = Directory::new("readonly");
        fs::create_dir_all(&directory.0).unwrap();
        fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o555)).unwrap();
        run_child("unix::a_read_only_directory", &directory.0);
        fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn limit_file_size(octets: libc::rlim_t) {
        let limit = libc::rlimit { rlim_cur: octets, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: both calls only change this process's own settings.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
        }
    }

    #[test]
    fn a_full_medium_loses_nothing_and_goes_on_when_there_is_room() {
        if let Some(directory) = child_directory() {
            let database = open(&directory).unwrap();
            put(&database, b"a", b"1".to_vec()).unwrap();
            let size = fs::metadata(directory.join(FILE_NAME)).unwrap().len();
            limit_file_size(size + 4096);
            let view = database.read().unwrap();
            let error = put(&database, b"big", vec![7; 8 << 20]).unwrap_err();
            assert_eq!(error.code(), Code::StorageFull, "{error:?}");
            drop(view);
            assert_eq!(get(&database, b"a"), Some(b"1".to_vec()));
            assert_eq!(get(&database, b"big"), None);
            limit_file_size(libc::RLIM_INFINITY);
            put(&database, b"big", vec![7; 8 << 20]).unwrap();
            assert_eq!(get(&database, b"big").map(|value| value.len()), Some(8 << 20));
            return;
        }
        let directory = Directory::new("full");
        run_child("unix::a_full_medium_loses_nothing_and_goes_on_when_there_is_room", &directory.0);
        assert!(get(&open(&directory.0).unwrap(), b"big").is_some());
    }
}
