//! What a modem's lines say: final result codes, APDUs, session numbers, files. Every reader is total:
//! a line of a modem is no better than one of a stranger. Sends nothing.

use crate::bytes::hex;
use crate::error::{Code, Error, Result};
use std::fmt;

/// A final result code other than OK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The line.
    text: String,
    /// The number of a +CME ERROR.
    number: Option<u16>,
}

/// The +CME ERROR numbers (TS 27.007 clause 9.2) that say something of the card, with their texts.
const MEANINGS: [(u16, &str, Code); 11] = [
    (3, "operation not allowed", Code::NotSupported),
    (4, "operation not supported", Code::NotSupported),
    (10, "sim not inserted", Code::CardAbsent),
    (11, "sim pin required", Code::CardAccessDenied),
    (12, "sim puk required", Code::CardAccessDenied),
    (13, "sim failure", Code::CardTransmit),
    (14, "sim busy", Code::Busy),
    (15, "sim wrong", Code::CardTransmit),
    (17, "sim pin2 required", Code::CardAccessDenied),
    (18, "sim puk2 required", Code::CardAccessDenied),
    (22, "not found", Code::CardFileNotFound),
];

impl Refusal {
    /// The refusal in a line; `None` if the line is no final result code.
    pub(super) fn read(line: &str) -> Option<Self> {
        let text = line.to_owned();
        if let Some(error) = line.strip_prefix("+CME ERROR:") {
            let error = error.trim();
            let by_text = |(_, name, _): &&(u16, &str, Code)| error.eq_ignore_ascii_case(name);
            let named = || MEANINGS.iter().find(by_text).map(|(number, ..)| *number);
            return Some(Self { text, number: error.parse().ok().or_else(named) });
        }
        let others = ["ERROR", "NO CARRIER", "ABORTED", "COMMAND NOT SUPPORT"];
        let is_other = others.contains(&line) || line.starts_with("+CMS ERROR:");
        is_other.then_some(Self { text, number: None })
    }

    /// What it means for the card, where it says.
    pub(super) fn code(&self) -> Option<Code> {
        let number = self.number?;
        MEANINGS.iter().find(|(known, ..)| *known == number).map(|(.., code)| *code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn malformed(name: &str, what: &str) -> Error {
    Error::new(Code::CardTransmit, format!("{name}: {what}"))
}

/// The values of the first line that begins with `name`.
fn values<'a>(lines: &'a [String], name: &str) -> Result<&'a str> {
    let line =
        lines.iter().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    line.map(str::trim).ok_or_else(|| malformed(name, "OK without an answer"))
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"').trim()
}

/// The response APDU in `+CSIM: <length>,"<octets>"` or the same of +CGLA. The length counts
/// hexadecimal digits; some modems count octets.
pub(super) fn apdu(lines: &[String], name: &str) -> Result<Vec<u8>> {
    let (length, octets) =
        values(lines, name)?.split_once(',').ok_or_else(|| malformed(name, "no octets"))?;
    let length: usize =
        length.trim().parse().map_err(|_| malformed(name, "the length is no number"))?;
    let digits = unquoted(octets);
    if digits.len() != length && digits.len() != 2 * length {
        let what = format!("{} digits where {length} are announced", digits.len());
        return Err(malformed(name, &what));
    }
    hex::decode(digits).map_err(|error| malformed(name, error.what()))
}

/// The session in `+CCHO: <session>`, or in a bare number.
pub(super) fn session(lines: &[String]) -> Result<u32> {
    const NAME: &str = "+CCHO";
    let number = match values(lines, NAME) {
        Ok(values) => values,
        Err(error) => lines
            .iter()
            .find(|line| line.bytes().all(|octet| octet.is_ascii_digit()))
            .ok_or(error)?,
    };
    unquoted(number).parse().map_err(|_| malformed(NAME, "the session is no number"))
}

/// Data and status word in `+CRSM: <sw1>,<sw2>[,"<data>"]`.
pub(super) fn restricted(lines: &[String]) -> Result<(Vec<u8>, u16)> {
    const NAME: &str = "+CRSM";
    let mut parts = values(lines, NAME)?.splitn(3, ',');
    let mut octet = || {
        let text = parts.next().unwrap_or_default();
        text.trim().parse::<u8>().map_err(|_| malformed(NAME, "no status word"))
    };
    let sw = u16::from_be_bytes([octet()?, octet()?]);
    let data = hex::decode(unquoted(parts.next().unwrap_or_default()));
    Ok((data.map_err(|error| malformed(NAME, error.what()))?, sw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn apdus_in_the_spellings_of_modems() {
        for text in [
            "+CSIM: 4,\"9000\"",
            "+CSIM:4,9000",
            "+CSIM: 4 , \"9000\" ",
            "+CSIM : 4,\"9000\"",
            "+CSIM: 2,\"9000\"",
            "7\n+CSIM: 4,\"9000\"",
        ] {
            assert_eq!(apdu(&lines(text), "+CSIM").unwrap(), [0x90, 0x00], "{text}");
        }
        for text in
            ["", "+CSIM: 4", "+CSIM: x,9000", "+CSIM: 6,\"9000\"", "+CSIM: 4,\"90g0\"", "OK"]
        {
            let error = apdu(&lines(text), "+CSIM").unwrap_err();
            assert_eq!(error.code(), Code::CardTransmit, "{text}");
        }
    }

    #[test]
    fn sc_147_sessions_with_and_without_name() {
        for (text, number) in [("+CCHO: 101", 101), ("+CCHO: \"1\"", 1), ("2", 2), ("+CCHO:3", 3)] {
            assert_eq!(session(&lines(text)).unwrap(), number);
        }
        for text in ["", "+CCHO: x", "+CCHO:", "4294967296"] {
            assert!(session(&lines(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn files_with_and_without_data() {
        let read = |text| restricted(&lines(text)).unwrap();
        assert_eq!(read("+CRSM: 144,0,\"0A0B\""), (vec![10, 11], 0x9000));
        assert_eq!(read("+CRSM: 144, 0, 0a0b"), (vec![10, 11], 0x9000));
        assert_eq!(read("+CRSM: 106,130"), (vec![], 0x6A82));
        assert_eq!(read("+CRSM: 106,130,\"\""), (vec![], 0x6A82));
        for text in ["+CRSM: 144", "+CRSM: 400,0", "+CRSM: 144,0,\"0\"", ""] {
            assert!(restricted(&lines(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn refusals_by_number_and_by_text() {
        let code = |line| Refusal::read(line).unwrap().code();
        assert_eq!(code("+CME ERROR: 10"), Some(Code::CardAbsent));
        assert_eq!(code("+CME ERROR: SIM not inserted"), Some(Code::CardAbsent));
        assert_eq!(code("+CME ERROR:11"), Some(Code::CardAccessDenied));
        assert_eq!(code("+CME ERROR: 100"), None);
        assert_eq!(code("ERROR"), None);
        assert_eq!(Refusal::read("+CREG: 1"), None);
        assert_eq!(Refusal::read("OK"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_survived(text in "(\\+C(SIM|CHO|RSM))?[ :,\"0-9A-Fx]{0,40}") {
            let lines = lines(&text);
            let _ = (apdu(&lines, "+CSIM"), session(&lines), restricted(&lines));
            let _ = Refusal::read(&text);
        }
    }
}
