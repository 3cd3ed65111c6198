//! The sessions of one client: which begins, what a step of it came to, how it ends and what follows.
//!
//! Owns the way of a session through the core. The rules of waiting are [`super::schedule`]'s, what
//! happens inside is [`super::running`]'s.

use super::core::Core;
use super::running::{Running, Turn};
use super::schedule::{self, Due, Priority, Then, Wanted};
use super::slot::{CardId, Slot};
use super::table::SessionState;
use crate::audit::{Authentication, Entry};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind, TriggerInfo, TriggerVerdict};
use crate::limits;
use crate::session::Answer;
use crate::store::Table;
use crate::time::Now;
use crate::tree::Origin;
use crate::tree::dmacc::{self, Account};

impl Core {
    /// Puts a session in line.
    pub(super) fn enqueue(&mut self, wanted: Wanted) {
        let event = Event::new(EventKind::SessionRequested).session(wanted.id);
        self.tell(event.uri(wanted.server_id.clone()));
        self.schedule.push(wanted);
    }

    /// Takes up what an earlier life of the client left: what it had begun goes on, what the host had not
    /// judged is shown to it again.
    pub(super) fn resume(&mut self) {
        let kept = self.db.read().and_then(|view| schedule::kept(&view));
        let kept = kept.inspect_err(|error| log::warn!("schedule: {error}")).unwrap_or_default();
        let now = self.now();
        for mut kept in kept {
            kept.info.session_id = self.sessions.add();
            if kept.begun == 0 {
                self.ask_about(kept.info.clone());
                self.judging.push(Wanted::of(kept, now));
                continue;
            }
            // A card's account needs its card; another one does not wait in vain.
            let due = self.resume_when(&kept.info.server_id);
            let mut wanted = Wanted { due, ..Wanted::of(kept, now) };
            if wanted.kept.is_request() {
                wanted.dm_session_id = self.new_dm_session_id();
            }
            self.enqueue(wanted);
        }
    }

    /// SessionID of a session that the client begins by itself.
    pub(super) fn new_dm_session_id(&mut self) -> u16 {
        let mut number = [0; 2];
        self.random.fill(&mut number);
        u16::from_be_bytes(number).max(1)
    }

    fn resume_when(&self, server_id: &str) -> Due {
        let account = self.db.read().and_then(|view| dmacc::find(&view, server_id));
        match account {
            Ok(Some(Account { origin: Origin::Card { .. }, .. })) => Due::Card,
            _ => Due::Now,
        }
    }

    pub(super) fn step_session(&mut self, now: Now) -> bool {
        let Some(mut running) = self.running.take() else { return self.begin_next(now) };
        let turn = running.step(self, now);
        self.after(running, turn)
    }

    /// Takes the record of a session that has ended out of the store, as soon as that can be written. Before
    /// anybody hears of the end: a process that ends then shall not begin again.
    fn forget(&mut self, wanted: &Wanted) {
        self.leftovers.push(Table::Schedule, wanted.kept.key());
        self.step_leftovers(self.now());
    }

    /// The client ends in order, and its host knows that the sessions it asked for end with it: they are not
    /// taken up by a later one, as those that servers asked for are.
    pub(super) fn give_up_requests(&mut self) {
        let all = self.schedule.iter().chain(self.running.iter().map(Running::wanted));
        for wanted in all.filter(|wanted| wanted.kept.is_request()) {
            self.leftovers.push(Table::Schedule, wanted.kept.key());
        }
    }

    fn begin_next(&mut self, now: Now) -> bool {
        // A writer of the host is short; the session begins when it is done.
        if self.db.is_writing() {
            return false;
        }
        if let Some(wanted) = self.schedule.overdue(now) {
            let error = Error::new(Code::Timeout, "the session could not be held in time");
            self.ended(&wanted, Err(error));
            return true;
        }
        let Some(mut wanted) = self.schedule.next(now) else { return false };
        let cards: Vec<CardId> = self.slots().iter().map(Slot::id).collect();
        for card in cards {
            // A card that cannot say who it is serves no session; that is the session's error then.
            let _ = self.with_card(card, Slot::identify);
        }
        let event = Event::new(EventKind::SessionStarted).session(wanted.id);
        self.tell(event.uri(wanted.server_id.clone()));
        if let Err(error) = self.note_begun(&mut wanted) {
            self.ended(&wanted, Err(error));
            return true;
        }
        let ui = self.has_user();
        match Running::begin(self, &wanted, ui, now) {
            Ok((running, turn)) => {
                self.record(Entry::SessionBegin(running.begun()));
                self.set_in_use(&running, true);
                self.after(running, turn);
            }
            Err(error) => {
                let nobody = Authentication { server: "none", client: "none" };
                self.record_session_end(wanted.id, &wanted.server_id, nobody, 0, Some(&error));
                self.concluded(wanted, Err(error), None);
            }
        }
        true
    }

