//! Every push, SMS and notification row of the vector files, and the conformance rows they show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

use dmsc::error::{Code, Error};
use dmsc::secret::Secret;
use dmsc::time::Now;
use dmsc::trigger::intake::{self, Delivery};
use dmsc::trigger::notification::{Notification, UiMode, Verdict, verify};
use dmsc::trigger::push::{Media, Push, Sec};
use dmsc::trigger::sms::{Reassembler, Segment, UserDataHeader, without_service_centre};
use std::collections::BTreeMap;

/// One row: octets and the expected column.
struct Vector {
    octets: Vec<u8>,
    expected: String,
}

fn table(text: &str) -> BTreeMap<String, Vector> {
    text.lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            // One file has the octets in the second column, the other in the third.
            let at = if columns.len() == 4 { 1 } else { 2 };
            let expected = columns[columns.len() - 1].to_owned();
            (columns[0].to_owned(), Vector { octets: hex(columns[at]), expected })
        })
        .collect()
}

fn encodings() -> BTreeMap<String, Vector> {
    table(include_str!("data/encoding-vectors.tsv"))
}

fn smartcard(name: &str) -> Vec<u8> {
    table(include_str!("data/smartcard-vectors.tsv")).remove(name).expect(name).octets
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|b| (b as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn show(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

/// The class at the head of an error text.
fn class(error: &Error) -> &str {
    let (class, rest) = error.what().split_once(" at byte ").unwrap();
    assert!(rest.contains(": "), "{error}");
    class
}

fn find<'a>(vectors: &'a BTreeMap<String, Vector>, short: &str) -> &'a [u8] {
    let start = format!("{short}-");
    let (_, vector) = vectors.iter().find(|(name, _)| name.starts_with(&start)).expect(short);
    &vector.octets
}

/// The `key=value` words of an expected column that are one word each.
fn words(expected: &str) -> BTreeMap<&str, &str> {
    expected.split(' ').filter_map(|word| word.split_once('=')).collect()
}

#[test]
fn every_push_row() {
    let vectors = encodings();
    let mut seen = 0;
    for (name, vector) in vectors.iter().filter(|(name, _)| name.starts_with('d')) {
        seen += 1;
        let read = Push::read(&vector.octets);
        match vector.expected.strip_prefix("ERROR:") {
            // The MAC itself is the bootstrap's to check: here it has to come out as it was sent.
            Some("E_CP_MAC_MISMATCH") => {
                let good = Push::read(find(&vectors, "d04")).unwrap();
                let bad = read.unwrap();
                assert_eq!((bad.sec, &bad.mac), (good.sec, &good.mac));
                assert_ne!(bad.body, good.body);
            }
            Some(expected) => assert_eq!(class(&read.expect_err(name)), expected, "{name}"),
            None => push_row(name, &read.expect(name), &words(&vector.expected), &vectors),
        }
    }
    assert_eq!(seen, 27);
}

fn push_row(
    name: &str,
    push: &Push<'_>,
    words: &BTreeMap<&str, &str>,
    vectors: &BTreeMap<String, Vector>,
) {
    for (key, value) in words {
        match *key {
            "tid" => assert_eq!(show(&[push.tid]), *value, "{name}"),
            "type" => assert_eq!(*value, "06"),
            "content-type" => assert_eq!(push.media.name(), *value, "{name}"),
            "app-id" => assert_eq!(push.app_id, Some(*value), "{name}"),
            "charset" => assert_eq!(push.charset.unwrap().to_string(), *value, "{name}"),
            "push-flag" => assert_eq!(push.push_flag.unwrap().to_string(), *value, "{name}"),
            "sec" if *value == "none" => assert_eq!(push.sec, None, "{name}"),
            "sec" => assert_eq!((push.sec.unwrap() as u8).to_string(), *value, "{name}"),
            "mac" => {
                let mac = show(push.mac.as_ref().unwrap().expose());
                assert!(mac.eq_ignore_ascii_case(value), "{name}: {mac}");
            }
            "body" if value.len() == 3 => assert_eq!(push.body, find(vectors, value), "{name}"),
            "body" => assert_eq!(push.body.len().to_string(), *value, "{name}"),
            // Keys and users are the bootstrap's; headers without use are skipped.
            "mac-check" | "user-input" | "initiator-uri" | "x-foo" => {}
            other => panic!("{name}: {other}"),
        }
    }
    assert_eq!(push.app_id.is_some(), words.contains_key("app-id"), "{name}");
    assert_eq!(push.mac.is_some(), words.contains_key("mac"), "{name}");
    if push.media == Media::Notification {
        let body = if name.starts_with("d27") { "f15" } else { "f01" };
        assert_eq!(push.body, find(vectors, body), "{name}");
    }
}

#[test]
fn every_sms_row() {
    let vectors = encodings();
    let mut seen = 0;
    for (name, vector) in vectors.iter().filter(|(name, _)| name.starts_with('e')) {
        seen += 1;
        let read = Segment::read(&vector.octets);
        if let Some(expected) = vector.expected.strip_prefix("ERROR:") {
            assert_eq!(class(&read.expect_err(name)), expected, "{name}");
            continue;
        }
        let (segment, words) = (read.expect(name), words(&vector.expected));
        assert_eq!(words["dst-port"], "2948");
        assert_eq!(segment.source_port.to_string(), words["src-port"], "{name}");
        let Some(reference) = words.get("ref") else {
            assert_eq!((segment.part, words["segments"]), (None, "1/1"), "{name}");
            assert_eq!(segment.data, find(&vectors, "d01"), "{name}");
            continue;
        };
        let part = segment.part.unwrap();
        assert_eq!(part.reference, u16::from_str_radix(reference, 16).unwrap());
        assert_eq!(part.wide, reference.len() == 4);
        let place = format!("{}/{};", part.sequence, part.total);
        assert_eq!(place, words["segment"]);
    }
    assert_eq!(seen, 15);
}

#[test]
fn concatenated_rows_join_in_every_order() {
    let vectors = encodings();
    for rows in [["e03", "e04", "e05"], ["e06", "e07", "e08"]] {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut open = Reassembler::new();
            let mut push = |row: usize| {
                open.push(&Segment::read(find(&vectors, rows[row])).unwrap(), Now::default())
            };
            assert_eq!(push(order[0]), None);
            assert_eq!(push(order[0]), None, "a duplicate");
            assert_eq!(push(order[1]), None);
            assert_eq!(push(order[2]).unwrap(), find(&vectors, "d04"));
        }
    }
}

