//! Pushed bootstraps and documents of the factory: whose they are, what the user is asked, what follows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use dmsc::bootstrap::Report;
use dmsc::client::{Provisioning, Sec};
use dmsc::config::BootstrapPolicy;
use dmsc::error::{Code, Error};
use dmsc::event::{EventKind, Purpose};
use dmsc::secret::Secret;
use dmsc::session::Answer;
use dmsc::tree::Format;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::sync::atomic::Ordering;
use support::facade::Facade;
use support::sim::{Sim, profile};

const IMSI: &str = "123456789012345";
/// The address of a server that is on no card.
const REMOTE: &str = "http://dm.example/";
/// The server of the vectors.
const SERVER: &str = "com.mgmtsrv.manage";
const CP: &str = "application/vnd.wap.connectivity-wbxml";
const DM: &str = "application/vnd.syncml.dm+wbxml";

/// Octets of a row of the encoding vectors.
fn vector(name: &str) -> Vec<u8> {
    let table = include_str!("data/encoding-vectors.tsv");
    let row = table.lines().find(|line| line.starts_with(&format!("{name}-"))).unwrap();
    dmsc::bytes::hex::decode(row.split('\t').nth(1).unwrap()).unwrap()
}

fn push(name: &str) -> Provisioning {
    Provisioning { octets: Secret::new(vector(name)), ..Provisioning::default() }
}

/// A phone that has the access point which the vectors refer to.
fn phone(policy: BootstrapPolicy) -> Facade {
    let phone = Facade::configured(&|config| config.bootstrap = policy);
    // Only these flags decide here; tests/consent.rs has the policy.
    phone.client.set_policy("[[rules]]\naction = \"allow\"\n").unwrap();
    let mut txn = phone.client.begin().unwrap();
    txn.add("./NAP/Host/NAPID", Format::Chr, None, b"NAP1").unwrap();
    txn.commit().unwrap();
    phone
}

fn accounts(phone: &Facade) -> usize {
    phone.names("./DMAcc").len()
}

fn refused(done: Result<Report, Error>) -> Code {
    done.unwrap_err().code()
}

/// What the user types, one after the other.
fn types(phone: &Facade, pins: &[&str]) {
    let answers = pins.iter().map(|pin| Answer::Text((*pin).to_owned()));
    phone.user().answers.lock().unwrap().extend(answers);
}

/// Status of the bootstrap that waited.
fn done(phone: &Facade) -> i32 {
    phone.settle();
    let done = phone.of(EventKind::BootstrapDone);
    assert_eq!(done.len(), 1);
    done[0].status
}

fn purposes(phone: &Facade) -> Vec<Purpose> {
    phone.user().heard.lock().unwrap().iter().map(|(purpose, _)| *purpose).collect()
}

/// A DM message that brings the account of `server`.
fn message(server: &str) -> Vec<u8> {
    let mut profile = profile("demo");
    profile.account.server_id = server.to_owned();
    profile.account.address = REMOTE.to_owned();
    profile.bootstrap_octets().unwrap()
}

fn signed(content_type: &str, octets: &[u8], key: &[u8]) -> Provisioning {
    let mac = Hmac::<Sha1>::new_from_slice(key).unwrap().chain_update(octets).finalize();
    Provisioning {
        content_type: Some(content_type.to_owned()),
        mac: Some(dmsc::bytes::hex::encode(&mac.into_bytes())),
        octets: Secret::new(octets),
        ..Provisioning::default()
    }
}

