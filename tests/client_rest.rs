//! A client that came to rest may lose its power: a large store is opened at once all the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panic")]
#![cfg(feature = "redb")]

#[allow(dead_code, reason = "the tests of the store use the rest")]
#[path = "store_common/disk.rs"]
mod disk;
mod support;

use disk::Disk;
use dmsc::config::Config;
use dmsc::event::EventKind;
use dmsc::store::redb::RedbStore;
use dmsc::store::{Batch, Database, Store, Table};
use std::sync::Arc;
use support::abi::DEVICE;
use support::dice::{self, Dice};
use support::facade::Facade;
use support::sim::Sim;

/// A store of more octets than are read whole at each opening.
fn large() -> Disk {
    let disk = Disk::default();
    let ballast = |number: u32| ((Table::Value, number.to_be_bytes().to_vec()), Some(vec![7; 250]));
    let mut batch = Batch::new();
    batch.extend((0..20_000).map(ballast));
    open(&disk).commit(&batch).unwrap();
    assert!(disk.octets() > 5 << 20);
    disk.copy()
}

fn open(disk: &Disk) -> RedbStore {
    let disk = disk.clone();
    RedbStore::with_backend(move || disk.clone()).unwrap()
}

/// Octets that are read to open the store after a kill at this moment.
fn read_after_a_kill(disk: &Disk) -> usize {
    let found = disk.after_power_loss(0, &mut Dice(1));
    Database::new(Arc::new(open(&found))).unwrap().read().unwrap();
    found.octets_read()
}

#[test]
fn a_large_store_is_opened_at_once_after_a_kill_at_rest() {
    let disk = large();
    let phone = Facade::on(Config::new(DEVICE), Arc::new(open(&disk))).unwrap();
    let sim = Sim::named("demo");
    phone.ready(&sim);
    phone.deliver(sim.push()).unwrap();
    phone.until(|phone| !phone.of(EventKind::PackageReceived).is_empty());
    let busy = read_after_a_kill(&disk);
    phone.until(|phone| !phone.ended().is_empty());
    phone.settle();
    // With debug assertions redb walks through the file once more in both.
    let rest = read_after_a_kill(&disk);
    assert!(busy - rest > disk.octets() / 2, "{busy} octets in the session, {rest} after it");
}
