//! The writer of both encodings: elements and text in, octets out, or only their number.
//!
//! Owns how tokens and escapes are written, byte-stable; must not know any document's structure.

use super::reader::Event;
use super::wbxml::token;
use super::xml::is_xml_text;
use super::{Attr, DocType, Encoding, Ns, Tag, scan, string_table};
use crate::error::{Code, Error, Result};

/// MIBenum of UTF-8.
const UTF_8: u8 = 0x6A;
/// WBXML 1.2.
const VERSION: u8 = 0x02;

/// Octets of a value for which room is made with care.
const LARGE: usize = 128;

/// Octets, or only their number.
enum Sink {
    Octets(Vec<u8>),
    Count(usize),
}

impl Sink {
    #[inline]
    fn put(&mut self, octets: &[u8]) {
        match self {
            Self::Octets(out) => {
                if octets.len() > LARGE && out.capacity() - out.len() < octets.len() {
                    // Not twice as much, as a vector would.
                    out.reserve_exact(octets.len() + out.len() / 16 + 64);
                }
                out.extend_from_slice(octets);
            }
            Self::Count(count) => *count += octets.len(),
        }
    }

    /// Puts a few octets, one by one: for less than a word that is cheaper than a copy.
    #[inline]
    fn put_few<const N: usize>(&mut self, octets: [u8; N]) {
        match self {
            Self::Octets(out) => octets.into_iter().for_each(|octet| out.push(octet)),
            Self::Count(count) => *count += N,
        }
    }

    #[inline]
    fn len(&self) -> usize {
        match self {
            Self::Octets(out) => out.len(),
            Self::Count(count) => *count,
        }
    }
}

/// A number of up to 32 bits in groups of seven, without leading zeros.
#[derive(Clone, Copy)]
pub(super) struct MultiByte {
    octets: [u8; 5],
    from: usize,
}

impl MultiByte {
    pub(super) fn of(value: u32) -> Self {
        let (mut octets, mut from, mut rest) = ([0; 5], 5, value);
        loop {
            from -= 1;
            let more = if from + 1 == octets.len() { 0 } else { 0x80 };
            octets[from] = (rest & 0x7F) as u8 | more;
            rest >>= 7;
            if rest == 0 {
                return Self { octets, from };
            }
        }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[self.from..]
    }
}

/// A place in a document that is being written, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    octets: usize,
    page: u8,
    attr_page: u8,
    start_at: Option<usize>,
    attributes: bool,
    fault: Option<&'static str>,
}

/// Writes one document, or part of one to learn its size. Faults of the content are kept for
/// [`Writer::finish`].
pub struct Writer {
    out: Sink,
    encoding: Encoding,
    doc: DocType,
    page: u8,
    attr_page: u8,
    open: Vec<Tag>,
    /// Where the start of the innermost element stands, as long as it has no content.
    start_at: Option<usize>,
    /// Attributes of the innermost element were written.
    attributes: bool,
    fault: Option<&'static str>,
}

impl std::fmt::Debug for Writer {
    /// The document may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({:?}, {} octets)", self.encoding, self.size())
    }
}

impl Writer {
    /// A writer of a document of type `doc`, its header written.
    pub fn new(doc: DocType, encoding: Encoding) -> Self {
        let mut writer = Self::with(Sink::Octets(Vec::with_capacity(512)), doc, encoding);
        writer.header();
        writer
    }

    /// A writer that only counts the octets of a whole document.
    pub fn counting(doc: DocType, encoding: Encoding) -> Self {
        let mut writer = Self::with(Sink::Count(0), doc, encoding);
        writer.header();
        writer
    }

    /// A writer that only counts the octets of a part of a document inside `parent`.
    pub fn counting_inside(doc: DocType, encoding: Encoding, parent: Tag) -> Self {
        let mut writer = Self::with(Sink::Count(0), doc, encoding);
        writer.open.push(parent);
        writer.page = parent.page_number();
        writer
    }

    fn with(out: Sink, doc: DocType, encoding: Encoding) -> Self {
        Self {
            out,
            encoding,
            doc,
            page: 0,
            attr_page: 0,
            open: Vec::with_capacity(8),
            start_at: None,
            attributes: false,
            fault: None,
        }
    }

    /// The encoding being written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Octets written so far.
    pub fn size(&self) -> usize {
        self.out.len()
    }

