//! SC-039 to SC-049 and SC-071 to SC-073: finding the PKCS#15 structure and its directories.

use super::structure::*;
use super::{vector, vector_hex, vector_names};
use dmsc::bytes::{hex, tlv};
use dmsc::card::pkcs15::{Found, OID_DM_BOOTSTRAP, Options, read_objects};
use dmsc::card::script::Script;
use dmsc::card::uicc;
use dmsc::error::Code;

#[test]
fn sc_039_sc_071_one_small_object_in_nine_apdus() {
    let script = Files::by_aid()
        .on(vector_hex("apdu-select-odf-path"), vector_hex("apdu-select-odf-rsp"))
        .on("01B0000020", &format!("{}{}9000", vector_hex("odf-dodf-6430"), "FF".repeat(24)))
        .file(DODF, vector_hex("dodf-dm-oiddo"))
        .file(TARGET, BOOTSTRAP)
        .close();
    let (found, play) = run(script, DM);
    assert_eq!(play.sent().len(), 9);
    play.finish().unwrap();
    let found = found.unwrap();
    assert!(found.present);
    assert_eq!(objects(&found), [("6433", BOOTSTRAP.to_owned())]);
    assert_eq!(found.objects[0].oid, OID_DM_BOOTSTRAP);
    assert_eq!(found.objects[0].label.as_deref(), Some("DM"));
    assert_eq!(faults(&found), [""; 0]);
    assert!(!format!("{found:?}").contains("6A"));
}

#[test]
fn sc_071_thirteen_apdus_over_t0() {
    // Every SELECT announces its data with 61XX: one GET RESPONSE for each.
    let files: [(&str, &str); 3] = [
        (ODF, vector_hex("odf-dodf-6430")),
        (DODF, vector_hex("dodf-dm-oiddo")),
        (TARGET, BOOTSTRAP),
    ];
    let mut script = Script::new()
        .on("0070000001", "019000")
        .on(vector_hex("apdu-select-pkcs15"), "6127")
        .on("01C0000027", vector_hex("apdu-select-pkcs15-rsp"));
    for (path, content) in files {
        let octets = content.len() / 2;
        script = script
            .on(&select(1, path), "610D")
            .on("01C000000D", &fcp(octets))
            .on(&format!("01B00000{octets:02X}"), &format!("{content}9000"));
    }
    let (found, play) = run(script.on("01708001", "9000"), DM);
    assert_eq!(play.sent().len(), 13);
    play.finish().unwrap();
    assert_eq!(objects(&found.unwrap()).len(), 1);
}

/// EF.DIR with `record` on channel 2, after the AID was refused on channel 1.
fn aid_refused(record: Option<&str>) -> Files {
    let script = Script::new()
        .on("0070000001", "019000")
        .on(vector_hex("apdu-select-pkcs15"), vector_hex("apdu-select-pkcs15-notfound"))
        .on("01708001", "9000")
        .on("0070000001", "019000");
    let files = Files { script, channel: 1 };
    let Some(record) = record else { return files.on(&select(1, "2F00"), "6A82") };
    let length = record.len() / 2;
    files
        .on(&select(1, "2F00"), &format!("62078205422100{length:02X}019000"))
        .on(&format!("01B20104{length:02X}"), &format!("{record}9000"))
        .on(&format!("01B20204{length:02X}"), "6A83")
}

#[test]
fn sc_040_sc_041_by_the_path_of_ef_dir() {
    let script = aid_refused(Some(vector_hex("efdir-pkcs15-own")))
        .file("7F505031", vector_hex("odf-dodf-6430"))
        .file("7F506430", vector_hex("dodf-dm-oiddo"))
        .file("7F506433", BOOTSTRAP)
        .close();
    // The object has the same name as when it is found by AID.
    assert_eq!(objects(&found(script)), [("6433", BOOTSTRAP.to_owned())]);
}

