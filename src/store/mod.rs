//! Durable ordered tables with atomic commits, and the transaction on top of them.
//!
//! A [`Store`] only knows snapshots and batches. [`Txn`] adds reading one's own writes, savepoints,
//! and commit; a [`Database`] seals what is in [`Table::Secret`]. What the bytes mean, and which of
//! them are secret, is not known here.

pub mod blob;
mod change;
mod database;
mod entries;
pub mod key_file;
pub mod memory;
mod outside;
pub(crate) mod private;
#[cfg(feature = "redb")]
pub mod redb;
mod schema;
mod seal;
mod tables;
mod txn;

pub use change::{By, Change, ChangeKind};
pub use database::{Database, Sealing, View};
pub use entries::Entries;
pub use outside::{Operation, Participant};
pub use seal::{KEY_OCTETS, KeySource, Secrecy};
pub use txn::{Savepoint, Txn, committed_number};

use crate::error::Result;
use std::any::Any;
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

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
    /// Values of leaf nodes that are secret: sealed in the store, clear to readers and writers.
    Secret = 5,
    /// Properties of nodes whose values the host keeps.
    Host = 6,
    /// Alerts of the host that no server has taken yet.
    Alert = 7,
    /// Sessions that servers wait for.
    Schedule = 8,
    /// The audit journal.
    Audit = 9,
}

impl Table {
    /// Every table, in the order of the numbers.
    pub const ALL: [Self; 10] = [
        Self::Meta,
        Self::Node,
        Self::Value,
        Self::Replay,
        Self::Card,
        Self::Secret,
        Self::Host,
        Self::Alert,
        Self::Schedule,
        Self::Audit,
    ];

    /// The table's name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Node => "node",
            Self::Value => "value",
            Self::Replay => "replay",
            Self::Card => "card",
            Self::Secret => "secret",
            Self::Host => "host",
            Self::Alert => "alert",
            Self::Schedule => "schedule",
            Self::Audit => "audit",
        }
    }

    /// The table with this number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == number)
    }
}

/// Writes of one commit: `None` deletes.
pub type Batch = Entries<Option<Vec<u8>>>;

/// Called for each entry in key order; `Break` ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// A consistent view of the store; later commits do not show in it.
pub trait Snapshot: Send + Sync {
    /// The value under `key`, borrowed from where it is kept if that is possible.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>>;
    /// Visits the entries with `from <= key` that begin with `prefix`, in key order.
    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()>;
}

/// Durable tables.
pub trait Store: Send + Sync {
    /// A view of what is committed now.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>>;
    /// Makes all of `batch` durable, or nothing.
    fn commit(&self, batch: &Batch) -> Result<()>;
    /// Writes the content anew where nothing is left of what was replaced or deleted before.
    ///
    /// A store that leaves nothing behind has nothing to do.
    fn scrub(&self) -> Result<()> {
        Ok(())
    }

    /// Gets ready for an end without warning, where that shortens the next opening. Nothing is lost without it.
    fn settle(&self) -> Result<()> {
        Ok(())
    }

    /// As `commit`, with a batch that is not needed any more: a store in memory keeps it as it is.
    fn commit_owned(&self, batch: Batch) -> Result<()> {
        self.commit(&batch)
    }
}

/// What the layer above keeps with an open database; the store only hands it on to every reader.
pub type Attachment = Arc<dyn Any + Send + Sync>;

/// Reading that is the same for a [`View`] and for an open [`Txn`].
pub trait Reader {
    /// What [`Database::attach`] was given.
    fn attachment(&self) -> Option<&Attachment>;
    /// The value under `key`, borrowed from where it is kept if that is possible.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>>;
    /// Visits the entries with `from <= key` that begin with `prefix`, in key order.
    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()>;
    /// True if the value of this node key belongs into [`Table::Secret`], not [`Table::Value`].
    fn is_secret(&self, key: &[u8]) -> bool;
}
