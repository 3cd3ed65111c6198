//! Channels of the bearer independent protocol: the table, the buffers, and the gateway that lets
//! a local client talk to a server inside the card (ETSI TS 102 223, classes e and k).
//!
//! Owns channel states and octets. Must not know toolkit commands, sockets, or what the octets
//! are; the toolkit engine drives the card's side, a transport the client's side.

mod octets;
mod remote;
mod service;

pub use remote::Remote;
pub(super) use remote::Reserved;
pub(super) use service::Service;

use crate::limits;
use octets::Octets;
use remote::{Datagrams, Link};
use std::collections::VecDeque;

/// Channels that the channel identifier can name.
pub const CHANNELS: usize = 7;
/// Octets one RECEIVE DATA may return so that its TERMINAL RESPONSE stays within 255.
pub const RECEIVE_OCTETS: usize = 237;
/// Octets that wait for a local client after the card sent them.
const OUTGOING: usize = 64 * 1024;
/// Events that wait for the toolkit engine.
const EVENTS: usize = 64;

/// One connection over one channel; never valid again once the connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelId {
    number: u8,
    connection: u32,
}

impl ChannelId {
    /// The channel's number, 1 to 7.
    pub fn number(self) -> u8 {
        self.number
    }
}

/// UICC/terminal interface transport levels that are served (TS 102 223 section 8.59).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// The card is a UDP client of a server in the network.
    UdpRemote = 1,
    /// The card is a TCP client of a server in the network.
    TcpRemote = 2,
    /// The card is a TCP server.
    TcpServer = 3,
    /// The card is a UDP client of a local application.
    UdpLocal = 4,
    /// The card is a TCP client of a local application.
    TcpLocal = 5,
}

impl Level {
    /// The served level with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::UdpRemote, Self::TcpRemote, Self::TcpServer, Self::UdpLocal, Self::TcpLocal]
            .into_iter()
            .find(|level| *level as u8 == number)
    }

    /// True if the other end is in the network.
    pub fn is_remote(self) -> bool {
        matches!(self, Self::UdpRemote | Self::TcpRemote)
    }
}

/// A local application that the card may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// `UdpLocal` or `TcpLocal`.
    pub level: Level,
    /// The application's port.
    pub port: u16,
}

/// Additional information of result `3A` (TS 102 223 section 8.12.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Fault {
    Unspecified = 0x00,
    NoChannel = 0x01,
    Closed = 0x02,
    InvalidId = 0x03,
    NoBuffer = 0x04,
    Security = 0x05,
    LevelUnavailable = 0x06,
    Unreachable = 0x07,
    Service = 0x08,
    ServiceUnknown = 0x09,
    PortUnavailable = 0x10,
}

/// What an OPEN CHANNEL got.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) number: u8,
    pub(super) granted: usize,
}

/// What a RECEIVE DATA got.
#[derive(PartialEq, Eq)]
pub(super) struct Received {
    pub(super) octets: Vec<u8>,
    pub(super) remaining: usize,
}

/// A datagram for a local application.
pub(super) struct Datagram {
    pub(super) channel: ChannelId,
    pub(super) port: u16,
    pub(super) octets: Vec<u8>,
}

/// What a SEND DATA did.
pub(super) struct Sent {
    pub(super) free: usize,
    pub(super) datagram: Option<Datagram>,
}

/// Why a SEND DATA took nothing; `free` if the channel exists.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsent {
    pub(super) fault: Fault,
    pub(super) free: Option<usize>,
}

/// What a CLOSE CHANNEL ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// A connection or datagram channel; nobody has to be told.
    Silently,
    /// The server's port is free again.
    Listener { port: u16 },
    /// A stream to a local application, with all that the card sent.
    Stream { port: u16, octets: Vec<u8> },
}

/// A change that the card did not cause itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChannelEvent {
    /// Channel status, two octets.
    Status([u8; 2]),
    /// Octets arrived in an empty buffer; the status is that of the arrival.
    Data { number: u8, status: [u8; 2] },
    /// A client wants a declared service.
    LocalConnection { record: Vec<u8>, level: u8, port: u16 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Listen,
    Up(ChannelId),
    Dropped,
}

