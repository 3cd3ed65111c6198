//! Groups a, b, c, s and x of the byte vectors: documents in both encodings, good and bad.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not inside them

use dmsc::markup::{DocType, Encoding, Event, Fault, Options, Reader, Writer, canonical, to_utf8};
use dmsc::syncml;
use dmsc::syncml::model::{Command, DataForm, Item, Message};
use dmsc::tree::tnds;

const VECTORS: &str = include_str!("data/encoding-vectors.tsv");

struct Vector {
    name: &'static str,
    octets: Vec<u8>,
    meaning: &'static str,
    expected: &'static str,
}

fn group(letter: char) -> Vec<Vector> {
    VECTORS.lines().skip(1).filter(|line| line.starts_with(letter)).map(parse).collect()
}

fn parse(line: &'static str) -> Vector {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap();
    let (name, hex, meaning, expected) = (next(), next(), next(), next());
    let octets = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    Vector { name, octets: octets.collect(), meaning, expected }
}

/// The options in square brackets of the meaning column.
fn options(vector: &Vector) -> Options {
    let expected = vector.meaning.split_once("expected document=").map(|(_, rest)| {
        match rest.split([';', ']']).next().unwrap() {
            "SyncML1.2" => DocType::SyncMl,
            "DDF1.2" => DocType::Tnds,
            other => panic!("unknown document {other}"),
        }
    });
    let padding = vector.meaning.contains("option padding=on");
    Options { padding, expected, ..Options::default() }
}

