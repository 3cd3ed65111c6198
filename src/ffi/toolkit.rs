//! The card's toolkit and the host: who carries out what, commands that the host's modem fetches, events.

use super::buffer::{self, dmsc_buffer};
use super::card::dmsc_card;
use super::client::dmsc_client;
use super::destroy::UserData;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use super::toolkit_request::dmsc_toolkit_request;
use crate::card::cat::{Capabilities, Imei, Imeisv, LocalInfo, Location, ScreenEvent};
use crate::client::{Client, Outgoing, ToolkitEvent, ToolkitHost, ToolkitRequest};
use crate::error::{Code, Error, Result};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// What the host carries out for the card's toolkit. Bits, to be joined with `|`; TERMINAL PROFILE announces
/// exactly these, and the library answers every other command with "beyond the terminal's capabilities".
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_toolkit_capability {
    /// DISPLAY TEXT.
    DMSC_TOOLKIT_DISPLAY_TEXT = 1,
    /// GET INKEY.
    DMSC_TOOLKIT_GET_INKEY = 2,
    /// GET INPUT.
    DMSC_TOOLKIT_GET_INPUT = 4,
    /// SELECT ITEM.
    DMSC_TOOLKIT_SELECT_ITEM = 8,
    /// LAUNCH BROWSER; the host tells when the browser ends.
    DMSC_TOOLKIT_BROWSER = 16,
    /// SEND SHORT MESSAGE.
    DMSC_TOOLKIT_SEND_SMS = 32,
    /// The host tells of user activity and the idle screen.
    DMSC_TOOLKIT_SCREEN_EVENTS = 64,
    /// The host tells of changes of service and location.
    DMSC_TOOLKIT_LOCATION_EVENTS = 128,
    /// SET UP MENU; the host tells what is chosen.
    DMSC_TOOLKIT_MENU = 256,
    /// PLAY TONE.
    DMSC_TOOLKIT_PLAY_TONE = 512,
    /// SET UP CALL.
    DMSC_TOOLKIT_CALLS = 1024,
    /// SEND SS and SEND USSD.
    DMSC_TOOLKIT_SERVICES = 2048,
    /// SEND DTMF.
    DMSC_TOOLKIT_DTMF = 4096,
    /// SET UP IDLE MODE TEXT.
    DMSC_TOOLKIT_IDLE_TEXT = 8192,
    /// LANGUAGE NOTIFICATION.
    DMSC_TOOLKIT_LANGUAGE = 16384,
}

/// What the host's modem has to send to the card.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_toolkit_outgoing {
    /// The data of a TERMINAL RESPONSE.
    DMSC_TOOLKIT_TERMINAL_RESPONSE = 1,
    /// The data of an ENVELOPE; give the card's status word to @ref dmsc_card_envelope_answered.
    DMSC_TOOLKIT_ENVELOPE = 2,
}

/// The host's side of the toolkit. Copied by @ref dmsc_client_set_toolkit_host; NULL members mean "not
/// wanted", but `request` must be there if `capabilities` is not 0.
///
/// Thread and re-entry: as with @ref dmsc_callbacks.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_toolkit_host {
    /// sizeof(dmsc_toolkit_host); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Bits of dmsc_toolkit_capability.
    pub capabilities: u32,
    /// The card wants something. The callee owns `request` and must give it to @ref dmsc_toolkit_answer
    /// exactly once, now or later, from any thread. After a minute, and what the card allows more, the
    /// library answers the card itself.
    pub request:
        Option<unsafe extern "C" fn(user_data: *mut c_void, request: *mut dmsc_toolkit_request)>,
    /// The card's open request in this slot is void: its time is up or the card is gone. It is still to be
    /// given to @ref dmsc_toolkit_answer.
    pub withdrawn: Option<unsafe extern "C" fn(user_data: *mut c_void, slot: u32)>,
    /// Where the host's modem owns the toolkit: it has to send this; `what` is a dmsc_toolkit_outgoing.
    pub send: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            slot: u32,
            what: u32,
            data: *const u8,
            len: usize,
        ),
    >,
    /// Called exactly once, after the last other callback; not called if the struct was refused.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: pointers, integers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_toolkit_host {
    const NAME: &'static str = "dmsc_toolkit_host";
}

/// Something that the host tells the card's toolkit with @ref dmsc_card_toolkit_event.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_toolkit_event {
    /// The user did something.
    DMSC_TOOLKIT_USER_ACTIVITY = 1,
    /// The idle screen came up.
    DMSC_TOOLKIT_IDLE_SCREEN = 2,
    /// The user closed the browser.
    DMSC_TOOLKIT_BROWSER_ENDED = 3,
    /// The browser ended with an error.
    DMSC_TOOLKIT_BROWSER_FAILED = 4,
    /// The user chose from the card's menu; `value` is the item's identifier.
    DMSC_TOOLKIT_MENU_SELECTED = 5,
    /// The user wants help with an item of the card's menu; `value` is its identifier.
    DMSC_TOOLKIT_MENU_HELP = 6,
}