#[test]
fn dm_191_a_dm_bootstrap_is_applied_in_silence_and_a_session_follows() {
    let phone = phone(BootstrapPolicy::START_SESSIONS);
    let message = Provisioning {
        sec: Some(Sec::NetworkPin),
        imsi: Some(Secret::new(IMSI)),
        ..signed(DM, &message("com.example.new"), IMSI.as_bytes())
    };
    assert_eq!(phone.client.provision(message).unwrap().accounts_added, 1);
    phone.settle();
    let kinds =
        [EventKind::BootstrapApplied, EventKind::SessionRequested, EventKind::SessionStarted];
    for kind in kinds {
        assert_eq!(phone.of(kind).len(), 1, "{kind:?}");
    }
    let started = phone.of(EventKind::SessionStarted);
    assert_eq!(started[0].uri.as_deref(), Some("com.example.new"));
    // The session itself fails: a loopback address is for the accounts of cards.
    assert_eq!(phone.ended()[0].0, Code::Connect as i32);
    assert!(phone.of(EventKind::PackageSent).is_empty());
}

#[test]
fn without_that_policy_the_event_is_the_offer() {
    let phone = phone(BootstrapPolicy::empty());
    let message = Provisioning { imsi: Some(Secret::new(IMSI)), ..push("d11") };
    assert_eq!(phone.client.provision(message).unwrap().accounts_added, 1);
    phone.settle();
    let applied = phone.of(EventKind::BootstrapApplied);
    assert_eq!((applied.len(), applied[0].data.as_slice()), (1, SERVER.as_bytes()));
    assert!(phone.of(EventKind::SessionRequested).is_empty());
}

#[test]
fn a_push_signed_by_the_network_is_applied_without_a_question() {
    let phone = phone(BootstrapPolicy::empty());
    for wrong in [None, Some("123456789012346")] {
        let message = Provisioning { imsi: wrong.map(Secret::new), ..push("d05") };
        assert_eq!(refused(phone.client.provision(message)), Code::BootstrapMac);
    }
    assert_eq!((accounts(&phone), phone.of(EventKind::BootstrapApplied).len()), (0, 2));
    let message = Provisioning { imsi: Some(Secret::new(IMSI)), ..push("d05") };
    assert_eq!(phone.client.provision(message).unwrap().accounts_added, 1);
    assert_eq!(phone.text("./DMAcc/1/PrefConRef").as_deref(), Some("./NAP/Host"));
    assert_eq!(phone.asked() + purposes(&phone).len(), 0);
}

#[test]
fn the_users_pin_is_asked_for() {
    for (name, typed) in [("d04", "1234"), ("d06", "1234"), ("d07", "3141538562"), ("d09", "1234")]
    {
        let phone = phone(BootstrapPolicy::empty());
        types(&phone, &[typed]);
        let message = Provisioning { imsi: Some(Secret::new(IMSI)), ..push(name) };
        let report = phone.client.provision(message).unwrap();
        assert_eq!((report.waiting, accounts(&phone)), (1, 0), "{name}");
        assert_eq!(done(&phone), 0, "{name}");
        assert_eq!(
            (accounts(&phone), purposes(&phone)),
            (1, vec![Purpose::BootstrapPin { tries: 3 }])
        );
        let heard = phone.user().heard.lock().unwrap();
        assert!(heard[0].1.contains(SERVER), "{heard:?}");
    }
}

#[test]
fn after_three_wrong_pins_a_push_is_discarded() {
    let phone = phone(BootstrapPolicy::empty());
    types(&phone, &["1111", "2222", "3333"]);
    phone.client.provision(push("d04")).unwrap();
    assert_eq!(done(&phone), Code::BootstrapPin as i32);
    let tries = [3, 2, 1].map(|tries| Purpose::BootstrapPin { tries });
    assert_eq!((purposes(&phone).as_slice(), accounts(&phone)), (&tries[..], 0));
    for event in phone.of(EventKind::BootstrapDone) {
        let text = String::from_utf8(event.data).unwrap();
        assert!(!["1111", "2222", "3333"].iter().any(|pin| text.contains(pin)), "{text}");
    }
    // The third one may be right.
    let phone = self::phone(BootstrapPolicy::empty());
    types(&phone, &["1111", "2222", "1234"]);
    phone.client.provision(push("d04")).unwrap();
    assert_eq!((done(&phone), accounts(&phone)), (0, 1));
}

