//! Secrets in the store: sealed, with a key that is checked, kept safe and changed.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "redb")]

mod store_common;

use dmsc::error::{Code, Result};
use dmsc::secret::Secret;
use dmsc::store::blob::{BLOB_NAME, BlobKeys, BlobStore};
use dmsc::store::key_file::KeyFiles;
use dmsc::store::memory::MemoryStore;
use dmsc::store::redb::RedbStore;
use dmsc::store::{Batch, Database, KeySource, Store, Table};
use dmsc::tree::dmacc::{self, Credential, Level, NewAccount};
use dmsc::tree::{Content, Path};
use std::fs;
use std::sync::Arc;
use store_common::*;

const SERVER: &str = "com.example.dm";
const SECRET: &str = "./DMAcc/1/AppAuth/1/AAuthSecret";
const NAP: &str = "./NAP/1/AuthInfo/1/AuthSecret";
const WIFI: &str = "./Vendor/Wifi/Key";

fn account() -> NewAccount {
    let credential = |secret: &str| Credential {
        auth_type: "DIGEST".into(),
        name: "phone".into(),
        secret: Secret::new(secret),
        nonce: Secret::new(*b"nonce-of-the-bootstrap"),
    };
    NewAccount {
        server_id: SERVER.into(),
        credentials: vec![
            (Level::Client, credential("client-password")),
            (Level::Server, credential("server-password")),
        ],
        ..NewAccount::default()
    }
}

fn make_account(database: &Database) -> Path {
    change(database, |tree| dmacc::create(tree, &account())).unwrap().unwrap()
}

/// Fails if one of `texts` is in a file of the directory.
fn none_in_clear(directory: &Directory, texts: &[&str]) {
    let octets = directory.octets();
    for text in texts {
        assert!(!contains(&octets, text), "{text} is in the store");
    }
}

#[test]
fn no_secret_is_ever_in_the_file_whatever_happens_to_its_node() {
    let directory = Directory::new("clear");
    let texts = ["-password", "nonce-of-the", "nap-word", "wifi-word", "proxy-word"];
    let store = Arc::new(RedbStore::open(&directory.0).unwrap());
    let keys = KeyFiles::new(&directory.0);
    let database = sealed(store, keys, &["./Vendor/Wifi/**"]).unwrap();
    furnish(&database).unwrap();
    make_account(&database);
    add(&database, NAP, "nap-word").unwrap();
    add(&database, WIFI, "wifi-word").unwrap();
    add(&database, "./PX/1/AuthInfo/1/AuthSecret", "proxy-word").unwrap();
    none_in_clear(&directory, &texts);
    for round in 0..50 {
        let nonce = Secret::new(format!("nonce-of-the-round-{round}"));
        let mut txn = database.begin().unwrap();
        dmacc::set_client_nonce(&mut txn, SERVER, &nonce, NOW).unwrap();
        txn.commit().unwrap();
        replace(&database, NAP, &format!("nap-word-{round}")).unwrap();
    }
    let rename = |from: &str, to: &str| {
        let content = Content { value: Some(to.as_bytes()), ..Content::default() };
        let from = uri(&format!("{from}?prop=Name"));
        change(&database, |tree| tree.replace(&from, &content)).unwrap().unwrap();
    };
    rename("./NAP/1", "Home");
    change(&database, |tree| tree.copy(&uri("./NAP/Home/AuthInfo/1/AuthSecret"), &uri(NAP)))
        .unwrap()
        .unwrap_err();
    change(&database, |tree| tree.copy(&uri(WIFI), &uri("./Vendor/Wifi/Other"))).unwrap().unwrap();
    change(&database, |tree| tree.delete(&uri("./PX"))).unwrap().unwrap();
    none_in_clear(&directory, &texts);

    assert_eq!(get(&database, "./NAP/Home/AuthInfo/1/AuthSecret").unwrap(), "nap-word-49");
    assert_eq!(get(&database, "./Vendor/Wifi/Other").unwrap(), "wifi-word");
    let found = dmacc::find(&database.read().unwrap(), SERVER).unwrap().unwrap();
    let client = found.client.unwrap();
    assert_eq!(client.secret.expose(), b"client-password");
    assert_eq!(client.nonce.expose(), b"nonce-of-the-round-49");
    drop(database);
    none_in_clear(&directory, &texts);
    // The file can be looked through: what is not secret is there.
    assert!(contains(&directory.octets(), SERVER));
}

