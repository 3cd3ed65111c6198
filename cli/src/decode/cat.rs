//! The toolkit's octets: proactive commands, envelopes, terminal responses. One line for the BER-TLV
//! around, if there is one, and one for each data object. Must not know what a terminal does with them.

use super::cat_names as names;
use super::objects::{place, without_status};
use super::shown::Record;
use super::{Decoded, Fault};
use dmsc::bytes::bcd;
use dmsc::bytes::ctlv::{Ctlv, Reader, ber_value};
use dmsc::bytes::hex;
use dmsc::card::cat::text;

/// A proactive command, an envelope, or the data of a terminal response, perhaps with status word 9000
/// behind it.
pub(super) fn decode(content: &[u8]) -> Result<Decoded, Fault> {
    let Some(first) = content.first() else {
        return Err(Fault::new("E_EMPTY", 0, "no toolkit data"));
    };
    let (decoded, status) = match first {
        0xD0..=0xDF => outer(content, *first)?,
        _ => {
            let is_whole = |front: &[u8]| !front.is_empty() && objects(front).is_ok();
            let (content, status) = without_status(content, is_whole);
            let records: Vec<Record> = objects(content)?.iter().map(record).collect();
            (Decoded::default().with_records("objects", &records), status)
        }
    };
    Ok(decoded.with_status(status))
}

/// The BER-TLV with tag `tag`, and whether a status word follows it.
fn outer(content: &[u8], tag: u8) -> Result<(Decoded, bool), Fault> {
    let value = ber_value(content, tag)?;
    let start = place(content, value);
    let end = start + value.len();
    let status = match content.get(end..).unwrap_or_default() {
        [0x90, 0x00] => true,
        rest if rest.iter().all(|octet| *octet == 0xFF) => false,
        _ => return Err(Fault::new("E_TRAILING_DATA", end, "something follows the command")),
    };
    let objects = objects(value).map_err(|fault| fault.behind(start))?;
    let inner =
        objects.iter().map(|object| format!("{}:{}", tag_text(object), hex::encode(object.value)));
    let record = Record::default()
        .hex("tag", &[tag])
        .number("len", value.len())
        .list("inner", inner.collect())
        .maybe("name", names::outer(tag))
        .containing(objects.iter().map(record).collect());
    Ok((Decoded::of(&record), status))
}

fn objects(octets: &[u8]) -> Result<Vec<Ctlv<'_>>, Fault> {
    let mut reader = Reader::new(octets);
    let mut objects = Vec::new();
    while let Some(object) = reader.read()? {
        objects.push(object);
    }
    Ok(objects)
}

/// Two digits, or four for the tags of three octets.
fn tag_text(object: &Ctlv<'_>) -> String {
    if object.tag < 0x7F { format!("{:02X}", object.tag) } else { format!("{:04X}", object.tag) }
}

fn record(object: &Ctlv<'_>) -> Record {
    let record = Record::default()
        .word("tag", tag_text(object))
        .flag("cr", object.required)
        .number("len", object.value.len())
        .hex("value", object.value)
        .maybe("name", names::object(object.tag));
    meaning(record, object.tag, object.value)
}

/// The record with what the value means, for the objects of which that is worth knowing.
fn meaning(record: Record, tag: u16, value: &[u8]) -> Record {
    match (tag, value) {
        (0x01, [number, kind, qualifier]) => record
            .number("number", *number)
            .text("command", named(names::command(*kind), *kind))
            .hex("qualifier", &[*qualifier]),
        (0x02, [from, to]) => record
            .word("from", named(names::device(*from), *from))
            .word("to", named(names::device(*to), *to)),
        (0x03, [result, more @ ..]) => {
            let record = record.text("result", named(names::result(*result), *result));
            if more.is_empty() { record } else { record.hex("additional", more) }
        }
        (0x04, [unit, interval]) => match unit {
            0 => record.number("minutes", *interval),
            1 => record.number("seconds", *interval),
            2 => record.number("tenths", *interval),
            _ => record,
        },
        (0x05, value) => maybe_text(record, text::decode_alpha(value)),
        (0x0D | 0x17, value) => maybe_text(record, text::decode(value)),
        (0x0F, [item, label @ ..]) => {
            maybe_text(record.number("item", *item), text::decode_alpha(label))
        }
        (0x10, [item]) => record.number("item", *item),
        (0x11, [least, most]) => record.number("least", *least).number("most", *most),
        (0x12, [count, files @ ..]) => record.number("count", *count).list("files", paths(files)),
        (0x19, events) => {
            let events = events.iter().map(|event| named(names::event(*event), *event));
            record.list("events", events.collect())
        }
        (0x24, [timer]) => record.number("timer", *timer),
        (0x25, value) => record.maybe("time", time(value)),
        (0x2D | 0x31, value) => {
            maybe_text(record, std::str::from_utf8(value).ok().map(str::to_owned))
        }
        (0x35, [kind, ..]) => record.word("bearer", named(names::bearer(*kind), *kind)),
        (0x37, [length]) => record.number("octets", *length),
        (0x38, [first, second]) => channel(record, *first, *second),
        (0x39, [high, low]) => record.number("octets", u16::from_be_bytes([*high, *low])),
        (0x3C, [level, high, low]) => record
            .word("transport", named(names::transport(*level), *level))
            .number("port", u16::from_be_bytes([*high, *low])),
        (0x3E, [0x21, address @ ..]) if address.len() == 4 => {
            let address: Vec<String> = address.iter().map(u8::to_string).collect();
            record.word("address", address.join("."))
        }
        _ => record,
    }
}

/// The name, or the number in hexadecimal.
fn named(name: Option<&str>, number: u8) -> String {
    name.map_or_else(|| hex::encode(&[number]), str::to_owned)
}

fn maybe_text(record: Record, text: Option<String>) -> Record {
    match text {
        Some(text) => record.text("text", text),
        None => record,
    }
}

/// Paths one behind the other; each begins with the MF, `3F00`.
fn paths(octets: &[u8]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for fid in octets.chunks(2) {
        match paths.last_mut() {
            Some(path) if fid != [0x3F, 0x00] => *path += &hex::encode(fid),
            _ => paths.push(hex::encode(fid)),
        }
    }
    paths
}

/// Hours, minutes and seconds in swapped digits.
fn time(value: &[u8]) -> Option<String> {
    let digits = bcd::decode_swapped(value).ok()?;
    let [hours, minutes, seconds] = [digits.get(..2)?, digits.get(2..4)?, digits.get(4..6)?];
    (digits.len() == 6).then(|| format!("{hours}:{minutes}:{seconds}"))
}

/// Channel status: channel, link or TCP state, and why it went down (TS 102 223 clause 8.56).
fn channel(record: Record, first: u8, second: u8) -> Record {
    let state = match first & 0xC0 {
        0x00 => "closed-or-no-link",
        0x40 => "listen",
        0x80 => "established",
        _ => "reserved",
    };
    let record = record.number("channel", first & 0x07).word("state", state);
    match second {
        0x00 => record,
        0x05 => record.word("info", "link-dropped"),
        other => record.hex("info", &[other]),
    }
}
