//! Wrong usage is told from failure, and both from success.

use crate::support::{dmsc, fresh};

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &[][..],
        &["card"],
        &["card", "info"],
        &["card", "info", "--card", "usb:1"],
        &["card", "info", "--card", "sim:"],
        &["card", "bootstrap", "--card", "sim:demo"],
        &["run", "--card", "sim:demo"],
        &["run", "--card", "sim:demo", "--store", "x", "--sessions", "0"],
        &["run", "--card", "sim:demo", "--store", "x", "--answer", "perhaps"],
        &["run", "--card", "sim:demo", "--store", "x", "--push", "0106f"],
        &["tree", "dump"],
        &["tree", "dump", "--store", "x", "--tnds", "--json"],
    ] {
        let ran = dmsc(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn help_and_version_are_a_success() {
    assert!(dmsc(&["--version"]).good().stdout.starts_with("dmsc 0."));
    for command in [&["card", "info"][..], &["card", "bootstrap"], &["run"], &["tree", "dump"]] {
        let help = dmsc(&[command, &["--help"]].concat()).good();
        assert!(help.stdout.contains("--json"), "{}", help.stdout);
    }
}

#[test]
fn a_profile_that_is_none_is_one_line() {
    dmsc(&["card", "info", "--card", "sim:/no/such/profile.toml"]).failed("DMSC_ERR_INVALID_ARG");
    let manifest = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    dmsc(&["card", "info", "--card", manifest]).failed("DMSC_ERR_INVALID_ARG");
}

#[test]
fn a_reader_that_is_not_there_is_a_failure() {
    let ran = dmsc(&["card", "info", "--card", "pcsc:no reader has this name"]);
    // Without a running PC/SC service the failure is another one.
    let service = ran.stderr.ends_with("(DMSC_ERR_CARD_TRANSMIT)\n");
    ran.failed(if service { "DMSC_ERR_CARD_TRANSMIT" } else { "DMSC_ERR_CARD_ABSENT" });
}

#[test]
fn a_store_that_cannot_be_made_is_a_failure() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/store");
    for command in [&["card", "bootstrap"][..], &["run"]] {
        let arguments = [command, &["--card", "sim:demo", "--store", file]].concat();
        dmsc(&arguments).failed("DMSC_ERR_STORAGE_IO");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    use std::fs::OpenOptions;
    use std::process::Command;
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_dmsc"))
        .args(["card", "info", "--card", "sim:demo"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8(ran.stderr).unwrap().ends_with("(DMSC_ERR_IO)\n"));
}

#[test]
fn the_log_is_on_standard_error_and_holds_no_secret() {
    let store = fresh("log");
    let card = crate::support::own("pulled-later");
    let ran = dmsc(&["-vv", "run", "--card", &card, "--store", &store, "--request", "--json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("WARN  dmsc::client::core: card: "), "{}", ran.stderr);
    assert!(!ran.lines().is_empty());
}
