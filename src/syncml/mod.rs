//! SyncML DM messages: one model, read from and written to text XML and WBXML through `markup`.
//!
//! Must not know what a command does.

pub mod model;
pub mod status;
