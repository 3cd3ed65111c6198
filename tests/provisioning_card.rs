//! Bootstraps from simulated cards: DM messages and provisioning documents, by switch-on, change and
//! removal, with the host's policy and the user's consent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use dmsc::bootstrap::Report;
use dmsc::client::CardId;
use dmsc::config::BootstrapPolicy;
use dmsc::error::Code;
use dmsc::event::{EventKind, Purpose};
use dmsc::session::Answer;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use support::facade::Facade;
use support::sim::{Instead, Sim, profile};
use uicc_sim::profile::Profile;

const SERVER: &str = "com.example.sc";
const REMOTE: &str = "com.example.remote";

fn with(policy: BootstrapPolicy) -> Facade {
    Facade::configured(&|config| config.bootstrap = policy)
}

/// The card of a profile in slot 0, read at switch-on.
fn switched_on(phone: &Facade, profile: Profile) -> Result<Report, dmsc::error::Error> {
    let card = phone.client.open_card(0, Sim::new(profile).boxed()).unwrap();
    let done = phone.client.bootstrap_card(card);
    phone.client.close_card(card);
    phone.settle();
    done
}

fn other_iccid(mut profile: Profile) -> Profile {
    profile.card.iccid = "8988211000000430028".into();
    profile
}

fn servers(phone: &Facade) -> Vec<String> {
    let accounts = phone.names("./DMAcc").into_iter();
    accounts.map(|name| phone.text(&format!("./DMAcc/{name}/ServerID")).unwrap()).collect()
}

/// Good and bad sessions in the eyes of the card.
fn sessions(sim: &Sim) -> (u32, u32) {
    let card = sim.card();
    (card.good_sessions(), card.bad_sessions())
}

/// Commands that the card hears from now on.
fn listen(sim: &Sim) -> Arc<Mutex<Vec<Vec<u8>>>> {
    let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let ear = Arc::clone(&heard);
    sim.script(move |command| {
        ear.lock().unwrap().push(command.to_vec());
        Instead::PassOn
    });
    heard
}

/// True if one of the commands is a SELECT whose data end with the file or application `name`.
fn selects(commands: &[Vec<u8>], name: &[u8]) -> bool {
    let mut selects = commands.iter().filter(|command| command.get(1) == Some(&0xA4));
    selects.any(|command| command.windows(name.len()).skip(4).any(|part| part == name))
}

#[test]
fn dm_202_what_the_card_holds_is_applied_at_every_switch_on() {
    let phone = Facade::new();
    let report = switched_on(&phone, profile("two-dodfs")).unwrap();
    assert_eq!((report.accounts_added, report.objects_failed), (2, 0));
    assert_eq!(servers(&phone), [SERVER, REMOTE]);
    // The next switch-on finds what came over the air since.
    let mut updated = profile("two-dodfs");
    updated.account.name = "Another name".into();
    let report = switched_on(&phone, updated).unwrap();
    assert_eq!((report.accounts_replaced, report.objects_unchanged), (1, 1));
    assert_eq!(phone.text("./DMAcc/CardServer/Name").as_deref(), Some("Another name"));
}

#[test]
fn dm_204_with_the_policy_off_nothing_of_the_card_is_applied() {
    let phone = with(BootstrapPolicy::NO_CARD);
    let error = switched_on(&phone, profile("two-dodfs")).unwrap_err();
    assert_eq!(error.code(), Code::BootstrapRefused);
    assert!(servers(&phone).is_empty());
    let failed = phone.of(EventKind::BootstrapApplied);
    assert_eq!((failed.len(), failed[0].status), (1, Code::BootstrapRefused as i32));
}

#[test]
fn sc_070_with_the_policy_off_no_pkcs15_command_is_sent() {
    let phone = with(BootstrapPolicy::NO_CARD);
    let sim = Sim::named("two-dodfs");
    let card = phone.client.open_card(0, sim.boxed()).unwrap();
    let before = sim.exchanges();
    assert!(phone.client.bootstrap_card(card).is_err());
    assert_eq!(sim.exchanges(), before);
}

