//! The client's core: what is due, in which order. Moved between threads by the driver, never shared.

use super::consent::Asking;
use super::gateway::Gateway;
use super::intake::Delivery;
use super::journal::Recorder;
use super::leftovers::Leftovers;
use super::links::Links;
use super::network::{Attempts, Network};
use super::provisioning::Pending;
use super::running::Running;
use super::schedule::{Due, Schedule, Wanted};
use super::slot::{CardId, CardSignal, Slot};
use super::table::SessionTable;
use super::toolkit::{self, Outgoing, RequestSink, ToolkitHost, ToolkitRequest};
use super::trace::TraceSink;
use crate::audit::Journal;
use crate::card::cat::{Connect, Effect, HostAnswer, HostRequest, Refresh};
use crate::card::transport::CardTransport;
use crate::config::Config;
use crate::driver::Drive;
use crate::error::{Code, Error, Result};
use crate::event::{
    AnswerSink, ConnectionInfo, Event, EventKind, Listener, Purpose, Question, TriggerInfo,
    TriggerSource,
};
use crate::limits;
use crate::policy::Policy;
use crate::random::{Random, SystemRandom};
use crate::session::{Answer, Context, UserAlert};
use crate::store::{Change, Database};
use crate::time::Now;
use crate::tree::{self, Hosted};
use crate::trigger::rate::Rate;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Something to tell the host, with the ear to tell it to: the host's callbacks live as long as the
/// core or a notice does.
pub(super) enum Notice {
    Event(Arc<dyn Listener>, Event),
    Changes(Arc<dyn Listener>, Vec<Change>),
    Question(Arc<dyn Listener>, Question),
    Trigger(Arc<dyn Listener>, TriggerInfo),
    Connection(Arc<dyn Listener>, ConnectionInfo),
    Toolkit(Arc<dyn ToolkitHost>, ToolkitRequest),
    Withdrawn(Arc<dyn ToolkitHost>, u32),
    Send(Arc<dyn ToolkitHost>, u32, Outgoing, Vec<u8>),
}

/// A client's clock.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// Clock and randomness of a client.
pub struct Environment {
    /// The time.
    pub clock: Clock,
    /// Unpredictable octets.
    pub random: Box<dyn Random>,
}

impl Environment {
    /// The system's clocks and random number generator.
    pub fn system() -> Self {
        let start = Instant::now();
        let clock = move || Now {
            mono_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            unix_s: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX)),
        };
        Self { clock: Arc::new(clock), random: Box::new(SystemRandom) }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

pub(super) struct Core {
    pub(super) config: Config,
    pub(super) db: Database,
    pub(super) hosted: Arc<Hosted>,
    pub(super) random: Box<dyn Random>,
    clock: Clock,
    listener: Arc<dyn Listener>,
    answers: Option<Weak<dyn AnswerSink>>,
    pub(super) sessions: Arc<SessionTable>,
    slots: Vec<Slot>,
    next_card: u64,
    next_question: u64,
    pub(super) schedule: Schedule,
    pub(super) network: Network,
    pub(super) links: Links,
    pub(super) gateway: Option<Gateway>,
    /// Verified notifications that the host has not judged yet.
    pub(super) judging: Vec<Wanted>,
    pub(super) trigger_rate: Rate,
    /// Notifications of cards that came while somebody wrote to the store.
    held: VecDeque<Delivery>,
    pub(super) running: Option<Running>,
    pub(super) policy: Arc<Policy>,
    /// Sessions that wait for the user's consent to begin.
    pub(super) asking: Vec<Asking>,
    pub(super) recorder: Recorder,
    /// The bootstrap that waits for the user.
    pub(super) pending: Option<Pending>,
    /// Records of ended sessions and answered alerts that are still in the store.
    pub(super) leftovers: Leftovers,
    notices: Vec<Notice>,
    /// Who looks on.
    pub(super) trace: Option<TraceSink>,
    /// Who carries out what the cards' toolkits ask of the host.
    pub(super) toolkit_host: Option<Arc<dyn ToolkitHost>>,
    pub(super) requests: Weak<dyn RequestSink>,
}

impl Drive for Core {
    type Notice = Notice;

