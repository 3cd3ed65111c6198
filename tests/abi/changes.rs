//! Change sets: one for each commit, in order, whoever made it.

use super::*;
use support::abi::Changed;

const ADDED: u32 = 1;
const REPLACED: u32 = 2;
const DELETED: u32 = 3;
const RENAMED: u32 = 4;
const PROPERTY: u32 = 5;
const BY_HOST: u32 = 0;
const BY_BOOTSTRAP: u32 = 1;
const BY_SERVER: u32 = 2;

/// A change by the host.
fn change(kind: u32, uri: &str, sizes: (u32, u32)) -> Changed {
    let (from, server_id) = (String::new(), String::new());
    Changed { kind, by: BY_HOST, uri: uri.to_owned(), from, server_id, sizes }
}

#[test]
fn a_transaction_of_the_host_is_told_once_with_what_is_left_of_it() {
    let phone = Phone::new(Keep::Nothing);
    phone.settle();
    assert_eq!(phone.ears.take_changes(), [] as [Vec<Changed>; 0]);
    phone.change(|txn| {
        txn.add("./Host/A", "one");
        txn.add("./Host/B", "x");
        txn.replace("./Host/A", "three");
        txn.acl("./Host/A", "Get=*");
        txn.delete("./Host/B");
    });
    // It is told by whoever drives.
    assert_eq!(phone.ears.take_changes(), [] as [Vec<Changed>; 0]);
    phone.settle();
    let first = vec![change(ADDED, "./Host", (0, 0)), change(ADDED, "./Host/A", (0, 5))];
    assert_eq!(phone.ears.take_changes(), [first]);
    phone.change(|txn| {
        txn.replace("./Host/A", "four");
        txn.replace("./Host/A", "fo");
        txn.acl("./Host", "Get=*");
    });
    phone.change(|txn| txn.delete("./Host"));
    phone.settle();
    let second = vec![change(REPLACED, "./Host/A", (5, 2)), change(PROPERTY, "./Host", (0, 0))];
    let third = vec![change(DELETED, "./Host", (0, 0))];
    assert_eq!(phone.ears.take_changes(), [second, third]);
}

#[test]
fn nothing_is_told_of_what_is_rolled_back_or_changes_nothing() {
    let phone = Phone::new(Keep::Nothing);
    let txn = phone.begin();
    txn.add("./Host/A", "one");
    txn.rollback();
    phone.change(|txn| {
        txn.add("./Host/A", "one");
        txn.delete("./Host");
    });
    phone.settle();
    assert_eq!(phone.ears.take_changes(), [] as [Vec<Changed>; 0]);
}

#[test]
fn nothing_is_told_of_a_commit_that_the_storage_refuses() {
    let vault = Arc::new(Vault::default());
    let phone = Phone::new(Keep::Vault(&vault));
    let txn = phone.begin();
    txn.add("./Host/A", "one");
    vault.save_fails.store(-522, Ordering::SeqCst);
    assert_eq!(txn.commit().unwrap_err().status, -522);
    vault.save_fails.store(0, Ordering::SeqCst);
    phone.settle();
    assert_eq!(phone.ears.take_changes(), [] as [Vec<Changed>; 0]);
}

#[test]
fn bootstrap_and_session_are_told_with_their_author() {
    let sim = Sim::scripted(
        r#"
        [[package]]
        commands = [
            { add = "./Operator", format = "node" },
            { add = "./Operator/Name", value = "Example" },
            { atomic = [
                { add = "./Operator/Apn", value = "internet", expect = 216 },
                { replace = "./Operator/None", value = "x", expect = 404 },
            ], expect = 507 },
            { replace = "./Operator/Name", value = "Example Mobile" },
            { replace = "./Operator/Name?prop=Name", value = "Title" },
        ]
        [[package]]
        commands = [{ delete = "./Operator/Title" }]
        "#,
    );
    let phone = Phone::new(Keep::Nothing);
    phone.ready(&sim);
    let told = phone.ears.take_changes();
    assert_eq!(told.len(), 1);
    assert!(told[0].iter().all(|change| change.by == BY_BOOTSTRAP || change.by == BY_HOST));
    let server_id = told[0].iter().find(|change| change.uri.ends_with("/ServerID")).unwrap();
    assert_eq!((server_id.by, server_id.sizes), (BY_BOOTSTRAP, (0, 14)));

    let session = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().status, 0);
    session.free();
    let told = phone.ears.take_changes();
    let by_server =
        |change: Changed| Changed { by: BY_SERVER, server_id: "com.example.sc".into(), ..change };
    // What the library renews of its own accord - nonces - is told as the host's.
    let sets: Vec<Vec<Changed>> = told
        .into_iter()
        .map(|set| set.into_iter().filter(|change| change.by == BY_SERVER).collect::<Vec<_>>())
        .filter(|set| !set.is_empty())
        .collect();
    let renamed =
        Changed { from: "./Operator/Name".into(), ..change(RENAMED, "./Operator/Title", (14, 14)) };
    let first = vec![
        change(ADDED, "./Operator", (0, 0)),
        change(ADDED, "./Operator/Name", (0, 14)),
        renamed,
    ];
    let second = vec![change(DELETED, "./Operator/Title", (14, 0))];
    let wanted = [first, second].map(|set| set.into_iter().map(by_server).collect::<Vec<_>>());
    assert_eq!(sets, wanted);
}

#[test]
fn changes_come_before_the_events_of_their_step_and_on_the_driving_thread() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let inside = Arc::clone(&heard);
    phone.ears.hook(move |name| inside.lock().unwrap().push(name.to_owned()));
    let card = phone.open(&sim, 0).unwrap();
    phone.settle();
    heard.lock().unwrap().clear();
    card.bootstrap().unwrap();
    phone.settle();
    assert_eq!(heard.lock().unwrap()[..2], ["changes", "event"]);
    let threads = phone.ears.threads.lock().unwrap().len();
    assert_eq!(threads, 1);
}