#[test]
fn sc_046_token_info_is_not_asked_for() {
    for token_info in [false, true] {
        let phone = Facade::new();
        let mut profile = profile("two-dodfs");
        profile.card.token_info = token_info;
        let sim = Sim::new(profile);
        let card = phone.client.open_card(0, sim.boxed()).unwrap();
        let heard = listen(&sim);
        assert_eq!(phone.client.bootstrap_card(card).unwrap().accounts_added, 2);
        let heard = heard.lock().unwrap();
        assert!(selects(&heard, &[0x50, 0x31]) && !selects(&heard, &[0x50, 0x32]));
    }
}

#[test]
fn sc_065_a_second_switch_on_with_the_same_card_changes_nothing() {
    for name in ["cp-and-dm", "cp-only", "two-dodfs"] {
        let phone = Facade::new();
        switched_on(&phone, profile(name)).unwrap();
        let before = phone.dump();
        let report = switched_on(&phone, profile(name)).unwrap();
        assert!(report.objects_unchanged >= 2 && report.accounts_added == 0, "{name}: {report:?}");
        assert_eq!(phone.dump(), before, "{name}");
    }
}

#[test]
fn sc_066_changed_content_replaces_what_the_card_brought_and_no_more() {
    let phone = Facade::new();
    switched_on(&phone, profile("cp-and-dm")).unwrap();
    let mut txn = phone.client.begin().unwrap();
    txn.add("./NAP/Host/Addr", dmsc::tree::Format::Chr, None, b"host").unwrap();
    txn.commit().unwrap();
    let mut changed = profile("cp-and-dm");
    changed.provisioning.config2.clear();
    changed.provisioning.config1.truncate(1);
    let report = switched_on(&phone, changed).unwrap();
    assert_eq!((report.accounts_removed, report.objects_unchanged), (1, 1));
    assert_eq!(servers(&phone), [SERVER]);
    assert_eq!(
        (phone.names("./NAP"), phone.names("./PX").len()),
        (vec!["1".into(), "Host".into()], 0)
    );
}

#[test]
fn sc_067_an_object_that_is_gone_takes_its_account_along() {
    let phone = Facade::new();
    switched_on(&phone, profile("two-dodfs")).unwrap();
    let mut alone = profile("two-dodfs");
    alone.second_account = None;
    let report = switched_on(&phone, alone).unwrap();
    assert_eq!((report.accounts_removed, report.objects_unchanged), (1, 1));
    assert_eq!(servers(&phone), [SERVER]);
    let removed = phone.of(EventKind::BootstrapRemoved);
    assert_eq!((removed.len(), removed[0].data.as_slice()), (1, REMOTE.as_bytes()));
}

#[test]
fn sc_068_another_card_takes_the_accounts_of_the_one_before_away() {
    let phone = Facade::new();
    switched_on(&phone, profile("two-dodfs")).unwrap();
    let mut other = other_iccid(profile("demo"));
    other.account.server_id = "com.example.other".into();
    let report = switched_on(&phone, other).unwrap();
    assert_eq!((report.accounts_removed, report.accounts_added), (2, 1));
    assert_eq!(servers(&phone), ["com.example.other"]);
    // Also where the other card may not be read.
    let phone = Facade::new();
    switched_on(&phone, profile("two-dodfs")).unwrap();
    let mut locked = other_iccid(profile("demo"));
    (locked.card.pin1, locked.card.bootstrap_private) = (Some("1234".into()), true);
    assert_eq!(switched_on(&phone, locked).unwrap_err().code(), Code::CardAccessDenied);
    assert!(servers(&phone).is_empty());
}

#[test]
fn sc_069_a_session_with_the_new_server_is_offered_or_started() {
    let phone = Facade::new();
    let sim = Sim::named("cp-only");
    phone.ready(&sim);
    // The offer: the account with its server.
    let applied = phone.of(EventKind::BootstrapApplied);
    assert!(applied.iter().any(|event| event.data == SERVER.as_bytes()));
    assert!(phone.of(EventKind::SessionRequested).is_empty());
    let id = phone.client.start_session(None).unwrap();
    phone.settle();
    assert_eq!(phone.client.session_info(id).unwrap().error, None);
    assert_eq!(sessions(&sim), (1, 0));

    let phone = with(BootstrapPolicy::START_SESSIONS);
    let sim = Sim::named("cp-only");
    let card = phone.client.open_card(0, sim.boxed()).unwrap();
    phone.client.start_toolkit(card).unwrap();
    phone.settle();
    phone.client.bootstrap_card(card).unwrap();
    phone.settle();
    assert_eq!(phone.ended(), [(0, String::new())]);
    assert_eq!(sessions(&sim), (1, 0));
    // Known data starts nothing.
    phone.client.bootstrap_card(card).unwrap();
    phone.settle();
    assert_eq!(phone.ended().len(), 1);
}

