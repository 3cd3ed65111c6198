//! Command and response APDUs with one card (ETSI TS 102 221 clause 7.3, GSM 11.11): cases, class
//! bytes, the fetching of response data, and what a status word means for the exchange itself.
//! Must not know files or applications.

use super::fcp::FileHeader;
use super::trace::{self, Trace};
use super::transport::{CardTransport, TransportFlags};
use crate::error::{Code, Error, Result};
use crate::limits;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Class byte of every command to a GSM SIM.
pub(crate) const CLA_GSM: u8 = 0xA0;
/// Highest logical channel there is (TS 102 221 clause 10.1.1).
pub const LAST_CHANNEL: u8 = 19;

/// TERMINAL CAPABILITY (TS 102 221 clause 11.1.19): logical channels 4 to 19 may be used.
const TERMINAL_CAPABILITY: [u8; 9] = [0x80, 0xAA, 0x00, 0x00, 0x04, 0xA9, 0x02, 0x81, 0x00];

const INS_SELECT: u8 = 0xA4;
const INS_GET_RESPONSE: u8 = 0xC0;

/// How a card wants to be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// UICC: class `0X`, AIDs, paths, logical channels.
    Uicc,
    /// SIM of GSM 11.11, or a UICC in 2G mode: class `A0`, file identifiers only.
    Gsm,
}

/// The class byte for logical channel `channel`, from the class `base` of the basic channel.
///
/// Fails with `InvalidArg` above channel 19 and for reserved classes (TS 102 221 clause 10.1.1).
pub fn class_byte(base: u8, channel: u8) -> Result<u8> {
    if !matches!(base, 0x00 | 0x80) {
        return Err(Error::new(Code::InvalidArg, format!("APDU: class {base:02X} is reserved")));
    }
    match channel {
        0..=3 => Ok(base | channel),
        4..=LAST_CHANNEL => Ok(base | 0x40 | (channel - 4)),
        _ => Err(Error::new(Code::InvalidArg, format!("APDU: there is no channel {channel}"))),
    }
}

/// One command before it has a class byte. With data and an expected answer it is always written
/// with Le `00`; the transport below drops it where the protocol is T=0.
#[derive(Clone, Copy)]
pub struct Command<'a> {
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Command data, at most 255 octets; empty for none.
    pub data: &'a [u8],
    /// Octets expected, 1 to 256, or none.
    pub le: Option<u16>,
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ins, p1, p2, lc) = (self.ins, self.p1, self.p2, self.data.len());
        write!(f, "{ins:02X} {p1:02X} {p2:02X}, {lc} octets, Le {:?}", self.le)
    }
}

impl<'a> Command<'a> {
    /// A command without data and without answer (case 1).
    pub fn new(ins: u8, p1: u8, p2: u8) -> Self {
        Self { ins, p1, p2, data: &[], le: None }
    }

    /// The same command with `data`.
    #[must_use]
    pub fn with_data(mut self, data: &'a [u8]) -> Self {
        self.data = data;
        self
    }

    /// The same command with `octets` (1 to 256) expected.
    #[must_use]
    pub fn expecting(mut self, octets: u16) -> Self {
        self.le = Some(octets);
        self
    }

    /// The command APDU with class byte `cla`.
    ///
    /// Fails with `InvalidArg` if data or Le do not fit a short APDU.
    pub fn encode(&self, cla: u8) -> Result<Vec<u8>> {
        let mut apdu = vec![cla, self.ins, self.p1, self.p2];
        if !self.data.is_empty() {
            let lc = u8::try_from(self.data.len()).map_err(|_| {
                let what = format!("APDU: {} octets of data", self.data.len());
                Error::new(Code::InvalidArg, what)
            })?;
            apdu.push(lc);
            apdu.extend_from_slice(self.data);
        }
        match self.le {
            None => {}
            Some(_) if !self.data.is_empty() => apdu.push(0),
            // Le 00 stands for 256.
            Some(octets @ 1..=256) => apdu.push((octets & 0xFF) as u8),
            Some(octets) => {
                return Err(Error::new(Code::InvalidArg, format!("APDU: Le {octets}")));
            }
        }
        Ok(apdu)
    }
}

/// What the card answered: data and status word.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Response data; may be empty.
    pub data: Vec<u8>,
    /// Status word, `SW1 << 8 | SW2`.
    pub sw: u16,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Card data may be a password or an IMSI.
        write!(f, "{} octets, SW {:04X}", self.data.len(), self.sw)
    }
}

