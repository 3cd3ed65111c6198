//! Addresses: the path of a node, and a URI with its `?prop=` or `?list=` part
//! (DM Tree and Description 1.2.1, 6.3 and 7.5).

use super::refusal::Refusal;
use crate::limits;
use std::borrow::Cow;
use std::fmt;

/// Between the names in a [`Path`]; sorts before every character a name may have, so that a subtree
/// is one range of keys with parents first.
const SEPARATOR: char = '\0';

/// The place of a node: its names from the root, unescaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(String);

impl Path {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Parses a URI without query: `.`, `./A/B` or `A/B`.
    ///
    /// Errors: `BadUri` (400), `UriTooLong` (414).
    pub fn parse(uri: &str) -> Result<Self, Refusal> {
        match Uri::split(uri)? {
            (path, None) => Self::parse_all(path),
            (_, Some(_)) => Err(Refusal::BadUri),
        }
    }

    /// The same for a text of which length and query were looked at.
    fn parse_all(uri: &str) -> Result<Self, Refusal> {
        match uri.strip_prefix('.') {
            Some("") => Ok(Self::root()),
            rest => {
                let segments = rest.and_then(|rest| rest.strip_prefix('/'));
                Self::root().join_segments(segments.unwrap_or(uri))
            }
        }
    }

    /// The child with this unescaped name.
    ///
    /// Errors: `BadUri` for an unusable name, `UriTooLong`.
    pub fn child(&self, name: &str) -> Result<Self, Refusal> {
        let mut child = String::with_capacity(self.0.len() + 1 + name.len());
        child.push_str(&self.0);
        let mut child = Self(child);
        let depth = child.depth();
        child.push(name, depth)?;
        Ok(child)
    }

    /// Goes down to the child with this name; `depth` is that of the present node.
    fn push(&mut self, name: &str, depth: usize) -> Result<(), Refusal> {
        if name.is_empty() || name == "." || name == ".." || has(name, SEPARATOR as u8) {
            return Err(Refusal::BadUri);
        }
        if name.len() > limits::URI_SEGMENT || depth >= limits::URI_DEPTH {
            return Err(Refusal::UriTooLong);
        }
        if !self.is_root() {
            self.0.push(SEPARATOR);
        }
        self.0.push_str(name);
        if self.0.len() > limits::URI_OCTETS { Err(Refusal::UriTooLong) } else { Ok(()) }
    }

    /// The node below this one; at least one segment.
    fn join_segments(&self, segments: &str) -> Result<Self, Refusal> {
        let mut text = String::with_capacity(self.0.len() + 1 + segments.len());
        text.push_str(&self.0);
        let (mut path, mut depth, mut rest) = (Self(text), self.depth(), Some(segments));
        while let Some(segments) = rest {
            let (segment, others) = split_at(segments, b'/');
            path.push(&unescaped(segment)?, depth)?;
            (depth, rest) = (depth + 1, others);
        }
        Ok(path)
    }

    /// The node below this one at `relative`, an escaped URI without leading `./`; empty is itself.
    pub fn join(&self, relative: &str) -> Result<Self, Refusal> {
        if relative.is_empty() { Ok(self.clone()) } else { self.join_segments(relative) }
    }