#[test]
fn a_value_that_moves_out_of_the_secret_place_is_open_and_back_again() {
    let store = Arc::new(MemoryStore::new());
    let database = sealed(store.clone(), Keys::default(), &["./V/Hidden/**"]).unwrap();
    furnish(&database).unwrap();
    add(&database, "./V/Hidden/A/B", "word").unwrap();
    let name = |at: &str, name: &str| {
        let content = Content { value: Some(name.as_bytes()), ..Content::default() };
        let at = uri(&format!("{at}?prop=Name"));
        change(&database, |tree| tree.replace(&at, &content)).unwrap().unwrap();
    };
    let has = |table, at: &str| entries(&*store).contains_key(&(table, key_of(at)));
    assert!(has(Table::Secret, "./V/Hidden/A/B") && !has(Table::Value, "./V/Hidden/A/B"));
    name("./V/Hidden", "Open");
    assert!(has(Table::Value, "./V/Open/A/B") && !has(Table::Secret, "./V/Hidden/A/B"));
    assert_eq!(get(&database, "./V/Open/A/B").unwrap(), "word");
    name("./V/Open", "Hidden");
    assert!(has(Table::Secret, "./V/Hidden/A/B") && !has(Table::Value, "./V/Open/A/B"));
    assert_eq!(get(&database, "./V/Hidden/A/B").unwrap(), "word");
    change(&database, |tree| tree.delete(&uri("./V"))).unwrap().unwrap();
    assert!(!has(Table::Secret, "./V/Hidden/A/B"));
}

#[test]
fn a_transaction_reads_its_own_secrets_and_keeps_them_sealed() {
    let store = Arc::new(MemoryStore::new());
    let database = sealed(store.clone(), Keys::default(), &[]).unwrap();
    furnish(&database).unwrap();
    let mut txn = database.begin().unwrap();
    tree(&mut txn).add(&uri(NAP), &Content::text("first").into()).unwrap();
    let savepoint = txn.savepoint();
    tree(&mut txn).replace(&uri(NAP), &Content::text("second")).unwrap();
    assert_eq!(value(&txn, NAP).unwrap(), "second");
    txn.rollback_to(savepoint);
    assert_eq!(value(&txn, NAP).unwrap(), "first");
    txn.checkpoint().unwrap();
    assert_eq!(value(&txn, NAP).unwrap(), "first");
    txn.commit().unwrap();
    let written = entries(&*store).remove(&(Table::Secret, key_of(NAP))).unwrap();
    assert_eq!(written.len(), 1 + 4 + 24 + "first".len() + 16);
    assert!(!contains(&written, "first"));
}

#[test]
fn the_same_value_is_never_sealed_twice_the_same_way() {
    let store = Arc::new(MemoryStore::new());
    let database = sealed(store.clone(), Keys::default(), &["./V/**"]).unwrap();
    furnish(&database).unwrap();
    for number in 0..200 {
        add(&database, &format!("./V/{number}"), "same").unwrap();
    }
    for _ in 0..200 {
        replace(&database, "./V/0", "same").unwrap();
    }
    let sealed = entries(&*store);
    let sealed = sealed.iter().filter(|((table, _), _)| *table == Table::Secret);
    let nonces: std::collections::HashSet<&[u8]> = sealed.map(|(_, value)| &value[5..29]).collect();
    assert_eq!(nonces.len(), 200);
}

#[test]
fn a_sealed_value_opens_at_its_own_place_and_unchanged_only() {
    let store = Arc::new(MemoryStore::new());
    let database = sealed(store.clone(), Keys::default(), &["./V/**"]).unwrap();
    furnish(&database).unwrap();
    add(&database, "./V/A", "word of A").unwrap();
    add(&database, "./V/B", "word of B").unwrap();
    let (a, b) = ((Table::Secret, key_of("./V/A")), (Table::Secret, key_of("./V/B")));
    let good = entries(&*store)[&a].clone();
    store.commit(&Batch::from([(b.clone(), Some(good.clone()))])).unwrap();
    assert_eq!(get(&database, "./V/B").unwrap_err().code(), Code::StorageCorrupt);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        store.commit(&Batch::from([(a.clone(), Some(bad))])).unwrap();
        // Octets 1 to 4 are the number of the key.
        let code = if (1..5).contains(&at) { Code::StorageKey } else { Code::StorageCorrupt };
        assert_eq!(get(&database, "./V/A").unwrap_err().code(), code, "changed at {at}");
        store.commit(&Batch::from([(a.clone(), Some(good[..at].to_vec()))])).unwrap();
        assert_eq!(
            get(&database, "./V/A").unwrap_err().code(),
            Code::StorageCorrupt,
            "cut at {at}"
        );
    }
    store.commit(&Batch::from([(a, Some(good))])).unwrap();
    assert_eq!(get(&database, "./V/A").unwrap(), "word of A");
}

