//! The way of a session's octets: a channel to the card's web server, or a connection in the network.

use super::core::Core;
use super::network::{Connection, Route, StreamScheme};
use super::slot::{CardId, Slot};
use crate::card::bip::{Bip, ChannelId};
use crate::config::PlainHttp;
use crate::error::{Code, Error, Result};
use crate::time::Now;
use crate::transport::http::cookies;
use crate::transport::tls::Session;
use crate::transport::{ByteStream, Moved};
use crate::tree::Origin;
use crate::tree::dmacc::{Account, AddrType};
use crate::url::{Scheme, Url};
use std::time::Duration;

/// Time for a card to close a connection that it has said it closes, in milliseconds.
const CLOSE_MS: u64 = 2000;

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

/// Where a session's server is.
#[derive(Debug)]
pub(super) enum Bearer {
    /// The web server of an open card, through a channel of its toolkit.
    Card(ToCard),
    /// A host in the network, or a card that is one.
    Network(ToNetwork),
}

#[derive(Debug)]
pub(super) struct ToCard {
    card: CardId,
    url: Url,
    channel: Option<ChannelId>,
    tls: Option<Session>,
    /// Octets that went through the channels so far, those of TLS with them.
    moved: usize,
    /// A connection that the card has said it closes, and until when it may.
    closing: Option<(ChannelId, u64)>,
}

#[derive(Debug)]
pub(super) struct ToNetwork {
    url: Url,
    route: Route,
    /// The card that is reached, and its address.
    card: Option<(CardId, String)>,
    connection: Option<Connection>,
}

impl Bearer {
    /// The bearer for an account. Loopback addresses are for accounts of the card that is open now:
    /// a server in the network must not reach into the phone, and a card's account must not be used
    /// with another card. Plain HTTP leaves the device only where the configuration allows it.
    pub(super) fn choose(core: &Core, account: &Account, url: &Url, session: u64) -> Result<Self> {
        let mut route = Route {
            session,
            server_id: Some(account.server_id.clone()),
            con_ref: account.con_ref.clone(),
            slot: 0,
        };
        if !url.is_loopback() {
            check_plain(core.config.network.plain_http, account, url)?;
            return Ok(Self::network(url, route, None));
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
        let card = open.id();
        route.slot = slot;
        if let Some(address) = open.ip_address() {
            return Ok(Self::network(url, route, Some((card, address.to_owned()))));
        }
        if url.scheme == Scheme::Https && core.network.has(StreamScheme::Https) {
            // Cards have TLS with shared keys (SCWS 1.1), which is the host's business.
            return Ok(Self::network(url, route, Some((card, url.host.clone()))));
        }
        let url = url.clone();
        Ok(Self::Card(ToCard { card, url, channel: None, tls: None, moved: 0, closing: None }))
    }

    fn network(url: &Url, route: Route, card: Option<(CardId, String)>) -> Self {
        Self::Network(ToNetwork { url: url.clone(), route, card, connection: None })
    }

    /// True for a card.
    pub(super) fn is_card(&self) -> bool {
        self.card().is_some()
    }

    /// True where nothing is heard of what comes: it has to be looked for.
    pub(super) fn is_network(&self) -> bool {
        matches!(self, Self::Network(_))
    }

    pub(super) fn card(&self) -> Option<CardId> {
        match self {
            Self::Card(to) => Some(to.card),
            Self::Network(to) => to.card.as_ref().map(|(card, _)| *card),
        }
    }

    /// Cookies and their octets that the server may set.
    pub(super) fn cookie_bounds(&self) -> (usize, usize) {
        if self.is_card() { cookies::CARD } else { cookies::REMOTE }
    }

    /// The next request goes to `url`, which is a place of the same server.
    pub(super) fn aim(&mut self, url: &Url) -> Result<()> {
        match self {
            // The channel leads to one port of the card.
            Self::Card(to) if !to.url.same_authority(url) || to.url.scheme != url.scheme => {
                Err(Error::new(Code::Connect, "the card's web server cannot move"))
            }
            Self::Card(_) => Ok(()),
            Self::Network(to) => {
                if !to.url.same_authority(url) || to.url.scheme != url.scheme {
                    to.connection = None;
                }
                to.url = url.clone();
                Ok(())
            }
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
            Self::Card(to) => to.with_stream(core, now, work),
            Self::Network(to) => {
                if to.connection.is_none() {
                    let host = to.card.as_ref().map_or(&to.url.host, |(_, address)| address);
                    let opened = core.network.open(&to.url, host, &to.route, now)?;
                    to.connection = Some(opened);
                }
                to.connection.as_mut().map(|connection| connection.with(work)).transpose()
            }
        }
    }

    /// Octets that have gone to a card and come from it. Those of TLS are of no request yet, but have to be told
    /// from nothing.
    pub(super) fn moved(&self) -> usize {
        match self {
            Self::Card(to) => to.moved,
            Self::Network(_) => 0,
        }
    }

    /// True while there is a connection, also if its other end has closed it.
    pub(super) fn is_connected(&self) -> bool {
        match self {
            Self::Card(to) => to.channel.is_some(),
            Self::Network(to) => to.connection.is_some(),
        }
    }

    /// The server has said that it closes the connection; the next use opens another.
    ///
    /// The channel keeps its number from one connection to the next, so the card's CLOSE CHANNEL would
    /// hit a connection that is opened before it comes: the card is given time for it.
    pub(super) fn server_closes(&mut self, now: Now) {
        match self {
            Self::Card(to) => {
                to.tls = None;
                let until_ms = now.mono_ms.saturating_add(CLOSE_MS);
                to.closing = to.channel.take().map(|id| (id, until_ms));
            }
            Self::Network(to) => to.connection = None,
        }
    }

    /// When the card has had its time to close a connection, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<u64> {
        match self {
            Self::Card(to) => to.closing.map(|(_, until_ms)| until_ms),
            Self::Network(_) => None,
        }
    }

