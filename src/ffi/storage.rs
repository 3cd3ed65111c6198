//! `dmsc_storage`: the host's own storage in place of the built-in store.

use super::buffer::{self, dmsc_buffer};
use super::callbacks::c_text;
use super::destroy::UserData;
use super::handle::{self, CStruct};
use crate::error::{Code, Error, Result};
use crate::store::blob::BlobStorage;
use std::ffi::{c_char, c_void};

/// Storage of named blobs by the host. Copied by @ref dmsc_client_new. All three functions must be there.
///
/// A callback returns DMSC_OK or a negative number, which is passed through to the call that caused it.
/// Thread: any, one at a time.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_storage {
    /// sizeof(dmsc_storage); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Gives the blob `name` in a new buffer (@ref dmsc_buffer_new), or leaves `*out` NULL if there is none.
    pub load: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            name: *const c_char,
            out: *mut *mut dmsc_buffer,
        ) -> i32,
    >,
    /// Replaces the blob `name`; atomic and durable when it returns DMSC_OK.
    pub save: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            name: *const c_char,
            data: *const u8,
            len: usize,
        ) -> i32,
    >,
    /// Removes the blob `name`; DMSC_OK if there was none.
    pub remove: Option<unsafe extern "C" fn(user_data: *mut c_void, name: *const c_char) -> i32>,
    /// Called exactly once, after the last other callback; may be NULL.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: pointers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_storage {
    const NAME: &'static str = "dmsc_storage";
}

/// The host's storage as the store's blobs.
pub(super) struct HostStorage {
    c: dmsc_storage,
    pub(super) user: UserData,
}

// SAFETY: the contract of dmsc_storage: any thread, one at a time (the store serialises).
unsafe impl Send for HostStorage {}
// SAFETY: as above.
unsafe impl Sync for HostStorage {}

impl HostStorage {
    /// Copies the host's struct.
    ///
    /// # Safety
    /// `storage` points to a struct whose first member is its size.
    pub(super) unsafe fn read(storage: *const dmsc_storage) -> Result<Self> {
        // SAFETY: the caller's promise.
        let c: dmsc_storage = unsafe { handle::read_struct(storage) }?;
        if c.load.is_none() || c.save.is_none() || c.remove.is_none() {
            return Err(Error::new(Code::InvalidArg, "dmsc_storage needs load, save and remove"));
        }
        Ok(Self { user: UserData::new(c.user_data, c.destroy), c })
    }
}

/// The outcome of a host callback: 0, a number of the library, or one of the host's own.
pub(super) fn outcome(number: i32, what: &str) -> Result<()> {
    match Code::from_number(number) {
        None if number == 0 => Ok(()),
        Some(code) => Err(Error::new(code, format!("the host's {what} failed"))),
        None => {
            let text = format!("{what}: callback returned {number}");
            Err(Error::new(Code::Callback, text).with_os_error(number))
        }
    }
}

impl BlobStorage for HostStorage {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(load) = self.c.load else { return Ok(None) };
        let name = c_text(name);
        let mut out = std::ptr::null_mut();
        // SAFETY: the host's function with its own pointer; the name lives until it returns.
        outcome(unsafe { load(self.user.pointer(), name.as_ptr(), &raw mut out) }, "storage load")?;
        // SAFETY: NULL or a buffer that the host made with dmsc_buffer_new, by contract.
        Ok(unsafe { buffer::take_back(out) })
    }

    fn save(&self, name: &str, data: &[u8]) -> Result<()> {
        let Some(save) = self.c.save else { return Ok(()) };
        let name = c_text(name);
        // SAFETY: the host's function with its own pointer; name and data live until it returns.
        let number = unsafe { save(self.user.pointer(), name.as_ptr(), data.as_ptr(), data.len()) };
        outcome(number, "storage save")
    }

    fn remove(&self, name: &str) -> Result<()> {
        let Some(remove) = self.c.remove else { return Ok(()) };
        let name = c_text(name);
        // SAFETY: the host's function with its own pointer; the name lives until it returns.
        outcome(unsafe { remove(self.user.pointer(), name.as_ptr()) }, "storage remove")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_succeeds_with_zero_only() {
        assert!(outcome(0, "load").is_ok());
        assert_eq!(outcome(-101, "load").unwrap_err().code(), Code::CardRemoved);
        for own in [1, -4711] {
            let error = outcome(own, "load").unwrap_err();
            assert_eq!((error.code(), error.os_error), (Code::Callback, own));
        }
    }
}
