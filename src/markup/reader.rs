//! The pull reader over either encoding, its events and budgets.
//!
//! Owns what both encodings share; must not know any document's structure.

use super::doctype::PublicId;
use super::{Attr, Class, DocType, Encoding, Fault, Tag, wbxml, xml};
use crate::limits;
use std::borrow::Cow;

/// What a reader finds, in document order.
#[derive(Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// An element begins. Its attributes come first, then its content, then [`Event::End`].
    Start(Tag),
    /// An attribute of the element that has just begun.
    Attribute(Attr, Cow<'a, str>),
    /// Text. An element's text may come in several pieces, and mixed with [`Event::Opaque`].
    Text(Cow<'a, str>),
    /// Octets of WBXML OPAQUE: text or binary.
    Opaque(&'a [u8]),
    /// The innermost element ends.
    End,
    /// The document ends, and nothing follows it.
    Finish,
}

impl std::fmt::Debug for Event<'_> {
    /// Text may be a secret: only its length is told.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start(tag) => write!(f, "Start({tag:?})"),
            Self::Attribute(attr, value) => write!(f, "{attr:?}({} octets)", value.len()),
            Self::Text(text) => write!(f, "Text({} octets)", text.len()),
            Self::Opaque(octets) => write!(f, "Opaque({} octets)", octets.len()),
            Self::End => f.write_str("End"),
            Self::Finish => f.write_str("Finish"),
        }
    }
}

/// How to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Octets 00 or FF may follow the document, as in a card's file.
    pub padding: bool,
    /// The document type that the media type promised; needed for public identifier 01.
    pub expected: Option<DocType>,
    /// Text XML may have an internal subset, as DDF files do. It is passed over: what it declares is
    /// not defined. No message may have one.
    pub internal_subset: bool,
}

/// A pull reader of one document. Never recurses, never allocates by announced lengths.
pub struct Reader<'a>(Syntax<'a>);

impl std::fmt::Debug for Reader<'_> {
    /// The document may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({:?} at byte {})", self.encoding(), self.at())
    }
}

/// What stands next in a container.
#[derive(Clone, Copy)]
pub(super) enum Child {
    Start(Tag),
    End,
    /// Something else than an element or an end: the events tell.
    Unusual,
}

