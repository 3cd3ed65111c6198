//! Pointers from C and handles to C: every check of a pointer is made here.

use crate::error::{Code, Error, Result};
use std::ffi::{CStr, c_char};
use std::mem::{MaybeUninit, size_of};
use std::slice;
use std::sync::Arc;

/// An object behind an opaque C handle.
///
/// A handle is a counted reference, so an object in use by one call outlives a free by another.
pub(super) trait Handle: Sized {
    /// The handle's C name, for messages.
    const NAME: &'static str;
}

/// Gives a new handle to C.
pub(super) fn give<T: Handle>(object: T) -> *mut T {
    Arc::into_raw(Arc::new(object)).cast_mut()
}

/// Borrows a handle for one call.
///
/// # Safety
/// `handle` is NULL or came from [`give`] and has not been taken back.
pub(super) unsafe fn get<T: Handle>(handle: *const T) -> Result<Arc<T>> {
    if handle.is_null() {
        return Err(Error::new(Code::InvalidArg, format!("{} is NULL", T::NAME)));
    }
    // SAFETY: the caller's promise; the count is raised first, so C keeps its own reference.
    unsafe {
        Arc::increment_strong_count(handle);
        Ok(Arc::from_raw(handle))
    }
}

/// Takes a handle back; `None` for NULL.
///
/// # Safety
/// As for [`get`]; the handle is invalid afterwards.
pub(super) unsafe fn take<T: Handle>(handle: *mut T) -> Option<Arc<T>> {
    if handle.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { Arc::from_raw(handle) })
}

/// Checks an output pointer and writes `value` to it.
///
/// # Safety
/// `out` is NULL or valid for a write of `T`.
pub(super) unsafe fn put<T>(out: *mut T, name: &str, value: T) -> Result<()> {
    not_null(out, name)?;
    // SAFETY: not NULL, and valid by the caller's promise.
    unsafe { out.write(value) };
    Ok(())
}

/// Fails for NULL.
pub(super) fn not_null<T>(pointer: *const T, name: &str) -> Result<()> {
    if pointer.is_null() {
        return Err(Error::new(Code::InvalidArg, format!("{name} is NULL")));
    }
    Ok(())
}

/// Octets from C; NULL is allowed for length 0 only.
///
/// # Safety
/// `data` is NULL or valid for reads of `len` octets during `'a`.
pub(super) unsafe fn octets<'a>(data: *const u8, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    not_null(data, name)?;
    if len > isize::MAX as usize {
        return Err(Error::new(Code::InvalidArg, format!("{name} is longer than memory")));
    }
    // SAFETY: not NULL, length in range, valid by the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// Text from C; NULL gives `None`.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string that stays valid during `'a`.
pub(super) unsafe fn optional_text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, terminated by the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|error| Error::new(Code::Utf8, format!("{name}: {error}")))
}

/// Text from C that must be there.
///
/// # Safety
/// As for [`optional_text`].
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { optional_text(text, name) }?
        .ok_or_else(|| Error::new(Code::InvalidArg, format!("{name} is NULL")))
}

/// A C struct that begins with `struct_size`, so that it may be shorter (older caller) or longer
/// (newer caller) than ours.
///
/// # Safety
/// Every bit pattern of the type is valid, and all zero means "nothing given".
pub(super) unsafe trait CStruct: Copy {
    /// The struct's C name, for messages.
    const NAME: &'static str;
}

/// Reads a caller's struct of any length; what it lacks is zero.
///
/// # Safety
/// `pointer` is NULL or points to a struct whose first member is its own size.
pub(super) unsafe fn read_struct<T: CStruct>(pointer: *const T) -> Result<T> {
    let size = struct_size(pointer)?;
    let mut ours = MaybeUninit::<T>::zeroed();
    // SAFETY: both sides are valid for `min` octets: ours by its type, theirs by struct_size.
    unsafe {
        pointer
            .cast::<u8>()
            .copy_to_nonoverlapping(ours.as_mut_ptr().cast::<u8>(), size.min(size_of::<T>()));
        // SAFETY: zeroed or copied bits are valid by the trait's promise.
        Ok(ours.assume_init())
    }
}

/// Writes our struct into the caller's of any length, whose `struct_size` is kept.
///
/// # Safety
/// `pointer` is NULL or points to a writable struct whose first member is its own size.
pub(super) unsafe fn write_struct<T: CStruct>(pointer: *mut T, ours: &T) -> Result<()> {
    let size = struct_size(pointer)?;
    let skip = size_of::<usize>();
    // SAFETY: both sides are valid for `min` octets, and the size member is skipped.
    unsafe {
        std::ptr::from_ref(ours).cast::<u8>().add(skip).copy_to_nonoverlapping(
            pointer.cast::<u8>().add(skip),
            size.min(size_of::<T>()) - skip,
        );
    }
    Ok(())
}

/// `struct_size` of a caller's struct, checked to hold at least itself.
fn struct_size<T: CStruct>(pointer: *const T) -> Result<usize> {
    not_null(pointer, T::NAME)?;
    // SAFETY: not NULL; the first member is a size_t by the caller's promise.
    let size = unsafe { pointer.cast::<usize>().read() };
    if size < size_of::<usize>() {
        let text = format!("{}.struct_size is {size}: set it to sizeof", T::NAME);
        return Err(Error::new(Code::InvalidArg, text));
    }
    Ok(size)
}
