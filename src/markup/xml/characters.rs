//! Which octets are text, and which characters XML takes.

use super::super::{Class, Fault, scan};
use std::borrow::Cow;

pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

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

pub(super) fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// True if XML 1.0 allows every character of `text`, which is UTF-8.
pub fn is_xml_text(text: &[u8]) -> bool {
    not_xml(text).is_none()
}

/// Where the first character stands that XML 1.0 does not allow.
pub(super) fn not_xml(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = scan::special(rest)?;
        match rest.get(at..)? {
            [0..0x20, ..] if !is_space(rest[at]) => return Some(from + at),
            [0xEF, 0xBF, 0xBE | 0xBF, ..] => return Some(from + at),
            _ => from += at + 1,
        }
    }
}

/// `octets` without a uniform run of 00 or FF at the end.
pub(super) fn without_padding(octets: &[u8]) -> &[u8] {
    match octets.last() {
        Some(&fill @ (0x00 | 0xFF)) => {
            let end = octets.iter().rposition(|b| *b != fill).map_or(0, |last| last + 1);
            octets.get(..end).unwrap_or_default()
        }
        _ => octets,
    }
}
