//! The WBXML reader (W3C/WAP WBXML 1.1 to 1.3): header, string table, tokens.
//!
//! Owns the binary syntax; must not know what an element means. What a document begins with is in `header`,
//! attribute lists are in `wbxml_attributes`.

mod header;

use super::doctype::PublicId;
use super::reader::{Budget, Child, Event, Options, is_fill};
use super::vocabulary::{Attr, AttrPage, NO_PAGE, Page, Tag};
use super::{Class, Fault, scan};
use header::{Charset, Header, table_octets};
use std::borrow::Cow;

pub(super) use header::mb_u32;

pub(super) mod token {
    //! Global tokens.
    pub(crate) const SWITCH_PAGE: u8 = 0x00;
    pub(crate) const END: u8 = 0x01;
    pub(crate) const ENTITY: u8 = 0x02;
    pub(crate) const STR_I: u8 = 0x03;
    pub(crate) const LITERAL: u8 = 0x04;
    pub(crate) const EXT_I_0: u8 = 0x40;
    pub(crate) const EXT_I_2: u8 = 0x42;
    pub(crate) const PI: u8 = 0x43;
    pub(crate) const LITERAL_C: u8 = 0x44;
    pub(crate) const EXT_T_0: u8 = 0x80;
    pub(crate) const EXT_T_2: u8 = 0x82;
    pub(crate) const STR_T: u8 = 0x83;
    pub(crate) const LITERAL_A: u8 = 0x84;
    pub(crate) const EXT_0: u8 = 0xC0;
    pub(crate) const EXT_2: u8 = 0xC2;
    pub(crate) const OPAQUE: u8 = 0xC3;
    pub(crate) const LITERAL_AC: u8 = 0xC4;
    /// Bit of a tag octet: attributes follow.
    pub(crate) const ATTRIBUTES: u8 = 0x80;
    /// Bit of a tag octet: content follows.
    pub(crate) const CONTENT: u8 = 0x40;
    /// Bits of a tag octet that say which element.
    pub(crate) const IDENTITY: u8 = 0x3F;
}

/// Where the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the root element.
    Prolog,
    /// In the attribute list of the innermost element; `content`: its content follows.
    Attributes { content: bool },
    /// In the content of the innermost element.
    Content,
    /// The innermost element has no content and ends.
    Empty,
    /// Behind the root element.
    Epilog,
}

/// Pull reader over one WBXML document.
pub(super) struct Reader<'a> {
    pub(super) data: &'a [u8],
    /// Offset of the next octet.
    pub(super) at: usize,
    event_at: usize,
    charset: Charset,
    table: &'a [u8],
    /// The string table, if all of it is UTF-8.
    table_text: &'a str,
    id: &'static PublicId,
    pages: &'static [Option<&'static Page>],
    page: &'static Page,
    pub(super) attr_page: Option<&'static AttrPage>,
    /// Attributes of the current list, one bit each.
    pub(super) attrs_seen: u8,
    /// The current attribute list has an entry.
    pub(super) attrs_any: bool,
    depth: usize,
    state: State,
    pub(super) budget: Budget,
    padding: bool,
    /// A part of `data` that is known to be UTF-8, and where it begins: octets are checked in runs
    /// over several strings, since most strings are short.
    run: &'a str,
    run_at: usize,
}

/// The only content of an element.
struct OneString<'a> {
    octets: &'a [u8],
    /// Where they begin.
    from: usize,
    /// Where the element's END stands.
    end: usize,
    /// It is STR_I.
    inline: bool,
}

/// Octets that are checked ahead of the string that needs them.
const RUN: usize = 256;

impl<'a> Reader<'a> {
    /// Reads the header.
    pub(super) fn new(data: &'a [u8], options: &Options) -> Result<Self, Fault> {
        let header = Header::read(data)?;
        let id = header.public_id(options)?;
        Ok(Self {
            data,
            at: header.at,
            event_at: header.at,
            charset: header.charset,
            table: header.table,
            table_text: header.table_text(),
            id,
            pages: id.doc.pages(),
            page: id.doc.pages().first().copied().flatten().unwrap_or(&NO_PAGE),
            attr_page: id.doc.attr_page(0),
            attrs_seen: 0,
            attrs_any: false,
            depth: 0,
            state: State::Prolog,
            budget: Budget::new(data.len(), id.doc),
            padding: options.padding,
            run: "",
            run_at: 0,
        })
    }

