//! TNDS objects into the tree and out of it.

use super::tnds::TndsNode;
use super::tnds::{self, Document};
use super::*;
use crate::tree::import::server_ids;
use proptest::prelude::*;

/// A node: name, properties, and nodes or value.
fn node(name: &str, properties: &str, inner: &str) -> String {
    let properties = match properties {
        "" => String::new(),
        some => format!("<RTProperties>{some}</RTProperties>"),
    };
    format!("<Node><NodeName>{name}</NodeName>{properties}{inner}</Node>")
}

fn chr(name: &str, value: &str) -> String {
    let properties = "<Format><chr/></Format><Type><MIME>text/plain</MIME></Type>";
    node(name, properties, &format!("<Value>{value}</Value>"))
}

fn mo(name: &str, id: &str, inner: &str) -> String {
    let properties = format!("<Format><node/></Format><Type><DDFName>{id}</DDFName></Type>");
    node(name, &properties, inner)
}

fn document(nodes: &str) -> String {
    format!("<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD>{nodes}</MgmtTree>")
}

/// A DM account as a bootstrap brings it.
fn account(name: &str, server: &str, con_ref: &str) -> String {
    let leaves = [
        chr("AppID", "w7"),
        chr("ServerID", server),
        chr("PrefConRef", con_ref),
        node("AppAddr", "", &node("1", "", &chr("Addr", "http://a.example"))),
    ];
    mo(name, MO_DMACC, &leaves.concat())
}

fn import(bed: &mut Bed, actor: Actor<'_>, target: &str, nodes: &str) -> Result<Imported, Refusal> {
    let text = document(nodes);
    let document = tnds::read(text.as_bytes()).unwrap();
    bed.tree(actor).import_add(&at(target), &document)
}

fn replace(
    bed: &mut Bed,
    actor: Actor<'_>,
    target: &str,
    nodes: &str,
) -> Result<Imported, Refusal> {
    let text = document(nodes);
    let document = tnds::read(text.as_bytes()).unwrap();
    bed.tree(actor).import_replace(&at(target), &document)
}

fn uris(done: &Imported) -> Vec<&str> {
    done.placed.iter().map(|placed| placed.uri.as_str()).collect()
}

const S1: Actor<'_> = Actor::Server("S1");

#[test]
fn dm_186_add_makes_all_nodes_or_none() {
    let mut bed = Bed::new();
    let good = mo("X", "a.b/1.0/c", &(node("Y", "", &chr("Z", "z")) + &chr("W", "w")));
    let done = import(&mut bed, S1, "./A", &good).unwrap();
    assert_eq!(uris(&done), ["./A/X"]);
    assert_eq!((bed.text("./A/X"), bed.text("./A/X/Y/Z")), ("W/Y".into(), "z".into()));
    assert_eq!(bed.text("./A/X?prop=Type"), "a.b/1.0/c");
    let bad = "<Format><int/></Format><Type><MIME>text/plain</MIME></Type>";
    let bad = chr("W", "w") + &node("V", bad, "<Value>x</Value>");
    let refusal = import(&mut bed, S1, "./B", &mo("X", "", &bad)).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (415, Some("./B/X/V")));
    assert!(!bed.has("./B"));
}

#[test]
fn an_empty_name_is_the_target_and_path_goes_before_the_name() {
    let mut bed = Bed::new();
    import(&mut bed, S1, "./A/T", &mo("", "", &chr("V", "v"))).unwrap();
    assert_eq!(bed.text("./A/T/V"), "v");
    let with_path = "<Node><NodeName>N</NodeName><Path>P/Q</Path><Value>v</Value></Node>";
    import(&mut bed, S1, "./A/T", with_path).unwrap();
    assert_eq!(bed.text("./A/T/P/Q/N"), "v");
    assert_eq!(bed.text("./A/T/P/Q/N?prop=Format"), "chr");
}

#[test]
fn dm_187_add_of_an_existing_name() {
    let mut bed = Bed::new();
    bed.leaf("./A/X/V", "old");
    let nodes = chr("New", "n") + &mo("X", "", "");
    let refusal = import(&mut bed, S1, "./A", &nodes).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (418, Some("./A/X")));
    assert_eq!(bed.text("./A"), "X");
}

