//! Bad cards, bad documents, bad notifications, bad servers and bad hosts: each gives its own status
//! and text, an event, and leaves the store as it was before that step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod bootstrap;
mod card;
mod host;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod trigger;

use dmsc::event::EventKind;
use dmsc::ffi::{dmsc_card_event, dmsc_event_type as event};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use support::abi::{
    Ears, Entries, Failure, Heard, Keep, Phone, TABLE_REPLAY, Vault, blank, directory,
};
use support::facade::Facade;
use support::sim::{Instead, Sim, profile};
use uicc_sim::card::{BootstrapFault, DodfFault};
use uicc_sim::profile::Profile;

const SERVER: &str = "com.example.sc";
const DEMO_AFTER_1: [(&str, &str); 4] = [
    ("./Operator/", ""),
    ("./Operator/Apn", "internet-1.example"),
    ("./Operator/Mms", "http://mms.example/"),
    ("./Operator/Name", "Example Mobile 1"),
];

fn demo(edit: impl FnOnce(&mut Profile)) -> Sim {
    let mut profile = profile("demo");
    edit(&mut profile);
    Sim::new(profile)
}

/// A phone on storage that a test can look into.
fn phone() -> (Arc<Vault>, Phone) {
    let vault = Arc::new(Vault::default());
    let phone = Phone::new(Keep::Vault(&vault));
    (vault, phone)
}

fn operator(phone: &Phone) -> Vec<(String, String)> {
    let tree = phone.tree(".").into_iter();
    tree.filter(|(uri, _)| uri.starts_with("./Operator")).collect()
}

fn after_1() -> Vec<(String, String)> {
    DEMO_AFTER_1.iter().map(|(uri, value)| ((*uri).to_owned(), (*value).to_owned())).collect()
}

/// Status, uri and text of the events of this kind that report a failure.
fn failed(ears: &Ears, kind: event) -> Vec<(i32, String, String)> {
    let events = ears.of(kind).into_iter().filter(|event| event.status != 0);
    events.map(|Heard { status, uri, data, .. }| (status, uri, data)).collect()
}

/// Entries that are new, gone or changed, secrets' values left out.
fn changed(before: &Entries, after: &Entries) -> Vec<(u8, String)> {
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    // That something was refused is on record.
    let keys = keys.filter(|(table, _)| *table != dmsc::store::Table::Audit as u8);
    keys.filter(|key| before.get(*key) != after.get(*key))
        .map(|(table, key)| (*table, String::from_utf8_lossy(key).into_owned()))
        .collect()
}

fn assert_failure(failure: &Failure, status: i32, message: &str) {
    assert_eq!((failure.status, failure.message.as_str()), (status, message));
}

/// The text of a failure in one of the exchanges that start the toolkit.
fn fails_at_the_start(text: &str, why: &str) -> bool {
    let steps = ["beginning the card session", "TERMINAL PROFILE"];
    steps.iter().any(|step| text == format!("{step}: {why}"))
}

/// Exchanges after opening, bootstrap, start of the toolkit, its coming to rest, and a session.
fn exchanges() -> [usize; 5] {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let mut counts = [0; 5];
    let card = phone.open(&sim, 0).unwrap();
    counts[0] = sim.exchanges();
    card.bootstrap().unwrap();
    counts[1] = sim.exchanges();
    card.toolkit_start().unwrap();
    counts[2] = sim.exchanges();
    phone.settle();
    counts[3] = sim.exchanges();
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    counts[4] = sim.exchanges();
    assert_eq!(phone.ears.ended()[0].0, 0);
    counts
}

/// An account like the card's, made by the host.
fn host_account(phone: &Phone, server_id: &str, address: &str) {
    use dmsc::ffi::{dmsc_node_value, dmsc_txn_add, dmsc_txn_begin, dmsc_txn_commit};
    let leaves = [
        ("AppID", "w7"),
        ("ServerID", server_id),
        ("Name", "Of the host"),
        ("AppAddr/1/Addr", address),
        ("AppAddr/1/AddrType", "URI"),
        ("AppAuth/1/AAuthLevel", "CLCRED"),
        ("AppAuth/1/AAuthType", "DIGEST"),
        ("AppAuth/1/AAuthName", "terminal"),
        ("AppAuth/1/AAuthSecret", "terminal-secret"),
        ("AppAuth/2/AAuthLevel", "SRVCRED"),
        ("AppAuth/2/AAuthType", "DIGEST"),
        ("AppAuth/2/AAuthName", server_id),
        ("AppAuth/2/AAuthSecret", "server-secret"),
    ];
    let mut txn = std::ptr::null_mut();
    // SAFETY: the client lives, and all pointers are to locals.
    unsafe {
        support::abi::check(dmsc_txn_begin(phone.client, &raw mut txn)).unwrap();
        for (name, text) in leaves {
            let uri = support::abi::c(&format!("./DMAcc/host/{name}"));
            let value =
                dmsc_node_value { format: 1, data: text.as_ptr(), data_len: text.len(), ..blank() };
            support::abi::check(dmsc_txn_add(txn, uri.as_ptr(), &raw const value)).unwrap();
        }
        support::abi::check(dmsc_txn_commit(txn)).unwrap();
    }
}
