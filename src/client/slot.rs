//! One open card: its APDU layer, its identity, and its toolkit once that runs.

use crate::bootstrap::{self, News};
use crate::card::apdu::{Card, Mode};
use crate::card::bip::Bip;
use crate::card::cat::{
    Capabilities, Cat, Config as CatConfig, Effect, HostAnswer, Imei, LocalInfo, Refresh,
};
use crate::card::pkcs15;
use crate::card::toolkit::Toolkit;
use crate::card::transport::CardTransport;
use crate::card::uicc::{self, CardIdentity};
use crate::error::{Code, Error, Result};
use crate::store::Database;
use crate::time::Now;

/// A card's handle within its client; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardId(pub(super) u64);

/// What the host tells about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardSignal {
    /// It was taken out.
    Removed,
    /// It was reset.
    Reset,
    /// It has something to say.
    Proactive,
}

/// What a card is.
#[derive(Clone, Default)]
pub struct CardInfo {
    /// ICCID digits; personal data, not for logs. Empty if the card has none.
    pub iccid: String,
    /// Answer to reset.
    pub atr: Vec<u8>,
    /// A UICC, not a SIM of GSM 11.11.
    pub is_uicc: bool,
    /// The card listens for its web server.
    pub has_scws: bool,
    /// The last bootstrap found DM bootstrap data.
    pub has_dm_bootstrap: bool,
}

impl std::fmt::Debug for CardInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardInfo").field("is_uicc", &self.is_uicc).finish_non_exhaustive()
    }
}

/// Port of a card's web server (Smart Card Web Server 1.1, 6).
pub(super) const SCWS_PORT: u16 = 3516;

/// One open card.
pub(super) struct Slot {
    id: CardId,
    number: u32,
    card: Card,
    toolkit: Option<Toolkit>,
    identity: Option<CardIdentity>,
    atr: Vec<u8>,
    is_uicc: bool,
    has_dm_bootstrap: bool,
    /// The card may have announced a command outside the toolkit's own exchanges.
    look: bool,
    /// The card may be another one since its identity was read.
    stale: bool,
    /// The toolkit has to begin a new card session once its response is out.
    restart: bool,
    /// The host knows that the card is gone.
    told_gone: bool,
    /// Exchanges of the toolkit that failed one after the other.
    failures: u32,
    /// After a failure nothing is tried before, on the monotonic clock.
    paused_ms: Option<u64>,
    /// A card with an IP stack of its own is reached here.
    ip_address: Option<String>,
}

/// Pause after the first failed exchange of a toolkit and the longest one, in milliseconds.
const PAUSE_MS: (u64, u64) = (500, 30_000);

/// Files that say which card it is and what it holds for a DM client, as REFRESH names them.
const WATCHED: [&[u16]; 4] =
    [&[0x3F00, 0x2FE2], &[0x3F00, 0x2F00], &[0x3F00, 0x7F50], &[0x3F00, 0x5015]];
const EF_ICCID: &[u16] = WATCHED[0];
const CURRENT_APPLICATION: &[u16] = &[0x7FFF];

impl Slot {
    /// Reads what the card is.
    pub(super) fn open(id: CardId, number: u32, transport: Box<dyn CardTransport>) -> Result<Self> {
        let mut card = Card::new(transport);
        let atr = card.atr().map_err(|error| error.context("answer to reset"))?;
        let identity = read_identity(&mut card)?;
        let is_uicc = card.mode()? == Mode::Uicc;
        if card.is_gone() {
            // What is closed behind the last answer fails in silence.
            return Err(Error::new(Code::CardRemoved, "the card went while it was opened"));
        }
        Ok(Self {
            id,
            number,
            card,
            toolkit: None,
            identity,
            atr,
            is_uicc,
            has_dm_bootstrap: false,
            look: false,
            stale: false,
            restart: false,
            told_gone: false,
            failures: 0,
            paused_ms: None,
            ip_address: None,
        })
    }

