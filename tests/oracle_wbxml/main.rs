//! libwbxml's `wbxml2xml` and `xml2wbxml` as oracle: every accepted WBXML vector, and generated documents
//! in both directions. `DMSC_ORACLE_DOCUMENTS` says how many of these.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panic")]

mod generate;
#[path = "../oracle_common/mod.rs"]
mod oracle_common;
mod tools;

use dmsc::markup::{DocType, Encoding, Event, Options, Reader, Writer, canonical, to_utf8};
use generate::Generated;
use oracle_common::{Vector, group};
use std::fmt::Write;

/// Vectors that libwbxml 0.11.8 reads otherwise than the standard says.
const DECODES_OTHERWISE: [(&str, &str); 8] = [
    ("a10", "ISO-8859-1 needs a libwbxml that was built with iconv"),
    ("b29", "ISO-8859-1 needs a libwbxml that was built with iconv"),
    ("a20", "binary octets stand raw in a CDATA section: the output is no XML"),
    ("a21", "binary octets stand raw in a CDATA section: the output is no XML"),
    ("a28", "an ENTITY above U+07FF becomes broken UTF-8"),
    ("a40", "CR is written raw, so that XML reads it as LF"),
    ("a54", "its SyncML tables have no code page 2"),
    ("b23", "prints TRETRA-SDS and TRETRA-PACKET"),
];

/// Vectors with an embedded document, which libwbxml makes part of the text XML and says so in Type.
const EXPANDS: [&str; 3] = ["a53", "a57", "a59"];

/// Vectors that libwbxml 0.11.8 writes otherwise than the standard says, from text XML.
const ENCODES_OTHERWISE: [(&str, &str); 3] = [
    ("a54", "makes MgmtTree in Data an embedded WBXML document"),
    ("a55", "says dmtnds+wbxml in Type though Data is the same text"),
    ("a56", "says dmtnds+wbxml in Type though Data is the same text"),
];

fn available() -> bool {
    oracle_common::available("wbxml2xml", "libwbxml2-utils")
        && oracle_common::available("xml2wbxml", "libwbxml2-utils")
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<_> = ['a', 'b'].into_iter().flat_map(group).collect();
    assert!(vectors.len() >= 91 && !vectors.iter().any(Vector::is_refused));
    vectors
}

/// The options in square brackets of the meaning column.
fn options(vector: &Vector) -> Options {
    let expected = vector.meaning.contains("expected document=DDF1.2").then_some(DocType::Tnds);
    Options {
        padding: vector.meaning.contains("option padding=on"),
        expected,
        ..Options::default()
    }
}

