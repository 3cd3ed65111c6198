//! The door to one card: command APDUs in, response APDUs out. Implemented by PC/SC and by the host.

use crate::error::{Code, Error, Result};
use bitflags::bitflags;

bitflags! {
    /// What a transport does by itself, so that the APDU layer leaves it alone.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TransportFlags: u32 {
        /// `open_channel` and `close_channel` work and own the channel bits of CLA.
        const OWNS_CHANNELS = 1;
    }
}

/// One card behind some reader, modem or simulator. Used by one thread at a time.
pub trait CardTransport: Send {
    /// Sends one command APDU and returns the response APDU, status word included.
    ///
    /// Fails with `CardAbsent`, `CardRemoved`, `CardReset` or `CardTransmit`.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>>;

    /// The answer to reset; empty where the transport cannot know it.
    fn atr(&mut self) -> Result<Vec<u8>>;

    /// What the transport does by itself.
    fn flags(&self) -> TransportFlags {
        TransportFlags::empty()
    }

    /// Selects `aid` on a new logical channel; only with [`TransportFlags::OWNS_CHANNELS`].
    ///
    /// One channel is open at a time, and until it is closed every command goes to it.
    fn open_channel(&mut self, _aid: &[u8]) -> Result<u32> {
        Err(Error::new(Code::NotSupported, "this card transport does not own channels"))
    }

    /// Closes a channel of [`open_channel`](Self::open_channel).
    fn close_channel(&mut self, _channel: u32) -> Result<()> {
        Err(Error::new(Code::NotSupported, "this card transport does not own channels"))
    }

    /// Keeps other users of the card out until [`unlock`](Self::unlock).
    fn lock(&mut self) -> Result<()> {
        Ok(())
    }

    /// Ends [`lock`](Self::lock).
    fn unlock(&mut self) {}
}