#[test]
fn dm_188_replace_removes_what_the_object_does_not_hold() {
    let mut bed = Bed::new();
    for uri in ["./A/X/Old/V", "./A/X/Stay", "./A/X/Kind/V"] {
        bed.leaf(uri, "old");
    }
    bed.acl("./A/X", "Add=S1&Delete=S1&Get=*&Replace=S1");
    let inner = chr("Stay", "new") + &chr("Kind", "leaf") + &node("New", "", &chr("V", "new"));
    let before = bed.txn.changes().len();
    let done = replace(&mut bed, S1, "./A/X", &mo("X", "a.b/1.0/c", &inner)).unwrap();
    assert!(done.placed[0].replaced);
    assert_eq!(bed.text("./A/X"), "Kind/New/Stay");
    assert_eq!((bed.text("./A/X/Stay"), bed.text("./A/X/Kind")), ("new".into(), "leaf".into()));
    assert_eq!(bed.text("./A/X?prop=Type"), "a.b/1.0/c");
    assert_eq!(bed.text("./A/X?prop=ACL"), "Add=S1&Delete=S1&Get=*&Replace=S1");
    let told: Vec<_> = bed.txn.changes()[before..].iter().map(|c| c.uri.as_str()).collect();
    let expected = [
        "./A/X/Kind",
        "./A/X/Old",
        "./A/X",
        "./A/X/Stay",
        "./A/X/Kind",
        "./A/X/New",
        "./A/X/New/V",
    ];
    assert_eq!(told, expected);
}

#[test]
fn replace_needs_the_rights_for_what_goes_and_comes() {
    let mut bed = Bed::new();
    bed.leaf("./A/X", "old");
    bed.leaf("./A/Y", "old");
    let missing = replace(&mut bed, S1, "./B", &mo("", "", ""));
    assert_eq!(status(missing), 404);
    for (acl, nodes, code, place) in [
        ("Get=*", chr("X", "new") + &chr("Y", "new"), 425, None),
        ("Get=*&Replace=S1", chr("X", "new"), 425, Some("./A/Y")),
        ("Get=*&Replace=S1", chr("X", "n") + &chr("Y", "n") + &chr("Z", "n"), 425, Some("./A/Z")),
    ] {
        bed.acl("./A", acl);
        let refusal = replace(&mut bed, S1, "./A", &mo("A", "", &nodes)).unwrap_err();
        assert_eq!((refusal.status(), refusal.at()), (code, place), "{acl}");
        assert_eq!((bed.text("./A/X"), bed.text("./A")), ("old".into(), "X/Y".into()));
    }
    let both = chr("X", "new") + &chr("Y", "new");
    assert_eq!(status(replace(&mut bed, S1, "./A", &mo("A", "", &both))), 200);
    assert_eq!(status(replace(&mut bed, S1, "./DevInfo", &mo("", "", ""))), 405);
}

#[test]
fn dm_190_an_acl_in_the_object_is_set() {
    let mut bed = Bed::new();
    let with_acl = |acl: &str| {
        let properties = format!("<ACL>{acl}</ACL><Format><node/></Format><Title>T</Title>");
        node("X", &properties, "")
    };
    import(&mut bed, S1, "./A", &with_acl("Get=S2&amp;Replace=S2")).unwrap();
    assert_eq!(bed.text("./A/X?prop=ACL"), "Get=S2&Replace=S2");
    assert_eq!(bed.text("./A/X?prop=Title"), "T");
    let refusal = import(&mut bed, S1, "./B", &with_acl("Nonsense")).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (400, Some("./B/X")));
    // Who may not set an ACL may not do it with an object either.
    bed.acl("./A", "Get=*&Replace=S2");
    bed.leaf("./A/L", "v");
    bed.acl("./A/L", "Replace=S1");
    let properties = "<ACL>Get=S1</ACL><Format><chr/></Format>";
    let leaf = node("L", properties, "<Value>w</Value>");
    assert_eq!(status(replace(&mut bed, S1, "./A/L", &leaf)), 425);
    assert_eq!(bed.text("./A/L"), "v");
}

