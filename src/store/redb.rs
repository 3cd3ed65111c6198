//! The built-in store: one redb file in a directory of the host's choice.
//!
//! Owns file, permissions, locking, and the translation of redb's errors. redb may panic on a file
//! that was altered behind its back; here that becomes `StorageCorrupt`.

use super::{Batch, Snapshot, Store, Table, Visit, private};
use crate::error::{Code, Error, Result};
use ::redb::{
    Builder, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition,
};
use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::fs;
use std::mem::ManuallyDrop;
use std::ops::{Bound, Deref};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use ::redb::StorageBackend;

/// Name of the file.
pub const FILE_NAME: &str = "dmsc.redb";
/// Name of the file while it is written anew.
const DRAFT_NAME: &str = "dmsc.redb.new";
/// Octets of pages redb may keep in memory.
const CACHE_OCTETS: usize = 4 * 1024 * 1024;

/// Octets of a file up to which all of it is verified when it is opened. redb trusts a larger one: what was
/// altered in it shows when it is read, or not at all.
const VERIFIED_OCTETS: u64 = 4 * 1024 * 1024;

type Bytes = &'static [u8];
type OpenTable = ReadOnlyTable<Bytes, Bytes>;
type Redb<T> = core::result::Result<T, ::redb::Error>;

/// Tables in a redb file, locked against other processes while open.
pub struct RedbStore {
    medium: Medium,
    /// `None` after a failed commit, until the medium is opened again.
    open: Mutex<Option<Open>>,
    /// Files that were written anew and that a view still reads.
    retired: Mutex<Vec<Open>>,
}

/// What the tables are on.
enum Medium {
    /// `dmsc.redb` in this directory.
    Directory(PathBuf),
    /// Whatever this opens.
    Backend(Box<dyn Fn() -> Redb<(Database, u64)> + Send + Sync>),
}

/// An open medium; its views share `views`.
struct Open {
    database: Guarded<Database>,
    /// Octets of the medium when it was opened.
    octets: u64,
    /// True if the file does not say which pages are in use: after a kill it is read whole.
    unsettled: Cell<bool>,
    views: Arc<()>,
}

impl RedbStore {
    /// Opens `dmsc.redb` in `directory`; creates both if missing, readable by their owner alone.
    ///
    /// Errors: `Busy` if another process or handle has it open, `StorageCorrupt` if the file is
    /// damaged or no store, `StorageFull`, else `StorageIo`.
    pub fn open(directory: &Path) -> Result<Self> {
        let open = first_open(directory)?;
        Ok(Self::new(Medium::Directory(directory.to_owned()), open))
    }

    /// Opens what `backend` gives; it is asked again after a failed commit. What is replaced or deleted
    /// may stay readable there until it is overwritten.
    ///
    /// Errors: as [`Self::open`].
    pub fn with_backend<B: StorageBackend>(
        backend: impl Fn() -> B + Send + Sync + 'static,
    ) -> Result<Self> {
        let open = move || {
            let backend = backend();
            let octets = backend.len()?;
            Ok((builder(octets).create_with_backend(backend)?, octets))
        };
        let medium = Medium::Backend(Box::new(open));
        let open = medium.open()?;
        Ok(Self::new(medium, open))
    }

    fn new(medium: Medium, open: Open) -> Self {
        Self { medium, open: Mutex::new(Some(open)), retired: Mutex::new(Vec::new()) }
    }

    /// Runs `work` on the open database; opens it first if a commit had failed.
    fn with<T>(&self, work: impl FnOnce(&Open) -> Result<T>) -> Result<T> {
        self.retired.lock().retain(|open| Arc::strong_count(&open.views) > 1);
        let mut slot = self.open.lock();
        let open = match slot.take() {
            Some(open) => open,
            None => self.medium.open()?,
        };
        work(slot.insert(open))
    }

    /// As [`Self::with`], for what writes.
    fn changing(&self, work: impl FnOnce(&Open) -> Result<()>) -> Result<()> {
        let done = self.with(work);
        if done.is_err() {
            // redb refuses to write after a failed commit; opening again repairs the file.
            self.open.lock().take();
        }
        done
    }
}

impl Medium {
    fn open(&self) -> Result<Open> {
        match self {
            Self::Directory(directory) => Open::file(&directory.join(FILE_NAME)),
            Self::Backend(open) => guard(open).map(Open::new),
        }
    }

    /// How large it is, as far as that can be told.
    fn octets(&self, open: &Open) -> u64 {
        match self {
            Self::Directory(directory) => {
                fs::metadata(directory.join(FILE_NAME)).map_or(open.octets, |found| found.len())
            }
            Self::Backend(_) => open.octets,
        }
    }
}

