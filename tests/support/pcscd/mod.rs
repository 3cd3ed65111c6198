//! What tests with a real PC/SC service share: a pcscd of their own, and simulated cards in its
//! reader.

pub(crate) mod daemon;
pub(crate) mod inserted;
