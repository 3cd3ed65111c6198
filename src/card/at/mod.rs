//! A card behind a modem's AT commands (3GPP TS 27.007): generic access (+CSIM), logical channels
//! (+CCHO, +CGLA, +CCHC) and restricted access to files (+CRSM), whatever the modem offers.
//!
//! The modem's SIM stack lives on channel 0, so channels of our own come first. Must not know what the
//! APDUs mean beyond what the restricted access forces on it.

mod modem;
mod reply;
mod restricted;

pub use modem::AtPort;

use super::transport::{Cancel, CardTransport, TransportFlags};
use crate::bytes::hex;
use crate::error::{Code, Error, Result};
use crate::limits;
use modem::Modem;
use reply::Refusal;
use restricted::Restricted;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a modem is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Longest time for one command.
    pub timeout: Duration,
    /// Most octets of response data to ask for at once, 1 to 256; modems cut long lines.
    pub max_le: u16,
}

impl Default for Options {
    /// 10 s and 128 octets, which fits lines of 256 characters and more.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), max_le: 128 }
    }
}

/// The way to channel 0.
#[derive(Debug)]
enum Basic {
    /// Nobody has asked for it yet.
    Unknown,
    /// +CSIM carries any APDU.
    Generic,
    /// +CRSM reads files.
    Restricted(Restricted),
    /// There is none.
    None,
}

/// The card of one modem.
pub struct AtTransport {
    modem: Modem,
    max_le: u16,
    /// The modem opens channels.
    has_channels: bool,
    basic: Basic,
    /// The modem's handle of the channel that is open.
    session: Option<u32>,
    /// The card has answered: if the modem finds none now, it was taken out.
    seen: bool,
}

impl fmt::Debug for AtTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtTransport")
            .field("has_channels", &self.has_channels)
            .field("basic", &self.basic)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl AtTransport {
    /// Wakes the modem up, switches its echo off and asks for what it offers, as far as needed.
    ///
    /// Fails with `CardTransmit` if nothing answers, with `NotSupported` if the modem says of all three
    /// ways that it lacks them, and as the port fails.
    pub fn open(port: Box<dyn AtPort>, options: Options) -> Result<Self> {
        let mut modem = Modem::new(port, options.timeout);
        modem.wake()?;
        let mut transport = Self {
            modem,
            max_le: options.max_le.clamp(1, 256),
            has_channels: false,
            basic: Basic::Unknown,
            session: None,
            seen: false,
        };
        transport.has_channels = transport.offers("+CCHO")?;
        if !transport.has_channels {
            transport.find_basic()?;
            if matches!(transport.basic, Basic::None) {
                let text = "the modem offers neither +CCHO nor +CSIM nor +CRSM";
                return Err(Error::new(Code::NotSupported, text));
            }
        }
        Ok(transport)
    }

    /// True if the modem knows the test form of a command.
    fn offers(&mut self, name: &str) -> Result<bool> {
        Ok(self.modem.command(&format!("AT{name}=?"), name)?.is_ok())
    }

    fn find_basic(&mut self) -> Result<()> {
        if matches!(self.basic, Basic::Unknown) {
            self.basic = if self.offers("+CSIM")? {
                Basic::Generic
            } else if self.offers("+CRSM")? {
                Basic::Restricted(Restricted::default())
            } else {
                Basic::None
            };
        }
        Ok(())
    }

    /// What the modem's refusal of `what` means for the card.
    fn refused(&mut self, refusal: &Refusal, what: &str, otherwise: Code) -> Error {
        let mut code = refusal.code().unwrap_or(otherwise);
        if code == Code::CardAbsent && self.seen {
            code = Code::CardRemoved;
        }
        if matches!(code, Code::CardAbsent | Code::CardRemoved) {
            self.session = None;
        }
        Error::new(code, format!("{what}: the modem answers {refusal}"))
    }

    /// One APDU as the argument of +CSIM or +CGLA.
    fn carry(&mut self, name: &str, command: &str) -> Result<Vec<u8>> {
        match self.modem.command(command, name)? {
            Ok(lines) => {
                let octets = reply::apdu(&lines, name)?;
                self.seen = true;
                Ok(octets)
            }
            Err(refusal) => Err(self.refused(&refusal, name, Code::CardTransmit)),
        }
    }

    fn on_basic(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        self.find_basic()?;
        match std::mem::replace(&mut self.basic, Basic::None) {
            Basic::Generic => {
                self.basic = Basic::Generic;
                let text = format!("AT+CSIM={},\"{}\"", 2 * command.len(), hex::encode(command));
                self.carry("+CSIM", &text)
            }
            Basic::Restricted(mut files) => {
                let answer = files.transmit(command, |access| self.restricted(&access));
                self.basic = Basic::Restricted(files);
                answer
            }
            Basic::Unknown | Basic::None => {
                let text = "the modem gives no access to channel 0 (+CSIM, +CRSM)";
                Err(Error::new(Code::CardNoChannel, text))
            }
        }
    }

    /// One +CRSM command; data and status word.
    fn restricted(&mut self, command: &str) -> Result<(Vec<u8>, u16)> {
        match self.modem.command(command, "+CRSM")? {
            Ok(lines) => {
                let answer = reply::restricted(&lines)?;
                self.seen = true;
                Ok(answer)
            }
            Err(refusal) => Err(self.refused(&refusal, "+CRSM", Code::CardTransmit)),
        }
    }
}

impl CardTransport for AtTransport {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        if command.len() > limits::SHORT_APDU {
            let text = format!("an APDU of {} octets does not fit +CSIM", command.len());
            return Err(Error::new(Code::InvalidArg, text));
        }
        match self.session {
            Some(session) => {
                let (digits, octets) = (2 * command.len(), hex::encode(command));
                self.carry("+CGLA", &format!("AT+CGLA={session},{digits},\"{octets}\""))
            }
            None => self.on_basic(command),
        }
    }

    fn atr(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn flags(&self) -> TransportFlags {
        if self.has_channels { TransportFlags::OWNS_CHANNELS } else { TransportFlags::empty() }
    }

    fn max_le(&self) -> u16 {
        self.max_le
    }

    fn canceller(&self) -> Option<Cancel> {
        let cancelled = self.modem.cancelled();
        Some(Arc::new(move || cancelled.store(true, std::sync::atomic::Ordering::SeqCst)))
    }

    fn card_ready(&mut self) {
        self.session = None;
    }

    fn open_channel(&mut self, aid: &[u8]) -> Result<u32> {
        let text = format!("AT+CCHO=\"{}\"", hex::encode(aid));
        let session = match self.modem.command(&text, "+CCHO")? {
            Ok(lines) => reply::session(&lines)?,
            Err(refusal) => return Err(self.refused(&refusal, "+CCHO", Code::CardSw)),
        };
        self.seen = true;
        self.session = Some(session);
        Ok(session)
    }

    fn close_channel(&mut self, channel: u32) -> Result<()> {
        self.session = None;
        match self.modem.command(&format!("AT+CCHC={channel}"), "+CCHC")? {
            Ok(_) => Ok(()),
            Err(refusal) => Err(self.refused(&refusal, "+CCHC", Code::CardTransmit)),
        }
    }
}