    fn step(&mut self) -> bool {
        let now = self.now();
        let links = self.step_links(now);
        let gateway = self.step_gateway(now);
        let cards = self.step_cards(now);
        let held = self.step_held();
        let bootstrap = self.step_pending(now);
        let leftovers = self.step_leftovers(now);
        let asking = self.step_asking(now);
        let session = self.step_session(now);
        let journal = self.step_journal(now);
        let went_on = cards
            || held
            || bootstrap
            || leftovers
            || asking
            || session
            || links
            || gateway
            || journal;
        if !went_on && self.running.is_none() {
            self.db.settle();
        }
        went_on
    }

    fn idle_time(&self) -> Option<Duration> {
        let now = self.now();
        let to_apply = self.pending.as_ref().is_some_and(Pending::is_ready);
        // While the host writes these wait; the end of its transaction wakes the driving thread.
        let to_write = to_apply || self.recorder.is_due() || !self.held.is_empty();
        let may_write = !self.db.is_writing();
        if to_write && may_write {
            return Some(Duration::ZERO);
        }
        let leftovers = may_write.then(|| self.leftovers.deadline()).flatten();
        let may_begin = self.running.is_none() && may_write;
        let next = may_begin.then(|| self.schedule.deadline()).flatten();
        let cards = self.slots.iter().filter_map(Slot::deadline);
        let session = self.running.iter().filter_map(|running| running.deadline(&self.db, now));
        let gateway = self.gateway.as_ref().and_then(|gateway| gateway.deadline(now));
        let links = self.links.deadline(now);
        let pending = self.pending.iter().filter_map(Pending::deadline);
        let asking = self.asking.iter().map(Asking::deadline);
        let due = cards.chain(session).chain(pending).chain(next).chain(gateway).chain(links);
        let due = due.chain(asking).chain(leftovers).min()?;
        Some(Duration::from_millis(due.saturating_sub(now.mono_ms)))
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        let changes = self.db.take_changes().into_iter();
        let told = changes.map(|set| Notice::Changes(self.listener.clone(), set));
        let told = told.chain(self.handler_failures().map(|event| self.notice(event)));
        let mut told: Vec<Notice> = told.collect();
        told.append(&mut self.notices);
        told
    }
}

impl Core {
    pub(super) fn new(
        config: Config,
        (db, hosted): (Database, Arc<Hosted>),
        environment: Environment,
        listener: Arc<dyn Listener>,
        sessions: Arc<SessionTable>,
        attempts: Arc<Attempts>,
    ) -> Result<Self> {
        let network = Network::new(&config.network, attempts)?;
        let mut core = Self {
            config,
            db,
            hosted,
            random: environment.random,
            clock: environment.clock,
            listener,
            answers: None,
            sessions,
            slots: Vec::new(),
            next_card: 1,
            next_question: 1,
            schedule: Schedule::default(),
            network,
            links: Links::default(),
            gateway: None,
            judging: Vec::new(),
            trigger_rate: Rate::default(),
            held: VecDeque::new(),
            running: None,
            policy: Arc::new(Policy::built_in()?),
            asking: Vec::new(),
            recorder: Recorder::default(),
            pending: None,
            leftovers: Leftovers::default(),
            notices: Vec::new(),
            trace: None,
            toolkit_host: None,
            requests: Weak::<NoAnswers>::new(),
        };
        let mut txn = core.db.begin()?;
        tree::install(&mut txn, &core.config.device.info(), core.now())?;
        Journal::open(&mut txn, &mut *core.random, (core.clock)())?;
        txn.commit()?;
        core.resume();
        if core.listener.wants_changes() {
            core.db.watch();
        }
        Ok(core)
    }

    pub(super) fn set_answer_sinks(
        &mut self,
        answers: Weak<dyn AnswerSink>,
        requests: Weak<dyn RequestSink>,
    ) {
        self.answers = Some(answers);
        self.requests = requests;
    }

    pub(super) fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// A number for a question to the host; never used twice.
    pub(super) fn next_question(&mut self) -> u64 {
        self.next_question += 1;
        self.next_question - 1
    }

    pub(super) fn now(&self) -> Now {
        (self.clock)()
    }