#[test]
fn every_notification_row() {
    let vectors = encodings();
    let mut seen = 0;
    for (name, vector) in vectors.iter().filter(|(name, _)| name.starts_with('f')) {
        seen += 1;
        let read = Notification::read(&vector.octets);
        match vector.expected.strip_prefix("ERROR:") {
            Some("E_P0_DIGEST") => {
                let error = check(name, &read.unwrap()).unwrap_err();
                assert_eq!((class(&error), error.code()), ("E_P0_DIGEST", Code::TriggerDigest));
            }
            // Whether an account exists is the caller's to know.
            Some("E_P0_SERVER") => assert_eq!(read.unwrap().server_id, "other.server"),
            Some(expected) => {
                let error = read.expect_err(name);
                assert_eq!((class(&error), error.code()), (expected, Code::TriggerFormat));
            }
            None => notification_row(name, &read.expect(name), &words(&vector.expected)),
        }
    }
    assert_eq!(seen, 16);
}

/// Checks the digest with the credentials that the reference's examples use.
fn check(name: &str, notification: &Notification) -> Result<Verdict, Error> {
    let nonce = match name.split_once('-').unwrap().0 {
        "f02" => Secret::new(*b"nonce"),
        _ => Secret::new((0x10..=0x1F).collect::<Vec<u8>>()),
    };
    verify(notification, &Secret::new(*b"srvpwd"), &nonce, true)
}

fn notification_row(name: &str, read: &Notification, words: &BTreeMap<&str, &str>) {
    assert_eq!(read.version.to_string(), words["version"], "{name}");
    assert_eq!((read.ui_mode as u8).to_string(), words["ui-mode"], "{name}");
    assert_eq!((read.initiator as u8).to_string(), words["initiator"], "{name}");
    assert_eq!(format!("{:04X}", read.session_id), words["session-id"], "{name}");
    assert_eq!(read.server_id, words["server-id"], "{name}");
    let vendor = if words["vendor"] == "-" { "" } else { words["vendor"] };
    assert_eq!(show(read.vendor()), vendor, "{name}");
    match words["digest"] {
        "valid" => assert_eq!(check(name, read), Ok(Verdict::Stored), "{name}"),
        "valid-with-resync-nonce" => assert_eq!(check(name, read), Ok(Verdict::Resync), "{name}"),
        "not-checked" => {}
        other => panic!("{name}: {other}"),
    }
}

fn notification(delivery: Result<Delivery<'_>, Error>) -> Notification {
    match delivery.unwrap() {
        Delivery::Notification(notification) => notification,
        Delivery::Provisioning(push) => panic!("{push:?}"),
    }
}

fn card_verdict(octets: &[u8], resync: bool) -> Result<Verdict, Error> {
    let read = Notification::read(octets).unwrap();
    verify(&read, &Secret::new(*b"sc-secret"), &Secret::new(*b"nonce1"), resync)
}

#[test]
fn sc_132_background_notification_of_the_card() {
    let octets = smartcard("pkg0-background-server");
    let read = Notification::read(&octets).unwrap();
    assert_eq!((read.server_id.as_str(), read.session_text().as_str()), ("com.example.sc", "42"));
    assert_eq!(read.ui_mode, UiMode::Background);
    assert_eq!(card_verdict(&octets, false), Ok(Verdict::Stored));
}

