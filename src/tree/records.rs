//! Nodes and values in the tables of the store: keys, counting, walking. Checks no right.

use super::acl::Acl;
use super::ddf;
use super::host_nodes::{self, Bound, Deed};
use super::node::{Glance, Node, Record};
use super::refusal::Refusal;
use super::uri::Path;
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::store::{Reader, Table, Txn};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Number of nodes, in [`Table::Meta`].
const COUNT_KEY: &[u8] = b"nodes";

fn damaged(what: &'static str) -> Error {
    Error::new(Code::StorageCorrupt, what)
}

/// The node's record, if it exists.
pub(super) fn load(reader: &dyn Reader, path: &Path) -> Result<Option<Node>> {
    match host_nodes::below_root(reader, path) {
        Some(bound) => bound.node(reader, path),
        None => stored(reader, path),
    }
}

/// True if the node exists.
pub(super) fn exists(reader: &dyn Reader, path: &Path) -> Result<bool> {
    match host_nodes::below_root(reader, path) {
        Some(bound) => Ok(bound.node(reader, path)?.is_some()),
        None => Ok(reader.get(Table::Node, path.key())?.is_some()),
    }
}

/// The type of an interior node that has one: its management object identifier. What the host keeps has
/// none below the root of its subtree.
pub(super) fn object(reader: &dyn Reader, path: &Path) -> Result<Option<String>> {
    if host_nodes::below_root(reader, path).is_some() {
        return Ok(None);
    }
    let Some(record) = reader.get(Table::Node, path.key())? else { return Ok(None) };
    let Glance { format, mime, .. } = Glance::at(&record)?;
    Ok((format.is_interior() && !mime.is_empty()).then(|| mime.to_owned()))
}

fn stored(reader: &dyn Reader, path: &Path) -> Result<Option<Node>> {
    reader.get(Table::Node, path.key())?.map(|record| Node::decode(&record)).transpose()
}

/// Where the leaf's value is.
fn value_table(reader: &dyn Reader, path: &Path) -> Table {
    if reader.is_secret(path.key()) { Table::Secret } else { Table::Value }
}

/// The leaf's value; empty if nothing is stored.
pub(super) fn value(reader: &dyn Reader, path: &Path) -> Result<Vec<u8>> {
    if let Some(value) = ddf::live_value(reader, path) {
        return value;
    }
    match host_nodes::below_root(reader, path) {
        Some(bound) => bound.value(path),
        None => {
            let value = reader.get(value_table(reader, path), path.key())?;
            Ok(value.map(Cow::into_owned).unwrap_or_default())
        }
    }
}

/// The leaf's value as text, if the leaf exists and is text.
pub(super) fn text(reader: &dyn Reader, path: &Path) -> Result<Option<String>> {
    Ok(match load(reader, path)? {
        Some(node) if !node.format.is_interior() => String::from_utf8(value(reader, path)?).ok(),
        _ => None,
    })
}

/// Writes a node that is not there yet. Errors: `Full` at the limit of nodes.
pub(super) fn create(
    txn: &mut Txn,
    path: &Path,
    record: Record<'_>,
    value: &[u8],
) -> core::result::Result<(), Refusal> {
    let record = Record { size: octets(value)?, ..record };
    if let Some(bound) = host_nodes::below_root(txn, path) {
        return Ok(host_nodes::write(txn, &bound, path, &record, value, Deed::Add)?);
    }
    let count = count(txn)?;
    if count >= limits::TREE_NODES as u64 {
        return Err(Refusal::Full);
    }
    set_count(txn, count + 1);
    store(txn, path, &record, value);
    Ok(())
}

/// Writes node and value over what was there.
pub(super) fn write(txn: &mut Txn, path: &Path, record: Record<'_>, value: &[u8]) -> Result<()> {
    let record = Record { size: octets(value)?, ..record };
    match host_nodes::below_root(txn, path) {
        Some(bound) => host_nodes::write(txn, &bound, path, &record, value, Deed::Replace),
        None => {
            store(txn, path, &record, value);
            Ok(())
        }
    }
}

fn octets(value: &[u8]) -> Result<u32> {
    u32::try_from(value.len())
        .map_err(|_| Error::new(Code::TooLarge, "tree: a value exceeds 4 GiB"))
}

/// Writes a node that the host does not keep.
fn store(txn: &mut Txn, path: &Path, record: &Record<'_>, value: &[u8]) {
    put(txn, Table::Node, path, record);
    let table = value_table(txn, path);
    if value.is_empty() {
        txn.delete(table, path.key());
    } else {
        txn.put(table, path.key(), value.to_vec());
    }
}

/// Writes the node's record; its value stays.
pub(super) fn update(txn: &mut Txn, path: &Path, record: &Record<'_>) {
    let table = match host_nodes::below_root(txn, path) {
        Some(_) => Table::Host,
        None => Table::Node,
    };
    put(txn, table, path, record);
}

/// Writes the node's record into `table`.
pub(super) fn put(txn: &mut Txn, table: Table, path: &Path, record: &Record<'_>) {
    txn.put(table, path.key(), record.encode());
}

/// Removes these nodes, parents first; none of them has a bound subtree below it.
pub(super) fn remove(txn: &mut Txn, paths: &[Path]) -> Result<()> {
    let mut hosted: Vec<(Arc<Bound>, Vec<&Path>)> = Vec::new();
    let mut removed = 0;
    for path in paths {
        let Some(bound) = host_nodes::below_root(txn, path) else {
            txn.delete(Table::Node, path.key());
            txn.delete(value_table(txn, path), path.key());
            removed += 1;
            continue;
        };
        match hosted.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &bound)) {
            Some((_, paths)) => paths.push(path),
            None => hosted.push((bound, vec![path])),
        }
    }
    for (bound, paths) in &hosted {
        host_nodes::remove(txn, bound, paths)?;
    }
    if removed > 0 {
        let count = count(txn)?;
        set_count(txn, count.saturating_sub(removed));
    }
    Ok(())
}

