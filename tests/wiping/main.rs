//! What is left of passwords, nonces, keys and PINs when everything is over: a process goes through bootstrap
//! by card and by push, sessions with the card and with a server behind TLS, and closes its client. Then its
//! memory, its log, its store, its journal and its capture file are searched.
//!
//! The process that is searched is not the one that knows: card, servers and user live in this one, and tell
//! it over a socket what a phone would be told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]
#![cfg(all(feature = "redb", feature = "tls", target_os = "linux"))]

#[path = "../support/mod.rs"]
mod support;

mod phone;
mod scan;
mod wire;
mod world;

use dmsc::allocator::Wiping;
use scan::Needles;
use std::path::Path;
use world::{CANARY, STORE_KEY, TLS_KEY, World};

#[global_allocator]
static WIPING: Wiping = Wiping;

const TEST: &str = "nothing_secret_is_left_in_memory_log_store_journal_or_capture";
/// Set to the folder of the phone in its process.
const CHILD: &str = "DMSC_WIPING_CHILD";

#[test]
fn nothing_secret_is_left_in_memory_log_store_journal_or_capture() {
    if let Some(folder) = std::env::var_os(CHILD) {
        phone::run(Path::new(&folder));
    }
    let mut world = World::new();
    let [idle, over] = world.play();
    let secrets = world.secrets();
    // A client that is open can open its store and show its certificate.
    for (memory, kept) in [(idle, &[CANARY, STORE_KEY, TLS_KEY][..]), (over, &[CANARY])] {
        let found = secrets.needles().found_in(&memory);
        assert!(found.contains(CANARY), "the search finds nothing at all");
        let is_kept = |name: &String| kept.iter().any(|kept| name.starts_with(kept));
        let left: Vec<_> = found.iter().filter(|name| !is_kept(name)).collect();
        assert!(left.is_empty(), "in memory, besides {kept:?}: {left:?}");
    }
    assert_eq!(world.capture_mode() & 0o077, 0, "others can read the capture");
    for (file, octets) in world.files() {
        // A capture shows what the card says; only PINs are masked in it.
        let needles = if file == phone::CAPTURE { secrets.pins() } else { secrets.needles() };
        let found = needles.found_in(&octets);
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

#[test]
fn the_search_knows_every_spelling() {
    let mut needles = Needles::default();
    needles.add("it", b"correct horse battery");
    for text in [
        &b"..correct horse battery.."[..],
        b"..Y29ycmVjdCBob3JzZSBiYXR0ZXJ5..",
        // The base64 of "phone:correct horse battery" and of one octet less.
        b"cGhvbmU6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5",
        b"aG9uZTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=",
        b"b25lOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==",
        b"636f727265637420686f7273652062617474657279",
        b"636F727265637420686F7273652062617474657279",
        b"c\0o\0r\0r\0e\0c\0t\0 \0h\0o\0r\0s\0e\0 \0b\0a\0t\0t\0e\0r\0y\0",
        b"\0c\0o\0r\0r\0e\0c\0t\0 \0h\0o\0r\0s\0e\0 \0b\0a\0t\0t\0e\0r\0y",
    ] {
        assert_eq!(needles.found_in(text).len(), 1, "{}", String::from_utf8_lossy(text));
    }
    assert!(needles.found_in(b"correct horse batter").is_empty());
}
