//! Selecting and reading files on one channel (ETSI TS 102 221 clauses 8.4, 11.1.1 to 11.1.6; GSM
//! 11.11 clause 9.2). Must not know what a file is for. Nothing here ever writes.

use super::apdu::{Command, Mode};
use super::channel::Channel;
use super::fcp::{FileHeader, FileKind, Life};
use crate::bytes::hex;
use crate::error::{Code, Error, Result};
use crate::limits;
use std::fmt;

const INS_SELECT: u8 = 0xA4;
const INS_READ_BINARY: u8 = 0xB0;
const INS_READ_RECORD: u8 = 0xB2;

/// SELECT: return the FCP template.
const RETURN_FCP: u8 = 0x04;
const RETURN_NOTHING: u8 = 0x0C;
/// Identifier of the MF, which a path for SELECT leaves out.
const MF: [u8; 2] = [0x3F, 0x00];
/// Stands for the application that is active on the channel.
const CURRENT_ADF: [u8; 2] = [0x7F, 0xFF];
/// Highest offset of READ BINARY.
const LAST_OFFSET: usize = 0x7FFF;
/// Highest record number.
const LAST_RECORD: u8 = 254;

/// A path from the MF, without the MF's own identifier, or from the channel's current application
/// if it begins with `7FFF`. One to eight file identifiers.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePath(Vec<u8>);

impl FilePath {
    /// The path of these octets; a leading `3F00` is left out.
    ///
    /// Fails with `CardBadData` if that is no whole number of one to eight identifiers.
    pub fn new(octets: &[u8]) -> Result<Self> {
        let path = octets.strip_prefix(&MF).unwrap_or(octets);
        if !path.len().is_multiple_of(2) || !(2..=16).contains(&path.len()) {
            let what = format!("path of {} octets", octets.len());
            return Err(Error::new(Code::CardBadData, what));
        }
        Ok(Self(path.to_vec()))
    }

    /// The path of a file of the channel's current application.
    pub fn in_adf(fid: u16) -> Self {
        Self([CURRENT_ADF, fid.to_be_bytes()].concat())
    }

    /// The path of a file below the MF.
    pub fn in_mf(fid: u16) -> Self {
        Self(fid.to_be_bytes().to_vec())
    }

    /// The octets for SELECT by path.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The directory above and the last identifier.
    fn split(&self) -> (&[u8], [u8; 2]) {
        match self.0.split_last_chunk::<2>() {
            Some((directory, fid)) => (directory, *fid),
            None => (&[], MF),
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilePath({self})")
    }
}

/// Part of a transparent file; of a record file, the record with number `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Offset of the first octet.
    pub index: usize,
    /// Octets.
    pub length: usize,
}

/// What was read from a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// A transparent file.
    Octets(Vec<u8>),
    /// A record file, in record order.
    Records(Vec<Vec<u8>>),
}