#[derive(Debug)]
struct Channel {
    level: Level,
    port: u16,
    state: State,
    received: Octets,
    stored: Octets,
    outgoing: Octets,
    /// What leaves over UDP into the network.
    datagrams: Datagrams,
    link: Link,
}

impl Channel {
    fn new(level: Level, port: u16, state: State, granted: usize) -> Self {
        Self {
            level,
            port,
            state,
            received: Octets::new(granted),
            stored: Octets::new(granted),
            outgoing: Octets::new(OUTGOING),
            datagrams: Datagrams::default(),
            link: Link::Stands,
        }
    }

    fn status(&self, number: u8) -> [u8; 2] {
        match self.state {
            State::Listen => [0x40 | number, 0],
            State::Up(_) if !self.is_linked() => [number, 0],
            State::Up(_) => [0x80 | number, 0],
            State::Dropped => [number, 5],
        }
    }

    fn is_server(&self) -> bool {
        self.level == Level::TcpServer
    }

    /// Free space that GET CHANNEL DATA LENGTH reports; a client that does not read shrinks it.
    fn free(&self) -> usize {
        self.stored.space().min(self.outgoing.space())
    }

    fn forget_unsent(&mut self) {
        self.stored.queue.clear();
        self.outgoing.queue.clear();
    }
}

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Never,
    Closed,
    Open(Box<Channel>),
}

/// The rest of what the card sent before it closed, until the client has read it.
#[derive(Debug)]
struct Lingering {
    id: ChannelId,
    octets: Octets,
}

/// All channels of one card.
#[derive(Debug)]
pub struct Bip {
    slots: [Slot; CHANNELS],
    channels: usize,
    buffer: usize,
    listeners: Vec<Listener>,
    services: Vec<Service>,
    /// Ports of declared services that somebody waits for, which the card knows.
    told: Vec<u16>,
    lingering: Vec<Lingering>,
    events: VecDeque<ChannelEvent>,
    connections: u32,
}

impl Bip {
    /// A table of at most `channels` (1 to 7) channels that grant at most `buffer` octets each way
    /// (no more than [`limits::CHANNEL_BUFFER`]) and connect the card to `listeners` only.
    pub fn new(channels: usize, buffer: usize, listeners: Vec<Listener>) -> Self {
        Self {
            slots: Default::default(),
            channels: channels.clamp(1, CHANNELS),
            buffer: buffer.min(limits::CHANNEL_BUFFER),
            listeners,
            services: Vec::new(),
            told: Vec::new(),
            lingering: Vec::new(),
            events: VecDeque::new(),
            connections: 0,
        }
    }

    /// Connects a client to the card's server on `port`; `None` if the card does not listen there,
    /// serves another client, or closed on one that has not read or closed yet. If the card has only declared the service, it is told that
    /// somebody wants it: try again once [`is_listening`](Self::is_listening).
    pub fn connect(&mut self, port: u16) -> Option<ChannelId> {
        let number = match self.server_on(port) {
            Some((number, true)) => number,
            Some((_, false)) => return None,
            None => {
                self.want_service(port);
                return None;
            }
        };
        if self.lingering.iter().any(|rest| rest.id.number == number) {
            return None;
        }
        let id = self.next_id(number);
        let channel = self.open_mut(number).ok()?;
        channel.state = State::Up(id);
        channel.received.queue.clear();
        let status = channel.status(number);
        self.events.retain(|event| !event.is_data_of(number));
        self.tell(ChannelEvent::Status(status));
        Some(id)
    }

    /// True if the card's server on `port` waits for a client.
    pub fn is_listening(&self, port: u16) -> bool {
        matches!(self.server_on(port), Some((_, true)))
    }

    /// Hands `octets` to the card; returns how many fitted into the channel's buffer. Zero means
    /// that the card has to read first, or that the card has [closed](Self::is_connected).
    pub fn write(&mut self, id: ChannelId, octets: &[u8]) -> usize {
        let Some(channel) = self.connected(id) else { return 0 };
        let was_empty = channel.received.queue.is_empty();
        let taken = channel.received.push(octets);
        let status = channel.status(id.number);
        if was_empty && taken > 0 {
            self.tell(ChannelEvent::Data { number: id.number, status });
        }
        taken
    }

