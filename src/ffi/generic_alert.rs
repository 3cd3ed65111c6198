//! `dmsc_generic_alert`: what the host has to tell a server.

use super::client::dmsc_client;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use super::tree::format_of;
use crate::client::{AlertKind, Client, QueuedAlert};
use crate::error::{Code, Error};
use crate::tree::Format;
use std::ffi::c_char;

/// An alert of the host for a server. Copied by the call. Texts are UTF-8.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_generic_alert {
    /// sizeof(dmsc_generic_alert); set by the caller.
    pub struct_size: usize,
    /// 1226 or 0: a generic alert; 1224: a client event (DM Protocol 1.2.1, 8.7 and 8.8).
    pub code: u32,
    /// A dmsc_format number, the format of the data; 0: DMSC_FORMAT_CHR.
    pub format: u32,
    /// The server it is for; NULL: the first server that a session is held with.
    pub server_id: *const c_char,
    /// URI of the management object that raises it, or NULL.
    pub source_uri: *const c_char,
    /// Type of the data. That of a generic alert begins with "Reversed-Domain-Name:", "Content-Type:",
    /// "org.openmobilealliance." or "urn:oma:at:". Must be given.
    pub r#type: *const c_char,
    /// Importance: "fatal", "critical", "minor", "warning", "informational", "harmless" or "indeterminate".
    /// NULL: none is sent, which means informational.
    pub mark: *const c_char,
    /// The Correlator of the Exec whose end this reports, or NULL if it had none.
    pub correlator: *const c_char,
    /// The data.
    pub data: *const u8,
    /// Number of octets at data, 65536 at most.
    pub data_len: usize,
}

// SAFETY: pointers and integers; zero means "not given".
unsafe impl CStruct for dmsc_generic_alert {
    const NAME: &'static str = "dmsc_generic_alert";
}

/// Keeps an alert for a server, over a restart too, until one has answered it. It goes out with the next
/// message of a session that runs, or with package 1 of the next one; no session is started for it.
///
/// The outcome comes as DMSC_EVENT_ALERT_DONE. An alert without answer is sent again in the next session, so
/// a server may see one twice.
/// @pre `alert->struct_size` is set.
/// @param number the alert's number, as in the event, never used twice; may be NULL; written on success only.
/// @return DMSC_OK it is kept; DMSC_ERR_INVALID_ARG (NULL, code, format, type); DMSC_ERR_NODE_FORMAT the data
///         does not have the format; DMSC_ERR_TOO_LARGE its data, or 256 alerts wait already;
///         DMSC_ERR_BUSY a transaction is open; DMSC_ERR_REENTRANT in a callback of a card or node while a
///         session writes; DMSC_ERR_UTF8; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
/// Thread: any; also inside callbacks.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_queue_alert(
    client: *mut dmsc_client,
    alert: *const dmsc_generic_alert,
    number: *mut u64,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let c = unsafe { handle::read_struct(alert) }?;
        let text = |pointer, name| {
            // SAFETY: the caller's precondition, for each of them.
            unsafe { handle::optional_text(pointer, name) }
                .map(|text| text.unwrap_or("").to_owned())
        };
        let kind = match c.code {
            0 | 1226 => AlertKind::Generic,
            1224 => AlertKind::ClientEvent,
            other => {
                let text = format!("code {other} is no alert of a host");
                return Err(Error::new(Code::InvalidArg, text));
            }
        };
        let alert = QueuedAlert {
            server_id: text(c.server_id, "server_id")?,
            kind,
            source: text(c.source_uri, "source_uri")?,
            mime: text(c.r#type, "type")?,
            format: if c.format == 0 { Format::Chr } else { format_of(c.format)? },
            mark: text(c.mark, "mark")?,
            correlator: text(c.correlator, "correlator")?,
            // SAFETY: the caller's precondition.
            data: unsafe { handle::octets(c.data, c.data_len, "data") }?.to_vec(),
        };
        let given = client.queue_alert(alert)?;
        if !number.is_null() {
            // SAFETY: not NULL, and valid by the caller's precondition.
            unsafe { number.write(given) };
        }
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
