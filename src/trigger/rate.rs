//! How often a server may ask for a session.
//!
//! Owns the times of accepted notifications, on the monotonic clock of one life of the client. Must not know
//! what a session is.

use crate::limits::{TRIGGER_RATE, TRIGGER_RATE_MS};
use std::collections::BTreeMap;

/// When each server was heard last. Only genuine notifications may get here, so there are no more servers
/// than accounts.
#[derive(Debug, Default)]
pub struct Rate(BTreeMap<String, Vec<u64>>);

impl Rate {
    /// True if `server_id` may ask for another session now.
    pub fn allows(&mut self, server_id: &str, now_ms: u64) -> bool {
        self.0.retain(|_, times| {
            times.retain(|time| now_ms.saturating_sub(*time) < TRIGGER_RATE_MS);
            !times.is_empty()
        });
        self.0.get(server_id).is_none_or(|times| times.len() < TRIGGER_RATE)
    }

    /// Counts a notification that was accepted.
    pub fn count(&mut self, server_id: &str, now_ms: u64) {
        self.0.entry(server_id.to_owned()).or_default().push(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sixth_within_ten_minutes_is_too_many_for_this_server() {
        let mut rate = Rate::default();
        for minute in 0..5 {
            assert!(rate.allows("a", minute * 60_000));
            rate.count("a", minute * 60_000);
        }
        assert!(!rate.allows("a", 599_999));
        assert!(rate.allows("b", 599_999));
        assert!(rate.allows("a", 600_000));
        rate.count("a", 600_000);
        assert!(!rate.allows("a", 600_001));
        assert!(rate.allows("a", 2_000_000));
        assert!(rate.0.is_empty(), "what is long ago is forgotten");
    }
}
