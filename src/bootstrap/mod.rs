//! Bootstrap: accounts and other objects that come from the card, applied once and taken away with it.
//!
//! Combines card, messages and tree. Must not know sessions, threads or events.

mod dm;
mod record;
pub mod security;
#[cfg(test)]
mod tests;

use crate::card::apdu::Card;
use crate::card::pkcs15::{self, Content, Found, OID_DM_BOOTSTRAP, ObjectData};
use crate::card::uicc::{self, CardIdentity};
use crate::error::{Code, Error, Result};
use crate::store::{Database, Reader, Table, Txn};
use crate::time::Now;
use crate::tree::import::Placed;
use crate::tree::{Actor, Answer, Origin, Path, Query, Refusal, Tree, Uri};
use record::{Applied, CardRecord};
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;

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
    /// The same one by one, in order.
    pub news: Vec<News>,
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

/// Reads the DM bootstrap data of the card in `slot`, which has shown itself as `identity`, and applies
/// what is new, all in one transaction.
///
/// What an earlier card in the slot brought is removed, whatever comes of this one. While a part of the
/// card cannot be read, nothing that this card brought is taken for gone. Nothing at all is changed when
/// the card is gone or another one was put in meanwhile (`CardReset`), or when the store fails.
pub(crate) fn from_card(
    card: &mut Card,
    slot: u32,
    identity: &CardIdentity,
    db: &Database,
    now: Now,
) -> Outcome {
    let found = match read(card, identity) {
        Ok(found) => found,
        Err(error) if error.is_card_gone() => return error.into(),
        Err(error) => Found { faults: vec![error], ..Found::default() },
    };
    apply(&found, slot, identity_hash(identity), db, now).unwrap_or_else(Outcome::from)
}

fn read(card: &mut Card, identity: &CardIdentity) -> Result<Found> {
    let options = pkcs15::Options { confirm_identity: true, ..pkcs15::Options::default() };
    let found = pkcs15::read_objects(card, &[OID_DM_BOOTSTRAP], options)
        .map_err(|error| error.context("reading the PKCS#15 objects"))?;
    let after = match &found.identity {
        Some(after) => after,
        None => &uicc::read_identity(card)?,
    };
    if after != identity {
        return Err(Error::new(Code::CardReset, "another card was put in while it was read"));
    }
    Ok(found)
}

/// Brings the tree in line with what was found.
fn apply(found: &Found, slot: u32, identity: [u8; 16], db: &Database, now: Now) -> Result<Outcome> {
    let mut work = Work::begin(db, slot, identity, now)?;
    if found.faults.is_empty() {
        work.remove_gone(&found.objects)?;
    }
    for error in found.faults.iter().cloned() {
        work.report.news.push(News::Failed { path: None, error });
    }
    for object in &found.objects {
        work.object(object)?;
    }
    let (report, last_error) = work.finish()?;
    let all_failed = usize::try_from(report.objects_failed) == Ok(found.objects.len());
    let error = match found.faults.first() {
        _ if !found.objects.is_empty() => last_error.filter(|_| all_failed),
        Some(fault) => Some(fault.clone()),
        None if found.present => {
            Some(Error::new(Code::BootstrapNone, "the card holds no DM bootstrap data"))
        }
        None => Some(Error::new(
            Code::BootstrapNone,
            "the card has no PKCS#15 application, or none with an ODF",
        )),
    };
    Ok(Outcome { report, error })
}

/// One bootstrap in progress.
struct Work {
    txn: Txn,
    now: Now,
    origin: Origin,
    slot: u32,
    /// What this card brought before and has not been met again yet.
    known: Vec<Applied>,
    record: CardRecord,
    report: Report,
    last_error: Option<Error>,
}

