//! What the card in a slot brings: applied once, renewed when it changes, taken away with its card.

use super::record::{self, Applied, CardRecord, Profile};
use super::{News, Outcome, Report, accounts, dm, identity_hash, is_account, journal, server_of};
use crate::audit::{self, Entry, Hash};
use crate::card::apdu::Card;
use crate::card::pkcs15::{
    self, Content, Found, OID_CP_BOOTSTRAP, OID_CP_CONFIG1, OID_CP_CONFIG2, OID_DM_BOOTSTRAP,
    ObjectData, ObjectIdentifier,
};
use crate::card::uicc::{self, CardIdentity};
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use crate::store::{Database, Reader, Table, Txn};
use crate::time::Now;
use crate::tree::import::Placed;
use crate::tree::{Actor, Origin, Path, Query, Tree, Uri};
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;

/// The objects looked for. The DM object comes first, then the provisioning documents with the one that
/// counts most before the others.
const RANKS: [ObjectIdentifier; 4] =
    [OID_DM_BOOTSTRAP, OID_CP_BOOTSTRAP, OID_CP_CONFIG1, OID_CP_CONFIG2];

/// May new content be applied?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Yes.
    Given,
    /// Somebody has to be asked: new content waits, what is gone goes all the same.
    Needed,
}

/// What was read from the card in a slot.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) slot: u32,
    /// Hash of the card's ICCID.
    pub(crate) identity: [u8; 16],
    pub(crate) found: Found,
}

impl Reading {
    /// True if everything on the card was read: the card need not be asked again while it stays as it is.
    pub(crate) fn is_whole(&self) -> bool {
        let is_read = |object: &ObjectData| matches!(object.content, Content::Octets(_));
        self.found.faults.is_empty() && self.found.objects.iter().all(is_read)
    }

    /// True if the card holds nothing for the bootstrap.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.objects.is_empty()
    }

    /// True if the card holds a DM message for the bootstrap.
    pub(crate) fn has_dm_object(&self) -> bool {
        self.found.objects.iter().any(|object| object.oid == OID_DM_BOOTSTRAP)
    }
}

/// Reads the bootstrap data of the card in `slot`, which has shown itself as `identity`.
///
/// What cannot be read is noted in the reading. Fails only when the card is gone or another one was put
/// in meanwhile (`CardReset`).
///
/// Where the slot's record `known` says what this card brought, the files that it names are looked at first:
/// with the content of before they are all that is read. See docs/adr/0060-known-card.md.
pub(crate) fn read(
    card: &mut Card,
    slot: u32,
    identity: &CardIdentity,
    known: &Known,
) -> Result<Reading> {
    if let Some(found) = read_known(card, identity, known)? {
        return Ok(Reading { slot, identity: identity_hash(identity), found });
    }
    let found = match read_objects(card, identity) {
        Ok(found) => found,
        Err(error) if error.is_card_gone() => return Err(error),
        Err(error) => Found { faults: vec![error], ..Found::default() },
    };
    Ok(Reading { slot, identity: identity_hash(identity), found })
}

/// A card that is not read because of `reason`: what another card brought goes, what it brought itself
/// stays.
pub(crate) fn without_reading(slot: u32, identity: &CardIdentity, reason: Error) -> Reading {
    let found = Found { faults: vec![reason], ..Found::default() };
    Reading { slot, identity: identity_hash(identity), found }
}

/// What a card brought before: where its messages are, and what they hash to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    identity: [u8; 16],
    messages: Vec<(String, [u8; 32])>,
}

impl Known {
    /// What the store says of the card in `slot`. Nothing where provisioning documents count too: what comes
    /// of those depends on each other.
    pub(crate) fn of(reader: &dyn Reader, slot: u32) -> Result<Self> {
        let stored = stored(reader)?;
        let Some((_, record)) = stored.into_iter().find(|(place, _)| *place == slot) else {
            return Ok(Self::default());
        };
        if record.objects.iter().any(|applied| applied.profile != Profile::Dm) {
            return Ok(Self::default());
        }
        let messages = record.objects.into_iter().map(|applied| (applied.path, applied.hash));
        Ok(Self { identity: record.identity, messages: messages.collect() })
    }
}

