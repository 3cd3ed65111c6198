//! The C API: one file per C type, all over the facade in `client.rs`.
//!
//! The only module with `extern "C"` functions. Each call goes through [`guard`], which clears the
//! thread's last error, catches panics and turns errors into numbers. Must not hold logic of its own.
//!
//! Contracts of pointers are written as `@pre` lines for the C programmer; `missing_safety_doc` is off
//! because cbindgen would copy a Rust `# Safety` heading into the header.
#![allow(clippy::missing_safety_doc, non_camel_case_types)]
#![warn(missing_docs)]

mod alert;
mod at;
mod audit;
mod buffer;
mod callbacks;
mod card;
mod client;
mod config;
mod destroy;
mod gateway;
mod generic_alert;
mod guard;
mod handle;
mod keys;
mod library;
mod log;
mod network;
mod node_handler;
mod pcsc;
mod policy;
mod provisioning;
mod session;
mod status;
mod storage;
mod stream;
mod toolkit;
mod toolkit_request;
mod trace;
mod tree;
mod trigger;
mod txn;

pub use alert::*;
pub use at::*;
pub use audit::*;
pub use buffer::*;
pub use callbacks::*;
pub use card::*;
pub use client::*;
pub use config::*;
pub use gateway::*;
pub use generic_alert::*;
pub use keys::*;
pub use library::*;
pub use log::*;
pub use network::*;
pub use node_handler::*;
pub use pcsc::*;
pub use policy::*;
pub use provisioning::*;
pub use session::*;
pub use status::*;
pub use storage::*;
pub use stream::*;
pub use toolkit::*;
pub use toolkit_request::*;
pub use trace::*;
pub use tree::*;
pub use trigger::*;
pub use txn::*;
