//! A medium that fails or loses power at every single write and sync in turn: what is found afterwards
//! is the state before or after the transaction under way, never between, and its secrets open.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "redb")]

mod store_common;

use dmsc::error::{Code, Error, Result};
use dmsc::store::blob::BlobStore;
use dmsc::store::memory::MemoryStore;
use dmsc::store::redb::RedbStore;
use dmsc::store::{Database, Store, Table};
use std::io::ErrorKind;
use std::sync::Arc;
use store_common::dice::Dice;
use store_common::disk::{Disk, Fault};
use store_common::workload::{State, last_step, state, step};
use store_common::*;

const SEED: u64 = 4;
const STEPS: u64 = 6;
/// After this step a new key is made.
const ROTATION: u64 = 3;

/// The states after each step, from a store that never fails.
fn model() -> Vec<State> {
    let database = sealed(Arc::new(MemoryStore::new()), Keys::default(), &[]).unwrap();
    furnish(&database).unwrap();
    let mut states = vec![now(&database, "the model")];
    for number in 1..=STEPS {
        step(&database, SEED, number).unwrap();
        states.push(now(&database, "the model"));
    }
    states
}

fn open(disk: &Disk, keys: &Keys) -> Result<Database> {
    let disk = disk.clone();
    sealed(Arc::new(RedbStore::with_backend(move || disk.clone())?), keys.clone(), &[])
}

/// A failure, and the states between which the store then is.
#[derive(Debug)]
struct Failed {
    low: u64,
    high: u64,
    code: Code,
}

/// Does the steps that are left.
fn work(database: &Database) -> core::result::Result<(), Failed> {
    for number in last_step(database) + 1..=STEPS {
        let failed =
            |low: u64| move |error: Error| Failed { low, high: number, code: error.code() };
        step(database, SEED, number).map_err(failed(number - 1))?;
        if number == ROTATION {
            database.rotate_key().map_err(failed(number))?;
        }
    }
    Ok(())
}

/// A disk with a furnished store and its keys, the store closed.
fn furnished() -> (Disk, Keys) {
    let (disk, keys) = (Disk::default(), Keys::default());
    let database = open(&disk, &keys).unwrap();
    furnish(&database).unwrap();
    drop(database);
    (disk.copy(), keys)
}

/// The keys as they are now, for a disk of its own.
fn copy(keys: &Keys) -> Keys {
    Keys(Arc::new(std::sync::Mutex::new(keys.0.lock().unwrap().clone())))
}

