//! Wireshark as oracle: what we read in pushes and short messages, and what we say to a card.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panic")]

mod flow;
#[path = "../oracle_common/mod.rs"]
mod oracle_common;
mod pcap;

use dmsc::card::cat::{Capabilities, Cat, Config, Failure, HostAnswer};
use dmsc::time::Now;
use dmsc::trigger::push::{Push, Sec};
use dmsc::trigger::sms::{PUSH_PORT, Reassembler, Segment};
use oracle_common::{Vector, group, hex, unhex, vector};
use pcap::Capture;
use std::path::Path;

fn available() -> bool {
    oracle_common::available("tshark", "tshark")
}

/// Refused pushes that are no push or not whole; the others are refused for what they say.
const BROKEN_PUSHES: [&str; 2] = ["d19", "d20"];

#[test]
fn pushes_read_the_same() {
    if !available() {
        return;
    }
    let vectors = group('d');
    let capture = Capture::pushes(vectors.iter().map(|vector| vector.octets.clone()));
    let rows = capture.fields([
        "wsp.TID",
        "wsp.pdu_type",
        "wsp.headers_length",
        "wsp.header.content_type",
        "wsp.header.x_wap_application_id",
        "wsp.parameter.sec",
        "wsp.parameter.mac",
    ]);
    for (vector, (values, malformed)) in vectors.iter().zip(&rows) {
        let name = vector.name;
        match Push::read(&vector.octets) {
            Ok(push) => {
                assert!(!malformed, "{name}");
                push_agrees(vector, &push, values);
            }
            Err(_) if vector.short() == "d18" => assert_eq!(values[1], "0x04", "{name}"),
            Err(_) => assert_eq!(*malformed, BROKEN_PUSHES.contains(&vector.short()), "{name}"),
        }
    }
}

fn push_agrees(vector: &Vector, push: &Push<'_>, values: &[String]) {
    let name = vector.name;
    let [tid, kind, headers, media, app_id, sec, mac] = values else { panic!("{values:?}") };
    assert_eq!((tid, &**kind), (&format!("0x{:02x}", push.tid), "0x06"), "{name}");
    // d16 writes the length in two octets.
    let before = if vector.short() == "d16" { 4 } else { 3 };
    let found = vector.octets.len() - push.body.len() - before;
    assert_eq!(*headers, found.to_string(), "{name}");
    assert_eq!(media, push.media.name(), "{name}");
    // Wireshark takes the first octet of the long integer, its length, for the value.
    let expected = if vector.short() == "d03" {
        "x-wap-application:push.sia"
    } else {
        push.app_id.unwrap_or_default()
    };
    assert_eq!(app_id, expected, "{name}");
    let number = |sec: Sec| format!("0x{:02x}", sec as u8);
    assert_eq!(*sec, push.sec.map(number).unwrap_or_default(), "{name}");
    let ours = push.mac.as_ref().map(|mac| hex(mac.expose())).unwrap_or_default();
    assert!(mac.trim_matches('"').eq_ignore_ascii_case(&ours), "{name}: {mac}");
}

/// Rows that Wireshark reads otherwise, and why.
const OTHER_MESSAGES: [(&str, &str); 2] = [
    ("e09", "it takes an SMS-SUBMIT without direction for an SMS-DELIVER"),
    ("e14", "it does not mind that octets are missing"),
];

