//! The text XML reader: quick-xml's events as the library's, namespaces as vocabularies.
//!
//! Owns well-formedness and character sets; must not know what an element means. No DTD is ever read.

use super::doctype::PublicId;
use super::reader::{Budget, Event, Options, is_blank};
use super::vocabulary::{Attr, Ns, Tag};
use super::{Class, DocType, Fault, dmddf, syncml};
use quick_xml::events::{BytesRef, BytesStart, Event as XmlEvent};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use std::borrow::Cow;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// `octets` in UTF-8 if they are text XML in another supported character set, else unchanged.
///
/// # Errors
/// The character set is none of UTF-8, US-ASCII, ISO-8859-1.
pub fn to_utf8(octets: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    if octets.starts_with(b"\xFE\xFF") || octets.starts_with(b"\xFF\xFE") {
        return Err(Fault::new(Class::Charset, 0, "UTF-16 is not supported"));
    }
    let Some(name) = declared_charset(octets) else { return Ok(Cow::Borrowed(octets)) };
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if is("UTF-8") || is("US-ASCII") || is("ASCII") {
        return Ok(Cow::Borrowed(octets));
    }
    if !is("ISO-8859-1") && !is("latin1") {
        return Err(Fault::new(Class::Charset, 0, "unsupported character set"));
    }
    if octets.is_ascii() || octets.starts_with(BOM) {
        return Ok(Cow::Borrowed(octets));
    }
    Ok(Cow::Owned(octets.iter().map(|b| char::from(*b)).collect::<String>().into_bytes()))
}

/// The encoding named in the XML declaration.
fn declared_charset(octets: &[u8]) -> Option<&[u8]> {
    let text = octets.strip_prefix(BOM).unwrap_or(octets);
    let text = text.strip_prefix(b"<?xml")?;
    let declaration = text.get(..text.iter().position(|b| *b == b'>')?)?;
    let key = b"encoding";
    let found = declaration.windows(key.len()).position(|window| window == key)?;
    let mut rest = declaration.get(found + key.len()..)?.trim_ascii_start();
    rest = rest.strip_prefix(b"=")?.trim_ascii_start();
    let quote = *rest.first()?;
    rest = rest.get(1..)?;
    rest.get(..rest.iter().position(|b| *b == quote)?)
}

/// What an element's prefix or default declaration says.
#[derive(Clone, Copy)]
enum Declared {
    Nothing,
    Known(&'static PublicId),
    Foreign,
}

/// Pull reader over one text XML document.
pub(super) struct Reader<'a> {
    /// The document without byte order mark, which is `base` octets long.
    source: &'a str,
    base: usize,
    xml: NsReader<&'a [u8]>,
    event_at: usize,
    id: &'static PublicId,
    open: Vec<Tag>,
    /// Events that were read ahead, the next one last.
    ahead: Vec<Event<'a>>,
    /// Name of the last element outside the vocabularies.
    other: &'a str,
    done: bool,
    budget: Budget,
}

impl<'a> Reader<'a> {
    /// Reads up to the root element.
    pub(super) fn new(octets: &'a [u8], options: &Options) -> Result<Self, Fault> {
        let octets = if options.padding { without_padding(octets) } else { octets };
        let text = octets.strip_prefix(BOM).unwrap_or(octets);
        let base = octets.len() - text.len();
        let source = std::str::from_utf8(text)
            .map_err(|e| Fault::new(Class::StrEncoding, base + e.valid_up_to(), "not UTF-8"))?;
        let mut reader = Self {
            source,
            base,
            xml: NsReader::from_str(source),
            event_at: 0,
            id: DocType::SyncMl.public_id(),
            open: Vec::with_capacity(16),
            ahead: Vec::new(),
            other: "",
            done: false,
            budget: Budget::new(octets.len(), DocType::SyncMl),
        };
        reader.read_root(options)?;
        Ok(reader)
    }

    pub(super) fn event_at(&self) -> usize {
        self.base + self.event_at
    }

    pub(super) fn position(&self) -> usize {
        self.base + self.offset()
    }

