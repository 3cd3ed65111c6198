//! `?list=Struct` and `?list=StructData`.

use super::*;

fn listed(answer: Result<Answer, u16>) -> Vec<(String, Format, Option<Vec<u8>>)> {
    match answer {
        Ok(Answer::Nodes(nodes)) => nodes.into_iter().map(|n| (n.uri, n.format, n.value)).collect(),
        other => panic!("{other:?}"),
    }
}

fn bed() -> Bed {
    let mut bed = Bed::new();
    bed.leaf("./A/D/F", "f");
    bed.leaf("./A/D/E/G", "g");
    bed.tree(Actor::Host).add(&at("./A/D/E/H"), &leaf(Format::Bin, "image/jpeg", b"\0")).unwrap();
    bed.leaf("./A/D/E2/I", "i");
    bed.acl("./A/D/E2", "Get=S2");
    bed
}

#[test]
fn dm_179_struct() {
    let nodes = listed(bed().s1_gets("./A/D?list=Struct"));
    let uris: Vec<_> = nodes.iter().map(|(uri, _, _)| uri.as_str()).collect();
    assert_eq!(uris, ["./A/D", "./A/D/E", "./A/D/E/G", "./A/D/E/H", "./A/D/F"]);
    assert!(nodes.iter().all(|(_, _, value)| value.is_none()));
}

#[test]
fn dm_180_struct_data() {
    let nodes = listed(bed().s1_gets("./A/D?list=StructData"));
    assert_eq!(nodes[0], ("./A/D".into(), Format::Node, None));
    assert_eq!(nodes[2], ("./A/D/E/G".into(), Format::Chr, Some(b"g".to_vec())));
    assert_eq!(nodes[3], ("./A/D/E/H".into(), Format::Bin, Some(b"\0".to_vec())));
    // A readable node below an unreadable one is shown.
    let mut bed = bed();
    bed.acl("./A/D/E2/I", "Get=S1");
    let nodes = listed(bed.s1_gets("./A/D?list=StructData"));
    assert_eq!(nodes.last().unwrap().0, "./A/D/F");
    assert!(nodes.iter().any(|(uri, _, _)| uri == "./A/D/E2/I"));
    assert!(!nodes.iter().any(|(uri, _, _)| uri == "./A/D/E2"));
}

#[test]
fn dm_183_list_in_other_commands() {
    let mut bed = bed();
    assert_eq!(status(bed.s1().replace(&at("./A?list=Struct"), &text("x"))), 405);
    assert_eq!(status(bed.s1().delete(&at("./A?list=Struct"))), 405);
}

#[test]
fn a_list_needs_the_right_on_the_addressed_node() {
    assert_eq!(bed().s1_gets("./A/D/E2?list=Struct"), Err(425));
    assert_eq!(bed().s1_gets("./A/X?list=Struct"), Err(404));
}

#[test]
fn secrets_and_the_inbox_are_left_out_of_lists() {
    let mut bed = bed();
    bed.leaf("./DMAcc/1/AppAuth/1/AAuthSecret", "secret");
    for actor in [Actor::Server("S1"), Actor::Host] {
        let Ok(Answer::Nodes(nodes)) = bed.get(actor, ".?list=StructData") else { panic!() };
        assert!(nodes.iter().any(|node| node.uri == "./DMAcc/1/AppAuth/1"));
        assert!(!nodes.iter().any(|node| node.uri.contains("AAuthSecret")));
    }
    let all = Query::new(&bed.txn, Actor::Host).with_secrets();
    let Ok(Answer::Nodes(nodes)) = all.get(&at(".?list=StructData")) else { panic!() };
    assert!(nodes.iter().any(|node| node.value.as_deref() == Some(b"secret")));
    let server = Query::new(&bed.txn, Actor::Server("S1")).with_secrets();
    assert_eq!(status(server.get(&at("./DMAcc/1/AppAuth/1/AAuthSecret"))), 405);
}