impl Open {
    fn new((database, octets): (Database, u64)) -> Self {
        Self {
            database: Guarded::new(database),
            octets,
            unsettled: Cell::new(false),
            views: Arc::default(),
        }
    }

    fn file(path: &Path) -> Result<Self> {
        let open = || {
            let octets = fs::metadata(path)?.len();
            Ok((builder(octets).create(path)?, octets))
        };
        guard(open).map(Self::new).map_err(|error| error.context(path.display()))
    }
}

/// For a medium of this length.
fn builder(octets: u64) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_OCTETS);
    builder.set_check_integrity_on_open(octets <= VERIFIED_OCTETS);
    builder
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = match &self.medium {
            Medium::Directory(directory) => Some(directory),
            Medium::Backend(_) => None,
        };
        f.debug_struct("RedbStore").field("directory", &directory).finish_non_exhaustive()
    }
}

impl Store for RedbStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.with(|open| {
            let transaction = Guarded::new(guard(|| Ok(open.database.begin_read()?))?);
            let (tables, views) = (Guarded::new(Default::default()), open.views.clone());
            Ok(Box::new(View { transaction, tables, _views: views }) as Box<dyn Snapshot>)
        })
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        self.changing(|open| {
            open.unsettled.set(true);
            guard(|| write(&open.database, batch))
        })
    }

    /// Notes in a large file which pages are in use. A small one is read whole at each opening anyway.
    fn settle(&self) -> Result<()> {
        self.changing(|open| {
            if !open.unsettled.replace(false) || self.medium.octets(open) <= VERIFIED_OCTETS {
                return Ok(());
            }
            guard(|| note_pages(&open.database))
        })
    }

    /// Copies the content into a new file that takes the place of the old one.
    fn scrub(&self) -> Result<()> {
        let Medium::Directory(directory) = &self.medium else { return Ok(()) };
        let mut slot = self.open.lock();
        let old = match slot.take() {
            Some(open) => open,
            None => self.medium.open()?,
        };
        let renewed = new_file(directory, |new| copy(&old.database, new));
        let (kept, done) = match renewed {
            Ok(renewed) => {
                self.retired.lock().push(old);
                (renewed, Ok(()))
            }
            Err(error) => (old, Err(error)),
        };
        *slot = Some(kept);
        done
    }
}

/// Opens the file in `directory`. One that is not there is made under another name, so that a process
/// that ends meanwhile leaves none that cannot be opened.
fn first_open(directory: &Path) -> Result<Open> {
    let path = directory.join(FILE_NAME);
    let failed = |error| private::failed(&error).context(path.display());
    private::directory(directory).map_err(failed)?;
    let file = private::options().create(true).truncate(false).open(&path).map_err(failed)?;
    private::restrict(&file).map_err(failed)?;
    let is_empty = || fs::metadata(&path).map(|found| found.len() == 0).map_err(failed);
    if is_empty()? {
        // Held until the name stands for the new file: nobody else makes one.
        file.try_lock().map_err(|_| failed_busy(&path))?;
        if is_empty()? {
            return new_file(directory, |_| Ok(()));
        }
    }
    drop(file);
    Open::file(&path)
}

fn failed_busy(path: &Path) -> Error {
    Error::new(Code::Busy, format!("{}: store: another process makes it", path.display()))
}

/// Makes a file, has it filled, and puts it in the place of the one in `directory`.
fn new_file(directory: &Path, fill: impl FnOnce(&Database) -> Result<()>) -> Result<Open> {
    let (path, draft) = (directory.join(FILE_NAME), directory.join(DRAFT_NAME));
    let failed = |error| private::failed(&error).context(draft.display());
    private::remove(&draft).map_err(failed)?;
    private::options().create_new(true).open(&draft).map_err(failed)?;
    let new = Open::file(&draft)?;
    fill(&new.database).map_err(|error| error.context(draft.display()))?;
    fs::rename(&draft, &path).map_err(failed)?;
    private::sync_directory(directory).map_err(failed)?;
    Ok(new)
}

/// Writes everything that `old` holds into `new`.
fn copy(old: &Database, new: &Database) -> Result<()> {
    guard(|| {
        let (from, to) = (old.begin_read()?, new.begin_write()?);
        for table in Table::ALL {
            let Some(from) = existing(&from, table)? else { continue };
            let mut to = to.open_table(definition(table))?;
            for entry in from.range::<&[u8]>(..)? {
                let (key, value) = entry?;
                to.insert(key.value(), value.value())?;
            }
        }
        to.commit()?;
        Ok(())
    })
}

