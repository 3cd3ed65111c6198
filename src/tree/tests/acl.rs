//! Properties and the access control list.

use super::*;
use crate::limits;

fn set(bed: &mut Bed, server: &str, uri: &str, value: &str) -> u16 {
    status(bed.tree(Actor::Server(server)).replace(&at(uri), &text(value)))
}

#[test]
fn dm_160_an_unset_acl_reads_empty() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    assert_eq!(bed.s1_gets("./A?prop=ACL"), Ok(Answer::Property(String::new())));
}

#[test]
fn dm_161_format_of_a_binary_leaf() {
    let mut bed = Bed::new();
    bed.tree(Actor::Host).add(&at("./A"), &leaf(Format::Bin, "image/png", b"\0")).unwrap();
    assert_eq!(bed.s1_gets("./A?prop=Format"), Ok(Answer::Property("bin".into())));
    assert_eq!(bed.s1_gets("./A?prop=Type"), Ok(Answer::Property("image/png".into())));
}

#[test]
fn dm_162_type_of_a_management_object() {
    let bed = Bed::new();
    let mo = "urn:oma:mo:oma-dm-devinfo:1.0".to_owned();
    assert_eq!(bed.s1_gets("./DevInfo?prop=Type"), Ok(Answer::Property(mo)));
}

#[test]
fn dm_163_an_unsupported_property() {
    assert_eq!(status(Uri::parse("./A?prop=Foo")), 406);
    assert_eq!(status(Uri::parse("./A?prop=acl")), 406);
    let mut bed = Bed::new();
    bed.interior("./A");
    assert_eq!(bed.s1_gets("./A?prop=Size"), Err(406));
}

#[test]
fn dm_164_read_only_properties() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    for property in ["Format", "Size", "VerNo", "TStamp", "Type"] {
        let uri = format!("./A?prop={property}");
        assert_eq!(set(&mut bed, "S1", &uri, "1"), 405, "{property}");
    }
}

#[test]
fn dm_165_rename() {
    let mut bed = Bed::new();
    bed.leaf("./A/B/C", "v");
    bed.acl("./A", "Get=*&Replace=S1");
    bed.acl("./A/B/C", "Get=S2");
    assert_eq!(set(&mut bed, "S1", "./A?prop=Name", "X%20y"), 200);
    assert!(!bed.has("./A") && !bed.has("./A/B/C"));
    assert_eq!(bed.text("./X y/B/C"), "v");
    assert_eq!(bed.text("./X%20y?prop=Name"), "X%20y");
    assert_eq!(bed.text("./X y?prop=ACL"), "Get=*&Replace=S1");
    assert_eq!(bed.text("./X y/B/C?prop=ACL"), "Get=S2");
    assert_eq!(set(&mut bed, "S1", "./X y?prop=Name", "X y"), 200);
    let long = "n".repeat(limits::URI_SEGMENT + 1);
    for (name, code) in [("", 400), ("a/b", 400), ("..", 400), ("%zz", 400), (&long, 414)] {
        assert_eq!(set(&mut bed, "S1", "./X y?prop=Name", name), code, "{name}");
    }
}

#[test]
fn a_rename_that_makes_a_node_below_too_long_is_undone() {
    let mut bed = Bed::new();
    let deep = format!("./A{}", format!("/{}", "n".repeat(100)).repeat(9));
    bed.leaf(&deep, "v");
    bed.acl("./A", "Get=*&Replace=S1");
    assert_eq!(set(&mut bed, "S1", "./A?prop=Name", &"m".repeat(120)), 414);
    assert_eq!(bed.text(&deep), "v");
}

#[test]
fn dm_166_rename_to_a_sibling() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    bed.leaf("./A/C", "w");
    bed.acl("./A", "Get=*&Replace=S1");
    assert_eq!(set(&mut bed, "S1", "./A/B?prop=Name", "C"), 418);
    assert_eq!(bed.text("./A/C"), "w");
}

#[test]
fn dm_167_rename_of_a_permanent_node() {
    let mut bed = Bed::new();
    bed.acl(".", "Add=*&Get=*&Replace=*");
    for uri in [".", "./DMAcc", "./DevInfo/Man"] {
        assert_eq!(set(&mut bed, "S1", &format!("{uri}?prop=Name"), "X"), 405, "{uri}");
    }
    bed.leaf("./DMAcc/1/Name", "v");
    assert_eq!(set(&mut bed, "S1", "./DMAcc/1/Name?prop=Name", "Other"), 405);
    assert_eq!(set(&mut bed, "S1", "./DMAcc/1?prop=Name", "2"), 200);
    assert_eq!(bed.text("./DMAcc/2/Name"), "v");
}

#[test]
fn dm_168_acl_of_an_interior_node_by_its_own_replace() {
    let mut bed = Bed::new();
    bed.interior("./A");
    bed.acl("./A", "Add=S1&Get=*&Replace=S1");
    assert_eq!(set(&mut bed, "S1", "./A?prop=ACL", "Get=S1+S2&Replace=S1"), 200);
    assert_eq!(bed.text("./A?prop=ACL"), "Get=S1+S2&Replace=S1");
    assert_eq!(set(&mut bed, "S1", "./A?prop=ACL", "Get=S1=S2"), 400);
    assert_eq!(set(&mut bed, "S2", "./A?prop=ACL", "Get=*"), 425);
}

