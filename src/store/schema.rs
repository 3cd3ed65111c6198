//! The version of what is in the tables, and the way from each older one to the present.
//!
//! | version | what is different from the one before |
//! |---|---|
//! | 0 | no version is written |
//! | 1 | the version is written |
//! | 2 | secret values are sealed in a table of their own; a store opened without a key has none |

use super::{Batch, Snapshot, Table};
use crate::error::{Code, Error, Result};

/// The version this build writes.
const CURRENT: u32 = 2;
/// Key of the version in [`Table::Meta`].
const KEY: &[u8] = b"schema";

/// Adds to `batch` what brings the store to the present version.
///
/// Errors: `StorageVersion` for a newer one, `StorageCorrupt` if it cannot be read.
pub(super) fn migrate(snapshot: &dyn Snapshot, batch: &mut Batch) -> Result<()> {
    let found = match snapshot.get(Table::Meta, KEY)? {
        Some(octets) => number(&octets)?,
        None => 0,
    };
    if found > CURRENT {
        let what = format!("store: schema version {found}, this build reads 0 to {CURRENT}");
        return Err(Error::new(Code::StorageVersion, what));
    }
    // The step to 2 is done by whoever opens the store with a key.
    if found < CURRENT {
        batch.insert((Table::Meta, KEY.to_vec()), Some(CURRENT.to_be_bytes().to_vec()));
    }
    Ok(())
}

fn number(octets: &[u8]) -> Result<u32> {
    let octets = <[u8; 4]>::try_from(octets)
        .map_err(|_| Error::new(Code::StorageCorrupt, "store: schema version is unreadable"))?;
    Ok(u32::from_be_bytes(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{Database, Store};
    use std::sync::Arc;

    fn with_schema(value: &[u8]) -> Result<Database> {
        let store = MemoryStore::new();
        store.commit(&Batch::from([((Table::Meta, KEY.to_vec()), Some(value.to_vec()))])).unwrap();
        Database::new(Arc::new(store))
    }

    #[test]
    fn a_newer_schema_is_refused_with_both_numbers() {
        let error = with_schema(&3u32.to_be_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::StorageVersion);
        assert_eq!(error.what(), "store: schema version 3, this build reads 0 to 2");
        assert_eq!(with_schema(b"1").unwrap_err().code(), Code::StorageCorrupt);
        for older in 0..=CURRENT {
            assert!(with_schema(&older.to_be_bytes()).is_ok());
        }
    }
}