    /// Elements open as far as events were handed out.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn public_id(&self) -> &'static PublicId {
        self.id
    }

    pub(super) fn other_name(&self) -> &'a str {
        self.other
    }

    pub(super) fn source_since(&self, from: usize) -> Option<&'a str> {
        self.source.get(from.checked_sub(self.base)?..self.event_at)
    }

    fn offset(&self) -> usize {
        usize::try_from(self.xml.buffer_position()).unwrap_or(usize::MAX)
    }

    /// The next attribute of the element that has just begun.
    pub(super) fn attribute(&mut self) -> Option<(Attr, Cow<'a, str>)> {
        match self.ahead.pop() {
            Some(Event::Attribute(attr, value)) => Some((attr, value)),
            other => {
                self.ahead.extend(other);
                None
            }
        }
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Event<'a>, Fault> {
        match self.ahead.pop() {
            Some(Event::End) => {
                self.open.pop();
                Ok(Event::End)
            }
            Some(event) => Ok(event),
            None if self.done => Ok(Event::Finish),
            None => self.read(),
        }
    }

    fn read(&mut self) -> Result<Event<'a>, Fault> {
        loop {
            let (declared, event) = self.read_xml()?;
            match event {
                XmlEvent::Start(_) | XmlEvent::Empty(_) if self.open.is_empty() => {
                    return Err(self.fault(Class::TrailingData, "a second root element"));
                }
                XmlEvent::Start(start) => return self.start(&start, declared, false),
                XmlEvent::Empty(start) => return self.start(&start, declared, true),
                XmlEvent::End(_) => {
                    self.open.pop();
                    return Ok(Event::End);
                }
                XmlEvent::Text(text) => {
                    let text = text.xml10_content();
                    if !self.open.is_empty() {
                        return self.text(text);
                    }
                    if !is_blank(&text) {
                        return Err(self.fault(Class::TrailingData, "text behind the root element"));
                    }
                }
                XmlEvent::CData(text) if !self.open.is_empty() => {
                    return self.text(text.xml10_content());
                }
                XmlEvent::GeneralRef(reference) if !self.open.is_empty() => {
                    let text = self.reference(&reference)?;
                    return self.text(text);
                }
                XmlEvent::Eof if self.open.is_empty() => {
                    self.done = true;
                    return Ok(Event::Finish);
                }
                XmlEvent::Eof => return Err(self.syntax("the document ends with open elements")),
                XmlEvent::Comment(_) | XmlEvent::PI(_) => {}
                XmlEvent::Decl(_) => return Err(self.syntax("a declaration inside the document")),
                XmlEvent::DocType(_) => return Err(self.syntax("DOCTYPE inside the document")),
                XmlEvent::CData(_) | XmlEvent::GeneralRef(_) => {
                    return Err(self.fault(Class::TrailingData, "text behind the root element"));
                }
            }
        }
    }

    fn read_root(&mut self, options: &Options) -> Result<(), Fault> {
        loop {
            let (declared, event) = self.read_xml()?;
            let empty = matches!(event, XmlEvent::Empty(_));
            match event {
                XmlEvent::Start(start) | XmlEvent::Empty(start) => {
                    self.id = self.identify(declared, start.local_name().as_ref())?;
                    if options.expected.is_some_and(|doc| doc != self.id.doc) {
                        return Err(self.fault(
                            Class::PublicIdMismatch,
                            "not the document type that was announced",
                        ));
                    }
                    self.budget = Budget::new(self.source.len(), self.id.doc);
                    let root = self.start(&start, declared, empty)?;
                    if root != Event::Start(self.id.doc.root()) {
                        return Err(self.fault(Class::Root, "the root is another document type's"));
                    }
                    self.ahead.push(root);
                    return Ok(());
                }
                XmlEvent::DocType(text) if !options.internal_subset && text.contains('[') => {
                    return Err(self.fault(Class::XmlDtd, "DOCTYPE with an internal subset"));
                }
                XmlEvent::Decl(_) if self.event_at > 0 => {
                    return Err(self.syntax("a declaration inside the document"));
                }
                XmlEvent::Decl(_)
                | XmlEvent::DocType(_)
                | XmlEvent::Comment(_)
                | XmlEvent::PI(_) => {}
                XmlEvent::Text(text) if is_blank(&text) => {}
                XmlEvent::Eof => {
                    return Err(self.fault(Class::Truncated, "the document ends before its root"));
                }
                _ => return Err(self.syntax("text before the root element")),
            }
        }
    }

    /// The next event of quick-xml, and what it says of the element's namespace.
    fn read_xml(&mut self) -> Result<(Declared, XmlEvent<'a>), Fault> {
        self.event_at = self.offset();
        match self.xml.read_resolved_event() {
            Ok((resolved, event)) => {
                let declared = match resolved {
                    ResolveResult::Unbound => Declared::Nothing,
                    ResolveResult::Bound(namespace) => PublicId::by_namespace(namespace.0)
                        .map_or(Declared::Foreign, Declared::Known),
                    ResolveResult::Unknown(_) => {
                        return Err(self.syntax("a namespace prefix without declaration"));
                    }
                };
                Ok((declared, event))
            }
            Err(_) => {
                self.event_at = usize::try_from(self.xml.error_position()).unwrap_or(self.event_at);
                Err(self.syntax("the document is not well-formed"))
            }
        }
    }

    fn identify(&self, declared: Declared, name: &str) -> Result<&'static PublicId, Fault> {
        match declared {
            Declared::Known(id) => Some(id),
            Declared::Nothing => DocType::by_root(name).map(DocType::public_id),
            Declared::Foreign => None,
        }
        .ok_or_else(|| self.fault(Class::PublicIdUnknown, "unknown root element or namespace"))
    }

    fn start(
        &mut self,
        start: &BytesStart<'a>,
        declared: Declared,
        empty: bool,
    ) -> Result<Event<'a>, Fault> {
        self.budget.node(self.event_at())?;
        self.budget.depth(self.open.len() + 1, self.event_at())?;
        let tag = self.resolve(declared, start.local_name().as_ref());
        if tag == Tag::OTHER {
            let name = self.source.get(self.event_at + 1..).unwrap_or_default();
            let name = name.get(..start.name().as_ref().len()).unwrap_or_default();
            self.other = name.rsplit(':').next().unwrap_or_default();
        }
        if empty {
            self.ahead.push(Event::End);
        }
        self.attributes(start, tag)?;
        self.open.push(tag);
        Ok(Event::Start(tag))
    }

    /// The element's tag. Undeclared children of Meta and of a DDF tree are taken for what their
    /// place says, since many servers leave out their namespaces.
    fn resolve(&self, declared: Declared, name: &str) -> Tag {
        let doc = self.id.doc;
        let stated = match declared {
            Declared::Foreign => return Tag::OTHER,
            Declared::Known(id) => Some(root_ns(id.doc)),
            Declared::Nothing => None,
        };
        if doc == DocType::Prov {
            return [doc.root(), super::prov::CHARACTERISTIC, super::prov::PARM]
                .into_iter()
                .find(|tag| tag.name().eq_ignore_ascii_case(name))
                .unwrap_or(Tag::OTHER);
        }
        let parent = self.open.last().copied();
        let place = match parent {
            Some(syncml::META) => Ns::MetInf,
            Some(parent) if parent.ns() != Ns::Other => parent.ns(),
            _ => root_ns(doc),
        };
        let first = stated.filter(|ns| *ns != root_ns(doc)).unwrap_or(place);
        let known = first.tag(name).or_else(|| root_ns(doc).tag(name));
        known.unwrap_or(match (parent, name) {
            (Some(syncml::DATA), "MgmtTree") => dmddf::MGMT_TREE,
            _ => Tag::OTHER,
        })
    }

    /// Reads the attributes ahead; quick-xml has handled the namespace declarations.
    fn attributes(&mut self, start: &BytesStart<'a>, tag: Tag) -> Result<(), Fault> {
        if start.attributes_raw().is_empty() {
            return Ok(());
        }
        let (first, mut seen) = (self.ahead.len(), 0u8);
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.syntax("malformed attributes"))?;
            self.budget.node(self.event_at())?;
            let name = attribute.key.0;
            if name == "xmlns" || name.contains(':') || tag == Tag::OTHER {
                continue;
            }
            if tag.ns() != Ns::Prov {
                return Err(self.fault(Class::AttrUnexpected, "the element has no attributes"));
            }
            let Some(attr) = Attr::from_name(name) else {
                // `datatype`, which some vendors put beside the value.
                if tag == super::prov::PARM {
                    continue;
                }
                return Err(self.fault(Class::AttrUnknown, "unknown attribute"));
            };
            if seen & 1 << attr as u8 != 0 {
                return Err(self.fault(Class::AttrDuplicate, "the same attribute twice"));
            }
            seen |= 1 << attr as u8;
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Explicit1_0)
                .map_err(|_| self.syntax("malformed attribute value"))?;
            if !is_xml_text(&value) || attribute.value.contains('<') {
                return Err(self.syntax("malformed attribute value"));
            }
            self.ahead.push(Event::Attribute(attr, Cow::Owned(value.into_owned())));
        }
        self.ahead.get_mut(first..).unwrap_or_default().reverse();
        Ok(())
    }

    fn reference(&self, reference: &BytesRef<'a>) -> Result<Cow<'a, str>, Fault> {
        let text = match reference.as_ref() {
            "lt" => "<",
            "gt" => ">",
            "amp" => "&",
            "quot" => "\"",
            "apos" => "'",
            _ => {
                let character = reference.resolve_char_ref().ok().flatten();
                return match character {
                    Some(character) => Ok(Cow::Owned(character.into())),
                    None => Err(self.syntax("reference to an unknown entity")),
                };
            }
        };
        Ok(Cow::Borrowed(text))
    }

    fn text(&mut self, text: Cow<'a, str>) -> Result<Event<'a>, Fault> {
        if !is_xml_text(&text) {
            return Err(self.syntax("a character that XML does not allow"));
        }
        self.budget.text(text.len(), self.event_at())?;
        Ok(Event::Text(text))
    }

    fn syntax(&self, what: &'static str) -> Fault {
        self.fault(Class::XmlSyntax, what)
    }

    fn fault(&self, class: Class, what: &'static str) -> Fault {
        Fault::new(class, self.event_at(), what)
    }
}

/// The namespace of `doc`'s root.
fn root_ns(doc: DocType) -> Ns {
    doc.root().ns()
}

/// True if XML 1.0 allows every character of `text`.
pub(super) fn is_xml_text(text: &str) -> bool {
    let control = text.bytes().any(|b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'));
    !control && !text.contains(['\u{FFFE}', '\u{FFFF}'])
}

/// `octets` without a uniform run of 00 or FF at the end.
fn without_padding(octets: &[u8]) -> &[u8] {
    match octets.last() {
        Some(&fill @ (0x00 | 0xFF)) => {
            let end = octets.iter().rposition(|b| *b != fill).map_or(0, |last| last + 1);
            octets.get(..end).unwrap_or_default()
        }
        _ => octets,
    }
}
