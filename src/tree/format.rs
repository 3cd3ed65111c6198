//! Formats of values and what a value must look like in them
//! (DM Tree and Description 1.2.1, 7.7.2; DM Representation Protocol 1.2.1, 6).

use super::refusal::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The Format property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Format {
    /// Base64 text as the value itself.
    B64 = 0,
    /// Octets.
    Bin = 1,
    /// `true` or `false`.
    Bool = 2,
    /// Text.
    #[default]
    Chr = 3,
    /// 32-bit signed decimal number.
    Int = 4,
    /// Interior node.
    Node = 5,
    /// No value.
    Null = 6,
    /// XML text.
    Xml = 7,
    /// ISO 8601 date with century.
    Date = 8,
    /// ISO 8601 time.
    Time = 9,
    /// XML Schema float.
    Float = 10,
}

impl Format {
    const ALL: [(Self, &'static str); 11] = [
        (Self::B64, "b64"),
        (Self::Bin, "bin"),
        (Self::Bool, "bool"),
        (Self::Chr, "chr"),
        (Self::Int, "int"),
        (Self::Node, "node"),
        (Self::Null, "null"),
        (Self::Xml, "xml"),
        (Self::Date, "date"),
        (Self::Time, "time"),
        (Self::Float, "float"),
    ];

    /// The format of this name. Errors: `Format` (415).
    pub fn parse(name: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.into_iter().find(|(_, known)| *known == name);
        found.map(|(format, _)| format).ok_or(Refusal::Format)
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(format, _)| *format == self).map_or("", |(_, name)| name)
    }

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().map(|(format, _)| format).find(|format| *format as u8 == number)
    }

    /// True for an interior node.
    pub fn is_interior(self) -> bool {
        self == Self::Node
    }

    /// Checks that `value` is one of this format. Errors: `Format` (415).
    pub fn check(self, value: &[u8]) -> Result<(), Refusal> {
        let text = std::str::from_utf8(value);
        let good = match self {
            Self::Bin => true,
            Self::Node | Self::Null => value.is_empty(),
            // No encoding of a message can carry U+0000 in text.
            Self::Chr | Self::Xml => text.is_ok_and(|text| !text.contains('\0')),
            Self::B64 => decode_base64(value).is_ok(),
            Self::Bool => matches!(value, b"true" | b"false"),
            Self::Int => text.is_ok_and(|text| text.parse::<i32>().is_ok()),
            Self::Float => text.is_ok_and(is_float),
            Self::Date => text.is_ok_and(is_date),
            Self::Time => text.is_ok_and(is_time),
        };
        if good { Ok(()) } else { Err(Refusal::Format) }
    }
}

/// Octets of whole letters in a part of a text, which may end inside a letter but not begin in one. Errors:
/// `Format` (415).
pub(super) fn whole_letters(part: &[u8]) -> Result<usize, Refusal> {
    let whole = match std::str::from_utf8(part) {
        Ok(_) => part.len(),
        Err(fault) if fault.error_len().is_none() => fault.valid_up_to(),
        Err(_) => return Err(Refusal::Format),
    };
    Format::Chr.check(part.get(..whole).unwrap_or_default())?;
    Ok(whole)
}

/// Decodes base64 text with any white space in it. Errors: `Format` (415).
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| Refusal::Format)
}

/// XML Schema float: Rust reads more words for infinity and NaN than XML Schema has.
fn is_float(text: &str) -> bool {
    let special = matches!(text, "INF" | "-INF" | "NaN");
    special || (!text.contains(['n', 'N']) && text.parse::<f32>().is_ok())
}

/// `CCYYMMDD` or `CCYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let digits = match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => text.replace('-', ""),
        _ => text.to_owned(),
    };
    let in_range = |part: Option<&str>, last: u8| {
        part.and_then(|part| part.parse::<u8>().ok()).is_some_and(|n| (1..=last).contains(&n))
    };
    digits.len() == 8
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && in_range(digits.get(4..6), 12)
        && in_range(digits.get(6..8), 31)
}

/// `hhmmss` or `hh:mm:ss`, with an optional fraction and zone.
fn is_time(text: &str) -> bool {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (text, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let clock = match clock.as_bytes() {
        [_, _, b':', _, _, b':', _, _] => clock.replace(':', ""),
        _ => clock.to_owned(),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let below = |part: Option<&str>, end: u8| {
        part.and_then(|part| part.parse::<u8>().ok()).is_some_and(|n| n < end)
    };
    let zone = zone.get(1..).unwrap_or("").replace(':', "");
    clock.len() == 6
        && all_digits(&clock)
        && all_digits(fraction)
        && below(clock.get(0..2), 25)
        && below(clock.get(2..4), 60)
        && below(clock.get(4..6), 61)
        && (zone.is_empty() || (all_digits(&zone) && matches!(zone.len(), 2 | 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(format: Format, value: &str) -> bool {
        format.check(value.as_bytes()).is_ok()
    }

    #[test]
    fn names_map_both_ways() {
        for (format, name) in Format::ALL {
            assert_eq!(Format::parse(name), Ok(format));
            assert_eq!(format.name(), name);
            assert_eq!(Format::from_number(format as u8), Some(format));
        }
        assert_eq!(Format::parse("Chr"), Err(Refusal::Format));
    }

    #[test]
    fn dm_055_a_value_must_parse_in_its_format() {
        for (format, good, bad) in [
            (Format::Int, "-2147483648", "abc"),
            (Format::Int, "2147483647", "2147483648"),
            (Format::Bool, "false", "TRUE"),
            (Format::Float, "1.5e3", "inf"),
            (Format::Float, "-INF", "1,5"),
            (Format::Date, "2001-07-11", "01-07-11"),
            (Format::Date, "20010711", "20011311"),
            (Format::Time, "16:38:17Z", "25:00:00"),
            (Format::Time, "163817.5+0200", "1638"),
            (Format::B64, "AAECAw==", "AAECAw="),
            (Format::Null, "", "x"),
        ] {
            assert!(fits(format, good), "{format:?} {good}");
            assert!(!fits(format, bad), "{format:?} {bad}");
        }
        assert!(Format::Chr.check(b"\xff").is_err());
        assert!(Format::Chr.check(b"a\0").is_err());
        assert!(Format::Bin.check(b"\xff").is_ok());
    }
}