impl Response {
    /// True for `9000`, and for the statuses that add something to it: `91XX` (a proactive command
    /// waits), `920X` (GSM: done after X retries; UICC: data transfer session).
    pub fn is_success(&self) -> bool {
        matches!(self.sw, 0x9000 | 0x9100..=0x91FF | 0x9200..=0x920F)
    }

    /// The data of a successful command, or the card's refusal of what `what` names.
    pub fn success(self, what: impl fmt::Display) -> Result<Vec<u8>> {
        if self.is_success() { Ok(self.data) } else { Err(Error::card_sw(self.sw, what)) }
    }

    fn sw1(&self) -> u8 {
        (self.sw >> 8) as u8
    }

    fn sw2(&self) -> u8 {
        (self.sw & 0xFF) as u8
    }
}

/// One card session: the APDU layer over a transport.
///
/// After the transport reports that the card is gone, nothing is sent any more until
/// [`card_ready`](Self::card_ready).
pub struct Card {
    transport: Box<dyn CardTransport>,
    mode: Option<Mode>,
    /// What the MF says of TERMINAL CAPABILITY, once it was selected.
    takes_capability: Option<bool>,
    proactive: Option<u8>,
    gone: Option<Code>,
    locks: u32,
    blocked_pins: Vec<u8>,
    trace: Option<Trace>,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card")
            .field("mode", &self.mode)
            .field("proactive", &self.proactive)
            .field("gone", &self.gone)
            .field("locks", &self.locks)
            .finish_non_exhaustive()
    }
}

impl Card {
    /// A card session over `transport`. Sends nothing yet.
    pub fn new(transport: Box<dyn CardTransport>) -> Self {
        Self {
            transport,
            mode: None,
            takes_capability: None,
            proactive: None,
            gone: None,
            locks: 0,
            blocked_pins: Vec::new(),
            trace: None,
        }
    }

    /// Shows every exchange to `trace` from now on; `None` ends it.
    pub fn set_trace(&mut self, trace: Option<Trace>) {
        self.trace = trace;
    }

    /// The answer to reset; empty where the transport cannot know it.
    pub fn atr(&mut self) -> Result<Vec<u8>> {
        self.transport.atr()
    }

    /// True if the transport opens and closes channels itself.
    pub fn owns_channels(&self) -> bool {
        self.has(TransportFlags::OWNS_CHANNELS)
    }

    /// True if channel 0 can be used.
    pub fn has_basic_channel(&self) -> bool {
        !self.has(TransportFlags::NO_BASIC_CHANNEL)
    }

    /// Most octets of response data that one exchange can bring, 1 to 256.
    pub(crate) fn max_le(&self) -> u16 {
        self.transport.max_le().clamp(1, 256)
    }

    fn has(&self, flag: TransportFlags) -> bool {
        self.transport.flags().contains(flag)
    }

    /// The platform reported a card that is ready: everything known of the former card session is
    /// forgotten, and exchanges are possible again.
    pub fn card_ready(&mut self) {
        self.mode = None;
        self.takes_capability = None;
        self.proactive = None;
        self.gone = None;
        self.blocked_pins.clear();
    }

    /// As [`card_ready`](Self::card_ready), where the card may have been exchanged as well.
    pub fn card_inserted(&mut self) {
        self.transport.card_ready();
        self.card_ready();
    }

    /// The mode, if the card session has already found it out.
    pub fn known_mode(&self) -> Option<Mode> {
        self.mode
    }

    /// The mode, found out by SELECT MF in the UICC class and then in the GSM class.
    ///
    /// Fails with `CardSw` if the card knows neither class.
    pub fn mode(&mut self) -> Result<Mode> {
        if let Some(mode) = self.mode {
            return Ok(mode);
        }
        if self.has(TransportFlags::NO_BASIC_CHANNEL) {
            // Only modems and frameworks for UICCs open channels themselves.
            return Ok(*self.mode.insert(Mode::Uicc));
        }
        let mf = [0x3F, 0x00];
        let select = Command::new(INS_SELECT, 0x00, 0x04).with_data(&mf);
        let answer = self.exchange(&select.expecting(256).encode(0x00)?)?;
        if !is_class_refused(answer.sw) {
            let header = FileHeader::from_fcp(&answer.data);
            self.takes_capability = Some(header.is_ok_and(|header| header.terminal_capability));
            return Ok(*self.mode.insert(Mode::Uicc));
        }
        let select = Command::new(INS_SELECT, 0x00, 0x00).with_data(&mf);
        let answer = self.exchange_without_data(&select.encode(CLA_GSM)?)?;
        if is_class_refused(answer.sw) {
            return Err(Error::card_sw(answer.sw, "SELECT MF in both classes"));
        }
        Ok(*self.mode.insert(Mode::Gsm))
    }

