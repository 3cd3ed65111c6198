//! The program `dmsc` from outside: arguments, output, exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod at;
mod audit;
mod card;
mod decode;
mod decode_vectors;
mod encode;
mod provision;
mod run;
mod support;
mod tree;
mod tree_change;
mod usage;
mod vectors;
