//! The content of EF(ODF) and EF(DODF) (PKCS#15 v1.1 clauses 5.5, 6.3, 6.8): which data objects
//! there are and where. Must not send anything.
//!
//! Written for what cards hold, not for what they should: an entry that cannot be used is passed
//! over and reported, and what comes before damaged data still counts.

use crate::bytes::tlv::{Fill, Reader, Tlv};
use crate::card::file::Slice;
use crate::error::{Code, Error};
use der::asn1::ObjectIdentifier;
use std::fmt;

const SEQUENCE: u32 = 0x30;
const OCTET_STRING: u32 = 0x04;
const OBJECT_IDENTIFIER: u32 = 0x06;
const INTEGER: u32 = 0x02;
const UTF8_STRING: u32 = 0x0C;
/// `[0]`, constructed.
const CONTEXT_0: u32 = 0xA0;
/// `[1]`, constructed.
const CONTEXT_1: u32 = 0xA1;
/// ODF: `dataObjects [7]`.
const DATA_OBJECTS: u32 = 0xA7;

/// A PKCS#15 path: the octets as they stand on the card, and the part of the file that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// One to eight file identifiers.
    pub octets: Vec<u8>,
    /// The part of the file; `None` for the whole.
    pub slice: Option<Slice>,
}

/// Where something is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File(Path),
    /// Written in the directory itself.
    Direct(Vec<u8>),
}

impl fmt::Debug for Place {
    /// An object in the directory may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({path:?})"),
            Self::Direct(octets) => write!(f, "Direct({} octets)", octets.len()),
        }
    }
}

/// One data object of a DODF.
#[derive(Debug)]
pub struct Entry {
    /// The identifiers that the entry carries, in order.
    pub oids: Vec<ObjectIdentifier>,
    /// Its label, or its application's name.
    pub label: Option<String>,
    /// Number of the entry in its DODF, from 1.
    pub number: usize,
    /// Where its value is.
    pub place: Place,
}

/// What was understood, and what not.
#[derive(Debug)]
pub struct Listing<T> {
    /// The entries that can be used, in order.
    pub entries: Vec<T>,
    /// Why others cannot: `ODF entry at byte 8: path without file`.
    pub faults: Vec<Error>,
}

/// The data object directories that an ODF names, in their order of priority.
pub fn read_odf(content: &[u8]) -> Listing<Place> {
    let mut listing = Listing { entries: Vec::new(), faults: Vec::new() };
    for object in Reader::with_fill(content, Fill::Stop) {
        match object {
            Ok(object) if object.tag == DATA_OBJECTS => match directory_place(&object) {
                Ok(place) => listing.entries.push(place),
                Err(error) => listing.faults.push(at(error, "ODF", &object)),
            },
            Ok(_) => {}
            Err(fault) => listing.faults.push(Error::from(fault).context("ODF")),
        }
    }
    listing
}

/// The data objects of a DODF, at most `limit` of them.
pub fn read_dodf(content: &[u8], limit: usize) -> Listing<Entry> {
    let mut listing = Listing { entries: Vec::new(), faults: Vec::new() };
    for (index, object) in Reader::with_fill(content, Fill::Stop).enumerate() {
        if index == limit {
            let what = format!("DODF of more than {limit} objects");
            listing.faults.push(Error::new(Code::TooLarge, what));
            break;
        }
        match object {
            // externalIDO [0] and later choices have neither identifier nor path for us.
            Ok(object) if !matches!(object.tag, SEQUENCE | CONTEXT_1) => {}
            Ok(object) => match entry(&object, index + 1) {
                Ok(entry) => listing.entries.push(entry),
                Err(error) => listing.faults.push(at(error, "DODF", &object)),
            },
            Err(fault) => listing.faults.push(Error::from(fault).context("DODF")),
        }
    }
    listing
}

fn at(error: Error, file: &str, object: &Tlv<'_>) -> Error {
    error.context(format!("{file} entry at byte {}", object.at))
}

fn bad(what: &'static str) -> Error {
    Error::new(Code::CardBadData, what)
}

/// The value of an ODF entry: a path, or the directory's objects themselves in `[0]`.
fn directory_place(object: &Tlv<'_>) -> Result<Place, Error> {
    let value = first(object)?;
    match value.tag {
        SEQUENCE => {
            let inner = first(&value)?;
            // Some cards wrap the path in one SEQUENCE more.
            let path = if inner.tag == SEQUENCE { path(&inner) } else { path(&value) };
            path.map(Place::File)
        }
        CONTEXT_0 => Ok(Place::Direct(value.value.to_vec())),
        _ => Err(bad("neither a path nor objects")),
    }
}

