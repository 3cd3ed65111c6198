//! What stands around every call from C: last error, panics, poisoning.

use crate::error::{Code, Error, Result};
use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_char};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<(Error, CString)>> = const { RefCell::new(None) };
    static GUARDED: Cell<u32> = const { Cell::new(0) };
}

/// Runs the body of a fallible function: its number on success, the error's number on failure.
pub(super) fn guard(body: impl FnOnce() -> Result<i32>) -> i32 {
    install_panic_hook();
    clear();
    GUARDED.set(GUARDED.get() + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(GUARDED.get() - 1);
    match outcome {
        Ok(Ok(number)) => {
            // A callback of this call may have failed a call of its own.
            clear();
            number
        }
        Ok(Err(error)) => fail(error),
        Err(_) => fail(Error::new(Code::Panic, "internal error; its place is in the log")),
    }
}

/// Runs the body of a function that cannot report an error; `fallback` is returned on failure.
pub(super) fn guard_value<T>(fallback: T, body: impl FnOnce() -> Result<T>) -> T {
    let mut value = None;
    guard(|| {
        value = Some(body()?);
        Ok(0)
    });
    value.unwrap_or(fallback)
}

/// Stores `error` as this thread's last one and gives its number: the callback's own where one failed.
fn fail(error: Error) -> i32 {
    let number = error.number();
    set_last(error);
    number
}

/// Makes `error` this thread's last one.
pub(super) fn set_last(error: Error) {
    // Text from a peer may hold a NUL; C sees it up to there.
    let text: Vec<u8> = error.what().bytes().take_while(|&byte| byte != 0).collect();
    LAST.set(Some((error, CString::new(text).unwrap_or_default())));
}

fn clear() {
    LAST.set(None);
}

/// This thread's last error text; valid until the thread's next call of any function but this one.
pub(super) fn last_message() -> *const c_char {
    LAST.with_borrow(|last| last.as_ref().map_or(c"".as_ptr(), |(_, text)| text.as_ptr()))
}

/// This thread's last error.
pub(super) fn last_error() -> Option<Error> {
    LAST.with_borrow(|last| last.as_ref().map(|(error, _)| error.clone()))
}

/// Sends the place of a panic inside the library to the log instead of standard error; panics of
/// others go where they went before.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if GUARDED.get() == 0 {
                return before(info);
            }
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            log::error!(target: "dmsc", "panic at {place}");
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn message() -> String {
        // SAFETY: last_message is never NULL and ends with NUL.
        unsafe { CStr::from_ptr(last_message()) }.to_string_lossy().into_owned()
    }

    #[test]
    fn an_error_leaves_number_and_text_and_the_next_call_clears_them() {
        let status = guard(|| Err(Error::card_sw(0x6A82, "SELECT 5031")));
        assert_eq!(status, -106);
        assert_eq!(message(), "SELECT 5031: SW 6A82 (file or application not found)");
        assert_eq!(last_error().unwrap().card_sw, 0x6A82);
        assert_eq!(guard(|| Ok(0)), 0);
        assert_eq!(message(), "");
    }

    #[test]
    fn a_failure_inside_a_call_that_succeeds_is_not_its_own() {
        let inner = || guard(|| Err(Error::new(Code::Busy, "inner")));
        assert_eq!(guard(|| Ok(inner() + 8)), 1);
        assert_eq!(message(), "");
    }

    #[test]
    fn a_panic_becomes_a_number() {
        assert_eq!(guard(|| panic!("bug")), Code::Panic as i32);
    }

    #[test]
    fn a_callbacks_negative_number_passes_through() {
        let status = guard(|| {
            Err(Error::new(Code::Callback, "callback returned -4711").with_os_error(-4711))
        });
        assert_eq!(status, -4711);
        assert_eq!(message(), "callback returned -4711");
    }
}
