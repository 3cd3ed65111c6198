//! The subscriber's identity as cards keep it: EF.IMSI (3GPP TS 31.102) and EF.IMSI_M (3GPP2 C.S0065 5.2.2 and
//! C.S0023; the digits as C.S0005 2.3.1 has them). Must not know where the files are.

use crate::bytes::bcd;
use crate::error::{Code, Error, Result};
use std::fmt;

/// A subscriber's IMSI. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Imsi(String);

impl Imsi {
    /// The IMSI in the content of EF.IMSI: a length, then a parity nibble and the digits.
    ///
    /// Fails with `CardBadData` unless it has 6 to 15 digits.
    pub fn from_ef(content: &[u8]) -> Result<Self> {
        let bad = || Error::new(Code::CardBadData, "EF.IMSI: length or digits");
        let (length, rest) = content.split_first().ok_or_else(bad)?;
        let identity = rest.get(..usize::from(*length)).ok_or_else(bad)?;
        let (first, rest) = identity.split_first().ok_or_else(bad)?;
        // The parity nibble makes place for a filler, so that the first digit stands alone.
        let mut digits = bcd::decode_swapped(&[first >> 4 | 0xF0]).map_err(|_| bad())?;
        digits += &bcd::decode_swapped(rest).map_err(|_| bad())?;
        if (6..=15).contains(&digits.len()) { Ok(Self(digits)) } else { Err(bad()) }
    }

    /// The IMSI in the content of EF.IMSI_M: class, IMSI_S2, IMSI_S1, IMSI_11_12, flags, MCC, the numbers of
    /// several octets with the low one first.
    ///
    /// Fails with `CardBadData` where none is programmed, where numbers are no digits, and for an IMSI of
    /// class 1, which has fewer than 15 digits.
    pub fn from_ef_m(content: &[u8]) -> Result<Self> {
        const PROGRAMMED: u8 = 0x80;
        let bad = |what| Error::new(Code::CardBadData, format!("EF.IMSI_M: {what}"));
        let &[
            class,
            s2_low,
            s2_high,
            s1_low,
            s1_middle,
            s1_high,
            network,
            flags,
            country_low,
            country_high,
        ] = content.first_chunk::<10>().ok_or_else(|| bad("shorter than 10 octets"))?;
        if flags & PROGRAMMED == 0 {
            return Err(bad("not programmed"));
        }
        if class != 0 {
            return Err(bad("not of class 0"));
        }
        let ten_bits = |low: u8, high: u8| u16::from(high & 0x03) << 8 | u16::from(low);
        let digits = [
            digits(ten_bits(country_low, country_high), 3),
            digits(u16::from(network & 0x7F), 2),
            digits(ten_bits(s2_low, s2_high), 3),
            digits(u16::from(s1_high) << 2 | u16::from(s1_middle >> 6), 3),
            digit(s1_middle >> 2 & 0x0F),
            digits(ten_bits(s1_low, s1_middle), 3),
        ];
        let digits: Option<String> = digits.into_iter().collect();
        digits.map(Self).ok_or_else(|| bad("numbers that are no digits"))
    }

    /// All digits. Each caller answers for where they go.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imsi(..)")
    }
}

/// So many digits out of their number: each digit counts from 1, with 10 for zero, less a number of ones.
fn digits(number: u16, count: usize) -> Option<String> {
    let ones = (0..count).fold(0, |ones, _| ones * 10 + 1);
    let mut rest = number + ones;
    let mut digits = vec!['0'; count];
    for place in digits.iter_mut().rev() {
        let digit = rest % 10;
        rest = if digit == 0 { (rest / 10).checked_sub(1)? } else { rest / 10 };
        *place = char::from_digit(digit.into(), 10)?;
    }
    (rest == 0).then(|| digits.into_iter().collect())
}

/// One digit, with 10 for zero.
fn digit(number: u8) -> Option<String> {
    let digit = if number == 10 { 0 } else { number };
    char::from_digit(digit.into(), 10).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::hex;

    #[test]
    fn numbers_of_digits() {
        for (number, expected) in [
            (99, "00"),
            (90, "01"),
            (19, "20"),
            (23, "34"),
            (999, "000"),
            (990, "001"),
            (909, "010"),
            (99, "100"),
            (901, "012"),
            (19, "120"),
            (91, "102"),
            (199, "200"),
            (123, "234"),
            (578, "689"),
            (0, "111"),
        ] {
            assert_eq!(digits(number, expected.len()).as_deref(), Some(expected), "{number}");
        }
        let all: std::collections::BTreeSet<_> =
            (0..1000).filter_map(|number| digits(number, 3)).collect();
        assert_eq!(all.len(), 1000);
        assert_eq!(
            (digits(1000, 3), digits(1023, 3), digits(100, 2), digits(127, 2)),
            (None, None, None, None)
        );
    }

    /// The first two were read from cards.
    #[test]
    fn imsi_m() {
        let imsi = |text: &str| Imsi::from_ef_m(&hex::decode(text).unwrap());
        for (content, expected) in [
            ("00E503EECA175E806301", "466050081062861"),
            ("00D4026197015C806701", "460038351175976"),
            ("000C00155F566380D100", "310001234567890"),
            // What other bits say does not count.
            ("000CFC155F56E3FFD1FCFF", "310001234567890"),
        ] {
            assert_eq!(imsi(content).unwrap().digits(), expected);
        }
        for (content, what) in [
            ("000C00155F566380D1", "shorter than 10 octets"),
            ("000C00155F566300D100", "not programmed"),
            ("010C00155F566380D100", "not of class 0"),
            ("000C00155F567F80D100", "numbers that are no digits"),
            ("00E803155F566380D100", "numbers that are no digits"),
            ("000C00157F566380D100", "numbers that are no digits"),
        ] {
            let error = imsi(content).unwrap_err();
            assert_eq!(
                (error.code(), error.what()),
                (Code::CardBadData, &*format!("EF.IMSI_M: {what}"))
            );
        }
    }
}
