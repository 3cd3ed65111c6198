//! A client with the simulated card on a clock of its own: what is due when, and what happens when
//! something else happens in between. Nothing here waits; a step that is due at once and does nothing
//! is a failure of every test.

mod cards;
mod notifications;
mod refresh;
mod survival;

use super::*;
use crate::bytes::hex;
use crate::event::{Event, EventKind, Question, TriggerInfo, TriggerSource, TriggerVerdict};
use crate::random::Random;
use crate::store::memory::MemoryStore;
use crate::time::Now;
use crate::tree::Format;
use std::sync::atomic::AtomicU64;
use uicc_sim::profile::Profile;

/// What the tests do to the card from outside, and what they see of it.
#[derive(Default)]
struct Hand {
    /// Taken out after so many more APDUs.
    remove_after: Option<u32>,
    /// Every exchange fails.
    broken: bool,
    /// Announced and then fetched once, in place of what the card does.
    proactive: Option<Vec<u8>>,
    announced: bool,
    responses: Vec<String>,
    apdus: u32,
    profiles: u32,
    /// What SELECT named since this was last looked at.
    selected: Vec<String>,
}

struct SimReader {
    card: uicc_sim::card::Card,
    hand: Arc<Mutex<Hand>>,
}

impl SimReader {
    fn injected(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        let mut hand = self.hand.lock();
        hand.proactive.as_ref()?;
        match command.get(1)? {
            0x12 if hand.announced => {
                let mut command = hand.proactive.clone()?;
                command.extend([0x90, 0x00]);
                Some(command)
            }
            0x14 if hand.announced => {
                hand.announced = false;
                hand.proactive = None;
                hand.responses.push(hex::encode(command.get(5..)?));
                Some(vec![0x90, 0x00])
            }
            _ => None,
        }
    }
}

impl CardTransport for SimReader {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        {
            let mut hand = self.hand.lock();
            hand.apdus += 1;
            hand.profiles += u32::from(command.get(1) == Some(&0x10));
            if let [_, 0xA4, _, _, length, data @ ..] = command {
                hand.selected.push(hex::encode(&data[..usize::from(*length)]));
            }
            if hand.broken {
                return Err(Error::new(Code::CardTransmit, "no answer"));
            }
            match &mut hand.remove_after {
                Some(0) => return Err(Error::new(Code::CardRemoved, "taken out")),
                Some(left) => *left -= 1,
                None => {}
            }
        }
        if let Some(answer) = self.injected(command) {
            return Ok(answer);
        }
        let mut answer = self.card.transmit(command).unwrap();
        let mut hand = self.hand.lock();
        if let (Some(octets), true) = (&hand.proactive, answer.ends_with(&[0x90, 0x00])) {
            let at = answer.len() - 2;
            answer[at..].copy_from_slice(&[0x91, octets.len() as u8]);
            hand.announced = true;
        }
        Ok(answer)
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(self.card.atr().to_vec())
    }
}

/// Octets that are different each time.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            self.0 = self.0.wrapping_add(1);
            *octet = self.0;
        }
    }
}

#[derive(Default)]
struct Heard {
    events: Vec<Event>,
    questions: Vec<Question>,
    triggers: u32,
    /// UI modes that the host was told of, and whether its user refuses them.
    ui_modes: Vec<u8>,
    refuses: bool,
}

struct Ear(Arc<Mutex<Heard>>);

impl Listener for Ear {
    fn event(&self, event: &Event) {
        self.0.lock().events.push(event.clone());
    }
    fn question(&self, question: Question) {
        self.0.lock().questions.push(question);
    }
    fn trigger(&self, info: &TriggerInfo) -> TriggerVerdict {
        let mut heard = self.0.lock();
        heard.triggers += 1;
        heard.ui_modes.push(info.ui_mode);
        if heard.refuses { TriggerVerdict::Refuse } else { TriggerVerdict::Accept }
    }
    fn has_user(&self) -> bool {
        true
    }
}