#[test]
fn dm_200_references_to_objects_of_the_same_document_are_resolved() {
    let mut bed = Bed::new();
    bed.leaf("./NAP/Internet/Name", "taken");
    let nap = mo("Internet", "urn:oma:mo:oma-connmo-nap:1.0", &chr("Name", "n"));
    let nodes = account("Operator", "S1", "./Inbox/Internet") + &nap;
    let done = import(&mut bed, Actor::Bootstrap, "./Inbox", &nodes).unwrap();
    assert_eq!(uris(&done), ["./DMAcc/Operator", "./NAP/1"]);
    assert_eq!(bed.text("./DMAcc/Operator/PrefConRef"), "./NAP/1");
    let nodes = account("Other", "S2", "./Inbox/Unknown");
    import(&mut bed, Actor::Bootstrap, "./Inbox", &nodes).unwrap();
    assert_eq!(bed.text("./DMAcc/Other/PrefConRef"), "./Inbox/Unknown");
}

#[test]
fn dm_201_a_bootstrap_skips_unknown_objects() {
    let mut bed = Bed::new();
    let nodes = mo("X", "com.example/1.0/thing", "") + &account("A", "S1", "");
    let done = import(&mut bed, Actor::Bootstrap, "./Inbox", &nodes).unwrap();
    assert_eq!(uris(&done), ["./DMAcc/A"]);
    assert_eq!(done.skipped, ["com.example/1.0/thing"]);
    let refusal = import(&mut bed, S1, "./Inbox", &nodes).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (405, Some("./Inbox/X")));
}

#[test]
fn dm_207_an_object_in_the_inbox_is_placed_by_its_identifier() {
    let mut bed = Bed::new();
    let nameless = account("", "S1", "").replace("<NodeName></NodeName>", "");
    let w7 = account("W", "S2", "").replace(MO_DMACC, MO_DMACC_W7);
    let done = import(&mut bed, S1, "./Inbox", &(nameless + &w7)).unwrap();
    assert_eq!(uris(&done), ["./DMAcc/1", "./DMAcc/W"]);
    assert_eq!(dmacc::find(&bed.txn, "S2").unwrap().unwrap().addr, "http://a.example");
    assert_eq!(bed.s1_gets("./Inbox"), Err(405));
    assert!(!bed.has("./Inbox/W"));
    assert_eq!(bed.text("./Inbox"), "");
    bed.acl("./Inbox", "Add=S2");
    assert_eq!(status(import(&mut bed, S1, "./Inbox", &account("Z", "S3", ""))), 425);
    assert_eq!(status(import(&mut bed, S1, "./Inbox/x", &account("Z", "S3", ""))), 405);
}

#[test]
fn a_bootstrap_takes_the_place_of_the_servers_account() {
    let mut bed = Bed::new();
    import(&mut bed, Actor::Bootstrap, "./Inbox", &account("Old", "S1", "a")).unwrap();
    bed.interior("./A");
    bed.acl("./A", "Get=S1");
    bed.leaf("./DMAcc/Old/Name", "goes");
    let text = document(&account("New", "S1", "b"));
    let document = tnds::read(text.as_bytes()).unwrap();
    let card = Origin::Card { slot: 1, iccid_hash: [7; 16] };
    let mut tree = bed.tree(Actor::Bootstrap).with_origin(&card);
    let done = tree.import_add(&at("./Inbox"), &document).unwrap();
    let placed = Placed { uri: "./DMAcc/Old".into(), mo: MO_DMACC.into(), replaced: true };
    assert_eq!(done.placed, [placed]);
    assert_eq!(bed.text("./DMAcc"), "Old");
    assert_eq!(bed.text("./DMAcc/Old/PrefConRef"), "b");
    assert!(!bed.has("./DMAcc/Old/Name"));
    assert_eq!(bed.text("./A?prop=ACL"), "Get=S1");
    assert_eq!(dmacc::find(&bed.txn, "S1").unwrap().unwrap().origin, card);
    // A server does not get this far.
    let refusal = import(&mut bed, Actor::Server("S2"), "./Inbox", &account("N", "S1", "c"));
    assert_eq!(status(refusal), 418);
}

