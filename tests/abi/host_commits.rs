//! Nodes that the host keeps and stored ones change together: Atomic, prepare and commit, restarts.

use super::host_nodes::{NODE_FAILED, firmware, session};
use super::*;
use support::host::HostTree;

const ATOMIC: &str = r#"
    [[package]]
    commands = [
        { replace = "./Vendor/Fw/State", value = "before" },
        { replace = "./Host/Stored", value = "before" },
        { atomic = [
            { replace = "./Vendor/Fw/State", value = "inside", expect = STATUS },
            { replace = "./Host/Stored", value = "inside", expect = STATUS },
            { add = "./Vendor/Fw/Parts/C", value = "inside", expect = STATUS },
            LAST
        ], expect = WHOLE },
        { get = "./Vendor/Fw/State", results = "VALUE" },
        { get = "./Host/Stored", results = "VALUE" },
    ]
    "#;

/// A phone whose host keeps ./Vendor/Fw, with a stored node beside it; servers may do all to both.
fn phone_with(host: &Arc<HostTree>, sim: &Sim) -> Phone {
    let phone = Phone::new(Keep::Nothing);
    phone.ready(sim);
    host.serve(&phone, "./Vendor/Fw");
    phone.change(|txn| {
        txn.add("./Host/Stored", "x");
        txn.acl("./Host", "Add=*&Get=*&Replace=*");
    });
    phone
}

fn atomic(status: &str, last: &str, whole: &str, value: &str) -> Sim {
    let text = ATOMIC.replace("STATUS", status).replace("LAST", last).replace("WHOLE", whole);
    Sim::scripted(&text.replace("VALUE", value))
}

#[test]
fn an_atomic_over_stored_and_host_nodes_is_one() {
    let sim = atomic("200", "", "200", "inside");
    let host = firmware();
    let phone = phone_with(&host, &sim);
    assert_eq!(session(&phone, &sim).status, 0);
    assert_eq!(host.value("./Vendor/Fw/Parts/C").unwrap(), "inside");

    // The last command fails: what was done before the Atomic is made again.
    let last = r#"{ replace = "./None", value = "x", expect = 404 },"#;
    let sim = atomic("216", last, "507", "before");
    let host = firmware();
    let phone = phone_with(&host, &sim);
    host.take_calls();
    assert_eq!(session(&phone, &sim).status, 0);
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "before");
    assert_eq!(host.value("./Vendor/Fw/Parts/C"), None);
    assert_eq!(phone.get("./Host/Stored").unwrap(), "before");
    assert_eq!(
        host.take_calls(),
        [
            "begin 1",
            "replace ./Vendor/Fw/State",
            "replace ./Vendor/Fw/State",
            "add ./Vendor/Fw/Parts/C",
            "rollback",
            "begin 1",
            "replace ./Vendor/Fw/State",
            "prepare",
            "commit",
        ]
    );
}

#[test]
fn a_handler_that_cannot_prepare_an_atomic_undoes_it() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { replace = "./Host/Stored", value = "before" },
            { atomic = [
                { replace = "./Host/Stored", value = "inside", expect = 216 },
                { replace = "./Vendor/Fw/State", value = "inside", expect = 216 },
            ], expect = 507 },
        ]
        "#,
    );
    let host = firmware();
    let phone = phone_with(&host, &sim);
    host.fail("prepare", -4711);
    assert_eq!(session(&phone, &sim).status, 0);
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "idle");
    assert_eq!(phone.get("./Host/Stored").unwrap(), "before");
    let failed = phone.ears.of(NODE_FAILED);
    assert_eq!((failed.len(), failed[0].status, failed[0].uri.as_str()), (1, -4711, "./Vendor/Fw"));
}

#[test]
fn a_handler_that_cannot_prepare_fails_the_commands_of_the_message() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { exec = "./Vendor/Fw/Parts/A" },
            { replace = "./Host/Stored", value = "new", expect = 500 },
            { atomic = [
                { replace = "./Host/Stored", value = "inside", expect = 216 },
            ], expect = 507 },
            { replace = "./Vendor/Fw/State", value = "new", expect = 500 },
            { replace = "./Vendor/Fw/None", value = "x", expect = 404 },
            { get = "./Vendor/Fw/State", expect = 500 },
        ]
        [[package]]
        commands = [
            { get = "./Vendor/Fw/State", results = "idle" },
            { replace = "./Host/Stored", value = "after" },
        ]
        "#,
    );
    let host = firmware();
    let phone = phone_with(&host, &sim);
    host.take_calls();
    host.fail("prepare", -4711);
    assert_eq!(session(&phone, &sim).status, 0);
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "idle");
    assert_eq!(phone.get("./Host/Stored").unwrap(), "after");
    assert_eq!(
        host.take_calls()[1..],
        ["begin 1", "replace ./Vendor/Fw/State", "prepare", "rollback"]
    );
    let failed = phone.ears.of(NODE_FAILED);
    assert_eq!((failed.len(), failed[0].status, failed[0].uri.as_str()), (1, -4711, "./Vendor/Fw"));
}

#[test]
fn a_commit_that_fails_is_told_and_the_store_has_decided() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { add = "./Stored", value = "x" },
            { replace = "./Vendor/Fw/State", value = "new" },
        ]
        "#,
    );
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    host.serve(&phone, "./Vendor/Fw");
    host.fail("commit", -9);
    assert_eq!(session(&phone, &sim).status, 0);
    assert_eq!(phone.get("./Stored").unwrap(), "x");
    let failed = phone.ears.of(NODE_FAILED);
    assert_eq!((failed.len(), failed[0].status, failed[0].uri.as_str()), (1, -9, "./Vendor/Fw"));
}

