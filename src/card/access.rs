//! Access rules of a file as far as READ goes: which PIN a reader has to show (ETSI TS 102 221
//! clause 9.2, ISO 7816-4 security attributes; GSM 11.11 access nibbles). Must not send anything.

use crate::bytes::tlv::{Reader, Tlv};

/// What somebody who wants to read has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Always,
    /// No one may.
    Never,
    /// The PIN (or administrative key) with this reference.
    Pin(u8),
}

/// The access rule in a file header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Told in the header itself.
    Read(Need),
    /// Told in a record of an EF.ARR.
    Reference {
        /// File identifier of the EF.ARR.
        fid: u16,
        /// Its record with the rule for the default security environment.
        record: u8,
    },
    /// Not told, or in a form that names no key.
    Unknown,
}

/// Bit of an access mode octet that stands for READ of an EF.
const MODE_READ: u8 = 0x01;

impl Access {
    /// Tag `8B`: EF.ARR and a record, or EF.ARR and pairs of security environment and record.
    pub(super) fn from_reference(value: &[u8]) -> Self {
        match *value {
            [high, low, record] | [high, low, _, record, ..] => {
                Self::Reference { fid: u16::from_be_bytes([high, low]), record }
            }
            _ => Self::Unknown,
        }
    }

    /// Tag `8C`: an access mode octet, then one security condition per bit, highest bit first.
    pub(super) fn from_compact(value: &[u8]) -> Self {
        let Some((mode, conditions)) = value.split_first() else { return Self::Unknown };
        if mode & MODE_READ == 0 {
            return Self::Unknown;
        }
        // Bit 1 is the last one, so its condition follows those of the other bits that are set.
        let index = (mode & 0x7F).count_ones() as usize - 1;
        match conditions.get(index) {
            Some(0x00) => Self::Read(Need::Always),
            Some(0xFF) => Self::Read(Need::Never),
            _ => Self::Unknown,
        }
    }

    /// Tag `AB`.
    pub(super) fn from_expanded(value: &[u8]) -> Self {
        read_need(value).map_or(Self::Unknown, Self::Read)
    }

    /// Byte 9 of a GSM header: READ in the high nibble.
    pub(super) fn from_gsm(octet: u8) -> Self {
        match octet >> 4 {
            0x0 => Self::Read(Need::Always),
            chv @ (0x1 | 0x2) => Self::Read(Need::Pin(chv)),
            0xF => Self::Read(Need::Never),
            // Administrative levels have no key reference in GSM.
            _ => Self::Unknown,
        }
    }
}

/// The need of READ in an access rule in expanded format: the content of tag `AB` or of an EF.ARR
/// record. `None` if the rule says nothing of READ.
pub fn read_need(rule: &[u8]) -> Option<Need> {
    let mut objects = Reader::new(rule).intact();
    while let Some(mode) = objects.next() {
        let about_read = mode.tag == 0x80 && mode.value.first().is_some_and(|m| m & MODE_READ != 0);
        let condition = match mode.tag {
            0x80..=0x8F => objects.next()?,
            _ => continue,
        };
        if about_read {
            return need(&condition);
        }
    }
    None
}

/// The need in one security condition. Of several alternatives the first with a key is named.
fn need(condition: &Tlv<'_>) -> Option<Need> {
    match condition.tag {
        0x90 => Some(Need::Always),
        0x97 => Some(Need::Never),
        0xA4 => key(condition),
        // OR and AND templates hold conditions, which are not templates again.
        0xA0 | 0xAF => condition
            .children()
            .intact()
            .filter(|inner| inner.tag == 0xA4)
            .find_map(|inner| key(&inner)),
        _ => None,
    }
}

/// The key reference of a control reference template.
fn key(template: &Tlv<'_>) -> Option<Need> {
    let reference = template.children().intact().find(|object| object.tag == 0x83)?;
    reference.value.first().copied().map(Need::Pin)
}
