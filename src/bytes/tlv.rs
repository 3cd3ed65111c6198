//! BER-TLV as cards use it (ISO 7816-4, ETSI TS 101 220): tags of up to three octets, definite
//! lengths of up to four, fill octets `00` and `FF` between objects. Must not know any tag.

use crate::error::{Code, Error};
use std::fmt;

/// Bit of a tag's first octet that says "the value is a run of objects".
const CONSTRUCTED: u8 = 0x20;
/// Most octets of a tag.
const TAG_OCTETS: usize = 3;
/// Most octets of a length after its first one.
const LENGTH_OCTETS: usize = 3;

/// What is wrong with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The tag is cut off, longer than three octets, or a fill octet.
    Tag,
    /// The length is cut off, longer than four octets, or reaches beyond the data.
    Length,
    /// The length `80`, which no card may use.
    Indefinite,
}

/// A fault in TLV data: its class and the offset of the object in the data that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub class: Class,
    /// Offset of the object's first octet.
    pub at: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.class {
            Class::Tag => "E_TLV_TAG",
            Class::Length => "E_TLV_LENGTH",
            Class::Indefinite => "E_TLV_INDEFINITE",
        };
        write!(f, "{class} at byte {}", self.at)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::new(Code::CardBadData, fault.to_string())
    }
}

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// All tag octets, first octet most significant: `0x6F`, `0xBF0C`, `0xDF8101`.
    pub tag: u32,
    /// True if the tag says that the value is a run of objects.
    pub constructed: bool,
    /// The value.
    pub value: &'a [u8],
    /// Offset of the tag's first octet.
    pub at: usize,
}

impl<'a> Tlv<'a> {
    /// The objects inside the value.
    pub fn children(&self) -> Reader<'a> {
        Reader::new(self.value)
    }
}

/// What [`Reader`] does at a fill octet between objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Goes on with the next object.
    Skip,
    /// Takes it as the end of the data.
    Stop,
}

/// The objects of a run of TLV data, one after the other. Ends after the first fault.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    fill: Fill,
}

impl<'a> Reader<'a> {
    /// A reader that skips fill octets between objects.
    pub fn new(data: &'a [u8]) -> Self {
        Self::with_fill(data, Fill::Skip)
    }

    /// A reader with a choice of what fill octets mean.
    pub fn with_fill(data: &'a [u8], fill: Fill) -> Self {
        Self { data, at: 0, fill }
    }

    /// The objects before the first fault, for data whose tail may be damaged.
    pub fn intact(self) -> impl Iterator<Item = Tlv<'a>> {
        self.map_while(Result::ok)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Tlv<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.data.get(self.at..)?;
        let fill = rest.iter().take_while(|octet| is_fill(**octet)).count();
        if fill == rest.len() || (fill > 0 && self.fill == Fill::Stop) {
            self.at = self.data.len();
            return None;
        }
        self.at += fill;
        let at = self.at;
        match object(rest.get(fill..).unwrap_or_default()) {
            Ok((mut tlv, octets)) => {
                tlv.at = at;
                self.at += octets;
                Some(Ok(tlv))
            }
            Err(class) => {
                self.at = self.data.len();
                Some(Err(Fault { class, at }))
            }
        }
    }
}

fn is_fill(octet: u8) -> bool {
    matches!(octet, 0x00 | 0xFF)
}

/// The object that `data` begins with, and how many octets it takes.
fn object(data: &[u8]) -> Result<(Tlv<'_>, usize), Class> {
    let (tag, tag_octets) = tag(data)?;
    let after_tag = data.get(tag_octets..).unwrap_or_default();
    let (length, length_octets) = length(after_tag)?;
    let end = length_octets.checked_add(length).ok_or(Class::Length)?;
    let value = after_tag.get(length_octets..end).ok_or(Class::Length)?;
    let constructed = data.first().is_some_and(|first| first & CONSTRUCTED != 0);
    Ok((Tlv { tag, constructed, value, at: 0 }, tag_octets + end))
}

fn tag(data: &[u8]) -> Result<(u32, usize), Class> {
    let (first, more) = data.split_first().ok_or(Class::Tag)?;
    let mut tag = u32::from(*first);
    if first & 0x1F != 0x1F {
        return Ok((tag, 1));
    }
    for (index, octet) in more.iter().take(TAG_OCTETS - 1).enumerate() {
        tag = tag << 8 | u32::from(*octet);
        if octet & 0x80 == 0 {
            return Ok((tag, index + 2));
        }
    }
    Err(Class::Tag)
}

/// The length, which need not be minimal, and how many octets it takes.
fn length(data: &[u8]) -> Result<(usize, usize), Class> {
    let (first, more) = data.split_first().ok_or(Class::Length)?;
    match *first {
        0x80 => Err(Class::Indefinite),
        short @ 0..=0x7F => Ok((usize::from(short), 1)),
        long => {
            let count = usize::from(long & 0x7F);
            if count > LENGTH_OCTETS {
                return Err(Class::Length);
            }
            let octets = more.get(..count).ok_or(Class::Length)?;
            Ok((octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), 1 + count))
        }
    }
}

