//! Octets both ways between two streams, with back-pressure: what one side does not take is not read
//! from the other.

use crate::transport::{ByteStream, Moved};
use std::time::Duration;

/// Octets read at once.
const READ: usize = 2048;

/// One direction.
#[derive(Debug, Default)]
struct Half {
    /// Read and not yet written.
    octets: Vec<u8>,
    /// Nothing more comes.
    ended: bool,
}

impl Half {
    fn take_in(&mut self, from: &mut dyn ByteStream) {
        if self.octets.is_empty() && !self.ended {
            let mut buffer = [0; READ];
            match from.read(&mut buffer, Duration::ZERO) {
                Ok(Moved::Octets(octets)) => {
                    self.octets.extend(buffer.get(..octets).unwrap_or_default());
                }
                Ok(Moved::NotYet) => {}
                Ok(Moved::Closed) | Err(_) => self.ended = true,
            }
        }
    }

    fn step(&mut self, from: &mut dyn ByteStream, to: &mut dyn ByteStream) -> usize {
        self.take_in(from);
        if self.octets.is_empty() {
            return 0;
        }
        match to.write(&self.octets, Duration::ZERO) {
            Ok(Moved::Octets(octets)) => {
                self.octets.drain(..octets.min(self.octets.len()));
                octets
            }
            Ok(Moved::NotYet) => 0,
            // Nobody takes it any more.
            Ok(Moved::Closed) | Err(_) => {
                self.octets.clear();
                self.ended = true;
                0
            }
        }
    }

    fn is_over(&self) -> bool {
        self.ended && self.octets.is_empty()
    }
}

/// Both directions.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    to_card: Half,
    from_card: Half,
}

impl Pipe {
    /// Takes in what the outside says before there is a way to the card; true if it has said anything.
    pub(super) fn take_in(&mut self, outside: &mut dyn ByteStream) -> bool {
        self.to_card.take_in(outside);
        !self.to_card.octets.is_empty()
    }

    /// Moves what can be moved; how many octets went to the card and came from it.
    pub(super) fn step(
        &mut self,
        outside: &mut dyn ByteStream,
        card: &mut dyn ByteStream,
    ) -> (usize, usize) {
        (self.to_card.step(outside, card), self.from_card.step(card, outside))
    }

    /// True once nothing more goes to the card.
    pub(super) fn outside_is_done(&self) -> bool {
        self.to_card.is_over()
    }

    /// True once nothing more comes from the card, or nobody takes it.
    pub(super) fn card_is_done(&self) -> bool {
        self.from_card.is_over()
    }
}

/// When a connection that nobody announces news of is looked at again: soon after the last news, later
/// when there were none for long.
pub(super) fn look_again(now_ms: u64, last_ms: u64, (soon, late): (u64, u64)) -> u64 {
    now_ms + (now_ms.saturating_sub(last_ms) / 4).clamp(soon, late)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Error, Result};
    use std::collections::VecDeque;

    #[derive(Default)]
    struct End {
        reads: VecDeque<Vec<u8>>,
        closes: bool,
        written: Vec<u8>,
        room: usize,
        broken: bool,
    }

    impl ByteStream for End {
        fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<Moved> {
            match self.reads.pop_front() {
                Some(octets) => {
                    buffer[..octets.len()].copy_from_slice(&octets);
                    Ok(Moved::Octets(octets.len()))
                }
                None if self.closes => Ok(Moved::Closed),
                None => Ok(Moved::NotYet),
            }
        }
        fn write(&mut self, data: &[u8], _: Duration) -> Result<Moved> {
            if self.broken {
                return Err(Error::new(Code::Io, "gone"));
            }
            let octets = data.len().min(self.room);
            self.room -= octets;
            self.written.extend(&data[..octets]);
            Ok(if octets == 0 { Moved::NotYet } else { Moved::Octets(octets) })
        }
        fn close(&mut self) {}
    }

    #[test]
    fn what_does_not_fit_waits_and_nothing_is_read_meanwhile() {
        let mut outside = End { reads: [vec![1, 2, 3], vec![4]].into(), ..End::default() };
        let mut card = End { room: 2, reads: [vec![9]].into(), ..End::default() };
        outside.room = 10;
        let mut pipe = Pipe::default();
        assert_eq!(pipe.step(&mut outside, &mut card), (2, 1));
        assert_eq!(pipe.step(&mut outside, &mut card), (0, 0));
        assert_eq!(outside.reads.len(), 1);
        card.room = 10;
        pipe.step(&mut outside, &mut card);
        outside.closes = true;
        pipe.step(&mut outside, &mut card);
        pipe.step(&mut outside, &mut card);
        assert_eq!((card.written, outside.written), (vec![1, 2, 3, 4], vec![9]));
        assert!(pipe.outside_is_done() && !pipe.card_is_done());
    }

    #[test]
    fn who_takes_nothing_more_ends_one_direction() {
        let mut outside = End { broken: true, ..End::default() };
        let mut card = End { reads: [vec![1], vec![2]].into(), ..End::default() };
        let mut pipe = Pipe::default();
        pipe.step(&mut outside, &mut card);
        assert!(pipe.card_is_done() && !pipe.outside_is_done());
    }
}
