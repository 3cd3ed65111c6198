//! Subtrees that the host keeps: dmsc_tree_bind and what its handler hears.

use super::*;
use support::abi::Changed;
use support::host::{HostTree, unbind};

pub(crate) const NODE_FAILED: dmsc_event_type = dmsc_event_type::DMSC_EVENT_NODE_FAILED;

/// A host with two leaves below ./Vendor/Fw.
pub(crate) fn firmware() -> Arc<HostTree> {
    HostTree::with(&[
        ("./Vendor/Fw", None),
        ("./Vendor/Fw/State", Some("idle")),
        ("./Vendor/Fw/Parts", None),
        ("./Vendor/Fw/Parts/B", Some("two")),
        ("./Vendor/Fw/Parts/A", Some("one")),
    ])
}

/// What came of one session with a server that sends `packages`.
pub(crate) fn session(phone: &Phone, sim: &Sim) -> dmsc_session_info {
    let session = phone.start_session(None).unwrap();
    phone.settle();
    let info = session.info().unwrap();
    session.free();
    assert_eq!(info.state, 3);
    let bad: Vec<_> = sim.card().findings().into_iter().filter(|finding| !finding.good).collect();
    assert!(bad.is_empty(), "{bad:?}");
    info
}

/// URI and status of each command that was done.
fn done(phone: &Phone) -> Vec<(String, u32)> {
    let events = phone.ears.of(dmsc_event_type::DMSC_EVENT_COMMAND_DONE).into_iter();
    events.map(|event| (event.uri, event.phase)).collect()
}

#[test]
fn the_nodes_of_a_handler_are_read_like_all_others() {
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    host.bind(&phone, "./Vendor/Fw").unwrap();
    assert_eq!(host.take_calls(), ["settle 0"]);
    assert_eq!(phone.get("./Vendor/Fw/State").unwrap(), "idle");
    assert_eq!(phone.get("./Vendor/Fw/Parts/A?prop=Size").unwrap(), "3");
    assert_eq!(phone.names("./Vendor"), ["Fw"]);
    assert_eq!(phone.names("./Vendor/Fw"), ["Parts", "State"]);
    assert_eq!(phone.names("./Vendor/Fw/Parts"), ["A", "B"]);
    assert_eq!(phone.get("./Vendor/Fw/None").unwrap_err().status, -500);
    let export = String::from_utf8(phone.export("./Vendor", 0).unwrap()).unwrap();
    for (node, value) in [("State", "idle"), ("A", "one"), ("B", "two")] {
        assert!(export.contains(&format!("<NodeName>{node}</NodeName>")), "{export}");
        assert!(export.contains(&format!("<Value>{value}</Value>")), "{export}");
    }
}

#[test]
fn a_server_reads_and_changes_nodes_of_a_handler() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { get = "./Vendor/Fw", results_children = ["Parts", "State"] },
            { get = "./Vendor/Fw/State", results = "idle" },
            { add = "./Vendor/Fw/Parts/C", value = "three" },
            { get = "./Vendor/Fw/Parts/C", results = "three" },
            { add = "./Vendor/Fw/Parts/A", value = "x", expect = 418 },
            { replace = "./Vendor/Fw/Parts/A", value = "eins" },
            { replace = "./Vendor/Fw/None", value = "x", expect = 404 },
            { replace = "./Vendor/Fw/Parts/B?prop=ACL", value = "Get=*" },
            { get = "./Vendor/Fw/Parts/B?prop=ACL", results = "Get=*" },
            { delete = "./Vendor/Fw/Parts/B", expect = 425 },
            { replace = "./Vendor/Fw/Parts/A?prop=Name", value = "Z", expect = 405 },
            { delete = "./Vendor/Fw", expect = 405 },
            { delete = "./Vendor", expect = 425 },
            { copy = "./Vendor/Fw/Parts/A", to = "./Copy" },
            { delete = "./Vendor/Fw/Parts/C" },
        ]
        [[package]]
        commands = [
            { get = "./Copy", results = "eins" },
            { get = "./Vendor/Fw/Parts/A?prop=VerNo", results = "1" },
        ]
        "#,
    );
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    host.serve(&phone, "./Vendor/Fw");
    host.take_calls();
    phone.settle();
    phone.ears.take_changes();
    assert_eq!(session(&phone, &sim).status, 0);
    assert_eq!(host.value("./Vendor/Fw/Parts/A").unwrap(), "eins");
    assert_eq!(
        host.take_calls(),
        [
            "begin 1",
            "add ./Vendor/Fw/Parts/C",
            "replace ./Vendor/Fw/Parts/A",
            "remove ./Vendor/Fw/Parts/C",
            "prepare",
            "commit",
        ]
    );
    let told = phone.ears.take_changes();
    let by_server = |change: &&Changed| change.server_id == "com.example.sc";
    let told: Vec<_> = told
        .iter()
        .flatten()
        .filter(by_server)
        .map(|c| (c.uri.as_str(), c.kind, c.sizes))
        .collect();
    assert_eq!(
        told,
        [
            ("./Vendor/Fw/Parts/A", 2, (3, 4)),
            ("./Vendor/Fw/Parts/B", 5, (3, 3)),
            ("./Copy", 1, (0, 4)),
        ]
    );
    // What the library keeps of the nodes outlives the session.
    assert_eq!(phone.get("./Vendor/Fw/Parts/B?prop=ACL").unwrap(), "Get=*");
    unbind(&phone, "./Vendor/Fw").unwrap();
    assert_eq!(host.destroyed.load(Ordering::SeqCst), 1);
    assert_eq!(phone.names("./Vendor"), [] as [&str; 0]);
    assert_eq!(unbind(&phone, "./Vendor/Fw").unwrap_err().status, -500);
}

