//! Card files in BER-TLV: file headers, EF.DIR, ODF and DODF. First what the library makes of the file,
//! then its objects.

use super::objects::{self, Object, Style, without_status};
use super::shown::Record;
use super::{Decoded, Fault};
use dmsc::bytes::hex;
use dmsc::bytes::tlv::Fill;
use dmsc::card::access::{Access, Need};
use dmsc::card::fcp::{FileHeader, FileKind, Life, Sfi};
use dmsc::card::pkcs15::directory::{self, Listing, Path, Place};
use dmsc::card::pkcs15::{self, ObjectIdentifier};
use dmsc::card::uicc;
use dmsc::limits;

/// A template and what is right in it.
const TEMPLATE: Style = Style { fill: Fill::Skip, strict: 1 };
/// A PKCS#15 directory; it ends at the first fill octet.
const DIRECTORY: Style = Style { fill: Fill::Stop, strict: usize::MAX };
/// Anything; objects inside others are a guess.
const ANY: Style = Style { fill: Fill::Skip, strict: 0 };

/// The content without status word, its objects, and the status word.
fn read(content: &[u8], style: Style) -> Result<(&[u8], Vec<Object<'_>>, bool), Fault> {
    let (content, status) = without_status(content, |front| objects::read(front, style).is_ok());
    Ok((content, objects::read(content, style)?, status))
}

