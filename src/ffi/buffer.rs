//! `dmsc_buffer`: octets owned by the caller.

use super::guard::{guard, guard_value};
use super::handle::{self, Handle};
use super::status::dmsc_result;

/// Octets that one side owns and the other reads; the single way to hand owned octets over.
///
/// Immutable. Freed with @ref dmsc_buffer_free by whoever owns it. Any thread may use it.
#[derive(Debug)]
pub struct dmsc_buffer(Vec<u8>);

impl Handle for dmsc_buffer {
    const NAME: &'static str = "buffer";
}

/// Gives `octets` to the caller.
pub(super) fn give(octets: Vec<u8>) -> *mut dmsc_buffer {
    handle::give(dmsc_buffer(octets))
}

/// Takes a buffer back from a callback.
///
/// # Safety
/// `buffer` is NULL or came from `dmsc_buffer_new` and is not used afterwards.
pub(super) unsafe fn take_back(buffer: *mut dmsc_buffer) -> Option<Vec<u8>> {
    // SAFETY: the caller's promise.
    unsafe { handle::take(buffer) }.map(|buffer| buffer.0.clone())
}

/// Makes a buffer with a copy of `len` octets at `data`; used by callbacks that return octets.
///
/// @pre `data` is valid for `len` octets; NULL is allowed for `len` 0.
/// @param out the new buffer; written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG for NULL.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_buffer_new(
    data: *const u8,
    len: usize,
    out: *mut *mut dmsc_buffer,
) -> dmsc_result {
    guard(|| {
        handle::not_null(out, "out")?;
        // SAFETY: the caller's precondition.
        let octets = unsafe { handle::octets(data, len, "data") }?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(out, "out", give(octets.to_vec())) }?;
        Ok(0)
    })
}

/// The octets of `buffer`; NULL for a NULL buffer. Valid until the buffer is freed.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_buffer_data(buffer: *const dmsc_buffer) -> *const u8 {
    // SAFETY: the caller's precondition; the octets live as long as C's own reference.
    guard_value(std::ptr::null(), || Ok(unsafe { handle::get(buffer) }?.0.as_ptr()))
}

/// Number of octets of `buffer`; 0 for a NULL buffer.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_buffer_len(buffer: *const dmsc_buffer) -> usize {
    // SAFETY: the caller's precondition.
    guard_value(0, || Ok(unsafe { handle::get(buffer) }?.0.len()))
}

/// Frees `buffer`; NULL is allowed. The octets are wiped: they may be a password of the tree's owner.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_buffer_free(buffer: *mut dmsc_buffer) {
    guard_value((), || {
        // SAFETY: the caller's precondition.
        drop(unsafe { handle::take(buffer) });
        Ok(())
    });
}

impl Drop for dmsc_buffer {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}
