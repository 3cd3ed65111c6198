//! The policy in a session: who is asked when, and what an answer does; and what the journal tells of it.

use super::*;
use crate::audit::{self, Journal};
use crate::policy::{Origin, Policy};
use std::sync::Arc;

/// Asks about `./Lab/Ask` and below, forbids `./Lab/No`, allows the rest.
const POLICY: &str = r#"
    [classes]
    connectivity = "./Lab/Ask/**"
    software = "./Lab/No"
    [[rules]]
    class = "connectivity"
    action = "ask"
    timeout = 30
    [[rules]]
    class = "software"
    action = "refuse"
    [[rules]]
    action = "allow"
"#;

fn bench_with(policy: &str, encoding: Encoding) -> Bench {
    let mut bench = Bench::new(encoding).set(|setup| {
        setup.authority.policy = Arc::new(Policy::read(policy).unwrap());
    });
    let mut txn = bench.db.begin().unwrap();
    Journal::open(&mut txn, &mut bench.random, NOW).unwrap();
    txn.commit().unwrap();
    bench
}

fn bench() -> Bench {
    bench_with(POLICY, Encoding::Wbxml)
}

/// Kind and the interesting rest of each record of the journal.
fn journal(bench: &Bench) -> Vec<String> {
    let export = audit::export(&bench.db.read().unwrap()).unwrap();
    let text = String::from_utf8(export).unwrap();
    let lines = text.lines().skip(1);
    lines.map(|line| line[line.find("\"kind\":\"").unwrap() + 8..].to_owned()).collect()
}

fn asks(lines: &[String], what: &str) {
    assert_eq!(lines, [format!("Consent {what}")]);
}

#[test]
fn the_commands_of_a_message_are_asked_about_once() {
    both(|encoding| {
        let mut bench = bench_with(POLICY, encoding).started();
        let body = [
            add(2, "./Lab/A", "1"),
            add(3, "./Lab/Ask/B", "2"),
            add(4, "./Lab/C", "3"),
            add(5, "./Lab/Ask/D", "4"),
        ];
        let lines = bench.say(&body.concat());
        let question = "Allow S1 2 operations on network settings, which can cost money?";
        asks(&lines, &format!("{question} [Add ./Lab/Ask/B = 2, Add ./Lab/Ask/D = 4] 30"));
        // What came before does not wait for the user.
        assert_eq!(bench.value("./Lab/A"), "1");
        assert_eq!(
            bench.answer(Answer::Accepted)[1..],
            [
                "Status 1/2 Add 200 ./Lab/A",
                "Status 1/3 Add 200 ./Lab/Ask/B",
                "Status 1/4 Add 200 ./Lab/C",
                "Status 1/5 Add 200 ./Lab/Ask/D",
                "Final",
            ]
        );
    });
}

#[test]
fn a_no_skips_what_was_asked_about_and_nothing_else() {
    for answer in [Answer::Rejected, Answer::Cancelled, Answer::TimedOut, Answer::CannotShow] {
        let mut bench = bench().started();
        bench.say(&[add(2, "./Lab/Ask/B", "2"), add(3, "./Lab/C", "3")].concat());
        assert_eq!(
            bench.answer(answer)[1..],
            ["Status 1/2 Add 215 ./Lab/Ask/B", "Status 1/3 Add 200 ./Lab/C", "Final"]
        );
        assert_eq!(bench.value("./Lab/Ask"), "-");
    }
}

#[test]
fn what_is_forbidden_is_403_and_ends_an_atomic() {
    let mut bench = bench().started();
    let atomic = [add(4, "./Lab/A", "1"), add(5, "./Lab/No", "1"), add(6, "./Lab/B", "1")];
    let body = [add(2, "./Lab/No", "1"), group("Atomic", 3, &atomic)];
    assert_eq!(
        bench.say(&body.concat())[1..],
        [
            "Status 1/2 Add 403 ./Lab/No",
            "Status 1/3 Atomic 507",
            "Status 1/4 Add 216 ./Lab/A",
            "Status 1/5 Add 403 ./Lab/No",
            "Status 1/6 Add 215",
            "Final",
        ]
    );
    assert_eq!(bench.value("./Lab"), "");
}