    /// Reads what the card has sent; zero means nothing yet, or the end if the connection is not
    /// [open](Self::is_open) any more.
    pub fn read(&mut self, id: ChannelId, buffer: &mut [u8]) -> usize {
        if let Some(channel) = self.connected(id) {
            return channel.outgoing.read(buffer);
        }
        let rest = self.lingering.iter_mut().find(|rest| rest.id == id);
        let count = rest.map_or(0, |rest| rest.octets.read(buffer));
        self.lingering.retain(|rest| !rest.octets.queue.is_empty());
        count
    }

    /// True while the connection stands or sent octets are still unread.
    pub fn is_open(&self, id: ChannelId) -> bool {
        self.is_connected(id) || self.lingering.iter().any(|rest| rest.id == id)
    }

    /// True while the connection stands, so that the card still takes octets.
    pub fn is_connected(&self, id: ChannelId) -> bool {
        self.slots.iter().any(|slot| slot.is_connected(id))
    }

    /// The client ends its connection; what it wrote stays readable for the card.
    pub fn close(&mut self, id: ChannelId) {
        self.lingering.retain(|rest| rest.id != id);
        let Some(channel) = self.connected(id) else { return };
        channel.state = if channel.is_server() { State::Listen } else { State::Dropped };
        channel.forget_unsent();
        let status = channel.status(id.number);
        self.tell(ChannelEvent::Status(status));
    }

    /// Drops every channel, service and event, without a word to the card.
    pub fn reset(&mut self) {
        self.slots = Default::default();
        self.services.clear();
        self.told.clear();
        self.lingering.clear();
        self.events.clear();
    }

    pub(super) fn open_server(&mut self, port: u16, wanted: usize) -> Result<Opened, Fault> {
        if self.server_on(port).is_some() {
            return Err(Fault::PortUnavailable);
        }
        let number = self.free_number()?;
        self.forget_wish(port);
        self.open(number, Level::TcpServer, port, State::Listen, wanted)
    }

    pub(super) fn open_local(
        &mut self,
        level: Level,
        port: u16,
        wanted: usize,
    ) -> Result<Opened, Fault> {
        if !self.listeners.contains(&Listener { level, port }) {
            return Err(Fault::LevelUnavailable);
        }
        let number = self.free_number()?;
        let id = self.next_id(number);
        self.open(number, level, port, State::Up(id), wanted)
    }

    fn open(
        &mut self,
        number: u8,
        level: Level,
        port: u16,
        state: State,
        wanted: usize,
    ) -> Result<Opened, Fault> {
        let granted = wanted.min(self.buffer);
        if granted == 0 {
            return Err(Fault::NoBuffer);
        }
        if let Some(slot) = self.slot_mut(number) {
            *slot = Slot::Open(Box::new(Channel::new(level, port, state, granted)));
        }
        Ok(Opened { number, granted })
    }

    pub(super) fn receive(&mut self, number: u8, wanted: usize) -> Result<Received, Fault> {
        let channel = self.open_mut(number)?;
        let octets = channel.received.take(wanted.min(RECEIVE_OCTETS));
        Ok(Received { octets, remaining: channel.received.queue.len() })
    }

    /// Stores `octets`, or sends them after what was stored. An overflow takes nothing.
    pub(super) fn send(&mut self, number: u8, octets: &[u8], now: bool) -> Result<Sent, Unsent> {
        let channel = self.open_mut(number).map_err(|fault| Unsent { fault, free: None })?;
        let State::Up(id) = channel.state else {
            return Err(Unsent { fault: Fault::Closed, free: None });
        };
        let total = channel.stored.queue.len() + octets.len();
        if octets.len() > channel.stored.space() || (now && total > channel.outgoing.space()) {
            return Err(Unsent { fault: Fault::Unspecified, free: Some(channel.free()) });
        }
        channel.stored.push(octets);
        let mut datagram = None;
        if now {
            let octets = channel.stored.take_all();
            match channel.level {
                Level::UdpLocal => {
                    datagram = Some(Datagram { channel: id, port: channel.port, octets });
                }
                // A network may lose datagrams as well.
                Level::UdpRemote => drop(channel.datagrams.push(octets)),
                Level::TcpRemote | Level::TcpServer | Level::TcpLocal => {
                    channel.outgoing.push(&octets);
                }
            }
        }
        Ok(Sent { free: channel.free(), datagram })
    }

