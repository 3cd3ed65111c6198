//! The journal in the store: appending, signing, rotation, and reading it back.

use super::entry::{Entry, keyed};
use super::line::{Line, SIGNATURE, lower};
use super::signer::{Ed25519, Signer};
use super::verify::DOMAIN;
use super::{Hash, PublicKey, hash};
use crate::bytes::pack::Unpack;
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::{Reader, Table, Txn};
use crate::time::Now;
use std::fmt;
use std::ops::ControlFlow;
use zeroize::Zeroizing;

/// Version of the form of records, state and keys.
const FORM: u8 = 1;
/// Key of the state; records have eight octets.
const STATE: &[u8] = b"state";
/// Where the journal's own keys are: sealed, under a key that is no node's.
const KEYS: (Table, &[u8]) = (Table::Secret, b"\0audit");

/// Where the journal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    /// Number of the last record.
    last: u64,
    /// Hash of the last record.
    head: Hash,
    /// Number of the first record that is kept.
    first: u64,
    /// Number of the last record that is signed.
    signed: u64,
    /// Octets of the records that are kept, with their line feeds.
    octets: u64,
    /// Octets that may be kept.
    limit: u64,
}

/// Where the journal stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Number of the first record that is kept.
    pub first: u64,
    /// Number of the last record; 0 for an empty journal.
    pub last: u64,
    /// Number of the last record that is signed.
    pub signed: u64,
    /// Octets of an export.
    pub octets: u64,
}

/// The journal, open for writing in one transaction.
pub struct Journal<'t> {
    txn: &'t mut Txn,
    now: Now,
    state: State,
    keys: Secret,
    /// Octets written so far.
    written: u64,
}

impl fmt::Debug for Journal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("state", &self.state).finish_non_exhaustive()
    }
}

impl<'t> Journal<'t> {
    /// Opens the journal of the store; begins it, with keys of its own, if there is none.
    ///
    /// Errors: `StorageCorrupt`; what the store gives.
    pub fn open(txn: &'t mut Txn, random: &mut dyn Random, now: Now) -> Result<Self> {
        if let Some((state, keys)) = stored(txn)? {
            return Ok(Self { txn, now, state, keys, written: 0 });
        }
        let mut keys = vec![0; 64];
        random.fill(&mut keys);
        let keys = Secret::new(keys);
        txn.put(KEYS.0, KEYS.1, keys.expose().to_vec());
        let limit = limits::AUDIT_OCTETS;
        let state = State { last: 0, head: [0; 32], first: 1, signed: 0, octets: 0, limit };
        let mut journal = Self { txn, now, state, keys, written: 0 };
        let mut line = journal.line("start");
        line.number("version", FORM.into());
        journal.write(line.finish());
        Ok(journal)
    }

    /// Opens the journal of the store, if there is one.
    ///
    /// Errors: as for [`open`](Self::open).
    pub fn existing(txn: &'t mut Txn, now: Now) -> Result<Option<Self>> {
        Ok(stored(txn)?.map(|(state, keys)| Self { txn, now, state, keys, written: 0 }))
    }

    /// Bounds the journal to so many octets; the oldest records above that are dropped.
    pub fn set_limit(&mut self, octets: u64) -> Result<()> {
        let limit = octets.max(limits::AUDIT_OCTETS_MIN);
        if self.state.limit != limit {
            self.state.limit = limit;
            self.keep_bound()?;
            self.store();
        }
        Ok(())
    }

    /// Octets that the commands of one session may take.
    pub fn share(&self) -> u64 {
        self.state.limit / limits::AUDIT_SHARES
    }

    /// Octets that were written since it was opened here.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds a record; its number.
    pub fn append(&mut self, entry: &Entry) -> Result<u64> {
        let mut line = self.line(entry.kind());
        let key = record_key(&self.keys, self.state.last + 1);
        entry.write(&mut line, &key);
        self.write(line.finish());
        self.keep_bound()?;
        Ok(self.state.last)
    }

