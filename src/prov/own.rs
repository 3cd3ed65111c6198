//! Documents with text of their own.
//!
//! Only copies; must not know what anything means.

use super::{Characteristic, Document, Member, Parm, Text};
use std::borrow::Cow;

impl Document<'_> {
    /// The same document with text of its own.
    pub fn into_owned(self) -> Document<'static> {
        Document {
            version: self.version.map(own),
            characteristics: self
                .characteristics
                .into_iter()
                .map(Characteristic::into_owned)
                .collect(),
        }
    }
}

impl Characteristic<'_> {
    /// The same characteristic with text of its own.
    pub fn into_owned(self) -> Characteristic<'static> {
        let members = self.members.into_iter().map(Member::into_owned).collect();
        Characteristic { kind: own(self.kind), members, at: self.at }
    }
}

impl Member<'_> {
    fn into_owned(self) -> Member<'static> {
        match self {
            Self::Parm(Parm { name, value, at }) => {
                Member::Parm(Parm { name: own(name), value: value.map(own), at })
            }
            Self::Characteristic(inner) => Member::Characteristic(inner.into_owned()),
        }
    }
}

fn own(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}
