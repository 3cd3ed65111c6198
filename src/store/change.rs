//! What a transaction changed, as the layer above notes it, and made short for those who are told.
//!
//! Owns the order and the merging of changes. Must not know how they are made durable.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What happened to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was created.
    Added,
    /// Its value was replaced.
    Replaced,
    /// It was deleted with all below it.
    Deleted,
    /// It has this URI now instead of another one.
    Renamed,
    /// Its ACL, title or type was replaced.
    Property,
}

/// Who changed a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The server with this identifier.
    Server(Arc<str>),
    /// A bootstrap document.
    Bootstrap,
    /// The host or the library itself.
    Host,
}

/// One change of the tree, told after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The node's URI.
    pub uri: String,
    /// The URI that it had before it was renamed.
    pub from: Option<String>,
    /// What happened.
    pub kind: ChangeKind,
    /// Who did it.
    pub by: By,
    /// Octets of the value before; 0 if there was none.
    pub old_size: u32,
    /// Octets of the value now; 0 if there is none.
    pub new_size: u32,
}

/// The changes of one commit without those that a later one made void, in order.
///
/// A node that was added and deleted is not told; one that was replaced several times is told once, with
/// its first old and last new size; the value of an added node is its last one; what was done below a node
/// that was deleted then is not told. A rename stands between what came before it and after it.
pub(super) fn coalesce(changes: &[Change]) -> Vec<Change> {
    let mut kept: Vec<Option<Change>> = Vec::with_capacity(changes.len());
    // The last change of a URI that a later one can join.
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for change in changes {
        match change.kind {
            ChangeKind::Renamed => open.clear(),
            ChangeKind::Deleted => {
                let mut change = change.clone();
                let was_added = forget_below(&mut kept, &mut open, &mut change);
                if !was_added {
                    kept.push(Some(change));
                }
                continue;
            }
            _ => {}
        }
        let before = open.get(change.uri.as_str()).and_then(|at| kept.get_mut(*at)?.as_mut());
        if !before.is_some_and(|before| join(before, change)) {
            open.insert(&change.uri, kept.len());
            kept.push(Some(change.clone()));
        }
    }
    kept.into_iter().flatten().collect()
}

/// Makes `before` stand for `change` of the same node too, if it can.
fn join(before: &mut Change, change: &Change) -> bool {
    let joins = match (before.kind, change.kind) {
        (ChangeKind::Added | ChangeKind::Replaced, ChangeKind::Replaced) => true,
        (ChangeKind::Added | ChangeKind::Replaced, ChangeKind::Property) => true,
        (ChangeKind::Property, ChangeKind::Property) => true,
        // The value says more than a property; its old size is the first one that is known.
        (ChangeKind::Property, ChangeKind::Replaced) => {
            before.kind = ChangeKind::Replaced;
            before.old_size = change.old_size;
            true
        }
        _ => false,
    };
    if joins {
        before.by = change.by.clone();
        if change.kind == ChangeKind::Replaced {
            before.new_size = change.new_size;
        }
    }
    joins
}

/// Drops what was done to the node that `deleted` deletes and below it; true if it did not exist before.
fn forget_below(
    kept: &mut [Option<Change>],
    open: &mut BTreeMap<&str, usize>,
    deleted: &mut Change,
) -> bool {
    let mut was_added = false;
    let below = format!("{}/", deleted.uri);
    let gone: Vec<(&str, usize)> = open
        .range(deleted.uri.as_str()..)
        // Names that begin with the deleted one's and a character before `/` lie between.
        .take_while(|(uri, _)| uri.starts_with(deleted.uri.as_str()))
        .filter(|(uri, _)| **uri == deleted.uri || uri.starts_with(&below))
        .map(|(uri, at)| (*uri, *at))
        .collect();
    for (uri, at) in gone {
        open.remove(uri);
        let Some(change) = kept.get_mut(at).and_then(Option::take) else { continue };
        if uri == deleted.uri {
            was_added = change.kind == ChangeKind::Added;
            if change.kind == ChangeKind::Replaced {
                deleted.old_size = change.old_size;
            }
        }
    }
    was_added
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChangeKind::{Added, Deleted, Property, Renamed, Replaced};

    fn change(uri: &str, kind: ChangeKind, old_size: u32, new_size: u32) -> Change {
        let from = (kind == Renamed).then(|| "./Old".to_owned());
        Change { uri: uri.to_owned(), from, kind, by: By::Host, old_size, new_size }
    }

    #[test]
    fn changes_of_one_value_are_one() {
        let all = [
            change("./A", Replaced, 1, 2),
            change("./B", Added, 0, 5),
            change("./A", Property, 2, 2),
            change("./A", Replaced, 2, 3),
            change("./B", Replaced, 5, 6),
            change("./C", Property, 9, 9),
            change("./C", Replaced, 9, 8),
        ];
        let told = [
            change("./A", Replaced, 1, 3),
            change("./B", Added, 0, 6),
            change("./C", Replaced, 9, 8),
        ];
        assert_eq!(coalesce(&all), told);
    }

    #[test]
    fn what_came_and_went_is_not_told() {
        let all = [
            change("./A", Added, 0, 0),
            change("./A/B", Added, 0, 3),
            change("./A-B", Added, 0, 1),
            change("./D", Replaced, 7, 3),
            change("./A", Deleted, 0, 0),
            change("./D", Deleted, 3, 0),
            change("./D", Added, 0, 4),
        ];
        let told = [
            change("./A-B", Added, 0, 1),
            change("./D", Deleted, 7, 0),
            change("./D", Added, 0, 4),
        ];
        assert_eq!(coalesce(&all), told);
        // Deleted, made anew and deleted again: it is gone.
        let again = [
            change("./D", Deleted, 7, 0),
            change("./D", Added, 0, 4),
            change("./D", Deleted, 4, 0),
        ];
        assert_eq!(coalesce(&again), [change("./D", Deleted, 7, 0)]);
    }

    #[test]
    fn a_rename_keeps_the_order() {
        let all = [
            change("./Old", Replaced, 1, 2),
            change("./New", Renamed, 2, 2),
            change("./New", Replaced, 2, 3),
            change("./Old", Added, 0, 1),
            change("./New", Deleted, 3, 0),
        ];
        let told = [
            change("./Old", Replaced, 1, 2),
            change("./New", Renamed, 2, 2),
            change("./Old", Added, 0, 1),
            change("./New", Deleted, 2, 0),
        ];
        assert_eq!(coalesce(&all), told);
    }
}
