//! The record of a node: its properties without the value, and where it came from.
//!
//! Owns the record's binary form in the store. Decides nothing.

use super::acl::Acl;
use super::format::Format;
use crate::bytes::pack::{self, Unpack};
use crate::error::{Code, Error, Result};
use bitflags::bitflags;

/// First octet of a record.
const VERSION: u8 = 1;
/// Flag octet: the node is permanent.
const PERMANENT: u8 = 0x01;
/// Octets of a record besides its texts and what its origin has.
const FIXED: usize = 25;

bitflags! {
    /// AccessType: the commands a node allows, whatever its ACL says.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u8 {
        /// To be created, or for a node without description: to have nodes created below it.
        const ADD = 0x01;
        /// To be the source of a copy.
        const COPY = 0x02;
        /// To be deleted.
        const DELETE = 0x04;
        /// To be run.
        const EXEC = 0x08;
        /// To be read.
        const GET = 0x10;
        /// To be changed.
        const REPLACE = 0x20;
    }
}

/// How a node came into the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The library or its host set it up.
    #[default]
    Host,
    /// It was there when the device left the factory.
    Factory,
    /// A bootstrap message that was pushed or given by the host.
    Bootstrap,
    /// A card: its slot, and a hash of its ICCID.
    Card {
        /// Slot of the card.
        slot: u32,
        /// Hash of the ICCID, so that the number itself is not stored.
        iccid_hash: [u8; 16],
    },
    /// The server with this identifier.
    Server(String),
}

/// A node without its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Format property.
    pub format: Format,
    /// Type property: MIME type of a leaf, management object identifier (or empty) of an interior node.
    pub mime: String,
    /// Title property.
    pub title: String,
    /// ACL property; empty means as the parent.
    pub acl: Acl,
    /// Last change, seconds since 1970-01-01 UTC.
    pub tstamp: i64,
    /// VerNo property.
    pub ver_no: u16,
    /// Octets of the value.
    pub size: u32,
    /// A server can neither delete nor rename it.
    pub permanent: bool,
    /// Commands it allows; for nodes of a standard object its description counts instead.
    pub access: Access,
    /// Where it came from.
    pub origin: Origin,
}

impl Default for Access {
    /// Everything but Exec, which needs somebody to run it.
    fn default() -> Self {
        Self::all().difference(Self::EXEC)
    }
}

/// A node as it is written, its texts borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'r> {
    pub(super) format: Format,
    pub(super) mime: &'r str,
    pub(super) title: &'r str,
    /// As [`Acl::as_str`].
    pub(super) acl: &'r str,
    pub(super) tstamp: i64,
    pub(super) ver_no: u16,
    pub(super) size: u32,
    pub(super) permanent: bool,
    pub(super) access: Access,
    pub(super) origin: &'r Origin,
}

impl Node {
    /// Notes a change at `unix_s`.
    pub(super) fn touch(&mut self, unix_s: i64) {
        self.tstamp = unix_s;
        self.ver_no = self.ver_no.wrapping_add(1);
    }

    pub(super) fn record(&self) -> Record<'_> {
        Record {
            format: self.format,
            mime: &self.mime,
            title: &self.title,
            acl: self.acl.as_str(),
            tstamp: self.tstamp,
            ver_no: self.ver_no,
            size: self.size,
            permanent: self.permanent,
            access: self.access,
            origin: &self.origin,
        }
    }

    pub(super) fn decode(record: &[u8]) -> Result<Self> {
        decode(record).ok_or_else(damaged)
    }
}

impl Record<'_> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let flags = if self.permanent { PERMANENT } else { 0 };
        let texts = [self.mime, self.title, self.acl];
        let of_origin = match self.origin {
            Origin::Host | Origin::Factory | Origin::Bootstrap => 0,
            Origin::Card { .. } => 4 + 16,
            Origin::Server(server) => 2 + server.len(),
        };
        let octets: usize = texts.iter().map(|text| text.len()).sum();
        let mut out = Vec::with_capacity(FIXED + octets + of_origin);
        out.extend_from_slice(&[VERSION, self.format as u8, flags, self.access.bits()]);
        out.extend_from_slice(&self.tstamp.to_be_bytes());
        out.extend_from_slice(&self.ver_no.to_be_bytes());
        out.extend_from_slice(&self.size.to_be_bytes());
        for text in texts {
            pack::put(&mut out, text.as_bytes());
        }
        match self.origin {
            Origin::Host => out.push(0),
            Origin::Factory => out.push(1),
            Origin::Bootstrap => out.push(2),
            Origin::Card { slot, iccid_hash } => {
                out.push(3);
                out.extend_from_slice(&slot.to_be_bytes());
                out.extend_from_slice(iccid_hash);
            }
            Origin::Server(server) => {
                out.push(4);
                pack::put(&mut out, server.as_bytes());
            }
        }
        out
    }
}

