//! The whole flow of the demo with the simulated card: bootstrap, a session that the card asks for, one that
//! a push asks for; and what went over the card's contacts.

use dmsc::card::transport::CardTransport;
use dmsc::client::{Client, Delivery, Environment};
use dmsc::config::Config;
use dmsc::driver::Ran;
use dmsc::error::{Code, Error, Result};
use dmsc::event::{
    Event, EventKind, Listener, Question, TriggerInfo, TriggerSource, TriggerVerdict,
};
use dmsc::random::Random;
use dmsc::session::Answer;
use dmsc::store::memory::MemoryStore;
use dmsc::time::Now;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uicc_sim::card::Card;
use uicc_sim::profile::Profile;

/// Command and response APDU.
pub(crate) type Exchange = (Vec<u8>, Vec<u8>);

/// The simulated card in a T=0 reader, which drops the Le of case 4.
struct Reader {
    card: Arc<Mutex<Card>>,
    seen: Arc<Mutex<Vec<Exchange>>>,
}

impl CardTransport for Reader {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let case_4 = command.len() > 5 && command.len() == 6 + usize::from(command[4]);
        let command = &command[..command.len() - usize::from(case_4)];
        let answer = self.card.lock().unwrap().transmit(command);
        let answer = answer.map_err(|_| Error::new(Code::CardRemoved, "the card was removed"))?;
        self.seen.lock().unwrap().push((command.to_vec(), answer.clone()));
        Ok(answer)
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.card.lock().unwrap().atr().to_vec())
    }
}

/// A host that agrees to everything and counts the sessions that went well.
struct Host(Arc<AtomicU64>);

impl Listener for Host {
    fn event(&self, event: &Event) {
        if event.kind == EventKind::SessionEnded {
            assert_eq!(event.status, 0, "{event:?}");
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn question(&self, question: Question) {
        question.answer(Answer::Accepted).unwrap();
    }

    fn trigger(&self, _info: &TriggerInfo) -> TriggerVerdict {
        TriggerVerdict::Accept
    }

    fn has_user(&self) -> bool {
        true
    }
}

/// Octets that count up.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            *octet = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// Drives `client` until `done` says that `sessions` have ended; time passes only when nothing is due.
fn run_until(client: &Client, clock: &AtomicU64, done: &AtomicU64, sessions: u64) {
    for _ in 0..100_000 {
        if done.load(Ordering::Relaxed) == sessions {
            return;
        }
        if client.run_once(Duration::ZERO).unwrap() == Ran::Nothing {
            let idle = client.idle_time().unwrap();
            clock.fetch_add(idle.as_millis().max(1) as u64, Ordering::Relaxed);
        }
    }
    panic!("session {sessions} does not come");
}

/// All exchanges of the flow, which both sides have to find good. The library writes them to the file
/// `capture` as well, behind a VERIFY of "1234".
pub(crate) fn exchanges(capture: Option<&Path>) -> Vec<Exchange> {
    let card = Arc::new(Mutex::new(Profile::demo().build().unwrap()));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let clock = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let time = Arc::clone(&clock);
    let environment = Environment {
        clock: Arc::new(move || Now {
            mono_ms: time.load(Ordering::Relaxed),
            unix_s: 1_700_000_000,
        }),
        random: Box::new(Counting(0)),
    };
    let listener = Box::new(Host(Arc::clone(&done)));
    let config = Config::new("IMEI:004999010640000");
    let client = Client::new(config, Arc::new(MemoryStore::new()), environment, listener).unwrap();
    let reader = Reader { card: Arc::clone(&card), seen: Arc::clone(&seen) };
    if let Some(path) = capture {
        client.trace_to_pcap(path).unwrap();
    }
    let id = client.open_card(0, Box::new(reader)).unwrap();
    let verify = b"\x00\x20\x00\x01\x081234\xFF\xFF\xFF\xFF".to_vec();
    client.card_transmit(id, verify).unwrap();
    client.bootstrap_card(id).unwrap();
    client.start_toolkit(id).unwrap();
    run_until(&client, &clock, &done, 1);
    let octets = card.lock().unwrap().notification();
    let source = TriggerSource::Push;
    let push = Delivery { source, slot: 0, content_type: None, octets };
    client.deliver_trigger(push).unwrap();
    run_until(&client, &clock, &done, 2);
    client.close_card(id);
    client.close();
    let card = card.lock().unwrap();
    assert_eq!((card.good_sessions(), card.bad_sessions()), (2, 0), "{}", card.report());
    std::mem::take(&mut *seen.lock().unwrap())
}
