//! Byte streams to a DM server, and HTTP over them.
//!
//! Knows bytes and errors; must not know what a message or a card is.

pub mod http;
pub mod tcp;
pub mod tls;
pub mod url;

use crate::error::Result;
use std::time::Duration;

/// What came of one read or write on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// So many octets moved (at least one).
    Octets(usize),
    /// Nothing within the time given; try again.
    NotYet,
    /// The peer has closed; nothing more will come (reads only).
    Closed,
}

/// A connection to a DM server: TCP, TLS, a BIP channel to the card, or the host's own.
pub trait ByteStream {
    /// Reads at least one octet into `buffer`, waiting at most `wait`.
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Moved>;
    /// Writes at least one octet of `data`, waiting at most `wait`.
    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved>;
    /// Ends the connection; harmless when it has ended.
    fn close(&mut self);
}