/// Checks that `found` is what the rows say but for `exceptions`, and that each exception is one.
fn compare(
    exceptions: &[(&str, &str)],
    vectors: &[Vector],
    found: impl Fn(&Vector) -> Option<(String, String)>,
) {
    let mut wrong = String::new();
    for vector in vectors {
        let Some((found, expected)) = found(vector) else { continue };
        let exception = exceptions.iter().find(|(name, _)| *name == vector.short());
        match exception {
            None if found != expected => {
                let _ =
                    writeln!(wrong, "{}\n  found    {found}\n  expected {expected}", vector.name);
            }
            Some((_, why)) if found == expected => {
                let _ = writeln!(wrong, "{} is no exception any more ({why})", vector.name);
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn form(octets: Result<Vec<u8>, String>) -> String {
    match octets {
        Ok(octets) => canonical(&octets, &Options::default())
            .unwrap_or_else(|fault| format!("{fault}: {}", String::from_utf8_lossy(&octets))),
        Err(error) => error,
    }
}

/// Both texts from a little before the place where they part.
fn difference(found: &str, expected: &str) -> String {
    let same = found.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
    let part =
        |text: &str| text.chars().skip(same.saturating_sub(60)).take(200).collect::<String>();
    format!("\n  found    {}\n  expected {}", part(found), part(expected))
}

#[test]
fn every_accepted_vector_reads_the_same() {
    if !available() {
        return;
    }
    compare(&DECODES_OTHERWISE, &vectors(), |vector| {
        let xml = tools::to_xml(&vector.octets, options(vector).expected);
        let expected = match EXPANDS.contains(&vector.short()) {
            true => expanded(vector.expected),
            false => vector.expected.to_owned(),
        };
        Some((form(xml), expected))
    });
}

/// The canonical form with embedded documents as part of the text XML.
fn expanded(form: &str) -> String {
    form.replace("{wbxml:", "").replace(">}<", "><").replace("+wbxml<", "+xml<")
}

/// A writer that got all events of a document.
fn rewritten(octets: &[u8], options: &Options, encoding: Encoding) -> (DocType, Writer) {
    let octets = to_utf8(octets).unwrap();
    let mut reader = Reader::new(&octets, options).unwrap();
    let doc = reader.public_id().doc;
    let mut writer = Writer::new(doc, encoding);
    loop {
        let event = reader.next().unwrap();
        if event == Event::Finish {
            return (doc, writer);
        }
        writer.event(&event);
    }
}

/// The document as text XML; `None` if it holds what XML cannot.
fn as_xml(vector: &Vector) -> Option<(DocType, Vec<u8>)> {
    let (doc, writer) = rewritten(&vector.octets, &options(vector), Encoding::Xml);
    Some((doc, writer.finish().ok()?))
}

#[test]
fn every_accepted_vector_as_xml_is_encoded_the_same() {
    if !available() {
        return;
    }
    compare(&ENCODES_OTHERWISE, &vectors(), |vector| {
        let (doc, xml) = as_xml(vector)?;
        // Only the current version is written.
        let expected = vector.expected.replace("SYNCML:SYNCML1.1", "SYNCML:SYNCML1.2");
        let written = [0, 1].map(|variant| form(tools::to_wbxml(&xml, doc, variant)));
        assert_eq!(written[0], written[1], "{}", vector.name);
        Some((written[0].clone(), expected))
    });
}

#[test]
fn generated_documents_agree_in_both_directions() {
    if !available() {
        return;
    }
    let count = std::env::var("DMSC_ORACLE_DOCUMENTS").map_or(500, |count| count.parse().unwrap());
    let documents: Vec<_> = generate::documents().take(count).enumerate().collect();
    // Nearly all the time goes into starting the tools.
    let share = count.div_ceil(std::thread::available_parallelism().map_or(2, |cores| cores.get()));
    std::thread::scope(|scope| {
        for part in documents.chunks(share.max(1)) {
            scope
                .spawn(move || part.iter().for_each(|(number, document)| agree(*number, document)));
        }
    });
}

/// Fails if libwbxml reads our WBXML otherwise than we do, or writes our XML otherwise.
fn agree(number: usize, document: &Generated) {
    let ours = form(Ok(document.wbxml.clone()));
    let ours_as_xml = form(Ok(document.xml.clone()));
    let read = form(tools::to_xml(&document.wbxml, None));
    let (_, writer) = rewritten(&document.wbxml, &Options::default(), Encoding::Wbxml);
    let compact = writer.finish_compact().unwrap();
    let read_compact = match compact == document.wbxml {
        true => read.clone(),
        false => form(tools::to_xml(&compact, None)),
    };
    // It takes Data of Add and Replace without Type for a vCard, and completes its line ends.
    let written = tools::to_wbxml(&document.xml, document.doc, number);
    let written = form(written).replace("&#13;&#10;", "&#10;");
    for (who, found) in [
        ("we", ours_as_xml),
        ("wbxml2xml", read),
        ("wbxml2xml of a string table", read_compact),
        ("xml2wbxml", written),
    ] {
        assert!(found == ours, "document {number}, {who}: {}", difference(&found, &ours));
    }
}
