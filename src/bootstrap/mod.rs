//! Bootstrap: accounts and other objects that come from a card, a push or the factory, in both profiles
//! (OMA DM Bootstrap 1.2).
//!
//! Combines card, messages, provisioning documents and tree. Must not know sessions, threads or events.

mod card;
mod cp;
mod dm;
mod pushed;
mod record;
pub mod security;
#[cfg(test)]
mod tests;
mod unit;

pub use card::object_of;
pub(crate) use card::{Consent, Known, Reading, from_card, read, unchanged, without_reading};
pub(crate) use pushed::{Source, apply as apply_document, judge as judge_push};

use crate::audit::{Entry, Journal};
use crate::card::uicc::CardIdentity;
use crate::error::{Error, Result};
use crate::store::{Reader, Txn};
use crate::time::Now;
use crate::tree::{Actor, Answer, Path, Query, Refusal, Uri};
use sha2::{Digest, Sha256};

/// What a bootstrap came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts that are new.
    pub accounts_added: u32,
    /// Accounts made anew because their card data changed.
    pub accounts_replaced: u32,
    /// Accounts that went with their card or their object.
    pub accounts_removed: u32,
    /// Objects that were known with the same content.
    pub objects_unchanged: u32,
    /// Objects that cannot be read or used.
    pub objects_failed: u32,
    /// Objects with new content that wait for the user's consent.
    pub waiting: u32,
    /// The same one by one, in order.
    pub news: Vec<News>,
    /// Servers of the accounts that are new or anew, and ask for a session at once (w7, INIT).
    pub init: Vec<String>,
}

impl Report {
    /// Servers of the accounts that are new or anew.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.news.iter().filter_map(|news| match news {
            News::Applied { server_id, .. } => server_id.as_deref(),
            _ => None,
        })
    }
}

/// One thing that a bootstrap found or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The card holds an object.
    Found {
        /// Where on the card.
        path: String,
    },
    /// Something of the card, an account or another object, is in the tree now.
    Applied {
        /// Its root.
        uri: String,
        /// Of an account.
        server_id: Option<String>,
    },
    /// Something of the card is no longer in the tree: its card or its object has gone.
    Removed {
        /// Its root.
        uri: String,
        /// Of an account.
        server_id: Option<String>,
    },
    /// Something on the card cannot be read or used.
    Failed {
        /// Where on the card; unknown for what was passed over on the way to the objects.
        path: Option<String>,
        /// Why.
        error: Error,
    },
}

/// The end of a bootstrap: what was done, also when that is a failure as a whole.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// `BootstrapNone` if the card holds no bootstrap data; the reason if none of it can be used or
    /// the card cannot be read.
    pub(crate) error: Option<Error>,
}

impl Outcome {
    /// True if nothing is left to be done with what was found.
    pub(crate) fn is_settled(&self) -> bool {
        self.error.is_none() && self.report.objects_failed == 0 && self.report.waiting == 0
    }
}

impl From<Error> for Outcome {
    /// Nothing was done.
    fn from(error: Error) -> Self {
        Self { report: Report::default(), error: Some(error) }
    }
}

/// The hash that stands for an ICCID wherever one is stored.
pub(crate) fn identity_hash(identity: &CardIdentity) -> [u8; 16] {
    let hash = Sha256::digest(identity.iccid());
    hash.first_chunk().copied().unwrap_or_default()
}

/// Adds to a transaction the records of what it did, if there is a journal.
fn journal(txn: &mut Txn, entries: &[Entry], now: Now) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let Some(mut journal) = Journal::existing(txn, now)? else { return Ok(()) };
    entries.iter().try_for_each(|entry| journal.append(entry).map(drop))
}

/// ServerID of the account at `root`; `None` if that is none.
fn server_of(reader: &dyn Reader, root: &str) -> Result<Option<String>> {
    if !is_account(root) {
        return Ok(None);
    }
    let uri = Uri::from(Path::parse(root)?.join("ServerID")?);
    match Query::new(reader, Actor::Host).get(&uri) {
        Ok(Answer::Leaf { value, .. }) => Ok(String::from_utf8(value).ok()),
        Ok(_) | Err(Refusal::NotFound) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Number of accounts among the roots.
fn accounts<'r>(roots: impl Iterator<Item = &'r str>) -> u32 {
    u32::try_from(roots.filter(|root| is_account(root)).count()).unwrap_or(u32::MAX)
}

/// Accounts live below ./DMAcc whatever identifier their document gave them.
fn is_account(root: &str) -> bool {
    root.starts_with("./DMAcc/")
}
