//! SC-001 to SC-013: class bytes, channels, fetching of responses.

use super::{vector, vector_hex, vector_names};
use dmsc::bytes::hex;
use dmsc::card::apdu::{Card, Command, Mode, class_byte};
use dmsc::card::channel::Channel;
use dmsc::card::script::Script;
use dmsc::error::Code;
use std::sync::{Arc, Mutex};

const SELECT_ODF: &str = "01A40804047FFF503100";

fn exchange(card: &mut Card, command: &str) -> (String, u16) {
    let answer = card.exchange(&hex::decode(command).unwrap()).unwrap();
    (hex::encode(&answer.data), answer.sw)
}

#[test]
fn sc_001_class_refused_then_gsm_for_the_session() {
    let (mut card, play) = Script::new()
        .on(vector_hex("apdu-select-mf-3g"), "6E00")
        .on(vector_hex("apdu-select-mf-2g"), "9F16")
        .card();
    assert_eq!(card.mode().unwrap(), Mode::Gsm);
    assert_eq!(card.mode().unwrap(), Mode::Gsm);
    play.finish().unwrap();
}

#[test]
fn sc_001_a_card_of_neither_class_is_an_error() {
    let (mut card, play) =
        Script::new().on("00A40004023F0000", "6D00").on("A0A40000023F00", "6E00").card();
    let error = card.mode().unwrap_err();
    assert_eq!((error.code(), error.card_sw), (Code::CardSw, 0x6E00));
    play.finish().unwrap();
}

#[test]
fn sc_002_get_response_on_the_same_channel() {
    let (mut card, play) =
        Script::new().on(SELECT_ODF, "6125").on("01C0000025", "6202820190009000").card();
    assert_eq!(exchange(&mut card, SELECT_ODF), ("620282019000".into(), 0x9000));
    play.finish().unwrap();
    let (mut card, play) =
        Script::new().on("4FB0000010", "6116").on("4FC0000016", "AA 9000").card();
    assert_eq!(exchange(&mut card, "4FB0000010"), ("AA".into(), 0x9000));
    play.finish().unwrap();
}

#[test]
fn get_response_has_no_class_80() {
    for (command, get_response) in
        [("80C2000001D600", "00C0000005"), ("83F20000", "03C0000005"), ("C0F20000", "40C0000005")]
    {
        let (mut card, play) =
            Script::new().on(command, "6105").on(get_response, "0102030405 9000").card();
        assert_eq!(exchange(&mut card, command).1, 0x9000);
        play.finish().unwrap();
    }
}

#[test]
fn sc_003_length_00_stands_for_256() {
    let data = "5A".repeat(256);
    let (mut card, play) =
        Script::new().on(SELECT_ODF, "6100").on("01C0000000", &format!("{data}9000")).card();
    assert_eq!(exchange(&mut card, SELECT_ODF), (data, 0x9000));
    play.finish().unwrap();
}

#[test]
fn sc_004_more_data_is_appended() {
    let (mut card, play) = Script::new()
        .on(SELECT_ODF, "6100")
        .on("01C0000000", &format!("{}6110", "5A".repeat(256)))
        .on("01C0000010", &format!("{}9000", "A5".repeat(16)))
        .card();
    let (data, sw) = exchange(&mut card, SELECT_ODF);
    assert_eq!(data, format!("{}{}", "5A".repeat(256), "A5".repeat(16)));
    assert_eq!(sw, 0x9000);
    play.finish().unwrap();
}

#[test]
fn sc_005_the_seventeenth_61_is_a_loop() {
    let mut script = Script::new().on(SELECT_ODF, "6101");
    for _ in 0..16 {
        script = script.on("01C0000001", "AA 6101");
    }
    let (mut card, play) = script.card();
    let error = card.exchange(&hex::decode(SELECT_ODF).unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::CardBadData);
    assert_eq!(play.sent().len(), 17);
    play.finish().unwrap();
}

#[test]
fn sc_005_an_answer_of_more_than_4096_octets_is_an_error() {
    let piece = "5A".repeat(256);
    // Sixteen pieces fit behind an answer without data, not behind one with.
    for (first, fits) in [("", true), ("5A", false)] {
        let mut script = Script::new().on(SELECT_ODF, &format!("{first}6100"));
        for at in 1..=16 {
            let sw = if at == 16 { "9000" } else { "6100" };
            script = script.on("01C0000000", &format!("{piece}{sw}"));
        }
        let (mut card, play) = script.card();
        let answer = card.exchange(&hex::decode(SELECT_ODF).unwrap());
        match fits {
            true => assert_eq!(answer.unwrap().data.len(), 4096),
            false => {
                let error = answer.unwrap_err();
                assert_eq!(
                    (error.code(), error.what()),
                    (Code::CardBadData, "response of more than 4096 octets")
                );
            }
        }
        play.finish().unwrap();
    }
}

