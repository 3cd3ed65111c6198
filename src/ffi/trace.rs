//! Looking on: what goes over the contacts of a client's cards.

use super::client::dmsc_client;
use super::destroy::UserData;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use crate::client::{Client, Exchange, TraceSink};
use crate::error::{Code, Error};
use std::ffi::{c_char, c_void};
use std::path::Path;
use std::sync::Arc;

/// One exchange with a card. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_apdu {
    /// sizeof(dmsc_apdu) of the library.
    pub struct_size: usize,
    /// The card's slot.
    pub slot: u32,
    /// When the response was there, in milliseconds since 1970 (UTC).
    pub unix_ms: u64,
    /// The command APDU. PINs, and what a user typed unseen, are octets FF.
    pub command: *const u8,
    /// Number of octets at command.
    pub command_len: usize,
    /// The response APDU with its status word.
    pub response: *const u8,
    /// Number of octets at response.
    pub response_len: usize,
}

/// Sees the exchanges with the cards. Copied; `exchange` must be there.
///
/// Thread: the driving thread, one call at a time. Re-entry: as in a callback of a card transport.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_apdu_trace {
    /// sizeof(dmsc_apdu_trace); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// An exchange is over. One that failed has no response and is not shown.
    pub exchange: Option<unsafe extern "C" fn(user_data: *mut c_void, apdu: *const dmsc_apdu)>,
    /// Called exactly once, after the last other callback; not called if the struct was refused.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: pointers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_apdu_trace {
    const NAME: &'static str = "dmsc_apdu_trace";
}

struct HostTrace {
    c: dmsc_apdu_trace,
    user: UserData,
}

// SAFETY: the contract of dmsc_apdu_trace: the driving thread, whichever it is, one at a time.
unsafe impl Send for HostTrace {}
// SAFETY: as above; the library never calls it twice at once.
unsafe impl Sync for HostTrace {}

impl HostTrace {
    fn show(&self, exchange: &Exchange<'_>) {
        let Some(show) = self.c.exchange else { return };
        let apdu = dmsc_apdu {
            struct_size: size_of::<dmsc_apdu>(),
            slot: exchange.slot,
            unix_ms: u64::try_from(exchange.time.as_millis()).unwrap_or(u64::MAX),
            command: exchange.command.as_ptr(),
            command_len: exchange.command.len(),
            response: exchange.response.as_ptr(),
            response_len: exchange.response.len(),
        };
        // SAFETY: the host's function with its own pointer; the exchange lives until it returns.
        unsafe { show(self.user.pointer(), &raw const apdu) }
    }
}

/// Shows every exchange with every card of the client to `trace`, from now on and in place of what looked
/// on before; NULL ends it.
///
/// What a card holds is shown as it is, credentials in bootstrap data and identities included; only PINs are
/// not. For tests and tools.
/// @pre `trace` is NULL or `trace->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL client, no `exchange`); DMSC_ERR_REENTRANT;
///         DMSC_ERR_STATE the client is closed.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_trace(
    client: *mut dmsc_client,
    trace: *const dmsc_apdu_trace,
) -> dmsc_result {
    let body = |client: &Client| {
        if trace.is_null() {
            return client.set_trace(None).map(|()| 0);
        }
        // SAFETY: the caller's precondition.
        let c = unsafe { handle::read_struct(trace) }?;
        if c.exchange.is_none() {
            return Err(Error::new(Code::InvalidArg, "dmsc_apdu_trace.exchange is NULL"));
        }
        let host = HostTrace { c, user: UserData::new(c.user_data, c.destroy) };
        let acceptance = host.user.acceptance();
        let sink: TraceSink = Arc::new(move |exchange| host.show(exchange));
        client.set_trace(Some(sink))?;
        acceptance.accept();
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Writes every exchange with every card of the client to a capture file (pcap, GSMTAP), from now on and in
/// place of what looked on before; NULL ends it. Wireshark shows commands, files and toolkit in it.
///
/// The file is made anew. It holds what @ref dmsc_client_trace shows; keep it as secret as the card. When it
/// cannot be written any more that is logged, and nothing else changes.
/// @return DMSC_OK; DMSC_ERR_IO the file cannot be made; DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8;
///         DMSC_ERR_REENTRANT; DMSC_ERR_STATE the client is closed.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_trace_pcap(
    client: *mut dmsc_client,
    path: *const c_char,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let path = unsafe { handle::optional_text(path, "path") }?;
        match path {
            Some(path) => client.trace_to_pcap(Path::new(path)),
            None => client.set_trace(None),
        }
        .map(|()| 0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