struct Bench {
    client: Client,
    card: CardId,
    hand: Arc<Mutex<Hand>>,
    heard: Arc<Mutex<Heard>>,
    ms: Arc<AtomicU64>,
}

/// A profile whose one package has `commands` and which never asks for a session by itself.
fn profile(commands: &str) -> Profile {
    Profile::parse(&profile_text(commands)).unwrap()
}

fn profile_text(commands: &str) -> String {
    format!(
        r#"
        [card.toolkit]
        timer_seconds = 0
        [account]
        server_id = "sc"
        address = "http://127.0.0.1:3516/dm"
        auth_pref = "DIGEST"
        client = {{ name = "terminal", secret = "terminal-secret", nonce = "first" }}
        server = {{ name = "sc", secret = "card-secret", nonce = "second" }}
        [[package]]
        commands = [ {commands} ]
        "#
    )
}

const GET: &str = r#"{ get = "./DevInfo/DevId" }"#;
const CONFIRM: &str =
    r#"{ confirm = "Really?", options = "MAXDT=30", expect = [200, 214, 304, 408] }"#;

impl Bench {
    fn new(profile: Profile) -> Self {
        Self::on(Arc::new(MemoryStore::new()), profile)
    }

    /// A phone with what an earlier one left in the store, and its card.
    fn on(store: Arc<dyn Store>, profile: Profile) -> Self {
        let mut bench = Self::without_card(store);
        bench.insert(profile);
        bench
    }

    fn without_card(store: Arc<dyn Store>) -> Self {
        Self::configured(store, |_| {})
    }

    fn configured(store: Arc<dyn Store>, configure: impl FnOnce(&mut Config)) -> Self {
        let ms = Arc::new(AtomicU64::new(1_000_000));
        let time = ms.clone();
        let clock = move || Now { mono_ms: time.load(Ordering::SeqCst), unix_s: 1_700_000_000 };
        let environment = Environment { clock: Arc::new(clock), random: Box::new(Counting(0)) };
        let heard = Arc::new(Mutex::new(Heard::default()));
        let mut config = Config::new("IMEI:004999010640000");
        configure(&mut config);
        let client = Client::new(config, store, environment, Box::new(Ear(heard.clone()))).unwrap();
        Self { client, card: CardId(0), hand: Arc::default(), heard, ms }
    }

    fn insert(&mut self, profile: Profile) {
        let reader = SimReader { card: profile.build().unwrap(), hand: self.hand.clone() };
        self.card = self.client.open_card(1, Box::new(reader)).unwrap();
        self.client.bootstrap_card(self.card).unwrap();
        self.client.start_toolkit(self.card).unwrap();
        self.settle();
    }

    /// Does all that is due now.
    #[track_caller]
    fn settle(&self) {
        for _ in 0..10_000 {
            if self.client.run_once(Duration::ZERO).unwrap() == Ran::Nothing {
                return;
            }
        }
        panic!("the client does not come to rest");
    }

