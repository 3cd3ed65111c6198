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

/// Our operations, the file each takes, and the aim in instructions per octet of that file.
const OPERATIONS: [(&str, Encoding, u32); 4] = [
    ("wbxml-decode", Encoding::Wbxml, 20),
    ("wbxml-encode", Encoding::Wbxml, 20),
    ("xml-decode", Encoding::Xml, 45),
    ("xml-encode", Encoding::Xml, 20),
];

/// The peer's operations: none has a typed model, so events and trees stand in.
const PEER_OPERATIONS: [(&str, Encoding); 5] = [
    ("wbxml-sax", Encoding::Wbxml),
    ("wbxml-tree", Encoding::Wbxml),
    ("tree2wbxml", Encoding::Wbxml),
    ("xml2-sax", Encoding::Xml),
    ("tree2xml", Encoding::Wbxml),
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

fn path(size: &str, encoding: Encoding) -> String {
    let ending = if encoding == Encoding::Xml { "xml" } else { "wbxml" };
    format!("{DATA}/sync-{size}.{ending}")
}

fn table(own: &str) -> Result<(), String> {
    println!(
        "operation     size   octets  Ir/octet  aim  heap calls  octets/call  peak  peak/octets"
    );
    for (operation, encoding, aim) in OPERATIONS {
        for size in SIZES {
            let path = path(size, encoding);
            let octets = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
            let count = instructions("codec", own, &[operation, &path])?;
            let line = output(Process::new(own).args([operation, &path, "3"]))?;
            let heap = |key| number(&line, key).ok_or_else(|| line.clone());
            let (calls, peak) = (heap("calls=")?, heap("peak=")?);
            println!(
                "{operation:<13} {size:<5} {octets:>7} {:>9.1} {aim:>4} {calls:>11} {:>12} {peak:>7} {:>8.2}",
                per(count, octets),
                octets / calls.max(1),
                per(peak, octets),
            );
        }
    }
    Ok(())
}

fn peer_table(peer: &str) -> Result<(), String> {
    println!(
        "\npeer (per octet of the document read or written)\noperation     size   octets  Ir/octet"
    );
    for (operation, encoding) in PEER_OPERATIONS {
        for size in SIZES {
            let path = path(size, encoding);
            let line = output(Process::new(peer).args([operation, &path, "1"]))?;
            let written = number(&line, "out=").filter(|out| *out > 0);
            let octets = written.or(number(&line, "in=")).ok_or(line)?;
            let count = instructions("codec", peer, &[operation, &path])?;
            println!("{operation:<13} {size:<5} {octets:>7} {:>9.1}", per(count, octets));
        }
    }
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
        [own] => table(own).and_then(|()| {
            sizes();
            std::env::var("PEER").map_or(Ok(()), |peer| peer_table(&peer))
        }),
        _ => Err("usage: codec [OPERATION FILE TIMES]".into()),
    };
    if let Err(what) = done {
        eprintln!("{what}");
        std::process::exit(1);
    }
}
