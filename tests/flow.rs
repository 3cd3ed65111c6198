//! Both flows of the enabler through the C ABI, with the simulated card in process: what the tree
//! holds, what the host hears, and what the card says of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};
use support::abi::{Ears, Keep, Phone, Vault, directory};
use support::facade::Facade;
use support::sim::{Sim, profile};

use dmsc::ffi::dmsc_event_type as event;

const SERVER: &str = "com.example.sc";

/// The leaves below ./Operator, where the cards' scripts work.
fn operator(phone: &Phone) -> Vec<(String, String)> {
    let tree = phone.tree(".").into_iter();
    tree.filter(|(uri, _)| uri.starts_with("./Operator")).collect()
}

fn pairs(leaves: &[(&str, &str)]) -> Vec<(String, String)> {
    leaves.iter().map(|(uri, value)| ((*uri).to_owned(), (*value).to_owned())).collect()
}

/// A push session from its delivery to its end; the session's status.
fn push_session(phone: &Phone, sim: &Sim) -> i32 {
    let id = phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let ended = phone.ears.of(event::DMSC_EVENT_SESSION_ENDED);
    let ended = ended.iter().find(|ended| ended.session_id == id);
    ended.expect("the session has not ended").status
}

/// Good and bad sessions; fails with what the card found wrong.
fn verdict(sim: &Sim) -> (u32, u32) {
    let card = sim.card();
    let bad: Vec<_> = card.findings().into_iter().filter(|finding| !finding.good).collect();
    assert!(bad.is_empty(), "{bad:?}");
    (card.good_sessions(), card.bad_sessions())
}

const DEMO_AFTER_1: [(&str, &str); 4] = [
    ("./Operator/", ""),
    ("./Operator/Apn", "internet-1.example"),
    ("./Operator/Mms", "http://mms.example/"),
    ("./Operator/Name", "Example Mobile 1"),
];

const DEMO_AFTER_2: [(&str, &str); 4] = [
    ("./Operator/", ""),
    ("./Operator/Apn", "internet-2.example"),
    ("./Operator/Mms", "http://mms.example/"),
    ("./Operator/Name", "Example Mobile 2"),
];

#[test]
fn the_bootstrap_makes_the_account_and_nothing_else() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let before = phone.tree(".");
    assert_eq!(before["./DevInfo/DevId"], "IMEI:004999010640000");
    assert_eq!(before["./DevDetail/SwV"], "1.0");
    assert_eq!(phone.names("./DMAcc"), [""; 0]);

    let card = phone.open(&sim, 0).unwrap();
    let info = card.info().unwrap();
    assert_eq!((info.is_uicc, info.has_scws, info.has_dm_bootstrap), (1, 0, 0));
    assert_eq!(&info.atr[..usize::from(info.atr_len)], sim.card().atr());
    let report = card.bootstrap().unwrap();
    assert_eq!(
        (report.accounts_added, report.accounts_replaced, report.accounts_removed),
        (1, 0, 0)
    );
    assert_eq!((report.objects_unchanged, report.objects_failed), (0, 0));
    assert_eq!(card.info().unwrap().has_dm_bootstrap, 1);

    let after = phone.tree(".");
    let new: Vec<_> = after.iter().filter(|(uri, _)| !before.contains_key(*uri)).collect();
    let account = "./DMAcc/CardServer/";
    let wanted = [
        ("", ""),
        ("AAuthPref", "DIGEST"),
        ("AppAddr/", ""),
        ("AppAddr/1/", ""),
        ("AppAddr/1/Addr", "http://127.0.0.1:3516/dm"),
        ("AppAddr/1/AddrType", "URI"),
        ("AppAuth/", ""),
        ("AppAuth/1/", ""),
        ("AppAuth/1/AAuthData", "(hidden)"),
        ("AppAuth/1/AAuthLevel", "CLCRED"),
        ("AppAuth/1/AAuthName", "terminal"),
        ("AppAuth/1/AAuthSecret", "(hidden)"),
        ("AppAuth/1/AAuthType", "DIGEST"),
        ("AppAuth/2/", ""),
        ("AppAuth/2/AAuthData", "(hidden)"),
        ("AppAuth/2/AAuthLevel", "SRVCRED"),
        ("AppAuth/2/AAuthName", SERVER),
        ("AppAuth/2/AAuthSecret", "(hidden)"),
        ("AppAuth/2/AAuthType", "DIGEST"),
        ("AppID", "w7"),
        ("Name", "Example Mobile card"),
        ("ServerID", SERVER),
    ];
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(uri, value)| (format!("{account}{uri}"), (*value).to_owned()))
        .collect();
    let new: Vec<_> = new.into_iter().map(|(uri, value)| (uri.clone(), value.clone())).collect();
    assert_eq!(new, wanted);
    assert!(before.iter().all(|(uri, value)| after.get(uri) == Some(value)));
}

