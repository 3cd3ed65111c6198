//! `dmsc tree get`, `list`, `set`, `delete`, `export`, `import`, `acl` and `watch`.

use crate::support::{Ran, dmsc, fresh, shipped};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn tree(store: &str, arguments: &[&str]) -> Ran {
    dmsc(&[&["tree"], arguments, &["--store", store]].concat())
}

/// A store that was bootstrapped by a card with a DM message and provisioning documents.
fn phone(test: &str) -> String {
    let store = fresh(test);
    dmsc(&["card", "bootstrap", "--card", &shipped("cp-and-dm"), "--store", &store]).good();
    store
}

#[test]
fn values_are_set_and_got_back() {
    let store = phone("change-values");
    tree(&store, &["set", "./Operator/Apn", "internet"]).good();
    assert_eq!(tree(&store, &["get", "./Operator/Apn"]).good().stdout, "internet\n");
    let json = tree(&store, &["get", "./Operator/Apn", "--json"]).good();
    let wanted = json!({ "uri": "./Operator/Apn", "format": "chr", "type": "text/plain", "value": "internet" });
    assert_eq!(json.lines(), [wanted]);
    tree(&store, &["set", "./Operator/Apn", "00FF", "--hex", "--format", "bin"]).good();
    assert_eq!(tree(&store, &["get", "./Operator/Apn"]).good().stdout, "hex 00FF\n");
    tree(&store, &["set", "./Operator/Empty", "--format", "node"]).good();
    assert_eq!(tree(&store, &["get", "./Operator"]).good().stdout, "Apn\nEmpty\n");
    tree(&store, &["set", "./Operator?prop=Title", "Example"]).good();
    assert_eq!(tree(&store, &["get", "./Operator?prop=Title"]).good().stdout, "Example\n");
    tree(&store, &["delete", "./Operator"]).good();
    tree(&store, &["get", "./Operator"]).failed("DMSC_ERR_NODE_NOT_FOUND");
    tree(&store, &["delete", "./DevInfo"]).failed("DMSC_ERR_NODE_NOT_ALLOWED");
    tree(&store, &["set", "./DMAcc/x/AppAddr/1/Port/1/PortNbr", "70000"])
        .failed("DMSC_ERR_NODE_FORMAT");
    tree(&store, &["get", "./DMAcc/CardServer/AppAuth/1/AAuthSecret"])
        .failed("DMSC_ERR_NODE_NOT_ALLOWED");
}

#[test]
fn a_list_says_who_brought_each_node() {
    let store = phone("change-list");
    tree(&store, &["set", "./Operator/Apn", "internet"]).good();
    let list = tree(&store, &["list", ".", "--json"]).good().lines();
    let by = |list: &[Value], uri: &str| {
        let node = list.iter().find(|node| node["uri"] == uri).unwrap();
        node["origin"].clone()
    };
    assert_eq!(by(&list, "./DevInfo")["by"], "factory");
    assert_eq!(by(&list, "./Operator")["by"], "host");
    let list = tree(&store, &["list", ".", "--json", "--recursive"]).good().lines();
    let account = by(&list, "./DMAcc/CardServer/ServerID");
    assert_eq!(
        (&account["by"], &account["slot"], &account["object"]),
        (&json!("card"), &json!(0), &json!("6433"))
    );
    assert_eq!(by(&list, "./NAP/1")["object"], "4F01");
    assert_eq!(by(&list, "./DMAcc/1")["object"], "4F02");
    assert_eq!(by(&list, "./PX/1/Addr")["object"], "4F03");
    let text = tree(&store, &["list", "./PX"]).good().stdout;
    assert!(
        text.starts_with("1/  node  0  card ") && text.ends_with(" in slot 0 object 4F03\n"),
        "{text}"
    );
}

#[test]
fn what_is_exported_can_be_imported() {
    let store = phone("change-export");
    tree(&store, &["set", "./Operator/Apn", "internet"]).good();
    tree(&store, &["acl", "./Operator", "Get=*&Replace=com.example.sc"]).good();
    let path = |name: &str| {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name).to_str().unwrap().to_owned()
    };
    for (name, more) in [("export.xml", &[][..]), ("export.wbxml", &["--wbxml"][..])] {
        let file = path(name);
        let export = [&["export", "./Operator/Apn", "--inherited", "--out", &file], more].concat();
        tree(&store, &export).good();
        let other = phone("change-import");
        tree(&other, &["import", ".", &file]).good();
        assert_eq!(tree(&other, &["get", "./Apn"]).good().stdout, "internet\n");
        let acl = tree(&other, &["acl", "./Apn"]).good().stdout;
        assert_eq!(acl, "Get=*&Replace=com.example.sc\n");
        tree(&other, &["import", ".", &file]).failed("DMSC_ERR_NODE_EXISTS");
        tree(&other, &["set", "./Apn", "other"]).good();
        tree(&other, &["import", "./Apn", &file, "--replace"]).good();
        assert_eq!(tree(&other, &["get", "./Apn"]).good().stdout, "internet\n");
    }
    fs::write(path("export.bad"), "<MgmtTree>").unwrap();
    tree(&store, &["import", ".", &path("export.bad")]).failed("DMSC_ERR_SYNTAX");
}

