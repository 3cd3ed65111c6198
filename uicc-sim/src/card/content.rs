//! Personalisation: the files of a card from its configuration (ICCID, EF.DIR, USIM, PKCS#15 with
//! the bootstrap objects).

use super::config::{BootstrapFault, CardConfig, DodfFault, DodfForm};
use super::files::{Content, File, FileId, FileSystem, MF, Read};
use super::tlv::tlv;

/// AID of the USIM application.
pub(crate) const USIM_AID: [u8; 16] = [
    0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x07, 0x09, 0x00, 0x00,
];
/// AID of the CSIM application.
const CSIM_AID: [u8; 16] = [
    0xA0, 0x00, 0x00, 0x03, 0x43, 0x10, 0x02, 0xFF, 0x86, 0xFF, 0x03, 0x89, 0xFF, 0xFF, 0xFF, 0xFF,
];
/// AID of the PKCS#15 application.
pub(crate) const PKCS15_AID: [u8; 12] = *b"\xA0\x00\x00\x00\x63PKCS-15";

const PKCS15_FID: u16 = 0x7F50;
const CP_DODF_FID: u16 = 0x6440;
const SECOND_DODF_FID: u16 = 0x6450;
const SECOND_FID: u16 = 0x6453;
const EF_DIR_RECORD: u8 = 48;
/// 2.23.43.7.1, OMA DM bootstrap.
const DM_BOOTSTRAP_OID: [u8; 4] = [0x67, 0x2B, 0x07, 0x01];

/// All files of the card.
pub(crate) fn personalise(config: &CardConfig, bootstrap: &[u8]) -> FileSystem {
    let mut files = FileSystem::new();
    // Beyond channel 3 a terminal has to say that it can.
    files.takes_capability = config.logical_channels > 3;
    files.size_doubled = config.faults.size_doubled;
    files.add(ef_dir(config));
    let mut iccid = File::transparent(MF, 0x2FE2, nibbles(&config.iccid, 20));
    iccid.sfi = Some(0x02);
    files.add(iccid);
    add_subscriber(&mut files, config);
    if !config.faults.no_pkcs15 {
        let root = files.add(directory(PKCS15_FID, &PKCS15_AID, config.pkcs15_by_aid, true));
        add_pkcs15(&mut files, root, config, bootstrap);
    }
    files
}

/// The network's application, or on a SIM its directory, with the subscriber's IMSI.
fn add_subscriber(files: &mut FileSystem, config: &CardConfig) {
    let application = if config.gsm {
        let content = Content::Directory { aid: None, by_aid: false, by_fid: true };
        let fid = if config.cdma { 0x7F25 } else { 0x7F20 };
        files.add(File { fid, parent: MF, sfi: None, read: Read::Always, content })
    } else {
        files.add(directory(0x7FD0, network_application(config).0, true, false))
    };
    let mut imsi = if config.cdma {
        File::transparent(application, 0x6F22, imsi_m_content(&config.imsi))
    } else {
        let mut imsi = File::transparent(application, 0x6F07, imsi_content(&config.imsi));
        imsi.sfi = Some(0x07);
        imsi
    };
    imsi.read = Read::Pin1;
    files.add(imsi);
}

/// AID and label of the network's application on a UICC.
fn network_application(config: &CardConfig) -> (&'static [u8; 16], &'static [u8]) {
    if config.cdma { (&CSIM_AID, b"CSIM") } else { (&USIM_AID, b"USim1") }
}

fn directory(fid: u16, aid: &[u8], by_aid: bool, by_fid: bool) -> File {
    let content = Content::Directory { aid: Some(aid.to_vec()), by_aid, by_fid };
    File { fid, parent: MF, sfi: None, read: Read::Always, content }
}

/// Digits with the nibbles of each octet swapped, filled with `F` to `digits` digits.
fn nibbles(text: &str, digits: usize) -> Vec<u8> {
    let filled: Vec<u8> = text
        .bytes()
        .map(|b| b & 0x0F)
        .chain(std::iter::repeat(0x0F))
        .take(digits.max(text.len()).next_multiple_of(2))
        .collect();
    filled.chunks_exact(2).map(|pair| pair[1] << 4 | pair[0]).collect()
}