    /// Lets time pass from one thing that is due to the next, until `done` or `limit_s` are over.
    #[track_caller]
    fn run(&self, limit_s: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now() + limit_s * 1000;
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let idle = self.client.idle_time().unwrap_or(Duration::from_secs(3600));
            assert!(!idle.is_zero(), "due at once, but nothing is done");
            let next = self.now() + u64::try_from(idle.as_millis()).unwrap();
            self.ms.store(next.min(end), Ordering::SeqCst);
            if next >= end {
                self.settle();
                return done(self);
            }
        }
    }

    fn now(&self) -> u64 {
        self.ms.load(Ordering::SeqCst)
    }

    fn start(&self) -> u64 {
        self.client.start_session(None).unwrap()
    }

    fn info(&self, id: u64) -> SessionInfo {
        self.client.session_info(id).unwrap()
    }

    fn has_ended(&self, id: u64) -> bool {
        self.info(id).state == SessionState::Ended
    }

    /// Runs session `id` to its end; how that was.
    #[track_caller]
    fn end(&self, id: u64, limit_s: u64) -> Option<Code> {
        assert!(self.run(limit_s, |bench| bench.has_ended(id)), "the session does not end");
        self.info(id).error.map(|error| error.code())
    }

    fn kinds(&self, id: u64) -> Vec<EventKind> {
        let heard = self.heard.lock();
        heard.events.iter().filter(|event| event.session_id == id).map(|event| event.kind).collect()
    }

    /// Statuses and phases of the events about the card since the last call.
    fn card_states(&self) -> Vec<(i32, u32)> {
        let events = std::mem::take(&mut self.heard.lock().events);
        let states = events.iter().filter(|event| event.kind == EventKind::CardState);
        states.map(|event| (event.status, event.phase)).collect()
    }

    fn inject(&self, proactive: &str) {
        self.hand.lock().proactive = Some(hex::decode(proactive).unwrap());
        self.client.notify_card(self.card, CardSignal::Proactive).unwrap();
        self.settle();
    }

    /// What SELECT named since the last call.
    fn selected(&self) -> Vec<String> {
        std::mem::take(&mut self.hand.lock().selected)
    }

    fn is_asked(&self) -> bool {
        !self.heard.lock().questions.is_empty()
    }

    fn question(&self) -> Question {
        self.heard.lock().questions.pop().unwrap()
    }

    fn node_exists(&self, uri: &str) -> bool {
        self.client.tree_info(uri).is_ok()
    }
}

#[test]
fn a_session_goes_through_without_waiting_and_tells_its_events_in_order() {
    let bench = Bench::new(profile(GET));
    let id = bench.start();
    assert_eq!(bench.end(id, 5), None);
    let kinds = bench.kinds(id);
    assert_eq!(kinds[..2], [EventKind::SessionRequested, EventKind::SessionStarted]);
    assert_eq!(kinds.last(), Some(&EventKind::SessionEnded));
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::SessionEnded).count(), 1);
    // The channel is free again: the next session finds it.
    let id = bench.start();
    assert_eq!(bench.end(id, 5), None);
}

#[test]
fn a_session_waits_for_the_hosts_transaction_before_it_begins() {
    let bench = Bench::new(profile(GET));
    let txn = bench.client.begin().unwrap();
    let id = bench.start();
    assert!(!bench.run(20, |bench| bench.info(id).state != SessionState::Waiting));
    // A rollback ends it as well as a commit.
    drop(txn);
    assert_eq!(bench.client.idle_time(), Some(Duration::ZERO));
    assert_eq!(bench.end(id, 5), None);
}

#[test]
fn a_message_that_comes_during_the_hosts_transaction_waits_for_its_end() {
    let bench = Bench::new(profile(GET));
    let id = bench.start();
    while !bench.kinds(id).contains(&EventKind::PackageSent) {
        bench.client.run_once(Duration::ZERO).unwrap();
    }
    let mut txn = bench.client.begin().unwrap();
    txn.add("./Host", Format::Chr, None, b"x").unwrap();
    assert!(!bench.run(20, |bench| bench.has_ended(id)));
    assert_eq!(bench.info(id).error, None);
    txn.commit().unwrap();
    assert_eq!(bench.end(id, 5), None);
    assert!(bench.node_exists("./Host"));
}

#[test]
fn an_answer_that_comes_during_the_hosts_transaction_waits_for_its_end() {
    let bench = Bench::new(profile(CONFIRM));
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    assert_eq!(bench.info(id).state, SessionState::Asking);
    let txn = bench.client.begin().unwrap();
    bench.question().answer(Answer::Accepted).unwrap();
    assert!(!bench.run(10, |bench| bench.has_ended(id)));
    drop(txn);
    assert_eq!(bench.end(id, 5), None);
}

#[test]
fn a_question_that_nobody_answers_ends_by_itself() {
    let bench = Bench::new(profile(CONFIRM));
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    let asked = bench.now();
    assert_eq!(bench.end(id, 60), None);
    assert!((30_000..31_000).contains(&(bench.now() - asked)), "MAXDT=30");
    // Too late is no error, and does not disturb the next session.
    bench.question().answer(Answer::Accepted).unwrap();
    bench.settle();
}

