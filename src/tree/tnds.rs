//! TNDS objects: the document model and its codec in both encodings (OMA DM TNDS 1.2, DM DDF DTD 1.2).
//!
//! Must not know what importing or exporting does to the tree.

use super::mgmt_tree::{self, Draft, MgmtTree, Text, once, owned, read_format};
use crate::error::Result;
use crate::markup::{
    Class, Content, DocType, Encoding, Fault, Form, Ns, Options, Reader, Tag, Writer, dmddf,
    to_utf8,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// A TNDS object.
pub type Document<'a> = MgmtTree<'a, TndsNode<'a>>;

/// `Node`. Absent elements are `None`; DFProperties are not kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TndsNode<'a> {
    /// NodeName; empty means the last segment of the command's target.
    pub name: Option<Text<'a>>,
    /// URI up to but not including the node.
    pub path: Option<Text<'a>>,
    /// ACL as text.
    pub acl: Option<Text<'a>>,
    /// The format's name: `node`, `chr`, `bin` and so on.
    pub format: Option<Text<'a>>,
    /// Type of a leaf.
    pub mime: Option<Text<'a>>,
    /// Type of an interior node; may be empty.
    pub ddf_name: Option<Text<'a>>,
    /// Title.
    pub title: Option<Text<'a>>,
    /// Time stamp.
    pub tstamp: Option<Text<'a>>,
    /// Version number.
    pub ver_no: Option<Text<'a>>,
    /// The value's octets; of format `bin` decoded.
    pub value: Option<Cow<'a, [u8]>>,
    /// Nodes below.
    pub children: Vec<TndsNode<'a>>,
}

impl std::fmt::Debug for TndsNode<'_> {
    /// Values may be secrets: only their length is told.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TndsNode")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("format", &self.format)
            .field("value", &self.value.as_ref().map(|value| value.len()))
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

/// Reads a document of its own in either encoding.
///
/// # Errors
/// The document is malformed or no TNDS object.
pub fn read(octets: &[u8]) -> std::result::Result<Document<'_>, Fault> {
    read_with(octets, false)
}

/// Like [`read`]; with `padding`, octets 00 or FF may follow, as in a card's file.
///
/// # Errors
/// As of [`read`].
pub fn read_with(octets: &[u8], padding: bool) -> std::result::Result<Document<'_>, Fault> {
    match to_utf8(octets)? {
        Cow::Borrowed(octets) => read_utf8(octets, padding),
        Cow::Owned(utf8) => read_utf8(&utf8, padding)
            .map(Document::into_owned)
            .map_err(|fault| fault.in_latin1(octets)),
    }
}

/// Reads a document that is the Data of an item with Meta Type `mime`.
///
/// # Errors
/// `E_NESTED_DOC`: it is malformed, or text XML although `mime` says WBXML.
pub fn read_embedded<'a>(
    octets: &'a [u8],
    mime: Option<&str>,
) -> std::result::Result<Document<'a>, Fault> {
    let wbxml = mime == Some(DocType::Tnds.mime(Encoding::Wbxml));
    if wbxml && Encoding::detect(octets) == Encoding::Xml {
        return Err(Fault::new(Class::NestedDoc, 0, "text XML where the type says WBXML"));
    }
    read(octets).map_err(|fault| Fault { class: Class::NestedDoc, ..fault })
}

fn read_utf8(octets: &[u8], padding: bool) -> std::result::Result<Document<'_>, Fault> {
    let options = Options { padding, expected: Some(DocType::Tnds), ..Options::default() };
    mgmt_tree::read::<Unfinished<'_>>(octets, &options)
}

impl Document<'_> {
    /// The same document with text of its own.
    pub fn into_owned(self) -> Document<'static> {
        self.own(TndsNode::into_owned)
    }
}

impl TndsNode<'_> {
    /// The same node with text of its own.
    pub fn into_owned(self) -> TndsNode<'static> {
        TndsNode {
            name: owned(self.name),
            path: owned(self.path),
            acl: owned(self.acl),
            format: owned(self.format),
            mime: owned(self.mime),
            ddf_name: owned(self.ddf_name),
            title: owned(self.title),
            tstamp: owned(self.tstamp),
            ver_no: owned(self.ver_no),
            value: self.value.map(|value| Cow::Owned(value.into_owned())),
            children: self.children.into_iter().map(TndsNode::into_owned).collect(),
        }
    }
}

/// A node whose end has not been read.
#[derive(Default)]
struct Unfinished<'a> {
    node: TndsNode<'a>,
    value: Option<Content<'a>>,
}

