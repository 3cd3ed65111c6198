//! Cards of other kinds through the whole flow, and cards that misbehave in it.

use super::phone::Phone;
use dmsc::event::EventKind;
use dmsc::store::memory::MemoryStore;
use std::sync::{Arc, Mutex};
use uicc_sim::card::{Card, Protocol};
use uicc_sim::profile::Profile;

fn card(edit: impl FnOnce(&mut Profile)) -> Arc<Mutex<Card>> {
    let mut profile = Profile::demo();
    profile.card.toolkit.timer_seconds = 0;
    edit(&mut profile);
    Arc::new(Mutex::new(profile.build().unwrap()))
}

fn phone(card: &Arc<Mutex<Card>>) -> Phone {
    Phone::with_card(card, &Arc::new(MemoryStore::new())).unwrap()
}

#[test]
fn a_sim_of_gsm_11_11_bootstraps_and_holds_its_session() {
    let card = card(|profile| {
        (profile.card.gsm, profile.card.protocol) = (true, Protocol::T0);
        profile.card.toolkit.timer_seconds = 1;
    });
    let phone = phone(&card);
    assert!(!phone.client.card_info(phone.card).unwrap().is_uicc);
    phone.client.bootstrap_card(phone.card).unwrap();
    phone.client.start_toolkit(phone.card).unwrap();
    phone.run(20_000);
    assert_eq!(phone.statuses(EventKind::SessionEnded), [0]);
    assert!(phone.take().iter().all(|(command, _)| command[0] == 0xA0 || command[0] == 0x00));
    let card = card.lock().unwrap();
    assert_eq!((card.good_sessions(), card.bad_sessions()), (1, 0), "{}", card.report());
}

#[test]
fn sc_102_an_update_over_the_air_is_read_behind_its_refresh() {
    let mut other = Profile::demo();
    other.account.name = "Another name".to_owned();
    let update = other.bootstrap_octets().unwrap();
    let card = card(|profile| profile.card.path_length = false);
    let phone = phone(&card);
    phone.client.bootstrap_card(phone.card).unwrap();
    phone.client.start_toolkit(phone.card).unwrap();
    phone.run(1000);
    card.lock().unwrap().update_bootstrap(update);
    // Polling brings it.
    phone.run(40_000);
    assert!(card.lock().unwrap().report().contains("REFRESH carried out"));
    let asked = phone.events().into_iter().filter(|event| event.phase == 1).count();
    assert_eq!(asked, 1, "the host is told to read again");
    let report = phone.client.bootstrap_card(phone.card).unwrap();
    assert_eq!((report.accounts_replaced, report.objects_unchanged), (1, 0));
}

#[test]
fn a_card_that_never_comes_to_rest_is_slowed_down() {
    let card = card(|profile| profile.card.faults.endless_proactive = true);
    let phone = phone(&card);
    phone.client.start_toolkit(phone.card).unwrap();
    phone.take();
    phone.run(10_000);
    let first = phone.take().len();
    phone.run(20_000);
    let second = phone.take().len();
    assert!(first >= 512, "{first} exchanges");
    // One command a second: a fetch and a response.
    assert!(second <= 22, "{second} exchanges");
}
