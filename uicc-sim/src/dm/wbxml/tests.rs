//! The vectors of the repository, as far as a SyncML or TNDS reader is concerned with them.

use super::*;

/// Rows of the vector file whose name begins so: name, octets, expected.
fn vectors(prefix: &str) -> Vec<(String, Vec<u8>, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/encoding-vectors.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0].starts_with(prefix))
        .map(|row| (row[0].to_owned(), crate::hex::decode(row[1]).unwrap(), row[3].to_owned()))
        .collect()
}

const NAMESPACES: [&str; 3] = ["SYNCML:SYNCML1.2", "syncml:metinf", "syncml:dmddf1.2"];

/// The canonical text of the vector file.
fn canonical(element: &Element, outer: Option<u8>, root_namespace: &str, out: &mut String) {
    out.push('<');
    out.push_str(element.name);
    if outer != Some(element.page) {
        let known = NAMESPACES[usize::from(element.page)];
        let namespace = if element.page == SYNCML { root_namespace } else { known };
        out.push_str(&format!(" xmlns=\"{namespace}\""));
    }
    if element.children().next().is_none() && element.value().is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    if element.children().next().is_none() {
        canonical_value(&element.value(), out);
    }
    for child in element.children() {
        canonical(child, Some(element.page), root_namespace, out);
    }
    out.push_str(&format!("</{}>", element.name));
}

fn canonical_value(value: &[u8], out: &mut String) {
    if let Ok((root, DocType::Tnds)) = decode(value) {
        out.push_str("{wbxml:");
        canonical(&root, None, "", out);
        out.push('}');
        return;
    }
    let is_text = |found: char| !found.is_control() || matches!(found, '\t' | '\r' | '\n');
    match std::str::from_utf8(value) {
        Ok(text) if text.chars().all(is_text) => {
            out.push_str(&escaped(text));
        }
        _ => {
            let digits: String = value.iter().map(|octet| format!("{octet:02X}")).collect();
            out.push_str(&format!("{{hex:{digits}}}"));
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\t', "&#9;")
        .replace('\n', "&#10;")
        .replace('\r', "&#13;")
}

/// Vectors that are none of this codec's business: padding belongs to files, DevInfo to data
/// synchronisation, and a document without a public identifier to whoever knows its media type.
const NOT_OURS: [&str; 4] = ["a46", "a47", "a58", "a59"];

#[test]
fn documents_that_must_decode_do() {
    let mut count = 0;
    for (name, octets, expected) in vectors("a") {
        if NOT_OURS.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let (root, _) = decode(&octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        let namespace =
            if expected.contains("SYNCML1.1") { "SYNCML:SYNCML1.1" } else { NAMESPACES[0] };
        let mut text = String::new();
        canonical(&root, None, namespace, &mut text);
        assert_eq!(text, expected, "{name}");
        count += 1;
    }
    assert_eq!(count, 57);
}

#[test]
fn what_is_encoded_decodes_to_the_same_tree() {
    for (name, octets, _) in vectors("a") {
        let Ok((root, doc_type)) = decode(&octets) else { continue };
        let again = encode(&root, doc_type).unwrap();
        let (back, _) = decode(&again).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut texts = [String::new(), String::new()];
        canonical(&root, None, "", &mut texts[0]);
        canonical(&back, None, "", &mut texts[1]);
        assert_eq!(texts[0], texts[1], "{name}");
    }
}

/// c07 has no public identifier, which is enough where the root element decides.
const TOLERATED: [&str; 1] = ["c07"];

#[test]
fn malformed_documents_are_errors() {
    let accepted: Vec<String> = vectors("c")
        .into_iter()
        .filter_map(|(name, octets, _)| decode(&octets).is_ok().then(|| name[..3].to_owned()))
        .collect();
    assert_eq!(accepted, TOLERATED);
}

#[test]
fn no_octets_make_the_reader_panic() {
    for (_, octets, _) in vectors("a") {
        for end in 0..octets.len() {
            let _ = decode(&octets[..end]);
        }
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 0x41;
            let _ = decode(&changed);
        }
    }
}

#[test]
fn numbers_have_the_shortest_form_when_written() {
    let root = Element::new(SYNCML, "SyncML").with(Element::octets(SYNCML, "Data", vec![7; 200]));
    let octets = encode(&root, DocType::SyncMl).unwrap();
    assert_eq!(octets[..6], [0x02, 0xA4, 0x01, 0x6A, 0x00, 0x6D]);
    assert_eq!(octets[6..10], [0x4F, 0xC3, 0x81, 0x48]);
}