#[test]
fn dm_203_what_a_card_brought_can_be_found_and_removed() {
    let mut bed = Bed::new();
    let nap = mo("N", "urn:oma:mo:oma-connmo-nap:1.0", &chr("Name", "n"));
    let text = document(&(account("C", "S1", "./Inbox/N") + &nap));
    let document = tnds::read(text.as_bytes()).unwrap();
    let card = Origin::Card { slot: 0, iccid_hash: [1; 16] };
    let mut tree = bed.tree(Actor::Bootstrap).with_origin(&card);
    tree.import_add(&at("./Inbox"), &document).unwrap();
    import(&mut bed, Actor::Bootstrap, "./Inbox", &account("P", "S2", "")).unwrap();
    bed.interior("./A");
    bed.acl("./A", "Get=S1+S2");
    let found = Query::new(&bed.txn, Actor::Host).originated(&|origin| *origin == card).unwrap();
    let shown: Vec<String> = found.iter().map(Path::to_string).collect();
    assert_eq!(shown, ["./DMAcc/C", "./NAP/N"]);
    for path in found {
        bed.tree(Actor::Host).delete(&path.into()).unwrap();
    }
    assert_eq!(bed.text("./DMAcc"), "P");
    assert_eq!(bed.text("./A?prop=ACL"), "Get=S2");
}

#[test]
fn an_account_without_server_is_no_bootstrap() {
    let mut bed = Bed::new();
    let nodes = account("A", "S1", "") + &mo("B", MO_DMACC, &chr("AppID", "w7"));
    let refusal = import(&mut bed, Actor::Bootstrap, "./Inbox", &nodes).unwrap_err();
    assert_eq!((refusal.status(), refusal.at()), (412, Some("./Inbox/B")));
    assert_eq!(bed.text("./DMAcc"), "");
    let text = document(&nodes);
    assert_eq!(server_ids(&tnds::read(text.as_bytes()).unwrap()), ["S1"]);
}

#[test]
fn objects_inside_a_node_that_only_holds_them_are_found() {
    let mut bed = Bed::new();
    let nap = mo("N", "urn:oma:mo:oma-connmo-nap:1.0", &chr("Name", "n"));
    let nodes = node("All", "", &(account("A", "S1", "./Inbox/All/N") + &nap));
    let done = import(&mut bed, Actor::Bootstrap, "./Inbox", &nodes).unwrap();
    assert_eq!(uris(&done), ["./DMAcc/A", "./NAP/N"]);
    assert_eq!(bed.text("./DMAcc/A/PrefConRef"), "./NAP/N");
}