#[test]
fn an_access_control_list_is_its_own_or_the_one_that_counts() {
    let store = phone("change-acl");
    let effective = tree(&store, &["acl", "./DMAcc/CardServer/Name", "--effective"]).good();
    assert_eq!(
        effective.stdout,
        "Delete=com.example.sc&Get=com.example.sc&Replace=com.example.sc\n"
    );
    assert_eq!(tree(&store, &["acl", "./DMAcc/CardServer/Name"]).good().stdout, "\n");
    tree(&store, &["acl", "./DMAcc/CardServer", "Grab=*"]).failed("DMSC_ERR_INVALID_ARG");
}

#[test]
fn a_watch_tells_what_other_programs_change() {
    let store = phone("change-watch");
    let mut watch = Command::new(env!("CARGO_BIN_EXE_dmsc"))
        .args([
            "tree",
            "watch",
            ".",
            "--json",
            "--every",
            "20",
            "--changes",
            "3",
            "--timeout",
            "60",
        ])
        .args(["--store", &store])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next(), json!({ "event": "watching" }));
    // The watch may have the store open at just this moment.
    while tree(&store, &["set", "./Operator/Apn", "internet"]).code != 0 {}
    let seen = [next(), next()].map(|change| (change["kind"].clone(), change["uri"].clone()));
    let added = |uri: &str| (json!("added"), json!(uri));
    assert_eq!(seen, [added("./Operator"), added("./Operator/Apn")]);
    while tree(&store, &["set", "./Operator/Apn", "other"]).code != 0 {}
    let change = next();
    assert_eq!((&change["kind"], &change["origin"]["by"]), (&json!("changed"), &json!("host")));
    assert!(watch.wait().unwrap().success());
}

/// A TNDS document with a node, below it `width` nodes, and below each of these as many leaves.
fn large_document(width: usize) -> String {
    let node = |path: &str, name: &str, inner: &str| {
        format!("<Node><NodeName>{name}</NodeName><Path>{path}</Path>{inner}</Node>")
    };
    let interior = "<RTProperties><Format><node/></Format></RTProperties>";
    let mut nodes = node("", "Large", interior);
    for row in 0..width {
        nodes += &node("Large", &row.to_string(), interior);
        for leaf in 0..width {
            let value = format!(
                "<RTProperties><Format><chr/></Format></RTProperties><Value>value {row} {leaf}</Value>"
            );
            nodes += &node(&format!("Large/{row}"), &leaf.to_string(), &value);
        }
    }
    format!("<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD>{nodes}</MgmtTree>")
}

#[test]
fn a_tree_of_ten_thousand_nodes_goes_through_every_command() {
    const WIDTH: usize = 100;
    const NODES: usize = WIDTH * WIDTH + WIDTH;
    let store = phone("change-large");
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (given, taken) = (file("large-given.xml"), file("large-taken.wbxml"));
    fs::write(&given, large_document(WIDTH)).unwrap();
    tree(&store, &["import", ".", &given]).good();
    let list = tree(&store, &["list", "./Large", "--json", "--recursive"]).good().lines();
    assert_eq!(list.len(), NODES);
    assert!(list.iter().all(|node| node["origin"]["by"] == "host"));
    let get = |store: &str, uri: &str| tree(store, &["get", uri]).good().stdout;
    assert_eq!(get(&store, "./Large/99/99"), "value 99 99\n");
    tree(&store, &["set", "./Large/99/99", "other"]).good();
    tree(&store, &["acl", "./Large", "Get=*"]).good();
    assert_eq!(tree(&store, &["acl", "./Large/0/0", "--effective"]).good().stdout, "Get=*\n");
    tree(&store, &["export", "./Large", "--wbxml", "--out", &taken]).good();
    tree(&store, &["delete", "./Large"]).good();
    tree(&store, &["get", "./Large"]).failed("DMSC_ERR_NODE_NOT_FOUND");
    let other = phone("change-large-again");
    tree(&other, &["import", ".", &taken]).good();
    assert_eq!(get(&other, "./Large/99/99"), "other\n");
    assert_eq!(get(&other, "./Large/0/0"), "value 0 0\n");
    let dump = dmsc(&["tree", "dump", "--store", &other, "./Large"]).good().stdout;
    assert_eq!(dump.lines().count(), NODES + 1);
}
