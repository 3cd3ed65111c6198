//! The store of a phone: one directory.

use crate::device;
use dmsc::error::{Code, Error, Result};
use dmsc::store::redb::{FILE_NAME, RedbStore};
use dmsc::store::{Database, Store};
use std::path::Path;
use std::sync::Arc;

/// The store in `directory`; made if it is not there.
pub(crate) fn open(directory: &Path) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(RedbStore::open(directory)?))
}

/// The store in `directory`, to be read. Fails if there is none.
pub(crate) fn existing(directory: &Path) -> Result<Database> {
    if !directory.join(FILE_NAME).is_file() {
        let text = format!("{}: no store is there", directory.display());
        return Err(Error::new(Code::StorageIo, text));
    }
    device::kept(directory).database(open(directory)?)
}
