//! The DM server on the card, or behind a port: its bootstrap, its notifications and its sessions.
//!
//! An implementation of its own, from the server's side; it shares nothing with the client.

pub mod auth;
pub mod bootstrap;
pub mod encoding;
pub mod http;
mod incoming;
pub mod listener;
mod log;
mod memory;
pub mod notification;
mod order;
mod outgoing;
mod results;
pub mod script;
pub mod server;
mod session;
mod setup;
pub mod wbxml;
pub mod xml;
