//! Add, Replace, Get, Delete and Copy.

use super::*;
use crate::limits;
use crate::store::{By, Change, ChangeKind};

fn s1(bed: &mut Bed, uri: &str, new: &NewNode<'_>) -> u16 {
    status(bed.s1().add(&at(uri), new))
}

#[test]
fn dm_043_add_leaf_without_meta() {
    let mut bed = Bed::new();
    assert_eq!(s1(&mut bed, "./A", &text("v").into()), 200);
    let (format, mime) = (Format::Chr, "text/plain".to_owned());
    let value = b"v".to_vec();
    assert_eq!(bed.s1_gets("./A"), Ok(Answer::Leaf { format, mime, value }));
}

#[test]
fn dm_044_add_interior() {
    let mut bed = Bed::new();
    assert_eq!(s1(&mut bed, "./A", &node()), 200);
    assert_eq!(bed.s1_gets("./A"), Ok(Answer::Children(vec![])));
    assert_eq!(bed.text("./A?prop=Format"), "node");
    assert_eq!(bed.text("./A?prop=Type"), "");
}

#[test]
fn dm_045_add_on_an_existing_node() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    assert_eq!(s1(&mut bed, "./A", &text("w").into()), 418);
    assert_eq!(s1(&mut bed, ".", &node()), 418);
    assert_eq!(bed.text("./A"), "v");
}

#[test]
fn dm_046_add_below_a_leaf() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    assert_eq!(s1(&mut bed, "./A/B", &text("w").into()), 405);
    assert_eq!(s1(&mut bed, "./A/B/C", &text("w").into()), 405);
}

#[test]
fn dm_047_add_creates_missing_parents() {
    let mut bed = Bed::new();
    assert_eq!(s1(&mut bed, "./A/B/C", &text("v").into()), 200);
    assert_eq!(bed.text("./A"), "B");
    assert_eq!(bed.text("./A/B?prop=Format"), "node");
    // The auto-ACL rule holds for the parent that was made, too.
    assert_eq!(bed.text("./A?prop=ACL"), "Add=S1&Delete=S1&Get=*&Replace=S1");
    assert_eq!(bed.text("./A/B?prop=ACL"), "");
}

#[test]
fn dm_048_the_parent_that_failed_is_named_and_nothing_is_left() {
    let mut bed = Bed::new();
    bed.interior("./A");
    bed.acl("./A", "Get=*&Replace=S1");
    let refusal = bed.s1().add(&at("./A/B/C"), &text("v").into()).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (425, Some("./A/B")));
    assert!(!bed.has("./A/B"));
    // A parent that could be made goes away again with the one that could not.
    let refusal = bed.s1().add(&at("./DMAcc/x/Bad/y"), &text("v").into()).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (405, Some("./DMAcc/x/Bad")));
    assert!(!bed.has("./DMAcc/x"));
}

#[test]
fn dm_049_add_on_a_property() {
    let mut bed = Bed::new();
    assert_eq!(s1(&mut bed, "./A?prop=ACL", &text("Get=*").into()), 405);
    assert_eq!(s1(&mut bed, "./A?list=Struct", &text("x").into()), 405);
}

#[test]
fn dm_050_add_without_data() {
    let mut bed = Bed::new();
    assert_eq!(s1(&mut bed, "./A", &NewNode::default()), 412);
    assert!(!bed.has("./A"));
    let null = Content { format: Some(Format::Null), ..Content::default() };
    assert_eq!(s1(&mut bed, "./A", &null.into()), 200);
}

#[test]
fn dm_051_replace_a_leaf() {
    let mut bed = Bed::new();
    bed.leaf("./A", "old");
    bed.acl("./A", "Get=*&Replace=S1");
    let version = bed.text("./A?prop=VerNo");
    let later = Now { unix_s: THEN.unix_s + 1, ..THEN };
    let content = Content { format: Some(Format::Int), mime: Some("text/x"), value: Some(b"12") };
    Tree::new(&mut bed.txn, Actor::Server("S1"), later).replace(&at("./A"), &content).unwrap();
    assert_eq!(bed.text("./A"), "12");
    assert_eq!(bed.text("./A?prop=Format"), "int");
    assert_eq!(bed.text("./A?prop=Type"), "text/x");
    assert_eq!(bed.text("./A?prop=TStamp"), "20010711T163818Z");
    assert_eq!(bed.text("./A?prop=Size"), "2");
    let next = (version.parse::<u16>().unwrap() + 1).to_string();
    assert_eq!(bed.text("./A?prop=VerNo"), next);
}

