//! Why octets cannot be decoded: class, place, text. Must not know the decoders.

use crate::output::printable;
use dmsc::bytes::tlv;
use dmsc::error::Error;
use dmsc::markup;
use std::fmt;

/// The first fault. The classes `E_...` are the library's stable ones; what only this program finds
/// has a name in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    class: String,
    at: usize,
    what: String,
}

impl Fault {
    /// A fault of `class` at octet `at`.
    pub(crate) fn new(class: &str, at: usize, what: impl Into<String>) -> Self {
        Self { class: class.to_owned(), at, what: what.into() }
    }

    /// The same fault of data that begin at octet `base` of what was given.
    pub(crate) fn behind(mut self, base: usize) -> Self {
        self.at += base;
        self
    }

    /// The same fault with `(note)` behind its text.
    pub(crate) fn noting(mut self, note: impl fmt::Display) -> Self {
        self.what = format!("{} ({note})", self.what);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.class, self.at, printable(&self.what))
    }
}

impl From<markup::Fault> for Fault {
    fn from(fault: markup::Fault) -> Self {
        Self::new(fault.class.name(), fault.at, fault.what)
    }
}

impl From<tlv::Fault> for Fault {
    fn from(fault: tlv::Fault) -> Self {
        let what = match fault.class {
            tlv::Class::Tag => "no tag",
            tlv::Class::Length => "no length, or a value beyond the end",
            tlv::Class::Indefinite => "indefinite length",
        };
        let text = fault.to_string();
        let class = text.split(' ').next().unwrap_or_default();
        Self::new(class, fault.at, what)
    }
}

impl From<Error> for Fault {
    /// From a text like `E_WSP_LENGTH at byte 3: what`, as the readers of triggers and TLV data write.
    fn from(error: Error) -> Self {
        let parsed = error.what().split_once(" at byte ").and_then(|(class, rest)| {
            let (at, what) = rest.split_once(": ")?;
            Some(Self::new(class, at.parse().ok()?, what))
        });
        parsed.unwrap_or_else(|| Self::new(error.code().name(), 0, error.what()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dmsc::error::Code;

    #[test]
    fn texts_of_the_library_become_faults() {
        let error = Error::new(Code::TriggerFormat, "E_WSP_LENGTH at byte 3: a: b");
        assert_eq!(Fault::from(error), Fault::new("E_WSP_LENGTH", 3, "a: b"));
        let error = Error::new(Code::CardBadData, "DODF entry at byte 7: path without file");
        assert_eq!(Fault::from(error).to_string(), "DODF entry at byte 7: path without file");
        let error = Error::new(Code::TooLarge, "DODF of more than 32 objects");
        let text = "DMSC_ERR_TOO_LARGE at byte 0: DODF of more than 32 objects";
        assert_eq!(Fault::from(error).to_string(), text);
        let fault = tlv::Fault { class: tlv::Class::Indefinite, at: 9 };
        let text = "E_TLV_INDEFINITE at byte 9: indefinite length";
        assert_eq!(Fault::from(fault).to_string(), text);
    }

    #[test]
    fn the_place_moves_with_what_is_in_front() {
        let fault = Fault::new("E_TLV_TAG", 2, "no tag").behind(5).noting("line 2");
        assert_eq!(fault.to_string(), "E_TLV_TAG at byte 7: no tag (line 2)");
    }
}