#[test]
fn sc_074_the_documents_are_read_in_their_order() {
    let phone = Facade::new();
    let sim = Sim::named("cp-and-dm");
    let card = phone.client.open_card(0, sim.boxed()).unwrap();
    phone.client.bootstrap_card(card).unwrap();
    let found = phone.of(EventKind::BootstrapFound).into_iter().map(|event| event.uri.unwrap());
    assert_eq!(found.collect::<Vec<_>>(), ["6433", "4F01", "4F02", "4F03"]);
}

#[test]
fn sc_075_of_one_characteristic_in_two_documents_the_first_counts() {
    let phone = Facade::new();
    switched_on(&phone, profile("cp-and-dm")).unwrap();
    assert_eq!(phone.names("./NAP"), ["1"]);
    assert_eq!(phone.text("./NAP/1/Addr").as_deref(), Some("internet.example"));
}

#[test]
fn sc_076_a_missing_document_leaves_the_others() {
    let phone = Facade::new();
    let sim = Sim::named("cp-and-dm");
    let card = phone.client.open_card(0, sim.boxed()).unwrap();
    sim.script(|command| match command {
        [_, 0xA4, .., 0x4F, 0x02] | [_, 0xA4, .., 0x4F, 0x02, _] => {
            Instead::Answer(vec![0x6A, 0x82])
        }
        _ => Instead::PassOn,
    });
    let report = phone.client.bootstrap_card(card).unwrap();
    assert_eq!((report.objects_failed, report.accounts_added), (1, 1));
    assert_eq!((phone.names("./NAP").len(), phone.names("./PX").len()), (1, 1));
    assert_eq!(servers(&phone), [SERVER]);
}

#[test]
fn sc_078_a_provisioning_document_of_a_card_is_applied() {
    let phone = Facade::new();
    let report = switched_on(&phone, profile("cp-only")).unwrap();
    assert_eq!((report.accounts_added, report.objects_failed), (1, 0));
    assert_eq!(phone.text("./DMAcc/1/ServerID").as_deref(), Some(SERVER));
    // The account is in EF Bootstrap, its access point in EF Config1.
    assert_eq!(phone.text("./DMAcc/1/PrefConRef").as_deref(), Some("./NAP/1"));
    assert_eq!(phone.text("./NAP/1/NAPID").as_deref(), Some("internet"));
    let acl = |uri: &str| phone.text(&format!("{uri}?prop=ACL")).unwrap();
    assert_eq!(acl("./DMAcc/1"), format!("Delete={SERVER}&Get={SERVER}&Replace={SERVER}"));
    assert_eq!(acl("./NAP/1"), "");
    assert!(phone.text("./DMAcc/1/AppAuth/1/AAuthSecret").is_none());
}

#[test]
fn sc_080_w7_of_a_server_with_a_dm_object_is_left_out() {
    let phone = Facade::new();
    let report = switched_on(&phone, profile("cp-and-dm")).unwrap();
    assert_eq!((report.accounts_added, report.objects_failed), (2, 0));
    assert_eq!(servers(&phone), [REMOTE, SERVER]);
    let address = phone.text("./DMAcc/CardServer/AppAddr/1/Addr");
    assert_eq!(address.as_deref(), Some("http://127.0.0.1:3516/dm"));
    assert_eq!(phone.text("./DMAcc/1/PrefConRef").as_deref(), Some("./PX/1"));
    assert_eq!(phone.text("./PX/1/ConRefs/1/ConRef").as_deref(), Some("./NAP/1"));
    assert_eq!(phone.text("./PX/1/Ports/1/PortNbr").as_deref(), Some("8080"));
}

