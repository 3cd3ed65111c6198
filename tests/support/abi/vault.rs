//! The host's storage.

use super::{blank, octets, text};
use dmsc::ffi::*;
use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The host's storage, in memory, where a test can see each octet.
#[derive(Default)]
pub(crate) struct Vault {
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What load returns instead of doing it, if not 0.
    pub(crate) load_fails: AtomicI32,
    /// The same for save.
    pub(crate) save_fails: AtomicI32,
    pub(crate) saves: AtomicUsize,
    pub(crate) destroyed: AtomicUsize,
}

/// The entries of a stored blob by table number and key; secrets included.
pub(crate) type Entries = BTreeMap<(u8, Vec<u8>), Vec<u8>>;

/// Numbers of the tables in a blob.
pub(crate) const TABLE_VALUE: u8 = 2;
pub(crate) const TABLE_REPLAY: u8 = 3;

impl Vault {
    /// Everything that is stored.
    pub(crate) fn dump(&self) -> BTreeMap<String, Vec<u8>> {
        self.blobs.lock().unwrap().clone()
    }

    /// The entries without the journal, which grows with everything that is refused, too.
    pub(crate) fn state(&self) -> Entries {
        let mut entries = self.entries();
        entries.retain(|(table, _), _| *table != dmsc::store::Table::Audit as u8);
        entries
    }

    pub(crate) fn put(&self, name: &str, blob: Vec<u8>) {
        self.blobs.lock().unwrap().insert(name.to_owned(), blob);
    }

    /// The one blob, taken apart: `DMSC`, version 1, then table, key and value with their lengths, then
    /// 32 octets of digest.
    pub(crate) fn entries(&self) -> Entries {
        let blobs = self.dump();
        let blob = &blobs["dmsc.tree"];
        let mut rest = &blob[5..blob.len() - 32];
        let mut entries = Entries::new();
        let part = |rest: &mut &[u8]| {
            let (length, tail) = rest.split_first_chunk::<4>().unwrap();
            let (part, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
            *rest = tail;
            part.to_vec()
        };
        while let Some((table, tail)) = rest.split_first() {
            rest = tail;
            let key = part(&mut rest);
            let value = part(&mut rest);
            entries.insert((*table, key), value);
        }
        entries
    }

    pub(crate) fn storage(self: &Arc<Self>) -> dmsc_storage {
        dmsc_storage {
            user_data: Arc::as_ptr(self).cast::<c_void>().cast_mut(),
            load: Some(vault_load),
            save: Some(vault_save),
            remove: Some(vault_remove),
            destroy: Some(vault_destroy),
            ..blank()
        }
    }
}

unsafe fn vault<'a>(user_data: *mut c_void) -> &'a Vault {
    unsafe { &*user_data.cast::<Vault>() }
}

unsafe extern "C" fn vault_load(
    user_data: *mut c_void,
    name: *const c_char,
    out: *mut *mut dmsc_buffer,
) -> i32 {
    let vault = unsafe { vault(user_data) };
    let number = vault.load_fails.load(Ordering::SeqCst);
    if number != 0 {
        return number;
    }
    match vault.blobs.lock().unwrap().get(&text(name)) {
        Some(blob) => unsafe { dmsc_buffer_new(blob.as_ptr(), blob.len(), out) },
        None => 0,
    }
}

unsafe extern "C" fn vault_save(
    user_data: *mut c_void,
    name: *const c_char,
    data: *const u8,
    len: usize,
) -> i32 {
    let vault = unsafe { vault(user_data) };
    let number = vault.save_fails.load(Ordering::SeqCst);
    if number != 0 {
        return number;
    }
    vault.saves.fetch_add(1, Ordering::SeqCst);
    vault.put(&text(name), octets(data, len));
    0
}

unsafe extern "C" fn vault_remove(user_data: *mut c_void, name: *const c_char) -> i32 {
    unsafe { vault(user_data) }.blobs.lock().unwrap().remove(&text(name));
    0
}

unsafe extern "C" fn vault_destroy(user_data: *mut c_void) {
    unsafe { vault(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}
