//! Documents that a push or the factory brings: judged, and applied in one transaction.
//!
//! Must not know who sent a document or whether that was checked.

use super::dm::{self, Owner};
use super::{News, Report, cp, is_account, journal, server_of};
use crate::audit;
use crate::error::{Code, Error, Result};
use crate::markup::{self, DocType, Options};
use crate::store::{Database, Reader, Table, Txn};
use crate::time::Now;
use crate::tree::tnds;
use crate::tree::{Actor, Origin, Placed, Tree, Uri, dmacc};
use crate::trigger::push::{Media, Push};
use sha2::{Digest, Sha256};

/// Whose a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Somebody pushed it; an account that a push brought before may be replaced or not.
    Push {
        /// It may.
        replace: bool,
    },
    /// The device's maker: applied once for the life of the store, a later version in place of an
    /// earlier one.
    Factory,
}

impl Source {
    fn origin(self) -> Origin {
        match self {
            Self::Push { .. } => Origin::Bootstrap,
            Self::Factory => Origin::Factory,
        }
    }

    /// Its name in the journal.
    fn name(self) -> &'static str {
        match self {
            Self::Push { .. } => "push",
            Self::Factory => "factory",
        }
    }

    fn replaces(self) -> bool {
        matches!(self, Self::Push { replace: true } | Self::Factory)
    }
}

/// What kind of document it is. Fails with `BootstrapFormat`; only the factory brings a TNDS object by
/// itself.
fn kind(document: &[u8], source: Source) -> Result<DocType> {
    let malformed = |error: Error| error.with_code(Code::BootstrapFormat);
    let options = Options { padding: true, ..Options::default() };
    let utf8 = markup::to_utf8(document).map_err(|fault| malformed(fault.into()))?;
    let reader = markup::Reader::new(&utf8, &options).map_err(|fault| malformed(fault.into()))?;
    match reader.public_id().doc {
        kind @ (DocType::Prov | DocType::SyncMl) => Ok(kind),
        DocType::Tnds if source == Source::Factory => Ok(DocType::Tnds),
        _ => Err(Error::new(Code::BootstrapFormat, "the document is no bootstrap")),
    }
}

/// Servers whose accounts a push brings, without applying it.
///
/// Fails with `BootstrapFormat` if the document cannot be used, or is not what its media type says.
pub(crate) fn judge(push: &Push<'_>, source: Source) -> Result<Vec<String>> {
    let stated = match push.media {
        Media::ConnectivityXml | Media::ConnectivityWbxml => DocType::Prov,
        Media::DmWbxml | Media::DmXml => DocType::SyncMl,
        Media::Notification => {
            return Err(Error::new(Code::BootstrapFormat, "a notification is no bootstrap"));
        }
    };
    if kind(push.body, source)? != stated {
        let text = format!("the document is not what {} says", push.media.name());
        return Err(Error::new(Code::BootstrapFormat, text));
    }
    if stated == DocType::SyncMl {
        return dm::servers(push.body);
    }
    let document = cp::read(push.body)?;
    let accounts = cp::judge(&document)?.accounts;
    Ok(accounts.iter().map(|account| account.provider_id.to_owned()).collect())
}

/// Applies a document completely or not at all.
///
/// Fails with `BootstrapFormat`; with `BootstrapRefused` if a server has an account that this document
/// may not replace; with `Busy` while somebody writes; with the tree's and the store's errors.
pub(crate) fn apply(document: &[u8], source: Source, db: &Database, now: Now) -> Result<Report> {
    let kind = kind(document, source)?;
    let mut txn = db.begin()?;
    if source == Source::Factory && !remember(&mut txn, document)? {
        return Ok(Report { objects_unchanged: 1, ..Report::default() });
    }
    let mut work = Work { txn: &mut txn, source, now, report: Report::default() };
    let placed = match kind {
        DocType::Prov => work.provision(document)?,
        DocType::SyncMl => work.with_tree(|tree, owner| dm::apply(tree, document, owner))?,
        _ => work.objects(document)?,
    };
    let report = work.told(&placed)?;
    let applied = audit::Bootstrap {
        origin: source.name(),
        slot: 0,
        card: None,
        digest: Some(audit::hash(document)),
        object: kind.mime(markup::Encoding::Xml).to_owned(),
        uris: placed.iter().map(|placed| placed.uri.clone()).collect(),
        outcome: audit::Outcome::Ok,
    };
    journal(&mut txn, &[audit::Entry::Bootstrap(applied)], now)?;
    txn.commit()?;
    Ok(report)
}