#[test]
fn sc_081_what_the_documents_of_a_card_brought_goes_with_it() {
    let phone = Facade::new();
    switched_on(&phone, profile("cp-and-dm")).unwrap();
    let mut empty = other_iccid(profile("cp-only"));
    empty.provisioning = Default::default();
    assert_eq!(switched_on(&phone, empty).unwrap_err().code(), Code::BootstrapNone);
    assert!(servers(&phone).is_empty());
    assert_eq!((phone.names("./NAP").len(), phone.names("./PX").len()), (0, 0));
}

// ---- consent ---------------------------------------------------------------------------------------

fn asking(phone: &Facade, sim: &Sim) -> (CardId, Report) {
    let card = phone.client.open_card(0, sim.boxed()).unwrap();
    let report = phone.client.bootstrap_card(card).unwrap();
    (card, report)
}

#[test]
fn a_user_who_agrees_gets_the_new_settings() {
    let phone = with(BootstrapPolicy::ASK_FOR_CARD);
    let sim = Sim::named("cp-and-dm");
    let (card, report) = asking(&phone, &sim);
    assert_eq!((report.waiting, report.accounts_added), (4, 0));
    assert!(servers(&phone).is_empty());
    assert_eq!(phone.client.bootstrap_card(card).unwrap_err().code(), Code::Busy);
    phone.settle();
    assert_eq!(phone.user().heard.lock().unwrap()[0].0, Purpose::BootstrapConsent);
    assert_eq!(servers(&phone), [REMOTE, SERVER]);
    let done = phone.of(EventKind::BootstrapDone);
    assert_eq!((done.len(), done[0].status), (1, 0));
    // Nobody is asked about what is known.
    let report = phone.client.bootstrap_card(card).unwrap();
    phone.settle();
    assert_eq!((report.waiting, report.objects_unchanged), (0, 4));
    assert_eq!(phone.user().heard.lock().unwrap().len(), 1);
}

#[test]
fn a_user_who_refuses_is_asked_again_at_the_next_switch_on() {
    let phone = with(BootstrapPolicy::ASK_FOR_CARD);
    phone.user().answers.lock().unwrap().push_back(Answer::Rejected);
    let sim = Sim::named("cp-only");
    let (card, _) = asking(&phone, &sim);
    phone.settle();
    assert!(servers(&phone).is_empty());
    assert_eq!(phone.of(EventKind::BootstrapDone)[0].status, Code::BootstrapRefused as i32);
    assert_eq!(phone.client.bootstrap_card(card).unwrap().waiting, 2);
    phone.settle();
    assert_eq!(servers(&phone), [SERVER]);
}

#[test]
fn without_a_user_nothing_new_is_applied() {
    let phone = with(BootstrapPolicy::ASK_FOR_CARD);
    phone.user().absent.store(true, Ordering::SeqCst);
    let error = switched_on(&phone, profile("cp-only")).unwrap_err();
    assert_eq!(error.code(), Code::BootstrapRefused);
    assert!(servers(&phone).is_empty());
}

#[test]
fn consent_that_comes_too_late_is_none() {
    let policy = BootstrapPolicy::ASK_FOR_CARD;
    let phone = Facade::silent_and_configured(&|config| config.bootstrap = policy);
    let sim = Sim::named("cp-only");
    asking(&phone, &sim);
    phone.settle();
    phone.advance(599_000);
    assert!(phone.of(EventKind::BootstrapDone).is_empty());
    phone.advance(2_000);
    assert_eq!(phone.of(EventKind::BootstrapDone)[0].status, Code::Timeout as i32);

    // The card goes before the user agrees.
    let phone = with(policy);
    let (card, _) = asking(&phone, &sim);
    phone.client.close_card(card);
    phone.settle();
    assert_eq!(phone.of(EventKind::BootstrapDone)[0].status, Code::CardRemoved as i32);
    assert!(servers(&phone).is_empty());
}

#[test]
fn consent_waits_for_the_end_of_a_transaction() {
    let phone = with(BootstrapPolicy::ASK_FOR_CARD);
    let sim = Sim::named("cp-only");
    asking(&phone, &sim);
    let txn = phone.client.begin().unwrap();
    phone.settle();
    assert!(servers(&phone).is_empty());
    drop(txn);
    phone.settle();
    assert_eq!(servers(&phone), [SERVER]);
}
