//! One open card: its APDU layer, its identity, and its toolkit once that runs.

use crate::bootstrap::{self, News};
use crate::card::apdu::{Card, Mode};
use crate::card::bip::Bip;
use crate::card::cat::{Cat, Config as CatConfig, Effect, Imei, LocalInfo};
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
    /// The host knows that the card is gone.
    lost: bool,
}

impl Slot {
    /// Reads what the card is.
    pub(super) fn open(id: CardId, number: u32, transport: Box<dyn CardTransport>) -> Result<Self> {
        let mut card = Card::new(transport);
        let atr = card.atr().map_err(|error| error.context("answer to reset"))?;
        let identity = match uicc::read_identity(&mut card) {
            Ok(identity) => Some(identity),
            Err(error) if error.code() == Code::CardFileNotFound => None,
            Err(error) => return Err(error.context("reading EF.ICCID")),
        };
        let is_uicc = card.mode()? == Mode::Uicc;
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
            lost: false,
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

    /// Hash of the ICCID, as origins of nodes have it.
    pub(super) fn identity_hash(&self) -> Option<[u8; 16]> {
        self.identity.as_ref().map(bootstrap::identity_hash)
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
        let mut octets = response.data;
        octets.extend_from_slice(&response.sw.to_be_bytes());
        Ok(octets)
    }

    pub(super) fn start_toolkit(
        &mut self,
        device_id: &str,
        language: &str,
        now: Now,
    ) -> Result<()> {
        if self.toolkit.is_some() {
            return Err(Error::new(Code::State, "the card's toolkit runs already"));
        }
        let local = LocalInfo {
            imei: device_id.strip_prefix("IMEI:").and_then(|imei| Imei::from_digits(imei).ok()),
            language: language.as_bytes().first_chunk().copied(),
            ..LocalInfo::default()
        };
        let mut toolkit = Toolkit::new(Cat::new(CatConfig { local, ..CatConfig::default() }));
        toolkit.start(&mut self.card, now)?;
        self.toolkit = Some(toolkit);
        self.look = true;
        Ok(())
    }

    /// Applies what is new in the card's DM bootstrap data.
    pub(super) fn bootstrap(&mut self, db: &Database, now: Now) -> bootstrap::Outcome {
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

    /// One exchange of the toolkit, if one is due; `None` if there was nothing to do.
    pub(super) fn step(&mut self, now: Now) -> Result<Option<Vec<Effect>>> {
        let Some(toolkit) = &mut self.toolkit else { return Ok(None) };
        if self.card.is_gone() {
            return Ok(None);
        }
        self.look = false;
        let progress = toolkit.step(&mut self.card, now)?;
        let worked = progress.did_something || !progress.effects.is_empty();
        Ok(worked.then_some(progress.effects))
    }

    /// When [`step`](Self::step) has something to do, on the monotonic clock.
    pub(super) fn deadline(&self) -> Option<u64> {
        if self.card.is_gone() {
            return None;
        }
        let toolkit = self.toolkit.as_ref()?;
        if self.look { Some(0) } else { toolkit.deadline() }
    }

    /// The card may have announced a command to somebody else: it is asked for it.
    pub(super) fn look_at_once(&mut self) {
        self.look = true;
        if let Some(toolkit) = &mut self.toolkit {
            toolkit.ask_at_once();
        }
    }

    /// The card is gone: nothing more is sent to it. False if that was known.
    pub(super) fn lost(&mut self) -> bool {
        self.toolkit = None;
        self.card.card_removed();
        !std::mem::replace(&mut self.lost, true)
    }

    /// The card answers again after a reset, from its beginning.
    pub(super) fn ready_again(&mut self) {
        self.lost = false;
        self.card.card_ready();
    }

    /// The channels between card and terminal, while the toolkit runs.
    pub(super) fn bip(&self) -> Option<&Bip> {
        self.toolkit.as_ref().map(|toolkit| toolkit.cat().bip())
    }

    /// As [`bip`](Self::bip); a card whose octets were taken or given may have something to do.
    pub(super) fn bip_mut(&mut self) -> Option<&mut Bip> {
        self.look = true;
        self.toolkit.as_mut().map(|toolkit| toolkit.cat_mut().bip_mut())
    }
}
