//! The card's eight timers, and how a time is coded for the card.
//!
//! Owns timers 1 to 8 (TS 102 223 section 6.4.21). Must not know commands or envelopes.

use crate::time::Now;

const TIMERS: usize = 8;
/// Longest value that three BCD octets can say: 23:59:59.
const LONGEST_S: u64 = 24 * 3600 - 1;

#[derive(Clone, Copy, Debug)]
struct Timer {
    started_ms: u64,
    length_ms: u64,
}

impl Timer {
    fn due_ms(self) -> u64 {
        self.started_ms.saturating_add(self.length_ms)
    }

    /// Seconds left, a started second counted whole.
    fn remaining_s(self, now: Now) -> u64 {
        self.due_ms().saturating_sub(now.mono_ms).div_ceil(1000)
    }
}

/// The timers of one card session.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Timer>; TIMERS]);

impl Timers {
    /// Starts timer `id`, anew if it runs; `None` if there is no such timer.
    pub(super) fn start(&mut self, id: u8, length_s: u64, now: Now) -> Option<()> {
        let timer = Timer { started_ms: now.mono_ms, length_ms: length_s * 1000 };
        *self.slot(id)? = Some(timer);
        Some(())
    }

    /// Stops timer `id`; `Some(None)` if it does not run, `None` if there is no such timer.
    pub(super) fn stop(&mut self, id: u8, now: Now) -> Option<Option<u64>> {
        Some(self.slot(id)?.take().map(|timer| timer.remaining_s(now)))
    }

    /// Seconds left on timer `id`; `None`s as for [`stop`](Self::stop).
    pub(super) fn remaining(&mut self, id: u8, now: Now) -> Option<Option<u64>> {
        Some(self.slot(id)?.map(|timer| timer.remaining_s(now)))
    }

    /// Takes one timer that has expired: its identifier and the seconds since its start.
    pub(super) fn take_expired(&mut self, now: Now) -> Option<(u8, u64)> {
        let running = (1..).zip(&mut self.0).filter_map(|(id, slot)| Some((id, (*slot)?, slot)));
        let expired = running.filter(|(_, timer, _)| timer.due_ms() <= now.mono_ms);
        let (id, timer, slot) = expired.min_by_key(|(_, timer, _)| timer.due_ms())?;
        *slot = None;
        let elapsed_s = now.mono_ms.saturating_sub(timer.started_ms) / 1000;
        Some((id, elapsed_s.min(LONGEST_S)))
    }

    /// When the next timer expires, in monotonic milliseconds.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.0.iter().flatten().map(|timer| timer.due_ms()).min()
    }

    fn slot(&mut self, id: u8) -> Option<&mut Option<Timer>> {
        self.0.get_mut(usize::from(id).checked_sub(1)?)
    }
}

/// Two decimal digits (`value` below 100) with the first in the low nibble.
pub(super) fn swapped(value: u8) -> u8 {
    ((value % 10) << 4) | (value / 10)
}

fn unswapped(octet: u8) -> Option<u8> {
    let (tens, ones) = (octet & 0x0F, octet >> 4);
    (tens <= 9 && ones <= 9).then_some(tens * 10 + ones)
}

/// A timer value of `seconds` (at most 23:59:59): hours, minutes, seconds.
pub(super) fn encode_value(seconds: u64) -> [u8; 3] {
    let part = |unit: u64, modulo: u64| u8::try_from(seconds / unit % modulo).unwrap_or(0);
    [part(3600, 24), part(60, 60), part(1, 60)].map(swapped)
}

/// The seconds of a timer value; `None` if it is none, or zero.
pub(super) fn decode_value(octets: &[u8]) -> Option<u64> {
    let &[hours, minutes, seconds] = octets else { return None };
    let (hours, minutes, seconds) = (unswapped(hours)?, unswapped(minutes)?, unswapped(seconds)?);
    let fits = hours < 24 && minutes < 60 && seconds < 60;
    let total = u64::from(hours) * 3600 + u64::from(minutes) * 60 + u64::from(seconds);
    (fits && total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(mono_ms: u64) -> Now {
        Now { mono_ms, unix_s: 0 }
    }

    #[test]
    fn the_last_second_of_the_day_is_swapped_bcd() {
        assert_eq!(encode_value(LONGEST_S), [0x32, 0x95, 0x95]);
        assert_eq!(decode_value(&[0x32, 0x95, 0x95]), Some(LONGEST_S));
    }

    #[test]
    fn values_that_are_no_time_are_refused() {
        for octets in [&[0, 0, 0][..], &[0x42, 0, 0], &[0, 0x06, 0], &[0, 0, 0xA0], &[0, 0x10]] {
            assert_eq!(decode_value(octets), None, "{octets:02X?}");
        }
    }

    #[test]
    fn the_first_timer_due_expires_first_and_only_once() {
        let mut timers = Timers::default();
        timers.start(3, 20, at(0)).unwrap();
        timers.start(8, 10, at(500)).unwrap();
        assert_eq!(timers.deadline(), Some(10_500));
        assert_eq!(timers.take_expired(at(10_499)), None);
        assert_eq!(timers.take_expired(at(20_000)), Some((8, 19)));
        assert_eq!(timers.take_expired(at(20_000)), Some((3, 20)));
        assert_eq!(timers.take_expired(at(20_000)), None);
    }

    proptest! {
        #[test]
        fn values_round_trip(seconds in 1..=LONGEST_S) {
            prop_assert_eq!(decode_value(&encode_value(seconds)), Some(seconds));
        }
    }
}
