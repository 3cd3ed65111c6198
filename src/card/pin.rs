//! Showing a PIN to the card (ETSI TS 102 221 clause 11.1.9, GSM 11.11 clause 9.2.9). The PIN comes
//! from the host for one attempt; nothing here guesses, stores or repeats one.

use super::apdu::{Command, Mode};
use super::channel::Channel;
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use zeroize::Zeroizing;

const INS_VERIFY: u8 = 0x20;
/// Octets of a PIN as the card wants it, padded with `FF`.
const PIN_OCTETS: usize = 8;

/// What the card says of one PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinState {
    /// Shown already, or not needed.
    Verified,
    /// This many attempts are left.
    Tries(u8),
    /// Blocked.
    Blocked,
    /// The card does not tell (also every SIM).
    Unknown,
}

/// A PIN from the host.
#[derive(Clone, Debug)]
pub struct PinEntry {
    /// Four to eight digits.
    pub pin: Secret,
    /// The host knows that this may be the last attempt.
    pub last_attempt: bool,
}

/// Asks for the state of a PIN, which costs no attempt.
pub fn state(channel: &mut Channel<'_>, reference: u8) -> Result<PinState> {
    if channel.card().is_pin_blocked(reference) {
        return Ok(PinState::Blocked);
    }
    if channel.mode() == Mode::Gsm {
        return Ok(PinState::Unknown);
    }
    let answer = channel.exchange(&Command::new(INS_VERIFY, 0x00, reference))?;
    Ok(match answer.sw {
        0x63C0 | 0x6983 => blocked(channel, reference),
        0x63C1..=0x63CF => PinState::Tries((answer.sw & 0x0F) as u8),
        _ if answer.is_success() => PinState::Verified,
        _ => PinState::Unknown,
    })
}

/// Shows a PIN, once. With one attempt left only if the host said that it knows.
///
/// Fails with `CardAccessDenied` if the PIN is wrong, blocked, or down to its last attempt, and with
/// `InvalidArg` if it is no PIN.
pub fn verify(channel: &mut Channel<'_>, reference: u8, entry: &PinEntry) -> Result<()> {
    let body = body(&entry.pin)?;
    match state(channel, reference)? {
        PinState::Verified => return Ok(()),
        PinState::Blocked => return Err(denied(0x6983, reference, "is blocked")),
        PinState::Tries(1) if !entry.last_attempt => {
            return Err(denied(0x63C1, reference, "has one attempt left"));
        }
        PinState::Tries(_) | PinState::Unknown => {}
    }
    let command = Command::new(INS_VERIFY, 0x00, reference).with_data(&body[..]);
    let answer = channel.exchange(&command)?;
    match answer.sw {
        0x6983 | 0x9840 | 0x63C0 => {
            blocked(channel, reference);
            Err(denied(answer.sw, reference, "is blocked"))
        }
        0x63C1..=0x63CF | 0x9804 => Err(denied(answer.sw, reference, "is wrong")),
        _ => answer.success(format!("VERIFY {reference:02X}")).map(drop),
    }
}

fn blocked(channel: &mut Channel<'_>, reference: u8) -> PinState {
    channel.card().note_blocked_pin(reference);
    PinState::Blocked
}

fn denied(sw: u16, reference: u8, what: &str) -> Error {
    Error::card_sw(sw, format!("PIN {reference:02X} {what}")).with_code(Code::CardAccessDenied)
}

fn body(pin: &Secret) -> Result<Zeroizing<[u8; PIN_OCTETS]>> {
    let digits = pin.expose();
    let is_pin = (4..=PIN_OCTETS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if !is_pin {
        return Err(Error::new(Code::InvalidArg, "a PIN has four to eight digits"));
    }
    let mut body = Zeroizing::new([0xFF; PIN_OCTETS]);
    for (to, digit) in body.iter_mut().zip(digits) {
        *to = *digit;
    }
    Ok(body)
}
