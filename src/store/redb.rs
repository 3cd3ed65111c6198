//! The built-in store: one redb file in a directory of the host's choice.
//!
//! Owns file, permissions, locking, and the translation of redb's errors. redb may panic on a file
//! that was altered behind its back; here that becomes `StorageCorrupt`.

use super::{Batch, Snapshot, Store, Table, Visit};
use crate::error::{Code, Error, Result};
use ::redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition};
use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Name of the file.
pub const FILE_NAME: &str = "dmsc.redb";
/// Octets of pages redb may keep in memory.
const CACHE_OCTETS: usize = 4 * 1024 * 1024;

type Bytes = &'static [u8];
type OpenTable = ReadOnlyTable<Bytes, Bytes>;

/// Tables in a redb file, locked against other processes while open.
pub struct RedbStore {
    path: PathBuf,
    /// `None` after a failed commit, until the file is opened again.
    database: Mutex<Option<Database>>,
}

impl RedbStore {
    /// Opens `dmsc.redb` in `directory`; creates both if missing, readable by their owner alone.
    ///
    /// Errors: `Busy` if another process or handle has it open, `StorageCorrupt` if the file is
    /// damaged or no store, `StorageFull`, else `StorageIo`.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE_NAME);
        prepare(directory, &path).map_err(|error| failed(error.into()).context(path.display()))?;
        let database = open(&path)?;
        Ok(Self { path, database: Mutex::new(Some(database)) })
    }

    /// Runs `work` on the open database; opens it first if a commit had failed.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        let mut slot = self.database.lock();
        let database = match slot.take() {
            Some(database) => database,
            None => open(&self.path)?,
        };
        work(slot.insert(database))
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store for RedbStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        let transaction = self.with(|database| guard(|| Ok(database.begin_read()?)))?;
        Ok(Box::new(View { transaction, tables: Default::default() }))
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        let done = self.with(|database| guard(|| write(database, batch)));
        if done.is_err() {
            // redb refuses to write after a failed commit; opening again repairs the file.
            self.database.lock().take();
        }
        done
    }
}

fn write(database: &Database, batch: &Batch) -> core::result::Result<(), ::redb::Error> {
    let transaction = database.begin_write()?;
    for table in Table::ALL {
        let mut entries =
            batch.range((table, Vec::new())..).take_while(|((at, _), _)| *at == table).peekable();
        if entries.peek().is_none() {
            continue;
        }
        let mut open = transaction.open_table(definition(table))?;
        for ((_, key), value) in entries {
            match value {
                Some(value) => open.insert(key.as_slice(), value.as_slice())?,
                None => open.remove(key.as_slice())?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

/// The highest number of a table.
const LAST: usize = Table::Schedule as usize;

/// A redb read transaction with the tables opened so far; `None` is a table never written.
struct View {
    transaction: ReadTransaction,
    tables: [OnceCell<Option<OpenTable>>; LAST + 1],
}

impl View {
    fn table(&self, table: Table) -> Result<Option<&OpenTable>> {
        let Some(cell) = self.tables.get(table as usize) else { return Ok(None) };
        let open = cell.get_or_try_init(|| {
            guard(|| match self.transaction.open_table(definition(table)) {
                Ok(open) => Ok(Some(open)),
                Err(::redb::TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            })
        })?;
        Ok(open.as_ref())
    }
}

impl Snapshot for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(open) = self.table(table)? else { return Ok(None) };
        guard(|| Ok(open.get(key)?.map(|value| value.value().to_vec())))
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

/// Creates directory and file before redb does, to give them their permissions.
fn prepare(directory: &Path, path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::fs::Permissions;
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
        builder.mode(0o700).create(directory)?;
        let file = options.mode(0o600).open(path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    {
        builder.create(directory)?;
        options.open(path)?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<Database> {
    guard(|| {
        let database = Database::builder().set_cache_size(CACHE_OCTETS).create(path)?;
        Ok(database)
    })
    .map_err(|error| error.context(path.display()))
}

/// Runs `work` inside redb and translates what goes wrong.
fn guard<T>(work: impl FnOnce() -> core::result::Result<T, ::redb::Error>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(failed),
        Err(_) => Err(Error::new(Code::StorageCorrupt, "store: the file is damaged")),
    }
}

fn failed(error: ::redb::Error) -> Error {
    use ::redb::Error as Redb;
    let (code, os_error) = match &error {
        Redb::Io(io) => (io_code(io.kind()), io.raw_os_error().unwrap_or(0)),
        Redb::DatabaseAlreadyOpen | Redb::LockProtocolMismatch => (Code::Busy, 0),
        Redb::Corrupted(_)
        | Redb::UpgradeRequired(_)
        | Redb::RepairAborted
        | Redb::TableTypeMismatch { .. }
        | Redb::TableIsMultimap(_)
        | Redb::TypeDefinitionChanged { .. } => (Code::StorageCorrupt, 0),
        _ => (Code::StorageIo, 0),
    };
    let mut error = Error::new(code, format!("store: {error}"));
    error.os_error = os_error;
    error
}

fn io_code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Code::StorageFull
        }
        // What redb answers for a file that is no redb file or too short for one.
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Code::StorageCorrupt,
        _ => Code::StorageIo,
    }
}
