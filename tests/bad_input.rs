//! Bad cards, bad documents, bad notifications, bad servers and bad hosts: each gives its own status
//! and text, an event, and leaves the store as it was before that step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use dmsc::event::EventKind;
use dmsc::ffi::{dmsc_card_event, dmsc_event_type as event};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use support::abi::{
    Ears, Entries, Failure, Heard, Keep, Phone, TABLE_REPLAY, Vault, blank, directory,
};
use support::facade::Facade;
use support::sim::{Instead, Sim, profile};
use uicc_sim::card::{BootstrapFault, DodfFault};
use uicc_sim::profile::Profile;

const SERVER: &str = "com.example.sc";
const DEMO_AFTER_1: [(&str, &str); 4] = [
    ("./Operator/", ""),
    ("./Operator/Apn", "internet-1.example"),
    ("./Operator/Mms", "http://mms.example/"),
    ("./Operator/Name", "Example Mobile 1"),
];

fn demo(edit: impl FnOnce(&mut Profile)) -> Sim {
    let mut profile = profile("demo");
    edit(&mut profile);
    Sim::new(profile)
}

/// A phone on storage that a test can look into.
fn phone() -> (Arc<Vault>, Phone) {
    let vault = Arc::new(Vault::default());
    let phone = Phone::new(Keep::Vault(&vault));
    (vault, phone)
}

fn operator(phone: &Phone) -> Vec<(String, String)> {
    let tree = phone.tree(".").into_iter();
    tree.filter(|(uri, _)| uri.starts_with("./Operator")).collect()
}

fn after_1() -> Vec<(String, String)> {
    DEMO_AFTER_1.iter().map(|(uri, value)| ((*uri).to_owned(), (*value).to_owned())).collect()
}

/// Status, uri and text of the events of this kind that report a failure.
fn failed(ears: &Ears, kind: event) -> Vec<(i32, String, String)> {
    let events = ears.of(kind).into_iter().filter(|event| event.status != 0);
    events.map(|Heard { status, uri, data, .. }| (status, uri, data)).collect()
}

/// Entries that are new, gone or changed, secrets' values left out.
fn changed(before: &Entries, after: &Entries) -> Vec<(u8, String)> {
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    keys.filter(|key| before.get(*key) != after.get(*key))
        .map(|(table, key)| (*table, String::from_utf8_lossy(key).into_owned()))
        .collect()
}

fn assert_failure(failure: &Failure, status: i32, message: &str) {
    assert_eq!((failure.status, failure.message.as_str()), (status, message));
}

// ---- no card, and a card that goes ------------------------------------------------------------------

#[test]
fn card_absent() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let before = vault.dump();
    sim.script(|_| Instead::Return(-100));
    let failure = phone.open(&sim, 0).err().unwrap();
    assert_failure(&failure, -100, "reading EF.ICCID: the host's transmit failed");
    assert!(vault.dump() == before && sim.destroyed() == 0);
    assert_eq!(phone.ears.events(), []);
    // Once it is there it can be opened.
    sim.plain();
    phone.open(&sim, 0).unwrap();
    assert_eq!(phone.ears.of(event::DMSC_EVENT_CARD_STATE).len(), 1);
}

#[test]
fn the_slot_is_taken() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let other = Sim::named("demo");
    phone.open(&sim, 0).unwrap();
    assert_failure(&phone.open(&other, 0).err().unwrap(), -7, "slot 0 has an open card");
    assert_eq!((other.exchanges(), other.destroyed()), (0, 0));
    phone.open(&other, 1).unwrap();
}

/// Exchanges after opening, bootstrap, start of the toolkit, its coming to rest, and a session.
fn exchanges() -> [usize; 5] {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let mut counts = [0; 5];
    let card = phone.open(&sim, 0).unwrap();
    counts[0] = sim.exchanges();
    card.bootstrap().unwrap();
    counts[1] = sim.exchanges();
    card.toolkit_start().unwrap();
    counts[2] = sim.exchanges();
    phone.settle();
    counts[3] = sim.exchanges();
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    counts[4] = sim.exchanges();
    assert_eq!(phone.ears.ended()[0].0, 0);
    counts
}

fn removed_after(apdus: usize) -> (Sim, Arc<Vault>, Phone) {
    let apdus = u32::try_from(apdus).unwrap();
    let sim = demo(|demo| demo.card.faults.remove_after_apdus = Some(apdus));
    let (vault, phone) = phone();
    (sim, vault, phone)
}