/// Moves a node with all below it to a place that is free.
pub(super) fn rename(txn: &mut Txn, from: &Path, to: &Path) -> core::result::Result<(), Refusal> {
    for (old, _) in subtree(txn, from)? {
        let new = old.moved(from, to).unwrap_or(Err(Refusal::BadUri))?;
        let values = (value_table(txn, &old), value_table(txn, &new));
        for (from, to) in [(Table::Node, Table::Node), values] {
            if let Some(bytes) = txn.get(from, old.key())?.map(Cow::into_owned) {
                txn.delete(from, old.key());
                txn.put(to, new.key(), bytes);
            }
        }
    }
    Ok(())
}

/// Number of nodes in the tree.
pub(super) fn count(txn: &Txn) -> Result<u64> {
    match txn.get(Table::Meta, COUNT_KEY)? {
        None => Ok(0),
        Some(bytes) => match <[u8; 8]>::try_from(&*bytes) {
            Ok(bytes) => Ok(u64::from_be_bytes(bytes)),
            Err(_) => Err(damaged("tree: the number of nodes in the store is damaged")),
        },
    }
}

fn set_count(txn: &mut Txn, count: u64) {
    txn.put_single(COUNT_KEY, &count.to_be_bytes());
}

/// Visits the node at `top` and all below it, parents first.
pub(super) fn walk(
    reader: &dyn Reader,
    top: &Path,
    visit: &mut dyn FnMut(Path, Node) -> ControlFlow<()>,
) -> Result<()> {
    if let Some(bound) = host_nodes::at(reader, top) {
        return bound.walk(reader, top, visit).map(drop);
    }
    let mut broken = Ok(());
    walk_stored(reader, Table::Node, top, &mut |path, node| {
        match host_nodes::at(reader, &path) {
            // Only the root of a bound subtree is stored; the rest of it comes with it.
            Some(bound) => bound.walk(reader, &path, visit).unwrap_or_else(|error| {
                broken = Err(error);
                ControlFlow::Break(())
            }),
            None => visit(path, node),
        }
    })?;
    broken
}

/// Visits what is stored in `table` of the node at `top` and all below it, parents first.
pub(super) fn walk_stored(
    reader: &dyn Reader,
    table: Table,
    top: &Path,
    visit: &mut dyn FnMut(Path, Node) -> ControlFlow<()>,
) -> Result<()> {
    let mut broken = None;
    let mut step = |key: &[u8], record: &[u8]| {
        match Path::from_key(key).ok_or_else(|| damaged("tree: a key in the store is damaged")) {
            Ok(path) => match Node::decode(record) {
                Ok(node) => return visit(path, node),
                Err(error) => broken = Some(error),
            },
            Err(error) => broken = Some(error),
        }
        ControlFlow::Break(())
    };
    // The root's key is empty, so its own record lies in the range of what is below it.
    let mut ended = false;
    if !top.is_root()
        && let Some(record) = reader.get(table, top.key())?
    {
        ended = step(top.key(), &record).is_break();
    }
    if !ended {
        reader.scan(table, &top.below(), b"", &mut step)?;
    }
    broken.map_or(Ok(()), Err)
}

/// The node at `top` and all below it, parents first.
pub(super) fn subtree(reader: &dyn Reader, top: &Path) -> Result<Vec<(Path, Node)>> {
    let mut nodes = Vec::new();
    walk(reader, top, &mut |path, node| {
        nodes.push((path, node));
        ControlFlow::Continue(())
    })?;
    Ok(nodes)
}

/// The paths of the children, in order. Steps over what is below them.
pub(super) fn children(reader: &dyn Reader, path: &Path) -> Result<Vec<Path>> {
    if let Some(bound) = host_nodes::at(reader, path) {
        return bound.children(path);
    }
    let prefix = path.below();
    let mut from = Vec::new();
    let mut children: Vec<Path> = Vec::new();
    let mut broken = false;
    loop {
        let mut skip = None;
        reader.scan(Table::Node, &prefix, &from, &mut |key, _| {
            if key.is_empty() {
                return ControlFlow::Continue(());
            }
            if let Some(child) = children.last().filter(|child| child.is_above(key)) {
                skip = Some(child.after());
                return ControlFlow::Break(());
            }
            let found = Path::from_key(key);
            broken = found.is_none();
            children.extend(found);
            if broken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if broken {
            return Err(damaged("tree: a key in the store is damaged"));
        }
        match skip {
            Some(after) => from = after,
            None => return Ok(children),
        }
    }
}

/// The ACL that counts for the node at `path`: its own, or the nearest one above.
pub(super) fn effective_acl(reader: &dyn Reader, path: &Path) -> Result<Acl> {
    nearest_acl(reader, Some(path.clone()))
}

/// The ACL that counts for the node at `path` if it has none of its own.
pub(super) fn inherited_acl(reader: &dyn Reader, path: &Path) -> Result<Acl> {
    nearest_acl(reader, path.parent())
}

fn nearest_acl(reader: &dyn Reader, mut at: Option<Path>) -> Result<Acl> {
    while let Some(path) = at {
        let table = match host_nodes::below_root(reader, &path) {
            Some(_) => Table::Host,
            None => Table::Node,
        };
        if let Some(record) = reader.get(table, path.key())?
            && let Glance { acl, .. } = Glance::at(&record)?
            && !acl.is_empty()
        {
            return Ok(Acl::from_record(acl));
        }
        at = path.parent();
    }
    Ok(Acl::default())
}
