//! OpenSC, an independent reader of PKCS#15, finds in the simulated card what libdmsc finds there.

use crate::support::daemon::{Daemon, alone, possible};
use crate::support::inserted::{Inserted, card, demo};
use dmsc::card::apdu::Card;
use dmsc::card::pcsc::PcscTransport;
use dmsc::card::pkcs15::{Content, OID_DM_BOOTSTRAP, Options, read_objects};
use std::fs;
use std::process::Command;
use uicc_sim::card::Protocol;

/// The generic driver at once, instead of a look for each kind of card that OpenSC knows.
const CONFIGURATION: &str = "app default { enable_default_driver = true; card_drivers = default; \
    framework pkcs15 { use_file_caching = no; } }\n";

/// Runs the calling test's `body` with a pcscd of its own, where there is OpenSC.
fn with_opensc<F: FnOnce(Daemon)>(body: F) {
    let possible = || {
        let asked = Command::new("opensc-tool").arg("--info").output();
        asked.map_err(|error| format!("opensc-tool: {error}")).and_then(|_| possible())
    };
    alone(std::any::type_name::<F>(), possible, || body(Daemon::start()));
}

/// Runs pkcs15-tool on the first reader; its standard output.
fn pkcs15_tool(arguments: &[&str]) -> String {
    fs::write("/run/opensc.conf", CONFIGURATION).unwrap();
    let mut tool = Command::new("pkcs15-tool");
    tool.env("OPENSC_CONF", "/run/opensc.conf").args(["--reader", "0"]).args(arguments);
    let output = tool.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {out}{error}");
    out.into_owned()
}

/// What OpenSC reads as the object that has the OID of DM bootstrap data.
fn read_by_opensc() -> Vec<u8> {
    let list = pkcs15_tool(&["--list-data-objects"]);
    assert!(list.contains("2.23.43.7.1"), "{list}");
    pkcs15_tool(&["--read-data-object", "2.23.43.7.1", "--output", "/run/object"]);
    fs::read("/run/object").unwrap()
}

/// What libdmsc reads.
fn read_by_us() -> Vec<u8> {
    let mut card = Card::new(Box::new(PcscTransport::open(None).unwrap()));
    let found = read_objects(&mut card, &[OID_DM_BOOTSTRAP], Options::default()).unwrap();
    assert_eq!((found.objects.len(), found.faults.len()), (1, 0));
    match &found.objects[0].content {
        Content::Octets(octets) => octets.expose().to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn opensc_and_libdmsc_read_the_same_bootstrap_object() {
    with_opensc(|_pcscd| {
        for protocol in [Protocol::T0, Protocol::T1] {
            for (path_length, absolute_path) in [(true, false), (true, true), (false, false)] {
                let mut profile = demo(protocol);
                profile.card.path_length = path_length;
                profile.card.absolute_path = absolute_path;
                let document = profile.bootstrap_octets().unwrap();
                let padding = if path_length { 0 } else { profile.card.padding };
                let inserted = Inserted::new(0, card(profile).0);

                let file = read_by_opensc();
                // Without a length in the path OpenSC reads the whole file.
                assert_eq!(file, [&document[..], &vec![0xFF; padding]].concat());
                assert_eq!(read_by_us(), document);
                inserted.pull();
            }
        }
    });
}
