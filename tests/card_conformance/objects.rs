//! SC-030, SC-050 to SC-064 and SC-074 to SC-077: the objects that a DODF names.

use super::structure::*;
use super::{vector_hex, vector_names};
use dmsc::card::pin::PinEntry;
use dmsc::card::pkcs15::{
    Content, OID_CP_BOOTSTRAP, OID_CP_CONFIG1, OID_CP_CONFIG2, Options, PinRequest, read_objects,
};
use dmsc::error::Code;
use dmsc::secret::Secret;

#[test]
fn sc_050_exactly_the_length_in_the_path() {
    let tail = format!("{}{}", "02".repeat(20), "FF".repeat(24));
    let script = Files::by_aid()
        .odf()
        .file(DODF, vector_hex("dodf-dm-opaque-len"))
        .on(&select(1, TARGET), &fcp(400))
        .on("01B0000000", &format!("{}9000", "02".repeat(256)))
        .on("01B001002C", &format!("{tail}9000"))
        .close();
    let content = format!("{}{tail}", "02".repeat(256));
    assert_eq!(objects(&found(script)), [("6433", content)]);
}

#[test]
fn sc_051_a_locked_object_does_not_stop_the_others() {
    let dodf = format!("{}{}", vector_hex("dodf-dm-opaque-private"), dm("04024F02"));
    let script = Files::by_aid()
        .odf()
        .file(DODF, &dodf)
        .on("01A40804047F50643300", "620B 82024121 80020009 8B0100 9000")
        .on("01B0000009", "6982")
        .file("7FFF4F02", "0202")
        .close();
    let found = found(script);
    assert_eq!(found.objects[0].content, Content::Locked { reference: None });
    assert_eq!(found.objects[0].path, "3F007F506433");
    assert_eq!(found.objects[1].path, "4F02");
}

/// A target whose rule in EF.ARR wants PIN 81 for READ.
fn locked_target() -> Files {
    Files::by_aid()
        .odf()
        .file(DODF, vector_hex("dodf-dm-oiddo"))
        .on(&select(1, TARGET), "620D 82024121 80020009 8B036F0604 9000")
        .on("01B0000009", "6982")
        .on(&select(1, "7FFF6F06"), "620782054221000E089000")
        .on("01B204040E", "800101A406830181950108FFFFFF9000")
}

#[test]
fn sc_030_the_reference_of_the_pin_is_looked_up_and_nothing_verified() {
    let found = found(locked_target().close());
    assert_eq!(found.objects[0].content, Content::Locked { reference: Some(0x81) });
}

#[test]
fn sc_030_the_host_is_asked_for_the_pin() {
    let script = locked_target()
        .on("01200081", "63C3")
        .on("01200081", "63C3")
        .on("012000810831323334FFFFFFFF", "9000")
        .file(TARGET, BOOTSTRAP)
        .close();
    let (mut card, play) = script.card();
    let mut asked = Vec::new();
    let mut prompt = |request: &PinRequest| {
        asked.push(request.clone());
        Some(PinEntry { pin: Secret::new(*b"1234"), last_attempt: false })
    };
    let options = Options { pin: Some(&mut prompt), ..Options::default() };
    let found = read_objects(&mut card, DM, options).unwrap();
    play.finish().unwrap();
    assert_eq!(asked, [PinRequest { reference: 0x81, tries: Some(3) }]);
    assert_eq!(objects(&found), [("6433", BOOTSTRAP.to_owned())]);
}

#[test]
fn sc_051_a_pin_that_is_not_given_is_asked_for_once() {
    let dodf = format!("{}{}", dm("04024F01"), dm("04024F02"));
    let header = "6215 82024121 80020009 AB0B 800101 A406830101950108 9000";
    let script = Files::by_aid()
        .odf()
        .file(DODF, &dodf)
        .on(&select(1, "7FFF4F01"), header)
        .on("01B0000009", "6982")
        .on("01200001", "63C2")
        .on(&select(1, "7FFF4F02"), header)
        .on("01B0000009", "6982")
        .close();
    let (mut card, play) = script.card();
    let mut asked = 0;
    let mut prompt = |_: &PinRequest| {
        asked += 1;
        None
    };
    let options = Options { pin: Some(&mut prompt), ..Options::default() };
    let found = read_objects(&mut card, DM, options).unwrap();
    play.finish().unwrap();
    assert_eq!(asked, 1);
    assert!(
        found
            .objects
            .iter()
            .all(|object| { object.content == Content::Locked { reference: Some(1) } })
    );
}