    pub(super) fn id(&self) -> CardId {
        self.id
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn is_gone(&self) -> bool {
        self.card.is_gone()
    }

    /// Hash of the ICCID, as origins of nodes have it; `None` while it is not known.
    pub(super) fn identity_hash(&self) -> Option<[u8; 16]> {
        self.identity.as_ref().filter(|_| !self.stale).map(bootstrap::identity_hash)
    }

    /// Answers the toolkit's open question.
    pub(super) fn complete(&mut self, answer: HostAnswer) {
        if let Some(toolkit) = &mut self.toolkit
            && let Err(error) = toolkit.complete(answer)
        {
            // The card does not wait any more.
            log::debug!("toolkit: {error}");
        }
    }

    /// The card's own address, if it has one.
    pub(super) fn ip_address(&self) -> Option<&str> {
        self.ip_address.as_deref()
    }

    pub(super) fn set_ip_address(&mut self, address: Option<String>) {
        self.ip_address = address;
    }

    pub(super) fn info(&self) -> CardInfo {
        CardInfo {
            iccid: self.identity.as_ref().map_or_else(String::new, |id| id.iccid().to_owned()),
            atr: self.atr.clone(),
            is_uicc: self.is_uicc,
            has_scws: self.bip().is_some_and(|bip| bip.is_listening(SCWS_PORT)),
            has_dm_bootstrap: self.has_dm_bootstrap,
        }
    }

    pub(super) fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let response = self.card.exchange(command)?;
        self.look = true;
        let mut octets = response.data;
        octets.extend_from_slice(&response.sw.to_be_bytes());
        Ok(octets)
    }

    pub(super) fn start_toolkit(
        &mut self,
        device_id: &str,
        language: &str,
        capabilities: Capabilities,
        now: Now,
    ) -> Result<()> {
        if self.toolkit.is_some() {
            return Err(Error::new(Code::State, "the card's toolkit runs already"));
        }
        self.identify()?;
        let local = LocalInfo {
            imei: device_id.strip_prefix("IMEI:").and_then(|imei| Imei::from_digits(imei).ok()),
            language: language.as_bytes().first_chunk().copied(),
            ..LocalInfo::default()
        };
        let mut toolkit =
            Toolkit::new(Cat::new(CatConfig { local, capabilities, ..CatConfig::default() }));
        toolkit.start(&mut self.card, now)?;
        self.toolkit = Some(toolkit);
        self.look = true;
        Ok(())
    }

    /// Applies what is new in the card's DM bootstrap data.
    pub(super) fn bootstrap(&mut self, db: &Database, now: Now) -> bootstrap::Outcome {
        if let Err(error) = self.identify() {
            return error.into();
        }
        let Some(identity) = &self.identity else {
            let text = "a card without EF.ICCID cannot be told from another one";
            return Error::new(Code::CardBadData, text).into();
        };
        let outcome = bootstrap::from_card(&mut self.card, self.number, identity, db, now);
        self.look = true;
        let found = |news: &News| matches!(news, News::Found { .. });
        self.has_dm_bootstrap = outcome.report.news.iter().any(found);
        outcome
    }

    /// Reads the card's identity again if it may have changed.
    pub(super) fn identify(&mut self) -> Result<()> {
        if self.stale {
            self.identity = read_identity(&mut self.card)?;
            self.stale = false;
        }
        Ok(())
    }

    /// One exchange of the toolkit, if one is due; `None` if there was nothing to do.
    ///
    /// After a failure the next one is tried only after a pause: a transport that keeps failing must
    /// not keep the driving thread busy.
    pub(super) fn step(&mut self, now: Now) -> Result<Option<Vec<Effect>>> {
        if self.is_lost_unheard() {
            return Err(Error::new(
                Code::CardRemoved,
                "the card went in the last exchange with it",
            ));
        }
        let paused = self.paused_ms.is_some_and(|until| now.mono_ms < until);
        if paused || self.card.is_gone() {
            return Ok(None);
        }
        let done = self.exchange(now);
        if done.is_err() {
            let pause = PAUSE_MS.0.saturating_mul(1 << self.failures.min(16)).min(PAUSE_MS.1);
            self.paused_ms = Some(now.mono_ms.saturating_add(pause));
            self.failures += 1;
        } else {
            self.paused_ms = None;
            self.failures = 0;
        }
        done
    }

