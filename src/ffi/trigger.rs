//! Notifications that the host receives: WAP push, SMS stack, or its own.

use super::client::dmsc_client;
use super::handle::{self, CStruct};
use super::status::{dmsc_result, dmsc_status};
use crate::client::{Client, Delivery};
use crate::error::{Code, Error};
use crate::event::TriggerSource;
use std::ffi::c_char;

/// Where a notification came from.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_trigger_source {
    /// A WAP push as the handset's SMS stack hands it over.
    DMSC_TRIGGER_PUSH = 0,
    /// The card; only the library itself reports this.
    DMSC_TRIGGER_CARD = 1,
    /// The host itself.
    DMSC_TRIGGER_HOST = 2,
}

/// A notification to deliver. Copied by the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_trigger {
    /// sizeof(dmsc_trigger); set by the caller.
    pub struct_size: usize,
    /// DMSC_TRIGGER_PUSH or DMSC_TRIGGER_HOST.
    pub source: u32,
    /// The slot of the card that the message came in by; 0 if none.
    pub slot: u32,
    /// Media type of `data` where the host has taken off the envelope, for example
    /// "application/vnd.syncml.notification" for a bare package #0; NULL: `data` is a whole WSP push PDU
    /// or a bare package #0, which the library finds out.
    pub content_type: *const c_char,
    /// The octets.
    pub data: *const u8,
    /// Number of octets at data.
    pub data_len: usize,
}

// SAFETY: pointers and integers; zero means "not given".
unsafe impl CStruct for dmsc_trigger {
    const NAME: &'static str = "dmsc_trigger";
}

/// Delivers a notification (package #0 of OMA DM Notification 1.2.1, bare or in a WSP push).
///
/// A genuine one is shown to `on_trigger` and then starts a DM session; a wrong one is dropped: the
/// sender is told nothing, the caller gets the reason here and as DMSC_EVENT_TRIGGER_REFUSED.
/// @pre `trigger->struct_size` is set.
/// @param session_id the id of the session that will follow; may be NULL; written on success only.
/// @return DMSC_PENDING the session was asked for and its events follow; DMSC_ERR_INVALID_ARG;
///         DMSC_ERR_TRIGGER_FORMAT; DMSC_ERR_TRIGGER_SERVER no account for this server;
///         DMSC_ERR_TRIGGER_DIGEST; DMSC_ERR_TRIGGER_REPLAY seen before; DMSC_ERR_BUSY a session with
///         the server waits already, five within ten minutes were accepted, or a transaction is open: try
///         again; DMSC_ERR_NOT_SUPPORTED a push that is no notification but a bootstrap: give it to
///         @ref dmsc_client_apply_provisioning; DMSC_ERR_REENTRANT; DMSC_ERR_STORAGE_*.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_deliver_trigger(
    client: *mut dmsc_client,
    trigger: *const dmsc_trigger,
    session_id: *mut u64,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let c = unsafe { handle::read_struct(trigger) }?;
        // SAFETY: the caller's precondition.
        let data = unsafe { handle::octets(c.data, c.data_len, "data") }?;
        // SAFETY: the caller's precondition.
        let content_type = unsafe { handle::optional_text(c.content_type, "content_type") }?;
        let source = match c.source {
            0 => TriggerSource::Push,
            2 => TriggerSource::Host,
            number => {
                let text = format!("source {number}: only PUSH and HOST can be delivered");
                return Err(Error::new(Code::InvalidArg, text));
            }
        };
        let id = client.deliver_trigger(Delivery {
            source,
            slot: c.slot,
            content_type: content_type.map(str::to_owned),
            octets: data.to_vec(),
        })?;
        if !session_id.is_null() {
            // SAFETY: not NULL; valid by the caller's precondition.
            unsafe { session_id.write(id) };
        }
        Ok(dmsc_status::DMSC_PENDING as i32)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
