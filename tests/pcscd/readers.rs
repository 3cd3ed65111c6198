//! Finding a reader with a card.

use super::phone::{Phone, readers};
use crate::support::daemon::{READERS, with_pcscd, without_pcscd};
use crate::support::inserted::{Inserted, card, demo};
use dmsc::ffi::dmsc_event_type;
use dmsc::ffi::dmsc_status::*;
use uicc_sim::card::Protocol;

#[test]
fn the_readers_are_listed_with_and_without_card() {
    with_pcscd(|_pcscd| {
        assert_eq!(readers().unwrap(), READERS);
        let _card = Inserted::new(1, card(demo(Protocol::T0)).0);
        assert_eq!(readers().unwrap(), READERS);
    });
}

#[test]
fn a_reader_is_found_by_a_part_of_its_name() {
    with_pcscd(|_pcscd| {
        let phone = Phone::new();
        for reader in [None, Some("no reader has this name"), Some(READERS[0])] {
            let failure = phone.open(0, reader).unwrap_err();
            assert_eq!(failure.status, DMSC_ERR_CARD_ABSENT as i32, "{failure}");
            assert!(failure.text.contains("no matching reader with a card"), "{failure}");
        }

        let inserted = Inserted::new(1, card(demo(Protocol::T1)).0);
        for (slot, reader) in [None, Some("test"), Some(READERS[1])].into_iter().enumerate() {
            let card = phone.open(slot as u32, reader).unwrap();
            assert_eq!(phone.card_info(card).is_uicc, 1);
        }
        let failure = phone.open(9, Some(READERS[0])).unwrap_err();
        assert_eq!(failure.status, DMSC_ERR_CARD_ABSENT as i32, "{failure}");
        drop(phone);
        inserted.pull();
    });
}

#[test]
fn a_card_that_somebody_has_alone_is_busy() {
    with_pcscd(|_pcscd| {
        let inserted = Inserted::new(0, card(demo(Protocol::T0)).0);
        let (phone, other) = (Phone::new(), Phone::new());
        let alone = phone.open_alone(0).unwrap();
        assert_eq!(phone.bootstrap(alone).unwrap().accounts_added, 1);
        let failure = other.open(0, None).unwrap_err();
        assert_eq!(failure.status, DMSC_ERR_BUSY as i32, "{failure}");
        alone.close();
        let shared = other.open(0, Some("DMSC test 0? 0*")).unwrap();
        let failure = phone.open_alone(0).unwrap_err();
        assert_eq!(failure.status, DMSC_ERR_BUSY as i32, "{failure}");
        shared.close();
        drop((phone, other));
        inserted.pull();
    });
}

#[test]
fn one_reader_is_opened_twice() {
    with_pcscd(|_pcscd| {
        let inserted = Inserted::new(0, card(demo(Protocol::T0)).0);
        let phone = Phone::new();
        let first = phone.open(0, None).unwrap();
        let failure = phone.open(0, None).unwrap_err();
        assert_eq!(failure.status, DMSC_ERR_BUSY as i32, "{failure}");
        let second = phone.open(1, None).unwrap();
        assert_eq!(phone.bootstrap(first).unwrap().accounts_added, 1);
        // The account goes where the card was seen last.
        let moved = phone.bootstrap(second).unwrap();
        assert_eq!((moved.accounts_removed, moved.accounts_added), (1, 1));
        first.close();
        // Closing one does not reset the card under the other one.
        phone.start_toolkit(second).unwrap();
        assert_eq!(phone.run_sessions(1), [0]);
        drop(phone);
        let card = inserted.pull();
        assert_eq!(card.good_sessions(), 1, "{}", card.report());
    });
}

#[test]
fn no_pcsc_service_is_told_as_such() {
    without_pcscd(|| {
        let failures = [readers().unwrap_err(), Phone::new().open(0, None).unwrap_err()];
        for failure in failures {
            assert_eq!(failure.status, DMSC_ERR_CARD_ABSENT as i32, "{failure}");
            assert!(failure.text.contains("PC/SC"), "{failure}");
        }
    });
}

#[test]
fn a_pcsc_service_that_ends_takes_its_cards_away() {
    with_pcscd(|pcscd| {
        let _inserted = Inserted::new(0, card(demo(Protocol::T0)).0);
        let phone = Phone::new();
        let card = phone.open(2, None).unwrap();
        phone.start_toolkit(card).unwrap();
        drop(pcscd);
        phone.run_until("the card is gone", |ears| {
            ears.of(dmsc_event_type::DMSC_EVENT_CARD_STATE).any(|event| event.status < 0)
        });
        let failure = card.transmit(&[0x80, 0xF2, 0x00, 0x0C, 0x00]).unwrap_err();
        assert_eq!(failure.status, DMSC_ERR_CARD_ABSENT as i32, "{failure}");
    });
}
