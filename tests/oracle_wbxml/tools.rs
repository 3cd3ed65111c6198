//! libwbxml's two tools, asked to change as little as they can.

use super::oracle_common::run;
use dmsc::markup::DocType;

/// `wbxml` as text XML, white space kept.
pub(crate) fn to_xml(wbxml: &[u8], expected: Option<DocType>) -> Result<Vec<u8>, String> {
    let mut arguments = vec!["-k", "-m", "0", "-o", "-"];
    if expected == Some(DocType::Tnds) {
        arguments.extend(["-l", "DMDDF12"]);
    }
    arguments.push("-");
    run("wbxml2xml", &arguments, wbxml)
}

/// `xml` as WBXML, white space kept; `variant` chooses the version, and odd ones a string table.
pub(crate) fn to_wbxml(xml: &[u8], doc: DocType, variant: usize) -> Result<Vec<u8>, String> {
    let version = ["1.2", "1.3", "1.1"][variant % 3];
    let mut arguments = vec!["-k", "-v", version, "-o", "-"];
    if variant.is_multiple_of(2) {
        arguments.push("-n");
    }
    arguments.push("-");
    run("xml2wbxml", &arguments, &with_doctype(xml, doc))
}

/// The tool takes the version from the DOCTYPE, not from the namespace.
fn with_doctype(xml: &[u8], doc: DocType) -> Vec<u8> {
    let body = match xml.strip_prefix(b"<?xml") {
        Some(rest) => &rest[rest.windows(2).position(|pair| pair == b"?>").unwrap() + 2..],
        None => xml,
    };
    let (root, id) = (doc.root().name(), doc.public_id().text);
    let head = format!("<?xml version=\"1.0\"?><!DOCTYPE {root} PUBLIC \"{id}\" \"x.dtd\">");
    [head.as_bytes(), body].concat()
}
