//! Threats 2 and 4 of DM_SC over the facade: who is asked before a session and before a command, what an
//! answer does, and what the journal tells of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use dmsc::audit::{self, Ed25519, Signer};
use dmsc::client::Delivery;
use dmsc::error::{Code, Error, Result};
use dmsc::event::{EventKind, Purpose, TriggerSource};
use dmsc::secret::Secret;
use dmsc::session::{Answer, Kind};
use std::sync::Mutex;
use support::facade::Facade;
use support::sim::{Sim, profile};
use uicc_sim::profile::UiMode;

/// The demo card, whose notifications want this of the user.
fn card(ui_mode: UiMode) -> Sim {
    let mut profile = profile("demo");
    profile.notification.ui_mode = ui_mode;
    Sim::new(profile)
}

/// A phone whose questions stay with the test, and its card.
fn silent(ui_mode: UiMode) -> (Facade, Sim) {
    let (phone, sim) = (Facade::silent(), card(ui_mode));
    phone.ready(&sim);
    (phone, sim)
}

fn refusals(phone: &Facade) -> Vec<i32> {
    phone.of(EventKind::TriggerRefused).iter().map(|event| event.status).collect()
}

fn started(phone: &Facade) -> usize {
    phone.of(EventKind::SessionStarted).len()
}

/// The records that hold all of these texts.
fn records(phone: &Facade, texts: &[&str]) -> usize {
    let holds = |line: &&String| texts.iter().all(|text| line.contains(text));
    phone.journal().iter().filter(holds).count()
}

const REFUSED: i32 = Code::Denied as i32;

#[test]
fn dm_134_a_session_that_the_user_refuses_does_not_begin() {
    for answer in [Answer::Rejected, Answer::Cancelled, Answer::CannotShow] {
        let (phone, sim) = silent(UiMode::UserInteraction);
        let id = phone.deliver(sim.push()).unwrap();
        phone.settle();
        let question = phone.question();
        assert_eq!((question.purpose, question.session_id), (Purpose::SessionConsent, id));
        assert_eq!(
            (question.alert.kind, question.alert.text.as_str()),
            (Kind::Confirm, "Allow a device management session with com.example.sc?")
        );
        let name = format!("\"answer\":\"{}\"", name(&answer));
        question.answer(answer).unwrap();
        phone.settle();
        assert_eq!((started(&phone), refusals(&phone)), (0, vec![REFUSED]));
        assert_eq!(sim.card().good_sessions(), 0, "nothing is sent");
        assert_eq!(sim.card().bad_sessions(), 0, "nothing is sent");
        assert_eq!(phone.client.session_info(id).unwrap().error.unwrap().code(), Code::Denied);
        assert_eq!(records(&phone, &["\"kind\":\"answer\"", &name]), 1);
    }
}

fn name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Rejected => "rejected",
        Answer::Cancelled => "cancelled",
        _ => "not-shown",
    }
}

#[test]
fn dm_134_a_session_that_the_user_accepts_begins() {
    let (phone, sim) = silent(UiMode::UserInteraction);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 0, "it waits");
    phone.question().answer(Answer::Accepted).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 1);
}

#[test]
fn dm_134_no_answer_in_time_is_a_no() {
    let (phone, sim) = silent(UiMode::UserInteraction);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert!(phone.client.idle_time().unwrap().as_secs() <= 600);
    phone.advance(600_000);
    assert_eq!((started(&phone), refusals(&phone)), (0, vec![REFUSED]));
    // Too late.
    phone.question().answer(Answer::Accepted).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 0);
}

#[test]
fn dm_135_an_informative_session_is_announced_and_begins_without_waiting() {
    let (phone, sim) = silent(UiMode::Informative);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 1);
    let notice = phone.question();
    assert_eq!((notice.alert.kind, notice.purpose), (Kind::Display, Purpose::SessionConsent));
    notice.answer(Answer::Cancelled).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 1);
}