/// EF.IMSI: length, then the parity nibble (9 for an odd number of digits, 1 for an even one) and the digits.
fn imsi_content(imsi: &str) -> Vec<u8> {
    let parity = if imsi.len() % 2 == 1 { "9" } else { "1" };
    let mut octets = nibbles(&format!("{parity}{imsi}"), 0);
    let length = octets.len() as u8;
    octets.resize(8, 0xFF);
    octets.insert(0, length);
    octets
}

/// EF.IMSI_M of an IMSI of 15 digits (3GPP2 C.S0065 5.2.2): class 0; digits 6 to 8; digits 9 to 15; digits 4 and
/// 5; programmed; the country. Zero counts as ten, and a run of ones is taken off.
fn imsi_m_content(imsi: &str) -> Vec<u8> {
    let tens: Vec<u32> =
        imsi.bytes().map(|b| if b == b'0' { 10 } else { u32::from(b & 0x0F) }).collect();
    let three = |at: usize| tens[at] * 100 + tens[at + 1] * 10 + tens[at + 2] - 111;
    let (country, network, first) = (three(0), tens[3] * 10 + tens[4] - 11, three(5));
    let rest = three(8) << 14 | tens[11] << 10 | three(12);
    let mut octets = vec![0x00];
    octets.extend(&first.to_le_bytes()[..2]);
    octets.extend(&rest.to_le_bytes()[..3]);
    octets.extend([network as u8, 0x80]);
    octets.extend(&country.to_le_bytes()[..2]);
    octets
}

fn ef_dir(config: &CardConfig) -> File {
    let record = |aid: &[u8], label: &[u8], path: &[u8]| {
        let template = [tlv(0x4F, aid), tlv(0x50, label), path.to_vec()].concat();
        let mut record = tlv(0x61, &template);
        record.resize(usize::from(EF_DIR_RECORD), 0xFF);
        record
    };
    let (aid, label) = network_application(config);
    let mut records = if config.gsm { Vec::new() } else { vec![record(aid, label, &[])] };
    if !config.faults.no_pkcs15 {
        let path = if config.ef_dir_path { tlv(0x51, &absolute(&[])) } else { Vec::new() };
        records.push(record(&PKCS15_AID, b"DM", &path));
    }
    let content = Content::Linear { length: EF_DIR_RECORD, records };
    File { fid: 0x2F00, parent: MF, sfi: Some(0x1E), read: Read::Always, content }
}

/// The path of EF DM_Bootstrap from the MF, as REFRESH names it.
pub(crate) fn bootstrap_path(fid: u16) -> Vec<u8> {
    absolute(&fid.to_be_bytes())
}

/// The path of a file below the PKCS#15 directory, from the MF.
fn absolute(below: &[u8]) -> Vec<u8> {
    [&[0x3F, 0x00], &PKCS15_FID.to_be_bytes()[..], below].concat()
}

fn add_pkcs15(files: &mut FileSystem, root: FileId, config: &CardConfig, bootstrap: &[u8]) {
    let padded = |octets| padded(config, octets);
    let documents = [
        (0x4F01, "Bootstrap", 0x01, &config.cp_bootstrap),
        (0x4F02, "Config1", 0x02, &config.cp_config1),
        (0x4F03, "Config2", 0x03, &config.cp_config2),
    ];
    let documents: Vec<_> = documents.into_iter().filter(|d| !d.3.is_empty()).collect();

    let mut odf = Vec::new();
    if config.dm_object {
        odf.extend(directory_entry(config.dodf_fid));
    }
    if !config.second_bootstrap.is_empty() {
        odf.extend(directory_entry(SECOND_DODF_FID));
    }
    if !documents.is_empty() {
        odf.extend(directory_entry(CP_DODF_FID));
    }
    if !config.faults.odf_missing {
        let mut file = File::transparent(root, 0x5031, padded(odf));
        file.sfi = short_id(config, 0x5031);
        files.add(file);
    }
    if config.token_info {
        files.add(File::transparent(root, 0x5032, token_info(&config.iccid)));
    }
    if config.dm_object {
        add_dm_object(files, root, config, bootstrap);
    }
    if !config.second_bootstrap.is_empty() {
        let object = tlv(0x30, &tlv(0x0C, b"DM Bootstrap 2"));
        let object =
            opaque_object(&object, &DM_BOOTSTRAP_OID, &path(&SECOND_FID.to_be_bytes(), None));
        files.add(File::transparent(root, SECOND_DODF_FID, padded(object)));
        files.add(File::transparent(root, SECOND_FID, padded(config.second_bootstrap.clone())));
    }

    let mut cp_dodf = Vec::new();
    for (fid, label, last_arc, content) in documents {
        let oid = [0x67, 0x2B, 0x05, last_arc];
        let label = tlv(0x30, &tlv(0x0C, label.as_bytes()));
        cp_dodf.extend(opaque_object(&label, &oid, &path(&u16::to_be_bytes(fid), None)));
        files.add(File::transparent(root, fid, padded(content.clone())));
    }
    if !cp_dodf.is_empty() {
        files.add(File::transparent(root, CP_DODF_FID, padded(cp_dodf)));
    }
}

