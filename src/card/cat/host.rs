//! Commands that only the host can carry out: texts, input, choices, browser, short messages.
//!
//! Owns the questions to the host and the check of its answers. Must not know how they are shown.

use super::command::{Command, kind, tag};
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
        }
    }
}

impl HostRequest {
    /// Reads a command of the host's kinds; `None` for other kinds.
    pub(super) fn read(command: &Command<'_>) -> core::result::Result<Option<Self>, Outcome> {
        Ok(Some(match command.details.kind {
            kind::DISPLAY_TEXT => Self::DisplayText(display_text(command)?),
            kind::GET_INKEY => Self::GetInkey(get_inkey(command)?),
            kind::GET_INPUT => Self::GetInput(get_input(command)?),
            kind::SELECT_ITEM => Self::SelectItem(select_item(command)?),
            kind::LAUNCH_BROWSER => Self::LaunchBrowser(launch_browser(command)?),
            kind::SEND_SMS => Self::SendSms(send_sms(command)?),
            _ => return Ok(None),
        }))
    }

    /// True if it takes the user's attention.
    pub(super) fn needs_user(&self) -> bool {
        !matches!(self, Self::SendSms(_) | Self::Connect(_))
    }

    /// How long the host has for its answer, in milliseconds.
    pub(super) fn patience_ms(&self) -> u64 {
        let duration = match self {
            Self::DisplayText(display) => display.duration_ms,
            Self::GetInkey(inkey) => inkey.duration_ms,
            _ => None,
        };
        PATIENCE_MS + duration.unwrap_or(0)
    }

    /// The result when the host has not answered in that time.
    pub(super) fn overdue(&self) -> Response {
        match self {
            Self::LaunchBrowser(_) => Outcome::BROWSER_ERROR.into(),
            Self::SendSms(_) => Outcome::BUSY.into(),
            Self::Connect(connect) => connect.failed(Fault::Unreachable.into()),
            _ => Outcome::NO_RESPONSE.into(),
        }
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
            (
                Self::DisplayText(_) | Self::LaunchBrowser(_) | Self::SendSms(_),
                HostAnswer::Done,
            ) => response,
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

fn display_text(command: &Command<'_>) -> core::result::Result<DisplayText, Outcome> {
    let text = needed_text(command)?;
    if text.is_empty() && command.object(tag::ICON).is_some() {
        return Err(Outcome::NOT_UNDERSTOOD);
    }
    Ok(DisplayText {
        text,
        high_priority: flag(command, 1),
        wait_for_user: flag(command, 8),
        immediate_response: command.object(tag::IMMEDIATE).is_some(),
        duration_ms: duration_ms(command)?,
    })
}

fn get_inkey(command: &Command<'_>) -> core::result::Result<GetInkey, Outcome> {
    Ok(GetInkey {
        text: needed_text(command)?,
        alphabet: flag(command, 1),
        ucs2: flag(command, 2),
        yes_no: flag(command, 3),
        help: flag(command, 8),
        duration_ms: duration_ms(command)?,
    })
}

fn get_input(command: &Command<'_>) -> core::result::Result<GetInput, Outcome> {
    let &[min, max] = command.needed(tag::RESPONSE_LENGTH)? else {
        return Err(Outcome::NOT_UNDERSTOOD);
    };
    let default = command.object(tag::DEFAULT_TEXT);
    Ok(GetInput {
        text: needed_text(command)?,
        min,
        max,
        default: default.map(text::decode).map(understood).transpose()?,
        alphabet: flag(command, 1),
        ucs2: flag(command, 2),
        hidden: flag(command, 3),
        packed: flag(command, 4),
        help: flag(command, 8),
    })
}

fn select_item(command: &Command<'_>) -> core::result::Result<SelectItem, Outcome> {
    let title = command.object(tag::ALPHA).map_or(Some(String::new()), text::decode_alpha);
    let item = |value: &[u8]| {
        let (&id, name) = value.split_first()?;
        Some((id, text::decode_alpha(name)?))
    };
    command.needed(tag::ITEM)?;
    let items = command.all(tag::ITEM).map(item).collect::<Option<Vec<_>>>();
    Ok(SelectItem {
        title: understood(title)?,
        items: understood(items)?,
        default_item: command.object(tag::ITEM_ID).and_then(|id| id.first().copied()),
        help: flag(command, 8),
    })
}

fn launch_browser(command: &Command<'_>) -> core::result::Result<LaunchBrowser, Outcome> {
    let url = std::str::from_utf8(command.needed(tag::URL)?).ok().filter(|url| url.is_ascii());
    let confirmation = command.object(tag::ALPHA).map(text::decode_alpha);
    Ok(LaunchBrowser {
        url: understood(url)?.to_owned(),
        confirmation: confirmation.map(understood).transpose()?,
        mode: command.details.qualifier,
    })
}

fn send_sms(command: &Command<'_>) -> core::result::Result<SendSms, Outcome> {
    Ok(SendSms {
        service_centre: command.object(tag::ADDRESS).map(<[u8]>::to_vec),
        tpdu: command.needed(tag::SMS_TPDU)?.to_vec(),
        pack: flag(command, 1),
    })
}

fn needed_text(command: &Command<'_>) -> core::result::Result<String, Outcome> {
    understood(text::decode(command.needed(tag::TEXT)?))
}

fn duration_ms(command: &Command<'_>) -> core::result::Result<Option<u64>, Outcome> {
    command.object(tag::DURATION).map(|value| understood(decode_duration(value))).transpose()
}

/// A duration object in milliseconds; `None` if it is none, or zero.
pub(super) fn decode_duration(value: &[u8]) -> Option<u64> {
    let unit_ms = match value {
        [0, _] => 60_000,
        [1, _] => 1000,
        [2, _] => 100,
        _ => return None,
    };
    value.get(1).filter(|count| **count > 0).map(|count| unit_ms * u64::from(*count))
}

/// Bit `bit` of the qualifier, counted from 1.
fn flag(command: &Command<'_>, bit: u32) -> bool {
    command.details.qualifier >> (bit - 1) & 1 == 1
}

fn understood<T>(value: Option<T>) -> core::result::Result<T, Outcome> {
    value.ok_or(Outcome::NOT_UNDERSTOOD)
}
