//! The text XML reader: tags and text are found here, everything rarer is quick-xml's.
//!
//! Owns well-formedness and character sets; must not know what an element means. No DTD is ever read.
//! quick-xml reads attributes, references, CDATA, comments, instructions, declaration and DOCTYPE. Its
//! events for plain tags and text alone would take four times what the whole of a message takes now.

mod characters;
mod tags;

use super::doctype::PublicId;
use super::namespaces::{Declared, Namespaces};
use super::reader::{Budget, Child, Event, Options, is_blank};
use super::vocabulary::{Attr, Tag};
use super::{Class, DocType, Fault, scan};
use characters::{BOM, is_space, not_xml, without_padding};
use quick_xml::events::{BytesRef, Event as XmlEvent};
use quick_xml::parser::{ElementParser, Parser};
use std::borrow::Cow;

pub use characters::{is_xml_text, to_utf8};

/// Pull reader over one text XML document.
pub(super) struct Reader<'a> {
    /// The document without byte order mark, which is `base` octets long.
    source: &'a str,
    base: usize,
    /// Offset in `source` of the next octet.
    next_at: usize,
    event_at: usize,
    id: &'static PublicId,
    open: Vec<Open<'a>>,
    namespaces: Namespaces<'a>,
    /// Events that were read ahead, the next one last.
    ahead: Vec<Event<'a>>,
    /// Name of the last element outside the vocabularies.
    other: &'a str,
    done: bool,
    budget: Budget,
}

/// An element whose end was not handed out yet.
struct Open<'a> {
    tag: Tag,
    /// Its name with prefix.
    name: &'a str,
}

