//! A session that stops anywhere: the process is killed, the transport drops, the host gives up, time
//! runs out. What was told to the server is durable, nothing is half applied, the next session is clean.

use super::*;
#[cfg(feature = "redb")]
use crate::store::redb::RedbStore;

const OURS: &str = "ours";
const THEIRS: &str = "theirs";

fn credentials() -> (Option<Credential>, Option<Credential>) {
    let client = credential("DIGEST", "Bruce2", "OhBehave", OURS);
    (Some(client), Some(credential("DIGEST", "S1", "srvpwd", THEIRS)))
}

/// What is in the tree that a server can change, nonces included.
fn content(db: &Database) -> Vec<(String, Option<Vec<u8>>)> {
    let view = db.read().unwrap();
    let query = Query::new(&view, Actor::Host).with_secrets();
    let Ok(tree::Answer::Nodes(nodes)) = query.get(&at(".?list=StructData")) else { panic!() };
    nodes.into_iter().map(|node| (node.uri, node.value)).collect()
}

/// One thing that the server or the host does.
type Move = fn(&mut Bench);

/// A session with a login, plain commands, an Atomic that asks, an object in chunks, and a run node.
const MOVES: [Move; 9] = [
    |bench| {
        bench.header = security::server_md5(THEIRS.as_bytes());
        bench.login = security::with_chal("md5", "next", 212);
        bench.say(&[add(2, "./Lab/A", "1"), add(3, "./Lab/B/C", "1")].concat());
        bench.header.clear();
        bench.login = "200";
    },
    |bench| {
        let atomic = [add(3, "./Lab/D", "1"), alert(4, 1101, &["", "Sure?"]), delete(5, "./Lab/A")];
        bench.say(&[replace(6, "./Lab/A", "2"), group("Atomic", 2, &atomic)].concat());
    },
    |bench| drop(bench.answer(Answer::Accepted)),
    |bench| {
        let first = format!("{}<Data>abc</Data><MoreData/>", metinf(&["Size=9"]));
        bench.say_more(&command("Add", 2, "./Lab/Big", &first));
    },
    |bench| drop(bench.say_more(&command("Add", 2, "./Lab/Big", "<Data>def</Data><MoreData/>"))),
    |bench| drop(bench.say(&command("Add", 2, "./Lab/Big", "<Data>ghi</Data>"))),
    |bench| {
        let atomic = [add(3, "./Lab/E", "1"), alert(4, 1101, &["", "Sure?"])];
        bench.say(&group("Atomic", 2, &atomic));
    },
    |bench| drop(bench.answer(Answer::Rejected)),
    |bench| drop(bench.say(&delete(2, "./Lab/B"))),
];

/// The tree after each move of an undisturbed session.
fn undisturbed(encoding: Encoding) -> Vec<Vec<(String, Option<Vec<u8>>)>> {
    let (client, server) = credentials();
    let mut bench = Bench::with(encoding, client, server).started();
    let mut states = vec![content(&bench.db)];
    for go in MOVES {
        go(&mut bench);
        states.push(content(&bench.db));
    }
    let lab = |state: usize| {
        let names = states[state].iter().filter_map(|(uri, _)| uri.strip_prefix("./Lab/"));
        names.collect::<Vec<_>>().join(" ")
    };
    let expected = [
        "",
        "A B B/C",
        "A B B/C",
        "B B/C D",
        "B B/C D",
        "B B/C D",
        "B B/C Big D",
        "B B/C Big D",
        "B B/C Big D",
        "Big D",
    ];
    for (state, names) in expected.iter().enumerate() {
        assert_eq!(lab(state), *names, "after {state} moves");
    }
    states
}

/// A session that has nothing of the one before it.
fn is_clean(store: Arc<dyn Store>, encoding: Encoding) {
    let mut bench = Bench::on(store, encoding, None, None);
    bench.setup.as_mut().unwrap().trusted_transport = true;
    bench.start();
    assert_eq!(bench.say(&get(2, "./DevInfo/Man"))[2], "Results 1/2 | ./DevInfo/Man = Maker");
    assert_eq!(bench.say(&add(2, "./Lab/New", "1"))[1], "Status 2/2 Add 200 ./Lab/New");
    assert_eq!(bench.say(""), ["Done"]);
}

#[cfg(feature = "redb")]
#[test]
fn dm_028_a_process_killed_at_any_step_leaves_whole_commands() {
    both(|encoding| {
        let states = undisturbed(encoding);
        for moves in 0..=MOVES.len() {
            let name = format!("dmsc-killed-{}-{moves}-{encoding:?}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            let (client, server) = credentials();
            let store = Arc::new(RedbStore::open(&folder).unwrap());
            let mut bench = Bench::on(store, encoding, client, server).started();
            MOVES[..moves].iter().for_each(|go| go(&mut bench));
            // Nothing of the process is left but the file.
            drop(bench);
            let store = Arc::new(RedbStore::open(&folder).unwrap());
            assert_eq!(content(&Database::new(store.clone()).unwrap()), states[moves], "{moves}");
            is_clean(store, encoding);
            std::fs::remove_dir_all(folder).unwrap();
        }
    });
}

#[test]
fn a_session_given_up_at_any_step_leaves_whole_commands() {
    both(|encoding| {
        let states = undisturbed(encoding);
        for code in [Code::Io, Code::Cancelled, Code::Timeout, Code::Http] {
            for moves in 0..=MOVES.len() {
                let (client, server) = credentials();
                let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
                let mut bench = Bench::on(store.clone(), encoding, client, server).started();
                MOVES[..moves].iter().for_each(|go| go(&mut bench));
                let lines = bench.abort(&Error::new(code, "why"));
                if matches!(code, Code::Io | Code::Http) {
                    assert_eq!(lines, ["nothing"], "there is nobody to tell");
                } else {
                    assert_eq!(lines[lines.len() - 2..], ["Alert 1223", "Final"], "{moves}");
                }
                assert_eq!(content(&bench.db), states[moves], "{code:?} after {moves} moves");
                // Whoever holds on to the engine gets nothing more from it.
                assert_eq!(bench.give("<Final/>").unwrap_err().code(), Code::State);
                assert!(bench.db.begin().is_ok(), "the store is left open");
                drop(bench);
                is_clean(store, encoding);
            }
        }
    });
}
