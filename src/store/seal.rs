//! Sealing of [`Table::Secret`]: XChaCha20-Poly1305 with the entry's key as associated data.
//!
//! Owns the form of a sealed value, the record of the key in use, and its rotation. Where keys are kept
//! a [`KeySource`] knows; which values are secret a [`Secrecy`] decides.

use super::{Batch, Snapshot, Table};
use crate::error::{Code, Error, Result};
use crate::random::Random;
use crate::secret::Secret;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use zeroize::Zeroize;

/// Octets of a key.
pub const KEY_OCTETS: usize = 32;
/// Number of the first key of a store.
const FIRST_KEY: u32 = 1;
/// Key in [`Table::Meta`] of the rules by which the store is sealed, sealed themselves.
const RECORD_KEY: &[u8] = b"seal";
/// First octet of a sealed value.
const FORM: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Where the keys of a store are kept, each under a number.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// The key with this number; `None` if there is none.
    ///
    /// Errors: `StorageKey` if it is there and cannot be used.
    fn load(&self, number: u32) -> Result<Option<Secret>>;
    /// Makes the key with this number, durable when it returns; one that is there is replaced.
    /// `random` are octets that may become the key.
    fn make(&self, number: u32, random: Secret) -> Result<Secret>;
    /// Forgets the key with this number; it is no error if there is none.
    fn remove(&self, number: u32) -> Result<()>;
}

/// The rules that say which values are secret. A rule that a store was once opened with stays.
pub trait Secrecy: Send + Sync {
    /// True if the value of the node with this key is secret.
    fn covers(&self, key: &[u8]) -> bool;
    /// Adds the rules that [`Self::record`] of an earlier opening gave.
    fn learn(&mut self, record: &[u8]) -> Result<()>;
    /// All rules.
    fn record(&self) -> Vec<u8>;
}

type Cipher = Arc<XChaCha20Poly1305>;

/// The open keys of a store.
pub(super) struct Vault {
    source: Arc<dyn KeySource>,
    secrecy: Box<dyn Secrecy>,
    random: Mutex<Box<dyn Random>>,
    ring: RwLock<Ring>,
}

/// A key with its number.
#[derive(Clone)]
pub(super) struct OpenKey(u32, Cipher);

/// A view that is older than a rotation reads with a key before the current one; one that is taken just
/// when a rotation is committed, with the key after it.
struct Ring {
    current: OpenKey,
    others: BTreeMap<u32, Cipher>,
}

fn key_error(what: String) -> Error {
    Error::new(Code::StorageKey, what)
}

fn damaged() -> Error {
    Error::new(Code::StorageCorrupt, "store: a sealed value is damaged")
}

/// Fails if the store is sealed; for those who bring no key.
pub(super) fn check_unsealed(snapshot: &dyn Snapshot) -> Result<()> {
    match snapshot.get(Table::Meta, RECORD_KEY)? {
        None => Ok(()),
        Some(_) => Err(key_error("store: its secrets are sealed, and no key was given".into())),
    }
}

impl Vault {
    /// Opens the key that the store was sealed with, or makes the first one. Adds to `batch` what seals
    /// values that are secret by these rules and lie open; true if there are any.
    pub(super) fn open(
        source: Arc<dyn KeySource>,
        mut secrecy: Box<dyn Secrecy>,
        mut random: Box<dyn Random>,
        snapshot: &dyn Snapshot,
        batch: &mut Batch,
    ) -> Result<(Self, bool)> {
        let record = snapshot.get(Table::Meta, RECORD_KEY)?;
        let (current, known) = match &record {
            None => {
                // A key that is there was made by an opening that came to nothing, or by the host.
                let key = match source.load(FIRST_KEY)? {
                    Some(key) => key,
                    None => source.make(FIRST_KEY, fresh(&mut *random))?,
                };
                (OpenKey::new(FIRST_KEY, &key)?, None)
            }
            Some(record) => {
                let number = number_of(record)?;
                let key = source.load(number)?.ok_or_else(|| missing(number))?;
                let key = OpenKey::new(number, &key)?;
                let known = unseal(&key.1, Table::Meta, RECORD_KEY, record).ok_or_else(|| {
                    key_error(format!("store: key {number} is not the one it is sealed with"))
                })?;
                secrecy.learn(&known)?;
                (key, Some(known))
            }
        };
        let ring = RwLock::new(Ring { current, others: BTreeMap::new() });
        let random = Mutex::new(random);
        let vault = Self { source, secrecy, random, ring };
        let rules = vault.secrecy.record();
        let is_news = known.as_ref() != Some(&rules);
        let moved = is_news && vault.take_in(snapshot, batch)?;
        if is_news {
            vault.put_record(&vault.current(), rules, batch);
        }
        Ok((vault, moved))
    }

    pub(super) fn covers(&self, key: &[u8]) -> bool {
        self.secrecy.covers(key)
    }

