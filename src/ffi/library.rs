//! Version, features, names of numbers, last error.

use super::guard::{guard, last_error, last_message, set_last};
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use crate::error::Code;
use std::ffi::{CStr, CString, c_char};

/// Details of this thread's last failure.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_error_info {
    /// sizeof(dmsc_error_info); set by the caller.
    pub struct_size: usize,
    /// The status that was returned (a dmsc_status number), 0 if there was no failure.
    pub status: i32,
    /// The card's status word, SW1 << 8 | SW2; 0 if none.
    pub card_sw: u32,
    /// The server's HTTP status; 0 if none.
    pub http_status: u32,
    /// The SyncML status code; 0 if none.
    pub syncml_status: u32,
    /// errno, or the number a host callback returned; 0 if none.
    pub os_error: i32,
}

// SAFETY: integers only.
unsafe impl CStruct for dmsc_error_info {
    const NAME: &'static str = "dmsc_error_info";
}

/// The library's version, for example "0.1.0". Static text.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn dmsc_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}

/// The library's version as a number that grows with it: major << 16 | minor << 8 | patch.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn dmsc_version_number() -> u32 {
    let part = |text: &str| text.parse::<u32>().unwrap_or(0);
    part(env!("CARGO_PKG_VERSION_MAJOR")) << 16
        | part(env!("CARGO_PKG_VERSION_MINOR")) << 8
        | part(env!("CARGO_PKG_VERSION_PATCH"))
}

/// True if this build has the feature: "pcsc" (card readers), "redb" (built-in store).
///
/// A function of an absent feature exists all the same and returns DMSC_ERR_NOT_SUPPORTED.
/// @pre `name` is NULL (gives false) or NUL-terminated.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_has_feature(name: *const c_char) -> bool {
    // SAFETY: the caller's precondition.
    let name = unsafe { handle::optional_text(name, "name") };
    let features = [
        ("pcsc", cfg!(feature = "pcsc")),
        ("redb", cfg!(feature = "redb")),
        ("tls", cfg!(feature = "tls")),
    ];
    features.iter().any(|(known, is_there)| *is_there && name == Ok(Some(*known)))
}

/// The name of a status number, for example "DMSC_ERR_CARD_SW"; "DMSC_STATUS_UNKNOWN" for a number that
/// is not the library's. Static text.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn dmsc_status_name(status: i32) -> *const c_char {
    static NAMES: once_cell::sync::Lazy<Vec<(i32, CString)>> = once_cell::sync::Lazy::new(|| {
        let own = [(0, "DMSC_OK"), (1, "DMSC_PENDING"), (2, "DMSC_TIMED_OUT")];
        let codes = Code::ALL.iter().map(|code| (*code as i32, code.name()));
        own.into_iter()
            .chain(codes)
            .map(|(number, name)| (number, CString::new(name).unwrap_or_default()))
            .collect()
    });
    let name = NAMES.iter().find(|(number, _)| *number == status);
    name.map_or(c"DMSC_STATUS_UNKNOWN".as_ptr(), |(_, name)| name.as_ptr())
}

/// What failed in this thread's last call of a function with a status; "" if it did not fail. Never NULL.
///
/// Valid until this thread's next call of the library. Holds no secret and no full ICCID or IMSI.
/// Thread: any (each has its own).
#[unsafe(no_mangle)]
pub extern "C" fn dmsc_last_error_message() -> *const c_char {
    last_message()
}

/// Numbers that belong to this thread's last failure.
///
/// @pre `info->struct_size` is set.
/// @param info filled; all zero when the last call did not fail.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG for NULL or a struct_size that is too small.
/// Thread: any (each has its own). Does not clear the last error unless it fails itself.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_last_error_info(info: *mut dmsc_error_info) -> dmsc_result {
    let last = last_error();
    let mut ours = dmsc_error_info {
        struct_size: size_of::<dmsc_error_info>(),
        status: 0,
        card_sw: 0,
        http_status: 0,
        syncml_status: 0,
        os_error: 0,
    };
    if let Some(error) = &last {
        ours.status = error.number();
        ours.card_sw = error.card_sw.into();
        ours.http_status = error.http_status.into();
        ours.syncml_status = error.syncml_status.into();
        ours.os_error = error.os_error;
    }
    let status = guard(|| {
        // SAFETY: the caller's precondition.
        unsafe { handle::write_struct(info, &ours) }?;
        Ok(0)
    });
    if let (0, Some(error)) = (status, last) {
        set_last(error);
    }
    status
}
