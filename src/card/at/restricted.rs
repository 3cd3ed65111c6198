//! APDUs for files turned into +CRSM, where a modem offers nothing more: SELECT is remembered, reading
//! names the file each time. There are no channels and no applications.

use crate::bytes::hex;
use crate::card::apdu::CLA_GSM;
use crate::card::fcp::{FileHeader, FileKind};
use crate::error::Result;
use std::fmt::Write;

/// The commands that +CRSM knows (TS 27.007 clause 8.18).
const READ_BINARY: u8 = 176;
const READ_RECORD: u8 = 178;
const GET_RESPONSE: u8 = 192;

const MF: [u8; 2] = [0x3F, 0x00];
const CURRENT_ADF: [u8; 2] = [0x7F, 0xFF];

const SW_OK: u16 = 0x9000;
const SW_NO_CHANNEL: u16 = 0x6881;
const SW_NO_FILE: u16 = 0x6A82;
const SW_NO_EF: u16 = 0x6986;
const SW_WRONG_P1_P2: u16 = 0x6A86;
const SW_NO_INSTRUCTION: u16 = 0x6D00;
const SW_NO_CLASS: u16 = 0x6E00;

/// What was selected last.
#[derive(Debug, Default)]
pub(super) struct Restricted {
    /// The current directory from the MF, without the MF.
    directory: Vec<u8>,
    /// The current file in it.
    file: Option<[u8; 2]>,
    /// A GSM header that waits for GET RESPONSE.
    waiting: Vec<u8>,
}

type Access<'a> = &'a mut dyn FnMut(String) -> Result<(Vec<u8>, u16)>;

impl Restricted {
    /// The response APDU to `command`; `access` sends one +CRSM command.
    pub(super) fn transmit(
        &mut self,
        command: &[u8],
        mut access: impl FnMut(String) -> Result<(Vec<u8>, u16)>,
    ) -> Result<Vec<u8>> {
        let (mut data, sw) = self.answer(command, &mut access)?;
        data.extend_from_slice(&sw.to_be_bytes());
        Ok(data)
    }

    fn answer(&mut self, command: &[u8], access: Access<'_>) -> Result<(Vec<u8>, u16)> {
        let &[cla, ins, p1, p2, ref rest @ ..] = command else {
            return Ok((Vec::new(), SW_NO_INSTRUCTION));
        };
        let le = rest.first().copied().unwrap_or(0);
        match ins {
            0xA4 => {
                let lc = usize::from(le);
                let data = rest.get(1..).and_then(|data| data.get(..lc)).unwrap_or_default();
                if cla == CLA_GSM {
                    self.select_gsm(data, access)
                } else {
                    self.select(p1, data, access)
                }
            }
            0xB0 if p1 < 0x80 => self.read(READ_BINARY, p1, p2, le, access),
            // A short identifier belongs to a directory that is current on the card.
            0xB0 => Ok((Vec::new(), SW_NO_FILE)),
            0xB2 => self.read(READ_RECORD, p1, p2, le, access),
            0xC0 => Ok((std::mem::take(&mut self.waiting), SW_OK)),
            0x70 => Ok((Vec::new(), SW_NO_CHANNEL)),
            _ => Ok((Vec::new(), SW_NO_INSTRUCTION)),
        }
    }

    /// SELECT of a UICC: by path from the MF, and of the MF.
    fn select(&mut self, p1: u8, data: &[u8], access: Access<'_>) -> Result<(Vec<u8>, u16)> {
        let Some((directory, file)) = data.split_last_chunk::<2>() else {
            return Ok((Vec::new(), SW_WRONG_P1_P2));
        };
        match p1 {
            0x00 if *file == MF => {}
            0x08 if !data.starts_with(&CURRENT_ADF) => {}
            0x04 | 0x08 => return Ok((Vec::new(), SW_NO_FILE)),
            _ => return Ok((Vec::new(), SW_WRONG_P1_P2)),
        }
        let (header, sw) = access(restricted(GET_RESPONSE, *file, [0; 3], directory))?;
        let is_fcp = matches!(header.first(), Some(0x62 | 0x6F));
        if *file == MF {
            // A SIM says what it is with its header; a modem that does not tell has a UICC.
            let sw = if !is_fcp && sw == SW_OK && !header.is_empty() { SW_NO_CLASS } else { SW_OK };
            return Ok((if is_fcp { header } else { Vec::new() }, sw));
        }
        if !is_done(sw) {
            return Ok((Vec::new(), sw));
        }
        (self.directory, self.file) = (directory.to_vec(), Some(*file));
        Ok((if is_fcp { header } else { fcp(&header) }, SW_OK))
    }