    /// The node above; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        match self.0.rsplit_once(SEPARATOR) {
            Some((parent, _)) => Some(Self(parent.to_owned())),
            None if self.is_root() => None,
            None => Some(Self::root()),
        }
    }

    /// The last name; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit_once(SEPARATOR).map_or(&self.0, |(_, name)| name)
    }

    /// The names from the root.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split(SEPARATOR).filter(|name| !name.is_empty())
    }

    /// The first name; empty for the root.
    pub fn top(&self) -> &str {
        split_at(&self.0, SEPARATOR as u8).0
    }

    /// True for the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The URI: `.` or `./A/B`, escaped.
    pub fn uri(&self) -> String {
        let mut uri = String::with_capacity(self.0.len() + 2);
        uri.push('.');
        let is_special = |octet| octet != SEPARATOR as u8 && is_escaped(octet);
        let is_plain = !self.0.bytes().any(is_special);
        let mut rest = Some(self.0.as_str()).filter(|names| !names.is_empty());
        while let Some(names) = rest {
            let (name, others) = split_at(names, SEPARATOR as u8);
            uri.push('/');
            match is_plain {
                true => uri.push_str(name),
                // A string takes everything.
                false => drop(write_escaped(&mut uri, name)),
            }
            rest = others;
        }
        uri
    }

    /// Number of names.
    pub fn depth(&self) -> usize {
        let separators = self.0.bytes().filter(|octet| *octet == SEPARATOR as u8).count();
        if self.is_root() { 0 } else { separators + 1 }
    }

    /// True for `top` itself and everything below it.
    pub fn is_within(&self, top: &Self) -> bool {
        top.is_root()
            || self
                .0
                .strip_prefix(&top.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATOR))
    }

    /// True for the nodes directly below `parent`.
    pub fn is_child_of(&self, parent: &Self) -> bool {
        let rest = match parent.is_root() {
            true => Some(self.0.as_str()).filter(|rest| !rest.is_empty()),
            false => self.0.strip_prefix(&parent.0).and_then(|rest| rest.strip_prefix(SEPARATOR)),
        };
        rest.is_some_and(|name| !has(name, SEPARATOR as u8))
    }

    /// The same place under `to` instead of `from`; `None` if it is not within `from`.
    pub(super) fn moved(&self, from: &Self, to: &Self) -> Option<Result<Self, Refusal>> {
        let rest = self.is_within(from).then(|| self.0.get(from.0.len()..)).flatten()?;
        let mut path = Ok(to.clone());
        for name in rest.split(SEPARATOR).filter(|name| !name.is_empty()) {
            path = path.and_then(|path: Self| path.child(name));
        }
        Some(path)
    }

    /// The key in the store.
    pub(super) fn key(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Common beginning of the keys below this node.
    pub(super) fn below(&self) -> Vec<u8> {
        let mut prefix = self.0.clone().into_bytes();
        if !self.is_root() {
            prefix.push(SEPARATOR as u8);
        }
        prefix
    }

    /// First possible key after everything at and below this node.
    pub(super) fn after(&self) -> Vec<u8> {
        let mut key = self.0.clone().into_bytes();
        key.push(SEPARATOR as u8 + 1);
        key
    }

    /// True if `key` is that of a node below this one.
    pub(super) fn is_above(&self, key: &[u8]) -> bool {
        let rest = key.strip_prefix(self.key());
        rest.is_some_and(
            |rest| if self.is_root() { !rest.is_empty() } else { rest.starts_with(b"\0") },
        )
    }

    pub(super) fn from_key(key: &[u8]) -> Option<Self> {
        String::from_utf8(key.to_vec()).ok().map(Self)
    }
}

/// True if the octet, which is no part of a longer letter, is in the text. Most texts here are so short that
/// a search made for long ones costs more than a look at each octet.
fn has(text: &str, octet: u8) -> bool {
    text.bytes().any(|found| found == octet)
}

/// What stands before the first such octet, and what stands behind it, if it is there.
fn split_at(text: &str, octet: u8) -> (&str, Option<&str>) {
    let at = text.bytes().position(|found| found == octet);
    let parts = at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    parts.map_or((text, None), |(before, behind)| (before, Some(behind)))
}

impl fmt::Display for Path {
    /// [`Path::uri`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

/// True for what would be read differently in a URI.
fn is_escaped(octet: u8) -> bool {
    octet.is_ascii_control() || matches!(octet, b' ' | b'%' | b'/' | b'?' | b'#')
}

fn write_escaped(out: &mut dyn fmt::Write, name: &str) -> fmt::Result {
    if !name.bytes().any(is_escaped) {
        return out.write_str(name);
    }
    name.chars().try_for_each(|c| match u8::try_from(c) {
        Ok(octet) if is_escaped(octet) => write!(out, "%{octet:02X}"),
        _ => out.write_char(c),
    })
}

/// A name as it stands in a URI: what would be read differently there becomes `%XX`.
pub fn escape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    // A string takes everything.
    let _ = write_escaped(&mut out, name);
    out
}

/// The name that a segment of a URI stands for. Errors: `BadUri` for a bad escape.
pub fn unescape(segment: &str) -> Result<String, Refusal> {
    unescaped(segment).map(Cow::into_owned)
}

fn unescaped(segment: &str) -> Result<Cow<'_, str>, Refusal> {
    if !has(segment, b'%') {
        return Ok(Cow::Borrowed(segment));
    }
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            out.push(first);
            rest = tail;
            continue;
        }
        let (digits, tail) = tail.split_first_chunk::<2>().ok_or(Refusal::BadUri)?;
        let digits = digits.map(|digit| char::from(digit).to_digit(16));
        let [Some(high), Some(low)] = digits else { return Err(Refusal::BadUri) };
        out.push(u8::try_from(high << 4 | low).map_err(|_| Refusal::BadUri)?);
        rest = tail;
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| Refusal::BadUri)
}