fn exported(bed: &Bed, actor: Actor<'_>, uri: &str) -> Document<'static> {
    match bed.get(actor, uri).unwrap() {
        Answer::Tnds(document) => document,
        other => panic!("{other:?}"),
    }
}

#[test]
fn dm_181_only_the_properties_asked_for() {
    let mut bed = Bed::new();
    bed.leaf("./A/B", "v");
    bed.acl("./A", "Get=*");
    let written = tnds::write(&exported(&bed, S1, "./A?list=TNDS+Value+ACL"), false).unwrap();
    let expected = document(
        "<Node><NodeName>A</NodeName><RTProperties><ACL>Get=*</ACL></RTProperties>\
         <Node><NodeName>B</NodeName><Value>v</Value></Node></Node>",
    );
    assert_eq!(tnds::read(&written).unwrap(), tnds::read(expected.as_bytes()).unwrap());
}

#[test]
fn an_export_shows_what_may_be_read() {
    let mut bed = Bed::new();
    bed.leaf("./A/B/C", "v");
    bed.leaf("./A/D", "v");
    bed.leaf("./A/E/F", "v");
    bed.acl("./A/B", "Get=S2");
    bed.acl("./A/B/C", "Get=S1");
    let document = exported(&bed, S1, "./A?list=TNDS");
    let names: Vec<_> = document.nodes[0].children.iter().map(|n| n.name.as_deref()).collect();
    assert_eq!(names, [Some("D"), Some("E")]);
    assert_eq!(document.nodes[0].children[1].children.len(), 1);
    assert_eq!(status(bed.get(S1, "./A/B?list=TNDS")), 425);
    assert_eq!(status(bed.get(S1, "./X?list=TNDS")), 404);
    bed.leaf("./DMAcc/1/AppAuth/1/AAuthSecret", "secret");
    let written = tnds::write(&exported(&bed, Actor::Host, ".?list=TNDS"), true).unwrap();
    assert!(!written.windows(6).any(|at| at == b"secret"));
}

#[test]
fn an_export_comes_back_the_same_in_both_encodings() {
    let mut bed = Bed::new();
    bed.leaf("./A/a b/C", "<v>");
    bed.tree(Actor::Host).add(&at("./A/Bin"), &leaf(Format::Bin, "image/png", b"\xff\0")).unwrap();
    bed.tree(Actor::Host).add(&at("./A/Int"), &leaf(Format::Int, "", b"7")).unwrap();
    bed.acl("./A/a b", "Get=*&Replace=S1");
    for wbxml in [false, true] {
        let written = tnds::write(&exported(&bed, Actor::Host, "./A?list=TNDS"), wbxml).unwrap();
        let mut other = Bed::new();
        let document = tnds::read(&written).unwrap();
        other.tree(Actor::Host).import_add(&at("."), &document).unwrap();
        let list = "./A?list=StructData";
        assert_eq!(other.get(Actor::Host, list), bed.get(Actor::Host, list));
        assert_eq!(other.text("./A/a b?prop=ACL"), "Get=*&Replace=S1");
    }
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts)
}

fn any_node() -> impl Strategy<Value = TndsNode<'static>> {
    let name = one_of(&["a", "b", "c", "AppID", "ServerID", "", "x/y"]);
    let format = prop::option::of(one_of(&["node", "chr", "int", "bin", "odd"]));
    let value = prop::option::of(one_of(&["1", "./Inbox/a", "v"]));
    let acl = prop::option::of(one_of(&["Get=*", "Get=S1&Replace=S1", "Delete=S1", "bad"]));
    let mo = prop::option::of(one_of(&[MO_DMACC, "urn:oma:mo:oma-connmo-nap:1.0", "x"]));
    let node = (name, format, value, acl, mo).prop_map(|(name, format, value, acl, mo)| TndsNode {
        name: Some(name.into()),
        format: format.map(Into::into),
        value: value.map(|value| value.as_bytes().into()),
        acl: acl.map(Into::into),
        ddf_name: mo.map(Into::into),
        ..TndsNode::default()
    });
    node.prop_recursive(3, 12, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..4)).prop_map(|(node, children)| TndsNode {
            value: None,
            children,
            ..node
        })
    })
}

/// All nodes and their properties, and what is noted as changed.
fn everything(bed: &Bed) -> (Document<'static>, usize) {
    let query = Query::new(&bed.txn, Actor::Host).with_secrets();
    (query.export(&Path::root(), Filter::ALL).unwrap(), bed.txn.changes().len())
}

proptest! {
    #[test]
    fn an_import_is_complete_or_leaves_the_tree_as_it_was(
        first in prop::collection::vec(any_node(), 1..3),
        second in prop::collection::vec(any_node(), 1..3),
        target in one_of(&["./T", "./T/a", "./Inbox", "./DMAcc", "."]),
        actor in prop_oneof![Just(S1), Just(Actor::Bootstrap)],
        replace: bool,
    ) {
        let mut bed = Bed::new();
        for (uri, nodes) in [("./T", first), (target, second)] {
            let before = everything(&bed);
            let document = Document { nodes, ..Document::default() };
            let mut tree = bed.tree(actor);
            let done = match replace {
                true => tree.import_replace(&at(uri), &document),
                false => tree.import_add(&at(uri), &document),
            };
            match done {
                Err(_) => prop_assert_eq!(everything(&bed), before),
                Ok(done) => {
                    for placed in &done.placed {
                        prop_assert!(bed.has(&placed.uri), "{:?}", placed);
                    }
                }
            }
            // The count of nodes stays true: what is there is what a walk finds.
            let shown = everything(&bed).0;
            prop_assert_eq!(count(&shown.nodes), records::count(&bed.txn).unwrap());
        }
    }
}