fn now(database: &Database, what: &str) -> State {
    let state = database.read().and_then(|view| state(&view));
    state.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// Fails unless the store holds one of the states `low..=high` and goes on from there to the end.
fn check(database: &Database, model: &[State], low: u64, high: u64, what: &str) -> u64 {
    let reached = last_step(database);
    assert!((low..=high).contains(&reached), "{what}: {reached} is outside {low} to {high}");
    assert!(
        now(database, what) == model[reached as usize],
        "{what}: not the state of step {reached}"
    );
    work(database).unwrap_or_else(|failed| panic!("{what}: {failed:?}"));
    assert!(now(database, what) == model[STEPS as usize], "{what}");
    reached
}

#[test]
fn power_lost_at_every_write_and_sync() {
    let (model, (first, first_keys)) = (model(), furnished());
    let mut dice = Dice(SEED);
    let (mut kept, mut came) = (0, 0);
    for number in 0.. {
        let (disk, keys) = (first.copy(), copy(&first_keys));
        disk.plan(number, Fault::Off);
        let (low, high) = match open(&disk, &keys) {
            Err(_) => (0, 0),
            Ok(database) => match work(&database) {
                Err(Failed { low, high, .. }) => (low, high),
                Ok(()) => (STEPS, STEPS),
            },
        };
        for subset in 0..5 {
            let found = disk.after_power_loss(subset, &mut dice);
            let what = format!("operation {number}, subset {subset}");
            let database =
                open(&found, &copy(&keys)).unwrap_or_else(|error| panic!("{what}: {error}"));
            let reached = check(&database, &model, low, high, &what);
            if low < high {
                if reached == low { kept += 1 } else { came += 1 }
            }
        }
        if disk.operations() <= number {
            println!(
                "{number} operations: {kept} times the state before, {came} times the one after"
            );
            assert!(number > 50 && kept > 50 && came > 5);
            return;
        }
    }
}

#[test]
fn a_write_or_sync_that_fails_once() {
    let (model, (first, first_keys)) = (model(), furnished());
    for (kind, code) in
        [(ErrorKind::StorageFull, Code::StorageFull), (ErrorKind::Other, Code::StorageIo)]
    {
        for number in 0.. {
            let (disk, keys) = (first.copy(), copy(&first_keys));
            disk.plan(number, Fault::Once(kind));
            let what = format!("operation {number} with {kind:?}");
            let opened = open(&disk, &keys).or_else(|error| {
                assert_eq!(error.code(), code, "{what}");
                open(&disk, &keys)
            });
            let database = opened.unwrap_or_else(|error| panic!("{what}: {error}"));
            // The process lives on: what failed is as it was, and is tried again.
            if let Err(failed) = work(&database) {
                assert_eq!(failed.code, code, "{what}");
                check(&database, &model, failed.low, failed.high, &what);
            }
            assert!(now(&database, &what) == model[STEPS as usize], "{what}");
            drop(database);
            let last = disk.operations() <= number;
            disk.heal();
            check(&open(&disk.copy(), &keys).unwrap(), &model, STEPS, STEPS, &what);
            if last {
                assert!(number > 50, "only {number} operations");
                break;
            }
        }
    }
}

#[test]
fn the_first_opening_ends_at_every_write_and_sync() {
    let mut dice = Dice(SEED);
    // redb's own making of a file is not among them: files are made under another name.
    let made = Disk::default();
    drop(
        RedbStore::with_backend({
            let made = made.clone();
            move || made.clone()
        })
        .unwrap(),
    );
    for number in 0.. {
        let (disk, keys) = (made.after_power_loss(0, &mut dice), Keys::default());
        disk.plan(number, Fault::Off);
        let opened = open(&disk, &keys).map(drop);
        for subset in 0..5 {
            let found = disk.after_power_loss(subset, &mut dice);
            let what = format!("operation {number}");
            let database = open(&found, &keys).unwrap_or_else(|error| panic!("{what}: {error}"));
            furnish(&database).unwrap();
            assert_eq!(keys.numbers(), [1], "{what}");
        }
        if opened.is_ok() && disk.operations() <= number {
            assert!(number > 5);
            break;
        }
    }
}

#[test]
fn a_host_whose_storage_fails_at_each_save_in_turn() {
    let model = model();
    let open = |blobs: &Blobs, keys: &Keys| -> Result<Database> {
        sealed(Arc::new(BlobStore::open(Arc::new(blobs.clone()))?), keys.clone(), &[])
    };
    for (stop, lands) in [(false, false), (true, false), (false, true), (true, true)] {
        for number in 0.. {
            let (blobs, keys) = (Blobs::default(), Keys::default());
            furnish(&open(&blobs, &keys).unwrap()).unwrap();
            let plan = |fails: Option<usize>| {
                let mut saved = blobs.0.lock().unwrap();
                (saved.stop, saved.lands, saved.fails) = (stop, lands, fails);
            };
            let at = blobs.0.lock().unwrap().saves + number;
            plan(Some(at));
            let what = format!("save {number}, stop {stop}, lands {lands}");
            let database = open(&blobs, &keys).unwrap();
            let done = work(&database);
            let last = blobs.0.lock().unwrap().saves <= at;
            let (low, high) = match done {
                Err(Failed { low, high, code }) => {
                    assert_eq!(code, Code::Callback, "{what}");
                    // In this process what was reported as failed has not happened.
                    assert!(now(&database, &what) == model[low as usize], "{what}");
                    (low, if lands { high } else { low })
                }
                Ok(()) => (STEPS, STEPS),
            };
            drop(database);
            plan(None);
            check(&open(&blobs, &keys).unwrap(), &model, low, high, &what);
            if last {
                assert!(number as u64 > STEPS, "{what}");
                break;
            }
        }
    }
}

/// As [`furnished`], with a node `./Work/Name` and so much beside it that the file is not read whole
/// when it is opened.
fn large() -> (Disk, Keys) {
    let (disk, keys) = furnished();
    let database = open(&disk, &keys).unwrap();
    add(&database, "./Work/Name", "before").unwrap();
    let mut txn = database.begin().unwrap();
    for number in 0..20_000u32 {
        txn.put(Table::Host, &number.to_be_bytes(), vec![7; 250]);
    }
    txn.commit().unwrap();
    drop(database);
    assert!(disk.octets() > 5 << 20);
    (disk.copy(), keys)
}

#[test]
fn one_commit_takes_two_syncs_at_most() {
    for (disk, keys) in [furnished(), large()] {
        let database = open(&disk, &keys).unwrap();
        let _ = add(&database, "./Work/Name", "1");
        for round in 0..20 {
            let before = disk.syncs();
            replace(&database, "./Work/Name", &round.to_string()).unwrap();
            assert!(disk.syncs() - before <= 2, "{} syncs", disk.syncs() - before);
        }
    }
}

#[test]
fn a_large_store_that_came_to_rest_is_not_read_whole_after_a_kill() {
    let (disk, keys) = large();
    let database = open(&disk, &keys).unwrap();
    let read_when_killed = || {
        let found = disk.after_power_loss(0, &mut Dice(SEED));
        assert_eq!(get(&open(&found, &keys).unwrap(), "./Work/Name").unwrap(), "after");
        found.octets_read()
    };
    replace(&database, "./Work/Name", "after").unwrap();
    let unsettled = read_when_killed();
    assert!(unsettled > disk.octets(), "{unsettled} octets");
    database.settle();
    let settled = read_when_killed();
    // With debug assertions redb walks through the file once even then.
    let walked = if cfg!(debug_assertions) { disk.octets() / 4 * 3 } else { 0 };
    assert!(settled < walked + disk.octets() / 20, "{settled} octets");
    // Nothing is left to do.
    let before = disk.operations();
    database.settle();
    assert_eq!(disk.operations(), before);
}

#[test]
fn power_lost_while_a_large_store_comes_to_rest() {
    let (first, first_keys) = large();
    let mut dice = Dice(SEED);
    let mut seen = [0, 0];
    for number in 0.. {
        let (disk, keys) = (first.copy(), copy(&first_keys));
        let database = open(&disk, &keys).unwrap();
        let start = disk.operations();
        disk.plan(number, Fault::Off);
        let committed = replace(&database, "./Work/Name", "after").is_ok();
        database.settle();
        for subset in 0..3 {
            let found = disk.after_power_loss(subset, &mut dice);
            let value = get(&open(&found, &copy(&keys)).unwrap(), "./Work/Name").unwrap();
            assert!(value == "after" || (!committed && value == "before"), "operation {number}");
            seen[usize::from(value == "after")] += 1;
        }
        if disk.operations() <= start + number {
            assert!(number > 10 && seen.iter().all(|times| *times > 10), "{number}: {seen:?}");
            return;
        }
    }
}

/// The store as it is used: nothing here may depend on the backend of the tests.
#[test]
fn the_backend_and_the_file_hold_the_same() {
    let directory = Directory::new("same");
    let (disk, keys) = furnished();
    let on_disk = open(&disk, &keys).unwrap();
    let in_file: Arc<dyn Store> = Arc::new(RedbStore::open(&directory.0).unwrap());
    let in_file = sealed(in_file, Keys::default(), &[]).unwrap();
    furnish(&in_file).unwrap();
    for number in 1..=STEPS {
        step(&on_disk, SEED, number).unwrap();
        step(&in_file, SEED, number).unwrap();
        let states = [&on_disk, &in_file].map(|database| state(&database.read().unwrap()).unwrap());
        assert!(states[0] == states[1]);
    }
}