#[test]
fn no_secret_is_in_an_export() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    for format in [0, 1] {
        let export = phone.export("./DMAcc", format).unwrap();
        let holds = |text: &[u8]| export.windows(text.len()).any(|window| window == text);
        assert!(holds(SERVER.as_bytes()));
        for secret in ["terminal-secret", "card-secret", "first-client-nonce"] {
            assert!(!holds(secret.as_bytes()), "{secret} in format {format}");
        }
    }
}

#[test]
fn alternate_flow_by_the_cards_own_event() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    assert_eq!(card.info().unwrap().has_scws, 1);
    assert_eq!(operator(&phone), []);

    sim.card().trigger();
    card.notify(dmsc::ffi::dmsc_card_event::DMSC_CARD_PROACTIVE).unwrap();
    phone.settle();

    let triggers = phone.ears.triggers.lock().unwrap().clone();
    assert_eq!(triggers.len(), 1);
    assert_eq!((triggers[0].source, triggers[0].slot), (1, 0));
    assert_eq!(triggers[0].server_id, SERVER);
    assert_eq!((triggers[0].dm_session_id, triggers[0].ui_mode, triggers[0].by_server), (1, 1, 1));
    assert_eq!(phone.ears.ended(), [(0, SERVER.to_owned(), String::new())]);
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_1));
    assert_eq!(verdict(&sim), (1, 0));
}

#[test]
fn alternate_flow_by_the_cards_timer() {
    let mut slow = profile("demo");
    slow.card.toolkit.timer_seconds = 300;
    let (sim, phone) = (Sim::new(slow), Facade::new());
    phone.ready(&sim);
    phone.advance(299_000);
    assert_eq!(phone.ended(), []);
    phone.advance(1_000);
    assert_eq!(phone.ended(), [(0, String::new())]);
    assert_eq!(phone.client.tree_get("./Operator/Apn").unwrap(), b"internet-1.example");
    assert_eq!(verdict(&sim), (1, 0));
}

#[test]
fn normal_flow_by_a_push() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    assert_eq!(push_session(&phone, &sim), 0);
    let triggers = phone.ears.triggers.lock().unwrap().clone();
    assert_eq!((triggers[0].source, triggers[0].dm_session_id), (0, 1));
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_1));
    assert_eq!(verdict(&sim), (1, 0));
}