    /// Counts a beginning in the store, so that a session which ends the process is not begun for ever.
    fn note_begun(&mut self, wanted: &mut Wanted) -> Result<()> {
        let kept = &mut wanted.kept;
        if kept.begun > limits::SESSION_RESTARTS {
            let text = "the client ended too often in the middle of this session";
            return Err(Error::new(Code::Aborted, text));
        }
        kept.begun += 1;
        let mut txn = self.db.begin()?;
        schedule::keep(&mut txn, kept);
        self.leftovers.keep(Table::Schedule, &kept.key());
        txn.commit().map(drop)
    }

    /// Acts on what a session came to in its step; true if it did anything.
    fn after(&mut self, mut running: Running, turn: Turn) -> bool {
        if matches!(turn, Turn::Idle) {
            self.running = Some(running);
            return false;
        }
        self.tell_about(&mut running);
        let (id, messages) = (running.id(), running.messages());
        let state = match turn {
            Turn::Ask(..) => SessionState::Asking,
            _ => SessionState::Running,
        };
        self.sessions.update(id, |info| (info.state, info.messages) = (state, messages));
        match turn {
            Turn::Idle | Turn::Worked => self.running = Some(running),
            Turn::Ask(alert, purpose) => {
                let question = self.ask(alert, id, purpose);
                running.asked(question);
                self.running = Some(running);
            }
            Turn::Ended(outcome) => self.end(running, outcome),
        }
        true
    }

    fn tell_about(&mut self, running: &mut Running) {
        for event in running.take_events() {
            self.note_alert(&event);
            self.tell(event);
        }
    }

    fn set_in_use(&mut self, running: &Running, in_use: bool) {
        let Some(card) = running.card() else { return };
        if let Ok(slot) = self.slot(card) {
            slot.set_in_use(in_use);
        }
    }

    fn end(&mut self, mut running: Running, outcome: Result<()>) {
        self.tell_about(&mut running);
        running.disconnect(self);
        self.set_in_use(&running, false);
        let (id, server_id) = (running.id(), running.server_id().to_owned());
        let (proofs, messages) = (running.authentication(), running.messages());
        self.record_session_end(id, &server_id, proofs, messages, outcome.as_ref().err());
        let retry_after_s = running.retry_after_s();
        self.concluded(running.into_wanted(), outcome, retry_after_s);
    }

    /// An attempt is over: the session too, or it waits for another one.
    fn concluded(&mut self, mut wanted: Wanted, outcome: Result<()>, retry_after_s: Option<u32>) {
        let then = match &outcome {
            Ok(()) => Then::End,
            Err(error) => self.after_failure(error, &wanted, retry_after_s),
        };
        let (Then::Wait(due), Err(error)) = (then, &outcome) else {
            return self.ended(&wanted, outcome);
        };
        self.tell_deferred(&mut wanted, due, error);
        // The process did not end in it.
        wanted.kept.begun = wanted.kept.begun.saturating_sub(1);
        self.sessions.update(wanted.id, |info| info.state = SessionState::Waiting);
        wanted.due = due;
        self.schedule.push(wanted);
    }

    fn after_failure(
        &mut self,
        error: &Error,
        wanted: &Wanted,
        retry_after_s: Option<u32>,
    ) -> Then {
        if error.code() == Code::CardAbsent && wanted.kept.begun > 1 {
            return Then::Wait(Due::Card);
        }
        let (retries, now) = (self.config.network.retries, self.now());
        schedule::after(error, wanted, retries, retry_after_s, now, &mut *self.random)
    }