enum Syntax<'a> {
    Wbxml(wbxml::Reader<'a>),
    Xml(Box<xml::Reader<'a>>),
}

impl<'a> Reader<'a> {
    /// A reader over `octets`, whose encoding shows in the first octet. Text XML has to be UTF-8:
    /// see [`super::to_utf8`].
    ///
    /// # Errors
    /// The header is malformed, or the document type unknown or not the expected one.
    pub fn new(octets: &'a [u8], options: &Options) -> Result<Self, Fault> {
        if octets.is_empty() {
            return Err(Fault::new(Class::Empty, 0, "the document is empty"));
        }
        if options.padding && is_fill(octets) {
            return Err(Fault::new(Class::Empty, 0, "the document is nothing but padding"));
        }
        if octets.len() > options.expected.map_or(limits::MARKUP_OCTETS, DocType::octets) {
            return Err(Fault::new(Class::Limit, 0, "the document is too large"));
        }
        Ok(Self(match Encoding::detect(octets) {
            Encoding::Wbxml => Syntax::Wbxml(wbxml::Reader::new(octets, options)?),
            Encoding::Xml => Syntax::Xml(Box::new(xml::Reader::new(octets, options)?)),
        }))
    }

    /// The next event. After [`Event::Finish`] it repeats.
    ///
    /// # Errors
    /// The document is malformed here; the reader must not be used further.
    #[allow(clippy::should_implement_trait)] // not an Iterator: the end is an event, errors are final
    pub fn next(&mut self) -> Result<Event<'a>, Fault> {
        match &mut self.0 {
            Syntax::Wbxml(reader) => reader.next(),
            Syntax::Xml(reader) => reader.next(),
        }
    }

    /// Offset in octets of the event that came last.
    #[inline]
    pub fn at(&self) -> usize {
        match &self.0 {
            Syntax::Wbxml(reader) => reader.event_at(),
            Syntax::Xml(reader) => reader.event_at(),
        }
    }

    /// How many elements are open.
    #[inline]
    pub fn depth(&self) -> usize {
        match &self.0 {
            Syntax::Wbxml(reader) => reader.depth(),
            Syntax::Xml(reader) => reader.depth(),
        }
    }

    /// The document's encoding.
    pub fn encoding(&self) -> Encoding {
        match &self.0 {
            Syntax::Wbxml(_) => Encoding::Wbxml,
            Syntax::Xml(_) => Encoding::Xml,
        }
    }

    /// The document's type and version.
    pub fn public_id(&self) -> &'static PublicId {
        match &self.0 {
            Syntax::Wbxml(reader) => reader.public_id(),
            Syntax::Xml(reader) => reader.public_id(),
        }
    }

    /// The local name of the element `tag` that has just begun, also of [`Tag::OTHER`].
    pub fn name_of(&self, tag: Tag) -> &'a str {
        match &self.0 {
            Syntax::Xml(reader) if tag == Tag::OTHER => reader.other_name(),
            _ => tag.name(),
        }
    }

    /// A fault of the document's content at the last event.
    #[cold]
    pub fn content_fault(&self, what: &'static str) -> Fault {
        Fault::new(Class::ContentModel, self.at(), what)
    }

    /// Skips up to and with the end of the element that has `depth` elements open inside it.
    ///
    /// # Errors
    /// The skipped part is malformed.
    pub fn skip_to_end(&mut self, depth: usize) -> Result<(), Fault> {
        while self.depth() >= depth {
            if self.next()? == Event::Finish {
                break;
            }
        }
        Ok(())
    }

    /// Skips the rest of the element that began last.
    ///
    /// # Errors
    /// The skipped part is malformed.
    pub fn skip(&mut self) -> Result<(), Fault> {
        self.skip_to_end(self.depth())
    }

    /// The whole text of the element that has just begun, up to and with its end. One NUL at the end
    /// of OPAQUE text is dropped, since some encoders count it.
    ///
    /// # Errors
    /// The element holds elements, or octets that are no text.
    #[inline]
    pub fn text(&mut self) -> Result<Cow<'a, str>, Fault> {
        match self.leaf()? {
            Some(text) => Ok(text),
            None => self.pieces(),
        }
    }

    #[inline(never)]
    fn pieces(&mut self) -> Result<Cow<'a, str>, Fault> {
        let mut text = Cow::Borrowed("");
        loop {
            let piece = match self.next()? {
                Event::Text(piece) => piece,
                Event::Opaque(octets) => Cow::Borrowed(self.opaque_text(octets)?),
                Event::End => return Ok(text),
                Event::Attribute(..) => continue,
                Event::Start(_) | Event::Finish => {
                    return Err(self.content_fault("an element inside a text element"));
                }
            };
            if text.is_empty() { text = piece } else { text.to_mut().push_str(&piece) }
        }
    }

    /// Like [`text`](Self::text), into `slot`.
    ///
    /// # Errors
    /// As of [`text`](Self::text).
    #[inline]
    pub(crate) fn text_into(&mut self, slot: &mut Option<Cow<'a, str>>) -> Result<(), Fault> {
        if let Syntax::Wbxml(reader) = &mut self.0
            && let Some(text) = reader.leaf()
        {
            *slot = Some(Cow::Borrowed(text));
            return Ok(());
        }
        self.any_text_into(slot)
    }

    #[inline(never)]
    fn any_text_into(&mut self, slot: &mut Option<Cow<'a, str>>) -> Result<(), Fault> {
        *slot = Some(match &mut self.0 {
            Syntax::Wbxml(_) => self.pieces()?,
            Syntax::Xml(_) => self.text()?,
        });
        Ok(())
    }

    /// The whole content of the element that has just begun, up to and with its end, if that is US-ASCII
    /// text without NUL in one piece of WBXML; otherwise nothing is read.
    #[inline]
    pub(crate) fn ascii_leaf(&mut self) -> Option<&'a [u8]> {
        match &mut self.0 {
            Syntax::Wbxml(reader) => reader.ascii_leaf(),
            Syntax::Xml(_) => None,
        }
    }

    /// The whole content of the element that has just begun, up to and with its end, if it is one piece
    /// of text without NUL; otherwise nothing is read.
    ///
    /// # Errors
    /// The text is too long.
    #[inline(always)] // as above
    pub(crate) fn leaf(&mut self) -> Result<Option<Cow<'a, str>>, Fault> {
        match &mut self.0 {
            Syntax::Wbxml(reader) => Ok(reader.leaf().map(Cow::Borrowed)),
            Syntax::Xml(reader) => reader.leaf(),
        }
    }

    fn opaque_text(&self, octets: &'a [u8]) -> Result<&'a str, Fault> {
        let octets = octets.strip_suffix(&[0]).unwrap_or(octets);
        std::str::from_utf8(octets).map_err(|_| self.content_fault("binary data in a text element"))
    }

    /// The next attribute of the element that has just begun, or `None` once all were read. Content
    /// is left where it is.
    ///
    /// # Errors
    /// The attribute list is malformed.
    pub fn attribute(&mut self) -> Result<Option<(Attr, Cow<'a, str>)>, Fault> {
        match &mut self.0 {
            Syntax::Wbxml(reader) => reader.attribute(),
            Syntax::Xml(reader) => Ok(reader.attribute()),
        }
    }

    /// Reads the next child of a container: an element, or `None` at the container's end. White space
    /// between elements is skipped.
    ///
    /// # Errors
    /// The document is malformed, or the container holds text.
    #[inline(always)] // without the call the usual child comes in a register
    pub fn child(&mut self) -> Result<Option<Tag>, Fault> {
        let child = match &mut self.0 {
            Syntax::Wbxml(reader) => reader.child(),
            Syntax::Xml(reader) => reader.child()?,
        };
        match child {
            Child::Start(tag) => Ok(Some(tag)),
            Child::End => Ok(None),
            Child::Unusual => self.next_child(),
        }
    }

    #[inline(never)]
    fn next_child(&mut self) -> Result<Option<Tag>, Fault> {
        loop {
            match self.next()? {
                Event::Start(tag) => return Ok(Some(tag)),
                Event::End => return Ok(None),
                Event::Attribute(..) => {}
                Event::Text(text) if is_blank(&text) => {}
                Event::Opaque([]) => {}
                Event::Text(_) | Event::Opaque(_) => {
                    return Err(self.content_fault("text between elements"));
                }
                Event::Finish => return Err(self.content_fault("the document has ended")),
            }
        }
    }

    /// Reads the root element's start.
    ///
    /// # Errors
    /// The document is malformed.
    pub fn root(&mut self) -> Result<Tag, Fault> {
        match self.next()? {
            Event::Start(tag) => Ok(tag),
            _ => Err(Fault::new(Class::Root, self.at(), "no root element")),
        }
    }

    /// Reads the end of the document behind the root element.
    ///
    /// # Errors
    /// Something follows the root element.
    pub fn finish(&mut self) -> Result<(), Fault> {
        match self.next()? {
            Event::Finish => Ok(()),
            _ => Err(Fault::new(Class::TrailingData, self.at(), "something follows the document")),
        }
    }

    /// For text XML: the source from `from` up to the last event.
    pub(crate) fn source_since(&self, from: usize) -> Option<&'a str> {
        match &self.0 {
            Syntax::Wbxml(_) => None,
            Syntax::Xml(reader) => reader.source_since(from),
        }
    }

    /// Octets of the document.
    pub(crate) fn octets(&self) -> usize {
        match &self.0 {
            Syntax::Wbxml(reader) => reader.octets(),
            Syntax::Xml(reader) => reader.octets(),
        }
    }

    /// Offset behind the last event.
    pub(crate) fn position(&self) -> usize {
        match &self.0 {
            Syntax::Wbxml(reader) => reader.position(),
            Syntax::Xml(reader) => reader.position(),
        }
    }
}

