//! Verification of an export, with nothing but the export, the public key and perhaps a head hash.

use super::line::Link;
use super::{Hash, PublicKey, hash};
use std::fmt;

/// A signature is made over these octets and the record up to its member `sig`.
pub(super) const DOMAIN: &[u8] = b"dmsc-audit-1\n";

/// What a good export proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Number of its first record; above 1 after a rotation.
    pub first: u64,
    /// Number of its last record.
    pub last: u64,
    /// Hash of its last record.
    pub head: Hash,
    /// Number of the last record that is signed.
    pub signed: u64,
    /// The keys that signed, each once.
    pub keys: Vec<PublicKey>,
}

/// The first thing that is wrong with an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Number of the record.
    pub seq: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: {}", self.seq, self.what)
    }
}

type Checked<T = ()> = Result<T, Broken>;

/// One record of the export.
struct Record<'e> {
    octets: &'e [u8],
    hash: Hash,
    link: Link<'e>,
}

/// Verifies an export of the journal.
///
/// `keys` are the keys that may have signed; without any every key may, and then the export proves only
/// that nobody without one of [`Verified::keys`] has changed it. `head` is a hash that the export has to
/// hold, for example one that a server has read from the device: no record up to that one is missing.
/// Without it the last record has to be a seal. Answers the first broken record.
pub fn verify(export: &[u8], keys: &[PublicKey], head: Option<&Hash>) -> Checked<Verified> {
    let records = read(export)?;
    check_chain(&records)?;
    let start = check_start(&records)?;
    let (signed, signers) = check_seals(&records, keys)?;
    let Some(last) = records.last() else { return Err(broken(1, "the export is empty")) };
    let held = head.and_then(|head| records.iter().rev().find(|record| record.hash == *head));
    if head.is_some() && held.is_none() {
        return Err(broken(
            last.link.seq + 1,
            "missing: no record has the head hash that was given",
        ));
    }
    let proved = held.map_or(signed, |record| signed.max(record.link.seq));
    if proved < last.link.seq {
        return Err(broken(proved + 1, "no signature covers it and the records after it"));
    }
    Ok(Verified { first: start, last: last.link.seq, head: last.hash, signed, keys: signers })
}

fn broken(seq: u64, what: &'static str) -> Broken {
    Broken { seq, what }
}

/// The lines of the export as records, numbered without a gap.
fn read(export: &[u8]) -> Checked<Vec<Record<'_>>> {
    let mut records: Vec<Record<'_>> = Vec::new();
    let mut lines = export.split_inclusive(|octet| *octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        let following = lines.peek().and_then(|line| Link::read(line.strip_suffix(b"\n")?));
        let expected = match records.last() {
            Some(record) => record.link.seq.saturating_add(1),
            // What the first one is called the second one knows as well.
            None => following.map_or(1, |link| link.seq.saturating_sub(1).max(1)),
        };
        let fault = |what| broken(expected, what);
        let octets = line.strip_suffix(b"\n").ok_or_else(|| fault("its line has no end"))?;
        let link = Link::read(octets).ok_or_else(|| fault("not in the form of a record"))?;
        if link.seq > expected {
            return Err(fault("missing"));
        }
        if link.seq < expected {
            return Err(fault("another record stands in its place"));
        }
        records.push(Record { octets, hash: hash(octets), link });
    }
    Ok(records)
}

/// Each record names the hash of the one before it.
fn check_chain(records: &[Record<'_>]) -> Checked {
    for (record, next) in records.iter().zip(records.iter().skip(1)) {
        if next.link.prev == record.hash {
            continue;
        }
        // Either this record was changed, or what the next one says of it. If somebody vouches for the
        // next one, it is this one.
        let vouched = match records.iter().find(|after| after.link.seq == next.link.seq + 1) {
            Some(after) => after.link.prev == next.hash,
            None => signed_by(next).is_ok(),
        };
        let changed = if vouched { record } else { next };
        return Err(broken(
            changed.link.seq,
            "changed: the hash that its neighbour names is another",
        ));
    }
    Ok(())
}

/// The first record is the journal's first, or a signed checkpoint says that the chain goes on here.
fn check_start(records: &[Record<'_>]) -> Checked<u64> {
    let Some(Record { link: first, .. }) = records.first() else {
        return Err(broken(1, "the export is empty"));
    };
    let known = match first.seq {
        1 => first.prev == [0; 32] && first.kind == "start",
        seq => records
            .iter()
            .filter(|record| record.link.kind == "checkpoint")
            .any(|record| record.link.checkpoint() == Some((seq, first.prev))),
    };
    if known {
        return Ok(first.seq);
    }
    let what = match first.seq {
        1 => "the first record of a journal does not begin so",
        _ => "no checkpoint says that the chain goes on here: records before it are missing",
    };
    Err(broken(first.seq, what))
}

/// Every seal is good; the last signed record and all keys that signed.
fn check_seals(records: &[Record<'_>], keys: &[PublicKey]) -> Checked<(u64, Vec<PublicKey>)> {
    let (mut signed, mut signers) = (0, Vec::new());
    for record in records.iter().filter(|record| record.link.kind == "seal") {
        let key = signed_by(record)?;
        if !keys.is_empty() && !keys.contains(&key) {
            return Err(broken(record.link.seq, "signed with another key"));
        }
        if !signers.contains(&key) {
            signers.push(key);
        }
        signed = record.link.seq;
    }
    Ok((signed, signers))
}

/// The key that a seal is signed with.
fn signed_by(seal: &Record<'_>) -> Checked<PublicKey> {
    let fault = |what| broken(seal.link.seq, what);
    let parts = seal.link.seal(seal.octets).ok_or_else(|| fault("not in the form of a seal"))?;
    let (key, octets, signature) = parts;
    match key.verifies(&[DOMAIN, octets].concat(), &signature) {
        true => Ok(key),
        false => Err(fault("its signature is wrong")),
    }
}