/// The messages of before, if the card is the one of before and they are what they were.
fn read_known(card: &mut Card, identity: &CardIdentity, known: &Known) -> Result<Option<Found>> {
    if known.messages.is_empty() || known.identity != identity_hash(identity) {
        return Ok(None);
    }
    let paths: Vec<&str> = known.messages.iter().map(|(path, _)| path.as_str()).collect();
    let Some((contents, after)) = pkcs15::read_known(card, &paths)? else { return Ok(None) };
    let same = |(octets, (_, hash)): (&Secret, &(String, [u8; 32]))| {
        <[u8; 32]>::from(Sha256::digest(octets.expose())) == *hash
    };
    if after != *identity || !contents.iter().zip(&known.messages).all(same) {
        return Ok(None);
    }
    let objects = known.messages.iter().zip(contents).map(|((path, _), octets)| ObjectData {
        oid: OID_DM_BOOTSTRAP,
        label: None,
        path: path.clone(),
        content: Content::Octets(octets),
    });
    Ok(Some(Found { present: true, objects: objects.collect(), ..Found::default() }))
}

fn read_objects(card: &mut Card, identity: &CardIdentity) -> Result<Found> {
    let options = pkcs15::Options { confirm_identity: true, ..pkcs15::Options::default() };
    let found = pkcs15::read_objects(card, &RANKS, options)
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

/// Brings the tree in line with what was read, all in one transaction.
///
/// What an earlier card in the slot brought is removed, whatever comes of this one. While a part of the
/// card cannot be read, nothing that this card brought is taken for gone. Nothing at all is changed when
/// the store fails.
pub(crate) fn from_card(reading: &Reading, consent: Consent, db: &Database, now: Now) -> Outcome {
    apply(reading, consent, db, now).unwrap_or_else(Outcome::from)
}

pub(super) fn apply(
    reading: &Reading,
    consent: Consent,
    db: &Database,
    now: Now,
) -> Result<Outcome> {
    let found = &reading.found;
    let complete = found.faults.is_empty();
    let mut work = Work::begin(db, reading, consent, now)?;
    if complete {
        work.remove_gone(&found.objects)?;
    }
    for error in found.faults.iter().cloned() {
        work.report.news.push(News::Failed { path: None, error });
    }
    let (messages, mut documents): (Vec<_>, Vec<_>) =
        found.objects.iter().partition(|object| object.oid == OID_DM_BOOTSTRAP);
    for object in messages {
        work.object(object)?;
    }
    documents.sort_by_key(|object| RANKS.iter().position(|oid| *oid == object.oid));
    work.documents(&documents, complete)?;
    let (report, last_error) = work.finish()?;
    let all_failed = usize::try_from(report.objects_failed) == Ok(found.objects.len());
    let error = match found.faults.first() {
        _ if !found.objects.is_empty() => last_error.filter(|_| all_failed),
        Some(fault) => Some(fault.clone()),
        None if found.present => {
            Some(Error::new(Code::BootstrapNone, "the card holds no bootstrap data"))
        }
        None => Some(Error::new(
            Code::BootstrapNone,
            "the card has no PKCS#15 application, or none with an ODF",
        )),
    };
    Ok(Outcome { report, error })
}

/// What [`from_card`] would report of the card in `slot` if it holds what it held when its record was
/// written; `None` if something that it brought is not there any more, or if it brought nothing.
pub(crate) fn unchanged(
    reader: &dyn Reader,
    slot: u32,
    identity: [u8; 16],
) -> Result<Option<Report>> {
    let is_its =
        |(place, record): &(u32, CardRecord)| *place == slot && record.identity == identity;
    let Some((_, record)) = stored(reader)?.into_iter().find(is_its) else { return Ok(None) };
    let origin = Origin::Card { slot, iccid_hash: identity };
    for root in record.objects.iter().flat_map(|object| &object.roots) {
        if !is_from(reader, root, &origin)? {
            return Ok(None);
        }
    }
    let objects_unchanged = u32::try_from(record.objects.len()).unwrap_or(u32::MAX);
    let found = record.objects.into_iter().map(|object| News::Found { path: object.path });
    let report = Report { objects_unchanged, news: found.collect(), ..Report::default() };
    Ok(Some(report).filter(|report| report.objects_unchanged > 0))
}

/// The records of all slots.
fn stored(reader: &dyn Reader) -> Result<Vec<(u32, CardRecord)>> {
    let mut records = Vec::new();
    reader.scan(Table::Card, &[], &[], &mut |key, value| {
        records.push((record::slot(key), CardRecord::decode(value)));
        ControlFlow::Continue(())
    })?;
    records.into_iter().map(|(slot, record)| Ok((slot?, record?))).collect()
}

/// Where on its card the object stands that brought the node at `uri`; `None` for a node that is not
/// from a card, and for one that a server has put below what a card brought.
///
/// Fails with `StorageCorrupt` and what the store gives.
pub fn object_of(reader: &dyn Reader, uri: &Path) -> Result<Option<String>> {
    let node = Query::new(reader, Actor::Host).node(uri)?;
    let Some(Origin::Card { slot, iccid_hash }) = node.map(|node| node.origin) else {
        return Ok(None);
    };
    for (place, record) in stored(reader)? {
        if place != slot || record.identity != iccid_hash {
            continue;
        }
        for object in record.objects {
            for root in &object.roots {
                if uri.is_within(&Path::parse(root)?) {
                    return Ok(Some(object.path));
                }
            }
        }
    }
    Ok(None)
}

/// One bootstrap in progress.
pub(super) struct Work {
    pub(super) txn: Txn,
    pub(super) now: Now,
    pub(super) origin: Origin,
    slot: u32,
    pub(super) consent: Consent,
    /// What this card brought before and has not been met again yet.
    pub(super) known: Vec<Applied>,
    pub(super) record: CardRecord,
    pub(super) report: Report,
    last_error: Option<Error>,
    /// For the journal.
    entries: Vec<Entry>,
}

impl Work {
    fn begin(db: &Database, reading: &Reading, consent: Consent, now: Now) -> Result<Self> {
        let &Reading { slot, identity, .. } = reading;
        let mut work = Self {
            txn: db.begin()?,
            now,
            origin: Origin::Card { slot, iccid_hash: identity },
            slot,
            consent,
            known: Vec::new(),
            record: CardRecord { identity, objects: Vec::new() },
            report: Report::default(),
            last_error: None,
            entries: Vec::new(),
        };
        for (place, stored) in stored(&work.txn)? {
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

    /// Removes what came from messages that are no longer on the card. First of all, because an object
    /// that was only moved brings the same account again.
    fn remove_gone(&mut self, present: &[ObjectData]) -> Result<()> {
        let stays = |applied: &Applied| {
            applied.profile == Profile::Cp || present.iter().any(|now| now.path == applied.path)
        };
        let (known, gone) = std::mem::take(&mut self.known).into_iter().partition(stays);
        self.known = known;
        let gone: Vec<Applied> = gone;
        self.remove(&gone, &self.origin.clone())
    }

    /// Deals with one DM object of the card. Fails only if the store does.
    fn object(&mut self, object: &ObjectData) -> Result<()> {
        self.report.news.push(News::Found { path: object.path.clone() });
        match self.apply(object) {
            Ok(()) => Ok(()),
            Err(error) => self.failed(&object.path, error),
        }
    }

    /// Notes why the object at `path` cannot be used. Fails only if that was the store.
    pub(super) fn failed(&mut self, path: &str, error: Error) -> Result<()> {
        if error.is_storage() {
            return Err(error);
        }
        let error = error.context(format_args!("bootstrap object {path}"));
        self.report.news.push(News::Failed { path: Some(path.to_owned()), error: error.clone() });
        self.note(path, None, &[], Some(&error));
        self.report.objects_failed += 1;
        self.last_error = Some(error);
        Ok(())
    }

    fn apply(&mut self, object: &ObjectData) -> Result<()> {
        let before = self.known.iter().position(|applied| applied.path == object.path);
        let before = before.map(|at| self.known.remove(at));
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
            before if self.consent == Consent::Needed => {
                self.report.waiting += 1;
                self.record.objects.extend(before);
                Ok(())
            }
            Some(before) => self.replace(object, octets, hash, before),
            None => {
                let placed = self.create(octets)?;
                self.report.accounts_added += count(&placed);
                self.applied(object, hash, &placed)
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
            Ok(placed) => {
                self.txn.release(savepoint);
                self.report.accounts_replaced += count(&placed);
                self.applied(object, hash, &placed)
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
        self.tell_applied(&roots)?;
        self.note(&object.path, Some(hash), &roots, None);
        let (profile, path) = (Profile::Dm, object.path.clone());
        self.record.objects.push(Applied { profile, path, hash, roots });
        Ok(())
    }

    pub(super) fn tell_applied(&mut self, roots: &[String]) -> Result<()> {
        for uri in roots.iter().cloned() {
            let server_id = server_of(&self.txn, &uri)?;
            self.report.news.push(News::Applied { uri, server_id });
        }
        Ok(())
    }

    /// The roots that objects of this card hold by now.
    pub(super) fn taken(&self) -> Vec<String> {
        self.record.objects.iter().flat_map(|object| &object.roots).cloned().collect()
    }

    /// The objects that the document created.
    fn create(&mut self, document: &[u8]) -> Result<Vec<Placed>> {
        let savepoint = self.txn.savepoint();
        let taken = self.taken();
        let mut tree =
            Tree::new(&mut self.txn, Actor::Bootstrap, self.now).with_origin(&self.origin);
        let owner = dm::Owner { origin: &self.origin, taken: &taken, replace: true };
        let created = dm::apply(&mut tree, dm::without_length(document), &owner);
        match &created {
            Ok(_) => self.txn.release(savepoint),
            Err(_) => self.txn.rollback_to(savepoint),
        }
        created
    }

    pub(super) fn all_there(&self, applied: &Applied) -> Result<bool> {
        for root in &applied.roots {
            if !is_from(&self.txn, root, &self.origin)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes a root that came from `origin`; false if it is no longer there.
    pub(super) fn delete(&mut self, root: &str, origin: &Origin) -> Result<bool> {
        if !is_from(&self.txn, root, origin)? {
            return Ok(false);
        }
        Tree::new(&mut self.txn, Actor::Host, self.now).delete(&Uri::parse(root)?)?;
        Ok(true)
    }

    fn remove(&mut self, objects: &[Applied], origin: &Origin) -> Result<()> {
        for root in objects.iter().flat_map(|object| &object.roots) {
            let server_id = server_of(&self.txn, root)?;
            if self.delete(root, origin)? {
                self.tell_removed(root, server_id);
            }
        }
        Ok(())
    }

    pub(super) fn tell_removed(&mut self, root: &str, server_id: Option<String>) {
        self.report.accounts_removed += u32::from(is_account(root));
        self.report.news.push(News::Removed { uri: root.to_owned(), server_id });
        self.note("removed", None, &[root.to_owned()], None);
    }

    /// Notes for the journal what became of an object.
    pub(super) fn note(
        &mut self,
        object: &str,
        digest: Option<Hash>,
        uris: &[String],
        error: Option<&Error>,
    ) {
        self.entries.push(Entry::Bootstrap(audit::Bootstrap {
            origin: "card",
            slot: self.slot,
            card: Some(self.record.identity),
            digest,
            object: object.to_owned(),
            uris: uris.to_vec(),
            outcome: error.into(),
        }));
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
        journal(&mut self.txn, &self.entries, self.now)?;
        self.txn.commit()?;
        Ok((self.report, self.last_error))
    }
}

/// True if the node exists and came from there: somebody may have put another one in its place.
fn is_from(reader: &dyn Reader, root: &str, origin: &Origin) -> Result<bool> {
    let node = Query::new(reader, Actor::Host).node(&Path::parse(root)?)?;
    Ok(node.is_some_and(|node| node.origin == *origin))
}

fn count(placed: &[Placed]) -> u32 {
    accounts(placed.iter().map(|placed| placed.uri.as_str()))
}

pub(super) fn unreadable(content: &Content) -> Error {
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