    pub(super) fn event_at(&self) -> usize {
        self.event_at
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn octets(&self) -> usize {
        self.data.len()
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn public_id(&self) -> &'static PublicId {
        self.id
    }

    /// The next event.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Event<'a>, Fault> {
        self.event_at = self.at;
        match self.state {
            State::Content => self.content(),
            State::Empty => {
                self.end();
                Ok(Event::End)
            }
            State::Attributes { .. } => match self.attribute()? {
                Some((attr, value)) => Ok(Event::Attribute(attr, value)),
                None => self.next(),
            },
            State::Prolog => self.prolog(),
            State::Epilog => self.epilog(),
        }
    }

    /// The next attribute of the innermost element, if its list is being read.
    pub(super) fn attribute(&mut self) -> Result<Option<(Attr, Cow<'a, str>)>, Fault> {
        let State::Attributes { content } = self.state else { return Ok(None) };
        let attribute = self.next_attribute()?;
        if attribute.is_none() {
            self.state = if content { State::Content } else { State::Empty };
        }
        Ok(attribute)
    }

    /// A leaf is nearly always one string without NUL, and END: reads these without events. Otherwise
    /// nothing is read.
    #[inline(never)]
    pub(super) fn leaf(&mut self) -> Option<&'a str> {
        if self.charset != Charset::Utf8 {
            return None;
        }
        let Some(found) = self.one_string() else { return self.table_leaf() };
        let text = self.known_utf8(found.from, found.octets.len())?;
        if !found.inline && scan::nul(found.octets).is_some() {
            return None;
        }
        self.end_leaf(found.end);
        Some(text)
    }

    /// Like [`leaf`](Self::leaf), for US-ASCII only, which is sooner known to be text.
    #[inline(never)]
    pub(super) fn ascii_leaf(&mut self) -> Option<&'a [u8]> {
        let found = self.one_string()?;
        if scan::not_plain(found.octets).is_some() {
            return None;
        }
        self.end_leaf(found.end);
        Some(found.octets)
    }

    /// The string that stands here and where it begins, if the element ends behind it. The budget is for
    /// text that expands; this cannot.
    #[inline(always)] // two small functions share it
    fn one_string(&self) -> Option<OneString<'a>> {
        if self.state != State::Content {
            return None;
        }
        let rest = self.data.get(self.at..)?;
        let (before, length, after) = match *rest {
            [token::STR_I, ref text @ ..] => (1, scan::nul(text)?, 1),
            [token::OPAQUE, length @ 0..0x80, ..] => (2, usize::from(length), 0),
            [token::OPAQUE, high @ 0x80..=0xFF, low @ 0..0x80, ..] => (3, two(high, low), 0),
            _ => return None,
        };
        let end = before + length + after;
        if rest.get(end) != Some(&token::END) {
            return None;
        }
        let octets = rest.get(before..)?.get(..length)?;
        Some(OneString { octets, from: self.at + before, end: self.at + end, inline: after == 1 })
    }

    /// Like [`leaf`](Self::leaf), for a string of the table. The table is known to be text as a whole.
    #[inline(never)]
    fn table_leaf(&mut self) -> Option<&'a str> {
        if self.state != State::Content {
            return None;
        }
        let (offset, length) = match *self.data.get(self.at..)? {
            [token::STR_T, offset @ 0..0x80, token::END, ..] => (usize::from(offset), 2),
            [token::STR_T, high @ 0x80..=0xFF, low @ 0..0x80, token::END, ..] => {
                (two(high, low), 3)
            }
            _ => return None,
        };
        let text = self.table_text.get(offset..)?;
        let text = text.get(..scan::nul(text.as_bytes())?)?;
        self.budget.text(text.len(), self.at).ok()?;
        self.end_leaf(self.at + length);
        Some(text)
    }

    /// Moves behind the leaf whose END stands at `end`.
    #[inline(always)] // small
    fn end_leaf(&mut self, end: usize) {
        self.event_at = end;
        self.at = end + 1;
        self.end();
    }

    /// The next element or end, if it is one of the usual kind; otherwise only code page switches are
    /// read, and [`next`](Self::next) has to go on.
    #[inline(never)]
    pub(super) fn child(&mut self) -> Child {
        if self.state != State::Content {
            return Child::Unusual;
        }
        loop {
            let Some(&octet) = self.data.get(self.at) else { return Child::Unusual };
            if octet == token::END {
                self.event_at = self.at;
                self.at += 1;
                self.end();
                return Child::End;
            }
            if octet == token::SWITCH_PAGE {
                let number = self.data.get(self.at + 1).copied().map_or(usize::MAX, usize::from);
                let Some(Some(page)) = self.pages.get(number) else { return Child::Unusual };
                self.page = page;
                self.at += 2;
                continue;
            }
            // Global tokens are no elements of any page.
            let identity = octet & token::IDENTITY;
            let usual = octet & token::ATTRIBUTES == 0 && !self.page.name(identity).is_empty();
            if !usual || !self.budget.has(self.depth + 1) {
                return Child::Unusual;
            }
            self.event_at = self.at;
            self.at += 1;
            self.budget.take_node();
            self.depth += 1;
            self.state = if octet & token::CONTENT != 0 { State::Content } else { State::Empty };
            return Child::Start(Tag::new(self.page.ns, identity));
        }
    }

    /// The `length` octets at `from` as text, if they are UTF-8.
    #[inline(always)] // one caller
    fn known_utf8(&mut self, from: usize, length: usize) -> Option<&'a str> {
        let before = from.checked_sub(self.run_at);
        let known = before.and_then(|before| self.run.get(before..)?.get(..length));
        if known.is_some() { known } else { self.check_utf8(from, length) }
    }

    #[inline(never)]
    fn check_utf8(&mut self, from: usize, length: usize) -> Option<&'a str> {
        let rest = self.data.get(from..)?;
        let ahead = rest.get(..length.saturating_add(RUN)).unwrap_or(rest);
        // A run of US-ASCII mostly ends at the token OPAQUE.
        let run = match scan::not_ascii(ahead) {
            Some(ascii) if ascii >= length => std::str::from_utf8(ahead.get(..ascii)?).ok()?,
            _ => match std::str::from_utf8(ahead) {
                Ok(text) => text,
                Err(fault) => std::str::from_utf8(ahead.get(..fault.valid_up_to())?).ok()?,
            },
        };
        (self.run, self.run_at) = (run, from);
        run.get(..length)
    }

    #[inline]
    fn content(&mut self) -> Result<Event<'a>, Fault> {
        loop {
            self.event_at = self.at;
            let Some(&octet) = self.data.get(self.at) else {
                return Err(self.fault(Class::Unclosed, "the document ends with open elements"));
            };
            self.at += 1;
            if octet & token::IDENTITY > token::LITERAL {
                return self.start(octet, octet & token::IDENTITY);
            }
            match octet {
                token::STR_I => return self.inline_string().map(Event::Text),
                token::END => {
                    self.end();
                    return Ok(Event::End);
                }
                token::SWITCH_PAGE => self.switch_page()?,
                token::STR_T => return self.table_string().map(Event::Text),
                token::ENTITY => return self.entity().map(Event::Text),
                token::OPAQUE => return self.opaque().map(Event::Opaque),
                token::PI => self.processing_instruction()?,
                token::LITERAL | token::LITERAL_A | token::LITERAL_C | token::LITERAL_AC => {
                    return self.literal(octet);
                }
                _ => return Err(self.extension(octet)),
            }
        }
    }

    fn prolog(&mut self) -> Result<Event<'a>, Fault> {
        loop {
            self.event_at = self.at;
            let Some(&octet) = self.data.get(self.at) else {
                return Err(self.fault(Class::Truncated, "the document ends before its root"));
            };
            self.at += 1;
            match octet {
                token::SWITCH_PAGE => self.switch_page()?,
                token::PI => self.processing_instruction()?,
                token::LITERAL | token::LITERAL_A | token::LITERAL_C | token::LITERAL_AC => {
                    return self.literal(octet);
                }
                _ if octet & token::IDENTITY > token::LITERAL => {
                    return self.start(octet, octet & token::IDENTITY);
                }
                _ => return Err(self.fault(Class::Root, "the body begins with no element")),
            }
        }
    }

    fn epilog(&mut self) -> Result<Event<'a>, Fault> {
        loop {
            self.event_at = self.at;
            let rest = self.data.get(self.at..).unwrap_or_default();
            match rest.first() {
                None => return Ok(Event::Finish),
                Some(&token::PI) => {
                    self.at += 1;
                    self.processing_instruction()?;
                }
                Some(_) if self.padding && is_fill(rest) => return Ok(Event::Finish),
                Some(_) => {
                    return Err(self.fault(Class::TrailingData, "octets follow the root element"));
                }
            }
        }
    }

    /// An element of the current page; `octet` has the attribute and content bits.
    fn start(&mut self, octet: u8, identity: u8) -> Result<Event<'a>, Fault> {
        if self.page.name(identity).is_empty() {
            return Err(self.fault(Class::TagUnknown, "token is no element of the code page"));
        }
        self.open(octet, Tag::new(self.page.ns, identity))
    }

    /// An element named in the string table: the same as its token.
    fn literal(&mut self, octet: u8) -> Result<Event<'a>, Fault> {
        let name = self.table_reference()?;
        let found = self.id.doc.namespaces().iter().find_map(|ns| ns.tag(&name));
        let Some(tag) = found else {
            return Err(self.fault(Class::TagUnknown, "literal is no element of the vocabulary"));
        };
        self.open(octet, tag)
    }

    fn open(&mut self, octet: u8, tag: Tag) -> Result<Event<'a>, Fault> {
        if self.depth == 0 && tag != self.id.doc.root() {
            return Err(self.fault(Class::Root, "the root is another document type's"));
        }
        self.budget.node(self.event_at)?;
        self.depth += 1;
        self.budget.depth(self.depth, self.event_at)?;
        let content = octet & token::CONTENT != 0;
        self.state = if octet & token::ATTRIBUTES != 0 {
            self.attrs_seen = 0;
            self.attrs_any = false;
            State::Attributes { content }
        } else if content {
            State::Content
        } else {
            State::Empty
        };
        Ok(Event::Start(tag))
    }

    #[inline]
    fn end(&mut self) {
        self.depth -= 1;
        self.state = if self.depth == 0 { State::Epilog } else { State::Content };
    }

    fn switch_page(&mut self) -> Result<(), Fault> {
        let number = self.octet("a code page")?;
        self.page = self.pages.get(usize::from(number)).copied().flatten().ok_or_else(|| {
            self.fault(Class::CodepageUnknown, "the document type has no such code page")
        })?;
        Ok(())
    }

    /// Skips a processing instruction behind its token.
    fn processing_instruction(&mut self) -> Result<(), Fault> {
        loop {
            let octet = self.octet("a processing instruction")?;
            match octet {
                token::END => return Ok(()),
                token::SWITCH_PAGE => {
                    self.octet("a code page")?;
                }
                token::STR_I => {
                    self.inline_string()?;
                }
                token::STR_T | token::LITERAL => {
                    self.table_string()?;
                }
                token::ENTITY => {
                    self.entity()?;
                }
                token::OPAQUE => {
                    self.opaque()?;
                }
                token::EXT_I_0..=token::EXT_I_2
                | token::EXT_T_0..=token::EXT_T_2
                | token::EXT_0..=token::EXT_2 => return Err(self.extension(octet)),
                token::PI | token::LITERAL_A | token::LITERAL_C | token::LITERAL_AC => {
                    return Err(self.fault(Class::AttrSyntax, "no attribute in an instruction"));
                }
                _ => {}
            }
        }
    }

    /// STR_I behind its token.
    pub(super) fn inline_string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let Some(length) = scan::nul(rest) else {
            return Err(self.fault(Class::StrUnterminated, "inline string has no end"));
        };
        let text = self.charset.decode(rest.get(..length).unwrap_or_default(), self.at)?;
        self.at += length + 1;
        self.budget.text(length, self.event_at)?;
        Ok(text)
    }

    /// STR_T behind its token.
    pub(super) fn table_string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let text = self.table_reference()?;
        self.budget.text(text.len(), self.event_at)?;
        Ok(text)
    }

    /// A string table offset, and the string there.
    pub(super) fn table_reference(&mut self) -> Result<Cow<'a, str>, Fault> {
        let at = self.at;
        let offset = mb_u32(self.data, &mut self.at)? as usize;
        let octets = table_octets(self.table, offset, at)?;
        let Some(string) = scan::nul(octets).and_then(|end| octets.get(..end)) else {
            return Err(Fault::new(Class::StrtblUnterminated, at, "table string has no end"));
        };
        self.charset.decode(string, at)
    }

    /// True if the string table is empty and offset 0 comes next, which some encoders write for `xmlns`.
    pub(super) fn skip_null_reference(&mut self) -> bool {
        let null = self.table.is_empty() && self.data.get(self.at) == Some(&0);
        self.at += usize::from(null);
        null
    }

    /// ENTITY behind its token.
    pub(super) fn entity(&mut self) -> Result<Cow<'a, str>, Fault> {
        let code = mb_u32(self.data, &mut self.at)?;
        let Some(character) = char::from_u32(code).filter(|c| *c != '\0') else {
            return Err(self.fault(Class::EntityInvalid, "entity is no character"));
        };
        self.budget.text(character.len_utf8(), self.event_at)?;
        Ok(Cow::Owned(character.into()))
    }

    /// OPAQUE behind its token.
    pub(super) fn opaque(&mut self) -> Result<&'a [u8], Fault> {
        let length = mb_u32(self.data, &mut self.at)? as usize;
        let rest = self.data.get(self.at..).unwrap_or_default();
        let Some(octets) = rest.get(..length) else {
            return Err(self.fault(Class::OpaqueLength, "OPAQUE is longer than the document"));
        };
        self.at += length;
        self.budget.text(length, self.event_at)?;
        Ok(octets)
    }

    /// OPAQUE as text, in an attribute value.
    pub(super) fn opaque_text(&mut self) -> Result<Cow<'a, str>, Fault> {
        let octets = self.opaque()?;
        self.charset.decode(octets, self.event_at)
    }

    /// The fault of extension token `octet`, whose operand is checked first.
    pub(super) fn extension(&mut self, octet: u8) -> Fault {
        let operand = match octet {
            token::EXT_I_0..=token::EXT_I_2 => self.inline_string().map(drop),
            token::EXT_T_0..=token::EXT_T_2 => mb_u32(self.data, &mut self.at).map(drop),
            _ => Ok(()),
        };
        let fault = self.fault(Class::ExtUnsupported, "extension tokens have no meaning here");
        operand.err().unwrap_or(fault)
    }

    /// The next octet, which is part of `what`.
    pub(super) fn octet(&mut self, what: &'static str) -> Result<u8, Fault> {
        let octet = *self.data.get(self.at).ok_or(Fault::new(Class::Truncated, self.at, what))?;
        self.at += 1;
        Ok(octet)
    }

    /// A fault at the token that was begun last.
    #[cold]
    pub(super) fn fault(&self, class: Class, what: &'static str) -> Fault {
        Fault::new(class, self.event_at, what)
    }

    /// Notes the offset of an attribute token for faults.
    pub(super) fn mark(&mut self) {
        self.event_at = self.at;
    }
}

/// A multi-byte integer of two octets.
fn two(high: u8, low: u8) -> usize {
    usize::from(high & 0x7F) << 7 | usize::from(low)
}
