//! SC-014 to SC-021: FCP templates and GSM file headers.

use super::{vector, vector_names};
use dmsc::bytes::hex;
use dmsc::card::access::{Access, Need};
use dmsc::card::fcp::{FileHeader, FileKind, Life, PinStatus, Sfi};
use dmsc::error::Code;

fn fcp(name: &str) -> FileHeader {
    FileHeader::from_fcp(&vector(name)).unwrap()
}

fn fcp_of(template: &str) -> FileHeader {
    FileHeader::from_fcp(&hex::decode(template).unwrap()).unwrap()
}

fn pins(header: &FileHeader) -> Vec<(u8, bool)> {
    header.pins.iter().map(|PinStatus { reference, enabled }| (*reference, *enabled)).collect()
}

#[test]
fn sc_014_pins_of_the_mf() {
    let header = fcp("fcp-mf");
    assert_eq!((header.kind, header.fid), (FileKind::Directory, Some(0x3F00)));
    assert_eq!(pins(&header), [(0x01, false), (0x0A, true), (0x0B, true)]);
    assert_eq!(header.access, Access::Reference { fid: 0x2F06, record: 1 });
}

#[test]
fn sc_015_the_usim() {
    let header = fcp("fcp-adf-usim");
    assert_eq!(pins(&header), [(0x01, false), (0x81, true), (0x0A, true), (0x0B, true)]);
    assert_eq!(header.aid, hex::decode("A0000000871002FF49FF0589").ok());
    assert_eq!(header.sfi, Sfi::None);
}

#[test]
fn sc_016_files_with_and_without_sfi() {
    let imsi = fcp("fcp-ef-imsi");
    assert_eq!((imsi.kind, imsi.size, imsi.sfi), (FileKind::Transparent, Some(9), Sfi::Is(7)));
    let ecc = fcp("fcp-ef-ecc");
    assert_eq!(ecc.kind, FileKind::Linear { length: 14, count: Some(2) });
    assert_eq!((ecc.size, ecc.sfi), (Some(28), Sfi::Is(1)));
    let msisdn = fcp("fcp-ef-msisdn-nosfi");
    assert_eq!(msisdn.kind, FileKind::Linear { length: 32, count: Some(4) });
    assert_eq!((msisdn.size, msisdn.sfi), (Some(128), Sfi::None));
    let pl = fcp("fcp-ef-pl-sfi");
    assert_eq!((pl.kind, pl.size, pl.sfi), (FileKind::Transparent, Some(10), Sfi::Is(5)));
    assert_eq!(pl.access, Access::Reference { fid: 0x2F06, record: 0x0F });
    assert_eq!(vector_names("fcp-").len(), 8);
}

#[test]
fn sc_017_sfi_from_the_file_identifier() {
    assert_eq!(fcp_of("620C8202412183026F0780020009").sfi, Sfi::Is(7));
    // 31 and 0 are no short file identifiers.
    assert_eq!(fcp_of("62088202412183026F1F").sfi, Sfi::None);
    assert_eq!(fcp_of("62088202412183026F20").sfi, Sfi::None);
}

#[test]
fn sc_018_other_forms_of_access_rules() {
    let dir = fcp("fcp-ef-dir-expanded-ac");
    assert_eq!(dir.kind, FileKind::Linear { length: 42, count: Some(1) });
    assert_eq!((dir.size, dir.sfi), (Some(42), Sfi::Is(30)));
    assert_eq!(dir.access, Access::Read(Need::Always));
    let adf = fcp("fcp-compact-ac-adf");
    assert_eq!((adf.kind, adf.fid), (FileKind::Directory, None));
    assert_eq!(pins(&adf), [(0x01, false), (0x81, true), (0x0A, true), (0x0B, true)]);
}

#[test]
fn sc_019_a_template_that_does_not_fit() {
    let mut data = hex::decode("6220").unwrap();
    data.extend(hex::decode("82024121830250318002").unwrap());
    let error = FileHeader::from_fcp(&data).unwrap_err();
    assert_eq!(error.code(), Code::CardBadData);
    assert_eq!(error.what(), "FCP: E_TLV_LENGTH at byte 0");
    let inner = FileHeader::from_fcp(&hex::decode("6204820A4121").unwrap()).unwrap_err();
    assert_eq!(inner.what(), "FCP: E_TLV_LENGTH at byte 0");
    let other = FileHeader::from_fcp(&hex::decode("3000").unwrap()).unwrap_err();
    assert_eq!(other.what(), "FCP: tag 30 instead of 62");
}

