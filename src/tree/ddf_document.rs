//! Device description documents: the model of a DDF file and its codec in both encodings (OMA DM Tree
//! and Description 1.2.1, chapter 9; DM DDF DTD 1.2).
//!
//! Reads what vendors publish: without namespace, with a DOCTYPE whose internal subset is passed over,
//! with elements of their own, which are skipped. Must not know what a description does to the tree.

use super::mgmt_tree::{self, Draft, MgmtTree, Text, once, owned, read_format};
use super::node::Access;
use crate::error::Result;
use crate::markup::{DocType, Encoding, Fault, Ns, Options, Reader, Tag, Writer, dmddf, to_utf8};
use std::borrow::Cow;

/// A DDF file.
pub type DdfDocument<'a> = MgmtTree<'a, DdfNode<'a>>;

/// `Node` of a DDF file. Absent elements are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DdfNode<'a> {
    /// NodeName, white space kept; empty or absent for nodes that are named when they are made.
    pub name: Option<Text<'a>>,
    /// URI up to but not including the node.
    pub path: Option<Text<'a>>,
    /// RTProperties: names of the properties that the node has at run time.
    pub rt_properties: Option<Vec<Text<'a>>>,
    /// DFProperties; the specification demands them.
    pub properties: Option<DfProperties<'a>>,
    /// The value's octets as they stand in the document.
    pub value: Option<Cow<'a, [u8]>>,
    /// Nodes below.
    pub children: Vec<DdfNode<'a>>,
}

/// `DFProperties`: what a node is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DfProperties<'a> {
    /// AccessType: the commands the node allows. `None` if it is missing, although it must not be.
    pub access: Option<Access>,
    /// DefaultValue as it stands in the document.
    pub default_value: Option<Cow<'a, [u8]>>,
    /// Description.
    pub description: Option<Text<'a>>,
    /// The name of the format in DFFormat: `node`, `chr`, `bin` and so on.
    pub format: Option<Text<'a>>,
    /// Occurrence; [`Occurrence::One`] if there is none.
    pub occurrence: Option<Occurrence>,
    /// Scope; [`Scope::Dynamic`] if there is none.
    pub scope: Option<Scope>,
    /// DFTitle.
    pub title: Option<Text<'a>>,
    /// DFType of a leaf: the media types that it takes.
    pub mime: Vec<Text<'a>>,
    /// DFType of an interior node; may be empty.
    pub ddf_name: Option<Text<'a>>,
    /// CaseSense.
    pub case_sense: Option<CaseSense>,
}

/// How many instances of a node may stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// Exactly one.
    One,
    /// None or one.
    ZeroOrOne,
    /// Any number.
    ZeroOrMore,
    /// At least one.
    OneOrMore,
    /// None up to this number.
    ZeroOrN(u32),
    /// One up to this number.
    OneOrN(u32),
}

/// Whether a node can be made and deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It is always there.
    Permanent,
    /// It comes and goes.
    Dynamic,
}

/// How names below a node are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseSense {
    /// `CS`
    Sensitive,
    /// `CIS`
    Insensitive,
}

/// The commands of AccessType in the order of the DTD.
const COMMANDS: [(Tag, Access); 6] = [
    (dmddf::ADD, Access::ADD),
    (dmddf::COPY, Access::COPY),
    (dmddf::DELETE, Access::DELETE),
    (dmddf::EXEC, Access::EXEC),
    (dmddf::GET, Access::GET),
    (dmddf::REPLACE, Access::REPLACE),
];

/// The media type of a DDF file.
pub fn mime(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Wbxml => "application/vnd.syncml.dmddf+wbxml",
        Encoding::Xml => "application/vnd.syncml.dmddf+xml",
    }
}

/// Reads a document in either encoding.
///
/// # Errors
/// The document is malformed or no DDF.
pub fn read(octets: &[u8]) -> std::result::Result<DdfDocument<'_>, Fault> {
    match to_utf8(octets)? {
        Cow::Borrowed(octets) => read_utf8(octets),
        Cow::Owned(utf8) => {
            read_utf8(&utf8).map(DdfDocument::into_owned).map_err(|fault| fault.in_latin1(octets))
        }
    }
}