impl<'a> Draft<'a> for Unfinished<'a> {
    type Node = TndsNode<'a>;

    fn member(&mut self, reader: &mut Reader<'a>, tag: Tag) -> std::result::Result<(), Fault> {
        match tag {
            dmddf::NODE_NAME => once(reader, &mut self.node.name, Reader::text),
            dmddf::PATH => once(reader, &mut self.node.path, Reader::text),
            dmddf::VALUE => once(reader, &mut self.value, Reader::content),
            dmddf::RT_PROPERTIES => self.properties(reader),
            _ => reader.skip(),
        }
    }

    fn adopt(&mut self, child: TndsNode<'a>) {
        self.node.children.push(child);
    }

    /// The node, its value decoded by its format.
    fn finish(self, reader: &Reader<'a>) -> std::result::Result<TndsNode<'a>, Fault> {
        let Self { mut node, value } = self;
        let Some(value) = value else { return Ok(node) };
        if !node.children.is_empty() {
            if !value.octets.is_empty() {
                return Err(reader.content_fault("a node with both a value and nodes"));
            }
            return Ok(node);
        }
        let base64 = node.format.as_deref() == Some("bin") && value.form == Form::Text;
        node.value = Some(if base64 {
            let text: Vec<u8> =
                value.octets.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            let octets = STANDARD.decode(text);
            Cow::Owned(octets.map_err(|_| reader.content_fault("a bin value is no base64"))?)
        } else {
            value.octets
        });
        Ok(node)
    }
}

impl<'a> Unfinished<'a> {
    fn properties(&mut self, reader: &mut Reader<'a>) -> std::result::Result<(), Fault> {
        let node = &mut self.node;
        while let Some(tag) = reader.child()? {
            match tag {
                dmddf::ACL => once(reader, &mut node.acl, Reader::text)?,
                dmddf::FORMAT => once(reader, &mut node.format, read_format)?,
                dmddf::TITLE => once(reader, &mut node.title, Reader::text)?,
                dmddf::T_STAMP => once(reader, &mut node.tstamp, Reader::text)?,
                dmddf::VER_NO => once(reader, &mut node.ver_no, Reader::text)?,
                dmddf::TYPE => {
                    while let Some(kind) = reader.child()? {
                        match kind {
                            dmddf::MIME => once(reader, &mut node.mime, Reader::text)?,
                            dmddf::DDF_NAME => once(reader, &mut node.ddf_name, Reader::text)?,
                            _ => reader.skip()?,
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

/// Writes a document, as WBXML or as text XML without declaration.
///
/// # Errors
/// `InvalidArg`: a format without name in the vocabulary, or in text XML a value that is no text and not
/// of format `bin`.
pub fn write(document: &Document<'_>, wbxml: bool) -> Result<Vec<u8>> {
    let encoding = if wbxml { Encoding::Wbxml } else { Encoding::Xml };
    mgmt_tree::write(document, encoding, write_node)
}

/// Recursion is as deep as the caller's own document.
fn write_node(writer: &mut Writer, node: &TndsNode<'_>) {
    writer.start(dmddf::NODE);
    writer.optional(dmddf::NODE_NAME, node.name.as_deref());
    writer.optional(dmddf::PATH, node.path.as_deref());
    write_properties(writer, node);
    for child in &node.children {
        write_node(writer, child);
    }
    if let Some(value) = &node.value {
        writer.start(dmddf::VALUE);
        write_value(writer, value, node.format.as_deref() == Some("bin"));
        writer.end();
    }
    writer.end();
}

fn write_properties(writer: &mut Writer, node: &TndsNode<'_>) {
    let kind = node.mime.is_some() || node.ddf_name.is_some();
    let plain = node.acl.is_some() || node.format.is_some() || node.title.is_some();
    if !kind && !plain && node.tstamp.is_none() && node.ver_no.is_none() {
        return;
    }
    writer.start(dmddf::RT_PROPERTIES);
    writer.optional(dmddf::ACL, node.acl.as_deref());
    if let Some(format) = &node.format {
        writer.start(dmddf::FORMAT);
        writer.empty(Ns::DmDdf.tag(format).unwrap_or(Tag::OTHER));
        writer.end();
    }
    writer.optional(dmddf::TITLE, node.title.as_deref());
    writer.optional(dmddf::T_STAMP, node.tstamp.as_deref());
    if kind {
        writer.start(dmddf::TYPE);
        writer.optional(dmddf::MIME, node.mime.as_deref());
        writer.optional(dmddf::DDF_NAME, node.ddf_name.as_deref());
        writer.end();
    }
    writer.optional(dmddf::VER_NO, node.ver_no.as_deref());
    writer.end();
}

fn write_value(writer: &mut Writer, value: &[u8], bin: bool) {
    match (std::str::from_utf8(value), writer.encoding()) {
        (_, Encoding::Xml) if bin => writer.text(&STANDARD.encode(value)),
        (Ok(text), _) if !bin => writer.text(text),
        _ => writer.opaque(value),
    }
}

#[cfg(test)]
mod tests;