impl Work {
    fn begin(db: &Database, slot: u32, identity: [u8; 16], now: Now) -> Result<Self> {
        let mut work = Self {
            txn: db.begin()?,
            now,
            origin: Origin::Card { slot, iccid_hash: identity },
            slot,
            known: Vec::new(),
            record: CardRecord { identity, objects: Vec::new() },
            report: Report::default(),
            last_error: None,
        };
        for (place, stored) in work.stored()? {
            if place == slot && stored.identity == identity {
                work.known = stored.objects;
            } else if place == slot || stored.identity == identity {
                // Another card was here, or this one was elsewhere: what came from there goes.
                let origin = Origin::Card { slot: place, iccid_hash: stored.identity };
                work.remove(&stored.objects, &origin)?;
                work.txn.delete(Table::Card, &record::key(place));
            }
        }
        Ok(work)
    }

    /// The records of all slots.
    fn stored(&self) -> Result<Vec<(u32, CardRecord)>> {
        let mut records = Vec::new();
        self.txn.scan(Table::Card, &[], &[], &mut |key, value| {
            records.push((record::slot(key), CardRecord::decode(value)));
            ControlFlow::Continue(())
        })?;
        records.into_iter().map(|(slot, record)| Ok((slot?, record?))).collect()
    }

    /// Removes what came from objects that are no longer on the card. First of all, because an object
    /// that was only moved brings the same account again.
    fn remove_gone(&mut self, present: &[ObjectData]) -> Result<()> {
        let is_present = |applied: &Applied| present.iter().any(|now| now.path == applied.path);
        let (known, gone) = std::mem::take(&mut self.known).into_iter().partition(is_present);
        self.known = known;
        let gone: Vec<Applied> = gone;
        self.remove(&gone, &self.origin.clone())
    }

    /// Deals with one object of the card. Fails only if the store does.
    fn object(&mut self, object: &ObjectData) -> Result<()> {
        self.report.news.push(News::Found { path: object.path.clone() });
        let error = match self.apply(object) {
            Ok(()) => return Ok(()),
            Err(error) if error.is_storage() => return Err(error),
            Err(error) => error.context(format_args!("bootstrap object {}", object.path)),
        };
        let path = Some(object.path.clone());
        self.report.news.push(News::Failed { path, error: error.clone() });
        self.report.objects_failed += 1;
        self.last_error = Some(error);
        Ok(())
    }

    fn apply(&mut self, object: &ObjectData) -> Result<()> {
        let before = self.known.iter().position(|applied| applied.path == object.path);
        let before = before.map(|at| self.known.swap_remove(at));
        let octets = match &object.content {
            Content::Octets(octets) => octets.expose(),
            content => {
                // What cannot be read now was not taken off the card: its accounts stay.
                self.record.objects.extend(before);
                return Err(unreadable(content));
            }
        };
        let hash: [u8; 32] = Sha256::digest(octets).into();
        match before {
            Some(before) if before.hash == hash && self.all_there(&before)? => {
                self.report.objects_unchanged += 1;
                self.record.objects.push(before);
                Ok(())
            }
            Some(before) => self.replace(object, octets, hash, before),
            None => {
                let roots = self.create(octets)?;
                self.report.accounts_added += accounts(&roots);
                self.applied(object, hash, &roots)
            }
        }
    }

    /// Applies a changed object in place of its former content, or leaves that as it is.
    fn replace(
        &mut self,
        object: &ObjectData,
        octets: &[u8],
        hash: [u8; 32],
        before: Applied,
    ) -> Result<()> {
        let savepoint = self.txn.savepoint();
        let origin = self.origin.clone();
        let deleted = before.roots.iter().try_for_each(|root| self.delete(root, &origin).map(drop));
        match deleted.and_then(|()| self.create(octets)) {
            Ok(roots) => {
                self.txn.release(savepoint);
                self.report.accounts_replaced += accounts(&roots);
                self.applied(object, hash, &roots)
            }
            Err(error) => {
                self.txn.rollback_to(savepoint);
                self.record.objects.push(before);
                Err(error)
            }
        }
    }

