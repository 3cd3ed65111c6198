//! The rule of `destroy`: exactly once for a struct that was accepted, never for one that was not.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says that a struct was accepted; without it, dropping the struct leaves user_data to the host.
#[derive(Clone, Debug, Default)]
pub(super) struct Acceptance(Arc<AtomicBool>);

impl Acceptance {
    /// From now on the library answers for user_data.
    pub(super) fn accept(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A host's user_data with its destroy function.
#[derive(Debug)]
pub(super) struct UserData {
    pub(super) pointer: *mut c_void,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    acceptance: Acceptance,
}

// SAFETY: the contracts of the structs that carry user_data let the library use it from any thread.
unsafe impl Send for UserData {}
// SAFETY: as above; the library makes one call at a time where the contract says so.
unsafe impl Sync for UserData {}

impl UserData {
    pub(super) fn new(
        pointer: *mut c_void,
        destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> Self {
        Self { pointer, destroy, acceptance: Acceptance::default() }
    }

    /// The switch that makes the drop call destroy.
    pub(super) fn acceptance(&self) -> Acceptance {
        self.acceptance.clone()
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let (true, Some(destroy)) = (self.acceptance.0.load(Ordering::SeqCst), self.destroy) {
            // SAFETY: the host's function with its own pointer, once: this is the only owner.
            unsafe { destroy(self.pointer) }
        }
    }
}
