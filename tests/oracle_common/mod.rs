//! What the tests against foreign decoders share: the byte vectors, running a tool, doing without it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test helpers"
)]

use std::io::Write;
use std::process::{Command, Stdio};

const VECTORS: &str = include_str!("../data/encoding-vectors.tsv");

/// One row of the vector file.
pub(crate) struct Vector {
    pub(crate) name: &'static str,
    pub(crate) octets: Vec<u8>,
    pub(crate) meaning: &'static str,
    pub(crate) expected: &'static str,
}

impl Vector {
    /// The group's letter and the number: `a07`.
    pub(crate) fn short(&self) -> &'static str {
        self.name.split('-').next().unwrap()
    }

    /// The row shows a document that has to be refused.
    pub(crate) fn is_refused(&self) -> bool {
        self.expected.starts_with("ERROR:")
    }
}

/// All rows of group `letter`.
pub(crate) fn group(letter: char) -> Vec<Vector> {
    VECTORS.lines().skip(1).filter(|line| line.starts_with(letter)).map(parse).collect()
}

/// The row whose short name is `name`.
pub(crate) fn vector(name: &str) -> Vector {
    let rows = group(name.chars().next().unwrap());
    rows.into_iter().find(|vector| vector.short() == name).expect(name)
}

fn parse(line: &'static str) -> Vector {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap();
    let (name, hex, meaning, expected) = (next(), next(), next(), next());
    Vector { name, octets: unhex(hex), meaning, expected }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|b| (b as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

/// True if `tool` of Debian's `package` can be started. Without it a test prints why it checks nothing;
/// where CI runs, it fails.
pub(crate) fn available(tool: &str, package: &str) -> bool {
    let quiet = |command: &mut Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    if quiet(Command::new(tool).arg("--version")) {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{tool} (package {package}) is missing");
    // Not by `eprintln`, which the harness keeps to itself when a test passes.
    let _ = writeln!(std::io::stderr(), "skipped: {tool} (Debian package {package}) is missing");
    false
}

/// Output of `tool` with `arguments` for `input`; what it wrote to stderr if it failed.
pub(crate) fn run(tool: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A tool that refuses its input may stop reading; that shows in its status.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}