/// A start tag.
struct StartTag<'a> {
    /// The name with prefix.
    name: &'a str,
    attributes: &'a str,
    empty: bool,
    /// Offset in `source` behind it.
    end: usize,
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
            next_at: 0,
            event_at: 0,
            id: DocType::SyncMl.public_id(),
            open: Vec::with_capacity(16),
            namespaces: Namespaces::default(),
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
        self.base + self.next_at
    }

    pub(super) fn octets(&self) -> usize {
        self.base + self.source.len()
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

    /// What is left of the document.
    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.source.as_bytes().get(self.next_at..).unwrap_or_default()
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
                self.close();
                Ok(Event::End)
            }
            Some(event) => Ok(event),
            None if self.done => Ok(Event::Finish),
            None => self.read(),
        }
    }

    /// The next element or end, if it stands right here; otherwise nothing is read.
    #[inline(never)]
    pub(super) fn child(&mut self) -> Result<Child, Fault> {
        if !self.ahead.is_empty() {
            return Ok(Child::Unusual);
        }
        match self.rest() {
            [b'<', b'/', ..] => {
                self.event_at = self.next_at;
                self.end().map(|()| Child::End)
            }
            [b'<', next, ..] if !matches!(next, b'!' | b'?') && !self.open.is_empty() => {
                self.event_at = self.next_at;
                self.start().map(Child::Start)
            }
            _ => Ok(Child::Unusual),
        }
    }

    /// A leaf is nearly always text and its end: reads these without events. Otherwise nothing is read.
    #[inline(never)]
    pub(super) fn leaf(&mut self) -> Result<Option<Cow<'a, str>>, Fault> {
        if !self.ahead.is_empty() {
            return Ok(None);
        }
        let start = self.next_at;
        let rest = self.rest();
        let Some(length) = scan::special(rest) else { return Ok(None) };
        let (text, end) = match rest.get(length) {
            Some(b'<') => {
                (self.source.get(start..start + length).map(Cow::Borrowed), start + length)
            }
            _ => self.mixed_leaf()?,
        };
        match (text, self.end_here(end)) {
            (Some(text), Some(behind)) => {
                self.budget.text(text.len(), self.base + start)?;
                (self.event_at, self.next_at) = (end, behind);
                self.close();
                Ok(Some(text))
            }
            _ => {
                self.next_at = start;
                Ok(None)
            }
        }
    }

    /// Text with references or special characters, and where it ends; no text if there is something
    /// else in it.
    fn mixed_leaf(&mut self) -> Result<(Option<Cow<'a, str>>, usize), Fault> {
        let rest = self.rest();
        let length = rest.iter().position(|b| *b == b'<').unwrap_or(rest.len());
        let end = self.next_at + length;
        let source = self.source.get(self.next_at..end).unwrap_or_default();
        if !source.contains(['&', '\r']) {
            self.event_at = self.next_at;
            self.check_text(source, self.next_at)?;
            return Ok((Some(Cow::Borrowed(source)), end));
        }
        // No reference is shorter than what it stands for.
        let mut text = String::with_capacity(length);
        while self.next_at < end {
            self.event_at = self.next_at;
            if self.rest().first() == Some(&b'&') {
                match self.markup()? {
                    XmlEvent::GeneralRef(reference) => {
                        text.push_str(&self.reference(&reference)?);
                    }
                    _ => return Ok((None, end)),
                }
            } else {
                text.push_str(&self.text_piece()?);
            }
        }
        Ok((Some(Cow::Owned(text)), end))
    }

    /// Where the innermost element's end tag ends, if it stands at `at` in its usual form.
    #[inline]
    fn end_here(&self, at: usize) -> Option<usize> {
        let name = self.open.last()?.name.as_bytes();
        let tag = self.source.as_bytes().get(at..)?.strip_prefix(b"</")?;
        let behind = tag.strip_prefix(name)?;
        (behind.first() == Some(&b'>')).then_some(at + name.len() + 3)
    }

    /// The innermost element has ended.
    #[inline]
    fn close(&mut self) {
        self.namespaces.leave(self.open.len());
        self.open.pop();
    }

    fn read(&mut self) -> Result<Event<'a>, Fault> {
        loop {
            self.event_at = self.next_at;
            match self.rest() {
                [] if self.open.is_empty() => {
                    self.done = true;
                    return Ok(Event::Finish);
                }
                [] => return Err(self.syntax("the document ends with open elements")),
                [b'<', b'/', ..] => return self.end().map(|()| Event::End),
                [b'<', b'!' | b'?', ..] | [b'&', ..] => {
                    if let Some(event) = self.unusual()? {
                        return Ok(event);
                    }
                }
                [b'<', ..] if self.open.is_empty() => {
                    return Err(self.fault(Class::TrailingData, "a second root element"));
                }
                [b'<', ..] => return self.start().map(Event::Start),
                _ => {
                    let text = self.text_piece()?;
                    if !self.open.is_empty() {
                        return self.text(text);
                    }
                    if !is_blank(&text) {
                        return Err(self.fault(Class::TrailingData, "text behind the root element"));
                    }
                }
            }
        }
    }

    /// What is neither an element nor text without references.
    fn unusual(&mut self) -> Result<Option<Event<'a>>, Fault> {
        let event = match self.markup()? {
            XmlEvent::Comment(_) | XmlEvent::PI(_) => return Ok(None),
            XmlEvent::Decl(_) => return Err(self.syntax("a declaration inside the document")),
            XmlEvent::DocType(_) => return Err(self.syntax("DOCTYPE inside the document")),
            _ if self.open.is_empty() => {
                return Err(self.fault(Class::TrailingData, "text behind the root element"));
            }
            XmlEvent::CData(text) => {
                let text = text.xml10_content();
                self.check_text(&text, self.event_at + "<![CDATA[".len())?;
                self.text(text)
            }
            XmlEvent::GeneralRef(reference) => {
                let text = self.reference(&reference)?;
                self.text(text)
            }
            _ => Err(self.syntax("the document is not well-formed")),
        };
        event.map(Some)
    }

    fn read_root(&mut self, options: &Options) -> Result<(), Fault> {
        loop {
            self.event_at = self.next_at;
            match self.rest() {
                [] => {
                    return Err(self.fault(Class::Truncated, "the document ends before its root"));
                }
                [b'<', b'!' | b'?', ..] => match self.markup()? {
                    XmlEvent::DocType(text) if !options.internal_subset && text.contains('[') => {
                        return Err(self.fault(Class::XmlDtd, "DOCTYPE with an internal subset"));
                    }
                    XmlEvent::Decl(_) if self.event_at > 0 => {
                        return Err(self.syntax("a declaration inside the document"));
                    }
                    XmlEvent::CData(_) => {
                        return Err(self.syntax("text before the root element"));
                    }
                    _ => {}
                },
                [b'<', b'/', ..] => return Err(self.syntax("an end without a beginning")),
                [b'<', ..] => return self.root(options),
                [b' ' | b'\t' | b'\r' | b'\n', ..] => self.next_at += 1,
                _ => return Err(self.syntax("text before the root element")),
            }
        }
    }

    fn root(&mut self, options: &Options) -> Result<(), Fault> {
        let start = self.start_tag()?;
        self.declare(start.attributes)?;
        let (declared, name) = self.split(start.name)?;
        self.namespaces.leave(1);
        self.id = self.identify(declared, name)?;
        if options.expected.is_some_and(|doc| doc != self.id.doc) {
            return Err(
                self.fault(Class::PublicIdMismatch, "not the document type that was announced")
            );
        }
        self.budget = Budget::new(self.source.len(), self.id.doc);
        let root = self.start()?;
        if root != self.id.doc.root() {
            return Err(self.fault(Class::Root, "the root is another document type's"));
        }
        self.ahead.push(Event::Start(root));
        Ok(())
    }

    /// One event of quick-xml, of what stands here: everything but elements and plain text.
    fn markup(&mut self) -> Result<XmlEvent<'a>, Fault> {
        let mut xml =
            quick_xml::Reader::from_str(self.source.get(self.next_at..).unwrap_or_default());
        let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        match xml.read_event() {
            Ok(event) => {
                self.next_at = self.next_at.saturating_add(offset(xml.buffer_position()));
                Ok(event)
            }
            Err(_) => {
                self.event_at = self.next_at.saturating_add(offset(xml.error_position()));
                Err(self.syntax("the document is not well-formed"))
            }
        }
    }

    /// The start tag that stands here.
    #[inline]
    fn start_tag(&self) -> Result<StartTag<'a>, Fault> {
        let inside = self.next_at + 1;
        let octets = self.source.as_bytes().get(inside..).unwrap_or_default();
        let plain = octets.iter().position(|b| !IS_NAME[usize::from(*b)]).unwrap_or(octets.len());
        if octets.get(plain) == Some(&b'>') {
            let name = self.source.get(inside..inside + plain).unwrap_or_default();
            return Ok(StartTag { name, attributes: "", empty: false, end: inside + plain + 1 });
        }
        let Some(length) = ElementParser::Outside.feed(octets) else {
            return Err(self.syntax("the document is not well-formed"));
        };
        let tag = self.source.get(inside..inside + length).unwrap_or_default();
        let (tag, empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let name = tag.bytes().position(is_space).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at_checked(name).unwrap_or_default();
        Ok(StartTag { name, attributes, empty, end: inside + length + 1 })
    }

    /// The end tag that stands here.
    #[inline]
    fn end(&mut self) -> Result<(), Fault> {
        self.next_at = match self.end_here(self.next_at) {
            Some(behind) => behind,
            None => self.unusual_end()?,
        };
        self.close();
        Ok(())
    }

    /// Where an end tag with white space ends.
    fn unusual_end(&self) -> Result<usize, Fault> {
        let inside = self.next_at + 2;
        let octets = self.source.as_bytes().get(inside..).unwrap_or_default();
        let length = ElementParser::Outside.feed(octets);
        let found = length.and_then(|length| Some((octets.get(..length)?, inside + length + 1)));
        match (found, self.open.last()) {
            (Some((name, behind)), Some(open))
                if name
                    .strip_prefix(open.name.as_bytes())
                    .is_some_and(|rest| rest.iter().copied().all(is_space)) =>
            {
                Ok(behind)
            }
            _ => Err(self.syntax("the document is not well-formed")),
        }
    }

    /// Text up to the next `<` or `&`, which is not here.
    fn text_piece(&mut self) -> Result<Cow<'a, str>, Fault> {
        let rest = self.rest();
        let length = rest.iter().position(|b| matches!(b, b'<' | b'&')).unwrap_or(rest.len());
        let text = self.source.get(self.next_at..self.next_at + length).unwrap_or_default();
        self.check_text(text, self.next_at)?;
        self.next_at += length;
        Ok(if text.contains('\r') {
            Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            Cow::Borrowed(text)
        })
    }

    fn identify(&self, declared: Declared, name: &str) -> Result<&'static PublicId, Fault> {
        match declared {
            Declared::Known(id) => Some(id),
            Declared::Nothing => DocType::by_root(name).map(DocType::public_id),
            Declared::Foreign => None,
        }
        .ok_or_else(|| self.fault(Class::PublicIdUnknown, "unknown root element or namespace"))
    }

    /// The element that begins here.
    #[inline]
    fn start(&mut self) -> Result<Tag, Fault> {
        self.budget.node(self.event_at())?;
        self.budget.depth(self.open.len() + 1, self.event_at())?;
        let start = self.start_tag()?;
        if !start.attributes.is_empty() {
            self.declare(start.attributes)?;
        }
        let (declared, name) = self.split(start.name)?;
        let tag = self.resolve(declared, name);
        if tag == Tag::OTHER {
            self.other = name;
        }
        if start.empty {
            self.ahead.push(Event::End);
        }
        if !start.attributes.is_empty() && !self.namespaces.is_declaration(start.attributes) {
            self.attributes(start.attributes, tag)?;
        }
        self.next_at = start.end;
        self.open.push(Open { tag, name: start.name });
        Ok(tag)
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
                    Some(character) => {
                        let text = String::from(character);
                        self.check_text(&text, self.event_at)?;
                        Ok(Cow::Owned(text))
                    }
                    None => Err(self.syntax("reference to an unknown entity")),
                };
            }
        };
        Ok(Cow::Borrowed(text))
    }

    /// Checks the characters of `text`, which stands at `at`.
    fn check_text(&self, text: &str, at: usize) -> Result<(), Fault> {
        match not_xml(text.as_bytes()) {
            None => Ok(()),
            Some(place) => {
                let what = "a character that XML does not allow";
                Err(Fault::new(Class::XmlSyntax, self.base + at + place, what))
            }
        }
    }

    fn text(&mut self, text: Cow<'a, str>) -> Result<Event<'a>, Fault> {
        self.budget.text(text.len(), self.event_at())?;
        Ok(Event::Text(text))
    }

    #[cold]
    fn syntax(&self, what: &'static str) -> Fault {
        self.fault(Class::XmlSyntax, what)
    }

    #[cold]
    fn fault(&self, class: Class, what: &'static str) -> Fault {
        Fault::new(class, self.event_at(), what)
    }
}

/// Octets of which a start tag without attributes may consist.
static IS_NAME: [bool; 256] = {
    let mut is = [true; 256];
    let other = b" \t\r\n<>/\"'";
    let mut i = 0;
    while i < other.len() {
        is[other[i] as usize] = false;
        i += 1;
    }
    is
};
