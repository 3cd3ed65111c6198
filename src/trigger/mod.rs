//! Notifications (package #0) and the push envelopes that carry them.
//!
//! Owns the octets from an SMS or a push up to a checked [`notification::Notification`]. Must not
//! know accounts, stores or sessions: the caller brings the credentials and keeps the replay list.
//!
//! Every error text begins with the reference's class: `E_WSP_LENGTH at byte 3: ...`.

pub mod intake;
pub mod notification;
pub mod push;
pub mod rate;
pub mod replay;
pub mod sms;

use crate::error::{Code, Error};
use std::fmt::Display;

/// The error of `class` at octet `at` of whatever is being read.
fn fault(code: Code, class: &str, at: usize, what: impl Display) -> Error {
    Error::new(code, format!("{class} at byte {at}: {what}"))
}
