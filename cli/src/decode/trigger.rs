//! Pushes, short messages and notifications, and what they carry. Must not know keys: neither a MAC nor
//! a digest is checked.

use super::document::{self, Document};
use super::shown::Record;
use super::{Decoded, Fault};
use dmsc::trigger::notification::Notification;
use dmsc::trigger::push::{Media, Push};
use dmsc::trigger::sms::{Segment, without_service_centre};

/// Octets of the digest of a package #0.
const DIGEST: usize = 16;

/// Package #0.
pub(super) fn notification(octets: &[u8]) -> Result<Decoded, Fault> {
    let read = Notification::read(octets)?;
    let mut decoded = Decoded::of(
        &Record::default()
            .number("version", read.version)
            .number("ui-mode", read.ui_mode as u8)
            .number("initiator", read.initiator as u8)
            .word("future", format_args!("{:X}", future(read.trigger())))
            .word("session-id", format_args!("{:04X}", read.session_id))
            .word("server-id", &read.server_id)
            .word("vendor", or_dash(&dmsc::bytes::hex::encode(read.vendor())))
            .word("digest", "not-checked"),
    );
    let digest = octets.get(..DIGEST).unwrap_or_default();
    decoded.json.insert("digest_octets".into(), crate::output::hex(digest).into());
    Ok(decoded)
}

/// The 27 bits for future use.
fn future(trigger: &[u8]) -> u32 {
    let octets = trigger.get(1..5).and_then(|octets| <[u8; 4]>::try_from(octets).ok());
    u32::from_be_bytes(octets.unwrap_or_default()) & 0x07FF_FFFF
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// WSP push: its head, then what it carries.
pub(super) fn push(octets: &[u8]) -> Result<Decoded, Fault> {
    let push = Push::read(octets)?;
    let sec = match push.sec {
        Some(sec) => Some((sec as u8).to_string()),
        None if push.media == Media::Notification => None,
        None => Some("none".to_owned()),
    };
    let record = Record::default()
        .hex("tid", &[push.tid])
        .word("type", "06")
        .word("content-type", push.media.name())
        .maybe_number("charset", push.charset)
        .maybe("app-id", push.app_id)
        .maybe_number("push-flag", push.push_flag)
        .maybe("sec", sec)
        .maybe("mac", push.mac.as_ref().map(|mac| dmsc::bytes::hex::encode(mac.expose())))
        .octets("body", push.body);
    let record = match push.media {
        Media::Notification => record.nesting("notification", notification(push.body)),
        Media::ConnectivityXml | Media::ConnectivityWbxml => {
            record.nesting("document", document::decode(Document::Prov, push.body, false))
        }
        Media::DmWbxml | Media::DmXml => {
            record.nesting("document", document::decode(Document::SyncMl, push.body, false))
        }
    };
    Ok(Decoded::of(&record))
}

/// Short message: ports and segment, then the push, if the message is a whole one.
pub(super) fn sms(octets: &[u8]) -> Result<Decoded, Fault> {
    let centre = service_centre(octets)?;
    let tpdu = octets.get(centre..).unwrap_or_default();
    let segment = Segment::read(tpdu).map_err(|error| Fault::from(error).behind(centre))?;
    let record = Record::default()
        .number("dst-port", dmsc::trigger::sms::PUSH_PORT)
        .number("src-port", segment.source_port);
    let record = match segment.part {
        None => record.word("segments", "1/1"),
        Some(part) => {
            let digits = if part.wide { 4 } else { 2 };
            record
                .word("ref", format_args!("{:0digits$X}", part.reference))
                .word("segment", format_args!("{}/{}", part.sequence, part.total))
        }
    };
    let record = record.octets("payload", segment.data);
    Ok(Decoded::of(&match segment.part.filter(|part| part.total > 1) {
        None => record.nesting("push", push(segment.data)),
        Some(_) => record.containing(vec![Record::default().hex("part", segment.data)]),
    }))
}

/// Octets of the service centre address that modems print in front of a TPDU. A TPDU with a push has
/// bit 7 of its first octet set (user data header), so that no length of an address looks like it.
fn service_centre(pdu: &[u8]) -> Result<usize, Fault> {
    const LONGEST: u8 = 12;
    match pdu {
        [0, ..] => Ok(1),
        [1..=LONGEST, kind, ..] if kind & 0x80 != 0 => {
            Ok(pdu.len() - without_service_centre(pdu)?.len())
        }
        _ => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_centre_is_told_from_a_tpdu() {
        assert_eq!(service_centre(&[0, 0x44, 1]), Ok(1));
        assert_eq!(service_centre(&[2, 0x91, 0x21, 0x44, 1]), Ok(3));
        assert_eq!(service_centre(&[0x44, 0x0B, 0x91]), Ok(0));
        assert_eq!(service_centre(&[0x04, 0x0B, 0x91]), Ok(0));
        assert_eq!(service_centre(&[]), Ok(0));
        let cut = service_centre(&[7, 0x91, 0x21]).unwrap_err().to_string();
        assert!(cut.starts_with("E_SMS_TRUNCATED at byte 1: "), "{cut}");
    }
}
