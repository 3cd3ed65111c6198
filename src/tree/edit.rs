//! Changing the tree as somebody: Add, Replace, Delete, Copy
//! (DM Representation Protocol 1.2.1, 6.5; DM Tree and Description 1.2.1, 7).
//!
//! Each operation is done completely or not at all. Checks come in this order: existence, scope and
//! AccessType, ACL, format, size and occurrence.

use super::above::Above;
use super::acl::{Acl, Right};
use super::ddf::{self, Occurrence};
use super::described::{RuleRef, canonical, describe};
use super::format::Format;
use super::host_nodes;
use super::incoming::Incoming;
use super::node::{Access, Node, Origin, Record};
use super::query::{Query, access};
use super::refusal::Refusal;
use super::uri::{Part, Path, Uri};
use super::{Actor, dmacc, records};
use crate::limits;
use crate::store::{By, Change, ChangeKind, Reader, Txn};
use crate::time::Now;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

type Done<T = ()> = Result<T, Refusal>;

/// What an Add or Replace brings: Meta Format and Type, and Data.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Content<'a> {
    /// Format; without it a new node is `chr` and an old one keeps its own.
    pub format: Option<Format>,
    /// Type; without it a new leaf is `text/plain` and an old one keeps its own.
    pub mime: Option<&'a str>,
    /// The decoded value; `None` if Data was absent.
    pub value: Option<&'a [u8]>,
}

impl fmt::Debug for Content<'_> {
    /// The value may be a secret: only its length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("format", &self.format)
            .field("mime", &self.mime)
            .field("value", &self.value.map(<[u8]>::len))
            .finish()
    }
}

impl<'a> Content<'a> {
    /// An interior node; `mo` is its management object identifier or empty.
    pub fn interior(mo: &'a str) -> Self {
        Self { format: Some(Format::Node), mime: Some(mo), value: None }
    }

    /// A `chr` leaf.
    pub fn text(text: &'a str) -> Self {
        Self { format: Some(Format::Chr), mime: None, value: Some(text.as_bytes()) }
    }

    /// A `bin` leaf.
    pub fn bin(octets: &'a [u8]) -> Self {
        Self { format: Some(Format::Bin), mime: None, value: Some(octets) }
    }
}

/// A node to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewNode<'a> {
    /// Format, type and value.
    pub content: Content<'a>,
    /// Title property.
    pub title: &'a str,
    /// ACL property; `None` leaves it to the rules for new nodes.
    pub acl: Option<Acl>,
    /// Servers can neither delete nor rename it.
    pub permanent: bool,
    /// Commands it allows.
    pub access: Access,
}

impl<'a> From<Content<'a>> for NewNode<'a> {
    fn from(content: Content<'a>) -> Self {
        Self { content, ..Self::default() }
    }
}

/// Write access to the tree as `actor` within one transaction.
pub struct Tree<'t> {
    pub(super) txn: &'t mut Txn,
    pub(super) actor: Actor<'t>,
    pub(super) now: Now,
    /// Another origin of created nodes than the actor's own.
    pub(super) origin: Option<&'t Origin>,
    pub(super) value: Value,
}

/// Where the value that a command writes is.
#[derive(Default)]
pub(super) enum Value {
    /// In its content.
    #[default]
    Given,
    /// On its way: only checks are made.
    Expected,
    /// With the host already.
    Arrived(Incoming),
}

impl fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("actor", &self.actor).finish_non_exhaustive()
    }
}

impl<'t> Tree<'t> {
    /// Works on `txn`; `now` is the time of all changes.
    pub fn new(txn: &'t mut Txn, actor: Actor<'t>, now: Now) -> Self {
        Self { txn, actor, now, origin: None, value: Value::Given }
    }

    /// Notes another origin than the actor's for created nodes.
    #[must_use]
    pub fn with_origin(mut self, origin: &'t Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Notes the present origin at a node that exists.
    pub(super) fn set_origin(&mut self, path: &Path) -> Done {
        let mut node = records::load(self.reader(), path)?.ok_or(Refusal::NotFound)?;
        let origin = self.origin();
        if node.origin != *origin {
            node.origin = origin.into_owned();
            records::update(self.txn, path, &node.record());
        }
        Ok(())
    }

    /// The origin of what is created now.
    fn origin(&self) -> Cow<'t, Origin> {
        self.origin.map_or_else(|| Cow::Owned(self.actor.origin()), Cow::Borrowed)
    }