    fn applied(&mut self, object: &ObjectData, hash: [u8; 32], placed: &[Placed]) -> Result<()> {
        let roots: Vec<String> = placed.iter().map(|placed| placed.uri.clone()).collect();
        for uri in roots.iter().cloned() {
            let server_id = self.server_of(&uri)?;
            self.report.news.push(News::Applied { uri, server_id });
        }
        self.record.objects.push(Applied { path: object.path.clone(), hash, roots });
        Ok(())
    }

    /// The objects that the document created.
    fn create(&mut self, document: &[u8]) -> Result<Vec<Placed>> {
        let savepoint = self.txn.savepoint();
        let taken: Vec<&str> = self
            .record
            .objects
            .iter()
            .flat_map(|object| &object.roots)
            .map(String::as_str)
            .collect();
        let mut tree =
            Tree::new(&mut self.txn, Actor::Bootstrap, self.now).with_origin(self.origin.clone());
        let created = dm::apply(&mut tree, document, &self.origin, &taken);
        match &created {
            Ok(_) => self.txn.release(savepoint),
            Err(_) => self.txn.rollback_to(savepoint),
        }
        created
    }

    fn all_there(&self, applied: &Applied) -> Result<bool> {
        for root in &applied.roots {
            if !self.is_from(root, &self.origin)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// True if the node exists and came from there: somebody may have put another one in its place.
    fn is_from(&self, root: &str, origin: &Origin) -> Result<bool> {
        let node = Query::new(&self.txn, Actor::Host).node(&Path::parse(root)?)?;
        Ok(node.is_some_and(|node| node.origin == *origin))
    }

    /// Deletes a root that came from `origin`; false if it is no longer there.
    fn delete(&mut self, root: &str, origin: &Origin) -> Result<bool> {
        if !self.is_from(root, origin)? {
            return Ok(false);
        }
        Tree::new(&mut self.txn, Actor::Host, self.now).delete(&Uri::parse(root)?)?;
        Ok(true)
    }

    fn remove(&mut self, objects: &[Applied], origin: &Origin) -> Result<()> {
        for root in objects.iter().flat_map(|object| &object.roots) {
            let server_id = self.server_of(root)?;
            if self.delete(root, origin)? {
                self.report.accounts_removed += u32::from(is_account(root));
                self.report.news.push(News::Removed { uri: root.clone(), server_id });
            }
        }
        Ok(())
    }

    /// ServerID of the account at `root`.
    fn server_of(&self, root: &str) -> Result<Option<String>> {
        if !is_account(root) {
            return Ok(None);
        }
        let uri = Uri::parse(&format!("{root}/ServerID"))?;
        match Query::new(&self.txn, Actor::Host).get(&uri) {
            Ok(Answer::Leaf { value, .. }) => Ok(String::from_utf8(value).ok()),
            Ok(_) | Err(Refusal::NotFound) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn finish(mut self) -> Result<(Report, Option<Error>)> {
        // Not met again because a part of the card cannot be read.
        self.record.objects.append(&mut self.known);
        let key = record::key(self.slot);
        let value = self.record.encode();
        // An unchanged card costs no write.
        if self.txn.get(Table::Card, &key)?.as_deref() != Some(&*value) {
            self.txn.put(Table::Card, &key, value);
        }
        self.txn.commit()?;
        Ok((self.report, self.last_error))
    }
}

fn accounts(placed: &[Placed]) -> u32 {
    let accounts = placed.iter().filter(|placed| is_account(&placed.uri)).count();
    u32::try_from(accounts).unwrap_or(u32::MAX)
}

/// Accounts live below ./DMAcc whatever identifier their document gave them.
fn is_account(root: &str) -> bool {
    root.starts_with("./DMAcc/")
}

fn unreadable(content: &Content) -> Error {
    match content {
        Content::Locked { reference: Some(reference) } => Error::new(
            Code::CardAccessDenied,
            format!("needs the PIN with reference {reference:02X}"),
        ),
        Content::Locked { reference: None } => Error::new(Code::CardAccessDenied, "needs a PIN"),
        Content::Unreadable(error) => error.clone(),
        Content::Empty | Content::Octets(_) => Error::new(Code::BootstrapNone, "the file is empty"),
    }
}
