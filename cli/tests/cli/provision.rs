//! `dmsc provision`.

use crate::support::{Ran, dmsc, dmsc_with, fresh};
use std::fs;
use std::path::PathBuf;

/// A w7 document with an access point.
const DOCUMENT: &str = "<wap-provisioningdoc version=\"1.1\"><characteristic type=\"APPLICATION\">\
    <parm name=\"APPID\" value=\"w7\"/><parm name=\"PROVIDER-ID\" value=\"com.example.dm\"/>\
    <parm name=\"NAME\" value=\"Example\"/><parm name=\"TO-NAPID\" value=\"gprs\"/>\
    <parm name=\"ADDR\" value=\"http://dm.example/\"/></characteristic>\
    <characteristic type=\"NAPDEF\"><parm name=\"NAPID\" value=\"gprs\"/>\
    <parm name=\"NAP-ADDRESS\" value=\"internet\"/></characteristic></wap-provisioningdoc>";
/// HMAC-SHA1 of the document with the key `1234`.
const MAC: &str = "794D8933BA17BB47033E6CB288647F59D7603126";

fn file(name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn provision(store: &str, file: &str, more: &[&str]) -> Ran {
    dmsc(&[&["provision", file, "--store", store, "--json"], more].concat())
}

#[test]
fn a_signed_document_needs_the_right_pin() {
    let (store, document) = (fresh("provision-pin"), file("pin.xml", DOCUMENT.as_bytes()));
    let signed = ["--sec", "userpin", "--mac", MAC, "--pin"];
    let wrong = provision(&store, &document, &[&signed[..], &["4711"]].concat());
    wrong.failed("DMSC_ERR_BOOTSTRAP_REFUSED");
    let ran = provision(&store, &document, &[&signed[..], &["1234"]].concat()).good();
    assert!(!ran.stdout.contains("1234"), "{}", ran.stdout);
    let made: Vec<_> =
        ran.events("bootstrap_applied").into_iter().map(|e| e["uri"].clone()).collect();
    assert_eq!(made, ["./NAP/1", "./DMAcc/1"]);
    assert_eq!(ran.event("bootstrap_done")["error"], serde_json::Value::Null);
    provision(&store, &document, &[&signed[..], &["1234"]].concat())
        .failed("DMSC_ERR_BOOTSTRAP_REFUSED");
    provision(&store, &document, &[&signed[..], &["1234", "--replace"]].concat()).good();
}

#[test]
fn a_pin_is_typed_three_times_at_most() {
    let (store, document) = (fresh("provision-typed"), file("typed.xml", DOCUMENT.as_bytes()));
    let arguments = ["provision", &document, "--store", &store, "--sec", "userpin", "--mac", MAC];
    let ran = dmsc_with("1\n2\n3\n1234\n", &arguments);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.ends_with(" (DMSC_ERR_BOOTSTRAP_PIN)\n"), "{}", ran.stderr);
    assert_eq!(ran.stdout.matches("type the PIN").count(), 3);
    assert_eq!(dmsc_with("1\n1234\n", &arguments).code, 0);
}

#[test]
fn an_unsigned_document_needs_leave_and_consent() {
    let (store, document) = (fresh("provision-plain"), file("plain.xml", DOCUMENT.as_bytes()));
    provision(&store, &document, &["--answer", "yes"]).failed("DMSC_ERR_BOOTSTRAP_MAC");
    provision(&store, &document, &["--unsigned", "--answer", "no"])
        .failed("DMSC_ERR_BOOTSTRAP_REFUSED");
    provision(&store, &document, &["--unsigned", "--answer", "yes"]).good();
}

#[test]
fn a_document_of_the_factory_is_applied_once() {
    let (store, document) = (fresh("provision-factory"), file("factory.xml", DOCUMENT.as_bytes()));
    let ran = provision(&store, &document, &["--factory"]).good();
    assert_eq!(ran.event("bootstrap_report")["accounts_added"], 1);
    let ran = provision(&store, &document, &["--factory"]).good();
    assert_eq!(ran.event("bootstrap_report")["objects_unchanged"], 1);
    let list = dmsc(&["tree", "list", "./DMAcc", "--store", &store]).good();
    assert_eq!(list.stdout, "1/  node  0  factory\n");
}

#[test]
fn what_is_no_bootstrap_and_options_that_contradict() {
    let store = fresh("provision-bad");
    provision(&store, &file("bad.txt", b"not a document"), &[]).failed("DMSC_ERR_BOOTSTRAP_FORMAT");
    provision(&store, "/nowhere", &[]).failed("DMSC_ERR_INVALID_ARG");
    let push = file("push.hex", b"01 06 01 B6 03 0B 6A 00 05");
    provision(&store, &push, &["--sec", "userpin"]).failed("DMSC_ERR_INVALID_ARG");
    assert_eq!(dmsc(&["provision", &push, "--store", &store, "--factory", "--pin", "1"]).code, 2);
}
