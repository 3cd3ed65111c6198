//! Sessions with cards as servers: what waits for what, and what ends with the card.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

mod support;

use dmsc::error::Code;
use dmsc::event::EventKind;
use support::facade::Facade;
use support::sim::{Instead, Sim, profile};

#[test]
fn sc_137_a_trigger_during_a_session_of_this_card_is_queued() {
    let (sim, phone) = (Sim::named("demo"), Facade::new());
    phone.ready(&sim);
    phone.deliver(sim.push()).unwrap();
    phone.until(|phone| !phone.of(EventKind::PackageReceived).is_empty());
    phone.deliver(sim.push()).unwrap();
    // One waits; a third one is refused, since it could bring nothing more.
    let third = phone.deliver(sim.push()).unwrap_err();
    assert_eq!(third.code(), Code::Busy);
    assert_eq!(phone.of(EventKind::SessionStarted).len(), 1);
    phone.settle();
    assert_eq!(phone.ended(), [(0, String::new()), (0, String::new())]);
    let card = sim.card();
    assert_eq!((card.good_sessions(), card.bad_sessions()), (2, 0));
}

#[test]
fn a_sixth_notification_within_ten_minutes_is_refused() {
    let (sim, phone) = (Sim::named("demo"), Facade::new());
    phone.ready(&sim);
    for _ in 0..5 {
        phone.deliver(sim.push()).unwrap();
        phone.settle();
    }
    assert_eq!(phone.ended().len(), 5);
    let error = phone.deliver(sim.push()).unwrap_err();
    assert_eq!(error.code(), Code::Busy);
    assert_eq!(error.to_string(), "com.example.sc asks for sessions too often");
    // It is dropped, not kept for later; the next one is welcome.
    phone.advance(600_000);
    assert_eq!(phone.of(EventKind::TriggerRefused).len(), 1);
    assert_eq!((phone.ended().len(), sim.card().good_sessions()), (5, 5));
    phone.deliver(sim.push()).unwrap();
    phone.settle();
    assert_eq!(phone.ended(), vec![(0, String::new()); 6]);
}

#[test]
fn sc_138_an_unknown_server_is_ignored_with_two_card_accounts() {
    let (first, second, unknown) =
        (Sim::named("demo"), Sim::new(second_card()), Sim::named("unknown-server"));
    let phone = Facade::new();
    phone.ready(&first);
    let other = phone.client.open_card(1, second.boxed()).unwrap();
    phone.client.bootstrap_card(other).unwrap();
    assert_eq!(phone.client.tree_children("./DMAcc").unwrap().len(), 2);
    let exchanges = (first.exchanges(), second.exchanges());
    let error = phone.deliver(unknown.push()).unwrap_err();
    assert_eq!(error.code(), Code::TriggerServer);
    phone.settle();
    assert_eq!((first.exchanges(), second.exchanges()), exchanges);
    assert!(phone.of(EventKind::SessionRequested).is_empty());
}

/// A card of another issuer.
fn second_card() -> uicc_sim::profile::Profile {
    let mut card = profile("demo");
    card.card.iccid = "8988211000000430028".to_owned();
    card.account.server_id = "com.example.other".to_owned();
    card
}

#[test]
fn sc_140_a_card_that_is_removed_ends_its_session_at_once() {
    const TERMINAL_RESPONSE: u8 = 0x14;
    let mut ends = 0;
    for exchange in 0..200 {
        let (sim, phone) = (Sim::named("demo"), Facade::new());
        phone.ready(&sim);
        let mut left = exchange;
        sim.script(move |command| {
            left -= i32::from(command.get(1) == Some(&TERMINAL_RESPONSE));
            if left < 0 { Instead::Return(Code::CardRemoved as i32) } else { Instead::PassOn }
        });
        phone.deliver(sim.push()).unwrap();
        phone.settle();
        let ended = phone.ended();
        assert_eq!(ended.len(), 1, "after {exchange} responses");
        if ended[0].0 == 0 {
            assert!(exchange > 5, "the session was too short for this test");
            return;
        }
        ends += 1;
        assert_eq!(ended[0].0, Code::CardRemoved as i32);
        // The Atomic of the card is there as a whole or not at all, and nothing is tried again.
        let name = phone.client.tree_get("./Operator/Name").unwrap_or_default();
        let mms = phone.client.tree_get("./Operator/Mms").is_ok();
        assert_eq!(name == b"Example Mobile 1", mms, "after {exchange} responses");
        phone.advance(3_600_000);
        assert_eq!(phone.of(EventKind::SessionStarted).len(), 1);
    }
    panic!("{ends} sessions and no end");
}
