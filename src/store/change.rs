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

    /// Changes in short: `A+0>5` added with five octets, `A=1>2` replaced, `A*2>2` a property, `A-3>0` deleted,
    /// `A@2>2` renamed to `A` from `Old`.
    fn changes(short: &str) -> Vec<Change> {
        let read = |word: &str| {
            let at = word.find(['+', '=', '*', '@']).or_else(|| word.rfind('-')).unwrap();
            let (name, rest) = word.split_at(at);
            let (old, new) = rest[1..].split_once('>').unwrap();
            let kind = match &rest[..1] {
                "+" => ChangeKind::Added,
                "=" => ChangeKind::Replaced,
                "*" => ChangeKind::Property,
                "@" => ChangeKind::Renamed,
                _ => ChangeKind::Deleted,
            };
            Change {
                uri: format!("./{name}"),
                from: (kind == ChangeKind::Renamed).then(|| "./Old".to_owned()),
                kind,
                by: By::Host,
                old_size: old.parse().unwrap(),
                new_size: new.parse().unwrap(),
            }
        };
        short.split(' ').map(read).collect()
    }

    fn tells(all: &str, told: &str) {
        assert_eq!(coalesce(&changes(all)), changes(told), "{all}");
    }

    #[test]
    fn changes_of_one_value_are_one() {
        tells("A=1>2 B+0>5 A*2>2 A=2>3 B=5>6 C*9>9 C=9>8", "A=1>3 B+0>6 C=9>8");
    }

    #[test]
    fn what_came_and_went_is_not_told() {
        tells("A+0>0 A/B+0>3 A-B+0>1 D=7>3 A-0>0 D-3>0 D+0>4", "A-B+0>1 D-7>0 D+0>4");
        // Deleted, made anew and deleted again: it is gone.
        tells("D-7>0 D+0>4 D-4>0", "D-7>0");
    }

    #[test]
    fn a_rename_keeps_the_order() {
        let told = "Old=1>2 New@2>2 Old+0>1 New-2>0";
        tells("Old=1>2 New@2>2 New=2>3 Old+0>1 New-3>0", told);
    }
}