#[test]
fn both_flows_after_each_other_and_every_event_in_its_order() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let opening: Vec<_> = phone.ears.events().iter().map(|e| (e.kind, e.uri.clone())).collect();
    let uri = |kind: u32, uri: &str| (kind, uri.to_owned());
    assert_eq!(opening, [uri(10, ""), uri(8, "6433"), uri(9, "./DMAcc/CardServer")]);
    phone.ears.clear();

    sim.card().trigger();
    card.notify(dmsc::ffi::dmsc_card_event::DMSC_CARD_PROACTIVE).unwrap();
    phone.settle();
    let address = "http://127.0.0.1:3516/dm";
    let done = |status: u32, name: &str, uri: &str| (6, status, uri.to_owned(), name.to_owned());
    let plain = |kind: u32, phase: u32, uri: &str| (kind, phase, uri.to_owned(), String::new());
    let events = phone.ears.events();
    assert!(events.iter().all(|e| (e.status, e.session_id, e.slot) == (0, 1, 0)));
    let events: Vec<_> = events.into_iter().map(|e| (e.kind, e.phase, e.uri, e.data)).collect();
    assert_eq!(
        events,
        [
            plain(1, 0, SERVER),
            plain(2, 0, SERVER),
            plain(3, 1, address),
            plain(4, 1, ""),
            done(200, "Get", "./DevInfo/DevId"),
            done(200, "Get", "./DevDetail/SwV"),
            done(200, "Add", "./Operator"),
            done(200, "Add", "./Operator/Name"),
            done(200, "Add", "./Operator/Apn"),
            done(200, "Replace", "./Operator/Apn"),
            done(404, "Delete", "./Operator/Mms"),
            done(200, "Atomic", ""),
            done(200, "Add", "./Operator/Mms"),
            done(200, "Replace", "./Operator/Name"),
            done(200, "Alert", ""),
            plain(3, 2, address),
            plain(4, 2, ""),
            done(200, "Get", "./Operator/Apn"),
            done(200, "Get", "./Operator"),
            plain(3, 3, address),
            plain(4, 3, ""),
            plain(7, 0, SERVER),
        ]
    );

    assert_eq!(push_session(&phone, &sim), 0);
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_2));
    assert_eq!(verdict(&sim), (2, 0));
    let questions = phone.ears.questions.lock().unwrap().clone();
    assert_eq!(questions.len(), 2);
    assert_eq!((questions[0].code, questions[0].max_display_s), (1101, 30));
    assert_eq!(questions[0].text, "Use the new settings of Example Mobile?");
    assert_eq!(questions[0].default_response, "1");
}

/// A second client on the same data: nothing is bootstrapped twice, and what the session brought and
/// the nonces are there.
fn second_client(keep: Keep<'_>) {
    let sim = Sim::named("demo");
    let phone = Phone::new(keep);
    phone.ready(&sim);
    assert_eq!(push_session(&phone, &sim), 0);
    let tree = phone.tree(".");
    phone.free();

    sim.card().reset();
    let phone = Phone::new(keep);
    assert_eq!(phone.tree("."), tree);
    let card = phone.open(&sim, 0).unwrap();
    let report = card.bootstrap().unwrap();
    assert_eq!((report.accounts_added, report.accounts_replaced), (0, 0));
    assert_eq!((report.objects_unchanged, report.objects_failed), (1, 0));
    assert_eq!(phone.tree("."), tree);
    card.toolkit_start().unwrap();
    phone.settle();
    assert_eq!(push_session(&phone, &sim), 0);
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_2));
    assert_eq!(verdict(&sim), (2, 0));
}

#[test]
fn a_second_client_on_the_built_in_store_does_not_bootstrap_twice() {
    second_client(Keep::Directory(&directory("flow-second")));
}

#[test]
fn a_second_client_on_the_hosts_storage_does_not_bootstrap_twice() {
    second_client(Keep::Vault(&Arc::new(Vault::default())));
}

#[test]
fn an_unchanged_card_costs_no_write() {
    let (sim, vault) = (Sim::named("demo"), Arc::new(Vault::default()));
    let phone = Phone::new(Keep::Vault(&vault));
    let card = phone.ready(&sim);
    let (before, saves) = (vault.dump(), vault.saves.load(Ordering::SeqCst));
    assert_eq!(card.bootstrap().unwrap().objects_unchanged, 1);
    assert_eq!((vault.dump(), vault.saves.load(Ordering::SeqCst)), (before, saves));
}

#[test]
fn the_built_in_store_is_for_one_client_at_a_time() {
    let path = directory("flow-busy");
    let phone = Phone::new(Keep::Directory(&path));
    let ears = Arc::new(Ears::default());
    let failure = Phone::try_new(Keep::Directory(&path), &ears).err().unwrap();
    assert_eq!(failure.status, -7, "{}", failure.message);
    assert_eq!(ears.destroyed.load(Ordering::SeqCst), 0);
    phone.free();
    Phone::new(Keep::Directory(&path));
}

