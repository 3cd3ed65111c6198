//! `dmsc_alert`: a question of a DM server to the user.

use super::callbacks::c_text;
use super::guard::{guard, guard_value};
use super::handle::{self, CStruct, Handle};
use super::status::dmsc_result;
use crate::error::{Code, Error, Result};
use crate::event::{Purpose, Question};
use crate::session::{Answer, Input, Kind, Preset, UserAlert};
use parking_lot::Mutex;
use std::ffi::{CString, c_char};

/// A question of a DM server to the user (OMA DM Protocol 1.2.1, section 10).
///
/// Owned by the host from `on_alert` to @ref dmsc_alert_answer. One thread at a time.
#[derive(Debug)]
pub struct dmsc_alert {
    question: Mutex<Option<Question>>,
    text: CString,
    default_response: CString,
    items: Vec<CString>,
}

impl Handle for dmsc_alert {
    const NAME: &'static str = "alert";
}

impl dmsc_alert {
    /// Gives a question to C.
    pub(super) fn give(question: Question) -> *mut Self {
        let alert = &question.alert;
        let given = Self {
            text: c_text(&alert.text),
            default_response: c_text(&preset_text(&alert.preset)),
            items: alert.choices.iter().map(|choice| c_text(choice)).collect(),
            question: Mutex::new(Some(question)),
        };
        handle::give(given)
    }
}

/// What to ask.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_alert_info {
    /// sizeof(dmsc_alert_info); set by the caller.
    pub struct_size: usize,
    /// 1100 display, 1101 confirm, 1102 text input, 1103 single choice, 1104 multiple choice.
    pub code: u32,
    /// Show it at least so long, in seconds; 0 if not said (MINDT).
    pub min_display_s: u32,
    /// Wait at most so long, in seconds; 0 if not said (MAXDT). Afterwards, and after ten minutes in any
    /// case, the library takes "no answer".
    pub max_display_s: u32,
    /// 1102: most characters to take; 0 if not said (MAXLEN).
    pub max_len: u32,
    /// 1102: what may be typed, as the letter of the option IT: 'A' (also if not said), 'N', 'D', 'T', 'P', 'I'.
    pub input_type: u32,
    /// 1102: 1 if the input must not be shown (ET=P).
    pub hidden: u32,
    /// Number of options of @ref dmsc_alert_item.
    pub item_count: u32,
    /// The session's id.
    pub session_id: u64,
    /// The text, question, prompt or title. Valid until the alert is answered.
    pub text: *const c_char,
    /// The answer shown at first, as the option DR has it; "" if none. Valid until the alert is answered.
    pub default_response: *const c_char,
    /// A dmsc_alert_purpose number: what the answer is for.
    pub purpose: u32,
    /// DMSC_ALERT_BOOTSTRAP_PIN: attempts left, this one included; else 0.
    pub tries_left: u32,
}

/// What an answer of the user is for.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_alert_purpose {
    /// A server asks in a DM session.
    DMSC_ALERT_SESSION = 0,
    /// May the device be set up with what a card or a push brings? Code 1101, session_id 0.
    DMSC_ALERT_BOOTSTRAP_CONSENT = 1,
    /// The PIN of a pushed bootstrap, or the digits of PIN and MAC. Code 1102, hidden, session_id 0.
    DMSC_ALERT_BOOTSTRAP_PIN = 2,
    /// May a session begin? Code 1101: it waits for the answer. Code 1100: it begins all the same.
    DMSC_ALERT_SESSION_CONSENT = 3,
    /// The policy asks whether a server may do this; the items, which are not to be chosen from, say what
    /// it is about. Code 1101.
    DMSC_ALERT_COMMAND_CONSENT = 4,
}

// SAFETY: pointers and integers.
unsafe impl CStruct for dmsc_alert_info {
    const NAME: &'static str = "dmsc_alert_info";
}

/// What the user did.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_alert_outcome {
    /// Seen, Yes, or the input is there.
    DMSC_ALERT_ACCEPTED = 0,
    /// No (1101).
    DMSC_ALERT_REJECTED = 1,
    /// Cancelled: the server's other commands are not executed.
    DMSC_ALERT_CANCELLED = 2,
    /// No answer in time.
    DMSC_ALERT_TIMED_OUT = 3,
    /// Cannot be shown, for example too long.
    DMSC_ALERT_CANNOT_SHOW = 4,
}

/// The user's answer. Copied by the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_alert_reply {
    /// sizeof(dmsc_alert_reply); set by the caller.
    pub struct_size: usize,
    /// A dmsc_alert_outcome number.
    pub outcome: u32,
    /// 1102: the input, UTF-8; NULL: empty.
    pub text: *const c_char,
    /// 1103, 1104: bit 0 is the first option, and so on.
    pub choices: u64,
}

// SAFETY: pointers and integers; zero means "accepted".
unsafe impl CStruct for dmsc_alert_reply {
    const NAME: &'static str = "dmsc_alert_reply";
}

