//! The card's toolkit and the host: questions of the card, commands that the host's modem fetches, events.

use super::buffer::{self, dmsc_buffer};
use super::callbacks::c_text;
use super::card::dmsc_card;
use super::client::dmsc_client;
use super::destroy::UserData;
use super::guard::{guard, guard_value};
use super::handle::{self, CStruct, Handle};
use super::status::dmsc_result;
use crate::card::cat::{
    Capabilities, Failure, HostAnswer, HostRequest, Imei, Imeisv, LocalInfo, Location, ScreenEvent,
};
use crate::client::{Client, Outgoing, ToolkitEvent, ToolkitHost, ToolkitRequest};
use crate::error::{Code, Error, Result};
use std::ffi::{CString, c_char, c_void};
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

/// A proactive command for the host (ETSI TS 102 223).
///
/// Owned by the host from `request` to @ref dmsc_toolkit_answer. One thread at a time.
#[derive(Debug)]
pub struct dmsc_toolkit_request {
    request: ToolkitRequest,
    text: CString,
    second: CString,
    items: Vec<CString>,
}

impl Handle for dmsc_toolkit_request {
    const NAME: &'static str = "request";
}

/// What the card wants.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_toolkit_request_info {
    /// sizeof(dmsc_toolkit_request_info); set by the caller.
    pub struct_size: usize,
    /// The card's slot.
    pub slot: u32,
    /// Type of command (TS 102 223, 9.4): 0x10 SET UP CALL, 0x11 SEND SS, 0x12 SEND USSD, 0x13 SEND SHORT
    /// MESSAGE, 0x14 SEND DTMF, 0x15 LAUNCH BROWSER, 0x20 PLAY TONE, 0x21 DISPLAY TEXT, 0x22 GET INKEY, 0x23
    /// GET INPUT, 0x24 SELECT ITEM, 0x25 SET UP MENU, 0x28 SET UP IDLE MODE TEXT, 0x35 LANGUAGE NOTIFICATION.
    pub command: u32,
    /// How it is meant: bits of dmsc_toolkit_manner. For LAUNCH BROWSER and SET UP CALL the qualifier itself.
    pub manner: u32,
    /// Text, question or title; "" if none. SET UP CALL: the question before the call. Valid until the request
    /// is answered, as all pointers here.
    pub text: *const c_char,
    /// GET INPUT: what stands in the field; LAUNCH BROWSER: the URL; SET UP CALL: what to show during the
    /// call; LANGUAGE NOTIFICATION: two letters. "" if none.
    pub second: *const c_char,
    /// SEND SHORT MESSAGE: the TPDU; SEND SS, USSD, DTMF: the string; SET UP CALL: the address; PLAY TONE: one
    /// octet, the tone; NULL if none.
    pub data: *const u8,
    /// Number of octets at data.
    pub data_len: usize,
    /// SEND SHORT MESSAGE: the service centre, type of number, then swapped digits; NULL: the default one.
    pub address: *const u8,
    /// Number of octets at address.
    pub address_len: usize,
    /// How long it shall be shown, played or waited for, in milliseconds; 0 if not said.
    pub duration_ms: u32,
    /// GET INPUT: fewest characters.
    pub min_len: u32,
    /// GET INPUT: most characters; 255: no limit.
    pub max_len: u32,
    /// SELECT ITEM, SET UP MENU: number of items of @ref dmsc_toolkit_item.
    pub item_count: u32,
    /// SELECT ITEM: identifier of the item to begin with; 0 if none.
    pub default_item: u32,
}

// SAFETY: pointers and integers.
unsafe impl CStruct for dmsc_toolkit_request_info {
    const NAME: &'static str = "dmsc_toolkit_request_info";
}

/// How a command of the card is meant. Bits of dmsc_toolkit_request_info.manner.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_toolkit_manner {
    /// DISPLAY TEXT may interrupt what the user does.
    DMSC_TOOLKIT_HIGH_PRIORITY = 1,
    /// DISPLAY TEXT stays until the user acknowledges it, else for a moment.
    DMSC_TOOLKIT_WAIT_FOR_USER = 2,
    /// DISPLAY TEXT: answer at once, the text may stay.
    DMSC_TOOLKIT_AT_ONCE = 4,
    /// GET INKEY, GET INPUT: any character, else digits, `*`, `#` and `+`.
    DMSC_TOOLKIT_ALPHABET = 8,
    /// GET INKEY, GET INPUT: characters beyond the GSM default alphabet are wanted.
    DMSC_TOOLKIT_UCS2 = 16,
    /// GET INKEY: yes or no is wanted.
    DMSC_TOOLKIT_YES_NO = 32,
    /// GET INPUT: do not show what is typed.
    DMSC_TOOLKIT_HIDDEN = 64,
    /// Help may be asked for.
    DMSC_TOOLKIT_HELP_AVAILABLE = 128,
    /// SEND SHORT MESSAGE: the message has to be packed to seven bits.
    DMSC_TOOLKIT_PACK = 256,
}

