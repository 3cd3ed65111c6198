//! Instructions, heap calls and peak heap of whole DM sessions with a real tree, ACL and DDF checks.
//!
//! `cargo bench --bench session` prints the table; it needs valgrind. The sessions are those of
//! `tests/data/sessions`. Counted is what happens inside [`work`]: the session from start to end with
//! every commit, and its destruction; account and messages of the server are in memory before. `session CASE xml|wbxml memory|redb TIMES` plays one case.

#[path = "../tests/corpus/mod.rs"]
mod corpus;

mod common;

use common::callgrind::{instructions, number, output};
use common::heap::{Heap, measured};
use corpus::{Script, play};
use dmsc::config::Config;
use dmsc::error;
use dmsc::session::Setup;
use dmsc::store::key_file::KeyFiles;
use dmsc::store::memory::MemoryStore;
use dmsc::store::redb::RedbStore;
use dmsc::store::{Database, KeySource};
use dmsc::syncml::Encoding;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// A case, what its numbers are divided by, and the aims in thousand instructions (XML, WBXML).
const CASES: [(&str, u64, [f64; 2]); 11] = [
    ("a-get1", 1, [200.0, 120.0]),
    ("b-replace20", 1, [550.0, 300.0]),
    ("c-add500", 500, [15.0, 9.0]),
    ("c1-add500-one-message", 500, [15.0, 9.0]),
    ("c2-add140-one-message", 140, [15.0, 9.0]),
    ("d-atomic20-ok", 1, [600.0, 350.0]),
    ("d-atomic20-fail", 1, [600.0, 350.0]),
    ("e-lob1m-from-server", 1 << 20, [0.030, 0.010]),
    ("e2-lob48k-from-server", 48 << 10, [0.030, 0.010]),
    ("f-lob1m-to-server", 1 << 20, [0.030, 0.010]),
    ("g-add-orphan", 1, [200.0, 120.0]),
];

/// One session; the octets that the client sent.
#[inline(never)]
fn work(setup: Setup, db: &Database, script: &Script) -> usize {
    let mut octets = 0;
    match play(setup, db, script, &mut |message| octets += message.len()) {
        Ok(()) => octets,
        Err(_) => 0,
    }
}

/// A database of its own for each repetition as a client opens it, and the folder it is in. What is
/// kept is sealed.
fn database(kind: &str, number: u32) -> error::Result<(Database, Option<PathBuf>)> {
    if kind == "memory" {
        return Ok((Database::new(Arc::new(MemoryStore::new()))?, None));
    }
    let name = format!("dmsc-bench-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let store = Arc::new(RedbStore::open(&folder)?);
    let keys = Some(Arc::new(KeyFiles::new(&folder)) as Arc<dyn KeySource>);
    let config = Config { keys, ..Config::new("bench") };
    Ok((config.database(store)?, Some(folder)))
}

/// Plays one case so many times, and tells what the last one did to the heap.
fn repeat(case: &str, encoding: &str, kind: &str, times: u32) -> Result<(), String> {
    let encoding = if encoding == "xml" { Encoding::Xml } else { Encoding::Wbxml };
    let script = Script::load(case, encoding);
    let (mut sent, mut heap) = (0, Heap::default());
    for number in 0..times {
        let (db, folder) = database(kind, number).map_err(|error| error.to_string())?;
        let db = corpus::furnished(db);
        let setup = corpus::setup(&db, encoding).map_err(|error| error.to_string())?;
        // The client has its policy as long as it lives.
        let policy = Arc::clone(&setup.authority.policy);
        (sent, heap) = measured(|| work(setup, &db, &script));
        drop((db, policy));
        folder.map_or(Ok(()), std::fs::remove_dir_all).map_err(|error| error.to_string())?;
    }
    if sent == 0 {
        return Err(format!("{case} failed"));
    }
    let Heap { calls, peak, kept } = heap;
    println!("{case} sent={sent} calls={calls} peak={peak} kept={kept}");
    Ok(())
}

fn row(
    own: &str,
    kind: &str,
    case: &str,
    unit: u64,
    encoding: &str,
    aim: f64,
) -> Result<(), String> {
    let arguments = [case, encoding, kind];
    let count = instructions("session", own, &arguments)?;
    let line = output(Command::new(own).args(arguments).arg("2"))?;
    let of = |key| number(&line, key).ok_or_else(|| line.clone());
    let (calls, peak, kept, sent) = (of("calls=")?, of("peak=")?, of("kept=")?, of("sent=")?);
    let thousands = count as f64 / unit as f64 / 1000.0;
    println!(
        "{kind:<6} {case:<22} {encoding:<5} {:>9.3} {thousands:>9.3} {aim:>7.3} {calls:>7} {:>7.1} {peak:>8} {kept:>8} {sent:>8}",
        count as f64 / 1e6,
        calls as f64 / if unit < 1000 { unit as f64 } else { 1.0 },
    );
    Ok(())
}

fn table(own: &str, only: Option<&str>) -> Result<(), String> {
    println!(
        "store  case                   code      MInstr kInstr/un     aim   calls calls/u     peak     kept     sent"
    );
    for kind in ["memory", "redb"] {
        for (case, unit, aims) in CASES {
            if only.is_some_and(|only| !case.starts_with(only)) {
                continue;
            }
            for (encoding, aim) in ["xml", "wbxml"].into_iter().zip(aims) {
                row(own, kind, case, unit, encoding, aim)?;
            }
        }
    }
    Ok(())
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    let done = match arguments.as_slice() {
        [_, case, encoding, kind, times] => {
            repeat(case, encoding, kind, times.parse().unwrap_or(1))
        }
        [own] => table(own, None),
        [own, only] => table(own, Some(only)),
        _ => Err("usage: session [CASE [xml|wbxml memory|redb TIMES]]".into()),
    };
    if let Err(what) = done {
        eprintln!("{what}");
        std::process::exit(1);
    }
}
