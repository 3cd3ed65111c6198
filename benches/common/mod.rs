//! What the benches share: a counting allocator and a driver for callgrind.

pub(crate) mod callgrind;
pub(crate) mod heap;
