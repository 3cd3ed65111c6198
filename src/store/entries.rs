//! What all tables hold, or what a commit writes to them: one ordered map for each table.
//!
//! Owns nothing but the order. A key is compared with those of its own table only.

use super::Table;
use std::collections::BTreeMap;

/// Entries by table and key.
#[derive(Clone, Debug)]
pub struct Entries<V>([BTreeMap<Vec<u8>, V>; Table::ALL.len()]);

impl<V> Entries<V> {
    /// No entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of one table, in key order.
    pub fn table(&self, table: Table) -> &BTreeMap<Vec<u8>, V> {
        &self.0[table as usize]
    }

    /// As [`Self::table`], to be changed.
    pub fn table_mut(&mut self, table: Table) -> &mut BTreeMap<Vec<u8>, V> {
        &mut self.0[table as usize]
    }

    /// Puts an entry in; what was there before under its key.
    pub fn insert(&mut self, (table, key): (Table, Vec<u8>), value: V) -> Option<V> {
        self.table_mut(table).insert(key, value)
    }

    /// Table by table in the order of their numbers.
    pub fn tables(&self) -> impl Iterator<Item = (Table, &BTreeMap<Vec<u8>, V>)> {
        Table::ALL.into_iter().zip(&self.0)
    }

    /// As [`Self::tables`], without keeping them.
    pub fn into_tables(self) -> impl Iterator<Item = (Table, BTreeMap<Vec<u8>, V>)> {
        Table::ALL.into_iter().zip(self.0)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.iter().map(BTreeMap::len).sum()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeMap::is_empty)
    }
}

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Default::default())
    }
}

impl<V> Extend<((Table, Vec<u8>), V)> for Entries<V> {
    fn extend<I: IntoIterator<Item = ((Table, Vec<u8>), V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<V, const N: usize> From<[((Table, Vec<u8>), V); N]> for Entries<V> {
    fn from(entries: [((Table, Vec<u8>), V); N]) -> Self {
        let mut all = Self::new();
        all.extend(entries);
        all
    }
}
