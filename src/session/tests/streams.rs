//! Large objects for nodes of a host that takes them chunk by chunk.

use super::vault::bench;
use super::*;
use crate::tree::Path;

fn chunk(verb: &str, size: Option<usize>, data: &str, more: bool) -> String {
    let meta = size.map_or(String::new(), |size| metinf(&[&format!("Size={size}")]));
    let more = if more { "<MoreData/>" } else { "" };
    command(verb, 2, "./Vault/A", &format!("{meta}<Data>{data}</Data>{more}"))
}

#[test]
fn dm_031_and_dm_032_chunks_go_to_the_host_as_they_come() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        assert_eq!(
            bench.say_more(&chunk("Add", Some(8), "012", true)),
            ["Status 1/0 SyncHdr 200", "Status 1/2 Add 213 ./Vault/A", "Alert 1222"]
        );
        assert_eq!(host.heard(), ["write ./Vault/A 0 012/8"]);
        assert_eq!(bench.value("./Vault"), "");
        bench.say_more(&chunk("Add", None, "345", true));
        assert_eq!(host.heard(), ["write ./Vault/A 3 345/8"]);
        assert_eq!(
            bench.say(&chunk("Add", None, "67", false)),
            ["Status 3/0 SyncHdr 200", "Status 3/2 Add 200 ./Vault/A", "Final"]
        );
        let end = ["store ./Vault/A 01234567", "prepare", "commit", "discard ./Vault/A"];
        assert_eq!(host.heard(), [&["write ./Vault/A 6 67/8", "begin"][..], &end[..]].concat());
        assert_eq!(bench.value("./Vault/A"), "01234567");
        assert_eq!(bench.value("./Vault/A?prop=VerNo"), "0");
        bench.say_more(&chunk("Replace", Some(2), "x", true));
        assert_eq!(
            bench.say(&chunk("Replace", None, "y", false))[1],
            "Status 5/2 Replace 200 ./Vault/A"
        );
        assert_eq!(bench.value("./Vault/A"), "xy");
        assert_eq!(bench.value("./Vault/A?prop=VerNo"), "1");
    });
}

#[test]
fn a_value_in_one_message_comes_as_a_whole() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        assert_eq!(
            bench.say(&chunk("Add", Some(3), "012", false))[1],
            "Status 1/2 Add 200 ./Vault/A"
        );
        assert_eq!(host.heard(), ["begin", "add ./Vault/A 012", "prepare", "commit"]);
    });
}

#[test]
fn dm_033_a_wrong_sum_makes_the_host_discard() {
    both(|encoding| {
        for (last, more) in [("34", false), ("345678", true)] {
            let (mut bench, host, _) = bench(encoding);
            bench.say_more(&chunk("Add", Some(8), "012", true));
            host.heard();
            let lines = bench.say_more(&chunk("Add", None, last, more));
            assert_eq!(lines[1], "Status 2/2 Add 424 ./Vault/A");
            assert_eq!(host.heard(), ["discard ./Vault/A"]);
            assert_eq!(bench.value("./Vault"), "");
        }
    });
}

#[test]
fn dm_035_base64_is_decoded_over_the_borders_of_chunks() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        let meta = metinf(&["Format=b64", "Type=image/png", "Size=8"]);
        let first = format!("{meta}<Data>MTIzN</Data><MoreData/>");
        bench.say_more(&command("Add", 2, "./Vault/A", &first));
        assert_eq!(host.heard(), ["write ./Vault/A 0 123/9"]);
        let lines = bench.say(&command("Add", 2, "./Vault/A", "<Data>DU=</Data>"));
        assert_eq!(lines[1], "Status 2/2 Add 200 ./Vault/A");
        assert_eq!(host.heard()[..3], ["write ./Vault/A 3 45/9", "begin", "store ./Vault/A 12345"]);
        assert_eq!(bench.value("./Vault/A?prop=Format"), "bin");
        assert_eq!(bench.value("./Vault/A?prop=Size"), "5");
        // What is no base64 gives up the object at once, and its rest.
        let wrong = format!("{meta}<Data>MT!z</Data><MoreData/>");
        let lines = bench.say_more(&command("Add", 2, "./Vault/B", &wrong));
        assert_eq!(lines[1], "Status 3/2 Add 415 ./Vault/B");
        let lines = bench.say(&command("Add", 2, "./Vault/B", "<Data>MTIz</Data>"));
        assert_eq!(lines[1], "Status 4/2 Add 415 ./Vault/B");
    });
}

