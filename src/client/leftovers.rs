//! Records in the store that nobody needs any more: of ended sessions, of answered alerts.
//!
//! Owns that they go, also when the store fails for a while, and without asking it all the time.

use super::core::Core;
use crate::limits;
use crate::store::{Table, Txn};
use crate::time::Now;

/// What is to be taken out of the store.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    keys: Vec<(Table, Vec<u8>)>,
    /// Failures one after the other.
    failures: u32,
    /// Not before this, on the monotonic clock.
    not_before_ms: u64,
}

impl Leftovers {
    pub(super) fn push(&mut self, table: Table, key: Vec<u8>) {
        self.keys.push((table, key));
    }

    /// True if this record is still in the store, but counts no longer.
    pub(super) fn contains(&self, table: Table, key: &[u8]) -> bool {
        self.keys.iter().any(|(of, known)| *of == table && known == key)
    }

    /// Another record has this key now.
    pub(super) fn keep(&mut self, table: Table, key: &[u8]) {
        self.keys.retain(|(of, known)| *of != table || known != key);
    }

    /// When there is something to do, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<u64> {
        (!self.keys.is_empty()).then_some(self.not_before_ms)
    }

    /// Tries at once, whatever has failed before.
    pub(super) fn hurry(&mut self) {
        self.not_before_ms = 0;
    }

    fn take_out(&self, txn: &mut Txn) {
        self.keys.iter().for_each(|(table, key)| txn.delete(*table, key));
    }

    fn failed(&mut self, now: Now) {
        let (least, most) = limits::RETRY_MS;
        let pause_ms = least.saturating_mul(1 << self.failures.min(16)).min(most);
        self.failures += 1;
        self.not_before_ms = now.mono_ms.saturating_add(pause_ms);
    }
}

impl Core {
    /// Takes out what is left over, unless somebody else writes to the store; true if anything was done.
    pub(super) fn step_leftovers(&mut self, now: Now) -> bool {
        let is_due = self.leftovers.deadline().is_some_and(|due| due <= now.mono_ms);
        if !is_due || self.db.is_writing() {
            return false;
        }
        let done = self.db.begin().and_then(|mut txn| {
            self.leftovers.take_out(&mut txn);
            txn.commit()
        });
        match done {
            Ok(_) => self.leftovers = Leftovers::default(),
            Err(error) => {
                log::warn!(
                    "records of ended sessions or answered alerts stay in the store: {error}"
                );
                self.leftovers.failed(now);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let mut leftovers = Leftovers::default();
        assert_eq!(leftovers.deadline(), None);
        leftovers.push(Table::Alert, vec![1]);
        let mut now = Now { mono_ms: 5, unix_s: 0 };
        for pause_s in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            leftovers.failed(now);
            assert_eq!(leftovers.deadline(), Some(now.mono_ms + pause_s * 1000));
            now.mono_ms += pause_s * 1000;
        }
    }

    #[test]
    fn a_key_that_is_used_again_stays() {
        let mut leftovers = Leftovers::default();
        leftovers.push(Table::Alert, vec![1]);
        leftovers.push(Table::Schedule, vec![1]);
        leftovers.keep(Table::Schedule, &[1]);
        assert!(!leftovers.contains(Table::Schedule, &[1]));
        assert!(leftovers.contains(Table::Alert, &[1]));
    }
}