/// The card is put back: the phone opens it anew, and a session with it is a good one.
fn works_again(phone: &Phone, sim: &Sim) {
    sim.card().insert();
    phone.ears.clear();
    let card = phone.open(sim, 0).unwrap();
    let report = card.bootstrap().unwrap();
    assert_eq!((report.accounts_added + report.objects_unchanged, report.objects_failed), (1, 0));
    card.toolkit_start().unwrap();
    phone.settle();
    // A session of the host, because the two may differ about the server's nonce by now.
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ears.ended().iter().map(|ended| ended.0).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn card_removed_while_it_is_opened() {
    for apdus in 0..exchanges()[0] {
        let (sim, vault, phone) = removed_after(apdus);
        let before = vault.entries();
        let failure = phone.open(&sim, 0).err().unwrap();
        assert_eq!(failure.status, -101, "after {apdus}: {}", failure.message);
        let read = failure.message.starts_with("reading EF.ICCID: ");
        assert!(
            read || failure.message == "the card went while it was opened",
            "{}",
            failure.message
        );
        assert_eq!(changed(&before, &vault.entries()), [], "after {apdus}");
        assert_eq!(sim.destroyed(), 0);
        assert_eq!(phone.ears.events(), [], "after {apdus}");
        works_again(&phone, &sim);
    }
}

#[test]
fn card_removed_while_its_bootstrap_is_read() {
    let [opened, done, ..] = exchanges();
    let mut applied = 0;
    for apdus in opened..done {
        let (sim, vault, phone) = removed_after(apdus);
        let card = phone.open(&sim, 0).unwrap();
        let before = vault.entries();
        match card.bootstrap() {
            Err(failure) => {
                assert_eq!(failure.status, -101, "after {apdus}: {}", failure.message);
                assert!(failure.message.starts_with("reading the PKCS#15 objects: "));
                assert_eq!(changed(&before, &vault.entries()), [], "after {apdus}");
                let said = [(-101, String::new(), failure.message.clone())];
                assert_eq!(failed(&phone.ears, event::DMSC_EVENT_CARD_STATE), said);
                assert_eq!(failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED), said);
            }
            // Everything was read by then.
            Ok(report) => {
                assert_eq!((report.accounts_added, report.objects_failed), (1, 0));
                phone.settle();
                let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
                let text = "the card went in the last exchange with it".to_owned();
                assert_eq!(gone, [(-101, String::new(), text)]);
                applied += 1;
            }
        }
        // Nothing more is sent to a card that is gone, and it is told once.
        let exchanges = sim.exchanges();
        assert_eq!(card.bootstrap().err().unwrap().status, -101);
        assert_eq!(card.toolkit_start().unwrap_err().status, -101);
        assert_eq!(card.transmit(&[0, 0xA4, 0, 4, 2, 0x3F, 0]).unwrap_err().status, -101);
        assert_eq!(sim.exchanges(), exchanges);
        assert_eq!(phone.ears.of(event::DMSC_EVENT_CARD_STATE).len(), 2);
        works_again(&phone, &sim);
    }
    assert!(applied <= 1, "{applied}");
}

#[test]
fn card_removed_while_the_toolkit_starts() {
    let [_, read, _, rest, _] = exchanges();
    for apdus in read..rest {
        let (sim, vault, phone) = removed_after(apdus);
        let card = phone.open(&sim, 0).unwrap();
        card.bootstrap().unwrap();
        let before = vault.entries();
        match card.toolkit_start() {
            Err(failure) => {
                assert_eq!(apdus, read);
                assert_failure(&failure, -101, "TERMINAL PROFILE: the host's transmit failed");
            }
            Ok(_) => assert!(apdus > read),
        }
        phone.settle();
        let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
        assert_eq!((gone.len(), gone[0].0), (1, -101), "after {apdus}: {gone:?}");
        assert!(gone[0].2.ends_with(": the host's transmit failed"), "{gone:?}");
        assert_eq!(changed(&before, &vault.entries()), [], "after {apdus}");
        assert_eq!(card.info().unwrap().has_scws, 0);
        works_again(&phone, &sim);
    }
}

#[test]
fn card_removed_before_its_session() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let push = sim.push();
    let card = phone.open(&Sim::named("demo"), 7).unwrap();
    card.close();
    sim.card().remove();
    // Nobody has noticed yet: the first exchange of the session does.
    let before = vault.entries();
    phone.deliver(&push).unwrap();
    phone.settle();
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0), (1, -101), "{ended:?}");
    assert_eq!(changed(&before, &vault.entries()), [(TABLE_REPLAY, SERVER.to_owned())]);
    // From now on it is known.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -100));
    session.free();
    assert_eq!(phone.ears.ended()[1].2, "account com.example.sc: its card is not open in slot 0");
    works_again(&phone, &sim);
}

#[test]
fn card_removed_at_each_exchange_of_a_session() {
    let [.., rest, done] = exchanges();
    let (mut nothing, mut all) = (0, 0);
    for apdus in rest..done {
        let (sim, vault, phone) = removed_after(apdus);
        phone.ready(&sim);
        let before = vault.entries();
        phone.deliver(&sim.push()).unwrap();
        phone.settle();
        let ended = phone.ears.ended();
        assert_eq!(ended.len(), 1, "after {apdus}: {ended:?}");
        let over = ended[0].0 == 0;
        if !over {
            assert_eq!((ended[0].0, ended[0].1.as_str()), (-101, SERVER), "after {apdus}");
            assert!(ended[0].2.ends_with(": the host's transmit failed"), "{ended:?}");
        }
        let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
        assert_eq!((gone.len(), gone[0].0), (1, -101), "after {apdus}: {gone:?}");
        // The changes of one message are one transaction: all are there or none.
        match operator(&phone) {
            tree if tree == after_1() => all += 1,
            tree => {
                assert_eq!(tree, [], "after {apdus}");
                assert!(!over);
                assert_eq!(changed(&before, &vault.entries()), [(TABLE_REPLAY, SERVER.to_owned())]);
                nothing += 1;
            }
        }
        works_again(&phone, &sim);
    }
    assert!(nothing > 10 && all > 10, "{nothing} {all}");
}

#[test]
fn card_reported_as_removed_in_a_session() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let exchanges = sim.exchanges();
    card.notify(dmsc_card_event::DMSC_CARD_REMOVED).unwrap();
    card.notify(dmsc_card_event::DMSC_CARD_REMOVED).unwrap();
    phone.settle();
    let text = "the host reports that the card is out".to_owned();
    assert_eq!(phone.ears.ended(), [(-101, SERVER.to_owned(), text.clone())]);
    let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
    assert_eq!(gone, [(-101, String::new(), text)]);
    assert_eq!(sim.exchanges(), exchanges);
}

