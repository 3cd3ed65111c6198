//! The host's door to the management tree.

use super::Client;
use crate::error::{Code, Error, Result};
use crate::store::Txn;
use crate::time::Now;
use crate::tree::{self, Actor, Filter, Format, NewNode, Path, Tree, tnds};
use std::sync::atomic::Ordering;

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    pub format: Format,
    /// Octets of the value; 0 for interior nodes.
    pub size: u32,
    /// VerNo.
    pub version: u16,
    /// TStamp, seconds since 1970-01-01 UTC.
    pub tstamp: i64,
}
