//! Byte streams to a DM server, and HTTP over them.
//!
//! Knows bytes and errors; must not know what a message or a card is.

pub mod http;
pub mod tcp;
pub mod tls;
pub mod udp;

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
    /// True once the connection stands; until then nothing moves. Fails as reads and writes will if it does
    /// not come to that.
    fn established(&mut self) -> Result<bool> {
        Ok(true)
    }
    /// Reads at least one octet into `buffer`, waiting at most `wait`.
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Moved>;
    /// Writes at least one octet of `data`, waiting at most `wait`.
    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved>;
    /// Ends the connection; harmless when it has ended.
    fn close(&mut self);
}

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Names this attempt when it is to be [cancelled](Connector::cancel).
    pub id: u64,
    /// `tcp://host:port`, `udp://host:port` or `https://host:port`.
    pub uri: &'a str,
    /// The server of a DM session; `None` for a connection of the card.
    pub server_id: Option<&'a str>,
    /// The connectivity that the account or the card asks for: an object's URI, or a network's name.
    pub con_ref: Option<&'a str>,
    /// The slot of the card that it is about; 0 if none.
    pub slot: u32,
    /// Longest wait.
    pub timeout: Duration,
}

/// Somebody who opens connections for the library: the host, with its own sockets.
pub trait Connector: Send + Sync {
    /// Opens a connection. Fails with `Connect`, or with `NoNetwork` when it should be tried again
    /// once there is one.
    fn connect(&self, target: &Target<'_>) -> Result<Box<dyn ByteStream + Send>>;
    /// Makes the attempt `id` return soon, if it has not returned. From any thread; must not wait.
    fn cancel(&self, id: u64);
}