fn first<'a>(object: &Tlv<'a>) -> Result<Tlv<'a>, Error> {
    Ok(object.children().next().ok_or_else(|| bad("empty object"))??)
}

/// `SEQUENCE { path OCTET STRING, index INTEGER, length [0] INTEGER }`. The length is also found as
/// a plain INTEGER. Index and length count only together.
fn path(sequence: &Tlv<'_>) -> Result<Path, Error> {
    let mut octets = None;
    let mut numbers = Vec::new();
    for object in sequence.children() {
        let object = object?;
        match object.tag {
            OCTET_STRING if octets.is_none() => octets = Some(object.value.to_vec()),
            INTEGER | 0x80 => numbers.push(integer(object.value)?),
            _ => {}
        }
    }
    let octets = octets.ok_or_else(|| bad("path without file"))?;
    if !octets.len().is_multiple_of(2) || !(2..=16).contains(&octets.len()) {
        return Err(Error::new(Code::CardBadData, format!("path of {} octets", octets.len())));
    }
    let slice = match numbers[..] {
        [index, length, ..] => Some(Slice { index, length }),
        _ => None,
    };
    Ok(Path { octets, slice })
}

/// An INTEGER that is never negative, also where the card forgot the leading zero.
fn integer(octets: &[u8]) -> Result<usize, Error> {
    let digits = octets.iter().skip_while(|octet| **octet == 0);
    if octets.is_empty() || digits.clone().count() > 3 {
        return Err(bad("path with an impossible index or length"));
    }
    Ok(digits.fold(0, |sum, octet| sum << 8 | usize::from(*octet)))
}

/// One PKCS15DataType: opaqueDO (`30`) or oidDO (`A1`).
fn entry(object: &Tlv<'_>, number: usize) -> Result<Entry, Error> {
    let mut oids = Vec::new();
    let mut label = None;
    let mut place = None;
    for part in object.children() {
        let part = part?;
        match part.tag {
            // Common attributes of objects and of data objects; either may be missing or empty.
            SEQUENCE => {
                for attribute in part.children() {
                    let attribute = attribute?;
                    match attribute.tag {
                        UTF8_STRING if label.is_none() => label = text(attribute.value),
                        OBJECT_IDENTIFIER => oids.extend(identifier(attribute.value)),
                        _ => {}
                    }
                }
            }
            CONTEXT_1 => place = type_attributes(&part, &mut oids)?,
            _ => {}
        }
    }
    let place = place.ok_or_else(|| bad("object without value"))?;
    Ok(Entry { oids, label, number, place })
}

/// The value in the type attributes: directly (opaqueDO), or after an identifier in one SEQUENCE
/// (oidDO). `None` for a value in a form that is not read.
fn type_attributes(
    attributes: &Tlv<'_>,
    oids: &mut Vec<ObjectIdentifier>,
) -> Result<Option<Place>, Error> {
    let value = first(attributes)?;
    let mut inside = value.children();
    match inside.next().transpose()? {
        Some(oid) if value.tag == SEQUENCE && oid.tag == OBJECT_IDENTIFIER => {
            oids.extend(identifier(oid.value));
            match inside.next().transpose()? {
                Some(value) => object_value(&value),
                None => Ok(None),
            }
        }
        _ => object_value(&value),
    }
}

/// ObjectValue: a path, an OCTET STRING, or an OCTET STRING in `[0]`.
fn object_value(value: &Tlv<'_>) -> Result<Option<Place>, Error> {
    match value.tag {
        SEQUENCE => path(value).map(|path| Some(Place::File(path))),
        OCTET_STRING => Ok(Some(Place::Direct(value.value.to_vec()))),
        CONTEXT_0 => {
            let inner = first(value)?;
            let direct = inner.tag == OCTET_STRING;
            Ok(direct.then(|| Place::Direct(inner.value.to_vec())))
        }
        _ => Ok(None),
    }
}

/// An identifier. Cards exist that write it as an object inside the object; one such level is
/// taken away.
fn identifier(value: &[u8]) -> Option<ObjectIdentifier> {
    let value = match value {
        [0x06, length, inner @ ..] if usize::from(*length) == inner.len() => inner,
        value => value,
    };
    ObjectIdentifier::from_bytes(value).ok()
}

fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(str::to_owned)
}
