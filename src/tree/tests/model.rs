//! Random operations against a plain map.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    AddLeaf(String, String),
    AddNode(String),
    Replace(String, String),
    Delete(String),
    Rename(String, String),
    Savepoint,
    Rollback,
    Release,
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["a", "b", "ab", "a b", "é"]
}

fn uri() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| format!("./M/{}", names.join("/")))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (uri(), "[^\0]{0,5}").prop_map(|(uri, value)| Step::AddLeaf(uri, value)),
        2 => uri().prop_map(Step::AddNode),
        2 => (uri(), "[^\0]{0,5}").prop_map(|(uri, value)| Step::Replace(uri, value)),
        2 => uri().prop_map(Step::Delete),
        2 => (uri(), name()).prop_map(|(uri, name)| Step::Rename(uri, name)),
        1 => Just(Step::Savepoint),
        1 => Just(Step::Rollback),
        1 => Just(Step::Release),
    ]
}

/// URI to value; `None` is an interior node.
type Model = BTreeMap<String, Option<String>>;

fn add(model: &mut Model, uri: &str, value: Option<String>) -> u16 {
    if model.contains_key(uri) {
        return 418;
    }
    let mut ancestors = Vec::new();
    let mut at = uri;
    while let Some((parent, _)) = at.rsplit_once('/') {
        match model.get(parent) {
            Some(None) => break,
            Some(Some(_)) => return 405,
            None => ancestors.push(parent.to_owned()),
        }
        at = parent;
    }
    model.extend(ancestors.into_iter().map(|uri| (uri, None)));
    model.insert(uri.to_owned(), value);
    200
}

fn within(uri: &str, top: &str) -> bool {
    uri.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn rename(model: &mut Model, uri: &str, name: &str) -> u16 {
    if !model.contains_key(uri) {
        return 404;
    }
    let to = format!("{}/{name}", uri.rsplit_once('/').unwrap().0);
    if to == uri {
        return 200;
    }
    if model.contains_key(&to) {
        return 418;
    }
    let moved: Model = model
        .iter()
        .filter(|(at, _)| within(at, uri))
        .map(|(at, value)| (format!("{to}{}", &at[uri.len()..]), value.clone()))
        .collect();
    model.retain(|at, _| !within(at, uri));
    model.extend(moved);
    200
}

fn apply(model: &mut Model, step: &Step) -> Option<u16> {
    Some(match step {
        Step::AddLeaf(uri, value) => add(model, uri, Some(value.clone())),
        Step::AddNode(uri) => add(model, uri, None),
        Step::Replace(uri, value) => match model.get_mut(uri) {
            None => 404,
            Some(None) => 405,
            Some(Some(old)) => {
                old.clone_from(value);
                200
            }
        },
        Step::Delete(uri) => {
            let found = model.contains_key(uri);
            model.retain(|at, _| !within(at, uri));
            if found { 200 } else { 404 }
        }
        Step::Rename(uri, name) => rename(model, uri, name),
        Step::Savepoint | Step::Rollback | Step::Release => return None,
    })
}

fn run(tree: &mut Tree<'_>, step: &Step) -> Option<u16> {
    Some(status(match step {
        Step::AddLeaf(uri, value) => tree.add(&at(uri), &Content::text(value).into()),
        Step::AddNode(uri) => tree.add(&at(uri), &node()),
        Step::Replace(uri, value) => tree.replace(&at(uri), &text(value)),
        Step::Delete(uri) => tree.delete(&at(uri)),
        Step::Rename(uri, name) => tree.replace(&at(&format!("{uri}?prop=Name")), &text(name)),
        Step::Savepoint | Step::Rollback | Step::Release => return None,
    }))
}

/// What the tree shows below ./M, by walking child lists.
fn shown(query: &Query<'_>) -> Model {
    let mut shown = Model::new();
    let mut open = vec![at("./M").path];
    while let Some(path) = open.pop() {
        let uri = unescape(&path.to_string()).unwrap();
        match query.get(&path.clone().into()).unwrap() {
            Answer::Leaf { value, .. } => {
                shown.insert(uri, Some(String::from_utf8(value).unwrap()));
            }
            Answer::Children(_) => {
                shown.insert(uri, None);
                open.extend(query.children(&path).unwrap());
            }
            other => panic!("{other:?}"),
        }
    }
    shown
}

fn listed(query: &Query<'_>) -> Model {
    let Answer::Nodes(nodes) = query.get(&at("./M?list=StructData")).unwrap() else { panic!() };
    let uri = |uri: &str| unescape(uri).unwrap();
    let text = |value: Option<Vec<u8>>| value.map(|value| String::from_utf8(value).unwrap());
    nodes.into_iter().map(|node| (uri(&node.uri), text(node.value))).collect()
}

proptest! {
    #[test]
    fn the_tree_does_what_a_plain_map_does(
        first in prop::collection::vec(step(), 0..15),
        second in prop::collection::vec(step(), 1..30),
    ) {
        let mut bed = Bed::new();
        bed.interior("./M");
        let mut model = Model::from([("./M".to_owned(), None)]);
        for step in &first {
            let done = run(&mut bed.tree(Actor::Host), step);
            prop_assert_eq!(done, apply(&mut model, step), "{:?}", step);
        }
        // The rest runs over committed entries, with savepoints.
        let (_, database) = bed.commit();
        let mut bed = Bed { txn: database.begin().unwrap(), database };
        let mut saved = Vec::new();
        for step in &second {
            match step {
                Step::Savepoint => saved.push((bed.txn.savepoint(), model.clone())),
                Step::Release => {
                    if let Some((savepoint, _)) = saved.pop() {
                        bed.txn.release(savepoint);
                    }
                }
                Step::Rollback => {
                    if let Some((savepoint, before)) = saved.pop() {
                        bed.txn.rollback_to(savepoint);
                        model = before;
                    }
                }
                step => {
                    let done = run(&mut bed.tree(Actor::Host), step);
                    prop_assert_eq!(done, apply(&mut model, step), "{:?}", step);
                }
            }
            prop_assert_eq!(&shown(&Query::new(&bed.txn, Actor::Host)), &model);
        }
        prop_assert_eq!(&listed(&Query::new(&bed.txn, Actor::Host)), &model);
        let (_, database) = bed.commit();
        let view = database.read().unwrap();
        prop_assert_eq!(&shown(&Query::new(&view, Actor::Host)), &model);
    }
}