/// What became of a command of the card.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_toolkit_outcome {
    /// It is done; the input is there.
    DMSC_TOOLKIT_DONE = 0,
    /// The user ended the card's session.
    DMSC_TOOLKIT_ENDED_BY_USER = 1,
    /// The user went back.
    DMSC_TOOLKIT_BACK = 2,
    /// The user did nothing.
    DMSC_TOOLKIT_NO_RESPONSE = 3,
    /// The user wants help.
    DMSC_TOOLKIT_HELP_WANTED = 4,
    /// The user refused.
    DMSC_TOOLKIT_REFUSED = 5,
    /// The screen is in use.
    DMSC_TOOLKIT_SCREEN_BUSY = 6,
    /// Something else is in the way for now.
    DMSC_TOOLKIT_BUSY = 7,
    /// There is no browser.
    DMSC_TOOLKIT_NO_BROWSER = 8,
    /// The short message was not sent.
    DMSC_TOOLKIT_SMS_NOT_SENT = 9,
    /// The network is busy or refused it.
    DMSC_TOOLKIT_NETWORK_BUSY = 10,
    /// There is no service.
    DMSC_TOOLKIT_NO_SERVICE = 11,
    /// The host cannot do it after all.
    DMSC_TOOLKIT_NOT_SUPPORTED = 12,
}

/// The answer to a command of the card. Copied by the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_toolkit_reply {
    /// sizeof(dmsc_toolkit_reply); set by the caller.
    pub struct_size: usize,
    /// A dmsc_toolkit_outcome number.
    pub outcome: u32,
    /// SELECT ITEM: the chosen item's identifier. GET INKEY with yes or no: 1 or 0.
    pub choice: u32,
    /// GET INKEY, GET INPUT: what was typed, UTF-8. SEND USSD: what the network said; NULL: nothing.
    pub text: *const c_char,
}

// SAFETY: pointers and integers; zero means "done".
unsafe impl CStruct for dmsc_toolkit_reply {
    const NAME: &'static str = "dmsc_toolkit_reply";
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

impl dmsc_toolkit_request {
    fn new(request: ToolkitRequest) -> Self {
        use HostRequest as R;
        let language = |letters: &[u8; 2]| String::from_utf8_lossy(letters).into_owned();
        let (text, second, items) = match &request.request {
            R::DisplayText(display) => (display.text.clone(), String::new(), &[][..]),
            R::GetInkey(inkey) => (inkey.text.clone(), String::new(), &[][..]),
            R::GetInput(input) => {
                (input.text.clone(), input.default.clone().unwrap_or_default(), &[][..])
            }
            R::SelectItem(select) => (select.title.clone(), String::new(), &select.items[..]),
            R::SetUpMenu(menu) => (menu.title.clone(), String::new(), &menu.items[..]),
            R::LaunchBrowser(browser) => {
                (browser.confirmation.clone().unwrap_or_default(), browser.url.clone(), &[][..])
            }
            R::SetUpCall(call) => {
                (call.confirmation.clone().unwrap_or_default(), call.text.clone(), &[][..])
            }
            R::PlayTone(tone) => (tone.text.clone(), String::new(), &[][..]),
            R::IdleText { text } => (text.clone(), String::new(), &[][..]),
            R::SendSs(sent) | R::SendUssd(sent) | R::SendDtmf(sent) => {
                (sent.text.clone(), String::new(), &[][..])
            }
            R::Language { language: letters } => {
                (String::new(), letters.as_ref().map(language).unwrap_or_default(), &[][..])
            }
            R::SendSms(_) => (String::new(), String::new(), &[][..]),
            R::Connect(connect) => {
                (connect.remote.text.clone().unwrap_or_default(), String::new(), &[][..])
            }
        };
        let items = items.iter().map(|(_, text)| c_text(text)).collect();
        Self { text: c_text(&text), second: c_text(&second), items, request }
    }

