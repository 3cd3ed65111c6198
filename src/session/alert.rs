//! Alerts for the user (DM Protocol 1.2.1, 10): what to show, and what an answer means.
//!
//! Owns the reading of the options and the check of answers. Must not know how anything is shown
//! nor which commands follow.

use crate::error::{Code, Error, Result};
use crate::limits;
use crate::policy::Summary;
use crate::syncml::model::Item;
use crate::syncml::status::{self, AlertCode, Status};
use std::fmt;

/// What the user is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Show a text (1100).
    Display,
    /// Ask for Yes or No (1101).
    Confirm,
    /// Ask for a text (1102).
    TextInput,
    /// Choose one (1103).
    SingleChoice,
    /// Choose any number (1104).
    MultipleChoice,
}

/// Letters that the input may have, and the form of the answer (option IT).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Any text.
    #[default]
    Alphanumeric,
    /// A number with sign and decimal point.
    Number,
    /// `DDMMYYYY`.
    Date,
    /// `hhmmss`.
    Time,
    /// Digits, `+` first only, `p`, `w`, `s`.
    Phone,
    /// `xxx.yyy.zzz.www`.
    IpAddress,
}

/// What is highlighted or filled in at first (option DR).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Nothing.
    #[default]
    None,
    /// Yes (`true`) or No.
    Confirm(bool),
    /// The field's text.
    Text(String),
    /// Choices, counted from 1.
    Choices(Vec<u32>),
}

/// One question or notice of the server for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAlert {
    /// What is asked for.
    pub kind: Kind,
    /// The notice, question, prompt or title.
    pub text: String,
    /// The choices in order; the first is number 1.
    pub choices: Vec<String>,
    /// Seconds the text should at least be seen (MINDT); a hint.
    pub min_display_s: Option<u32>,
    /// Seconds after which to answer [`Answer::TimedOut`] (MAXDT); a hint.
    pub max_display_s: Option<u32>,
    /// What is preset (DR).
    pub preset: Preset,
    /// Most characters of the answer (MAXLEN).
    pub max_len: Option<u32>,
    /// Form of the answer (IT).
    pub input: Input,
    /// The input must not be readable on the display (ET=P).
    pub hidden: bool,
}

/// What came of a [`UserAlert`].
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Shown, or answered Yes.
    Accepted,
    /// Answered No.
    Rejected,
    /// The text that was put in.
    Text(String),
    /// The chosen numbers, from 1.
    Choices(Vec<u32>),
    /// The user cancelled.
    Cancelled,
    /// The user did not answer in time.
    TimedOut,
    /// The display cannot show it, for example because the text is too long.
    CannotShow,
}

impl fmt::Debug for Answer {
    // The text may be a PIN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Choices(numbers) => return f.debug_tuple("Choices").field(numbers).finish(),
            Self::Accepted => "Accepted",
            Self::Rejected => "Rejected",
            Self::Text(_) => "Text(..)",
            Self::Cancelled => "Cancelled",
            Self::TimedOut => "TimedOut",
            Self::CannotShow => "CannotShow",
        };
        f.write_str(name)
    }
}

/// Status of an answered alert with the texts for the Status' items.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: Status,
    pub(super) texts: Vec<String>,
}

impl Kind {
    /// The kind with this alert code.
    pub(super) fn from_code(code: AlertCode) -> Option<Self> {
        Some(match code {
            status::ALERT_DISPLAY => Self::Display,
            status::ALERT_CONFIRM => Self::Confirm,
            status::ALERT_TEXT_INPUT => Self::TextInput,
            status::ALERT_SINGLE_CHOICE => Self::SingleChoice,
            status::ALERT_MULTIPLE_CHOICE => Self::MultipleChoice,
            _ => return None,
        })
    }

    fn has_choices(self) -> bool {
        matches!(self, Self::SingleChoice | Self::MultipleChoice)
    }
}

impl UserAlert {
    /// The question whether the policy lets something happen; its lines are the choices, which are shown
    /// and not chosen from.
    pub fn consent(summary: Summary, patience_s: Option<u32>) -> Self {
        Self {
            kind: Kind::Confirm,
            text: summary.text,
            choices: summary.lines,
            min_display_s: None,
            max_display_s: patience_s,
            preset: Preset::None,
            max_len: None,
            input: Input::default(),
            hidden: false,
        }
    }

