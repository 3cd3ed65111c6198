//! A phone with one simulated card whose exchanges are seen, and a clock that moves only when nothing is due.

use dmsc::card::transport::CardTransport;
use dmsc::client::{CardId, Client, Environment};
use dmsc::config::Config;
use dmsc::driver::Ran;
use dmsc::error::{Code, Error, Result};
use dmsc::event::{Event, EventKind, Listener, Question, TriggerInfo, TriggerVerdict};
use dmsc::random::Random;
use dmsc::session::Answer;
use dmsc::store::memory::MemoryStore;
use dmsc::time::Now;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::card::Card;
use uicc_sim::profile::Profile;

/// Command and response APDU.
pub(crate) type Exchange = (Vec<u8>, Vec<u8>);

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

/// A host that agrees to everything and remembers what it heard.
struct Agreeable(Arc<Mutex<Vec<Event>>>);

impl Listener for Agreeable {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
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

/// The phone, its card open.
pub(crate) struct Phone {
    pub(crate) client: Client,
    pub(crate) card: CardId,
    seen: Arc<Mutex<Vec<Exchange>>>,
    events: Arc<Mutex<Vec<Event>>>,
    clock: Arc<AtomicU64>,
}

impl Phone {
    pub(crate) fn new(profile: Profile, store: &Arc<MemoryStore>) -> Self {
        let card = Arc::new(Mutex::new(profile.build().unwrap()));
        Self::with_card(&card, store).unwrap()
    }

    /// Fails if the card cannot be opened.
    pub(crate) fn with_card(card: &Arc<Mutex<Card>>, store: &Arc<MemoryStore>) -> Result<Self> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let host = Box::new(Agreeable(Arc::clone(&events)));
        let clock = Arc::new(AtomicU64::new(0));
        let time = Arc::clone(&clock);
        let environment = Environment {
            clock: Arc::new(move || Now {
                mono_ms: time.load(Ordering::SeqCst),
                unix_s: 1_700_000_000,
            }),
            // Session ids that no notification of the card has.
            random: Box::new(Counting(0x40)),
        };
        let config = Config::new("IMEI:004999010640000");
        let client = Client::new(config, store.clone(), environment, host).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        let show = move |exchange: &dmsc::client::Exchange<'_>| {
            list.lock().unwrap().push((exchange.command.to_vec(), exchange.response.to_vec()));
        };
        client.set_trace(Some(Arc::new(show))).unwrap();
        let card = client.open_card(0, Box::new(Reader(Arc::clone(card))))?;
        Ok(Self { client, card, seen, events, clock })
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// The statuses of the events of this kind.
    pub(crate) fn statuses(&self, kind: EventKind) -> Vec<i32> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| event.kind == kind).map(|event| event.status).collect()
    }

    /// The exchanges since this was last asked.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// Bootstraps; the number of exchanges.
    pub(crate) fn bootstrap(&self) -> usize {
        self.client.bootstrap_card(self.card).unwrap();
        self.take().len()
    }

    /// Drives until nothing is due before `until` on the clock.
    pub(crate) fn run(&self, until: u64) {
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
