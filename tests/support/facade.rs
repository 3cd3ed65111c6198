//! A phone over the facade, with a clock that a test sets: half a minute passes at once.

use super::abi::DEVICE;
use super::sim::Sim;
use dmsc::client::{CardId, Client, Clock, Delivery, Environment};
use dmsc::config::Config;
use dmsc::driver::Ran;
use dmsc::error::Result;
use dmsc::event::{
    ConnectionInfo, Event, EventKind, Listener, Purpose, Question, TriggerInfo, TriggerSource,
    TriggerVerdict,
};
use dmsc::random::Random;
use dmsc::session::Answer;
use dmsc::store::memory::MemoryStore;
use dmsc::store::{Store, Table};
use dmsc::time::Now;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    /// Connections that needed consent, and whether they get it.
    pub(crate) connections: Arc<Mutex<Vec<ConnectionInfo>>>,
    pub(crate) allows: Arc<AtomicBool>,
    user: Arc<User>,
}

/// What the user is asked and what he answers, in that order; Yes when nothing is left.
#[derive(Default)]
pub(crate) struct User {
    pub(crate) answers: Mutex<VecDeque<Answer>>,
    pub(crate) heard: Mutex<Vec<(Purpose, String)>>,
    /// There is none.
    pub(crate) absent: AtomicBool,
}

struct Ear {
    user: Arc<User>,
    events: Arc<Mutex<Vec<Event>>>,
    questions: Arc<Mutex<Vec<Question>>>,
    silent: bool,
    connections: Arc<Mutex<Vec<ConnectionInfo>>>,
    allows: Arc<AtomicBool>,
}

impl Listener for Ear {
    fn event(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
    }
    fn question(&self, question: Question) {
        let heard = (question.purpose, question.alert.text.clone());
        self.user.heard.lock().unwrap().push(heard);
        if self.silent {
            self.questions.lock().unwrap().push(question);
        } else {
            let answer = self.user.answers.lock().unwrap().pop_front();
            question.answer(answer.unwrap_or(Answer::Accepted)).unwrap();
        }
    }
    fn trigger(&self, _: &TriggerInfo) -> TriggerVerdict {
        TriggerVerdict::Accept
    }
    fn connection(&self, info: &ConnectionInfo) -> bool {
        self.connections.lock().unwrap().push(info.clone());
        self.allows.load(Ordering::SeqCst)
    }
    fn has_user(&self) -> bool {
        !self.user.absent.load(Ordering::SeqCst)
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
        Self::make(false, &|_| {})
    }

    /// A phone with another configuration.
    pub(crate) fn configured(configure: &dyn Fn(&mut Config)) -> Self {
        Self::make(false, configure)
    }

    /// As [`configured`](Self::configured), with a user who never answers.
    pub(crate) fn silent_and_configured(configure: &dyn Fn(&mut Config)) -> Self {
        Self::make(true, configure)
    }

    /// A phone whose user never answers.
    pub(crate) fn silent() -> Self {
        Self::make(true, &|_| {})
    }

    fn make(silent: bool, configure: &dyn Fn(&mut Config)) -> Self {
        let clock = Arc::new(AtomicU64::new(1_000));
        let read = Self::clock(&clock);
        let mut config = Config::new(DEVICE);
        configure(&mut config);
        Self::build(config, Arc::new(MemoryStore::new()), read, clock, silent).unwrap()
    }

    /// A phone with the clock `read`.
    pub(crate) fn with(read: Clock, clock: Arc<AtomicU64>, silent: bool) -> Result<Self> {
        Self::build(Config::new(DEVICE), Arc::new(MemoryStore::new()), read, clock, silent)
    }

    /// A phone set up as `config` says, over a store that may have been used before.
    pub(crate) fn on(config: Config, store: Arc<dyn Store>) -> Result<Self> {
        let clock = Arc::new(AtomicU64::new(1_000));
        let read = Self::clock(&clock);
        Self::build(config, store, read, clock, false)
    }

    fn clock(hand: &Arc<AtomicU64>) -> Clock {
        let hand = Arc::clone(hand);
        Arc::new(move || {
            let mono_ms = hand.load(Ordering::SeqCst);
            Now { mono_ms, unix_s: 1_700_000_000 + (mono_ms / 1000) as i64 }
        })
    }

    fn build(
        config: Config,
        store: Arc<dyn Store>,
        read: Clock,
        clock: Arc<AtomicU64>,
        silent: bool,
    ) -> Result<Self> {
        let user: Arc<User> = Arc::default();
        let (events, questions) = (Arc::default(), Arc::default());
        let environment = Environment { clock: read, random: Box::new(Counter::default()) };
        let (connections, allows) = (Arc::default(), Arc::new(AtomicBool::new(true)));
        let ear = Ear {
            user: Arc::clone(&user),
            events: Arc::clone(&events),
            questions: Arc::clone(&questions),
            silent,
            connections: Arc::clone(&connections),
            allows: Arc::clone(&allows),
        };
        let client = Client::new(config, Arc::clone(&store), environment, Box::new(ear))?;
        Ok(Self { client, store, clock, events, questions, connections, allows, user })
    }

    /// Drives until `done`, waiting for sockets in between.
    #[track_caller]
    pub(crate) fn until(&self, done: impl Fn(&Self) -> bool) {
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while !done(self) {
            assert!(std::time::Instant::now() < end, "it does not come: {:?}", self.events());
            self.client.run_once(Duration::from_millis(20)).unwrap();
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Drives until `number` sessions have ended; status and text of the last.
    #[track_caller]
    pub(crate) fn wait_ended(&self, number: usize) -> (i32, String) {
        self.until(|phone| phone.ended().len() >= number);
        self.ended().pop().unwrap()
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

    pub(crate) fn user(&self) -> &User {
        &self.user
    }

    /// The host's view of a leaf's value or a property; `None` if it is not there.
    pub(crate) fn text(&self, uri: &str) -> Option<String> {
        self.client.tree_get(uri).ok().map(|value| String::from_utf8(value).unwrap())
    }

    /// Names below a node.
    pub(crate) fn names(&self, uri: &str) -> Vec<String> {
        let children = self.client.tree_children(uri).unwrap_or_default();
        children.into_iter().map(|(name, _)| name).collect()
    }

    pub(crate) fn asked(&self) -> usize {
        self.questions.lock().unwrap().len()
    }

    /// The oldest question that nobody has answered.
    pub(crate) fn question(&self) -> Question {
        self.questions.lock().unwrap().remove(0)
    }

    /// The records of the journal.
    pub(crate) fn journal(&self) -> Vec<String> {
        let export = String::from_utf8(self.client.audit_export().unwrap()).unwrap();
        export.lines().map(str::to_owned).collect()
    }

    /// Every entry of the store but the records of cards seen.
    pub(crate) fn accounts_and_tree(&self) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
        let mut entries = self.dump();
        entries.retain(|(table, _), _| *table != Table::Card);
        entries
    }

    /// Every entry of the store but the journal.
    pub(crate) fn dump(&self) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
        let snapshot = self.store.snapshot().unwrap();
        let mut entries = BTreeMap::new();
        // The journal grows with everything that is refused, too.
        for table in Table::ALL.into_iter().filter(|table| *table != Table::Audit) {
            let mut visit = |key: &[u8], value: &[u8]| {
                entries.insert((table, key.to_vec()), value.to_vec());
                ControlFlow::Continue(())
            };
            snapshot.scan(table, b"", b"", &mut visit).unwrap();
        }
        entries
    }
}
