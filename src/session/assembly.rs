//! A large object that arrives in chunks (DM Protocol 1.2.1, 7).
//!
//! Owns the octets received so far and the check against Size. Must not know what is done with the
//! object.

use crate::syncml::model::{Text, Verb};
use crate::syncml::status::{self, Status};
use std::borrow::Cow;

/// What identifies an object on its way: the command and the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key<'k> {
    pub(super) verb: Verb,
    pub(super) uri: Text<'k>,
}

impl Key<'_> {
    fn to_owned(&self) -> Key<'static> {
        Key { verb: self.verb, uri: self.uri.clone().into_owned().into() }
    }
}

/// One item of the server with Data.
#[derive(Debug)]
pub(super) struct Chunk<'d> {
    /// Size of the whole object as transmitted.
    pub(super) size: Option<u64>,
    /// More chunks follow.
    pub(super) more: bool,
    pub(super) octets: Cow<'d, [u8]>,
    /// Format, Type and Correlator, which count for the whole object in the first chunk.
    pub(super) facts: Facts<'d>,
}

/// What the first chunk says about the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts<'d> {
    pub(super) format: Option<Text<'d>>,
    pub(super) mime: Option<Text<'d>>,
    pub(super) correlator: Option<Text<'d>>,
}

impl Facts<'_> {
    fn to_owned(&self) -> Facts<'static> {
        let own = |text: &Option<Text<'_>>| text.as_deref().map(|text| text.to_owned().into());
        Facts {
            format: own(&self.format),
            mime: own(&self.mime),
            correlator: own(&self.correlator),
        }
    }

    /// True if the octets travel as base64 text.
    pub(super) fn is_base64(&self) -> bool {
        self.format.as_deref().is_some_and(|format| format.trim() == "b64")
    }
}

/// What came of a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'d> {
    /// The object is complete.
    Whole { octets: Cow<'d, [u8]>, facts: Facts<'d> },
    /// Stored; more has to come.
    Kept { received: u64, size: u64 },
    /// Not taken.
    Refused(Status),
}

#[derive(Debug)]
struct Open {
    key: Key<'static>,
    size: u64,
    facts: Facts<'static>,
    octets: Vec<u8>,
}

/// The object on its way, if any.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    open: Option<Open>,
    /// An object whose beginning was refused: its end must not be taken for a whole one.
    refused: Option<(Key<'static>, Status)>,
}

impl Assembly {
    /// Gives up the object on its way unless it is `next` that goes on; returns its URI.
    pub(super) fn interrupt(&mut self, next: Option<&Key<'_>>) -> Option<String> {
        if self.refused.as_ref().is_some_and(|(key, _)| Some(key) != next) {
            self.refused = None;
        }
        self.open.take_if(|open| Some(&open.key) != next).map(|open| open.key.uri.into_owned())
    }

    /// True if the next item must go on with an object.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes an item; objects may have up to `most` octets.
    pub(super) fn take<'d>(&mut self, key: &Key<'_>, chunk: Chunk<'d>, most: u64) -> Piece<'d> {
        if let Some(open) = self.open.take() {
            return self.go_on(open, chunk);
        }
        if let Some((_, code)) = self.refused.take_if(|_| chunk.size.is_none()) {
            if chunk.more {
                self.refused = Some((key.to_owned(), code));
            }
            return Piece::Refused(code);
        }
        if !chunk.more {
            let Chunk { octets, facts, .. } = chunk;
            return Piece::Whole { octets, facts };
        }
        let Some(size) = chunk.size else {
            return self.refuse(key.to_owned(), true, status::SIZE_REQUIRED);
        };
        if size > most {
            return self.refuse(key.to_owned(), true, status::TOO_LARGE);
        }
        let facts = chunk.facts.to_owned();
        self.go_on(Open { key: key.to_owned(), size, facts, octets: Vec::new() }, chunk)
    }

