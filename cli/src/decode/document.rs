//! Documents in WBXML and text XML: their canonical form, and whether the library's model of their
//! type can be made of them. Must not know the encodings.

use super::element;
use super::objects::without_status;
use super::{Decoded, Fault, visible_xml};
use dmsc::markup::{DocType, Encoding, Options, Reader, canonical, to_utf8};
use dmsc::prov::{self, Settings};
use dmsc::syncml;
use dmsc::syncml::model::{Command, Item};
use dmsc::tree::{ddf_document, tnds};
use serde_json::json;

/// What a document is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// Any type, the structure alone.
    Any,
    SyncMl,
    Tnds,
    Ddf,
    Prov,
}

/// The document in a dump of a card's file: octets 00 or FF may follow it, and the status word 9000.
pub(super) fn in_file(document: Document, octets: &[u8]) -> Result<Decoded, Fault> {
    let is_whole = |front: &[u8]| decode(document, front, true).is_ok();
    let (octets, status) = without_status(octets, is_whole);
    Ok(decode(document, octets, true)?.with_status(status))
}

/// The canonical XML of a document; its elements too in JSON.
///
/// A document that is well-formed but does not mean anything is shown, with that fault.
pub(super) fn decode(document: Document, octets: &[u8], padding: bool) -> Result<Decoded, Fault> {
    let expected = match document {
        Document::Any => None,
        Document::SyncMl => Some(DocType::SyncMl),
        Document::Tnds | Document::Ddf => Some(DocType::Tnds),
        Document::Prov => Some(DocType::Prov),
    };
    let options = Options { padding, expected, internal_subset: document == Document::Ddf };
    let xml = canonical(octets, &options)?;
    let utf8 = to_utf8(octets)?;
    let reader = Reader::new(&utf8, &options)?;
    let (encoding, id) = (reader.encoding(), reader.public_id());
    let mut decoded = Decoded::default();
    decoded.lines.push(visible_xml(&xml));
    decoded.json.insert("xml".into(), json!(xml));
    decoded.json.insert("encoding".into(), json!(encoding_name(encoding)));
    decoded.json.insert("public_id".into(), json!(id.text));
    decoded.json.insert("root".into(), element::tree(reader)?);
    Ok(decoded.faulty(meaning(document, octets, padding).err()))
}

fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Wbxml => "wbxml",
        Encoding::Xml => "xml",
    }
}

/// Reads the document into the model of its type.
fn meaning(document: Document, octets: &[u8], padding: bool) -> Result<(), Fault> {
    match document {
        Document::Any => {}
        Document::SyncMl => {
            let (message, _) = syncml::read_with(octets, padding)?;
            commands(&message.commands)?;
        }
        Document::Tnds => drop(tnds::read_with(octets, padding)?),
        Document::Ddf => drop(ddf_document::read(octets)?),
        Document::Prov => drop(Settings::of(&prov::read_with(octets, padding)?)?),
    }
    Ok(())
}

fn commands(commands: &[Command<'_>]) -> Result<(), Fault> {
    for command in commands {
        match command {
            Command::Action(action) => items(&action.items)?,
            Command::Alert(alert) => items(&alert.items)?,
            Command::Results(results) => items(&results.items)?,
            Command::Status(status) => items(&status.items)?,
            Command::Group(group) => self::commands(&group.commands)?,
            Command::Unknown(unknown) => {
                if let Some(fault) = unknown.fault {
                    return Err(fault.into());
                }
            }
        }
    }
    Ok(())
}

/// Reads the TNDS objects in `items`.
fn items(items: &[Item<'_>]) -> Result<(), Fault> {
    for item in items {
        let mime = item.meta.mime.as_deref();
        if let (true, Some(data)) = (mime.is_some_and(is_tnds), &item.data) {
            tnds::read_embedded(&data.octets, mime)
                .map_err(|fault| Fault::from(fault).noting("byte of the embedded document"))?;
        }
    }
    Ok(())
}

fn is_tnds(mime: &str) -> bool {
    [Encoding::Wbxml, Encoding::Xml].iter().any(|encoding| mime == DocType::Tnds.mime(*encoding))
}