#[test]
fn sc_006_one_correction_of_le() {
    let (mut card, play) = Script::new().on("01B0000000", "6C38").on("01B0000038", "6C10").card();
    let error = card.exchange(&hex::decode("01B0000000").unwrap()).unwrap_err();
    assert_eq!(error.card_sw, 0x6C10);
    play.finish().unwrap();
    let (mut card, play) = Script::new()
        .on("01B0000000", "6C02")
        .on("01B0000002", "AABB 9000")
        .on("01A40004022F0500", "6C03")
        .on("01A40004022F0503", "620101 9000")
        .card();
    assert_eq!(exchange(&mut card, "01B0000000"), ("AABB".into(), 0x9000));
    assert_eq!(exchange(&mut card, "01A40004022F0500"), ("620101".into(), 0x9000));
    play.finish().unwrap();
}

#[test]
fn sc_007_a_proactive_command_is_noted_and_not_fetched() {
    let (mut card, play) = Script::new().on("00B0000002", "AABB 9110").card();
    let answer = card.exchange(&hex::decode("00B0000002").unwrap()).unwrap();
    assert!(answer.is_success());
    assert_eq!(answer.data, [0xAA, 0xBB]);
    assert_eq!(card.take_proactive(), Some(0x10));
    assert_eq!(card.take_proactive(), None);
    play.finish().unwrap();
}

#[test]
fn sc_008_gsm_data_waits_behind_9f() {
    let (mut card, play) = Script::new()
        .on("A0A40000022FE2", "9F16")
        .on("A0C0000016", &format!("{}9000", "00".repeat(22)))
        .card();
    assert_eq!(exchange(&mut card, "A0A40000022FE2"), ("00".repeat(22), 0x9000));
    play.finish().unwrap();
}

#[test]
fn sc_009_class_bytes_of_channels() {
    let bytes = |base| [0, 3, 4, 19].map(|channel| class_byte(base, channel).unwrap());
    assert_eq!(bytes(0x00), [0x00, 0x03, 0x40, 0x4F]);
    assert_eq!(bytes(0x80), [0x80, 0x83, 0xC0, 0xCF]);
}

#[test]
fn sc_010_there_is_no_channel_20() {
    for channel in [20, 0xFF] {
        assert_eq!(class_byte(0x00, channel).unwrap_err().code(), Code::InvalidArg);
    }
    for reserved in [0x20, 0x30, 0xA0] {
        assert_eq!(class_byte(reserved, 0).unwrap_err().code(), Code::InvalidArg);
    }
}

#[test]
fn sc_011_a_channel_is_closed_on_every_path() {
    let read = Command::new(0xB0, 0, 0).expecting(1);
    let script = || Script::new().on(vector_hex("apdu-mng-chan-open"), "029000");
    let (mut card, play) = script().on("02B0000001", "AA9000").on("02708002", "9000").card();
    {
        let mut channel = Channel::open(&mut card).unwrap();
        assert_eq!(channel.exchange(&read).unwrap().sw, 0x9000);
    }
    play.finish().unwrap();
    let (mut card, play) =
        script().fail("02B0000001", Code::CardTransmit).on("02708002", "9000").card();
    {
        let mut channel = Channel::open(&mut card).unwrap();
        assert!(channel.exchange(&read).is_err());
    }
    play.finish().unwrap();
}

#[test]
fn sc_011_closed_from_the_basic_channel_if_that_is_what_the_card_wants() {
    let (mut card, play) = Script::new()
        .on(vector_hex("apdu-mng-chan-open"), vector_hex("apdu-mng-chan-open-rsp"))
        .on(vector_hex("apdu-mng-chan-close"), "6881")
        .on(vector_hex("apdu-mng-chan-close-base"), "9000")
        .card();
    drop(Channel::open(&mut card).unwrap());
    play.finish().unwrap();
}

#[test]
fn sc_011_extended_channels() {
    let (mut card, play) = Script::new().on("0070000001", "139000").on("4F708013", "9000").card();
    drop(Channel::open(&mut card).unwrap());
    play.finish().unwrap();
}

#[test]
fn sc_012_no_free_channel_is_not_retried() {
    for sw in ["6881", "6A81", "6985"] {
        let (mut card, play) = Script::new().on("0070000001", sw).card();
        assert_eq!(Channel::open(&mut card).unwrap_err().code(), Code::CardNoChannel);
        play.finish().unwrap();
    }
}

#[test]
fn sc_012_files_are_reached_on_channel_0_if_that_is_allowed() {
    let (mut card, play) =
        Script::new().on("0070000001", "6881").on("00A40004023F0000", "62009000").card();
    assert!(Channel::for_files(&mut card, true).unwrap().is_basic());
    play.finish().unwrap();
    let (mut card, play) = Script::new().on("0070000001", "6881").card();
    assert_eq!(Channel::for_files(&mut card, false).unwrap_err().code(), Code::CardNoChannel);
    play.finish().unwrap();
}

