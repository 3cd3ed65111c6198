//! Commands that only the host can carry out: texts, input, choices, browser, short messages.
//!
//! Owns the questions to the host and the check of its answers. Must not know how they are shown.

mod read;

pub(super) use read::decode_duration;

use super::command::tag;
use super::remote::Connect;
use super::response::{Outcome, Response};
use super::text::{self, Coding};
use crate::card::bip::Fault;
use crate::error::{Code, Error, Result};
use std::fmt;

/// Shortest time that the host gets for an answer, in milliseconds.
const PATIENCE_MS: u64 = 60_000;
/// Octets of a text string in a TERMINAL RESPONSE that stays within 255.
const ANSWER_OCTETS: usize = 239;

/// DISPLAY TEXT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayText {
    /// The text; empty for none.
    pub text: String,
    /// May interrupt what the user does.
    pub high_priority: bool,
    /// Stays until the user acknowledges it, otherwise for a moment.
    pub wait_for_user: bool,
    /// Answer at once, the text may stay.
    pub immediate_response: bool,
    /// How long it shall stay, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// GET INKEY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetInkey {
    /// The question.
    pub text: String,
    /// Any character, otherwise a digit, `*`, `#` or `+`.
    pub alphabet: bool,
    /// Characters beyond the GSM default alphabet are wanted.
    pub ucs2: bool,
    /// Answer with [`HostAnswer::YesNo`].
    pub yes_no: bool,
    /// Help may be asked for.
    pub help: bool,
    /// How long to wait, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// GET INPUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetInput {
    /// The question.
    pub text: String,
    /// Fewest characters.
    pub min: u8,
    /// Most characters; 255 for no limit.
    pub max: u8,
    /// What stands in the field at first.
    pub default: Option<String>,
    /// Any character, otherwise digits, `*`, `#` and `+`.
    pub alphabet: bool,
    /// Characters beyond the GSM default alphabet are wanted.
    pub ucs2: bool,
    /// Do not show what is typed.
    pub hidden: bool,
    /// Help may be asked for.
    pub help: bool,
    packed: bool,
}

/// SELECT ITEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectItem {
    /// Above the list.
    pub title: String,
    /// Identifier and text, in order.
    pub items: Vec<(u8, String)>,
    /// The item to begin with.
    pub default_item: Option<u8>,
    /// Help may be asked for.
    pub help: bool,
}

/// LAUNCH BROWSER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchBrowser {
    /// The page; empty for the browser's own.
    pub url: String,
    /// Question to the user.
    pub confirmation: Option<String>,
    /// Use a running browser (`02`), or close it first (`03`); else (`00`) only if none runs.
    pub mode: u8,
}

/// SEND SHORT MESSAGE.
#[derive(Clone, PartialEq, Eq)]
pub struct SendSms {
    /// Service centre: type of number, then swapped digits; `None` for the default one.
    pub service_centre: Option<Vec<u8>>,
    /// SMS-SUBMIT or SMS-COMMAND.
    pub tpdu: Vec<u8>,
    /// The message has to be packed to seven bits.
    pub pack: bool,
}

impl fmt::Debug for SendSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendSms({} octets)", self.tpdu.len())
    }
}

/// SET UP MENU: the card's menu in the terminal's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// Above the list.
    pub title: String,
    /// Identifier and text, in order; none: the menu goes.
    pub items: Vec<(u8, String)>,
    /// Help may be asked for.
    pub help: bool,
}

/// PLAY TONE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayTone {
    /// The tone (TS 102 223 section 8.16); `None`: a general beep.
    pub tone: Option<u8>,
    /// What to show meanwhile; empty for nothing.
    pub text: String,
    /// How long, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// SET UP CALL.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUpCall {
    /// Type of number, then swapped digits.
    pub address: Vec<u8>,
    /// Question to the user before the call.
    pub confirmation: Option<String>,
    /// What to show during the call; empty for nothing.
    pub text: String,
    /// What to do with calls that are there, and whether to redial (the qualifier, TS 102 223 section 8.6).
    pub mode: u8,
    /// Longest time for redialling, in milliseconds.
    pub duration_ms: Option<u64>,
}

impl fmt::Debug for SetUpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetUpCall").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// SEND SS, SEND USSD or SEND DTMF.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmission {
    /// What to show; empty for nothing.
    pub text: String,
    /// SS string, USSD string (data coding scheme, then text) or DTMF digits, as the card writes them.
    pub octets: Vec<u8>,
}

