//! The card side against the conformance rows SC-001 to SC-073, with a scripted card: exact bytes
//! out for exact bytes in. Each row's test carries its number.

// Clippy takes only functions with #[test] for tests; these are their helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod access;
mod apdu;
mod files;
mod finding;
mod headers;
mod hostile;
mod objects;
mod structure;
mod transports;
mod vectors;

use dmsc::bytes::hex;

/// The octets of a row of `smartcard-vectors.tsv`.
fn vector(name: &str) -> Vec<u8> {
    hex::decode(vector_hex(name)).unwrap()
}

/// The same as hexadecimal text.
fn vector_hex(name: &str) -> &'static str {
    let rows = include_str!("../data/smartcard-vectors.tsv");
    let row = rows.lines().find(|row| row.split('\t').next() == Some(name));
    row.unwrap_or_else(|| panic!("no vector {name}")).split('\t').nth(2).unwrap()
}

/// The names of all rows that begin with `prefix`.
fn vector_names(prefix: &str) -> Vec<&'static str> {
    let rows = include_str!("../data/smartcard-vectors.tsv");
    rows.lines()
        .filter_map(|row| row.split('\t').next())
        .filter(|name| name.starts_with(prefix))
        .collect()
}
