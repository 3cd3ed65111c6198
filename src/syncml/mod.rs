//! SyncML DM messages: one model, read from and written to text XML and WBXML through `markup`.
//!
//! Must not know what a command does.

mod draft;
mod few;
pub mod model;
mod number;
mod owned;
mod read;
mod read_command;
pub mod status;
mod write;

#[cfg(test)]
mod tests;

pub use crate::markup::Encoding;
pub use draft::Draft;
pub use number::{number_text, own_id};
pub use read::{read, read_with};
pub use write::{Meter, message_size, size_of, write};

use crate::markup::DocType;

impl Encoding {
    /// The media type of a SyncML DM message.
    pub fn mime(self) -> &'static str {
        DocType::SyncMl.mime(self)
    }
}
