//! One open card: its APDU layer, its identity, and its toolkit once that runs.

use super::toolkit::{Outgoing, ToolkitEvent};
use crate::bootstrap::{self, Known, Outcome, Reading};
use crate::card::apdu::{Card, Mode};
use crate::card::bip::Bip;
use crate::card::cat::{
    Capabilities, Cat, Config as CatConfig, Effect, HostAnswer, Imei, LocalInfo, Reaction, Refresh,
};
use crate::card::pkcs15;
use crate::card::toolkit::Toolkit;
use crate::card::trace::Trace;
use crate::card::transport::CardTransport;
use crate::card::uicc::{self, CardIdentity};
use crate::error::{Code, Error, Result};
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
    /// A card was put into its reader.
    Inserted,
    /// Its files have changed: all that counts here is read anew.
    FilesChanged,
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
    toolkit: Option<Owner>,
    /// What the card's bootstrap data are, while they wait for the user, or if there are none. Otherwise they
    /// are not kept: passwords are in them.
    reading: Option<Reading>,
    /// Its files have changed: that those known from before are as they were does not say it all.
    changed: bool,
    /// The tree has what the card holds, as long as nothing says that this may have changed.
    is_settled: bool,
    /// A response that the host's modem has to send.
    response: Option<Vec<u8>>,
    /// The number of the card's question that waits for the host.
    asking: Option<u64>,
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

/// The file that says which card it is, as REFRESH names it.
const EF_ICCID: [u16; 2] = [MF, 0x2FE2];
/// The MF and the current application, with which the paths of REFRESH begin.
const MF: u16 = 0x3F00;
const APPLICATION: u16 = 0x7FFF;
const EF_DIR: u16 = 0x2F00;
/// Directories below the MF in which nothing is for a DM client: DF TELECOM, DF GSM, DF CDMA.
const TELEPHONY: [u16; 3] = [0x7F10, 0x7F20, 0x7F25];

/// True if something that a DM client reads can be in a file that REFRESH names. Where an issuer keeps the
/// PKCS#15 files is not known of a card that finds them by their name, so that any directory may be theirs.
fn may_be_contents(file: &[u16], in_application: bool) -> bool {
    match file {
        [MF] | [MF, EF_DIR] => true,
        // The elementary files of the MF are 2FXX.
        [MF, below, ..] => below >> 8 != 0x2F && !TELEPHONY.contains(below),
        [APPLICATION, ..] => in_application,
        _ => false,
    }
}

