//! The whole flow with the simulated card in process: what it costs the card, and what becomes of it when the
//! card is pulled.

// Clippy takes only functions with #[test] for tests; these are their helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod exchanges;
mod phone;
mod profiles;
mod pull;