/// The content of a file with the octets `FF` behind it.
fn padded(config: &CardConfig, mut octets: Vec<u8>) -> Vec<u8> {
    octets.resize(octets.len() + config.padding, 0xFF);
    octets
}

/// The short identifier of a file, where the profile gives any.
fn short_id(config: &CardConfig, fid: u16) -> Option<u8> {
    config.short_ids.then_some((fid & 0x1F) as u8).filter(|sfi| (1..=30).contains(sfi))
}

/// The DM bootstrap object and its DODF.
fn add_dm_object(files: &mut FileSystem, root: FileId, config: &CardConfig, bootstrap: &[u8]) {
    let object = dm_object(config, bootstrap.len());
    let dodf = match config.faults.dodf {
        None => padded(config, object),
        Some(DodfFault::Broken) => overrun(object),
    };
    let mut file = File::transparent(root, config.dodf_fid, dodf);
    file.sfi = short_id(config, config.dodf_fid);
    files.add(file);
    let content = match config.faults.bootstrap {
        None => padded(config, bootstrap.to_vec()),
        Some(fault) => broken_bootstrap(fault, bootstrap),
    };
    let mut file = File::transparent(root, config.bootstrap_fid, content);
    if config.bootstrap_private {
        file.read = Read::Pin1;
    }
    files.add(file);
}

/// One entry of EF ODF: a directory file of data objects.
fn directory_entry(fid: u16) -> Vec<u8> {
    tlv(0xA7, &path(&fid.to_be_bytes(), None))
}

/// PKCS#15 Path, with index 0 and a length if there is one.
fn path(file: &[u8], length: Option<usize>) -> Vec<u8> {
    let mut body = tlv(0x04, file);
    if let Some(length) = length {
        body.extend(tlv(0x02, &[0]));
        body.extend(tlv(0x80, &integer(length)));
    }
    tlv(0x30, &body)
}

/// The content octets of a DER INTEGER that is not negative.
fn integer(value: usize) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let zeros = octets.iter().take_while(|&&b| b == 0).count().min(octets.len() - 1);
    let mut shortest = octets[zeros..].to_vec();
    if shortest[0] >= 0x80 {
        shortest.insert(0, 0);
    }
    shortest
}

/// The DODF entry of the DM bootstrap object.
fn dm_object(config: &CardConfig, length: usize) -> Vec<u8> {
    let fid = config.bootstrap_fid.to_be_bytes();
    let file = if config.absolute_path { absolute(&fid) } else { fid.to_vec() };
    let path = path(&file, config.path_length.then_some(length));
    // Flags "private" and the authentication object 01 (PIN1).
    let private: &[u8] =
        if config.bootstrap_private { &[0x03, 0x02, 0x07, 0x80, 0x04, 0x01, 0x01] } else { &[] };
    let oid = match config.dodf_form {
        DodfForm::Opaque => {
            let common = tlv(0x30, &[&tlv(0x0C, b"DM Bootstrap")[..], private].concat());
            return opaque_object(&common, &DM_BOOTSTRAP_OID, &path);
        }
        DodfForm::OidDo => DM_BOOTSTRAP_OID.to_vec(),
        DodfForm::OidDoNested => tlv(0x06, &DM_BOOTSTRAP_OID),
    };
    let value = tlv(0x30, &[tlv(0x06, &oid), path].concat());
    let parts = [tlv(0x30, private), tlv(0x30, &tlv(0x0C, b"DM")), tlv(0xA1, &value)];
    tlv(0xA1, &parts.concat())
}

