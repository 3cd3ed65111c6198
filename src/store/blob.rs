//! A store over the host's own storage: one named blob that is loaded once and saved per commit, and one
//! more for each key.
//!
//! Owns the blob's format. Suits small trees; the cost of a commit grows with the tree.

use super::seal::KeySource;
use super::tables::{Committed, Tables};
use super::{Batch, Snapshot, Store, Table};
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// Name of the blob.
pub const BLOB_NAME: &str = "dmsc.tree";
/// First octets of a blob.
const MAGIC: [u8; 4] = *b"DMSC";
/// The octet after them: the blob's form.
const FORM: u8 = 1;
/// Octets of the digest at the end.
const DIGEST: usize = 32;

/// Named blobs kept by the host.
pub trait BlobStorage: Send + Sync {
    /// The blob's bytes, or `None` if there is no blob of that name.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>>;
    /// Replaces the blob atomically and durably.
    fn save(&self, name: &str, bytes: &[u8]) -> Result<()>;
    /// Removes the blob; it is no error if there is none.
    fn remove(&self, name: &str) -> Result<()>;
}

/// Keys as blobs `dmsc.key.NUMBER` in the host's storage.
pub struct BlobKeys(Arc<dyn BlobStorage>);

impl BlobKeys {
    /// The keys in `storage`.
    pub fn new(storage: Arc<dyn BlobStorage>) -> Self {
        Self(storage)
    }
}

impl fmt::Debug for BlobKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobKeys")
    }
}

fn key_name(number: u32) -> String {
    format!("dmsc.key.{number}")
}

impl KeySource for BlobKeys {
    fn load(&self, number: u32) -> Result<Option<Secret>> {
        Ok(self.0.load(&key_name(number))?.map(Secret::new))
    }

    fn make(&self, number: u32, random: Secret) -> Result<Secret> {
        self.0.save(&key_name(number), random.expose())?;
        Ok(random)
    }

    fn remove(&self, number: u32) -> Result<()> {
        self.0.remove(&key_name(number))
    }
}

/// Tables in memory with a copy in the host's storage.
pub struct BlobStore {
    storage: Arc<dyn BlobStorage>,
    tables: Tables,
}

impl BlobStore {
    /// Loads the blob, or begins empty.
    ///
    /// Errors: `StorageCorrupt` if the blob is damaged, `StorageVersion` if it has a newer form; what the
    /// host gives.
    pub fn open(storage: Arc<dyn BlobStorage>) -> Result<Self> {
        let entries = match storage.load(BLOB_NAME)? {
            Some(bytes) => decode(&bytes)?,
            None => Committed::new(),
        };
        Ok(Self { storage, tables: Tables::new(entries) })
    }

    /// Removes everything that was stored (factory reset).
    pub fn erase(storage: &dyn BlobStorage) -> Result<()> {
        storage.remove(BLOB_NAME)
    }
}

impl fmt::Debug for BlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobStore")
    }
}

impl Store for BlobStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(self.tables.snapshot()))
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        let bytes = encode(&self.tables.snapshot().0, batch)?;
        self.storage.save(BLOB_NAME, &bytes)?;
        self.tables.apply(batch.clone());
        Ok(())
    }
}

/// The blob of `entries` after `batch`: magic, entries (table, key, value with their lengths), digest.
fn encode(entries: &Committed, batch: &Batch) -> Result<Vec<u8>> {
    let mut out = [&MAGIC[..], &[FORM]].concat();
    for (table, entries) in entries.tables() {
        let mut batch = batch.table(table).iter().peekable();
        for (key, value) in entries {
            while let Some((new_key, new_value)) = batch.next_if(|(new_key, _)| *new_key < key) {
                append(&mut out, table, new_key, new_value.as_deref())?;
            }
            match batch.next_if(|(new_key, _)| *new_key == key) {
                Some((_, new_value)) => append(&mut out, table, key, new_value.as_deref())?,
                None => append(&mut out, table, key, Some(value))?,
            }
        }
        for (key, value) in batch {
            append(&mut out, table, key, value.as_deref())?;
        }
    }
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    Ok(out)
}

fn append(out: &mut Vec<u8>, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    out.push(table as u8);
    for part in [key, value] {
        let length = u32::try_from(part.len())
            .map_err(|_| Error::new(Code::TooLarge, "store: an entry exceeds 4 GiB"))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(part);
    }
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<Committed> {
    let damaged = |what: &str| {
        Error::new(Code::StorageCorrupt, format!("store: blob of {} octets {what}", bytes.len()))
    };
    let (body, digest) =
        bytes.split_last_chunk::<DIGEST>().ok_or_else(|| damaged("is too short"))?;
    let mut rest = match body.strip_prefix(&MAGIC).and_then(<[u8]>::split_first) {
        Some((&FORM, rest)) => rest,
        Some((form, _)) if *form > FORM => {
            let what = format!("store: blob of form {form}, this build reads {FORM}");
            return Err(Error::new(Code::StorageVersion, what));
        }
        _ => return Err(damaged("is no store")),
    };
    if Sha256::digest(body).as_slice() != digest {
        return Err(damaged("does not match its digest"));
    }
    let mut entries = Committed::new();
    while let Some((number, tail)) = rest.split_first() {
        let table = Table::from_number(*number).ok_or_else(|| damaged("names an unknown table"))?;
        let (key, tail) = part(tail).ok_or_else(|| damaged("ends inside a key"))?;
        let (value, tail) = part(tail).ok_or_else(|| damaged("ends inside a value"))?;
        entries.insert((table, key.to_vec()), value.to_vec());
        rest = tail;
    }
    Ok(entries)
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, tail) = bytes.split_first_chunk::<4>()?;
    tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}