    /// Seals what is secret and lies open; true if there was any.
    fn take_in(&self, snapshot: &dyn Snapshot, batch: &mut Batch) -> Result<bool> {
        let mut found = false;
        snapshot.scan(Table::Value, b"", b"", &mut |key, value| {
            if self.covers(key) {
                found = true;
                let sealed = self.seal(Table::Secret, key, value.to_vec());
                batch.insert((Table::Value, key.to_vec()), None);
                batch.insert((Table::Secret, key.to_vec()), Some(sealed));
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn put_record(&self, key: &OpenKey, rules: Vec<u8>, batch: &mut Batch) {
        let sealed = self.seal_with(key, Table::Meta, RECORD_KEY, rules);
        batch.insert((Table::Meta, RECORD_KEY.to_vec()), Some(sealed));
    }

    fn current(&self) -> OpenKey {
        self.ring.read().current.clone()
    }

    /// The sealed form of `value`, which is wiped.
    pub(super) fn seal(&self, table: Table, key: &[u8], value: Vec<u8>) -> Vec<u8> {
        self.seal_with(&self.current(), table, key, value)
    }

    fn seal_with(&self, by: &OpenKey, table: Table, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
        let OpenKey(number, cipher) = by;
        let mut nonce = [0; NONCE];
        self.random.lock().fill(&mut nonce);
        let mut out = Vec::with_capacity(1 + 4 + NONCE + value.len() + TAG);
        out.push(FORM);
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&nonce);
        let head = out.len();
        out.extend_from_slice(&value);
        value.zeroize();
        let (_, text) = out.split_at_mut(head);
        let tag =
            cipher.encrypt_inout_detached(&nonce.into(), &associated(table, key), text.into());
        // It fails above 256 GiB only; without its tag the value never opens.
        out.extend_from_slice(&tag.unwrap_or_default());
        out
    }

    /// The value that was sealed under `key`.
    ///
    /// Errors: `StorageKey` for a key that is not open, `StorageCorrupt`.
    pub(super) fn unseal(&self, table: Table, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let number = number_of(sealed)?;
        let cipher = self.cipher(number).ok_or_else(|| missing(number))?;
        unseal(&cipher, table, key, sealed).ok_or_else(damaged)
    }

    fn cipher(&self, number: u32) -> Option<Cipher> {
        let ring = self.ring.read();
        let OpenKey(current, cipher) = &ring.current;
        if number == *current { Some(cipher.clone()) } else { ring.others.get(&number).cloned() }
    }

    /// Makes the next key, and the batch that seals everything with it.
    pub(super) fn reseal(&self, snapshot: &dyn Snapshot) -> Result<(OpenKey, Batch)> {
        let number = self.current().0.checked_add(1);
        let number =
            number.ok_or_else(|| key_error("store: no number for a key is left".into()))?;
        let octets = fresh(&mut **self.random.lock());
        let key = self.source.make(number, octets)?;
        let next = OpenKey::new(number, &key)?;
        let mut batch = Batch::new();
        let mut failed = None;
        snapshot.scan(Table::Secret, b"", b"", &mut |key, sealed| match self.unseal(
            Table::Secret,
            key,
            sealed,
        ) {
            Ok(value) => {
                let sealed = self.seal_with(&next, Table::Secret, key, value);
                batch.insert((Table::Secret, key.to_vec()), Some(sealed));
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        self.put_record(&next, self.secrecy.record(), &mut batch);
        failed.map_or(Ok((next, batch)), Err)
    }

    /// Opens what is sealed with `next`, which is going to be committed.
    pub(super) fn admit(&self, next: &OpenKey) {
        let OpenKey(number, cipher) = next.clone();
        self.ring.write().others.insert(number, cipher);
    }

    /// Seals with `next` from now on.
    pub(super) fn switch(&self, next: OpenKey) {
        let mut ring = self.ring.write();
        let OpenKey(number, cipher) = std::mem::replace(&mut ring.current, next);
        ring.others.insert(number, cipher);
    }

    /// Forgets the key before the current one, outside this process.
    pub(super) fn forget_previous(&self) -> Result<()> {
        match self.current().0.checked_sub(1) {
            None | Some(0) => Ok(()),
            Some(previous) => self.source.remove(previous),
        }
    }
}

fn fresh(random: &mut dyn Random) -> Secret {
    let mut key = vec![0; KEY_OCTETS];
    random.fill(&mut key);
    Secret::new(key)
}

fn missing(number: u32) -> Error {
    key_error(format!("store: key {number}, which it is sealed with, is missing"))
}

impl OpenKey {
    fn new(number: u32, key: &Secret) -> Result<Self> {
        let cipher = XChaCha20Poly1305::new_from_slice(key.expose()).map_err(|_| {
            let octets = key.expose().len();
            key_error(format!("store: key {number} has {octets} octets instead of {KEY_OCTETS}"))
        })?;
        Ok(Self(number, Arc::new(cipher)))
    }
}

/// What a sealed value is bound to: it opens at its own place only.
fn associated(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table as u8], key].concat()
}

fn number_of(sealed: &[u8]) -> Result<u32> {
    match sealed.split_first_chunk::<5>() {
        Some(([FORM, number @ ..], _)) => Ok(u32::from_be_bytes(*number)),
        _ => Err(damaged()),
    }
}

fn unseal(cipher: &XChaCha20Poly1305, table: Table, key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let rest = sealed.get(5..)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
    let (text, tag) = rest.split_last_chunk::<TAG>()?;
    let (nonce, tag): (XNonce, Tag) = ((*nonce).into(), (*tag).into());
    let mut value = text.to_vec();
    let associated = associated(table, key);
    let opened =
        cipher.decrypt_inout_detached(&nonce, &associated, value.as_mut_slice().into(), &tag);
    opened.is_ok().then_some(value)
}
