//! A large object that arrives in chunks (DM Protocol 1.2.1, 7).
//!
//! Owns the octets received so far, unless somebody takes them chunk by chunk, and the check against Size.
//! Must not know what is done with the object.

use super::action::{Done, Refused};
use super::inflow::Inflow;
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
#[derive(Debug)]
pub(super) enum Piece<'d> {
    /// The object is complete.
    Whole { octets: Cow<'d, [u8]>, facts: Facts<'d> },
    /// The object is complete, and was passed on chunk by chunk.
    Passed(Inflow),
    /// Stored or passed on; more has to come.
    Kept { received: u64, size: u64 },
}

#[derive(Debug)]
struct Open {
    key: Key<'static>,
    size: u64,
    received: u64,
    held: Held,
}

/// Where the octets received so far are.
#[derive(Debug)]
enum Held {
    Here { octets: Vec<u8>, facts: Facts<'static> },
    Passed(Inflow),
}

impl Held {
    fn take(&mut self, chunk: &[u8], size: u64) -> Done<()> {
        match self {
            Self::Passed(inflow) => inflow.write(chunk),
            Self::Here { octets, .. } => {
                if octets.is_empty() {
                    // The announced size is below the limit, so one allocation is enough.
                    octets.reserve_exact(usize::try_from(size).unwrap_or(0));
                }
                octets.extend_from_slice(chunk);
                Ok(())
            }
        }
    }

    fn into_piece<'d>(self) -> Piece<'d> {
        match self {
            Self::Passed(inflow) => Piece::Passed(inflow),
            Self::Here { octets, facts } => Piece::Whole { octets: octets.into(), facts },
        }
    }
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

    /// Takes an item; objects may have up to `most` octets. `open` may give somebody who takes an object
    /// of this many octets chunk by chunk. Errors: the item is not taken.
    pub(super) fn take<'d>(
        &mut self,
        key: &Key<'_>,
        chunk: Chunk<'d>,
        most: u64,
        open: impl FnOnce(&Facts<'_>, u64) -> Done<Option<Inflow>>,
    ) -> Done<Piece<'d>> {
        if let Some(open) = self.open.take() {
            return self.go_on(open, &chunk);
        }
        if let Some((_, code)) = self.refused.take_if(|_| chunk.size.is_none()) {
            return self.refuse(key.to_owned(), chunk.more, code.into());
        }
        if !chunk.more {
            let Chunk { octets, facts, .. } = chunk;
            return Ok(Piece::Whole { octets, facts });
        }
        let Some(size) = chunk.size else {
            return self.refuse(key.to_owned(), true, status::SIZE_REQUIRED.into());
        };
        if size > most {
            return self.refuse(key.to_owned(), true, status::TOO_LARGE.into());
        }
        let held = match open(&chunk.facts, size) {
            Ok(Some(inflow)) => Held::Passed(inflow),
            Ok(None) => Held::Here { octets: Vec::new(), facts: chunk.facts.to_owned() },
            Err(refused) => return self.refuse(key.to_owned(), true, refused),
        };
        self.go_on(Open { key: key.to_owned(), size, received: 0, held }, &chunk)
    }

