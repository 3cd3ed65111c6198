//! What a record can tell: its kinds and their members.

use super::line::Line;
use super::{Hash, hash};
use crate::error::{Code, Error};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Ok,
    /// With this error.
    Failed(Code),
}

impl From<Option<&Error>> for Outcome {
    fn from(error: Option<&Error>) -> Self {
        error.map_or(Self::Ok, |error| Self::Failed(error.code()))
    }
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed(code) => code.name(),
        }
    }
}

/// A notification that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// `push`, `card` or `host`.
    pub source: &'static str,
    /// The card's slot.
    pub slot: u32,
    /// SHA-256 of its octets as they came.
    pub digest: Hash,
    /// The server it names, once that is known.
    pub server: Option<String>,
    /// The session that follows, if it was accepted.
    pub session: Option<u64>,
    /// Accepted, or why it was refused.
    pub outcome: Outcome,
    /// Notifications refused since the last record of one, which have no record of their own.
    pub unrecorded: u64,
}

/// A session that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The session's number at this device.
    pub session: u64,
    /// The server's identifier.
    pub server: String,
    /// SessionID in the messages.
    pub dm_session: u16,
    /// True if a notification of the server is the reason.
    pub by_server: bool,
    /// How messages travel: `card`, `http`, `https`, `host`.
    pub transport: &'static str,
    /// Hash of the ICCID of the card the account came from.
    pub card: Option<[u8; 16]>,
}

/// How each side has proved who it is; `none` where it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The server: `basic`, `md5`, `mac`, `transport` or `none`.
    pub server: &'static str,
    /// The client, as the server accepted it.
    pub client: &'static str,
}

/// A bootstrap object that was dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// `card`, `push` or `factory`.
    pub origin: &'static str,
    /// The card's slot.
    pub slot: u32,
    /// Hash of the card's ICCID.
    pub card: Option<[u8; 16]>,
    /// SHA-256 of the object's octets; `None` if they could not be read.
    pub digest: Option<Hash>,
    /// Where on the card it is, or what kind of document it is.
    pub object: String,
    /// The nodes it made.
    pub uris: Vec<String>,
    /// Applied, or why not.
    pub outcome: Outcome,
}

/// One item of a server's command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The session's number at this device.
    pub session: u64,
    /// Number of the server's message in the session.
    pub message: u32,
    /// Name of the command.
    pub name: String,
    /// URI of the node.
    pub uri: Option<String>,
    /// SHA-256 of the leaf's value before; `None` if there was none, or it is a secret.
    pub before: Option<Hash>,
    /// The same afterwards.
    pub after: Option<Hash>,
    /// Status of the answer.
    pub status: u16,
}

/// What the policy said, where that is not simply "allowed".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The session's number at this device, if there is one.
    pub session: Option<u64>,
    /// Class of the operation.
    pub class: &'static str,
    /// Name of the command; empty for a bootstrap or a session.
    pub command: String,
    /// URI of the node, or the server's identifier.
    pub subject: String,
    /// `ask`, `refuse`, or what stands in for the user: `default-allow`, `default-refuse`.
    pub action: &'static str,
}

/// What a session did beyond its share of the journal: without records of its own, but not without a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrecorded {
    /// The session's number at this device.
    pub session: u64,
    /// Number of the server's message in the session.
    pub message: u32,
    /// How many commands and decisions it were.
    pub count: u64,
    /// SHA-256 of all of them, see [`Tally`].
    pub digest: Hash,
}

/// Adds up commands and decisions for [`Unrecorded`]. Of each one line is hashed: of a command its name, URI
/// and status, of a decision the word `decision`, its command, subject and action, with a blank in between
/// and a line feed at the end.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    count: u64,
    digest: Sha256,
}

impl Tally {
    /// Adds one; other entries than commands and decisions are not counted.
    pub fn add(&mut self, entry: &Entry) {
        let line = match entry {
            Entry::Command(Command { name, uri, status, .. }) => {
                format!("{name} {} {status}\n", uri.as_deref().unwrap_or_default())
            }
            Entry::Decision(Decision { command, subject, action, .. }) => {
                format!("decision {command} {subject} {action}\n")
            }
            _ => return,
        };
        self.count += 1;
        self.digest.update(line);
    }

    /// What came together in a message; `None` if that is nothing.
    pub fn entry(self, session: u64, message: u32) -> Option<Entry> {
        let (count, digest) = (self.count, self.digest.finalize().into());
        let unrecorded = Unrecorded { session, message, count, digest };
        (count > 0).then_some(Entry::Unrecorded(unrecorded))
    }
}

