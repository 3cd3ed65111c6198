//! What the black-box tests share: a phone made through the C ABI, and the simulated card behind its
//! transport.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test helpers; no test file uses all of them"
)]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of them are calls that a C program would make, with pointers to what outlives them"
)]

pub(crate) mod abi;
#[cfg(feature = "tls")]
pub(crate) mod certificates;
pub(crate) mod dice;
pub(crate) mod facade;
pub(crate) mod host;
pub(crate) mod injector;
pub(crate) mod local;
pub(crate) mod remote;
pub(crate) mod sim;
pub(crate) mod web;
