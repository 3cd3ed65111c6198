//! Command and response APDUs (ISO 7816-4, ETSI TS 102 221 clause 10): class, instruction, parameters,
//! status word. Must not know a card's state.

use super::input::{Apdu, Side};
use super::shown::Record;
use super::{Decoded, Fault, apdu_names, card, cat};

/// Class of faults in an APDU's length.
const LENGTH: &str = "apdu-length";
const SELECT: u8 = 0xA4;
const GET_RESPONSE: u8 = 0xC0;
const FETCH: u8 = 0x12;
const TERMINAL_RESPONSE: u8 = 0x14;
const ENVELOPE: u8 = 0xC2;

/// The APDUs in their order. One that is not marked is a response if it ends like one behind a command,
/// or cannot be a command; else it is a command.
pub(super) fn decode(apdus: &[Apdu]) -> Result<Decoded, Fault> {
    if apdus.is_empty() {
        return Err(Fault::new("E_EMPTY", 0, "no APDU"));
    }
    let mut records = Vec::new();
    let mut asked: Option<u8> = None;
    for (index, apdu) in apdus.iter().enumerate() {
        let is_response = match apdu.side {
            Side::Command => false,
            Side::Response => true,
            Side::Unmarked => {
                ends_like_response(&apdu.octets)
                    && (asked.is_some() || Command::read(&apdu.octets).is_err())
            }
        };
        let record = if is_response {
            response(&apdu.octets, asked.take())
        } else {
            Command::read(&apdu.octets).map(|command| {
                asked = Some(command.ins);
                command.record()
            })
        };
        let note = |fault: Fault| match apdus.len() {
            1 => fault,
            _ => fault.noting(format_args!("APDU {}", index + 1)),
        };
        records.push(record.map_err(note)?);
    }
    Ok(Decoded::default().with_records("exchange", &records))
}

fn ends_like_response(octets: &[u8]) -> bool {
    matches!(octets, [.., 0x61..=0x6F | 0x90..=0x9F, _])
}

/// A command APDU.
struct Command<'a> {
    cla: u8,
    ins: u8,
    p1: u8,
    p2: u8,
    data: &'a [u8],
    le: Option<u32>,
}

impl<'a> Command<'a> {
    fn read(octets: &'a [u8]) -> Result<Self, Fault> {
        let Some(([cla, ins, p1, p2], body)) = octets.split_first_chunk::<4>() else {
            return Err(Fault::new(LENGTH, octets.len(), "a command has at least four octets"));
        };
        if *cla == 0xFF {
            return Err(Fault::new("apdu-class", 0, "FF is no class"));
        }
        let (data, le): (&[u8], Option<u32>) = match body {
            [] => (&[], None),
            [le] => (&[], Some(expected(&[*le]))),
            [0, le @ ..] if le.len() == 2 => (&[], Some(expected(le))),
            [0, high, low, rest @ ..] => {
                let lc = usize::from(u16::from_be_bytes([*high, *low]));
                data_and_le(rest, lc, 2)?
            }
            [lc, rest @ ..] => data_and_le(rest, usize::from(*lc), 1)?,
        };
        Ok(Self { cla: *cla, ins: *ins, p1: *p1, p2: *p2, data, le })
    }

    fn record(&self) -> Record {
        let record =
            class(Record::default().hex("cla", &[self.cla]), self.cla).hex("ins", &[self.ins]);
        let record = match apdu_names::instruction(self.ins) {
            Some(name) => record.text("command", name),
            None => record,
        };
        let record = record.hex("p1", &[self.p1]).hex("p2", &[self.p2]);
        let record = if self.data.is_empty() {
            record
        } else {
            record.number("lc", self.data.len()).hex("data", self.data)
        };
        let record = record.maybe_number("le", self.le);
        match self.ins {
            TERMINAL_RESPONSE | ENVELOPE if !self.data.is_empty() => {
                record.nesting("toolkit", cat::decode(self.data))
            }
            _ => record,
        }
    }
}

/// Le: all zeros stand for the most there can be.
fn expected(octets: &[u8]) -> u32 {
    let number = octets.iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet));
    if number == 0 { 1 << (8 * octets.len()) } else { number }
}

/// What follows an Lc: `lc` octets of data, then at most an Le of `width` octets.
fn data_and_le(rest: &[u8], lc: usize, width: usize) -> Result<(&[u8], Option<u32>), Fault> {
    match rest.split_at_checked(lc) {
        Some((data, [])) => Ok((data, None)),
        Some((data, le)) if le.len() == width => Ok((data, Some(expected(le)))),
        _ => {
            let what = format!("Lc {lc}, but {} octets follow", rest.len());
            Err(Fault::new(LENGTH, 4, what))
        }
    }
}

/// The record with the parts of the class byte (TS 102 221 clause 10.1.1).
fn class(record: Record, cla: u8) -> Record {
    let kind = match cla {
        0xA0 => return record.word("class", "gsm"),
        0x00..=0x1F | 0x40..=0x7F => "interindustry",
        0x80..=0x9F | 0xC0..=0xFE => "etsi",
        _ => return record.word("class", "proprietary"),
    };
    let extended = cla & 0x40 != 0;
    let (channel, secured) =
        if extended { (4 + (cla & 0x0F), cla & 0x20 != 0) } else { (cla & 0x03, cla & 0x0C != 0) };
    let record = record.word("class", kind).number("channel", channel);
    let record = if secured { record.word("secure-messaging", "yes") } else { record };
    if cla & 0x10 == 0 { record } else { record.word("chaining", "yes") }
}

fn response(octets: &[u8], asked: Option<u8>) -> Result<Record, Fault> {
    let Some((data, sw)) = octets.split_last_chunk::<2>() else {
        return Err(Fault::new(LENGTH, octets.len(), "a response has at least two octets"));
    };
    let record = Record::default();
    let record = if data.is_empty() { record } else { record.hex("data", data) };
    let record =
        record.hex("sw", sw).text("status", dmsc::status_word::name(u16::from_be_bytes(*sw)));
    Ok(match (asked, data) {
        (Some(SELECT | GET_RESPONSE) | None, [0x62, ..]) => {
            record.nesting("header", card::fcp(data))
        }
        (Some(FETCH) | None, [0xD0, ..]) => record.nesting("toolkit", cat::decode(data)),
        _ => record,
    })
}