fn count(nodes: &[TndsNode<'_>]) -> u64 {
    nodes.iter().map(|node| 1 + count(&node.children)).sum()
}

/// As many nodes as a document may have, with as many octets as may be exported, all of which XML escapes.
#[test]
fn what_can_be_exported_can_be_imported() {
    use crate::limits::{MAX_OBJ_SIZE, TNDS_NODES};
    let mut bed = Bed::new();
    let name = |number: usize| format!("./A/{number:05}");
    let value = "&".repeat(MAX_OBJ_SIZE as usize / TNDS_NODES - "12345text/plain".len());
    for number in 1..TNDS_NODES {
        bed.leaf(&name(number), &value);
    }
    let exported = exported(&bed, Actor::Host, "./A?list=TNDS");
    assert_eq!(count(&exported.nodes), TNDS_NODES as u64);
    for (wbxml, least) in [(true, 1 << 20), (false, 6 << 20)] {
        let written = tnds::write(&exported, wbxml).unwrap();
        assert!(written.len() > least, "{}", written.len());
        let mut other = Bed::new();
        let document = tnds::read(&written).unwrap();
        other.tree(Actor::Host).import_add(&at("."), &document).unwrap();
        for number in [1, TNDS_NODES / 2, TNDS_NODES - 1] {
            assert_eq!(other.text(&name(number)), value);
        }
    }
    bed.leaf("./A/one-more", "");
    let refused = bed.get(Actor::Host, "./A?list=TNDS");
    assert_eq!(refused.unwrap_err(), Refusal::TooLarge);
}

#[test]
fn titles_and_acls_count_as_what_is_exported() {
    let mut bed = Bed::new();
    let servers: Vec<String> = (0..20).map(|number| format!("S{number:0190}")).collect();
    for number in 0..300 {
        bed.interior(&format!("./A/{number}"));
        bed.acl(&format!("./A/{number}"), &format!("Get={}", servers.join("+")));
    }
    let refused = bed.get(Actor::Host, "./A?list=TNDS");
    assert_eq!(refused.unwrap_err(), Refusal::TooLarge);
    assert!(bed.get(Actor::Host, "./A?list=TNDS-ACL").is_ok());
}

#[test]
fn a_document_has_a_limit_of_nodes_with_all_their_properties() {
    use crate::limits::TNDS_NODES;
    let leaf = |number: usize| TndsNode {
        name: Some(format!("n{number}").into()),
        path: Some("p".into()),
        acl: Some("Get=*".into()),
        format: Some("chr".into()),
        mime: Some("text/plain".into()),
        title: Some("t".into()),
        tstamp: Some("20261129T000000Z".into()),
        ver_no: Some("1".into()),
        value: Some(b"v".to_vec().into()),
        ..TndsNode::default()
    };
    let document = |leaves: usize, wbxml: bool| {
        let nodes = (0..leaves).map(leaf).collect();
        let document = Document { ver_dtd: "1.2".into(), nodes, ..Document::default() };
        tnds::write(&document, wbxml).unwrap()
    };
    for wbxml in [true, false] {
        let octets = document(TNDS_NODES, wbxml);
        assert_eq!(tnds::read(&octets).unwrap().nodes.len(), TNDS_NODES);
        let octets = document(TNDS_NODES + 1, wbxml);
        assert_eq!(tnds::read(&octets).unwrap_err().class, crate::markup::Class::Limit);
    }
    let octets = vec![b' '; crate::limits::TNDS_OCTETS + 1];
    assert_eq!(tnds::read(&octets).unwrap_err().class, crate::markup::Class::Limit);
}
