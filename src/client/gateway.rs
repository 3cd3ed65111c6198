//! The gateway to a card's web server: local applications reach it at 127.0.0.1, with the host's consent,
//! one at a time (Smart Card Web Server 1.1; ETSI TS 102 223, UICC server mode).
//!
//! Who comes from elsewhere cannot even connect: the sockets are the loopback interface's.

use super::bearer::ChannelStream;
use super::connecting::Connecting;
use super::core::Core;
use super::pipe::{Pipe, look_again};
use super::slot::{CardId, SCWS_PORT};
use crate::card::bip::ChannelId;
use crate::error::{Code, Error, Result};
use crate::event::{ConnectionInfo, ConnectionKind};
use crate::limits;
use crate::time::Now;
use crate::transport::tcp::TcpStream;
use crate::transport::{ByteStream, Moved};
use std::net::SocketAddr;
use std::time::Duration;

/// Port of the card's web server behind TLS, which the gateway passes on as it is.
pub(super) const SCWS_TLS_PORT: u16 = 4116;
/// How soon a connection without news is looked at again, in milliseconds.
const POLL_MS: (u64, u64) = (2, 50);
/// Clients that wait for their turn: a browser opens six connections at once.
const BACKLOG: usize = 7;
/// Time for a card to go on answering a client that has said its last, in milliseconds.
const AFTERMATH_MS: u64 = 300;
/// Time for a client whose request was answered to send another one while others wait, in milliseconds.
const COURTESY_MS: u64 = 500;

/// A local application that has come.
struct Visitor {
    id: u64,
    socket: TcpStream,
    /// The card's port that it wants.
    port: u16,
    since_ms: u64,
    allowed: bool,
    pipe: Pipe,
}

/// The way on to the card.
enum Way {
    Channel(CardId, ChannelId),
    Ip(Connecting),
}

/// The one client that is served.
struct Relay {
    visitor: Visitor,
    way: Way,
    last_ms: u64,
    /// The last octets were the card's.
    answered: bool,
}

/// The gateway to the card in one slot.
pub(super) struct Gateway {
    slot: u32,
    visitors: Vec<Visitor>,
    relay: Option<Relay>,
}

impl Gateway {
    pub(super) fn new(slot: u32) -> Self {
        Self { slot, visitors: Vec::new(), relay: None }
    }

    /// True if somebody waits who has something to say.
    fn waits(&mut self) -> bool {
        self.visitors.iter_mut().any(Visitor::has_spoken)
    }

    /// When it has to be looked at, on the monotonic clock.
    pub(super) fn deadline(&self, now: Now) -> Option<u64> {
        let relay = self.relay.as_ref().map(|relay| relay.last_ms);
        let waiting = self.visitors.iter().filter(|visitor| visitor.allowed);
        let since = relay.or_else(|| waiting.map(|visitor| visitor.since_ms).next())?;
        Some(look_again(now.mono_ms, since, POLL_MS))
    }
}

impl Core {
    /// Starts the gateway to the card in `slot`. `State` if there is one already.
    pub(super) fn start_gateway(&mut self, slot: u32) -> Result<()> {
        if self.gateway.is_some() {
            return Err(Error::new(Code::State, "the gateway runs already"));
        }
        self.gateway = Some(Gateway::new(slot));
        Ok(())
    }

    /// Ends it with every connection over it.
    pub(super) fn stop_gateway(&mut self) {
        let Some(mut gateway) = self.gateway.take() else { return };
        if let Some(relay) = gateway.relay.take() {
            self.end_relay(relay);
        }
    }

    /// Somebody has connected: the host is asked, unless too many wait already.
    pub(super) fn visited(&mut self, socket: std::net::TcpStream, peer: SocketAddr, tls: bool) {
        let (id, now) = (self.next_question(), self.now());
        let Some(gateway) = &mut self.gateway else { return };
        let served = usize::from(gateway.relay.is_some());
        if !peer.ip().is_loopback() || gateway.visitors.len() + served > BACKLOG {
            return;
        }
        let Ok(socket) = TcpStream::new(socket) else { return };
        let port = if tls { SCWS_TLS_PORT } else { SCWS_PORT };
        let since_ms = now.mono_ms;
        let (allowed, pipe) = (false, Pipe::default());
        gateway.visitors.push(Visitor { id, socket, port, since_ms, allowed, pipe });
        let info = ConnectionInfo {
            id,
            kind: ConnectionKind::Gateway,
            slot: gateway.slot,
            address: peer.ip(),
            port: peer.port(),
            local_port: port,
            network: None,
            text: None,
        };
        self.ask_consent(info);
    }

    /// The host's word on a visitor.
    pub(super) fn visitor_judged(&mut self, id: u64, allowed: bool) {
        let Some(gateway) = &mut self.gateway else { return };
        if let Some(at) = gateway.visitors.iter().position(|visitor| visitor.id == id) {
            match gateway.visitors.get_mut(at) {
                Some(visitor) if allowed => visitor.allowed = true,
                _ => drop(gateway.visitors.remove(at)),
            }
        }
    }

    /// Serves the client whose turn it is; true if anything moved.
    pub(super) fn step_gateway(&mut self, now: Now) -> bool {
        let Some(mut gateway) = self.gateway.take() else { return false };
        let did = match gateway.relay.take() {
            Some(mut relay) => {
                let moved = self.step_relay(&mut relay, now);
                if relay.is_over(now, gateway.waits()) {
                    self.end_relay(relay);
                    true
                } else {
                    gateway.relay = Some(relay);
                    moved
                }
            }
            None => self.let_in(&mut gateway, now),
        };
        self.gateway = Some(gateway);
        did
    }