#[test]
fn dm_052_replace_a_missing_node() {
    let mut bed = Bed::new();
    assert_eq!(status(bed.s1().replace(&at("./A"), &text("v"))), 404);
    assert!(!bed.has("./A"));
}

#[test]
fn dm_053_replace_an_interior_node() {
    let mut bed = Bed::new();
    bed.interior("./A");
    assert_eq!(status(bed.s1().replace(&at("./A"), &text("v"))), 405);
    assert_eq!(status(bed.s1().replace(&at("."), &text("v"))), 405);
}

#[test]
fn dm_054_replace_with_an_unsupported_type() {
    let mut bed = Bed::new();
    bed.leaf("./DMAcc/1/Name", "old");
    bed.acl("./DMAcc/1", "Get=*&Replace=S1");
    let picture = Content { mime: Some("image/jpeg"), ..text("new") };
    assert_eq!(status(bed.s1().replace(&at("./DMAcc/1/Name"), &picture)), 415);
    let number = Content { format: Some(Format::Int), ..text("7") };
    assert_eq!(status(bed.s1().replace(&at("./DMAcc/1/Name"), &number)), 415);
    assert_eq!(bed.text("./DMAcc/1/Name"), "old");
}

#[test]
fn dm_055_replace_an_int_with_text() {
    let mut bed = Bed::new();
    bed.tree(Actor::Host).add(&at("./A"), &leaf(Format::Int, "", b"7")).unwrap();
    bed.acl("./A", "Get=*&Replace=S1");
    assert_eq!(status(bed.s1().replace(&at("./A"), &text("abc"))), 415);
    assert_eq!(status(bed.s1().replace(&at("./A"), &text("8"))), 200);
    assert_eq!((bed.text("./A"), bed.text("./A?prop=Format")), ("8".into(), "int".into()));
}

#[test]
fn dm_056_get_a_leaf() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    let answer =
        Answer::Leaf { format: Format::Chr, mime: "text/plain".into(), value: b"v".to_vec() };
    assert_eq!(bed.s1_gets("./A/B"), Ok(answer.clone()));
    assert_eq!(bed.s1_gets("A/B"), Ok(answer));
}

#[test]
fn dm_057_get_a_binary_leaf() {
    let mut bed = Bed::new();
    bed.tree(Actor::Host).add(&at("./A"), &leaf(Format::Bin, "image/jpeg", b"\xff\0")).unwrap();
    let (format, mime) = (Format::Bin, "image/jpeg".to_owned());
    assert_eq!(bed.s1_gets("./A"), Ok(Answer::Leaf { format, mime, value: b"\xff\0".to_vec() }));
}

#[test]
fn dm_058_get_an_interior_node() {
    let mut bed = Bed::new();
    for uri in ["./M/c", "./M/a/x/y", "./M/a/z", "./M/b", "./Ma"] {
        bed.leaf(uri, "v");
    }
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(bed.s1_gets("./M"), Ok(Answer::Children(names)));
}

#[test]
fn dm_059_get_a_missing_node() {
    assert_eq!(Bed::new().s1_gets("./A"), Err(404));
}

#[test]
fn dm_061_a_star_is_an_ordinary_character() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    assert_eq!(bed.s1_gets("./A/*"), Err(404));
    assert_eq!(bed.s1_gets("./*/B"), Err(404));
    bed.leaf("./A/*", "star");
    assert!(bed.s1_gets("./A/*").is_ok());
}

#[test]
fn dm_063_delete_a_dynamic_subtree() {
    let mut bed = Bed::new();
    for uri in ["./A/B/C", "./A/D", "./AB"] {
        bed.leaf(uri, "v");
    }
    bed.acl("./A", "Delete=S1&Get=*");
    assert_eq!(status(bed.s1().delete(&at("./A"))), 200);
    for uri in ["./A", "./A/B", "./A/B/C", "./A/D"] {
        assert!(!bed.has(uri), "{uri}");
    }
    assert_eq!(bed.text("./AB"), "v");
}

