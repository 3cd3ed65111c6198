//! The card is pulled at exchange 1, 2, 3 and so on to the last one of the whole flow. Each time the phone is
//! left without anything half done, and the card that is put back works.

use super::phone::Phone;
use dmsc::error::{Code, Error, Result};
use dmsc::event::EventKind;
use dmsc::store::memory::MemoryStore;
use std::sync::{Arc, Mutex};
use uicc_sim::card::{Card, Protocol};
use uicc_sim::profile::Profile;

const GONE: [i32; 2] = [Code::CardRemoved as i32, Code::CardAbsent as i32];

fn card(protocol: Protocol, remove_after: Option<u32>) -> Arc<Mutex<Card>> {
    let mut profile = Profile::demo();
    profile.card.protocol = protocol;
    profile.card.toolkit.timer_seconds = 1;
    profile.server.seed = Some(1);
    profile.card.faults.remove_after_apdus = remove_after;
    Arc::new(Mutex::new(profile.build().unwrap()))
}

/// Bootstrap, toolkit, and the session that the card asks for; the error of the card's removal.
fn flow(phone: &Phone) -> Result<()> {
    phone.client.bootstrap_card(phone.card)?;
    phone.client.start_toolkit(phone.card)?;
    phone.run(20_000);
    match phone.statuses(EventKind::CardState).iter().find(|status| **status < 0) {
        Some(_) => Err(Error::new(Code::CardRemoved, "pulled")),
        None => Ok(()),
    }
}

/// Nothing of the first try is half there: no account, or all of it; every session has ended.
fn assert_clean(phone: &Phone, at: u32) {
    let begun = phone.statuses(EventKind::SessionStarted).len();
    let ended = phone.statuses(EventKind::SessionEnded);
    assert_eq!(begun, ended.len(), "exchange {at}");
    assert!(ended.iter().all(|status| *status == 0 || GONE.contains(status)), "{at}: {ended:?}");
    let told = phone.statuses(EventKind::CardState);
    let gone = told.iter().filter(|status| **status < 0).count();
    assert_eq!(gone, 1, "exchange {at}: {told:?}");
    // A card that is gone is not spoken to.
    phone.take();
    assert!(phone.client.card_transmit(phone.card, vec![0x80, 0xF2, 0x00, 0x0C, 0x00]).is_err());
    phone.run(100_000);
    assert_eq!(phone.take().len(), 0, "exchange {at}");
}

/// Exchanges of the flow when nothing happens to the card.
fn whole(protocol: Protocol) -> u32 {
    let card = card(protocol, None);
    let phone = Phone::with_card(&card, &Arc::new(MemoryStore::new())).unwrap();
    flow(&phone).unwrap();
    let card = card.lock().unwrap();
    assert_eq!((card.good_sessions(), card.bad_sessions()), (1, 0), "{}", card.report());
    u32::try_from(card.apdus()).unwrap()
}

fn pulled_at(protocol: Protocol, at: u32) {
    let card = card(protocol, Some(at));
    let store = Arc::new(MemoryStore::new());
    match Phone::with_card(&card, &store) {
        Ok(phone) => {
            let error = flow(&phone).unwrap_err();
            assert!(error.is_card_gone(), "exchange {at}: {error}");
            assert_clean(&phone, at);
            phone.client.close();
        }
        Err(error) => assert!(error.is_card_gone(), "exchange {at}: {error}"),
    }
    card.lock().unwrap().insert();
    // The memory of phone and card is what it was; both go on.
    let phone = Phone::with_card(&card, &store).unwrap();
    flow(&phone).unwrap_or_else(|error| panic!("again after exchange {at}: {error}"));
    let ended = phone.statuses(EventKind::SessionEnded);
    if ended.is_empty() {
        // A card that was pulled between the nonce it gave and the phone's use of it signs with the one
        // before: its notification is refused, and the next session puts that right.
        let refused = phone.statuses(EventKind::TriggerRefused);
        assert_eq!(refused, [Code::TriggerDigest as i32], "exchange {at}: {:?}", phone.events());
        phone.client.start_session(None).unwrap();
        phone.run(40_000);
    }
    let ended = phone.statuses(EventKind::SessionEnded);
    assert!(!ended.is_empty() && ended.iter().all(|status| *status == 0), "{at}: {ended:?}");
    let card = card.lock().unwrap();
    assert_eq!(card.open_channels(), [0; 0], "exchange {at}");
    // A script that was half through finds its nodes there and is no judge any more; the phone is.
    let sessions = card.good_sessions() + card.bad_sessions();
    assert!(sessions >= 1, "exchange {at}: {}", card.report());
}

#[test]
fn sc_072_sc_140_the_card_is_pulled_at_every_exchange() {
    for protocol in [Protocol::T0, Protocol::T1] {
        let exchanges = whole(protocol);
        assert!(exchanges > 60, "{exchanges} exchanges");
        for at in 0..exchanges {
            pulled_at(protocol, at);
        }
    }
}