    /// Gives the first visitor who has said something its way to the card, once the card is free.
    fn let_in(&mut self, gateway: &mut Gateway, now: Now) -> bool {
        gateway.visitors.retain_mut(|visitor| !visitor.has_gone(now));
        let Some(at) = gateway.visitors.iter_mut().position(Visitor::has_spoken) else {
            return false;
        };
        let Some(visitor) = gateway.visitors.get(at) else { return false };
        let patient = now.mono_ms < visitor.since_ms + limits::HTTP_SILENCE_MS;
        match self.way(gateway.slot, visitor.port) {
            Ok(None) if patient => false,
            Ok(None) | Err(_) => {
                let port = gateway.visitors.remove(at).port;
                self.forget_wish(gateway.slot, port);
                true
            }
            Ok(Some(way)) => {
                let visitor = gateway.visitors.remove(at);
                let last_ms = now.mono_ms;
                gateway.relay = Some(Relay { visitor, way, last_ms, answered: false });
                true
            }
        }
    }

    /// `None` while the card serves somebody else, or does not listen yet.
    fn way(&mut self, slot: u32, port: u16) -> Result<Option<Way>> {
        let absent = || Error::new(Code::CardAbsent, "gateway: no card");
        let open = |card: &&super::slot::Slot| card.number() == slot && !card.is_gone();
        let card = self.slots().iter().find(open).ok_or_else(absent)?;
        let (id, address) = (card.id(), card.ip_address().map(str::to_owned));
        if let Some(address) = address {
            return self.network.connect(&address, port).map(Way::Ip).map(Some);
        }
        let bip = self.slot(id)?.bip_mut().ok_or_else(absent)?;
        Ok(bip.connect(port).map(|channel| Way::Channel(id, channel)))
    }

    fn forget_wish(&mut self, number: u32, port: u16) {
        let id = self.slots().iter().find(|card| card.number() == number).map(|card| card.id());
        let slot = id.and_then(|id| self.slot(id).ok());
        if let Some(bip) = slot.and_then(|slot| slot.bip_mut()) {
            bip.forget_wish(port);
        }
    }

    fn step_relay(&mut self, relay: &mut Relay, now: Now) -> bool {
        let Visitor { socket: outside, pipe, .. } = &mut relay.visitor;
        let (there, back) = match &mut relay.way {
            Way::Ip(stream) => pipe.step(outside, stream),
            Way::Channel(card, id) => {
                let bip = self.slot(*card).ok().and_then(|slot| slot.bip_mut());
                match bip {
                    Some(bip) => pipe.step(outside, &mut ChannelStream::new(bip, *id)),
                    None => pipe.step(outside, &mut Gone),
                }
            }
        };
        if there + back > 0 {
            relay.last_ms = now.mono_ms;
            relay.answered = back > 0;
        }
        there + back > 0
    }

    fn end_relay(&mut self, mut relay: Relay) {
        relay.visitor.socket.close();
        match relay.way {
            Way::Ip(mut stream) => stream.close(),
            Way::Channel(card, id) => {
                if let Some(bip) = self.slot(card).ok().and_then(|slot| slot.bip_mut()) {
                    bip.close(id);
                }
            }
        }
    }
}

impl Visitor {
    /// True if there is something for the card. Only then the card is troubled: browsers open connections
    /// that they may never use.
    fn has_spoken(&mut self) -> bool {
        self.allowed && self.pipe.take_in(&mut self.socket)
    }

    /// True for one who has left, or has been silent for too long.
    fn has_gone(&mut self, now: Now) -> bool {
        let silent = self.allowed && !self.pipe.take_in(&mut self.socket);
        let late = now.mono_ms >= self.since_ms.saturating_add(limits::HTTP_SILENCE_MS);
        silent && (late || self.pipe.outside_is_done())
    }
}

impl Relay {
    /// Over when the card has said its last; when the client has, and the answer is out; and when others wait
    /// and it has been quiet, for a moment behind an answer and for long behind a request.
    fn is_over(&self, now: Now, others_wait: bool) -> bool {
        let quiet_ms = now.mono_ms.saturating_sub(self.last_ms);
        // Over TLS the client's last octets say that it leaves, and nothing answers them.
        let is_tls = self.visitor.port == SCWS_TLS_PORT;
        let patience_ms = match (self.visitor.pipe.outside_is_done(), self.answered) {
            (true, false) if !is_tls => limits::HTTP_SILENCE_MS,
            (true, _) => AFTERMATH_MS,
            (false, true) if others_wait => COURTESY_MS,
            (false, false) if others_wait => limits::HTTP_SILENCE_MS,
            (false, _) => u64::MAX,
        };
        self.visitor.pipe.card_is_done() || quiet_ms >= patience_ms
    }
}

/// A card that is gone.
struct Gone;

impl ByteStream for Gone {
    fn read(&mut self, _: &mut [u8], _: Duration) -> Result<Moved> {
        Ok(Moved::Closed)
    }
    fn write(&mut self, _: &[u8], _: Duration) -> Result<Moved> {
        Ok(Moved::Closed)
    }
    fn close(&mut self) {}
}
