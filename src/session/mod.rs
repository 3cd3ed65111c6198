//! The DM session engine: the server's messages in, the client's messages out.
//!
//! Owns packages, authentication, the order of commands, Atomic and Sequence, alerts for the user,
//! large objects and statuses (DM Protocol, Representation Protocol and Security 1.2.1). Holds no
//! socket, thread or clock; must not know how messages travel nor who shows an alert.

mod action;
mod address;
mod alert;
mod assembly;
mod auth;
mod consent;
mod engine;
mod execute;
mod filling;
mod host_alert;
mod inflow;
mod ledger;
mod login;
mod outbox;
mod outflow;
mod package;
mod receive;
mod run;
#[cfg(test)]
mod tests;

pub use alert::{Answer, Input, Kind, Preset, UserAlert};
pub use engine::Engine;
pub use host_alert::HostAlert;

use crate::error::{Code, Error};
use crate::policy::{Origin, Policy};
use crate::random::Random;
use crate::store::{Change, Database};
use crate::syncml::Encoding;
use crate::syncml::status::Status;
use crate::time::Now;
use crate::tree::dmacc::Account;
use std::borrow::Cow;
use std::sync::Arc;

/// What the engine works on, lent for one call.
pub struct Context<'a> {
    /// The tree's store.
    pub db: &'a Database,
    /// The present time.
    pub now: Now,
    /// Source of the nonces.
    pub random: &'a mut dyn Random,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("now", &self.now).finish_non_exhaustive()
    }
}

/// Why a session is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A notification of the server (Alert 1200).
    ServerInitiated,
    /// The host, the user, or an event on the device (Alert 1201).
    ClientInitiated,
}

/// By what rules a server's commands are judged.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The rules.
    pub policy: Arc<Policy>,
    /// Where the server's account comes from.
    pub origin: Origin,
}

/// A session to be opened.
#[derive(Debug)]
pub struct Setup {
    /// The session's number at this device, for the journal.
    pub number: u64,
    /// By what rules its commands are judged.
    pub authority: Authority,
    /// The server's account, with its present credentials and nonces.
    pub account: Account,
    /// The address of the first message.
    pub address: String,
    /// The notification's session id, or one of the client's choice.
    pub session_id: u16,
    /// Why the session is opened.
    pub cause: Cause,
    /// Encoding of the client's messages.
    pub encoding: Encoding,
    /// Octets of the largest message either side may send.
    pub max_msg_size: u32,
    /// Octets of the largest object the server may send.
    pub max_obj_size: u32,
    /// Objects may come and go in chunks (`./DevDetail/LrgObj`).
    pub large_objects: bool,
    /// Alerts can be shown to the user.
    pub ui: bool,
    /// Somebody executes what Exec asks for.
    pub exec: bool,
    /// The transport authenticates the server (TLS, or the card itself).
    pub trusted_transport: bool,
    /// Only an `https` address is allowed.
    pub require_tls: bool,
    /// Alerts to be sent with package 1.
    pub alerts: Vec<HostAlert>,
}

/// One message to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub uri: String,
    /// The message.
    pub body: Vec<u8>,
    /// Its media type.
    pub mime: &'static str,
    /// Value of the `x-syncml-hmac` header.
    pub hmac: Option<String>,
}

impl std::fmt::Debug for Outgoing {
    // Body and header prove the client's identity: not to be shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing")
            .field("uri", &self.uri)
            .field("octets", &self.body.len())
            .field("mime", &self.mime)
            .finish_non_exhaustive()
    }
}

/// What the caller has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this and pass the server's answer to [`Engine::receive`].
    Send(Outgoing),
    /// Ask the user in the server's name and pass the answer to [`Engine::answer`].
    Ask(UserAlert),
    /// Ask the user whether the policy lets the server do this, and pass the answer to
    /// [`Engine::answer`]; the choices are what it is about.
    Consent(UserAlert),
    /// Run this and pass its status to [`Engine::executed`].
    Execute(Execution),
    /// The session is over, and went well.
    Done,
}

/// What an Exec asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Execution {
    /// URI of the node.
    pub uri: String,
    /// Data of the command.
    pub argument: Option<Vec<u8>>,
    /// To be repeated in the alert that reports the end of an operation answered with 202.
    pub correlator: Option<String>,
}

impl std::fmt::Debug for Execution {
    // Nobody but the host knows what the argument is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution")
            .field("uri", &self.uri)
            .field("octets", &self.argument.as_ref().map(Vec::len))
            .field("correlator", &self.correlator)
            .finish()
    }
}

/// Whose nonce was renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The nonce for the client's credentials.
    Client,
    /// The nonce for the server's credentials and notifications.
    Server,
}

/// What happened in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A message was made for the server.
    PackageSent {
        /// Its MsgID.
        msg_id: u32,
        /// Its octets.
        octets: usize,
        /// It is the last one of its package.
        is_final: bool,
    },
    /// A message of the server was read.
    PackageReceived {
        /// How many messages that were so far.
        number: u32,
        /// Its octets.
        octets: usize,
        /// It is the last one of its package.
        is_final: bool,
    },
    /// The server did not accept the client's credentials; package 1 goes out again.
    LoginRepeated,
    /// The server did not prove its identity; none of its commands was executed.
    ServerRefused,
    /// The server has proved its identity.
    ServerAuthenticated,
    /// A command, or one item of it, was answered.
    CommandDone {
        /// Name of the command.
        command: Cow<'static, str>,
        /// URI of its node.
        uri: Option<String>,
        /// Status of the answer.
        status: Status,
    },
    /// Part of a large object has come.
    Progress {
        /// URI of its node.
        uri: String,
        /// Octets so far.
        received: u64,
        /// Octets of the whole.
        size: u64,
    },
    /// A node was changed, and the change is durable.
    TreeChanged(Change),
    /// A nonce in the account was replaced.
    NonceRenewed(Side),
    /// The server has answered an alert of the host.
    AlertAnswered {
        /// The host's number for it.
        number: u64,
        /// The server's status.
        status: Status,
    },
    /// An alert of the host is too large for the server.
    AlertNotSent {
        /// The host's number for it.
        number: u64,
    },
}

/// Begin of the media types of serialized subtrees.
const TNDS: &str = "application/vnd.syncml.dmtnds";

/// An error with the Status that was given or received for it.
fn answered(code: Code, status: Status, what: impl Into<Cow<'static, str>>) -> Error {
    let mut error = Error::new(code, what);
    error.syncml_status = status;
    error
}