#[test]
fn sc_020_ber_tlv_structure_is_told_from_transparent_and_cyclic() {
    assert_eq!(fcp_of("620482027921").kind, FileKind::BerTlv);
    assert_eq!(fcp_of("620482023921").kind, FileKind::BerTlv);
    assert_eq!(fcp_of("620782054621001003").kind, FileKind::Cyclic { length: 16, count: Some(3) });
    assert_eq!(fcp_of("6206820446210010").kind, FileKind::Cyclic { length: 16, count: None });
    // Records of no length cannot be read.
    assert_eq!(fcp_of("620482024221").kind, FileKind::Unknown);
    assert_eq!(fcp_of("620782054221000003").kind, FileKind::Unknown);
}

#[test]
fn sc_021_gsm_headers() {
    let iccid = FileHeader::from_gsm(&vector("gsm-resp-ef-transparent")).unwrap();
    assert_eq!((iccid.kind, iccid.size), (FileKind::Transparent, Some(10)));
    assert_eq!((iccid.fid, iccid.access), (Some(0x2FE2), Access::Read(Need::Always)));
    let msisdn = FileHeader::from_gsm(&vector("gsm-resp-ef-linear")).unwrap();
    assert_eq!(msisdn.kind, FileKind::Linear { length: 26, count: Some(2) });
    assert_eq!(msisdn.access, Access::Read(Need::Pin(1)));
    for (name, fid) in [("gsm-resp-mf", 0x3F00), ("gsm-resp-df-telecom", 0x7F10)] {
        let header = FileHeader::from_gsm(&vector(name)).unwrap();
        assert_eq!((header.kind, header.fid), (FileKind::Directory, Some(fid)));
        assert_eq!(pins(&header), [(0x01, false), (0x02, true)]);
    }
    assert_eq!(vector_names("gsm-").len(), 4);
}

#[test]
fn gsm_headers_that_are_cut_off_or_invalidated() {
    let full = vector("gsm-resp-ef-linear");
    for length in 0..full.len() {
        let error = FileHeader::from_gsm(&full[..length]).unwrap_err();
        assert_eq!(error.code(), Code::CardBadData, "{length}");
    }
    let mut invalidated = full;
    invalidated[11] = 0x00;
    assert_eq!(FileHeader::from_gsm(&invalidated).unwrap().life, Life::Deactivated);
}

#[test]
fn life_cycles_and_missing_parts() {
    assert_eq!(fcp_of("62038A0105").life, Life::Activated);
    assert_eq!(fcp_of("62038A0104").life, Life::Deactivated);
    assert_eq!(fcp_of("62038A010C").life, Life::Terminated);
    assert_eq!(fcp_of("62038A0103").life, Life::Other(3));
    assert_eq!(fcp_of(""), FileHeader::unknown());
    assert_eq!(fcp_of("6200"), FileHeader::unknown());
    // An FCI, size in tag 81, and a size that is no number.
    assert_eq!(fcp_of("6F0C8202412181020102FFFFFFFF").size, Some(258));
    assert_eq!(fcp_of("620780050000000001").size, None);
}

#[test]
fn the_file_of_an_answer_to_select_by_aid() {
    let odf = FileHeader::from_fcp(&vector("apdu-select-pkcs15-as-ef-rsp")).unwrap();
    assert_eq!((odf.kind, odf.size), (FileKind::Transparent, Some(56)));
    let adf = FileHeader::from_fcp(&vector("apdu-select-pkcs15-rsp")).unwrap();
    assert_eq!(adf.aid.as_deref(), Some(&dmsc::card::pkcs15::AID[..]));
    assert_eq!(pins(&adf), [(0x01, false), (0x0A, true)]);
    let odf = FileHeader::from_fcp(&vector("apdu-select-odf-rsp")).unwrap();
    assert_eq!((odf.size, odf.sfi), (Some(32), Sfi::None));
}