#[test]
fn dm_064_delete_a_permanent_node_or_the_root() {
    let mut bed = Bed::new();
    bed.acl(".", "Add=*&Delete=*&Get=*&Replace=*");
    for uri in [".", "./DMAcc", "./Inbox", "./DevInfo/DevId"] {
        assert_eq!(status(bed.s1().delete(&at(uri))), 405, "{uri}");
    }
    let permanent = NewNode { permanent: true, ..text("v").into() };
    bed.tree(Actor::Host).add(&at("./A/B"), &permanent).unwrap();
    assert_eq!(status(bed.s1().delete(&at("./A/B"))), 405);
    let refusal = bed.s1().delete(&at("./A")).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (405, Some("./A/B")));
}

#[test]
fn dm_065_a_protected_leaf_goes_with_its_parent_only() {
    let mut bed = Bed::new();
    let protected = NewNode { access: Access::GET, ..text("v").into() };
    bed.tree(Actor::Host).add(&at("./A/B"), &protected).unwrap();
    bed.acl("./A", "Delete=S1&Get=*");
    assert_eq!(status(bed.s1().delete(&at("./A/B"))), 405);
    assert_eq!(status(bed.s1().delete(&at("./A"))), 200);
    assert!(!bed.has("./A/B"));
}

#[test]
fn dm_066_delete_without_the_right() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    assert_eq!(status(bed.s1().delete(&at("./A"))), 425);
    // The right on the top is not enough when a node below says otherwise.
    bed.acl("./A", "Delete=S1&Get=*");
    bed.acl("./A/B", "Get=*");
    let refusal = bed.s1().delete(&at("./A")).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (425, Some("./A/B")));
    assert!(bed.has("./A/B"));
}

#[test]
fn dm_067_delete_a_missing_node() {
    assert_eq!(status(Bed::new().s1().delete(&at("./A"))), 404);
}

#[test]
fn delete_of_a_property_is_not_allowed() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    assert_eq!(status(bed.s1().delete(&at("./A?prop=Title"))), 405);
}

#[test]
fn dm_068_exec_needs_access_type_and_acl() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    let runs = NewNode { access: Access::all(), ..text("v").into() };
    bed.tree(Actor::Host).add(&at("./B"), &runs).unwrap();
    let exec = |bed: &Bed, uri: &str| {
        status(Query::new(&bed.txn, Actor::Server("S1")).check_exec(&at(uri)))
    };
    assert_eq!((exec(&bed, "./A"), exec(&bed, "./C"), exec(&bed, "./B")), (405, 404, 425));
    bed.acl("./B", "Exec=S1");
    assert_eq!(exec(&bed, "./B"), 200);
    assert_eq!((exec(&bed, "./DevInfo"), exec(&bed, "./B?prop=ACL")), (405, 405));
}

#[test]
fn debug_output_shows_no_value() {
    let mut bed = Bed::new();
    bed.leaf("./A", "hunter2");
    let content = Content::text("hunter2");
    let answers = [bed.get(Actor::Host, "./A"), bed.get(Actor::Host, "./A?list=StructData")];
    let shown = format!("{content:?} {:?} {answers:?}", NewNode::from(content));
    assert!(!shown.contains("hunter2") && shown.contains("value: 7"), "{shown}");
}

#[test]
fn dm_072_copy_a_leaf() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    bed.leaf("./B", "w");
    bed.acl("./B", "Get=*&Replace=S1");
    assert_eq!(status(bed.s1().copy(&at("./A"), &at("./B"))), 200);
    bed.tree(Actor::Host).replace(&at("./A"), &text("x")).unwrap();
    assert_eq!(bed.text("./B"), "v");
    // A missing target is made when its parent exists and grants Add.
    assert_eq!(status(bed.s1().copy(&at("./A"), &at("./C"))), 200);
    assert_eq!(bed.text("./C"), "x");
    assert_eq!(status(bed.s1().copy(&at("./A"), &at("./D/E"))), 404);
    bed.acl("./B", "Get=*");
    assert_eq!(status(bed.s1().copy(&at("./A"), &at("./B"))), 425);
    bed.acl("./A", "Replace=S1");
    assert_eq!(status(bed.s1().copy(&at("./A"), &at("./C"))), 425);
}