fn read_utf8(octets: &[u8]) -> std::result::Result<DdfDocument<'_>, Fault> {
    let expected = Some(DocType::Tnds);
    let options = Options { expected, internal_subset: true, ..Options::default() };
    mgmt_tree::read::<DdfNode<'_>>(octets, &options)
}

impl DdfDocument<'_> {
    /// The same document with text of its own.
    pub fn into_owned(self) -> DdfDocument<'static> {
        self.own(DdfNode::into_owned)
    }
}

impl<'a> Draft<'a> for DdfNode<'a> {
    type Node = Self;

    fn member(&mut self, reader: &mut Reader<'a>, tag: Tag) -> std::result::Result<(), Fault> {
        match tag {
            dmddf::NODE_NAME => once(reader, &mut self.name, Reader::text),
            dmddf::PATH => once(reader, &mut self.path, Reader::text),
            dmddf::RT_PROPERTIES => once(reader, &mut self.rt_properties, names),
            dmddf::DF_PROPERTIES => once(reader, &mut self.properties, DfProperties::read),
            dmddf::VALUE => once(reader, &mut self.value, octets),
            _ => reader.skip(),
        }
    }

    fn adopt(&mut self, child: Self) {
        self.children.push(child);
    }

    fn finish(self, _: &Reader<'a>) -> std::result::Result<Self, Fault> {
        Ok(self)
    }
}

impl DdfNode<'_> {
    /// The same node with text of its own.
    pub fn into_owned(self) -> DdfNode<'static> {
        let names = |names: Vec<Text<'_>>| names.into_iter().map(own).collect();
        DdfNode {
            name: owned(self.name),
            path: owned(self.path),
            rt_properties: self.rt_properties.map(names),
            properties: self.properties.map(DfProperties::into_owned),
            value: self.value.map(|value| Cow::Owned(value.into_owned())),
            children: self.children.into_iter().map(DdfNode::into_owned).collect(),
        }
    }
}

fn own(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

/// The names of all elements inside one.
fn names<'a>(reader: &mut Reader<'a>) -> std::result::Result<Vec<Text<'a>>, Fault> {
    let mut names = Vec::new();
    while let Some(tag) = reader.child()? {
        if tag != Tag::OTHER {
            names.push(Cow::Borrowed(reader.name_of(tag)));
        }
        reader.skip()?;
    }
    Ok(names)
}

fn octets<'a>(reader: &mut Reader<'a>) -> std::result::Result<Cow<'a, [u8]>, Fault> {
    Ok(reader.content()?.octets)
}

impl<'a> DfProperties<'a> {
    fn read(reader: &mut Reader<'a>) -> std::result::Result<Self, Fault> {
        let mut found = Self::default();
        while let Some(tag) = reader.child()? {
            match tag {
                dmddf::ACCESS_TYPE => once(reader, &mut found.access, read_access)?,
                dmddf::DEFAULT_VALUE => once(reader, &mut found.default_value, octets)?,
                dmddf::DESCRIPTION => once(reader, &mut found.description, Reader::text)?,
                dmddf::DF_FORMAT => once(reader, &mut found.format, read_format)?,
                dmddf::OCCURRENCE => once(reader, &mut found.occurrence, read_occurrence)?,
                dmddf::SCOPE => once(reader, &mut found.scope, read_scope)?,
                dmddf::DF_TITLE => once(reader, &mut found.title, Reader::text)?,
                dmddf::DF_TYPE => found.read_type(reader)?,
                dmddf::CASE_SENSE => once(reader, &mut found.case_sense, read_case)?,
                _ => reader.skip()?,
            }
        }
        Ok(found)
    }

