//! `dmsc audit ...`: the journal of a store, and the verification of what was exported from one.

use crate::output::{Output, hex, printable};
use crate::store;
use clap::{Args, Subcommand};
use dmsc::audit::{self, Hash, Journal, PublicKey, Verified};
use dmsc::error::{Code, Error, Result};
use dmsc::store::Database;
use dmsc::time::Now;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Prints the records of the journal, oldest first
    Show(StoreArguments),
    /// Prints the journal as JSON Lines (docs/audit.md), signed up to its end
    Export(StoreArguments),
    /// Prints the public key of the journal and the hash of its last record
    Key(StoreArguments),
    /// Prints the key of the value hashes in one record, to prove which values it means
    Reveal(RevealArguments),
    /// Verifies an export; needs neither the device nor its store
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub(crate) struct StoreArguments {
    /// Directory of the phone's store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RevealArguments {
    /// Directory of the phone's store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Number of the record
    seq: u64,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The export
    file: PathBuf,
    /// Public key that may have signed: 64 hexadecimal digits (Ed25519) or 66 (P-256), or a file with them.
    /// Without it any key may
    #[arg(long, value_name = "PUB", value_parser = public_key)]
    key: Vec<PublicKey>,
    /// Hash of a record that has to be there, as node ./Ext/DMSC/Audit/Head gives it
    #[arg(long, value_name = "HASH", value_parser = octets)]
    head: Option<Hash>,
}

/// The digits of an argument, which may be in a file.
fn given(text: &str) -> std::result::Result<String, String> {
    match Path::new(text).is_file() {
        true => fs::read_to_string(text).map_err(|error| error.to_string()),
        false => Ok(text.to_owned()),
    }
}

fn public_key(text: &str) -> std::result::Result<PublicKey, String> {
    PublicKey::from_hex(given(text)?.trim()).ok_or_else(|| {
        "neither 64 or 66 hexadecimal digits of a key nor a file with them".to_owned()
    })
}

fn octets(text: &str) -> std::result::Result<Hash, String> {
    let octets = dmsc::bytes::hex::decode(given(text)?.trim()).ok();
    octets
        .and_then(|octets| octets.try_into().ok())
        .ok_or_else(|| "neither 64 hexadecimal digits nor a file with them".to_owned())
}

pub(crate) fn run(command: &AuditCommand, output: &Output) -> Result<()> {
    match command {
        AuditCommand::Show(arguments) => show(arguments, output),
        AuditCommand::Export(arguments) => {
            output.write(&export(&existing(&arguments.store)?)?);
            Ok(())
        }
        AuditCommand::Key(arguments) => key(arguments, output),
        AuditCommand::Reveal(arguments) => {
            let key = audit::reveal(&existing(&arguments.store)?.read()?, arguments.seq)?;
            let key = digits(key.expose());
            output.show(|| key.clone(), || json!({ "seq": arguments.seq, "key": key }));
            Ok(())
        }
        AuditCommand::Verify(arguments) => verify(arguments, output),
    }
}

/// The store in `directory`, if there is a journal in it.
fn existing(directory: &Path) -> Result<Database> {
    let db = store::existing(directory)?;
    match audit::head(&db.read()?)? {
        Some(_) => Ok(db),
        None => {
            let text = format!("{}: there is no journal", directory.display());
            Err(Error::new(Code::State, text))
        }
    }
}

fn digits(octets: &[u8]) -> String {
    hex(octets).to_ascii_lowercase()
}

/// Signs what is not signed, unless somebody else than the journal's own key has signed so far.
fn export(db: &Database) -> Result<Vec<u8>> {
    let view = db.read()?;
    let (records, head) = (audit::export(&view)?, audit::head(&view)?);
    let signers = audit::verify(&records, &[], head.as_ref()).map(|verified| verified.keys);
    let own = audit::public_key(&view)?;
    drop(view);
    if signers.is_ok_and(|keys| keys.last().copied().or(own) == own) {
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let now = Now { mono_ms: 0, unix_s: i64::try_from(unix_s).unwrap_or(i64::MAX) };
        let mut txn = db.begin()?;
        if let Some(mut journal) = Journal::existing(&mut txn, now)? {
            journal.seal(None)?;
        }
        txn.commit()?;
    }
    audit::export(&db.read()?)
}

fn key(arguments: &StoreArguments, output: &Output) -> Result<()> {
    let db = existing(&arguments.store)?;
    let view = db.read()?;
    let key = audit::public_key(&view)?.map_or_else(String::new, |key| key.to_string());
    let head = digits(&audit::head(&view)?.unwrap_or_default());
    output.show(|| format!("key  {key}\nhead {head}"), || json!({ "key": key, "head": head }));
    Ok(())
}

fn show(arguments: &StoreArguments, output: &Output) -> Result<()> {
    let db = existing(&arguments.store)?;
    let records = audit::export(&db.read()?)?;
    for line in String::from_utf8_lossy(&records).lines() {
        let record: Value = serde_json::from_str(line).map_err(|error| {
            Error::new(Code::StorageCorrupt, format!("audit: a record is damaged: {error}"))
        })?;
        output.show(|| text(&record), || record.clone());
    }
    Ok(())
}

/// A record in one line: number, time, kind, and the rest without hashes' full length.
fn text(record: &Value) -> String {
    let member = |name: &str| record.get(name).map_or_else(String::new, shown);
    let rest = record.as_object().into_iter().flat_map(Map::iter);
    let rest: Vec<String> = rest
        .filter(|(name, _)| !matches!(name.as_str(), "seq" | "prev" | "time" | "kind"))
        .map(|(name, value)| format!("{name}={}", shown(value)))
        .collect();
    let (seq, time, kind) = (member("seq"), member("time"), member("kind"));
    format!("{seq:>6} {time} {kind:<13} {}", rest.join(" "))
}

/// Hashes, keys and signatures are cut: they are for programs.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() >= 64 && text.bytes().all(|c| c.is_ascii_hexdigit()) => {
            format!("{}…", text.get(..12).unwrap_or(text))
        }
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    }
}

fn verify(arguments: &VerifyArguments, output: &Output) -> Result<()> {
    let file = arguments.file.display();
    let records = fs::read(&arguments.file)
        .map_err(|error| Error::new(Code::InvalidArg, format!("{file}: {error}")))?;
    let verified = audit::verify(&records, &arguments.key, arguments.head.as_ref())
        .map_err(|broken| Error::new(Code::Audit, format!("{file}: {broken}")))?;
    let Verified { first, last, head, signed, keys } = verified;
    let (head, keys): (_, Vec<String>) =
        (digits(&head), keys.iter().map(PublicKey::to_string).collect());
    output.show(
        || {
            let note = if arguments.key.is_empty() { "; is that the device's key?" } else { "" };
            let (count, keys) = (last + 1 - first, keys.join(", "));
            format!(
                "good: {count} records, {first} to {last}; signed to {signed} with {keys}{note}\nhead {head}"
            )
        },
        || json!({ "first": first, "last": last, "signed": signed, "head": head, "keys": keys }),
    );
    Ok(())
}
