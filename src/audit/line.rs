//! The one form of a record: a JSON object in one line, its members in a fixed order, without blanks.
//!
//! Owns the writing of members and the reading of the ones that hold the chain together.

use super::key::P256;
use super::{Hash, PublicKey, SIGNATURE_OCTETS};
use crate::bytes::hex;
use std::fmt::Write as _;

/// The member that ends a seal; what stands before it is signed.
pub(super) const SIGNATURE: &str = ",\"sig\":\"";

/// A record that is being written.
#[derive(Debug)]
pub(super) struct Line(String);

impl Line {
    /// A record with the members that each one begins with.
    pub(super) fn new(seq: u64, prev: &Hash, unix_s: i64, kind: &str) -> Self {
        let prev = lower(prev);
        Self(format!("{{\"seq\":{seq},\"prev\":\"{prev}\",\"time\":{unix_s},\"kind\":\"{kind}\""))
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        // Writing to a String cannot fail.
        let _ = write!(self.0, ",\"{name}\":{number}");
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        let _ = write!(self.0, ",\"{name}\":");
        self.quote(text);
    }

    pub(super) fn hex(&mut self, name: &str, octets: &[u8]) {
        let _ = write!(self.0, ",\"{name}\":\"{}\"", lower(octets));
    }

    pub(super) fn texts(&mut self, name: &str, texts: &[String]) {
        let _ = write!(self.0, ",\"{name}\":[");
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            self.quote(text);
        }
        self.0.push(']');
    }

    /// The record so far, without its end.
    pub(super) fn open(&self) -> &str {
        &self.0
    }

    /// The whole record, without the line feed.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }

    /// Quotation marks, backslashes and controls are escaped, nothing else is.
    fn quote(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                c if c.is_control() => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(c));
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}

/// Octets in lower-case hexadecimal.
pub(super) fn lower(octets: &[u8]) -> String {
    hex::encode(octets).to_ascii_lowercase()
}

/// The members of a record that hold the chain together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link<'l> {
    pub(super) seq: u64,
    pub(super) prev: Hash,
    pub(super) time: i64,
    pub(super) kind: &'l str,
    /// What follows `kind`, without the brace.
    pub(super) rest: &'l str,
}

impl<'l> Link<'l> {
    /// Reads a record. `None` if it does not begin and end as every record does.
    pub(super) fn read(line: &'l [u8]) -> Option<Self> {
        let mut text = Scan(std::str::from_utf8(line).ok()?);
        text.skip("{\"seq\":")?;
        let seq = text.number()?;
        text.skip(",\"prev\":")?;
        let prev = text.hex()?;
        text.skip(",\"time\":")?;
        let time = text.signed()?;
        text.skip(",\"kind\":\"")?;
        let (kind, rest) = text.0.split_once('"')?;
        let rest = rest.strip_suffix('}')?;
        let known = kind.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-');
        known.then_some(Self { seq, prev, time, kind, rest })
    }

    /// Key, signed octets and signature of a seal.
    pub(super) fn seal(
        &self,
        line: &'l [u8],
    ) -> Option<(PublicKey, &'l [u8], [u8; SIGNATURE_OCTETS])> {
        let mut rest = Scan(self.rest);
        let key = match rest.skip(",\"alg\":\"") {
            None => {
                rest.skip(",\"key\":")?;
                PublicKey::Ed25519(rest.hex()?)
            }
            Some(()) => {
                rest.skip(P256)?;
                rest.skip("\",\"key\":")?;
                PublicKey::P256(rest.hex()?)
            }
        };
        rest.skip(",\"sig\":")?;
        let signature = rest.hex()?;
        // The signature with its quotation mark and the brace are what is not signed.
        let unsigned = SIGNATURE.len() + 2 * signature.len() + 2;
        let signed = line.get(..line.len().checked_sub(unsigned)?)?;
        rest.0.is_empty().then_some((key, signed, signature))
    }

    /// First record kept and hash of the one before it, of a checkpoint.
    pub(super) fn checkpoint(&self) -> Option<(u64, Hash)> {
        let mut rest = Scan(self.rest);
        rest.skip(",\"first\":")?;
        let first = rest.number()?;
        rest.skip(",\"before\":")?;
        let before = rest.hex()?;
        rest.0.is_empty().then_some((first, before))
    }
}

/// Reading of members in their one form.
struct Scan<'l>(&'l str);

impl Scan<'_> {
    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    fn signed(&mut self) -> Option<i64> {
        let negative = self.skip("-").is_some();
        let number = i64::try_from(self.number()?).ok()?;
        Some(if negative { -number } else { number })
    }

    /// Lower-case hexadecimal in quotation marks.
    fn hex<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.skip("\"")?;
        let (digits, rest) = self.0.split_at_checked(2 * N)?;
        if digits.bytes().any(|octet| octet.is_ascii_uppercase()) {
            return None;
        }
        self.0 = rest.strip_prefix('"')?;
        hex::decode(digits).ok()?.try_into().ok()
    }
}
