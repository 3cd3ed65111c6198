//! COMPREHENSION-TLV: the data objects of toolkit commands, responses and envelopes.
//!
//! Owns the octet layout (ETSI TS 101 220 section 7.1.1) and the BER-TLV around a whole command.
//! Must not know what any tag means.

use crate::error::{Code, Error, Result};

/// The comprehension required flag inside a one-octet tag.
const REQUIRED: u8 = 0x80;
/// First octet of a three-octet tag.
const LONG_TAG: u8 = 0x7F;

/// One data object; `tag` is without the comprehension required flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ctlv<'a> {
    /// Tag number: 1 to 126 in the one-octet form, up to 32767 in the three-octet form.
    pub tag: u16,
    /// The sender wants the command refused by a receiver that does not know the tag.
    pub required: bool,
    /// The value's octets.
    pub value: &'a [u8],
}

/// Reads data objects one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the first data object of `octets`.
    pub fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// The next data object, or `None` at the end.
    ///
    /// Fails with `CardBadData` on an invalid tag (`E_TLV_TAG`), on an invalid length and on a value
    /// beyond the end (`E_TLV_LENGTH`, `E_TLV_INDEFINITE`). After a failure the reader stays where it
    /// was.
    pub fn read(&mut self) -> Result<Option<Ctlv<'a>>> {
        if self.at == self.octets.len() {
            return Ok(None);
        }
        let mut at = self.at;
        let (tag, required) = tag(self.octets, &mut at)?;
        let value = value(self.octets, &mut at)?;
        self.at = at;
        Ok(Some(Ctlv { tag, required, value }))
    }
}

/// The value of the BER-TLV with this one-octet `tag` at the start of `octets`; octets after it
/// (padding of a longer answer) are ignored.
///
/// Fails with `CardBadData` on another tag, an indefinite length, and a value beyond the end, with the
/// classes of [`Reader::read`].
pub fn ber_value(octets: &[u8], tag: u8) -> Result<&[u8]> {
    match octets.split_first() {
        Some((first, _)) if *first == tag => value(octets, &mut 1),
        _ => Err(bad(TAG, 0, "another tag than expected")),
    }
}

/// Appends one data object with the shortest tag and length; `value` is shorter than 16 MiB.
pub fn push(out: &mut Vec<u8>, tag: u16, required: bool, value: &[u8]) {
    let [high, low] = tag.to_be_bytes();
    let flag = if required { REQUIRED } else { 0 };
    if tag < u16::from(LONG_TAG) {
        out.push(low | flag);
    } else {
        out.extend([LONG_TAG, high | flag, low]);
    }
    push_length(out, value.len());
    out.extend_from_slice(value);
}

/// Appends a BER-TLV with a one-octet tag; `value` is shorter than 16 MiB.
pub fn push_ber(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    push_length(out, value.len());
    out.extend_from_slice(value);
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    let octets = length.to_be_bytes();
    let [.., high, mid, low] = octets;
    match length {
        0..=0x7F => out.push(low),
        0x80..=0xFF => out.extend([0x81, low]),
        0x100..=0xFFFF => out.extend([0x82, mid, low]),
        _ => out.extend([0x83, high, mid, low]),
    }
}

/// Class of faults in a tag.
const TAG: &str = "E_TLV_TAG";
/// Class of faults in a length, and of values beyond the end.
const LENGTH: &str = "E_TLV_LENGTH";
/// Class of lengths `80`.
const INDEFINITE: &str = "E_TLV_INDEFINITE";

fn tag(octets: &[u8], at: &mut usize) -> Result<(u16, bool)> {
    let start = *at;
    match octet(octets, at, TAG)? {
        0x00 | 0x80 | 0xFF => Err(bad(TAG, start, "invalid tag")),
        LONG_TAG => {
            let (high, low) = (octet(octets, at, TAG)?, octet(octets, at, TAG)?);
            match u16::from_be_bytes([high & !REQUIRED, low]) {
                0 => Err(bad(TAG, start, "invalid tag")),
                tag => Ok((tag, high & REQUIRED != 0)),
            }
        }
        one => Ok((u16::from(one & !REQUIRED), one & REQUIRED != 0)),
    }
}

fn value<'a>(octets: &'a [u8], at: &mut usize) -> Result<&'a [u8]> {
    let start = *at;
    let length = match octet(octets, at, LENGTH)? {
        short @ 0..=0x7F => usize::from(short),
        long @ 0x81..=0x83 => {
            let mut length = 0;
            for _ in 0x80..long {
                length = length << 8 | usize::from(octet(octets, at, LENGTH)?);
            }
            length
        }
        0x80 => return Err(bad(INDEFINITE, start, "indefinite length")),
        _ => return Err(bad(LENGTH, start, "invalid length")),
    };
    let end = at.checked_add(length).filter(|end| *end <= octets.len());
    let value = end.and_then(|end| octets.get(*at..end));
    let value = value.ok_or_else(|| bad(LENGTH, start, "value beyond the end"))?;
    *at += length;
    Ok(value)
}

