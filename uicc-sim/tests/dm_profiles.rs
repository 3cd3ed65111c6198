//! The profiles that come with the simulator, the bootstrap and the notification they make.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use uicc_sim::dm::bootstrap::{Binary, Form};
use uicc_sim::dm::notification::{Initiator, Trigger, UiMode, push};
use uicc_sim::dm::wbxml::{self, DMDDF, DocType, Element, SYNCML};
use uicc_sim::hex;
use uicc_sim::profile::Profile;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles")
}

/// Every profile that comes with the simulator, by name.
fn profiles() -> Vec<(String, Profile)> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, Profile::load(&path).unwrap())
        })
        .collect()
}

#[test]
fn every_profile_makes_a_card() {
    let mut names = Vec::new();
    for (name, profile) in profiles() {
        assert!(!profile.description.is_empty(), "{name}");
        assert!(!profile.script.is_empty(), "{name}");
        profile.build().unwrap_or_else(|error| panic!("{name}: {error}"));
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "atomic-rollback",
            "bad-server-auth",
            "cp-and-dm",
            "cp-only",
            "demo",
            "fault-endless",
            "fault-lengths",
            "fault-mute",
            "fault-slow",
            "firmware",
            "host-tree",
            "http-500",
            "large",
            "many-channels",
            "pin",
            "resync",
            "short-ids",
            "sim-2g",
            "stops-half-way",
            "t1-oiddo",
            "two-dodfs",
            "unknown-server",
            "user-rejects",
            "usim-plain",
            "web-page",
            "wrong-digest",
            "wrong-oid",
        ]
    );
    assert_eq!(Profile::demo().account.server_id, "com.example.sc");
}

#[test]
fn mistakes_in_a_profile_are_named() {
    let error = Profile::parse("acount = 1").unwrap_err();
    assert!(error.contains("acount"), "{error}");
    let demo = std::fs::read_to_string(folder().join("demo.toml")).unwrap();
    for (right, wrong) in [
        ("ui_mode = \"background\"", "ui_mode = \"loud\""),
        ("max_msg_size", "max_message_size"),
        ("server_id = \"com.example.sc\"", "server_id = \"\""),
        ("http://127.0.0.1:3516/dm", "ftp://127.0.0.1:3516/dm"),
        ("{ get = \"./DevInfo/DevId\" }", "{ fetch = \"./DevInfo/DevId\" }"),
        ("hex = \"00", "hex = \"0"),
    ] {
        assert!(demo.contains(right), "{right}");
        assert!(Profile::parse(&demo.replace(right, wrong)).is_err(), "{wrong}");
    }
    assert!(Profile::load(Path::new("nowhere.toml")).unwrap_err().contains("nowhere.toml"));
}

#[test]
fn debug_output_has_no_secrets() {
    let text = format!("{:?}", Profile::demo());
    assert!(!text.contains("secret\"") && !text.contains("card-secret"), "{text}");
    assert!(!text.contains("first-client-nonce"));
}

/// The child nodes of a TNDS node by name, followed along a path.
fn node<'a>(tree: &'a Element, path: &[&str]) -> &'a Element {
    path.iter().fold(tree, |parent, name| {
        parent
            .children()
            .find(|child| {
                child.child(DMDDF, "NodeName").is_some_and(|found| found.value() == name.as_bytes())
            })
            .unwrap_or_else(|| panic!("no node {name}"))
    })
}

fn node_value(tree: &Element, path: &[&str]) -> Vec<u8> {
    node(tree, path).child(DMDDF, "Value").unwrap().value()
}

/// The message's Data element and its media type.
fn bootstrap_data(profile: &Profile) -> (Element, String) {
    let (root, doc_type) = wbxml::decode(&profile.bootstrap_octets().unwrap()).unwrap();
    assert_eq!(doc_type, DocType::SyncMl);
    let add = root.child(SYNCML, "SyncBody").unwrap().child(SYNCML, "Add").unwrap();
    let item = add.child(SYNCML, "Item").unwrap();
    let target = item.child(SYNCML, "Target").unwrap().child(SYNCML, "LocURI").unwrap();
    assert_eq!(target.value(), b"./Inbox");
    let mime = item.child(SYNCML, "Meta").unwrap().child(wbxml::METINF, "Type").unwrap();
    let mime = String::from_utf8(mime.value()).unwrap();
    (item.child(SYNCML, "Data").unwrap().clone(), mime)
}

#[test]
fn the_bootstrap_holds_the_whole_account() {
    let (data, mime) = bootstrap_data(&Profile::demo());
    assert_eq!(mime, "application/vnd.syncml.dmtnds+wbxml");
    let (tree, doc_type) = wbxml::decode(&data.value()).unwrap();
    assert_eq!(doc_type, DocType::Tnds);
    let account = |path: &[&str]| {
        let value = node_value(node(&tree, &["CardServer"]), path);
        String::from_utf8(value).unwrap()
    };
    assert_eq!(account(&["AppID"]), "w7");
    assert_eq!(account(&["ServerID"]), "com.example.sc");
    assert_eq!(account(&["AppAddr", "1", "Addr"]), "http://127.0.0.1:3516/dm");
    assert_eq!(account(&["AppAddr", "1", "AddrType"]), "URI");
    assert_eq!(account(&["AAuthPref"]), "DIGEST");
    assert_eq!(account(&["AppAuth", "1", "AAuthLevel"]), "CLCRED");
    assert_eq!(account(&["AppAuth", "1", "AAuthName"]), "terminal");
    assert_eq!(account(&["AppAuth", "1", "AAuthSecret"]), "terminal-secret");
    assert_eq!(account(&["AppAuth", "1", "AAuthData"]), "Zmlyc3QtY2xpZW50LW5vbmNl");
    assert_eq!(account(&["AppAuth", "2", "AAuthLevel"]), "SRVCRED");
    assert_eq!(account(&["AppAuth", "2", "AAuthData"]), "AAECAwQFBgf9/v8=");
}

