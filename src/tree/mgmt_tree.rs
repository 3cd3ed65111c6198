//! `MgmtTree`, the frame that TNDS objects and device descriptions share (DM DDF DTD 1.2).
//!
//! Owns the document around the nodes and the way down and up through them. Must not know what a node
//! holds.

use crate::error::Result;
use crate::limits;
use crate::markup::{Class, DocType, Encoding, Fault, Options, Reader, Tag, Writer, dmddf};
use std::borrow::Cow;

/// Text of a document.
pub(super) type Text<'a> = Cow<'a, str>;

/// A document of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MgmtTree<'a, N> {
    /// VerDTD; empty if it is missing. `1.2` is the one that exists.
    pub ver_dtd: Text<'a>,
    /// Manufacturer.
    pub man: Option<Text<'a>>,
    /// Model.
    pub mod_: Option<Text<'a>>,
    /// Top nodes in document order.
    pub nodes: Vec<N>,
}

/// A node whose end has not been read.
pub(super) trait Draft<'a>: Default {
    /// The node it becomes.
    type Node;
    /// Reads one of its elements that is no node.
    fn member(&mut self, reader: &mut Reader<'a>, tag: Tag) -> std::result::Result<(), Fault>;
    /// Takes a node below it.
    fn adopt(&mut self, child: Self::Node);
    /// The node, all of it read.
    fn finish(self, reader: &Reader<'a>) -> std::result::Result<Self::Node, Fault>;
}

/// Reads a document of UTF-8 octets, without recursion.
pub(super) fn read<'a, D: Draft<'a>>(
    octets: &'a [u8],
    options: &Options,
) -> std::result::Result<MgmtTree<'a, D::Node>, Fault> {
    let mut reader = Reader::new(octets, options)?;
    reader.root()?;
    let mut document =
        MgmtTree { ver_dtd: Cow::Borrowed(""), man: None, mod_: None, nodes: Vec::new() };
    let mut open: Vec<D> = Vec::new();
    let mut nodes = 0;
    loop {
        match (reader.child()?, open.last_mut()) {
            (Some(dmddf::NODE), _) => {
                nodes += 1;
                if nodes > limits::TNDS_NODES {
                    return Err(Fault {
                        class: Class::Limit,
                        ..reader.content_fault("too many nodes")
                    });
                }
                open.push(D::default());
            }
            (Some(tag), Some(draft)) => draft.member(&mut reader, tag)?,
            (Some(tag), None) => document.member(&mut reader, tag)?,
            (None, _) => {
                let Some(draft) = open.pop() else { break };
                let node = draft.finish(&reader)?;
                match open.last_mut() {
                    Some(parent) => parent.adopt(node),
                    None => document.nodes.push(node),
                }
            }
        }
    }
    reader.finish()?;
    Ok(document)
}

/// Writes a document whose nodes `write_node` writes.
pub(super) fn write<N>(
    document: &MgmtTree<'_, N>,
    encoding: Encoding,
    write_node: impl Fn(&mut Writer, &N),
) -> Result<Vec<u8>> {
    let mut writer = Writer::new(DocType::Tnds, encoding);
    writer.start(dmddf::MGMT_TREE);
    writer.leaf(dmddf::VER_DTD, &document.ver_dtd);
    writer.optional(dmddf::MAN, document.man.as_deref());
    writer.optional(dmddf::MOD, document.mod_.as_deref());
    for node in &document.nodes {
        write_node(&mut writer, node);
    }
    writer.end();
    writer.finish()
}

impl<'a, N> MgmtTree<'a, N> {
    fn member(&mut self, reader: &mut Reader<'a>, tag: Tag) -> std::result::Result<(), Fault> {
        match tag {
            dmddf::VER_DTD => self.ver_dtd = reader.text()?,
            dmddf::MAN => self.man = Some(reader.text()?),
            dmddf::MOD => self.mod_ = Some(reader.text()?),
            _ => reader.skip()?,
        }
        Ok(())
    }

    /// The same document with text of its own, its nodes made so by `node`.
    pub(super) fn own<M>(self, node: impl FnMut(N) -> M) -> MgmtTree<'static, M> {
        MgmtTree {
            ver_dtd: Cow::Owned(self.ver_dtd.into_owned()),
            man: owned(self.man),
            mod_: owned(self.mod_),
            nodes: self.nodes.into_iter().map(node).collect(),
        }
    }
}

/// Text of its own.
pub(super) fn owned(text: Option<Text<'_>>) -> Option<Text<'static>> {
    text.map(|text| Cow::Owned(text.into_owned()))
}

/// Reads an element that may stand only once.
pub(super) fn once<'a, T>(
    reader: &mut Reader<'a>,
    slot: &mut Option<T>,
    read: impl FnOnce(&mut Reader<'a>) -> std::result::Result<T, Fault>,
) -> std::result::Result<(), Fault> {
    if slot.is_some() {
        return Err(reader.content_fault("the same element twice"));
    }
    *slot = Some(read(reader)?);
    Ok(())
}

/// Format: one empty element named like the format.
pub(super) fn read_format<'a>(reader: &mut Reader<'a>) -> std::result::Result<Text<'a>, Fault> {
    let mut name = None;
    while let Some(tag) = reader.child()? {
        let found = Cow::Borrowed(reader.name_of(tag));
        once(reader, &mut name, |_| Ok(found))?;
        reader.skip()?;
    }
    name.ok_or_else(|| reader.content_fault("Format without a format"))
}