#[test]
fn a_user_who_gives_no_pin_gets_no_settings() {
    for (answer, code) in
        [(Answer::Cancelled, Code::BootstrapRefused), (Answer::TimedOut, Code::Timeout)]
    {
        let phone = phone(BootstrapPolicy::empty());
        phone.user().answers.lock().unwrap().push_back(answer);
        phone.client.provision(push("d04")).unwrap();
        assert_eq!((done(&phone), accounts(&phone)), (code as i32, 0));
    }
    let phone = phone(BootstrapPolicy::empty());
    phone.user().absent.store(true, Ordering::SeqCst);
    assert_eq!(refused(phone.client.provision(push("d04"))), Code::BootstrapPin);
}

#[test]
fn dm_192_dm_194_what_cannot_be_genuine_asks_nobody() {
    let phone = phone(BootstrapPolicy::ASK_FOR_PUSH);
    for (name, code) in [
        ("d12", Code::BootstrapFormat),
        // The last octet is another one: no document any more.
        ("d22", Code::BootstrapFormat),
        ("d23", Code::BootstrapMac),
        ("d24", Code::BootstrapMac),
        ("d25", Code::BootstrapMac),
        ("d08", Code::BootstrapMac),
        ("d01", Code::BootstrapFormat),
        ("d18", Code::BootstrapFormat),
    ] {
        assert_eq!(refused(phone.client.provision(push(name))), code, "{name}");
    }
    assert_eq!((accounts(&phone), purposes(&phone).len()), (0, 0));
    // A type that the document contradicts.
    let wrong = signed(CP, &message("com.example.new"), b"1234");
    let wrong = Provisioning { sec: Some(Sec::UserPin), ..wrong };
    assert_eq!(refused(phone.client.provision(wrong)), Code::BootstrapFormat);
}

#[test]
fn an_unsigned_push_needs_policy_and_consent() {
    let phone = phone(BootstrapPolicy::UNSIGNED_PUSH);
    phone.user().answers.lock().unwrap().push_back(Answer::Rejected);
    assert_eq!(phone.client.provision(push("d08")).unwrap().waiting, 1);
    assert_eq!((done(&phone), accounts(&phone)), (Code::BootstrapRefused as i32, 0));
    assert_eq!(phone.client.provision(push("d08")).unwrap().waiting, 1);
    phone.settle();
    assert_eq!((accounts(&phone), purposes(&phone)), (1, vec![Purpose::BootstrapConsent; 2]));
    phone.user().absent.store(true, Ordering::SeqCst);
    assert_eq!(refused(phone.client.provision(push("d08"))), Code::BootstrapRefused);
}

#[test]
fn consent_is_asked_for_where_the_host_wants_it() {
    let phone = phone(BootstrapPolicy::ASK_FOR_PUSH);
    let message = || Provisioning { imsi: Some(Secret::new(IMSI)), ..push("d05") };
    assert_eq!(phone.client.provision(message()).unwrap().waiting, 1);
    assert_eq!(refused(phone.client.provision(message())), Code::Busy);
    assert_eq!((done(&phone), accounts(&phone)), (0, 1));
}

#[test]
fn a_rule_says_how_long_the_user_has_and_what_counts_then() {
    let signed = || Provisioning { imsi: Some(Secret::new(IMSI)), ..push("d05") };
    let with_pin = || push("d04");
    for (default, message, accounts_then, status) in [
        ("refuse", &signed as &dyn Fn() -> Provisioning, 0, Code::Timeout as i32),
        ("allow", &signed, 1, 0),
        // Nobody but the user knows the PIN.
        ("allow", &with_pin, 0, Code::Timeout as i32),
    ] {
        let phone = Facade::silent();
        let rules = format!(
            "[[rules]]\nclass = \"bootstrap\"\naction = \"ask\"\ntimeout = 7\ndefault = \"{default}\"\n"
        );
        phone.client.set_policy(&rules).unwrap();
        let mut txn = phone.client.begin().unwrap();
        txn.add("./NAP/Host/NAPID", Format::Chr, None, b"NAP1").unwrap();
        txn.commit().unwrap();
        assert_eq!(phone.client.provision(message()).unwrap().waiting, 1);
        phone.settle();
        assert_eq!(phone.question().alert.max_display_s, Some(7));
        phone.advance(6_999);
        assert!(phone.of(EventKind::BootstrapDone).is_empty());
        phone.advance(1);
        assert_eq!((done(&phone), accounts(&phone)), (status, accounts_then), "{default}");
    }
}