    /// What the session engine works on.
    pub(super) fn context(&mut self, now: Now) -> Context<'_> {
        Context { db: &self.db, now, random: &mut *self.random }
    }

    fn notice(&self, event: Event) -> Notice {
        Notice::Event(self.listener.clone(), event)
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.notices.push(self.notice(event));
    }

    /// Asks the user; the question's number.
    pub(super) fn ask(&mut self, alert: UserAlert, session_id: u64, purpose: Purpose) -> u64 {
        let id = self.next_question();
        let sink = self.answers.clone().unwrap_or_else(|| Weak::<NoAnswers>::new());
        let question = Question { alert, session_id, purpose, id, sink };
        self.notices.push(Notice::Question(self.listener.clone(), question));
        id
    }

    pub(super) fn ask_consent(&mut self, info: ConnectionInfo) {
        self.notices.push(Notice::Connection(self.listener.clone(), info));
    }

    /// The host's word on a connection.
    pub(super) fn connection_judged(&mut self, id: u64, allowed: bool) {
        if !self.link_judged(id, allowed) {
            self.visitor_judged(id, allowed);
        }
    }

    pub(super) fn ask_about(&mut self, info: TriggerInfo) {
        self.notices.push(Notice::Trigger(self.listener.clone(), info));
    }

    // ---- cards ----------------------------------------------------------------------------------

    pub(super) fn open_card(
        &mut self,
        number: u32,
        transport: Box<dyn CardTransport>,
    ) -> Result<CardId> {
        if self.slots.iter().any(|slot| slot.number() == number && !slot.is_gone()) {
            return Err(Error::new(Code::Busy, format!("slot {number} has an open card")));
        }
        let id = CardId(self.next_card);
        let slot = Slot::open(id, number, transport, self.trace_of(number))?;
        self.next_card += 1;
        // Only a card that is gone can be left there.
        self.slots.retain(|slot| slot.number() != number);
        self.slots.push(slot);
        self.tell(Event::new(EventKind::CardState).slot(number));
        Ok(id)
    }

    pub(super) fn close_card(&mut self, id: CardId) {
        self.end_session_of(id, &Error::new(Code::Cancelled, "the card was closed"));
        self.slots.retain(|slot| slot.id() != id);
    }

    pub(super) fn slot(&mut self, id: CardId) -> Result<&mut Slot> {
        self.slots
            .iter_mut()
            .find(|slot| slot.id() == id)
            .ok_or_else(|| Error::new(Code::State, "the card is closed"))
    }

    pub(super) fn notify_card(&mut self, id: CardId, signal: CardSignal) {
        let Ok(slot) = self.slot(id) else { return };
        match signal {
            CardSignal::Proactive => slot.ask(),
            CardSignal::FilesChanged => slot.files_changed(),
            CardSignal::Inserted => {
                let number = slot.number();
                let event = Event::new(EventKind::CardState).slot(number);
                self.tell(Event { phase: 2, ..event });
            }
            CardSignal::Removed => {
                let error = Error::new(Code::CardRemoved, "the host reports that the card is out");
                self.card_failed(id, &error);
            }
            CardSignal::Reset => {
                let error = Error::new(Code::CardReset, "the host reports a reset of the card");
                self.card_failed(id, &error);
                if let Ok(slot) = self.slot(id) {
                    slot.ready_again();
                }
            }
        }
    }

    pub(super) fn start_toolkit(&mut self, id: CardId) -> Result<()> {
        let (now, device_id) = (self.now(), self.config.device.device_id.clone());
        let (language, can) = (self.config.device.language.clone(), self.capabilities());
        self.with_card(id, |slot| slot.start_toolkit(can, &device_id, &language, now))?;
        self.schedule.came(Due::Card);
        Ok(())
    }

    pub(super) fn transmit(&mut self, id: CardId, command: &[u8]) -> Result<Vec<u8>> {
        self.with_card(id, |slot| slot.transmit(command))
    }

    /// Does something with a card, and notices when that shows that it is gone.
    pub(super) fn with_card<R>(
        &mut self,
        id: CardId,
        work: impl FnOnce(&mut Slot) -> Result<R>,
    ) -> Result<R> {
        let outcome = work(self.slot(id)?);
        if let Err(error) = &outcome {
            self.card_failed(id, error);
        }
        outcome
    }

    /// Every card's toolkit does one exchange at most, so that no card keeps the others waiting.
    fn step_cards(&mut self, now: Now) -> bool {
        let mut did = false;
        let ids: Vec<CardId> = self.slots.iter().map(Slot::id).collect();
        for id in ids {
            let Ok(slot) = self.slot(id) else { continue };
            let (number, done) = (slot.number(), slot.step(now));
            let is_news = slot.has_just_failed();
            match done {
                Ok(None) => did |= toolkit::outgoing(self, id, now),
                Ok(Some(effects)) => {
                    did = true;
                    self.card_effects(id, number, effects);
                }
                Err(error) => {
                    did = true;
                    self.card_failed(id, &error);
                    if is_news && !error.is_card_gone() {
                        self.tell(Event::new(EventKind::CardState).slot(number).failed(&error));
                    }
                }
            }
        }
        did
    }

    pub(super) fn card_effect(&mut self, id: CardId, slot: u32, effect: Effect) {
        match effect {
            Effect::Datagram { octets, .. } | Effect::StreamClosed { octets, .. } => {
                let delivery =
                    Delivery { source: TriggerSource::Card, slot, content_type: None, octets };
                if self.db.is_writing() && self.held.len() < limits::TRIGGERS_HELD {
                    self.held.push_back(delivery);
                } else {
                    // The reason is an event already; the card is told nothing.
                    let _ = self.deliver(&delivery);
                }
            }
            Effect::Refresh(refresh) => self.refreshed(id, slot, &refresh),
            Effect::Ask(HostRequest::Connect(Connect { channel, remote, .. })) => {
                self.link_wanted(id, slot, (channel, remote), true);
            }
            Effect::Demand { channel, remote } => {
                self.link_wanted(id, slot, (channel, remote), false);
            }
            Effect::Ask(request) => self.ask_host(id, slot, request),
            Effect::AskWithdrawn => {
                self.link_withdrawn(id);
                self.withdraw(slot);
            }
            _ => {}
        }
    }

    /// Delivers what had to wait for the end of a write transaction.
    fn step_held(&mut self) -> bool {
        if self.db.is_writing() {
            return false;
        }
        let held = std::mem::take(&mut self.held);
        for delivery in &held {
            // As above.
            let _ = self.deliver(delivery);
        }
        !held.is_empty()
    }

    fn refreshed(&mut self, id: CardId, number: u32, refresh: &Refresh) {
        let error = Error::new(Code::CardReset, "the card asks to be read again (REFRESH)");
        if !refresh.mode.is_harmless() {
            self.end_session_of(id, &error);
        }
        let Ok(slot) = self.slot(id) else { return };
        if slot.refreshed(refresh) {
            let event = Event::new(EventKind::CardState).slot(number).failed(&error);
            self.tell(Event { phase: 1, ..event });
        }
    }

    /// A card's exchange failed: without the card its session ends, and its toolkit too.
    pub(super) fn card_failed(&mut self, id: CardId, error: &Error) {
        log::warn!("card: {error}");
        if !error.is_card_gone() {
            return;
        }
        self.end_session_of(id, error);
        let Ok(slot) = self.slot(id) else { return };
        if slot.lost() {
            let number = slot.number();
            self.tell(Event::new(EventKind::CardState).slot(number).failed(error));
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(super) fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    /// True if the host can ask the user.
    pub(super) fn has_user(&self) -> bool {
        self.listener.has_user()
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    // ---- sessions -------------------------------------------------------------------------------
}

impl Drop for Core {
    fn drop(&mut self) {
        // After a panic nothing that could panic again is touched.
        if !std::thread::panicking() {
            let now = self.now();
            if self.recorder.is_due() {
                self.step_journal(now);
            }
            self.give_up_requests();
            self.leftovers.hurry();
            self.step_leftovers(now);
        }
        self.sessions.end_all(&Error::new(Code::State, "the client was closed"));
        // Handles that outlive the client keep its tree, but not the host's part of it.
        self.running = None;
        self.hosted.nodes.clear();
    }
}

/// Stands in for a sink before there is one.
struct NoAnswers;

impl AnswerSink for NoAnswers {
    fn answer(&self, _: u64, _: Answer) -> Result<()> {
        Ok(())
    }
}

impl RequestSink for NoAnswers {
    fn answer(&self, _: CardId, _: u64, _: HostAnswer) -> Result<()> {
        Ok(())
    }
}
