//! The rule of `destroy`: exactly once for a struct that was accepted, never for one that was not.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Who answers for user_data.
mod stage {
    /// The host: nothing was accepted yet.
    pub(super) const OFFERED: u8 = 0;
    /// The library.
    pub(super) const ACCEPTED: u8 = 1;
    /// The struct is gone before the call that accepts it could say so.
    pub(super) const DROPPED: u8 = 2;
}

#[derive(Debug)]
struct Host {
    pointer: *mut c_void,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    stage: AtomicU8,
}

// SAFETY: the contracts of the structs that carry user_data let the library use it from any thread.
unsafe impl Send for Host {}
// SAFETY: as above; the library makes one call at a time where the contract says so.
unsafe impl Sync for Host {}

impl Host {
    /// Calls destroy if the other half has come before.
    fn reach(&self, stage: u8, other: u8) {
        if self.stage.swap(stage, Ordering::SeqCst) == other
            && let Some(destroy) = self.destroy
        {
            // SAFETY: the host's function with its own pointer; both halves come once, and only the
            // second one gets here.
            unsafe { destroy(self.pointer) }
        }
    }
}

/// Says that a struct was accepted; without it, dropping the struct leaves user_data to the host.
#[derive(Debug)]
pub(super) struct Acceptance(Arc<Host>);

impl Acceptance {
    /// From now on the library answers for user_data; also if it has let go of it already, as when a
    /// callback inside the accepting call ended it all.
    pub(super) fn accept(self) {
        self.0.reach(stage::ACCEPTED, stage::DROPPED);
    }
}

/// A host's user_data with its destroy function.
#[derive(Debug)]
pub(super) struct UserData(Arc<Host>);

impl UserData {
    pub(super) fn new(
        pointer: *mut c_void,
        destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> Self {
        Self(Arc::new(Host { pointer, destroy, stage: AtomicU8::new(stage::OFFERED) }))
    }

    /// The host's pointer.
    pub(super) fn pointer(&self) -> *mut c_void {
        self.0.pointer
    }

    /// The switch that makes the drop call destroy; to be taken once.
    pub(super) fn acceptance(&self) -> Acceptance {
        Acceptance(Arc::clone(&self.0))
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        self.0.reach(stage::DROPPED, stage::ACCEPTED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn count(pointer: *mut c_void) {
        // SAFETY: the tests pass a pointer to a u32 that outlives the call.
        unsafe { *pointer.cast::<u32>() += 1 }
    }

    fn user_data(calls: &mut u32) -> UserData {
        UserData::new(std::ptr::from_mut(calls).cast(), Some(count))
    }

    #[test]
    fn what_was_not_accepted_is_left_to_the_host() {
        let mut calls = 0;
        drop(user_data(&mut calls));
        let user = user_data(&mut calls);
        let acceptance = user.acceptance();
        drop(user);
        drop(acceptance);
        assert_eq!(calls, 0);
    }

    #[test]
    fn what_was_accepted_is_destroyed_once_whichever_comes_first() {
        let mut calls = 0;
        let user = user_data(&mut calls);
        user.acceptance().accept();
        drop(user);
        assert_eq!(calls, 1);
        let user = user_data(&mut calls);
        let acceptance = user.acceptance();
        drop(user);
        acceptance.accept();
        assert_eq!(calls, 2);
    }
}
