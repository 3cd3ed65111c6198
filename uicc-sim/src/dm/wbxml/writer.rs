//! Writes an element tree as WBXML 1.2.

use super::{Content, DMDDF, DocType, Element, SYNCML, WbxmlError, global, tokens};

/// WBXML 1.2, what every DM encoder seen in the field writes.
const VERSION: u8 = 0x02;
/// MIBenum of UTF-8.
const UTF8: u32 = 106;
/// The registered public identifier of SyncML 1.2.
const PUBLIC_SYNCML_12: u32 = 0x1201;
/// The DDF and TNDS vocabulary has no number, only this text.
const PUBLIC_DMDDF: &[u8] = b"-//OMA//DTD-DM-DDF 1.2//EN\0";
/// Bit 0x40 of a tag: content follows.
const WITH_CONTENT: u8 = 0x40;

/// Writes a document of the given type.
///
/// # Errors
/// When an element's name does not exist on its page.
pub fn encode(root: &Element, doc_type: DocType) -> Result<Vec<u8>, WbxmlError> {
    let mut writer = Writer { out: vec![VERSION], page: SYNCML };
    match doc_type {
        DocType::SyncMl => {
            writer.mb(PUBLIC_SYNCML_12);
            writer.mb(UTF8);
            writer.mb(0);
        }
        DocType::Tnds => {
            // A textual id: zero, then its offset in the string table.
            writer.out.extend_from_slice(&[0, 0]);
            writer.mb(UTF8);
            writer.mb(u32::try_from(PUBLIC_DMDDF.len()).unwrap_or(0));
            writer.out.extend_from_slice(PUBLIC_DMDDF);
            writer.switch(DMDDF);
        }
    }
    writer.element(root)?;
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
    page: u8,
}

impl Writer {
    fn mb(&mut self, value: u32) {
        for shift in [28, 21, 14, 7] {
            if value >> shift != 0 {
                self.out.push((value >> shift) as u8 & 0x7F | 0x80);
            }
        }
        self.out.push(value as u8 & 0x7F);
    }

    fn switch(&mut self, page: u8) {
        if self.page != page {
            self.out.extend_from_slice(&[global::SWITCH_PAGE, page]);
            self.page = page;
        }
    }

    fn element(&mut self, element: &Element) -> Result<(), WbxmlError> {
        let at = self.out.len();
        let token = tokens::token_of(element.page, element.name)
            .ok_or(WbxmlError { at, what: "no token for an element" })?;
        self.switch(element.page);
        if element.content.is_empty() {
            self.out.push(token);
            return Ok(());
        }
        self.out.push(token | WITH_CONTENT);
        for content in &element.content {
            match content {
                Content::Element(child) => self.element(child)?,
                Content::Text(text) => self.text(text)?,
                Content::Octets(octets) => self.opaque(octets)?,
            }
        }
        self.out.push(global::END);
        Ok(())
    }

    /// An inline string ends at its NUL, so text with a NUL inside has to be opaque.
    fn text(&mut self, text: &str) -> Result<(), WbxmlError> {
        if text.contains('\0') {
            return self.opaque(text.as_bytes());
        }
        self.out.push(global::STR_I);
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(0);
        Ok(())
    }

    fn opaque(&mut self, octets: &[u8]) -> Result<(), WbxmlError> {
        let too_long = WbxmlError { at: self.out.len(), what: "opaque data too long" };
        let length = u32::try_from(octets.len()).map_err(|_| too_long)?;
        self.out.push(global::OPAQUE);
        self.mb(length);
        self.out.extend_from_slice(octets);
        Ok(())
    }
}