fn write(database: &Database, batch: &Batch) -> Redb<()> {
    let transaction = database.begin_write()?;
    for (table, entries) in batch.tables().filter(|(_, entries)| !entries.is_empty()) {
        let mut open = transaction.open_table(definition(table))?;
        for (key, value) in entries {
            match value {
                Some(value) => open.insert(key.as_slice(), value.as_slice())?,
                None => open.remove(key.as_slice())?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

/// An empty commit that notes which pages are in use. It costs four times as much as another, so not
/// each commit does it.
fn note_pages(database: &Database) -> Redb<()> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    transaction.commit()?;
    Ok(())
}

/// A redb read transaction with the tables opened so far; `None` is a table never written.
struct View {
    tables: Guarded<[OnceCell<Option<OpenTable>>; Table::ALL.len()]>,
    transaction: Guarded<ReadTransaction>,
    _views: Arc<()>,
}

impl View {
    fn table(&self, table: Table) -> Result<Option<&OpenTable>> {
        let Some(cell) = self.tables.get(table as usize) else { return Ok(None) };
        let open = cell.get_or_try_init(|| guard(|| existing(&self.transaction, table)))?;
        Ok(open.as_ref())
    }
}

impl Snapshot for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        let Some(open) = self.table(table)? else { return Ok(None) };
        guard(|| Ok(open.get(key)?.map(|value| value.value().to_vec().into())))
    }

    fn scan(&self, table: Table, prefix: &[u8], from: &[u8], visit: Visit<'_>) -> Result<()> {
        let Some(open) = self.table(table)? else { return Ok(()) };
        let bounds = (Bound::Included(prefix.max(from)), Bound::Unbounded);
        let mut entries = guard(|| Ok(open.range::<&[u8]>(bounds)?))?;
        // Only redb's own step is guarded: a panic of the visitor is the caller's.
        while let Some((key, value)) = guard(|| Ok(entries.next().transpose()?))? {
            if !key.value().starts_with(prefix) || visit(key.value(), value.value()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn definition(table: Table) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(table.name())
}

/// The table, unless nothing was ever written to it.
fn existing(transaction: &ReadTransaction, table: Table) -> Redb<Option<OpenTable>> {
    match transaction.open_table(definition(table)) {
        Ok(open) => Ok(Some(open)),
        Err(::redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Something of redb's, which does its last work when it is dropped. On a file that was altered that may
/// panic as well, where nobody would expect it.
struct Guarded<T>(ManuallyDrop<T>);

impl<T> Guarded<T> {
    fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Guarded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: nobody uses the value after this.
        let end = || unsafe { ManuallyDrop::drop(&mut self.0) };
        if catch_unwind(AssertUnwindSafe(end)).is_err() {
            log::warn!("store: the file is damaged, and was not closed as it should be");
        }
    }
}

/// Runs `work` inside redb and translates what goes wrong.
fn guard<T>(work: impl FnOnce() -> Redb<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(failed),
        Err(_) => Err(Error::new(Code::StorageCorrupt, "store: the file is damaged")),
    }
}

fn failed(error: ::redb::Error) -> Error {
    use ::redb::Error as Fault;
    let (code, os_error) = match &error {
        Fault::Io(io) => (private::code(io.kind()), io.raw_os_error().unwrap_or(0)),
        Fault::DatabaseAlreadyOpen | Fault::LockProtocolMismatch => (Code::Busy, 0),
        Fault::Corrupted(_)
        | Fault::UpgradeRequired(_)
        | Fault::RepairAborted
        | Fault::TableTypeMismatch { .. }
        | Fault::TableIsMultimap(_)
        | Fault::TypeDefinitionChanged { .. } => (Code::StorageCorrupt, 0),
        _ => (Code::StorageIo, 0),
    };
    let mut error = Error::new(code, format!("store: {error}"));
    error.os_error = os_error;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Brittle<'a>(&'a Cell<u32>);

    impl Drop for Brittle<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            panic!("as redb on a damaged file");
        }
    }

    #[test]
    fn what_panics_when_it_is_dropped_ends_nobody() {
        let dropped = Cell::new(0);
        drop(Guarded::new(Brittle(&dropped)));
        // Not even somebody who panics already: that would end the process.
        let panics = || {
            let _guarded = Guarded::new(Brittle(&dropped));
            panic!("something else");
        };
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(dropped.get(), 2);
    }
}