/// What to ask.
///
/// @pre `info->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_alert_info_get(
    alert: *const dmsc_alert,
    info: *mut dmsc_alert_info,
) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let alert = unsafe { handle::get(alert) }?;
        let question = alert.question.lock();
        let question = question.as_ref().ok_or_else(answered)?;
        let asked = &question.alert;
        let (purpose, tries_left) = match question.purpose {
            Purpose::Session => (dmsc_alert_purpose::DMSC_ALERT_SESSION, 0),
            Purpose::BootstrapConsent => (dmsc_alert_purpose::DMSC_ALERT_BOOTSTRAP_CONSENT, 0),
            Purpose::SessionConsent => (dmsc_alert_purpose::DMSC_ALERT_SESSION_CONSENT, 0),
            Purpose::CommandConsent => (dmsc_alert_purpose::DMSC_ALERT_COMMAND_CONSENT, 0),
            Purpose::BootstrapPin { tries } => {
                (dmsc_alert_purpose::DMSC_ALERT_BOOTSTRAP_PIN, tries)
            }
        };
        let ours = dmsc_alert_info {
            struct_size: size_of::<dmsc_alert_info>(),
            code: code(asked.kind),
            min_display_s: asked.min_display_s.unwrap_or(0),
            max_display_s: asked.max_display_s.unwrap_or(0),
            max_len: asked.max_len.unwrap_or(0),
            input_type: u32::from(letter(asked.input)),
            hidden: asked.hidden.into(),
            item_count: u32::try_from(alert.items.len()).unwrap_or(u32::MAX),
            session_id: question.session_id,
            text: alert.text.as_ptr(),
            default_response: alert.default_response.as_ptr(),
            purpose: purpose as u32,
            tries_left,
        };
        // SAFETY: the caller's precondition.
        unsafe { handle::write_struct(info, &ours) }?;
        Ok(0)
    })
}

fn code(kind: Kind) -> u32 {
    match kind {
        Kind::Display => 1100,
        Kind::Confirm => 1101,
        Kind::TextInput => 1102,
        Kind::SingleChoice => 1103,
        Kind::MultipleChoice => 1104,
    }
}

fn letter(input: Input) -> char {
    match input {
        Input::Alphanumeric => 'A',
        Input::Number => 'N',
        Input::Date => 'D',
        Input::Time => 'T',
        Input::Phone => 'P',
        Input::IpAddress => 'I',
    }
}

fn preset_text(preset: &Preset) -> String {
    match preset {
        Preset::None => String::new(),
        Preset::Confirm(yes) => u8::from(*yes).to_string(),
        Preset::Text(text) => text.clone(),
        Preset::Choices(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
            numbers.join("-")
        }
    }
}

fn answered() -> Error {
    Error::new(Code::State, "the alert was answered")
}

/// Text of option `index`, counted from 0; NULL if there is none. Valid until the alert is answered.
///
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_alert_item(alert: *const dmsc_alert, index: u32) -> *const c_char {
    guard_value(std::ptr::null(), || {
        // SAFETY: the caller's precondition; the text lives as long as C's own reference.
        let alert = unsafe { handle::get(alert) }?;
        let item = usize::try_from(index).ok().and_then(|index| alert.items.get(index));
        Ok(item.map_or(std::ptr::null(), |item| item.as_ptr()))
    })
}

/// Hands over the user's answer and frees the alert, also on failure.
///
/// @pre `reply->struct_size` is set.
/// @return DMSC_OK (also when the session no longer waits for it); DMSC_ERR_INVALID_ARG for NULL, an
///         unknown outcome, or an answer that does not fit the question (longer than max_len, not of
///         input_type, no or several options where one is asked for, rejected where nothing can be), and
///         DMSC_ERR_UTF8: the alert then counts as cancelled; DMSC_ERR_STATE the client is closed.
/// Thread: any; also inside callbacks.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_alert_answer(
    alert: *mut dmsc_alert,
    reply: *const dmsc_alert_reply,
) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let Some(alert) = (unsafe { handle::take(alert) }) else {
            return Err(Error::new(Code::InvalidArg, "alert is NULL"));
        };
        let question = alert.question.lock().take().ok_or_else(answered)?;
        // SAFETY: the caller's precondition.
        match unsafe { read_answer(reply, &question.alert) } {
            Ok(answer) => question.answer(answer).map(|()| 0),
            Err(error) => {
                question.answer(Answer::Cancelled)?;
                Err(error)
            }
        }
    })
}

/// # Safety
/// `reply` is NULL or a struct whose first member is its size, with valid pointers.
unsafe fn read_answer(reply: *const dmsc_alert_reply, alert: &UserAlert) -> Result<Answer> {
    // SAFETY: the caller's promise.
    let reply = unsafe { handle::read_struct(reply) }?;
    // SAFETY: the caller's promise.
    let text = unsafe { handle::optional_text(reply.text, "text") }?;
    let options = u32::try_from(alert.choices.len().min(64)).unwrap_or(64);
    Ok(match (reply.outcome, alert.kind) {
        (0, Kind::TextInput) => Answer::Text(text.unwrap_or_default().to_owned()),
        (0, Kind::SingleChoice | Kind::MultipleChoice) => Answer::Choices(
            (1..=options).filter(|number| reply.choices >> (number - 1) & 1 == 1).collect(),
        ),
        (0, _) => Answer::Accepted,
        (1, _) => Answer::Rejected,
        (2, _) => Answer::Cancelled,
        (3, _) => Answer::TimedOut,
        (4, _) => Answer::CannotShow,
        (number, _) => {
            let text = format!("outcome {number} is no dmsc_alert_outcome");
            return Err(Error::new(Code::InvalidArg, text));
        }
    })
}
