//! OPEN CHANNEL as client of a server in the network (TS 102 223 6.4.27).
//!
//! Owns what the card says about the server and hears about the link. Whether and how the link is made
//! is the host's business.

use super::command::{Command, tag};
use super::profile::{Feature, Profile};
use super::response::{Outcome, Response};
use super::text;
use crate::card::bip::{Bip, ChannelId, Level, Remote, Reserved};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Octets of a network access name.
const NAME_OCTETS: usize = 100;

/// An OPEN CHANNEL that waits for its link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The channel, reserved for it.
    pub channel: ChannelId,
    /// Where to.
    pub remote: Remote,
    granted: [u8; 2],
    asked: [u8; 2],
    bearer: Option<Vec<u8>>,
}

/// What is to be done for an OPEN CHANNEL in client mode.
pub(super) enum Opening {
    /// The link is made first, then the card is answered.
    Immediate(Connect),
    /// The card is answered; the link is made when it sends something.
    OnDemand(Response),
}

/// Reads an OPEN CHANNEL; `None` if it is not for a server in the network, or not offered.
pub(super) fn open(
    bip: &mut Bip,
    profile: &Profile,
    command: &Command<'_>,
) -> Result<Option<Opening>, Outcome> {
    /// Qualifier: the link is made at once.
    const IMMEDIATE: u8 = 1;
    let level = match command.object(tag::LEVEL) {
        Some(&[level, _, _]) => Level::from_number(level),
        _ => None,
    };
    let Some(level) = level.filter(|level| level.is_remote()) else { return Ok(None) };
    if !profile.offers(Feature::Level(level)) {
        return Ok(None);
    }
    let remote = read(level, command)?;
    let &asked = command.needed(tag::BUFFER_SIZE)?.first_chunk().ok_or(Outcome::NOT_UNDERSTOOD)?;
    let wanted = usize::from(u16::from_be_bytes(asked));
    let bearer = command.object(tag::BEARER).map(<[u8]>::to_vec);
    let reserved = match bip.open_remote(&remote, wanted) {
        Ok(reserved) => reserved,
        Err(fault) => {
            let response = with_bearer(Response::from(Outcome::from(fault)), &bearer);
            return Ok(Some(Opening::OnDemand(response.with_optional(tag::BUFFER_SIZE, &asked))));
        }
    };
    let Reserved { opened, id: channel } = reserved;
    let [.., high, low] = opened.granted.to_be_bytes();
    let connect = Connect { channel, remote, granted: [high, low], asked, bearer };
    if command.details.qualifier & IMMEDIATE == 0 {
        return Ok(Some(Opening::OnDemand(connect.opened(0))));
    }
    bip.link_pending(channel);
    Ok(Some(Opening::Immediate(connect)))
}

fn read(level: Level, command: &Command<'_>) -> Result<Remote, Outcome> {
    command.needed(tag::BEARER)?;
    let port = match command.needed(tag::LEVEL)? {
        &[_, high, low] => u16::from_be_bytes([high, low]),
        _ => return Err(Outcome::NOT_UNDERSTOOD),
    };
    // A local address may come first.
    let destination = command.all(tag::OTHER_ADDRESS).last().ok_or(Outcome::VALUES_MISSING)?;
    let address = address(destination).ok_or(Outcome::NOT_UNDERSTOOD)?;
    let network = command.object(tag::ACCESS_NAME).filter(|name| !name.is_empty());
    let network = network.map(|name| access_name(name).ok_or(Outcome::NOT_UNDERSTOOD));
    let text = command.object(tag::ALPHA).filter(|alpha| !alpha.is_empty());
    let text = text.map(|alpha| text::decode_alpha(alpha).ok_or(Outcome::NOT_UNDERSTOOD));
    Ok(Remote { level, address, port, network: network.transpose()?, text: text.transpose()? })
}

/// Other address (TS 102 223 8.58).
fn address(value: &[u8]) -> Option<IpAddr> {
    const IPV4: u8 = 0x21;
    const IPV6: u8 = 0x57;
    let (kind, octets) = value.split_first()?;
    match *kind {
        IPV4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into()),
        IPV6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into()),
        _ => None,
    }
}

/// Labels behind their lengths (TS 23.003 9), as text with dots.
fn access_name(mut value: &[u8]) -> Option<String> {
    if value.len() > NAME_OCTETS {
        return None;
    }
    let mut labels = Vec::new();
    while let Some((length, rest)) = value.split_first() {
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        if label.is_empty() || !label.iter().all(is_plain) {
            return None;
        }
        labels.push(std::str::from_utf8(label).ok()?);
        value = rest;
    }
    Some(labels.join("."))
}

fn with_bearer(response: Response, bearer: &Option<Vec<u8>>) -> Response {
    match bearer {
        Some(bearer) => response.with_optional(tag::BEARER, bearer),
        None => response,
    }
}

impl Connect {
    /// The answer to the card when the link stands.
    pub(super) fn done(&self) -> Response {
        /// Link established.
        const ESTABLISHED: u8 = 0x80;
        self.opened(ESTABLISHED)
    }

    fn opened(&self, state: u8) -> Response {
        let outcome = if self.granted == self.asked { Outcome::OK } else { Outcome::MODIFIED };
        let status = [state | self.channel.number(), 0];
        let response = Response::from(outcome).with_optional(tag::CHANNEL_STATUS, &status);
        with_bearer(response, &self.bearer).with_optional(tag::BUFFER_SIZE, &self.granted)
    }

    /// The answer when there is no link.
    pub(super) fn failed(&self, outcome: Outcome) -> Response {
        with_bearer(outcome.into(), &self.bearer).with_optional(tag::BUFFER_SIZE, &self.asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_networks() {
        assert_eq!(access_name(b"\x06TestGp\x02rs").as_deref(), Some("TestGp.rs"));
        for bad in [&b"\x07TestGp"[..], b"\0", b"\x01/", b"\x01\xFF", &[1; 101]] {
            assert_eq!(access_name(bad), None);
        }
    }

    #[test]
    fn addresses_of_servers() {
        assert_eq!(address(&[0x21, 10, 0, 0, 1]), Some(IpAddr::from([10, 0, 0, 1])));
        let six = [&[0x57][..], &[0; 15], &[1]].concat();
        assert_eq!(address(&six), Some(IpAddr::from(Ipv6Addr::LOCALHOST)));
        for bad in [&[][..], &[0x21], &[0x21, 1, 2, 3], &[0x57, 1], &[0x22, 1, 2, 3, 4]] {
            assert_eq!(address(bad), None);
        }
    }
}