    fn items(&self) -> &[(u8, String)] {
        match &self.request.request {
            HostRequest::SelectItem(select) => &select.items,
            HostRequest::SetUpMenu(menu) => &menu.items,
            _ => &[],
        }
    }

    fn info(&self) -> dmsc_toolkit_request_info {
        use HostRequest as R;
        let mut info = dmsc_toolkit_request_info {
            struct_size: size_of::<dmsc_toolkit_request_info>(),
            slot: self.request.slot,
            command: 0,
            manner: 0,
            text: self.text.as_ptr(),
            second: self.second.as_ptr(),
            data: std::ptr::null(),
            data_len: 0,
            address: std::ptr::null(),
            address_len: 0,
            duration_ms: 0,
            min_len: 0,
            max_len: 0,
            item_count: u32::try_from(self.items.len()).unwrap_or(u32::MAX),
            default_item: 0,
        };
        let mut data: &[u8] = &[];
        let mut duration = None;
        info.command = match &self.request.request {
            R::Connect(_) => 0x40,
            R::SetUpCall(call) => {
                (info.manner, data, duration) = (call.mode.into(), &call.address, call.duration_ms);
                0x10
            }
            R::SendSs(sent) => {
                data = &sent.octets;
                0x11
            }
            R::SendUssd(sent) => {
                data = &sent.octets;
                0x12
            }
            R::SendSms(sms) => {
                data = &sms.tpdu;
                if let Some(centre) = &sms.service_centre {
                    (info.address, info.address_len) = (centre.as_ptr(), centre.len());
                }
                0x13
            }
            R::SendDtmf(sent) => {
                data = &sent.octets;
                0x14
            }
            R::LaunchBrowser(browser) => {
                info.manner = browser.mode.into();
                0x15
            }
            R::PlayTone(tone) => {
                (data, duration) = (tone.tone.as_slice(), tone.duration_ms);
                0x20
            }
            R::DisplayText(display) => {
                duration = display.duration_ms;
                0x21
            }
            R::GetInkey(inkey) => {
                duration = inkey.duration_ms;
                0x22
            }
            R::GetInput(input) => {
                (info.min_len, info.max_len) = (input.min.into(), input.max.into());
                0x23
            }
            R::SelectItem(select) => {
                info.default_item = select.default_item.unwrap_or(0).into();
                0x24
            }
            R::SetUpMenu(_) => 0x25,
            R::IdleText { .. } => 0x28,
            R::Language { .. } => 0x35,
        };
        info.manner |= manner(&self.request.request);
        info.duration_ms = duration.map_or(0, |ms| u32::try_from(ms).unwrap_or(u32::MAX));
        if !data.is_empty() {
            (info.data, info.data_len) = (data.as_ptr(), data.len());
        }
        info
    }
}

/// The bits of dmsc_toolkit_manner.
fn manner(request: &HostRequest) -> u32 {
    use dmsc_toolkit_manner::*;
    let bits: &[(bool, dmsc_toolkit_manner)] = match request {
        HostRequest::DisplayText(display) => &[
            (display.high_priority, DMSC_TOOLKIT_HIGH_PRIORITY),
            (display.wait_for_user, DMSC_TOOLKIT_WAIT_FOR_USER),
            (display.immediate_response, DMSC_TOOLKIT_AT_ONCE),
        ],
        HostRequest::GetInkey(inkey) => &[
            (inkey.alphabet, DMSC_TOOLKIT_ALPHABET),
            (inkey.ucs2, DMSC_TOOLKIT_UCS2),
            (inkey.yes_no, DMSC_TOOLKIT_YES_NO),
            (inkey.help, DMSC_TOOLKIT_HELP_AVAILABLE),
        ],
        HostRequest::GetInput(input) => &[
            (input.alphabet, DMSC_TOOLKIT_ALPHABET),
            (input.ucs2, DMSC_TOOLKIT_UCS2),
            (input.hidden, DMSC_TOOLKIT_HIDDEN),
            (input.help, DMSC_TOOLKIT_HELP_AVAILABLE),
        ],
        HostRequest::SelectItem(select) => &[(select.help, DMSC_TOOLKIT_HELP_AVAILABLE)],
        HostRequest::SetUpMenu(menu) => &[(menu.help, DMSC_TOOLKIT_HELP_AVAILABLE)],
        HostRequest::SendSms(sms) => &[(sms.pack, DMSC_TOOLKIT_PACK)],
        _ => &[],
    };
    bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| *bit as u32).sum()
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

/// What the card wants.
///
/// @pre `info->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_toolkit_request_info_get(
    request: *const dmsc_toolkit_request,
    info: *mut dmsc_toolkit_request_info,
) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let request = unsafe { handle::get(request) }?;
        // SAFETY: the caller's precondition.
        unsafe { handle::write_struct(info, &request.info()) }?;
        Ok(0)
    })
}