    /// Closes for the card: no event follows. Octets that were sent stay readable for the client.
    pub(super) fn end(&mut self, number: u8, keep_listening: bool) -> Result<Ended, Fault> {
        let channel = self.open_mut(number)?;
        let (port, level, state) = (channel.port, channel.level, channel.state);
        let rest = channel.outgoing.take_all();
        if keep_listening && level == Level::TcpServer {
            channel.state = State::Listen;
            channel.received.queue.clear();
            channel.stored.queue.clear();
        } else if let Some(slot) = self.slot_mut(number) {
            *slot = Slot::Closed;
        }
        self.events.retain(|event| !event.is_data_of(number));
        Ok(match level {
            Level::TcpLocal => Ended::Stream { port, octets: rest },
            Level::UdpLocal | Level::UdpRemote => Ended::Silently,
            Level::TcpRemote => {
                self.linger(state, rest);
                Ended::Silently
            }
            Level::TcpServer => {
                self.linger(state, rest);
                if keep_listening { Ended::Silently } else { Ended::Listener { port } }
            }
        })
    }

    /// Status of each open channel, lowest number first.
    pub(super) fn statuses(&self) -> impl Iterator<Item = [u8; 2]> {
        (1..).zip(&self.slots).filter_map(|(number, slot)| match slot {
            Slot::Open(channel) => Some(channel.status(number)),
            Slot::Never | Slot::Closed => None,
        })
    }

    /// Octets that wait for the card on channel `number`.
    pub(super) fn available(&self, number: u8) -> usize {
        match usize::from(number).checked_sub(1).and_then(|index| self.slots.get(index)) {
            Some(Slot::Open(channel)) => channel.received.queue.len(),
            _ => 0,
        }
    }

    pub(super) fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    pub(super) fn take_event(&mut self) -> Option<ChannelEvent> {
        self.events.pop_front()
    }

    fn tell(&mut self, event: ChannelEvent) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn linger(&mut self, state: State, rest: Vec<u8>) {
        if let State::Up(id) = state
            && !rest.is_empty()
        {
            if self.lingering.len() == CHANNELS {
                self.lingering.remove(0);
            }
            self.lingering.push(Lingering {
                id,
                octets: Octets { capacity: rest.len(), queue: rest.into() },
            });
        }
    }

    fn next_id(&mut self, number: u8) -> ChannelId {
        self.connections = self.connections.wrapping_add(1);
        ChannelId { number, connection: self.connections }
    }

    /// The number of the server channel on `port`, and whether it waits for a client.
    fn server_on(&self, port: u16) -> Option<(u8, bool)> {
        (1..).zip(&self.slots).find_map(|(number, slot)| match slot {
            Slot::Open(channel) if channel.is_server() && channel.port == port => {
                Some((number, channel.state == State::Listen))
            }
            _ => None,
        })
    }

    fn free_number(&self) -> Result<u8, Fault> {
        (1..)
            .zip(self.slots.iter().take(self.channels))
            .find(|(_, slot)| !matches!(slot, Slot::Open(_)))
            .map(|(number, _)| number)
            .ok_or(Fault::NoChannel)
    }

    fn slot_mut(&mut self, number: u8) -> Option<&mut Slot> {
        usize::from(number).checked_sub(1).and_then(|index| self.slots.get_mut(index))
    }

    fn open_mut(&mut self, number: u8) -> Result<&mut Channel, Fault> {
        match self.slot_mut(number) {
            Some(Slot::Open(channel)) => Ok(&mut **channel),
            Some(Slot::Closed) => Err(Fault::Closed),
            Some(Slot::Never) | None => Err(Fault::InvalidId),
        }
    }

    fn connected(&mut self, id: ChannelId) -> Option<&mut Channel> {
        self.open_mut(id.number).ok().filter(|channel| channel.state == State::Up(id))
    }
}

impl Slot {
    fn is_connected(&self, id: ChannelId) -> bool {
        matches!(self, Self::Open(channel) if channel.state == State::Up(id))
    }
}

impl ChannelEvent {
    fn is_data_of(&self, channel: u8) -> bool {
        matches!(self, Self::Data { number, .. } if *number == channel)
    }
}
