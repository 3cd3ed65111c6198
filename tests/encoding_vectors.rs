//! Groups a, b, c, s and x of the byte vectors: documents in both encodings, good and bad.

use dmsc::markup::{Class, DocType, Fault, Options, canonical};
use dmsc::syncml::model::{Command, Item};
use dmsc::{syncml, tree::tnds};

const VECTORS: &str = include_str!("data/encoding-vectors.tsv");

struct Vector {
    name: &'static str,
    octets: Vec<u8>,
    meaning: &'static str,
    expected: &'static str,
}

fn group(letter: char) -> Vec<Vector> {
    VECTORS.lines().skip(1).filter(|line| line.starts_with(letter)).map(parse).collect()
}

fn parse(line: &'static str) -> Vector {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap();
    let (name, hex, meaning, expected) = (next(), next(), next(), next());
    let octets = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    Vector { name, octets: octets.collect(), meaning, expected }
}

/// The options in square brackets of the meaning column.
fn options(vector: &Vector) -> Options {
    let expected = vector.meaning.split_once("expected document=").map(|(_, rest)| {
        match rest.split([';', ']']).next().unwrap() {
            "SyncML1.2" => DocType::SyncMl,
            "DDF1.2" => DocType::Tnds,
            other => panic!("unknown document {other}"),
        }
    });
    Options { padding: vector.meaning.contains("option padding=on"), expected }
}

fn run(letter: char, rows: usize) {
    let vectors = group(letter);
    assert!(vectors.len() >= rows, "group {letter} has only {} rows", vectors.len());
    let mut wrong = String::new();
    for vector in &vectors {
        let found = match canonical(&vector.octets, &options(vector)) {
            Ok(text) => text,
            Err(fault) => format!("ERROR:{}", fault.class.name()),
        };
        if found != vector.expected {
            wrong +=
                &format!("{}\n  found    {found}\n  expected {}\n", vector.name, vector.expected);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn group_a_documents_decode() {
    run('a', 61);
}

#[test]
fn group_b_provisioning_documents_decode() {
    run('b', 30);
}

#[test]
fn group_c_malformed_documents_are_refused() {
    run('c', 65);
}

#[test]
fn group_x_text_xml() {
    run('x', 12);
}
