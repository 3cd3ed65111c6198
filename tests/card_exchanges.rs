//! How many exchanges a card is troubled with, as docs/performance.md has it: bootstrap cold, warm and
//! unchanged, one HTTP POST over a channel, and a minute of nothing.

// Clippy takes only functions with #[test] for tests; these are their helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

use dmsc::card::transport::CardTransport;
use dmsc::client::{CardId, CardSignal, Client, Environment};
use dmsc::config::Config;
use dmsc::driver::Ran;
use dmsc::error::{Code, Error, Result};
use dmsc::event::{Event, Listener, Question, TriggerInfo, TriggerVerdict};
use dmsc::random::Random;
use dmsc::session::Answer;
use dmsc::store::memory::MemoryStore;
use dmsc::time::Now;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::card::{Card, Protocol};
use uicc_sim::profile::Profile;

/// Exchanges that tell which card it is: the channel, EF.ICCID, the channel's end.
const IDENTITY: usize = 4;
/// EF.ICCID once more behind the last object.
const CONFIRMATION: usize = 2;

type Exchange = (Vec<u8>, Vec<u8>);

struct Reader(Arc<Mutex<Card>>);

impl CardTransport for Reader {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let answer = self.0.lock().unwrap().transmit(command);
        answer.map_err(|_| Error::new(Code::CardRemoved, "the card was removed"))
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

struct Agreeable;

impl Listener for Agreeable {
    fn event(&self, _: &Event) {}
    fn question(&self, question: Question) {
        question.answer(Answer::Accepted).unwrap();
    }
    fn trigger(&self, _: &TriggerInfo) -> TriggerVerdict {
        TriggerVerdict::Accept
    }
    fn has_user(&self) -> bool {
        true
    }
}

struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// A phone with one card whose exchanges are counted, and its clock.
struct Phone {
    client: Client,
    card: CardId,
    seen: Arc<Mutex<Vec<Exchange>>>,
    clock: Arc<AtomicU64>,
}

impl Phone {
    fn new(profile: Profile, store: &Arc<MemoryStore>) -> Self {
        let clock = Arc::new(AtomicU64::new(0));
        let time = Arc::clone(&clock);
        let environment = Environment {
            clock: Arc::new(move || Now {
                mono_ms: time.load(Ordering::SeqCst),
                unix_s: 1_700_000_000,
            }),
            random: Box::new(Counting(0)),
        };
        let config = Config::new("IMEI:004999010640000");
        let client = Client::new(config, store.clone(), environment, Box::new(Agreeable)).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        let show = move |exchange: &dmsc::client::Exchange<'_>| {
            list.lock().unwrap().push((exchange.command.to_vec(), exchange.response.to_vec()));
        };
        client.set_trace(Some(Arc::new(show))).unwrap();
        let reader = Reader(Arc::new(Mutex::new(profile.build().unwrap())));
        let card = client.open_card(0, Box::new(reader)).unwrap();
        Self { client, card, seen, clock }
    }

    fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    fn bootstrap(&self) -> usize {
        self.client.bootstrap_card(self.card).unwrap();
        self.take().len()
    }

    /// Drives until nothing is due before `until` on the clock.
    fn run(&self, until: u64) {
        loop {
            if self.client.run_once(Duration::ZERO).unwrap() == Ran::Something {
                continue;
            }
            let idle = self.client.idle_time().map_or(u64::MAX, |idle| idle.as_millis() as u64);
            let next = self.clock.load(Ordering::SeqCst).saturating_add(idle.max(1));
            if next > until {
                return self.clock.store(until, Ordering::SeqCst);
            }
            self.clock.store(next, Ordering::SeqCst);
        }
    }
}

/// A card whose EF DM_Bootstrap takes this many READ BINARY: four are 1,024 octets.
const READS: usize = 5;

/// A card whose EF DM_Bootstrap is full.
fn large(short_ids: bool) -> Profile {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/uicc-sim/profiles/t1-oiddo.toml");
    let mut profile = Profile::load(file.as_ref()).unwrap();
    profile.card.short_ids = short_ids;
    profile.card.path_length = false;
    profile.card.toolkit.timer_seconds = 0;
    let document = profile.bootstrap_octets().unwrap().len();
    profile.card.padding = 256 * READS - document;
    profile
}

#[test]
fn a_bootstrap_cold_warm_and_unchanged() {
    for (short_ids, cold) in [(true, 7 + READS), (false, 8 + READS)] {
        let store = Arc::new(MemoryStore::new());
        let phone = Phone::new(large(short_ids), &store);
        assert_eq!(phone.take().len(), IDENTITY);
        assert_eq!(phone.bootstrap(), cold + CONFIRMATION, "cold");
        assert_eq!(phone.bootstrap(), 0, "unchanged");
        // Switched off and on: the place on the card is known.
        phone.client.close();
        let phone = Phone::new(large(short_ids), &store);
        assert_eq!(phone.take().len(), IDENTITY);
        let report = phone.client.bootstrap_card(phone.card).unwrap();
        assert_eq!((report.objects_unchanged, report.accounts_added), (1, 0));
        assert_eq!(phone.take().len(), 4 + READS + CONFIRMATION, "warm");
    }
}