impl Slot {
    /// Reads what the card is.
    pub(super) fn open(
        id: CardId,
        number: u32,
        transport: Box<dyn CardTransport>,
        trace: Option<Trace>,
    ) -> Result<Self> {
        let mut card = Card::new(transport);
        card.set_trace(trace);
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
            reading: None,
            changed: false,
            is_settled: false,
            response: None,
            asking: None,
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

    pub(super) fn set_trace(&mut self, trace: Option<Trace>) {
        self.card.set_trace(trace);
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
        capabilities: Capabilities,
        device_id: &str,
        language: &str,
        now: Now,
    ) -> Result<()> {
        if self.toolkit.is_some() {
            return Err(Error::new(Code::State, "the card's toolkit runs already"));
        }
        self.identify()?;
        let mut toolkit = Toolkit::new(engine(capabilities, device_id, language));
        toolkit.start(&mut self.card, now)?;
        self.toolkit = Some(Owner::Library(Box::new(toolkit)));
        self.look = true;
        Ok(())
    }

    /// Reads the card's bootstrap data; where that is `refused`, only which card it is.
    /// Nothing is exchanged while nothing can have changed since it was read.
    pub(super) fn read_bootstrap(
        &mut self,
        refused: Option<Error>,
        known: &Known,
    ) -> Result<Reading> {
        self.identify()?;
        let Some(identity) = &self.identity else {
            let text = "a card without EF.ICCID cannot be told from another one";
            return Err(Error::new(Code::CardBadData, text));
        };
        if let Some(reason) = refused {
            return Ok(bootstrap::without_reading(self.number, identity, reason));
        }
        if let Some(reading) = self.reading.as_ref().filter(|_| !self.card.is_gone()) {
            return Ok(reading.clone());
        }
        let nothing = Known::default();
        let known = if self.changed { &nothing } else { known };
        let reading = bootstrap::read(&mut self.card, self.number, identity, known);
        self.changed &= reading.is_err();
        self.reading = reading.as_ref().ok().filter(|reading| reading.is_whole()).cloned();
        self.look = true;
        self.has_dm_bootstrap = reading.as_ref().is_ok_and(Reading::has_dm_object);
        reading
    }

    /// The bootstrap data came to `outcome`.
    pub(super) fn bootstrapped(&mut self, outcome: &Outcome) {
        self.is_settled = outcome.is_settled();
        let waits = outcome.report.waiting > 0;
        self.reading = self.reading.take().filter(|reading| waits || reading.is_empty());
    }

    /// The card whose bootstrap data are in the tree and cannot have changed since.
    pub(super) fn settled(&mut self) -> Option<[u8; 16]> {
        // An error comes again when the card is read.
        if !self.is_settled || self.identify().is_err() {
            return None;
        }
        self.identity_hash().filter(|_| self.is_settled)
    }

    fn forget_reading(&mut self) {
        (self.reading, self.is_settled) = (None, false);
    }

    /// Reads the card's identity again if it may have changed; what was read from another card is of no use.
    pub(super) fn identify(&mut self) -> Result<()> {
        if self.stale {
            let identity = read_identity(&mut self.card)?;
            if self.identity != identity {
                self.forget_reading();
            }
            (self.identity, self.stale) = (identity, false);
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
        let Some(Owner::Library(toolkit)) = &mut self.toolkit else { return Ok(None) };
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
        let due = match self.toolkit.as_ref()? {
            Owner::Host(cat) => return cat.deadline(),
            Owner::Library(_) if self.look => Some(0),
            Owner::Library(toolkit) => toolkit.deadline(),
        };
        due.map(|due| due.max(self.paused_ms.unwrap_or(0)))
    }

    /// The host has seen that the card has something to say.
    pub(super) fn ask(&mut self) {
        if let Some(Owner::Library(toolkit)) = &mut self.toolkit {
            toolkit.ask();
        }
    }

    /// A DM session with the card begins or ends: a REFRESH may have to wait for it.
    pub(super) fn set_in_use(&mut self, in_use: bool) {
        if let Some(cat) = self.cat_mut() {
            cat.set_in_use(in_use);
        }
    }

    /// Follows a REFRESH; true if something that was read from the card should be read again.
    pub(super) fn refreshed(&mut self, refresh: &Refresh) -> bool {
        self.restart |= refresh.mode.ends_card_session();
        let is_identity = refresh.touches(&EF_ICCID);
        self.stale |= is_identity;
        // Without a name the current application may be the PKCS#15 one.
        let is_ours = refresh.aid.as_ref().is_none_or(|aid| aid.starts_with(&pkcs15::AID));
        let is_contents = refresh.concerns(|file| may_be_contents(file, is_ours));
        if is_contents {
            self.forget_contents();
        }
        is_identity || is_contents
    }

    /// The files may be others than those that were read, now or when the phone was on last.
    pub(super) fn files_changed(&mut self) {
        self.stale = true;
        self.forget_contents();
    }

    fn forget_contents(&mut self) {
        self.forget_reading();
        self.changed = true;
    }

    /// The card is gone: nothing more is sent to it. False if the host knows that.
    pub(super) fn lost(&mut self) -> bool {
        self.toolkit = None;
        self.forget_reading();
        self.asking = None;
        self.card.card_removed();
        !std::mem::replace(&mut self.told_gone, true)
    }

    /// The card answers again after a reset, from its beginning; it may be another one.
    pub(super) fn ready_again(&mut self) {
        self.card.card_inserted();
        self.forget_reading();
        (self.stale, self.told_gone, self.restart) = (true, false, false);
        (self.failures, self.paused_ms) = (0, None);
    }

    /// The channels between card and terminal, while the toolkit runs.
    pub(super) fn bip(&self) -> Option<&Bip> {
        match self.toolkit.as_ref()? {
            Owner::Library(toolkit) => Some(toolkit.cat().bip()),
            Owner::Host(cat) => Some(cat.bip()),
        }
    }

    /// As [`bip`](Self::bip).
    pub(super) fn bip_mut(&mut self) -> Option<&mut Bip> {
        self.cat_mut().map(Cat::bip_mut)
    }

    fn cat_mut(&mut self) -> Option<&mut Cat> {
        match self.toolkit.as_mut()? {
            Owner::Library(toolkit) => Some(toolkit.cat_mut()),
            Owner::Host(cat) => Some(cat),
        }
    }

    /// Makes the host's modem the owner of the toolkit, if nobody is yet.
    pub(super) fn attach(
        &mut self,
        capabilities: Capabilities,
        device_id: &str,
        language: &str,
    ) -> Result<()> {
        match self.toolkit {
            Some(Owner::Host(_)) => Ok(()),
            Some(Owner::Library(_)) => {
                Err(Error::new(Code::State, "the library runs the card's toolkit itself"))
            }
            None => {
                let cat = engine(capabilities, device_id, language);
                self.toolkit = Some(Owner::Host(Box::new(cat)));
                Ok(())
            }
        }
    }

    fn fed(&mut self) -> Result<&mut Cat> {
        match &mut self.toolkit {
            Some(Owner::Host(cat)) => Ok(cat),
            _ => Err(Error::new(Code::State, "the host does not own the card's toolkit")),
        }
    }

    /// The data of TERMINAL PROFILE.
    pub(super) fn profile(&mut self) -> Result<Vec<u8>> {
        self.fed().map(|cat| cat.terminal_profile())
    }

    /// Carries out a command that the host's modem has fetched.
    pub(super) fn feed(&mut self, command: &[u8], now: Now) -> Result<Reaction> {
        self.fed()?.proactive(command, now)
    }

    /// The host is asked question `id`.
    pub(super) fn asked(&mut self, id: u64) {
        self.asking = Some(id);
    }

    /// Takes the host's answer to question `id`.
    pub(super) fn complete(&mut self, id: u64, answer: HostAnswer) -> Result<Vec<Effect>> {
        if self.asking != Some(id) {
            return Err(Error::new(Code::State, "the card does not wait for this answer"));
        }
        let effects = match &mut self.toolkit {
            Some(Owner::Library(toolkit)) => toolkit.complete(answer)?,
            Some(Owner::Host(cat)) => {
                let reaction = cat.complete(answer)?;
                self.response = reaction.terminal_response;
                reaction.effects
            }
            None => Vec::new(),
        };
        self.asking = None;
        self.look = true;
        Ok(effects)
    }

    /// What the host's modem has to send by now, and what else has happened.
    pub(super) fn outgoing(&mut self, now: Now) -> (Vec<(Outgoing, Vec<u8>)>, Vec<Effect>) {
        let (mut sends, mut effects) = (Vec::new(), Vec::new());
        let Some(Owner::Host(cat)) = &mut self.toolkit else { return (sends, effects) };
        if let Some(reaction) = cat.expire(now) {
            self.asking = None;
            self.response = reaction.terminal_response;
            effects = reaction.effects;
        }
        // Polling is the modem's business.
        cat.active(now);
        sends.extend(self.response.take().map(|data| (Outgoing::TerminalResponse, data)));
        if sends.is_empty() {
            sends.extend(cat.next_envelope(now).map(|data| (Outgoing::Envelope, data)));
        }
        (sends, effects)
    }

    /// The host tells the toolkit what happened.
    pub(super) fn toolkit_event(&mut self, event: ToolkitEvent, now: Now) -> Result<()> {
        if let ToolkitEvent::EnvelopeAnswered { sw } = event {
            self.fed()?.envelope_answered(sw, now);
            return Ok(());
        }
        let none = || Error::new(Code::State, "the card's toolkit was not started");
        let cat = self.cat_mut().ok_or_else(none)?;
        match event {
            ToolkitEvent::Screen(screen) => cat.screen_event(screen),
            ToolkitEvent::BrowserEnded { by_error } => cat.browser_terminated(by_error),
            ToolkitEvent::Menu { item, help } => cat.menu_selected(item, help),
            ToolkitEvent::Local(local) => cat.set_local_info(local),
            ToolkitEvent::EnvelopeAnswered { .. } => {}
        }
        Ok(())
    }
}

/// Who exchanges the toolkit's commands with the card.
#[allow(clippy::large_enum_variant, reason = "the usual one stands where it is used")]
enum Owner {
    /// The library, through the APDU layer.
    Library(Box<Toolkit>),
    /// The host's modem; the engine is fed.
    Host(Box<Cat>),
}

/// A toolkit engine for this device.
fn engine(capabilities: Capabilities, device_id: &str, language: &str) -> Cat {
    let local = LocalInfo {
        imei: device_id.strip_prefix("IMEI:").and_then(|imei| Imei::from_digits(imei).ok()),
        language: language.as_bytes().first_chunk().copied(),
        ..LocalInfo::default()
    };
    Cat::new(CatConfig { capabilities, local, ..CatConfig::default() })
}

/// The card's identity; `None` for a card without EF.ICCID.
fn read_identity(card: &mut Card) -> Result<Option<CardIdentity>> {
    match uicc::read_identity(card) {
        Ok(identity) => Ok(Some(identity)),
        Err(error) if error.code() == Code::CardFileNotFound => Ok(None),
        Err(error) => Err(error.context("reading EF.ICCID")),
    }
}
