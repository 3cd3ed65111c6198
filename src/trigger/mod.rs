//! Notifications (package #0) and the push envelopes that carry them.