#[test]
fn an_account_from_elsewhere_is_never_replaced() {
    let policy = BootstrapPolicy::REPLACE_BY_PUSH;
    let phone = phone(policy);
    let sim = Sim::named("demo");
    phone.ready(&sim);
    let message = |server: &str, name: &str| {
        let mut profile = profile("demo");
        (profile.account.server_id, profile.account.name) = (server.into(), name.into());
        profile.account.address = REMOTE.to_owned();
        let octets = profile.bootstrap_octets().unwrap();
        Provisioning {
            sec: Some(Sec::NetworkPin),
            network_secret: Some(Secret::new(*b"shared")),
            ..signed(DM, &octets, b"shared")
        }
    };
    let done = phone.client.provision(message("com.example.sc", "taken over"));
    assert_eq!(refused(done), Code::BootstrapRefused);
    assert_eq!(phone.client.provision(message("new", "one")).unwrap().accounts_added, 1);
    let again = phone.client.provision(message("new", "two")).unwrap();
    assert_eq!((again.accounts_added, again.accounts_replaced), (0, 1));
    let names = phone.names("./DMAcc");
    let name = |account: &String| phone.text(&format!("./DMAcc/{account}/Name"));
    assert!(names.iter().any(|account| name(account).as_deref() == Some("two")), "{names:?}");
    // Without that policy an account of a push stays as well.
    let phone = self::phone(BootstrapPolicy::empty());
    phone.client.provision(message("new", "one")).unwrap();
    assert_eq!(refused(phone.client.provision(message("new", "two"))), Code::BootstrapRefused);
}

#[test]
fn a_document_of_the_factory_needs_no_signature_and_is_applied_once() {
    let phone = phone(BootstrapPolicy::empty());
    let document = || Provisioning {
        octets: Secret::new(message("com.example.factory")),
        factory: true,
        ..Provisioning::default()
    };
    assert_eq!(phone.client.provision(document()).unwrap().accounts_added, 1);
    let info = phone.client.tree_info("./DMAcc/CardServer").unwrap();
    assert_eq!(info.origin, dmsc::tree::Origin::Factory);
    let mut txn = phone.client.begin().unwrap();
    txn.delete("./DMAcc/CardServer").unwrap();
    txn.commit().unwrap();
    assert_eq!(phone.client.provision(document()).unwrap().objects_unchanged, 1);
    assert_eq!(accounts(&phone), 0);
}

#[test]
fn a_bootstrap_push_is_no_notification() {
    let phone = phone(BootstrapPolicy::empty());
    let error = phone.deliver(vector("d05")).unwrap_err();
    assert_eq!(error.code(), Code::NotSupported);
    phone.settle();
    assert_eq!(phone.of(EventKind::TriggerRefused).len(), 1);
    assert_eq!((accounts(&phone), phone.of(EventKind::BootstrapApplied).len()), (0, 0));
}

#[test]
fn a_push_during_a_transaction_is_busy_and_not_lost_by_consent() {
    let phone = phone(BootstrapPolicy::empty());
    let txn = phone.client.begin().unwrap();
    let message = || Provisioning { imsi: Some(Secret::new(IMSI)), ..push("d05") };
    assert_eq!(refused(phone.client.provision(message())), Code::Busy);
    types(&phone, &["1234"]);
    assert_eq!(phone.client.provision(push("d04")).unwrap().waiting, 1);
    phone.settle();
    assert_eq!(accounts(&phone), 0);
    drop(txn);
    assert_eq!((done(&phone), accounts(&phone)), (0, 1));
}