#[test]
fn dm_073_copy_of_an_interior_node() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    assert_eq!(status(bed.s1().copy(&at("./A"), &at("./C"))), 405);
    assert_eq!(status(bed.s1().copy(&at("./A/B"), &at("./A"))), 405);
    assert_eq!(status(bed.s1().copy(&at("./A/B"), &at("./A/B/C"))), 405);
    assert_eq!(status(bed.s1().copy(&at("./X"), &at("./C"))), 404);
}

#[test]
fn values_above_the_limit_are_refused() {
    let mut bed = Bed::new();
    let value = vec![b'x'; limits::MAX_OBJ_SIZE as usize + 1];
    assert_eq!(status(bed.s1().add(&at("./A"), &Content::bin(&value).into())), 413);
    let fits = &value[1..];
    assert_eq!(status(bed.s1().add(&at("./A"), &Content::bin(fits).into())), 200);
}

#[test]
fn the_changes_are_told_with_their_author() {
    let mut bed = Bed::new();
    let before = bed.txn.changes().len();
    bed.s1().add(&at("./A/B"), &text("v").into()).unwrap();
    bed.s1().replace(&at("./A/B"), &text("wx")).unwrap();
    bed.s1().add(&at("./A/B/C"), &text("v").into()).unwrap_err();
    bed.s1().replace(&at("./A/B?prop=Name"), &text("D")).unwrap();
    bed.tree(Actor::Host).delete(&at("./A")).unwrap();
    let (changes, _) = bed.commit();
    let server = By::Server("S1".into());
    let told: Vec<_> = changes[before..]
        .iter()
        .map(|c| (c.uri.as_str(), c.kind, &c.by, (c.old_size, c.new_size)))
        .collect();
    assert_eq!(
        told,
        [
            ("./A", ChangeKind::Added, &server, (0, 0)),
            ("./A/B", ChangeKind::Added, &server, (0, 1)),
            ("./A/B", ChangeKind::Replaced, &server, (1, 2)),
            ("./A/D", ChangeKind::Renamed, &server, (2, 2)),
            ("./A", ChangeKind::Deleted, &By::Host, (0, 0)),
        ]
    );
    assert_eq!(changes[before + 3].from.as_deref(), Some("./A/B"));
    let (uri, by) = ("./DevInfo".to_owned(), By::Host);
    let first = Change { uri, from: None, kind: ChangeKind::Added, by, old_size: 0, new_size: 0 };
    assert_eq!(changes[0], first);
}

#[test]
fn the_node_above_is_looked_at_again_after_each_change_of_it() {
    let mut bed = Bed::new();
    bed.interior("./A/B");
    let (all, none) = ("Add=S1&Delete=S1&Get=*&Replace=S1", "Get=*");
    bed.acl("./A", all);
    let mut number = 0;
    let mut adds_and_replaces = |bed: &mut Bed| {
        number += 1;
        let uri = at(&format!("./A/B/{number}"));
        let added = status(bed.s1().add(&uri, &text("1").into()));
        let old = at("./A/B/1");
        (added, status(bed.s1().replace(&old, &text("2"))))
    };
    assert_eq!(adds_and_replaces(&mut bed), (200, 200));
    bed.acl("./A", none);
    assert_eq!(adds_and_replaces(&mut bed), (425, 425));
    let savepoint = bed.txn.savepoint();
    bed.acl("./A/B", all);
    assert_eq!(adds_and_replaces(&mut bed), (200, 200));
    bed.txn.rollback_to(savepoint);
    assert_eq!(adds_and_replaces(&mut bed), (425, 425));
    bed.acl("./A", all);
    assert_eq!(adds_and_replaces(&mut bed), (200, 200));
    bed.tree(Actor::Host).replace(&at("./A/B?prop=Name"), &text("C")).unwrap();
    assert_eq!(adds_and_replaces(&mut bed), (200, 404));
    assert!(bed.has("./A/B/6") && bed.has("./A/C/1") && !bed.has("./A/C/6"));
    bed.tree(Actor::Host).delete(&at("./A/B")).unwrap();
    bed.leaf("./A/B", "no interior node");
    assert_eq!(adds_and_replaces(&mut bed), (405, 404));
}
