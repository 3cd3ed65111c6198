//! XML and WBXML read and written as one stream of elements and text, so that each document type has
//! one mapping with two encodings.
//!
//! Owns the two syntaxes, the vocabularies and their limits. Must not know what an element means.

mod canonical;
mod content;
mod doctype;
mod fault;
mod namespaces;
mod reader;
mod scan;
mod string_table;
mod tables;
mod vocabulary;
mod wbxml;
mod wbxml_attributes;
mod writer;
mod xml;

#[cfg(test)]
mod tests;

pub use canonical::canonical;
pub(crate) use content::into_octets;
pub use content::{Content, Form};
pub use doctype::{DocType, PublicId};
pub use fault::{Class, Fault};
pub use reader::{Event, Options, Reader};
pub use tables::{devinf, dmddf, metinf, prov, syncml};
pub use vocabulary::{Attr, Ns, Tag};
pub use writer::{Mark, Writer};
pub use xml::{is_xml_text, to_utf8};

/// How a document is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// WAP Binary XML 1.0 to 1.3.
    Wbxml,
    /// Text XML.
    Xml,
}

impl Encoding {
    /// What `octets` look like: text starts with `<`, white space or a byte order mark.
    pub fn detect(octets: &[u8]) -> Self {
        match octets.first() {
            Some(b'<' | b' ' | b'\t' | b'\r' | b'\n' | 0xEF | 0xFE | 0xFF) => Self::Xml,
            _ => Self::Wbxml,
        }
    }
}
