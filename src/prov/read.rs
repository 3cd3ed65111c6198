//! The reader of both encodings.
//!
//! Owns the element structure and what is put right of it; must not know what parms mean.

use super::{Characteristic, Document, Encoding, Member, Parm};
use crate::markup::{Attr, DocType, Fault, Options, Reader, prov, to_utf8};
use std::borrow::Cow;

/// Reads a document in either encoding.
///
/// # Errors
/// The document is malformed or no provisioning document. Parms are not judged.
pub fn read(octets: &[u8]) -> Result<Document<'_>, Fault> {
    read_with(octets, false)
}

/// Like [`read`]; with `padding`, octets 00 or FF may follow, as in a card's file.
///
/// # Errors
/// As of [`read`].
pub fn read_with(octets: &[u8], padding: bool) -> Result<Document<'_>, Fault> {
    match to_utf8(octets)? {
        Cow::Borrowed(octets) => read_utf8(octets, padding),
        Cow::Owned(utf8) => read_utf8(&utf8, padding)
            .map(Document::into_owned)
            .map_err(|fault| fault.in_latin1(octets)),
    }
}

fn read_utf8(octets: &[u8], padding: bool) -> Result<Document<'_>, Fault> {
    let options = Options { padding, expected: Some(DocType::Prov), ..Options::default() };
    let mut reader = Reader::new(octets, &options)?;
    reader.root()?;
    let mut document = Document::default();
    while let Some((attr, value)) = reader.attribute()? {
        match attr {
            Attr::Version => document.version = Some(value),
            _ => return Err(reader.content_fault("an attribute of another element")),
        }
    }
    let mut open: Vec<Characteristic<'_>> = Vec::new();
    loop {
        match (reader.child()?, open.last_mut()) {
            (Some(prov::CHARACTERISTIC), _) => open.push(read_characteristic(&mut reader)?),
            (Some(prov::PARM), Some(around)) => {
                around.members.push(Member::Parm(read_parm(&mut reader)?));
            }
            (Some(prov::PARM), None) => {
                return Err(reader.content_fault("a parm outside of any characteristic"));
            }
            (Some(_), _) => reader.skip()?,
            (None, _) => match close(&mut open, reader.encoding()) {
                Some(done) => document.characteristics.push(done),
                None if reader.depth() == 0 => break,
                None => {}
            },
        }
    }
    reader.finish()?;
    Ok(document)
}

/// Ends the innermost characteristic; gives it back if it stands in the root.
fn close<'a>(open: &mut Vec<Characteristic<'a>>, encoding: Encoding) -> Option<Characteristic<'a>> {
    let mut done = open.pop()?;
    match open.last_mut() {
        Some(around) => {
            around.members.push(Member::Characteristic(done));
            None
        }
        None => {
            if encoding == Encoding::Wbxml {
                read_on_page_0(&mut done);
            }
            Some(done)
        }
    }
}

fn read_characteristic<'a>(reader: &mut Reader<'a>) -> Result<Characteristic<'a>, Fault> {
    let at = reader.at();
    let mut kind = None;
    while let Some((attr, value)) = reader.attribute()? {
        match attr {
            Attr::Type => kind = Some(value),
            _ => return Err(reader.content_fault("an attribute of another element")),
        }
    }
    let kind = kind.ok_or_else(|| reader.content_fault("a characteristic without type"))?;
    Ok(Characteristic { kind, members: Vec::new(), at })
}

fn read_parm<'a>(reader: &mut Reader<'a>) -> Result<Parm<'a>, Fault> {
    let at = reader.at();
    let (mut name, mut value) = (None, None);
    while let Some((attr, text)) = reader.attribute()? {
        match attr {
            Attr::Name => name = Some(text),
            Attr::Value => value = Some(text),
            _ => return Err(reader.content_fault("an attribute of another element")),
        }
    }
    let name = name.ok_or_else(|| reader.content_fault("a parm without name"))?;
    if reader.child()?.is_some() {
        return Err(reader.content_fault("an element inside a parm"));
    }
    Ok(Parm { name, value, at })
}

/// Puts right what was read with attribute code page 1 because the sender forgot to switch back:
/// nothing in the root has these names, and their tokens mean this on page 0.
fn read_on_page_0(characteristic: &mut Characteristic<'_>) {
    let kind = match &*characteristic.kind {
        "APPLICATION" if characteristic.has("NAPID") && !characteristic.has("APPID") => "NAPDEF",
        "APPADDR" => "BOOTSTRAP",
        "APPAUTH" => "VENDORCONFIG",
        "CLIENTIDENTITY" => {
            for member in &mut characteristic.members {
                if let Member::Parm(parm) = member
                    && parm.name == "AAUTHLEVEL"
                {
                    parm.name = Cow::Borrowed("CLIENT-ID");
                }
            }
            return;
        }
        _ => return,
    };
    characteristic.kind = Cow::Borrowed(kind);
}
