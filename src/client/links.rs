//! Connections of the card into the network: consent, the socket, and the octets in between
//! (ETSI TS 102 223, bearer independent protocol in client mode).

use super::bearer::ChannelStream;
use super::core::Core;
use super::network::{Route, StreamScheme};
use super::pipe::{Pipe, look_again};
use super::slot::CardId;
use crate::card::bip::{Bip, ChannelId, Level, Remote};
use crate::card::cat::{Failure, HostAnswer};
use crate::error::{Code, Error, Result};
use crate::event::{ConnectionInfo, ConnectionKind, Event, EventKind};
use crate::time::Now;
use crate::transport::{ByteStream, Moved};
use std::net::IpAddr;
use std::time::Duration;

/// How soon a link without news is looked at again, in milliseconds.
const POLL_MS: (u64, u64) = (2, 250);
/// Datagrams moved in one step.
const DATAGRAMS: usize = 16;
/// Octets of the longest datagram.
const DATAGRAM: usize = 65_536;

/// A link that is wanted, or stands.
pub(super) struct Link {
    id: u64,
    card: CardId,
    channel: ChannelId,
    remote: Remote,
    /// The card waits for it in an OPEN CHANNEL.
    awaited: bool,
    /// `None` until the host has consented.
    stream: Option<Box<dyn ByteStream + Send>>,
    /// The connection is there, and the card knows that.
    stands: bool,
    pipe: Pipe,
    /// A datagram that the card has no room for yet.
    datagram: Option<Vec<u8>>,
    last_ms: u64,
}

/// All links of a client's cards.
#[derive(Default)]
pub(super) struct Links(Vec<Link>);

impl Links {
    /// When one has to be looked at, on the monotonic clock.
    pub(super) fn deadline(&self, now: Now) -> Option<u64> {
        let open = self.0.iter().filter(|link| link.stream.is_some());
        open.map(|link| look_again(now.mono_ms, link.last_ms, POLL_MS)).min()
    }
}

/// Addresses that a card has no business with: the phone itself, and everybody at once.
fn is_forbidden(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address == IpAddr::from([255; 4])
}

impl Core {
    /// A card wants a link: the host is asked.
    pub(super) fn link_wanted(
        &mut self,
        card: CardId,
        slot: u32,
        (channel, remote): (ChannelId, Remote),
        awaited: bool,
    ) {
        let id = self.next_question();
        if let (true, Ok(slot)) = (awaited, self.slot(card)) {
            slot.asked(id);
        }
        let info = ConnectionInfo {
            id,
            kind: match remote.level {
                Level::UdpRemote => ConnectionKind::CardUdp,
                _ => ConnectionKind::CardTcp,
            },
            slot,
            address: remote.address,
            port: remote.port,
            local_port: 0,
            network: remote.network.clone(),
            text: remote.text.clone(),
        };
        let link = Link {
            id,
            card,
            channel,
            awaited,
            stream: None,
            stands: false,
            pipe: Pipe::default(),
            datagram: None,
            last_ms: self.now().mono_ms,
            remote,
        };
        if is_forbidden(link.remote.address) {
            let text = "the card may not reach this device, nor everybody";
            return self.refuse_link(&link, Failure::Forbidden, &Error::new(Code::Connect, text));
        }
        self.links.0.push(link);
        self.ask_consent(info);
    }

    /// The host's word on a link; false if it is not about one.
    pub(super) fn link_judged(&mut self, id: u64, allowed: bool) -> bool {
        let Some(at) = self.links.0.iter().position(|link| link.id == id) else { return false };
        let mut link = self.links.0.remove(at);
        if !allowed {
            let error = Error::new(Code::Cancelled, "the host refused the card's connection");
            self.refuse_link(&link, Failure::Forbidden, &error);
            return true;
        }
        match self.open_link(&link) {
            Ok(stream) => {
                (link.stream, link.last_ms) = (Some(stream), self.now().mono_ms);
                self.links.0.push(link);
            }
            Err(error) => self.refuse_link(&link, Failure::Unreachable, &error),
        }
        true
    }

    fn open_link(&mut self, link: &Link) -> Result<Box<dyn ByteStream + Send>> {
        let slot = self.slot(link.card)?.number();
        let route = Route { slot, con_ref: link.remote.network.clone(), ..Route::default() };
        let scheme = match link.remote.level {
            Level::UdpRemote => StreamScheme::Udp,
            _ => StreamScheme::Tcp,
        };
        self.network.stream(scheme, &link.remote.address.to_string(), link.remote.port, &route)
    }