    /// SELECT of a SIM: one identifier, below the current directory.
    fn select_gsm(&mut self, data: &[u8], access: Access<'_>) -> Result<(Vec<u8>, u16)> {
        let &[high, low] = data else { return Ok((Vec::new(), SW_WRONG_P1_P2)) };
        let file = [high, low];
        if file == MF {
            (self.directory, self.file) = (Vec::new(), None);
        }
        let (header, sw) = access(restricted(GET_RESPONSE, file, [0, 0, 15], &self.directory))?;
        if !is_done(sw) && matches!(high, 0x3F | 0x5F | 0x7F) {
            // Not every modem tells of a directory, which these are (GSM 11.11 clause 6.5).
            self.directory.extend_from_slice(if file == MF { &[] } else { &file });
            self.file = None;
            return Ok((Vec::new(), SW_OK));
        }
        if !is_done(sw) {
            return Ok((Vec::new(), sw));
        }
        let kind = FileHeader::from_gsm(&header).map(|header| header.kind);
        if kind == Ok(FileKind::Directory) && file != MF {
            self.directory.extend_from_slice(&file);
        }
        self.file = Some(file).filter(|_| kind != Ok(FileKind::Directory));
        let waiting = (header.len() & 0xFF) as u16;
        self.waiting = header;
        Ok((Vec::new(), 0x9F00 | waiting))
    }

    fn read(
        &self,
        command: u8,
        p1: u8,
        p2: u8,
        le: u8,
        access: Access<'_>,
    ) -> Result<(Vec<u8>, u16)> {
        let Some(file) = self.file else { return Ok((Vec::new(), SW_NO_EF)) };
        let (data, sw) = access(restricted(command, file, [p1, p2, le], &self.directory))?;
        Ok((data, if is_done(sw) { SW_OK } else { sw }))
    }
}

/// Success, also of a modem that shows the status word before it fetched the data.
fn is_done(sw: u16) -> bool {
    sw == SW_OK || matches!(sw >> 8, 0x61 | 0x91 | 0x9F)
}

/// The command with the path of the file's directory; the MF has a path of its own here.
fn restricted(command: u8, file: [u8; 2], p: [u8; 3], directory: &[u8]) -> String {
    let directory = if directory.is_empty() { &MF } else { directory };
    let mut text = format!("AT+CRSM={command},{}", u16::from_be_bytes(file));
    for parameter in p {
        // Writing to a String does not fail.
        let _ = write!(text, ",{parameter}");
    }
    let _ = write!(text, ",,\"{}\"", hex::encode(directory));
    text
}

/// The FCP that says what a header of GSM form says: some modems translate.
fn fcp(header: &[u8]) -> Vec<u8> {
    let Ok(header) = FileHeader::from_gsm(header) else { return Vec::new() };
    let mut body = match header.kind {
        FileKind::Transparent => vec![0x82, 0x02, 0x41, 0x21],
        FileKind::Linear { length, .. } => vec![0x82, 0x04, 0x42, 0x21, 0, length as u8],
        FileKind::Cyclic { length, .. } => vec![0x82, 0x04, 0x46, 0x21, 0, length as u8],
        FileKind::Directory => vec![0x82, 0x02, 0x78, 0x21],
        FileKind::BerTlv | FileKind::Unknown => Vec::new(),
    };
    if let Some(fid) = header.fid {
        body.extend([0x83, 0x02, (fid >> 8) as u8, (fid & 0xFF) as u8]);
    }
    if let Some(size) = header.size {
        body.extend([0x80, 0x02, (size >> 8) as u8, (size & 0xFF) as u8]);
    }
    // No short identifier is claimed.
    body.extend([0x88, 0x00]);
    [&[0x62, body.len() as u8], &body[..]].concat()
}
