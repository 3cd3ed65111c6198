//! What the card asks of the host, and the host's answer.

use super::callbacks::c_text;
use super::guard::{guard, guard_value};
use super::handle::{self, CStruct, Handle};
use super::status::dmsc_result;
use crate::card::cat::{Failure, HostAnswer, HostRequest};
use crate::client::ToolkitRequest;
use crate::error::{Code, Error, Result};
use std::ffi::{CString, c_char};

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

impl dmsc_toolkit_request {
    pub(super) fn new(request: ToolkitRequest) -> Self {
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
