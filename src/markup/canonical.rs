//! Canonical form of a document: XML on one line, the same for both encodings of the same content.
//!
//! Owns the form for tests and for display; must not be used on the wire.

use super::reader::is_blank;
use super::xml::is_xml_text;
use super::{Encoding, Event, Fault, Ns, Options, Reader, Tag, to_utf8};
use std::borrow::Cow;
use std::fmt::Write;

/// Documents inside documents; nothing legal goes deeper.
const NESTING: usize = 2;

/// `octets` as XML on one line: `xmlns` where the namespace changes, empty elements as `<X/>`, no white
/// space between elements, octets that are no XML text as `{hex:..}`, an embedded WBXML document as
/// `{wbxml:..}`.
///
/// # Errors
/// The document cannot be read.
pub fn canonical(octets: &[u8], options: &Options) -> Result<String, Fault> {
    let mut out = String::new();
    write_document(&mut out, octets, options, NESTING)?;
    Ok(out)
}

fn write_document(
    out: &mut String,
    octets: &[u8],
    options: &Options,
    nesting: usize,
) -> Result<(), Fault> {
    match to_utf8(octets)? {
        Cow::Borrowed(octets) => write_utf8(out, octets, options, nesting),
        Cow::Owned(utf8) => {
            let written = write_utf8(out, &utf8, options, nesting);
            written.map_err(|fault| fault.in_latin1(octets))
        }
    }
}

fn write_utf8(
    out: &mut String,
    octets: &[u8],
    options: &Options,
    nesting: usize,
) -> Result<(), Fault> {
    let mut reader = Reader::new(octets, options)?;
    let mut form = Form { out, open: Vec::new(), tag_open: false, leaf: true, text: Vec::new() };
    loop {
        match reader.next()? {
            Event::Start(tag) => form.start(tag, reader.name_of(tag), reader.public_id().namespace),
            Event::Attribute(attr, value) => form.attribute(attr.name(), &value),
            Event::Text(text) => form.text.extend_from_slice(text.as_bytes()),
            Event::Opaque(octets) => form.text.extend_from_slice(octets),
            Event::End => form.end(nesting),
            Event::Finish => return Ok(()),
        }
    }
}

struct Form<'o> {
    out: &'o mut String,
    open: Vec<(Tag, String)>,
    /// The last start tag still lacks its `>`.
    tag_open: bool,
    /// The innermost element has no element inside.
    leaf: bool,
    text: Vec<u8>,
}

impl Form<'_> {
    fn start(&mut self, tag: Tag, name: &str, root_namespace: &str) {
        self.flush(None);
        self.close_tag();
        let _ = write!(self.out, "<{name}");
        if self.open.last().is_none_or(|(parent, _)| parent.ns() != tag.ns()) {
            let namespace = namespace(tag.ns(), root_namespace);
            if !namespace.is_empty() {
                let _ = write!(self.out, " xmlns=\"{namespace}\"");
            }
        }
        self.open.push((tag, name.to_owned()));
        self.tag_open = true;
        self.leaf = true;
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let _ = write!(self.out, " {name}=\"");
        escape(self.out, value, true);
        self.out.push('"');
    }

    fn end(&mut self, nesting: usize) {
        let Some((_, name)) = self.open.pop() else { return };
        self.flush(Some(nesting));
        if self.tag_open {
            self.out.push_str("/>");
        } else {
            let _ = write!(self.out, "</{name}>");
        }
        self.tag_open = false;
        self.leaf = false;
    }

    fn close_tag(&mut self) {
        if std::mem::take(&mut self.tag_open) {
            self.out.push('>');
        }
    }

    /// Writes the text so far; `nesting` only at the end of an element. White space beside elements
    /// is dropped.
    fn flush(&mut self, nesting: Option<usize>) {
        let octets = std::mem::take(&mut self.text);
        let leaf = self.leaf && nesting.is_some();
        if octets.is_empty() {
            return;
        }
        match std::str::from_utf8(&octets).ok().filter(|text| is_xml_text(text.as_bytes())) {
            Some(text) if !leaf && is_blank(text) => {}
            Some(text) => {
                self.close_tag();
                escape(self.out, text, false);
            }
            None => {
                self.close_tag();
                if nesting.is_none_or(|nesting| !self.nested(&octets, nesting)) {
                    self.hex(&octets);
                }
            }
        }
    }

    /// Writes an embedded WBXML document, if `octets` are one.
    fn nested(&mut self, octets: &[u8], nesting: usize) -> bool {
        let plausible = Encoding::detect(octets) == Encoding::Wbxml && octets.len() > 4;
        if !plausible || nesting <= 1 {
            return false;
        }
        let mut inner = String::new();
        let read = write_document(&mut inner, octets, &Options::default(), nesting - 1);
        if read.is_ok() {
            let _ = write!(self.out, "{{wbxml:{inner}}}");
        }
        read.is_ok()
    }

    fn hex(&mut self, octets: &[u8]) {
        self.out.push_str("{hex:");
        for octet in octets {
            let _ = write!(self.out, "{octet:02X}");
        }
        self.out.push('}');
    }
}

fn namespace(ns: Ns, root: &str) -> &str {
    match ns {
        Ns::MetInf => "syncml:metinf",
        Ns::DmDdf => "syncml:dmddf1.2",
        Ns::DevInf => "syncml:devinf",
        Ns::SyncMl | Ns::Prov => root,
        Ns::Other => "",
    }
}

fn escape(out: &mut String, text: &str, attribute: bool) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '"' if attribute => out.push_str("&quot;"),
            _ => out.push(character),
        }
    }
}
