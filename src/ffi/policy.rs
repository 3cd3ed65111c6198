//! The policy: which operations are allowed, asked for, or refused.

use super::client::dmsc_client;
use super::handle;
use super::status::dmsc_result;
use crate::client::Client;
use crate::error::{Code, Error};
use std::ffi::c_char;

/// Judges bootstraps, sessions and servers' commands by this policy from now on; sessions that run keep
/// the one they began with.
///
/// Without this call the built-in policy counts (docs/policy.md has both its text and the form). The user
/// is asked through `on_alert`; @ref dmsc_alert_info says that the policy asks, and the items of the
/// alert say what about.
/// @param text the policy file, UTF-8, not necessarily NUL-terminated; at most 65536 octets.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG the last error's text names line and column; DMSC_ERR_UTF8;
///         DMSC_ERR_TOO_LARGE; DMSC_ERR_REENTRANT; DMSC_ERR_STATE. The policy before stays then.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_set_policy(
    client: *mut dmsc_client,
    text: *const c_char,
    text_len: usize,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let octets = unsafe { handle::octets(text.cast::<u8>(), text_len, "text") }?;
        let text = std::str::from_utf8(octets)
            .map_err(|error| Error::new(Code::Utf8, format!("policy: {error}")))?;
        client.set_policy(text)?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
