//! What a WBXML document begins with: version, public identifier, character set and string table; and the
//! integers that it is written with.

use super::super::doctype::PublicId;
use super::super::reader::Options;
use super::super::{Class, Fault, scan};
use std::borrow::Cow;

/// Character sets by MIBenum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Ascii,
    Latin1,
}

/// The document header, not yet matched with a document type.
pub(super) struct Header<'a> {
    number: u32,
    /// Offset of the textual identifier in the table, and where the reference stands.
    text_at: Option<(usize, usize)>,
    pub(super) charset: Charset,
    pub(super) table: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Header<'a> {
    pub(super) fn read(data: &'a [u8]) -> Result<Self, Fault> {
        let version = match data.first() {
            Some(version @ 0x00..=0x03) => *version,
            _ => return Err(Fault::new(Class::Version, 0, "not WBXML 1.0 to 1.3")),
        };
        let mut at = 1;
        let number = mb_u32(data, &mut at)?;
        let text_at = if number == 0 {
            let reference = at;
            Some((mb_u32(data, &mut at)? as usize, reference))
        } else {
            if number != UNKNOWN_ID && PublicId::by_number(number).is_none() {
                return Err(unknown_id());
            }
            None
        };
        let charset_at = at;
        let charset = match if version == 0 { 0 } else { mb_u32(data, &mut at)? } {
            0 | 106 => Charset::Utf8,
            3 => Charset::Ascii,
            4 => Charset::Latin1,
            _ => return Err(Fault::new(Class::Charset, charset_at, "unsupported character set")),
        };
        let length_at = at;
        let length = mb_u32(data, &mut at)? as usize;
        let rest = data.get(at..).unwrap_or_default();
        let table = rest.get(..length).ok_or(Fault::new(
            Class::StrtblLength,
            length_at,
            "the string table is longer than the document",
        ))?;
        Ok(Self { number, text_at, charset, table, at: at + length })
    }

    /// The string table as text; empty if it is not UTF-8 as a whole.
    pub(super) fn table_text(&self) -> &'a str {
        let is_utf8 = self.charset == Charset::Utf8;
        is_utf8.then(|| std::str::from_utf8(self.table).ok()).flatten().unwrap_or_default()
    }

    pub(super) fn public_id(&self, options: &Options) -> Result<&'static PublicId, Fault> {
        let id = match self.text_at {
            Some((offset, at)) => {
                let octets = table_octets(self.table, offset, at)?;
                // Some encoders leave out the NUL of an identifier that ends with the table.
                let end = octets.iter().position(|b| *b == 0).unwrap_or(octets.len());
                let text = String::from_utf8_lossy(octets.get(..end).unwrap_or_default());
                PublicId::by_text(&text)
            }
            None if self.number == UNKNOWN_ID => options.expected.map(|doc| doc.public_id()),
            None => PublicId::by_number(self.number),
        };
        let id = id.ok_or_else(unknown_id)?;
        match options.expected {
            Some(doc) if doc != id.doc => Err(mismatch()),
            _ => Ok(id),
        }
    }
}

/// Public identifier "unknown or missing".
const UNKNOWN_ID: u32 = 1;

fn unknown_id() -> Fault {
    Fault::new(Class::PublicIdUnknown, 1, "unknown public identifier")
}

fn mismatch() -> Fault {
    Fault::new(Class::PublicIdMismatch, 1, "not the document type that was announced")
}

/// What the string table holds from `offset` on.
pub(super) fn table_octets(table: &[u8], offset: usize, at: usize) -> Result<&[u8], Fault> {
    if table.is_empty() {
        return Err(Fault::new(Class::StrtblMissing, at, "reference to an empty string table"));
    }
    match table.get(offset..) {
        Some(octets) if !octets.is_empty() => Ok(octets),
        _ => Err(Fault::new(Class::StrtblIndex, at, "reference beyond the string table")),
    }
}

/// Reads a multi-byte integer at `at` and moves `at` behind it.
pub(in crate::markup) fn mb_u32(data: &[u8], at: &mut usize) -> Result<u32, Fault> {
    let start = *at;
    let overflow = Fault::new(Class::MbintOverflow, start, "multi-byte integer above 32 bits");
    let mut value: u32 = 0;
    for _ in 0..5 {
        let octet = *data.get(*at).ok_or(Fault::new(
            Class::Truncated,
            *at,
            "the document ends in a multi-byte integer",
        ))?;
        *at += 1;
        if value >> 25 != 0 {
            return Err(overflow);
        }
        value = value << 7 | u32::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(overflow)
}

impl Charset {
    pub(super) fn decode(self, octets: &[u8], at: usize) -> Result<Cow<'_, str>, Fault> {
        let text = match self {
            Self::Utf8 => std::str::from_utf8(octets)
                .map_err(|e| Fault::new(Class::StrEncoding, at + e.valid_up_to(), "not UTF-8"))?,
            Self::Ascii => match scan::not_ascii(octets) {
                Some(other) => {
                    return Err(Fault::new(Class::StrEncoding, at + other, "not US-ASCII"));
                }
                None => std::str::from_utf8(octets).unwrap_or_default(),
            },
            Self::Latin1 => {
                return Ok(octets.iter().map(|b| char::from(*b)).collect::<String>().into());
            }
        };
        Ok(Cow::Borrowed(text))
    }
}