#[test]
fn sc_013_impossible_channel_numbers() {
    for answer in ["9000", "009000", "149000", "01029000"] {
        let (mut card, play) = Script::new().on("0070000001", answer).card();
        assert_eq!(Channel::open(&mut card).unwrap_err().code(), Code::CardBadData, "{answer}");
        play.finish().unwrap();
    }
}

#[test]
fn a_warning_keeps_its_status_and_its_data() {
    let (mut card, play) = Script::new()
        .on(SELECT_ODF, "6283")
        .on("01C0000000", "6C02")
        .on("01C0000002", "6200 9000")
        .card();
    assert_eq!(exchange(&mut card, SELECT_ODF), ("6200".into(), 0x6283));
    play.finish().unwrap();
    let (mut card, play) = Script::new().on(SELECT_ODF, "6283").on("01C0000000", "6985").card();
    assert_eq!(exchange(&mut card, SELECT_ODF), (String::new(), 0x6283));
    play.finish().unwrap();
    // A command without Le asks for nothing, and an answer with data has it already.
    let (mut card, play) =
        Script::new().on("00D6000001AA", "63C2").on(SELECT_ODF, "6200 6283").card();
    assert_eq!(exchange(&mut card, "00D6000001AA"), (String::new(), 0x63C2));
    assert_eq!(exchange(&mut card, SELECT_ODF), ("6200".into(), 0x6283));
    play.finish().unwrap();
}

#[test]
fn nothing_is_sent_to_a_card_that_is_gone_until_it_is_ready_again() {
    for code in [Code::CardAbsent, Code::CardRemoved, Code::CardReset] {
        let (mut card, play) =
            Script::new().fail("00B0000001", code).on("00B0000001", "AA9000").card();
        for _ in 0..2 {
            let error = card.exchange(&[0x00, 0xB0, 0, 0, 1]).unwrap_err();
            assert_eq!(error.code(), code);
        }
        assert_eq!(card.lock().unwrap_err().code(), code);
        assert_eq!(play.sent().len(), 1);
        card.card_ready();
        assert_eq!(exchange(&mut card, "00B0000001"), ("AA".into(), 0x9000));
        play.finish().unwrap();
    }
}

#[test]
fn an_answer_without_status_word_or_without_end_is_an_error() {
    for answer in ["", "90", &"00".repeat(4099)] {
        let (mut card, play) = Script::new().on("00B0000001", answer).card();
        let error = card.exchange(&[0x00, 0xB0, 0, 0, 1]).unwrap_err();
        assert_eq!(error.code(), Code::CardTransmit);
        play.finish().unwrap();
    }
}

#[test]
fn the_trace_sees_every_exchange() {
    let (mut card, play) = Script::new().on("00B0000000", "6C01").on("00B0000001", "AA9000").card();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    card.set_trace(Some(Box::new(move |command, response| {
        log.lock().unwrap().push(format!("{}>{}", hex::encode(command), hex::encode(response)));
    })));
    exchange(&mut card, "00B0000000");
    assert_eq!(*seen.lock().unwrap(), ["00B0000000>6C01", "00B0000001>AA9000"]);
    play.finish().unwrap();
}

#[test]
fn locks_nest() {
    let (mut card, play) = Script::new().card();
    {
        let mut outer = card.lock().unwrap();
        drop(outer.lock().unwrap());
        assert_eq!(play.locks(), (1, 0));
    }
    assert_eq!(play.locks(), (1, 1));
}

