//! A card that does not answer, and a reader that somebody else keeps: an exchange is cancelled or left.

use super::phone::{CardHandle, Phone};
use crate::support::daemon::{until, with_pcscd};
use crate::support::inserted::{Inserted, card, demo};
use dmsc::card::pcsc::PcscTransport;
use dmsc::card::transport::CardTransport;
use dmsc::client::{CardId, Client, Environment};
use dmsc::config::Config;
use dmsc::error::Code;
use dmsc::event::{Event, Listener, Question, TriggerInfo, TriggerVerdict};
use dmsc::ffi::dmsc_event_type::DMSC_EVENT_CARD_STATE;
use dmsc::ffi::dmsc_status::*;
use dmsc::store::memory::MemoryStore;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use uicc_sim::card::{Card, Protocol};
use uicc_sim::link::Observer;

const STATUS: [u8; 5] = [0x80, 0xF2, 0x00, 0x0C, 0x00];
/// Longer than a card takes that answers.
const LIMIT: Duration = Duration::from_secs(2);

/// Exchanges that opening the card takes.
fn opening(protocol: Protocol) -> u32 {
    let inserted = Inserted::new(0, card(demo(protocol)).0);
    let phone = Phone::new();
    phone.open(0, None).unwrap().close();
    u32::try_from(inserted.pull().apdus()).unwrap()
}

/// Tells when the card leaves a command without an answer.
struct Telltale(Sender<()>);

impl Observer for Telltale {
    fn exchanged(&mut self, _: &Card, _: &[u8], response: &[u8]) {
        if response.is_empty() {
            self.0.send(()).unwrap();
        }
    }
}

/// A card that does not answer the first command after it was opened, and says so.
fn mute(protocol: Protocol) -> (Inserted, Receiver<()>) {
    let mut profile = demo(protocol);
    profile.card.faults.mute_at = Some(opening(protocol) + 1);
    let (tell, hangs) = channel();
    (Inserted::observed(0, card(profile).0, Telltale(tell)), hangs)
}

/// Does `end` while an exchange hangs; what that ends with.
fn hanging(hangs: &Receiver<()>, card: CardHandle, end: impl FnOnce()) -> i32 {
    thread::scope(|scope| {
        let exchange = scope.spawn(move || card.transmit(&STATUS).unwrap_err().status);
        hangs.recv().unwrap();
        end();
        exchange.join().unwrap()
    })
}

fn an_exchange_is_cancelled(protocol: Protocol) {
    let (inserted, hangs) = mute(protocol);
    let phone = Phone::new();
    let card = phone.open(3, None).unwrap();
    let ended = hanging(&hangs, card, || card.cancel().unwrap());
    assert_eq!(ended, DMSC_ERR_CANCELLED as i32);
    // The reader still waits for the card; nobody waits for the reader.
    let failure = card.transmit(&STATUS).unwrap_err();
    assert_eq!(failure.status, DMSC_ERR_TIMEOUT as i32);
    assert!(failure.text.contains("has not answered the exchange before"), "{failure}");

    let pulled = inserted.pull();
    phone.run_until("the card is gone", |ears| {
        ears.of(DMSC_EVENT_CARD_STATE).any(|event| event.status < 0)
    });
    card.close();
    let inserted = Inserted::new(0, pulled);
    let card = phone.open(3, None).unwrap();
    assert_eq!(phone.bootstrap(card).unwrap().accounts_added, 1);
    phone.start_toolkit(card).unwrap();
    assert_eq!(phone.run_sessions(1), [0]);
    drop(phone);
    assert_eq!(inserted.pull().good_sessions(), 1);
}

#[test]
fn an_exchange_with_a_mute_t0_card_is_cancelled_and_the_card_works_when_it_is_back() {
    with_pcscd(|_pcscd| an_exchange_is_cancelled(Protocol::T0));
}

#[test]
fn an_exchange_with_a_mute_t1_card_is_cancelled_and_the_card_works_when_it_is_back() {
    with_pcscd(|_pcscd| an_exchange_is_cancelled(Protocol::T1));
}

#[test]
fn neither_closing_a_card_nor_ending_waits_for_a_mute_one() {
    with_pcscd(|_pcscd| {
        for whole_client in [false, true] {
            let (inserted, hangs) = mute(Protocol::T0);
            let phone = Phone::new();
            let card = phone.open(0, None).unwrap();
            let ended = hanging(&hangs, card, || match whole_client {
                true => drop(phone),
                false => card.close(),
            });
            assert!([DMSC_ERR_CANCELLED as i32, DMSC_ERR_STATE as i32].contains(&ended), "{ended}");
            inserted.pull();
        }
    });
}

struct Deaf;

impl Listener for Deaf {
    fn event(&self, _: &Event) {}
    fn question(&self, _: Question) {}
    fn trigger(&self, _: &TriggerInfo) -> TriggerVerdict {
        TriggerVerdict::Refuse
    }
    fn has_user(&self) -> bool {
        false
    }
}

fn client() -> Client {
    let config = Config::new("IMEI:004999010640000");
    let store = Arc::new(MemoryStore::new());
    Client::new(config, store, Environment::system(), Box::new(Deaf)).unwrap()
}

fn opened(client: &Client) -> CardId {
    let transport = PcscTransport::open(None).unwrap().with_timeout(LIMIT);
    client.open_card(0, Box::new(transport)).unwrap()
}

#[test]
fn a_mute_card_is_waited_for_as_long_as_an_exchange_may_take() {
    with_pcscd(|_pcscd| {
        let (inserted, _hangs) = mute(Protocol::T1);
        let client = client();
        let card = opened(&client);
        let error = client.card_transmit(card, STATUS.to_vec()).unwrap_err();
        assert_eq!(error.code(), Code::Timeout, "{error}");
        assert!(error.to_string().contains("did not answer in 2000 ms"), "{error}");
        // What comes next does not wait at all.
        let error = client.bootstrap_card(card).unwrap_err();
        assert_eq!(error.code(), Code::Timeout, "{error}");
        client.close();
        inserted.pull();
    });
}

#[test]
fn a_lock_that_comes_too_late_is_given_back() {
    with_pcscd(|_pcscd| {
        let inserted = Inserted::new(0, card(demo(Protocol::T1)).0);
        let client = client();
        let card = opened(&client);
        let mut other = PcscTransport::open(None).unwrap();
        other.lock().unwrap();
        let error = client.bootstrap_card(card).unwrap_err();
        assert_eq!(error.code(), Code::Timeout, "{error}");
        other.unlock();
        // The lock that nobody waits for any more comes and goes; then both have their turns.
        let added = until("the card is free", || client.bootstrap_card(card).ok());
        assert_eq!(added.accounts_added, 1);
        other.lock().unwrap();
        assert_eq!(other.transmit(&STATUS).unwrap(), [0x90, 0x00]);
        other.unlock();
        client.close();
        inserted.pull();
    });
}
