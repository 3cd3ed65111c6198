//! A journal in memory, and everything that can be done to its export.

use super::*;
use crate::error::{Code, Error};
use crate::random::Random;
use crate::secret::Secret;
use crate::store::memory::MemoryStore;
use crate::store::{Database, Reader, Table};
use crate::time::Now;
use std::sync::Arc;

struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            self.0 = self.0.wrapping_add(1);
            *octet = self.0;
        }
    }
}

struct Desk {
    db: Database,
    now: Now,
}

impl Desk {
    fn new() -> Self {
        let db = Database::new(Arc::new(MemoryStore::new())).unwrap();
        Self { db, now: Now { mono_ms: 0, unix_s: 1_800_000_000 } }
    }

    /// Works on the journal and commits.
    fn with<R>(&self, work: impl FnOnce(&mut Journal<'_>) -> R) -> R {
        let mut txn = self.db.begin().unwrap();
        let done = work(&mut Journal::open(&mut txn, &mut Counting(0), self.now).unwrap());
        txn.commit().unwrap();
        done
    }

    fn add(&self, entries: &[Entry]) {
        self.with(|journal| {
            entries.iter().for_each(|entry| assert!(journal.append(entry).unwrap() > 1));
        });
    }

    fn seal(&self) {
        self.with(|journal| journal.seal(None).unwrap());
    }

    fn export(&self) -> Vec<u8> {
        export(&self.db.read().unwrap()).unwrap()
    }

    fn key(&self) -> PublicKey {
        public_key(&self.db.read().unwrap()).unwrap().unwrap()
    }

    fn head(&self) -> Hash {
        head(&self.db.read().unwrap()).unwrap().unwrap()
    }
}

fn command(uri: &str, after: Option<&[u8]>) -> Entry {
    Entry::Command(Command {
        session: 1,
        message: 2,
        name: "Replace".into(),
        uri: Some(uri.into()),
        before: None,
        after: after.map(hash),
        status: 200,
    })
}

fn trigger() -> Entry {
    Entry::Trigger(Trigger {
        source: "card",
        slot: 1,
        digest: [7; 32],
        server: Some("srv \"ä\"\n".into()),
        session: Some(1),
        outcome: Outcome::Ok,
        unrecorded: 0,
    })
}

/// Two seals, seven records.
fn small() -> Desk {
    let desk = Desk::new();
    desk.add(&[trigger(), command("./A", Some(b"1"))]);
    desk.seal();
    desk.add(&[command("./B", None)]);
    desk.seal();
    desk
}

fn lines(export: &[u8]) -> Vec<&[u8]> {
    export.split_inclusive(|octet| *octet == b'\n').collect()
}

#[test]
fn a_record_has_this_form_to_the_octet() {
    let desk = small();
    let export = String::from_utf8(desk.export()).unwrap();
    let lines: Vec<&str> = export.lines().collect();
    let zeros = "0".repeat(64);
    assert_eq!(
        lines[0],
        format!(r#"{{"seq":1,"prev":"{zeros}","time":1800000000,"kind":"start","version":1}}"#)
    );
    let prev = |at: usize| line::lower(&hash(lines[at].as_bytes()));
    let sevens = "07".repeat(32);
    assert_eq!(
        lines[1],
        format!(
            r#"{{"seq":2,"prev":"{}","time":1800000000,"kind":"trigger","source":"card","slot":1,"digest":"{sevens}","server":"srv \"ä\"\u000a","session":1,"outcome":"ok"}}"#,
            prev(0)
        )
    );
    let key = reveal(&desk.db.read().unwrap(), 3).unwrap();
    let after = entry::keyed(key.expose().first_chunk().unwrap(), &hash(b"1"));
    assert_eq!(
        lines[2],
        format!(
            r#"{{"seq":3,"prev":"{}","time":1800000000,"kind":"command","session":1,"message":2,"name":"Replace","uri":"./A","after":"{}","status":200}}"#,
            prev(1),
            line::lower(&after)
        )
    );
    assert!(lines[3].contains(r#""kind":"seal","key":""#));
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_good_export_verifies_with_the_public_key_alone() {
    let desk = small();
    let (key, head) = (desk.key(), desk.head());
    let verified = verify(&desk.export(), &[key], Some(&head)).unwrap();
    assert_eq!(verified, Verified { first: 1, last: 6, head, signed: 6, keys: vec![key] });
    assert_eq!(verify(&desk.export(), &[], None).unwrap().keys, [key]);
    let other = verify(&desk.export(), &[PublicKey::Ed25519([1; 32])], None).unwrap_err();
    assert_eq!(other.to_string(), "record 4: signed with another key");
}

/// A signer whose signatures have the higher `s`, which the algorithm allows.
struct HighP256(p256::ecdsa::SigningKey);

impl Signer for HighP256 {
    fn public_key(&mut self) -> crate::error::Result<PublicKey> {
        let point = self.0.verifying_key().to_sec1_point(true);
        Ok(PublicKey::P256(point.as_bytes().try_into().unwrap()))
    }

    fn sign(&mut self, message: &[u8]) -> crate::error::Result<[u8; SIGNATURE_OCTETS]> {
        use p256::ecdsa::signature::Signer as _;
        let low: p256::ecdsa::Signature = self.0.sign(message);
        let low = low.normalize_s();
        let high = p256::ecdsa::Signature::from_scalars(low.r(), -low.s()).unwrap();
        Ok(high.to_bytes().into())
    }
}

#[test]
fn a_seal_of_p256_names_its_algorithm_and_has_one_form() {
    let desk = small();
    let mut signer = HighP256(p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap());
    let (own, key) = (desk.key(), signer.public_key().unwrap());
    desk.add(&[command("./C", None)]);
    desk.with(|journal| journal.seal(Some(&mut signer)).unwrap());
    let export = desk.export();
    let last = String::from_utf8(lines(&export).pop().unwrap().to_vec()).unwrap();
    let members = format!(r#""kind":"seal","alg":"ecdsa-p256","key":"{key}","sig":""#);
    assert!(last.contains(&members), "{last}");
    let verified = verify(&export, &[own, key], None).unwrap();
    assert_eq!((verified.signed, verified.keys), (8, vec![own, key]));
    assert_eq!(
        verify(&export, &[own], None).unwrap_err().to_string(),
        "record 8: signed with another key"
    );
    // Every octet of this seal counts as well.
    let start = export.len() - last.len();
    for at in start..export.len() {
        let mut bad = export.clone();
        bad[at] ^= 1;
        let found = verify(&bad, &[own, key], None).unwrap_err();
        assert!((7..=9).contains(&found.seq), "octet {at}: {found}");
    }
}

#[test]
fn every_change_of_a_single_octet_is_found_and_its_record_named() {
    let desk = small();
    let (good, key) = (desk.export(), [desk.key()]);
    let mut seq = 1;
    for at in 0..good.len() {
        let is_end = good[at] == b'\n';
        for mask in [0x01, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= mask;
            let found = verify(&bad, &key, None).unwrap_err();
            // A lost line feed makes one line of two: either may be named. If the last record is no seal
            // any more, what it had signed is named.
            let near = found.seq == seq
                || (is_end && found.seq == seq + 1)
                || (seq == 6 && found.what.starts_with("no signature"));
            assert!(near, "octet {at} of record {seq} with {mask:02x}: {found}");
        }
        seq += u64::from(is_end);
    }
}

#[test]
fn every_dropped_swapped_and_doubled_record_is_found() {
    let desk = small();
    let (good, key) = (desk.export(), [desk.key()]);
    let records = lines(&good);
    for at in 0..records.len() - 1 {
        let mut dropped = records.clone();
        dropped.remove(at);
        let found = verify(&dropped.concat(), &key, None).unwrap_err();
        // Without the first one the rest begins where no checkpoint says so.
        assert_eq!(found.seq, if at == 0 { 2 } else { at as u64 + 1 }, "{found}");
        let mut swapped = records.clone();
        swapped.swap(at, at + 1);
        let found = verify(&swapped.concat(), &key, None).unwrap_err();
        assert_eq!(found.seq, at as u64 + 1, "{found}");
        for to in 0..records.len() {
            let mut doubled = records.clone();
            doubled.insert(to, records[at]);
            assert!(verify(&doubled.concat(), &key, None).is_err(), "{at} before {to}");
        }
    }
}

#[test]
fn a_cut_tail_is_found_with_the_head_hash_and_without_it_where_no_seal_ends_it() {
    let desk = small();
    let (good, key, head) = (desk.export(), [desk.key()], desk.head());
    let records = lines(&good);
    for left in 0..records.len() {
        let cut = records[..left].concat();
        let found = verify(&cut, &key, Some(&head)).unwrap_err();
        assert_eq!(found.seq, left.max(usize::from(left == 0)) as u64 + u64::from(left > 0));
        // After record 4, a seal, nothing but the head hash tells that there was more.
        assert_eq!(verify(&cut, &key, None).is_ok(), left == 4);
    }
}

#[test]
fn what_no_seal_covers_needs_the_head_hash() {
    let desk = small();
    desk.add(&[command("./C", None)]);
    let (export, key, head) = (desk.export(), [desk.key()], desk.head());
    let found = verify(&export, &key, None).unwrap_err();
    assert_eq!(found.to_string(), "record 7: no signature covers it and the records after it");
    assert_eq!(verify(&export, &key, Some(&head)).unwrap().signed, 6);
}

#[test]
fn a_chain_rewritten_without_the_key_is_found() {
    let desk = small();
    let good = String::from_utf8(desk.export()).unwrap();
    // Somebody replaces a URI and mends every hash after it.
    let (mut prev, mut forged) = ("0".repeat(64), String::new());
    for line in good.lines() {
        let old = &line[line.find("\"prev\":\"").unwrap() + 8..][..64];
        let line = line.replace(old, &prev).replace("./B", "./X");
        prev = line::lower(&hash(line.as_bytes()));
        forged = forged + &line + "\n";
    }
    let found = verify(forged.as_bytes(), &[desk.key()], None).unwrap_err();
    assert_eq!(found.to_string(), "record 6: its signature is wrong");
}

#[test]
fn value_hashes_tell_nothing_without_the_records_key() {
    let desk = Desk::new();
    desk.add(&[command("./Pin", Some(b"1234")), command("./Pin", Some(b"1234"))]);
    let export = String::from_utf8(desk.export()).unwrap();
    let after = |at: usize| {
        let line = export.lines().nth(at).unwrap();
        line[line.find("\"after\":\"").unwrap() + 9..][..64].to_owned()
    };
    // The same value twice cannot be seen, nor can it be tried out.
    assert_ne!(after(1), after(2));
    assert!(!export.contains(&line::lower(&hash(b"1234"))));
}

#[test]
fn the_bound_drops_the_oldest_and_the_rest_still_verifies() {
    let desk = Desk::new();
    desk.with(|journal| journal.set_limit(1).unwrap());
    let long = "./".to_owned() + &"x".repeat(1000);
    for _ in 0..40 {
        desk.add(&[command(&long, None)]);
        let octets = desk.export().len() as u64;
        assert!(octets <= limits_min(), "{octets}");
    }
    desk.seal();
    let verified = verify(&desk.export(), &[desk.key()], Some(&desk.head())).unwrap();
    assert!(verified.first > 20 && verified.last > 40, "{verified:?}");
    let summary = summary(&desk.db.read().unwrap()).unwrap();
    assert_eq!((summary.first, summary.last), (verified.first, verified.last));
    assert_eq!(summary.octets, desk.export().len() as u64);
    // Dropping more than the checkpoint says is found.
    let export = desk.export();
    let cut = lines(&export)[1..].concat();
    let found = verify(&cut, &[desk.key()], None).unwrap_err();
    assert_eq!(found.seq, verified.first + 1);
}

fn limits_min() -> u64 {
    crate::limits::AUDIT_OCTETS_MIN
}

#[test]
fn records_that_were_exported_can_be_dropped() {
    let desk = small();
    let before = desk.export();
    desk.with(|journal| {
        assert_eq!(journal.discard(9).unwrap_err().code(), Code::InvalidArg);
        journal.discard(6).unwrap();
        journal.discard(3).unwrap();
        journal.seal(None).unwrap();
    });
    let after = desk.export();
    assert_eq!(lines(&after).len(), 2);
    let key = [desk.key()];
    assert_eq!(verify(&after, &key, None).unwrap().first, 7);
    // Both exports together are one chain.
    let whole = [before, after].concat();
    assert_eq!(verify(&whole, &key, Some(&desk.head())).unwrap().first, 1);
}

#[test]
fn a_signer_of_the_host_signs_and_one_that_fails_leaves_it_to_the_next() {
    struct Broken;
    impl Signer for Broken {
        fn public_key(&mut self) -> crate::error::Result<PublicKey> {
            Err(Error::new(Code::Callback, "no key"))
        }
        fn sign(&mut self, _: &[u8]) -> crate::error::Result<[u8; SIGNATURE_OCTETS]> {
            Err(Error::new(Code::Callback, "no key"))
        }
    }
    let desk = small();
    desk.add(&[command("./C", None)]);
    let before = desk.export();
    let failed = desk.with(|journal| journal.seal(Some(&mut Broken)));
    assert_eq!(failed.unwrap_err().code(), Code::Callback);
    assert_eq!(desk.export(), before);
    let mut other = Ed25519::from_seed(&Secret::new([9; 32])).unwrap();
    let key = other.public_key().unwrap();
    desk.with(|journal| journal.seal(Some(&mut other)).unwrap());
    let keys = [desk.key(), key];
    assert_eq!(verify(&desk.export(), &keys, None).unwrap().keys, keys);
    assert_eq!(verify(&desk.export(), &keys[..1], None).unwrap_err().seq, 8);
}

#[test]
fn nothing_new_is_not_signed_again_and_a_rollback_leaves_no_record() {
    let desk = small();
    let before = desk.export();
    desk.seal();
    let mut txn = desk.db.begin().unwrap();
    Journal::open(&mut txn, &mut Counting(0), desk.now).unwrap().append(&trigger()).unwrap();
    drop(txn);
    assert_eq!(desk.export(), before);
}

#[test]
fn a_damaged_journal_is_an_error() {
    let desk = small();
    for (key, value) in [(&b"state"[..], &b"\x02"[..]), (b"state", b"\x01abc")] {
        let mut txn = desk.db.begin().unwrap();
        txn.put(Table::Audit, key, value.to_vec());
        let error = Journal::open(&mut txn, &mut Counting(0), desk.now).unwrap_err();
        assert_eq!(error.code(), Code::StorageCorrupt);
        assert!(txn.get(Table::Audit, key).unwrap().is_some());
    }
}