#[test]
fn card_reset_in_a_session() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.ready(&sim);
    phone.ears.keep.store(1, Ordering::SeqCst);
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    sim.card().reset();
    card.notify(dmsc_card_event::DMSC_CARD_RESET).unwrap();
    phone.settle();
    let text = "the host reports a reset of the card".to_owned();
    assert_eq!(phone.ears.ended(), [(-102, SERVER.to_owned(), text.clone())]);
    let gone = failed(&phone.ears, event::DMSC_EVENT_CARD_STATE);
    assert_eq!(gone, [(-102, String::new(), text)]);
    // The same handle goes on after a reset.
    phone.ears.keep.store(0, Ordering::SeqCst);
    card.toolkit_start().unwrap();
    phone.settle();
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
}

#[test]
fn another_card_takes_the_account_of_the_one_before_away() {
    let (first, (_, phone)) = (Sim::named("demo"), phone());
    phone.ready(&first).close();
    let second = demo(|demo| {
        demo.card.iccid = "8988211000000430028".to_owned();
        demo.account.server_id = "com.example.other".to_owned();
        demo.account.server.name = "com.example.other".to_owned();
    });
    let card = phone.open(&second, 0).unwrap();
    // Before the bootstrap the old account is there, but not for this card.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -100));
    session.free();
    let report = card.bootstrap().unwrap();
    assert_eq!((report.accounts_added, report.accounts_removed), (1, 1));
    let accounts: Vec<_> =
        phone.tree("./DMAcc").into_iter().filter(|(uri, _)| uri.ends_with("/ServerID")).collect();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].1, "com.example.other");
}

// ---- answers that cannot be right -------------------------------------------------------------------

/// A card that cuts one answer down to one octet, at each place of the whole flow.
#[test]
fn answer_with_a_wrong_length_at_each_exchange() {
    let [opened, read, _, _, done] = exchanges();
    for at in 1..=done {
        let sim = demo(|demo| demo.card.faults.short_answer_at = Some(u32::try_from(at).unwrap()));
        let phone = Facade::new();
        let before = phone.accounts_and_tree();
        let outcome = phone.client.open_card(0, sim.boxed());
        let card = match outcome {
            Ok(card) => card,
            Err(error) => {
                assert!(at <= opened, "at {at}");
                assert_eq!(error.code() as i32, -103, "at {at}: {error}");
                assert!(error.what().ends_with("response APDU of 1 octets"), "{error}");
                assert!(phone.accounts_and_tree() == before);
                continue;
            }
        };
        if let Err(error) = phone.client.bootstrap_card(card) {
            assert!((opened..=read).contains(&at), "at {at}");
            assert_eq!(error.code() as i32, -103, "at {at}: {error}");
            let text = error.what();
            assert!(text.starts_with("reading the PKCS#15 objects: "), "{text}");
            assert!(text.ends_with("response APDU of 1 octets"), "{text}");
            assert!(phone.accounts_and_tree() == before);
            let applied = phone.of(EventKind::BootstrapApplied);
            assert_eq!((applied.len(), applied[0].status), (1, -103));
            // It was once: the next try goes well.
            assert_eq!(phone.client.bootstrap_card(card).unwrap().accounts_added, 1);
        }
        if let Err(error) = phone.client.start_toolkit(card) {
            assert_eq!(at, read + 1);
            assert_eq!(error.what(), "TERMINAL PROFILE: response APDU of 1 octets");
            phone.client.start_toolkit(card).unwrap();
        }
        phone.settle();
        phone.deliver(sim.push()).unwrap();
        phone.settle();
        if phone.ended().is_empty() {
            phone.advance(30_000);
        }
        // A command that was lost is repeated, or its session ends when nothing comes any more.
        let ended = phone.ended();
        assert_eq!(ended.len(), 1, "at {at}: {ended:?}");
        assert!(
            [
                (0, ""),
                (-9, "HTTP: the server is silent"),
                (-300, "the card's web server does not listen, or serves somebody else")
            ]
            .contains(&(ended[0].0, &ended[0].1)),
            "at {at}: {ended:?}"
        );
        assert!(ended[0].0 == 0 || at > read + 1, "at {at}: {ended:?}");
    }
}

#[test]
fn answer_without_octets_and_answer_longer_than_the_array() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.open(&sim, 0).unwrap();
    let status = [0x80, 0xF2, 0x00, 0x0C, 0x00];
    sim.script(|_| Instead::Answer(Vec::new()));
    assert_failure(&card.transmit(&status).unwrap_err(), -103, "response APDU of 0 octets");
    for claim in [4097, usize::MAX] {
        sim.script(move |_| Instead::Claim(claim));
        let text = format!("transmit: callback claims {claim} octets of 4096");
        assert_failure(&card.transmit(&status).unwrap_err(), -10, &text);
    }
    sim.plain();
    assert_eq!(card.transmit(&status).unwrap(), [0x90, 0x00]);
}

#[test]
fn a_card_that_refuses_everything() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let before = vault.dump();
    sim.script(|_| Instead::Answer(vec![0x6F, 0x00]));
    let failure = phone.open(&sim, 0).err().unwrap();
    assert_eq!((failure.status, failure.card_sw), (-104, 0x6F00), "{}", failure.message);
    assert_eq!(failure.message, "reading EF.ICCID: SELECT 2FE2: SELECT: SW 6F00");
    assert!(vault.dump() == before);
}

#[test]
fn a_card_without_a_toolkit() {
    let (sim, (_, phone)) = (Sim::named("demo"), phone());
    let card = phone.open(&sim, 0).unwrap();
    card.bootstrap().unwrap();
    sim.script(|command| match command[1] {
        0x10 => Instead::Answer(vec![0x6D, 0x00]),
        _ => Instead::PassOn,
    });
    let failure = card.toolkit_start().unwrap_err();
    assert_eq!((failure.status, failure.card_sw), (-104, 0x6D00));
    assert_eq!(failure.message, "TERMINAL PROFILE: SW 6D00");
    // A session with the card's web server is not possible then.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -5));
    session.free();
    assert_eq!(phone.ears.ended()[0].2, "the card's toolkit was not started");
}

