//! Reads WBXML into an element tree, without recursion and within limits.

use super::{Content, DMDDF, DocType, Element, SYNCML, WbxmlError, global, tokens};

/// Longest document, octets.
const MAX_DOCUMENT: usize = 1 << 20;
/// Deepest nesting of elements.
const MAX_DEPTH: usize = 64;
/// Most elements in a document.
const MAX_ELEMENTS: usize = 20_000;
/// Text may grow through table strings: up to this, or four times the document.
const MIN_TEXT_BUDGET: usize = 64 * 1024;

/// Public identifiers that share the SyncML tokens: 1.0, 1.1 and 1.2.
const PUBLIC_SYNCML: [u32; 3] = [0x0FD1, 0x0FD3, 0x1201];

/// Reads one whole document. Octets behind the root element are an error.
///
/// # Errors
/// For anything that is not well-formed WBXML of SyncML or TNDS.
pub fn decode(octets: &[u8]) -> Result<(Element, DocType), WbxmlError> {
    if octets.len() > MAX_DOCUMENT {
        return Err(WbxmlError { at: MAX_DOCUMENT, what: "document too long" });
    }
    let mut reader = Reader {
        octets,
        at: 0,
        table: &[],
        latin1: false,
        page: SYNCML,
        elements: 0,
        text_left: MIN_TEXT_BUDGET.max(octets.len().saturating_mul(4)),
    };
    let promised = reader.header()?;
    let root = reader.body()?;
    let found = match (root.page, root.name) {
        (SYNCML, "SyncML") => DocType::SyncMl,
        (DMDDF, "MgmtTree") => DocType::Tnds,
        _ => return reader.fail("root element of no known document"),
    };
    if promised.is_some_and(|promised| promised != found) {
        return reader.fail("root element differs from the public identifier");
    }
    Ok((root, found))
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    table: &'a [u8],
    latin1: bool,
    page: u8,
    elements: usize,
    text_left: usize,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, what: &'static str) -> Result<T, WbxmlError> {
        Err(WbxmlError { at: self.at, what })
    }

    fn octet(&mut self) -> Result<u8, WbxmlError> {
        match self.octets.get(self.at) {
            Some(octet) => {
                self.at += 1;
                Ok(*octet)
            }
            None => self.fail("data ends"),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], WbxmlError> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        match rest.get(..count) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => self.fail("length beyond the data"),
        }
    }

    /// A multi-octet number: seven bits an octet, at most five octets and 32 bits.
    fn mb(&mut self) -> Result<u32, WbxmlError> {
        let mut value: u32 = 0;
        for _ in 0..5 {
            let octet = self.octet()?;
            if value > u32::MAX >> 7 {
                return self.fail("number above 32 bits");
            }
            value = value << 7 | u32::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        self.fail("number longer than five octets")
    }

    fn length(&mut self) -> Result<usize, WbxmlError> {
        let value = self.mb()?;
        usize::try_from(value).or_else(|_| self.fail("length above the address space"))
    }

    /// Version, public identifier, character set and string table.
    fn header(&mut self) -> Result<Option<DocType>, WbxmlError> {
        let version = self.octet()?;
        if version > 3 {
            return self.fail("version of WBXML");
        }
        let number = self.mb()?;
        let text_at = if number == 0 { Some(self.length()?) } else { None };
        // WBXML 1.0 has no character set field.
        let charset = if version == 0 { 106 } else { self.mb()? };
        if !matches!(charset, 0 | 3 | 4 | 106) {
            return self.fail("character set");
        }
        self.latin1 = charset == 4;
        let length = self.length()?;
        self.table = self.take(length)?;
        match text_at {
            Some(offset) => self.public_text(offset),
            None if number == 1 => Ok(None),
            None if PUBLIC_SYNCML.contains(&number) => Ok(Some(DocType::SyncMl)),
            None => self.fail("public identifier"),
        }
    }

    /// A textual public identifier; its NUL may be missing at the end of the table.
    fn public_text(&self, offset: usize) -> Result<Option<DocType>, WbxmlError> {
        let rest = self.table.get(offset..).filter(|rest| !rest.is_empty());
        let Some(rest) = rest else { return self.fail("public identifier outside the table") };
        let text = rest.split(|octet| *octet == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text).trim().to_ascii_lowercase();
        if text.starts_with("-//syncml//dtd syncml 1.") {
            return Ok(Some(DocType::SyncMl));
        }
        if text == "-//oma//dtd-dm-ddf 1.2//en" {
            return Ok(Some(DocType::Tnds));
        }
        self.fail("textual public identifier")
    }

    fn body(&mut self) -> Result<Element, WbxmlError> {
        let mut open: Vec<Element> = Vec::new();
        loop {
            let token = self.octet()?;
            let done = match token {
                global::SWITCH_PAGE => {
                    self.page = self.octet()?;
                    if !tokens::page_exists(self.page) {
                        return self.fail("unknown code page");
                    }
                    None
                }
                global::PI => {
                    self.attributes()?;
                    None
                }
                global::END => match open.pop() {
                    Some(element) => Some(element),
                    None => return self.fail("end tag without an element"),
                },
                global::ENTITY | global::STR_I | global::STR_T | global::OPAQUE => {
                    let content = self.content(token)?;
                    match open.last_mut() {
                        Some(parent) => push_content(parent, content),
                        None => return self.fail("text outside the root element"),
                    }
                    None
                }
                0x40 | 0x41 | 0x42 | 0x80 | 0x81 | 0x82 | 0xC0 | 0xC1 | 0xC2 => {
                    return self.fail("extension token");
                }
                tag => self.start(tag, &mut open)?,
            };
            if let Some(element) = done {
                match open.last_mut() {
                    Some(parent) => parent.content.push(Content::Element(element)),
                    None => return self.trailer(element),
                }
            }
        }
    }

    /// A start tag. An element without content is complete and comes back.
    fn start(&mut self, tag: u8, open: &mut Vec<Element>) -> Result<Option<Element>, WbxmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS || open.len() >= MAX_DEPTH {
            return self.fail("too many or too deep elements");
        }
        let literal = matches!(
            tag,
            global::LITERAL | global::LITERAL_C | global::LITERAL_A | global::LITERAL_AC
        );
        let name =
            if literal { self.literal_name()? } else { tokens::name_of(self.page, tag & 0x3F) };
        let Some(name) = name else { return self.fail("unknown tag") };
        if tag & 0x80 != 0 {
            self.attributes()?;
        }
        let element = Element::new(self.page, name);
        if tag & 0x40 == 0 {
            return Ok(Some(element));
        }
        open.push(element);
        Ok(None)
    }

    fn literal_name(&mut self) -> Result<Option<&'static str>, WbxmlError> {
        let name = self.table_string()?;
        let token = tokens::token_of(self.page, &name);
        Ok(token.and_then(|token| tokens::name_of(self.page, token)))
    }

    /// Attributes carry only xmlns in these documents: read to their END and dropped.
    fn attributes(&mut self) -> Result<(), WbxmlError> {
        let start = self.at;
        loop {
            match self.octet()? {
                global::END if self.at == start + 1 => return self.fail("empty attribute list"),
                global::END => return Ok(()),
                global::SWITCH_PAGE => {
                    self.octet()?;
                }
                global::ENTITY | global::STR_T | global::LITERAL => {
                    self.mb()?;
                }
                global::STR_I => {
                    self.inline_string()?;
                }
                global::OPAQUE => {
                    let length = self.length()?;
                    self.take(length)?;
                }
                _ => return self.fail("attribute token"),
            }
        }
    }

    fn content(&mut self, token: u8) -> Result<Content, WbxmlError> {
        let content = match token {
            global::ENTITY => {
                let code = self.mb()?;
                match char::from_u32(code).filter(|found| *found != '\0') {
                    Some(character) => Content::Text(character.to_string()),
                    None => return self.fail("entity is no character"),
                }
            }
            global::STR_I => Content::Text(self.inline_string()?),
            global::STR_T => Content::Text(self.table_string()?),
            _ => {
                let length = self.length()?;
                Content::Octets(self.take(length)?.to_vec())
            }
        };
        let length = match &content {
            Content::Text(text) => text.len(),
            Content::Octets(octets) => octets.len(),
            Content::Element(_) => 0,
        };
        match self.text_left.checked_sub(length) {
            Some(left) => self.text_left = left,
            None => return self.fail("too much text"),
        }
        Ok(content)
    }

    fn inline_string(&mut self) -> Result<String, WbxmlError> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|octet| *octet == 0) else {
            return self.fail("inline string without its end");
        };
        let text = self.decode_text(rest.get(..end).unwrap_or_default())?;
        self.at += end + 1;
        Ok(text)
    }

    fn table_string(&mut self) -> Result<String, WbxmlError> {
        let offset = self.length()?;
        let rest = self.table.get(offset..).unwrap_or_default();
        match rest.iter().position(|octet| *octet == 0) {
            Some(end) => self.decode_text(rest.get(..end).unwrap_or_default()),
            None => self.fail("string outside the table, or without its end"),
        }
    }

    fn decode_text(&self, octets: &[u8]) -> Result<String, WbxmlError> {
        if self.latin1 {
            return Ok(octets.iter().map(|octet| char::from(*octet)).collect());
        }
        match std::str::from_utf8(octets) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.fail("text is not UTF-8"),
        }
    }

    /// Behind the root only processing instructions may stand.
    fn trailer(&mut self, root: Element) -> Result<Element, WbxmlError> {
        while self.at < self.octets.len() {
            if self.octet()? != global::PI {
                return self.fail("octets behind the root element");
            }
            self.attributes()?;
        }
        Ok(root)
    }
}

/// Text next to text becomes one.
fn push_content(parent: &mut Element, content: Content) {
    if let (Some(Content::Text(before)), Content::Text(text)) =
        (parent.content.last_mut(), &content)
    {
        before.push_str(text);
        return;
    }
    parent.content.push(content);
}