    /// Reads the items of an alert of `kind`; the error is the alert's status.
    pub(super) fn read(kind: Kind, items: &[Item<'_>]) -> std::result::Result<Self, Status> {
        let [options, text, choices @ ..] = items else { return Err(status::INCOMPLETE) };
        let text = shown(text)?;
        let choices = if kind.has_choices() {
            choices.iter().map(shown).collect::<std::result::Result<Vec<_>, _>>()?
        } else {
            Vec::new()
        };
        if kind.has_choices() && choices.is_empty() {
            return Err(status::INCOMPLETE);
        }
        if choices.len() > limits::UI_CHOICES {
            return Err(status::CANNOT_SHOW);
        }
        let mut alert = Self {
            kind,
            text,
            choices,
            min_display_s: None,
            max_display_s: None,
            preset: Preset::None,
            max_len: None,
            input: Input::default(),
            hidden: false,
        };
        if let Some(options) = options.data.as_ref().and_then(|data| data.as_str()) {
            alert.read_options(options);
        }
        Ok(alert)
    }

    /// `NAME=value&NAME=value`; what is unknown or unusable is skipped.
    fn read_options(&mut self, options: &str) {
        let mut preset = None;
        for option in options.split('&') {
            let Some((name, value)) = option.split_once('=') else { continue };
            let Some(value) = url_decode(value.trim()) else { continue };
            match name.trim().to_ascii_uppercase().as_str() {
                "MINDT" => self.min_display_s = positive(&value).or(self.min_display_s),
                "MAXDT" => self.max_display_s = positive(&value).or(self.max_display_s),
                "DR" => preset = Some(value),
                "MAXLEN" if self.kind == Kind::TextInput => {
                    self.max_len = positive(&value).or(self.max_len);
                }
                "IT" if self.kind == Kind::TextInput => self.input = input(&value, self.input),
                "ET" if self.kind == Kind::TextInput => match value.as_str() {
                    "P" => self.hidden = true,
                    "T" => self.hidden = false,
                    _ => {}
                },
                _ => {}
            }
        }
        if let Some(preset) = preset {
            self.preset = self.read_preset(preset);
        }
    }

    fn read_preset(&self, value: String) -> Preset {
        match (self.kind, value.as_str()) {
            (Kind::Confirm, "0") => Preset::Confirm(false),
            (Kind::Confirm, "1") => Preset::Confirm(true),
            (Kind::TextInput, _) if self.fits(&value) => Preset::Text(value),
            (Kind::SingleChoice, number) => match positive(number) {
                Some(number) if self.is_choice(number) => Preset::Choices(vec![number]),
                _ => Preset::None,
            },
            (Kind::MultipleChoice, numbers) => numbers
                .split('-')
                .map(|number| positive(number).filter(|&number| self.is_choice(number)))
                .collect::<Option<Vec<_>>>()
                .map_or(Preset::None, Preset::Choices),
            _ => Preset::None,
        }
    }

    fn is_choice(&self, number: u32) -> bool {
        number >= 1 && number as usize <= self.choices.len()
    }

    fn fits(&self, text: &str) -> bool {
        self.max_len.is_none_or(|max| text.chars().count() <= max as usize)
    }

    /// Fails with `InvalidArg` if `answer` does not answer this question.
    pub fn check(&self, answer: &Answer) -> Result<()> {
        self.reply(answer).map(drop)
    }

    /// Status and texts for `answer`. `InvalidArg` if it does not answer this question; the host
    /// may then answer again.
    pub(super) fn reply(&self, answer: &Answer) -> Result<Reply> {
        let (status, texts) = match answer {
            Answer::Cancelled => (status::CANCELLED, Vec::new()),
            Answer::TimedOut => (status::REQUEST_TIMEOUT, Vec::new()),
            Answer::CannotShow => (status::CANNOT_SHOW, Vec::new()),
            Answer::Accepted if matches!(self.kind, Kind::Display | Kind::Confirm) => {
                (status::OK, Vec::new())
            }
            Answer::Rejected if self.kind == Kind::Confirm => (status::NOT_MODIFIED, Vec::new()),
            Answer::Text(text) if self.kind == Kind::TextInput => {
                self.check_text(text)?;
                (status::OK, vec![text.clone()])
            }
            Answer::Choices(numbers) if self.kind.has_choices() => {
                self.check_choices(numbers)?;
                (status::OK, numbers.iter().map(u32::to_string).collect())
            }
            _ => return Err(invalid("the answer is of another kind than the question")),
        };
        Ok(Reply { status, texts })
    }

    fn check_text(&self, text: &str) -> Result<()> {
        if !self.fits(text) {
            return Err(invalid("the text is longer than MAXLEN"));
        }
        if !self.input.accepts(text) {
            return Err(invalid("the text has not the form that IT asks for"));
        }
        Ok(())
    }

    fn check_choices(&self, numbers: &[u32]) -> Result<()> {
        if self.kind == Kind::SingleChoice && numbers.len() != 1 {
            return Err(invalid("exactly one choice is needed"));
        }
        for (at, &number) in numbers.iter().enumerate() {
            if !self.is_choice(number) || numbers.iter().take(at).any(|&other| other == number) {
                return Err(invalid("a choice is out of range or given twice"));
            }
        }
        Ok(())
    }
}

impl Input {
    /// True if `text` has this form.
    fn accepts(self, text: &str) -> bool {
        let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        match self {
            Self::Alphanumeric => true,
            Self::Number => {
                let number = text.strip_prefix(['+', '-']).unwrap_or(text);
                let (whole, part) = number.split_once('.').unwrap_or((number, ""));
                whole.len() + part.len() > 0 && digits(whole) && digits(part)
            }
            Self::Date => text.len() == 8 && digits(text),
            Self::Time => text.len() == 6 && digits(text),
            Self::Phone => {
                let number = text.strip_prefix('+').unwrap_or(text);
                number.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'p' | b'w' | b's'))
            }
            Self::IpAddress => text.parse::<std::net::Ipv4Addr>().is_ok(),
        }
    }
}