    fn go_on<'d>(&mut self, mut open: Open, chunk: &Chunk<'_>) -> Done<Piece<'d>> {
        let (size, received) = (open.size, open.received + octets(chunk.octets.len()));
        let is_right = if chunk.more { received <= size } else { received == size };
        let done = match chunk.size {
            Some(other) if other != size => Err(status::BAD_REQUEST.into()),
            _ if !is_right => Err(status::SIZE_MISMATCH.into()),
            _ => open.held.take(&chunk.octets, size),
        };
        if let Err(refused) = done {
            return self.refuse(open.key, chunk.more, refused);
        }
        if !chunk.more {
            return Ok(open.held.into_piece());
        }
        open.received = received;
        self.open = Some(open);
        Ok(Piece::Kept { received, size })
    }

    fn refuse<T>(&mut self, key: Key<'static>, more: bool, refused: Refused) -> Done<T> {
        if more {
            self.refused = Some((key, refused.status()));
        }
        Err(refused)
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

    /// What came of a chunk, when nobody takes chunks.
    #[derive(Debug, PartialEq, Eq)]
    enum Seen {
        Whole(Vec<u8>),
        Kept { received: u64, size: u64 },
        Refused(Status),
    }

    fn whole(octets: &[u8]) -> Seen {
        Seen::Whole(octets.to_vec())
    }

    fn take(assembly: &mut Assembly, key: &Key<'_>, chunk: Chunk<'_>) -> Seen {
        match assembly.take(key, chunk, 100, |_, _| Ok(None)) {
            Ok(Piece::Whole { octets, .. }) => Seen::Whole(octets.into_owned()),
            Ok(Piece::Kept { received, size }) => Seen::Kept { received, size },
            Ok(Piece::Passed(inflow)) => panic!("{inflow:?}"),
            Err(refused) => Seen::Refused(refused.status()),
        }
    }

    #[test]
    fn dm_032_chunks_make_an_object() {
        let mut assembly = Assembly::default();
        let first = take(&mut assembly, &key(), chunk(Some(6), true, b"abc"));
        assert_eq!(first, Seen::Kept { received: 3, size: 6 });
        let second = take(&mut assembly, &key(), chunk(Some(6), true, b"d"));
        assert_eq!(second, Seen::Kept { received: 4, size: 6 });
        assert_eq!(take(&mut assembly, &key(), chunk(None, false, b"ef")), whole(b"abcdef"));
        assert_eq!(assembly.interrupt(None), None);
    }

    #[test]
    fn dm_033_sum_of_the_chunks_differs_from_size() {
        let mut assembly = Assembly::default();
        take(&mut assembly, &key(), chunk(Some(6), true, b"abc"));
        assert_eq!(take(&mut assembly, &key(), chunk(None, false, b"de")), Seen::Refused(424));
        take(&mut assembly, &key(), chunk(Some(6), true, b"abc"));
        assert_eq!(take(&mut assembly, &key(), chunk(None, true, b"defg")), Seen::Refused(424));
        // The rest of it is no object of its own.
        assert_eq!(take(&mut assembly, &key(), chunk(None, false, b"h")), Seen::Refused(424));
        assert_eq!(take(&mut assembly, &key(), chunk(None, false, b"new")), whole(b"new"));
    }

    #[test]
    fn dm_034_first_chunk_without_size() {
        let mut assembly = Assembly::default();
        assert_eq!(take(&mut assembly, &key(), chunk(None, true, b"abc")), Seen::Refused(411));
        assert_eq!(take(&mut assembly, &key(), chunk(None, false, b"def")), Seen::Refused(411));
    }

    #[test]
    fn dm_038_size_above_the_maximum() {
        let mut assembly = Assembly::default();
        assert_eq!(take(&mut assembly, &key(), chunk(Some(101), true, b"a")), Seen::Refused(413));
        assert_eq!(take(&mut assembly, &key(), chunk(None, true, b"a")), Seen::Refused(413));
        let again = take(&mut assembly, &key(), chunk(Some(2), true, b"a"));
        assert_eq!(again, Seen::Kept { received: 1, size: 2 });
    }

    #[test]
    fn another_size_in_a_later_chunk() {
        let mut assembly = Assembly::default();
        take(&mut assembly, &key(), chunk(Some(6), true, b"abc"));
        assert_eq!(take(&mut assembly, &key(), chunk(Some(7), true, b"d")), Seen::Refused(400));
    }

    #[test]
    fn dm_036_interruption_gives_the_object_up() {
        let mut assembly = Assembly::default();
        take(&mut assembly, &key(), chunk(Some(6), true, b"abc"));
        assert_eq!(assembly.interrupt(Some(&key())), None);
        let other = Key { verb: Verb::Replace, uri: "./A/B".into() };
        assert_eq!(assembly.interrupt(Some(&other)), Some("./A/B".into()));
        assert_eq!(take(&mut assembly, &other, chunk(None, false, b"x")), whole(b"x"));
    }
}