/// What the host tells about itself (PROVIDE LOCAL INFORMATION and the events of it). Copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_local_info {
    /// sizeof(dmsc_local_info); set by the caller.
    pub struct_size: usize,
    /// 15 digits; NULL: not told.
    pub imei: *const c_char,
    /// 16 digits; NULL: not told.
    pub imeisv: *const c_char,
    /// Two lower case letters of ISO 639-1; NULL: not told.
    pub language: *const c_char,
    /// MCC, MNC, LAC and cell as the network codes them, 7 octets, or 9 with an extended cell; NULL: no
    /// service.
    pub location: *const u8,
    /// Number of octets at location.
    pub location_len: usize,
    /// 1 if `access_technology` is known.
    pub has_access_technology: u32,
    /// 0 GSM, 3 UTRAN, 8 E-UTRAN, 10 NG-RAN ... (TS 102 223, 8.61).
    pub access_technology: u32,
    /// 1 if `utc_offset_quarters` is known.
    pub has_utc_offset: u32,
    /// Local time minus UTC in quarters of an hour, -79 to 79.
    pub utc_offset_quarters: i32,
}

// SAFETY: pointers and integers; zero means "not told".
unsafe impl CStruct for dmsc_local_info {
    const NAME: &'static str = "dmsc_local_info";
}

struct Host {
    c: dmsc_toolkit_host,
    user: UserData,
}

// SAFETY: the contract of dmsc_toolkit_host: the driving thread, whichever it is, one at a time.
unsafe impl Send for Host {}
// SAFETY: as above; the library never calls it twice at once.
unsafe impl Sync for Host {}

impl ToolkitHost for Host {
    fn capabilities(&self) -> Capabilities {
        Capabilities::from_bits_truncate(self.c.capabilities)
    }

    fn request(&self, request: ToolkitRequest) {
        let Some(callback) = self.c.request else { return };
        let given = handle::give(dmsc_toolkit_request::new(request));
        // SAFETY: the host's function with its own pointer; it owns the request from now on.
        unsafe { callback(self.user.pointer(), given) }
    }

    fn withdrawn(&self, slot: u32) {
        if let Some(withdrawn) = self.c.withdrawn {
            // SAFETY: the host's function with its own pointer.
            unsafe { withdrawn(self.user.pointer(), slot) }
        }
    }

    fn send(&self, slot: u32, what: Outgoing, data: &[u8]) {
        if let Some(send) = self.c.send {
            // SAFETY: the host's function with its own pointer; the data live until it returns.
            unsafe { send(self.user.pointer(), slot, what as u32, data.as_ptr(), data.len()) }
        }
    }
}