#[test]
fn a_locked_odf_is_an_error_and_a_locked_dodf_a_fault() {
    let script = Files::by_aid().on(&select(1, ODF), &fcp(8)).on("01B0000008", "6982").close();
    let (found, play) = run(script, DM);
    assert_eq!(found.unwrap_err().code(), Code::CardAccessDenied);
    play.finish().unwrap();
    let script =
        Files::by_aid().odf().on(&select(1, DODF), &fcp(8)).on("01B0000008", "6982").close();
    let (found, play) = run(script, DM);
    assert_eq!(found.unwrap().faults[0].code(), Code::CardAccessDenied);
    play.finish().unwrap();
}

#[test]
fn sc_052_both_forms_and_the_nested_identifier() {
    for name in ["dodf-dm-oiddo", "dodf-dm-oiddo-nested"] {
        let script =
            Files::by_aid().odf().file(DODF, vector_hex(name)).file(TARGET, BOOTSTRAP).close();
        assert_eq!(objects(&found(script)), [("6433", BOOTSTRAP.to_owned())], "{name}");
    }
}

#[test]
fn sc_053_sc_054_other_objects_and_none() {
    for name in ["dodf-lwm2m-oid-nested", "dodf-gp-ac-shape", "dodf-all-ff"] {
        let found = found_in(vector_hex(name));
        assert_eq!((found.present, found.objects.len(), found.faults.len()), (true, 0, 0));
    }
    assert_eq!(vector_names("dodf-").len(), 9);
}

#[test]
fn sc_055_the_length_as_a_plain_integer() {
    let path = vector_hex("dodf-path-length-int").strip_prefix("300A").unwrap();
    let script = Files::by_aid()
        .odf()
        .file(DODF, &dm(path))
        .on(&select(1, TARGET), &fcp(300))
        .on("01B0000064", &format!("{}9000", "02".repeat(100)))
        .close();
    assert_eq!(objects(&found(script)), [("6433", "02".repeat(100))]);
}

#[test]
fn sc_056_slices_beyond_the_file() {
    let dodf = format!("{}{}", dm("0402643302010480020100"), dm("0402643302010A800101"));
    let script = Files::by_aid()
        .odf()
        .file(DODF, &dodf)
        .on(&select(1, TARGET), &fcp(10))
        .on("01B0000406", "0201020304059000")
        .on(&select(1, TARGET), &fcp(10))
        .close();
    let found = found(script);
    assert_eq!(found.objects[0].path, "6433@4");
    assert_eq!(objects(&found)[0].1, "020102030405");
    assert_eq!(objects(&found)[1].1, "7FFF6433: offset 10 in a file of 10 octets");
}

#[test]
fn an_index_without_length_does_not_count() {
    let script =
        Files::by_aid().odf().file(DODF, &dm("04026433020104")).file(TARGET, BOOTSTRAP).close();
    assert_eq!(objects(&found(script)), [("6433", BOOTSTRAP.to_owned())]);
}

#[test]
fn sc_057_two_objects_in_order() {
    let script = Files::by_aid()
        .odf()
        .file(DODF, &format!("{}{}", dm("04024F02"), dm("04024F01")))
        .file("7FFF4F02", "0202")
        .file("7FFF4F01", "0201")
        .close();
    let expected = [("4F02", "0202".to_owned()), ("4F01", "0201".to_owned())];
    assert_eq!(objects(&found(script)), expected);
}

#[test]
fn sc_058_an_absolute_path() {
    let script = Files::by_aid()
        .odf()
        .file(DODF, &dm("04063F007F506433"))
        .on("01A40804047F50643300", &fcp(2))
        .on("01B0000002", "02019000")
        .close();
    assert_eq!(objects(&found(script)), [("3F007F506433", "0201".to_owned())]);
}

#[test]
fn sc_059_impossible_paths_are_passed_over() {
    let paths = ["0400", "040164", "0403643301", &format!("0412{}", "11".repeat(18))];
    let mut dodf: String = paths.iter().map(|path| dm(path)).collect();
    dodf += &dm("04026433");
    let script = Files::by_aid().odf().file(DODF, &dodf).file(TARGET, BOOTSTRAP).close();
    let found = found(script);
    assert_eq!(objects(&found), [("6433", BOOTSTRAP.to_owned())]);
    assert_eq!(faults(&found)[0], "6430: DODF entry at byte 0: path of 0 octets");
    assert_eq!(found.faults.len(), 4);
}

