//! The client's side of the journal: what is recorded outside of a session's transactions, who signs,
//! and the host's door to it.

use super::Client;
use super::core::Core;
use crate::audit::{self, Bootstrap, Entry, Hash, Journal, PublicKey, Signer, Summary};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::secret::Secret;
use crate::time::Now;
use std::fmt;

/// An hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// Records that wait for their transaction.
#[derive(Default)]
pub(super) struct Recorder {
    waiting: Vec<Entry>,
    /// The journal is to be signed once they are written.
    seal: bool,
    /// Writing has failed; it is tried again when there is more to write.
    stuck: bool,
    signer: Option<Box<dyn Signer>>,
    refusals: Refusals,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

/// How many refused notifications have had a record in the present hour, so that nobody can fill the
/// journal with them.
#[derive(Debug, Default)]
struct Refusals {
    since_ms: u64,
    recorded: usize,
    unrecorded: u64,
}

impl Refusals {
    /// How many have gone without a record since the last one that had one; `None` if this one has to.
    fn admit(&mut self, now_ms: u64) -> Option<u64> {
        if now_ms.saturating_sub(self.since_ms) >= HOUR_MS {
            (self.since_ms, self.recorded) = (now_ms, 0);
        }
        if self.recorded >= limits::AUDIT_REFUSALS {
            self.unrecorded += 1;
            return None;
        }
        self.recorded += 1;
        Some(std::mem::take(&mut self.unrecorded))
    }
}

impl Recorder {
    /// True if there is something to write.
    pub(super) fn is_due(&self) -> bool {
        !self.stuck && (self.seal || !self.waiting.is_empty())
    }
}

impl Core {
    /// Records something of which nothing else has to become durable with it.
    pub(super) fn record(&mut self, entry: Entry) {
        self.recorder.stuck = false;
        if self.recorder.waiting.len() < limits::AUDIT_WAITING {
            self.recorder.waiting.push(entry);
        } else {
            log::error!("audit: the store has been busy for too long: a record is lost");
        }
    }

    /// Records a refused notification, as long as there are not too many.
    pub(super) fn record_refusal(&mut self, trigger: audit::Trigger, now: Now) {
        if let Some(unrecorded) = self.recorder.refusals.admit(now.mono_ms) {
            self.record(Entry::Trigger(audit::Trigger { unrecorded, ..trigger }));
        }
    }

    /// Records a refused push with a bootstrap, as long as there are not too many.
    pub(super) fn record_refused_bootstrap(&mut self, bootstrap: Bootstrap, now: Now) {
        if let Some(unrecorded) = self.recorder.refusals.admit(now.mono_ms) {
            // The next notification that has a record tells it.
            self.recorder.refusals.unrecorded = unrecorded;
            self.record(Entry::Bootstrap(bootstrap));
        }
    }

    /// Signs what is in the journal by now, if it is not.
    pub(super) fn sign_soon(&mut self) {
        self.recorder.seal = true;
        self.step_journal(self.now());
    }

    /// Records the end of a session, and signs what has happened in it.
    pub(super) fn record_end(&mut self, entry: Entry) {
        self.record(entry);
        self.recorder.seal = true;
        self.step_journal(self.now());
    }

    /// Writes what waits, unless somebody else writes to the store; true if anything was done.
    pub(super) fn step_journal(&mut self, now: Now) -> bool {
        if !self.recorder.is_due() || self.db.is_writing() {
            return false;
        }
        let seal = std::mem::take(&mut self.recorder.seal);
        if let Err(error) = self.write_journal(seal, now) {
            log::error!("audit: {error}");
            self.recorder.stuck = true;
        }
        true
    }

    /// Writes what waits, and signs it if `seal` says so. A signature that fails is left to the next.
    pub(super) fn write_journal(&mut self, seal: bool, now: Now) -> Result<()> {
        let mut txn = self.db.begin()?;
        let mut journal = Journal::open(&mut txn, &mut *self.random, now)?;
        for entry in &self.recorder.waiting {
            journal.append(entry)?;
        }
        let signed = match seal {
            true => journal.seal(self.recorder.signer.as_deref_mut().map(|signer| signer as _)),
            false => Ok(()),
        };
        txn.commit()?;
        self.recorder.waiting.clear();
        signed.map_err(|error| error.context("signing the journal"))
    }

    fn set_signer(&mut self, signer: Option<Box<dyn Signer>>) {
        self.recorder.signer = signer;
    }

    fn export_journal(&mut self) -> Result<Vec<u8>> {
        let now = self.now();
        self.write_journal(true, now)?;
        audit::export(&self.db.read()?)
    }

    fn discard_journal(&mut self, seq: u64) -> Result<()> {
        let now = self.now();
        let mut txn = self.db.begin()?;
        Journal::open(&mut txn, &mut *self.random, now)?.discard(seq)?;
        txn.commit()?;
        self.write_journal(true, now)
    }

    fn journal_key(&mut self) -> Result<PublicKey> {
        if let Some(signer) = &mut self.recorder.signer {
            return signer.public_key();
        }
        audit::public_key(&self.db.read()?)?
            .ok_or_else(|| Error::new(Code::State, "there is no journal"))
    }

    fn limit_journal(&mut self, octets: u64) -> Result<()> {
        let now = self.now();
        let mut txn = self.db.begin()?;
        Journal::open(&mut txn, &mut *self.random, now)?.set_limit(octets)?;
        txn.commit().map(drop)
    }
}

impl Client {
    /// Lets somebody else sign the journal; `None`: the journal's own key.
    pub fn set_signer(&self, signer: Option<Box<dyn Signer>>) -> Result<()> {
        self.0.seat.call(move |core| core.set_signer(signer))
    }

    /// Signs the journal up to its end and gives its records as JSON Lines.
    pub fn audit_export(&self) -> Result<Vec<u8>> {
        self.0.seat.call(Core::export_journal)?
    }

    /// Drops the records up to number `seq`.
    pub fn audit_discard(&self, seq: u64) -> Result<()> {
        self.0.seat.call(move |core| core.discard_journal(seq))?
    }

    /// Bounds the journal to so many octets.
    pub fn audit_set_limit(&self, octets: u64) -> Result<()> {
        self.0.seat.call(move |core| core.limit_journal(octets))?
    }

    /// The public key of whoever signs.
    pub fn audit_key(&self) -> Result<PublicKey> {
        self.0.seat.call(Core::journal_key)?
    }

    /// Hash of the last record, and where the journal stands.
    pub fn audit_head(&self) -> Result<(Hash, Summary)> {
        let view = self.db()?.read()?;
        Ok((audit::head(&view)?.unwrap_or_default(), audit::summary(&view)?))
    }

    /// The key of the value hashes in record `seq`.
    pub fn audit_reveal(&self, seq: u64) -> Result<Secret> {
        audit::reveal(&self.db()?.read()?, seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_above_the_bound_are_counted_and_told_in_the_next_hour() {
        let mut refusals = Refusals::default();
        for _ in 0..limits::AUDIT_REFUSALS {
            assert_eq!(refusals.admit(5), Some(0));
        }
        assert_eq!((refusals.admit(6), refusals.admit(HOUR_MS - 1)), (None, None));
        assert_eq!(refusals.admit(HOUR_MS), Some(2));
        assert_eq!(refusals.admit(HOUR_MS), Some(0));
    }
}
