//! The search for secrets, in every spelling that a program might have made of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// What is searched for.
#[derive(Default)]
pub(crate) struct Needles(Vec<(String, Vec<u8>)>);

impl Needles {
    /// Octets of a secret, with a name for people.
    pub(crate) fn add(&mut self, name: &str, secret: &[u8]) {
        let hex = dmsc::bytes::hex::encode(secret);
        let lower = hex.to_ascii_lowercase().into_bytes();
        let wide = |low: usize| {
            secret.iter().flat_map(move |octet| {
                let mut pair = [0; 2];
                pair[low] = *octet;
                pair
            })
        };
        let mut spellings = vec![
            ("", secret.to_vec()),
            (" in upper hexadecimal", hex.into_bytes()),
            (" in lower hexadecimal", lower),
            (" in UTF-16LE", wide(0).collect()),
            (" in UTF-16BE", wide(1).collect()),
        ];
        spellings.extend((0..3).map(|before| (" in base64", base64_after(before, secret))));
        let named = spellings.into_iter().map(|(how, octets)| (format!("{name}{how}"), octets));
        self.0.extend(named);
    }

    /// The names of what is there.
    pub(crate) fn found_in(&self, hay: &[u8]) -> BTreeSet<String> {
        let mut starts = vec![false; 1 << 16];
        let start = |octets: &[u8]| usize::from(octets[0]) << 8 | usize::from(octets[1]);
        for (_, needle) in &self.0 {
            starts[start(needle)] = true;
        }
        let places = hay.windows(2).enumerate().filter(|(_, pair)| starts[start(pair)]);
        let mut found = BTreeSet::new();
        for (at, _) in places {
            let here = self.0.iter().filter(|(_, needle)| hay[at..].starts_with(needle));
            found.extend(here.map(|(name, _)| name.clone()));
        }
        found
    }
}

/// What base64 makes of `secret` behind so many other octets, without the digits that depend on the
/// neighbours.
fn base64_after(before: usize, secret: &[u8]) -> Vec<u8> {
    let text = STANDARD_NO_PAD.encode([&vec![0; before], secret].concat());
    let whole = (before + secret.len()) * 8 / 6;
    text.as_bytes()[(before * 8).div_ceil(6)..whole].to_vec()
}

/// All memory of a process that it can write to.
pub(crate) fn memory_of(process: u32) -> Vec<u8> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let number = |digits| u64::from_str_radix(digits, 16).unwrap();
        let mut part = vec![0; (number(to) - number(from)) as usize];
        memory.read_exact_at(&mut part, number(from)).unwrap();
        all.extend(part);
    }
    all
}
