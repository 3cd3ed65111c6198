//! Why an operation on the tree was refused, with the SyncML status it answers.
//!
//! Must not know SyncML messages: the statuses are plain numbers (DM Tree and Description 1.2.1,
//! DM Representation Protocol 1.2.1).

use crate::error::{Code, Error};
use std::fmt;

/// Why an operation on the tree was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The node does not exist.
    NotFound,
    /// The node exists already.
    Exists,
    /// The node's kind, scope or AccessType does not allow the command.
    NotAllowed,
    /// No right by ACL.
    Permission,
    /// Nobody may give the node this value.
    Forbidden,
    /// Format or type is not allowed here, or the value does not parse in its format.
    Format,
    /// Value or title is too large.
    TooLarge,
    /// URI too long or too deep.
    UriTooLong,
    /// Malformed URI or node name.
    BadUri,
    /// Malformed ACL.
    BadAcl,
    /// Unknown property or `?list=` form.
    Unsupported,
    /// No room, or no more nodes of this kind allowed.
    Full,
    /// The value is missing.
    Incomplete,
    /// The store failed.
    Store(Error),
    /// The handler of a node that the host keeps failed. Its number gives the status: one from 400 to 599
    /// is the status itself, the tree's own codes have their statuses, all others are 500.
    Host(Error),
    /// Another node than the addressed one was the reason.
    At {
        /// That node's URI.
        uri: String,
        /// The reason; never `At` itself.
        cause: Box<Refusal>,
    },
}

impl Refusal {
    /// The SyncML status.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadUri | Self::BadAcl => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::NotAllowed => 405,
            Self::Unsupported => 406,
            Self::Incomplete => 412,
            Self::TooLarge => 413,
            Self::UriTooLong => 414,
            Self::Format => 415,
            Self::Exists => 418,
            Self::Full => 420,
            Self::Permission => 425,
            Self::Store(error) if error.code() == Code::StorageFull => 420,
            Self::Store(_) => 500,
            Self::Host(error) => host_status(error.os_error),
            Self::At { cause, .. } => cause.status(),
        }
    }

    /// URI of the node that was the reason, if it is not the addressed one.
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::At { uri, .. } => Some(uri),
            _ => None,
        }
    }

    /// The same refusal, caused by the node at `uri`; an inner place is kept.
    #[must_use]
    pub fn caused_by(self, uri: impl Into<String>) -> Self {
        match self {
            Self::At { .. } => self,
            cause => Self::At { uri: uri.into(), cause: Box::new(cause) },
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NodeNotFound,
            Self::Exists => Code::NodeExists,
            Self::NotAllowed | Self::Forbidden => Code::NodeNotAllowed,
            Self::Permission => Code::NodeAcl,
            Self::Format => Code::NodeFormat,
            Self::TooLarge | Self::Full => Code::TooLarge,
            Self::UriTooLong | Self::BadUri => Code::Uri,
            Self::Unsupported => Code::NotSupported,
            Self::BadAcl | Self::Incomplete => Code::InvalidArg,
            Self::Store(error) | Self::Host(error) => error.code(),
            Self::At { cause, .. } => cause.code(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "node does not exist",
            Self::Exists => "node exists already",
            Self::NotAllowed => "node does not allow this command",
            Self::Permission => "no right by ACL",
            Self::Forbidden => "the node must not have this value",
            Self::Format => "format, type or value not allowed for the node",
            Self::TooLarge => "value too large",
            Self::UriTooLong => "URI too long or too deep",
            Self::BadUri => "malformed URI or node name",
            Self::BadAcl => "malformed ACL",
            Self::Unsupported => "property or list form not supported",
            Self::Full => "no room for another node",
            Self::Incomplete => "value is missing",
            Self::Store(error) | Self::Host(error) => return error.fmt(f),
            Self::At { uri, cause } => return write!(f, "{uri}: {cause}"),
        })
    }
}

/// The status of a handler's number.
fn host_status(number: i32) -> u16 {
    if let Ok(status @ 400..600) = u16::try_from(number) {
        return status;
    }
    match Code::from_number(number) {
        Some(Code::NodeNotFound) => 404,
        Some(Code::NodeNotAllowed) => 405,
        Some(Code::NotSupported) => 406,
        Some(Code::TooLarge) => 413,
        Some(Code::NodeFormat) => 415,
        Some(Code::NodeExists) => 418,
        Some(Code::StorageFull) => 420,
        Some(Code::NodeAcl) => 425,
        _ => 500,
    }
}

impl From<Error> for Refusal {
    /// Below the tree only the handler of a host's node is a callback.
    fn from(error: Error) -> Self {
        match error.code() {
            Code::Callback => Self::Host(error),
            _ => Self::Store(error),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let mut error = match &refusal {
            Refusal::Store(error) | Refusal::Host(error) => error.clone(),
            _ => Self::new(refusal.code(), format!("tree: {refusal}")),
        };
        error.syncml_status = refusal.status();
        error
    }
}