fn run(letter: char, rows: usize) {
    let vectors = group(letter);
    assert!(vectors.len() >= rows, "group {letter} has only {} rows", vectors.len());
    let mut wrong = String::new();
    for vector in &vectors {
        let found = match canonical(&vector.octets, &options(vector)) {
            Ok(text) => text,
            Err(fault) => format!("ERROR:{}", fault.class.name()),
        };
        if found != vector.expected {
            wrong +=
                &format!("{}\n  found    {found}\n  expected {}\n", vector.name, vector.expected);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn group_a_documents_decode() {
    run('a', 61);
}

#[test]
fn group_b_provisioning_documents_decode() {
    run('b', 30);
}

#[test]
fn group_c_malformed_documents_are_refused() {
    run('c', 65);
}

#[test]
fn group_x_text_xml() {
    run('x', 12);
}

/// The octet that each malformed document of groups c and x is refused at: the first of the token or of the
/// operand that is wrong, of the character that is none, or the end if something is missing.
#[rustfmt::skip]
const PLACES: [(&str, usize); 70] = [
    ("c01", 0), ("c02", 1), ("c03", 5), ("c04", 0), ("c05", 0), ("c06", 1), ("c07", 1),
    ("c08", 1), ("c09", 1), ("c10", 2), ("c11", 2), ("c12", 1), ("c13", 3), ("c14", 3),
    ("c15", 4), ("c16", 4), ("c17", 8), ("c18", 8), ("c19", 8), ("c20", 9), ("c21", 9),
    ("c22", 7), ("c23", 8), ("c24", 10), ("c25", 10), ("c26", 10), ("c27", 10), ("c28", 10),
    ("c29", 13), ("c30", 12), ("c31", 9), ("c32", 9), ("c33", 9), ("c34", 9), ("c35", 9),
    ("c36", 9), ("c37", 6), ("c38", 6), ("c39", 10), ("c40", 5), ("c41", 17), ("c42", 6),
    ("c43", 6), ("c44", 5), ("c45", 5), ("c46", 5), ("c47", 14), ("c48", 19), ("c49", 19),
    ("c50", 19), ("c51", 19), ("c52", 69), ("c53", 10), ("c54", 11), ("c55", 7), ("c56", 11),
    ("c60", 11), ("c61", 13), ("c62", 8), ("c63", 12), ("c64", 8), ("c65", 9), ("c66", 7),
    ("c67", 4), ("c68", 18), ("x07", 0), ("x08", 0), ("x09", 42), ("x10", 57), ("x11", 0),
];

#[test]
fn every_fault_names_its_octet() {
    let refused = |vector: &Vector| vector.expected.starts_with("ERROR:");
    let vectors = ['c', 'x'].into_iter().flat_map(group).filter(refused);
    let found: Vec<(&str, usize)> = vectors
        .map(|vector| {
            let fault = canonical(&vector.octets, &options(&vector)).unwrap_err();
            assert!(fault.to_string().ends_with(&format!("at byte {})", fault.at)));
            (vector.name.split('-').next().unwrap(), fault.at)
        })
        .collect();
    assert_eq!(found, PLACES);
}

/// All items of all actions, with the commands of groups.
fn items<'m>(commands: &'m [Command<'_>]) -> Vec<&'m Item<'m>> {
    commands
        .iter()
        .flat_map(|command| match command {
            Command::Action(action) => action.items.iter().collect(),
            Command::Group(group) => items(&group.commands),
            _ => Vec::new(),
        })
        .collect()
}

/// What a session and a bootstrap do with a message: every command, and every TNDS object in it.
fn read_typed(octets: &[u8]) -> Result<(), Fault> {
    let (message, _) = syncml::read(octets)?;
    if let Some(fault) = message.commands.iter().find_map(|command| match command {
        Command::Unknown(unknown) => unknown.fault,
        _ => None,
    }) {
        return Err(fault);
    }
    for item in items(&message.commands) {
        let mime = item.meta.mime.as_deref();
        let (true, Some(data)) = (mime.is_some_and(|m| m.contains("dmtnds")), &item.data) else {
            continue;
        };
        tnds::read_embedded(&data.octets, mime)?;
    }
    Ok(())
}

/// Three rows leave out SyncHdr, which is another fault than the one they show; they get one.
fn with_header(vector: &Vector) -> Vec<u8> {
    const HEADER: &[u8] =
        b"\x6C\x71\x031.2\0\x01\x72\x03DM/1.2\0\x01\x65\x031\0\x01\x5B\x031\0\x01\
        \x6E\x57\x03T\0\x01\x01\x67\x57\x03S\0\x01\x01\x01";
    let mut octets = vector.octets.clone();
    if ["s01", "s02", "s06"].iter().any(|row| vector.name.starts_with(row)) {
        assert_eq!(octets[5..7], [0x6D, 0x6B]);
        octets.splice(6..6, HEADER.iter().copied());
    }
    octets
}

#[test]
fn group_s_sound_markup_with_wrong_meaning() {
    let vectors = group('s');
    assert!(vectors.len() >= 9);
    for vector in &vectors {
        if vector.expected.starts_with("ERROR:E_CP_") {
            // What a parm means is the bootstrap's business; the markup has to let it through.
            let options = Options { expected: Some(DocType::Prov), ..Options::default() };
            assert!(canonical(&vector.octets, &options).is_ok(), "{}", vector.name);
            continue;
        }
        let found = read_typed(&with_header(vector));
        let found = found.map_err(|fault| format!("ERROR:{}", fault.class.name()));
        assert_eq!(found, Err(vector.expected.into()), "{}", vector.name);
    }
}

#[test]
fn every_row_of_the_groups_is_run() {
    let rows = |letter| VECTORS.lines().skip(1).filter(|l| l.starts_with(letter)).count();
    assert_eq!(['a', 'b', 'c', 's', 'x'].map(rows), [61, 30, 65, 9, 12]);
}

/// The document with its events written again in `encoding`.
fn transcode(vector: &Vector, encoding: Encoding) -> Option<Vec<u8>> {
    let octets = to_utf8(&vector.octets).unwrap();
    let mut reader = Reader::new(&octets, &options(vector)).unwrap();
    let mut writer = Writer::new(reader.public_id().doc, encoding);
    loop {
        let event = reader.next().unwrap();
        if event == Event::Finish {
            return writer.finish().ok();
        }
        writer.event(&event);
    }
}

#[test]
fn both_writers_keep_what_the_readers_found() {
    for vector in ['a', 'b', 'x'].into_iter().flat_map(group) {
        if vector.expected.starts_with("ERROR:") {
            continue;
        }
        // Only the current version is written.
        let expected = vector.expected.replace("SYNCML:SYNCML1.1", "SYNCML:SYNCML1.2");
        let wbxml = transcode(&vector, Encoding::Wbxml).unwrap();
        let again = canonical(&wbxml, &Options::default());
        assert_eq!(again.as_deref(), Ok(expected.as_str()), "{}", vector.name);
        match transcode(&vector, Encoding::Xml) {
            Some(xml) => {
                let again = canonical(&xml, &Options::default());
                assert_eq!(again.as_deref(), Ok(expected.as_str()), "{}", vector.name);
            }
            None => assert!(expected.contains("{hex:") || expected.contains("{wbxml:")),
        }
    }
}

/// The one message of vector `name`.
fn message(name: &str) -> Message<'static> {
    let vector = group('a').into_iter().find(|v| v.name.starts_with(name)).unwrap();
    syncml::read(&vector.octets).unwrap().0.into_owned()
}

#[test]
fn tnds_reads_the_same_however_it_is_carried() {
    let standalone = group('a').into_iter().find(|v| v.name.starts_with("a50")).unwrap();
    let expected = tnds::read(&standalone.octets).unwrap();
    assert_eq!(expected.nodes[0].ddf_name.as_deref(), Some("org.example/1.0"));
    for (name, form) in [("a53", DataForm::Opaque), ("a54", DataForm::Embedded)] {
        let message = message(name);
        let item = items(&message.commands)[0];
        let data = item.data.as_ref().unwrap();
        assert_eq!(data.form, form);
        let document = tnds::read_embedded(&data.octets, item.meta.mime.as_deref()).unwrap();
        assert_eq!(document, expected, "{name}");
    }
    for name in ["a55", "a56"] {
        let message = message(name);
        let item = items(&message.commands)[0];
        let data = item.data.as_ref().unwrap();
        assert_eq!(data.form, DataForm::Text);
        let document = tnds::read_embedded(&data.octets, item.meta.mime.as_deref()).unwrap();
        assert_eq!((&*document.ver_dtd, document.nodes.len()), ("1.2", 0), "{name}");
    }
}
