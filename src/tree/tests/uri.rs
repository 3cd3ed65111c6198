//! Addresses.

use super::*;
use crate::limits;
use proptest::prelude::*;

#[test]
fn dm_157_get_the_root() {
    let bed = Bed::new();
    let names = ["DMAcc", "DevDetail", "DevInfo", "Ext", "Inbox"].map(str::to_owned).to_vec();
    assert_eq!(bed.s1_gets("."), Ok(Answer::Children(names)));
}

#[test]
fn dm_158_malformed_uris() {
    for uri in ["./", "./A/", "./A/../B", "./A/./B", "/A", "", "A//B", "./A%2", "./A%zz", "./A%00"]
    {
        assert_eq!(status(Uri::parse(uri)), 400, "{uri}");
    }
    assert_eq!(status(Uri::parse("./A?foo=1")), 400);
    assert_eq!(status(Path::parse("./A?prop=ACL")), 400);
}

#[test]
fn dm_159_uris_beyond_the_limits() {
    let deep = |names| format!(".{}", "/n".repeat(names));
    assert_eq!(status(Uri::parse(&deep(limits::URI_DEPTH))), 200);
    assert_eq!(status(Uri::parse(&deep(limits::URI_DEPTH + 1))), 414);
    let long = |octets| format!("./{}", "n".repeat(octets));
    assert_eq!(status(Uri::parse(&long(limits::URI_SEGMENT))), 200);
    assert_eq!(status(Uri::parse(&long(limits::URI_SEGMENT + 1))), 414);
    let total = format!(
        "./{}",
        "nnnnnnnnnnnnnnn/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn/".repeat(20)
    );
    assert_eq!(status(Uri::parse(&total)), 414);
}

#[test]
fn dm_076_escapes_and_case() {
    let mut bed = Bed::new();
    bed.leaf("./Größe/{1} a%2Fb", "v");
    assert_eq!(bed.text("./Gr%C3%B6%c3%9fe/%7B1%7D%20a%2fb"), "v");
    assert_eq!(bed.text("./Größe"), "{1}%20a%2Fb");
    assert_eq!(bed.s1_gets("./größe"), Err(404));
}

#[test]
fn relatives() {
    let path = at("./A/B").path;
    assert_eq!(path.parent(), Some(at("./A").path));
    assert_eq!(at("./A").path.parent(), Some(Path::root()));
    assert_eq!(Path::root().parent(), None);
    assert!(path.is_within(&at("./A").path) && path.is_within(&path));
    assert!(!at("./AB").path.is_within(&at("./A").path));
    let children = ["./A/B", "./A", ".", "./AB", "./A/B/C"]
        .map(|uri| at(uri).path.is_child_of(&at("./A").path));
    assert_eq!(children, [true, false, false, false, false]);
    let children = ["./A/B", "./A", "."].map(|uri| at(uri).path.is_child_of(&Path::root()));
    assert_eq!(children, [false, true, false]);
    assert_eq!((path.name(), path.depth(), path.to_string()), ("B", 2, "./A/B".to_owned()));
    assert_eq!(Path::root().to_string(), ".");
}

#[test]
fn dm_182_list_forms() {
    for bad in ["TNDS+Value-ACL", "TNDS+Foo", "TNDS+", "TNDSx", "Struct+ACL", "", "struct"] {
        assert_eq!(status(Uri::parse(&format!("./A?list={bad}"))), 406, "{bad}");
    }
    let Part::List(List::Tnds(only)) = at("./A?list=TNDS+Value+ACL").part else { panic!() };
    assert!(only.value && only.acl && !only.format && !only.mime && !only.tstamp);
    let Part::List(List::Tnds(but)) = at("./A?list=TNDS-Value-ACL").part else { panic!() };
    assert!(!but.value && !but.acl && but.format && but.mime && but.tstamp);
    assert_eq!(at("./A?list=TNDS").part, Part::List(List::Tnds(Filter::ALL)));
}

proptest! {
    #[test]
    fn a_name_survives_its_uri(names in prop::collection::vec("[^\0]{1,20}", 0..6)) {
        let path = names.iter().try_fold(Path::root(), |path, name| path.child(name));
        if let Ok(path) = path {
            let uri = path.to_string();
            if uri.len() <= limits::URI_OCTETS {
                prop_assert_eq!(Path::parse(&uri), Ok(path));
            }
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(uri in ".{0,60}") {
        let _ = Uri::parse(&uri);
    }
}
