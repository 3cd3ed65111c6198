//! `dmsc card info` and `dmsc card bootstrap`.

use crate::support::{Ran, dmsc, dmsc_showing_iccid, fresh, own, shipped};
use serde_json::{Value, json};
use std::path::Path;

fn info(card: &str) -> Ran {
    dmsc(&["card", "info", "--card", card])
}

fn bootstrap(card: &str, store: &str) -> Ran {
    dmsc(&["card", "bootstrap", "--card", card, "--store", store, "--json"])
}

fn report(added: u32, replaced: u32, removed: u32, unchanged: u32) -> Value {
    json!({
        "event": "bootstrap_report",
        "accounts_added": added,
        "accounts_replaced": replaced,
        "accounts_removed": removed,
        "objects_unchanged": unchanged,
        "objects_failed": 0,
    })
}

#[test]
fn info_of_the_demo_card() {
    assert_eq!(
        info("sim:demo").good().stdout,
        "kind: UICC\n\
         ATR: 3B9F96801FC78031A073BE2113756963632D73696DF9\n\
         ICCID: ***************0010\n\
         DM bootstrap data: yes\n\
         web server: unknown, the toolkit was not started\n"
    );
}

#[test]
fn files_and_commands_of_a_card() {
    let files = |paths: &[&str]| {
        let arguments = [&["card", "files", "--card", "sim:demo"], paths].concat();
        dmsc(&arguments).good().stdout
    };
    assert_eq!(
        files(&[]),
        "A0000000871002FFFFFFFF8907090000 USim1\nA000000063504B43532D3135 DM 3F007F50\n"
    );
    assert!(
        files(&["7F505031", "--content"]).starts_with("7F505031 transparent, 24 octets: A7063004")
    );
    assert_eq!(files(&["7F50"]), "7F50 directory\n");
    assert_eq!(files(&["2FE2"]), "2FE2 transparent, 10 octets\n");
    let ran = dmsc(&["card", "files", "--card", "sim:demo", "7F509999"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("file or application not found"), "{}", ran.stderr);
    let apdus = ["card", "apdu", "--card", "sim:demo", "80F2000C00", "00B0000001"];
    assert_eq!(dmsc(&apdus).good().stdout, "9000 (success)\n6986 (no EF selected)\n");
    assert_eq!(dmsc(&["card", "apdu", "--card", "sim:demo", "80F"]).code, 2);
}

#[test]
fn a_simulated_card_is_served_to_others() {
    use std::io::{BufRead, BufReader, Read, Write};
    let mut served = std::process::Command::new(env!("CARGO_BIN_EXE_dmsc"))
        .args(["sim", "serve", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(served.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(&[0, 5, 0x80, 0xF2, 0x00, 0x0C, 0x00]).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0, 2, 0x90, 0x00]);
    drop(stream);
    served.kill().unwrap();
    served.wait().unwrap();
    assert_eq!(dmsc(&["sim", "serve"]).code, 2);
}

#[test]
fn a_capture_holds_every_exchange() {
    let file = Path::new(&fresh("pcap")).join("card.pcap");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let path = file.to_str().unwrap();
    dmsc(&["card", "info", "--card", "sim:demo", "--pcap", path]).good();
    let octets = std::fs::read(&file).unwrap();
    assert_eq!(octets[..4], [0xD4, 0xC3, 0xB2, 0xA1]);
    let packets = std::iter::successors(Some(24), |at: &usize| {
        let length = octets.get(at + 8..at + 12)?;
        Some(at + 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize)
    });
    assert!(packets.take_while(|at| *at < octets.len()).count() > 15);
    let ran = dmsc(&["card", "info", "--card", "sim:demo", "--pcap", "/no/such/folder/x"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("/no/such/folder/x"), "{}", ran.stderr);
}

#[test]
fn info_as_json() {
    let ran = dmsc(&["card", "info", "--card", &shipped("t1-oiddo"), "--json"]).good();
    assert_eq!(
        ran.lines(),
        [json!({
            "kind": "UICC",
            "atr": "3B84015549434399",
            "iccid": "***************0010",
            "dm_bootstrap": true,
            "dm_bootstrap_error": null,
            "scws": null,
        })]
    );
}

#[test]
fn the_iccid_is_shown_on_demand() {
    let ran = dmsc_showing_iccid(&["card", "info", "--card", "sim:demo", "--show-iccid"]).good();
    assert!(ran.stdout.contains("\nICCID: 8988211000000430010\n"), "{}", ran.stdout);
}

#[test]
fn info_tells_what_is_wrong_with_the_bootstrap_data() {
    for (profile, line) in [
        ("empty", "DM bootstrap data: no\n"),
        ("plain", "DM bootstrap data: no\n"),
        ("broken", "DM bootstrap data: yes: bootstrap object 6433: "),
        (
            "locked",
            "DM bootstrap data: yes: bootstrap object 6433: needs the PIN with reference 01 \
             (DMSC_ERR_CARD_ACCESS_DENIED)\n",
        ),
    ] {
        let ran = info(&own(profile)).good();
        assert!(ran.stdout.contains(line), "{profile}: {}", ran.stdout);
    }
    let ran = dmsc(&["card", "info", "--card", &own("locked"), "--json"]).good();
    assert_eq!(ran.lines()[0]["dm_bootstrap"], true);
    assert_eq!(ran.lines()[0]["dm_bootstrap_error"]["code"], -107);
}

#[test]
fn info_of_a_card_that_is_pulled_out_fails() {
    assert_eq!(info(&own("pulled")).failed("DMSC_ERR_CARD_REMOVED").stdout, "");
}

#[test]
fn a_second_bootstrap_finds_nothing_new() {
    let store = fresh("bootstrap-twice");
    let first = bootstrap("sim:demo", &store).good();
    assert_eq!(
        first.lines(),
        [
            json!({ "event": "card_state", "slot": 0, "error": null }),
            json!({ "event": "bootstrap_found", "object": "6433" }),
            json!({ "event": "bootstrap_applied", "uri": "./DMAcc/CardServer", "error": null }),
            report(1, 0, 0, 0),
        ]
    );
    let second = bootstrap("sim:demo", &store).good();
    assert_eq!(second.event("bootstrap_report"), report(0, 0, 0, 1));
    assert!(second.events("bootstrap_applied").is_empty());
    let text = dmsc(&["card", "bootstrap", "--card", "sim:demo", "--store", &store]).good().stdout;
    assert!(text.ends_with("objects: 1 unchanged, 0 failed, nothing new\n"), "{text}");
}

#[test]
fn changed_bootstrap_data_replace_the_account() {
    let store = fresh("bootstrap-changed");
    bootstrap("sim:demo", &store).good();
    let changed = bootstrap(&shipped("t1-oiddo"), &store).good().event("bootstrap_report");
    // The same card, but its object is in another file: the old one is gone.
    assert_eq!(changed, report(1, 0, 1, 0));
    let changed = bootstrap(&shipped("large"), &store).good().event("bootstrap_report");
    assert_eq!(changed["accounts_added"], 1);
}

#[test]
fn no_bootstrap_data_is_a_failure() {
    for (profile, name) in [
        ("empty", "DMSC_ERR_BOOTSTRAP_NONE"),
        ("plain", "DMSC_ERR_BOOTSTRAP_NONE"),
        ("broken", "DMSC_ERR_BOOTSTRAP_FORMAT"),
        ("locked", "DMSC_ERR_CARD_ACCESS_DENIED"),
        ("pulled", "DMSC_ERR_CARD_REMOVED"),
    ] {
        let store = fresh(&format!("bootstrap-{profile}"));
        let ran = bootstrap(&own(profile), &store).failed(name);
        assert!(ran.events("bootstrap_report").is_empty());
        assert_eq!(ran.event("bootstrap_applied")["error"]["name"], name);
        let tree = dmsc(&["tree", "dump", "--store", &store, "./DMAcc"]).good();
        assert_eq!(tree.stdout, "./DMAcc/\n", "{profile}");
    }
}

#[test]
fn a_profile_fault_makes_no_store() {
    let store = fresh("no-card");
    bootstrap("sim:/no/such/profile.toml", &store).failed("DMSC_ERR_INVALID_ARG");
    assert!(!Path::new(&store).exists());
}

#[test]
fn the_device_is_who_the_options_say_and_stays_so() {
    let store = fresh("device");
    let device = ["--device-id", "IMEI:490154203237518", "--manufacturer", "Made", "--model", "M1"];
    let first = ["card", "bootstrap", "--card", "sim:demo", "--store", &store];
    dmsc(&[&first[..], &device].concat()).good();
    dmsc(&[&first[..], &["--model", "M2"]].concat()).good();
    let tree = dmsc(&["tree", "dump", "--store", &store, "./DevInfo"]).good().stdout;
    for line in ["DevId = IMEI:490154203237518", "Man = Made", "Mod = M2"] {
        assert!(tree.contains(&format!("  {line}\n")), "{tree}");
    }
}
