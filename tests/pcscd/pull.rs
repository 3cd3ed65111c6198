//! The card is pulled out of its reader at exchange after exchange of the whole flow, and put back.
//!
//! Readers take their time to notice it, so `make pull` tries every exchange and the usual run some of them.

use super::phone::{CardHandle, Failure, Phone};
use crate::support::daemon::with_pcscd;
use crate::support::inserted::{Inserted, card, demo};
use dmsc::ffi::dmsc_event_type::*;
use dmsc::ffi::dmsc_status::*;
use uicc_sim::card::{Card, Protocol};

/// Environment: distance from one exchange that is tried to the next.
const STEP: &str = "DMSC_PULL_STEP";

fn step() -> u32 {
    std::env::var(STEP).map_or(17, |step| step.parse().unwrap())
}

fn is_gone(status: i32) -> bool {
    [DMSC_ERR_CARD_REMOVED as i32, DMSC_ERR_CARD_ABSENT as i32].contains(&status)
}

/// Opens the card, applies what it brings, starts its toolkit, and has a session with it.
fn flow(phone: &Phone, slot: u32, earlier: usize) -> Result<(), Failure> {
    let card = phone.open(slot, None)?;
    let done = phone.bootstrap(card).and_then(|report| {
        assert_eq!(report.accounts_added + report.objects_unchanged, 1);
        phone.start_toolkit(card)?;
        phone.start_session()?;
        match phone.run_sessions(earlier + 1)[earlier] {
            0 => Ok(()),
            status => Err(Failure { status, text: "session".to_owned() }),
        }
    });
    if done.is_err() {
        assert_nothing_is_left(phone, card);
    }
    card.close();
    done
}

/// Who was told of a beginning was told of its end, the removal once, and the handle is of no use.
fn assert_nothing_is_left(phone: &Phone, card: CardHandle) {
    phone.run_until("the card is gone", |ears| {
        ears.of(DMSC_EVENT_CARD_STATE).any(|event| event.status < 0)
    });
    let transmitted = card.transmit(&[0x80, 0xF2, 0x00, 0x0C, 0x00]);
    assert!(is_gone(transmitted.unwrap_err().status));
    let heard = phone.heard();
    let count = |kind| heard.of(kind).count();
    assert_eq!(count(DMSC_EVENT_SESSION_STARTED), count(DMSC_EVENT_SESSION_ENDED));
    let gone = heard.of(DMSC_EVENT_CARD_STATE).filter(|event| event.status < 0);
    assert_eq!(gone.count(), 1, "{:?}", heard.events);
}

fn fresh(protocol: Protocol, remove_after: Option<u32>) -> Card {
    let mut profile = demo(protocol);
    profile.card.toolkit.timer_seconds = 0;
    profile.server.seed = Some(1);
    profile.card.faults.remove_after_apdus = remove_after;
    card(profile).0
}

/// Pulls the card after so many exchanges; false if the flow is over by then.
fn pulled_after(protocol: Protocol, exchanges: u32) -> bool {
    let inserted = Inserted::new(0, fresh(protocol, Some(exchanges)));
    let phone = Phone::new();
    let Err(failure) = flow(&phone, 0, 0) else { return false };
    assert!(is_gone(failure.status), "{exchanges}: {failure}");
    let mut pulled = inserted.pull();
    assert_eq!(pulled.open_channels(), [0; 0], "{exchanges}");
    pulled.insert();
    let inserted = Inserted::new(0, pulled);
    let earlier = phone.heard().of(DMSC_EVENT_SESSION_ENDED).count();
    flow(&phone, 1, earlier).unwrap_or_else(|failure| panic!("{exchanges}: {failure}"));
    drop(phone);
    assert_eq!(inserted.pull().open_channels(), [0; 0], "{exchanges}");
    true
}

fn pulled_everywhere(protocol: Protocol) {
    let inserted = Inserted::new(0, fresh(protocol, None));
    flow(&Phone::new(), 0, 0).unwrap();
    let card = inserted.pull();
    assert_eq!((card.good_sessions(), card.bad_sessions()), (1, 0), "{}", card.report());
    let all = u32::try_from(card.apdus()).unwrap();
    let tried = (0..).step_by(step() as usize).take_while(|at| pulled_after(protocol, *at)).count();
    // What a card is told last, at its closing, may come or not.
    let whole = all.div_ceil(step()) as usize;
    assert!(all > 60 && (whole - 1..=whole).contains(&tried), "{tried} of {all} exchanges");
    println!("{protocol:?}: pulled at {tried} of {all} exchanges");
}

#[test]
fn sc_072_sc_140_a_t0_card_is_pulled_in_the_whole_flow_and_put_back() {
    with_pcscd(|_pcscd| pulled_everywhere(Protocol::T0));
}

#[test]
fn sc_072_sc_140_a_t1_card_is_pulled_in_the_whole_flow_and_put_back() {
    with_pcscd(|_pcscd| pulled_everywhere(Protocol::T1));
}