    /// Signs everything since the last signature, with the journal's own key if `signer` is `None`.
    /// Nothing is written when there is nothing to sign.
    ///
    /// Errors: what the signer gives, `Audit` if its signature is wrong; then the next seal covers these records as well.
    pub fn seal(&mut self, signer: Option<&mut dyn Signer>) -> Result<()> {
        if self.state.signed == self.state.last {
            return Ok(());
        }
        // Before, so that a checkpoint is signed as well.
        self.keep_bound()?;
        let mut own = None;
        let signer = match signer {
            Some(signer) => signer,
            None => own.insert(own_signer(&self.keys)?),
        };
        let mut line = self.line("seal");
        let key = signer.public_key()?;
        if let Some(algorithm) = key.algorithm() {
            line.text("alg", algorithm);
        }
        line.text("key", &key.to_string());
        let message = [DOMAIN, line.open().as_bytes()].concat();
        let signature = key.normalized(signer.sign(&message)?);
        if !key.verifies(&message, &signature) {
            return Err(Error::new(Code::Audit, "the signer's signature does not fit its key"));
        }
        let octets = format!("{}{SIGNATURE}{}\"}}", line.open(), lower(&signature));
        self.state.signed = self.state.last + 1;
        self.write(octets.into_bytes());
        Ok(())
    }

    /// Drops the records up to number `seq`, for example because they were exported; a checkpoint notes
    /// where the chain goes on. Nothing happens if they are dropped already.
    ///
    /// Errors: `InvalidArg` if there is no record of that number yet.
    pub fn discard(&mut self, seq: u64) -> Result<()> {
        if seq > self.state.last {
            let what = format!("audit: there is no record {seq} yet");
            return Err(Error::new(Code::InvalidArg, what));
        }
        self.drop_while(|state| state.first <= seq)
    }

    fn line(&self, kind: &str) -> Line {
        Line::new(self.state.last + 1, &self.state.head, self.now.unix_s, kind)
    }

    fn write(&mut self, octets: Vec<u8>) {
        self.state.last += 1;
        self.state.head = hash(&octets);
        self.state.octets += octets.len() as u64 + 1;
        self.written += octets.len() as u64 + 1;
        self.txn.put(Table::Audit, &self.state.last.to_be_bytes(), octets);
        self.store();
    }

    fn store(&mut self) {
        let octets = self.state.encode();
        self.txn.put(Table::Audit, STATE, octets);
    }

    /// A quarter is dropped at once, so that not every record brings a checkpoint with it.
    fn keep_bound(&mut self) -> Result<()> {
        if self.state.octets <= self.state.limit {
            return Ok(());
        }
        self.drop_while(|state| state.octets > state.limit / 4 * 3 && state.first < state.last)
    }

    fn drop_while(&mut self, more: impl Fn(&State) -> bool) -> Result<()> {
        let mut last_dropped = None;
        while more(&self.state) {
            let key = self.state.first.to_be_bytes();
            let missing = || damaged("a record is missing");
            let record = self.txn.get(Table::Audit, &key)?.ok_or_else(missing)?.into_owned();
            self.txn.delete(Table::Audit, &key);
            self.state.octets = self.state.octets.saturating_sub(record.len() as u64 + 1);
            self.state.first += 1;
            last_dropped = Some(hash(&record));
        }
        if let Some(before) = last_dropped {
            let mut line = self.line("checkpoint");
            line.number("first", self.state.first);
            line.hex("before", &before);
            self.write(line.finish());
        }
        Ok(())
    }
}

/// True if the store has a journal.
///
/// Errors: what the store gives.
pub fn is_kept(reader: &dyn Reader) -> Result<bool> {
    Ok(reader.get(Table::Audit, STATE)?.is_some())
}