#[test]
fn sc_042_the_second_template_of_ef_dir() {
    let script = aid_refused(Some(vector_hex("efdir-usim-then-pkcs15")))
        .file("7F805031", "A706300404024407")
        .file("7F804407", "FF")
        .close();
    assert!(found(script).present);
}

#[test]
fn the_usual_directories_without_ef_dir() {
    let script =
        aid_refused(None).on(&select(1, "7F505031"), "6A82").file("50155031", "FF").close();
    assert!(found(script).present);
}

#[test]
fn sc_044_no_pkcs15_is_no_error() {
    let script = aid_refused(Some(vector_hex("efdir-usim")))
        .on(&select(1, "7F505031"), "6A82")
        .on(&select(1, "50155031"), "6A82")
        .close();
    assert_eq!(found(script), Found::default());
}

#[test]
fn sc_012_without_channels_by_path_on_channel_0() {
    let script = Files { script: Script::new(), channel: 0 }
        .on("0070000001", "6D00")
        .on("00A40004023F0000", "62009000")
        .on(&select(0, "2F00"), "6A82")
        .file("7F505031", vector_hex("odf-dodf-6430"))
        .file("7F506430", vector_hex("dodf-dm-oiddo"))
        .file("7F506433", BOOTSTRAP)
        .script;
    assert_eq!(objects(&found(script)), [("6433", BOOTSTRAP.to_owned())]);
}

#[test]
fn sc_012_channel_0_only_if_allowed() {
    let (mut card, play) = Script::new().on("0070000001", "6881").card();
    let options = Options { basic_channel: false, ..Options::default() };
    let error = read_objects(&mut card, DM, options).unwrap_err();
    assert_eq!((error.code(), error.card_sw), (Code::CardNoChannel, 0x6881));
    play.finish().unwrap();
}

#[test]
fn a_sim_is_read_by_file_identifiers() {
    let header = |fid: &str, size: usize| format!("0000{size:04X}{fid}040000FFFF01020000 9000");
    let odf = vector_hex("odf-dodf-6430");
    let dodf = vector_hex("dodf-dm-oiddo");
    let (mut card, play) = Script::new()
        .on("00A40004023F0000", "6E00")
        .on("A0A40000023F00", "9F16")
        .on("A0A40000023F00", "9F16")
        .on("A0A40000022F00", "9404")
        .on("A0A40000023F00", "9F16")
        .on("A0A40000027F50", "9F16")
        .on("A0A40000025031", "9F0F")
        .on("A0C000000F", &header("5031", 8))
        .on("A0B0000008", &format!("{odf}9000"))
        .on("A0A40000026430", "9F0F")
        .on("A0C000000F", &header("6430", 26))
        .on("A0B000001A", &format!("{dodf}9000"))
        .on("A0A40000026433", "9F0F")
        .on("A0C000000F", &header("6433", 9))
        .on("A0B0000009", &format!("{BOOTSTRAP}9000"))
        .card();
    card.mode().unwrap();
    let found = read_objects(&mut card, DM, Options::default()).unwrap();
    // SELECT MF, SELECT DF, then three exchanges for each file.
    assert_eq!(play.sent().len() - 4, 2 + 3 * 3);
    play.finish().unwrap();
    assert_eq!(objects(&found), [("6433", BOOTSTRAP.to_owned())]);
}

#[test]
fn a_transport_that_owns_channels_selects_the_application() {
    let script = Script::new().owning_channels().open("A000000063504B43532D3135", 101);
    let script = Files { script, channel: 0 }
        .odf()
        .file(DODF, vector_hex("dodf-dm-oiddo"))
        .file(TARGET, BOOTSTRAP)
        .script
        .close(101);
    assert_eq!(objects(&found(script)), [("6433", BOOTSTRAP.to_owned())]);
    // Refused: by path, on the USIM's channel, else where commands go without a channel.
    let script = Script::new()
        .owning_channels()
        .open_fails("A000000063504B43532D3135", Code::CardFileNotFound)
        .open("A0000000871002", 7);
    let script = Files { script, channel: 0 }
        .on(&select(0, "2F00"), "6A82")
        .file("7F505031", "FF")
        .script
        .close(7);
    assert!(found(script).present);
}