    /// An exchange whose failure is nobody's business, such as the closing of a channel, has found
    /// that the card is gone.
    fn is_lost_unheard(&self) -> bool {
        self.card.is_gone() && !self.told_gone
    }

    fn exchange(&mut self, now: Now) -> Result<Option<Vec<Effect>>> {
        let Some(toolkit) = &mut self.toolkit else { return Ok(None) };
        self.look = false;
        let progress = toolkit.step(&mut self.card, now)?;
        if self.restart {
            // The step before this one fetched the REFRESH, this one has answered it.
            self.restart = false;
            self.card.card_ready();
            toolkit.start(&mut self.card, now)?;
            self.look = true;
        }
        let worked = progress.did_something || !progress.effects.is_empty();
        Ok(worked.then_some(progress.effects))
    }

    /// True if the last [`step`](Self::step) was the first to fail.
    pub(super) fn has_just_failed(&self) -> bool {
        self.failures == 1
    }

    /// When [`step`](Self::step) has something to do, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<u64> {
        if self.card.is_gone() {
            return self.is_lost_unheard().then_some(0);
        }
        let toolkit = self.toolkit.as_ref()?;
        let due = if self.look { Some(0) } else { toolkit.deadline() };
        due.map(|due| due.max(self.paused_ms.unwrap_or(0)))
    }

    /// The host has seen that the card has something to say.
    pub(super) fn ask(&mut self) {
        if let Some(toolkit) = &mut self.toolkit {
            toolkit.ask();
        }
    }

    /// A DM session with the card begins or ends: a REFRESH may have to wait for it.
    pub(super) fn set_in_use(&mut self, in_use: bool) {
        if let Some(toolkit) = &mut self.toolkit {
            toolkit.cat_mut().set_in_use(in_use);
        }
    }

    /// Follows a REFRESH; true if what was read from the card should be read again.
    pub(super) fn refreshed(&mut self, refresh: &Refresh) -> bool {
        self.restart |= refresh.mode.ends_card_session();
        self.stale |= refresh.touches(EF_ICCID);
        // Without a name the current application may be the PKCS#15 one.
        let is_ours = refresh.aid.as_ref().is_none_or(|aid| aid.starts_with(&pkcs15::AID));
        WATCHED.iter().any(|path| refresh.touches(path))
            || (is_ours && refresh.touches(CURRENT_APPLICATION))
    }

    /// The card is gone: nothing more is sent to it. False if the host knows that.
    pub(super) fn lost(&mut self) -> bool {
        self.toolkit = None;
        self.card.card_removed();
        !std::mem::replace(&mut self.told_gone, true)
    }

    /// The card answers again after a reset, from its beginning; it may be another one.
    pub(super) fn ready_again(&mut self) {
        self.card.card_ready();
        (self.stale, self.told_gone, self.restart) = (true, false, false);
        (self.failures, self.paused_ms) = (0, None);
    }

    /// The channels between card and terminal, while the toolkit runs.
    pub(super) fn bip(&self) -> Option<&Bip> {
        self.toolkit.as_ref().map(|toolkit| toolkit.cat().bip())
    }

    /// As [`bip`](Self::bip).
    pub(super) fn bip_mut(&mut self) -> Option<&mut Bip> {
        self.toolkit.as_mut().map(|toolkit| toolkit.cat_mut().bip_mut())
    }
}

/// The card's identity; `None` for a card without EF.ICCID.
fn read_identity(card: &mut Card) -> Result<Option<CardIdentity>> {
    match uicc::read_identity(card) {
        Ok(identity) => Ok(Some(identity)),
        Err(error) if error.code() == Code::CardFileNotFound => Ok(None),
        Err(error) => Err(error.context("reading EF.ICCID")),
    }
}
