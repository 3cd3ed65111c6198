use super::*;
use crate::bytes::hex;
use crate::card::script::{Play, Script};

const DM: &[ObjectIdentifier] = &[OID_DM_BOOTSTRAP];

/// The answer to SELECT of a transparent EF of `size` octets.
fn fcp(size: usize) -> String {
    format!("620F 8202 4121 8302 6433 8A01 05 8002 {size:04X} 9000")
}

fn selected() -> Script {
    Script::new()
        .on("0070000001", "01 9000")
        .on(
            "01A404040CA000000063504B43532D313500",
            "622582027821840CA000000063504B43532D31358A01058B032F060CC60990014083010183010A9000",
        )
        .on("01A40804047FFF503100", "621682024121830250318A01058B036F06028002002088009000")
}

fn octets(found: &Found) -> Vec<String> {
    let octets = |object: &ObjectData| match &object.content {
        Content::Octets(octets) => hex::encode(octets.expose()),
        other => format!("{other:?}"),
    };
    found.objects.iter().map(octets).collect()
}

fn play(script: Script, wanted: &[ObjectIdentifier]) -> (Result<Found>, Play) {
    let (mut card, play) = script.card();
    (read_objects(&mut card, wanted, Options::default()), play)
}

#[test]
fn sc_071_one_small_object_in_nine_apdus() {
    let script = selected()
        .on("01B0000020", &format!("A706300404026430{} 9000", "FF".repeat(24)))
        .on("01A40804047FFF643000", &fcp(0x1A))
        .on("01B000001A", "A118300030040C02444DA10E300C06046 72B0701300404026433 9000")
        .on("01A40804047FFF643300", &fcp(8))
        .on("01B0000008", "02A4016A00FFFFFF 9000")
        .on("01708001", "9000");
    let (found, play) = play(script, DM);
    let found = found.unwrap();
    assert_eq!(play.sent().len(), 9);
    assert_eq!(play.locks(), (1, 1));
    play.finish().unwrap();
    assert!(found.present);
    assert_eq!(found.faults, []);
    assert_eq!(octets(&found), ["02A4016A00"]);
    assert_eq!(found.objects[0].path, "6433");
    assert_eq!(found.objects[0].oid, OID_DM_BOOTSTRAP);
}