/// Text of item `index`, counted from 0, and its identifier in `item` (may be NULL); NULL if there is none.
/// Valid until the request is answered.
///
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_toolkit_item(
    request: *const dmsc_toolkit_request,
    index: u32,
    item: *mut u32,
) -> *const c_char {
    guard_value(std::ptr::null(), || {
        // SAFETY: the caller's precondition; the text lives as long as C's own reference.
        let request = unsafe { handle::get(request) }?;
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let (Some(text), Some((id, _))) = (request.items.get(at), request.items().get(at)) else {
            return Ok(std::ptr::null());
        };
        if !item.is_null() {
            // SAFETY: the caller's precondition.
            unsafe { item.write((*id).into()) };
        }
        Ok(text.as_ptr())
    })
}

/// Hands over the answer to the card and frees the request, also on failure.
///
/// @pre `reply->struct_size` is set.
/// @return DMSC_OK (also when the card no longer waits for it); DMSC_ERR_INVALID_ARG for NULL, an unknown
///         outcome, or an answer that does not fit the command (no or too long an input, not an item), and
///         DMSC_ERR_UTF8: the card is told that the terminal is busy then; DMSC_ERR_STATE the client is
///         closed.
/// Thread: any; also inside callbacks.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_toolkit_answer(
    request: *mut dmsc_toolkit_request,
    reply: *const dmsc_toolkit_reply,
) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let Some(request) = (unsafe { handle::take(request) }) else {
            return Err(Error::new(Code::InvalidArg, "request is NULL"));
        };
        // SAFETY: the caller's precondition.
        let answer = unsafe { read_answer(reply, &request.request.request) };
        let answered = answer.and_then(|answer| request.request.answer(answer));
        if let Err(error) = &answered
            && error.code() != Code::State
        {
            // It must not keep the card waiting.
            request.request.answer(HostAnswer::Failed(Failure::Busy))?;
        }
        answered.map(|()| 0)
    })
}

/// # Safety
/// `reply` is NULL or a struct whose first member is its size, with valid pointers.
unsafe fn read_answer(
    reply: *const dmsc_toolkit_reply,
    request: &HostRequest,
) -> Result<HostAnswer> {
    // SAFETY: the caller's promise.
    let reply = unsafe { handle::read_struct(reply) }?;
    // SAFETY: the caller's promise.
    let text = unsafe { handle::optional_text(reply.text, "text") }?;
    let typed = || HostAnswer::Text(text.unwrap_or_default().to_owned());
    Ok(match (reply.outcome, request) {
        (0, HostRequest::GetInkey(inkey)) if inkey.yes_no => HostAnswer::YesNo(reply.choice != 0),
        (0, HostRequest::GetInkey(_) | HostRequest::GetInput(_)) => typed(),
        (0, HostRequest::SendUssd(_)) if text.is_some() => typed(),
        (0, HostRequest::SelectItem(_)) => {
            let item = u8::try_from(reply.choice);
            HostAnswer::Item(item.map_err(|_| Error::new(Code::InvalidArg, "no such item"))?)
        }
        (0, _) => HostAnswer::Done,
        (outcome, _) => HostAnswer::Failed(failure(outcome)?),
    })
}

fn failure(outcome: u32) -> Result<Failure> {
    Ok(match outcome {
        1 => Failure::EndedByUser,
        2 => Failure::Back,
        3 => Failure::NoResponse,
        4 => Failure::HelpWanted,
        5 => Failure::Refused,
        6 => Failure::ScreenBusy,
        7 => Failure::Busy,
        8 => Failure::NoBrowser,
        9 => Failure::SmsNotSent,
        10 => Failure::NetworkBusy,
        11 => Failure::NoService,
        12 => Failure::NotSupported,
        number => {
            let text = format!("outcome {number} is no dmsc_toolkit_outcome");
            return Err(Error::new(Code::InvalidArg, text));
        }
    })
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