#[test]
fn an_atomic_is_asked_about_as_a_whole_before_it_begins() {
    let body = |first| {
        let atomic =
            [add(4, "./Lab/A", "1"), add(5, "./Lab/Ask/B", "2"), add(6, "./Lab/Ask/C", "3")];
        [add(2, "./Lab/Z", first), group("Atomic", 3, &atomic)].concat()
    };
    let mut bench = bench().started();
    let lines = bench.say(&body("1"));
    assert!(lines[0].contains(" 2 operations "), "{lines:?}");
    assert!(!bench.db.is_writing(), "the store is free while the user thinks");
    assert_eq!(
        bench.answer(Answer::Accepted)[1..],
        [
            "Status 1/2 Add 200 ./Lab/Z",
            "Status 1/3 Atomic 200",
            "Status 1/4 Add 200 ./Lab/A",
            "Status 1/5 Add 200 ./Lab/Ask/B",
            "Status 1/6 Add 200 ./Lab/Ask/C",
            "Final",
        ]
    );
    let mut bench = self::bench().started();
    bench.say(&body("1"));
    assert_eq!(
        bench.answer(Answer::Rejected)[1..],
        [
            "Status 1/2 Add 200 ./Lab/Z",
            "Status 1/3 Atomic 507",
            "Status 1/4 Add 215",
            "Status 1/5 Add 215",
            "Status 1/6 Add 215",
            "Final",
        ]
    );
    assert_eq!(bench.value("./Lab"), "Z");
}

#[test]
fn a_sequence_is_asked_about_with_the_rest_of_the_message() {
    let mut bench = bench().started();
    let sequence = [add(3, "./Lab/Ask/B", "2"), add(4, "./Lab/C", "3")];
    let lines = bench.say(&[group("Sequence", 2, &sequence), add(5, "./Lab/Ask/D", "1")].concat());
    assert!(lines[0].contains(" 2 operations "), "{lines:?}");
    assert_eq!(
        bench.answer(Answer::Rejected)[1..],
        [
            "Status 1/2 Sequence 200",
            "Status 1/3 Add 215 ./Lab/Ask/B",
            "Status 1/4 Add 200 ./Lab/C",
            "Status 1/5 Add 215 ./Lab/Ask/D",
            "Final",
        ]
    );
}

#[test]
fn without_a_user_the_default_counts() {
    let allow = POLICY.replace("timeout = 30", "default = \"allow\"");
    for (policy, status) in [(POLICY, 403), (allow.as_str(), 200)] {
        let mut bench = bench_with(policy, Encoding::Xml).set(|setup| setup.ui = false).started();
        assert_eq!(
            bench.say(&add(2, "./Lab/Ask/B", "2"))[1..],
            [format!("Status 1/2 Add {status} ./Lab/Ask/B"), "Final".into()]
        );
    }
    // With a user who does not answer, too.
    let mut bench = bench_with(&allow, Encoding::Xml).started();
    bench.say(&add(2, "./Lab/Ask/B", "2"));
    assert_eq!(bench.answer(Answer::TimedOut)[1], "Status 1/2 Add 200 ./Lab/Ask/B");
}

#[test]
fn the_way_round_the_class_is_seen() {
    let policy = POLICY.replace("software = \"./Lab/No\"", "");
    let mut bench = bench_with(&policy, Encoding::Wbxml);
    bench.leaf("./Lab/Ask/B", "1");
    bench.leaf("./Lab/Other/B", "1");
    bench.start();
    for body in [
        delete(2, "./Lab"),
        copy(2, "./Lab/Other", "./Lab/Ask"),
        copy(2, "./Lab/Ask/B", "./Lab/Copy"),
        get(2, "./Lab?list=StructData"),
        replace(2, "./Lab/Other?prop=Name", "Ask"),
        replace(2, "./Lab/Ask?prop=ACL", "Get=*"),
    ] {
        let lines = bench.say(&body);
        assert!(lines[0].starts_with("Consent "), "{body}: {lines:?}");
        assert!(bench.answer(Answer::Rejected)[1].contains(" 215 "));
    }
    assert_eq!(bench.value("./Lab"), "Ask/Other");
}