    fn tell_deferred(&mut self, wanted: &mut Wanted, due: Due, error: &Error) {
        let about = |kind| Event::new(kind).session(wanted.id).uri(wanted.server_id.clone());
        if due != Due::Network {
            wanted.attempts += u32::from(due != Due::Card);
            wanted.priority = Priority::Later;
            let event = about(EventKind::SessionDeferred).failed(error);
            return self.tell(Event { phase: wanted.attempts, ..event });
        }
        let account = self.db.read().and_then(|view| dmacc::find(&view, &wanted.server_id));
        let con_ref = account.ok().flatten().and_then(|account| account.con_ref);
        let data = con_ref.unwrap_or_default().into_bytes();
        self.tell(Event { data, ..about(EventKind::NetworkWanted) });
    }

    /// The host says whether there is a network.
    pub(super) fn network_changed(&mut self, is_up: bool) {
        self.network.set_up(is_up);
        if is_up {
            self.schedule.came(Due::Network);
        }
    }

    fn record_session_end(
        &mut self,
        session: u64,
        server: &str,
        authentication: Authentication,
        messages: u32,
        error: Option<&Error>,
    ) {
        let (server, outcome) = (server.to_owned(), error.into());
        self.record_end(Entry::SessionEnd { session, server, authentication, messages, outcome });
    }

    fn ended(&mut self, wanted: &Wanted, outcome: Result<()>) {
        let event = Event::new(EventKind::SessionEnded).session(wanted.id);
        let event = event.uri(wanted.server_id.clone());
        let error = outcome.err();
        self.tell(match &error {
            Some(error) => event.failed(error),
            None => event,
        });
        self.forget(wanted);
        self.sessions.update(wanted.id, |info| {
            info.state = SessionState::Ended;
            info.error = error;
        });
    }

    pub(super) fn end_session_of(&mut self, card: CardId, error: &Error) {
        match self.running.take() {
            Some(running) if running.card() == Some(card) => {
                self.end(running, Err(error.clone()));
            }
            other => self.running = other,
        }
    }

    pub(super) fn answer(&mut self, question: u64, answer: Answer) {
        if self.session_answered(question, &answer) {
            return;
        }
        if self.pending.as_ref().is_some_and(|pending| pending.is_asking(question)) {
            return self.bootstrap_answered(answer);
        }
        let Some(mut running) = self.running.take() else { return };
        let now = self.now();
        if !running.is_asking(question) {
            self.running = Some(running);
            return;
        }
        let turn = running.answer(self, answer, now);
        self.after(running, turn);
    }

    pub(super) fn cancel_session(&mut self, id: u64) {
        let cancelled = || Error::new(Code::Cancelled, "the host cancelled the session");
        let is_it = |wanted: &Wanted| wanted.id == id;
        let waiting = self.schedule.remove(id);
        let judged = self.judging.iter().position(is_it).map(|at| self.judging.remove(at));
        let asked = self.asking.iter().position(|asking| is_it(asking.wanted()));
        let asked = asked.map(|at| self.asking.remove(at).wanted().clone());
        if let Some(wanted) = waiting.or(judged).or(asked) {
            return self.ended(&wanted, Err(cancelled()));
        }
        match self.running.take() {
            Some(mut running) if running.id() == id => {
                let now = self.now();
                let turn = running.abort(self, cancelled(), now);
                self.after(running, turn);
            }
            other => self.running = other,
        }
    }

    /// The host's verdict on a verified notification.
    pub(super) fn trigger_judged(&mut self, info: &TriggerInfo, verdict: TriggerVerdict) {
        let Some(at) = self.judging.iter().position(|wanted| wanted.id == info.session_id) else {
            return;
        };
        let wanted = self.judging.remove(at);
        match verdict {
            TriggerVerdict::Accept => {
                let now = self.now();
                self.authorize(wanted, info, now);
            }
            TriggerVerdict::Refuse => {
                let error = Error::new(Code::Cancelled, "the host refused the notification");
                self.turn_down(wanted, info, error);
            }
        }
    }

    /// Refuses the session of a genuine notification.
    pub(super) fn turn_down(&mut self, wanted: Wanted, info: &TriggerInfo, error: Error) {
        let nobody = Authentication { server: "none", client: "none" };
        self.record_session_end(wanted.id, &wanted.server_id, nobody, 0, Some(&error));
        let event = Event::new(EventKind::TriggerRefused).session(wanted.id);
        self.tell(event.slot(info.slot).uri(wanted.server_id.clone()).failed(&error));
        self.forget(&wanted);
        self.sessions.update(wanted.id, |info| {
            info.state = SessionState::Ended;
            info.error = Some(error);
        });
    }
}
