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

    proptest! {
        #[test]
        fn round_trip(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
    }
}
