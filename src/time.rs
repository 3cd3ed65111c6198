//! Time as an argument: no module below the driver reads a clock.

/// One instant on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic milliseconds from an arbitrary start.
    pub mono_ms: u64,
    /// Seconds since 1970-01-01 UTC.
    pub unix_s: i64,
}