#[test]
fn short_messages_read_the_same() {
    if !available() {
        return;
    }
    let vectors = group('e');
    let capture = Capture::messages(vectors.iter().map(|vector| vector.octets.clone()));
    let rows = capture.fields([
        "gsm_sms.destination_port",
        "gsm_sms.originator_port",
        "gsm_sms.udh.mm.msg_id",
        "gsm_sms.udh.mm.msg_parts",
        "gsm_sms.udh.mm.msg_part",
    ]);
    for (vector, (values, malformed)) in vectors.iter().zip(&rows) {
        let (name, short) = (vector.name, vector.short());
        if OTHER_MESSAGES.iter().any(|(row, _)| *row == short) {
            assert_ne!(*malformed, vector.is_refused(), "{name} is no exception any more");
            continue;
        }
        let Ok(segment) = Segment::read(&vector.octets) else {
            let other_port = values[0].parse() != Ok(PUSH_PORT);
            assert!(*malformed || other_port, "{name}");
            continue;
        };
        assert!(!malformed, "{name}");
        assert_eq!(values[0], PUSH_PORT.to_string(), "{name}");
        assert_eq!(values[1], segment.source_port.to_string(), "{name}");
        let Some(part) = segment.part else {
            // An impossible place is shown all the same; the standard says to ignore the element.
            let ignored = ["e12", "e13"].contains(&short);
            assert_eq!(values[4].is_empty(), !ignored, "{name}");
            continue;
        };
        let found = [part.reference.to_string(), part.total.to_string(), part.sequence.to_string()];
        let reference = values[2].strip_prefix("0x").map_or(values[2].clone(), |digits| {
            u16::from_str_radix(digits, 16).unwrap().to_string()
        });
        assert_eq!([reference, values[3].clone(), values[4].clone()], found, "{name}");
    }
}

#[test]
fn joined_short_messages_are_the_same_push() {
    if !available() {
        return;
    }
    let d04 = vector("d04").octets;
    let mac = hex(Push::read(&d04).unwrap().mac.unwrap().expose());
    for parts in [["e03", "e04", "e05"], ["e08", "e06", "e07"]] {
        let tpdus = parts.map(|part| vector(part).octets);
        let mut open = Reassembler::new();
        let joined: Vec<_> = tpdus
            .iter()
            .map(|tpdu| open.push(&Segment::read(tpdu).unwrap(), Now::default()))
            .collect();
        assert_eq!(joined, [None, None, Some(d04.clone())]);
        let capture = Capture::messages(tpdus);
        let rows = capture.fields(["wsp.TID", "wsp.parameter.mac", "wbxml.public_id.known"]);
        let values = |row: usize| rows[row].0.join(" ");
        assert_eq!([values(0), values(1)], ["  ", "  "]);
        assert_eq!(values(2), format!("0x04 {mac} 0x0000000b"));
    }
}

/// A FETCH with its answer, and the TERMINAL RESPONSE with its.
fn fetched(command: &[u8], response: &[u8]) -> [flow::Exchange; 2] {
    let fetch = vec![0x80, 0x12, 0x00, 0x00, command.len() as u8];
    let head = [0x80, 0x14, 0x00, 0x00, response.len() as u8];
    [(fetch, [command, &[0x90, 0x00]].concat()), ([&head, response].concat(), vec![0x90, 0x00])]
}

/// What we answer to every proactive command of the vectors.
fn answered_commands() -> Vec<(String, [flow::Exchange; 2])> {
    let table = include_str!("../data/smartcard-vectors.tsv");
    let rows = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let commands = rows.filter(|row| {
        ["pc-", "srv-pc-", "trg-pc-", "local-pc-"].iter().any(|start| row[0].starts_with(start))
    });
    let mut list = Vec::new();
    for row in commands {
        let config = Config { capabilities: Capabilities::all(), ..Config::default() };
        let (mut cat, command) = (Cat::new(config), unhex(row[2]));
        let mut reaction = cat.proactive(&command, Now::default()).unwrap();
        if cat.is_waiting() {
            reaction = cat.complete(HostAnswer::Failed(Failure::Back)).unwrap();
        }
        let response = reaction.terminal_response.unwrap();
        list.push((row[0].to_owned(), fetched(&command, &response)));
    }
    list
}

