//! The door to one card: command APDUs in, response APDUs out. Implemented by PC/SC and by the host.

use crate::error::{Code, Error, Result};
use bitflags::bitflags;
use std::sync::Arc;
use std::time::Duration;

bitflags! {
    /// What a transport does by itself, so that the APDU layer leaves it alone.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TransportFlags: u32 {
        /// `open_channel` and `close_channel` work and own the channel bits of CLA.
        const OWNS_CHANNELS = 1;
        /// `61XX`, `9FXX` and `6CXX` are dealt with below: every answer is whole, and behind a warning
        /// without data nothing waits.
        const FETCHES_RESPONSES = 1 << 1;
        /// There is no way to channel 0.
        const NO_BASIC_CHANNEL = 1 << 2;
    }
}

/// Ends the exchange that a transport is in, from any thread; harmless while there is none.
pub type Cancel = Arc<dyn Fn() + Send + Sync>;

/// What happened in a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The card was taken out.
    Removed,
    /// A card was put in.
    Inserted,
}

/// Looks for changes in one reader, beside the transport and on another thread.
pub trait PresenceWatch: Send {
    /// What has happened since the last call, in order; waits for it, a second at most.
    ///
    /// Fails when there is nothing to look at any more.
    fn wait(&mut self) -> Result<Vec<Presence>>;

    /// Ends a running [`wait`](Self::wait) early.
    fn interrupt(&self) -> Cancel;
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

    /// Most octets of response data that one exchange can bring, 1 to 256.
    fn max_le(&self) -> u16 {
        256
    }

    /// What ends a running exchange from another thread; it then fails with `Cancelled`.
    fn canceller(&self) -> Option<Cancel> {
        None
    }

    /// Looks for removal and insertion; `None` where the host tells of them.
    fn presence(&self) -> Option<Box<dyn PresenceWatch>> {
        None
    }

    /// How long one exchange may take before the owner cancels it, or leaves it; `None` where the transport
    /// itself sees to that, or nobody can.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// True if an exchange that nothing can end may be left: the transport is used and dropped on a thread of
    /// its own then, which waits for the end.
    fn may_be_left(&self) -> bool {
        false
    }

    /// The host says that a card is there and starts from its beginning: connections to the card before, and
    /// its channels, are of no use any more.
    fn card_ready(&mut self) {}

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
