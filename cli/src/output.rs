//! Standard output, as text or as JSON, and how values and errors look there. Must not know commands.

use dmsc::error::{Code, Error, Result};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};
use std::sync::{Mutex, PoisonError};

/// Standard output. Once it has failed, nothing more is written and [`finish`](Self::finish) says so.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    failure: Mutex<Option<io::Error>>,
}

impl Output {
    /// Standard output with JSON or text.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, failure: Mutex::new(None) }
    }

    /// True if JSON was asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints one thing in the form that was asked for.
    pub(crate) fn show(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        let mut text = if self.json { json().to_string() } else { text() };
        text.push('\n');
        self.write(text.as_bytes());
    }

    /// Writes octets as they are.
    pub(crate) fn write(&self, octets: &[u8]) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            let mut stdout = io::stdout().lock();
            *failure = stdout.write_all(octets).and_then(|()| stdout.flush()).err();
        }
    }

    /// Fails if something could not be written. A reader that has seen enough is no failure.
    pub(crate) fn finish(&self) -> Result<()> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::new(Code::Io, format!("standard output: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// Text from outside in one line that cannot steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_steering(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// True for controls, and for the marks that turn the direction of writing.
pub(crate) fn is_steering(c: char) -> bool {
    let turns =
        matches!(c, '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// An error in one line: what, and the stable name of its code.
pub(crate) fn error_text(error: &Error) -> String {
    format!("{} ({})", printable(error.what()), error.code().name())
}

/// An error as JSON.
pub(crate) fn error_json(error: &Error) -> Value {
    json!({
        "name": error.code().name(),
        "code": error.code() as i32,
        "what": error.what(),
    })
}

/// Octets in upper-case hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    dmsc::bytes::hex::encode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_in_its_line_and_cannot_steer_a_terminal() {
        assert_eq!(printable("a\r\n\tb"), "a\\r\\n\\tb");
        assert_eq!(printable("\u{1b}[2J\u{202e}x\u{9b}"), "\\u{1b}[2J\\u{202e}x\\u{9b}");
        assert_eq!(printable("Größe \"1\" \\"), "Größe \"1\" \\");
    }

    #[test]
    fn an_error_has_its_stable_name_and_one_line() {
        let error = Error::new(Code::CardRemoved, "the card\nis out");
        assert_eq!(error_text(&error), "the card\\nis out (DMSC_ERR_CARD_REMOVED)");
        assert_eq!(
            error_json(&error).to_string(),
            r#"{"code":-101,"name":"DMSC_ERR_CARD_REMOVED","what":"the card\nis out"}"#
        );
    }
}
