//! Those outside the store whose changes belong to a transaction: all of them commit, or none.
//!
//! Owns the order of prepare and commit and the repetition after a rollback. Must not know what the
//! changes are.

use crate::error::{Error, Result};
use std::fmt;
use std::sync::Arc;

/// Somebody who takes part in a transaction with changes of its own.
pub trait Participant: Send + Sync {
    /// Changes follow that belong to transaction `number`; higher than that of every one before that
    /// was committed.
    fn begin(&self, number: u64) -> Result<()>;
    /// Promises that a commit cannot fail any more. Changes may still follow; then this comes again.
    fn prepare(&self) -> Result<()>;
    /// The store has committed: makes the changes last. It is too late for a failure.
    fn commit(&self);
    /// Undoes everything since `begin`.
    fn rollback(&self);
}

/// A change outside, which may have to be made again. One that fails has changed nothing. It is dropped
/// after the commit or rollback that decides about it.
pub type Operation = Box<dyn Fn() -> Result<()> + Send>;

/// What is done outside in one transaction. Dropping it undoes that.
#[derive(Default)]
pub(super) struct Outside {
    number: u64,
    begun: Vec<Arc<dyn Participant>>,
    done: Vec<(Arc<dyn Participant>, Operation)>,
    /// Everybody has promised since the last change.
    prepared: bool,
    /// What was done cannot be made again: the transaction must not commit.
    broken: Option<Error>,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("operations", &self.done.len()).finish_non_exhaustive()
    }
}

impl Outside {
    /// True if nobody takes part.
    pub(super) fn is_idle(&self) -> bool {
        self.begun.is_empty()
    }

    /// Number of changes made so far, a place for [`go_back`](Self::go_back).
    pub(super) fn mark(&self) -> usize {
        self.done.len()
    }

    /// The number that the participants are told.
    pub(super) fn number_from(&mut self, number: u64) {
        self.number = number;
    }

    /// Makes a change. Errors: what participant or change gives; nothing is changed then.
    pub(super) fn perform(&mut self, who: Arc<dyn Participant>, what: Operation) -> Result<()> {
        self.run(&who, &what)?;
        self.done.push((who, what));
        Ok(())
    }

    fn run(&mut self, who: &Arc<dyn Participant>, what: &Operation) -> Result<()> {
        self.prepared = false;
        if !self.begun.iter().any(|begun| Arc::ptr_eq(begun, who)) {
            who.begin(self.number)?;
            self.begun.push(Arc::clone(who));
        }
        what()
    }

    /// Undoes all changes behind `mark`. Participants can only undo everything, so those before it are
    /// made again.
    pub(super) fn go_back(&mut self, mark: usize) {
        if self.done.len() <= mark {
            return;
        }
        let undone = self.done.split_off(mark);
        self.roll_back();
        drop(undone);
        let done = std::mem::take(&mut self.done);
        for (who, what) in &done {
            if let Err(error) = self.run(who, what) {
                let text = "a change outside the store cannot be made again after a rollback";
                self.broken.get_or_insert(error.context(text));
                break;
            }
        }
        self.done = done;
    }

    /// Asks everybody to promise. Errors: the first refusal.
    pub(super) fn prepare(&mut self) -> Result<()> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        if !self.prepared {
            self.begun.iter().try_for_each(|who| who.prepare())?;
            self.prepared = true;
        }
        Ok(())
    }

    /// Makes everything last; for a transaction that is prepared.
    pub(super) fn commit(&mut self) {
        self.begun.drain(..).for_each(|who| who.commit());
        self.done.clear();
    }

    fn roll_back(&mut self) {
        self.begun.drain(..).rev().for_each(|who| who.rollback());
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.roll_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use parking_lot::Mutex;

    /// Notes what it hears; refuses the changes that are named so.
    #[derive(Default)]
    struct Witness {
        heard: Mutex<Vec<String>>,
        refused: Mutex<Vec<&'static str>>,
    }

    impl Witness {
        fn hear(&self, what: &str) -> Result<()> {
            if self.refused.lock().contains(&what) {
                return Err(Error::new(Code::Callback, what.to_owned()));
            }
            self.heard.lock().push(what.to_owned());
            Ok(())
        }
    }

    impl Participant for Witness {
        fn begin(&self, number: u64) -> Result<()> {
            self.hear(&format!("begin {number}"))
        }
        fn prepare(&self) -> Result<()> {
            self.hear("prepare")
        }
        fn commit(&self) {
            let _ = self.hear("commit");
        }
        fn rollback(&self) {
            let _ = self.hear("rollback");
        }
    }

    fn perform(outside: &mut Outside, who: &Arc<Witness>, what: &'static str) -> Result<()> {
        let witness = Arc::clone(who);
        outside
            .perform(Arc::clone(who) as Arc<dyn Participant>, Box::new(move || witness.hear(what)))
    }

    #[test]
    fn what_was_done_before_a_mark_is_done_again() {
        let (who, mut outside) = (Arc::new(Witness::default()), Outside::default());
        outside.number_from(7);
        perform(&mut outside, &who, "a").unwrap();
        let mark = outside.mark();
        perform(&mut outside, &who, "b").unwrap();
        outside.prepare().unwrap();
        outside.prepare().unwrap();
        outside.go_back(mark);
        outside.go_back(mark);
        outside.prepare().unwrap();
        outside.commit();
        drop(outside);
        let heard = who.heard.lock().join(", ");
        assert_eq!(heard, "begin 7, a, b, prepare, rollback, begin 7, a, prepare, commit");
    }

    #[test]
    fn what_cannot_be_done_again_must_not_commit() {
        let (who, mut outside) = (Arc::new(Witness::default()), Outside::default());
        perform(&mut outside, &who, "a").unwrap();
        let mark = outside.mark();
        perform(&mut outside, &who, "b").unwrap();
        who.refused.lock().push("a");
        outside.go_back(mark);
        assert_eq!(outside.prepare().unwrap_err().code(), Code::Callback);
        drop(outside);
        assert_eq!(who.heard.lock().join(", "), "begin 0, a, b, rollback, begin 0, rollback");
    }

    #[test]
    fn a_refused_change_is_none() {
        let (who, mut outside) = (Arc::new(Witness::default()), Outside::default());
        who.refused.lock().push("a");
        perform(&mut outside, &who, "a").unwrap_err();
        assert_eq!((outside.mark(), outside.is_idle()), (0, false));
        who.refused.lock().push("begin 0");
        outside.go_back(0);
        drop(outside);
        assert_eq!(who.heard.lock().join(", "), "begin 0, rollback");
    }
}