fn invalid(what: &'static str) -> Error {
    Error::new(Code::InvalidArg, what).context("answer to a user alert")
}

/// The text of an item; 412 without Data, 416 if it cannot be shown.
fn shown(item: &Item<'_>) -> std::result::Result<String, Status> {
    let data = item.data.as_ref().ok_or(status::INCOMPLETE)?;
    let text = data.as_str().ok_or(status::CANNOT_SHOW)?;
    if text.is_empty() {
        return Err(status::INCOMPLETE);
    }
    if text.len() > limits::UI_TEXT {
        return Err(status::CANNOT_SHOW);
    }
    Ok(text.to_owned())
}

fn positive(value: &str) -> Option<u32> {
    value.parse().ok().filter(|&number| number > 0)
}

fn input(value: &str, otherwise: Input) -> Input {
    match value {
        "A" => Input::Alphanumeric,
        "N" => Input::Number,
        "D" => Input::Date,
        "T" => Input::Time,
        "P" => Input::Phone,
        "I" => Input::IpAddress,
        _ => otherwise,
    }
}

/// `+` is a blank, `%XX` an octet; `None` if that is no UTF-8 or an escape is broken.
fn url_decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syncml::model::Data;

    fn item(text: &str) -> Item<'_> {
        Item { data: Some(Data::text(text)), ..Item::default() }
    }

    fn read(kind: Kind, texts: &[&'static str]) -> std::result::Result<UserAlert, Status> {
        let items: Vec<_> = texts.iter().map(|text| item(text)).collect();
        UserAlert::read(kind, &items)
    }

    fn status_of(alert: &UserAlert, answer: Answer) -> Status {
        alert.reply(&answer).unwrap().status
    }

    #[test]
    fn dm_140_display_with_min_time() {
        let alert = read(Kind::Display, &["MINDT=10", "Hello"]).unwrap();
        assert_eq!((alert.min_display_s, alert.text.as_str()), (Some(10), "Hello"));
        assert_eq!(status_of(&alert, Answer::Accepted), 200);
    }

    #[test]
    fn dm_141_confirm_outcomes() {
        let alert = read(Kind::Confirm, &["MAXDT=20&DR=0", "Sure?"]).unwrap();
        assert_eq!((alert.max_display_s, &alert.preset), (Some(20), &Preset::Confirm(false)));
        assert_eq!(status_of(&alert, Answer::Accepted), 200);
        assert_eq!(status_of(&alert, Answer::Rejected), 304);
        assert_eq!(status_of(&alert, Answer::Cancelled), 214);
        assert_eq!(status_of(&alert, Answer::TimedOut), 408);
    }

    #[test]
    fn dm_142_text_input_answer() {
        let alert = read(Kind::TextInput, &["", "Which channel?"]).unwrap();
        let reply = alert.reply(&Answer::Text("CNN".into())).unwrap();
        assert_eq!(reply, Reply { status: 200, texts: vec!["CNN".into()] });
    }

    #[test]
    fn dm_143_preset_text_is_url_decoded() {
        let alert = read(Kind::TextInput, &["DR=John+Doe%21", "Name?"]).unwrap();
        assert_eq!(alert.preset, Preset::Text("John Doe!".into()));
    }

    #[test]
    fn dm_144_max_len() {
        let alert = read(Kind::TextInput, &["MAXLEN=5&DR=toolong", "Name?"]).unwrap();
        assert_eq!((alert.max_len, &alert.preset), (Some(5), &Preset::None));
        let error = alert.reply(&Answer::Text("123456".into())).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArg);
        assert_eq!(status_of(&alert, Answer::Text("äöü45".into())), 200);
    }

    #[test]
    fn dm_145_input_types() {
        let ask = |it: &'static str, text: &str| {
            let alert = read(Kind::TextInput, &[it, "?"]).unwrap();
            alert.reply(&Answer::Text(text.into())).is_ok()
        };
        assert!(ask("IT=D", "24122025") && !ask("IT=D", "24.12.25"));
        assert!(ask("IT=T", "235959") && !ask("IT=T", "2359"));
        assert!(ask("IT=N", "-1.5") && !ask("IT=N", "1e5") && !ask("IT=N", "+"));
        assert!(ask("IT=P", "+49p1") && !ask("IT=P", "1+2"));
        assert!(ask("IT=I", "192.168.0.1") && !ask("IT=I", "1.2.3"));
    }

    #[test]
    fn dm_146_echo_type() {
        assert!(read(Kind::TextInput, &["ET=P", "PIN?"]).unwrap().hidden);
        assert!(!read(Kind::TextInput, &["ET=T", "PIN?"]).unwrap().hidden);
    }

    #[test]
    fn dm_147_single_choice() {
        let alert = read(Kind::SingleChoice, &["DR=2", "Pick", "a", "b"]).unwrap();
        assert_eq!(alert.preset, Preset::Choices(vec![2]));
        let reply = alert.reply(&Answer::Choices(vec![2])).unwrap();
        assert_eq!(reply, Reply { status: 200, texts: vec!["2".into()] });
        for wrong in [vec![], vec![0], vec![3], vec![1, 2]] {
            assert!(alert.reply(&Answer::Choices(wrong)).is_err());
        }
    }

    #[test]
    fn dm_148_multiple_choice() {
        let alert = read(Kind::MultipleChoice, &["", "Pick", "a", "b", "c"]).unwrap();
        let reply = alert.reply(&Answer::Choices(vec![2, 3])).unwrap();
        assert_eq!(reply, Reply { status: 200, texts: vec!["2".into(), "3".into()] });
        let none = alert.reply(&Answer::Choices(Vec::new())).unwrap();
        assert_eq!(none, Reply { status: 200, texts: Vec::new() });
        assert!(alert.reply(&Answer::Choices(vec![2, 2])).is_err());
    }

    #[test]
    fn dm_149_preset_of_multiple_choice() {
        let alert = read(Kind::MultipleChoice, &["DR=2-3", "Pick", "a", "b", "c"]).unwrap();
        assert_eq!(alert.preset, Preset::Choices(vec![2, 3]));
    }

    #[test]
    fn dm_150_unknown_and_unusable_options_are_skipped() {
        let options = "FOO=1&MINDT=-5&MAXDT=x&&=&DR=%zz&MAXLEN=3&ET=P&IT=D&MINDT=7";
        let alert = read(Kind::Confirm, &[options, "Sure?"]).unwrap();
        assert_eq!((alert.min_display_s, alert.max_display_s), (Some(7), None));
        assert_eq!((alert.preset, alert.max_len, alert.hidden), (Preset::None, None, false));
    }

    #[test]
    fn dm_151_one_item_only() {
        assert_eq!(read(Kind::Confirm, &["Sure?"]), Err(412));
        assert_eq!(UserAlert::read(Kind::Confirm, &[item(""), Item::default()]), Err(412));
    }

    #[test]
    fn dm_152_choice_without_choices() {
        assert_eq!(read(Kind::SingleChoice, &["", "Pick"]), Err(412));
        assert_eq!(read(Kind::MultipleChoice, &["", "Pick"]), Err(412));
    }

    #[test]
    fn dm_156_text_that_cannot_be_shown() {
        let long = "x".repeat(limits::UI_TEXT + 1);
        assert_eq!(UserAlert::read(Kind::Display, &[item(""), item(&long)]), Err(416));
        let many = vec![item("x"); limits::UI_CHOICES + 3];
        assert_eq!(UserAlert::read(Kind::SingleChoice, &many), Err(416));
        let alert = read(Kind::Display, &["", "Hello"]).unwrap();
        assert_eq!(status_of(&alert, Answer::CannotShow), 416);
    }
}