    /// Makes room ahead for `left` parts that are like the `written` ones, which took `octets`. It is
    /// only a guess that saves copies and memory.
    pub fn make_room(&mut self, octets: usize, written: usize, left: usize) {
        const GROWTH: usize = 8;
        let Sink::Octets(out) = &mut self.out else { return };
        let each = octets.checked_div(written).unwrap_or(0);
        // The next command may be larger than most.
        if out.capacity() - out.len() < 8 * each {
            let likely = each.saturating_mul(left);
            let likely = likely.saturating_add(likely / 32 + 64);
            out.reserve_exact(likely.min(out.len() * GROWTH));
        }
    }

    fn header(&mut self) {
        let id = self.doc.public_id();
        match self.encoding {
            Encoding::Wbxml if id.number != 0 => {
                self.out.put(&[VERSION]);
                self.mb_u32(id.number);
                self.out.put(&[UTF_8, 0]);
            }
            Encoding::Wbxml => {
                self.out.put(&[VERSION, 0, 0, UTF_8]);
                self.length(id.text.len() + 1);
                self.out.put(id.text.as_bytes());
                self.out.put(&[0]);
            }
            // TNDS mostly stands inside a message, where a declaration only costs octets.
            Encoding::Xml if self.doc == DocType::Tnds => {}
            Encoding::Xml => self.out.put(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
        }
    }

    /// Begins element `tag`.
    #[inline]
    pub fn start(&mut self, tag: Tag) {
        self.content();
        self.start_at = Some(self.start_tag(tag, token::CONTENT));
        self.open.push(tag);
    }

    /// Writes the start tag, in WBXML with the bits `bits`, in XML without its `>`. Returns where it is.
    #[inline]
    fn start_tag(&mut self, tag: Tag, bits: u8) -> usize {
        if tag == Tag::OTHER {
            self.fault = Some("an element outside the vocabularies");
        }
        match self.encoding {
            Encoding::Wbxml => {
                self.select_page(tag.page_number());
                let at = self.out.len();
                self.out.put_few([tag.token() | bits]);
                at
            }
            Encoding::Xml => {
                let at = self.out.len();
                self.out.put_few([b'<']);
                self.out.put(tag.name().as_bytes());
                if self.open.last().is_none_or(|parent| parent.ns() != tag.ns()) {
                    self.namespace(tag.ns());
                }
                at
            }
        }
    }

    fn namespace(&mut self, ns: Ns) {
        let namespace = match ns {
            Ns::MetInf => "syncml:metinf",
            Ns::DmDdf => "syncml:dmddf1.2",
            _ => self.doc.public_id().namespace,
        };
        if !namespace.is_empty() {
            self.out.put(b" xmlns=\"");
            self.out.put(namespace.as_bytes());
            self.out.put_few([b'"']);
        }
    }

    /// Writes an attribute of the element that was just begun.
    pub fn attribute(&mut self, attr: Attr, value: &str) {
        match self.encoding {
            Encoding::Wbxml => self.wbxml_attribute(attr, value),
            Encoding::Xml => {
                self.out.put(b" ");
                self.out.put(attr.name().as_bytes());
                self.out.put(b"=\"");
                self.escaped(value, true);
                self.out.put(b"\"");
            }
        }
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.content();
        match self.encoding {
            Encoding::Wbxml => self.string(text),
            Encoding::Xml => self.escaped(text, false),
        }
    }

    /// Writes text that is not empty in WBXML; the innermost element has content.
    #[inline]
    fn string(&mut self, text: &str) {
        if scan::nul(text.as_bytes()).is_some() {
            return self.opaque(text.as_bytes());
        }
        self.out.put_few([token::STR_I]);
        self.out.put(text.as_bytes());
        self.out.put_few([0]);
    }

    /// Writes octets: OPAQUE in WBXML. XML can only take text.
    pub fn opaque(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        match self.encoding {
            Encoding::Wbxml => {
                self.content();
                self.out.put(&[token::OPAQUE]);
                self.length(octets.len());
                self.out.put(octets);
            }
            Encoding::Xml => match std::str::from_utf8(octets) {
                Ok(text) => self.text(text),
                Err(_) => self.fault = Some("binary data in text XML has to be base64"),
            },
        }
    }

    /// Ends the innermost element.
    #[inline]
    pub fn end(&mut self) {
        self.end_attributes();
        let Some(tag) = self.open.pop() else { return };
        match (self.encoding, self.start_at.take()) {
            (Encoding::Wbxml, Some(at)) => {
                if let Sink::Octets(out) = &mut self.out
                    && let Some(octet) = out.get_mut(at)
                {
                    *octet &= !token::CONTENT;
                }
            }
            (Encoding::Wbxml, None) => self.out.put_few([token::END]),
            (Encoding::Xml, Some(_)) => self.out.put_few(*b"/>"),
            (Encoding::Xml, None) => self.end_tag(tag),
        }
    }

    #[inline]
    fn end_tag(&mut self, tag: Tag) {
        self.out.put_few(*b"</");
        self.out.put(tag.name().as_bytes());
        self.out.put_few([b'>']);
    }

    /// Writes `tag` with `text` in it.
    #[inline]
    pub fn leaf(&mut self, tag: Tag, text: &str) {
        self.content();
        match self.encoding {
            _ if text.is_empty() => {
                self.start_tag(tag, 0);
                if self.encoding == Encoding::Xml {
                    self.out.put_few(*b"/>");
                }
            }
            Encoding::Wbxml => {
                self.start_tag(tag, token::CONTENT);
                self.string(text);
                self.out.put_few([token::END]);
            }
            Encoding::Xml => {
                self.start_tag(tag, 0);
                self.out.put_few([b'>']);
                self.escaped(text, false);
                self.end_tag(tag);
            }
        }
    }

    /// Writes `tag` with `number` in it.
    pub fn number(&mut self, tag: Tag, number: u64) {
        // Twenty digits are enough for 64 bits.
        let (mut digits, mut at, mut rest) = ([b'0'; 20], 20, number);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.leaf(tag, std::str::from_utf8(&digits[at..]).unwrap_or_default());
    }

    /// Writes `tag` with `text` in it, if there is one.
    pub fn optional(&mut self, tag: Tag, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(tag, text);
        }
    }