/// One thing to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A notification came.
    Trigger(Trigger),
    /// A session begins.
    SessionBegin(Start),
    /// A session ended.
    SessionEnd {
        /// The session's number at this device.
        session: u64,
        /// The server's identifier.
        server: String,
        /// Who had proved what.
        authentication: Authentication,
        /// Messages received.
        messages: u32,
        /// Well, or why not.
        outcome: Outcome,
    },
    /// A bootstrap object was dealt with.
    Bootstrap(Bootstrap),
    /// A server's command was answered.
    Command(Command),
    /// The policy decided.
    Decision(Decision),
    /// There was more of both.
    Unrecorded(Unrecorded),
    /// The user was asked and this is what came of it.
    Answer {
        /// The session's number at this device, if there is one.
        session: Option<u64>,
        /// What was asked for: `consent`, or the kind of the server's alert.
        about: &'static str,
        /// SHA-256 of the text that was shown.
        digest: Hash,
        /// `accepted`, `rejected`, `cancelled`, `timeout`, `not-shown`, `text`, `choices`.
        answer: &'static str,
    },
}

impl Entry {
    /// The record of an answer to the question `text`.
    pub fn answer(
        session: Option<u64>,
        about: &'static str,
        text: &str,
        answer: &'static str,
    ) -> Self {
        Self::Answer { session, about, digest: hash(text.as_bytes()), answer }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Trigger(_) => "trigger",
            Self::SessionBegin(_) => "session-begin",
            Self::SessionEnd { .. } => "session-end",
            Self::Bootstrap(_) => "bootstrap",
            Self::Command(_) => "command",
            Self::Decision(_) => "decision",
            Self::Unrecorded(_) => "unrecorded",
            Self::Answer { .. } => "answer",
        }
    }

    /// Writes the members behind `kind`; `key` is the record's own for the values' hashes.
    pub(super) fn write(&self, line: &mut Line, key: &[u8; 32]) {
        match self {
            Self::Trigger(trigger) => trigger.write(line),
            Self::SessionBegin(start) => start.write(line),
            Self::SessionEnd { session, server, authentication, messages, outcome } => {
                line.number("session", *session);
                line.text("server", server);
                line.text("server_auth", authentication.server);
                line.text("client_auth", authentication.client);
                line.number("messages", (*messages).into());
                line.text("outcome", outcome.name());
            }
            Self::Bootstrap(bootstrap) => bootstrap.write(line),
            Self::Command(command) => command.write(line, key),
            Self::Decision(decision) => decision.write(line),
            Self::Unrecorded(unrecorded) => {
                line.number("session", unrecorded.session);
                line.number("message", unrecorded.message.into());
                line.number("count", unrecorded.count);
                line.hex("digest", &unrecorded.digest);
            }
            Self::Answer { session, about, digest, answer } => {
                optional(line, "session", *session);
                line.text("about", about);
                line.hex("digest", digest);
                line.text("answer", answer);
            }
        }
    }
}

fn optional(line: &mut Line, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        line.number(name, number);
    }
}

impl Trigger {
    fn write(&self, line: &mut Line) {
        line.text("source", self.source);
        line.number("slot", self.slot.into());
        line.hex("digest", &self.digest);
        if let Some(server) = &self.server {
            line.text("server", server);
        }
        optional(line, "session", self.session);
        line.text("outcome", self.outcome.name());
        optional(line, "unrecorded", (self.unrecorded > 0).then_some(self.unrecorded));
    }
}

impl Start {
    fn write(&self, line: &mut Line) {
        line.number("session", self.session);
        line.text("server", &self.server);
        line.text("dm_session", &format!("{:X}", self.dm_session));
        line.text("cause", if self.by_server { "server" } else { "client" });
        line.text("transport", self.transport);
        if let Some(card) = &self.card {
            line.hex("card", card);
        }
    }
}

impl Bootstrap {
    fn write(&self, line: &mut Line) {
        line.text("origin", self.origin);
        line.number("slot", self.slot.into());
        if let Some(card) = &self.card {
            line.hex("card", card);
        }
        line.text("object", &self.object);
        if let Some(digest) = &self.digest {
            line.hex("digest", digest);
        }
        line.texts("uris", &self.uris);
        line.text("outcome", self.outcome.name());
    }
}

impl Command {
    fn write(&self, line: &mut Line, key: &[u8; 32]) {
        line.number("session", self.session);
        line.number("message", self.message.into());
        line.text("name", &self.name);
        if let Some(uri) = &self.uri {
            line.text("uri", uri);
        }
        for (name, value) in [("before", &self.before), ("after", &self.after)] {
            if let Some(value) = value {
                line.hex(name, &keyed(key, value));
            }
        }
        line.number("status", self.status.into());
    }
}

impl Decision {
    fn write(&self, line: &mut Line) {
        optional(line, "session", self.session);
        line.text("class", self.class);
        if !self.command.is_empty() {
            line.text("command", &self.command);
        }
        line.text("subject", &self.subject);
        line.text("action", self.action);
    }
}

/// HMAC-SHA256 of `message`.
pub(super) fn keyed(key: &[u8; 32], message: &[u8]) -> Hash {
    // A key of any length is taken; this one has the right one.
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(message));
    mac.map_or([0; 32], |mac| mac.finalize().into_bytes().into())
}
