//! What transports do themselves: SC-147, SC-149, SC-150, channels of their own, limits of length.

use dmsc::bytes::hex;
use dmsc::card::apdu::Mode;
use dmsc::card::channel::Channel;
use dmsc::card::fcp::FileHeader;
use dmsc::card::file;
use dmsc::card::pkcs15::{Content, Found, OID_DM_BOOTSTRAP, Options, read_objects};
use dmsc::card::script::{Play, Script};
use dmsc::card::transport::TransportFlags;
use dmsc::card::uicc;
use dmsc::error::Code;

const PKCS15: &str = "A000000063504B43532D3135";
const USIM: &str = "A0000000871002";
const CSIM: &str = "A0000003431002";
const ISIM: &str = "A0000000871004";
const NO_BASIC: TransportFlags = TransportFlags::NO_BASIC_CHANNEL;

/// A card that has one object of three octets, read on a channel whose class byte is `00`.
fn one_object(script: Script) -> Script {
    script
        .on("00A40804047FFF503100", "6216 8202412183025031 8A0105 8B036F0602 80020020 8800 9000")
        .on("00B0000020", "A706300404026430 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 9000")
        .on("00A40804047FFF643000", "620E 82024121 83026430 80020020 8800 9000")
        .on("00B0000020", "A118300030040C02444DA10E300C0604672B0701300404026433 FFFFFFFFFFFF 9000")
        .on("00A40804047FFF643300", "620E 82024121 83026433 80020003 8800 9000")
        .on("00B0000003", "02A401 9000")
}

fn read(script: Script) -> (Result<Found, Code>, Play) {
    let (mut card, play) = script.card();
    let found = read_objects(&mut card, &[OID_DM_BOOTSTRAP], Options::default());
    (found.map_err(|error| error.code()), play)
}

fn assert_read(found: &Found) {
    match &found.objects[0].content {
        Content::Octets(octets) => assert_eq!(octets.expose(), [0x02, 0xA4, 0x01]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn sc_147_the_handle_is_no_channel_number() {
    let script = Script::new().owning_channels().open(PKCS15, 101);
    let (found, play) = read(one_object(script).close(101));
    assert_read(&found.unwrap());
    play.finish().unwrap();
}

#[test]
fn sc_149_channels_and_applications_are_the_transports_business() {
    let script = Script::new().with_flags(NO_BASIC).owning_channels().open(PKCS15, 1);
    let (found, play) = read(one_object(script).close(1));
    assert_read(&found.unwrap());
    let sent = play.sent();
    assert!(sent.iter().all(|apdu| !apdu.starts_with("0070") && !apdu.starts_with("00A404")));
    play.finish().unwrap();
}

#[test]
fn sc_149_without_a_channel_0_nothing_is_sent_there() {
    let script = Script::new().with_flags(NO_BASIC).owning_channels();
    let script = script
        .open_fails(PKCS15, Code::CardTransmit)
        .open_fails(USIM, Code::CardSw)
        .open_fails(CSIM, Code::CardSw)
        .open_fails(ISIM, Code::CardSw);
    let (mut card, play) = script.card();
    assert_eq!(card.mode().unwrap(), Mode::Uicc);
    assert_eq!(Channel::basic(&mut card).unwrap_err().code(), Code::CardNoChannel);
    let fatal = read_objects(&mut card, &[OID_DM_BOOTSTRAP], Options::default());
    assert_eq!(fatal.unwrap_err().code(), Code::CardTransmit);
    assert_eq!(uicc::read_identity(&mut card).unwrap_err().code(), Code::CardSw);
    play.finish().unwrap();
}

#[test]
fn a_card_of_another_network_has_its_own_application() {
    let (mut card, play) = Script::new()
        .owning_channels()
        .open_fails(USIM, Code::CardSw)
        .open(CSIM, 3)
        .on("00A40804022FE200", "6217 82024121 83022FE2 8A0105 8B032F060F 8002000A 880110 9000")
        .on("00B000000A", "988812010000400310F0 9000")
        .close(3)
        .card();
    assert_eq!(uicc::read_identity(&mut card).unwrap().iccid(), "8988211000000430010");
    play.finish().unwrap();
}

#[test]
fn sc_150_no_get_response_where_the_transport_fetches() {
    let fetches = || Script::new().with_flags(TransportFlags::FETCHES_RESPONSES);
    let select = hex::decode("01A40804047FFF503100").unwrap();
    let (mut card, play) = fetches().on("01A40804047FFF503100", "62028202 9000").card();
    assert_eq!(card.exchange(&select).unwrap().sw, 0x9000);
    play.finish().unwrap();
    // Nor behind a warning, where a card of its own would keep data.
    let (mut card, play) = fetches().on("01A40804047FFF503100", "6283").card();
    assert_eq!(card.exchange(&select).unwrap().sw, 0x6283);
    play.finish().unwrap();
}

#[test]
fn a_short_line_is_not_asked_for_more_than_it_carries() {
    let read = |script: Script, size| {
        let (mut card, play) = script.with_max_le(128).card();
        let mut channel = Channel::basic(&mut card).unwrap();
        let header = FileHeader { size: Some(size), ..FileHeader::unknown() };
        let octets = file::read(&mut channel, &header, None).unwrap().into_octets();
        drop(channel);
        play.finish().unwrap();
        octets
    };
    let data = |octets| "5A".repeat(octets);
    let script = Script::new()
        .on("00A40004023F0000", "62009000")
        .on("00B0000080", &format!("{}9000", data(128)))
        .on("00B0008080", &format!("{}9000", data(128)))
        .on("00B001002C", &format!("{}9000", data(44)));
    assert_eq!(read(script, 300).len(), 300);
    let script = Script::new()
        .on("00A40004023F0000", "6E00")
        .on("A0A40000023F00", "9F16")
        .on("A0B0000080", &format!("{}9000", data(128)))
        .on("A0B0008002", &format!("{}9000", data(2)));
    assert_eq!(read(script, 130).len(), 130);
}

#[test]
fn a_long_answer_is_fetched_in_pieces_that_fit() {
    let command = hex::decode("01A40804047FFF503100").unwrap();
    let (mut card, play) = Script::new()
        .with_max_le(128)
        .on("01A40804047FFF503100", "61FA")
        .on("01C0000080", &format!("{}617A", "5A".repeat(128)))
        .on("01C000007A", &format!("{}9000", "5A".repeat(122)))
        .card();
    assert_eq!(card.exchange(&command).unwrap().data.len(), 250);
    play.finish().unwrap();
}

#[test]
fn a_file_that_somebody_else_deselected_is_selected_again_once() {
    let select = ("00A40804047F50503100", "620E 82024121 83025031 80020008 8800 9000");
    let script = || {
        Script::new()
            .on("0070000001", "6881")
            .on("00A40004023F0000", "62009000")
            .on("00A40804022F0000", "6A82")
            .on(select.0, select.1)
            .on("00B0000008", "6986")
            .on(select.0, select.1)
    };
    let (found, play) = read(script().on("00B0000008", "FFFFFFFFFFFFFFFF 9000"));
    assert!(found.unwrap().present);
    play.finish().unwrap();
    let (found, play) = read(script().on("00B0000008", "6986"));
    assert_eq!(found.unwrap_err(), Code::CardSw);
    play.finish().unwrap();
}