impl fmt::Debug for Transmission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transmission({} octets)", self.octets.len())
    }
}

/// A question of the card to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostRequest {
    /// Answer `Done` or `Failed`.
    DisplayText(DisplayText),
    /// Answer `Text` of one character, `YesNo`, or `Failed`.
    GetInkey(GetInkey),
    /// Answer `Text` or `Failed`.
    GetInput(GetInput),
    /// Answer `Item` or `Failed`.
    SelectItem(SelectItem),
    /// Answer `Done` or `Failed`.
    LaunchBrowser(LaunchBrowser),
    /// Answer `Done` or `Failed`.
    SendSms(SendSms),
    /// Make the link, then answer `Done` or `Failed`.
    Connect(Connect),
    /// Answer `Done` or `Failed`.
    SendSs(Transmission),
    /// Answer `Done`, `Text` (what the network said) or `Failed`.
    SendUssd(Transmission),
    /// Answer `Done` or `Failed`.
    SendDtmf(Transmission),
    /// Answer `Done` or `Failed`.
    SetUpCall(SetUpCall),
    /// Answer `Done` or `Failed`.
    SetUpMenu(Menu),
    /// Answer `Done` or `Failed`.
    PlayTone(PlayTone),
    /// Text for the idle screen, empty to take it away. Answer `Done` or `Failed`.
    IdleText {
        /// The text.
        text: String,
    },
    /// The card speaks this language from now on, or the terminal's again. Answer `Done`.
    Language {
        /// Two letters of ISO 639-1.
        language: Option<[u8; 2]>,
    },
}

/// The host's answer to a [`HostRequest`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostAnswer {
    /// It is done.
    Done,
    /// What the user typed.
    Text(String),
    /// Yes (true) or no.
    YesNo(bool),
    /// The chosen item's identifier.
    Item(u8),
    /// It was not done.
    Failed(Failure),
}

impl fmt::Debug for HostAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::Done => f.write_str("Done"),
            Self::YesNo(_) => f.write_str("YesNo"),
            Self::Item(item) => write!(f, "Item({item})"),
            Self::Failed(failure) => write!(f, "Failed({failure:?})"),
        }
    }
}

/// Why the host did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The user ended the card's session.
    EndedByUser,
    /// The user went back.
    Back,
    /// The user did nothing.
    NoResponse,
    /// The user wants help.
    HelpWanted,
    /// The user refused.
    Refused,
    /// The screen is in use.
    ScreenBusy,
    /// Something else is in the way for now.
    Busy,
    /// There is no browser.
    NoBrowser,
    /// The short message was not sent.
    SmsNotSent,
    /// The server cannot be reached.
    Unreachable,
    /// Such a connection is not allowed.
    Forbidden,
    /// The network is busy or refused the service.
    NetworkBusy,
    /// There is no service.
    NoService,
    /// The host cannot do that after all.
    NotSupported,
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::EndedByUser => Self::ENDED_BY_USER,
            Failure::Back => Self::BACK,
            Failure::NoResponse => Self::NO_RESPONSE,
            Failure::HelpWanted => Self::HELP,
            Failure::Refused => Self::REFUSED_BY_USER,
            Failure::ScreenBusy => Self::SCREEN_BUSY,
            Failure::Busy => Self::BUSY,
            Failure::NoBrowser => Self::BROWSER_UNAVAILABLE,
            Failure::SmsNotSent => Self::SMS_ERROR,
            Failure::Unreachable => Fault::Unreachable.into(),
            Failure::Forbidden => Fault::Security.into(),
            Failure::NetworkBusy => Self::NETWORK_BUSY,
            Failure::NoService => Self::NO_SERVICE,
            Failure::NotSupported => Self::BEYOND_CAPABILITIES,
        }
    }
}

impl HostRequest {
    /// True if it takes the user's attention.
    pub(super) fn needs_user(&self) -> bool {
        matches!(
            self,
            Self::DisplayText(_)
                | Self::GetInkey(_)
                | Self::GetInput(_)
                | Self::SelectItem(_)
                | Self::LaunchBrowser(_)
                | Self::SetUpCall(_)
                | Self::PlayTone(_)
        )
    }

