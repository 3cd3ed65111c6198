//! Decimal digits in swapped nibbles (GSM 04.08 style): first digit in the low nibble, `F` fills.
//! Must not know whose number it is.

use crate::error::{Code, Error, Result};

/// The digits of `bytes`, up to the first filler `F`; after it only fillers may follow.
///
/// Fails with `CardBadData` on a nibble `A` to `E`, or on a digit after a filler. The text of the
/// error holds no digit.
pub fn decode_swapped(bytes: &[u8]) -> Result<String> {
    let mut digits = String::with_capacity(bytes.len() * 2);
    let mut filled = false;
    for (at, nibble) in bytes.iter().flat_map(|byte| [byte & 0x0F, byte >> 4]).enumerate() {
        match nibble {
            0x0F => filled = true,
            0..=9 if !filled => digits.push(char::from(b'0' + nibble)),
            _ => {
                let what = format!("BCD: no digit in nibble {at}");
                return Err(Error::new(Code::CardBadData, what));
            }
        }
    }
    Ok(digits)
}

/// `digits` in swapped nibbles, with a filler in the last high nibble when their number is odd.
///
/// Fails with `InvalidArg` on anything but digits.
pub fn encode_swapped(digits: &str) -> Result<Vec<u8>> {
    let nibble = |c: &u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        _ => Err(Error::new(Code::InvalidArg, "BCD: not a decimal digit")),
    };
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let low = pair.first().map_or(Ok(0x0F), nibble)?;
            let high = pair.get(1).map_or(Ok(0x0F), nibble)?;
            Ok(high << 4 | low)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn iccid_with_filler() {
        let iccid = [0x98, 0x88, 0x12, 0x01, 0x00, 0x40, 0x03, 0x10, 0xF0];
        assert_eq!(decode_swapped(&iccid).unwrap(), "89882110000430010");
    }

    #[test]
    fn digit_after_filler_and_letters_are_faults() {
        let fault = decode_swapped(&[0x1F]).unwrap_err();
        assert_eq!((fault.code(), fault.what()), (Code::CardBadData, "BCD: no digit in nibble 1"));
        assert!(decode_swapped(&[0x1A]).is_err());
        assert_eq!(decode_swapped(&[0xFF, 0xFF]).unwrap(), "");
    }

    #[test]
    fn odd_count_is_filled_and_letters_refused() {
        assert_eq!(encode_swapped("123").unwrap(), [0x21, 0xF3]);
        assert_eq!(encode_swapped("12a").unwrap_err().code(), Code::InvalidArg);
    }

    proptest! {
        #[test]
        fn round_trip(digits in "[0-9]{0,40}") {
            prop_assert_eq!(decode_swapped(&encode_swapped(&digits).unwrap()).unwrap(), digits);
        }
    }
}
