//! Randomness as an argument, so that every protocol test is repeatable.

/// A source of unpredictable octets.
pub trait Random: Send {
    /// Fills `buffer`.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// The system's random number generator.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[allow(clippy::expect_used)]
    fn fill(&mut self, buffer: &mut [u8]) {
        // Without randomness no nonce may be made; a panic here poisons the client, nothing else.
        getrandom::fill(buffer).expect("the system gives random octets");
    }
}
