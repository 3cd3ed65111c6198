//! Durable ordered tables with atomic commits, and the transaction on top of them.
//!
//! A [`Store`] only knows snapshots and batches. [`Txn`] adds reading one's own writes, savepoints,
//! and commit. What the bytes mean is not known here.

pub mod blob;
mod database;
pub mod memory;
#[cfg(feature = "redb")]
pub mod redb;
mod tables;
mod txn;

pub use database::{Database, View};
pub use txn::{By, Change, ChangeKind, Savepoint, Txn};

use crate::error::Result;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The tables of a store. The numbers are part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Schema version and other single values.
    Meta = 0,
    /// Tree nodes without their values.
    Node = 1,
    /// Values of leaf nodes.
    Value = 2,
    /// Notifications already accepted, by server.
    Replay = 3,
    /// What came from which card.
    Card = 4,
    /// Sessions that servers wait for.
    Schedule = 6,
}

impl Table {
    /// Every table, in the order of the numbers.
    pub const ALL: [Self; 6] =
        [Self::Meta, Self::Node, Self::Value, Self::Replay, Self::Card, Self::Schedule];

    /// The table's name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Node => "node",
            Self::Value => "value",
            Self::Replay => "replay",
            Self::Card => "card",
            Self::Schedule => "schedule",
        }
    }

    /// The table with this number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == number)
    }
}

/// Writes of one commit: `None` deletes.
pub type Batch = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// Called for each entry in key order; `Break` ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// A consistent view of the store; later commits do not show in it.
pub trait Snapshot: Send + Sync {
    /// The value under `key`.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Visits the entries with `from <= key` that begin with `prefix`, in key order.
    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()>;
}

/// Durable tables.
pub trait Store: Send + Sync {
    /// A view of what is committed now.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>>;
    /// Makes all of `batch` durable, or nothing.
    fn commit(&self, batch: &Batch) -> Result<()>;
}

/// Reading that is the same for a [`View`] and for an open [`Txn`].
pub trait Reader {
    /// The value under `key`.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Visits the entries with `from <= key` that begin with `prefix`, in key order.
    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()>;
}