/// True if `octets` are a uniform run of 00 or FF, as the rest of a card's file is.
pub(super) fn is_fill(octets: &[u8]) -> bool {
    matches!(octets.first(), Some(&fill @ (0x00 | 0xFF)) if octets.iter().all(|b| *b == fill))
}

/// True if `text` is white space only.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}

/// What a document may still use up.
#[derive(Debug)]
pub(super) struct Budget {
    nodes: usize,
    text: usize,
    depth: usize,
}

impl Budget {
    /// The budget of a document of `octets` octets and type `doc`.
    pub(super) fn new(octets: usize, doc: DocType) -> Self {
        let text = limits::MARKUP_TEXT.max(octets.saturating_mul(4));
        Self { nodes: doc.nodes(), text, depth: doc.depth() }
    }

    /// Counts an element or attribute.
    pub(super) fn node(&mut self, at: usize) -> Result<(), Fault> {
        match self.nodes.checked_sub(1) {
            Some(left) => self.nodes = left,
            None => return Err(Fault::new(Class::Limit, at, "too many elements and attributes")),
        }
        Ok(())
    }

    /// Counts `octets` octets of text.
    #[inline]
    pub(super) fn text(&mut self, octets: usize, at: usize) -> Result<(), Fault> {
        match self.text.checked_sub(octets) {
            Some(left) => self.text = left,
            None => return Err(Fault::new(Class::Limit, at, "the text expands too much")),
        }
        Ok(())
    }

    /// True if another element may begin, which makes `depth` open ones.
    #[inline]
    pub(super) fn has(&self, depth: usize) -> bool {
        self.nodes > 0 && depth <= self.depth
    }

    /// Counts an element for which there [is room](Self::has).
    #[inline]
    pub(super) fn take_node(&mut self) {
        self.nodes = self.nodes.saturating_sub(1);
    }

    /// Checks that `depth` elements may be open.
    pub(super) fn depth(&self, depth: usize, at: usize) -> Result<(), Fault> {
        if depth > self.depth {
            return Err(Fault::new(Class::Depth, at, "elements are nested too deep"));
        }
        Ok(())
    }
}