#[test]
fn answers_to_the_vectors_commands_decode() {
    if !available() {
        return;
    }
    let list = answered_commands();
    assert!(list.len() >= 38, "only {} commands", list.len());
    let capture = Capture::exchanges(list.iter().flat_map(|(_, exchanges)| exchanges));
    let rows = capture.fields(["etsi_cat.comp_tlv.cmd_type", "etsi_cat.comp_tlv.result"]);
    for ((name, exchanges), rows) in list.iter().zip(rows.chunks(2)) {
        let [(command, _), (answer, malformed)] = rows else { panic!("{name}") };
        assert!(!malformed, "{name}: {}", hex(&exchanges[1].0));
        assert_eq!(command[0], answer[0], "{name}");
        assert_eq!((command[1].is_empty(), answer[1].is_empty()), (true, false), "{name}");
    }
}

#[test]
fn a_broken_answer_would_show() {
    if !available() {
        return;
    }
    let command = unhex("D009810301020082028182");
    let good = fetched(&command, &unhex("810301020082028281830100"));
    let broken = fetched(&command, &unhex("810301020082028281830900"));
    let rows = Capture::exchanges(good.iter().chain(&broken)).fields(["gsm_sim.apdu.ins"]);
    let malformed: Vec<_> = rows.iter().map(|(_, malformed)| *malformed).collect();
    assert_eq!(malformed, [false, false, false, true]);
}

/// What the library itself writes as a capture file: every exchange, none malformed, no PIN.
#[test]
fn the_capture_of_the_library_decodes() {
    if !available() {
        return;
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flow.pcap");
    let exchanges = flow::exchanges(Some(&file));
    let octets = std::fs::read(&file).unwrap();
    assert!(!octets.windows(4).any(|octets| octets == b"1234"), "the PIN is in the capture");
    let capture = Capture::written(octets, exchanges.len());
    let rows = capture.fields(["gsm_sim.apdu.ins", "gsm_sim.apdu.sw", "frame.time_epoch"]);
    for ((command, response), (values, malformed)) in exchanges.iter().zip(&rows) {
        assert!(!malformed, "{} {}", hex(command), hex(response));
        let sw = hex(&response[response.len() - 2..]).to_lowercase();
        assert_eq!(values[..2], [format!("0x{:02x}", command[1]), format!("0x{sw}")]);
        assert!(values[2].starts_with("17000"), "{}", values[2]);
    }
}

#[test]
fn the_whole_flow_decodes() {
    if !available() {
        return;
    }
    let exchanges = flow::exchanges(None);
    let rows = Capture::exchanges(&exchanges).fields([
        "gsm_sim.apdu.ins",
        "gsm_sim.apdu.sw",
        "etsi_cat.comp_tlv.cmd_type",
        "etsi_cat.comp_tlv.result",
    ]);
    for ((command, response), (values, malformed)) in exchanges.iter().zip(&rows) {
        let shown = || format!("{} {}: {values:?}", hex(command), hex(response));
        assert!(!malformed, "{}", shown());
        assert_eq!(values[0], format!("0x{:02x}", command[1]), "{}", shown());
        let word = response.len() - 2;
        assert_eq!(
            values[1],
            format!("0x{}", hex(&response[word..]).to_lowercase()),
            "{}",
            shown()
        );
        // Every command succeeded, or at least went through with less than asked for.
        if command[1] == 0x14 {
            let result = u8::from_str_radix(values[3].trim_start_matches("0x"), 16).unwrap();
            assert!(result < 0x20, "{}", shown());
        }
    }
    let seen = |ins: u8| rows.iter().filter(move |(values, _)| values[0] == format!("0x{ins:02x}"));
    for kind in ["0x05", "0x27", "0x40", "0x41", "0x42", "0x43"] {
        assert!(seen(0x12).any(|(values, _)| values[2] == kind), "command {kind}");
        assert!(seen(0x14).any(|(values, _)| values[2] == kind), "answer {kind}");
    }
    // The timer expires once; each session has its connection and its data.
    assert!(seen(0xC2).count() >= 7, "{} envelopes", seen(0xC2).count());
}