/// A store with an account, and its keys.
fn made(directory: &Directory) -> KeyFiles {
    let keys = KeyFiles::new(&directory.0);
    let database = redb(directory, keys.clone()).unwrap();
    furnish(&database).unwrap();
    make_account(&database);
    keys
}

/// Opens with `keys`, which has to fail with `StorageKey` and leave every file as it is.
fn refused(directory: &Directory, keys: impl KeySource + 'static) -> String {
    let content = |store: &RedbStore| entries(store);
    let before = content(&RedbStore::open(&directory.0).unwrap());
    let error = redb(directory, keys).unwrap_err();
    assert_eq!(error.code(), Code::StorageKey, "{error}");
    assert_eq!(content(&RedbStore::open(&directory.0).unwrap()), before);
    error.what().to_owned()
}

#[test]
fn a_missing_or_other_key_is_an_error_and_nothing_is_overwritten() {
    let directory = Directory::new("keys");
    let keys = made(&directory);
    let good = fs::read(keys.path(1)).unwrap();
    assert_eq!(good.len(), 32);

    fs::remove_file(keys.path(1)).unwrap();
    let missing = refused(&directory, keys.clone());
    assert_eq!(missing, "store: key 1, which it is sealed with, is missing");
    assert!(!keys.path(1).exists(), "no new key may be made");

    keys.make(1, Secret::new([7; 32])).unwrap();
    let other = refused(&directory, keys.clone());
    assert_eq!(other, "store: key 1 is not the one it is sealed with");

    for wrong in [&good[..31], &[&good[..], b"\n"].concat(), b""] {
        fs::write(keys.path(1), wrong).unwrap();
        assert!(refused(&directory, keys.clone()).ends_with("dmsc-1.key: a key has 32 octets"));
    }
    assert!(refused(&directory, Keys::default()).ends_with("is missing"));

    // Without any key the store is refused as well, rather than its secrets not found.
    let error = Database::new(Arc::new(RedbStore::open(&directory.0).unwrap())).unwrap_err();
    assert_eq!(error.code(), Code::StorageKey);

    fs::write(keys.path(1), &good).unwrap();
    let database = redb(&directory, keys).unwrap();
    assert_eq!(get(&database, SECRET).unwrap(), "client-password");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new("mode");
    let keys = made(&directory);
    let mode = || fs::metadata(keys.path(1)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    for wide in [0o640, 0o604, 0o660, 0o700 | 0o010] {
        fs::set_permissions(keys.path(1), fs::Permissions::from_mode(wide)).unwrap();
        let text = refused(&directory, keys.clone());
        assert!(text.ends_with(&format!("dmsc-1.key: mode {wide:04o}, must be 0600")), "{text}");
        assert_eq!(mode(), wide);
    }
    fs::set_permissions(keys.path(1), fs::Permissions::from_mode(0o400)).unwrap();
    assert!(redb(&directory, keys).is_ok());
}

#[test]
fn a_new_key_seals_everything_and_the_old_one_is_forgotten() {
    let directory = Directory::new("rotate");
    let keys = made(&directory);
    let before = entries(&RedbStore::open(&directory.0).unwrap());
    let database = redb(&directory, keys.clone()).unwrap();
    let old_key = keys.load(1).unwrap().unwrap();
    let old_view = database.read().unwrap();
    for number in 2..5 {
        database.rotate_key().unwrap();
        assert!(!keys.path(number - 1).exists() && keys.path(number).exists());
        assert_eq!(get(&database, SECRET).unwrap(), "client-password");
        // A view from before the rotation reads on.
        assert_eq!(value(&old_view, SECRET).unwrap(), "client-password");
        replace(&database, SECRET, "client-password").unwrap();
    }
    drop((old_view, database));
    // Nothing that the old key opens is left in the file.
    let after = directory.octets();
    let sealed: Vec<_> = before.iter().filter(|((table, _), _)| *table == Table::Secret).collect();
    assert_eq!(sealed.len(), 4);
    for (_, value) in sealed {
        assert!(!after.windows(value.len()).any(|octets| octets == value));
    }
    let only_old = Keys::default();
    only_old.make(1, old_key).unwrap();
    assert!(refused(&directory, only_old).ends_with("key 4, which it is sealed with, is missing"));
    let database = redb(&directory, keys).unwrap();
    assert_eq!(get(&database, SECRET).unwrap(), "client-password");
}

#[test]
fn a_rotation_waits_for_the_writer_and_is_not_for_stores_without_secrets() {
    let database = sealed(Arc::new(MemoryStore::new()), Keys::default(), &[]).unwrap();
    let txn = database.begin().unwrap();
    assert_eq!(database.rotate_key().unwrap_err().code(), Code::Busy);
    drop(txn);
    database.rotate_key().unwrap();
    let open = Database::new(Arc::new(MemoryStore::new())).unwrap();
    assert_eq!(open.rotate_key().unwrap_err().code(), Code::NotSupported);
}

#[test]
fn a_pattern_that_comes_later_seals_what_lay_open_and_stays() {
    let directory = Directory::new("later");
    let keys = KeyFiles::new(&directory.0);
    let open = |more: &[&str]| -> Result<Database> {
        sealed(Arc::new(RedbStore::open(&directory.0)?), keys.clone(), more)
    };
    let database = open(&[]).unwrap();
    furnish(&database).unwrap();
    add(&database, WIFI, "wifi-word").unwrap();
    add(&database, "./Vendor/Wifi/Ssid", "name-of-net").unwrap();
    drop(database);
    assert!(contains(&directory.octets(), "wifi-word"));

    let database = open(&["./Vendor/*/Key"]).unwrap();
    assert_eq!(get(&database, WIFI).unwrap(), "wifi-word");
    drop(database);
    none_in_clear(&directory, &["wifi-word"]);
    assert!(contains(&directory.octets(), "name-of-net"));

    // Whoever opens it without the pattern does not lay the value open.
    let database = open(&[]).unwrap();
    replace(&database, WIFI, "wifi-word-2").unwrap();
    assert_eq!(get(&database, WIFI).unwrap(), "wifi-word-2");
    drop(database);
    none_in_clear(&directory, &["wifi-word"]);
    assert_eq!(open(&["Vendor"]).unwrap_err().code(), Code::Uri);
}

#[test]
fn a_store_that_was_open_is_sealed_when_it_gets_a_key() {
    let directory = Directory::new("unsealed");
    let database = Database::new(Arc::new(RedbStore::open(&directory.0).unwrap())).unwrap();
    furnish(&database).unwrap();
    make_account(&database);
    drop(database);
    assert!(contains(&directory.octets(), "client-password"));
    let database = redb(&directory, KeyFiles::new(&directory.0)).unwrap();
    assert_eq!(get(&database, SECRET).unwrap(), "client-password");
    drop(database);
    none_in_clear(&directory, &["-password", "nonce-of-the"]);
}

#[test]
fn the_hosts_storage_keeps_the_key_beside_the_blob() {
    let blobs = Blobs::default();
    let open = || {
        let storage = Arc::new(blobs.clone());
        sealed(Arc::new(BlobStore::open(storage.clone())?), BlobKeys::new(storage), &[])
    };
    let database = open().unwrap();
    furnish(&database).unwrap();
    make_account(&database);
    database.rotate_key().unwrap();
    drop(database);
    let (tree, names) = {
        let saved = blobs.0.lock().unwrap();
        let mut names: Vec<String> = saved.blobs.keys().cloned().collect();
        names.sort();
        (saved.blobs[BLOB_NAME].clone(), names)
    };
    assert_eq!(names, ["dmsc.key.2", BLOB_NAME]);
    assert!(!contains(&tree, "-password") && contains(&tree, SERVER));
    assert_eq!(get(&open().unwrap(), SECRET).unwrap(), "client-password");
    blobs.0.lock().unwrap().blobs.remove("dmsc.key.2");
    assert_eq!(open().unwrap_err().code(), Code::StorageKey);
}
