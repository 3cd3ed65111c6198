//! `dmsc audit`: the journal of real sessions, exported, verified, and tampered with.

use crate::support::{Ran, SECRETS, dmsc, dmsc_octets, fresh};
use dmsc::audit::{Command as Record, Entry, Journal, PublicKey, SIGNATURE_OCTETS, Signer};
use dmsc::store::{Database, memory::MemoryStore};
use p256::ecdsa::signature::Signer as _;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A verifier that shares nothing with the library.
const VERIFIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/audit/verify.py");

/// A store after a session with the demo card.
fn phone(test: &str) -> String {
    let store = fresh(test);
    let run = ["run", "--card", "sim:demo", "--store", &store, "--answer", "yes", "--push", "sim"];
    dmsc(&run).good();
    store
}

/// Exports into a file; its path, the key and the head hash.
fn export(store: &str) -> (String, String, String) {
    let (code, octets, stderr) = dmsc_octets(b"", &["audit", "export", "--store", store]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let file = format!("{store}/journal.jsonl");
    fs::write(&file, octets).unwrap();
    let key = dmsc(&["audit", "key", "--json", "--store", store]).good();
    let [key, head] = ["key", "head"].map(|name| key.lines()[0][name].as_str().unwrap().to_owned());
    (file, key, head)
}

fn verify(file: &str, more: &[&str]) -> Ran {
    dmsc(&[&["audit", "verify", file], more].concat())
}

/// Exit code and output of the other verifier.
fn other(file: &str, more: &[&str]) -> (i32, String) {
    let output = Command::new("python3").arg(VERIFIER).arg(file).args(more).output();
    let output = output.expect("python3 is there: scripts/deps.sh check");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_session_is_on_record_from_bootstrap_to_end_and_verifies() {
    let store = phone("audit-session");
    let (file, key, head) = export(&store);
    let text = fs::read_to_string(&file).unwrap();
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = records.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    let at = |kind: &str| kinds.iter().position(|found| *found == kind).expect(kind);
    assert_eq!(kinds.first(), Some(&"start"));
    assert_eq!(kinds.last(), Some(&"seal"));
    let order = ["bootstrap", "trigger", "session-begin", "command", "session-end"].map(at);
    assert!(order.is_sorted(), "{kinds:?}");
    let [bootstrap, trigger, begin, _, end] = order.map(|at| &records[at]);
    assert_eq!(bootstrap["origin"], "card");
    assert_eq!(bootstrap["uris"][0], "./DMAcc/CardServer");
    assert_eq!((&trigger["source"], &trigger["outcome"]), (&"push".into(), &"ok".into()));
    assert_eq!((&begin["transport"], &begin["card"]), (&"card".into(), &bootstrap["card"]));
    assert_eq!((&end["server_auth"], &end["client_auth"]), (&"md5".into(), &"md5".into()));
    assert_eq!(end["outcome"], "ok");
    assert!(
        records.iter().any(|record| record["uri"] == "./Operator/Apn" && record["status"] == 200)
    );

    let good = verify(&file, &["--key", &key, "--head", &head, "--json"]).good();
    assert_eq!(good.lines()[0]["last"], records.len());
    let (code, said) = other(&file, &["--key", &key, "--head", &head]);
    assert_eq!((code, said.trim()), (0, format!("ok 1 {} {head}", records.len()).as_str()));
    // Another key, and no key at all.
    let wrong = "00".repeat(32);
    verify(&file, &["--key", &wrong]).failed("DMSC_ERR_AUDIT");
    assert_eq!(other(&file, &["--key", &wrong]).0, 1);
    assert!(verify(&file, &[]).good().stdout.contains("is that the device's key?"));
}

#[test]
fn both_verifiers_find_what_was_changed_dropped_or_cut_off() {
    let store = phone("audit-tamper");
    let (file, key, head) = export(&store);
    let good = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let apn = lines.iter().position(|line| line.contains("./Operator/Apn")).unwrap();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
    let mut swapped = lines.clone();
    swapped.swap(apn, apn + 1);
    for (what, bad, broken) in [
        ("changed", good.replacen("./Operator/Apn", "./Operator/Apm", 1), apn + 1),
        ("dropped", without(apn), apn + 1),
        ("first", without(0), 2),
        ("swapped", swapped.concat(), apn + 1),
        ("cut", lines[..lines.len() - 1].concat(), lines.len()),
    ] {
        let file = format!("{store}/{what}.jsonl");
        fs::write(&file, bad).unwrap();
        let arguments = ["--key", &key, "--head", &head];
        let ran = verify(&file, &arguments).failed("DMSC_ERR_AUDIT");
        assert!(ran.stderr.contains(&format!(": record {broken}: ")), "{what}: {}", ran.stderr);
        let (code, said) = other(&file, &arguments);
        assert!(code == 1 && said.starts_with("record "), "{what}: {said}");
    }
}

/// Writes so many records of a journal into a file, sealed by `signer` or by the journal itself; its path and
/// the journal's own key.
fn journal(test: &str, records: u32, signer: Option<&mut dyn Signer>) -> (String, String) {
    struct Sevens;
    impl dmsc::random::Random for Sevens {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }
    let db = Database::new(std::sync::Arc::new(MemoryStore::new())).unwrap();
    let mut txn = db.begin().unwrap();
    let mut journal = Journal::open(&mut txn, &mut Sevens, dmsc::time::Now::default()).unwrap();
    journal.set_limit(0).unwrap();
    for message in 0..records {
        let entry = Entry::Command(Record {
            session: 1,
            message,
            name: "Get".into(),
            uri: Some(format!("./{}", "x".repeat(400))),
            before: None,
            after: None,
            status: 200,
        });
        journal.append(&entry).unwrap();
    }
    journal.seal(signer).unwrap();
    let (records, key) = (dmsc::audit::export(&txn), dmsc::audit::public_key(&txn));
    let folder = fresh(test);
    fs::create_dir_all(&folder).unwrap();
    let file = format!("{folder}/journal.jsonl");
    fs::write(&file, records.unwrap()).unwrap();
    (file, key.unwrap().unwrap().to_string())
}

#[test]
fn the_other_verifier_follows_a_journal_that_was_rotated() {
    let (file, key) = journal("audit-rotated", 100, None);
    let ran = verify(&file, &["--key", &key, "--json"]).good();
    assert!(ran.lines()[0]["first"].as_u64() > Some(50), "{}", ran.stdout);
    let (code, said) = other(&file, &["--key", &key]);
    assert!(code == 0 && said.starts_with("ok "), "{said}");
}

/// A key as Android Keystore keeps them.
struct P256(p256::ecdsa::SigningKey);

impl Signer for P256 {
    fn public_key(&mut self) -> dmsc::error::Result<PublicKey> {
        let point = self.0.verifying_key().to_sec1_point(true);
        Ok(PublicKey::P256(point.as_bytes().try_into().unwrap()))
    }
    fn sign(&mut self, message: &[u8]) -> dmsc::error::Result<[u8; SIGNATURE_OCTETS]> {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        Ok(signature.to_bytes().into())
    }
}

#[test]
fn both_verifiers_know_seals_of_p256() {
    let mut signer = P256(p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap());
    let key = signer.public_key().unwrap().to_string();
    let (file, own) = journal("audit-p256", 3, Some(&mut signer));
    let ran = verify(&file, &["--key", &key, "--json"]).good();
    assert_eq!(ran.lines()[0]["keys"][0], key);
    let (code, said) = other(&file, &["--key", &key]);
    assert!(code == 0 && said.starts_with("ok 1 5 "), "{said}");
    verify(&file, &["--key", &own]).failed("DMSC_ERR_AUDIT");
    assert_eq!(other(&file, &["--key", &own]), (1, "record 5: signed with another key\n".into()));
    // A digit of the signature, and the same signature with the other of its two values of `s`.
    let good = fs::read_to_string(&file).unwrap();
    let (start, signature) = good.trim_end().strip_suffix("\"}").unwrap().rsplit_once('"').unwrap();
    let parts = dmsc::bytes::hex::decode(signature).unwrap();
    let parts = p256::ecdsa::Signature::from_slice(&parts).unwrap();
    let twin = p256::ecdsa::Signature::from_scalars(parts.r(), -parts.s()).unwrap();
    let twin = dmsc::bytes::hex::encode(&twin.to_bytes()).to_ascii_lowercase();
    let flipped =
        format!("{}{}", if signature.starts_with('0') { '1' } else { '0' }, &signature[1..]);
    for bad in [twin, flipped] {
        fs::write(&file, format!("{start}\"{bad}\"}}\n")).unwrap();
        let ran = verify(&file, &["--key", &key]).failed("DMSC_ERR_AUDIT");
        assert!(ran.stderr.contains("record 5: its signature is wrong"), "{}", ran.stderr);
        assert_eq!(
            other(&file, &["--key", &key]),
            (1, "record 5: its signature is wrong\n".into())
        );
    }
}

#[test]
fn show_is_for_people_and_reveal_proves_a_value() {
    let store = phone("audit-show");
    let shown = dmsc(&["audit", "show", "--store", &store]).good().stdout;
    let line = shown.lines().find(|line| line.contains("uri=./Operator/Apn")).unwrap();
    let seq = line.split_whitespace().next().unwrap();
    let key = dmsc(&["audit", "reveal", "--store", &store, seq]).good().stdout;
    let (file, ..) = export(&store);
    let text = fs::read_to_string(file).unwrap();
    let record: Value =
        serde_json::from_str(text.lines().nth(seq.parse::<usize>().unwrap() - 1).unwrap()).unwrap();
    let proof = "import sys,hmac,hashlib;k,v=sys.argv[1:];print(hmac.new(bytes.fromhex(k),hashlib.sha256(v.encode()).digest(),'sha256').hexdigest())";
    let output = Command::new("python3").args(["-c", proof, key.trim(), "internet"]).output();
    let proved = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(record["after"], proved.trim());
}

#[test]
fn what_is_missing_is_said() {
    let store = fresh("audit-none");
    dmsc(&["audit", "show", "--store", &store]).failed("DMSC_ERR_STORAGE_IO");
    verify("/no/such/file", &[]).failed("DMSC_ERR_INVALID_ARG");
    let empty = format!("{}/empty", phone("audit-empty"));
    fs::write(&empty, "").unwrap();
    verify(&empty, &[]).failed("DMSC_ERR_AUDIT");
    assert_eq!(verify(&empty, &["--key", "12"]).code, 2);
}

#[test]
fn no_secret_of_the_card_is_in_the_export_or_in_the_store_file() {
    let store = phone("audit-secrets");
    let (file, ..) = export(&store);
    let mut files = vec![file];
    let entries = fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
    files.extend(
        entries.filter(|path| is_the_phones(path)).map(|path| path.to_str().unwrap().to_owned()),
    );
    assert!(files.len() > 1);
    for file in files {
        let octets = fs::read(&file).unwrap();
        for secret in SECRETS {
            let found = octets.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {file}");
        }
    }
}

/// The simulated card keeps its own memory in the same directory.
fn is_the_phones(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension == "redb")
}
