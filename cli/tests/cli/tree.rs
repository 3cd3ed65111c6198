//! `dmsc tree dump`.

use crate::support::{Ran, dmsc, fresh, own};
use serde_json::{Value, json};
use std::path::Path;

fn dump(store: &str, more: &[&str]) -> Ran {
    dmsc(&[&["tree", "dump", "--store", store], more].concat())
}

/// A store that was bootstrapped by the demo card.
fn phone(test: &str) -> String {
    let store = fresh(test);
    let device = ["--device-id", "IMEI:490154203237518", "--manufacturer", "Größe"];
    let arguments = ["card", "bootstrap", "--card", "sim:demo", "--store", &store];
    dmsc(&[&arguments[..], &device].concat()).good();
    store
}

#[test]
fn text_has_a_line_for_each_node_and_no_secret() {
    let store = phone("tree-text");
    assert_eq!(
        dump(&store, &["./DMAcc/CardServer/AppAuth"]).good().stdout,
        "./DMAcc/CardServer/AppAuth/\n\
         \x20 1/\n\
         \x20   AAuthData (18 octets, not shown)\n\
         \x20   AAuthLevel = CLCRED\n\
         \x20   AAuthName = terminal\n\
         \x20   AAuthSecret (15 octets, not shown)\n\
         \x20   AAuthType = DIGEST\n\
         \x20 2/\n\
         \x20   AAuthData (11 octets, not shown)\n\
         \x20   AAuthLevel = SRVCRED\n\
         \x20   AAuthName = com.example.sc\n\
         \x20   AAuthSecret (11 octets, not shown)\n\
         \x20   AAuthType = DIGEST\n"
    );
    let all = dump(&store, &[]).good().stdout;
    assert!(all.starts_with("./\n  DMAcc/\n    CardServer/\n"), "{all}");
    assert!(all.contains("\n    Man = Größe\n"), "{all}");
    let leaf = dump(&store, &["./DevInfo/Man"]).good().stdout;
    assert_eq!(leaf, "./DevInfo/Man = Größe\n");
}

#[test]
fn json_has_an_object_for_each_node() {
    let store = phone("tree-json");
    let tree = dump(&store, &["./DMAcc/CardServer/AppAuth/1", "--json"]).good().lines();
    assert_eq!(tree.len(), 1);
    assert_eq!(tree[0]["uri"], "./DMAcc/CardServer/AppAuth/1");
    let nodes = tree[0]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 6);
    assert_eq!(
        nodes[0],
        json!({ "uri": "./DMAcc/CardServer/AppAuth/1", "format": "node", "type": "" })
    );
    assert_eq!(
        nodes[3],
        json!({
            "uri": "./DMAcc/CardServer/AppAuth/1/AAuthName",
            "format": "chr",
            "type": "text/plain",
            "size": 8,
            "value": "terminal",
        })
    );
    assert_eq!(nodes[4]["secret"], true);
    assert_eq!((&nodes[4]["size"], &nodes[4]["value"]), (&json!(15), &Value::Null));
}

#[test]
fn tnds_is_a_document_without_secrets() {
    let store = phone("tree-tnds");
    let ran = dump(&store, &["./DMAcc", "--tnds"]).good();
    assert!(ran.stdout.starts_with("<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD>"));
    assert!(ran.stdout.ends_with("</MgmtTree>\n"));
    assert!(ran.stdout.contains("<Value>com.example.sc</Value>"));
    assert!(!ran.stdout.contains("AAuthSecret"));
}

#[test]
fn values_cannot_steer_the_terminal() {
    let store = fresh("tree-escape");
    let card = own("quick");
    dmsc(&["run", "--card", &card, "--store", &store, "--request", "--answer", "yes"]);
    let text = dump(&store, &["./Operator"]).good().stdout;
    assert_eq!(text, "./Operator/\n  Text = one\\ntwo \\u{1b}[31mred\n");
    let json = dump(&store, &["./Operator/Text", "--json"]).good();
    assert_eq!(json.lines()[0]["nodes"][0]["value"], "one\ntwo \u{1b}[31mred");
}

#[test]
fn nodes_and_stores_that_are_not_there() {
    let store = phone("tree-missing");
    dump(&store, &["./Nowhere"]).failed("DMSC_ERR_NODE_NOT_FOUND");
    dump(&store, &["./A//B"]).failed("DMSC_ERR_URI");
    for form in ["--json", "--tnds"] {
        assert_eq!(dump(&store, &["./Nowhere", form]).failed("DMSC_ERR_NODE_NOT_FOUND").stdout, "");
    }
    let store = fresh("tree-no-store");
    dump(&store, &[]).failed("DMSC_ERR_STORAGE_IO");
    assert!(!Path::new(&store).exists());
}

#[test]
fn a_dump_changes_nothing() {
    let store = phone("tree-unchanged");
    let before = dump(&store, &["--tnds"]).good().stdout;
    dump(&store, &["--json"]).good();
    assert_eq!(dump(&store, &["--tnds"]).good().stdout, before);
    assert!(before.contains("<Value>IMEI:490154203237518</Value>"));
}