/// The next octet; where there is none, `class` is at fault.
fn octet(octets: &[u8], at: &mut usize, class: &str) -> Result<u8> {
    let octet = octets.get(*at).copied().ok_or_else(|| bad(class, *at, "ends too early"))?;
    *at += 1;
    Ok(octet)
}

fn bad(class: &str, at: usize, what: &str) -> Error {
    Error::new(Code::CardBadData, format!("{class} at byte {at}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(octets: &[u8]) -> Result<Option<Ctlv<'_>>> {
        Reader::new(octets).read()
    }

    #[test]
    fn sc_082_the_flag_does_not_change_the_tag() {
        let with = one(&[0x8D, 1, 4]).unwrap().unwrap();
        let without = one(&[0x0D, 1, 4]).unwrap().unwrap();
        assert_eq!((with.tag, with.value), (without.tag, without.value));
        assert!(with.required && !without.required);
    }

    #[test]
    fn three_octet_tags_carry_the_flag_in_the_second_octet() {
        let tlv = one(&[0x7F, 0x81, 0x02, 1, 0xAA]).unwrap().unwrap();
        assert_eq!(tlv, Ctlv { tag: 0x0102, required: true, value: &[0xAA] });
    }

    #[test]
    fn a_long_form_for_a_short_length_is_read() {
        assert_eq!(one(&[0x0D, 0x81, 0x01, 7]).unwrap().unwrap().value, &[7]);
        assert_eq!(one(&[0x0D, 0x82, 0x00, 0x01, 7]).unwrap().unwrap().value, &[7]);
        assert_eq!(one(&[0x0D, 0x83, 0x00, 0x00, 0x01, 7]).unwrap().unwrap().value, &[7]);
    }

    #[test]
    fn invalid_tags_lengths_and_overruns_are_errors() {
        for (octets, fault) in [
            (&[0x00, 0x00][..], "E_TLV_TAG at byte 0: invalid tag"),
            (&[0x80, 0x00], "E_TLV_TAG at byte 0: invalid tag"),
            (&[0xFF, 0x00], "E_TLV_TAG at byte 0: invalid tag"),
            (&[0x0D, 0x80], "E_TLV_INDEFINITE at byte 1: indefinite length"),
            (&[0x0D, 0x84, 0, 0, 0, 0], "E_TLV_LENGTH at byte 1: invalid length"),
            (&[0x0D, 0x02, 0x00], "E_TLV_LENGTH at byte 1: value beyond the end"),
            (&[0x0D, 0x83, 0xFF, 0xFF, 0xFF], "E_TLV_LENGTH at byte 1: value beyond the end"),
            (&[0x0D, 0x82, 0x01], "E_TLV_LENGTH at byte 3: ends too early"),
            (&[0x0D], "E_TLV_LENGTH at byte 1: ends too early"),
            (&[0x7F, 0x01], "E_TLV_TAG at byte 2: ends too early"),
            (&[0x7F, 0x00, 0x00, 0x00], "E_TLV_TAG at byte 0: invalid tag"),
            (&[0x7F, 0x80, 0x00, 0x00], "E_TLV_TAG at byte 0: invalid tag"),
        ] {
            let error = one(octets).unwrap_err();
            assert_eq!((error.code(), error.what()), (Code::CardBadData, fault), "{octets:02X?}");
        }
    }

    #[test]
    fn sc_084_an_indefinite_ber_length_is_refused() {
        assert!(ber_value(&[0xD0, 0x80, 0x81, 0x03, 1, 2, 0, 0x82, 2, 0x81, 0x82], 0xD0).is_err());
        assert!(ber_value(&[0xD1, 0x00], 0xD0).is_err());
        assert_eq!(ber_value(&[0xD0, 0x01, 7, 0xFF], 0xD0).unwrap(), &[7]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            tag in 1u16..0x7FFF,
            required: bool,
            value in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let mut octets = Vec::new();
            push(&mut octets, tag, required, &value);
            let mut reader = Reader::new(&octets);
            prop_assert_eq!(reader.read().unwrap(), Some(Ctlv { tag, required, value: &value }));
            prop_assert_eq!(reader.read().unwrap(), None);
        }

        #[test]
        fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&octets);
            while let Ok(Some(_)) = reader.read() {}
        }
    }
}