#[test]
fn dm_036_and_dm_037_an_interruption_makes_the_host_discard() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        bench.say_more(&chunk("Add", Some(8), "012", true));
        let lines = bench.say(&add(2, "./Lab/B", "1"));
        assert!(lines.contains(&"Alert 1225 | to ./Vault/A".into()), "{lines:?}");
        assert_eq!(host.heard(), ["write ./Vault/A 0 012/8", "discard ./Vault/A"]);
        // Final before the last chunk.
        let lines = bench.say(&chunk("Add", Some(8), "012", true));
        assert!(lines.contains(&"Alert 1225 | to ./Vault/A".into()), "{lines:?}");
        assert_eq!(host.heard(), ["write ./Vault/A 0 012/8", "discard ./Vault/A"]);
        // The session is given up.
        bench.say_more(&chunk("Add", Some(8), "012", true));
        bench.engine = None;
        assert_eq!(host.heard(), ["write ./Vault/A 0 012/8", "discard ./Vault/A"]);
    });
}

#[test]
fn what_the_server_may_not_do_the_host_never_hears() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        let lines = bench.say_more(&chunk("Replace", Some(8), "012", true));
        assert_eq!(lines[1], "Status 1/2 Replace 404 ./Vault/A");
        let lines = bench.say(&chunk("Replace", None, "34567", false));
        assert_eq!(lines[1], "Status 2/2 Replace 404 ./Vault/A");
        bench.say(&add(2, "./Vault/A", "old"));
        let lines = bench.say_more(&chunk("Add", Some(8), "012", true));
        assert_eq!(lines[1], "Status 4/2 Add 418 ./Vault/A");
        bench.host(|tree| {
            tree.replace(&at("./Vault?prop=ACL"), &Content::text("Get=*")).unwrap();
        });
        let lines = bench.say_more(&chunk("Replace", Some(8), "012", true));
        assert_eq!(lines[1], "Status 5/2 Replace 425 ./Vault/A");
        assert!(!host.heard().iter().any(|call| call.starts_with("write")));
    });
}

#[test]
fn rights_are_looked_at_again_at_the_end() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        bench.say_more(&chunk("Add", Some(4), "012", true));
        bench.host(|tree| {
            tree.replace(&at("./Vault?prop=ACL"), &Content::text("Get=*")).unwrap();
        });
        let lines = bench.say(&chunk("Add", None, "3", false));
        assert_eq!(lines[1], "Status 2/2 Add 425 ./Vault/A");
        assert_eq!(host.heard().last().unwrap(), "discard ./Vault/A");
        assert_eq!(bench.value("./Vault"), "");
    });
}

#[test]
fn a_host_that_fails_gives_its_status() {
    both(|encoding| {
        for (what, first, last) in
            [("write", 420, 420), ("write ./Vault/A 3", 213, 420), ("store", 213, 420)]
        {
            let (mut bench, host, _) = bench(encoding);
            host.0.lock().fails = Some((what, 420));
            let lines = bench.say_more(&chunk("Add", Some(4), "012", true));
            assert_eq!(lines[1], format!("Status 1/2 Add {first} ./Vault/A"));
            let lines = bench.say(&chunk("Add", None, "3", false));
            assert_eq!(lines[1], format!("Status 2/2 Add {last} ./Vault/A"));
            let discarded = host.heard().iter().filter(|call| call.starts_with("discard")).count();
            assert_eq!(discarded, usize::from(first == 213), "{what}");
            assert_eq!(bench.value("./Vault"), "");
        }
    });
}

