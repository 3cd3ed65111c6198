//! Patterns of URIs, of management object identifiers and of server identifiers.

use super::Place;
use crate::limits;
use crate::tree::{Path, unescape};
use std::collections::BTreeMap;

/// A text in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Glob {
    /// Without any.
    Plain(String),
    /// What stands before the first one, and the rest.
    Wild(String, String),
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        match pattern.split_once('*') {
            None => Self::Plain(pattern.to_owned()),
            Some((first, rest)) => Self::Wild(first.to_owned(), rest.to_owned()),
        }
    }

    #[inline]
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Plain(plain) => plain == text,
            // Most texts are told apart by what they begin with.
            Self::Wild(first, rest) => {
                text.strip_prefix(first.as_str()).is_some_and(|text| fits_rest(rest, text))
            }
        }
    }
}

/// True if the text is what a pattern has behind its first `*`. Takes each part where it comes first; the
/// last one has to end the text.
fn fits_rest(rest: &str, mut text: &str) -> bool {
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.find(part) {
            Some(at) => text = text.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    text.ends_with(last)
}

/// One name of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**`: any number of names, none included.
    Any,
    /// One name.
    Name(Glob),
}

/// Nodes, by place or by the object they belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `./A/*/B`, `./A/**`.
    Path(Vec<Segment>),
    /// `mo:urn:oma:mo:oma-fumo:*`: every node of such an object.
    Object(Glob),
}

impl Pattern {
    /// Reads a pattern. `Err` says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        if let Some(object) = text.strip_prefix("mo:") {
            return Ok(Self::Object(Glob::new(object)));
        }
        if text == "." {
            return Ok(Self::Path(Vec::new()));
        }
        let names = text.strip_prefix("./").ok_or("a pattern begins with \"./\" or \"mo:\"")?;
        let segments: Result<Vec<Segment>, &str> = names.split('/').map(segment).collect();
        match segments {
            Ok(segments) if segments.len() > limits::URI_DEPTH => Err("the pattern is too deep"),
            other => other.map(Self::Path),
        }
    }
}

/// Patterns, each with what it stands for. Those that begin with a plain name are found by it: of most
/// places no pattern of a path is looked at.
#[derive(Clone, Debug)]
pub(super) struct Patterns<T> {
    named: BTreeMap<String, Vec<(Vec<Segment>, T)>>,
    /// Those that begin otherwise, and the root's.
    others: Vec<(Vec<Segment>, T)>,
    objects: Vec<(Glob, T)>,
}

impl<T: Copy> Patterns<T> {
    pub(super) fn add(&mut self, pattern: Pattern, of: T) {
        let segments = match pattern {
            Pattern::Object(glob) => return self.objects.push((glob, of)),
            Pattern::Path(segments) => segments,
        };
        match segments.first() {
            Some(Segment::Name(Glob::Plain(name))) => {
                self.named.entry(name.clone()).or_default().push((segments, of));
            }
            _ => self.others.push((segments, of)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && self.others.is_empty() && self.objects.is_empty()
    }

    /// Tells what each pattern stands for that fits an operation on this place, and how it fits.
    pub(super) fn each_fitting(&self, place: &Place<'_>, mut tell: impl FnMut(T, Fit)) {
        let named = self.named.get(place.path.top()).map_or(&[][..], Vec::as_slice);
        for (segments, of) in named.iter().chain(&self.others) {
            match fit(segments, place) {
                Fit::No => {}
                fit => tell(*of, fit),
            }
        }
        if place.subtree && place.path.is_root() {
            // Everything is below the root.
            self.named.values().flatten().for_each(|(_, of)| tell(*of, Fit::Below));
        }
        for object in place.objects() {
            let fitting = self.objects.iter().filter(|(glob, _)| glob.fits(object));
            fitting.for_each(|(_, of)| tell(*of, Fit::Node));
        }
    }
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self { named: BTreeMap::new(), others: Vec::new(), objects: Vec::new() }
    }
}

impl<T: Copy> FromIterator<(Pattern, T)> for Patterns<T> {
    fn from_iter<I: IntoIterator<Item = (Pattern, T)>>(patterns: I) -> Self {
        let mut all = Self::default();
        patterns.into_iter().for_each(|(pattern, of)| all.add(pattern, of));
        all
    }
}

/// How a pattern fits a place; the closest one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Not at all.
    No,
    /// Not the node, but something below it can fit, and the operation takes that too.
    Below,
    /// The node.
    Node,
}

fn segment(text: &str) -> Result<Segment, &'static str> {
    if text == "**" {
        return Ok(Segment::Any);
    }
    let name = unescape(text).map_err(|_| "a name of the pattern has a bad escape")?;
    if matches!(name.as_str(), "" | "." | "..") || text.contains('?') {
        return Err("a name of the pattern is unusable");
    }
    Ok(Segment::Name(Glob::new(&name)))
}

fn fit(segments: &[Segment], place: &Place<'_>) -> Fit {
    let reached = reached(segments, place.path);
    match reached.last() {
        Some(true) => Fit::Node,
        _ if place.subtree && reached.contains(&true) => Fit::Below,
        _ => Fit::No,
    }
}

/// For each number of segments, whether the names of the path can have used up just those.
fn reached(segments: &[Segment], path: &Path) -> Vec<bool> {
    let mut now = vec![false; segments.len() + 1];
    if let Some(start) = now.first_mut() {
        *start = true;
    }
    skip_any(segments, &mut now);
    for name in path.names() {
        let mut next = vec![false; segments.len() + 1];
        for (at, segment) in segments.iter().enumerate() {
            if now.get(at) != Some(&true) {
                continue;
            }
            let to = match segment {
                Segment::Any => at,
                Segment::Name(glob) if glob.fits(name) => at + 1,
                Segment::Name(_) => continue,
            };
            if let Some(place) = next.get_mut(to) {
                *place = true;
            }
        }
        skip_any(segments, &mut next);
        now = next;
    }
    now
}

/// `**` may stand for no name at all.
fn skip_any(segments: &[Segment], reached: &mut [bool]) {
    for (at, segment) in segments.iter().enumerate() {
        if *segment == Segment::Any
            && reached.get(at) == Some(&true)
            && let Some(next) = reached.get_mut(at + 1)
        {
            *next = true;
        }
    }
}
