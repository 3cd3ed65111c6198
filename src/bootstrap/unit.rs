//! The provisioning documents of one card (OMA Provisioning Smartcard 1.1): EF-Bootstrap, EF-Config1 and
//! EF-Config2 refer to and override each other, so they are applied together, or stay together as they
//! are.

use super::card::{Consent, Work, unreadable};
use super::record::{Applied, Profile};
use super::{News, cp, server_of};
use crate::card::pkcs15::{Content, ObjectData};
use crate::error::{Code, Error, Result};
use crate::prov::{Document, Settings};
use crate::tree::{Actor, Tree, dmacc};
use sha2::{Digest, Sha256};

/// A document that can be used.
struct Usable<'d> {
    path: &'d str,
    content: [u8; 32],
    settings: Settings<'d>,
}

impl Work {
    /// Deals with the provisioning documents of the card, the most important first; with `complete`
    /// there are no others. Fails only if the store does.
    pub(super) fn documents(&mut self, objects: &[&ObjectData], complete: bool) -> Result<()> {
        let is_document = |applied: &Applied| applied.profile == Profile::Cp;
        let (known, others) = std::mem::take(&mut self.known).into_iter().partition(is_document);
        self.known = others;
        let known: Vec<Applied> = known;
        let mut documents: Vec<(&ObjectData, [u8; 32], Document<'_>)> = Vec::new();
        for object in objects {
            self.report.news.push(News::Found { path: object.path.clone() });
            match read(object) {
                Ok((hash, document)) => documents.push((object, hash, document)),
                Err(error) => self.failed(&object.path, error)?,
            }
        }
        let mut usable = Vec::new();
        for (object, content, document) in &documents {
            match cp::judge(document).and_then(|settings| self.check_servers(settings)) {
                Ok(settings) => {
                    usable.push(Usable { path: &object.path, content: *content, settings });
                }
                Err(error) => self.failed(&object.path, error)?,
            }
        }
        let usable = self.without_dangling(usable, &known)?;
        self.decide(&usable, objects, known, complete)
    }

    fn decide(
        &mut self,
        usable: &[Usable<'_>],
        objects: &[&ObjectData],
        known: Vec<Applied>,
        complete: bool,
    ) -> Result<()> {
        let skipped = self.skipped(usable)?;
        let hashes = fingerprints(usable, &skipped);
        let same = |(old, (new, hash)): (&Applied, (&Usable<'_>, &[u8; 32]))| {
            old.path == new.path && old.hash == *hash
        };
        let mut unchanged =
            known.len() == usable.len() && known.iter().zip(usable.iter().zip(&hashes)).all(same);
        for applied in &known {
            unchanged = unchanged && self.all_there(applied)?;
        }
        if unchanged {
            self.report.objects_unchanged += u32::try_from(known.len()).unwrap_or(u32::MAX);
            self.record.objects.extend(known);
            return Ok(());
        }
        // What brought something and cannot be used now was not taken off the card.
        let is_lost = |applied: &Applied| {
            let present = objects.iter().any(|object| object.path == applied.path);
            let readable = usable.iter().any(|document| document.path == applied.path);
            !applied.roots.is_empty() && !readable && (present || !complete)
        };
        if known.iter().any(is_lost) {
            self.record.objects.extend(known);
            return Ok(());
        }
        if self.consent == Consent::Needed && !usable.is_empty() {
            self.report.waiting += u32::try_from(usable.len()).unwrap_or(u32::MAX);
            self.record.objects.extend(known);
            return Ok(());
        }
        self.renew(usable, &hashes, &skipped, known)
    }

    /// Applies the documents in place of what they brought before, or leaves that as it is.
    fn renew(
        &mut self,
        usable: &[Usable<'_>],
        hashes: &[[u8; 32]],
        skipped: &[String],
        known: Vec<Applied>,
    ) -> Result<()> {
        let savepoint = self.txn.savepoint();
        let done = self.remove_known(&known).and_then(|removed| {
            let documents: Vec<&Settings<'_>> = usable.iter().map(|one| &one.settings).collect();
            let mut tree =
                Tree::new(&mut self.txn, Actor::Bootstrap, self.now).with_origin(&self.origin);
            Ok((removed, cp::apply(&mut tree, &documents, skipped)?))
        });
        let (removed, provisioned) = match done {
            Ok(done) => done,
            Err(error) => {
                self.txn.rollback_to(savepoint);
                self.record.objects.extend(known);
                for document in usable {
                    self.failed(document.path, error.clone())?;
                }
                return Ok(());
            }
        };
        self.txn.release(savepoint);
        let mut servers = Vec::new();
        for (number, (document, hash)) in usable.iter().zip(hashes).enumerate() {
            let placed = provisioned.placed.iter().filter(|(from, _)| *from == number);
            let roots: Vec<String> = placed.map(|(_, placed)| placed.uri.clone()).collect();
            for root in &roots {
                servers.extend(server_of(&self.txn, root)?);
            }
            self.tell_applied(&roots)?;
            self.note(document.path, Some(document.content), &roots, None);
            let (profile, path) = (Profile::Cp, document.path.to_owned());
            self.record.objects.push(Applied { profile, path, hash: *hash, roots });
        }
        self.account_for(removed, &servers);
        self.report.init.extend(provisioned.init);
        Ok(())
    }

    /// Removes what the documents brought before, but not what a DM object of the card has taken over.
    /// The roots that were there, with the servers of accounts.
    fn remove_known(&mut self, known: &[Applied]) -> Result<Vec<(String, Option<String>)>> {
        let (taken, origin) = (self.taken(), self.origin.clone());
        let mut removed = Vec::new();
        for root in known.iter().flat_map(|applied| &applied.roots) {
            let server_id = server_of(&self.txn, root)?;
            if !taken.contains(root) && self.delete(root, &origin)? {
                removed.push((root.clone(), server_id));
            }
        }
        Ok(removed)
    }

    /// Tells accounts that are new from those that are anew and those that are gone.
    fn account_for(&mut self, removed: Vec<(String, Option<String>)>, servers: &[String]) {
        let was = |server: &&String| removed.iter().any(|(_, old)| old.as_ref() == Some(*server));
        let anew = servers.iter().filter(was).count();
        self.report.accounts_replaced += u32::try_from(anew).unwrap_or(u32::MAX);
        self.report.accounts_added += u32::try_from(servers.len() - anew).unwrap_or(u32::MAX);
        let applied: Vec<String> = self.taken();
        for (root, server_id) in removed {
            let stays = match &server_id {
                Some(server) => servers.contains(server),
                None => applied.contains(&root),
            };
            if !stays {
                self.tell_removed(&root, server_id);
            }
        }
    }

    /// An account of another origin must not be taken over.
    fn check_servers<'d>(&self, settings: Settings<'d>) -> Result<Settings<'d>> {
        for account in &settings.accounts {
            let server = account.provider_id;
            let there = dmacc::find(&self.txn, server)?;
            if there.is_some_and(|there| there.origin != self.origin) {
                let text = format!("server {server} has an account that is not from this card");
                return Err(Error::new(Code::BootstrapRefused, text));
            }
        }
        Ok(settings)
    }

    /// Servers that have their account from a DM object of this card: it counts more than w7.
    fn skipped(&self, usable: &[Usable<'_>]) -> Result<Vec<String>> {
        let taken = self.taken();
        let mut skipped = Vec::new();
        for account in usable.iter().flat_map(|document| &document.settings.accounts) {
            let there = dmacc::find(&self.txn, account.provider_id)?;
            if there.is_some_and(|there| taken.contains(&there.root_uri)) {
                skipped.push(account.provider_id.to_owned());
            }
        }
        Ok(skipped)
    }

    /// The documents whose references lead somewhere; without one of them another may lose its own.
    fn without_dangling<'d>(
        &mut self,
        mut usable: Vec<Usable<'d>>,
        known: &[Applied],
    ) -> Result<Vec<Usable<'d>>> {
        let leaving: Vec<String> =
            known.iter().flat_map(|applied| &applied.roots).cloned().collect();
        loop {
            let all: Vec<&Settings<'_>> = usable.iter().map(|one| &one.settings).collect();
            let check = |one: &Usable<'_>| {
                cp::check_references(&one.settings, &all, &self.txn, &leaving).err()
            };
            let dangling = usable.iter().enumerate().find_map(|(at, one)| Some((at, check(one)?)));
            let Some((at, error)) = dangling else { return Ok(usable) };
            let document = usable.remove(at);
            self.failed(document.path, error)?;
        }
    }
}

fn read(object: &ObjectData) -> Result<([u8; 32], Document<'_>)> {
    match &object.content {
        Content::Octets(octets) => {
            Ok((Sha256::digest(octets.expose()).into(), cp::read(octets.expose())?))
        }
        content => Err(unreadable(content)),
    }
}

/// For each document a hash of everything that decides what comes of it: all the documents in their
/// order, and the accounts that are left out.
fn fingerprints(usable: &[Usable<'_>], skipped: &[String]) -> Vec<[u8; 32]> {
    let mut all = Sha256::new();
    for text in
        usable.iter().map(|document| document.path).chain(skipped.iter().map(String::as_str))
    {
        all.update(text.as_bytes());
        all.update([0]);
    }
    for document in usable {
        all.update(document.content);
    }
    let hash = |document: &Usable<'_>| {
        all.clone().chain_update(document.path.as_bytes()).finalize().into()
    };
    usable.iter().map(hash).collect()
}