#[test]
fn profile_atomic_rollback_leaves_nothing_of_the_atomic() {
    let (sim, phone) = (Sim::named("atomic-rollback"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    assert_eq!(push_session(&phone, &sim), 0);
    assert_eq!(operator(&phone), pairs(&[("./Operator/", "")]));
    assert_eq!(verdict(&sim), (1, 0));
    let done = phone.ears.of(event::DMSC_EVENT_COMMAND_DONE);
    let statuses: Vec<u32> = done.iter().map(|event| event.phase).collect();
    assert_eq!(statuses, [200, 404, 507, 216, 404, 215, 404, 404]);
}

#[test]
fn profile_user_rejects_changes_nothing() {
    let (sim, phone) = (Sim::named("user-rejects"), Phone::new(Keep::Nothing));
    phone.ears.outcome.store(1, Ordering::SeqCst);
    phone.ready(&sim);
    assert_eq!(push_session(&phone, &sim), 0);
    assert_eq!(operator(&phone), pairs(&[("./Operator/", "")]));
    let questions = phone.ears.questions.lock().unwrap().clone();
    let texts: Vec<_> = questions.iter().map(|asked| asked.text.as_str()).collect();
    assert_eq!(
        texts,
        ["Order the paid service?", "Order the other paid service?", "Use the new settings?"]
    );
    assert_eq!(verdict(&sim), (1, 0));
}

#[test]
fn profile_user_rejects_with_a_user_who_accepts_is_another_result() {
    let (sim, phone) = (Sim::named("user-rejects"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    assert_eq!(push_session(&phone, &sim), 0);
    let paid = [("./Operator/", ""), ("./Operator/Order", "1"), ("./Operator/Paid", "1")];
    assert_eq!(operator(&phone), pairs(&paid));
    let card = sim.card();
    assert_eq!((card.good_sessions(), card.bad_sessions()), (0, 1));
}

#[test]
fn profile_t1_oiddo_with_inline_tnds_and_chunked_http() {
    let (sim, phone) = (Sim::named("t1-oiddo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let found = phone.ears.of(event::DMSC_EVENT_BOOTSTRAP_FOUND);
    assert_eq!(found[0].uri, "3F007F504455");
    assert_eq!(push_session(&phone, &sim), 0);
    assert_eq!(push_session(&phone, &sim), 0);
    assert_eq!(operator(&phone), []);
    assert_eq!(verdict(&sim), (2, 0));
}

#[test]
fn profile_large_moves_values_in_pieces() {
    let (sim, phone) = (Sim::named("large"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    assert_eq!(phone.get("./Inbox/nothing").unwrap_err().status, -500);
    assert_eq!(push_session(&phone, &sim), 0);
    let wanted: String = (0..750).map(|piece| format!("[{:06}]", piece * 8)).collect();
    assert_eq!(phone.get("./Operator/Blob").unwrap(), wanted);
    assert_eq!(verdict(&sim), (1, 0));
}

#[test]
fn a_session_of_the_host_says_alert_1201() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let session = phone.start_session(None).unwrap();
    let info = session.info().unwrap();
    assert_eq!((info.id, info.status, info.messages), (session.id(), 1, 0));
    let (number, info) = session.wait(10_000).unwrap();
    assert_eq!((number, info.state, info.status, info.messages), (0, 3, 0, 3));
    assert_eq!(session.wait(0).unwrap().0, 0);
    session.free();
    let report = sim.card().report();
    assert!(report.contains("package 1 with Alert 1201 and DevInfo"), "{report}");
    assert_eq!(verdict(&sim), (1, 0));
    assert_eq!(phone.ears.triggers.lock().unwrap().len(), 0);
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_1));
}

#[test]
fn the_clients_own_thread_does_everything() {
    let (sim, phone) = (Sim::named("demo"), Arc::new(Phone::new(Keep::Nothing)));
    phone.start().unwrap();
    assert_eq!(phone.start().unwrap_err().status, -5);
    let card = phone.open(&sim, 0).unwrap();
    card.bootstrap().unwrap();
    card.toolkit_start().unwrap();
    let session = phone.start_session(Some(SERVER)).unwrap();
    let waiter = thread::spawn(move || {
        let (number, info) = session.wait(30_000).unwrap();
        (number, info.state, info.status)
    });
    assert_eq!(waiter.join().unwrap(), (0, 3, 0));
    assert_eq!(phone.stop(30_000).unwrap(), 0);
    assert_eq!(phone.stop(0).unwrap(), 0);
    session.free();
    assert_eq!(verdict(&sim), (1, 0));
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_1));
    // Started again it goes on.
    phone.start().unwrap();
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(30_000).unwrap().1.status, 0);
    session.free();
    assert_eq!(verdict(&sim), (2, 0));
}

#[test]
fn a_push_to_the_clients_own_thread() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let done = Arc::new(Barrier::new(2));
    let ended = Arc::clone(&done);
    let ears = Arc::downgrade(&phone.ears);
    phone.ears.hook(move |_| {
        let ears = ears.upgrade().unwrap();
        if ears.events.lock().unwrap().last().is_some_and(|event| event.kind == 7) {
            ended.wait();
        }
    });
    phone.ears.threads.lock().unwrap().clear();
    phone.start().unwrap();
    let push = sim.push();
    let id = phone.deliver(&push).unwrap();
    done.wait();
    assert_eq!(phone.stop(30_000).unwrap(), 0);
    assert_eq!(phone.ears.of(event::DMSC_EVENT_SESSION_ENDED)[0].session_id, id);
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_1));
    assert_eq!(verdict(&sim), (1, 0));
}

