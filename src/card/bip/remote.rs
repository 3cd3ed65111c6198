//! Channels in client mode: the card talks to a server in the network (TS 102 223 classes e).
//!
//! Owns the card's end of the link. The other end, a socket, is its owner's: it writes what comes with
//! [`Bip::write`] or [`Bip::write_datagram`], takes what leaves with [`Bip::read`] or
//! [`Bip::read_datagram`], and says how the link stands.

use super::{Bip, Channel, ChannelEvent, ChannelId, Fault, Level, OUTGOING, Opened, State};
use std::net::IpAddr;

/// A server that the card wants to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// `TcpRemote` or `UdpRemote`.
    pub level: Level,
    /// The server.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Name of the network to use (access point); `None` for the default one.
    pub network: Option<String>,
    /// What the card wants the user to be asked.
    pub text: Option<String>,
}

/// A channel that was opened towards a server.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Reserved {
    pub(in super::super) opened: Opened,
    pub(in super::super) id: ChannelId,
}

/// Datagrams that leave, oldest first, none of which is ever joined with another.
#[derive(Debug, Default)]
pub(super) struct Datagrams(Vec<Vec<u8>>);

impl Datagrams {
    /// False if there is no room.
    pub(super) fn push(&mut self, octets: Vec<u8>) -> bool {
        let waiting: usize = self.0.iter().map(Vec::len).sum();
        let fits = waiting + octets.len() <= OUTGOING;
        if fits {
            self.0.push(octets);
        }
        fits
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }
}

impl Bip {
    /// Reserves a channel towards a server; the link is not there yet.
    pub(in super::super) fn open_remote(
        &mut self,
        remote: &Remote,
        wanted: usize,
    ) -> Result<Reserved, Fault> {
        let number = self.free_number()?;
        let id = self.next_id(number);
        let opened = self.open(number, remote.level, remote.port, State::Up(id), wanted)?;
        if let Ok(channel) = self.open_mut(number) {
            channel.link = Link::Wanted(remote.clone());
        }
        Ok(Reserved { opened, id })
    }

    /// The card has sent something on a channel whose link is to be made on demand: where to. Once.
    pub(in super::super) fn take_demand(&mut self, number: u8) -> Option<(ChannelId, Remote)> {
        let channel = self.open_mut(number).ok()?;
        let (State::Up(id), Link::Wanted(remote)) = (channel.state, &channel.link) else {
            return None;
        };
        let demand = (id, remote.clone());
        channel.link = Link::Pending;
        Some(demand)
    }

    /// The link is being made already: the card waits for it.
    pub(in super::super) fn link_pending(&mut self, id: ChannelId) {
        if let Some(channel) = self.connected(id) {
            channel.link = Link::Pending;
        }
    }

    /// The link stands. The card is told unless that is the answer it waits for (`silently`).
    pub fn linked(&mut self, id: ChannelId, silently: bool) {
        let Some(channel) = self.connected(id) else { return };
        channel.link = Link::Stands;
        let status = channel.status(id.number);
        if !silently {
            self.tell(ChannelEvent::Status(status));
        }
    }

    /// The link could not be made, and the card is told so in the answer it waits for.
    pub(in super::super) fn abandon(&mut self, id: ChannelId) {
        if self.is_connected(id)
            && let Some(slot) = self.slot_mut(id.number)
        {
            *slot = super::Slot::Closed;
        }
    }

    /// Takes the next datagram that the card has sent.
    pub fn read_datagram(&mut self, id: ChannelId) -> Option<Vec<u8>> {
        self.connected(id)?.datagrams.take()
    }

    /// Hands the card one datagram; false while an earlier one is unread, or if it cannot fit at all.
    pub fn write_datagram(&mut self, id: ChannelId, octets: &[u8]) -> bool {
        let Some(channel) = self.connected(id) else { return false };
        let fits = channel.received.queue.is_empty() && octets.len() <= channel.received.capacity;
        fits && self.write(id, octets) == octets.len()
    }

    /// Octets of the longest datagram that the card takes; zero without a channel.
    pub fn datagram_room(&mut self, id: ChannelId) -> usize {
        self.connected(id).map_or(0, |channel| channel.received.capacity)
    }
}

/// How the link behind a channel stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Link {
    /// It does, or the other end is in the terminal.
    #[default]
    Stands,
    /// It is being made.
    Pending,
    /// It is made when the card sends something.
    Wanted(Remote),
}

impl Channel {
    pub(super) fn is_linked(&self) -> bool {
        self.link == Link::Stands
    }
}
