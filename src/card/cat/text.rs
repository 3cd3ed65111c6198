//! Texts of the toolkit: the GSM default alphabet, packed or not, and UCS2.
//!
//! Owns the codings (TS 23.038, TS 102 223 section 8.15, TS 102 221 annex A). Must not know what a
//! text is for.

const PACKED: u8 = 0x00;
const UNPACKED: u8 = 0x04;
const UCS2: u8 = 0x08;
const ESCAPE: u8 = 0x1B;

/// The default alphabet, by code.
const ALPHABET: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{A0}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à', //
];

/// Characters after an escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How an answer is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Default alphabet, seven bits a character.
    Packed,
    /// Default alphabet, an octet a character.
    Unpacked,
    /// UTF-16, big endian.
    Ucs2,
}

/// A text string object: data coding scheme and text; no octets at all are the null text. `None` for
/// an unknown scheme and for octets that are no text in it.
pub fn decode(value: &[u8]) -> Option<String> {
    let Some((&scheme, text)) = value.split_first() else { return Some(String::new()) };
    match scheme {
        PACKED => from_alphabet(unpack(text)),
        UNPACKED => from_alphabet(text.iter().copied()),
        UCS2 => from_ucs2(text),
        _ => None,
    }
}

/// An alpha identifier or item: default alphabet, or UCS2 in one of three forms. `None` for octets
/// that are no text in theirs.
pub fn decode_alpha(value: &[u8]) -> Option<String> {
    match value {
        [0x80, text @ ..] => from_ucs2(text.get(..text.len() & !1)?),
        [0x81, count, base, text @ ..] => {
            from_offsets(text.get(..usize::from(*count))?, u16::from(*base) << 7)
        }
        [0x82, count, high, low, text @ ..] => {
            from_offsets(text.get(..usize::from(*count))?, u16::from_be_bytes([*high, *low]))
        }
        _ => {
            let padding = value.iter().rev().take_while(|octet| **octet == 0xFF).count();
            from_alphabet(value.get(..value.len() - padding)?.iter().copied())
        }
    }
}

/// A text string object with `text`; `None` if the coding has no such character.
pub(super) fn encode(text: &str, coding: Coding) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match coding {
        Coding::Packed => {
            out.push(PACKED);
            out.extend(pack(&to_alphabet(text)?));
        }
        Coding::Unpacked => {
            out.push(UNPACKED);
            out.extend(to_alphabet(text)?);
        }
        Coding::Ucs2 => {
            out.push(UCS2);
            out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        }
    }
    Some(out)
}

fn from_alphabet(codes: impl Iterator<Item = u8>) -> Option<String> {
    let mut text = String::new();
    let mut codes = codes;
    while let Some(code) = codes.next() {
        if code != ESCAPE {
            text.push(*ALPHABET.get(usize::from(code))?);
        } else if let Some(code) = codes.next() {
            let extended = EXTENSION.iter().find(|(other, _)| *other == code);
            text.push(extended.map(|(_, c)| *c).or(ALPHABET.get(usize::from(code)).copied())?);
        }
    }
    Some(text)
}

fn to_alphabet(text: &str) -> Option<Vec<u8>> {
    let mut codes = Vec::new();
    for c in text.chars() {
        if let Some((code, _)) = EXTENSION.iter().find(|(_, extended)| *extended == c) {
            codes.extend([ESCAPE, *code]);
        } else {
            let (code, _) = (0u8..).zip(ALPHABET).find(|(_, other)| *other == c)?;
            codes.push(code);
        }
    }
    Some(codes)
}

fn from_ucs2(octets: &[u8]) -> Option<String> {
    let (units, []) = octets.as_chunks::<2>() else { return None };
    let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

fn from_offsets(octets: &[u8], base: u16) -> Option<String> {
    let character = |octet: &u8| match octet {
        0..=0x7F => ALPHABET.get(usize::from(*octet)).copied(),
        _ => char::from_u32(u32::from(base) + u32::from(octet & 0x7F)),
    };
    octets.iter().map(character).collect()
}

/// Seven-bit codes out of octets; a carriage return that only fills the last octet is dropped.
fn unpack(octets: &[u8]) -> impl Iterator<Item = u8> {
    let mut codes = Vec::with_capacity(octets.len() * 8 / 7);
    let (mut bits, mut count) = (0u32, 0u32);
    for octet in octets {
        bits |= u32::from(*octet) << count;
        count += 8;
        while count >= 7 {
            codes.push((bits & 0x7F) as u8);
            bits >>= 7;
            count -= 7;
        }
    }
    if octets.len().is_multiple_of(7) && codes.last() == Some(&b'\r') {
        codes.pop();
    }
    codes.into_iter()
}

fn pack(codes: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(codes.len());
    let (mut bits, mut count) = (0u32, 0u32);
    let fill = if codes.len() % 8 == 7 { &b"\r"[..] } else { &[] };
    for code in codes.iter().chain(fill) {
        bits |= u32::from(*code) << count;
        count += 7;
        if count >= 8 {
            octets.push((bits & 0xFF) as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        octets.push((bits & 0xFF) as u8);
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_codings_of_a_text() {
        let packed = [0x00, 0xE8, 0x32, 0x9B, 0xFD, 0x06];
        assert_eq!(decode(&packed).as_deref(), Some("hello"));
        assert_eq!(encode("hello", Coding::Packed).as_deref(), Some(&packed[..]));
        assert_eq!(encode("+", Coding::Unpacked), Some(vec![0x04, 0x2B]));
        assert_eq!(encode("€", Coding::Unpacked), Some(vec![0x04, 0x1B, 0x65]));
        assert_eq!(encode("Я", Coding::Ucs2), Some(vec![0x08, 0x04, 0x2F]));
        assert_eq!(encode("Я", Coding::Unpacked), None);
    }

    #[test]
    fn alpha_identifiers_have_four_forms() {
        assert_eq!(decode_alpha(b"Send SM").as_deref(), Some("Send SM"));
        assert_eq!(decode_alpha(&[0x41, 0xFF, 0xFF]).as_deref(), Some("A"));
        assert_eq!(decode_alpha(&[0x80, 0x04, 0x17, 0xFF]).as_deref(), Some("З"));
        assert_eq!(decode_alpha(&[0x81, 2, 0x08, 0x97, 0x41]).as_deref(), Some("ЗA"));
        assert_eq!(decode_alpha(&[0x82, 1, 0x04, 0x10, 0x87]).as_deref(), Some("З"));
        assert_eq!(decode_alpha(&[0x81, 3, 0x08, 0x97]), None);
    }

    #[test]
    fn octets_that_are_no_text_are_refused() {
        assert_eq!(decode(&[0x01, 0x41]), None, "unknown coding");
        assert_eq!(decode(&[0x04, 0x80]), None, "eight bits in the default alphabet");
        assert_eq!(decode(&[0x08, 0x04]), None, "half a character");
        assert_eq!(decode(&[0x08, 0xD8, 0x00]), None, "half a surrogate pair");
        assert_eq!(decode(&[]).as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn texts_round_trip(text in "[ -Zdeä€\\[]{0,40}") {
            for coding in [Coding::Packed, Coding::Unpacked, Coding::Ucs2] {
                if let Some(octets) = encode(&text, coding) {
                    prop_assert_eq!(decode(&octets), Some(text.clone()), "{:?}", coding);
                }
            }
        }

        #[test]
        fn any_octets_are_decoded_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (decode(&octets), decode_alpha(&octets));
        }
    }
}
