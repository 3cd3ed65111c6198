//! The program `dmsc` from outside: arguments, output, exit codes.

mod card;
mod run;
mod support;
mod tree;
mod usage;