    fn link_stands(&mut self, link: &Link) {
        if link.awaited {
            return self.toolkit_answer(link.card, link.id, HostAnswer::Done);
        }
        if let Some(bip) = self.slot(link.card).ok().and_then(|slot| slot.bip_mut()) {
            bip.linked(link.channel, false);
        }
    }

    fn refuse_link(&mut self, link: &Link, failure: Failure, error: &Error) {
        let Ok(slot) = self.slot(link.card) else { return };
        let number = slot.number();
        if link.awaited {
            self.toolkit_answer(link.card, link.id, HostAnswer::Failed(failure));
        } else if let Some(bip) = slot.bip_mut() {
            bip.close(link.channel);
        }
        let event = Event::new(EventKind::ConnectionRefused).slot(number);
        self.tell(event.uri(link.remote.address.to_string()).failed(error));
    }

    /// The card does not wait any more.
    pub(super) fn link_withdrawn(&mut self, card: CardId) {
        self.links.0.retain(|link| link.card != card || !link.awaited || link.stands);
    }

    /// Moves what can be moved on every link; true if anything was.
    pub(super) fn step_links(&mut self, now: Now) -> bool {
        let mut did = false;
        let mut links = std::mem::take(&mut self.links.0);
        links.retain_mut(|link| {
            match link.comes_to_stand() {
                Ok(false) => {}
                Ok(true) => {
                    did = true;
                    self.link_stands(link);
                }
                Err(error) => {
                    did = true;
                    self.refuse_link(link, Failure::Unreachable, &error);
                    return false;
                }
            }
            let Ok(slot) = self.slot(link.card) else { return false };
            let Some(bip) = slot.bip_mut().filter(|bip| bip.is_open(link.channel)) else {
                did = true;
                return false;
            };
            let moved = link.step(bip);
            if moved > 0 {
                (did, link.last_ms) = (true, now.mono_ms);
            }
            let over = link.is_over();
            if over {
                did = true;
                bip.close(link.channel);
            }
            !over
        });
        // New ones may have come meanwhile.
        links.append(&mut self.links.0);
        self.links.0 = links;
        did
    }
}

impl Link {
    /// True once, when the connection is there. Fails if it does not come about.
    fn comes_to_stand(&mut self) -> Result<bool> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.stands) else { return Ok(false) };
        self.stands = stream.established()?;
        Ok(self.stands)
    }

    fn step(&mut self, bip: &mut Bip) -> usize {
        let Some(stream) = self.stream.as_mut().filter(|_| self.stands) else { return 0 };
        let id = self.channel;
        if self.remote.level == Level::TcpRemote {
            let mut card = ChannelStream::new(bip, id);
            let (there, back) = self.pipe.step(&mut **stream, &mut card);
            return there + back;
        }
        step_datagrams(bip, id, &mut **stream, &mut self.datagram)
    }

    fn is_over(&self) -> bool {
        self.stands && (self.pipe.outside_is_done() || self.pipe.card_is_done())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.close();
        }
    }
}

/// Datagrams both ways. What a network does not take is lost, as anywhere on the way.
fn step_datagrams(
    bip: &mut Bip,
    id: ChannelId,
    stream: &mut dyn ByteStream,
    waiting: &mut Option<Vec<u8>>,
) -> usize {
    let mut moved = 0;
    for _ in 0..DATAGRAMS {
        let Some(octets) = bip.read_datagram(id) else { break };
        moved += 1;
        if let Err(error) = stream.write(&octets, Duration::ZERO) {
            log::debug!("card's datagram: {error}");
        }
    }
    if waiting.is_none() {
        let mut buffer = vec![0; DATAGRAM];
        if let Ok(Moved::Octets(octets)) = stream.read(&mut buffer, Duration::ZERO) {
            buffer.truncate(octets);
            moved += 1;
            // One that can never fit would stop all others.
            *waiting = Some(buffer).filter(|octets| octets.len() <= bip.datagram_room(id));
        }
    }
    if waiting.as_ref().is_some_and(|octets| bip.write_datagram(id, octets)) {
        *waiting = None;
        moved += 1;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_reaches_neither_the_phone_nor_everybody() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "ff02::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_forbidden(text.parse().unwrap()), "{text}");
        }
        for text in ["10.0.0.1", "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"] {
            assert!(!is_forbidden(text.parse().unwrap()), "{text}");
        }
    }
}