// ---- bad bootstrap ----------------------------------------------------------------------------------

/// A bootstrap that fails: what the call says, and that the store is untouched. The events have to say
/// the same.
fn bad_bootstrap(edit: impl FnOnce(&mut Profile)) -> Failure {
    let (sim, (vault, phone)) = (demo(edit), phone());
    let card = phone.open(&sim, 0).unwrap();
    // The card is remembered as one without objects, and nothing else is written.
    let before = vault.entries();
    let tree = phone.tree(".");
    let failure = card.bootstrap().err().unwrap();
    assert_eq!(phone.tree("."), tree);
    assert_eq!(
        changed(&before, &vault.entries()).iter().filter(|(table, _)| *table != 4).count(),
        0
    );
    let applied = failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED);
    assert_eq!(applied.last().unwrap().0, failure.status);
    assert_eq!(applied.last().unwrap().2, failure.message);
    assert_eq!(phone.start_session(None).err().unwrap().status, -211);
    failure
}

#[test]
fn no_pkcs15_application() {
    let failure = bad_bootstrap(|demo| demo.card.faults.no_pkcs15 = true);
    assert_failure(&failure, -200, "the card has no PKCS#15 application, or none with an ODF");
}

#[test]
fn no_odf() {
    let failure = bad_bootstrap(|demo| demo.card.faults.odf_missing = true);
    assert_failure(&failure, -200, "the card has no PKCS#15 application, or none with an ODF");
}

#[test]
fn broken_dodf() {
    let failure = bad_bootstrap(|demo| demo.card.faults.dodf = Some(DodfFault::Broken));
    assert_failure(&failure, -108, "6430: DODF: E_TLV_LENGTH at byte 0");
}

#[test]
fn empty_bootstrap_file() {
    let failure = bad_bootstrap(|demo| demo.card.faults.bootstrap = Some(BootstrapFault::Empty));
    assert_failure(&failure, -200, "bootstrap object 6433: the file is empty");
}

#[test]
fn bootstrap_file_of_ff() {
    let failure = bad_bootstrap(|demo| demo.card.faults.bootstrap = Some(BootstrapFault::Ff));
    assert_failure(&failure, -200, "bootstrap object 6433: the file is empty");
}

#[test]
fn broken_wbxml() {
    let failure = bad_bootstrap(|demo| demo.card.faults.bootstrap = Some(BootstrapFault::Broken));
    let text =
        "bootstrap object 6433: OPAQUE is longer than the document (E_OPAQUE_LENGTH at byte 137)";
    assert_failure(&failure, -203, text);
}

#[test]
fn bootstrap_file_longer_than_can_be_read() {
    let failure = bad_bootstrap(|demo| {
        demo.card.faults.bootstrap = Some(BootstrapFault::Long);
        demo.card.path_length = false;
    });
    let text =
        "bootstrap object 6433: reading 7FFF6433: a file of more than 32768 octets is not read";
    assert_failure(&failure, -404, text);
}

#[test]
fn bootstrap_file_behind_a_pin() {
    let failure = bad_bootstrap(|demo| {
        demo.card.pin1 = Some("1234".to_owned());
        demo.card.bootstrap_private = true;
    });
    assert_failure(&failure, -107, "bootstrap object 6433: needs the PIN with reference 01");
}

/// An account like the card's, made by the host.
fn host_account(phone: &Phone, server_id: &str, address: &str) {
    use dmsc::ffi::{dmsc_node_value, dmsc_txn_add, dmsc_txn_begin, dmsc_txn_commit};
    let leaves = [
        ("AppID", "w7"),
        ("ServerID", server_id),
        ("Name", "Of the host"),
        ("AppAddr/1/Addr", address),
        ("AppAddr/1/AddrType", "URI"),
        ("AppAuth/1/AAuthLevel", "CLCRED"),
        ("AppAuth/1/AAuthType", "DIGEST"),
        ("AppAuth/1/AAuthName", "terminal"),
        ("AppAuth/1/AAuthSecret", "terminal-secret"),
        ("AppAuth/2/AAuthLevel", "SRVCRED"),
        ("AppAuth/2/AAuthType", "DIGEST"),
        ("AppAuth/2/AAuthName", server_id),
        ("AppAuth/2/AAuthSecret", "server-secret"),
    ];
    let mut txn = std::ptr::null_mut();
    // SAFETY: the client lives, and all pointers are to locals.
    unsafe {
        support::abi::check(dmsc_txn_begin(phone.client, &raw mut txn)).unwrap();
        for (name, text) in leaves {
            let uri = support::abi::c(&format!("./DMAcc/host/{name}"));
            let value =
                dmsc_node_value { format: 1, data: text.as_ptr(), data_len: text.len(), ..blank() };
            support::abi::check(dmsc_txn_add(txn, uri.as_ptr(), &raw const value)).unwrap();
        }
        support::abi::check(dmsc_txn_commit(txn)).unwrap();
    }
}

#[test]
fn bootstrap_that_would_take_over_an_account_of_the_host() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    host_account(&phone, SERVER, "http://dm.example/");
    let card = phone.open(&sim, 0).unwrap();
    let (before, tree) = (vault.entries(), phone.tree("."));
    let failure = card.bootstrap().err().unwrap();
    let text =
        "bootstrap object 6433: server com.example.sc has an account that is not from this card";
    assert_failure(&failure, -204, text);
    assert_eq!(phone.tree("."), tree);
    assert_eq!(
        changed(&before, &vault.entries()).iter().filter(|(table, _)| *table != 4).count(),
        0
    );
    assert_eq!(
        failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED).last().unwrap(),
        &(-204, "6433".to_owned(), text.to_owned())
    );
}

