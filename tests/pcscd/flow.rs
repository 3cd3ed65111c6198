//! The enabler's two flows, from the bootstrap to the card's verdict.

use super::phone::Phone;
use crate::support::daemon::with_pcscd;
use crate::support::inserted::{Inserted, card, demo};
use dmsc::ffi::{dmsc_event_type, dmsc_trigger_source};
use std::path::Path;
use uicc_sim::application::Application;
use uicc_sim::card::{Protocol, Verdict};
use uicc_sim::profile::Profile;

/// Bootstraps from the card, lets the card ask for a session, then asks for one by push. The phone
/// is given back for a look at its tree.
fn both_flows(profile: Profile) -> Phone {
    let server_id = profile.account.server_id.clone();
    let questions = profile.script.len() > 1;
    let (card, server) = card(profile);
    let inserted = Inserted::new(0, card);
    let phone = Phone::new();

    let card = phone.open(1, None).unwrap();
    let report = phone.bootstrap(card).unwrap();
    assert_eq!((report.accounts_added, report.objects_failed), (1, 0));
    phone.start_toolkit(card).unwrap();
    assert_eq!(phone.run_sessions(1), [0]);
    assert_eq!(phone.card_info(card).has_scws, 1);

    let pdu = server.get().notification();
    phone.push(&pdu).unwrap();
    assert_eq!(phone.run_sessions(2), [0, 0]);

    let from = |source: dmsc_trigger_source| (source as u32, server_id.clone());
    let sources = [dmsc_trigger_source::DMSC_TRIGGER_CARD, dmsc_trigger_source::DMSC_TRIGGER_PUSH];
    assert_eq!(phone.heard().triggers, sources.map(from));
    assert_eq!(phone.heard().questions.len(), if questions { 2 } else { 0 });
    let refused = dmsc_event_type::DMSC_EVENT_TRIGGER_REFUSED;
    assert_eq!(phone.heard().of(refused).count(), 0);

    let report = phone.bootstrap(card).unwrap();
    assert_eq!((report.accounts_added, report.objects_unchanged), (0, 1));
    card.close();
    let card = inserted.pull();
    assert_eq!(card.verdict(), Verdict::Good, "{}", card.report());
    assert_eq!((card.good_sessions(), card.bad_sessions()), (2, 0), "{}", card.report());
    assert_eq!(card.open_channels(), [0; 0]);
    phone
}

fn demo_is_provisioned(phone: &Phone) {
    let leaf = |uri| phone.leaf(uri).unwrap_or_default();
    assert_eq!(leaf("./Operator/Apn"), "internet-2.example");
    assert_eq!(leaf("./Operator/Name"), "Example Mobile 2");
    assert_eq!(leaf("./Operator/Mms"), "http://mms.example/");
    let questions = vec!["Use the new settings of Example Mobile?"; 2];
    assert_eq!(phone.heard().questions, questions);
}

fn other_profile() -> Profile {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("uicc-sim/profiles/t1-oiddo.toml");
    let mut profile = Profile::load(&file).unwrap();
    profile.card.toolkit.timer_seconds = 1;
    profile
}

#[test]
fn both_flows_on_a_card_with_t0() {
    with_pcscd(|_pcscd| demo_is_provisioned(&both_flows(demo(Protocol::T0))));
}

#[test]
fn both_flows_on_a_card_with_t1() {
    with_pcscd(|_pcscd| demo_is_provisioned(&both_flows(demo(Protocol::T1))));
}

#[test]
fn both_flows_on_another_profile() {
    with_pcscd(|_pcscd| {
        let phone = both_flows(other_profile());
        assert_eq!(phone.leaf("./Operator/Apn"), None);
    });
}

#[test]
fn two_cards_at_once() {
    with_pcscd(|_pcscd| {
        let cards = [(0, Protocol::T0), (1, Protocol::T1)].map(|(slot, protocol)| {
            let mut profile = demo(protocol);
            profile.card.iccid = format!("898821100000043001{slot}");
            profile.account.server_id = format!("com.example.card{slot}");
            // Both servers may do this, whichever comes first.
            profile.script = other_profile().script;
            Inserted::new(slot, card(profile).0)
        });
        let phone = Phone::new();
        for (slot, reader) in [(7, "DMSC test 00 00"), (8, "DMSC test 00 01")] {
            let card = phone.open(slot, Some(reader)).unwrap();
            assert_eq!(phone.bootstrap(card).unwrap().accounts_added, 1);
            phone.start_toolkit(card).unwrap();
        }
        assert_eq!(phone.run_sessions(2), [0, 0]);
        let mut servers: Vec<_> =
            phone.heard().triggers.iter().map(|(_, server)| server.clone()).collect();
        servers.sort();
        assert_eq!(servers, ["com.example.card0", "com.example.card1"]);
        drop(phone);
        for inserted in cards {
            let card = inserted.pull();
            assert_eq!(card.good_sessions(), 1, "{}", card.report());
        }
    });
}
