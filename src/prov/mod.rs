//! Client Provisioning documents (OMA ProvCont 1.1, `wap-provisioningdoc` 1.0 and 1.1): one model with
//! a codec for text XML and WBXML, and typed views of what a DM client can use.
//!
//! [`read`] gives the document as it is, vendor characteristics included; [`Settings::of`] judges its
//! parms; [`Settings::check_references`] what they refer to. Must not know trees, pushes or cards.

mod application;
mod connectivity;
mod own;
mod read;
mod reference;
mod settings;
mod value;
mod write;

pub use crate::markup::Encoding;
pub use application::{AddrType, AppAddr, AppAuth, AuthLevel, DmApplication};
pub use connectivity::{NapAuthInfo, NapDef, Port, PxAuthInfo, PxLogical, PxPhysical, Validity};
pub use read::{read, read_with};
pub use reference::{Reference, Target};
pub use settings::{Access, Bootstrap, Settings, VendorConfig};
pub use write::write;

use std::borrow::Cow;

/// Text of a document.
pub type Text<'a> = Cow<'a, str>;

/// `wap-provisioningdoc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document<'a> {
    /// `1.0` or `1.1`; many senders leave it out or say 1.0 for both.
    pub version: Option<Text<'a>>,
    /// The characteristics of the root in document order.
    pub characteristics: Vec<Characteristic<'a>>,
}

/// `characteristic`. Two are equal if they say the same, wherever they stand.
#[derive(Clone, Debug, Default)]
pub struct Characteristic<'a> {
    /// Its type, for example `NAPDEF`.
    pub kind: Text<'a>,
    /// What it holds, in document order.
    pub members: Vec<Member<'a>>,
    /// Octet of the document where it begins; 0 if it was not read.
    pub at: usize,
}

/// What a characteristic holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member<'a> {
    /// A parm.
    Parm(Parm<'a>),
    /// A characteristic below.
    Characteristic(Characteristic<'a>),
}

/// `parm`. Two are equal if they say the same, wherever they stand.
#[derive(Clone, Default)]
pub struct Parm<'a> {
    /// Its name, for example `NAPID`.
    pub name: Text<'a>,
    /// Its value; `None` on a flag such as `INTERNET`.
    pub value: Option<Text<'a>>,
    /// Octet of the document where it begins; 0 if it was not read.
    pub at: usize,
}

impl PartialEq for Characteristic<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.kind, &self.members) == (&other.kind, &other.members)
    }
}

impl Eq for Characteristic<'_> {}

impl PartialEq for Parm<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.value) == (&other.name, &other.value)
    }
}

impl Eq for Parm<'_> {}

impl std::fmt::Debug for Parm<'_> {
    /// Values may be secrets: only their length is told.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = self.value.as_ref().map(|value| value.len());
        write!(f, "Parm({}, {length:?})", self.name)
    }
}

impl<'a> Characteristic<'a> {
    /// True if its type is `kind`; case does not matter.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }

    /// All parms in document order.
    pub fn parms(&self) -> impl Iterator<Item = &Parm<'a>> {
        self.members.iter().filter_map(|member| match member {
            Member::Parm(parm) => Some(parm),
            Member::Characteristic(_) => None,
        })
    }

    /// The parms called `name` (case does not matter), in document order, which is their priority.
    pub fn parms_of<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Parm<'a>> {
        self.parms().filter(move |parm| parm.name.eq_ignore_ascii_case(name))
    }

    /// The first value of parm `name` that is not empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parms().filter(|parm| parm.name.eq_ignore_ascii_case(name)).find_map(Parm::filled)
    }

    /// True if parm `name` is there, with or without value.
    pub fn has(&self, name: &str) -> bool {
        self.parms_of(name).next().is_some()
    }

    /// All characteristics right below in document order.
    pub fn characteristics(&self) -> impl Iterator<Item = &Characteristic<'a>> {
        self.members.iter().filter_map(|member| match member {
            Member::Characteristic(inner) => Some(inner),
            Member::Parm(_) => None,
        })
    }

    /// The characteristics right below of type `kind`, in document order.
    pub fn characteristics_of<'s>(
        &'s self,
        kind: &'s str,
    ) -> impl Iterator<Item = &'s Characteristic<'a>> {
        self.characteristics().filter(move |inner| inner.is(kind))
    }
}

impl Parm<'_> {
    /// The value, unless it is empty: senders write empty values for what they do not know.
    pub fn filled(&self) -> Option<&str> {
        self.value.as_deref().filter(|value| !value.is_empty())
    }
}