    /// Ends the connection; the next use opens another.
    pub(super) fn disconnect(&mut self, core: &mut Core) {
        match self {
            Self::Card(to) => to.disconnect(core),
            Self::Network(to) => to.connection = None,
        }
    }
}

/// DM-122: whether a session may go over plain HTTP into the network.
fn check_plain(policy: PlainHttp, account: &Account, url: &Url) -> Result<()> {
    let is_hmac = |preferred: &String| preferred.eq_ignore_ascii_case("HMAC");
    let allowed = match policy {
        _ if url.scheme == Scheme::Https => true,
        PlainHttp::Refuse => false,
        PlainHttp::Hmac => account.auth_pref.as_ref().is_some_and(is_hmac),
        PlainHttp::Allow => true,
    };
    if allowed {
        return Ok(());
    }
    let text = format!("account {}: plain http is not allowed", account.server_id);
    Err(Error::new(Code::Connect, text))
}

impl ToCard {
    fn with_stream<R>(
        &mut self,
        core: &mut Core,
        now: Now,
        work: impl FnOnce(&mut dyn ByteStream) -> Result<R>,
    ) -> Result<Option<R>> {
        if self.url.scheme == Scheme::Https && self.tls.is_none() {
            self.tls = Some(core.network.tls.session(&self.url.host, now)?);
        }
        let slot = core.slot(self.card)?;
        let bip = slot
            .bip_mut()
            .ok_or_else(|| Error::new(Code::State, "the card's toolkit was not started"))?;
        if let Some((id, until_ms)) = self.closing {
            if bip.is_connected(id) && now.mono_ms < until_ms {
                return Ok(None);
            }
            bip.close(id);
            self.closing = None;
        }
        let Some(id) = self.channel.or_else(|| bip.connect(self.url.port)) else {
            return Ok(None);
        };
        self.channel = Some(id);
        let mut stream = ChannelStream::new(bip, id);
        let done = match &mut self.tls {
            Some(session) => work(&mut *session.over(&mut stream)),
            None => work(&mut stream),
        };
        self.moved += stream.moved;
        done.map(Some)
    }

    fn disconnect(&mut self, core: &mut Core) {
        let ids = [self.channel.take(), self.closing.take().map(|(id, _)| id)];
        self.tls = None;
        let Some(bip) = core.slot(self.card).ok().and_then(|slot| slot.bip_mut()) else { return };
        bip.forget_wish(self.url.port);
        for id in ids.into_iter().flatten() {
            bip.close(id);
        }
    }
}

/// The other end of a card's channel.
pub(super) struct ChannelStream<'a> {
    bip: &'a mut Bip,
    id: ChannelId,
    /// Octets both ways.
    moved: usize,
}

impl<'a> ChannelStream<'a> {
    pub(super) fn new(bip: &'a mut Bip, id: ChannelId) -> Self {
        Self { bip, id, moved: 0 }
    }
}

impl ByteStream for ChannelStream<'_> {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<Moved> {
        // Octets that the card sent before it closed are still there.
        match self.bip.read(self.id, buffer) {
            0 if self.bip.is_open(self.id) => Ok(Moved::NotYet),
            0 => Ok(Moved::Closed),
            octets => {
                self.moved += octets;
                Ok(Moved::Octets(octets))
            }
        }
    }

    fn write(&mut self, data: &[u8], _: Duration) -> Result<Moved> {
        if !self.bip.is_connected(self.id) {
            return Err(Error::new(Code::Io, "the card closed the connection"));
        }
        match self.bip.write(self.id, data) {
            0 => Ok(Moved::NotYet),
            octets => {
                self.moved += octets;
                Ok(Moved::Octets(octets))
            }
        }
    }

    fn close(&mut self) {
        self.bip.close(self.id);
    }
}
