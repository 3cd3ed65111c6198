//! Octets as people have them: binary, or hexadecimal as it is pasted. Must not know what they are.

use super::Fault;
use std::borrow::Cow;

/// Class of faults in hexadecimal text.
const HEX: &str = "hex";

/// The octets of a file: those that a hex dump stands for, if the file is one, else its own.
pub(crate) fn octets(raw: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    match as_dump(raw) {
        Some(text) => dump(text).map(Cow::Owned),
        None => Ok(Cow::Borrowed(raw)),
    }
}

/// `raw` as text, if it is nothing but hexadecimal digits and what stands between them.
fn as_dump(raw: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(raw).ok()?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let is_digits = |token: &str| token.bytes().all(|b| b.is_ascii_hexdigit());
    let mut tokens = text.split(is_separator).map(without_prefix).filter(|t| !t.is_empty());
    let first = tokens.next()?;
    (is_digits(first) && tokens.all(is_digits)).then_some(text)
}

fn is_separator(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, ':' | ',')
}

fn without_prefix(token: &str) -> &str {
    token.strip_prefix("0x").or_else(|| token.strip_prefix("0X")).unwrap_or(token)
}

/// The octets of hexadecimal `text`: white space, newlines, colons, commas and `0x` may stand between
/// them. A line may break inside an octet, but several groups in a line have to be whole octets each.
pub(crate) fn dump(text: &str) -> Result<Vec<u8>, Fault> {
    let mut digits = String::with_capacity(text.len());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let groups = line.split(is_separator).filter(|group| !group.is_empty()).count();
        for group in line.split_inclusive(is_separator) {
            let start = at;
            at += group.len();
            let group = without_prefix(group.trim_end_matches(is_separator));
            if let Some(c) = group.find(|c: char| !c.is_ascii_hexdigit()) {
                return Err(Fault::new(HEX, start + c, "no hexadecimal digit"));
            }
            if groups > 1 && !group.len().is_multiple_of(2) {
                return Err(Fault::new(HEX, start, "an odd number of digits in a group"));
            }
            digits += group;
        }
    }
    dmsc::bytes::hex::decode(&digits)
        .map_err(|_| Fault::new(HEX, text.len(), "an odd number of digits"))
}

/// Who sent an APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Command,
    Response,
    /// Nobody says: what it can be, it is.
    Unmarked,
}

/// One APDU of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Apdu {
    pub(crate) side: Side,
    pub(crate) octets: Vec<u8>,
}

impl Apdu {
    pub(crate) fn command(octets: Vec<u8>) -> Self {
        Self { side: Side::Command, octets }
    }
}

/// The APDUs of a file: one a line in a hex dump, `>` or `->` before commands and `<` or `<-` before
/// responses if somebody wrote that; a binary file is one command.
pub(crate) fn apdus(raw: &[u8]) -> Result<Vec<Apdu>, Fault> {
    let text = std::str::from_utf8(raw).ok().filter(|text| !text.contains('\0'));
    let looks_like_text = |text: &&str| {
        text.chars().all(|c| c.is_ascii_hexdigit() || is_separator(c) || "<>-=xX".contains(c))
    };
    let Some(text) = text.filter(looks_like_text) else {
        return Ok(vec![Apdu::command(raw.to_vec())]);
    };
    let mut apdus = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let digits = line.trim_start_matches(|c: char| is_separator(c) || "<>-=".contains(c));
        let mark = line.strip_suffix(digits).unwrap_or_default();
        if digits.is_empty() {
            continue;
        }
        let side = match (mark.contains('>'), mark.contains('<')) {
            (true, false) => Side::Command,
            (false, true) => Side::Response,
            _ => Side::Unmarked,
        };
        let octets =
            dump(digits).map_err(|fault| fault.noting(format_args!("line {}", index + 1)))?;
        apdus.push(Apdu { side, octets });
    }
    Ok(apdus)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &[u8]) -> Result<Vec<u8>, String> {
        octets(raw).map(Cow::into_owned).map_err(|fault| fault.to_string())
    }

    #[test]
    fn hexadecimal_as_it_is_pasted() {
        for text in [
            "03A4016a",
            "03 a4 01 6A\n",
            "03:A4:01:6A",
            "0x03, 0xA4,\r\n\t0x01, 0X6A\r\n",
            "\u{FEFF}03A4\n016A",
            "03A\n4016A",
            "0x03A4016A",
        ] {
            assert_eq!(of(text.as_bytes()), Ok(vec![0x03, 0xA4, 0x01, 0x6A]), "{text}");
        }
    }

    #[test]
    fn everything_else_is_what_it_is() {
        for raw in [&b""[..], b" \n", b"<a/>", b"0x", b"03 A4 zz", &[0x03, 0xA4], b"\x30\x30\xFF"] {
            assert_eq!(of(raw), Ok(raw.to_vec()));
        }
    }

    #[test]
    fn digits_that_are_no_octets_are_told() {
        assert_eq!(of(b"03A"), Err("hex at byte 3: an odd number of digits".into()));
        let group = "hex at byte 3: an odd number of digits in a group";
        assert_eq!(of(b"03 A 4"), Err(group.into()));
        let text = dump("03 A4\n01 6g").unwrap_err().to_string();
        assert_eq!(text, "hex at byte 10: no hexadecimal digit");
    }

    #[test]
    fn apdus_stand_in_lines() {
        let (side, lines) = (Side::Unmarked, b"00A4 0004\n\n  9000\n");
        let expected = [vec![0, 0xA4, 0, 4], vec![0x90, 0]].map(|octets| Apdu { side, octets });
        assert_eq!(apdus(lines), Ok(expected.into()));
        let sides = |text: &[u8]| apdus(text).map(|a| a.iter().map(|a| a.side).collect::<Vec<_>>());
        let marked = b"-> 00B0000080\n<- 9000\n> 00C0000016\n<6A82\n=> 80F2000C00";
        use Side::{Command, Response};
        assert_eq!(sides(marked), Ok(vec![Command, Response, Command, Response, Command]));
        assert_eq!(apdus(&[0, 0xA4]), Ok(vec![Apdu::command(vec![0, 0xA4])]));
        let fault = apdus(b"00B0000080\n<- 900").unwrap_err().to_string();
        assert_eq!(fault, "hex at byte 3: an odd number of digits (line 2)");
    }
}
