//! The recorded sessions against the engine through its public API: each has the right outcome, in both
//! encodings.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod corpus;

use corpus::{MAX_MSG_SIZE, Script, furnished, play, uri};
use dmsc::store::Database;
use dmsc::store::memory::MemoryStore;
use dmsc::syncml::model::{Command, Message};
use dmsc::syncml::{self, Encoding};
use dmsc::tree::{Actor, Answer, Query};
use std::sync::Arc;

/// The client's messages of one case, and the tree after it.
struct Played {
    messages: Vec<Message<'static>>,
    db: Database,
}

fn played(case: &str, encoding: Encoding) -> Played {
    let db = furnished(Database::new(Arc::new(MemoryStore::new())).unwrap());
    let mut messages = Vec::new();
    let mut take = |body: &[u8]| {
        assert!(body.len() <= MAX_MSG_SIZE as usize, "{}", body.len());
        let (message, found) = syncml::read(body).unwrap();
        assert_eq!(found, encoding);
        messages.push(message.into_owned());
    };
    let setup = corpus::setup(&db, encoding).unwrap();
    play(setup, &db, &Script::load(case, encoding), &mut take).unwrap();
    Played { messages, db }
}

/// The case in both encodings.
fn both(case: &str, check: impl Fn(&Played)) {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        check(&played(case, encoding));
    }
}

impl Played {
    /// Command and code of each Status but those of the SyncHdr.
    fn statuses(&self) -> Vec<(String, u16)> {
        let commands = self.messages.iter().flat_map(|message| &message.commands);
        let statuses = commands.filter_map(|command| match command {
            Command::Status(status) if status.cmd != "SyncHdr" => {
                Some((status.cmd.to_string(), status.code))
            }
            _ => None,
        });
        statuses.collect()
    }

    fn codes(&self, command: &str) -> Vec<u16> {
        let statuses = self.statuses();
        statuses.into_iter().filter(|(cmd, _)| cmd == command).map(|(_, code)| code).collect()
    }

    /// Data of all Results.
    fn results(&self) -> Vec<u8> {
        let commands = self.messages.iter().flat_map(|message| &message.commands);
        let items = commands.flat_map(|command| match command {
            Command::Results(results) => &results.items[..],
            _ => &[],
        });
        let data = items.filter_map(|item| item.data.as_ref());
        data.flat_map(|data| data.octets.iter().copied()).collect()
    }

    fn value(&self, path: &str) -> Option<Vec<u8>> {
        let view = self.db.read().unwrap();
        match Query::new(&view, Actor::Host).get(&uri(path)) {
            Ok(Answer::Leaf { value, .. }) => Some(value),
            _ => None,
        }
    }

    fn nodes(&self, letter: char, count: usize) -> usize {
        let there = |number: &usize| self.value(&format!("./Bench/{letter}{number:03}")).is_some();
        (0..count).filter(there).count()
    }
}

#[test]
fn one_get() {
    both("a-get1", |played| {
        assert_eq!(played.statuses(), [("Get".into(), 200)]);
        assert_eq!(played.results(), b"2");
        assert!(played.messages.iter().all(|message| message.is_final));
    });
}

#[test]
fn twenty_replaces() {
    both("b-replace20", |played| {
        assert_eq!(played.codes("Replace"), [200; 20]);
        assert_ne!(played.value("./Bench/L00").unwrap(), b"0000000000000000");
    });
}

#[test]
fn five_hundred_adds_in_ten_messages() {
    both("c-add500", |played| {
        assert_eq!(played.codes("Add"), [200; 500]);
        assert_eq!(played.nodes('N', 500), 500);
        assert_eq!(played.messages.len(), 11);
    });
}

#[test]
fn many_adds_in_one_message() {
    for (case, count) in [("c1-add500-one-message", 500), ("c2-add140-one-message", 140)] {
        both(case, |played| {
            assert_eq!(played.codes("Add"), vec![200; count]);
            assert_eq!(played.nodes('N', 500), count);
        });
    }
}

#[test]
fn atomic_of_twenty() {
    both("d-atomic20-ok", |played| {
        assert_eq!((played.codes("Atomic"), played.codes("Add")), (vec![200], vec![200; 20]));
        assert_eq!(played.codes("Get"), [200]);
        assert!(played.value("./Bench/A19").is_some());
    });
}

#[test]
fn atomic_of_twenty_that_fails_at_the_fifteenth() {
    both("d-atomic20-fail", |played| {
        assert_eq!(played.codes("Atomic"), [507]);
        let mut expected = vec![216; 14];
        expected.push(418);
        expected.extend([215; 5]);
        assert_eq!(played.codes("Add"), expected);
        assert_eq!(played.codes("Get"), [404]);
        assert!((0..20).all(|number| played.value(&format!("./Bench/A{number:02}")).is_none()));
    });
}

#[test]
fn objects_from_the_server() {
    for (case, octets, chunks) in
        [("e-lob1m-from-server", 1_048_576, 70), ("e2-lob48k-from-server", 49_152, 5)]
    {
        both(case, |played| {
            let mut expected = vec![213; chunks - 1];
            expected.push(200);
            assert_eq!(played.codes("Add"), expected);
            assert_eq!(played.value("./Bench/Big").unwrap().len(), octets);
        });
    }
    let [xml, wbxml] = [Encoding::Xml, Encoding::Wbxml]
        .map(|encoding| played("e2-lob48k-from-server", encoding).value("./Bench/Big"));
    assert_eq!(xml, wbxml);
}

#[test]
fn one_mebibyte_to_a_server_that_repeats_itself() {
    both("f-lob1m-to-server", |played| {
        let value = played.results();
        assert_eq!(value.len(), 1_048_576);
        assert!(value.iter().all(|octet| *octet == b'A'));
        assert!(played.messages.len() <= 72, "{}", played.messages.len());
    });
}

// The corpus asks for 404 here; parents are created instead, see docs/adr/0005.
#[test]
fn an_add_below_a_missing_parent_creates_it() {
    both("g-add-orphan", |played| {
        assert_eq!(played.codes("Add"), [200]);
        let Some(Command::Status(status)) = played.messages[1].commands.get(1) else { panic!() };
        assert!(played.value(&status.target_refs[0]).is_some());
    });
}