#[test]
fn dm_136_a_background_session_says_nothing_to_the_user() {
    let (phone, sim) = silent(UiMode::Background);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 1);
    // The only question is the server's own, in the session.
    let question = phone.question();
    assert_eq!(question.purpose, Purpose::Session);
}

#[test]
fn a_waiting_session_can_be_cancelled() {
    let (phone, sim) = silent(UiMode::UserInteraction);
    let id = phone.deliver(sim.push()).unwrap();
    phone.settle();
    phone.client.cancel_session(id).unwrap();
    phone.settle();
    phone.question().answer(Answer::Accepted).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 0);
    assert_eq!(phone.client.session_info(id).unwrap().error.unwrap().code(), Code::Cancelled);
}

#[test]
fn a_policy_can_refuse_sessions_and_bootstraps() {
    let (phone, sim) = silent(UiMode::Background);
    let policy = "[[rules]]\nclass = \"session\"\nserver = \"com.example.*\"\naction = \"refuse\"\n[[rules]]\naction = \"allow\"\n";
    phone.client.set_policy(policy).unwrap();
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!((started(&phone), refusals(&phone)), (0, vec![REFUSED]));
    assert_eq!(
        records(
            &phone,
            &["\"kind\":\"decision\"", "\"class\":\"session\"", "\"action\":\"refuse\""]
        ),
        1
    );

    let phone = Facade::new();
    phone.client.set_policy("[[rules]]\nclass = \"session\"\naction = \"allow\"\n").unwrap();
    let card = phone.client.open_card(0, sim.boxed()).unwrap();
    let refused = phone.client.bootstrap_card(card).unwrap_err();
    assert_eq!(refused.code(), Code::BootstrapRefused);
}

#[test]
fn a_bad_policy_leaves_the_one_before() {
    let (phone, sim) = silent(UiMode::Background);
    let error = phone.client.set_policy("[[rules]]\naction = 1").unwrap_err();
    assert_eq!(error.what(), "policy: line 2, column 10: one of allow, ask, refuse");
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(started(&phone), 1);
}

#[test]
fn a_command_of_the_card_is_asked_about_with_what_it_changes() {
    let policy = "[classes]\nconnectivity = \"./Operator/Apn\"\n[[rules]]\nclass = \"connectivity\"\ncommand = [\"Add\", \"Replace\"]\naction = \"ask\"\ntimeout = 20\n[[rules]]\naction = \"allow\"\n";
    let (phone, sim) = silent(UiMode::Background);
    phone.client.set_policy(policy).unwrap();
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    let question = phone.question();
    assert_eq!(
        (question.purpose, question.alert.max_display_s),
        (Purpose::CommandConsent, Some(20))
    );
    assert_eq!(
        question.alert.text,
        "Allow com.example.sc 2 operations on network settings, which can cost money?"
    );
    assert_eq!(
        question.alert.choices,
        ["Add ./Operator/Apn = internet", "Replace ./Operator/Apn = internet-1.example"]
    );
    // Twenty seconds without an answer are a no; the session goes on.
    phone.advance(20_000);
    question.answer(Answer::Accepted).unwrap();
    phone.settle();
    let journal = phone.journal().join("\n");
    assert_eq!(
        records(&phone, &["\"about\":\"consent\"", "\"answer\":\"timeout\""]),
        1,
        "{journal}"
    );
    assert_eq!(records(&phone, &["\"uri\":\"./Operator/Apn\"", "\"status\":215"]), 2);
    assert_eq!(
        records(&phone, &["\"name\":\"Add\"", "\"uri\":\"./Operator/Name\"", "\"status\":200"]),
        1
    );
}

#[test]
fn every_refused_notification_is_on_record_until_there_are_too_many() {
    let (phone, _sim) = silent(UiMode::Background);
    for number in 0..40_u8 {
        assert!(phone.deliver(vec![number; 30]).is_err());
    }
    let refused = ["\"kind\":\"trigger\"", "\"outcome\":\"DMSC_ERR_TRIGGER_"];
    assert_eq!(records(&phone, &refused), 32);
    phone.advance(3_600_000);
    assert!(phone.deliver(vec![99; 30]).is_err());
    assert_eq!(records(&phone, &["\"unrecorded\":8"]), 1);
}

