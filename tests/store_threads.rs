//! Readers with snapshots while one writer works and the key changes: each view is exactly the state after
//! one step, and no reader goes back in time. `make tsan` runs it under ThreadSanitizer.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "redb")]

mod store_common;

use dmsc::error::Code;
use dmsc::store::blob::BlobStore;
use dmsc::store::memory::MemoryStore;
use dmsc::store::{Database, Reader, Store, Table};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use store_common::disk::Disk;
use store_common::workload::{State, state, step};
use store_common::*;

const SEED: u64 = 9;
const STEPS: u64 = 60;
const READERS: usize = 4;

/// The number of the last step in a view.
fn step_of(reader: &dyn Reader) -> u64 {
    let octets = reader.get(Table::Replay, b"server").unwrap();
    octets.map_or(0, |octets| u64::from_be_bytes((*octets).try_into().unwrap()))
}

fn model() -> Vec<State> {
    let database = sealed(Arc::new(MemoryStore::new()), Keys::default(), &[]).unwrap();
    furnish(&database).unwrap();
    let now = || state(&database.read().unwrap()).unwrap();
    let mut states = vec![now()];
    for number in 1..=STEPS {
        step(&database, SEED, number).unwrap();
        states.push(now());
    }
    states
}

/// Reads until the writer is done; how many different states were seen.
fn read(database: &Database, model: &[State], done: &AtomicBool) -> usize {
    let (mut last, mut seen) = (0, 0);
    let mut old = database.read().unwrap();
    loop {
        let is_last = done.load(Ordering::Acquire);
        let view = database.read().unwrap();
        let number = step_of(&view);
        assert!(number >= last, "from step {last} back to {number}");
        assert!(state(&view).unwrap() == model[number as usize], "step {number}");
        if number > last {
            // A view that was taken long ago still shows what it showed.
            let number = step_of(&old);
            assert!(state(&old).unwrap() == model[number as usize], "step {number} later");
            old = view;
            seen += 1;
            last = number;
        }
        if is_last {
            assert_eq!(step_of(&database.read().unwrap()), STEPS);
            return seen;
        }
    }
}

fn stress(store: Arc<dyn Store>) {
    let model = model();
    let database = sealed(store, Keys::default(), &[]).unwrap();
    furnish(&database).unwrap();
    let (done, start) = (AtomicBool::new(false), Barrier::new(READERS + 2));
    let rotations = AtomicU64::new(0);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    read(&database, &model, &done)
                })
            })
            .collect();
        // Two want to write: the one that comes second is told so, and tries again.
        scope.spawn(|| {
            start.wait();
            while !done.load(Ordering::Acquire) {
                match database.rotate_key() {
                    Ok(()) => _ = rotations.fetch_add(1, Ordering::AcqRel),
                    Err(error) => assert_eq!(error.code(), Code::Busy),
                }
                thread::yield_now();
            }
        });
        start.wait();
        for number in 1..=STEPS {
            while let Err(error) = step(&database, SEED, number) {
                assert_eq!(error.code(), Code::Busy, "{error}");
                thread::yield_now();
            }
            // A new key at least every ten steps.
            while rotations.load(Ordering::Acquire) < number / 10 {
                thread::yield_now();
            }
        }
        done.store(true, Ordering::Release);
        let seen: Vec<usize> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        println!("states seen by the readers: {seen:?}; new keys: {rotations:?}");
        assert!(seen.iter().sum::<usize>() > READERS);
    });
}

#[test]
fn readers_and_a_writer_in_memory() {
    stress(Arc::new(MemoryStore::new()));
}

#[test]
fn readers_and_a_writer_on_the_hosts_storage() {
    stress(Arc::new(BlobStore::open(Arc::new(Blobs::default())).unwrap()));
}

#[test]
fn readers_and_a_writer_on_redb() {
    let disk = Disk::default();
    let backend = move || disk.clone();
    stress(Arc::new(dmsc::store::redb::RedbStore::with_backend(backend).unwrap()));
}

#[test]
fn readers_and_a_writer_on_a_file() {
    let directory = Directory::new("threads");
    stress(Arc::new(dmsc::store::redb::RedbStore::open(&directory.0).unwrap()));
}
