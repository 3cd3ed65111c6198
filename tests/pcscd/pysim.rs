//! The simulated card as pySim reads it: another program's idea of files, headers and proactive commands.
//!
//! `make check-pysim PYSIM=path` runs this with a checkout of pySim whose requirements are installed; without
//! one there is nothing to run.

use crate::support::daemon::Daemon;
use crate::support::daemon::{alone, possible};
use crate::support::inserted::{Inserted, card, demo};
use std::process::{Command, Stdio};
use uicc_sim::card::Protocol;
use uicc_sim::profile::Profile;

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pcscd/pysim/read.py");

fn with_pysim<F: FnOnce(Daemon)>(body: F) {
    if std::env::var_os("PYSIM").is_some() {
        alone(std::any::type_name::<F>(), possible, || body(Daemon::start()));
    }
}

/// What pySim tells of the card that `profile` describes, a name and a value a line.
fn read(profile: Profile) -> String {
    let inserted = Inserted::new(0, card(profile).0);
    let mut pysim = Command::new(std::env::var("PYTHON").unwrap_or("python3".to_owned()));
    pysim.arg(READER).arg(std::env::var("PYSIM").unwrap()).stdin(Stdio::null());
    let output = pysim.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let card = inserted.pull();
    let bad: Vec<_> = card.findings().into_iter().filter(|finding| !finding.good).collect();
    assert!(bad.is_empty(), "{bad:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn values<'a>(told: &'a str, name: &str) -> Vec<&'a str> {
    told.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect()
}

fn check(profile: Profile, kind: &str) -> String {
    let (iccid, imsi) = (profile.card.iccid.clone(), profile.card.imsi.clone());
    let mut document = uicc_sim::hex::encode(&profile.bootstrap_octets().unwrap()).to_lowercase();
    document.push_str(&"ff".repeat(profile.card.padding));
    let told = read(profile);
    assert_eq!(values(&told, "profile"), [kind]);
    assert_eq!(values(&told, "iccid"), [iccid]);
    assert_eq!(values(&told, "imsi"), [imsi]);
    let header = format!("transparent {}", document.len() / 2);
    assert_eq!(values(&told, "6433-header"), [header]);
    assert_eq!(values(&told, "6433"), [document]);
    assert!(values(&told, "5031")[0].starts_with("a706300404026430ff"), "{told}");
    assert!(values(&told, "6430")[0].contains("0604672b0701"), "{told}");
    told
}

fn check_uicc(protocol: Protocol) {
    let told = check(demo(protocol), "UICC");
    let applications = ["a0000000871002ffffffff8907090000", "a000000063504b43532d3135"];
    assert_eq!(values(&told, "application_id"), applications);
    assert_eq!(values(&told, "application_label"), ["USim1", "DM"]);
    assert_eq!(values(&told, "file_reference"), ["3f007f50"]);
    let commands = ["SetUpEventList", "OpenChannel", "TimerManagement"];
    assert_eq!(values(&told, "proactive"), commands);
}

#[test]
fn pysim_reads_a_t0_card() {
    with_pysim(|_pcscd| check_uicc(Protocol::T0));
}

#[test]
fn pysim_reads_a_t1_card() {
    with_pysim(|_pcscd| check_uicc(Protocol::T1));
}

#[test]
fn pysim_reads_a_sim() {
    with_pysim(|_pcscd| {
        let mut profile = demo(Protocol::T0);
        profile.card.gsm = true;
        check(profile, "SIM");
    });
}
