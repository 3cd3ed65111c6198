//! A card that is taken out of its reader.

use super::phone::{CardHandle, Failure, Phone};
use crate::support::daemon::with_pcscd;
use crate::support::inserted::{Inserted, card, demo};
use dmsc::ffi::dmsc_event_type::{self, *};
use dmsc::ffi::dmsc_status::*;
use uicc_sim::card::Protocol;

/// STATUS.
const STATUS: [u8; 5] = [0x80, 0xF2, 0x00, 0x0C, 0x00];

fn is_gone(status: i32) -> bool {
    status == DMSC_ERR_CARD_REMOVED as i32 || status == DMSC_ERR_CARD_ABSENT as i32
}

/// One event says that the card in `slot` is gone.
fn said_once(phone: &Phone, slot: u32) -> bool {
    let heard = phone.heard();
    let mut gone = heard.of(DMSC_EVENT_CARD_STATE).filter(|event| event.status < 0);
    let one = gone.next().is_some_and(|event| event.slot == slot && is_gone(event.status));
    one && gone.next().is_none()
}

fn assert_gone(outcome: Result<impl Sized, Failure>) {
    let failure = outcome.err().unwrap();
    assert!(is_gone(failure.status), "{failure}");
}

fn opened(protocol: Protocol) -> (Inserted, Phone, CardHandle) {
    let inserted = Inserted::new(0, card(demo(protocol)).0);
    let phone = Phone::new();
    let card = phone.open(3, None).unwrap();
    (inserted, phone, card)
}

/// Pulls the card at the first event `moment` of a session, puts it back and goes on with it.
fn removed_in_a_session(protocol: Protocol, moment: dmsc_event_type) {
    let (inserted, phone, card) = opened(protocol);
    phone.bootstrap(card).unwrap();
    phone.start_toolkit(card).unwrap();
    phone.at_next(moment, inserted.puller());
    let statuses = phone.run_sessions(1);
    assert!(is_gone(statuses[0]), "{statuses:?}");
    phone.run_until("the card is gone", |ears| {
        ears.of(DMSC_EVENT_CARD_STATE).any(|event| event.status < 0)
    });
    assert!(said_once(&phone, 3), "{:?}", phone.heard().events);
    let text = phone.heard().of(DMSC_EVENT_SESSION_ENDED).next().unwrap().text.clone();
    assert!(text.contains("PC/SC"), "{text}");
    assert_gone(card.transmit(&STATUS));
    assert_gone(phone.bootstrap(card));
    assert_gone(phone.start_toolkit(card));
    assert!(said_once(&phone, 3), "{:?}", phone.heard().events);

    // The same card comes back; the old handle stays what it is.
    let inserted = Inserted::new(0, inserted.pull());
    assert_gone(card.transmit(&STATUS));
    let again = phone.open(3, None).unwrap();
    assert_eq!(phone.bootstrap(again).unwrap().objects_unchanged, 1);
    phone.start_toolkit(again).unwrap();
    assert_eq!(phone.run_sessions(2)[1], 0);
    card.close();
    drop(phone);
    assert_eq!(inserted.pull().good_sessions(), 1);
}

#[test]
fn sc_072_a_card_is_taken_out_behind_the_first_message() {
    with_pcscd(|_pcscd| removed_in_a_session(Protocol::T0, DMSC_EVENT_PACKAGE_SENT));
}

#[test]
fn sc_072_a_card_is_taken_out_behind_its_first_message() {
    with_pcscd(|_pcscd| removed_in_a_session(Protocol::T1, DMSC_EVENT_PACKAGE_RECEIVED));
}

#[test]
fn sc_072_a_card_is_taken_out_while_nothing_happens() {
    with_pcscd(|_pcscd| {
        let (inserted, phone, card) = opened(Protocol::T0);
        phone.start_toolkit(card).unwrap();
        let _card = inserted.pull();
        phone.run_until("the card is gone", |ears| {
            ears.of(DMSC_EVENT_CARD_STATE).any(|event| event.status < 0)
        });
        assert!(said_once(&phone, 3));
        assert_gone(card.transmit(&STATUS));
    });
}

#[test]
fn sc_072_a_card_is_taken_out_in_the_bootstrap() {
    with_pcscd(|_pcscd| {
        // The exchanges of opening and bootstrap are fewer than these.
        for after in [5, 9, 13, 17] {
            let mut profile = demo(Protocol::T0);
            profile.card.faults.remove_after_apdus = Some(after);
            let inserted = Inserted::new(0, card(profile).0);
            let phone = Phone::new();
            let card = phone.open(0, None).unwrap();
            assert_gone(phone.bootstrap(card));
            assert!(said_once(&phone, 0), "{after}: {:?}", phone.heard().events);
            let applied = phone.heard().of(DMSC_EVENT_BOOTSTRAP_APPLIED).next().cloned().unwrap();
            assert!(is_gone(applied.status), "{applied:?}");
            drop(phone);
            inserted.pull();
        }
    });
}

/// Without a toolkit nothing is exchanged that could show it.
#[test]
fn removal_and_insertion_are_told_while_nothing_is_exchanged() {
    with_pcscd(|_pcscd| {
        let (inserted, phone, card) = opened(Protocol::T1);
        let pulled = inserted.pull();
        phone.run_until("the removal is told", |ears| {
            ears.of(DMSC_EVENT_CARD_STATE).any(|event| event.status < 0)
        });
        assert!(said_once(&phone, 3));
        let inserted = Inserted::new(0, pulled);
        phone.run_until("the insertion is told", |ears| {
            ears.of(DMSC_EVENT_CARD_STATE).any(|event| (event.status, event.phase) == (0, 2))
        });
        // The handle goes on where the host says so.
        assert_gone(card.transmit(&STATUS));
        phone.reset(card);
        assert_eq!(phone.bootstrap(card).unwrap().accounts_added, 1);
        drop(phone);
        inserted.pull();
    });
}

#[test]
fn another_card_takes_the_place_of_the_one_before() {
    with_pcscd(|_pcscd| {
        let (inserted, phone, card) = opened(Protocol::T0);
        assert_eq!(phone.bootstrap(card).unwrap().accounts_added, 1);
        inserted.pull();
        assert_gone(card.transmit(&STATUS));
        card.close();

        let mut profile = demo(Protocol::T1);
        profile.card.iccid = "8988211000000430028".into();
        profile.account.server_id = "com.example.other".into();
        let inserted = Inserted::new(0, crate::support::inserted::card(profile).0);
        let card = phone.open(3, None).unwrap();
        let report = phone.bootstrap(card).unwrap();
        assert_eq!((report.accounts_added, report.accounts_removed), (1, 1));
        drop(phone);
        inserted.pull();
    });
}
