//! Logical channels (ETSI TS 102 221 clauses 8.7 and 11.1.17) as values that are closed on every
//! path. Must not know files.

use super::apdu::{CLA_GSM, Card, Command, LAST_CHANNEL, Mode, Response, class_byte};
use crate::error::{Code, Error, Result};
use zeroize::Zeroizing;

/// The part of the USIM's AID that all issuers share (TS 101 220 annex E).
pub(crate) const USIM_AID: [u8; 7] = [0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02];

/// The same of the CSIM's AID (3GPP2 C.S0065) and of the ISIM's.
pub(crate) const CSIM_AID: [u8; 7] = [0xA0, 0x00, 0x00, 0x03, 0x43, 0x10, 0x02];
const ISIM_AID: [u8; 7] = [0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x04];

const INS_MANAGE_CHANNEL: u8 = 0x70;

/// Where commands go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Channel 0, shared with the telephony stack.
    Basic,
    /// A channel that this module opened with MANAGE CHANNEL.
    Logical(u8),
    /// A channel that the transport opened; it sets the channel bits itself.
    Owned(u32),
}

/// One channel to the card. Closed when dropped, unless the card is gone.
#[derive(Debug)]
pub struct Channel<'c> {
    card: &'c mut Card,
    route: Route,
    mode: Mode,
    /// GSM mode: the directory that is selected on the card, as path from the MF.
    pub(crate) directory: Option<Vec<u8>>,
    /// Octets of response data so far.
    received: usize,
    /// What the card had been sent before this channel.
    sent_before: usize,
}

impl<'c> Channel<'c> {
    fn new(card: &'c mut Card, route: Route, mode: Mode) -> Self {
        let sent_before = card.sent();
        Self { card, route, mode, directory: None, received: 0, sent_before }
    }

    /// The basic channel, in the mode that the card wants; there is nothing to close.
    ///
    /// Fails with `CardNoChannel` where the transport has no way to it.
    pub fn basic(card: &'c mut Card) -> Result<Self> {
        if !card.has_basic_channel() {
            return Err(Error::new(Code::CardNoChannel, "the transport has no basic channel"));
        }
        let mode = card.mode()?;
        Ok(Self::new(card, Route::Basic, mode))
    }

    /// A new logical channel with the MF selected.
    ///
    /// Fails with `CardNoChannel` if none is free or the card has no channels (also a SIM), with
    /// `NotSupported` where the transport owns the channels, and with `CardBadData` if the card
    /// names an impossible number, which is not closed either.
    pub fn open(card: &'c mut Card) -> Result<Self> {
        let number = manage_channel_open(card)?;
        Ok(Self::new(card, Route::Logical(number), Mode::Uicc))
    }

    /// The channel that the transport opens on the application `aid`; only where it owns channels.
    pub fn open_owned(card: &'c mut Card, aid: &[u8]) -> Result<Self> {
        let handle = card.open_owned_channel(aid)?;
        card.note_uicc();
        Ok(Self::new(card, Route::Owned(handle), Mode::Uicc))
    }

    /// A channel for files below the MF that leaves the telephony stack's channel 0 alone; channel
    /// 0 itself only if there is no other and `basic_allowed` says so.
    pub fn for_files(card: &'c mut Card, basic_allowed: bool) -> Result<Self> {
        let opened = if card.owns_channels() {
            open_any_application(card).map(Route::Owned)
        } else {
            manage_channel_open(card).map(Route::Logical)
        };
        match opened {
            Ok(route) => {
                card.note_uicc();
                Ok(Self::new(card, route, Mode::Uicc))
            }
            Err(error) if error.is_card_gone() || !basic_allowed || !card.has_basic_channel() => {
                Err(error)
            }
            Err(error) if error.code() == Code::CardNoChannel || card.owns_channels() => {
                Self::basic(card)
            }
            Err(error) => Err(error),
        }
    }

    /// How the card wants to be spoken to on this channel.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// True on channel 0.
    pub fn is_basic(&self) -> bool {
        self.route == Route::Basic
    }

    /// True on a channel that the transport opened, with the application already selected.
    pub fn is_owned(&self) -> bool {
        matches!(self.route, Route::Owned(_))
    }

    /// Octets of response data that came on this channel so far.
    pub fn received(&self) -> usize {
        self.received
    }