#[test]
fn every_command_vector_is_written_exactly() {
    let aid = vector("apdu-select-usim")[5..].to_vec();
    let pin = *b"1234\xFF\xFF\xFF\xFF";
    let body = |name: &str| vector(name)[5..].to_vec();
    let (profile_ff, profile_real) = (body("apdu-term-profile-ff"), body("apdu-term-profile-real"));
    let profile = body("apdu-term-profile-dmsc");
    let (tr, envelope) = (body("apdu-term-resp-ok-more-time"), body("apdu-envelope-sms-pp"));
    let select = |p1, p2, data| Command::new(0xA4, p1, p2).with_data(data);
    let read = |p1, p2, le| Command::new(0xB0, p1, p2).expecting(le);
    // Rows that are TPDUs of T=0 have a P3 where the APDU has none, or lack the Le of case 4.
    let rows: Vec<(&str, u8, Command<'_>, &str)> = vec![
        ("select-mf-2g", 0xA0, select(0, 0, &[0x3F, 0x00]), ""),
        ("select-mf-3g", 0x00, select(0, 4, &[0x3F, 0x00]).expecting(256), ""),
        ("getresponse", 0x00, Command::new(0xC0, 0, 0).expecting(0x16), ""),
        ("mng-chan-open", 0x00, Command::new(0x70, 0, 0).expecting(1), ""),
        ("mng-chan-close", 0x01, Command::new(0x70, 0x80, 1), ""),
        ("mng-chan-close-base", 0x00, Command::new(0x70, 0x80, 1), ""),
        ("select-pkcs15", 0x01, select(4, 4, &dmsc::card::pkcs15::AID).expecting(256), ""),
        ("select-odf-path", 0x01, select(8, 4, &[0x7F, 0xFF, 0x50, 0x31]).expecting(256), ""),
        ("readbin-128", 0x01, read(0, 0, 128), ""),
        ("readbin-sfi", 0x00, read(0x82, 0, 256), ""),
        ("readbin-offset-7fff", 0x00, read(0x7F, 0xFF, 1), ""),
        ("readrec-1", 0x00, Command::new(0xB2, 1, 4).expecting(48), ""),
        ("select-iccid-path", 0x00, select(8, 4, &[0x2F, 0xE2]).expecting(256), ""),
        ("select-usim", 0x00, select(4, 4, &aid).expecting(256), "Le"),
        ("select-imsi-path", 0x00, select(8, 4, &[0x7F, 0xFF, 0x6F, 7]).expecting(256), "Le"),
        ("status-nodata", 0x80, Command::new(0xF2, 0, 0x0C), "P3"),
        ("status-app-init", 0x80, Command::new(0xF2, 1, 0x0C), "P3"),
        ("verify-pin1-1234", 0x00, Command::new(0x20, 0, 1).with_data(&pin), ""),
        ("verify-pin1-query", 0x00, Command::new(0x20, 0, 1), ""),
        ("fetch", 0x80, Command::new(0x12, 0, 0).expecting(12), ""),
        ("term-resp-ok-more-time", 0x80, Command::new(0x14, 0, 0).with_data(&tr), ""),
        ("term-profile-ff", 0x80, Command::new(0x10, 0, 0).with_data(&profile_ff), ""),
        ("term-profile-real", 0x80, Command::new(0x10, 0, 0).with_data(&profile_real), ""),
        ("term-profile-dmsc", 0x80, Command::new(0x10, 0, 0).with_data(&profile), ""),
        ("envelope-sms-pp", 0x80, Command::new(0xC2, 0, 0).with_data(&envelope), ""),
    ];
    for (name, cla, command, form) in &rows {
        let mut apdu = hex::encode(&command.encode(*cla).unwrap());
        match *form {
            "P3" => apdu.push_str("00"),
            "Le" => assert_eq!(apdu.split_off(apdu.len() - 2), "00"),
            _ => {}
        }
        assert_eq!(apdu, vector_hex(&format!("apdu-{name}")), "{name}");
    }
    let answers = ["mng-chan-open-rsp", "select-pkcs15-notfound", "select-pkcs15-rsp"];
    let answers = answers.into_iter().chain(["select-odf-rsp", "select-pkcs15-as-ef-rsp"]);
    let mut known: Vec<_> = rows.iter().map(|row| row.0).chain(answers).collect();
    let mut names: Vec<_> =
        vector_names("apdu-").into_iter().filter_map(|name| name.strip_prefix("apdu-")).collect();
    known.sort_unstable();
    names.sort_unstable();
    assert_eq!(known, names);
}

#[test]
fn what_does_not_fit_a_short_apdu_is_refused() {
    let long = [0; 256];
    let too_long = Command::new(0xD6, 0, 0).with_data(&long);
    assert_eq!(too_long.encode(0).unwrap_err().code(), Code::InvalidArg);
    for le in [0, 257] {
        let command = Command::new(0xB0, 0, 0).expecting(le);
        assert_eq!(command.encode(0).unwrap_err().code(), Code::InvalidArg);
    }
}

#[test]
fn a_transport_that_owns_channels_opens_and_closes_them() {
    let (mut card, play) = Script::new()
        .owning_channels()
        .open("A0000000871002", 101)
        .on("00A40804022FE200", "62009000")
        .close(101)
        .card();
    {
        let mut channel = Channel::for_files(&mut card, true).unwrap();
        let path = [0x2F, 0xE2];
        let select = Command::new(0xA4, 8, 4).with_data(&path).expecting(256);
        assert_eq!(channel.exchange(&select).unwrap().sw, 0x9000);
    }
    assert_eq!(Channel::open(&mut card).unwrap_err().code(), Code::NotSupported);
    play.finish().unwrap();
}

#[test]
fn debug_shows_no_card_data() {
    let (mut card, _play) = Script::new().on("00B0000001", "AB9000").card();
    let answer = card.exchange(&[0x00, 0xB0, 0, 0, 1]).unwrap();
    assert_eq!(format!("{answer:?}"), "1 octets, SW 9000");
}