    fn read_type(&mut self, reader: &mut Reader<'a>) -> std::result::Result<(), Fault> {
        while let Some(tag) = reader.child()? {
            match tag {
                dmddf::MIME => self.mime.push(reader.text()?),
                dmddf::DDF_NAME => once(reader, &mut self.ddf_name, Reader::text)?,
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn into_owned(self) -> DfProperties<'static> {
        DfProperties {
            access: self.access,
            default_value: self.default_value.map(|value| Cow::Owned(value.into_owned())),
            description: owned(self.description),
            format: owned(self.format),
            occurrence: self.occurrence,
            scope: self.scope,
            title: owned(self.title),
            mime: self.mime.into_iter().map(own).collect(),
            ddf_name: owned(self.ddf_name),
            case_sense: self.case_sense,
        }
    }
}

fn read_access(reader: &mut Reader<'_>) -> std::result::Result<Access, Fault> {
    let mut access = Access::empty();
    while let Some(tag) = reader.child()? {
        let command = COMMANDS.iter().find(|(command, _)| *command == tag);
        access |= command.map_or(Access::empty(), |(_, right)| *right);
        reader.skip()?;
    }
    Ok(access)
}

/// The one element inside another, as `meaning` takes it.
fn one_of<'a, T>(
    reader: &mut Reader<'a>,
    meaning: impl Fn(&mut Reader<'a>, Tag) -> std::result::Result<Option<T>, Fault>,
) -> std::result::Result<T, Fault> {
    let mut found = None;
    while let Some(tag) = reader.child()? {
        match meaning(reader, tag)? {
            Some(value) => once(reader, &mut found, |_| Ok(value))?,
            None => return Err(reader.content_fault("a choice that is not defined")),
        }
    }
    found.ok_or_else(|| reader.content_fault("an empty choice"))
}

fn read_occurrence(reader: &mut Reader<'_>) -> std::result::Result<Occurrence, Fault> {
    one_of(reader, |reader, tag| {
        let plain = match tag {
            dmddf::ZERO_OR_N => return limit(reader).map(|most| Some(Occurrence::ZeroOrN(most))),
            dmddf::ONE_OR_N => return limit(reader).map(|most| Some(Occurrence::OneOrN(most))),
            dmddf::ONE => Occurrence::One,
            dmddf::ZERO_OR_ONE => Occurrence::ZeroOrOne,
            dmddf::ZERO_OR_MORE => Occurrence::ZeroOrMore,
            dmddf::ONE_OR_MORE => Occurrence::OneOrMore,
            _ => return Ok(None),
        };
        reader.skip()?;
        Ok(Some(plain))
    })
}

fn limit(reader: &mut Reader<'_>) -> std::result::Result<u32, Fault> {
    let at = reader.at();
    let text = reader.text()?;
    let fault = Fault { at, ..reader.content_fault("a number of occurrences is no number") };
    text.trim().parse().map_err(|_| fault)
}

fn read_scope(reader: &mut Reader<'_>) -> std::result::Result<Scope, Fault> {
    one_of(reader, |reader, tag| {
        let scope = match tag {
            dmddf::PERMANENT => Scope::Permanent,
            dmddf::DYNAMIC => Scope::Dynamic,
            _ => return Ok(None),
        };
        reader.skip()?;
        Ok(Some(scope))
    })
}

fn read_case(reader: &mut Reader<'_>) -> std::result::Result<CaseSense, Fault> {
    one_of(reader, |reader, tag| {
        let case = match tag {
            dmddf::CS => CaseSense::Sensitive,
            dmddf::CIS => CaseSense::Insensitive,
            _ => return Ok(None),
        };
        reader.skip()?;
        Ok(Some(case))
    })
}

/// Writes a document, as WBXML or as text XML without declaration.
///
/// # Errors
/// `InvalidArg`: a format or run-time property without name in the vocabulary, or in text XML a value
/// that is no text.
pub fn write(document: &DdfDocument<'_>, encoding: Encoding) -> Result<Vec<u8>> {
    mgmt_tree::write(document, encoding, write_node)
}

/// Recursion is as deep as the caller's own document.
fn write_node(writer: &mut Writer, node: &DdfNode<'_>) {
    writer.start(dmddf::NODE);
    writer.optional(dmddf::NODE_NAME, node.name.as_deref());
    writer.optional(dmddf::PATH, node.path.as_deref());
    if let Some(names) = &node.rt_properties {
        writer.start(dmddf::RT_PROPERTIES);
        names.iter().for_each(|name| writer.empty(named(name)));
        writer.end();
    }
    if let Some(properties) = &node.properties {
        write_properties(writer, properties);
    }
    for child in &node.children {
        write_node(writer, child);
    }
    write_octets(writer, dmddf::VALUE, node.value.as_deref());
    writer.end();
}

/// The element called `name`; one that cannot be written if there is none.
fn named(name: &str) -> Tag {
    Ns::DmDdf.tag(name).unwrap_or(Tag::OTHER)
}

fn write_properties(writer: &mut Writer, properties: &DfProperties<'_>) {
    writer.start(dmddf::DF_PROPERTIES);
    if let Some(access) = properties.access {
        writer.start(dmddf::ACCESS_TYPE);
        for (command, right) in COMMANDS {
            if access.contains(right) {
                writer.empty(command);
            }
        }
        writer.end();
    }
    write_octets(writer, dmddf::DEFAULT_VALUE, properties.default_value.as_deref());
    writer.optional(dmddf::DESCRIPTION, properties.description.as_deref());
    write_choice(writer, dmddf::DF_FORMAT, properties.format.as_deref().map(named), None);
    if let Some(occurrence) = properties.occurrence {
        let (tag, most) = match occurrence {
            Occurrence::One => (dmddf::ONE, None),
            Occurrence::ZeroOrOne => (dmddf::ZERO_OR_ONE, None),
            Occurrence::ZeroOrMore => (dmddf::ZERO_OR_MORE, None),
            Occurrence::OneOrMore => (dmddf::ONE_OR_MORE, None),
            Occurrence::ZeroOrN(most) => (dmddf::ZERO_OR_N, Some(most)),
            Occurrence::OneOrN(most) => (dmddf::ONE_OR_N, Some(most)),
        };
        write_choice(writer, dmddf::OCCURRENCE, Some(tag), most);
    }
    let scope = properties.scope.map(|scope| match scope {
        Scope::Permanent => dmddf::PERMANENT,
        Scope::Dynamic => dmddf::DYNAMIC,
    });
    write_choice(writer, dmddf::SCOPE, scope, None);
    writer.optional(dmddf::DF_TITLE, properties.title.as_deref());
    if !properties.mime.is_empty() || properties.ddf_name.is_some() {
        writer.start(dmddf::DF_TYPE);
        properties.mime.iter().for_each(|mime| writer.leaf(dmddf::MIME, mime));
        writer.optional(dmddf::DDF_NAME, properties.ddf_name.as_deref());
        writer.end();
    }
    let case = properties.case_sense.map(|case| match case {
        CaseSense::Sensitive => dmddf::CS,
        CaseSense::Insensitive => dmddf::CIS,
    });
    write_choice(writer, dmddf::CASE_SENSE, case, None);
    writer.end();
}

/// Writes `around` with the element `inside` in it, if there is one.
fn write_choice(writer: &mut Writer, around: Tag, inside: Option<Tag>, number: Option<u32>) {
    let Some(inside) = inside else { return };
    writer.start(around);
    match number {
        Some(number) => writer.leaf(inside, &number.to_string()),
        None => writer.empty(inside),
    }
    writer.end();
}

fn write_octets(writer: &mut Writer, tag: Tag, octets: Option<&[u8]>) {
    let Some(octets) = octets else { return };
    writer.start(tag);
    match std::str::from_utf8(octets) {
        Ok(text) => writer.text(text),
        Err(_) => writer.opaque(octets),
    }
    writer.end();
}
