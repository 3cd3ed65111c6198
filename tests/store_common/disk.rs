//! A disk in memory that fails, or loses power, at a chosen write or sync.

use super::dice::Dice;
use dmsc::store::redb::StorageBackend;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// What happens at the operation with the number that is planned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails with this error, once.
    Once(ErrorKind),
    /// It and all after it fail.
    Off,
}

#[derive(Debug)]
enum Write {
    Octets(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
struct Platter {
    /// What has been synced.
    durable: Vec<u8>,
    /// What a reader sees.
    seen: Vec<u8>,
    /// Writes since the last sync.
    unsynced: Vec<Write>,
    /// Writes and syncs so far.
    operations: usize,
    syncs: usize,
    /// Octets read so far.
    read: usize,
    plan: Option<(usize, Fault)>,
}

/// Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    /// From now on the operation `number` operations ahead meets the fault.
    pub(crate) fn plan(&self, number: usize, fault: Fault) {
        let mut platter = self.platter();
        platter.plan = Some((platter.operations + number, fault));
    }

    pub(crate) fn heal(&self) {
        self.platter().plan = None;
    }

    pub(crate) fn operations(&self) -> usize {
        self.platter().operations
    }

    pub(crate) fn syncs(&self) -> usize {
        self.platter().syncs
    }

    pub(crate) fn octets_read(&self) -> usize {
        self.platter().read
    }

    pub(crate) fn octets(&self) -> usize {
        self.platter().seen.len()
    }

    /// What the disk may hold when the power comes back: what was synced and, of the writes after it, none
    /// for `subset` 0, all for 1, else of each nothing, the first half or all.
    pub(crate) fn after_power_loss(&self, subset: u64, dice: &mut Dice) -> Self {
        let platter = self.platter();
        let mut octets = platter.durable.clone();
        for write in &platter.unsynced {
            let landed = match subset {
                0 => 0,
                1 => 2,
                _ => dice.below(3),
            };
            match (write, landed) {
                (_, 0) => {}
                (Write::Octets(at, data), 1) => land(&mut octets, *at, &data[..data.len() / 2]),
                (Write::Octets(at, data), _) => land(&mut octets, *at, data),
                (Write::Length(length), _) => octets.resize(*length, 0),
            }
        }
        Self(Arc::new(Mutex::new(Platter {
            durable: octets.clone(),
            seen: octets,
            ..Platter::default()
        })))
    }

    /// An independent copy.
    pub(crate) fn copy(&self) -> Self {
        let seen = self.platter().seen.clone();
        Self(Arc::new(Mutex::new(Platter { durable: seen.clone(), seen, ..Platter::default() })))
    }
}

/// A write beyond the end makes the disk longer.
fn land(octets: &mut Vec<u8>, at: usize, data: &[u8]) {
    if octets.len() < at + data.len() {
        octets.resize(at + data.len(), 0);
    }
    octets[at..at + data.len()].copy_from_slice(data);
}

impl Platter {
    /// Counts an operation and says whether it goes well.
    fn operation(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        match self.plan {
            Some((at, Fault::Once(kind))) if number == at => Err(kind.into()),
            Some((at, Fault::Off)) if number >= at => Err(ErrorKind::BrokenPipe.into()),
            _ => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut platter = self.platter();
        platter.read += out.len();
        let at = offset as usize;
        let found = platter.seen.get(at..at + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.platter();
        platter.operation()?;
        platter.seen.resize(len as usize, 0);
        platter.unsynced.push(Write::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.platter();
        platter.syncs += 1;
        platter.operation()?;
        platter.durable = platter.seen.clone();
        platter.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.platter();
        let at = offset as usize;
        let done = platter.operation();
        // A write that fails may have begun.
        let written = if done.is_ok() { data } else { &data[..data.len() / 2] };
        land(&mut platter.seen, at, written);
        platter.unsynced.push(Write::Octets(at, written.to_vec()));
        done
    }
}
