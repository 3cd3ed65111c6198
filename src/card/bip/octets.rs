//! A channel's buffer.

use std::collections::VecDeque;
use std::fmt;

/// A bounded queue of octets; shows only how many.
pub(super) struct Octets {
    pub(super) queue: VecDeque<u8>,
    pub(super) capacity: usize,
}

impl Octets {
    pub(super) fn new(capacity: usize) -> Self {
        Self { queue: VecDeque::new(), capacity }
    }

    pub(super) fn space(&self) -> usize {
        self.capacity.saturating_sub(self.queue.len())
    }

    pub(super) fn push(&mut self, octets: &[u8]) -> usize {
        let taken = octets.len().min(self.space());
        self.queue.extend(octets.iter().take(taken));
        taken
    }

    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let mut taken = vec![0; count.min(self.queue.len())];
        self.read(&mut taken);
        taken
    }

    pub(super) fn take_all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.queue).into()
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.queue.len());
        for (to, from) in buffer.iter_mut().zip(&mut self.queue) {
            // The queue keeps its memory: messages with nonces go through it.
            *to = std::mem::take(from);
        }
        self.queue.drain(..count);
        count
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} octets", self.queue.len(), self.capacity)
    }
}