fn records(objects: &[Object<'_>], names: fn(&[u32]) -> &'static str) -> Vec<Record> {
    objects.iter().map(|object| object.record(names)).collect()
}

/// BER-TLV objects.
pub(super) fn tlv(content: &[u8]) -> Result<Decoded, Fault> {
    let objects = objects::read(content, ANY)?;
    let records: Vec<Record> = objects.iter().map(Object::plain).collect();
    Ok(Decoded::default().with_records("objects", &records))
}

/// The answer to SELECT of a UICC or a SIM.
pub(super) fn fcp(answer: &[u8]) -> Result<Decoded, Fault> {
    match answer {
        [] => Err(Fault::new("E_EMPTY", 0, "no file header")),
        [0x62 | 0x6F, ..] => template(answer),
        [_, _, _, _, _, _, 0x01 | 0x02 | 0x04, ..] => gsm(answer),
        _ => Err(Fault::new("E_TLV_TAG", 0, "neither an FCP template 62, nor an FCI template 6F")),
    }
}

fn template(answer: &[u8]) -> Result<Decoded, Fault> {
    let (content, objects, status) = read(answer, TEMPLATE)?;
    if let [first, _, ..] = objects.as_slice() {
        let end = objects::place(content, first.value) + first.value.len();
        return Err(Fault::new("E_TRAILING_DATA", end, "an object behind the template"));
    }
    let header = FileHeader::from_fcp(content)?;
    let decoded = Decoded::default()
        .with_record("header", &header_record(&header))
        .with_records("objects", &records(&objects, fcp_name));
    Ok(decoded.with_status(status))
}

fn gsm(answer: &[u8]) -> Result<Decoded, Fault> {
    // Octet 13 counts what follows it.
    let whole = |front: &[u8]| {
        front.get(12).is_some_and(|following| front.len() >= 13 + usize::from(*following))
    };
    let (answer, status) = without_status(answer, whole);
    let header = FileHeader::from_gsm(answer)
        .map_err(|error| Fault::new("gsm-header", answer.len(), error.what().to_owned()))?;
    let decoded = Decoded::default().with_record("header", &header_record(&header));
    Ok(decoded.with_status(status))
}

fn header_record(header: &FileHeader) -> Record {
    let (kind, records) = match header.kind {
        FileKind::Directory => ("directory", None),
        FileKind::Transparent => ("transparent", None),
        FileKind::Linear { length, count } => ("linear", Some((length, count))),
        FileKind::Cyclic { length, count } => ("cyclic", Some((length, count))),
        FileKind::BerTlv => ("ber-tlv", None),
        FileKind::Unknown => ("unknown", None),
    };
    let sfi = match header.sfi {
        Sfi::Is(sfi) => Some(sfi),
        Sfi::None => None,
    };
    let record = Record::default()
        .word("structure", kind)
        .maybe("fid", header.fid.map(|fid| format!("{fid:04X}")))
        .maybe("aid", header.aid.as_deref().map(hex::encode))
        .maybe_number("size", header.size)
        .maybe_number("record-length", records.map(|(length, _)| length))
        .maybe_number("records", records.and_then(|(_, count)| count))
        .maybe_number("sfi", sfi)
        .word("life", life(header.life))
        .word("read", access(&header.access));
    if header.pins.is_empty() {
        return record;
    }
    let pins = header.pins.iter().map(|pin| {
        let state = if pin.enabled { "enabled" } else { "disabled" };
        format!("{:02X}:{state}", pin.reference)
    });
    record.list("pins", pins.collect())
}

fn life(life: Life) -> String {
    match life {
        Life::Activated => "activated".to_owned(),
        Life::Deactivated => "deactivated".to_owned(),
        Life::Terminated => "terminated".to_owned(),
        Life::Other(state) => format!("{state:02X}"),
    }
}

/// What reading needs: `rule:6F06/10` is record 10 of EF.ARR 6F06.
fn access(access: &Access) -> String {
    match access {
        Access::Read(Need::Always) => "always".to_owned(),
        Access::Read(Need::Never) => "never".to_owned(),
        Access::Read(Need::Pin(reference)) => format!("pin:{reference:02X}"),
        Access::Reference { fid, record } => format!("rule:{fid:04X}/{record}"),
        Access::Unknown => "unknown".to_owned(),
    }
}

fn fcp_name(tags: &[u32]) -> &'static str {
    match tags {
        [0x62] => "fcp",
        [0x6F] => "fci",
        [_, 0x80] => "file-size",
        [_, 0x81] => "total-file-size",
        [_, 0x82] => "file-descriptor",
        [_, 0x83] => "file-id",
        [_, 0x84] => "df-name",
        [_, 0x88] => "short-file-id",
        [_, 0x8A] => "life-cycle",
        [_, 0x8B] => "security-referenced",
        [_, 0x8C] => "security-compact",
        [_, 0xA5] => "proprietary",
        [_, 0xAB] => "security-expanded",
        [_, 0xC6] => "pin-status",
        [_, 0xA5, 0x80] => "uicc-characteristics",
        [_, 0xA5, 0x81] => "power-consumption",
        [_, 0xA5, 0x82] => "minimum-clock",
        [_, 0xA5, 0x83] => "free-memory",
        [_, 0xA5, 0x84] => "file-details",
        [_, 0xA5, 0x85] => "reserved-file-size",
        [_, 0xA5, 0x86] => "maximum-file-size",
        [_, 0xC6, 0x90] => "pin-bitmap",
        [_, 0xC6, 0x95] => "usage",
        [_, 0xC6 | 0xAB, .., 0x83] => "key-reference",
        [_, 0xAB, 0x80] => "access-mode",
        [_, 0xAB, 0x84] => "access-instruction",
        [_, 0xAB, 0x90] => "always",
        [_, 0xAB, 0x97] => "never",
        [_, 0xAB, .., 0xA4] => "key",
        [_, 0xAB, .., 0x95] => "usage",
        [_, 0xAB, 0xA0] => "or",
        [_, 0xAB, 0xAF] => "and",
        _ => "",
    }
}

/// Records of EF.DIR.
pub(super) fn efdir(content: &[u8]) -> Result<Decoded, Fault> {
    let (content, objects, status) = read(content, TEMPLATE)?;
    let applications: Vec<Record> = uicc::applications(content)
        .into_iter()
        .map(|application| {
            let record = Record::default()
                .maybe("application", known_application(&application.aid))
                .hex("aid", &application.aid);
            let record = match application.label {
                Some(label) => record.text("label", label),
                None => record,
            };
            record.maybe("path", application.path.as_deref().map(hex::encode))
        })
        .collect();
    let decoded = Decoded::default()
        .with_record("summary", &Record::default().number("applications", applications.len()))
        .with_records("applications", &applications)
        .with_records("objects", &records(&objects, efdir_name));
    Ok(decoded.with_status(status))
}

fn known_application(aid: &[u8]) -> Option<&'static str> {
    const USIM_AID: [u8; 7] = *b"\xA0\0\0\0\x87\x10\x02";
    const ISIM_AID: [u8; 7] = *b"\xA0\0\0\0\x87\x10\x04";
    const CSIM_AID: [u8; 7] = *b"\xA0\0\0\x03\x43\x10\x02";
    let known: [(&[u8], &str); 4] =
        [(&USIM_AID, "usim"), (&ISIM_AID, "isim"), (&CSIM_AID, "csim"), (&pkcs15::AID, "pkcs15")];
    known.into_iter().find(|(prefix, _)| aid.starts_with(prefix)).map(|(_, name)| name)
}