#[test]
fn the_record_of_a_notification_commits_with_its_replay_memory() {
    let (phone, sim) = silent(UiMode::Background);
    let push = sim.push();
    let digest = dmsc::bytes::hex::encode(&audit::hash(&push)).to_ascii_lowercase();
    let source = TriggerSource::Push;
    phone
        .client
        .deliver_trigger(Delivery { source, slot: 0, content_type: None, octets: push })
        .unwrap();
    assert_eq!(records(&phone, &["\"kind\":\"trigger\"", &digest, "\"outcome\":\"ok\""]), 1);
}

struct Shared(&'static Mutex<(Ed25519, bool)>);

impl Signer for Shared {
    fn public_key(&mut self) -> Result<audit::PublicKey> {
        self.0.lock().unwrap().0.public_key()
    }

    fn sign(&mut self, message: &[u8]) -> Result<[u8; audit::SIGNATURE_OCTETS]> {
        let mut signer = self.0.lock().unwrap();
        if signer.1 {
            return Err(Error::new(Code::Callback, "the key store is locked").with_os_error(-9));
        }
        signer.0.sign(message)
    }
}

#[test]
fn a_signer_of_the_host_signs_sessions_and_a_failure_stops_nothing() {
    let key = Ed25519::from_seed(&Secret::new([5; 32])).unwrap();
    let signer: &'static Mutex<(Ed25519, bool)> = Box::leak(Box::new(Mutex::new((key, true))));
    let (phone, sim) = (Facade::new(), card(UiMode::Background));
    phone.client.set_signer(Some(Box::new(Shared(signer)))).unwrap();
    phone.ready(&sim);
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ended(), [(0, String::new())]);
    // Nothing could be signed, and nothing is lost.
    assert_eq!(phone.client.audit_export().unwrap_err().code(), Code::Callback);
    signer.lock().unwrap().1 = false;
    let export = phone.client.audit_export().unwrap();
    let (key, (head, _)) = (phone.client.audit_key().unwrap(), phone.client.audit_head().unwrap());
    let verified = audit::verify(&export, &[key], Some(&head)).unwrap();
    assert_eq!((verified.first, verified.keys), (1, vec![key]));
    assert_eq!(records(&phone, &["\"kind\":\"session-end\"", "\"outcome\":\"ok\""]), 1);
}

#[test]
fn the_head_in_the_tree_is_the_hash_of_the_last_record() {
    let (phone, sim) = (Facade::new(), card(UiMode::Background));
    phone.ready(&sim);
    let (head, _) = phone.client.audit_head().unwrap();
    let node = phone.client.tree_get("./Ext/DMSC/Audit/Head").unwrap();
    assert_eq!(node, dmsc::bytes::hex::encode(&head).to_ascii_lowercase().into_bytes());
    let last = phone.journal().pop().unwrap();
    assert_eq!(phone.client.audit_head().unwrap().0, audit::hash(last.as_bytes()));
}

#[test]
fn exported_records_can_be_dropped_and_the_bound_can_be_set() {
    let (phone, sim) = (Facade::new(), card(UiMode::Background));
    phone.ready(&sim);
    let export = phone.client.audit_export().unwrap();
    let (_, summary) = phone.client.audit_head().unwrap();
    assert_eq!(summary.octets, export.len() as u64);
    phone.client.audit_discard(summary.last).unwrap();
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    let key = [phone.client.audit_key().unwrap()];
    let rest = phone.client.audit_export().unwrap();
    assert_eq!(audit::verify(&rest, &key, None).unwrap().first, summary.last + 1);
    assert_eq!(audit::verify(&[export, rest].concat(), &key, None).unwrap().first, 1);
    phone.client.audit_set_limit(0).unwrap();
    assert_eq!(phone.client.audit_discard(10_000).unwrap_err().code(), Code::InvalidArg);
}
