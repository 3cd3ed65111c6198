//! Replacing ACL, Name and Title, and taking a server out of every ACL
//! (DM Tree and Description 1.2.1, 7.7).

use super::acl::{Acl, Right};
use super::ddf::Description;
use super::described::describe;
use super::edit::Tree;
use super::host_nodes;
use super::node::{Access, Node};
use super::query::access;
use super::records;
use super::refusal::Refusal;
use super::uri::{Path, Property, unescape};
use crate::limits;
use crate::store::{Change, ChangeKind, Table};

type Done<T = ()> = Result<T, Refusal>;

impl Tree<'_> {
    pub(super) fn replace_property(
        &mut self,
        path: &Path,
        property: Property,
        value: &[u8],
    ) -> Done {
        let node = records::load(self.reader(), path)?.ok_or(Refusal::NotFound)?;
        let text = std::str::from_utf8(value);
        match property {
            Property::Acl => {
                self.replace_acl(path, node, Acl::parse(text.map_err(|_| Refusal::BadAcl)?))
            }
            Property::Name => self.rename(path, node, text.map_err(|_| Refusal::BadUri)?),
            Property::Title => self.replace_title(path, node, text.map_err(|_| Refusal::Format)?),
            Property::Format
            | Property::Size
            | Property::TStamp
            | Property::Type
            | Property::VerNo => Err(Refusal::NotAllowed),
        }
    }

    /// The root keeps an ACL, and servers cannot change who may add to it.
    fn replace_acl(&mut self, path: &Path, mut node: Node, acl: Done<Acl>) -> Done {
        if path.is_root()
            && let Ok(acl) = &acl
        {
            let same_add = acl.servers(Right::Add).eq(node.acl.servers(Right::Add));
            if acl.is_empty() || (self.server().is_some() && !same_add) {
                return Err(Refusal::NotAllowed);
            }
        }
        self.check_acl_right(path, &node)?;
        node.acl = acl?;
        self.put_property(path, node);
        Ok(())
    }

    /// The ACL of a leaf belongs to who may replace the parent; that of an interior node also to
    /// who may replace the node itself.
    pub(super) fn check_acl_right(&self, path: &Path, node: &Node) -> Done {
        let by_parent = match path.parent() {
            Some(parent) => self.check_right(&parent, Right::Replace),
            None => Err(Refusal::Permission),
        };
        match by_parent {
            Err(Refusal::Permission) if node.format.is_interior() => {
                self.check_right(path, Right::Replace)
            }
            other => other,
        }
    }

    fn replace_title(&mut self, path: &Path, mut node: Node, title: &str) -> Done {
        self.check_replaceable(path, &node)?;
        if title.len() > limits::TITLE_OCTETS {
            return Err(Refusal::TooLarge);
        }
        node.title = title.to_owned();
        self.put_property(path, node);
        Ok(())
    }

    fn check_replaceable(&self, path: &Path, node: &Node) -> Done {
        let fixed = node.permanent || !access(self.reader(), path, node).contains(Access::REPLACE);
        if fixed && self.server().is_some() {
            return Err(Refusal::NotAllowed);
        }
        self.check_right(path, Right::Replace)
    }

    pub(super) fn put_property(&mut self, path: &Path, mut node: Node) {
        node.touch(self.now.unix_s);
        records::update(self.txn, path, &node.record());
        self.note(path, ChangeKind::Property, node.size, node.size);
    }

    /// Gives the node another name among the same siblings; what is below follows.
    fn rename(&mut self, path: &Path, mut node: Node, name: &str) -> Done {
        let parent = path.parent().ok_or(Refusal::NotAllowed)?;
        // The host knows its nodes by their names.
        if host_nodes::of(self.reader()).is_some_and(|nodes| nodes.touches(path)) {
            return Err(Refusal::NotAllowed);
        }
        let described = describe(self.reader(), path);
        if described.rule().is_some_and(|rule| !rule.is_unnamed()) {
            return Err(Refusal::NotAllowed);
        }
        self.check_replaceable(path, &node)?;
        if name.contains('/') {
            return Err(Refusal::BadUri);
        }
        let to = parent.child(&unescape(name)?)?;
        if to == *path {
            return Ok(());
        }
        if records::exists(self.reader(), &to)? {
            return Err(Refusal::Exists);
        }
        let free = |description: &Description| matches!(description, Description::Free);
        if free(&described) != free(&describe(self.reader(), &to)) {
            return Err(Refusal::NotAllowed);
        }
        self.all_or_nothing(|tree| {
            records::rename(tree.txn, path, &to)?;
            node.touch(tree.now.unix_s);
            records::update(tree.txn, &to, &node.record());
            tree.txn.note(Change {
                uri: to.to_string(),
                from: Some(path.to_string()),
                kind: ChangeKind::Renamed,
                by: tree.by(),
                old_size: node.size,
                new_size: node.size,
            });
            Ok(())
        })
    }

    /// Takes `server` out of every ACL. An ACL that becomes empty inherits; the root's gets back
    /// the rights it must have.
    pub fn forget_server(&mut self, server: &str) -> Done {
        let mut changed = Vec::new();
        for table in [Table::Node, Table::Host] {
            records::walk_stored(self.reader(), table, &Path::root(), &mut |path, mut node| {
                if node.acl.forget(server) {
                    changed.push((table, path, node));
                }
                std::ops::ControlFlow::Continue(())
            })?;
        }
        for (table, path, mut node) in changed {
            if path.is_root() {
                node.acl.restore_root();
            }
            node.touch(self.now.unix_s);
            records::put(self.txn, table, &path, &node.record());
            self.note(&path, ChangeKind::Property, node.size, node.size);
        }
        Ok(())
    }
}
