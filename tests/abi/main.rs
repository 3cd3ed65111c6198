//! The contract of the C ABI itself: pointers, sizes, ownership, re-entry, threads, last error, symbols.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of them are calls that a C program would make; what they break is said at each"
)]

mod alerts;
mod audit;
mod changes;
mod descriptions;
mod errors;
mod hang;
mod host_commits;
mod host_nodes;
mod host_streams;
mod keys;
mod library;
mod null;
mod ownership;
mod provisioning;
mod reentry;
mod sizes;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod toolkit;
mod trace;
mod transactions;
mod values;

use dmsc::error::Code;
use dmsc::ffi::*;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use support::abi::{
    Alert, DEVICE, Ears, Failure, Keep, Phone, Vault, answer, blank, c, check, last_message,
    take_buffer,
};
use support::facade::Facade;
use support::sim::{Instead, Sim};

const INVALID_ARG: i32 = -1;
const STATE: i32 = -5;
const REENTRANT: i32 = -6;
const UTF8: i32 = -11;
/// "caf" and an octet that begins no character.
const NOT_UTF8: &CStr = c"caf\xE9";

fn status(number: i32) -> i32 {
    check(number).unwrap_or_else(|failure| failure.status)
}

/// The status of a call that must fail, after a look at its text.
fn refused(number: i32, status: i32, text: &str) {
    let failure = check(number).unwrap_err();
    assert_eq!(failure.status, status, "{}", failure.message);
    assert!(failure.message.contains(text), "{:?} is not in {:?}", text, failure.message);
}

fn config(device_id: &CStr) -> dmsc_config {
    let mut config = blank::<dmsc_config>();
    unsafe { dmsc_config_init(&raw mut config, size_of::<dmsc_config>()) };
    config.device_id = device_id.as_ptr();
    config
}

/// A client without store, cards and callbacks.
fn bare() -> *mut dmsc_client {
    let device = c(DEVICE);
    let (config, mut client) = (config(&device), null_mut());
    check(unsafe { dmsc_client_new(&raw const config, null(), &raw mut client) }).unwrap();
    client
}

/// The log is the process's, not a client's: tests that set it take turns.
static LOG: Mutex<()> = Mutex::new(());
