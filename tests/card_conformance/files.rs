//! SC-022 to SC-029 and SC-035 to SC-038: reading files; the card's identity, subscriber and
//! applications.

use super::{vector, vector_hex, vector_names};
use dmsc::bytes::hex;
use dmsc::card::channel::Channel;
use dmsc::card::fcp::{FileHeader, FileKind};
use dmsc::card::file::{self, Body, FilePath, Slice};
use dmsc::card::script::{Play, Script};
use dmsc::card::uicc::{self, CardIdentity, Imsi};
use dmsc::error::{Code, Error, Result};

/// A card in UICC mode whose channel 0 is used.
fn uicc() -> Script {
    Script::new().on("00A40004023F0000", "62009000")
}

/// A card in GSM mode.
fn gsm() -> Script {
    Script::new().on("00A40004023F0000", "6E00").on("A0A40000023F00", "9F16")
}

fn on_basic<T>(script: Script, task: impl FnOnce(&mut Channel<'_>) -> T) -> (T, Play) {
    let (mut card, play) = script.card();
    let mut channel = Channel::basic(&mut card).unwrap();
    let result = task(&mut channel);
    drop(channel);
    (result, play)
}

fn transparent(size: usize) -> FileHeader {
    FileHeader { kind: FileKind::Transparent, size: Some(size), ..FileHeader::unknown() }
}

/// Reads a transparent file of the claimed `size` and expects the whole script to be played.
fn read(script: Script, size: usize, slice: Option<Slice>) -> Result<Vec<u8>> {
    let read = |channel: &mut Channel<'_>| file::read(channel, &transparent(size), slice);
    let (body, play) = on_basic(script, read);
    play.finish().unwrap();
    body.map(Body::into_octets)
}

fn octets(count: usize) -> String {
    format!("{}9000", "5A".repeat(count))
}

#[test]
fn sc_022_six_hundred_octets() {
    let script = uicc()
        .on("00B0000000", &octets(256))
        .on("00B0010000", &octets(256))
        .on("00B0020058", &octets(88));
    assert_eq!(read(script, 600, None).unwrap(), [0x5A; 600]);
}

#[test]
fn sc_023_six_hundred_octets_in_gsm_mode() {
    let script = gsm()
        .on("A0B00000FF", &octets(255))
        .on("A0B000FFFF", &octets(255))
        .on("A0B001FE5A", &octets(90));
    assert_eq!(read(script, 600, None).unwrap(), [0x5A; 600]);
}

#[test]
fn sc_024_a_short_answer_is_followed_up() {
    let script = uicc().on("00B0000000", &octets(100)).on("00B000649C", &octets(156));
    assert_eq!(read(script, 256, None).unwrap().len(), 256);
}

#[test]
fn sc_025_end_of_file_before_le() {
    let script = uicc().on("00B0000000", &format!("{}6282", "5A".repeat(100)));
    assert_eq!(read(script, 256, None).unwrap().len(), 100);
}

#[test]
fn sc_026_offset_outside_is_the_end() {
    let script = uicc().on("00B0000000", &octets(256)).on("00B0010000", "6B00");
    assert_eq!(read(script, 4096, None).unwrap().len(), 256);
    let error = read(uicc().on("00B0000000", "6B00"), 4096, None).unwrap_err();
    assert_eq!(error.card_sw, 0x6B00);
    let script = gsm().on("A0B00000FF", &octets(255)).on("A0B000FFFF", "9402");
    assert_eq!(read(script, 4096, None).unwrap().len(), 255);
}

#[test]
fn sc_027_a_file_that_is_too_large_is_not_read() {
    assert_eq!(read(uicc(), 40_000, None).unwrap_err().code(), Code::TooLarge);
    let part = Slice { index: 32_700, length: 100 };
    assert_eq!(read(uicc(), 40_000, Some(part)).unwrap_err().code(), Code::TooLarge);
    let part = Slice { index: 32_700, length: 60 };
    let script = uicc().on("00B07FBC3C", &octets(60));
    assert_eq!(read(script, 40_000, Some(part)).unwrap().len(), 60);
}

#[test]
fn sc_028_corrupt_data_is_rejected() {
    let script = uicc().on("00B0000004", "01020304 6281");
    let error = read(script, 4, None).unwrap_err();
    assert_eq!((error.code(), error.card_sw), (Code::CardBadData, 0x6281));
}

#[test]
fn sc_035_an_execution_error_is_retried_once() {
    for sw in ["6F00", "6400", "6500"] {
        let script = uicc().on("00B0000002", sw).on("00B0000002", "AABB9000");
        assert_eq!(read(script, 2, None).unwrap(), [0xAA, 0xBB]);
    }
    let script = uicc().on("00B0000002", "6F00").on("00B0000002", "6F00");
    assert_eq!(read(script, 2, None).unwrap_err().card_sw, 0x6F00);
    // A memory problem stays one.
    assert_eq!(read(uicc().on("00B0000002", "6581"), 2, None).unwrap_err().card_sw, 0x6581);
}

#[test]
fn a_wrong_length_is_corrected_once() {
    let script = uicc().on("00B0000002", "6700").on("00B0000000", "AABBCC9000");
    assert_eq!(read(script, 2, None).unwrap(), [0xAA, 0xBB]);
    let script = uicc().on("00B0000000", "6700").on("00B00000FF", "6700");
    assert_eq!(read(script, 300, None).unwrap_err().card_sw, 0x6700);
}

#[test]
fn a_card_that_gives_nothing_for_256_is_asked_for_255() {
    let script = uicc()
        .on("00B0000000", "9000")
        .on("00B00000FF", &octets(255))
        .on("00B000FF2D", &octets(45));
    assert_eq!(read(script, 300, None).unwrap().len(), 300);
    // Nothing at all ends the file.
    let script = uicc().on("00B0000000", "9000").on("00B00000FF", "9000");
    assert_eq!(read(script, 300, None).unwrap(), []);
}

#[test]
fn a_file_of_untold_size_is_read_to_its_end() {
    let script = uicc()
        .on("00B0000000", &octets(256))
        .on("00B0010000", "6C0A")
        .on("00B001000A", &octets(10))
        .on("00B0010A00", "6B00");
    let task = |channel: &mut Channel<'_>| file::read(channel, &FileHeader::unknown(), None);
    let (body, play) = on_basic(script, task);
    assert_eq!(body.unwrap().into_octets().len(), 266);
    play.finish().unwrap();
}

#[test]
fn a_file_of_untold_size_without_end_is_given_up() {
    let mut script = uicc();
    for high in 0..0x80 {
        script = script.on(&format!("00B0{high:02X}0000"), &octets(256));
    }
    let task = |channel: &mut Channel<'_>| file::read(channel, &FileHeader::unknown(), None);
    let (body, play) = on_basic(script, task);
    assert_eq!(body.unwrap_err().code(), Code::TooLarge);
    play.finish().unwrap();
}

#[test]
fn sc_020_a_ber_tlv_file_is_not_read() {
    for kind in [FileKind::BerTlv, FileKind::Directory] {
        let header = FileHeader { kind, ..FileHeader::unknown() };
        let (body, play) = on_basic(uicc(), |channel| file::read(channel, &header, None));
        assert_eq!(body.unwrap_err().code(), Code::NotSupported);
        play.finish().unwrap();
    }
}

fn select(script: Script, path: &[u8]) -> (Result<FileHeader>, Play) {
    let path = FilePath::new(path).unwrap();
    on_basic(script, |channel| file::select(channel, &path))
}

#[test]
fn sc_029_a_deactivated_file_is_refused() {
    let script = uicc().on("00A40804022FE200", "6283").on("00C0000000", "6D00");
    let (header, play) = select(script, &[0x2F, 0xE2]);
    assert_eq!(header.unwrap_err().card_sw, 0x6283);
    play.finish().unwrap();
    for (life, sw) in [("04", 0x6283), ("0C", 0x6285)] {
        let script = uicc().on("00A40804022FE200", &format!("62038A01{life}9000"));
        assert_eq!(select(script, &[0x2F, 0xE2]).0.unwrap_err().card_sw, sw);
    }
}

#[test]
fn sc_038_another_p2_is_tried_once() {
    let script = uicc().on("00A40804022FE200", "6A86").on("00A40800022FE200", "62009000");
    let (header, play) = select(script, &[0x3F, 0x00, 0x2F, 0xE2]);
    assert_eq!(header.unwrap(), FileHeader::unknown());
    play.finish().unwrap();
    let script = uicc().on("00A40804022FE200", "6A86").on("00A40800022FE200", "6A86");
    let (header, play) = select(script, &[0x2F, 0xE2]);
    assert_eq!(header.unwrap_err().what(), "SELECT 2FE2: SELECT: SW 6A86 (wrong P1 or P2)");
    play.finish().unwrap();
}

#[test]
fn a_gsm_card_is_walked_down_and_not_again() {
    let script = gsm()
        .on("A0A40000023F00", "9F16")
        .on("A0A40000027F50", "9F16")
        .on("A0A40000026433", "9F0F")
        .on("A0C000000F", "0000000A6433040000FFFF010200009000")
        .on("A0A40000026430", "9F0F")
        .on("A0C000000F", "0000000A6430040000FFFF000200009000");
    let (lives, play) = on_basic(script, |channel| {
        let path = |fid: [u8; 2]| FilePath::new(&[[0x7F, 0x50], fid].concat()).unwrap();
        let first = file::select(channel, &path([0x64, 0x33])).unwrap();
        assert_eq!(first.size, Some(10));
        file::select(channel, &path([0x64, 0x30])).unwrap_err()
    });
    assert_eq!(lives.card_sw, 0x6283);
    play.finish().unwrap();
}

#[test]
fn sc_059_paths_that_are_none() {
    for octets in [&[][..], &[0x64], &[0x64, 0x33, 0x01], &[0x3F, 0x00], &[0x11; 18]] {
        assert_eq!(FilePath::new(octets).unwrap_err().code(), Code::CardBadData);
    }
    assert_eq!(FilePath::new(&[0x11; 16]).unwrap().octets().len(), 16);
}

#[test]
fn sc_036_the_card_identity() {
    let identity = CardIdentity::from_ef(&vector("ef-iccid")).unwrap();
    assert_eq!(identity.iccid(), "8988211000000430010");
    assert_eq!(format!("{identity:?}"), "CardIdentity(..0010)");
    for (content, digits) in
        [("981032547698103254FF", 18), ("9810325476981032F4FF", 0), ("98103254769810325476", 20)]
    {
        let identity = CardIdentity::from_ef(&hex::decode(content).unwrap());
        match digits {
            0 => assert_eq!(identity.unwrap_err().what(), "EF.ICCID of 17 digits"),
            digits => assert_eq!(identity.unwrap().iccid().len(), digits),
        }
    }
    assert!(CardIdentity::from_ef(&[0xFF; 10]).is_err());
    assert!(CardIdentity::from_ef(&[0xA9; 10]).is_err());
}

#[test]
fn sc_037_the_subscriber() {
    let imsi = |name| Imsi::from_ef(&vector(name)).unwrap();
    assert_eq!(imsi("ef-imsi-1").digits(), "228062800000208");
    assert_eq!(imsi("ef-imsi-2").digits(), "262011106487504");
    assert_eq!(format!("{:?}", imsi("ef-imsi-2")), "Imsi(..)");
    for bad in ["", "08", "0929", "FFFFFFFFFFFFFFFFFF", "0129", "082926A01160845740"] {
        let error = Imsi::from_ef(&hex::decode(bad).unwrap()).unwrap_err();
        assert_eq!(error.code(), Code::CardBadData, "{bad}");
    }
    assert_eq!(vector_names("ef-").len(), 3);
}

#[test]
fn the_identity_is_read_without_touching_channel_0() {
    let (mut card, play) = Script::new()
        .on("0070000001", "019000")
        .on("01A40804022FE200", "620A8202412183022FE288009000")
        .on("01B0000000", "6C0A")
        .on("01B000000A", &format!("{}9000", vector_hex("ef-iccid")))
        .on("01B0000A00", "6B00")
        .on("01708001", "9000")
        .card();
    assert_eq!(uicc::read_identity(&mut card).unwrap().iccid(), "8988211000000430010");
    assert_eq!(play.locks(), (1, 1));
    play.finish().unwrap();
}

#[test]
fn the_identity_of_a_sim() {
    let (mut card, play) = Script::new()
        .on("0070000001", "6E00")
        .on("00A40004023F0000", "6E00")
        .on("A0A40000023F00", "9F16")
        .on("A0A40000023F00", "9F16")
        .on("A0A40000022FE2", "9F0F")
        .on("A0C000000F", &format!("{}9000", vector_hex("gsm-resp-ef-transparent")))
        .on("A0B000000A", &format!("{}9000", vector_hex("ef-iccid")))
        .card();
    assert_eq!(uicc::read_identity(&mut card).unwrap().iccid(), "8988211000000430010");
    play.finish().unwrap();
}

#[test]
fn the_subscriber_of_a_usim_and_of_a_sim() {
    let fcp = "62178202412183026F078A01058B036F060A800200098801389000";
    let (mut card, play) = Script::new()
        .on("0070000001", "019000")
        .on("01A4040407A000000087100200", "62009000")
        .on("01A40804047FFF6F0700", fcp)
        .on("01B0000009", &format!("{}9000", vector_hex("ef-imsi-2")))
        .on("01708001", "9000")
        .card();
    assert_eq!(uicc::read_imsi(&mut card).unwrap().digits(), "262011106487504");
    play.finish().unwrap();
    let (mut card, play) = gsm()
        .on("A0A40000023F00", "9F16")
        .on("A0A40000027F20", "9F16")
        .on("A0A40000026F07", "9F0F")
        .on("A0C000000F", "000000096F070400140F140102000090 00")
        .on("A0B0000009", "9804")
        .card();
    card.mode().unwrap();
    assert_eq!(uicc::read_imsi(&mut card).unwrap_err().code(), Code::CardAccessDenied);
    play.finish().unwrap();
}

fn applications(name: &str) -> Vec<(String, Option<String>, Option<String>)> {
    uicc::applications(&vector(name))
        .into_iter()
        .map(|application| {
            let path = application.path.map(|path| hex::encode(&path));
            (hex::encode(&application.aid), application.label, path)
        })
        .collect()
}

#[test]
fn sc_041_sc_042_records_of_ef_dir() {
    let pkcs15 = "A000000063504B43532D3135".to_owned();
    let own = applications("efdir-pkcs15-own");
    assert_eq!(own, [(pkcs15.clone(), Some("DM".into()), Some("3F007F50".into()))]);
    let two = applications("efdir-usim-then-pkcs15");
    assert_eq!(two[0], ("A0000000871002FFFFFFFF8905080000".into(), None, None));
    assert_eq!(two[1], (pkcs15, Some("MIDPfiles".into()), Some("3F007F80".into())));
    assert_eq!(two.len(), 2);
    assert_eq!(applications("efdir-usim")[0].1.as_deref(), Some("USim1"));
    assert_eq!(applications("efdir-isim")[0].1.as_deref(), Some("ISim1"));
    assert_eq!(applications("efdir-csim")[0].1.as_deref(), Some("CSIM"));
    assert_eq!(vector_names("efdir-").len(), 5);
}

#[test]
fn sc_043_empty_records_do_not_end_ef_dir() {
    let record = vector_hex("efdir-pkcs15-own");
    let script = uicc()
        .on("00A40804022F0000", "620782054221001A039000")
        .on("00B201041A", &format!("{}9000", "FF".repeat(26)))
        .on("00B202041A", &format!("{}9000", "00".repeat(26)))
        .on("00B203041A", &format!("{record}9000"))
        .on("00B204041A", "6A83");
    let (found, play) = on_basic(script, |channel| uicc::read_dir(channel).unwrap());
    assert_eq!(found.len(), 1);
    play.finish().unwrap();
}

#[test]
fn a_card_without_ef_dir_has_no_applications() {
    let script = uicc().on("00A40804022F0000", "6A82");
    let (found, play) = on_basic(script, |channel| uicc::read_dir(channel).unwrap());
    assert_eq!(found, []);
    play.finish().unwrap();
}

#[test]
fn records_of_impossible_length_are_not_read() {
    let header =
        FileHeader { kind: FileKind::Linear { length: 256, count: None }, ..transparent(1) };
    let (body, play) = on_basic(uicc(), |channel| file::read(channel, &header, None));
    let error: Error = body.unwrap_err();
    assert_eq!(error.code(), Code::NotSupported);
    play.finish().unwrap();
}

#[test]
fn one_record_of_a_file() {
    let header = FileHeader { kind: FileKind::Linear { length: 2, count: None }, ..transparent(4) };
    let slice = |index| Some(Slice { index, length: 0 });
    let script = uicc().on("00B2020402", "AABB9000").on("00B2030402", "6A83");
    let (bodies, play) = on_basic(script, |channel| {
        [2, 3, 0, 255, 300].map(|index| file::read(channel, &header, slice(index)).unwrap())
    });
    let octets = bodies.map(|body| hex::encode(&body.into_octets()));
    assert_eq!(octets, ["AABB", "", "", "", ""]);
    play.finish().unwrap();
}