#[test]
fn bootstrap_that_would_take_over_an_account_of_another_card() {
    let (first, second) =
        (Sim::named("demo"), demo(|demo| demo.card.iccid = "8988211000000430028".to_owned()));
    let (_, phone) = phone();
    phone.ready(&first);
    let tree = phone.tree(".");
    let failure = phone.open(&second, 1).unwrap().bootstrap().err().unwrap();
    assert_eq!(failure.status, -204, "{}", failure.message);
    assert_eq!(phone.tree("."), tree);
    // The account still works, with its own card.
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
    assert_eq!((first.card().good_sessions(), second.card().good_sessions()), (1, 0));
}

#[test]
fn bootstrap_while_the_host_has_a_transaction_open() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let card = phone.open(&sim, 0).unwrap();
    let mut txn = std::ptr::null_mut();
    // SAFETY: the client lives.
    support::abi::check(unsafe { dmsc::ffi::dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let before = vault.dump();
    let failure = card.bootstrap().err().unwrap();
    assert_failure(&failure, -7, "store: another write transaction is open");
    assert!(vault.dump() == before);
    // SAFETY: the transaction is open.
    unsafe { dmsc::ffi::dmsc_txn_rollback(txn) };
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
}

// ---- bad notifications ------------------------------------------------------------------------------

/// A push that is refused without a trace in the store, and without a word to the card.
fn refused(phone: &Phone, vault: &Vault, sim: &Sim, push: &[u8]) -> Failure {
    let (before, exchanges) = (vault.dump(), sim.exchanges());
    phone.ears.clear();
    let failure = phone.deliver(push).unwrap_err();
    phone.settle();
    assert!(vault.dump() == before, "{}", failure.message);
    assert_eq!(sim.exchanges(), exchanges, "{}", failure.message);
    let events: Vec<_> = phone.ears.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].kind, event::DMSC_EVENT_TRIGGER_REFUSED as u32);
    assert_eq!((events[0].status, &events[0].data), (failure.status, &failure.message));
    assert_eq!(phone.ears.triggers.lock().unwrap().len(), 0);
    failure
}

#[test]
fn wrong_digest() {
    let (sim, (vault, phone)) = (Sim::named("wrong-digest"), phone());
    let card = phone.ready(&sim);
    let failure = refused(&phone, &vault, &sim, &sim.push());
    assert_failure(&failure, -210, "E_P0_DIGEST at byte 0: the digest does not match");
    // The card's own notification is no better.
    let before = vault.dump();
    phone.ears.clear();
    sim.card().trigger();
    card.notify(dmsc_card_event::DMSC_CARD_PROACTIVE).unwrap();
    phone.settle();
    let events = failed(&phone.ears, event::DMSC_EVENT_TRIGGER_REFUSED);
    assert_eq!(events, [(-210, String::new(), failure.message)]);
    assert!(vault.dump() == before);
    assert_eq!(sim.card().bad_sessions(), 0);
}

#[test]
fn nonce_resynchronisation_is_no_way_around_the_digest() {
    let (sim, (vault, phone)) = (Sim::named("resync"), phone());
    phone.ready(&sim);
    assert_eq!(refused(&phone, &vault, &sim, &sim.push()).status, -210);
}

#[test]
fn unknown_server() {
    let (sim, (vault, phone)) = (Sim::named("unknown-server"), phone());
    phone.ready(&sim);
    let failure = refused(&phone, &vault, &sim, &sim.push());
    assert_failure(&failure, -211, "no account for server com.example.unknown");
}

#[test]
fn notification_before_any_bootstrap() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let failure = refused(&phone, &vault, &sim, &sim.push());
    assert_failure(&failure, -211, "no account for server com.example.sc");
}

#[test]
fn a_card_speaks_for_its_own_accounts_only() {
    let first = Sim::named("demo");
    let second = demo(|demo| {
        demo.card.iccid = "8988211000000430028".to_owned();
        demo.account.server_id = "com.example.other".to_owned();
        demo.account.server.name = "com.example.other".to_owned();
        demo.notification.server_id = Some(SERVER.to_owned());
    });
    let (_, phone) = phone();
    phone.ready(&first);
    let card = phone.open(&second, 1).unwrap();
    card.bootstrap().unwrap();
    card.toolkit_start().unwrap();
    phone.settle();
    second.card().trigger();
    card.notify(dmsc_card_event::DMSC_CARD_PROACTIVE).unwrap();
    phone.settle();
    let text = "the account of com.example.sc is not from the card that asks".to_owned();
    let events = failed(&phone.ears, event::DMSC_EVENT_TRIGGER_REFUSED);
    assert_eq!(events, [(-211, String::new(), text)]);
    assert_eq!(phone.ears.of(event::DMSC_EVENT_TRIGGER_REFUSED)[0].slot, 1);
    assert_eq!(phone.ears.ended(), []);
}

#[test]
fn replayed_notification_also_after_a_restart() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    // The host does not want it, so that the nonce stays: only the memory tells it from a new one.
    phone.ears.verdict.store(1, Ordering::SeqCst);
    let push = sim.push();
    phone.deliver(&push).unwrap();
    phone.settle();
    let failure = refused(&phone, &vault, &sim, &push);
    assert_failure(&failure, -213, "notification: seen before");
    phone.free();

    let phone = Phone::new(Keep::Vault(&vault));
    sim.card().reset();
    phone.ready(&sim);
    let failure = refused(&phone, &vault, &sim, &push);
    assert_failure(&failure, -213, "notification: seen before");
    // A new one is taken.
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ears.ended()[0].0, 0);
    // And what started a session has a stale nonce afterwards.
    assert_eq!(refused(&phone, &vault, &sim, &push).status, -210);
}

