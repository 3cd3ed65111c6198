//! The built-in store on a real file system.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "redb")]

mod store_common;

use dmsc::error::Code;
use dmsc::store::key_file::KeyFiles;
use dmsc::store::redb::{FILE_NAME, RedbStore};
use dmsc::store::{Batch, Database, Reader, Store, Table};
use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use store_common::dice::Dice;
use store_common::{Directory, child_directory, run_child};

fn open(directory: &Path) -> dmsc::error::Result<Database> {
    Database::new(Arc::new(RedbStore::open(directory)?))
}

fn put(database: &Database, key: &[u8], value: Vec<u8>) -> dmsc::error::Result<()> {
    let mut txn = database.begin()?;
    txn.put(Table::Node, key, value);
    txn.commit().map(drop)
}

fn get(database: &Database, key: &[u8]) -> Option<Vec<u8>> {
    database.read().unwrap().get(Table::Node, key).unwrap().map(Cow::into_owned)
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
fn a_damaged_file_is_an_error_or_the_right_data() {
    let directory = Directory::new("damaged");
    let database = open(&directory.0).unwrap();
    for number in 0..200u32 {
        put(&database, &number.to_be_bytes(), vec![7; 100]).unwrap();
    }
    drop(database);
    let good = fs::read(directory.file()).unwrap();
    let (mut refused, mut right) = (0, 0);
    let mut look = |octets: &[u8], what: &str| {
        fs::write(directory.file(), octets).unwrap();
        let read = || {
            let database = open(&directory.0)?;
            let view = database.read()?;
            for number in 0..200u32 {
                let found = view.get(Table::Node, &number.to_be_bytes())?;
                assert_eq!(found.as_deref(), Some(&[7; 100][..]), "{what}: {number}");
            }
            put(&database, b"new", b"1".to_vec())
        };
        match read() {
            Ok(()) => right += 1,
            Err(error) => {
                assert_eq!(error.code(), Code::StorageCorrupt, "{what}: {error:?}");
                refused += 1;
            }
        }
    };
    for end in [1, 63, 64, 320, 4096, good.len() / 2, good.len() - 1] {
        look(&good[..end], &format!("cut at {end}"));
    }
    let mut dice = Dice(3);
    for _ in 0..120 {
        let mut octets = good.clone();
        let at = dice.below(good.len() as u64) as usize;
        let length = [1, 1, 16, 64, 4096][dice.below(5) as usize];
        octets[at..].iter_mut().take(length).for_each(|octet| *octet ^= 1 << dice.below(8));
        look(&octets, &format!("{length} octets changed at {at}"));
    }
    // The head, where a change does most.
    for at in (0..320).step_by(5) {
        let mut octets = good.clone();
        octets[at] ^= 0xFF;
        look(&octets, &format!("changed at {at}"));
    }
    println!("{refused} refused, {right} right");
    assert!(refused > 50 && right > 10);
}

/// Too large to be verified when it is opened: a change may show late or not at all, and the process goes on.
#[test]
fn a_large_damaged_file_never_ends_the_process() {
    let directory = Directory::new("large");
    let database = open(&directory.0).unwrap();
    let mut txn = database.begin().unwrap();
    for number in 0..20_000u32 {
        txn.put(Table::Node, &number.to_be_bytes(), vec![7; 250]);
    }
    txn.commit().unwrap();
    drop(database);
    let good = fs::read(directory.file()).unwrap();
    assert!(good.len() > 5 << 20);
    let (mut dice, mut refused) = (Dice(5), 0);
    for _ in 0..40 {
        let mut octets = good.clone();
        for _ in 0..50 {
            let at = dice.below(good.len() as u64 / 4096) as usize * 4096;
            octets[at..].iter_mut().take(64).for_each(|octet| *octet ^= 1 << dice.below(8));
        }
        fs::write(directory.file(), &octets).unwrap();
        let read = || {
            let database = open(&directory.0)?;
            let mut count = 0;
            database.read()?.scan(Table::Node, b"", b"", &mut |_, _| {
                count += 1;
                std::ops::ControlFlow::Continue(())
            })?;
            put(&database, b"new", vec![1; 5000])
        };
        if let Err(error) = read() {
            assert!(matches!(error.code(), Code::StorageCorrupt | Code::StorageIo), "{error:?}");
            refused += 1;
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_newer_schema_is_refused_and_nothing_is_changed() {
    let directory = Directory::new("schema");
    let store = RedbStore::open(&directory.0).unwrap();
    let newer = Some(99u32.to_be_bytes().to_vec());
    store.commit(&Batch::from([((Table::Meta, b"schema".to_vec()), newer)])).unwrap();
    let before = store_common::entries(&store);
    drop(store);
    let errors = [
        open(&directory.0).unwrap_err(),
        store_common::redb(&directory, KeyFiles::new(&directory.0)).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Code::StorageVersion);
        assert!(error.what().contains("schema version 99"), "{}", error.what());
    }
    assert_eq!(store_common::entries(&RedbStore::open(&directory.0).unwrap()), before);
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1, "no key may be made");
}

/// Stores as builds before this one wrote them.
#[test]
fn an_older_schema_is_migrated_and_its_secrets_are_sealed() {
    for version in [0, 1] {
        let directory = Directory::new("older");
        fs::create_dir_all(&directory.0).unwrap();
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store");
        fs::copy(format!("{data}/schema-{version}.redb"), directory.file()).unwrap();
        assert!(store_common::contains(&directory.octets(), "fixture-nap-password"));

        let keys = KeyFiles::new(&directory.0);
        for opening in 0..2 {
            let store = Arc::new(RedbStore::open(&directory.0).unwrap());
            let written = store_common::entries(&*store);
            let database = store_common::sealed(store, keys.clone(), &[]).unwrap();
            for (uri, value) in [
                ("./DMAcc/1/AppAuth/1/AAuthSecret", "fixture-client-password"),
                ("./DMAcc/1/AppAuth/2/AAuthSecret", "fixture-server-password"),
                ("./DMAcc/1/AppAuth/2/AAuthData", "fixture-nonce-16"),
                ("./NAP/1/AuthInfo/1/AuthSecret", "fixture-nap-password"),
                ("./Vendor/Wifi/Key", "fixture-wifi-key"),
                ("./DevInfo/Man", "Fixture"),
            ] {
                assert_eq!(store_common::get(&database, uri).unwrap(), value);
            }
            let view = database.read().unwrap();
            let replay = view.get(Table::Replay, b"com.example.dm").unwrap();
            assert_eq!(replay.as_deref(), Some(&[1][..]));
            let schema = written.get(&(Table::Meta, b"schema".to_vec())).cloned();
            let expected = match (opening, version) {
                (0, 0) => None,
                (0, _) => Some(vec![0, 0, 0, 1]),
                _ => Some(vec![0, 0, 0, 2]),
            };
            assert_eq!(schema, expected);
        }
        assert!(!store_common::contains(&directory.octets(), "fixture-nap-password"));
        assert!(!store_common::contains(&directory.octets(), "fixture-nonce-16"));
        assert!(store_common::contains(&directory.octets(), "fixture-wifi-key"));
    }
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
            become_nobody();
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

    /// May do no more than any other user, who is not the owner of the files.
    fn become_nobody() {
        // SAFETY: changes only this process.
        unsafe {
            if libc::geteuid() == 0 {
                assert_eq!(libc::setuid(65_534), 0);
            }
        }
    }

    #[test]
    fn a_store_in_a_read_only_directory() {
        if let Some(directory) = child_directory() {
            become_nobody();
            let error = open(&directory).unwrap_err();
            assert_eq!((error.code(), error.os_error), (Code::StorageIo, libc::EACCES));
            assert!(error.what().contains(FILE_NAME), "{}", error.what());
            return;
        }
        let directory = Directory::new("readonlystore");
        put(&open(&directory.0).unwrap(), b"a", b"1".to_vec()).unwrap();
        let before = fs::read(directory.file()).unwrap();
        fs::set_permissions(directory.file(), fs::Permissions::from_mode(0o444)).unwrap();
        fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o555)).unwrap();
        run_child("unix::a_store_in_a_read_only_directory", &directory.0);
        fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(fs::read(directory.file()).unwrap(), before);
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1);
        assert_eq!(get(&open(&directory.0).unwrap(), b"a"), Some(b"1".to_vec()));
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
