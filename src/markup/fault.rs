//! Why a document cannot be read: a class, the octet, and a text.
//!
//! Owns the classes; must not know the readers.

use crate::error::{Code, Error};
use std::fmt;

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident $name:literal;)*) => {
        /// Classes of faults. The names are stable and are part of the error texts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Class { $($(#[$doc])* $class,)* }

        impl Class {
            /// The stable name, for example `E_TRUNCATED`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$class => $name,)* }
            }
        }
    };
}

classes! {
    /// No octets.
    Empty "E_EMPTY";
    /// Data ends in the header, before the root, or inside a token.
    Truncated "E_TRUNCATED";
    /// The version is none of 1.0 to 1.3.
    Version "E_VERSION";
    /// No known document type.
    PublicIdUnknown "E_PUBLIC_ID_UNKNOWN";
    /// A known document type, but not the expected one.
    PublicIdMismatch "E_PUBLIC_ID_MISMATCH";
    /// A character set that is not supported.
    Charset "E_CHARSET";
    /// The string table is longer than the document.
    StrtblLength "E_STRTBL_LENGTH";
    /// A reference to an empty string table.
    StrtblMissing "E_STRTBL_MISSING";
    /// A reference beyond the string table.
    StrtblIndex "E_STRTBL_INDEX";
    /// A string of the table has no end.
    StrtblUnterminated "E_STRTBL_UNTERMINATED";
    /// A multi-byte integer above 32 bits.
    MbintOverflow "E_MBINT_OVERFLOW";
    /// An inline string has no end.
    StrUnterminated "E_STR_UNTERMINATED";
    /// Octets that are invalid in the character set.
    StrEncoding "E_STR_ENCODING";
    /// OPAQUE longer than the document.
    OpaqueLength "E_OPAQUE_LENGTH";
    /// ENTITY is no character.
    EntityInvalid "E_ENTITY_INVALID";
    /// An extension token.
    ExtUnsupported "E_EXT_UNSUPPORTED";
    /// An element the vocabulary does not have.
    TagUnknown "E_TAG_UNKNOWN";
    /// A code page the document type does not have.
    CodepageUnknown "E_CODEPAGE_UNKNOWN";
    /// An attribute on an element that has none.
    AttrUnexpected "E_ATTR_UNEXPECTED";
    /// A malformed attribute list.
    AttrSyntax "E_ATTR_SYNTAX";
    /// An attribute the vocabulary does not have.
    AttrUnknown "E_ATTR_UNKNOWN";
    /// An attribute value token the vocabulary does not have.
    AttrValueUnknown "E_ATTRVALUE_UNKNOWN";
    /// The same attribute twice.
    AttrDuplicate "E_ATTR_DUPLICATE";
    /// Something else than the document type's root element.
    Root "E_ROOT";
    /// Elements are open at the end.
    Unclosed "E_UNCLOSED";
    /// Something follows the root element.
    TrailingData "E_TRAILING_DATA";
    /// Elements are nested too deep.
    Depth "E_DEPTH";
    /// A size limit was reached.
    Limit "E_LIMIT";
    /// An embedded document cannot be read.
    NestedDoc "E_NESTED_DOC";
    /// Elements or text where they must not be, missing, or repeated.
    ContentModel "E_CONTENT_MODEL";
    /// Text XML that is not well-formed.
    XmlSyntax "E_XML_SYNTAX";
    /// Text XML with an internal subset.
    XmlDtd "E_XML_DTD";
    /// A provisioning parm with an unusable value, or a required one that is missing.
    CpParm "E_CP_PARM";
    /// A provisioning parm names an object that does not exist.
    CpReference "E_CP_REFERENCE";
}

/// A document cannot be read: the first fault in octet order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The class.
    pub class: Class,
    /// Offset in octets. A reader of text XML that is handed the UTF-8 form of another character set
    /// counts in that.
    pub at: usize,
    /// What is wrong; never content of the document.
    pub what: &'static str,
}

impl Fault {
    /// A fault of `class` at octet `at`.
    pub const fn new(class: Class, at: usize, what: &'static str) -> Self {
        Self { class, at, what }
    }

    /// The same fault of the UTF-8 form of `source`, with its place in `source`, which is ISO-8859-1.
    pub fn in_latin1(mut self, source: &[u8]) -> Self {
        let mut utf8 = 0;
        let before = source.iter().take_while(|octet| {
            utf8 += if octet.is_ascii() { 1 } else { 2 };
            utf8 <= self.at
        });
        self.at = before.count();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} at byte {})", self.what, self.class.name(), self.at)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let code = match fault.class {
            Class::Depth | Class::Limit => Code::TooLarge,
            _ => Code::Syntax,
        };
        Self::new(code, fault.to_string())
    }
}
