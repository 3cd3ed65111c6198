//! What the commands do, one file for each group.

pub(crate) mod audit;
pub(crate) mod card;
pub(crate) mod card_files;
pub(crate) mod decode;
pub(crate) mod provision;
pub(crate) mod run;
pub(crate) mod sim;
pub(crate) mod tree;