    /// Reading as the same actor.
    pub fn query(&self) -> Query<'_> {
        Query::new(self.txn, self.actor)
    }

    /// What the changes so far make of the store.
    pub fn reader(&self) -> &dyn Reader {
        self.txn
    }

    /// The server whose rights are checked; `None` if nothing restricts the actor.
    pub(super) fn server(&self) -> Option<&'t str> {
        match self.actor {
            Actor::Server(server) => Some(server),
            Actor::Bootstrap | Actor::Host => None,
        }
    }

    /// Runs `work`; what it did is undone if it fails.
    pub(super) fn all_or_nothing<T>(&mut self, work: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        let savepoint = self.txn.savepoint();
        let done = work(self);
        match done {
            Ok(_) => self.txn.release(savepoint),
            Err(_) => self.txn.rollback_to(savepoint),
        }
        done
    }

    /// Who makes the changes. The one before was mostly made by the same server.
    pub(super) fn by(&self) -> By {
        match (self.txn.changes().last().map(|change| &change.by), self.actor) {
            (Some(By::Server(known)), Actor::Server(server)) if **known == *server => {
                By::Server(Arc::clone(known))
            }
            _ => self.actor.by(),
        }
    }

    /// Notes a change of a node whose value had and has so many octets.
    pub(super) fn note(&mut self, path: &Path, kind: ChangeKind, old_size: u32, new_size: u32) {
        let (uri, by) = (path.uri(), self.by());
        self.txn.note(Change { uri, from: None, kind, by, old_size, new_size });
    }

    /// Creates a node, and the interior nodes above it that are missing.
    ///
    /// Errors: `Exists` 418, `NotAllowed` 405, `Permission` 425, `Format` 415, `Incomplete` 412,
    /// `TooLarge` 413, `Full` 420; `At` names the ancestor that could not be created.
    pub fn add(&mut self, uri: &Uri, new: &NewNode<'_>) -> Done {
        let uri = &*canonical(self.reader(), uri)?;
        let path = node_of(uri)?;
        let content = &new.content;
        let needs_value = !matches!(content.format, Some(Format::Node | Format::Null));
        if content.value.is_none() && needs_value {
            let description = describe(self.reader(), path);
            let value = description.rule().and_then(RuleRef::default_value);
            let value = value.ok_or(Refusal::Incomplete)?;
            let content = Content { value: Some(value), ..*content };
            return self.add(uri, &NewNode { content, ..new.clone() });
        }
        if records::exists(self.reader(), path)? {
            return Err(Refusal::Exists);
        }
        let (missing, above) = self.missing_ancestors(path)?;
        if missing.is_empty() {
            return self.add_below(above, path, new);
        }
        self.all_or_nothing(|tree| {
            for ancestor in missing.iter().rev() {
                tree.add_one(ancestor, &Content::interior("").into())
                    .map_err(|refusal| refusal.caused_by(ancestor.to_string()))?;
            }
            tree.add_one(path, new)
        })
    }

    /// Creates, if it is missing, a node that holds objects of one kind. It belongs to none of
    /// those who put objects there, so that it stays when theirs are removed.
    pub(super) fn add_holder(&mut self, path: &Path) -> Done {
        if records::exists(self.reader(), path)? {
            return Ok(());
        }
        let origin = self.origin.replace(&Origin::Host);
        let done = self.add(&path.clone().into(), &Content::interior("").into());
        self.origin = origin;
        done
    }

    /// The ancestors that do not exist, lowest first, and the lowest that does.
    fn missing_ancestors(&mut self, path: &Path) -> Done<(Vec<Path>, Box<Above>)> {
        let mut missing = Vec::new();
        if let Some(above) = Above::kept(self.txn, path) {
            return Ok((missing, above));
        }
        let mut next = path.parent();
        while let Some(ancestor) = next {
            match records::load(self.reader(), &ancestor)? {
                Some(node) if node.format.is_interior() => {
                    return Ok((missing, Above::new(ancestor, node)));
                }
                Some(_) => return Err(Refusal::NotAllowed),
                None => next = ancestor.parent(),
            }
            missing.push(ancestor);
        }
        Err(Refusal::NotFound)
    }

    /// Creates a node whose parent exists and is interior, and which does not exist itself.
    pub(super) fn add_one(&mut self, path: &Path, new: &NewNode<'_>) -> Done {
        if path.is_root() {
            return Err(Refusal::Exists);
        }
        let above = self.parent_of(path)?.ok_or(Refusal::NotFound)?;
        self.add_below(above, path, new)
    }

    /// The same below a parent that was just found. Nothing is written if it fails.
    fn add_below(&mut self, above: Box<Above>, path: &Path, new: &NewNode<'_>) -> Done {
        let description = describe(self.reader(), path);
        let rule = description.rule();
        let mut acl = None;
        let format = new.content.format.unwrap_or_default();
        if let Some(server) = self.server() {
            self.check_addable(path, &above, &description)?;
            let rights = above.acl(self.reader())?;
            if !rights.allows(Right::Add, server) {
                return Err(Refusal::Permission);
            }
            if format.is_interior() && !rights.allows(Right::Replace, server) {
                acl = Some(Acl::for_creator(server, rights));
            }
        }
        if new.title.len() > limits::TITLE_OCTETS {
            return Err(Refusal::TooLarge);
        }
        let (format, value) = self.fit(path, rule, format, &new.content)?;
        self.check_room(&above.path, rule)?;
        let record = Record {
            format,
            mime: self.mime(rule, format, new.content.mime)?,
            title: new.title,
            acl: new.acl.as_ref().or(acl.as_ref()).map_or("", Acl::as_str),
            tstamp: self.now.unix_s,
            ver_no: 0,
            size: 0,
            permanent: new.permanent || rule.is_some_and(|rule| rule.permanent),
            access: new.access,
            origin: &self.origin(),
        };
        self.put(path, record, &value, ChangeKind::Added)?;
        above.keep(self.txn);
        Ok(())
    }

    /// Writes a node that has passed all checks, with its value.
    fn put(&mut self, path: &Path, record: Record<'_>, value: &[u8], kind: ChangeKind) -> Done {
        let old_size = record.size;
        let new_size = match (std::mem::take(&mut self.value), kind) {
            (Value::Expected, _) => return Ok(()),
            (Value::Arrived(incoming), _) => incoming.store(self.txn, path, record)?,
            (Value::Given, ChangeKind::Added) => {
                records::create(self.txn, path, record, value)?;
                octets(value)
            }
            (Value::Given, _) => {
                records::write(self.txn, path, record, value)?;
                octets(value)
            }
        };
        self.note(path, kind, old_size, new_size);
        Ok(())
    }

    /// Replaces the value of a leaf, or with `?prop=` its ACL, Name or Title.
    ///
    /// Errors: `NotFound` 404, `NotAllowed` 405, `Permission` 425, `Format` 415, `Incomplete` 412,
    /// `TooLarge` 413; for properties also `BadAcl` and `BadUri` 400, `Exists` 418.
    pub fn replace(&mut self, uri: &Uri, content: &Content<'_>) -> Done {
        let uri = &*canonical(self.reader(), uri)?;
        match uri.part {
            Part::Node => self.replace_value(&uri.path, content),
            Part::Property(property) => {
                self.replace_property(&uri.path, property, content.value.unwrap_or_default())
            }
            Part::List(_) => Err(Refusal::NotAllowed),
        }
    }

    pub(super) fn replace_value(&mut self, path: &Path, content: &Content<'_>) -> Done {
        let mut node = records::load(self.reader(), path)?.ok_or(Refusal::NotFound)?;
        let format = content.format.unwrap_or(node.format);
        if node.format.is_interior() {
            return Err(Refusal::NotAllowed);
        }
        if self.server().is_some() {
            let retyped = content.mime.is_some_and(|mime| mime != node.mime);
            let fixed = node.permanent && (format != node.format || retyped);
            if fixed || !access(self.reader(), path, &node).contains(Access::REPLACE) {
                return Err(Refusal::NotAllowed);
            }
        }
        let above = self.above(path)?;
        if let Some(server) = self.server()
            && !self.acl_of(path, &node, above.as_deref())?.allows(Right::Replace, server)
        {
            return Err(Refusal::Permission);
        }
        if format.is_interior() {
            return Err(Refusal::Format);
        }
        if content.value.is_none() && format != Format::Null {
            return Err(Refusal::Incomplete);
        }
        let description = describe(self.reader(), path);
        let rule = description.rule();
        let (format, value) = self.fit(path, rule, format, content)?;
        node.touch(self.now.unix_s);
        let mut record = Record { format, ..node.record() };
        if content.mime.is_some() {
            record.mime = self.mime(rule, format, content.mime)?;
        }
        if !ddf::is_server_id(path) {
            self.put(path, record, &value, ChangeKind::Replaced)?;
            above.into_iter().for_each(|above| above.keep(self.txn));
            return Ok(());
        }
        self.all_or_nothing(|tree| {
            let server = records::text(tree.reader(), path)?;
            tree.put(path, record, &value, ChangeKind::Replaced)?;
            tree.forget_gone(server)
        })
    }

    /// The node above one that a server changes and that the host does not keep.
    fn above(&mut self, path: &Path) -> Done<Option<Box<Above>>> {
        if self.server().is_none() || host_nodes::below_root(self.reader(), path).is_some() {
            return Ok(None);
        }
        Ok(self.parent_of(path)?.filter(|above| above.node.format.is_interior()))
    }

    /// The node above, if there is one.
    fn parent_of(&mut self, path: &Path) -> Done<Option<Box<Above>>> {
        if let Some(above) = Above::kept(self.txn, path) {
            return Ok(Some(above));
        }
        let Some(parent) = path.parent() else { return Ok(None) };
        let node = records::load(self.reader(), &parent)?;
        Ok(node.map(|node| Above::new(parent, node)))
    }

    /// The ACL that counts for a node that was just loaded.
    fn acl_of<'n>(
        &self,
        path: &Path,
        node: &'n Node,
        above: Option<&'n Above>,
    ) -> Done<Cow<'n, Acl>> {
        match above {
            _ if !node.acl.is_empty() => Ok(Cow::Borrowed(&node.acl)),
            Some(above) => Ok(Cow::Borrowed(above.acl(self.reader())?)),
            None => Ok(Cow::Owned(records::inherited_acl(self.reader(), path)?)),
        }
    }

    /// Checks the effective ACL. Errors: `Permission`.
    pub(super) fn check_right(&self, path: &Path, right: Right) -> Done {
        let Some(server) = self.server() else { return Ok(()) };
        let acl = records::effective_acl(self.reader(), path)?;
        if acl.allows(right, server) { Ok(()) } else { Err(Refusal::Permission) }
    }

    /// Deletes a node with all below it. When that was the last account of a server, the server
    /// also disappears from every ACL.
    ///
    /// Errors: `NotFound` 404, `NotAllowed` 405, `Permission` 425; `At` names the node below that
    /// may not be deleted.
    pub fn delete(&mut self, uri: &Uri) -> Done {
        let uri = &*canonical(self.reader(), uri)?;
        let path = node_of(uri)?;
        let node = records::load(self.reader(), path)?.ok_or(Refusal::NotFound)?;
        if path.is_root() {
            return Err(Refusal::NotAllowed);
        }
        let nodes = records::subtree(self.reader(), path)?;
        if self.server().is_some() {
            self.check_deletable(path, &node)?;
            self.check_right(path, Right::Delete)?;
            self.check_below_deletable(path, &nodes)?;
        }
        self.all_or_nothing(|tree| {
            tree.remove(nodes.into_iter().map(|(path, _)| path).collect())?;
            tree.note(path, ChangeKind::Deleted, node.size, 0);
            Ok(())
        })
    }

    fn check_deletable(&self, path: &Path, node: &Node) -> Done {
        let description = describe(self.reader(), path);
        if node.permanent || !access(self.reader(), path, node).contains(Access::DELETE) {
            return Err(Refusal::NotAllowed);
        }
        if let Some(rule) = description.rule()
            && let Occurrence::OneToN(_) = rule.occurrence
            && let Some(parent) = path.parent()
            && self.siblings(&parent, rule)? < 2
        {
            return Err(Refusal::NotAllowed);
        }
        Ok(())
    }

    /// A node below with an ACL of its own must allow the deletion too.
    pub(super) fn check_below_deletable(&self, top: &Path, nodes: &[(Path, Node)]) -> Done {
        let Some(server) = self.server() else { return Ok(()) };
        for (path, node) in nodes.iter().filter(|(path, _)| path != top) {
            let refusal = if node.permanent {
                Refusal::NotAllowed
            } else if !node.acl.is_empty() && !node.acl.allows(Right::Delete, server) {
                Refusal::Permission
            } else {
                continue;
            };
            return Err(refusal.caused_by(path.to_string()));
        }
        Ok(())
    }

    /// Removes these nodes, and the servers that lose their last account by it from every ACL.
    pub(super) fn remove(&mut self, paths: Vec<Path>) -> Done {
        if let Some(nodes) = host_nodes::of(self.reader())
            && let Some(path) = paths.iter().find(|path| nodes.is_root(path))
        {
            return Err(Refusal::NotAllowed.caused_by(path.to_string()));
        }
        let mut servers = Vec::new();
        for path in paths.iter().filter(|path| ddf::is_server_id(path)) {
            servers.extend(records::text(self.reader(), path)?);
        }
        records::remove(self.txn, &paths)?;
        self.forget_gone(servers)
    }

    /// Takes those of `servers` that have no account any more out of every ACL.
    fn forget_gone(&mut self, servers: impl IntoIterator<Item = String>) -> Done {
        for server in servers {
            if !dmacc::is_known(self.reader(), &server)? {
                self.forget_server(&server)?;
            }
        }
        Ok(())
    }

    /// Copies the value of a leaf to another leaf, which is created if its parent exists.
    ///
    /// Errors: `NotFound` 404, `NotAllowed` 405 if one of them is interior, `Permission` 425, and
    /// those of Add and Replace.
    pub fn copy(&mut self, source: &Uri, target: &Uri) -> Done {
        let (source, target) =
            (&*canonical(self.reader(), source)?, &*canonical(self.reader(), target)?);
        let (source, target) = (node_of(source)?, node_of(target)?);
        let node = records::load(self.reader(), source)?.ok_or(Refusal::NotFound)?;
        let copyable =
            self.server().is_none() || access(self.reader(), source, &node).contains(Access::COPY);
        if node.format.is_interior() || !copyable || ddf::is_secret(source) {
            return Err(Refusal::NotAllowed);
        }
        self.check_right(source, Right::Get)?;
        let value = records::value(self.reader(), source)?;
        let (format, mime) = (Some(node.format), Some(node.mime.as_str()));
        let content = Content { format, mime, value: Some(&value) };
        if records::exists(self.reader(), target)? {
            return self.replace_value(target, &content);
        }
        match target.parent().map(|parent| records::load(self.reader(), &parent)).transpose()? {
            Some(Some(parent)) if parent.format.is_interior() => {
                self.add_one(target, &content.into())
            }
            Some(Some(_)) => Err(Refusal::NotAllowed),
            Some(None) | None => Err(Refusal::NotFound),
        }
    }
}

/// Octets of a value, which is far below 4 GiB.
fn octets(value: &[u8]) -> u32 {
    u32::try_from(value.len()).unwrap_or(u32::MAX)
}

/// The node a command that knows no `?prop=` or `?list=` addresses.
pub(super) fn node_of(uri: &Uri) -> Done<&Path> {
    match uri.part {
        Part::Node => Ok(&uri.path),
        Part::Property(_) | Part::List(_) => Err(Refusal::NotAllowed),
    }
}