    /// Writes `tag` with nothing in it.
    pub fn empty(&mut self, tag: Tag) {
        self.start(tag);
        self.end();
    }

    /// Writes what a reader found.
    pub fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(*tag),
            Event::Attribute(attr, value) => self.attribute(*attr, value),
            Event::Text(text) => self.text(text),
            Event::Opaque(octets) => self.opaque(octets),
            Event::End => self.end(),
            Event::Finish => {}
        }
    }

    /// Octets written so far, with those that the next element of code page 0 inside the innermost one
    /// would need before it.
    pub fn extent(&self) -> usize {
        let before_next = match self.encoding {
            Encoding::Wbxml if self.page != 0 => 2,
            Encoding::Xml if self.start_at.is_some() => 1,
            _ => 0,
        };
        self.size() + before_next
    }

    /// The present place.
    pub fn mark(&self) -> Mark {
        let Self { page, attr_page, start_at, attributes, fault, .. } = *self;
        Mark { octets: self.size(), page, attr_page, start_at, attributes, fault }
    }

    /// Takes back everything since `mark`; the innermost element is the one that it was then.
    pub fn rewind(&mut self, mark: Mark) {
        let Mark { octets, page, attr_page, start_at, attributes, fault } = mark;
        match &mut self.out {
            Sink::Octets(out) => out.truncate(octets),
            Sink::Count(count) => *count = octets,
        }
        (self.page, self.attr_page, self.start_at) = (page, attr_page, start_at);
        (self.attributes, self.fault) = (attributes, fault);
    }

    /// The document.
    ///
    /// # Errors
    /// `InvalidArg`: the content cannot be written in this encoding.
    pub fn finish(self) -> Result<Vec<u8>> {
        if let Some(what) = self.fault {
            return Err(Error::new(Code::InvalidArg, what));
        }
        match self.out {
            Sink::Octets(out) => Ok(out),
            Sink::Count(_) => Err(Error::new(Code::State, "the writer only counts")),
        }
    }

    /// The document, in WBXML with a string table if that makes it shorter. It is for documents that are
    /// kept or sent as a whole: parts whose size was counted ahead come out no larger than that.
    ///
    /// # Errors
    /// As of [`finish`](Self::finish).
    pub fn finish_compact(self) -> Result<Vec<u8>> {
        let (doc, encoding) = (self.doc, self.encoding);
        let octets = self.finish()?;
        let compact = match encoding {
            Encoding::Wbxml => string_table::compact(&octets, doc),
            Encoding::Xml => None,
        };
        Ok(compact.unwrap_or(octets))
    }

    /// The innermost element gets content.
    #[inline]
    fn content(&mut self) {
        self.end_attributes();
        if self.start_at.take().is_some() && self.encoding == Encoding::Xml {
            self.out.put_few([b'>']);
        }
    }

    #[inline]
    fn end_attributes(&mut self) {
        if std::mem::take(&mut self.attributes) {
            self.out.put(&[token::END]);
        }
    }

    #[inline]
    fn select_page(&mut self, page: u8) {
        if self.page != page {
            self.page = page;
            self.out.put_few([token::SWITCH_PAGE, page]);
        }
    }

    fn wbxml_attribute(&mut self, attr: Attr, value: &str) {
        if !std::mem::replace(&mut self.attributes, true)
            && let Sink::Octets(out) = &mut self.out
            && let Some(octet) = self.start_at.and_then(|at| out.get_mut(at))
        {
            *octet |= token::ATTRIBUTES;
        }
        if !value.is_empty() {
            for page in [self.attr_page, 1 - self.attr_page] {
                let found = self.doc.attr_page(page).and_then(|p| p.start_token(attr, value));
                if let Some(start) = found {
                    self.select_attr_page(page);
                    return self.out.put(&[start]);
                }
            }
        }
        let tables = self.doc.attr_page(self.attr_page);
        let Some(start) = tables.and_then(|page| page.start_token(attr, "")) else {
            self.select_attr_page(0);
            return self.wbxml_attribute_on_page_0(attr, value);
        };
        self.out.put(&[start]);
        self.wbxml_value(value);
    }

    /// `version` exists on page 0 only.
    fn wbxml_attribute_on_page_0(&mut self, attr: Attr, value: &str) {
        match self.doc.attr_page(0).and_then(|page| page.start_token(attr, "")) {
            Some(start) => {
                self.out.put(&[start]);
                self.wbxml_value(value);
            }
            None => self.fault = Some("the document type has no attributes"),
        }
    }

    fn wbxml_value(&mut self, value: &str) {
        let token = self.doc.attr_page(self.attr_page).and_then(|page| page.value_token(value));
        match token {
            Some(token) => self.out.put(&[token]),
            None if value.is_empty() => {}
            None if value.contains('\0') => self.fault = Some("NUL in an attribute"),
            None => {
                self.out.put(&[token::STR_I]);
                self.out.put(value.as_bytes());
                self.out.put(&[0]);
            }
        }
    }

    fn select_attr_page(&mut self, page: u8) {
        if self.attr_page != page {
            self.attr_page = page;
            self.out.put_few([token::SWITCH_PAGE, page]);
        }
    }

    fn length(&mut self, length: usize) {
        match u32::try_from(length) {
            Ok(length) => self.mb_u32(length),
            Err(_) => self.fault = Some("data above 4 GiB"),
        }
    }

    fn mb_u32(&mut self, value: u32) {
        self.out.put(MultiByte::of(value).octets());
    }

    #[inline]
    fn escaped(&mut self, text: &str, attribute: bool) {
        if attribute || scan::special(text.as_bytes()).is_some() {
            self.escaped_special(text, attribute);
        } else {
            self.out.put(text.as_bytes());
        }
    }

    fn escaped_special(&mut self, text: &str, attribute: bool) {
        if !is_xml_text(text.as_bytes()) {
            self.fault = Some("a character that XML does not allow");
        }
        let mut from = 0;
        for (at, octet) in text.bytes().enumerate() {
            let escape: &[u8] = match octet {
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                b'&' => b"&amp;",
                b'\r' => b"&#13;",
                b'"' if attribute => b"&quot;",
                b'\n' if attribute => b"&#10;",
                b'\t' if attribute => b"&#9;",
                _ => continue,
            };
            self.out.put(text.as_bytes().get(from..at).unwrap_or_default());
            self.out.put(escape);
            from = at + 1;
        }
        self.out.put(text.as_bytes().get(from..).unwrap_or_default());
    }
}