#[test]
fn the_bootstrap_in_its_other_forms() {
    let mut profile = Profile::demo();
    profile.bootstrap.form = Form::Inline;
    profile.bootstrap.binary = Binary::Opaque;
    let (data, mime) = bootstrap_data(&profile);
    assert_eq!(mime, "application/vnd.syncml.dmtnds+xml");
    let tree = data.child(DMDDF, "MgmtTree").unwrap();
    let nonce = node_value(tree, &["CardServer", "AppAuth", "2", "AAuthData"]);
    assert_eq!(nonce, [0, 1, 2, 3, 4, 5, 6, 7, 0xFD, 0xFE, 0xFF]);

    profile.bootstrap.form = Form::XmlText;
    profile.account.name = "A & B".to_owned();
    let (data, _) = bootstrap_data(&profile);
    let text = String::from_utf8(data.value()).unwrap();
    assert!(text.starts_with("<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD><Node>"));
    assert!(text.contains("<Value>A &amp; B</Value>"));
    assert!(text.contains("<Value>AAECAwQFBgf9/v8=</Value>"));

    profile.bootstrap.present = false;
    assert_eq!(profile.bootstrap_octets().unwrap(), []);
}

#[test]
fn further_objects_stand_behind_the_account() {
    let large = Profile::load(&folder().join("large.toml")).unwrap();
    assert!(large.bootstrap_octets().unwrap().len() > 1024);
    let (data, _) = bootstrap_data(&large);
    let (tree, _) = wbxml::decode(&data.value()).unwrap();
    assert_eq!(node_value(&tree, &["Internet", "AddrType"]), b"APN");
}

#[test]
fn another_decoder_reads_every_bootstrap() {
    if Command::new("wbxml2xml").arg("-h").output().is_err() {
        println!("skipped: wbxml2xml (package libwbxml2-utils) is not installed");
        return;
    }
    for (name, mut profile) in profiles() {
        // That decoder does not know code page 2 inside a message.
        if profile.bootstrap.form == Form::Inline {
            profile.bootstrap.form = Form::Opaque;
        }
        let octets = profile.bootstrap_octets().unwrap();
        let file = std::env::temp_dir().join(format!("uicc-sim-{}-{name}", std::process::id()));
        std::fs::write(&file, octets).unwrap();
        let output = Command::new("wbxml2xml").args(["-o", "-"]).arg(&file).output().unwrap();
        std::fs::remove_file(&file).unwrap();
        let xml = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {errors}");
        for part in ["<LocURI>./Inbox</LocURI>", "<NodeName>CardServer</NodeName>", "SRVCRED"] {
            assert!(xml.contains(part), "{name}: no {part} in {xml}{errors}");
        }
    }
}

/// Rows of the vector file: name, octets, expected.
fn vectors(prefix: &str) -> Vec<(String, Vec<u8>, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/encoding-vectors.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0].starts_with(prefix))
        .map(|row| (row[0].to_owned(), hex::decode(row[1]).unwrap(), row[3].to_owned()))
        .collect()
}

/// The value of `name=` in a vector's expectation.
fn field<'a>(expected: &'a str, name: &str) -> &'a str {
    let found =
        expected.split(' ').find_map(|part| part.split_once('=').filter(|(n, _)| *n == name));
    found.unwrap().1
}

#[test]
fn package_0_is_octet_for_octet_that_of_the_vectors() {
    let mut count = 0;
    for (name, octets, expected) in vectors("f") {
        let future = expected.split(' ').find_map(|part| part.strip_prefix("future="));
        if future != Some("0") {
            continue;
        }
        let vendor = match field(&expected, "vendor") {
            "-" => Vec::new(),
            digits => hex::decode(digits).unwrap(),
        };
        let trigger = Trigger {
            version: field(&expected, "version").parse().unwrap(),
            ui_mode: [
                UiMode::NotSpecified,
                UiMode::Background,
                UiMode::Informative,
                UiMode::UserInteraction,
            ][field(&expected, "ui-mode").parse::<usize>().unwrap()],
            initiator: match field(&expected, "initiator") {
                "0" => Initiator::User,
                _ => Initiator::Server,
            },
            session_id: u16::from_str_radix(field(&expected, "session-id"), 16).unwrap(),
            server_id: field(&expected, "server-id"),
            vendor: &vendor,
        };
        assert_eq!(trigger.octets(), octets[16..], "{name}");
        let nonce: &[u8] = match &name[..3] {
            "f02" => b"nonce",
            "f03" => &[0; 4],
            _ => &hex::decode("101112131415161718191A1B1C1D1E1F").unwrap(),
        };
        // f14 and f15 have no digest that can be computed.
        if matches!(&name[..3], "f01" | "f02" | "f03" | "f04" | "f05") {
            assert_eq!(
                hex::encode(&trigger.package("srvpwd", nonce)),
                hex::encode(&octets),
                "{name}"
            );
        }
        count += 1;
    }
    assert_eq!(count, 7);
}

#[test]
fn the_push_begins_as_the_smallest_push_does() {
    assert_eq!(push(&[0xAB]), [0x01, 0x06, 0x03, 0xC4, 0xAF, 0x87, 0xAB]);
}
