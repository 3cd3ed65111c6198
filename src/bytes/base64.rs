//! Base64 with the standard alphabet (RFC 4648 section 4). Must not know what is inside.

use crate::error::{Code, Error, Result};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding is written; on reading it may be missing, because servers forget it.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The octets as base64 with padding, on one line.
pub fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// The octets of base64 `text`, with or without its padding.
///
/// Fails with `Syntax` on white space, foreign characters, or left-over bits that are not zero.
pub fn decode(text: &str) -> Result<Vec<u8>> {
    use base64::DecodeError as Fault;
    ENGINE.decode(text).map_err(|fault| {
        // The crate's own text would show the character, and the text may be a secret.
        let what = match fault {
            Fault::InvalidByte(at, _) => format!("base64: foreign character at {at}"),
            Fault::InvalidLastSymbol(at, _) => format!("base64: left-over bits at {at}"),
            Fault::InvalidLength(length) => format!("base64: {length} characters are no whole"),
            Fault::InvalidPadding => "base64: wrong padding".to_owned(),
        };
        Error::new(Code::Syntax, what)
    })
}

/// Base64 text that comes in parts, with white space anywhere; padding may be missing.
#[derive(Default)]
pub struct Decoder {
    /// Characters that make no whole group yet: up to three.
    held: String,
    /// Padding has come: nothing may follow.
    ended: bool,
}

impl std::fmt::Debug for Decoder {
    // What is held may be a part of a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Decoder {
    /// The octets that `text` completes. Fails as [`decode`], and with anything behind padding.
    pub fn decode(&mut self, text: &[u8]) -> Result<Vec<u8>> {
        if !text.is_ascii() {
            return Err(Error::new(Code::Syntax, "base64: foreign character"));
        }
        let letters = text.iter().filter(|letter| !letter.is_ascii_whitespace());
        let mut whole = std::mem::take(&mut self.held);
        whole.extend(letters.map(|letter| char::from(*letter)));
        if self.ended && !whole.is_empty() {
            return Err(Error::new(Code::Syntax, "base64: text behind the padding"));
        }
        self.held = whole.split_off(whole.len() - whole.len() % 4);
        self.ended |= whole.ends_with('=');
        decode(&whole)
    }

    /// The octets of what is left. Fails as [`decode`].
    pub fn finish(self) -> Result<Vec<u8>> {
        decode(&self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn padding_may_be_missing() {
        assert_eq!(decode("MTIzNDU=").unwrap(), b"12345");
        assert_eq!(decode("MTIzNDU").unwrap(), b"12345");
        assert_eq!(encode(b"12345"), "MTIzNDU=");
    }

    #[test]
    fn faults_name_the_place_and_not_the_text() {
        assert_eq!(decode("MT!z").unwrap_err().what(), "base64: foreign character at 2");
        assert_eq!(decode("MTIzNDV").unwrap_err().what(), "base64: left-over bits at 6");
        assert_eq!(decode("MTIz\n").unwrap_err().code(), Code::Syntax);
        assert_eq!(decode("M").unwrap_err().code(), Code::Syntax);
    }

    #[test]
    fn parts_are_decoded_wherever_they_are_cut() {
        for text in ["MTIzNDU=", "MTIzNDU", "MTI\r\nzND U="] {
            for cut in 0..=text.len() {
                let (first, second) = text.as_bytes().split_at(cut);
                let mut decoder = Decoder::default();
                let mut octets = decoder.decode(first).unwrap();
                octets.extend(decoder.decode(second).unwrap());
                octets.extend(decoder.finish().unwrap());
                assert_eq!(octets, b"12345", "{text:?} {cut}");
            }
        }
    }

    #[test]
    fn parts_that_are_no_base64_are_refused() {
        for parts in [["MTI=", "MTIz"], ["MT!", "z"], ["M", ""], ["\u{e9}M", "TIz"], ["MTI=", "="]]
        {
            let mut decoder = Decoder::default();
            let taken = parts.iter().try_for_each(|part| decoder.decode(part.as_bytes()).map(drop));
            assert!(taken.and_then(|()| decoder.finish()).is_err(), "{parts:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
    }
}
