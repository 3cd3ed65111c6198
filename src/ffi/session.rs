//! `dmsc_session`: a DM session that the host asks for, waits for, or cancels.

use super::client::dmsc_client;
use super::guard::{guard, guard_value};
use super::handle::{self, CStruct, Handle};
use super::status::{dmsc_result, dmsc_status};
use crate::client::{Client, SessionInfo, SessionState};
use crate::error::Result;
use std::ffi::c_char;
use std::time::Duration;

/// What session to start. Copied by the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_session_request {
    /// sizeof(dmsc_session_request); set by the caller.
    pub struct_size: usize,
    /// The server; NULL: the only account there is.
    pub server_id: *const c_char,
}

// SAFETY: pointers and integers; zero means "not given".
unsafe impl CStruct for dmsc_session_request {
    const NAME: &'static str = "dmsc_session_request";
}

/// Where a session stands.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_session_state {
    /// Accepted, not begun.
    DMSC_SESSION_WAITING = 0,
    /// Messages are exchanged.
    DMSC_SESSION_RUNNING = 1,
    /// The user is asked.
    DMSC_SESSION_ASKING = 2,
    /// Over; `status` says how.
    DMSC_SESSION_ENDED = 3,
}

/// A session's state.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_session_info {
    /// sizeof(dmsc_session_info); set by the caller.
    pub struct_size: usize,
    /// The session's id, as in events.
    pub id: u64,
    /// A dmsc_session_state number.
    pub state: u32,
    /// Messages received so far.
    pub messages: u32,
    /// How it ended: DMSC_OK or the failure; DMSC_PENDING before its end.
    pub status: i32,
    /// The SyncML status behind `status`, or 0.
    pub syncml_status: u32,
}

// SAFETY: integers only.
unsafe impl CStruct for dmsc_session_info {
    const NAME: &'static str = "dmsc_session_info";
}

/// One DM session of the host. Any thread may use it at the same time.
#[derive(Debug)]
pub struct dmsc_session {
    client: Client,
    id: u64,
}

impl Handle for dmsc_session {
    const NAME: &'static str = "session";
}

/// Asks for a session with a server (Alert 1201); it begins when the client is driven.
///
/// In a client with a store that is kept, one that was interrupted by the end of the process is held again by
/// the next client by itself (event DMSC_EVENT_SESSION_REQUESTED, then the card of its account is waited for);
/// whoever asks for a session with its server gets that one. Closing the client ends it for good.
///
/// @pre `request->struct_size` is set.
/// @param out the session; written on success only; free it with @ref dmsc_session_free.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_TRIGGER_SERVER no such account, or several and none
///         named; DMSC_ERR_BUSY a session with this server waits already; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_session_start(
    client: *mut dmsc_client,
    request: *const dmsc_session_request,
    out: *mut *mut dmsc_session,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(out, "out")?;
        // SAFETY: the caller's precondition.
        let request = unsafe { handle::read_struct(request) }?;
        // SAFETY: the caller's precondition.
        let server_id = unsafe { handle::optional_text(request.server_id, "server_id") }?;
        let id = client.start_session(server_id.map(str::to_owned))?;
        let session = handle::give(dmsc_session { client: client.clone(), id });
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(out, "out", session) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// The session's id, as in events; 0 for NULL.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_session_id(session: *const dmsc_session) -> u64 {
    // SAFETY: the caller's precondition.
    guard_value(0, || Ok(unsafe { handle::get(session) }?.id))
}

/// Where the session stands.
///
/// @pre `info->struct_size` is set.
/// @return DMSC_OK (also when the client is closed: the session has ended then); DMSC_ERR_INVALID_ARG;
///         DMSC_ERR_STATE it has ended and 256 others have begun since.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_session_info_get(
    session: *const dmsc_session,
    info: *mut dmsc_session_info,
) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let session = unsafe { handle::get(session) }?;
        let state = session.client.session_info(session.id)?;
        // SAFETY: the caller's precondition.
        unsafe { put_info(&state, info) }?;
        Ok(0)
    })
}

/// # Safety
/// `info` is NULL or a writable struct whose first member is its size.
unsafe fn put_info(state: &SessionInfo, info: *mut dmsc_session_info) -> Result<()> {
    let ours = dmsc_session_info {
        struct_size: size_of::<dmsc_session_info>(),
        id: state.id,
        state: match state.state {
            SessionState::Waiting => dmsc_session_state::DMSC_SESSION_WAITING,
            SessionState::Running => dmsc_session_state::DMSC_SESSION_RUNNING,
            SessionState::Asking => dmsc_session_state::DMSC_SESSION_ASKING,
            SessionState::Ended => dmsc_session_state::DMSC_SESSION_ENDED,
        } as u32,
        messages: state.messages,
        status: match (&state.state, &state.error) {
            (_, Some(error)) => error.number(),
            (SessionState::Ended, None) => 0,
            _ => dmsc_status::DMSC_PENDING as i32,
        },
        syncml_status: state.error.as_ref().map_or(0, |error| error.syncml_status.into()),
    };
    // SAFETY: the caller's promise.
    unsafe { handle::write_struct(info, &ours) }
}

/// Waits for the end of the session. Drives the client if nobody else does.
///
/// @pre `info` is NULL or `info->struct_size` is set.
/// @param timeout_ms longest wait in milliseconds.
/// @param info the state at the return; written on DMSC_OK and DMSC_TIMED_OUT.
/// @return DMSC_OK it has ended (info->status says how); DMSC_TIMED_OUT; DMSC_ERR_REENTRANT inside a
///         callback; DMSC_ERR_STATE the client was closed meanwhile, or as @ref dmsc_session_info_get.
/// Thread: any but in callbacks.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_session_wait(
    session: *mut dmsc_session,
    timeout_ms: u32,
    info: *mut dmsc_session_info,
) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let session = unsafe { handle::get(session) }?;
        let timeout = Duration::from_millis(timeout_ms.into());
        let state =
            session.client.poison_on_panic(|client| client.wait_session(session.id, timeout))?;
        if !info.is_null() {
            // SAFETY: the caller's precondition.
            unsafe { put_info(&state, info) }?;
        }
        Ok(match state.state {
            SessionState::Ended => dmsc_status::DMSC_OK,
            _ => dmsc_status::DMSC_TIMED_OUT,
        } as i32)
    })
}

/// Aborts the session: the server is told (Alert 1223) if a message can still be sent; NULL is allowed.
///
/// What the server's commands have done stays; an open Atomic is undone.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_session_cancel(session: *mut dmsc_session) {
    guard_value((), || {
        // SAFETY: the caller's precondition.
        let session = unsafe { handle::get(session) }?;
        session.client.cancel_session(session.id)
    });
}

/// Frees the handle; NULL is allowed. The session goes on by itself.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_session_free(session: *mut dmsc_session) {
    guard_value((), || {
        // SAFETY: the caller's precondition.
        drop(unsafe { handle::take(session) });
        Ok(())
    });
}
