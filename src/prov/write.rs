//! The writer of both encodings.
//!
//! Byte-stable; must not know what parms mean.

use super::{Characteristic, Document, Encoding, Member};
use crate::error::Result;
use crate::markup::{Attr, DocType, Writer, prov};

/// Writes a document.
///
/// # Errors
/// `InvalidArg`: a text that the encoding cannot hold (NUL, or control characters in text XML).
pub fn write(document: &Document<'_>, encoding: Encoding) -> Result<Vec<u8>> {
    let mut writer = Writer::new(DocType::Prov, encoding);
    writer.start(prov::WAP_PROVISIONINGDOC);
    if let Some(version) = &document.version {
        writer.attribute(Attr::Version, version);
    }
    for characteristic in &document.characteristics {
        write_characteristic(&mut writer, characteristic);
    }
    writer.end();
    writer.finish()
}

/// Recursion is as deep as the caller's own document.
fn write_characteristic(writer: &mut Writer, characteristic: &Characteristic<'_>) {
    writer.start(prov::CHARACTERISTIC);
    writer.attribute(Attr::Type, &characteristic.kind);
    for member in &characteristic.members {
        match member {
            Member::Characteristic(inner) => write_characteristic(writer, inner),
            Member::Parm(parm) => {
                writer.start(prov::PARM);
                writer.attribute(Attr::Name, &parm.name);
                if let Some(value) = &parm.value {
                    writer.attribute(Attr::Value, value);
                }
                writer.end();
            }
        }
    }
    writer.end();
}
