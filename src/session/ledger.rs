//! What the journal gets to know of a session: commands with the values around them, decisions and
//! answers, each in the transaction that makes it durable.

use super::alert::{Answer, Kind, UserAlert};
use super::run::Run;
use crate::audit::{self, Command, Decision, Entry, Hash, Journal, Tally, hash};
use crate::error::Result;
use crate::store::{Reader, Txn};
use crate::syncml::model::Verb;
use crate::syncml::status;
use crate::time::Now;
use crate::tree::{self, Actor, Part, Query, Uri};
use std::collections::BTreeMap;

/// Hashes of a leaf's value before and after.
pub(super) type Values = (Option<Hash>, Option<Hash>);

/// The records of a session that are still to be written.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The session's number at this device.
    session: u64,
    /// There is a journal; without one no value need be read.
    is_kept: bool,
    /// By command and item of the present message.
    values: BTreeMap<(usize, usize), Values>,
    /// Commands of the present message that have their records.
    written: usize,
    /// What comes before them.
    waiting: Vec<Entry>,
    /// Octets of the session's records so far.
    octets: u64,
}

impl Ledger {
    pub(super) fn new(session: u64) -> Self {
        let (values, waiting) = (BTreeMap::new(), Vec::new());
        Self { session, is_kept: false, values, written: 0, waiting, octets: 0 }
    }

    /// A new message of the server has come.
    ///
    /// Errors: what the store gives.
    pub(super) fn turn_page(&mut self, reader: &dyn Reader) -> Result<()> {
        self.values.clear();
        self.written = 0;
        self.is_kept = audit::is_kept(reader)?;
        Ok(())
    }

    /// Notes the values around an item that was executed.
    pub(super) fn note(&mut self, task: usize, item: usize, values: Values) {
        if values != (None, None) {
            self.values.insert((task, item), values);
        }
    }

    /// Notes what the policy said.
    pub(super) fn decided(&mut self, decision: Decision) {
        let session = Some(self.session);
        self.waiting.push(Entry::Decision(Decision { session, ..decision }));
    }

    /// Notes what the user said.
    pub(super) fn answered(&mut self, about: &'static str, asked: &UserAlert, answer: &Answer) {
        let (session, name) = (Some(self.session), answer.name());
        self.waiting.push(Entry::answer(session, about, &asked.text, name));
    }

    /// Writes the records of everything that is settled in the present message and has none.
    pub(super) fn write(
        &mut self,
        run: &Run<'_>,
        message: u32,
        txn: &mut Txn,
        now: Now,
    ) -> Result<()> {
        if self.waiting.is_empty() && self.written >= run.position() {
            return Ok(());
        }
        let Some(mut journal) = Journal::existing(txn, now)? else { return Ok(()) };
        let mut entries = std::mem::take(&mut self.waiting);
        for settled in run.settled(self.written) {
            let values = self.values.remove(&(settled.task, settled.item));
            // What was undone has changed nothing.
            let values = values.filter(|_| settled.status < status::NOT_EXECUTED);
            let values = values.unwrap_or_default();
            entries.push(Entry::Command(Command {
                session: self.session,
                message,
                name: settled.name.to_owned(),
                uri: settled.target.map(str::to_owned),
                before: values.0,
                after: values.1,
                status: settled.status,
            }));
        }
        self.append(&mut journal, &entries, message)?;
        self.written = run.position();
        Ok(())
    }

    /// Appends records; of commands and decisions beyond the session's share only their sum, so that a server
    /// cannot push the records of others out of the journal. The user's answers cost more than octets.
    fn append(&mut self, journal: &mut Journal<'_>, entries: &[Entry], message: u32) -> Result<()> {
        let mut tally = Tally::default();
        for entry in entries {
            let counts = matches!(entry, Entry::Command(_) | Entry::Decision(_));
            if counts && self.octets + journal.written() >= journal.share() {
                tally.add(entry);
            } else {
                journal.append(entry)?;
            }
        }
        if let Some(rest) = tally.entry(self.session, message) {
            journal.append(&rest)?;
        }
        self.octets += journal.written();
        Ok(())
    }

    /// Hash of the value of a leaf before `verb` changes it. An Add finds nothing there.
    pub(super) fn before(
        &self,
        reader: &dyn Reader,
        verb: Verb,
        uri: Option<&Uri>,
    ) -> Option<Hash> {
        match verb {
            Verb::Add | Verb::Get | Verb::Exec => None,
            Verb::Replace | Verb::Delete | Verb::Copy => self.value(reader, uri),
        }
    }

    /// Hash of the value of a leaf after `verb` has changed it. A Delete leaves nothing there.
    pub(super) fn after(&self, reader: &dyn Reader, verb: Verb, uri: Option<&Uri>) -> Option<Hash> {
        match verb {
            Verb::Delete | Verb::Get | Verb::Exec => None,
            Verb::Add | Verb::Replace | Verb::Copy => self.value(reader, uri),
        }
    }

    fn value(&self, reader: &dyn Reader, uri: Option<&Uri>) -> Option<Hash> {
        value(reader, uri.filter(|_| self.is_kept)?)
    }
}

/// Hash of the value of a leaf; `None` for other nodes, for secrets,
/// and for what the host keeps: it is not asked just for the record.
fn value(reader: &dyn Reader, uri: &Uri) -> Option<Hash> {
    let is_hidden =
        || tree::is_secret(reader, &uri.path) || tree::is_kept_by_host(reader, &uri.path);
    if uri.part != Part::Node || is_hidden() {
        return None;
    }
    match Query::new(reader, Actor::Host).get(uri) {
        Ok(tree::Answer::Leaf { value, .. }) => Some(hash(&value)),
        _ => None,
    }
}

impl Kind {
    /// The kind's name in the journal.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Display => "display",
            Self::Confirm => "confirm",
            Self::TextInput => "text-input",
            Self::SingleChoice => "single-choice",
            Self::MultipleChoice => "multiple-choice",
        }
    }
}

impl Answer {
    /// What kind of answer it is, without what was put in.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Text(_) => "text",
            Self::Choices(_) => "choices",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timeout",
            Self::CannotShow => "not-shown",
        }
    }
}