#[test]
fn dm_169_acl_of_a_leaf_needs_more_than_its_own_replace() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    bed.acl("./A/B", "Get=*&Replace=S1");
    assert_eq!(set(&mut bed, "S1", "./A/B?prop=ACL", "Get=S1"), 425);
    assert_eq!(set(&mut bed, "S1", "./A/B", "w"), 200);
}

#[test]
fn dm_170_acl_of_a_leaf_by_the_parents_replace() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    bed.acl("./A", "Get=*&Replace=S1");
    bed.acl("./A/B", "Get=*");
    assert_eq!(set(&mut bed, "S1", "./A/B?prop=ACL", "Get=S1"), 200);
}

#[test]
fn dm_171_the_parents_right_does_not_reach_a_leaf_with_its_own_acl() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    bed.acl("./A", "Get=*&Replace=S1");
    bed.acl("./A/B", "Get=*");
    assert_eq!(set(&mut bed, "S1", "./A/B", "w"), 425);
}

#[test]
fn dm_172_root_acl() {
    assert_eq!(Bed::new().text(".?prop=ACL"), "Add=*&Get=*");
}

#[test]
fn dm_173_a_server_cannot_change_who_adds_to_the_root() {
    let mut bed = Bed::new();
    assert_eq!(set(&mut bed, "S1", ".?prop=ACL", "Get=*"), 405);
    assert_eq!(set(&mut bed, "S1", ".?prop=ACL", ""), 405);
    assert_eq!(set(&mut bed, "S1", ".?prop=ACL", "Add=*&Get=S1"), 425);
    bed.acl(".", "Add=*&Get=*&Replace=S1");
    assert_eq!(set(&mut bed, "S1", ".?prop=ACL", "Add=*&Get=S1"), 200);
    assert_eq!(status(bed.tree(Actor::Host).replace(&at(".?prop=ACL"), &text(""))), 405);
}

#[test]
fn dm_174_acl_of_an_added_interior_node() {
    let mut bed = Bed::new();
    bed.s1().add(&at("./A"), &node()).unwrap();
    assert_eq!(bed.text("./A?prop=ACL"), "Add=S1&Delete=S1&Get=*&Replace=S1");
    // A leaf never gets one.
    bed.s1().add(&at("./B"), &text("v").into()).unwrap();
    assert_eq!(bed.text("./B?prop=ACL"), "");
}

#[test]
fn dm_175_no_acl_where_the_parent_can_be_replaced() {
    let mut bed = Bed::new();
    bed.interior("./A");
    bed.acl("./A", "Add=S1&Get=*&Replace=S1");
    bed.s1().add(&at("./A/B"), &node()).unwrap();
    assert_eq!(bed.text("./A/B?prop=ACL"), "");
}

#[test]
fn dm_176_acls_do_not_merge() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    bed.acl("./A", "Get=*&Replace=S1");
    bed.acl("./A/B", "Get=S1");
    assert_eq!(set(&mut bed, "S1", "./A/B", "w"), 425);
}

#[test]
fn dm_177_get_for_everybody() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    bed.acl("./A", "Get=*");
    assert_eq!(status(bed.get(Actor::Server("anyone"), "./A")), 200);
    bed.acl("./A", "Get=S2");
    assert_eq!(bed.s1_gets("./A"), Err(425));
    assert_eq!(bed.s1_gets("./A?prop=ACL"), Err(425));
}

#[test]
fn the_worked_example_of_the_specification() {
    let mut bed = Bed::new();
    for uri in ["./A/1", "./B/3/4", "./B/3/5"] {
        bed.leaf(uri, "v");
    }
    for (uri, acl) in [
        ("./A", "Get=C&Replace=C"),
        ("./A/1", "Get=*"),
        ("./B", "Get=A&Replace=A"),
        ("./B/3", "Delete=B&Get=B&Replace=B"),
        ("./B/3/5", "Get=A+B&Replace=A"),
    ] {
        bed.acl(uri, acl);
    }
    assert_eq!(status(bed.get(Actor::Server("anyone"), "./A/1")), 200);
    assert_eq!(set(&mut bed, "A", "./A/1?prop=ACL", "Get=A"), 425);
    for server in ["A", "B", "C"] {
        assert_eq!(set(&mut bed, server, "./A/1", "w"), 425, "{server}");
        let delete = bed.tree(Actor::Server(server)).delete(&at("./A/1"));
        assert_eq!(status(delete), 425, "{server}");
    }
    assert_eq!(bed.text("./A/1?prop=ACL"), "Get=*");
    assert_eq!(bed.text("./B/3/4?prop=ACL"), "");
    assert_eq!(set(&mut bed, "A", "./B/3/5", "w"), 200);
    assert_eq!(set(&mut bed, "C", "./A/1?prop=ACL", "Get=C"), 200);
}

#[test]
fn title() {
    let mut bed = Bed::new();
    bed.leaf("./A", "v");
    bed.acl("./A", "Get=*&Replace=S1");
    assert_eq!(bed.s1_gets("./A?prop=Title"), Ok(Answer::Property(String::new())));
    assert_eq!(set(&mut bed, "S1", "./A?prop=Title", "A title"), 200);
    assert_eq!(bed.text("./A?prop=Title"), "A title");
    assert_eq!(set(&mut bed, "S1", "./A?prop=Title", &"x".repeat(256)), 413);
    assert_eq!(set(&mut bed, "S2", "./A?prop=Title", "x"), 425);
}
