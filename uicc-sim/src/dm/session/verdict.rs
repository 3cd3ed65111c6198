//! What the server finds about a session, and its verdict.

use super::super::incoming::{self, Message};
use super::super::log::Log;
use super::super::wbxml::Element;
use super::Session;
use super::answers::is_event;

impl Session {
    pub(super) fn note(&self, log: &mut Log, text: &str) {
        log.note(true, format!("session {}: {text}", self.id));
    }

    pub(super) fn fail(&mut self, log: &mut Log, text: &str) {
        self.failed = true;
        log.note(false, format!("session {}: {text}", self.id));
    }

    /// Notes something that happened, which is good or not.
    pub(super) fn judge(&mut self, log: &mut Log, good: bool, text: &str) {
        if good { self.note(log, text) } else { self.fail(log, text) }
    }

    /// Notes a demand, met or not.
    pub(super) fn check(&mut self, log: &mut Log, met: bool, text: &str) {
        if met { self.note(log, text) } else { self.fail(log, &format!("not so: {text}")) }
    }

    pub(super) fn expect(&mut self, log: &mut Log, what: &str, found: &str, wanted: &str) {
        if found != wanted {
            self.fail(log, &format!("{what} is {found:?} instead of {wanted:?}"));
        }
    }

    pub(super) fn finish(&mut self, log: &mut Log) {
        if self.over {
            return;
        }
        for uri in std::mem::take(&mut self.broken_off) {
            self.fail(log, &format!("no Alert 1225 for {uri}, which has no end"));
        }
        self.over = true;
        if self.failed {
            log.bad_sessions += 1;
        } else {
            log.good_sessions += 1;
        }
        let verdict = if self.failed { "bad" } else { "good" };
        log.note(!self.failed, format!("session {}: ends, {verdict}", self.id));
    }

    /// Whether a message behind the end brings a pending event, which goes on with the session.
    pub(super) fn reopens(&mut self, root: &Element, log: &mut Log) -> bool {
        let events = |message: Message| {
            let mut commands = message.commands.into_iter();
            commands.any(|command| command.name == "Alert" && is_event(&command.code))
        };
        if self.cut || !incoming::read(root).is_ok_and(events) {
            return false;
        }
        let count = if self.failed { &mut log.bad_sessions } else { &mut log.good_sessions };
        *count = count.saturating_sub(1);
        self.over = false;
        self.note(log, "goes on for an event of the terminal");
        true
    }

    /// A message behind the end turns a good verdict into a bad one.
    pub(super) fn late_message(&mut self, log: &mut Log) {
        if !self.failed {
            log.good_sessions = log.good_sessions.saturating_sub(1);
            log.bad_sessions += 1;
        }
        self.fail(log, "a message behind the end of the session");
    }
}