#[test]
fn a_card_that_was_reset_is_read_again() {
    let store = Arc::new(MemoryStore::new());
    let phone = Phone::new(large(true), &store);
    phone.bootstrap();
    phone.client.notify_card(phone.card, CardSignal::Reset).unwrap();
    phone.run(1);
    phone.take();
    assert_eq!(phone.bootstrap(), IDENTITY + 4 + READS + CONFIRMATION);
}

#[test]
fn a_changed_file_is_seen_although_its_place_is_known() {
    let store = Arc::new(MemoryStore::new());
    Phone::new(large(true), &store).bootstrap();
    let mut other = large(true);
    other.account.name = "Another name".to_owned();
    let phone = Phone::new(other, &store);
    let report = phone.client.bootstrap_card(phone.card).unwrap();
    assert_eq!((report.objects_unchanged, report.accounts_replaced), (0, 1));
    // One that was moved too.
    let mut moved = large(true);
    moved.card.bootstrap_fid = 0x6435;
    let phone = Phone::new(moved, &store);
    let report = phone.client.bootstrap_card(phone.card).unwrap();
    assert_eq!((report.accounts_removed, report.accounts_added), (1, 1));
}

/// The type of a proactive command that a FETCH brought, its qualifier and its data objects' octets.
fn fetched(exchange: &Exchange) -> Option<u8> {
    let (command, response) = exchange;
    (command[1] == 0x12).then(|| {
        let at = response.windows(2).position(|octets| octets == [0x81, 0x03]).unwrap();
        response[at + 3]
    })
}

#[test]
fn one_post_over_a_channel_costs_what_the_formula_says() {
    let mut profile = Profile::demo();
    profile.card.protocol = Protocol::T1;
    profile.card.toolkit.timer_seconds = 0;
    let store = Arc::new(MemoryStore::new());
    let phone = Phone::new(profile, &store);
    phone.bootstrap();
    phone.client.start_toolkit(phone.card).unwrap();
    phone.run(1);
    phone.take();
    phone.client.start_session(None).unwrap();
    phone.run(2000);
    let seen = phone.take();
    let (mut posts, mut request, mut response) = (0, Vec::new(), Vec::new());
    let (mut receives, mut sends, mut envelopes) = (0, 0, 0);
    for exchange in &seen {
        match (exchange.0[1], fetched(exchange)) {
            (0xC2, _) => envelopes += 1,
            (_, Some(0x42)) => receives += 1,
            (_, Some(0x43)) => sends += 1,
            _ => {}
        }
        if let (0x14, data) = (exchange.0[1], &exchange.0[5..])
            && data[3] == 0x42
        {
            // What the terminal gives to RECEIVE DATA: the request, in pieces of 237 octets.
            let at = data.iter().position(|octet| *octet == 0xB6).unwrap();
            let (skip, length) = match data[at + 1] {
                0x81 => (3, usize::from(data[at + 2])),
                length => (2, usize::from(length)),
            };
            assert_eq!(data.len(), at + skip + length + 3);
            request.push(length);
            posts += usize::from(data[at + skip..].starts_with(b"POST"));
        }
        if fetched(exchange) == Some(0x43) {
            response.push(exchange.1.len());
        }
    }
    assert!(posts >= 2, "{posts} posts");
    assert_eq!(receives, request.len());
    // Every piece but the last of each request is full, so that none is asked for in vain.
    let full = request.iter().filter(|length| **length == 237).count();
    assert!(receives - full <= posts, "{request:?}");
    // One event says that the connection is there, one for each request that data wait, and one that the
    // terminal closed it.
    assert_eq!(envelopes, 2 + posts);
    assert_eq!(sends, response.len());
    // Nothing else: a fetch and a response for each piece, and the events.
    assert_eq!(seen.len(), envelopes + 2 * receives + 2 * sends);
}

#[test]
fn a_minute_of_nothing_costs_two_exchanges() {
    let mut profile = Profile::demo();
    profile.card.toolkit.timer_seconds = 0;
    profile.card.protocol = Protocol::T1;
    let phone = Phone::new(profile, &Arc::new(MemoryStore::new()));
    phone.run(60_000);
    phone.take();
    phone.run(3_600_000);
    assert_eq!(phone.take().len(), 0, "without a toolkit nothing is polled");
    phone.client.start_toolkit(phone.card).unwrap();
    phone.run(3_660_000);
    phone.take();
    phone.run(3_720_000);
    let seen = phone.take();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|(command, _)| command[..] == [0x80, 0xF2, 0x00, 0x0C, 0x00]));
}
