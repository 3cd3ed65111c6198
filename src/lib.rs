//! libdmsc: the OMA Device Management Smart Card enabler (DM_SC 1.0) for handsets.
//!
//! The way of data is one: card or push, trigger, session, tree transaction, store, results out.
//! `docs/architecture.md` has the map; the C API is `include/dmsc.h`.

pub mod allocator;
pub mod audit;
pub mod bootstrap;
pub mod bytes;
pub mod card;
pub mod client;
pub mod config;
pub mod driver;
pub mod error;
pub mod event;
pub mod ffi;
pub mod limits;
pub mod markup;
pub mod policy;
pub mod prov;
pub mod random;
pub mod secret;
pub mod session;
pub mod status_word;
pub mod store;
pub mod syncml;
pub mod time;
pub mod transport;
pub mod tree;
pub mod trigger;
pub mod url;

#[cfg(feature = "wipe")]
#[global_allocator]
static WIPING: allocator::Wiping = allocator::Wiping;
