//! A process is killed at random points of a random workload; the store then holds the state after the
//! last step that was reported, or after the one that was under way.
//!
//! `DMSC_CRASH_ROUNDS` sets how often; `make crash` takes 1,000.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(all(feature = "redb", unix))]

mod store_common;

use dmsc::store::Database;
use dmsc::store::key_file::KeyFiles;
use dmsc::store::memory::MemoryStore;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store_common::dice::Dice;
use store_common::workload::{last_step, state, step};
use store_common::*;

const TEST: &str = "no_killed_process_leaves_half_a_transaction";
const SEED: u64 = 20_261_129;
/// Every so many steps the child makes a new key.
const ROTATION: u64 = 13;

/// The child: goes on where the store is, and says each step that is committed.
fn work(directory: &Directory) -> ! {
    let database = redb(directory, KeyFiles::new(&directory.0)).unwrap();
    let mut out = std::io::stdout();
    for number in last_step(&database) + 1.. {
        step(&database, SEED, number).unwrap();
        // One write: a killed process has said a step or not.
        out.write_all(format!("step {number}\n").as_bytes()).unwrap();
        out.flush().unwrap();
        if number % ROTATION == 0 {
            database.rotate_key().unwrap();
        }
    }
    unreachable!()
}

/// The number of the last step that a child said before it was killed, if it said one.
fn killed_child(directory: &Directory, dice: &mut Dice) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, &directory.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = || {
        lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("step ")?.parse().ok())
    };
    let mut last = None;
    for _ in 0..dice.below(12) {
        last = said();
        assert!(last.is_some(), "the child ended by itself");
    }
    // Somewhere in the next steps: a step takes some milliseconds.
    let until = Instant::now() + Duration::from_micros(dice.below(8_000));
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while let Some(number) = said() {
        last = Some(number);
    }
    last
}

#[test]
fn no_killed_process_leaves_half_a_transaction() {
    if let Some(path) = child_directory() {
        work(&Directory(path));
    }
    let rounds = std::env::var("DMSC_CRASH_ROUNDS").map_or(50, |text| text.parse().unwrap());
    let directory = Directory::new("crash");
    let mut dice = Dice(SEED);
    let furnished = redb(&directory, KeyFiles::new(&directory.0)).unwrap();
    furnish(&furnished).unwrap();
    drop(furnished);
    let model = sealed(Arc::new(MemoryStore::new()), Keys::default(), &[]).unwrap();
    furnish(&model).unwrap();
    let (mut before, mut after) = (0, 0);
    for round in 0..rounds {
        let reported = killed_child(&directory, &mut dice).unwrap_or(last_step(&model));
        let store: Database = redb(&directory, KeyFiles::new(&directory.0)).unwrap();
        let reached = last_step(&store);
        assert!(
            reached == reported || reached == reported + 1,
            "round {round}: step {reported} was reported, the store is at {reached}"
        );
        if reached == reported {
            before += 1
        } else {
            after += 1
        }
        for number in last_step(&model) + 1..=reached {
            step(&model, SEED, number).unwrap();
        }
        let (found, expected) = (store.read().unwrap(), model.read().unwrap());
        assert!(
            state(&found).unwrap() == state(&expected).unwrap(),
            "round {round}: step {reached}"
        );
    }
    println!("{rounds} kills: {before} at the step reported, {after} at the one under way");
    assert!(last_step(&model) > rounds, "too few steps were done");
}