#[test]
fn a_question_without_a_limit_ends_all_the_same() {
    let bench = Bench::new(profile(r#"{ confirm = "?", expect = [200, 408] }"#));
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    assert!(!bench.run(599, |bench| bench.has_ended(id)));
    assert_eq!(bench.end(id, 10), None);
}

#[test]
fn an_answer_to_another_kind_of_question_counts_as_cancelled() {
    let bench = Bench::new(profile(CONFIRM));
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    let error = bench.question().answer(Answer::Text("yes".into())).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArg);
    assert_eq!(bench.end(id, 5), None);
    let heard = bench.heard.lock();
    let alert = heard.events.iter().find(|event| event.data == b"Alert").unwrap();
    assert_eq!(alert.phase, 214);
}

#[test]
fn a_session_can_be_cancelled_in_every_phase() {
    let bench = Bench::new(profile(CONFIRM));
    // Waiting.
    let txn = bench.client.begin().unwrap();
    let id = bench.start();
    bench.client.cancel_session(id).unwrap();
    bench.settle();
    assert_eq!(bench.info(id).error.unwrap().code(), Code::Cancelled);
    assert_eq!(bench.kinds(id), [EventKind::SessionRequested, EventKind::SessionEnded]);
    drop(txn);
    // Asking.
    let id = bench.start();
    assert!(bench.run(5, Bench::is_asked));
    bench.client.cancel_session(id).unwrap();
    assert_eq!(bench.end(id, 35), Some(Code::Cancelled));
    bench.question().answer(Answer::Accepted).unwrap();
    // In the middle of an exchange, after so many steps.
    for steps in 0..40 {
        let id = bench.start();
        for _ in 0..steps {
            bench.client.run_once(Duration::ZERO).unwrap();
        }
        if bench.is_asked() {
            bench.question().answer(Answer::Accepted).unwrap();
            break;
        }
        bench.client.cancel_session(id).unwrap();
        assert_eq!(bench.end(id, 35), Some(Code::Cancelled), "after {steps} steps");
        assert_eq!(bench.kinds(id).last(), Some(&EventKind::SessionEnded));
        assert!(steps < 39, "the user is never asked");
    }
}

#[test]
fn a_notification_of_the_card_waits_for_the_hosts_transaction() {
    let bench = Bench::new(Profile::demo());
    let txn = bench.client.begin().unwrap();
    assert!(!bench.run(10, |bench| bench.heard.lock().triggers > 0));
    drop(txn);
    bench.settle();
    assert_eq!(bench.heard.lock().triggers, 1);
    let refused = |event: &Event| event.kind == EventKind::TriggerRefused;
    assert!(!bench.heard.lock().events.iter().any(refused));
}

#[test]
fn a_closed_client_gives_its_store_back_although_handles_are_left() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let heard = Arc::new(Mutex::new(Heard::default()));
    let client = Client::new(
        Config::new("IMEI:004999010640000"),
        store.clone(),
        Environment::system(),
        Box::new(Ear(heard)),
    )
    .unwrap();
    let left = client.clone();
    client.close();
    assert_eq!(Arc::strong_count(&store), 1);
    assert_eq!(left.tree_get("./DevInfo/DevId").unwrap_err().code(), Code::State);
    assert_eq!(left.cancel_session(1).unwrap_err().code(), Code::State);
}

#[test]
fn a_session_right_behind_another_finds_the_card_also_if_it_closes_connections() {
    for connection in ["keep-alive", "close"] {
        let text = format!("[server]\nconnection = \"{connection}\"\n[[package]]");
        let bench =
            Bench::new(Profile::parse(&profile_text(GET).replace("[[package]]", &text)).unwrap());
        let first = bench.start();
        while bench.info(first).state == SessionState::Waiting {
            bench.client.run_once(Duration::ZERO).unwrap();
        }
        let second = bench.start();
        assert_eq!(bench.end(first, 5), None, "{connection}");
        assert_eq!(bench.end(second, 5), None, "{connection}");
    }
}