#[test]
fn an_object_in_chunks_is_asked_about_once() {
    let mut bench = bench().started();
    let chunk = |id: u32, size: &str, data: &str, more: &str| {
        format!(
            "<Add><CmdID>{id}</CmdID><Item><Target><LocURI>./Lab/Ask/Big</LocURI></Target>{size}\
             <Data>{data}</Data>{more}</Item></Add>"
        )
    };
    let size = "<Meta><Size xmlns='syncml:metinf'>6</Size></Meta>";
    let lines = bench.say_more(&chunk(2, size, "abc", "<MoreData/>"));
    assert!(lines[0].starts_with("Consent "), "{lines:?}");
    assert_eq!(bench.answer(Answer::Accepted)[1], "Status 1/2 Add 213 ./Lab/Ask/Big");
    assert_eq!(bench.say(&chunk(2, "", "def", ""))[1], "Status 2/2 Add 200 ./Lab/Ask/Big");
    assert_eq!(bench.value("./Lab/Ask/Big"), "abcdef");
    let again = replace(2, "./Lab/Ask/Big", "x");
    assert!(bench.say(&again)[0].starts_with("Consent "));
}

#[test]
fn an_answer_that_is_none_changes_nothing() {
    let mut bench = bench().started();
    bench.say(&add(2, "./Lab/Ask/B", "2"));
    let context = Bench::context(&bench.db, &mut bench.random);
    let wrong = bench.engine.as_mut().unwrap().answer(context, Answer::Text("x".into()));
    assert_eq!(wrong.unwrap_err().code(), Code::InvalidArg);
    let txn = bench.db.begin().unwrap();
    let context = Bench::context(&bench.db, &mut bench.random);
    let busy = bench.engine.as_mut().unwrap().answer(context, Answer::Accepted);
    assert_eq!(busy.unwrap_err().code(), Code::Busy);
    drop(txn);
    assert_eq!(bench.answer(Answer::Accepted)[1], "Status 1/2 Add 200 ./Lab/Ask/B");
}

#[test]
fn the_policy_knows_server_and_origin() {
    let policy = "[[rules]]\nserver = \"S*\"\norigin = \"card\"\naction = \"allow\"\n[[rules]]\naction = \"refuse\"\n";
    for (origin, status) in [(Origin::Card([1; 16]), 200), (Origin::Remote, 403)] {
        let mut bench = bench_with(policy, Encoding::Xml)
            .set(|setup| setup.authority.origin = origin)
            .started();
        assert_eq!(
            bench.say(&add(2, "./Lab/A", "1"))[1],
            format!("Status 1/2 Add {status} ./Lab/A")
        );
    }
}

