//! A phone over the facade, with a clock that a test sets: half a minute passes at once.

use super::abi::DEVICE;
use super::sim::Sim;
use dmsc::client::{CardId, Client, Clock, Delivery, Environment};
use dmsc::config::Config;
use dmsc::driver::Ran;
use dmsc::error::Result;
use dmsc::event::{
    Event, EventKind, Listener, Question, TriggerInfo, TriggerSource, TriggerVerdict,
};
use dmsc::random::Random;
use dmsc::session::Answer;
use dmsc::store::memory::MemoryStore;
use dmsc::store::{Store, Table};
use dmsc::time::Now;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A client with its clock and its store in the test's hands.
pub(crate) struct Facade {
    pub(crate) client: Client,
    store: Arc<dyn Store>,
    clock: Arc<AtomicU64>,
    events: Arc<Mutex<Vec<Event>>>,
    /// Questions that nobody answers.
    questions: Arc<Mutex<Vec<Question>>>,
}

struct Ear {
    events: Arc<Mutex<Vec<Event>>>,
    questions: Arc<Mutex<Vec<Question>>>,
    silent: bool,
}

impl Listener for Ear {
    fn event(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
    }
    fn question(&self, question: Question) {
        if self.silent {
            self.questions.lock().unwrap().push(question);
        } else {
            question.answer(Answer::Accepted).unwrap();
        }
    }
    fn trigger(&self, _: &TriggerInfo) -> TriggerVerdict {
        TriggerVerdict::Accept
    }
    fn has_user(&self) -> bool {
        true
    }
}

/// Octets that differ in each draw; unpredictable they are not.
#[derive(Default)]
struct Counter(u8);

impl Random for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *octet = self.0;
        }
    }
}

impl Facade {
    pub(crate) fn new() -> Self {
        Self::make(false)
    }

    /// A phone whose user never answers.
    pub(crate) fn silent() -> Self {
        Self::make(true)
    }

    fn make(silent: bool) -> Self {
        let clock = Arc::new(AtomicU64::new(1_000));
        let hand = Arc::clone(&clock);
        let read: Clock = Arc::new(move || {
            let mono_ms = hand.load(Ordering::SeqCst);
            Now { mono_ms, unix_s: 1_700_000_000 + (mono_ms / 1000) as i64 }
        });
        Self::with(read, clock, silent).unwrap()
    }

    /// A phone with the clock `read`.
    pub(crate) fn with(read: Clock, clock: Arc<AtomicU64>, silent: bool) -> Result<Self> {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (events, questions) = (Arc::default(), Arc::default());
        let environment = Environment { clock: read, random: Box::new(Counter::default()) };
        let ear = Ear { events: Arc::clone(&events), questions: Arc::clone(&questions), silent };
        let client =
            Client::new(Config::new(DEVICE), Arc::clone(&store), environment, Box::new(ear))?;
        Ok(Self { client, store, clock, events, questions })
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
        self.settle();
    }

    /// Handles everything that is due at this time.
    pub(crate) fn settle(&self) {
        for _ in 0..100_000 {
            if self.client.run_once(Duration::ZERO).unwrap() == Ran::Nothing {
                return;
            }
        }
        panic!("the client never comes to rest");
    }

    /// Card open, bootstrap applied, toolkit running and at rest.
    pub(crate) fn ready(&self, sim: &Sim) -> CardId {
        let card = self.client.open_card(0, sim.boxed()).unwrap();
        self.client.bootstrap_card(card).unwrap();
        self.client.start_toolkit(card).unwrap();
        self.settle();
        card
    }

    pub(crate) fn deliver(&self, octets: Vec<u8>) -> Result<u64> {
        let source = TriggerSource::Push;
        self.client.deliver_trigger(Delivery { source, slot: 0, content_type: None, octets })
    }

    pub(crate) fn of(&self, kind: EventKind) -> Vec<Event> {
        self.events.lock().unwrap().iter().filter(|event| event.kind == kind).cloned().collect()
    }

    /// Status and text of each session that has ended.
    pub(crate) fn ended(&self) -> Vec<(i32, String)> {
        let ended = self.of(EventKind::SessionEnded).into_iter();
        ended.map(|event| (event.status, String::from_utf8(event.data).unwrap())).collect()
    }

    pub(crate) fn asked(&self) -> usize {
        self.questions.lock().unwrap().len()
    }

    /// Every entry of the store but the records of cards seen.
    pub(crate) fn accounts_and_tree(&self) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
        let mut entries = self.dump();
        entries.retain(|(table, _), _| *table != Table::Card);
        entries
    }

    /// Every entry of the store.
    pub(crate) fn dump(&self) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
        let snapshot = self.store.snapshot().unwrap();
        let mut entries = BTreeMap::new();
        for table in Table::ALL {
            let mut visit = |key: &[u8], value: &[u8]| {
                entries.insert((table, key.to_vec()), value.to_vec());
                ControlFlow::Continue(())
            };
            snapshot.scan(table, b"", b"", &mut visit).unwrap();
        }
        entries
    }
}
