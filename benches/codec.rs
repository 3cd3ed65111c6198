//! Instructions, heap calls and peak heap of the SyncML codec, beside a peer in the same run.
//!
//! `cargo bench --bench codec` prints the table; it needs valgrind. Instructions are counted by
//! callgrind inside [`work`] only, as half the difference between three repetitions and one, so that
//! set-up does not count; the numbers repeat on a busy machine. `PEER=path` names a program that takes
//! the same arguments and has a function `work` as well (`benches/peer/codec.c`).

mod common;

use common::callgrind::{instructions, number, output};
use common::heap::{Heap, measured};
use dmsc::syncml::model::{
    Action, Alert, Command, Cred, Data, Group, Header, Item, Location, Message, Meta, Results,
    Status,
};
use dmsc::syncml::{self, Encoding};
use std::hint::black_box;
use std::process::Command as Process;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/codec");
const SIZES: [&str; 3] = ["1k", "16k", "256k"];

/// What is measured on one kind of file.
struct Operation {
    name: &'static str,
    /// How the file's name ends.
    ending: &'static str,
    /// The aim in instructions per octet of that file.
    aim: u32,
    /// What the peer does instead, and the ending of the file it takes. None has a typed model, so events
    /// and trees stand in.
    peers: &'static [(&'static str, &'static str)],
}

const OPERATIONS: [Operation; 5] = [
    Operation {
        name: "wbxml-decode",
        ending: "wbxml",
        aim: 20,
        peers: &[("wbxml-sax", "wbxml"), ("wbxml-tree", "wbxml")],
    },
    Operation {
        name: "wbxml-decode",
        ending: "strtbl.wbxml",
        aim: 20,
        peers: &[("wbxml-sax", "strtbl.wbxml"), ("wbxml-tree", "strtbl.wbxml")],
    },
    Operation { name: "wbxml-encode", ending: "wbxml", aim: 20, peers: &[("tree2wbxml", "wbxml")] },
    Operation { name: "xml-decode", ending: "xml", aim: 45, peers: &[("xml2-sax", "xml")] },
    Operation { name: "xml-encode", ending: "xml", aim: 20, peers: &[("tree2xml", "wbxml")] },
];

/// One repetition.
#[inline(never)]
fn work(operation: &str, octets: &[u8], message: &Message<'_>) -> usize {
    match operation {
        "wbxml-decode" | "xml-decode" => black_box(syncml::read(octets)).map_or(0, |_| 1),
        "wbxml-encode" => encode(message, Encoding::Wbxml),
        "xml-encode" => encode(message, Encoding::Xml),
        _ => 0,
    }
}

fn encode(message: &Message<'_>, encoding: Encoding) -> usize {
    black_box(syncml::write(message, encoding)).map_or(0, |octets| octets.len())
}

/// Repeats one operation, and tells what the last repetition did to the heap.
fn repeat(operation: &str, path: &str, times: u32) -> Result<(), String> {
    let octets = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let (message, _) = syncml::read(&octets).map_err(|fault| fault.to_string())?;
    let (mut done, mut heap) = (0, Heap::default());
    for _ in 0..times {
        (done, heap) = measured(|| work(operation, &octets, &message));
    }
    if done == 0 {
        return Err(format!("{operation} failed on {path}"));
    }
    println!("{operation} out={done} calls={} peak={}", heap.calls, heap.peak);
    Ok(())
}

fn per(count: u64, octets: u64) -> f64 {
    count as f64 / octets as f64
}

fn path(size: &str, ending: &str) -> String {
    format!("{DATA}/sync-{size}.{ending}")
}

fn table(own: &str, peer: Option<&str>) -> Result<(), String> {
    println!(
        "operation    file               octets  Ir/octet  aim  heap calls  octets/call    peak  peak/octets"
    );
    for operation in OPERATIONS {
        for size in SIZES {
            let ours = own_line(own, &operation, size)?;
            for (peer_operation, ending) in peer.map_or(&[][..], |_| operation.peers) {
                peer_line(peer.unwrap_or_default(), peer_operation, &path(size, ending), ours)?;
            }
        }
    }
    Ok(())
}

/// Prints what we take, and returns the instructions per octet.
fn own_line(own: &str, operation: &Operation, size: &str) -> Result<f64, String> {
    let path = path(size, operation.ending);
    let octets = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
    let ours = per(instructions("codec", own, &[operation.name, &path])?, octets);
    let line = output(Process::new(own).args([operation.name, &path, "3"]))?;
    let heap = |key| number(&line, key).ok_or_else(|| line.clone());
    let (calls, peak) = (heap("calls=")?, heap("peak=")?);
    println!(
        "{:<12} {:<17} {octets:>7} {ours:>9.1} {:>4} {calls:>11} {:>12} {peak:>7} {:>12.2}",
        operation.name,
        format!("{size}.{}", operation.ending),
        operation.aim,
        octets / calls.max(1),
        per(peak, octets),
    );
    Ok(ours)
}

/// Prints what the peer takes for each octet of the document it reads or writes.
fn peer_line(peer: &str, operation: &str, path: &str, ours: f64) -> Result<(), String> {
    let line = output(Process::new(peer).args([operation, path, "1"]))?;
    let written = number(&line, "out=").filter(|out| *out > 0);
    let octets = written.or(number(&line, "in=")).ok_or(line)?;
    let theirs = per(instructions("codec", peer, &[operation, path])?, octets);
    println!("  {operation:<28} {octets:>7} {theirs:>9.1}  ours is {:.2} of it", ours / theirs);
    Ok(())
}

fn sizes() {
    macro_rules! sizes {
        ($($name:ident)*) => {
            println!("\nsize of the model's types in octets");
            $(println!("{:<9} {:>4}", stringify!($name), size_of::<$name<'_>>());)*
        };
    }
    sizes!(Message Header Command Action Alert Group Status Results Item Location Meta Cred Data);
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    let done = match arguments.as_slice() {
        [_, operation, path, times] => repeat(operation, path, times.parse().unwrap_or(1)),
        [own] => table(own, std::env::var("PEER").ok().as_deref()).map(|()| sizes()),
        _ => Err("usage: codec [OPERATION FILE TIMES]".into()),
    };
    if let Err(what) = done {
        eprintln!("{what}");
        std::process::exit(1);
    }
}
