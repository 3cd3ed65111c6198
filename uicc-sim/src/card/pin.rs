//! PIN1: its value, its tries, and VERIFY (TS 102 221 section 11.1.9).

use super::apdu::{Answer, Command, Sw};

const TRIES: u8 = 3;
const PIN1: u8 = 0x01;

/// State of PIN1. No `Debug`: it holds the value.
pub(crate) struct Pin {
    value: Option<[u8; 8]>,
    tries: u8,
    verified: bool,
}

impl Pin {
    /// An enabled PIN of `digits`, or a disabled one.
    pub(crate) fn new(digits: Option<&str>) -> Self {
        let value = digits.map(|digits| {
            let mut padded = [0xFF; 8];
            for (place, digit) in padded.iter_mut().zip(digits.bytes()) {
                *place = digit;
            }
            padded
        });
        Self { value, tries: TRIES, verified: false }
    }

    pub(crate) fn enabled(&self) -> bool {
        self.value.is_some()
    }

    /// The access condition "PIN1" is met.
    pub(crate) fn satisfied(&self) -> bool {
        self.verified || !self.enabled()
    }

    /// The card lost power.
    pub(crate) fn reset(&mut self) {
        self.verified = false;
    }

    /// VERIFY, with or without a value.
    pub(crate) fn verify(&mut self, command: &Command<'_>) -> Result<Answer, Sw> {
        if command.p1 != 0 {
            return Err(Sw::P1_P2);
        }
        if command.p2 != PIN1 {
            return Err(Sw::REFERENCE);
        }
        if command.empty_body() {
            return match self.tries {
                _ if self.satisfied() => Ok(Answer::Done),
                0 => Err(Sw::BLOCKED),
                left => Err(tries_left(left)),
            };
        }
        let Some(value) = self.value else { return Err(Sw::INVALIDATED) };
        if command.data.len() != value.len() {
            return Err(Sw::WRONG_LENGTH);
        }
        if self.tries == 0 {
            return Err(Sw::BLOCKED);
        }
        self.verified = command.data == value;
        if self.verified {
            self.tries = TRIES;
            return Ok(Answer::Done);
        }
        self.tries -= 1;
        if self.tries == 0 { Err(Sw::BLOCKED) } else { Err(tries_left(self.tries)) }
    }
}

fn tries_left(tries: u8) -> Sw {
    Sw(0x63C0 | u16::from(tries))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(pin: &mut Pin, apdu: &[u8]) -> Result<Answer, Sw> {
        pin.verify(&Command::parse(apdu).unwrap())
    }

    const RIGHT: &[u8] = b"\x00\x20\x00\x01\x081234\xFF\xFF\xFF\xFF";
    const WRONG: &[u8] = b"\x00\x20\x00\x01\x084321\xFF\xFF\xFF\xFF";
    const QUERY: &[u8] = b"\x00\x20\x00\x01";

    #[test]
    fn sc_031_a_query_costs_nothing() {
        let mut pin = Pin::new(Some("1234"));
        assert_eq!(verify(&mut pin, QUERY), Err(Sw(0x63C3)));
        assert_eq!(verify(&mut pin, b"\x00\x20\x00\x01\x00"), Err(Sw(0x63C3)));
        assert!(!pin.satisfied());
        assert_eq!(verify(&mut pin, RIGHT), Ok(Answer::Done));
        assert_eq!(verify(&mut pin, QUERY), Ok(Answer::Done));
        assert!(pin.satisfied());
        pin.reset();
        assert!(!pin.satisfied());
    }

    #[test]
    fn sc_034_three_wrong_values_block() {
        let mut pin = Pin::new(Some("1234"));
        assert_eq!(verify(&mut pin, WRONG), Err(Sw(0x63C2)));
        assert_eq!(verify(&mut pin, QUERY), Err(Sw(0x63C2)));
        assert_eq!(verify(&mut pin, WRONG), Err(Sw(0x63C1)));
        assert_eq!(verify(&mut pin, WRONG), Err(Sw::BLOCKED));
        assert_eq!(verify(&mut pin, RIGHT), Err(Sw::BLOCKED));
        assert_eq!(verify(&mut pin, QUERY), Err(Sw::BLOCKED));
    }

    #[test]
    fn a_disabled_pin_is_always_met() {
        let mut pin = Pin::new(None);
        assert!(pin.satisfied());
        assert_eq!(verify(&mut pin, QUERY), Ok(Answer::Done));
        assert_eq!(verify(&mut pin, RIGHT), Err(Sw::INVALIDATED));
        assert_eq!(verify(&mut pin, b"\x00\x20\x00\x02"), Err(Sw::REFERENCE));
        assert_eq!(verify(&mut pin, b"\x00\x20\x01\x01"), Err(Sw::P1_P2));
    }
}
