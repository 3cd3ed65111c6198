//! Document types: public identifiers, namespaces, code pages, limits of nesting.
//!
//! Owns what is fixed for a type; must not know the readers and writers.

use super::Encoding;
use super::tables::{self, devinf, dmddf, metinf, prov, syncml};
use super::vocabulary::{AttrPage, NO_PAGE, Ns, Page, Tag};
use crate::limits;

/// A kind of document the library reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocType {
    /// SyncML message.
    SyncMl,
    /// MetInf on its own.
    MetInf,
    /// Device information on its own.
    DevInf,
    /// `MgmtTree`: TNDS object or DDF.
    Tnds,
    /// Client Provisioning document.
    Prov,
}

/// A public identifier (SyncML RepPro 1.2; DM TND 1.2; OMA ProvCont 1.1).
#[derive(Debug)]
pub struct PublicId {
    /// What it identifies.
    pub doc: DocType,
    /// Registered number; 0 if there is none.
    pub number: u32,
    /// Formal public identifier.
    pub text: &'static str,
    /// XML namespace of the root; empty if the type has none.
    pub namespace: &'static str,
}

const fn public_id(
    doc: DocType,
    number: u32,
    text: &'static str,
    namespace: &'static str,
) -> PublicId {
    PublicId { doc, number, text, namespace }
}

/// All public identifiers; of each type the one to write comes first.
static PUBLIC_IDS: [PublicId; 12] = [
    public_id(DocType::SyncMl, 0x1201, "-//SYNCML//DTD SyncML 1.2//EN", "SYNCML:SYNCML1.2"),
    public_id(DocType::SyncMl, 0x0FD3, "-//SYNCML//DTD SyncML 1.1//EN", "SYNCML:SYNCML1.1"),
    public_id(DocType::SyncMl, 0x0FD1, "-//SYNCML//DTD SyncML 1.0//EN", "SYNCML:SYNCML1.0"),
    public_id(DocType::Tnds, 0, "-//OMA//DTD-DM-DDF 1.2//EN", "syncml:dmddf1.2"),
    public_id(DocType::Prov, 0x0B, "-//WAPFORUM//DTD PROV 1.0//EN", ""),
    public_id(DocType::DevInf, 0x1203, "-//SYNCML//DTD DevInf 1.2//EN", "syncml:devinf"),
    public_id(DocType::DevInf, 0x0FD4, "-//SYNCML//DTD DevInf 1.1//EN", "syncml:devinf"),
    public_id(DocType::DevInf, 0x0FD2, "-//SYNCML//DTD DevInf 1.0//EN", "syncml:devinf"),
    public_id(DocType::MetInf, 0x1202, "-//SYNCML//DTD MetInf 1.2//EN", "syncml:metinf"),
    public_id(DocType::MetInf, 0, "-//OMA//DTD SYNCML-METINF 1.2//EN", "syncml:metinf"),
    public_id(DocType::MetInf, 0, "-//SYNCML//DTD MetInf 1.1//EN", "syncml:metinf"),
    public_id(DocType::MetInf, 0, "-//SYNCML//DTD MetInf 1.0//EN", "syncml:metinf"),
];

impl PublicId {
    /// The identifier with this registered number.
    pub(super) fn by_number(number: u32) -> Option<&'static Self> {
        PUBLIC_IDS.iter().find(|id| id.number == number && number != 0)
    }

    /// The identifier with this text, blanks around it and case ignored.
    pub(super) fn by_text(text: &str) -> Option<&'static Self> {
        let text = text.trim();
        PUBLIC_IDS.iter().find(|id| id.text.eq_ignore_ascii_case(text))
    }

    /// The identifier whose root has this XML namespace.
    pub(super) fn by_namespace(namespace: &str) -> Option<&'static Self> {
        let exact = PUBLIC_IDS.iter().find(|id| id.namespace == namespace);
        exact
            .or_else(|| PUBLIC_IDS.iter().find(|id| same_namespace(id.namespace, namespace)))
            .filter(|id| !id.namespace.is_empty())
    }
}

/// Compares without case and blanks: `SYNCML: SYNCML1.2` is in the field.
fn same_namespace(known: &str, found: &str) -> bool {
    found
        .bytes()
        .filter(|b| !b.is_ascii_whitespace())
        .map(|b| b.to_ascii_lowercase())
        .eq(known.bytes().map(|b| b.to_ascii_lowercase()))
}

