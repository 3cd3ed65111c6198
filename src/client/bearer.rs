//! The way of a session's octets: a channel to the card's web server, or a TCP connection.

use super::core::Core;
use super::slot::{CardId, Slot};
use crate::card::bip::{Bip, ChannelId};
use crate::error::{Code, Error, Result};
use crate::time::Now;
use crate::transport::tcp::TcpStream;
use crate::transport::url::{Scheme, Url};
use crate::transport::{ByteStream, Moved};
use crate::tree::Origin;
use crate::tree::dmacc::{Account, AddrType};
use std::time::Duration;

/// Time for a card to close a connection that it has said it closes, in milliseconds.
const CLOSE_MS: u64 = 2000;
/// Longest wait for a TCP connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The address of an account, with its port where the address has none of its own.
pub(super) fn address(account: &Account) -> Result<Url> {
    let mut url = match account.addr_type {
        AddrType::Uri => Url::parse(&account.addr)?,
        AddrType::Ipv4 => Url::parse(&format!("http://{}/", account.addr))?,
        AddrType::Ipv6 => Url::parse(&format!("http://[{}]/", account.addr))?,
    };
    if let (Some(port), true) = (account.port, url.has_default_port()) {
        url.port = port;
    }
    Ok(url)
}

/// Fails with `NotSupported` for what no bearer can carry.
pub(super) fn check(url: &Url) -> Result<()> {
    match url.scheme {
        Scheme::Http => Ok(()),
        Scheme::Https => Err(Error::new(Code::NotSupported, "https addresses are not supported")),
    }
}

/// Where a session's server is.
#[derive(Debug)]
pub(super) enum Bearer {
    /// The web server of an open card.
    Card {
        card: CardId,
        port: u16,
        channel: Option<ChannelId>,
        /// A connection that the card has said it closes, and until when it may.
        closing: Option<(ChannelId, u64)>,
    },
    /// A host in the network.
    Network { url: Url, stream: Option<TcpStream> },
}

impl Bearer {
    /// The bearer for an account. Loopback addresses are for accounts of the card that is open now:
    /// a server in the network must not reach into the phone, and a card's account must not be used
    /// with another card.
    pub(super) fn choose(core: &Core, account: &Account, url: &Url) -> Result<Self> {
        check(url)?;
        if !url.is_loopback() {
            return Ok(Self::Network { url: url.clone(), stream: None });
        }
        let Origin::Card { slot, iccid_hash } = account.origin else {
            let text = format!(
                "account {}: only a card's account may have a loopback address",
                account.server_id
            );
            return Err(Error::new(Code::Connect, text));
        };
        let is_its_card = |open: &&Slot| {
            open.number() == slot && !open.is_gone() && open.identity_hash() == Some(iccid_hash)
        };
        let open = core.slots().iter().find(is_its_card).ok_or_else(|| {
            let text =
                format!("account {}: its card is not open in slot {slot}", account.server_id);
            Error::new(Code::CardAbsent, text)
        })?;
        Ok(Self::Card { card: open.id(), port: url.port, channel: None, closing: None })
    }

    /// True for a card.
    pub(super) fn is_card(&self) -> bool {
        matches!(self, Self::Card { .. })
    }

    pub(super) fn card(&self) -> Option<CardId> {
        match self {
            Self::Card { card, .. } => Some(*card),
            Self::Network { .. } => None,
        }
    }

    /// Lends the connection to `work`, opening it first; `None` while it cannot be opened yet.
    pub(super) fn with_stream<R>(
        &mut self,
        core: &mut Core,
        now: Now,
        work: impl FnOnce(&mut dyn ByteStream) -> Result<R>,
    ) -> Result<Option<R>> {
        match self {
            Self::Card { card, port, channel, closing } => {
                let slot = core.slot(*card)?;
                let bip = slot
                    .bip_mut()
                    .ok_or_else(|| Error::new(Code::State, "the card's toolkit was not started"))?;
                if let Some((id, until_ms)) = *closing {
                    if bip.is_connected(id) && now.mono_ms < until_ms {
                        return Ok(None);
                    }
                    bip.close(id);
                    *closing = None;
                }
                let Some(id) = channel.or_else(|| bip.connect(*port)) else { return Ok(None) };
                *channel = Some(id);
                work(&mut ScwsStream { bip, id }).map(Some)
            }
            Self::Network { url, stream } => {
                if stream.is_none() {
                    *stream = Some(TcpStream::connect(&url.host, url.port, CONNECT_TIMEOUT)?);
                }
                stream.as_mut().map(|stream| work(stream)).transpose()
            }
        }
    }

    /// True while there is a connection, also if its other end has closed it.
    pub(super) fn is_connected(&self) -> bool {
        match self {
            Self::Card { channel, .. } => channel.is_some(),
            Self::Network { stream, .. } => stream.is_some(),
        }
    }

    /// The server has said that it closes the connection; the next use opens another.
    ///
    /// The channel keeps its number from one connection to the next, so the card's CLOSE CHANNEL would
    /// hit a connection that is opened before it comes: the card is given time for it.
    pub(super) fn server_closes(&mut self, now: Now) {
        match self {
            Self::Card { channel, closing, .. } => {
                *closing = channel.take().map(|id| (id, now.mono_ms.saturating_add(CLOSE_MS)));
            }
            Self::Network { stream, .. } => *stream = None,
        }
    }

    /// When the card has had its time to close a connection, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<u64> {
        match self {
            Self::Card { closing, .. } => closing.map(|(_, until_ms)| until_ms),
            Self::Network { .. } => None,
        }
    }

    /// Ends the connection; the next use opens another.
    pub(super) fn disconnect(&mut self, core: &mut Core) {
        match self {
            Self::Card { card, channel, closing, .. } => {
                let ids = [channel.take(), closing.take().map(|(id, _)| id)];
                let Ok(slot) = core.slot(*card) else { return };
                for id in ids.into_iter().flatten() {
                    if let Some(bip) = slot.bip_mut() {
                        bip.close(id);
                    }
                }
            }
            Self::Network { stream, .. } => *stream = None,
        }
    }
}

/// One connection to the card's web server, through a channel in UICC server mode.
struct ScwsStream<'a> {
    bip: &'a mut Bip,
    id: ChannelId,
}

impl ByteStream for ScwsStream<'_> {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<Moved> {
        // Octets that the card sent before it closed are still there.
        match self.bip.read(self.id, buffer) {
            0 if self.bip.is_open(self.id) => Ok(Moved::NotYet),
            0 => Ok(Moved::Closed),
            octets => Ok(Moved::Octets(octets)),
        }
    }

    fn write(&mut self, data: &[u8], _: Duration) -> Result<Moved> {
        if !self.bip.is_connected(self.id) {
            return Err(Error::new(Code::Io, "the card closed the connection"));
        }
        match self.bip.write(self.id, data) {
            0 => Ok(Moved::NotYet),
            octets => Ok(Moved::Octets(octets)),
        }
    }

    fn close(&mut self) {
        self.bip.close(self.id);
    }
}
