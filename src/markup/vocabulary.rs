//! Elements and attributes as numbers: namespaces, tags, code pages, and the look-up by name.
//!
//! Owns the types of the token tables; must not know how a document is coded.

use super::tables;

/// The namespace of an element, which is one code page of its document type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ns {
    /// `SYNCML:SYNCML1.2` and its predecessors.
    SyncMl,
    /// `syncml:metinf`.
    MetInf,
    /// `syncml:dmddf1.2`: DDF and TNDS.
    DmDdf,
    /// `syncml:devinf`.
    DevInf,
    /// Client Provisioning, which has no namespace.
    Prov,
    /// Anything else; only text XML can hold it.
    Other,
}

/// The code pages in the order of [`Ns`].
static PAGES: [&Page; 6] = [
    &tables::syncml::PAGE,
    &tables::metinf::PAGE,
    &tables::dmddf::PAGE,
    &tables::devinf::PAGE,
    &tables::prov::PAGE,
    &NO_PAGE,
];

impl Ns {
    /// The code page whose elements these are.
    #[inline]
    pub(super) fn page(self) -> &'static Page {
        PAGES[self as usize]
    }

    /// The element called `name` (case-sensitive), if the namespace has it.
    pub fn tag(self, name: &str) -> Option<Tag> {
        let page = self.page();
        let mut slot = hash(name.as_bytes());
        loop {
            let token = page.index[slot];
            if token == 0 {
                return None;
            }
            if page.names[token as usize] == name {
                return Some(Tag::new(self, token));
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// An element of one of the vocabularies.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(u16);

impl Tag {
    /// An element that no vocabulary has; only text XML can hold it.
    pub const OTHER: Self = Self::new(Ns::Other, 0);

    pub(super) const fn new(ns: Ns, token: u8) -> Self {
        Self((ns as u16) << 8 | token as u16)
    }

    /// The element's namespace.
    #[inline]
    pub fn ns(self) -> Ns {
        match self.0 >> 8 {
            0 => Ns::SyncMl,
            1 => Ns::MetInf,
            2 => Ns::DmDdf,
            3 => Ns::DevInf,
            4 => Ns::Prov,
            _ => Ns::Other,
        }
    }

    /// The identity octet, `05` to `3F`.
    pub(super) fn token(self) -> u8 {
        (self.0 & 0x3F) as u8
    }

    /// The number of the code page that has it.
    #[inline]
    pub(super) fn page_number(self) -> u8 {
        self.ns().page().number
    }

    /// The element's local name; empty for [`Tag::OTHER`].
    pub fn name(self) -> &'static str {
        self.ns().page().name(self.token())
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}:{}", self.ns(), self.name())
    }
}

/// An attribute; only provisioning documents have any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Attr {
    /// `name` of `parm`.
    Name,
    /// `value` of `parm`.
    Value,
    /// `type` of `characteristic`.
    Type,
    /// `version` of `wap-provisioningdoc`.
    Version,
}

impl Attr {
    /// The attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
            Self::Type => "type",
            Self::Version => "version",
        }
    }

    /// The attribute called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Name, Self::Value, Self::Type, Self::Version].into_iter().find(|a| a.name() == name)
    }
}

/// Slots of a page's name index; twice the largest page.
const SLOTS: usize = 128;

/// One code page of elements.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) ns: Ns,
    /// The page's number in a WBXML document.
    pub(super) number: u8,
    /// Name by identity octet; empty if unassigned.
    names: [&'static str; 64],
    /// Identity octets by hashed name, open addressing, 0 is free.
    index: [u8; SLOTS],
}

/// A page without elements: page 0 of documents that start with a switch.
pub(super) static NO_PAGE: Page = Page::new(Ns::Other, 0, &[]);