/// Key of the SHA-256 of the factory's documents that were applied, in [`Table::Meta`].
const FACTORY_KEY: &[u8] = b"factory";
/// Octets of one hash.
const HASH: usize = 32;
/// Hashes that are kept, the latest last.
const HASHES: usize = 64;

/// Notes a document of the factory; false if it was noted before.
fn remember(txn: &mut Txn, document: &[u8]) -> Result<bool> {
    let hash: [u8; HASH] = Sha256::digest(document).into();
    let mut known = txn.get(Table::Meta, FACTORY_KEY)?.unwrap_or_default().into_owned();
    if known.chunks(HASH).any(|one| one == hash) {
        return Ok(false);
    }
    known.drain(..known.len().saturating_sub((HASHES - 1) * HASH));
    known.extend_from_slice(&hash);
    txn.put(Table::Meta, FACTORY_KEY, known);
    Ok(true)
}

struct Work<'w> {
    txn: &'w mut Txn,
    source: Source,
    now: Now,
    report: Report,
}

impl Work<'_> {
    fn with_tree<R>(
        &mut self,
        work: impl FnOnce(&mut Tree<'_>, &Owner<'_>) -> Result<R>,
    ) -> Result<R> {
        let origin = self.source.origin();
        let mut tree = Tree::new(self.txn, Actor::Bootstrap, self.now).with_origin(&origin);
        work(&mut tree, &Owner { origin: &origin, taken: &[], replace: self.source.replaces() })
    }

    fn provision(&mut self, document: &[u8]) -> Result<Vec<Placed>> {
        let document = cp::read(document)?;
        let settings = cp::judge(&document)?;
        cp::check_references(&settings, &[&settings], self.txn, &[])?;
        let mut replaced = Vec::new();
        for account in &settings.accounts {
            replaced.extend(self.make_way(account.provider_id)?);
        }
        let done = self.with_tree(|tree, _| cp::apply(tree, &[&settings], &[]))?;
        self.report.init = done.init;
        let mut placed: Vec<Placed> = done.placed.into_iter().map(|(_, placed)| placed).collect();
        for one in &mut placed {
            let server = server_of(self.txn, &one.uri)?;
            one.replaced = server.is_some_and(|server| replaced.contains(&server));
        }
        Ok(placed)
    }

    /// Deletes the account of `server` if it may be replaced; its name then.
    fn make_way(&mut self, server: &str) -> Result<Option<String>> {
        let Some(account) = dmacc::find(self.txn, server)? else { return Ok(None) };
        let why = match account.origin == self.source.origin() {
            true if self.source.replaces() => {
                let mut tree = Tree::new(self.txn, Actor::Host, self.now);
                tree.delete(&Uri::parse(&account.root_uri)?)?;
                return Ok(Some(server.to_owned()));
            }
            true => "already",
            false => "that is not from this source",
        };
        let text = format!("server {server} has an account {why}");
        Err(Error::new(Code::BootstrapRefused, text))
    }

    /// The objects of a TNDS document, by their identifiers; without any, where it says.
    fn objects(&mut self, document: &[u8]) -> Result<Vec<Placed>> {
        let document = tnds::read_with(document, true)
            .map_err(|fault| Error::from(fault).with_code(Code::BootstrapFormat))?;
        let (inbox, root) = (Uri::parse("./Inbox")?, Uri::parse(".")?);
        self.with_tree(|tree, owner| {
            let placed = dm::import(tree, &inbox, &document, owner)?;
            if placed.is_empty() { dm::import(tree, &root, &document, owner) } else { Ok(placed) }
        })
    }

    fn told(mut self, placed: &[Placed]) -> Result<Report> {
        for one in placed {
            let server_id = server_of(self.txn, &one.uri)?;
            self.report.news.push(News::Applied { uri: one.uri.clone(), server_id });
            match (is_account(&one.uri), one.replaced) {
                (false, _) => {}
                (true, false) => self.report.accounts_added += 1,
                (true, true) => self.report.accounts_replaced += 1,
            }
        }
        Ok(self.report)
    }
}