#[test]
fn sc_045_the_answer_to_select_by_aid_is_not_looked_at() {
    for answer in [vector_hex("apdu-select-pkcs15-as-ef-rsp"), "9000", "6F7F9000", "62FF9000"] {
        let script =
            Script::new().on("0070000001", "019000").on(vector_hex("apdu-select-pkcs15"), answer);
        let script = Files { script, channel: 1 }
            .on(vector_hex("apdu-select-odf-path"), &fcp(1))
            .on("01B0000001", "FF9000")
            .close();
        assert!(found(script).present);
    }
}

#[test]
fn a_card_that_does_not_know_7fff_gets_file_identifiers() {
    let script = Files::by_aid()
        .on(vector_hex("apdu-select-odf-path"), "6A82")
        .on("01A4000402503100", &fcp(8))
        .on("01B0000008", &format!("{}9000", vector_hex("odf-dodf-6430")))
        .on(&select(1, DODF), "6A82")
        .on("01A4000402643000", "6A82")
        .close();
    assert_eq!(
        faults(&found(script)),
        ["DODF 6430: SELECT 7FFF6430: SELECT: SW 6A82 (file or application not found)"]
    );
}

#[test]
fn sc_047_sc_048_directories_in_the_odf() {
    let script = Files::by_aid()
        .file(ODF, vector_hex("odf-two-dodf-padded"))
        .file("7FFF4407", vector_hex("dodf-all-ff"))
        .close();
    assert_eq!(faults(&found(script)), [""; 0]);
    assert_eq!(vector_names("odf-").len(), 2);
}

#[test]
fn sc_049_several_dodfs_in_their_order() {
    let script = Files::by_aid()
        .file(ODF, "A706300404024407A706300404026430")
        .file("7FFF4407", &dm("04024F01"))
        .file("7FFF4F01", "0201")
        .file(DODF, &dm("04024F02"))
        .file("7FFF4F02", "0202")
        .close();
    let expected = [("4F01", "0201".to_owned()), ("4F02", "0202".to_owned())];
    assert_eq!(objects(&found(script)), expected);
}

#[test]
fn an_odf_with_one_sequence_too_many_or_with_the_objects_inside() {
    let script = Files::by_aid()
        .file(ODF, "A7083006040464306431")
        .on(&select(1, "7FFF64306431"), "6A82")
        .close();
    assert_eq!(found(script).faults.len(), 1);
    let script = Files::by_aid().file(ODF, "A70A3008300604043F006430").file("6430", "FF").close();
    assert_eq!(faults(&found(script)), [""; 0]);
    let inline = tlv::encode(0xA0, &vector("dodf-dm-oiddo"));
    let script = Files::by_aid()
        .file(ODF, &hex::encode(&tlv::encode(0xA7, &inline)))
        .file(TARGET, BOOTSTRAP)
        .close();
    assert_eq!(objects(&found(script)), [("6433", BOOTSTRAP.to_owned())]);
}

#[test]
fn sc_072_a_card_taken_out_is_left_alone() {
    let script = Files::by_aid().odf().script.fail(&select(1, DODF), Code::CardRemoved);
    let (found, play) = run(script, DM);
    assert_eq!(found.unwrap_err().code(), Code::CardRemoved);
    play.finish().unwrap();
}

#[test]
fn sc_073_the_identity_tells_one_card_from_another() {
    let read = |last: &str| {
        let (mut card, _play) = Script::new()
            .on("0070000001", "019000")
            .on(&select(1, "2FE2"), &fcp(10))
            .on("01B000000A", &format!("9888120100004003{last}9000"))
            .on("01708001", "9000")
            .card();
        uicc::read_identity(&mut card).unwrap()
    };
    assert_eq!(read("10F0"), read("10F0"));
    assert_ne!(read("10F0"), read("10F1"));
}