    /// Commands that were sent on this channel so far, repetitions and GET RESPONSE included.
    pub fn sent(&self) -> usize {
        self.card.sent().saturating_sub(self.sent_before)
    }

    /// The card below the channel.
    pub fn card(&mut self) -> &mut Card {
        self.card
    }

    /// Sends `command` on this channel and fetches its whole response.
    pub fn exchange(&mut self, command: &Command<'_>) -> Result<Response> {
        let apdu = Zeroizing::new(command.encode(self.cla()?)?);
        let answer = self.card.exchange(&apdu)?;
        self.received = self.received.saturating_add(answer.data.len());
        Ok(answer)
    }

    /// Like [`exchange`](Self::exchange), but leaves waiting response data in the card.
    pub(crate) fn exchange_without_data(&mut self, command: &Command<'_>) -> Result<Response> {
        let apdu = Zeroizing::new(command.encode(self.cla()?)?);
        self.card.exchange_without_data(&apdu)
    }

    /// Like [`exchange`](Self::exchange), with one repetition after an execution error (`6400`,
    /// `6500`, `6FXX`) and where the conditions may be others by then (`6985`). Only for commands that change nothing.
    pub(crate) fn exchange_patiently(&mut self, command: &Command<'_>) -> Result<Response> {
        let answer = self.exchange(command)?;
        match answer.sw {
            0x6400 | 0x6500 | 0x6985 | 0x6F00..=0x6FFF => self.exchange(command),
            _ => Ok(answer),
        }
    }

    fn cla(&self) -> Result<u8> {
        match (self.mode, self.route) {
            (Mode::Gsm, _) => Ok(CLA_GSM),
            (Mode::Uicc, Route::Logical(number)) => class_byte(0x00, number),
            (Mode::Uicc, Route::Basic | Route::Owned(_)) => Ok(0x00),
        }
    }

    fn close(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.route, Route::Basic) {
            Route::Basic => Ok(()),
            Route::Owned(handle) => self.card.close_owned_channel(handle),
            Route::Logical(number) => {
                let close = Command::new(INS_MANAGE_CHANNEL, 0x80, number);
                let answer = self.card.exchange(&close.encode(class_byte(0x00, number)?)?)?;
                if answer.is_success() {
                    return Ok(());
                }
                // Some cards close a channel only from the basic one.
                let answer = self.card.exchange(&close.encode(0x00)?)?;
                answer.success("MANAGE CHANNEL close").map(drop)
            }
        }
    }
}

/// A channel on the first application that a network's card has, where only the transport opens one.
fn open_any_application(card: &mut Card) -> Result<u32> {
    let mut first = None;
    for aid in [&USIM_AID, &CSIM_AID, &ISIM_AID] {
        match card.open_owned_channel(aid) {
            Err(error) if error.is_card_gone() || error.code() == Code::CardNoChannel => {
                return Err(error);
            }
            Err(error) => first = first.or(Some(error)),
            opened => return opened,
        }
    }
    Err(first.unwrap_or_else(|| Error::new(Code::CardNoChannel, "no application to select")))
}

/// MANAGE CHANNEL open: the number that the card chose.
fn manage_channel_open(card: &mut Card) -> Result<u8> {
    if card.owns_channels() {
        return Err(Error::new(Code::NotSupported, "the transport opens channels with an AID"));
    }
    if card.known_mode() == Some(Mode::Gsm) {
        return Err(Error::new(Code::CardNoChannel, "a SIM has no logical channels"));
    }
    let open = Command::new(INS_MANAGE_CHANNEL, 0x00, 0x00).expecting(1);
    let answer = card.exchange(&open.encode(0x00)?)?;
    if !answer.is_success() {
        let refused = Error::card_sw(answer.sw, "MANAGE CHANNEL open");
        return Err(refused.with_code(Code::CardNoChannel));
    }
    match answer.data[..] {
        [number @ 1..=LAST_CHANNEL] => {
            card.note_uicc();
            Ok(number)
        }
        [number] => {
            let what = format!("MANAGE CHANNEL open: impossible channel {number}");
            Err(Error::new(Code::CardBadData, what))
        }
        _ => Err(Error::new(Code::CardBadData, "MANAGE CHANNEL open: no channel number")),
    }
}

impl Drop for Channel<'_> {
    fn drop(&mut self) {
        if !self.card.is_gone()
            && let Err(error) = self.close()
        {
            log::warn!("a logical channel may have stayed open: {error}");
        }
    }
}
