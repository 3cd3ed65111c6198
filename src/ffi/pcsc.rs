//! Cards in readers of this machine, through PC/SC.

use super::buffer::{self, dmsc_buffer};
use super::card::{dmsc_card, give_card};
use super::client::dmsc_client;
use super::guard::guard;
use super::handle;
use super::status::dmsc_result;
use crate::card::transport::CardTransport;
use crate::client::Client;
use crate::error::Result;
#[cfg(not(feature = "pcsc"))]
use crate::error::{Code, Error};
use std::ffi::c_char;

/// Opens the card in a PC/SC reader, shared with other programs except while a task works on it.
///
/// The library looks after the reader: removal and insertion are events (DMSC_EVENT_CARD_STATE) at once.
/// One exchange may take 10 s; then, or when it is cancelled (@ref dmsc_card_cancel), it is left: PC/SC
/// cannot end it. A thread of the library waits for its end, until then every other exchange with this
/// card fails with DMSC_ERR_TIMEOUT, and closing the card or the client does not wait.
/// @param slot as in @ref dmsc_card_open.
/// @param reader a part of the reader's name, or with `*` (any octets) or `?` (one character) all of it;
///        NULL: the first reader with a card.
/// @param out the card; written on success only; close it with @ref dmsc_card_close.
/// @return as @ref dmsc_card_open; DMSC_ERR_CARD_ABSENT also when there is no such reader or no PC/SC
///         service; DMSC_ERR_NOT_SUPPORTED without the feature "pcsc".
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_open_pcsc(
    client: *mut dmsc_client,
    slot: u32,
    reader: *const c_char,
    out: *mut *mut dmsc_card,
) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { open_pcsc(client, slot, reader, false, out) }
}

/// Opens the card in a PC/SC reader for this program alone, until it is closed.
///
/// Parameters, result and thread as of @ref dmsc_card_open_pcsc; DMSC_ERR_BUSY also while another program uses
/// the card.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_open_pcsc_exclusive(
    client: *mut dmsc_client,
    slot: u32,
    reader: *const c_char,
    out: *mut *mut dmsc_card,
) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { open_pcsc(client, slot, reader, true, out) }
}

/// # Safety
/// As [`dmsc_card_open_pcsc`].
unsafe fn open_pcsc(
    client: *mut dmsc_client,
    slot: u32,
    reader: *const c_char,
    alone: bool,
    out: *mut *mut dmsc_card,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(out, "out")?;
        // SAFETY: the caller's promise.
        let reader = unsafe { handle::optional_text(reader, "reader") }?;
        let id = client.open_card(slot, pcsc_transport(reader, alone)?)?;
        // SAFETY: checked above; valid by the caller's promise.
        unsafe { give_card(client, id, out) }
    };
    // SAFETY: the caller's promise.
    unsafe { dmsc_client::guard(client, body) }
}

#[cfg(feature = "pcsc")]
fn pcsc_transport(reader: Option<&str>, alone: bool) -> Result<Box<dyn CardTransport>> {
    use crate::card::pcsc::{PcscTransport, Sharing};
    let sharing = if alone { Sharing::Exclusive } else { Sharing::Shared };
    Ok(Box::new(PcscTransport::open_as(reader, sharing)?))
}

#[cfg(not(feature = "pcsc"))]
fn pcsc_transport(_: Option<&str>, _: bool) -> Result<Box<dyn CardTransport>> {
    Err(Error::new(Code::NotSupported, "this build has no PC/SC"))
}

/// The names of the PC/SC readers, each ended by a line feed.
///
/// @param out the text; written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK (also without any reader); DMSC_ERR_CARD_ABSENT no PC/SC service;
///         DMSC_ERR_NOT_SUPPORTED without the feature "pcsc"; DMSC_ERR_INVALID_ARG.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_pcsc_list_readers(out: *mut *mut dmsc_buffer) -> dmsc_result {
    guard(|| {
        handle::not_null(out, "out")?;
        let names: String = readers()?.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(out, "out", buffer::give(names.into_bytes())) }?;
        Ok(0)
    })
}

#[cfg(feature = "pcsc")]
fn readers() -> Result<Vec<String>> {
    crate::card::pcsc::list_readers()
}

#[cfg(not(feature = "pcsc"))]
fn readers() -> Result<Vec<String>> {
    Err(Error::new(Code::NotSupported, "this build has no PC/SC"))
}
