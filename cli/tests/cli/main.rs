//! The program `dmsc` from outside: arguments, output, exit codes.
#![allow(clippy::unwrap_used)]

mod card;
mod run;
mod support;
mod tree;
mod usage;
