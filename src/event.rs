//! What the client tells its host: events, questions to the user, and notifications to judge.

use crate::error::{Code, Error};
use crate::session::{Answer, UserAlert};
use crate::store::Change;
use std::net::IpAddr;
use std::sync::Weak;

/// Kinds of events. The numbers are the C API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// A notification was accepted; a session will follow. `uri` is the server id.
    SessionRequested = 1,
    /// A DM session begins. `uri` is the server id.
    SessionStarted = 2,
    /// A message for the server is ready and leaves; `phase` is its MsgID.
    PackageSent = 3,
    /// A message came from the server; `phase` is the number of messages so far.
    PackageReceived = 4,
    /// A server command was done; `uri` is the node, `phase` the SyncML status, `data` the verb.
    CommandDone = 6,
    /// A DM session ended; `status` says how, `uri` is the server id.
    SessionEnded = 7,
    /// The card holds bootstrap data; `uri` is the object's path on the card.
    BootstrapFound = 8,
    /// Bootstrap data was dealt with. Applied: `uri` is the new node, `data` an account's server id.
    /// Failed: `status` says why, `uri` is the object's path on the card, if it has one.
    BootstrapApplied = 9,
    /// The card was opened (`status` 0), has gone or does not answer (`status` says why), or asked to
    /// be read again (`status` `CardReset`, `phase` 1). `phase` 2: a card was put into the reader of a card
    /// that is gone.
    CardState = 10,
    /// A notification was refused; `status` says why.
    TriggerRefused = 12,
    /// What a card brought went with it or with its object; `uri` is the node that is gone, `data` an
    /// account's server id.
    BootstrapRemoved = 13,
    /// A session could not be held and will be tried again; `uri` is the server id, `phase` the attempts
    /// so far, `status` says why.
    SessionDeferred = 50,
    /// A session waits for a network; `uri` is the server id, `data` the connectivity that its account
    /// asks for, if it does.
    NetworkWanted = 51,
    /// A connection of the card into the network was refused or failed; `uri` is the server's address,
    /// `status` says why.
    ConnectionRefused = 52,
    /// A bootstrap that waited for the user is over. `status` says how; the accounts and objects that
    /// it brought were told one by one before.
    BootstrapDone = 40,
    /// A handler of the host's nodes failed; `uri` is the node, `status` the handler's number.
    NodeFailed = 14,
    /// An alert of the host is done with: answered by a server (`phase` is its SyncML status, `status` 0 or
    /// `Refused`), or larger than it takes (`TooLarge`); `number` is the alert's, `uri` the server id.
    AlertDone = 15,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: EventKind,
    /// Card slot the event belongs to; 0 if none.
    pub slot: u32,
    /// DM session the event belongs to; 0 if none.
    pub session_id: u64,
    /// 0, or the error's number.
    pub status: i32,
    /// See [`EventKind`].
    pub phase: u32,
    /// See [`EventKind`].
    pub uri: Option<String>,
    /// See [`EventKind`]; the error's text when `status` is negative.
    pub data: Vec<u8>,
    /// Number of an alert of the host; 0 if none.
    pub number: u64,
}

impl Event {
    /// An event without details.
    pub fn new(kind: EventKind) -> Self {
        let (session_id, number) = (0, 0);
        let (uri, data) = (None, Vec::new());
        Self { kind, slot: 0, session_id, status: 0, phase: 0, uri, data, number }
    }

    /// The event of slot `slot`.
    #[must_use]
    pub fn slot(self, slot: u32) -> Self {
        Self { slot, ..self }
    }

    /// The event of session `id`.
    #[must_use]
    pub fn session(self, id: u64) -> Self {
        Self { session_id: id, ..self }
    }

    /// The event about `uri`.
    #[must_use]
    pub fn uri(self, uri: impl Into<String>) -> Self {
        Self { uri: Some(uri.into()), ..self }
    }

    /// The event of a failure.
    #[must_use]
    pub fn failed(self, error: &Error) -> Self {
        Self { status: error.number(), data: error.what().as_bytes().to_vec(), ..self }
    }
}

/// Where a notification came from. The numbers are the C API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum TriggerSource {
    /// WAP push or SMS, handed over by the host.
    Push = 0,
    /// The card in the slot, over a local channel.
    Card = 1,
    /// The host itself (a test, a local management application).
    Host = 2,
}

impl TriggerSource {
    /// The source with this number, if there is one.
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Push, Self::Card, Self::Host].into_iter().find(|source| *source as u32 == number)
    }
}