#[test]
fn a_failing_callback_gives_its_status_and_its_number() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { replace = "./Vendor/Fw/State", value = "x", expect = 500 },
            { add = "./Vendor/Fw/New", value = "x", expect = 415 },
            { delete = "./Vendor/Fw/Parts/B", expect = 403 },
            { get = "./Vendor/Fw/Parts/A", expect = 500 },
            { get = "./Vendor/Fw/Parts", expect = 500 },
            { get = "./Vendor/Fw/State", results = "idle" },
        ]
        "#,
    );
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    host.serve(&phone, "./Vendor/Fw");
    host.fail("replace", -4711);
    host.fail("add", -504);
    host.fail("remove", 403);
    host.fail("get ./Vendor/Fw/Parts/A", 7);
    host.fail("children", -302);
    assert_eq!(session(&phone, &sim).status, 0);
    let failed = phone.ears.of(NODE_FAILED).into_iter();
    let failed: Vec<_> = failed.map(|event| (event.uri, event.status, event.data)).collect();
    let text = |what: &str, number: i32| format!("{what}: callback returned {number}");
    assert_eq!(
        failed,
        [
            ("./Vendor/Fw/State".to_owned(), -4711, text("replace", -4711)),
            ("./Vendor/Fw/Parts/A".to_owned(), -12, text("get", 7)),
            ("./Vendor/Fw/Parts".to_owned(), -302, text("children", -302)),
        ]
    );
    assert_eq!(
        done(&phone).iter().map(|(_, status)| *status).collect::<Vec<_>>(),
        [500, 415, 403, 500, 500, 200]
    );
    // The host's own calls get the number.
    let failure = phone.get("./Vendor/Fw/Parts/A").unwrap_err();
    assert_eq!((failure.status, failure.message.as_str()), (-12, "get: callback returned 7"));
    assert_eq!(phone.begin().try_replace("./Vendor/Fw/State", "x").unwrap_err().status, -4711);
}

#[test]
fn a_server_can_do_nothing_below_a_node_whose_handler_is_not_there() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { add = "./Vendor/Fw/New", value = "x", expect = 405 },
            { exec = "./Vendor/Fw", expect = 405 },
            { get = "./Vendor/Fw/State", expect = 404 },
            { delete = "./Vendor/Fw", expect = 405 },
        ]
        "#,
    );
    let vault = Arc::new(Vault::default());
    let (host, phone) = (firmware(), Phone::new(Keep::Vault(&vault)));
    host.serve(&phone, "./Vendor/Fw");
    phone.free();
    let phone = Phone::new(Keep::Vault(&vault));
    phone.ready(&sim);
    assert_eq!(session(&phone, &sim).status, 0);
    // So nothing stands in the way of the next binding.
    host.bind(&phone, "./Vendor/Fw").unwrap();
}