    fn go_on<'d>(&mut self, mut open: Open, chunk: Chunk<'d>) -> Piece<'d> {
        if chunk.size.is_some_and(|size| size != open.size) {
            return self.refuse(open.key, chunk.more, status::BAD_REQUEST);
        }
        let received = octets(open.octets.len()) + octets(chunk.octets.len());
        let right = if chunk.more { received <= open.size } else { received == open.size };
        if !right {
            return self.refuse(open.key, chunk.more, status::SIZE_MISMATCH);
        }
        if open.octets.is_empty() {
            // The announced size is below the limit, so one allocation is enough.
            open.octets.reserve_exact(usize::try_from(open.size).unwrap_or(0));
        }
        open.octets.extend_from_slice(&chunk.octets);
        if chunk.more {
            let size = open.size;
            self.open = Some(open);
            return Piece::Kept { received, size };
        }
        Piece::Whole { octets: open.octets.into(), facts: open.facts }
    }

    fn refuse<'d>(&mut self, key: Key<'static>, more: bool, code: Status) -> Piece<'d> {
        if more {
            self.refused = Some((key, code));
        }
        Piece::Refused(code)
    }
}

fn octets(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key<'static> {
        Key { verb: Verb::Add, uri: "./A/B".into() }
    }

    fn chunk(size: Option<u64>, more: bool, octets: &[u8]) -> Chunk<'_> {
        Chunk { size, more, octets: octets.into(), facts: Facts::default() }
    }

    fn whole(octets: &[u8]) -> Piece<'_> {
        Piece::Whole { octets: octets.into(), facts: Facts::default() }
    }

    #[test]
    fn dm_032_chunks_make_an_object() {
        let mut assembly = Assembly::default();
        let first = assembly.take(&key(), chunk(Some(6), true, b"abc"), 100);
        assert_eq!(first, Piece::Kept { received: 3, size: 6 });
        let second = assembly.take(&key(), chunk(Some(6), true, b"d"), 100);
        assert_eq!(second, Piece::Kept { received: 4, size: 6 });
        assert_eq!(assembly.take(&key(), chunk(None, false, b"ef"), 100), whole(b"abcdef"));
        assert_eq!(assembly.interrupt(None), None);
    }

    #[test]
    fn dm_033_sum_of_the_chunks_differs_from_size() {
        let mut assembly = Assembly::default();
        assembly.take(&key(), chunk(Some(6), true, b"abc"), 100);
        assert_eq!(assembly.take(&key(), chunk(None, false, b"de"), 100), Piece::Refused(424));
        assembly.take(&key(), chunk(Some(6), true, b"abc"), 100);
        assert_eq!(assembly.take(&key(), chunk(None, true, b"defg"), 100), Piece::Refused(424));
        // The rest of it is no object of its own.
        assert_eq!(assembly.take(&key(), chunk(None, false, b"h"), 100), Piece::Refused(424));
        assert_eq!(assembly.take(&key(), chunk(None, false, b"new"), 100), whole(b"new"));
    }

    #[test]
    fn dm_034_first_chunk_without_size() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.take(&key(), chunk(None, true, b"abc"), 100), Piece::Refused(411));
        assert_eq!(assembly.take(&key(), chunk(None, false, b"def"), 100), Piece::Refused(411));
    }

    #[test]
    fn dm_038_size_above_the_maximum() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.take(&key(), chunk(Some(101), true, b"a"), 100), Piece::Refused(413));
        assert_eq!(assembly.take(&key(), chunk(None, true, b"a"), 100), Piece::Refused(413));
        let again = assembly.take(&key(), chunk(Some(2), true, b"a"), 100);
        assert_eq!(again, Piece::Kept { received: 1, size: 2 });
    }

    #[test]
    fn another_size_in_a_later_chunk() {
        let mut assembly = Assembly::default();
        assembly.take(&key(), chunk(Some(6), true, b"abc"), 100);
        assert_eq!(assembly.take(&key(), chunk(Some(7), true, b"d"), 100), Piece::Refused(400));
    }

    #[test]
    fn dm_036_interruption_gives_the_object_up() {
        let mut assembly = Assembly::default();
        assembly.take(&key(), chunk(Some(6), true, b"abc"), 100);
        assert_eq!(assembly.interrupt(Some(&key())), None);
        let other = Key { verb: Verb::Replace, uri: "./A/B".into() };
        assert_eq!(assembly.interrupt(Some(&other)), Some("./A/B".into()));
        assert_eq!(assembly.take(&other, chunk(None, false, b"x"), 100), whole(b"x"));
    }
}