impl Body {
    /// All octets in one run.
    pub fn into_octets(self) -> Vec<u8> {
        match self {
            Self::Octets(octets) => octets,
            Self::Records(records) => records.concat(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Octets(octets) => write!(f, "{} octets", octets.len()),
            Self::Records(records) => write!(f, "{} records", records.len()),
        }
    }
}

/// Selects the application `aid` (which may be right truncated) on the channel.
pub fn select_aid(channel: &mut Channel<'_>, aid: &[u8]) -> Result<()> {
    // What comes back is not looked at: some cards answer with the FCP of a file inside.
    select_uicc(channel, 0x04, aid).map(drop)
}

/// Selects the file at `path` and returns what the card says of it.
///
/// Fails with `CardFileNotFound`, `CardAccessDenied` or `CardSw` as the card refuses; a file that
/// is deactivated or terminated counts as refused.
pub fn select(channel: &mut Channel<'_>, path: &FilePath) -> Result<FileHeader> {
    let answer = match channel.mode() {
        Mode::Gsm => return select_gsm(channel, path),
        Mode::Uicc => select_uicc(channel, 0x08, path.octets()),
    };
    let (directory, fid) = path.split();
    let answer = match answer {
        // Not every card knows 7FFF; the application's directory is current after SELECT by AID.
        Err(error) if matches!(error.card_sw >> 8, 0x6A | 0x6B) && directory == CURRENT_ADF => {
            select_uicc(channel, 0x00, &fid).map_err(|_| error)
        }
        answer => answer,
    };
    let header = answer.and_then(|answer| FileHeader::from_fcp(&answer));
    usable(header.map_err(|error| error.context(format!("SELECT {path}")))?, path)
}

fn select_uicc(channel: &mut Channel<'_>, p1: u8, data: &[u8]) -> Result<Vec<u8>> {
    let select = Command::new(INS_SELECT, p1, RETURN_FCP).with_data(data).expecting(256);
    let mut answer = channel.exchange_patiently(&select)?;
    if matches!(answer.sw, 0x6A86 | 0x6A87) {
        answer = channel.exchange(&Command { p2: 0x00, ..select })?;
    }
    answer.success("SELECT")
}

/// Selects a file whose header is known already: on a UICC without asking for it, which saves the
/// exchange that fetches it.
pub fn select_known(channel: &mut Channel<'_>, path: &FilePath) -> Result<()> {
    if channel.mode() == Mode::Uicc {
        let select = Command::new(INS_SELECT, 0x08, RETURN_NOTHING).with_data(path.octets());
        if channel.exchange_patiently(&select)?.is_success() {
            return Ok(());
        }
    }
    select(channel, path).map(drop)
}

/// Reads the transparent file with short identifier `sfi` in the channel's current directory, which makes
/// it the selected one, in one exchange. `None` where that does not give a whole file: the card refuses, or
/// there may be more.
pub fn read_short(channel: &mut Channel<'_>, sfi: u8) -> Result<Option<Vec<u8>>> {
    let most = most_at_once(channel);
    let command = Command::new(INS_READ_BINARY, 0x80 | (sfi & 0x1F), 0x00).expecting(most);
    let answer = channel.exchange(&command)?;
    let is_whole = answer.is_success() || answer.sw == 0x6282;
    Ok(Some(answer.data).filter(|data| is_whole && (1..usize::from(most)).contains(&data.len())))
}

/// GSM: a file is selected from its directory, which is selected from the MF downwards.
fn select_gsm(channel: &mut Channel<'_>, path: &FilePath) -> Result<FileHeader> {
    let (directory, fid) = path.split();
    let context = |error: Error| error.context(format!("SELECT {path}"));
    if channel.directory.as_deref() != Some(directory) {
        channel.directory = None;
        for fid in std::iter::once(&MF[..]).chain(directory.chunks(2)) {
            let select = Command::new(INS_SELECT, 0x00, 0x00).with_data(fid);
            let answer = channel.exchange_without_data(&select)?;
            answer.success("SELECT directory").map_err(context)?;
        }
        channel.directory = Some(directory.to_vec());
    }
    let select = Command::new(INS_SELECT, 0x00, 0x00).with_data(&fid);
    let answer = channel.exchange_patiently(&select)?.success("SELECT").map_err(context)?;
    usable(FileHeader::from_gsm(&answer).map_err(context)?, path)
}

fn usable(header: FileHeader, path: &FilePath) -> Result<FileHeader> {
    match header.life {
        Life::Deactivated => Err(Error::card_sw(0x6283, format!("{path} is deactivated"))),
        Life::Terminated => Err(Error::card_sw(0x6285, format!("{path} is terminated"))),
        Life::Activated | Life::Other(_) => Ok(header),
    }
}

/// Reads the selected file, or the slice of it.
///
/// Fails with `NotSupported` for what is neither transparent nor made of records, with `TooLarge`
/// above [`limits::CARD_FILE`], and as the card refuses.
pub fn read(channel: &mut Channel<'_>, header: &FileHeader, slice: Option<Slice>) -> Result<Body> {
    match header.kind {
        FileKind::Transparent | FileKind::Unknown => {
            read_binary(channel, header.size, slice).map(Body::Octets)
        }
        FileKind::Linear { length, .. } | FileKind::Cyclic { length, .. } => {
            read_records(channel, length, slice).map(Body::Records)
        }
        FileKind::BerTlv => Err(Error::new(Code::NotSupported, "a BER-TLV file is not read")),
        FileKind::Directory => Err(Error::new(Code::NotSupported, "a directory is not read")),
    }
}

/// READ BINARY from the slice's offset to its end or the file's, whichever comes first. The claimed
/// size is not believed: a short answer is followed up, and the card may say that the file ended.
fn read_binary(
    channel: &mut Channel<'_>,
    size: Option<usize>,
    slice: Option<Slice>,
) -> Result<Vec<u8>> {
    let start = slice.map_or(0, |slice| slice.index);
    let wanted_end = slice.map(|slice| slice.index.saturating_add(slice.length));
    let end = match (size, wanted_end) {
        (Some(size), Some(end)) => Some(size.min(end)),
        (size, end) => size.or(end),
    };
    if end.is_some_and(|end| end > limits::CARD_FILE) {
        return Err(too_large());
    }
    let mut reader = BinaryReader { at: start, out: Vec::new(), most: most_at_once(channel) };
    while end.is_none_or(|end| reader.at < end) {
        let left = end.map_or(usize::MAX, |end| end - reader.at);
        if !reader.step(channel, left)? {
            break;
        }
    }
    Ok(reader.out)
}

fn most_at_once(channel: &mut Channel<'_>) -> u16 {
    let most = match channel.mode() {
        Mode::Uicc => 256,
        Mode::Gsm => 255,
    };
    most.min(channel.card().max_le())
}

struct BinaryReader {
    at: usize,
    out: Vec<u8>,
    /// Most octets to ask for at once.
    most: u16,
}

impl BinaryReader {
    /// One READ BINARY of at most `left` octets; false at the end of the file.
    fn step(&mut self, channel: &mut Channel<'_>, left: usize) -> Result<bool> {
        if self.at > LAST_OFFSET {
            return Err(too_large());
        }
        let offset = self.at;
        let count = u16::try_from(left).unwrap_or(u16::MAX).min(self.most);
        let command = Command::new(INS_READ_BINARY, (offset >> 8) as u8, (offset & 0xFF) as u8);
        let mut answer = channel.exchange_patiently(&command.expecting(count))?;
        if answer.sw == 0x6700 && self.most >= 255 {
            // The only other Le that can be right.
            let other = if count == 256 { 255 } else { 256 };
            answer = channel.exchange(&command.expecting(other))?;
        }
        answer.data.truncate(usize::from(count));
        let got = answer.data.len();
        match answer.sw {
            0x6B00 | 0x9402 if !self.out.is_empty() => return Ok(false),
            0x6281 => {
                let error = Error::card_sw(answer.sw, format!("READ BINARY at {offset}"));
                return Err(error.with_code(Code::CardBadData));
            }
            0x6282 => {}
            _ if answer.is_success() && got == 0 && count == 256 => {
                // Some cards give nothing for Le 00.
                self.most = 255;
                return Ok(true);
            }
            _ if answer.is_success() => {}
            sw => return Err(Error::card_sw(sw, format!("READ BINARY at {offset}"))),
        }
        self.out.append(&mut answer.data);
        self.at += got;
        Ok(got > 0 && answer.sw != 0x6282)
    }
}

/// READ RECORD of all records until the card has no more, or of the one that the slice names.
fn read_records(
    channel: &mut Channel<'_>,
    length: u16,
    slice: Option<Slice>,
) -> Result<Vec<Vec<u8>>> {
    if let Some(slice) = slice {
        let Ok(number @ 1..=LAST_RECORD) = u8::try_from(slice.index) else {
            return Ok(Vec::new());
        };
        let record = read_record(channel, number, length)?;
        return Ok(record.into_iter().collect());
    }
    let mut records = Vec::new();
    let mut octets = 0;
    for number in 1..=LAST_RECORD {
        let Some(record) = read_record(channel, number, length)? else { break };
        octets += record.len();
        if octets > limits::CARD_FILE {
            return Err(too_large());
        }
        records.push(record);
    }
    Ok(records)
}

/// READ RECORD in absolute mode; `None` if there is no such record.
///
/// Fails with `NotSupported` for records of more than 255 octets.
pub fn read_record(channel: &mut Channel<'_>, number: u8, length: u16) -> Result<Option<Vec<u8>>> {
    if !(1..=255).contains(&length) {
        return Err(Error::new(Code::NotSupported, format!("records of {length} octets")));
    }
    let command = Command::new(INS_READ_RECORD, number, 0x04).expecting(length);
    let answer = channel.exchange_patiently(&command)?;
    match answer.sw {
        0x6A83 | 0x9402 => Ok(None),
        0x6282 => Ok(Some(answer.data)),
        _ => answer.success(format!("READ RECORD {number}")).map(Some),
    }
}

fn too_large() -> Error {
    let what = format!("a file of more than {} octets is not read", limits::CARD_FILE);
    Error::new(Code::TooLarge, what)
}