/// Says who carries out what the cards' toolkits ask of the host, for toolkits that start from now on; NULL:
/// nobody.
///
/// @pre `host` is NULL or `host->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL client, unknown capabilities, capabilities without `request`);
///         DMSC_ERR_REENTRANT; DMSC_ERR_STATE the client is closed.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_set_toolkit_host(
    client: *mut dmsc_client,
    host: *const dmsc_toolkit_host,
) -> dmsc_result {
    let body = |client: &Client| {
        if host.is_null() {
            return client.set_toolkit_host(None).map(|()| 0);
        }
        // SAFETY: the caller's precondition.
        let c = unsafe { handle::read_struct(host) }?;
        let known = Capabilities::all().difference(Capabilities::CONNECTIONS);
        if c.capabilities & !known.bits() != 0 {
            let text = format!("capabilities {:#X} have unknown bits", c.capabilities);
            return Err(Error::new(Code::InvalidArg, text));
        }
        if c.capabilities != 0 && c.request.is_none() {
            let text = "dmsc_toolkit_host has capabilities but no request callback";
            return Err(Error::new(Code::InvalidArg, text));
        }
        let host = Host { c, user: UserData::new(c.user_data, c.destroy) };
        let acceptance = host.user.acceptance();
        client.set_toolkit_host(Some(Arc::new(host)))?;
        acceptance.accept();
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// The data of TERMINAL PROFILE for a modem that owns the card's toolkit: what the library and the host can do.
/// Makes the host the owner; its modem has to merge these bits into its own and to hand over the proactive
/// commands that the profile announces.
///
/// @param profile written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_STATE the library owns the toolkit (@ref dmsc_card_toolkit_start), or the client
///         is closed; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_terminal_profile(
    card: *mut dmsc_card,
    profile: *mut *mut dmsc_buffer,
) -> dmsc_result {
    let body = |client: &Client, id| {
        handle::not_null(profile, "profile")?;
        let octets = client.terminal_profile(id)?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(profile, "profile", buffer::give(octets)) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// Carries out one proactive command that the host's modem has fetched (`D0 ...`), as the engine of a toolkit
/// that the library does not own. The library sends nothing to the card by itself then: timers, channels and
/// events come to `send` of dmsc_toolkit_host.
///
/// @param terminal_response the data of the TERMINAL RESPONSE to send; NULL with DMSC_OK while the host is
///        asked: it comes to `send` then. Written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_CARD_BAD_DATA nothing that could be answered: send nothing; DMSC_ERR_STATE the
///         library owns the toolkit, another command is open, or the client is closed; DMSC_ERR_INVALID_ARG;
///         DMSC_ERR_REENTRANT.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_proactive_command(
    card: *mut dmsc_card,
    command: *const u8,
    len: usize,
    terminal_response: *mut *mut dmsc_buffer,
) -> dmsc_result {
    let body = |client: &Client, id| {
        handle::not_null(terminal_response, "terminal_response")?;
        // SAFETY: the caller's precondition.
        let command = unsafe { handle::octets(command, len, "command") }?;
        let response = client.proactive_command(id, command.to_vec())?;
        let given = response.map_or(std::ptr::null_mut(), buffer::give);
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(terminal_response, "terminal_response", given) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// The card's status word for the ENVELOPE that `send` of dmsc_toolkit_host brought last: 9300 (busy) brings it
/// again later. Without it no other one comes.
///
/// @return DMSC_OK; DMSC_ERR_STATE the host does not own the toolkit; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_envelope_answered(card: *mut dmsc_card, sw: u32) -> dmsc_result {
    let body = |client: &Client, id| {
        let sw = u16::try_from(sw)
            .map_err(|_| Error::new(Code::InvalidArg, format!("{sw:#X} is no status word")))?;
        client.toolkit_event(id, ToolkitEvent::EnvelopeAnswered { sw })?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// Tells the card's toolkit what happened. The card hears of it if it wants to.
///
/// @param event a dmsc_toolkit_event number.
/// @param value as the event says, else 0.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE the toolkit was not started; DMSC_ERR_REENTRANT.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_toolkit_event(
    card: *mut dmsc_card,
    event: u32,
    value: u32,
) -> dmsc_result {
    let body = |client: &Client, id| {
        let item = || {
            u8::try_from(value)
                .map_err(|_| Error::new(Code::InvalidArg, format!("{value} is no item")))
        };
        let event = match event {
            1 => ToolkitEvent::Screen(ScreenEvent::UserActivity),
            2 => ToolkitEvent::Screen(ScreenEvent::Idle),
            3 => ToolkitEvent::BrowserEnded { by_error: false },
            4 => ToolkitEvent::BrowserEnded { by_error: true },
            5 => ToolkitEvent::Menu { item: item()?, help: false },
            6 => ToolkitEvent::Menu { item: item()?, help: true },
            _ => {
                let text = format!("event {event} is no dmsc_toolkit_event");
                return Err(Error::new(Code::InvalidArg, text));
            }
        };
        client.toolkit_event(id, event)?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// Replaces what the card may ask about the terminal. Changes of location, language and access technology are
/// events that the card hears of if it wants to. What was unknown when the toolkit started stays unannounced.
///
/// @pre `info->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (NULL, or a member that is not what it should be); DMSC_ERR_UTF8;
///         DMSC_ERR_STATE the toolkit was not started; DMSC_ERR_REENTRANT.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_set_local_info(
    card: *mut dmsc_card,
    info: *const dmsc_local_info,
) -> dmsc_result {
    let body = |client: &Client, id| {
        // SAFETY: the caller's precondition.
        let local = unsafe { read_local(info) }?;
        client.toolkit_event(id, ToolkitEvent::Local(local))?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_card::guard(card, body) }
}

/// # Safety
/// `info` is NULL or a struct whose first member is its size, with valid pointers.
unsafe fn read_local(info: *const dmsc_local_info) -> Result<LocalInfo> {
    let invalid = |text: &str| Error::new(Code::InvalidArg, text.to_owned());
    // SAFETY: the caller's promise, for the struct and what it points to.
    let (c, imei, imeisv, language, location) = unsafe {
        let c = handle::read_struct(info)?;
        let imei = handle::optional_text(c.imei, "imei")?;
        let imeisv = handle::optional_text(c.imeisv, "imeisv")?;
        let language = handle::optional_text(c.language, "language")?;
        let location = match c.location.is_null() {
            true => None,
            false => Some(handle::octets(c.location, c.location_len, "location")?),
        };
        (c, imei, imeisv, language, location)
    };
    let letters = |text: &str| {
        <[u8; 2]>::try_from(text.as_bytes()).map_err(|_| invalid("language: not two letters"))
    };
    let technology = (c.has_access_technology != 0)
        .then(|| u8::try_from(c.access_technology).map_err(|_| invalid("access_technology")))
        .transpose()?;
    let offset = (c.has_utc_offset != 0)
        .then(|| match i8::try_from(c.utc_offset_quarters) {
            Ok(quarters @ -79..=79) => Ok(quarters),
            _ => Err(invalid("utc_offset_quarters: not -79 to 79")),
        })
        .transpose()?;
    Ok(LocalInfo {
        imei: imei.map(Imei::from_digits).transpose()?,
        imeisv: imeisv.map(Imeisv::from_digits).transpose()?,
        language: language.map(letters).transpose()?,
        location: location.map(Location::from_octets).transpose()?,
        access_technology: technology,
        utc_offset_quarters: offset,
    })
}