/// A property of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Access control list.
    Acl,
    /// Format name.
    Format,
    /// Last name of the URI.
    Name,
    /// Octets of the value.
    Size,
    /// Human-readable name.
    Title,
    /// Time of the last change.
    TStamp,
    /// MIME type or management object identifier.
    Type,
    /// Number of changes, modulo 65,536.
    VerNo,
}

impl Property {
    /// The property with this name, written exactly so.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ACL" => Self::Acl,
            "Format" => Self::Format,
            "Name" => Self::Name,
            "Size" => Self::Size,
            "Title" => Self::Title,
            "TStamp" => Self::TStamp,
            "Type" => Self::Type,
            "VerNo" => Self::VerNo,
            _ => return None,
        })
    }
}

/// What a TNDS object of `?list=TNDS` shows of each node besides its name and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The ACL property.
    pub acl: bool,
    /// The Format property.
    pub format: bool,
    /// The Title property.
    pub title: bool,
    /// The TStamp property.
    pub tstamp: bool,
    /// The Type property.
    pub mime: bool,
    /// The VerNo property.
    pub ver_no: bool,
    /// The value.
    pub value: bool,
}

impl Filter {
    /// Everything.
    pub const ALL: Self = Self::all(true);

    const fn all(on: bool) -> Self {
        Self { acl: on, format: on, title: on, tstamp: on, mime: on, ver_no: on, value: on }
    }

    /// The part after `TNDS`: empty, `+ACL+Value` (only these) or `-ACL` (all but these).
    fn parse(text: &str) -> Option<Self> {
        let Some(sign) = text.chars().next() else { return Some(Self::ALL) };
        let only = match sign {
            '+' => true,
            '-' => false,
            _ => return None,
        };
        let mut filter = Self::all(!only);
        for name in text.get(1..)?.split(sign) {
            *filter.field(name)? = only;
        }
        Some(filter)
    }

    fn field(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "ACL" => &mut self.acl,
            "Format" => &mut self.format,
            "Title" => &mut self.title,
            "TStamp" => &mut self.tstamp,
            "Type" => &mut self.mime,
            "VerNo" => &mut self.ver_no,
            "Value" => &mut self.value,
            _ => return None,
        })
    }
}

/// A form of `?list=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The nodes of the subtree without values.
    Struct,
    /// The nodes of the subtree with values.
    StructData,
    /// The subtree as one TNDS object.
    Tnds(Filter),
}

/// What of the node a URI addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The node itself.
    Node,
    /// `?prop=`.
    Property(Property),
    /// `?list=`.
    List(List),
}

/// A parsed LocURI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// The node.
    pub path: Path,
    /// What of it.
    pub part: Part,
}

impl Uri {
    /// Parses a LocURI.
    ///
    /// Errors: `BadUri` (400), `UriTooLong` (414), `Unsupported` (406) for an unknown property or
    /// list form.
    pub fn parse(uri: &str) -> Result<Self, Refusal> {
        let (path, query) = Self::split(uri)?;
        Ok(Self { path: Path::parse_all(path)?, part: query.map_or(Ok(Part::Node), parse_query)? })
    }

    /// The path and what stands behind `?`. Errors: `UriTooLong`.
    fn split(uri: &str) -> Result<(&str, Option<&str>), Refusal> {
        if uri.len() > limits::URI_OCTETS {
            return Err(Refusal::UriTooLong);
        }
        Ok(split_at(uri, b'?'))
    }
}

impl From<Path> for Uri {
    fn from(path: Path) -> Self {
        Self { path, part: Part::Node }
    }
}

fn parse_query(query: &str) -> Result<Part, Refusal> {
    if let Some(name) = query.strip_prefix("prop=") {
        return Property::parse(name).map(Part::Property).ok_or(Refusal::Unsupported);
    }
    let list = query.strip_prefix("list=").ok_or(Refusal::BadUri)?;
    let list = match list {
        "Struct" => Some(List::Struct),
        "StructData" => Some(List::StructData),
        _ => list.strip_prefix("TNDS").and_then(Filter::parse).map(List::Tnds),
    };
    list.map(Part::List).ok_or(Refusal::Unsupported)
}