impl Page {
    pub(super) const fn new(ns: Ns, number: u8, tokens: &[(u8, &'static str)]) -> Self {
        let mut page = Self { ns, number, names: [""; 64], index: [0; SLOTS] };
        let mut i = 0;
        while i < tokens.len() {
            let (token, name) = tokens[i];
            page.names[token as usize] = name;
            let mut slot = hash(name.as_bytes());
            while page.index[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            page.index[slot] = token;
            i += 1;
        }
        page
    }

    /// Name of the identity octet `token` (its low six bits); empty if unassigned.
    #[inline]
    pub(super) fn name(&self, token: u8) -> &'static str {
        self.names[(token & 0x3F) as usize]
    }
}

/// Spreads the names of a page; first, middle and last letter and the length tell most apart.
const fn hash(name: &[u8]) -> usize {
    let length = name.len();
    if length == 0 {
        return 0;
    }
    let (first, middle, last) = (name[0], name[length / 2], name[length - 1]);
    (length * 9 + first as usize * 5 + middle as usize * 23 + last as usize * 3) % SLOTS
}

/// One code page of attribute starts and attribute values.
#[derive(Debug)]
pub(super) struct AttrPage {
    starts: &'static [(u8, Attr, &'static str)],
    values: &'static [(u8, &'static str)],
}

impl AttrPage {
    pub(super) const fn new(
        starts: &'static [(u8, Attr, &'static str)],
        values: &'static [(u8, &'static str)],
    ) -> Self {
        Self { starts, values }
    }

    /// The attribute of start token `token` and the beginning of its value.
    pub(super) fn start(&self, token: u8) -> Option<(Attr, &'static str)> {
        let at = self.starts.binary_search_by_key(&token, |entry| entry.0).ok()?;
        self.starts.get(at).map(|entry| (entry.1, entry.2))
    }

    /// The text of value token `token`.
    pub(super) fn value(&self, token: u8) -> Option<&'static str> {
        let at = self.values.binary_search_by_key(&token, |entry| entry.0).ok()?;
        self.values.get(at).map(|entry| entry.1)
    }

    /// The start token of `attr` whose value begins with exactly `prefix`.
    pub(super) fn start_token(&self, attr: Attr, prefix: &str) -> Option<u8> {
        self.starts.iter().find(|e| e.1 == attr && e.2 == prefix).map(|e| e.0)
    }

    /// The value token of exactly `text`.
    pub(super) fn value_token(&self, text: &str) -> Option<u8> {
        self.values.iter().find(|e| e.1 == text).map(|e| e.0)
    }
}

/// Defines a module with one constant for each element of a code page.
macro_rules! tag_page {
    ($(#[$doc:meta])* $module:ident: $ns:ident $number:literal
     $($token:literal $constant:ident $name:literal,)*) => {
        $(#[$doc])*
        pub mod $module {
            use super::{Ns, Page};
            use crate::markup::Tag;
            $(#[doc = concat!("`", $name, "`")]
            pub const $constant: Tag = Tag::new(Ns::$ns, $token);)*
            pub(in crate::markup) static PAGE: Page =
                Page::new(Ns::$ns, $number, &[$(($token, $name)),*]);
        }
    };
}
pub(super) use tag_page;

/// Defines the attribute starts and values of a code page.
macro_rules! attr_page {
    ($(#[$doc:meta])* $page:ident starts $($start:literal $attr:ident $prefix:literal,)*
     values $($value:literal $text:literal,)*) => {
        $(#[$doc])*
        pub(super) static $page: AttrPage =
            AttrPage::new(&[$(($start, Attr::$attr, $prefix)),*], &[$(($value, $text)),*]);
    };
}
pub(super) use attr_page;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_every_page_is_found_again() {
        for ns in [Ns::SyncMl, Ns::MetInf, Ns::DmDdf, Ns::DevInf, Ns::Prov] {
            for token in 5..0x40 {
                let name = ns.page().name(token);
                if !name.is_empty() {
                    assert_eq!(ns.tag(name), Some(Tag::new(ns, token)), "{name}");
                }
            }
            assert_eq!(ns.tag("Nonsense"), None);
            assert_eq!(ns.tag(""), None);
        }
        assert_eq!(tables::dmddf::NODE.name(), "Node");
        assert_eq!(tables::dmddf::NODE_FORMAT.name(), "node");
    }

    #[test]
    fn attribute_tables_are_sorted() {
        for page in [&tables::PROV_0, &tables::PROV_1] {
            assert!(page.starts.is_sorted_by_key(|e| e.0));
            assert!(page.values.is_sorted_by_key(|e| e.0));
        }
        assert_eq!(tables::PROV_1.start(0x36), Some((Attr::Name, "APPID")));
        assert_eq!(tables::PROV_0.value(0xE0), Some("AAA"));
    }
}