/// The records that are kept as JSON Lines, oldest first. Empty if there is no journal.
pub fn export(reader: &dyn Reader) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.scan(Table::Audit, &[], &[], &mut |key, record| {
        if key.len() == size_of::<u64>() {
            out.extend_from_slice(record);
            out.push(b'\n');
        }
        ControlFlow::Continue(())
    })?;
    Ok(out)
}

/// Hash of the last record; `None` if there is no journal.
pub fn head(reader: &dyn Reader) -> Result<Option<Hash>> {
    Ok(state(reader)?.map(|state| state.head))
}

/// [`head`] as the value of a node: 64 hexadecimal digits, zeros if there is no journal.
pub fn head_value(reader: &dyn Reader) -> Result<Vec<u8>> {
    Ok(lower(&head(reader)?.unwrap_or_default()).into_bytes())
}

/// Where the journal stands.
pub fn summary(reader: &dyn Reader) -> Result<Summary> {
    Ok(state(reader)?.map_or_else(Summary::default, |state| Summary {
        first: state.first,
        last: state.last,
        signed: state.signed,
        octets: state.octets,
    }))
}

/// The public key of the journal's own signer; `None` if there is no journal.
pub fn public_key(reader: &dyn Reader) -> Result<Option<PublicKey>> {
    keys(reader)?.map(|keys| own_signer(&keys)?.public_key()).transpose()
}

/// The key of the value hashes in record `seq`. Whoever has it can check which values that record means
/// and, for short ones, find them by trying; it says nothing about other records.
///
/// Errors: `State` if there is no journal.
pub fn reveal(reader: &dyn Reader, seq: u64) -> Result<Secret> {
    let keys = keys(reader)?.ok_or_else(|| Error::new(Code::State, "there is no journal"))?;
    Ok(Secret::new(*record_key(&keys, seq)))
}

fn damaged(what: &str) -> Error {
    Error::new(Code::StorageCorrupt, format!("audit: {what}"))
}

fn keys(reader: &dyn Reader) -> Result<Option<Secret>> {
    let Some(keys) = reader.get(KEYS.0, KEYS.1)? else { return Ok(None) };
    if keys.len() != 64 {
        return Err(damaged("its keys are damaged"));
    }
    Ok(Some(Secret::new(keys)))
}

/// The first half is the key of the value hashes, the second the seed of the signing key.
fn own_signer(keys: &Secret) -> Result<Ed25519> {
    let seed = Secret::new(keys.expose().get(32..).unwrap_or_default());
    Ed25519::from_seed(&seed).ok_or_else(|| damaged("its keys are damaged"))
}

fn record_key(keys: &Secret, seq: u64) -> Zeroizing<[u8; 32]> {
    let master = keys.expose().first_chunk().unwrap_or(&[0; 32]);
    Zeroizing::new(keyed(master, &seq.to_be_bytes()))
}

fn stored(reader: &dyn Reader) -> Result<Option<(State, Secret)>> {
    let Some(state) = state(reader)? else { return Ok(None) };
    let keys = keys(reader)?.ok_or_else(|| damaged("its keys are missing"))?;
    Ok(Some((state, keys)))
}

fn state(reader: &dyn Reader) -> Result<Option<State>> {
    let Some(record) = reader.get(Table::Audit, STATE)? else { return Ok(None) };
    State::decode(&record).map(Some).ok_or_else(|| damaged("its state is damaged"))
}

impl State {
    fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        out.extend_from_slice(&self.head);
        for number in [self.last, self.first, self.signed, self.octets, self.limit] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out
    }

    fn decode(record: &[u8]) -> Option<Self> {
        let mut input = Unpack(record);
        let [FORM] = input.array()? else { return None };
        let head = input.array()?;
        let mut number = || input.array().map(u64::from_be_bytes);
        let (last, first, signed) = (number()?, number()?, number()?);
        let (octets, limit) = (number()?, number()?);
        input.end(Self { last, head, first, signed, octets, limit })
    }
}