#[test]
fn host_refuses_the_trigger() {
    for verdict in [1, 99, -1] {
        let (sim, (vault, phone)) = (Sim::named("demo"), phone());
        phone.ready(&sim);
        let (before, exchanges) = (vault.entries(), sim.exchanges());
        phone.ears.verdict.store(verdict, Ordering::SeqCst);
        let id = phone.deliver(&sim.push()).unwrap();
        phone.settle();
        let refused = phone.ears.of(event::DMSC_EVENT_TRIGGER_REFUSED);
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].status, refused[0].session_id), (-8, id));
        assert_eq!((refused[0].uri.as_str(), refused[0].slot), (SERVER, 0));
        assert_eq!(refused[0].data, "the host refused the notification");
        assert_eq!(phone.ears.triggers.lock().unwrap().len(), 1);
        assert_eq!((phone.ears.ended(), sim.exchanges()), (Vec::new(), exchanges));
        // It is remembered all the same.
        assert_eq!(changed(&before, &vault.entries()), [(TABLE_REPLAY, SERVER.to_owned())]);
    }
}

#[test]
fn queue_full() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let [first, second] = [sim.push(), sim.push()];
    phone.deliver(&first).unwrap();
    let before = vault.dump();
    let failure = phone.deliver(&second).unwrap_err();
    assert_failure(&failure, -7, "a session with com.example.sc waits already");
    assert!(vault.dump() == before);
    phone.settle();
    let refused = failed(&phone.ears, event::DMSC_EVENT_TRIGGER_REFUSED);
    assert_eq!(refused, [(-7, String::new(), failure.message)]);
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0), (1, 0));
}

#[test]
fn malformed_push_pdus() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let push = sim.push();
    for end in 0..push.len() {
        let failure = refused(&phone, &vault, &sim, &push[..end]);
        assert_eq!(failure.status, -212, "{end} octets: {}", failure.message);
        assert!(failure.message.starts_with("E_"), "{}", failure.message);
        assert!(failure.message.contains(" at byte "), "{}", failure.message);
    }
    let with = |at: usize, octet: u8| {
        let mut push = push.clone();
        push[at] = octet;
        push
    };
    let cases = [
        (with(1, 0x07), -212, "E_P0_"),
        (with(2, 0x7F), -212, "E_WSP_"),
        (with(2, 0x00), -212, "E_WSP_"),
        (with(3, 0xFF), -212, "E_WSP_CONTENT_TYPE at byte "),
        (with(5, 0x85), -212, "E_WSP_APP_ID at byte "),
    ];
    for (push, status, text) in cases {
        let failure = refused(&phone, &vault, &sim, &push);
        assert_eq!(failure.status, status, "{}", failure.message);
        assert!(failure.message.starts_with(text), "{}", failure.message);
    }
    // Each bit matters, but for the transaction identifier and for a header that is not X-WAP-Application-Id
    // any more.
    for at in (1..push.len()).filter(|at| *at != 4) {
        for bit in 0..8 {
            let failure = refused(&phone, &vault, &sim, &with(at, push[at] ^ 1 << bit));
            assert!(
                [-4, -210, -211, -212].contains(&failure.status),
                "byte {at}, bit {bit}: {} {}",
                failure.status,
                failure.message
            );
        }
    }
    // After all that the right one is as good as ever.
    phone.deliver(&push).unwrap();
    phone.settle();
    assert_eq!(phone.ears.ended()[0].0, 0);
}

// ---- bad servers ------------------------------------------------------------------------------------

/// A session by push that fails on its own: its status and text, and what it changed in the store.
fn bad_session(sim: &Sim) -> (i32, String, Vec<(u8, String)>) {
    let (vault, phone) = phone();
    phone.ready(sim);
    let (before, tree) = (vault.entries(), phone.tree("."));
    let id = phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let ended = phone.ears.of(event::DMSC_EVENT_SESSION_ENDED);
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!((ended[0].session_id, ended[0].uri.as_str()), (id, SERVER));
    assert_eq!(phone.tree("."), tree);
    let changed = changed(&before, &vault.entries());
    // The session is over: nothing hangs, and the same session as the host's says the same.
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, ended[0].status));
    session.free();
    (ended[0].status, ended[0].data.clone(), changed)
}

#[test]
fn server_that_fails_authentication() {
    let (status, text, changed) = bad_session(&Sim::named("bad-server-auth"));
    assert_eq!(
        (status, text.as_str()),
        (-402, "server: wrong or missing credentials after the retry")
    );
    assert_eq!(changed, [(TABLE_REPLAY, SERVER.to_owned())]);
}

#[test]
fn http_error() {
    let (status, text, changed) = bad_session(&Sim::named("http-500"));
    assert_eq!((status, text.as_str()), (-303, "the server answered with HTTP status 500"));
    assert_eq!(changed, [(TABLE_REPLAY, SERVER.to_owned())]);
}

#[test]
fn address_that_the_cards_server_does_not_know() {
    let sim = demo(|demo| demo.account.address = "http://127.0.0.1:3516/dm".to_owned());
    sim.script(|_| Instead::PassOn);
    let (status, text, _) = bad_session(&demo(|demo| demo.server.fault.http_status = Some(404)));
    assert_eq!((status, text.as_str()), (-303, "the server answered with HTTP status 404"));
}

#[test]
fn session_that_stops_half_way() {
    let (status, text, _) = bad_session(&Sim::named("stops-half-way"));
    assert_eq!(
        (status, text.as_str()),
        (-301, "HTTP: the server closed before its answer was whole")
    );
}