#[test]
fn a_transaction_of_the_host_reaches_its_handlers_too() {
    let vault = Arc::new(Vault::default());
    let (host, phone) = (firmware(), Phone::new(Keep::Vault(&vault)));
    host.bind(&phone, "./Vendor/Fw").unwrap();
    host.take_calls();
    phone.change(|txn| {
        txn.replace("./Vendor/Fw/State", "busy");
        txn.acl("./Vendor/Fw/State", "Get=*");
        txn.add("./Stored", "x");
    });
    let all = ["begin 1", "replace ./Vendor/Fw/State", "prepare", "commit"];
    assert_eq!(host.take_calls(), all);
    assert_eq!(phone.get("./Vendor/Fw/State?prop=ACL").unwrap(), "Get=*");
    // Rolled back, by the call and by a store that cannot write.
    let txn = phone.begin();
    txn.replace("./Vendor/Fw/State", "one");
    txn.rollback();
    phone.settle();
    assert_eq!(host.take_calls(), ["begin 2", "replace ./Vendor/Fw/State", "rollback"]);
    let txn = phone.begin();
    txn.replace("./Vendor/Fw/State", "two");
    vault.save_fails.store(-520, Ordering::SeqCst);
    assert_eq!(txn.commit().unwrap_err().status, -520);
    vault.save_fails.store(0, Ordering::SeqCst);
    phone.settle();
    assert_eq!(host.take_calls(), ["begin 2", "replace ./Vendor/Fw/State", "prepare", "rollback"]);
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "busy");
    let txn = phone.begin();
    txn.replace("./Vendor/Fw/State", "three");
    host.fail("prepare", -4711);
    assert_eq!(txn.commit().unwrap_err().status, -4711);
    phone.settle();
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "busy");
    assert_eq!(phone.begin().try_delete("./Vendor").unwrap_err().status, -503);
}

#[test]
fn after_a_restart_a_handler_learns_what_counts_and_its_properties_are_there() {
    let vault = Arc::new(Vault::default());
    let (host, phone) = (firmware(), Phone::new(Keep::Vault(&vault)));
    host.bind(&phone, "./Vendor/Fw").unwrap();
    for value in ["a", "b"] {
        phone.change(|txn| {
            txn.replace("./Vendor/Fw/State", value);
            txn.acl("./Vendor/Fw/State", "Get=*");
        });
    }
    assert_eq!(phone.get("./Vendor/Fw/State?prop=VerNo").unwrap(), "4");
    phone.free();
    assert_eq!(host.destroyed.load(Ordering::SeqCst), 1);

    let phone = Phone::new(Keep::Vault(&vault));
    // Without handler the node is there, and takes nothing.
    assert_eq!(phone.names("./Vendor/Fw"), [] as [&str; 0]);
    assert_eq!(phone.get("./Vendor/Fw/State").unwrap_err().status, -500);
    host.take_calls();
    host.bind(&phone, "./Vendor/Fw").unwrap();
    assert_eq!(host.take_calls(), ["settle 2"]);
    assert_eq!(phone.get("./Vendor/Fw/State?prop=ACL").unwrap(), "Get=*");
    assert_eq!(phone.get("./Vendor/Fw/State?prop=VerNo").unwrap(), "4");
    assert_eq!(phone.get("./Vendor/Fw/State").unwrap(), "b");
}

#[test]
fn a_session_that_is_cut_inside_an_atomic_leaves_nothing_at_the_host() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { atomic = [
                { replace = "./Vendor/Fw/State", value = "inside" },
                { confirm = "Go on?", options = "" },
            ] },
        ]
        "#,
    );
    let (host, phone) = (firmware(), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    host.serve(&phone, "./Vendor/Fw");
    phone.ears.keep.store(1, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "inside");
    session.cancel();
    phone.settle();
    assert_eq!(host.value("./Vendor/Fw/State").unwrap(), "idle");
    assert_eq!(host.take_calls().last().unwrap(), "rollback");
    session.free();
}

#[test]
fn a_process_that_dies_around_the_commit_is_settled_by_what_the_store_says() {
    for (dies_in, settled, stored) in
        [("prepare", "settle 0", None), ("commit", "settle 1", Some("x"))]
    {
        let (host, vault) = (firmware(), Arc::new(Vault::default()));
        let phone = Phone::new(Keep::Vault(&vault));
        host.bind(&phone, "./Vendor/Fw").unwrap();
        // What the medium holds at that instant.
        let left = Arc::new(Vault::default());
        let (medium, inside) = (Arc::clone(&vault), Arc::clone(&left));
        host.hook(move |name| {
            if name == dies_in {
                medium.dump().into_iter().for_each(|(name, blob)| inside.put(&name, blob));
            }
        });
        phone.change(|txn| {
            txn.replace("./Vendor/Fw/State", "new");
            txn.add("./Stored", "x");
        });
        host.hook(|_| {});
        host.take_calls();
        let after = Phone::new(Keep::Vault(&left));
        host.bind(&after, "./Vendor/Fw").unwrap();
        assert_eq!(host.take_calls(), [settled], "{dies_in}");
        assert_eq!(after.get("./Stored").ok().as_deref(), stored, "{dies_in}");
    }
}