fn opaque_object(common: &[u8], oid: &[u8], path: &[u8]) -> Vec<u8> {
    tlv(0x30, &[common, &tlv(0x30, &tlv(0x06, oid)), &tlv(0xA1, path)].concat())
}

/// Makes the outermost length say 16 octets more than there are.
fn overrun(mut entry: Vec<u8>) -> Vec<u8> {
    if let Some(length) = entry.get_mut(1) {
        *length = length.saturating_add(16);
    }
    entry
}

fn broken_bootstrap(fault: BootstrapFault, good: &[u8]) -> Vec<u8> {
    match fault {
        BootstrapFault::Empty => Vec::new(),
        BootstrapFault::Ff => vec![0xFF; good.len().max(16)],
        BootstrapFault::Broken => good[..good.len() / 2].to_vec(),
        BootstrapFault::Long => {
            let mut long = good.to_vec();
            long.resize(40_000, 0xFF);
            long
        }
    }
}

/// EF TokenInfo: version 1, serial number, manufacturer, label, read-only.
fn token_info(iccid: &str) -> Vec<u8> {
    let parts = [
        tlv(0x02, &[0]),
        tlv(0x04, &nibbles(iccid, 20)),
        tlv(0x0C, b"uicc-sim"),
        tlv(0x80, b"DM"),
        tlv(0x03, &[0x07, 0x80]),
    ];
    tlv(0x30, &parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn object(form: DodfForm, path_length: bool) -> String {
        let config = CardConfig { dodf_form: form, path_length, ..CardConfig::default() };
        hex::encode(&dm_object(&config, 300))
    }

    #[test]
    fn sc_050_sc_052_dodf_entries_are_the_known_forms() {
        assert_eq!(
            object(DodfForm::Opaque, true),
            "3027300E0C0C444D20426F6F74737472617030060604672B0701A10D300B040264330201008002012C"
        );
        assert_eq!(
            object(DodfForm::OidDo, false),
            "A118300030040C02444DA10E300C0604672B0701300404026433"
        );
        assert_eq!(
            object(DodfForm::OidDoNested, false),
            "A11A300030040C02444DA110300E06060604672B0701300404026433"
        );
    }

    #[test]
    fn sc_051_a_private_object_by_absolute_path() {
        let config = CardConfig {
            bootstrap_private: true,
            absolute_path: true,
            path_length: false,
            ..CardConfig::default()
        };
        assert_eq!(
            hex::encode(&dm_object(&config, 300)),
            "302B30150C0C444D20426F6F7473747261700302078004010130060604672B0701A10A300804063F007F506433"
        );
    }

    #[test]
    fn sc_036_sc_037_identities_as_in_the_files() {
        assert_eq!(hex::encode(&nibbles("8988211000000430010", 20)), "988812010000400310F0");
        assert_eq!(hex::encode(&imsi_content("228062800000208")), "082982608200002080");
        assert_eq!(hex::encode(&imsi_content("262011106487504")), "082926101160845740");
        assert_eq!(hex::encode(&imsi_content("26201110648750")), "0821261011608457F0");
        // As they were read from cards.
        assert_eq!(hex::encode(&imsi_m_content("466050081062861")), "00E503EECA175E806301");
        assert_eq!(hex::encode(&imsi_m_content("460038351175976")), "00D4026197015C806701");
    }

    #[test]
    fn integers_stay_positive() {
        assert_eq!(integer(0), [0]);
        assert_eq!(integer(200), [0, 200]);
        assert_eq!(integer(300), [1, 44]);
        assert_eq!(integer(40_000), [0, 0x9C, 0x40]);
    }

    #[test]
    fn odf_entry_is_the_known_one() {
        assert_eq!(hex::encode(&directory_entry(0x6430)), "A706300404026430");
    }
}
