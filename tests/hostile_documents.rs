//! Documents and objects made to exhaust the reader: each ends in an error, with little memory taken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panic")]

use dmsc::bytes::{ctlv, tlv};
use dmsc::markup::{Class, Event, Fault, Options, Reader, canonical};
use dmsc::tree::{ddf_document, tnds};
use dmsc::trigger::notification::Notification;
use dmsc::trigger::push::Push;
use dmsc::trigger::sms::Segment;
use dmsc::{prov, syncml};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[path = "../benches/common/heap.rs"]
mod heap;

/// What a reader may have taken from the heap at once, in octets.
const MOST: usize = 1024 * 1024;

/// The heap is counted for the whole process, so that each test needs it for itself.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks that `work` takes little.
fn frugal<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (done, heap) = heap::measured(work);
    assert!(heap.peak < MOST, "{what}: {} octets", heap.peak);
    done
}

/// What a reader has against a document.
type Refusal = fn(&[u8]) -> Option<Fault>;

/// The fault of every reader of documents, which all take little: the events, the canonical form, and
/// what is for messages, objects, descriptions and provisioning.
fn faults(name: &str, document: &[u8]) -> Vec<Fault> {
    let readers: [(&str, Refusal); 6] = [
        ("events", |d| events(d).err()),
        ("canonical", |d| canonical(d, &Options::default()).err()),
        ("syncml", |d| syncml::read(d).err()),
        ("tnds", |d| tnds::read(d).err()),
        ("ddf", |d| ddf_document::read(d).err()),
        ("prov", |d| prov::read(d).err()),
    ];
    readers
        .into_iter()
        .map(|(reader, read)| {
            let fault = frugal(&format!("{name}, {reader}"), || read(document));
            fault.unwrap_or_else(|| panic!("{name}, {reader}: no error"))
        })
        .collect()
}

fn events(document: &[u8]) -> Result<(), Fault> {
    let mut reader = Reader::new(document, &Options::default())?;
    while reader.next()? != Event::Finish {}
    Ok(())
}

/// Checks the class and the place that the readers of any and of its own document type find.
fn refused(name: &str, document: &[u8], own: usize, class: Class, at: usize) {
    let faults = faults(name, document);
    for fault in [faults[0], faults[1], faults[own]] {
        assert_eq!((fault.class, fault.at), (class, at), "{name}: {fault}");
    }
}

const MESSAGE: usize = 2;
const OBJECT: usize = 3;
const DESCRIPTION: usize = 4;
const PROVISIONING: usize = 5;

/// Header of WBXML 1.2, SyncML 1.2, UTF-8, up to the length of the string table.
const HEADER: &[u8] = &[0x02, 0xA4, 0x01, 0x6A];
/// A message up to the content of Data, from the string table's length on.
const DATA: &[u8] =
    b"\x00\x6D\x6C\x71\x031.2\0\x01\x72\x03DM/1.2\0\x01\x65\x031\0\x01\x5B\x031\0\x01\
    \x6E\x57\x03T\0\x01\x01\x67\x57\x03S\0\x01\x01\x01\x6B\x45\x54\x4F";

#[test]
fn two_hundred_thousand_levels() {
    let _alone = alone();
    let nested = |open: &[u8]| {
        let levels = open.repeat(200_000);
        [HEADER, &[0, 0x6D, 0x6B], &levels, &[1; 200_000]].concat()
    };
    // Root and body are two of 64 levels.
    let depth = HEADER.len() + 3 + 62;
    let unknown = nested(&[0x54]);
    refused("elements", &unknown, 0, Class::Depth, depth);
    for (name, open) in [("Atomic", "<Atomic>"), ("Foo", "<Foo>"), ("Meta", "<Meta>")] {
        let text = format!("<SyncML><SyncHdr>{}", open.repeat(100_000));
        let at = "<SyncML><SyncHdr>".len() + 62 * open.len();
        refused(name, text.as_bytes(), MESSAGE, Class::Depth, at);
    }
    let text = format!("<MgmtTree>{}", "<Node>".repeat(150_000));
    let at = "<MgmtTree>".len() + 71 * "<Node>".len();
    refused("Node", text.as_bytes(), OBJECT, Class::Depth, at);
    refused("Node", text.as_bytes(), DESCRIPTION, Class::Depth, at);
    let open = "<characteristic type='A'>";
    let text = format!("<wap-provisioningdoc>{}", open.repeat(41_000));
    let at = "<wap-provisioningdoc>".len() + 63 * open.len();
    refused("characteristic", text.as_bytes(), PROVISIONING, Class::Depth, at);
}