#[test]
fn session_wait_of_another_thread_while_this_one_drives() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().state, 2);
    let alert = phone.ears.kept.lock().unwrap().pop().unwrap();

    thread::scope(|scope| {
        let waiter = scope.spawn(|| session.wait(30_000).unwrap());
        // The answer comes from a third thread; whoever drives by then goes on with the session.
        scope.spawn(move || {
            let alert = alert;
            support::abi::answer(alert.0, 0).unwrap();
        });
        let until = Instant::now() + Duration::from_secs(30);
        while session.info().unwrap().state != 3 && Instant::now() < until {
            match phone.run_once(10) {
                Ok(_) => {}
                Err(failure) => assert_eq!(failure.status, -7, "{}", failure.message),
            }
        }
        let (number, info) = waiter.join().unwrap();
        assert_eq!((number, info.state, info.status), (0, 3, 0));
    });
    session.free();
    assert_eq!(verdict(&sim), (1, 0));
}

#[test]
fn a_cancelled_session_tells_the_server_and_undoes_nothing_that_was_done() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    phone.settle();
    session.cancel();
    phone.settle();
    let info = session.info().unwrap();
    assert_eq!((info.state, info.status), (3, -8));
    assert_eq!(
        phone.ears.ended(),
        [(-8, SERVER.to_owned(), "the host cancelled the session".to_owned())]
    );
    // The answer that comes too late is nobody's.
    let alert = phone.ears.kept.lock().unwrap().pop().unwrap();
    support::abi::answer(alert.0, 0).unwrap();
    phone.settle();
    assert_eq!(operator(&phone), pairs(&DEMO_AFTER_1));
    session.free();
    // The next session is a good one, and after it the two agree on their nonces again.
    phone.ears.keep.store(0, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
    assert_eq!(push_session(&phone, &sim), 0);
}

#[test]
fn one_session_waits_behind_another_and_can_be_cancelled() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let first = phone.start_session(None).unwrap();
    phone.settle();
    let second = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!((first.info().unwrap().state, second.info().unwrap().state), (2, 0));
    let third = phone.start_session(Some(SERVER)).err().unwrap();
    assert_eq!(third.status, -7);
    assert_eq!(third.message, "a session with com.example.sc waits already");

    second.cancel();
    phone.settle();
    let info = second.info().unwrap();
    assert_eq!((info.state, info.status, info.messages), (3, -8, 0));
    let alert = phone.ears.kept.lock().unwrap().pop().unwrap();
    support::abi::answer(alert.0, 0).unwrap();
    phone.settle();
    assert_eq!(first.info().unwrap().status, 0);
    assert_eq!(verdict(&sim), (1, 0));
    first.free();
    second.free();
}

#[test]
fn a_question_without_answer_is_over_after_its_time() {
    let (sim, phone) = (Sim::named("demo"), Facade::silent());
    phone.ready(&sim);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.asked(), 1);
    phone.advance(29_999);
    assert_eq!(phone.ended(), []);
    phone.advance(1);
    assert_eq!(phone.ended(), [(0, String::new())]);
    assert_eq!(phone.client.tree_get("./Operator/Apn").unwrap(), b"internet-1.example");
}