#[test]
fn what_cannot_be_bound() {
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    let bind = |uri: &str| host.bind(&phone, uri).map_err(|failure| failure.status);
    phone.change(|txn| txn.add("./Full/Leaf", "x"));
    for (uri, status) in [
        (".", -503),
        ("./DevInfo", -503),
        ("./DMAcc/x", -503),
        ("./Full", -501),
        ("./Full/Leaf", -501),
        ("./Full/Leaf/Below", -503),
        ("./A//B", -505),
    ] {
        assert_eq!(bind(uri), Err(status), "{uri}");
    }
    assert_eq!(bind("./Vendor/Fw"), Ok(0));
    for uri in ["./Vendor/Fw", "./Vendor", "./Vendor/Fw/Parts"] {
        assert_eq!(bind(uri), Err(-501), "{uri}");
    }
    assert_eq!(bind("./DevDetail/Ext/Fw"), Ok(0));
    let txn = phone.begin();
    assert_eq!(bind("./Other"), Err(-7));
    assert_eq!(unbind(&phone, "./Vendor/Fw").unwrap_err().status, -7);
    txn.rollback();
    host.fail("settle", -4711);
    assert_eq!(bind("./Other"), Err(-4711));
    assert_eq!(phone.get("./Other").unwrap_err().status, -500);
    let uri = c("./Other");
    let whole = host.handler();
    for handler in [
        dmsc_node_handler { info: None, ..whole },
        dmsc_node_handler { begin: None, ..whole },
        dmsc_node_handler { commit: None, ..whole },
        dmsc_node_handler { rollback: None, ..whole },
    ] {
        let number = unsafe { dmsc_tree_bind(phone.client, uri.as_ptr(), &raw const handler) };
        refused(number, INVALID_ARG, "dmsc_node_handler needs");
    }
    assert_eq!(host.destroyed.load(Ordering::SeqCst), 0);
    phone.free();
    assert_eq!(host.destroyed.load(Ordering::SeqCst), 2);
}

#[test]
fn a_handler_without_a_callback_takes_no_such_command() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { add = "./Vendor/Fw/New", value = "x", expect = 405 },
            { replace = "./Vendor/Fw/State", value = "x", expect = 405 },
            { delete = "./Vendor/Fw/State", expect = 405 },
            { exec = "./Vendor/Fw/State", expect = 405 },
            { get = "./Vendor/Fw/State", results = "idle" },
        ]
        "#,
    );
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let (uri, whole) = (c("./Vendor/Fw"), host.handler());
    let handler = dmsc_node_handler {
        add: None,
        replace: None,
        remove: None,
        exec: None,
        begin: None,
        ..whole
    };
    check(unsafe { dmsc_tree_bind(phone.client, uri.as_ptr(), &raw const handler) }).unwrap();
    assert_eq!(session(&phone, &sim).status, 0);
}

#[test]
fn what_a_callback_of_a_handler_may_call() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { replace = "./Vendor/Fw/State", value = "x" },
            { exec = "./Vendor/Fw/State" },
        ]
        "#,
    );
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    host.serve(&phone, "./Vendor/Fw");
    let (client, pointer) = (phone.client as usize, card.0 as usize);
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let (inside, uri, own) = (Arc::clone(&seen), c("./DevInfo/DevId"), c("./Vendor/Fw/State"));
    let weak = Arc::downgrade(&host);
    host.hook(move |name| unsafe {
        let client = client as *mut dmsc_client;
        let saw = |call: &str, number| {
            inside.lock().unwrap().insert((name.to_owned(), call.to_owned(), number));
        };
        saw("run_once", dmsc_client_run_once(client, 0));
        saw("start", dmsc_client_start(client));
        let mut info = blank();
        saw("card_info", dmsc_card_info_get(pointer as *mut dmsc_card, &raw mut info));
        let mut value = null_mut();
        saw("get", dmsc_tree_get(client, uri.as_ptr(), &raw mut value));
        dmsc_buffer_free(value);
        saw("get own", dmsc_tree_get(client, own.as_ptr(), &raw mut value));
        let handler = weak.upgrade().unwrap().handler();
        saw("bind", dmsc_tree_bind(client, uri.as_ptr(), &raw const handler));
        saw("unbind", dmsc_tree_unbind(client, own.as_ptr()));
        let mut txn = null_mut();
        if name == "replace" {
            saw("begin", dmsc_txn_begin(client, &raw mut txn));
        }
    });
    assert_eq!(session(&phone, &sim).status, 0);
    let seen = seen.lock().unwrap();
    for name in ["info", "begin", "replace", "prepare", "commit", "exec"] {
        let of = |call: &str| {
            let found = seen.iter().filter(|(n, c, _)| n == name && c == call);
            found.map(|(_, _, number)| *number).collect::<Vec<_>>()
        };
        for forbidden in ["run_once", "start", "card_info", "get own", "bind", "unbind"] {
            assert_eq!(of(forbidden), [REENTRANT], "{forbidden} in {name}");
        }
        assert_eq!(of("get"), [0], "{name}");
    }
    assert!(seen.contains(&("replace".to_owned(), "begin".to_owned(), -7)));
}

