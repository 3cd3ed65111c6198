//! A SIM of GSM 11.11: class `A0`, file identifiers only, no applications, no channels. The same files and
//! toolkit as a UICC's, spoken to and answered in the older way.

use super::apdu::{Answer, Class, Command, Sw};
use super::files::{Content, File, FileId, MF, Read};
use super::{
    Card, INS_ENVELOPE, INS_FETCH, INS_GET_RESPONSE, INS_READ_BINARY, INS_READ_RECORD, INS_SELECT,
    INS_STATUS, INS_TERMINAL_PROFILE, INS_TERMINAL_RESPONSE, INS_VERIFY,
};

const CLA: u8 = 0xA0;
/// The class of the same command on a UICC.
const BASIC: Class = Class { etsi: false, channel: 0 };
/// Octets of a directory's header.
const DIRECTORY: usize = 22;

/// Carries out a command.
pub(super) fn dispatch(card: &mut Card, command: &Command<'_>) -> Result<(Vec<u8>, Sw), Sw> {
    if command.cla != CLA {
        return Err(Sw::CLASS);
    }
    if command.ins == INS_GET_RESPONSE {
        let waiting = std::mem::take(&mut card.channels.get(0)?.waiting);
        return taken(waiting, command);
    }
    card.channels.get(0)?.waiting.clear();
    let answer = match command.ins {
        INS_SELECT => select(card, command),
        INS_READ_BINARY if command.p1 & 0x80 != 0 => Err(Sw::OFFSET),
        INS_READ_BINARY | INS_READ_RECORD => card.file_command(&BASIC, command),
        INS_VERIFY => card.pin.verify(command),
        INS_STATUS => {
            card.toolkit.polled();
            let directory = card.channels.get(0)?.position.directory;
            Ok(Answer::UpTo(header(card, directory)))
        }
        INS_TERMINAL_PROFILE | INS_FETCH | INS_TERMINAL_RESPONSE | INS_ENVELOPE => {
            card.toolkit_command(command)
        }
        _ => return Err(Sw::INSTRUCTION),
    };
    match answer.map_err(translated)? {
        Answer::Done => Ok((Vec::new(), Sw::OK)),
        Answer::Out(data) => {
            let sw = Sw::with_length(0x9F, data.len());
            card.channels.get(0)?.waiting = data;
            Err(sw)
        }
        Answer::Exact(data) | Answer::UpTo(data) => taken(data, command),
    }
}

/// P3 octets of the data; a SIM does not have more to give, and says how many it has.
fn taken(mut data: Vec<u8>, command: &Command<'_>) -> Result<(Vec<u8>, Sw), Sw> {
    let wanted = command.le.unwrap_or(256);
    if wanted > data.len() {
        return Err(Sw(0x6700 | (data.len() & 0xFF) as u16));
    }
    data.truncate(wanted);
    Ok((data, Sw::OK))
}

/// The older status word for the same thing.
fn translated(sw: Sw) -> Sw {
    Sw(match sw {
        Sw::NOT_FOUND => 0x9404,
        Sw::OFFSET | Sw::RECORD_NOT_FOUND => 0x9402,
        Sw::FILE_STRUCTURE => 0x9408,
        Sw::NO_EF => 0x9400,
        Sw::SECURITY => 0x9804,
        Sw::BLOCKED => 0x9840,
        Sw(wrong @ 0x63C0..=0x63CF) => {
            if wrong == 0x63C0 {
                0x9840
            } else {
                0x9804
            }
        }
        other => other.0,
    })
}

fn select(card: &mut Card, command: &Command<'_>) -> Result<Answer, Sw> {
    if (command.p1, command.p2) != (0, 0) {
        return Err(Sw::OFFSET);
    }
    let &[high, low] = command.data else { return Err(Sw(0x6702)) };
    let position = &mut card.channels.get(0)?.position;
    let id = card.files.by_fid(position, u16::from_be_bytes([high, low])).ok_or(Sw::NOT_FOUND)?;
    card.files.enter(position, id);
    Ok(Answer::Out(header(card, id)))
}

/// What GET RESPONSE gives behind SELECT (GSM 11.11 section 9.2.1).
fn header(card: &Card, id: FileId) -> Vec<u8> {
    let file = card.files.get(id);
    let [high, low] = file.fid.to_be_bytes();
    match &file.content {
        Content::Directory { .. } => {
            let mut octets = vec![0; DIRECTORY];
            octets[4..7].copy_from_slice(&[high, low, if id == MF { 0x01 } else { 0x02 }]);
            let disabled = if card.pin.enabled() { 0x00 } else { 0x80 };
            let (directories, files) = card.files.counts(id);
            let counts = [directories as u8, files as u8];
            let tail = [0x04, 0x00, 0x83, 0x8A, 0x83, 0x8A];
            let tail = [&[0x09, disabled | 0x01], &counts[..], &tail].concat();
            octets[12..].copy_from_slice(&tail);
            octets
        }
        Content::Transparent(octets) => elementary(file, octets.len(), 0x00, 0x00),
        Content::Linear { length, records } => {
            elementary(file, usize::from(*length) * records.len(), 0x01, *length)
        }
    }
}

fn elementary(file: &File, size: usize, structure: u8, record: u8) -> Vec<u8> {
    let [fid_high, fid_low] = file.fid.to_be_bytes();
    let read = match file.read {
        Read::Always => 0x0C,
        Read::Pin1 => 0x1C,
    };
    let size = (size as u16).to_be_bytes();
    let start = [0x00, 0x00, size[0], size[1], fid_high, fid_low, 0x04, 0x00];
    [&start[..], &[read, 0xFF, 0xFF, 0x01, 0x02, structure, record]].concat()
}
