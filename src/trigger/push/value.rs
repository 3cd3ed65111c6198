//! WSP's generic field values (WAP-230-WSP 8.4): text, short integer, or length and octets.
//!
//! Owns the bounds: nothing is read beyond the part of the PDU that the cursor was given.

use super::refuse;
use crate::error::Result;

/// A value whose kind its first octet tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// One octet with the high bit set; the low seven bits.
    Short(u8),
    /// Text without its NUL and without a leading quote octet.
    Text(&'a [u8]),
    /// Value-length and that many octets.
    Block(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The value as integer: short, or a block of one to four octets.
    pub(super) fn integer(&self) -> Option<u32> {
        match self {
            Self::Short(value) => Some(u32::from(*value)),
            Self::Block(octets) if matches!(octets.len(), 1..=4) => {
                Some(octets.iter().fold(0, |value, octet| value << 8 | u32::from(*octet)))
            }
            _ => None,
        }
    }

    /// The value as text, if it is text and UTF-8.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// The octets of text or a block.
    pub(super) fn octets(&self) -> &'a [u8] {
        match self {
            Self::Text(octets) | Self::Block(octets) => octets,
            Self::Short(_) => &[],
        }
    }
}

/// A reader over `pdu[at..end]` that knows its place in the PDU.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    pdu: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// From octet `at` to the end of the PDU.
    pub(super) fn new(pdu: &'a [u8], at: usize) -> Self {
        Self { pdu, at, end: pdu.len() }
    }

    /// Place of the next octet in the PDU.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    /// All that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.pdu.get(self.at..self.end).unwrap_or_default()
    }

    /// A cursor over the next `length` octets, which this one passes over.
    pub(super) fn part(&mut self, length: u32) -> Result<Self> {
        let at = self.at;
        self.take(length)?;
        Ok(Self { pdu: self.pdu, at, end: self.at })
    }

    /// A cursor over `block`, the octets this one took last.
    pub(super) fn within(&self, block: &'a [u8]) -> Self {
        Self { pdu: self.pdu, at: self.at - block.len(), end: self.at }
    }

    /// Variable-length unsigned integer of at most five octets; superfluous leading ones are taken.
    pub(super) fn uintvar(&mut self) -> Result<u32> {
        let start = self.at;
        let mut value = 0u32;
        for _ in 0..5 {
            let octet = self.octet()?;
            if value >> 25 != 0 {
                break;
            }
            value = value << 7 | u32::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(refuse("E_WSP_LENGTH", start, "a length above 32 bits"))
    }

    /// The next value of any kind.
    pub(super) fn value(&mut self) -> Result<Value<'a>> {
        match self.octet()? {
            length @ 0x00..=0x1E => Ok(Value::Block(self.take(length.into())?)),
            0x1F => {
                let length = self.uintvar()?;
                Ok(Value::Block(self.take(length)?))
            }
            // The quote octet lets text begin with an octet above 7F.
            0x7F => Ok(Value::Text(self.text()?)),
            0x20..=0x7E => {
                self.at -= 1;
                Ok(Value::Text(self.text()?))
            }
            short => Ok(Value::Short(short & 0x7F)),
        }
    }

    fn text(&mut self) -> Result<&'a [u8]> {
        let rest = self.rest();
        let Some(length) = rest.iter().position(|octet| *octet == 0) else {
            return Err(refuse("E_WSP_LENGTH", self.at, "text without its end"));
        };
        self.at += length + 1;
        Ok(rest.get(..length).unwrap_or_default())
    }

    fn octet(&mut self) -> Result<u8> {
        let octet = self.rest().first().copied();
        self.at += usize::from(octet.is_some());
        octet.ok_or_else(|| refuse("E_WSP_LENGTH", self.at, "the headers end early"))
    }

    fn take(&mut self, length: u32) -> Result<&'a [u8]> {
        let taken = usize::try_from(length).ok().and_then(|length| self.rest().get(..length));
        let Some(taken) = taken else {
            return Err(refuse("E_WSP_LENGTH", self.at, "a length beyond its container"));
        };
        self.at += taken.len();
        Ok(taken)
    }
}