impl DocType {
    /// The identifier to write.
    pub fn public_id(self) -> &'static PublicId {
        match self {
            Self::SyncMl => &PUBLIC_IDS[0],
            Self::Tnds => &PUBLIC_IDS[3],
            Self::Prov => &PUBLIC_IDS[4],
            Self::DevInf => &PUBLIC_IDS[5],
            Self::MetInf => &PUBLIC_IDS[8],
        }
    }

    /// The root element.
    pub fn root(self) -> Tag {
        match self {
            Self::SyncMl => syncml::SYNCML,
            Self::MetInf => metinf::MET_INF,
            Self::DevInf => devinf::DEV_INF,
            Self::Tnds => dmddf::MGMT_TREE,
            Self::Prov => prov::WAP_PROVISIONINGDOC,
        }
    }

    /// The media type.
    pub fn mime(self, encoding: Encoding) -> &'static str {
        match (self, encoding) {
            (Self::SyncMl | Self::MetInf, Encoding::Wbxml) => "application/vnd.syncml.dm+wbxml",
            (Self::SyncMl | Self::MetInf, Encoding::Xml) => "application/vnd.syncml.dm+xml",
            (Self::Tnds, Encoding::Wbxml) => "application/vnd.syncml.dmtnds+wbxml",
            (Self::Tnds, Encoding::Xml) => "application/vnd.syncml.dmtnds+xml",
            (Self::DevInf, Encoding::Wbxml) => "application/vnd.syncml-devinf+wbxml",
            (Self::DevInf, Encoding::Xml) => "application/vnd.syncml-devinf+xml",
            (Self::Prov, Encoding::Wbxml) => "application/vnd.wap.connectivity-wbxml",
            (Self::Prov, Encoding::Xml) => "text/vnd.wap.connectivity-xml",
        }
    }

    /// The type whose root element has this name, for text XML without namespace.
    pub(super) fn by_root(name: &str) -> Option<Self> {
        [Self::SyncMl, Self::Tnds, Self::Prov, Self::DevInf, Self::MetInf]
            .into_iter()
            .find(|doc| doc.root().name() == name)
    }

    /// The code pages of elements by number. Page 0 always exists, since documents start on it.
    pub(super) fn pages(self) -> &'static [Option<&'static Page>] {
        const EMPTY: Option<&Page> = Some(&NO_PAGE);
        const SYNC_ML: Option<&Page> = Some(&tables::syncml::PAGE);
        const MET_INF: Option<&Page> = Some(&tables::metinf::PAGE);
        const DM_DDF: Option<&Page> = Some(&tables::dmddf::PAGE);
        const DEV_INF: Option<&Page> = Some(&tables::devinf::PAGE);
        const PROV: Option<&Page> = Some(&tables::prov::PAGE);
        match self {
            Self::SyncMl => &[SYNC_ML, MET_INF, DM_DDF],
            Self::MetInf => &[EMPTY, MET_INF],
            Self::Tnds => &[EMPTY, None, DM_DDF],
            Self::DevInf => &[DEV_INF],
            Self::Prov => &[PROV, PROV],
        }
    }

    /// Code page `number` of attributes; `None` also if the type has no attributes.
    pub(super) fn attr_page(self, number: u8) -> Option<&'static AttrPage> {
        match (self, number) {
            (Self::Prov, 0) => Some(&tables::PROV_0),
            (Self::Prov, 1) => Some(&tables::PROV_1),
            _ => None,
        }
    }

    /// The namespaces whose elements the type may hold.
    pub(super) fn namespaces(self) -> &'static [Ns] {
        match self {
            Self::SyncMl => &[Ns::SyncMl, Ns::MetInf, Ns::DmDdf],
            Self::MetInf => &[Ns::MetInf],
            Self::DevInf => &[Ns::DevInf],
            Self::Tnds => &[Ns::DmDdf],
            Self::Prov => &[Ns::Prov],
        }
    }

    /// Deepest nesting of elements. A TNDS object has the limit's depth of nodes and what is in a node.
    pub(super) fn depth(self) -> usize {
        match self {
            Self::Tnds => limits::MARKUP_DEPTH + 8,
            _ => limits::MARKUP_DEPTH,
        }
    }

    /// Most elements and attributes.
    pub(super) fn nodes(self) -> usize {
        match self {
            Self::Tnds => limits::TNDS_ELEMENTS,
            _ => limits::MARKUP_NODES,
        }
    }

    /// Most octets.
    pub(super) fn octets(self) -> usize {
        match self {
            Self::Tnds => limits::TNDS_OCTETS,
            _ => limits::MARKUP_OCTETS,
        }
    }
}