#[test]
fn sc_060_lengths_in_the_dodf() {
    let long = vector_hex("dodf-dm-opaque-len").replacen("3027", "308127", 1);
    let script = |tail: &str| {
        Files::by_aid()
            .odf()
            .file(DODF, &format!("{long}{tail}"))
            .on(&select(1, TARGET), &fcp(4))
            .on("01B0000004", "020102039000")
            .close()
    };
    let damaged = [("", None), ("30800000", Some("INDEFINITE")), ("30050000", Some("LENGTH"))];
    for (tail, fault) in damaged {
        let found = found(script(tail));
        assert_eq!(objects(&found), [("6433", "02010203".to_owned())]);
        let expected = fault.map(|class| format!("6430: DODF: E_TLV_{class} at byte 42"));
        assert_eq!(faults(&found), Vec::from_iter(expected));
    }
}

#[test]
fn sc_061_directories_are_entered_once() {
    // The ODF names itself and one DODF twice; the DODF's objects name ODF and DODF.
    let dodf = format!("{}{}", dm("04025031"), dm("04026430"));
    let script = Files::by_aid()
        .file(ODF, "A706300404025031A706300404026430A706300404026430")
        .file(DODF, &dodf)
        .close();
    let found = found(script);
    assert_eq!(
        faults(&found),
        ["DODF 5031: the directory was read already", "DODF 6430: the directory was read already"]
    );
    assert_eq!(objects(&found)[0].1, "object 7FFF5031 is a directory of objects");
    assert_eq!(objects(&found)[1].1, "object 7FFF6430 is a directory of objects");
}

#[test]
fn an_identifier_inside_itself_is_unwrapped_once() {
    let (once, twice) = ("0604672B0701", "06060604672B0701");
    let wrapped = |oid: &str| {
        let oid = dmsc::bytes::hex::decode(oid).unwrap();
        let oid = dmsc::bytes::hex::encode(&dmsc::bytes::tlv::encode(0x06, &oid));
        let common = format!("30{:02X}{oid}", oid.len() / 2);
        let body = format!("3000{common}A10630040402{}", &TARGET[4..]);
        format!("30{:02X}{body}", body.len() / 2)
    };
    let path = |oid| {
        let script = Files::by_aid().odf().file(DODF, &wrapped(oid));
        found(script.file(TARGET, BOOTSTRAP).close()).objects.len()
    };
    assert_eq!((path(&once[4..]), path(once)), (1, 1));
    // Once more, and it is no identifier that anybody looks for.
    let found = found(Files::by_aid().odf().file(DODF, &wrapped(twice)).close());
    assert_eq!((found.objects.len(), found.faults.len()), (0, 0), "{:?}", found.faults);
}

#[test]
fn a_path_out_of_the_directory_is_selected_and_read_and_nothing_else() {
    // The script refuses any other command.
    let script = Files::by_aid()
        .odf()
        .file(DODF, &dm("04063F007F206F07"))
        .file("7F206F07", vector_hex("ef-imsi-1"));
    let found = found(script.close());
    assert_eq!(objects(&found)[0].0, "3F007F206F07");
}

#[test]
fn one_object_named_twice_is_read_once() {
    let script =
        Files::by_aid().odf().file(DODF, &dm("04026433").repeat(2)).file(TARGET, BOOTSTRAP).close();
    let found = found(script);
    assert_eq!(found.objects.len(), 1);
    assert_eq!(faults(&found), ["DODF 6430: object 6433 is named twice"]);
}

#[test]
fn sc_062_files_of_fill() {
    for fill in ["FFFFFFFF", "00000000"] {
        let script = Files::by_aid().odf().file(DODF, &dm("04026433")).file(TARGET, fill).close();
        assert_eq!(found(script).objects[0].content, Content::Empty);
    }
}

#[test]
fn sc_064_sc_077_padding_is_cut_off_where_no_length_is_told() {
    let script = Files::by_aid()
        .odf()
        .file(DODF, &dm("04026433"))
        .file(TARGET, &format!("{BOOTSTRAP}00FFFF"))
        .close();
    assert_eq!(objects(&found(script)), [("6433", format!("{BOOTSTRAP}00"))]);
}

