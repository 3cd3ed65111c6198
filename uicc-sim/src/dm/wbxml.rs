//! WBXML 1.1 to 1.3 of SyncML 1.2 messages and TNDS documents, as a tree of elements.
//!
//! Knows tokens, pages and strings; knows nothing of what the elements mean.

mod reader;
#[cfg(test)]
mod tests;
pub mod tokens;
mod writer;

use std::fmt;

pub use reader::decode;
pub use tokens::{DMDDF, METINF, SYNCML};
pub use writer::encode;

/// Which document type a document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocType {
    /// A SyncML message, version 1.2 (or 1.1 or 1.0, which share the tokens).
    SyncMl,
    /// A TNDS or DDF document of its own.
    Tnds,
}

/// What stands between the tags of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A child element.
    Element(Element),
    /// Text, from inline and table strings and entities.
    Text(String),
    /// Opaque octets.
    Octets(Vec<u8>),
}

/// One element with its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The code page its tag is on.
    pub page: u8,
    /// The tag's name.
    pub name: &'static str,
    /// Children, text and octets in document order.
    pub content: Vec<Content>,
}

impl Element {
    /// An empty element.
    pub fn new(page: u8, name: &'static str) -> Self {
        Self { page, name, content: Vec::new() }
    }

    /// An element holding text.
    pub fn text(page: u8, name: &'static str, text: impl Into<String>) -> Self {
        Self { page, name, content: vec![Content::Text(text.into())] }
    }

    /// An element holding opaque octets.
    pub fn octets(page: u8, name: &'static str, octets: impl Into<Vec<u8>>) -> Self {
        Self { page, name, content: vec![Content::Octets(octets.into())] }
    }

    /// The same element with one child more.
    #[must_use]
    pub fn with(mut self, child: Element) -> Self {
        self.push(child);
        self
    }

    /// Appends a child.
    pub fn push(&mut self, child: Element) {
        self.content.push(Content::Element(child));
    }

    /// The child elements in order.
    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) | Content::Octets(_) => None,
        })
    }

    /// The first child with that page and name.
    pub fn child(&self, page: u8, name: &str) -> Option<&Element> {
        self.children().find(|child| child.page == page && child.name == name)
    }

    /// Text and octets of this element joined, children left out.
    pub fn value(&self) -> Vec<u8> {
        let mut value = Vec::new();
        for content in &self.content {
            match content {
                Content::Text(text) => value.extend_from_slice(text.as_bytes()),
                Content::Octets(octets) => value.extend_from_slice(octets),
                Content::Element(_) => {}
            }
        }
        value
    }
}

/// Why a document cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WbxmlError {
    /// The octet at which it was noticed.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for WbxmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WBXML: {} at octet {}", self.what, self.at)
    }
}

impl std::error::Error for WbxmlError {}

/// Global tokens of both spaces that this codec uses.
mod global {
    pub(super) const SWITCH_PAGE: u8 = 0x00;
    pub(super) const END: u8 = 0x01;
    pub(super) const ENTITY: u8 = 0x02;
    pub(super) const STR_I: u8 = 0x03;
    pub(super) const LITERAL: u8 = 0x04;
    pub(super) const PI: u8 = 0x43;
    pub(super) const LITERAL_C: u8 = 0x44;
    pub(super) const STR_T: u8 = 0x83;
    pub(super) const LITERAL_A: u8 = 0x84;
    pub(super) const OPAQUE: u8 = 0xC3;
    pub(super) const LITERAL_AC: u8 = 0xC4;
}
