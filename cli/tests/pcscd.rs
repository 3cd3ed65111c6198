//! The command `dmsc` with a card in a PC/SC reader: a real pcscd, its vpcd reader, and in that the
//! simulated card.
#![cfg(target_os = "linux")]
// Clippy takes only functions with #[test] for tests; these are their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/support/pcscd/mod.rs"]
mod support;

use std::process::{Command, Output};
use support::daemon::{READERS, with_pcscd, without_pcscd};
use support::inserted::{Inserted, card, demo};
use uicc_sim::application::Application;
use uicc_sim::card::{Protocol, Verdict};

/// Runs `dmsc`; everything it keeps goes where only this test is.
fn dmsc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmsc")).args(arguments).output().unwrap()
}

/// What a successful `dmsc` prints.
fn printed(arguments: &[&str]) -> String {
    let output = dmsc(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {out}{error}");
    out
}

/// The line that a `dmsc` prints that fails.
fn complaint(arguments: &[&str]) -> String {
    let output = dmsc(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// `run` with both flows, on a card with `protocol`.
fn both_flows(protocol: Protocol) {
    let (card, server) = card(demo(protocol));
    let inserted = Inserted::new(0, card);
    let push: String =
        server.get().notification().iter().map(|octet| format!("{octet:02X}")).collect();
    let reader = format!("pcsc:{}", READERS[0]);
    let run = ["run", "--card", &reader, "--store", "/run/store", "--answer", "yes"];
    printed(&[&run[..], &["--sessions", "2", "--push", &push]].concat());

    let tree = printed(&["tree", "dump", "--store", "/run/store"]);
    assert!(tree.contains("Apn = internet-2.example"), "{tree}");
    let card = inserted.pull();
    assert_eq!(card.verdict(), Verdict::Good, "{}", card.report());
    assert_eq!(card.good_sessions(), 2, "{}", card.report());
}

#[test]
fn run_does_both_flows_with_a_t0_card() {
    with_pcscd(|_pcscd| both_flows(Protocol::T0));
}

#[test]
fn run_does_both_flows_with_a_t1_card() {
    with_pcscd(|_pcscd| both_flows(Protocol::T1));
}

#[test]
fn run_fails_when_the_card_is_taken_out() {
    with_pcscd(|_pcscd| {
        let mut profile = demo(Protocol::T0);
        profile.card.faults.remove_after_apdus = Some(60);
        let inserted = Inserted::new(0, card(profile).0);
        let run = ["run", "--card", "pcsc:", "--store", "/run/store", "--answer", "yes"];
        let line = complaint(&run);
        assert!(line.contains("DMSC_ERR_CARD_REMOVED"), "{line}");
        inserted.pull();
    });
}

#[test]
fn a_reader_without_card_and_no_reader_at_all() {
    with_pcscd(|_pcscd| {
        for reader in ["pcsc:", "pcsc:DMSC", "pcsc:no reader has this name"] {
            let line = complaint(&["card", "info", "--card", reader]);
            assert!(line.contains("DMSC_ERR_CARD_ABSENT"), "{line}");
        }
    });
}

#[test]
fn no_pcsc_service() {
    without_pcscd(|| {
        let line = complaint(&["card", "info", "--card", "pcsc:"]);
        assert!(line.contains("PC/SC") && line.contains("DMSC_ERR_CARD_ABSENT"), "{line}");
    });
}
