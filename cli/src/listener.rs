//! The client's ear: shows what happens, answers questions, and keeps what a command waits for.

use crate::answer::Answerer;
use crate::event;
use crate::output::Output;
use dmsc::error::Error;
use dmsc::event::{Event, EventKind, Listener, Question, TriggerInfo, TriggerVerdict};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What has happened so far.
#[derive(Debug, Default)]
pub(crate) struct Happened {
    /// Sessions that have ended, by the client's numbers, in that order.
    pub(crate) ended: Vec<u64>,
    /// A session has begun and not ended.
    pub(crate) in_session: bool,
    /// The card was reset or asks to be read again, and nobody has done so.
    pub(crate) card_news: Option<Error>,
    /// A bootstrap that waited for the user is over: how.
    pub(crate) bootstrap_done: Option<Result<(), Error>>,
}

/// [`Happened`], shared between ear and command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Happened>>);

impl Seen {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Happened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears nothing; for commands that only look.
pub(crate) struct Deaf;

impl Listener for Deaf {
    fn event(&self, _: &Event) {}

    fn question(&self, question: Question) {
        // Nobody starts a session here; an answer that is not wanted does no harm.
        drop(question);
    }

    fn trigger(&self, _: &TriggerInfo) -> TriggerVerdict {
        TriggerVerdict::Refuse
    }

    fn has_user(&self) -> bool {
        false
    }
}

/// Prints every event.
pub(crate) struct Ear {
    output: Arc<Output>,
    seen: Seen,
    answers: Option<Answerer>,
}

impl Ear {
    /// Without `answers` there is no user.
    pub(crate) fn new(output: Arc<Output>, seen: Seen, answers: Option<Answerer>) -> Self {
        Self { output, seen, answers }
    }
}

impl Listener for Ear {
    fn event(&self, event: &Event) {
        self.output.show(|| event::text(event), || event::json(event));
        let mut seen = self.seen.lock();
        match event.kind {
            EventKind::SessionStarted => seen.in_session = true,
            EventKind::SessionEnded => {
                seen.in_session = false;
                seen.ended.push(event.session_id);
            }
            EventKind::BootstrapDone => {
                seen.bootstrap_done = Some(event::failure(event).map_or(Ok(()), Err));
            }
            EventKind::CardState => seen.card_news = event::failure(event),
            _ => {}
        }
    }

    fn question(&self, question: Question) {
        let (session, alert) = (question.session_id, &question.alert);
        self.output
            .show(|| event::question_text(session, alert), || event::question_json(session, alert));
        if let Some(answers) = &self.answers {
            answers.answer(question);
        }
    }

    fn trigger(&self, info: &TriggerInfo) -> TriggerVerdict {
        self.output.show(|| event::trigger_text(info), || event::trigger_json(info));
        TriggerVerdict::Accept
    }

    fn has_user(&self) -> bool {
        self.answers.is_some()
    }
}