fn efdir_name(tags: &[u32]) -> &'static str {
    match tags {
        [0x61] => "application",
        [0x61, 0x4F] => "aid",
        [0x61, 0x50] => "label",
        [0x61, 0x51] => "path",
        [0x61, 0x52] => "command",
        [0x61, 0x53] => "discretionary-data",
        [0x61, 0x73] => "discretionary-template",
        [0x61, 0x5F50] => "url",
        _ => "",
    }
}

/// PKCS#15 ODF.
pub(super) fn odf(content: &[u8]) -> Result<Decoded, Fault> {
    let (content, objects, status) = read(content, DIRECTORY)?;
    let listing = directory::read_odf(content);
    let entries = listing.entries.iter().map(|entry| place(Record::default(), entry)).collect();
    Ok(directory(&listing, entries, &objects, odf_name).with_status(status))
}

/// PKCS#15 DODF.
pub(super) fn dodf(content: &[u8]) -> Result<Decoded, Fault> {
    let (content, objects, status) = read(content, DIRECTORY)?;
    let listing = directory::read_dodf(content, limits::DODF_OBJECTS);
    let entry = |entry: &directory::Entry| {
        let record = Record::default().number("entry", entry.number);
        let record = match &entry.label {
            Some(label) => record.text("label", label),
            None => record,
        };
        let record = record.list("oids", entry.oids.iter().map(ToString::to_string).collect());
        let record = record.maybe("holds", entry.oids.iter().find_map(known_object));
        place(record, &entry.place)
    };
    let entries = listing.entries.iter().map(entry).collect();
    Ok(directory(&listing, entries, &objects, dodf_name).with_status(status))
}

fn directory<T>(
    listing: &Listing<T>,
    entries: Vec<Record>,
    objects: &[Object<'_>],
    names: fn(&[u32]) -> &'static str,
) -> Decoded {
    Decoded::default()
        .with_record("summary", &Record::default().number("entries", entries.len()))
        .with_records("entries", &entries)
        .with_records("objects", &records(objects, names))
        .faulty(listing.faults.first().cloned().map(Fault::from))
}

fn place(record: Record, place: &Place) -> Record {
    match place {
        Place::File(Path { octets, slice }) => record
            .hex("path", octets)
            .maybe_number("index", slice.map(|slice| slice.index))
            .maybe_number("length", slice.map(|slice| slice.length)),
        Place::Direct(octets) => record.hex("direct", octets),
    }
}

fn known_object(oid: &ObjectIdentifier) -> Option<&'static str> {
    match *oid {
        pkcs15::OID_DM_BOOTSTRAP => Some("dm-bootstrap"),
        pkcs15::OID_CP_BOOTSTRAP => Some("cp-bootstrap"),
        pkcs15::OID_CP_CONFIG1 => Some("cp-config1"),
        pkcs15::OID_CP_CONFIG2 => Some("cp-config2"),
        _ => None,
    }
}

fn odf_name(tags: &[u32]) -> &'static str {
    match tags {
        [0xA0] => "private-keys",
        [0xA1] => "public-keys",
        [0xA2] => "trusted-public-keys",
        [0xA3] => "secret-keys",
        [0xA4] => "certificates",
        [0xA5] => "trusted-certificates",
        [0xA6] => "useful-certificates",
        [0xA7] => "data-objects",
        [0xA8] => "authentication-objects",
        tags => asn1_name(tags),
    }
}

fn dodf_name(tags: &[u32]) -> &'static str {
    match tags {
        [0x30] => "opaque-object",
        [0xA0] => "external-object",
        [0xA1] => "oid-object",
        tags => asn1_name(tags),
    }
}

fn asn1_name(tags: &[u32]) -> &'static str {
    match tags.last() {
        Some(0x02) => "integer",
        Some(0x03) => "bit-string",
        Some(0x04) => "octet-string",
        Some(0x06) => "object-identifier",
        Some(0x0C) => "utf8-string",
        Some(0x30) => "sequence",
        _ => "",
    }
}
