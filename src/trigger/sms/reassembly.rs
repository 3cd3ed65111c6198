//! Joining the segments of concatenated short messages.

use super::{Part, Segment};
use crate::time::Now;
use std::fmt;

/// Segments a message may have.
const MAX_PARTS: u8 = 10;
/// Messages that may be incomplete at once.
const MAX_SETS: usize = 8;
/// Idle time after which an incomplete message is dropped, in milliseconds.
const IDLE_MS: u64 = 10 * 60 * 1000;

/// Incomplete messages of one card slot; each slot has its own reassembler.
#[derive(Default)]
pub struct Reassembler {
    sets: Vec<Set>,
}

/// The segments of one message so far.
struct Set {
    address: Vec<u8>,
    reference: u16,
    wide: bool,
    /// One place for each segment of the message.
    parts: Vec<Option<Vec<u8>>>,
    last_ms: u64,
}

impl Reassembler {
    /// Without any message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a segment; returns the message's user data once it is complete.
    ///
    /// Segments may come in any order, and one that is there already is ignored. A segment whose
    /// message would have more than ten, or that disagrees with the earlier ones about how many
    /// there are, drops what it contradicts. Idle messages expire after ten minutes; when more than
    /// eight are open the one idle longest gives way.
    pub fn push(&mut self, segment: &Segment<'_>, now: Now) -> Option<Vec<u8>> {
        self.sets.retain(|set| now.mono_ms.saturating_sub(set.last_ms) < IDLE_MS);
        let Some(part) = segment.part else {
            return Some(segment.data.to_vec());
        };
        let known = self.sets.iter().position(|set| set.is_of(segment.address, part));
        let mut set = match known.map(|index| self.sets.swap_remove(index)) {
            Some(set) if set.parts.len() == usize::from(part.total) => set,
            _ if part.total > MAX_PARTS => return None,
            _ => Set::new(segment.address, part),
        };
        set.last_ms = now.mono_ms;
        if let Some(place) = set.parts.get_mut(usize::from(part.sequence) - 1) {
            place.get_or_insert_with(|| segment.data.to_vec());
        }
        if set.parts.iter().all(Option::is_some) {
            return Some(set.parts.into_iter().flatten().flatten().collect());
        }
        self.make_room();
        self.sets.push(set);
        None
    }

    /// When the next incomplete message expires, on the monotonic clock.
    pub fn deadline(&self) -> Option<u64> {
        self.sets.iter().map(|set| set.last_ms + IDLE_MS).min()
    }

    fn make_room(&mut self) {
        if self.sets.len() < MAX_SETS {
            return;
        }
        let oldest = self.sets.iter().enumerate().min_by_key(|(_, set)| set.last_ms);
        if let Some(index) = oldest.map(|(index, _)| index) {
            self.sets.swap_remove(index);
        }
    }
}

impl Set {
    fn new(address: &[u8], part: Part) -> Self {
        Self {
            address: address.to_vec(),
            reference: part.reference,
            wide: part.wide,
            parts: vec![None; usize::from(part.total)],
            last_ms: 0,
        }
    }

    fn is_of(&self, address: &[u8], part: Part) -> bool {
        self.address == address && self.reference == part.reference && self.wide == part.wide
    }
}

impl fmt::Debug for Reassembler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reassembler").field("open", &self.sets.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64) -> Now {
        Now { mono_ms, unix_s: 0 }
    }

    fn segment(reference: u16, total: u8, sequence: u8, data: &[u8]) -> Segment<'_> {
        let part = Part { reference, wide: false, total, sequence };
        Segment { address: b"\x02\x81\x21", source_port: 9200, part: Some(part), data }
    }

    #[test]
    fn sc_142_any_order_and_duplicates() {
        let mut open = Reassembler::new();
        assert_eq!(open.push(&segment(1, 2, 2, b"B"), at(0)), None);
        assert_eq!(open.push(&segment(1, 2, 2, b"X"), at(1)), None);
        assert_eq!(open.push(&segment(1, 2, 1, b"A"), at(2)), Some(b"AB".to_vec()));
        assert_eq!(open.deadline(), None);
    }

    #[test]
    fn the_key_is_address_reference_and_width() {
        let mut open = Reassembler::new();
        assert_eq!(open.push(&segment(1, 2, 1, b"A"), at(0)), None);
        let mut other = segment(1, 2, 2, b"B");
        other.address = b"\x02\x81\x22";
        assert_eq!(open.push(&other, at(0)), None);
        let mut other = segment(1, 2, 2, b"B");
        other.part = Some(Part { reference: 1, wide: true, total: 2, sequence: 2 });
        assert_eq!(open.push(&other, at(0)), None);
        assert_eq!(open.push(&segment(2, 2, 2, b"B"), at(0)), None);
        assert_eq!(open.push(&segment(1, 2, 2, b"C"), at(0)), Some(b"AC".to_vec()));
    }

    #[test]
    fn another_total_drops_the_old_set() {
        let mut open = Reassembler::new();
        assert_eq!(open.push(&segment(1, 2, 1, b"A"), at(0)), None);
        assert_eq!(open.push(&segment(1, 3, 2, b"B"), at(0)), None);
        assert_eq!(open.push(&segment(1, 3, 3, b"C"), at(0)), None);
        assert_eq!(open.push(&segment(1, 3, 1, b"a"), at(0)), Some(b"aBC".to_vec()));
    }

    #[test]
    fn ten_parts_are_the_most() {
        let mut open = Reassembler::new();
        for sequence in 1..=9 {
            assert_eq!(open.push(&segment(1, 10, sequence, b"x"), at(0)), None);
        }
        assert_eq!(open.push(&segment(1, 10, 10, b"x"), at(0)), Some(b"xxxxxxxxxx".to_vec()));
        assert_eq!(open.push(&segment(1, 11, 1, b"x"), at(0)), None);
        assert_eq!(open.deadline(), None);
    }

    #[test]
    fn idle_sets_expire() {
        let mut open = Reassembler::new();
        assert_eq!(open.push(&segment(1, 2, 1, b"A"), at(5)), None);
        assert_eq!(open.deadline(), Some(5 + IDLE_MS));
        let mut early = Reassembler::new();
        assert_eq!(early.push(&segment(1, 2, 1, b"A"), at(5)), None);
        assert_eq!(early.push(&segment(1, 2, 2, b"B"), at(4 + IDLE_MS)), Some(b"AB".to_vec()));
        assert_eq!(open.push(&segment(1, 2, 2, b"B"), at(5 + IDLE_MS)), None);
    }

    #[test]
    fn the_longest_idle_of_nine_gives_way() {
        let mut open = Reassembler::new();
        for reference in 0..9 {
            assert_eq!(open.push(&segment(reference, 2, 1, b"A"), at(reference.into())), None);
        }
        assert_eq!(open.push(&segment(1, 2, 2, b"B"), at(9)), Some(b"AB".to_vec()));
        assert_eq!(open.push(&segment(0, 2, 2, b"B"), at(9)), None);
    }
}