/// One object as octets, with a minimal length.
pub fn encode(tag: u32, value: &[u8]) -> Vec<u8> {
    let mut out = significant(tag);
    let length = value.len();
    if let Ok(short @ 0..=0x7F) = u8::try_from(length) {
        out.push(short);
    } else {
        let octets = significant(u32::try_from(length).unwrap_or(u32::MAX));
        out.push(0x80 | octets.len() as u8);
        out.extend(octets);
    }
    out.extend_from_slice(value);
    out
}

/// The octets of `number` from the first that is not zero.
fn significant(number: u32) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::hex;
    use proptest::prelude::*;

    /// Group h: `h01` to `h09` and `h16` are BER-TLV, the rest is COMPREHENSION-TLV.
    #[test]
    fn vectors_of_group_h() {
        let rows = include_str!("../../tests/data/encoding-vectors.tsv");
        let mut seen = 0;
        for row in rows.lines().filter(|row| row.starts_with("h0") || row.starts_with("h16")) {
            let columns: Vec<_> = row.split('\t').collect();
            let [name, data, _, expected] = columns[..] else { panic!("{row}") };
            check(name, &hex::decode(data).unwrap(), expected);
            seen += 1;
        }
        assert_eq!(seen, 10);
    }

    fn check(name: &str, data: &[u8], expected: &str) {
        let got = Reader::new(data).next().unwrap();
        if let Some(class) = expected.strip_prefix("ERROR:") {
            assert_eq!(got.unwrap_err().to_string(), format!("{class} at byte 0"), "{name}");
            return;
        }
        let got = got.unwrap();
        for field in expected.split(' ') {
            match field.split_once('=').unwrap() {
                ("tag", tag) => assert_eq!(format!("{:02X}", got.tag), tag, "{name}"),
                ("len", len) => assert_eq!(got.value.len().to_string(), len, "{name}"),
                ("value", value) => assert_eq!(hex::encode(got.value), value, "{name}"),
                ("inner", _) => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_length_of_more_than_three_octets_is_refused() {
        let refused = |octets: &[u8]| Reader::new(octets).next().unwrap().unwrap_err().to_string();
        for length in
            [&[0x84, 0, 0, 0, 1][..], &[0x85, 0, 0, 0, 0, 1], &[0xFF, 1], &[0x83, 0, 0, 2]]
        {
            let octets = [&[0x04][..], length, &[0xAA]].concat();
            assert_eq!(refused(&octets), "E_TLV_LENGTH at byte 0", "{length:02X?}");
        }
        let three = [0x04, 0x83, 0, 0, 1, 0xAA];
        assert_eq!(Reader::new(&three).next().unwrap().unwrap().value, [0xAA]);
    }

    #[test]
    fn fill_is_skipped_or_ends_the_run() {
        let data = [0x04, 0x01, 0xAA, 0x00, 0xFF, 0x04, 0x01, 0xBB, 0xFF];
        let values = |fill| -> Vec<u8> {
            Reader::with_fill(&data, fill).map(|object| object.unwrap().value[0]).collect()
        };
        assert_eq!(values(Fill::Skip), [0xAA, 0xBB]);
        assert_eq!(values(Fill::Stop), [0xAA]);
    }

    #[test]
    fn a_fault_ends_the_run_and_names_its_place() {
        let mut reader = Reader::new(&[0x04, 0x01, 0xAA, 0x04, 0x05, 0xBB]);
        assert_eq!(reader.next().unwrap().unwrap().value, [0xAA]);
        assert_eq!(reader.next().unwrap().unwrap_err(), Fault { class: Class::Length, at: 3 });
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn a_tag_of_four_octets_or_cut_off_is_a_fault() {
        for data in [&[0xBF, 0x81, 0x81, 0x01, 0x00][..], &[0xBF][..], &[0xBF, 0x81][..]] {
            assert_eq!(Reader::new(data).next().unwrap().unwrap_err().class, Class::Tag);
        }
    }

    proptest! {
        #[test]
        fn round_trip(
            tag in prop_oneof![Just(0x30u32), Just(0xA7), Just(0xBF0C), Just(0xDF8101)],
            value in proptest::collection::vec(any::<u8>(), 0..70_000),
        ) {
            let data = encode(tag, &value);
            let mut reader = Reader::new(&data);
            let object = reader.next().unwrap().unwrap();
            prop_assert_eq!((object.tag, object.value), (tag, &value[..]));
            prop_assert_eq!(reader.next(), None);
        }

        #[test]
        fn any_octets_are_survived(data: Vec<u8>) {
            let mut octets = 0;
            for object in Reader::new(&data).map_while(Result::ok) {
                octets += object.value.len();
            }
            prop_assert!(octets <= data.len());
        }
    }
}
