//! File headers: the FCP template of a UICC (ETSI TS 102 221 clause 11.1.1.3) and the answer to
//! SELECT of a SIM (GSM 11.11 clause 9.2.1), as one type. Must not send anything.
//!
//! Issuers use other orders, lengths and private tags for the same file, so everything here is a
//! claim: unknown parts are passed over, and a missing part is `None`.

use super::access::Access;
use crate::bytes::tlv::{Reader, Tlv};
use crate::error::{Code, Error, Result};

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A dedicated file or an application (DF, ADF, MF).
    Directory,
    /// A transparent EF: octets.
    Transparent,
    /// A linear fixed EF: records of one length.
    Linear {
        /// Octets of a record.
        length: u16,
        /// Records, if told.
        count: Option<u8>,
    },
    /// A cyclic EF: records of one length, newest first.
    Cyclic {
        /// Octets of a record.
        length: u16,
        /// Records, if told.
        count: Option<u8>,
    },
    /// A BER-TLV EF, which READ BINARY cannot read.
    BerTlv,
    /// Something else, or not told.
    Unknown,
}

/// How far a file is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Readable as far as its access rule goes; also where the card says nothing.
    Activated,
    /// Deactivated (invalidated).
    Deactivated,
    /// Terminated.
    Terminated,
    /// Creation or initialisation state, or a private value.
    Other(u8),
}

/// The short file identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sfi {
    /// 1 to 30.
    Is(u8),
    /// The file has none.
    None,
}

/// A PIN of a directory's PIN status (tag `C6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinStatus {
    /// Key reference, for example `01` for PIN1.
    pub reference: u8,
    /// The PIN is enabled.
    pub enabled: bool,
}

/// What the card says of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// What is in it.
    pub kind: FileKind,
    /// File identifier.
    pub fid: Option<u16>,
    /// DF name (AID).
    pub aid: Option<Vec<u8>>,
    /// Octets of the body.
    pub size: Option<usize>,
    /// Short file identifier.
    pub sfi: Sfi,
    /// Life cycle.
    pub life: Life,
    /// Who may read it.
    pub access: Access,
    /// PINs of a directory.
    pub pins: Vec<PinStatus>,
    /// The card takes TERMINAL CAPABILITY (MF only).
    pub terminal_capability: bool,
}

impl FileHeader {
    /// A header that tells nothing.
    pub fn unknown() -> Self {
        Self {
            kind: FileKind::Unknown,
            fid: None,
            aid: None,
            size: None,
            sfi: Sfi::None,
            life: Life::Activated,
            access: Access::Unknown,
            pins: Vec::new(),
            terminal_capability: false,
        }
    }

    /// The header in the answer to SELECT of a UICC: an FCP template `62`, or an FCI `6F` with the
    /// same objects. An empty answer is a header that tells nothing.
    ///
    /// Fails with `CardBadData` on an outer object that is none, or does not fit.
    pub fn from_fcp(answer: &[u8]) -> Result<Self> {
        let context = |error: Error| error.context("FCP");
        let template = match Reader::new(answer).next() {
            None => return Ok(Self::unknown()),
            Some(template) => template.map_err(|fault| context(fault.into()))?,
        };
        if !matches!(template.tag, 0x62 | 0x6F) {
            let what = format!("FCP: tag {:02X} instead of 62", template.tag);
            return Err(Error::new(Code::CardBadData, what));
        }
        let mut header = Self::unknown();
        let mut sfi = None;
        let mut total = None;
        for object in template.children() {
            let object = object.map_err(|fault| context(fault.into()))?;
            match object.tag {
                0x88 => sfi = Some(sfi_of(object.value)),
                0x81 => total = number(object.value),
                _ => header.take(&object),
            }
        }
        header.size = header.size.or(total);
        // Without tag 88 the low bits of the file identifier are the SFI (TS 102 221 11.1.1.4.8).
        let from_fid = header.fid.map_or(Sfi::None, |fid| sfi_number((fid & 0x1F) as u8));
        header.sfi = match sfi {
            _ if header.kind == FileKind::Directory => Sfi::None,
            Some(sfi) => sfi,
            None => from_fid,
        };
        Ok(header)
    }

    fn take(&mut self, object: &Tlv<'_>) {
        match object.tag {
            0x80 => self.size = number(object.value),
            0x82 => self.kind = kind_of(object.value),
            0x83 => self.fid = number(object.value).and_then(|fid| u16::try_from(fid).ok()),
            0x84 => self.aid = Some(object.value.to_vec()),
            0x8A => self.life = life_of(object.value),
            0x8B => self.access = Access::from_reference(object.value),
            0x8C => self.access = Access::from_compact(object.value),
            0xAB => self.access = Access::from_expanded(object.value),
            0xA5 => self.terminal_capability = takes_terminal_capability(object),
            0xC6 => self.pins = pins_of(object),
            _ => {}
        }
    }

