//! `dmsc_keys`: the keys that seal the store, kept by the host.

use super::destroy::UserData;
use super::handle::{self, CStruct};
use super::storage::outcome;
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use crate::store::{KEY_OCTETS, KeySource};
use std::ffi::c_void;
use std::fmt;

/// Keys kept by the host, for example in the platform's key store. Copied by @ref dmsc_client_new.
///
/// Values of the tree that are secret are sealed with XChaCha20-Poly1305 under a key of 32 octets. Keys
/// have numbers: 1 is made at the first use of a store, each @ref dmsc_client_rotate_key makes the next.
/// `load` and `make` must be there. A callback returns DMSC_OK or a negative number, which is passed
/// through to the call that caused it. Thread: any, one at a time.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_keys {
    /// sizeof(dmsc_keys); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Writes the key `number` to the 32 octets at `key`; DMSC_ERR_STORAGE_KEY if there is none.
    pub load:
        Option<unsafe extern "C" fn(user_data: *mut c_void, number: u32, key: *mut u8) -> i32>,
    /// Makes the key `number` and keeps it durably, in place of one that may be there. The 32 octets at
    /// `key` are random and may be taken as they are; what they are on return is the key.
    pub make:
        Option<unsafe extern "C" fn(user_data: *mut c_void, number: u32, key: *mut u8) -> i32>,
    /// Forgets the key `number`, with which nothing is sealed any more; DMSC_OK if there was none. May be
    /// NULL.
    pub remove: Option<unsafe extern "C" fn(user_data: *mut c_void, number: u32) -> i32>,
    /// Called exactly once, after the last other callback; may be NULL.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: pointers, integers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_keys {
    const NAME: &'static str = "dmsc_keys";
}

/// The host's keys as the store's.
pub(super) struct HostKeys {
    c: dmsc_keys,
    pub(super) user: UserData,
}

// SAFETY: the contract of dmsc_keys: any thread, one at a time (opening and rotation take turns).
unsafe impl Send for HostKeys {}
// SAFETY: as above.
unsafe impl Sync for HostKeys {}

impl fmt::Debug for HostKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKeys")
    }
}

impl HostKeys {
    /// Copies the host's struct.
    ///
    /// # Safety
    /// `keys` points to a struct whose first member is its size.
    pub(super) unsafe fn read(keys: *const dmsc_keys) -> Result<Self> {
        // SAFETY: the caller's promise.
        let c: dmsc_keys = unsafe { handle::read_struct(keys) }?;
        if c.load.is_none() || c.make.is_none() {
            return Err(Error::new(Code::InvalidArg, "dmsc_keys needs load and make"));
        }
        Ok(Self { user: UserData::new(c.user_data, c.destroy), c })
    }
}

impl KeySource for HostKeys {
    fn load(&self, number: u32) -> Result<Option<Secret>> {
        let Some(load) = self.c.load else { return Ok(None) };
        let mut key = Secret::new([0; KEY_OCTETS]);
        // SAFETY: the host's function with its own pointer; the octets live until it returns.
        let done = unsafe { load(self.user.pointer(), number, key.expose_mut().as_mut_ptr()) };
        match outcome(done, "key load") {
            Ok(()) => Ok(Some(key)),
            Err(error) if error.code() == Code::StorageKey => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn make(&self, number: u32, random: Secret) -> Result<Secret> {
        let Some(make) = self.c.make else { return Ok(random) };
        let mut key = random;
        // SAFETY: the host's function with its own pointer; the octets live until it returns.
        let done = unsafe { make(self.user.pointer(), number, key.expose_mut().as_mut_ptr()) };
        outcome(done, "key make").map(|()| key)
    }

    fn remove(&self, number: u32) -> Result<()> {
        let Some(remove) = self.c.remove else { return Ok(()) };
        // SAFETY: the host's function with its own pointer.
        outcome(unsafe { remove(self.user.pointer(), number) }, "key remove")
    }
}