#[test]
fn dm_055_a_text_that_is_none_is_refused() {
    let (mut bench, host, _) = bench(Encoding::Wbxml);
    let body = format!("{}<Data>a\u{e4}</Data><MoreData/>", metinf(&["Size=4"]));
    let text = bench.frame(&command("Add", 2, "./Vault/A", &body));
    let mut octets = bench.encode(&text);
    let letter = octets.windows(2).position(|two| two == "\u{e4}".as_bytes()).unwrap();
    octets[letter] = 0xFF;
    let step = bench.give_octets(&octets);
    // Whoever notices first: no octet of it is stored.
    if let Ok(step) = step {
        assert!(bench.lines(step).iter().any(|line| line.contains(" Add 415 ")));
    }
    assert_eq!(host.heard(), [] as [String; 0]);
}

#[test]
fn after_the_rollback_of_an_atomic_the_value_is_stored_again() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        bench.say_more(&chunk("Add", Some(4), "012", true));
        host.heard();
        let inside = [replace(4, "./Vault/A", "inside"), replace(5, "./None", "x")];
        let atomic = group("Atomic", 3, &inside);
        bench.say(&format!("{}{atomic}", chunk("Add", None, "3", false)));
        assert_eq!(
            host.heard(),
            [
                "write ./Vault/A 3 3/4",
                "begin",
                "store ./Vault/A 0123",
                "replace ./Vault/A inside",
                "rollback",
                "begin",
                "store ./Vault/A 0123",
                "prepare",
                "commit",
                "discard ./Vault/A",
            ]
        );
        assert_eq!(bench.value("./Vault/A"), "0123");
    });
}

#[test]
fn an_atomic_takes_no_object_in_chunks() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        let atomic = group("Atomic", 3, &[chunk("Add", Some(4), "012", true)]);
        assert_eq!(bench.say(&atomic)[1..2], ["Status 1/3 Atomic 507"]);
        assert_eq!(host.heard(), [] as [String; 0]);
    });
}

#[test]
fn a_subtree_that_is_taken_back_ends_the_object() {
    both(|encoding| {
        let (mut bench, host, hosted) = bench(encoding);
        bench.say_more(&chunk("Add", Some(4), "012", true));
        host.heard();
        assert!(hosted.nodes.remove(&Path::parse("./Vault").unwrap()));
        let lines = bench.say(&chunk("Add", None, "3", false));
        assert_eq!(lines[1], "Status 2/2 Add 404 ./Vault/A");
        assert_eq!(host.heard(), [] as [String; 0]);
    });
}

#[test]
fn another_object_for_a_node_whose_value_is_aside_is_collected() {
    both(|encoding| {
        let (mut bench, host, _) = bench(encoding);
        bench.say_more(&chunk("Add", Some(4), "012", true));
        let next = chunk("Replace", Some(5), "abcd", true).replace("<CmdID>2<", "<CmdID>3<");
        let lines = bench.say_more(&format!("{}{next}", chunk("Add", None, "3", false)));
        assert_eq!(
            lines[1..],
            ["Status 2/2 Add 200 ./Vault/A", "Status 2/3 Replace 213 ./Vault/A", "Alert 1222"]
        );
        assert_eq!(
            host.heard()[1..],
            [
                "write ./Vault/A 3 3/4",
                "begin",
                "store ./Vault/A 0123",
                "prepare",
                "commit",
                "discard ./Vault/A"
            ]
        );
        let lines = bench.say(&chunk("Replace", None, "e", false));
        assert_eq!(lines[1], "Status 3/2 Replace 200 ./Vault/A");
        assert_eq!(host.heard(), ["begin", "replace ./Vault/A abcde", "prepare", "commit"]);
    });
}