fn damaged() -> Error {
    Error::new(Code::StorageCorrupt, "tree: a node's record in the store is damaged")
}

/// What of a record is read most often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glance<'r> {
    pub(super) format: Format,
    pub(super) mime: &'r str,
    pub(super) acl: &'r str,
}

impl<'r> Glance<'r> {
    pub(super) fn at(record: &'r [u8]) -> Result<Self> {
        Self::read(record).ok_or_else(damaged)
    }

    fn read(record: &'r [u8]) -> Option<Self> {
        let mut input = Unpack(record);
        let [version, format, _flags, _access] = input.array()?;
        // Time, number of changes and size.
        input.array::<14>()?;
        let (mime, _title, acl) = (input.text()?, input.octets()?, input.text()?);
        (version == VERSION).then_some(Self { format: Format::from_number(format)?, mime, acl })
    }
}

fn decode(record: &[u8]) -> Option<Node> {
    let mut input = Unpack(record);
    let [version, format, flags, access] = input.array()?;
    if version != VERSION {
        return None;
    }
    let node = Node {
        format: Format::from_number(format)?,
        permanent: flags & PERMANENT != 0,
        access: Access::from_bits(access)?,
        tstamp: i64::from_be_bytes(input.array()?),
        ver_no: u16::from_be_bytes(input.array()?),
        size: u32::from_be_bytes(input.array()?),
        mime: input.text()?.to_owned(),
        title: input.text()?.to_owned(),
        acl: Acl::from_record(input.text()?),
        origin: decode_origin(&mut input)?,
    };
    input.end(node)
}

fn decode_origin(input: &mut Unpack<'_>) -> Option<Origin> {
    let [kind] = input.array()?;
    Some(match kind {
        0 => Origin::Host,
        1 => Origin::Factory,
        2 => Origin::Bootstrap,
        3 => {
            let slot = u32::from_be_bytes(input.array()?);
            Origin::Card { slot, iccid_hash: input.array()? }
        }
        4 => Origin::Server(input.text()?.to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin() -> impl Strategy<Value = Origin> {
        prop_oneof![
            Just(Origin::Host),
            Just(Origin::Factory),
            Just(Origin::Bootstrap),
            (any::<u32>(), any::<[u8; 16]>())
                .prop_map(|(slot, iccid_hash)| Origin::Card { slot, iccid_hash }),
            "[a-z.]{1,40}".prop_map(Origin::Server),
        ]
    }

    proptest! {
        #[test]
        fn a_record_survives_the_store(
            number in 0u8..11,
            texts in (".{0,40}", ".{0,40}"),
            numbers in (any::<i64>(), any::<u16>(), any::<u32>()),
            permanent: bool,
            access in 0u8..64,
            origin in origin(),
            acl in "(Get=\\*)?",
        ) {
            let node = Node {
                format: Format::from_number(number).unwrap(),
                mime: texts.0,
                title: texts.1,
                acl: Acl::parse(&acl).unwrap(),
                tstamp: numbers.0,
                ver_no: numbers.1,
                size: numbers.2,
                permanent,
                access: Access::from_bits(access).unwrap(),
                origin,
            };
            let record = node.record().encode();
            prop_assert_eq!(record.capacity(), record.len());
            let glance = Glance { format: node.format, mime: &node.mime, acl: &acl };
            prop_assert_eq!(Glance::at(&record).unwrap(), glance);
            prop_assert_eq!(Node::decode(&record).unwrap(), node);
        }

        #[test]
        fn a_damaged_record_is_an_error_not_a_panic(record in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = (Node::decode(&record), Glance::at(&record));
        }
    }

    #[test]
    fn every_cut_of_a_record_is_refused() {
        let record = Node { mime: "text/plain".into(), ..Node::default() }.record().encode();
        for end in 0..record.len() {
            assert_eq!(Node::decode(&record[..end]).unwrap_err().code(), Code::StorageCorrupt);
        }
    }

    #[test]
    fn dm_185_the_version_number_wraps() {
        let mut node = Node { ver_no: 65_535, ..Node::default() };
        node.touch(7);
        assert_eq!((node.ver_no, node.tstamp), (0, 7));
    }
}
