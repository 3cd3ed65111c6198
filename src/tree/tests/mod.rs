//! Tests of the tree by conformance row, over a volatile store.

mod accounts;
mod acl;
mod commands;
mod list;
mod model;
mod serialized;
mod uri;

use super::*;
use crate::store::Database;
use crate::store::Txn;
use crate::store::memory::MemoryStore;
use crate::time::Now;
use std::sync::Arc;

/// 2001-07-11 16:38:17 UTC.
const THEN: Now = Now { mono_ms: 0, unix_s: 994_869_497 };

const DEVICE: DeviceInfo<'static> = DeviceInfo {
    dev_id: "IMEI:493005100592800",
    man: "Example",
    model: "One",
    dm_v: "1.0",
    lang: "en-US",
    dev_typ: "phone",
    oem: "Example",
    fw_v: "1",
    sw_v: "2",
    hw_v: "3",
};

/// A transaction on a fresh tree with the standard objects, and short ways to use it.
struct Bed {
    txn: Txn,
    database: Database,
}

impl Bed {
    fn new() -> Self {
        let database = Database::new(Arc::new(MemoryStore::new())).unwrap();
        let mut txn = database.begin().unwrap();
        install(&mut txn, &DEVICE, THEN).unwrap();
        Self { txn, database }
    }

    fn commit(self) -> (Vec<crate::store::Change>, Database) {
        (self.txn.commit().unwrap(), self.database)
    }

    fn tree<'t>(&'t mut self, actor: Actor<'t>) -> Tree<'t> {
        Tree::new(&mut self.txn, actor, THEN)
    }

    fn s1(&mut self) -> Tree<'_> {
        self.tree(Actor::Server("S1"))
    }

    /// The host adds a text leaf.
    fn leaf(&mut self, uri: &str, value: &str) {
        self.tree(Actor::Host).add(&at(uri), &Content::text(value).into()).unwrap();
    }

    /// The host adds an interior node.
    fn interior(&mut self, uri: &str) {
        self.tree(Actor::Host).add(&at(uri), &Content::interior("").into()).unwrap();
    }

    /// The host sets an ACL.
    fn acl(&mut self, uri: &str, acl: &str) {
        let uri = at(&format!("{uri}?prop=ACL"));
        self.tree(Actor::Host).replace(&uri, &Content::text(acl)).unwrap();
    }

    fn get(&self, actor: Actor<'_>, uri: &str) -> Result<Answer, Refusal> {
        Query::new(&self.txn, actor).get(&at(uri))
    }

    /// What S1 gets.
    fn s1_gets(&self, uri: &str) -> Result<Answer, u16> {
        self.get(Actor::Server("S1"), uri).map_err(|refusal| refusal.status())
    }

    /// The host's view of a leaf's text or a property.
    fn text(&self, uri: &str) -> String {
        match self.get(Actor::Host, uri).unwrap() {
            Answer::Leaf { value, .. } => String::from_utf8(value).unwrap(),
            Answer::Children(names) => names.join("/"),
            Answer::Property(text) => text,
            other => panic!("{other:?}"),
        }
    }

    fn has(&self, uri: &str) -> bool {
        Query::new(&self.txn, Actor::Host).exists(&at(uri).path).unwrap()
    }
}

fn at(uri: &str) -> Uri {
    Uri::parse(uri).unwrap()
}

/// 200 or the status of the refusal.
fn status<T>(done: Result<T, Refusal>) -> u16 {
    done.map_or_else(|refusal| refusal.status(), |_| 200)
}

fn leaf(format: Format, mime: &'static str, value: &'static [u8]) -> NewNode<'static> {
    Content { format: Some(format), mime: Some(mime), value: Some(value) }.into()
}

fn text(value: &str) -> Content<'_> {
    Content { value: Some(value.as_bytes()), ..Content::default() }
}

fn node() -> NewNode<'static> {
    Content::interior("").into()
}