#[test]
fn objects_written_in_the_directory() {
    // opaqueDO with an OCTET STRING, oidDO with [0] OCTET STRING, and a form that is not read.
    let entries = [
        "301130003006 0604672B0701 A105 0403020103",
        "A11730003000 A111300F 0604672B0701 A007 04050205060701",
        "301030003006 0604672B0701 A104 A2020500",
    ];
    let dodf = entries.concat().replace(' ', "");
    let found = found_in(&dodf);
    assert_eq!(
        objects(&found),
        [("6430#1", "020103".to_owned()), ("6430#2", "0205060701".to_owned())]
    );
    assert_eq!(faults(&found), ["6430: DODF entry at byte 44: object without value"]);
}

#[test]
fn limits_are_faults() {
    let found = found_in(&"30020500".repeat(33));
    assert_eq!(found.faults[32].code(), Code::TooLarge);
    let dodfs: String = (0x10..0x19).map(|fid| format!("A7063004040264{fid:02X}")).collect();
    let mut files = Files::by_aid().file(ODF, &dodfs);
    for fid in 0x10..0x18 {
        files = files.on(&select(1, &format!("7FFF64{fid:02X}")), "6A82");
        files = files.on(&format!("01A400040264{fid:02X}00"), "6A82");
    }
    let script = files.close();
    let found = self::found(script);
    assert_eq!(found.faults.last().unwrap().what(), "ODF names more than 8 DODFs");
}

#[test]
fn limits_no_more_than_128_kib_of_one_card() {
    let dodf: String = (1..=5).map(|fid| dm(&format!("04024F{fid:02X}"))).collect();
    let mut files = Files::by_aid().odf().file(DODF, &dodf);
    for fid in 1..=4 {
        files = files.on(&select(1, &format!("7FFF4F{fid:02X}")), &fcp(0x8000));
        for high in 0..0x80 {
            files = files.on(&format!("01B0{high:02X}0000"), &format!("{}9000", "02".repeat(256)));
        }
    }
    let found = found(files.close());
    // The headers count too, so that the fourth is over the limit; the fifth is not even selected.
    for (index, object) in found.objects.iter().enumerate() {
        let too_large = matches!(&object.content, Content::Unreadable(error)
            if error.code() == Code::TooLarge);
        assert_eq!(too_large, index >= 3, "{index}");
    }
    assert_eq!(found.objects.len(), 5);
}

#[test]
fn sc_074_sc_076_three_provisioning_files() {
    let wanted = [OID_CP_BOOTSTRAP, OID_CP_CONFIG1, OID_CP_CONFIG2];
    let script = Files::by_aid()
        .odf()
        .file(DODF, vector_hex("dodf-prov-three"))
        .file("7FFF4F01", &format!("{}FFFF", vector_hex("cp-ef-wbxml-head")))
        .on(&select(1, "7FFF4F02"), "6A82")
        .on("01A40004024F0200", "6A82")
        .file("7FFF4F03", "030B6A0045")
        .close();
    let (found, play) = run(script, &wanted);
    play.finish().unwrap();
    let found = found.unwrap();
    assert_eq!(found.objects.iter().map(|object| object.oid).collect::<Vec<_>>(), wanted);
    let labels: Vec<_> = found.objects.iter().flat_map(|object| &object.label).collect();
    assert_eq!(labels, ["Bootstrap", "Config1", "Config2"]);
    assert_eq!(
        objects(&found),
        [
            ("4F01", vector_hex("cp-ef-wbxml-head").to_owned()),
            ("4F02", "SELECT 7FFF4F02: SELECT: SW 6A82 (file or application not found)".to_owned()),
            ("4F03", "030B6A0045".to_owned())
        ]
    );
}

#[test]
fn a_directory_in_records() {
    let dodf = vector_hex("dodf-dm-oiddo");
    let script = Files::by_aid()
        .odf()
        .on(&select(1, DODF), "620782054221001E029000")
        .on("01B201041E", &format!("{}9000", "FF".repeat(30)))
        .on("01B202041E", &format!("{dodf}FFFFFFFF9000"))
        .on("01B203041E", "6A83")
        .file(TARGET, BOOTSTRAP)
        .close();
    assert_eq!(objects(&found(script)), [("6433", BOOTSTRAP.to_owned())]);
}
