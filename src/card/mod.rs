//! The card side: APDUs, files, PKCS#15, and the toolkit. Must not know messages, tree or store.

pub mod bip;
pub mod cat;
pub mod transport;