    /// Begins the card session as the terminal does (TS 102 221 clause 14.1): the mode, and TERMINAL
    /// CAPABILITY on a card that takes it. Only for the owner of the card: selects the MF.
    pub(crate) fn begin_as_terminal(&mut self) -> Result<Mode> {
        if self.mode == Some(Mode::Uicc) && self.takes_capability.is_none() {
            self.mode = None;
        }
        let mode = self.mode()?;
        if self.takes_capability == Some(true) {
            let answer = self.exchange(&TERMINAL_CAPABILITY)?;
            if !answer.is_success() {
                log::warn!("TERMINAL CAPABILITY refused with {:04X}", answer.sw);
            }
        }
        Ok(mode)
    }

    /// Notes that the card answers in the UICC class, where a command has just shown it.
    pub(crate) fn note_uicc(&mut self) {
        self.mode.get_or_insert(Mode::Uicc);
    }

    /// The length of a proactive command that the card announced with `91XX` (`00` = 256) since
    /// the last call.
    pub fn take_proactive(&mut self) -> Option<u8> {
        self.proactive.take()
    }

    /// Keeps other users of the card out while the guard lives. May be nested.
    pub fn lock(&mut self) -> Result<Locked<'_>> {
        if self.locks == 0 {
            self.check_present()?;
            let locked = self.transport.lock();
            self.note_gone(locked)?;
        }
        self.locks += 1;
        Ok(Locked { card: self })
    }

    /// Sends one command APDU as it is and fetches all of its response: GET RESPONSE on `61XX` (and
    /// `9FXX` in the GSM class), one repetition on `6CXX`.
    ///
    /// Fails with `CardBadData` if the card never comes to an end. A refusal by the card is not an
    /// error here: it is in [`Response::sw`].
    pub fn exchange(&mut self, command: &[u8]) -> Result<Response> {
        let first = self.exchange_once(command)?;
        self.fetch(command, first)
    }

    /// Like [`exchange`](Self::exchange), but leaves waiting data in the card: `61XX` and `9FXX`
    /// count as `9000`.
    pub(crate) fn exchange_without_data(&mut self, command: &[u8]) -> Result<Response> {
        let mut response = self.exchange_once(command)?;
        if matches!(response.sw1(), 0x61 | 0x9F) {
            response.sw = 0x9000;
        }
        Ok(response)
    }

    pub(crate) fn open_owned_channel(&mut self, aid: &[u8]) -> Result<u32> {
        self.check_present()?;
        let opened = self.transport.open_channel(aid);
        self.note_gone(opened)
    }

    pub(crate) fn close_owned_channel(&mut self, channel: u32) -> Result<()> {
        self.check_present()?;
        let closed = self.transport.close_channel(channel);
        self.note_gone(closed)
    }

    /// The host reports that the card is gone: nothing is sent to it any more.
    pub fn card_removed(&mut self) {
        self.gone.get_or_insert(Code::CardRemoved);
    }

    /// True once the transport has reported that the card is gone.
    pub fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// A PIN that the card reported as blocked is not tried again in this card session.
    pub(crate) fn note_blocked_pin(&mut self, reference: u8) {
        self.blocked_pins.push(reference);
    }

    pub(crate) fn is_pin_blocked(&self, reference: u8) -> bool {
        self.blocked_pins.contains(&reference)
    }

    /// Fetches what `first` says is still waiting in the card.
    fn fetch(&mut self, command: &[u8], first: Response) -> Result<Response> {
        match first.sw1() {
            0x61 => self.get_response(command, first),
            0x9F if command.first() == Some(&CLA_GSM) => self.get_response(command, first),
            0x62 | 0x63
                if first.data.is_empty()
                    && is_case_4(command)
                    && !self.has(TransportFlags::FETCHES_RESPONSES) =>
            {
                // The warning stays the result, whether or not data was waiting (TS 102 221 7.3).
                let sw = first.sw;
                let waiting = self.exchange_once(&get_response(command, 0))?;
                let data = if waiting.is_success() { waiting.data } else { Vec::new() };
                Ok(Response { data, sw })
            }
            _ => Ok(first),
        }
    }

    fn get_response(&mut self, command: &[u8], mut last: Response) -> Result<Response> {
        let mut data = std::mem::take(&mut last.data);
        let mut count = 0;
        while matches!(last.sw1(), 0x61 | 0x9F) {
            if count == limits::GET_RESPONSES {
                return Err(Error::new(Code::CardBadData, "GET RESPONSE loop: data without end"));
            }
            count += 1;
            last = self.exchange_once(&get_response(command, self.fetched_at_once(last.sw2())))?;
            data.append(&mut last.data);
            if data.len() > limits::RESPONSE_OCTETS {
                let what = format!("response of more than {} octets", limits::RESPONSE_OCTETS);
                return Err(Error::new(Code::CardBadData, what));
            }
        }
        Ok(Response { data, sw: last.sw })
    }

    /// What GET RESPONSE asks for when `waiting` octets (0 = 256) are there: less where the transport
    /// cannot bring so many; the card says again that data waits then.
    fn fetched_at_once(&self, waiting: u8) -> u8 {
        let waiting = if waiting == 0 { 256 } else { u16::from(waiting) };
        (waiting.min(self.max_le()) & 0xFF) as u8
    }

    /// One exchange, repeated once with the right Le if the card asks for that.
    fn exchange_once(&mut self, command: &[u8]) -> Result<Response> {
        let first = self.transmit(command)?;
        if first.sw1() != 0x6C {
            return Ok(first);
        }
        let second = self.transmit(&with_le(command, first.sw2()))?;
        match second.sw1() {
            0x6C => Err(Error::card_sw(second.sw, "the card refuses the Le it asked for")),
            _ => Ok(second),
        }
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Response> {
        self.check_present()?;
        let answer = self.transport.transmit(command);
        let mut data = self.note_gone(answer)?;
        if let Some(show) = &mut self.trace {
            show(&trace::masked(command), &data);
        }
        let length = data.len();
        match data.split_last_chunk::<2>() {
            Some((_, sw)) if length <= limits::RESPONSE_OCTETS + 2 => {
                let sw = u16::from_be_bytes(*sw);
                data.truncate(length - 2);
                let response = Response { data, sw };
                if response.sw1() == 0x91 {
                    self.proactive = Some(response.sw2());
                }
                Ok(response)
            }
            _ => Err(Error::new(Code::CardTransmit, format!("response APDU of {length} octets"))),
        }
    }

    fn check_present(&self) -> Result<()> {
        match self.gone {
            None => Ok(()),
            Some(code) => Err(Error::new(code, "the card is gone since an earlier exchange")),
        }
    }

    fn note_gone<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result
            && error.is_card_gone()
        {
            self.gone = Some(error.code());
        }
        result
    }
}