    /// The header in the GET RESPONSE data after SELECT in the GSM class.
    ///
    /// Fails with `CardBadData` if it is too short for its file type.
    pub fn from_gsm(answer: &[u8]) -> Result<Self> {
        let short = || {
            let what = format!("GSM file header of {} octets", answer.len());
            Error::new(Code::CardBadData, what)
        };
        let octet = |at: usize| answer.get(at).copied().ok_or_else(short);
        let word =
            |at: usize| -> Result<u16> { Ok(u16::from_be_bytes([octet(at)?, octet(at + 1)?])) };
        let mut header = Self { fid: Some(word(4)?), ..Self::unknown() };
        if matches!(octet(6)?, 0x01 | 0x02) {
            header.kind = FileKind::Directory;
            header.pins = gsm_pins(answer);
            return Ok(header);
        }
        let size = word(2)?;
        let record = |length: u8| {
            let count = size.checked_div(u16::from(length)).and_then(|n| u8::try_from(n).ok());
            (u16::from(length), count)
        };
        header.size = Some(usize::from(size));
        header.access = Access::from_gsm(octet(8)?);
        header.life = if octet(11)? & 1 == 0 { Life::Deactivated } else { Life::Activated };
        header.kind = match octet(13)? {
            0x00 => FileKind::Transparent,
            structure @ (0x01 | 0x03) => {
                let (length, count) = record(octet(14)?);
                match structure {
                    0x01 => FileKind::Linear { length, count },
                    _ => FileKind::Cyclic { length, count },
                }
            }
            _ => FileKind::Unknown,
        };
        Ok(header)
    }
}

/// The system commands in the proprietary information (TS 102 221 clause 11.1.1.4.6.8).
fn takes_terminal_capability(proprietary: &Tlv<'_>) -> bool {
    let mut objects = proprietary.children().intact();
    objects.any(|object| object.tag == 0x87 && object.value.first().is_some_and(|b| b & 1 == 1))
}

/// A big-endian number of at most four octets.
fn number(octets: &[u8]) -> Option<usize> {
    let number = |sum: usize, octet: &u8| sum << 8 | usize::from(*octet);
    (1..=4).contains(&octets.len()).then(|| octets.iter().fold(0, number))
}

fn sfi_number(number: u8) -> Sfi {
    if (1..=30).contains(&number) { Sfi::Is(number) } else { Sfi::None }
}

fn sfi_of(value: &[u8]) -> Sfi {
    value.first().map_or(Sfi::None, |octet| sfi_number(octet >> 3))
}

fn kind_of(value: &[u8]) -> FileKind {
    let Some(descriptor) = value.first() else { return FileKind::Unknown };
    let record = || {
        let length = value.get(2..4).and_then(number).and_then(|n| u16::try_from(n).ok());
        length.filter(|length| *length > 0).map(|length| (length, value.get(4).copied()))
    };
    // Bit 7 says "shareable"; BER-TLV structure takes all the other bits.
    match descriptor & 0x3F {
        0x39 => FileKind::BerTlv,
        0x38 => FileKind::Directory,
        low if low & 0x07 == 1 => FileKind::Transparent,
        low if low & 0x07 == 2 => {
            record().map_or(FileKind::Unknown, |(length, count)| FileKind::Linear { length, count })
        }
        low if low & 0x07 == 6 => {
            record().map_or(FileKind::Unknown, |(length, count)| FileKind::Cyclic { length, count })
        }
        _ => FileKind::Unknown,
    }
}

fn life_of(value: &[u8]) -> Life {
    match value.first() {
        None | Some(0x05 | 0x07) => Life::Activated,
        Some(0x04 | 0x06) => Life::Deactivated,
        Some(0x0C..=0x0F) => Life::Terminated,
        Some(other) => Life::Other(*other),
    }
}

/// PIN status template: a bitmap `90`, first key in the highest bit, then the key references `83`.
fn pins_of(template: &Tlv<'_>) -> Vec<PinStatus> {
    let mut bitmap: &[u8] = &[];
    let mut pins = Vec::new();
    for object in template.children().intact() {
        match (object.tag, object.value) {
            (0x90, value) => bitmap = value,
            (0x83, [reference]) => {
                let index = pins.len();
                let octet = bitmap.get(index / 8).copied().unwrap_or(0);
                let enabled = octet & (0x80 >> (index % 8)) != 0;
                pins.push(PinStatus { reference: *reference, enabled });
            }
            _ => {}
        }
    }
    pins
}

/// CHV1 and CHV2 of a GSM directory: initialised ones count; only CHV1 can be disabled.
fn gsm_pins(answer: &[u8]) -> Vec<PinStatus> {
    let initialised = |at: usize| answer.get(at).is_some_and(|octet| octet & 0x80 != 0);
    let chv1_disabled = answer.get(13).is_some_and(|octet| octet & 0x80 != 0);
    let mut pins = Vec::new();
    if initialised(18) {
        pins.push(PinStatus { reference: 0x01, enabled: !chv1_disabled });
    }
    if initialised(20) {
        pins.push(PinStatus { reference: 0x02, enabled: true });
    }
    pins
}
