//! Hexadecimal text. Must not know what the octets mean.

use crate::error::{Code, Error, Result};

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// The octets as upper-case hexadecimal digits without separators.
pub fn encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 0x0F)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The octets of hexadecimal `text` of either case, without separators.
///
/// Fails with `Syntax` at the first character that is no digit, and on an odd number of digits.
pub fn decode(text: &str) -> Result<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return Err(Error::new(Code::Syntax, format!("hex: odd number of digits {}", text.len())));
    }
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for (at, c) in text.char_indices() {
        let digit = c
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
            .ok_or_else(|| Error::new(Code::Syntax, format!("hex: no digit at {at}")))?;
        match high.take() {
            None => high = Some(digit << 4),
            Some(upper) => out.push(upper | digit),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_cases_are_read_and_upper_case_is_written() {
        assert_eq!(decode("a0A4Ff").unwrap(), [0xA0, 0xA4, 0xFF]);
        assert_eq!(encode(&[0xA0, 0xA4, 0xFF]), "A0A4FF");
        assert_eq!(decode("").unwrap(), []);
    }

    #[test]
    fn faults_name_the_place() {
        assert_eq!(decode("A0A").unwrap_err().what(), "hex: odd number of digits 3");
        assert_eq!(decode("A0 A").unwrap_err().what(), "hex: no digit at 2");
        assert_eq!(decode("é").unwrap_err().code(), Code::Syntax);
    }

    proptest! {
        #[test]
        fn round_trip(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn any_text_is_survived(text: String) {
            let _ = decode(&text);
        }
    }
}
