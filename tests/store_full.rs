//! The built-in store in a file system that is full, and in one that may only be read.
//!
//! The file system is a tmpfs of 1 MiB in a mount namespace of the test's own.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(all(feature = "redb", target_os = "linux"))]

mod store_common;

use dmsc::error::{Code, Result};
use dmsc::store::redb::{FILE_NAME, RedbStore};
use dmsc::store::{Database, Reader, Table};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use store_common::{CHILD, Directory, child_directory};

/// Sizes of values: within a page, some pages, many pages.
const SIZES: [usize; 3] = [1, 9_000, 30_000];

/// Runs this one test again as root of a namespace of its own, with the small file system mounted.
fn in_small_file_system(test: &str) {
    let directory = Directory::new("small");
    fs::create_dir_all(&directory.0).unwrap();
    let script = r#"mount -t tmpfs -o size=1m none "$1" && echo mounted && shift && exec "$@""#;
    // Root needs no user namespace, which a changed root directory does not allow either.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|myself| myself.uid() == 0);
    let user: &[&str] = if is_root { &[] } else { &["--map-root-user"] };
    let ran = Command::new("unshare")
        .args(user)
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(&directory.0)
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, &directory.0)
        .output();
    let (said, good) = match &ran {
        Ok(ran) => (
            [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text)).concat(),
            ran.status.success(),
        ),
        Err(error) => (error.to_string(), false),
    };
    if !said.contains("mounted") {
        assert!(std::env::var_os("CI").is_none(), "no file system of its own: {said}");
        // Not with eprintln: the output of a test that passes is swallowed.
        let line = format!("skipped, no file system of its own: {said}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    }
    assert!(good && said.contains("1 passed"), "{said}");
}

fn open(directory: &Path) -> Result<Database> {
    Database::new(Arc::new(RedbStore::open(directory)?))
}

/// Writes value `number`, whose size and octets follow from the number.
fn put(database: &Database, number: usize) -> Result<()> {
    let mut txn = database.begin()?;
    txn.put(Table::Node, &number.to_be_bytes(), value(number));
    txn.commit().map(drop)
}

fn value(number: usize) -> Vec<u8> {
    vec![number as u8; SIZES[number % SIZES.len()]]
}

/// The values up to `count` are there, and no other.
fn check(database: &Database, count: usize) {
    let view = database.read().unwrap();
    for number in 0..count {
        let found = view.get(Table::Node, &number.to_be_bytes()).unwrap();
        assert_eq!(found.as_deref(), Some(&value(number)[..]), "value {number} of {count}");
    }
    assert_eq!(view.get(Table::Node, &count.to_be_bytes()).unwrap(), None);
}

#[test]
fn a_full_file_system_loses_nothing_and_goes_on_when_there_is_room() {
    let Some(directory) = child_directory() else {
        return in_small_file_system(
            "a_full_file_system_loses_nothing_and_goes_on_when_there_is_room",
        );
    };
    let ballast = directory.join("ballast");
    let mut database = open(&directory).unwrap();
    let (mut done, mut refused) = (0, 0);
    for room in (0..8).rev() {
        fs::write(&ballast, vec![0; room * 60_000]).unwrap();
        for _ in 0..20 {
            match put(&database, done) {
                Ok(()) => done += 1,
                Err(error) => {
                    assert_eq!(error.code(), Code::StorageFull, "{error:?}");
                    refused += 1;
                }
            }
            check(&database, done);
        }
        // Closed and opened with hardly any room left: refused, or all of it.
        drop(database);
        database = match open(&directory) {
            Ok(database) => database,
            Err(error) => {
                assert_eq!(error.code(), Code::StorageFull, "{error:?}");
                fs::remove_file(&ballast).unwrap();
                open(&directory).unwrap()
            }
        };
        check(&database, done);
    }
    assert!(done > 8 && refused > 8, "{done} done, {refused} refused");
    println!("{done} done, {refused} refused");
}

#[test]
fn a_store_that_may_only_be_read_is_refused_and_kept() {
    let Some(directory) = child_directory() else {
        return in_small_file_system("a_store_that_may_only_be_read_is_refused_and_kept");
    };
    let mount = |option: &str| {
        let option = format!("remount,{option}");
        let ran = Command::new("mount").args(["-o", &option]).arg(&directory).status();
        assert!(ran.unwrap().success());
    };
    mount("ro");
    let error = open(&directory).unwrap_err();
    assert_eq!((error.code(), error.os_error), (Code::StorageIo, libc::EROFS));
    mount("rw");
    let database = open(&directory).unwrap();
    (0..3).for_each(|number| put(&database, number).unwrap());
    drop(database);
    let before = fs::read(directory.join(FILE_NAME)).unwrap();
    mount("ro");
    let error = open(&directory).unwrap_err();
    assert_eq!((error.code(), error.os_error), (Code::StorageIo, libc::EROFS));
    assert_eq!(fs::read(directory.join(FILE_NAME)).unwrap(), before);
    mount("rw");
    check(&open(&directory).unwrap(), 3);
}