#[test]
fn server_that_closes_in_the_middle_of_an_answer() {
    let sim = demo(|demo| demo.card.faults.close_midway = true);
    let (status, text, changed) = bad_session(&sim);
    assert_eq!(
        (status, text.as_str()),
        (-301, "HTTP: the server closed before its answer was whole")
    );
    assert_eq!(changed, [(TABLE_REPLAY, SERVER.to_owned())]);
}

#[test]
fn web_server_that_never_answers() {
    let sim = demo(|demo| demo.card.faults.ignore_http = true);
    let phone = Facade::new();
    phone.ready(&sim);
    let before = phone.dump();
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    phone.advance(29_999);
    assert_eq!(phone.ended(), []);
    phone.advance(1);
    assert_eq!(phone.ended(), [(-9, "HTTP: the server is silent".to_owned())]);
    let after = phone.dump();
    let changed: Vec<_> =
        after.iter().filter(|(key, value)| before.get(*key) != Some(*value)).collect();
    assert_eq!(changed.len(), 1, "{:?}", changed[0].0);
    assert_eq!(changed[0].0.0, dmsc::store::Table::Replay);
}

#[test]
fn card_account_with_a_port_where_the_card_does_not_listen() {
    let sim = demo(|demo| demo.account.address = "http://127.0.0.1:9999/dm".to_owned());
    let phone = Facade::new();
    phone.ready(&sim);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    phone.advance(29_999);
    assert_eq!(phone.ended(), []);
    phone.advance(1);
    let text = "the card's web server does not listen, or serves somebody else";
    assert_eq!(phone.ended(), [(-300, text.to_owned())]);
}

#[test]
fn loopback_addresses_are_for_accounts_of_cards() {
    for address in [
        "http://127.0.0.1:3516/dm",
        "http://127.1.2.3:3516/dm",
        "http://localhost:3516/dm",
        "http://LOCALHOST.:3516/dm",
        "http://[::1]:3516/dm",
        "http://[::ffff:127.0.0.1]:3516/dm",
        "http://0.0.0.0:3516/dm",
    ] {
        let (sim, (_, phone)) = (Sim::named("demo"), phone());
        phone.ready(&sim);
        let exchanges = sim.exchanges();
        host_account(&phone, "com.example.host", address);
        let session = phone.start_session(Some("com.example.host")).unwrap();
        let info = session.wait(10_000).unwrap().1;
        assert_eq!((info.state, info.status), (3, -300), "{address}");
        session.free();
        assert_eq!(
            phone.ears.ended()[0].2,
            "account com.example.host: only a card's account may have a loopback address"
        );
        assert_eq!(sim.exchanges(), exchanges, "{address}");
    }
}

#[test]
fn an_address_that_needs_tls_is_not_reached_without_it() {
    let (_, phone) = phone();
    host_account(&phone, "com.example.host", "https://dm.example/");
    let session = phone.start_session(None).unwrap();
    let info = session.wait(10_000).unwrap().1;
    assert_eq!((info.state, info.status), (3, -4));
    session.free();
    assert_eq!(phone.ears.ended()[0].2, "https addresses are not supported");
}

// ---- bad hosts --------------------------------------------------------------------------------------

#[test]
fn a_transports_own_negative_number_passes_through() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    let own = |failure: &Failure, step: &str| {
        assert_eq!((failure.status, failure.os_error), (-4711, -4711), "{}", failure.message);
        assert_eq!(failure.message, format!("{step}transmit: callback returned -4711"));
    };
    let before = vault.entries();
    sim.script(|_| Instead::Return(-4711));
    own(&phone.open(&sim, 0).err().unwrap(), "reading EF.ICCID: ");
    assert_eq!((sim.destroyed(), changed(&before, &vault.entries())), (0, Vec::new()));

    sim.plain();
    let card = phone.open(&sim, 0).unwrap();
    let tree = phone.tree(".");
    // At the first exchange of the bootstrap, and at each later one.
    sim.script(|_| Instead::Return(-4711));
    own(&card.bootstrap().err().unwrap(), "reading the PKCS#15 objects: ");
    for good in 1..16 {
        let mut seen = 0;
        sim.script(move |_| {
            seen += 1;
            if seen > good { Instead::Return(-4711) } else { Instead::PassOn }
        });
        let failure = card.bootstrap().err().unwrap();
        assert_eq!(failure.status, -4711, "after {good}: {}", failure.message);
        assert!(failure.message.ends_with("transmit: callback returned -4711"));
        assert_eq!(phone.tree("."), tree, "after {good}");
        let events = failed(&phone.ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED);
        assert_eq!(
            (events.last().unwrap().0, &events.last().unwrap().2),
            (-4711, &failure.message)
        );
    }
    sim.script(|_| Instead::Return(-4711));
    own(&card.toolkit_start().unwrap_err(), "TERMINAL PROFILE: ");
    own(&card.transmit(&[0, 0xA4, 0, 4, 2, 0x3F, 0]).unwrap_err(), "");
    // A number that is a dmsc_status has its meaning.
    sim.script(|_| Instead::Return(-9));
    let text = "reading the PKCS#15 objects: the host's transmit failed";
    assert_failure(&card.bootstrap().err().unwrap(), -9, text);
    sim.plain();
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
    card.toolkit_start().unwrap();
}

