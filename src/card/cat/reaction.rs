//! What the engine answers with: a response for the card, and what its owner has to do or to know.

use super::host::HostRequest;
use super::refresh::Refresh;
use crate::card::bip::{ChannelId, Remote};

/// What the owner of the engine has to do or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The host is asked; [`Cat::complete`] takes its answer. There is no response until then.
    Ask(HostRequest),
    /// The card has sent something to a server in the network, to which there is no link yet; the owner
    /// makes it, says [`Bip::linked`], or else [`Bip::close`]s the channel.
    Demand {
        /// The channel.
        channel: ChannelId,
        /// Where to.
        remote: Remote,
    },
    /// The question to the host is void: the answer took too long.
    AskWithdrawn,
    /// The card sent a datagram to the local application on `port`.
    Datagram {
        /// Where an answer may be written.
        channel: ChannelId,
        /// The application's port.
        port: u16,
        /// The datagram.
        octets: Vec<u8>,
    },
    /// The card closed its stream to the local application on `port`.
    StreamClosed {
        /// The application's port.
        port: u16,
        /// All that the card sent.
        octets: Vec<u8>,
    },
    /// The card's server waits for clients on `port`; [`Bip::connect`] is one.
    Listening {
        /// The server's port.
        port: u16,
    },
    /// The card's server on `port` is gone.
    ListenerClosed {
        /// The server's port.
        port: u16,
    },
    /// Files of the card have changed. Unless the mode is a mere file change or steering of
    /// roaming, all channels are gone.
    Refresh(Refresh),
    /// A REFRESH was answered with "busy" because the card [is in use](Cat::set_in_use); repeated
    /// after `until_ms` (monotonic) it is carried out.
    RefreshDelayed {
        /// What the card wanted.
        refresh: Refresh,
        /// When the delay ends, in monotonic milliseconds.
        until_ms: u64,
    },
}

/// What came of a proactive command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaction {
    /// Data of the TERMINAL RESPONSE, which has to be sent before the next envelope is asked for;
    /// `None` while the host's answer is awaited.
    pub terminal_response: Option<Vec<u8>>,
    /// What else has to happen, in order.
    pub effects: Vec<Effect>,
}