/// A verified notification, before its session starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerInfo {
    pub source: TriggerSource,
    pub slot: u32,
    /// The library's id of the session that will follow.
    pub session_id: u64,
    pub server_id: String,
    /// SessionID of the DM session, from the notification.
    pub dm_session_id: u16,
    /// 0 not specified, 1 background, 2 informative, 3 user interaction.
    pub ui_mode: u8,
    /// The server caused it (else the user).
    pub by_server: bool,
    /// Vendor octets of the notification.
    pub vendor: Vec<u8>,
}

/// Who wants a connection. The numbers are the C API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ConnectionKind {
    /// The card, over TCP to a server in the network.
    CardTcp = 1,
    /// The card, over UDP to a server in the network.
    CardUdp = 2,
    /// A local application, to the card's web server.
    Gateway = 3,
}

/// A connection that needs the host's consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    pub(crate) id: u64,
    pub kind: ConnectionKind,
    /// The card's slot.
    pub slot: u32,
    /// The server's address, or the local application's.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The card's port that a local application wants; else 0.
    pub local_port: u16,
    /// The network that the card wants to use.
    pub network: Option<String>,
    /// What the card wants the user to be asked.
    pub text: Option<String>,
}

/// What the host says to a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerVerdict {
    Accept,
    Refuse,
}

/// Takes the answer of one question.
pub(crate) trait AnswerSink: Send + Sync {
    /// The answer to question `id`. `State` if nobody can take it any more.
    fn answer(&self, id: u64, answer: Answer) -> Result<(), Error>;
}

/// What an answer of the user is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A server's alert in a session.
    Session,
    /// May the device be set up with what a card or a push brings?
    BootstrapConsent,
    /// May a session begin? A display says that one does, and nobody waits for the answer.
    SessionConsent,
    /// May a server do this? The policy asks, and the choices say what it is about.
    CommandConsent,
    /// The PIN of a pushed bootstrap, or PIN and MAC in one.
    BootstrapPin {
        /// Attempts left, this one included.
        tries: u32,
    },
}

/// A question to the user, given away to the host; answer it once, from any thread.
pub struct Question {
    /// What to ask.
    pub alert: UserAlert,
    /// The session that asks; 0 for a bootstrap.
    pub session_id: u64,
    /// What the answer is for.
    pub purpose: Purpose,
    pub(crate) id: u64,
    pub(crate) sink: Weak<dyn AnswerSink>,
}

impl Question {
    /// Hands the answer over. `State` if the client is gone; `InvalidArg` if it is no answer to this
    /// question, which then counts as cancelled.
    pub fn answer(self, answer: Answer) -> Result<(), Error> {
        let sink = self
            .sink
            .upgrade()
            .ok_or_else(|| Error::new(Code::State, "the client of this question is gone"))?;
        let checked = self.alert.check(&answer);
        sink.answer(self.id, if checked.is_ok() { answer } else { Answer::Cancelled })?;
        checked
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The host's ear. Called on the driving thread only, one call at a time, with no lock held.
pub trait Listener: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event);
    /// The user is asked; `None` support is told by [`has_user`](Self::has_user).
    fn question(&self, question: Question);
    /// A notification is good: start its session?
    fn trigger(&self, info: &TriggerInfo) -> TriggerVerdict;
    /// True if the connection may be made.
    fn connection(&self, info: &ConnectionInfo) -> bool {
        let _ = info;
        false
    }
    /// True if somebody can answer questions.
    fn has_user(&self) -> bool;
    /// A commit has changed these nodes; told before the events of the same step.
    fn changes(&self, changes: &[Change]) {
        let _ = changes;
    }
    /// True if [`changes`](Self::changes) is wanted.
    fn wants_changes(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Input, Kind, Preset};
    use parking_lot::Mutex;
    use std::sync::Arc;

    #[derive(Default)]
    struct Sink(Mutex<Vec<(u64, Answer)>>);

    impl AnswerSink for Sink {
        fn answer(&self, id: u64, answer: Answer) -> Result<(), Error> {
            self.0.lock().push((id, answer));
            Ok(())
        }
    }

    #[test]
    fn an_answer_that_is_none_counts_as_cancelled() {
        let sink = Arc::new(Sink::default());
        let question = |id| Question {
            alert: UserAlert {
                kind: Kind::TextInput,
                text: "How old are you?".into(),
                choices: Vec::new(),
                min_display_s: None,
                max_display_s: None,
                preset: Preset::None,
                max_len: Some(3),
                input: Input::Number,
                hidden: false,
            },
            session_id: 1,
            purpose: Purpose::Session,
            id,
            sink: Arc::downgrade(&(sink.clone() as Arc<dyn AnswerSink>)),
        };
        let refused = question(7).answer(Answer::Text("old".into()));
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArg);
        question(8).answer(Answer::Text("42".into())).unwrap();
        let heard = sink.0.lock();
        assert_eq!(*heard, [(7, Answer::Cancelled), (8, Answer::Text("42".into()))]);
    }
}