#[test]
fn the_client_is_freed_inside_a_handler() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [{ replace = "./Vendor/Fw/State", value = "x" }]
        "#,
    );
    let (host, ears) = (firmware(), Arc::new(Ears::default()));
    let phone = Phone::try_new(Keep::Nothing, &ears).unwrap();
    phone.ready(&sim);
    host.serve(&phone, "./Vendor/Fw");
    let (client, freed) = (phone.client as usize, Arc::new(AtomicUsize::new(0)));
    let inside = Arc::clone(&freed);
    let weak = Arc::downgrade(&host);
    host.hook(move |name| {
        if name == "replace" && inside.fetch_add(1, Ordering::SeqCst) == 0 {
            unsafe { dmsc_client_free(client as *mut dmsc_client) };
            assert_eq!(weak.upgrade().unwrap().destroyed.load(Ordering::SeqCst), 0);
        }
    });
    phone.start_session(None).unwrap().free();
    while freed.load(Ordering::SeqCst) == 0 {
        assert_eq!(unsafe { dmsc_client_run_once(phone.client, 0) }, 0);
    }
    assert_eq!(host.destroyed.load(Ordering::SeqCst), 1);
    assert_eq!(ears.destroyed.load(Ordering::SeqCst), 1);
    std::mem::forget(phone);
}

#[test]
fn dm_070_dm_071_an_exec_reaches_the_handler_with_argument_and_correlator() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { exec = "./Vendor/Fw/State", value = "now", correlator = "X1", expect = 202 },
            { exec = "./Vendor/Fw/State" },
            { exec = "./Vendor/Fw/Parts/A", expect = 502 },
            { exec = "./Vendor/Fw/Parts/B", expect = 500 },
            { exec = "./Vendor/Fw/None", expect = 404 },
            { exec = "./DevInfo/DevId", expect = 405 },
            { replace = "./Vendor/Fw/State", value = "after" },
        ]
        "#,
    );
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    host.serve(&phone, "./Vendor/Fw");
    host.take_calls();
    let call = |node: &str, argument: &str, correlator: &str| {
        format!("exec ./Vendor/Fw/{node} {argument:?} {correlator} com.example.sc")
    };
    host.fail(&call("State", "now", "X1"), 202);
    host.fail(&call("Parts/A", "", "none"), 502);
    host.fail(&call("Parts/B", "", "none"), -4711);
    assert_eq!(session(&phone, &sim).status, 0);
    let calls = host.take_calls();
    assert_eq!(
        calls[..4],
        [
            call("State", "now", "X1"),
            call("State", "", "none"),
            call("Parts/A", "", "none"),
            call("Parts/B", "", "none"),
        ]
    );
    assert_eq!(phone.ears.of(NODE_FAILED)[0].status, -4711);
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "after");
}

/// Software components (SCOMO 1.0): the server makes the node of a download and runs it; the end is reported
/// with the type that is registered for it.
#[test]
fn a_software_component_is_delivered_and_reported() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { add = "./SCM/Download/game", format = "node" },
            { add = "./SCM/Download/game/PkgID", value = "com.example.game" },
            { add = "./SCM/Download/game/PkgURL", value = "https://sw.example/game" },
            { add = "./SCM/Download/game/Operations/DownloadInstall", format = "node" },
            { exec = "./SCM/Download/game/Operations/DownloadInstall", correlator = "sw-7", expect = 202 },
        ]
        [[package]]
        commands = [
            { get = "./SCM/Download/game", results_children = ["Operations", "PkgID", "PkgURL"] },
        ]
        "#,
    );
    let host = HostTree::with(&[("./SCM", None), ("./SCM/Download", None)]);
    let phone = Phone::new(Keep::Nothing);
    phone.ready(&sim);
    host.serve(&phone, "./SCM");
    let run = "./SCM/Download/game/Operations/DownloadInstall";
    host.fail(&format!("exec {run} \"\" sw-7 com.example.sc"), 202);
    assert_eq!(session(&phone, &sim).status, 0);
    assert_eq!(host.value("./SCM/Download/game/PkgURL").unwrap(), "https://sw.example/game");

    let (correlator, source) = (c("sw-7"), c("./SCM/Download/game"));
    let kind = "urn:oma:at:scomo:1.0:OperationComplete";
    let number = phone.queue(Some("com.example.sc"), kind, "1200", |alert| {
        alert.correlator = correlator.as_ptr();
        alert.source_uri = source.as_ptr();
    });
    phone.start_session(None).unwrap().free();
    phone.settle();
    let done = phone.ears.of(dmsc_event_type::DMSC_EVENT_ALERT_DONE);
    assert_eq!((done.len(), done[0].number, done[0].status), (1, number.unwrap(), 0));
    let findings = sim.card().findings();
    let reported = "Alert 1226 is complete, correlator sw-7";
    assert!(findings.iter().any(|finding| finding.text.ends_with(reported)), "{findings:?}");
}