#[test]
fn announced_lengths() {
    let _alone = alone();
    let opaque = |length: &[u8]| [HEADER, DATA, &[0xC3], length, b"x\x01\x01\x01\x01\x01"].concat();
    let token = HEADER.len() + DATA.len();
    let gibibyte = opaque(&[0x84, 0x80, 0x80, 0x80, 0x00]);
    refused("1 GiB", &gibibyte, MESSAGE, Class::OpaqueLength, token);
    let most = opaque(&[0x8F, 0xFF, 0xFF, 0xFF, 0x7F]);
    refused("4 GiB", &most, MESSAGE, Class::OpaqueLength, token);
    let bits33 = opaque(&[0x90, 0x80, 0x80, 0x80, 0x01]);
    refused("33 bits", &bits33, MESSAGE, Class::MbintOverflow, token + 1);
    let table = [HEADER, &[0x84, 0x80, 0x80, 0x80, 0x00, 0x6D]].concat();
    refused("string table", &table, MESSAGE, Class::StrtblLength, HEADER.len());
    let version = [0x03, 0x0B, 0x6A, 0x00, 0xC5, 0x45, 0xC3, 0x84, 0x80, 0x80, 0x80, 0x00];
    refused("attribute", &version, PROVISIONING, Class::OpaqueLength, 6);
}

#[test]
fn string_table_bomb() {
    let _alone = alone();
    let table = [&[b'A'; 65_535][..], &[0]].concat();
    let references = [0x83, 0x00].repeat(4_000);
    let message = [HEADER, &[0x84, 0x80, 0x00], &table, &DATA[1..], &references, &[1; 5]].concat();
    let faults = faults("bomb", &message);
    // Four times the document, which a few references take.
    let first = HEADER.len() + 3 + table.len() + DATA.len() - 1;
    for fault in &faults[..3] {
        assert_eq!((fault.class, fault.at), (Class::Limit, first + 2 * 4), "{fault}");
    }
    let attribute = [&[0x83, 0x00][..]; 4_000].concat();
    let document = [
        &[0x03, 0x0B, 0x6A, 0x84, 0x80, 0x00][..],
        &table,
        &[0xC5, 0x45],
        &attribute,
        &[0x01, 0x01],
    ]
    .concat();
    refused("attribute", &document, PROVISIONING, Class::Limit, 6 + table.len() + 2 + 2 * 4);
}

#[test]
fn entities_and_declarations_of_text() {
    let _alone = alone();
    let bomb =
        "<!DOCTYPE SyncML [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><SyncML>&b;</SyncML>";
    refused("entities", bomb.as_bytes(), MESSAGE, Class::XmlDtd, 0);
    let attributes = format!("<SyncML{}>", " xmlns:a='b'".repeat(80_000));
    refused("declarations", attributes.as_bytes(), MESSAGE, Class::Limit, 0);
}

#[test]
fn more_elements_than_anybody_sends() {
    let _alone = alone();
    let many = [HEADER, &DATA[..DATA.len() - 3], &[0x05; 20_000]].concat();
    let (fault, heap) = heap::measured(|| syncml::read(&many).unwrap_err());
    assert_eq!(fault.class, Class::Limit);
    // The commands are kept until then: what one takes is bounded, and how many there are.
    let commands = 20_000 * (size_of::<syncml::model::Command<'_>>() + 16);
    assert!(heap.peak < commands * 3 / 2, "{} octets", heap.peak);
    for (name, document) in [("events", &many[..]), ("text", "<SyncML>".as_bytes())] {
        let document = match name {
            "text" => [document, "<Final/>".repeat(30_000).as_bytes()].concat(),
            _ => document.to_vec(),
        };
        let fault = frugal(name, || events(&document)).unwrap_err();
        assert_eq!(fault.class, Class::Limit, "{name}");
    }
}

#[test]
fn objects_of_cards_and_deliveries() {
    let _alone = alone();
    frugal("objects", || {
        for length in [&[0x84, 0x40, 0, 0, 0][..], &[0x83, 0xFF, 0xFF, 0xFF], &[0x80]] {
            let object = [&[0x6F], length, &[0; 20]].concat();
            assert!(tlv::Reader::new(&object).next().unwrap().is_err());
            assert!(ctlv::ber_value(&[&[0xD0], length, &[0; 20]].concat(), 0xD0).is_err());
            assert!(ctlv::Reader::new(&[&[0x81], length, &[0; 20]].concat()).read().is_err());
        }
        // Levels in each other: a reader of objects only ever sees one.
        let mut nested = vec![];
        for _ in 0..5_000 {
            nested = tlv::encode(0x30, &nested);
        }
        let outer = tlv::Reader::new(&nested).next().unwrap().unwrap();
        assert!(outer.constructed && outer.children().next().unwrap().is_ok());
        let push = [&[1, 6, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F, 0xC4][..], &[0; 30]].concat();
        assert!(Push::read(&push).is_err());
        let sms = b"\x40\x04\x81\x21\x43\0\x04\0\0\0\0\0\0\0\xFF\xFF\x05\x04\x0B\x84\x23\xF0";
        assert!(Segment::read(sms).is_err());
        let package = [&[0; 16][..], &[2, 0xD8, 0, 0, 0, 0x12, 0x34, 0xFF], b"short"].concat();
        assert!(Notification::read(&package).is_err());
    });
}
