//! The card side: APDUs, files, PKCS#15, and the toolkit. Must not know messages, tree or store.

pub mod access;
pub mod apdu;
pub mod at;
pub mod bip;
pub mod cat;
pub mod channel;
pub mod fcp;
pub mod file;
pub mod gsmtap;
mod imsi;
#[cfg(feature = "pcsc")]
pub mod pcsc;
pub mod pin;
pub mod pkcs15;
#[doc(hidden)]
pub mod script;
pub mod toolkit;
pub mod trace;
pub mod transport;
pub mod uicc;
