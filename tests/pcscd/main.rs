//! The library on the PC/SC service of the system: a real pcscd, its vpcd reader, and in that the
//! simulated card.
//!
//! Each test has a pcscd of its own (`support::daemon`) and needs no privileges beyond user namespaces. Where
//! that does not work the tests say why and pass; with the environment variable `CI` they fail.
#![cfg(all(feature = "pcsc", target_os = "linux"))]
// Clippy takes only functions with #[test] for tests; these are their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod flow;
mod hang;
mod opensc;
mod phone;
mod pull;
mod pysim;
mod readers;
mod removal;
#[path = "../support/pcscd/mod.rs"]
mod support;
mod transport;
mod vicc;
