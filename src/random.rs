//! Randomness as an argument, so that every protocol test is repeatable.

/// A source of unpredictable octets.
pub trait Random: Send {
    /// Fills `buffer`.
    fn fill(&mut self, buffer: &mut [u8]);
}