/// The card, kept for one user. Gives it free when dropped.
#[derive(Debug)]
pub struct Locked<'c> {
    card: &'c mut Card,
}

impl Deref for Locked<'_> {
    type Target = Card;

    fn deref(&self) -> &Card {
        self.card
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Card {
        self.card
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.card.locks -= 1;
        if self.card.locks == 0 {
            self.card.transport.unlock();
        }
    }
}

/// True for the statuses "instruction unknown" and "class unknown".
pub(crate) fn is_class_refused(sw: u16) -> bool {
    matches!(sw >> 8, 0x6D | 0x6E)
}

/// GET RESPONSE for `length` octets (0 = 256) of the answer to `command`, on its channel. The
/// command has only the interindustry and the GSM class, also after a command of class `8X`.
fn get_response(command: &[u8], length: u8) -> Vec<u8> {
    let cla = match command.first() {
        Some(&CLA_GSM) => CLA_GSM,
        cla => cla.copied().unwrap_or_default() & 0x7F,
    };
    vec![cla, INS_GET_RESPONSE, 0x00, 0x00, length]
}

/// True if the command has data and an Le.
pub(crate) fn is_case_4(command: &[u8]) -> bool {
    command.get(4).is_some_and(|lc| *lc != 0 && command.len() == 6 + usize::from(*lc))
}

/// `command` with Le `le`.
fn with_le(command: &[u8], le: u8) -> Vec<u8> {
    let mut command = command.to_vec();
    if command.len() == 5 || is_case_4(&command) {
        command.pop();
    }
    command.push(le);
    command
}