    /// How long the host has for its answer, in milliseconds.
    pub(super) fn patience_ms(&self) -> u64 {
        let duration = match self {
            Self::DisplayText(display) => display.duration_ms,
            Self::GetInkey(inkey) => inkey.duration_ms,
            Self::PlayTone(tone) => tone.duration_ms,
            Self::SetUpCall(call) => call.duration_ms,
            _ => None,
        };
        PATIENCE_MS + duration.unwrap_or(0)
    }

    /// The result when the host has not answered in that time.
    pub(super) fn overdue(&self) -> Response {
        match self {
            Self::LaunchBrowser(_) => Outcome::BROWSER_ERROR.into(),
            Self::DisplayText(_) | Self::GetInkey(_) | Self::GetInput(_) | Self::SelectItem(_) => {
                Outcome::NO_RESPONSE.into()
            }
            Self::Connect(connect) => connect.failed(Fault::Unreachable.into()),
            _ => Outcome::BUSY.into(),
        }
    }

    /// Fails with `InvalidArg` when the answer does not fit the question.
    pub fn check(&self, answer: &HostAnswer) -> Result<()> {
        self.respond(answer.clone(), Outcome::OK).map(drop)
    }

    /// The response for the host's `answer`; `success` is the result when it was done.
    ///
    /// Fails with `InvalidArg` when the answer does not fit the question.
    pub(super) fn respond(&self, answer: HostAnswer, success: Outcome) -> Result<Response> {
        let response = Response::from(success);
        Ok(match (self, answer) {
            (Self::Connect(connect), HostAnswer::Done) => connect.done(),
            (Self::Connect(connect), HostAnswer::Failed(failure)) => connect.failed(failure.into()),
            (_, HostAnswer::Failed(failure)) => Response::from(Outcome::from(failure)),
            (Self::SendUssd(_), HostAnswer::Text(text)) => {
                response.with(tag::TEXT, &typed(&text, true, true, Coding::Unpacked)?)
            }
            (Self::GetInkey(_) | Self::GetInput(_) | Self::SelectItem(_), HostAnswer::Done) => {
                return Err(unfit("it needs an input"));
            }
            (_, HostAnswer::Done) => response,
            (Self::GetInkey(asked), HostAnswer::YesNo(yes)) if asked.yes_no => {
                response.with(tag::TEXT, &[0x04, u8::from(yes)])
            }
            (Self::GetInkey(asked), HostAnswer::Text(text)) if !asked.yes_no => {
                response.with(tag::TEXT, &asked.answer(&text)?)
            }
            (Self::GetInput(asked), HostAnswer::Text(text)) => {
                response.with(tag::TEXT, &asked.answer(&text)?)
            }
            (Self::SelectItem(asked), HostAnswer::Item(item)) if asked.has(item) => {
                response.with(tag::ITEM_ID, &[item])
            }
            _ => return Err(unfit("not an answer to this command")),
        })
    }
}

impl GetInkey {
    fn answer(&self, text: &str) -> Result<Vec<u8>> {
        if text.chars().count() != 1 {
            return Err(unfit("not one character"));
        }
        typed(text, self.alphabet, self.ucs2, Coding::Unpacked)
    }
}

impl GetInput {
    fn answer(&self, text: &str) -> Result<Vec<u8>> {
        let length = text.chars().count();
        let max = if self.max == u8::MAX { usize::MAX } else { usize::from(self.max) };
        if !(usize::from(self.min)..=max).contains(&length) {
            return Err(unfit("too short or too long"));
        }
        let coding = if self.packed { Coding::Packed } else { Coding::Unpacked };
        typed(text, self.alphabet, self.ucs2, coding)
    }
}

impl SelectItem {
    fn has(&self, item: u8) -> bool {
        self.items.iter().any(|(id, _)| *id == item)
    }
}

fn typed(text: &str, alphabet: bool, ucs2: bool, coding: Coding) -> Result<Vec<u8>> {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | '+');
    if !alphabet && !text.chars().all(is_digit) {
        return Err(unfit("not only digits"));
    }
    let wide = || ucs2.then(|| text::encode(text, Coding::Ucs2)).flatten();
    text::encode(text, coding)
        .or_else(wide)
        .filter(|octets| octets.len() <= ANSWER_OCTETS)
        .ok_or_else(|| unfit("cannot be coded for the card"))
}

fn unfit(what: &str) -> Error {
    Error::new(Code::InvalidArg, format!("toolkit answer: {what}"))
}