#[test]
fn a_transport_that_fails_for_good_does_not_keep_the_client_busy() {
    let (sim, phone) = (Sim::named("demo"), Facade::new());
    phone.ready(&sim);
    let mut seen = 0;
    sim.script(move |_| {
        seen += 1;
        if seen > 5 { Instead::Return(-4711) } else { Instead::PassOn }
    });
    phone.deliver(sim.push()).unwrap();
    let exchanges = sim.exchanges();
    phone.settle();
    // Told once, with the callback's own number; tried again ever more seldom.
    let told = phone.of(EventKind::CardState);
    assert_eq!((told.len(), told[1].status), (2, -4711));
    assert_eq!(phone.ended(), []);
    for _ in 0..30 {
        phone.advance(1_000);
    }
    assert_eq!(phone.ended(), [(-9, "HTTP: the server is silent".to_owned())]);
    assert!(sim.exchanges() - exchanges < 15, "{}", sim.exchanges() - exchanges);
    assert_eq!(phone.of(EventKind::CardState).len(), 2);
    // The reader is mended: everything goes on.
    sim.plain();
    phone.advance(60_000);
    let id = phone.client.start_session(None).unwrap();
    phone.settle();
    phone.advance(30_000);
    let info = phone.client.session_info(id).unwrap();
    assert_eq!(info.state, dmsc::client::SessionState::Ended);
}

#[test]
fn a_storages_own_negative_number_passes_through() {
    let vault = Arc::new(Vault::default());
    vault.load_fails.store(-4711, Ordering::SeqCst);
    let ears = Arc::new(Ears::default());
    let failure = Phone::try_new(Keep::Vault(&vault), &ears).err().unwrap();
    assert_failure(&failure, -4711, "storage load: callback returned -4711");
    assert_eq!(failure.os_error, -4711);
    assert_eq!(ears.destroyed.load(Ordering::SeqCst), 0);
    assert_eq!(vault.destroyed.load(Ordering::SeqCst), 0);
    vault.load_fails.store(0, Ordering::SeqCst);

    vault.save_fails.store(-522, Ordering::SeqCst);
    let failure = Phone::try_new(Keep::Vault(&vault), &ears).err().unwrap();
    assert_failure(&failure, -522, "the host's storage save failed");
    vault.save_fails.store(0, Ordering::SeqCst);

    let phone = Phone::try_new(Keep::Vault(&vault), &ears).unwrap();
    let sim = Sim::named("demo");
    let card = phone.open(&sim, 0).unwrap();
    let (before, tree) = (vault.entries(), phone.tree("."));
    vault.save_fails.store(-4711, Ordering::SeqCst);
    let failure = card.bootstrap().err().unwrap();
    assert_failure(&failure, -4711, "storage save: callback returned -4711");
    assert_eq!((changed(&before, &vault.entries()), phone.tree(".")), (Vec::new(), tree));
    assert_eq!(failed(&ears, event::DMSC_EVENT_BOOTSTRAP_APPLIED)[0].0, -4711);
    vault.save_fails.store(0, Ordering::SeqCst);
    assert_eq!(card.bootstrap().unwrap().accounts_added, 1);
    drop(phone);
    assert_eq!(vault.destroyed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_store_that_fails_ends_the_session_and_nothing_is_half_done() {
    let (sim, (vault, phone)) = (Sim::named("demo"), phone());
    phone.ready(&sim);
    let push = sim.push();
    vault.save_fails.store(-520, Ordering::SeqCst);
    let failure = phone.deliver(&push).unwrap_err();
    assert_failure(&failure, -520, "the host's storage save failed");
    vault.save_fails.store(0, Ordering::SeqCst);

    let tree = phone.tree(".");
    phone.deliver(&push).unwrap();
    vault.save_fails.store(-4711, Ordering::SeqCst);
    phone.settle();
    let ended = phone.ears.ended();
    assert_eq!((ended.len(), ended[0].0), (1, -4711), "{ended:?}");
    assert!(ended[0].2.ends_with("storage save: callback returned -4711"), "{ended:?}");
    assert_eq!(phone.tree("."), tree);
    vault.save_fails.store(0, Ordering::SeqCst);
    let session = phone.start_session(None).unwrap();
    assert_eq!(session.wait(10_000).unwrap().1.status, 0);
    session.free();
}

#[test]
fn damaged_storage() {
    let (_, phone) = phone();
    phone.free();
    let vault = Arc::new(Vault::default());
    Phone::new(Keep::Vault(&vault)).free();
    let good: BTreeMap<_, _> = vault.dump();
    let ears = Arc::new(Ears::default());
    let blob = &good["dmsc.tree"];
    let flipped = |at: usize| {
        let mut blob = blob.clone();
        blob[at] ^= 1;
        blob
    };
    for bad in [
        Vec::new(),
        blob[..blob.len() - 1].to_vec(),
        flipped(0),
        flipped(4),
        flipped(blob.len() / 2),
    ] {
        vault.put("dmsc.tree", bad);
        let before = vault.dump();
        let failure = Phone::try_new(Keep::Vault(&vault), &ears).err().unwrap();
        assert_eq!(failure.status, -521, "{}", failure.message);
        assert!(failure.message.starts_with("store: blob of "), "{}", failure.message);
        assert!(vault.dump() == before);
    }
}

#[test]
fn damaged_built_in_store() {
    let path = directory("bad-redb");
    Phone::new(Keep::Directory(&path)).free();
    let file = path.join("dmsc.redb");
    std::fs::write(&file, b"this is no database").unwrap();
    let ears = Arc::new(Ears::default());
    let failure = Phone::try_new(Keep::Directory(&path), &ears).err().unwrap();
    assert_eq!(failure.status, -521, "{}", failure.message);
    assert!(failure.message.contains("dmsc.redb"), "{}", failure.message);
    assert_eq!(std::fs::read(&file).unwrap(), b"this is no database");
    // A file where the directory should be.
    let failure = Phone::try_new(Keep::Directory(&file), &ears).err().unwrap();
    assert_eq!(failure.status, -520, "{}", failure.message);
    assert_ne!(failure.os_error, 0);
}