#[test]
fn the_journal_has_commands_decisions_and_answers_in_order() {
    let mut bench = bench();
    bench.leaf("./Lab/L", "old");
    bench.start();
    let atomic = [replace(5, "./Lab/L", "newer"), delete(6, "./Lab/X")];
    bench.say(
        &[
            replace(2, "./Lab/L", "new"),
            add(3, "./Lab/Ask/B", "2"),
            group("Atomic", 4, &atomic),
            get(7, "./Lab/L"),
        ]
        .concat(),
    );
    bench.answer(Answer::Rejected);
    let records = journal(&bench);
    let starts = [
        r#"decision","session":7,"class":"connectivity","command":"Add","subject":"./Lab/Ask/B","action":"ask"}"#,
        r#"command","session":7,"message":1,"name":"Replace","uri":"./Lab/L","before":""#,
        r#"answer","session":7,"about":"consent","digest":""#,
        r#"command","session":7,"message":1,"name":"Add","uri":"./Lab/Ask/B","status":215}"#,
        r#"command","session":7,"message":1,"name":"Atomic","status":507}"#,
        r#"command","session":7,"message":1,"name":"Replace","uri":"./Lab/L","status":216}"#,
        r#"command","session":7,"message":1,"name":"Delete","uri":"./Lab/X","status":404}"#,
        r#"command","session":7,"message":1,"name":"Get","uri":"./Lab/L","status":200}"#,
    ];
    for (record, start) in records.iter().zip(starts) {
        assert!(record.starts_with(start), "{record} instead of {start}");
    }
    assert_eq!(records.len(), starts.len());
    assert!(records[2].ends_with(r#""answer":"rejected"}"#));
    // Whoever gets the record's key can tell the values, nobody else.
    let key = audit::reveal(&bench.db.read().unwrap(), 3).unwrap();
    let keyed = |value: &[u8]| {
        use hmac::{Hmac, KeyInit, Mac};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.expose()).unwrap();
        mac.update(&audit::hash(value));
        crate::bytes::hex::encode(&mac.finalize().into_bytes()).to_ascii_lowercase()
    };
    let values = format!(r#""before":"{}","after":"{}""#, keyed(b"old"), keyed(b"new"));
    assert!(records[1].contains(&values), "{}", records[1]);
}

#[test]
fn a_session_has_a_share_of_the_journal_and_what_is_beyond_is_added_up() {
    let mut bench = bench();
    let mut txn = bench.db.begin().unwrap();
    // Shares of 1 KiB.
    Journal::existing(&mut txn, NOW).unwrap().unwrap().set_limit(0).unwrap();
    txn.commit().unwrap();
    bench.start();
    let many =
        |first: u32| -> String { (first..first + 20).map(|id| get(id, "./Lab/L")).collect() };
    bench.say(&many(2));
    let records = journal(&bench);
    let written = records.len() - 1;
    assert!((3..10).contains(&written), "{written}");
    let is_command =
        |record: &String| record.contains(r#""name":"Get","uri":"./Lab/L","status":404"#);
    assert!(records[..written].iter().all(is_command));
    let sum = |message: u32, count: usize| {
        let digest = audit::hash("Get ./Lab/L 404\n".repeat(count).as_bytes());
        let digest = crate::bytes::hex::encode(&digest).to_ascii_lowercase();
        format!(
            r#"unrecorded","session":7,"message":{message},"count":{count},"digest":"{digest}"}}"#
        )
    };
    assert_eq!(records[written], sum(1, 20 - written));
    // From now on one record for a message.
    bench.say(&many(30));
    assert_eq!(journal(&bench)[written + 1..], [sum(2, 20)]);
}

#[test]
fn secrets_have_no_hash_and_an_abort_leaves_the_committed_records() {
    let mut bench = bench().started();
    let account = "./DMAcc/1/AppAuth/1/AAuthSecret";
    let before = bench.value("./DMAcc");
    bench.say(&replace(2, &format!("./DMAcc/{before}/AppAuth/x/AAuthSecret"), "hunter2"));
    bench.say(&alert(2, 1101, &["", "Sure?"]));
    bench.answer(Answer::Accepted);
    bench.abort(&Error::new(Code::Cancelled, "host"));
    let records = journal(&bench);
    assert!(records.iter().all(|record| !record.contains("hunter2")), "{account}");
    assert!(!records[0].contains("\"after\""), "{}", records[0]);
    assert!(records[1].starts_with(r#"answer","session":7,"about":"confirm""#), "{}", records[1]);
    assert!(records[2].contains(r#""name":"Alert","status":200"#), "{}", records[2]);
}

#[test]
fn a_server_reads_the_head_of_the_journal_and_cannot_change_it() {
    let mut bench = bench().started();
    let head = "./Ext/DMSC/Audit/Head";
    let value = bench.value(head);
    assert_eq!(value.len(), 64);
    let body =
        [get(2, head), replace(3, head, "0"), delete(4, "./Ext/DMSC"), add(5, "./Ext/DMSC/X", "1")];
    let lines = bench.say(&body.concat());
    assert_eq!(lines[1], "Status 1/2 Get 200 ./Ext/DMSC/Audit/Head");
    assert!(lines.iter().any(|line| line.contains(&value)), "{lines:?}");
    for (line, name) in lines[2..5].iter().zip(["3 Replace", "4 Delete", "5 Add"]) {
        assert!(line.starts_with(&format!("Status 1/{name} 405")), "{line}");
    }
    // The four commands have records of their own since.
    assert_ne!(bench.value(head), value);
    assert_eq!(bench.value("./Ext/DMSC/Audit/Head?prop=Format"), "chr");
}
