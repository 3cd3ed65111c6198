//! Bootstrap: accounts and other objects that come from the card, applied once and taken away with it.
//!
//! Combines card, messages and tree. Must not know sessions or threads.

mod dm;
mod record;
pub mod security;

use crate::card::apdu::Card;
use crate::card::pkcs15::{self, Content, ObjectData};
use crate::card::uicc::{self, CardIdentity};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind};
use crate::store::{Database, Reader, Table, Txn};
use crate::time::Now;
use crate::tree::import::Placed;
use crate::tree::{Actor, Origin, Path, Refusal, Tree, Uri};
use der::asn1::ObjectIdentifier;
use record::{Applied, CardRecord};
use sha2::{Digest, Sha256};

/// EF DM_Bootstrap in a DODF (OMA DM Bootstrap 1.2, smart card).
const DM_BOOTSTRAP: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.43.7.1");

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
    /// The same as events, in order.
    pub events: Vec<Event>,
}

/// The hash that stands for an ICCID wherever one is stored.
pub(crate) fn identity_hash(identity: &CardIdentity) -> [u8; 16] {
    let hash = Sha256::digest(identity.iccid());
    hash.first_chunk().copied().unwrap_or_default()
}

/// Reads the DM bootstrap data of the card in `slot` and applies what is new, all in one transaction.
///
/// Fails with `BootstrapNone` if the card holds none (what an earlier card brought is gone then, too),
/// with the object's own error if there is only one and it cannot be used, and with `CardReset` if
/// another card was put in meanwhile; then nothing is changed.
pub(crate) fn from_card(card: &mut Card, slot: u32, db: &Database, now: Now) -> Result<Report> {
    let identity = uicc::read_identity(card).map_err(|error| error.context("reading EF.ICCID"))?;
    let found = pkcs15::read_objects(card, &[DM_BOOTSTRAP], pkcs15::Options::default())
        .map_err(|error| error.context("reading the PKCS#15 objects"))?;
    if uicc::read_identity(card)? != identity {
        return Err(Error::new(Code::CardReset, "another card was put in while it was read"));
    }
    let mut work = Work::begin(db, slot, identity_hash(&identity), now)?;
    for object in &found.objects {
        work.object(object)?;
    }
    let none = found.objects.is_empty();
    let fault = found.faults.into_iter().next();
    let (report, last_error) = work.finish()?;
    match (none, last_error, fault) {
        (true, _, Some(fault)) => Err(fault),
        (true, _, None) => {
            Err(Error::new(Code::BootstrapNone, "the card holds no DM bootstrap data"))
        }
        (false, Some(error), _) if report.objects_failed as usize == found.objects.len() => {
            Err(error)
        }
        _ => Ok(report),
    }
}

/// One bootstrap in progress.
struct Work {
    txn: Txn,
    slot: u32,
    now: Now,
    /// What this card brought before.
    known: Vec<Applied>,
    record: CardRecord,
    report: Report,
    last_error: Option<Error>,
}

impl Work {
    fn begin(db: &Database, slot: u32, identity: [u8; 16], now: Now) -> Result<Self> {
        let txn = db.begin()?;
        let stored = txn.get(Table::Card, &record::key(slot))?;
        let stored = stored.as_deref().map(CardRecord::decode).transpose()?;
        let mut work = Self {
            txn,
            slot,
            now,
            known: Vec::new(),
            record: CardRecord { identity, objects: Vec::new() },
            report: Report::default(),
            last_error: None,
        };
        match stored {
            Some(stored) if stored.identity == identity => work.known = stored.objects,
            // Another card: what the one before brought goes with it.
            Some(stored) => work.remove(&stored.objects)?,
            None => {}
        }
        Ok(work)
    }

    /// Deals with one object of the card.
    fn object(&mut self, object: &ObjectData) -> Result<()> {
        let found = Event::new(EventKind::BootstrapFound).uri(object.path.clone());
        self.report.events.push(found);
        match self.apply(object) {
            Ok(()) => Ok(()),
            // A store that fails, fails for all of them.
            Err(error) if (error.code() as i32) <= Code::StorageIo as i32 => Err(error),
            Err(error) => {
                let error = error.context(format_args!("bootstrap object {}", object.path));
                let event = Event::new(EventKind::BootstrapApplied).uri(object.path.clone());
                self.report.events.push(event.failed(&error));
                self.report.objects_failed += 1;
                self.last_error = Some(error);
                Ok(())
            }
        }
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
        if let Some(before) = before {
            if before.hash == hash && self.all_there(&before)? {
                self.report.objects_unchanged += 1;
                self.record.objects.push(before);
                return Ok(());
            }
            return self.replace(object, octets, hash, before);
        }
        let roots = self.create(octets)?;
        self.report.accounts_added += accounts(&roots);
        self.applied(object, hash, &roots);
        Ok(())
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
        let replaced = self.delete(&before.roots).and_then(|_| self.create(octets));
        match replaced {
            Ok(roots) => {
                self.txn.release(savepoint);
                self.report.accounts_replaced += accounts(&roots);
                self.applied(object, hash, &roots);
                Ok(())
            }
            Err(error) => {
                self.txn.rollback_to(savepoint);
                self.record.objects.push(before);
                Err(error)
            }
        }
    }

    fn applied(&mut self, object: &ObjectData, hash: [u8; 32], placed: &[Placed]) {
        let roots: Vec<String> = placed.iter().map(|placed| placed.uri.clone()).collect();
        for root in &roots {
            self.report.events.push(Event::new(EventKind::BootstrapApplied).uri(root.clone()));
        }
        self.record.objects.push(Applied { path: object.path.clone(), hash, roots });
    }

    /// The objects that the document created.
    fn create(&mut self, document: &[u8]) -> Result<Vec<Placed>> {
        let origin = Origin::Card { slot: self.slot, iccid_hash: self.record.identity };
        let savepoint = self.txn.savepoint();
        let mut tree =
            Tree::new(&mut self.txn, Actor::Bootstrap, self.now).with_origin(origin.clone());
        let created = dm::apply(&mut tree, document, &origin);
        match &created {
            Ok(_) => self.txn.release(savepoint),
            Err(_) => self.txn.rollback_to(savepoint),
        }
        created
    }

    fn all_there(&self, applied: &Applied) -> Result<bool> {
        let query = crate::tree::Query::new(&self.txn, Actor::Host);
        for root in &applied.roots {
            if !query.exists(&Path::parse(root)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes roots that are still there; how many accounts that were.
    fn delete(&mut self, roots: &[String]) -> Result<u32> {
        let mut gone = 0;
        for root in roots {
            let mut tree = Tree::new(&mut self.txn, Actor::Host, self.now);
            match tree.delete(&Uri::parse(root)?) {
                Ok(()) => gone += u32::from(is_account(root)),
                Err(Refusal::NotFound) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(gone)
    }

    fn remove(&mut self, objects: &[Applied]) -> Result<()> {
        for object in objects {
            self.report.accounts_removed += self.delete(&object.roots)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(Report, Option<Error>)> {
        // What is left of the known objects is no longer on the card.
        let gone = std::mem::take(&mut self.known);
        self.remove(&gone)?;
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
