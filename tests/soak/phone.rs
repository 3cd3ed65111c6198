//! The phone of the soak: a client on a store that outlives it, and a host that answers as the dice say.

use super::dice::Dice;
use super::servers::{Net, Way};
use dmsc::card::transport::CardTransport;
use dmsc::client::{CardId, Client, Clock, Environment, StreamScheme};
use dmsc::config::{Config, NetworkConfig, PlainHttp};
use dmsc::driver::Ran;
use dmsc::error::{Code, Error, Result};
use dmsc::event::{Event, EventKind, Listener, Question, TriggerInfo, TriggerVerdict};
use dmsc::random::Random;
use dmsc::session::Answer;
use dmsc::store::Store;
use dmsc::time::Now;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::card::Card;

pub(crate) const DEVICE: &str = "IMEI:004999010640000";

/// The card in the phone's reader.
struct Reader(Arc<Mutex<Card>>);

impl CardTransport for Reader {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let answer = self.0.lock().unwrap().transmit(command);
        answer.map_err(|_| Error::new(Code::CardRemoved, "the card was removed"))
    }
    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.lock().unwrap().atr().to_vec())
    }
}

/// Octets by the dice.
struct Thrown(Dice);

impl Random for Thrown {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill_with(|| self.0.next() as u8);
    }
}

/// What the host has heard in one life of the client.
#[derive(Default)]
pub(crate) struct Heard {
    /// Sessions that were requested and have not ended.
    pub(crate) open: BTreeSet<u64>,
    /// How often sessions ended with each status.
    pub(crate) ended: BTreeMap<i32, u32>,
    /// How often notifications were refused for each reason.
    pub(crate) refused: BTreeMap<i32, u32>,
    /// Sessions that ended twice, or without a beginning.
    pub(crate) odd: Vec<u64>,
}

struct Host {
    heard: Arc<Mutex<Heard>>,
    dice: Mutex<Dice>,
    /// Agrees to everything.
    calm: bool,
}

impl Listener for Host {
    fn event(&self, event: &Event) {
        let mut heard = self.heard.lock().unwrap();
        match event.kind {
            EventKind::SessionRequested => drop(heard.open.insert(event.session_id)),
            EventKind::TriggerRefused => *heard.refused.entry(event.status).or_default() += 1,
            EventKind::SessionEnded => {
                *heard.ended.entry(event.status).or_default() += 1;
                if !heard.open.remove(&event.session_id) {
                    heard.odd.push(event.session_id);
                }
            }
            _ => {}
        }
    }
    fn question(&self, question: Question) {
        let thrown = self.dice.lock().unwrap().below(10);
        let answer = match thrown {
            0 if !self.calm => return,
            1 if !self.calm => Answer::Rejected,
            2 if !self.calm => Answer::Cancelled,
            _ => Answer::Accepted,
        };
        question.answer(answer).unwrap();
    }
    fn trigger(&self, _: &TriggerInfo) -> TriggerVerdict {
        match self.dice.lock().unwrap().below(20) {
            0 if !self.calm => TriggerVerdict::Refuse,
            _ => TriggerVerdict::Accept,
        }
    }
    fn has_user(&self) -> bool {
        true
    }
}

/// One life of the client.
pub(crate) struct Phone {
    pub(crate) client: Client,
    pub(crate) heard: Arc<Mutex<Heard>>,
    pub(crate) card: Option<CardId>,
}

impl Phone {
    pub(crate) fn start(
        store: Arc<dyn Store>,
        hand: &Arc<AtomicU64>,
        net: &Arc<Net>,
        seed: u64,
        calm: bool,
    ) -> Self {
        let hand = Arc::clone(hand);
        let clock: Clock = Arc::new(move || {
            let mono_ms = hand.load(Ordering::SeqCst);
            Now { mono_ms, unix_s: 1_700_000_000 + (mono_ms / 1000) as i64 }
        });
        let random = Box::new(Thrown(Dice(seed)));
        let network =
            NetworkConfig { plain_http: PlainHttp::Allow, retries: 2, ..NetworkConfig::default() };
        let config = Config { network, ..Config::new(DEVICE) };
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let host = Host { heard: heard.clone(), dice: Mutex::new(Dice(!seed)), calm };
        let environment = Environment { clock, random };
        let client = Client::new(config, store, environment, Box::new(host)).unwrap();
        client.set_connector(StreamScheme::Tcp, Some(Arc::new(Way(net.clone())))).unwrap();
        Self { client, heard, card: None }
    }

    /// Puts the card in, whatever becomes of it.
    pub(crate) fn insert(&mut self, card: &Arc<Mutex<Card>>) -> Result<()> {
        let id = self.client.open_card(0, Box::new(Reader(card.clone())))?;
        self.card = Some(id);
        self.client.bootstrap_card(id)?;
        self.client.start_toolkit(id)
    }

    /// Handles what is due at this time.
    pub(crate) fn settle(&self) {
        for _ in 0..100_000 {
            if self.client.run_once(Duration::ZERO).unwrap() == Ran::Nothing {
                return;
            }
        }
        panic!("the client never comes to rest");
    }

    /// Lets `ms` pass, from one thing that is due to the next.
    pub(crate) fn pass(&self, hand: &AtomicU64, ms: u64) {
        let end = hand.load(Ordering::SeqCst) + ms;
        loop {
            self.settle();
            let idle = self.client.idle_time().map_or(u64::MAX, |idle| idle.as_millis() as u64);
            assert!(idle > 0, "due at once, but nothing is done");
            let next = hand.load(Ordering::SeqCst).saturating_add(idle);
            hand.store(next.min(end), Ordering::SeqCst);
            if next >= end {
                return self.settle();
            }
        }
    }
}
