//! Values of several messages at a dmsc_node_handler: from a server to the callbacks write, store and discard,
//! and to a server from open, read and close.

use super::*;
use support::host::HostTree;

fn vault() -> Arc<HostTree> {
    HostTree::with(&[("./Vault", None), ("./Vault/Old", Some("old"))]).takes_chunks()
}

/// A session with a server that sends `commands`; how it ended.
fn session(host: &Arc<HostTree>, commands: &str) -> (Phone, Sim, i32) {
    let sim = Sim::scripted(&format!("[[package]]\ncommands = [{commands}]"));
    let phone = Phone::new(Keep::Nothing);
    phone.ready(&sim);
    host.serve(&phone, "./Vault");
    let session = phone.start_session(None).unwrap();
    phone.settle();
    let info = session.info().unwrap();
    session.free();
    let bad: Vec<_> = sim.card().findings().into_iter().filter(|finding| !finding.good).collect();
    assert!(bad.is_empty(), "{bad:?}");
    (phone, sim, info.status)
}

#[test]
fn dm_032_the_handler_gets_a_value_in_chunks() {
    let host = vault();
    let commands = r#"
        { add = "./Vault/New", fill = 250, chunk = 100 },
        { get = "./Vault/New", results_fill = 250 },
        { replace = "./Vault/Old", fill = 150, chunk = 100 },
        { replace = "./Vault/Old", value = "short" },
    "#;
    let (phone, _sim, status) = session(&host, commands);
    assert_eq!(status, 0);
    assert_eq!(
        host.take_calls(),
        [
            "write ./Vault/New 0+100 of 250",
            "write ./Vault/New 100+100 of 250",
            "write ./Vault/New 200+50 of 250",
            "begin 1",
            "store ./Vault/New",
            "write ./Vault/Old 0+100 of 150",
            "prepare",
            "commit",
            "discard ./Vault/New",
            "write ./Vault/Old 100+50 of 150",
            "begin 2",
            "store ./Vault/Old",
            "replace ./Vault/Old",
            "prepare",
            "commit",
            "discard ./Vault/Old",
        ]
    );
    assert_eq!(host.aside(), [] as [String; 0]);
    assert_eq!(host.value("./Vault/Old").unwrap(), "short");
    assert_eq!(phone.get("./Vault/New?prop=Size").unwrap(), "250");
}

#[test]
fn a_chunk_that_the_handler_refuses_ends_the_value() {
    let host = vault();
    host.fail("write ./Vault/Old 100+50 of 150", -523);
    let commands = r#"
        { replace = "./Vault/Old", fill = 150, chunk = 100, expect = 500 },
        { get = "./Vault/Old", results = "old" },
    "#;
    let (phone, _sim, status) = session(&host, commands);
    assert_eq!(status, 0);
    let calls = host.take_calls();
    assert_eq!(
        calls,
        [
            "write ./Vault/Old 0+100 of 150",
            "write ./Vault/Old 100+50 of 150",
            "discard ./Vault/Old"
        ]
    );
    let failed = phone.ears.of(dmsc_event_type::DMSC_EVENT_NODE_FAILED);
    assert_eq!((failed[0].status, failed[0].uri.as_str()), (-523, "./Vault/Old"));
}

#[test]
fn a_session_that_is_cut_lets_the_handler_discard() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [{ replace = "./Vault/Old", fill = 50000, chunk = 100 }]
        "#,
    );
    let (host, phone) = (vault(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    host.serve(&phone, "./Vault");
    let session = phone.start_session(None).unwrap();
    while host.aside().is_empty() {
        assert_eq!(phone.run_once(0).unwrap(), 0);
    }
    session.cancel();
    phone.settle();
    session.free();
    assert_eq!(host.take_calls().last().unwrap(), "discard ./Vault/Old");
    assert_eq!(host.value("./Vault/Old").unwrap(), "old");
}

#[test]
fn the_callbacks_for_chunks_come_together() {
    let (host, phone, uri) = (vault(), Phone::new(Keep::Nothing), c("./Vault"));
    let whole = host.handler();
    let reads = vault().gives_parts();
    let reads = reads.handler();
    let alone = dmsc_node_handler { add: None, replace: None, remove: None, ..whole };
    for handler in [
        dmsc_node_handler { write: None, ..whole },
        dmsc_node_handler { store: None, ..whole },
        dmsc_node_handler { discard: None, ..whole },
        dmsc_node_handler { begin: None, ..alone },
    ] {
        let number = unsafe { dmsc_tree_bind(phone.client, uri.as_ptr(), &raw const handler) };
        refused(number, INVALID_ARG, "write, store and discard together");
    }
    for handler in [
        dmsc_node_handler { open: None, ..reads },
        dmsc_node_handler { read: None, ..reads },
        dmsc_node_handler { close: None, ..reads },
        dmsc_node_handler { get: None, ..reads },
    ] {
        let number = unsafe { dmsc_tree_bind(phone.client, uri.as_ptr(), &raw const handler) };
        refused(number, INVALID_ARG, "open, read and close together");
    }
    // A program that was built with an older header.
    let mut older = whole;
    older.struct_size = std::mem::offset_of!(dmsc_node_handler, write);
    let number = unsafe { dmsc_tree_bind(phone.client, uri.as_ptr(), &raw const older) };
    assert_eq!(check(number).unwrap(), 0);
}

/// A host with a value that fits in no message.
fn library() -> Arc<HostTree> {
    let value: String = (0..2500).map(|at| format!("[{:06}]", at * 8)).collect();
    HostTree::with(&[("./Vault", None), ("./Vault/Big", Some(&value))]).gives_parts()
}

#[test]
fn dm_039_the_handler_gives_a_large_value_part_by_part() {
    let host = library();
    let commands = r#"{ get = "./Vault/Big", results_fill = 20000 }"#;
    let (_phone, _sim, status) = session(&host, commands);
    assert_eq!(status, 0);
    let mut calls = host.take_calls();
    assert!(calls.len() > 3);
    calls.dedup();
    assert_eq!(calls, ["open ./Vault/Big", "read 7", "close 7"]);
}

#[test]
fn a_handler_that_cannot_read_on_ends_the_value_and_is_told() {
    let host = library();
    host.fail("read", -523);
    // The card's server finds no Results where it has got Status 200.
    let sim = Sim::scripted(
        r#"[[package]]
        commands = [{ get = "./Vault/Big" }]"#,
    );
    let phone = Phone::new(Keep::Nothing);
    phone.ready(&sim);
    host.serve(&phone, "./Vault");
    let session = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().status, 0);
    session.free();
    assert_eq!(host.take_calls(), ["open ./Vault/Big", "read 7", "close 7"]);
    let failed = phone.ears.of(dmsc_event_type::DMSC_EVENT_NODE_FAILED);
    assert_eq!((failed[0].status, failed[0].uri.as_str()), (-523, "./Vault/Big"));
}

#[test]
fn a_subtree_that_is_unbound_is_destroyed_with_what_is_open() {
    let sim = Sim::scripted(
        r#"[[package]]
        commands = [{ get = "./Vault/Big" }]"#,
    );
    let (host, phone) = (library(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    host.serve(&phone, "./Vault");
    let session = phone.start_session(None).unwrap();
    while host.open() == 0 {
        assert_eq!(phone.run_once(0).unwrap(), 0);
    }
    support::host::unbind(&phone, "./Vault").unwrap();
    assert_eq!(host.destroyed.load(std::sync::atomic::Ordering::SeqCst), 1);
    host.take_calls();
    phone.settle();
    session.free();
    assert_eq!(host.take_calls(), [] as [String; 0]);
}