#[test]
fn sc_133_one_digest_bit_flipped() {
    let octets = smartcard("pkg0-background-server");
    for bit in 0..128 {
        let mut octets = octets.clone();
        octets[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(card_verdict(&octets, true).unwrap_err().code(), Code::TriggerDigest);
    }
}

#[test]
fn sc_134_zero_nonce_on_the_second_try_only() {
    let octets = smartcard("pkg0-user-zero-nonce");
    assert_eq!(Notification::read(&octets).unwrap().ui_mode, UiMode::UserInteraction);
    assert_eq!(card_verdict(&octets, false).unwrap_err().code(), Code::TriggerDigest);
    assert_eq!(card_verdict(&octets, true), Ok(Verdict::Resync));
}

#[test]
fn sc_135_dm_128_every_cut_is_refused() {
    let octets = smartcard("pkg0-background-server");
    for length in 0..octets.len() {
        let error = Notification::read(&octets[..length]).unwrap_err();
        let expected = if length < 24 { "E_P0_TRUNCATED" } else { "E_P0_LENGTH" };
        assert_eq!(class(&error), expected, "{length} octets");
    }
}

#[test]
fn sc_141_dm_137_sms_with_a_notification() {
    let sms = smartcard("sms-deliver-dm-push");
    let segment = Segment::read(&sms).unwrap();
    assert_eq!((segment.source_port, segment.part), (9200, None));
    assert_eq!(segment.data, smartcard("wsp-push-dm-notification"));
    let push = Push::read(segment.data).unwrap();
    assert_eq!(push.body, smartcard("pkg0-background-server"));
    assert_eq!(notification(intake::sort(segment.data, None)).session_id, 0x42);
}

#[test]
fn sc_142_second_part_first() {
    let (first, second) =
        (smartcard("sms-deliver-dm-push-part1"), smartcard("sms-deliver-dm-push-part2"));
    let (first, second) = (Segment::read(&first).unwrap(), Segment::read(&second).unwrap());
    let mut open = Reassembler::new();
    assert_eq!(open.push(&second, Now::default()), None);
    assert_eq!(open.push(&second, Now::default()), None);
    let joined = open.push(&first, Now::default()).unwrap();
    assert_eq!(joined.len(), 150);
    let read = notification(intake::sort(&joined, None));
    assert_eq!((read.session_id, read.vendor().len()), (0x42, 150 - 6 - 38));
}

#[test]
fn sc_143_dm_138_a_multimedia_push_is_not_ours() {
    let pdu = smartcard("sms-deliver-wap-mms");
    let segment = Segment::read(without_service_centre(&pdu).unwrap()).unwrap();
    assert_eq!(class(&Push::read(segment.data).unwrap_err()), "E_WSP_CONTENT_TYPE");
    assert_eq!(class(&intake::sort(segment.data, None).unwrap_err()), "E_WSP_CONTENT_TYPE");
}

#[test]
fn sc_144_provisioning_push_with_user_pin() {
    let pdu = smartcard("wsp-push-cp-userpin");
    let push = Push::read(&pdu).unwrap();
    assert_eq!((push.media, push.sec), (Media::ConnectivityWbxml, Some(Sec::UserPin)));
    let mac = show(push.mac.as_ref().unwrap().expose());
    assert_eq!(mac, "0123456789ABCDEF0123456789ABCDEF01234567");
    assert_eq!(push.body, b"");
    assert!(!format!("{push:?}").contains("23"), "the MAC shows");
    let cut = smartcard("wsp-push-cp-networkpin-head");
    assert_eq!(class(&Push::read(&cut).unwrap_err()), "E_WSP_LENGTH");
}

#[test]
fn sc_145_lengths_beyond_their_containers() {
    let vectors = encodings();
    let error = Push::read(find(&vectors, "d19")).unwrap_err();
    assert_eq!(error.what(), "E_WSP_LENGTH at byte 3: a length beyond its container");
    let error = Segment::read(find(&vectors, "e10")).unwrap_err();
    assert!(error.what().starts_with("E_SMS_UDH at byte 19: "), "{error}");
    let error = Segment::read(find(&vectors, "e11")).unwrap_err();
    assert!(error.what().starts_with("E_SMS_UDH at byte 20: "), "{error}");
}

#[test]
fn sc_146_two_unknown_elements() {
    let octets = smartcard("udh-two-elements");
    let header = UserDataHeader::read(&octets).unwrap();
    assert_eq!(header.elements, [(0x71, &b""[..]), (0x70, &b"\xFF"[..])]);
    assert_eq!((header.ports, header.part, header.data), (None, None, &b"\xAB\xCD"[..]));
    let octets = smartcard("udh-ota-response");
    assert_eq!(UserDataHeader::read(&octets).unwrap().elements, [(0x71, &b""[..])]);
    let submit = smartcard("sms-submit-ports-9204-concat");
    assert_eq!(class(&Segment::read(&submit).unwrap_err()), "E_SMS_TRUNCATED");
}
