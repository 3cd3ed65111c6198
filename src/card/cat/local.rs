//! What the card may ask about the terminal (PROVIDE LOCAL INFORMATION, TS 102 223 6.4.15).
//!
//! Owns the coding of IMEI, IMEISV, language, location and date. Must not know where the host got
//! them.

use super::command::tag;
use super::response::{Outcome, Response};
use super::timer::swapped;
use crate::bytes::bcd;
use crate::error::{Code, Error, Result};
use crate::time::Now;
use std::fmt;

/// Qualifiers of PROVIDE LOCAL INFORMATION that are answered.
pub(super) mod qualifier {
    pub(in super::super) const LOCATION: u8 = 0x00;
    pub(in super::super) const IMEI: u8 = 0x01;
    pub(in super::super) const DATE_TIME: u8 = 0x03;
    pub(in super::super) const LANGUAGE: u8 = 0x04;
    pub(in super::super) const ACCESS_TECHNOLOGY: u8 = 0x06;
    pub(in super::super) const IMEISV: u8 = 0x08;
}

/// The terminal's equipment identity, coded for the card.
#[derive(Clone, PartialEq, Eq)]
pub struct Imei([u8; 8]);

impl Imei {
    /// From its 15 digits. Fails with `InvalidArg` on anything else.
    pub fn from_digits(digits: &str) -> Result<Self> {
        /// Odd number of digits, type IMEI.
        const TYPE: u8 = 0x0A;
        coded_identity(digits, 15, TYPE).map(Self)
    }
}

/// The terminal's equipment identity with software version, coded for the card.
#[derive(Clone, PartialEq, Eq)]
pub struct Imeisv([u8; 9]);

impl Imeisv {
    /// From its 16 digits. Fails with `InvalidArg` on anything else.
    pub fn from_digits(digits: &str) -> Result<Self> {
        /// Even number of digits, type IMEISV.
        const TYPE: u8 = 0x03;
        coded_identity(digits, 16, TYPE).map(Self)
    }
}

/// Swapped digits with the type of identity as the first nibble (TS 24.008 10.5.1.4).
fn coded_identity<const N: usize>(digits: &str, count: usize, kind: u8) -> Result<[u8; N]> {
    let wrong = || Error::new(Code::InvalidArg, format!("IMEI: not {count} decimal digits"));
    let mut octets = bcd::encode_swapped(&format!("0{digits}")).map_err(|_| wrong())?;
    if let Some(first) = octets.first_mut() {
        *first |= kind;
    }
    if digits.len() == count { octets.try_into().map_err(|_| wrong()) } else { Err(wrong()) }
}

/// Where the terminal is, as the network codes it: MCC, MNC, LAC, cell identity.
#[derive(Clone, PartialEq, Eq)]
pub struct Location(Vec<u8>);

impl Location {
    /// From 7 octets, or 9 with an extended cell identity. Fails with `InvalidArg` otherwise.
    pub fn from_octets(octets: &[u8]) -> Result<Self> {
        match octets.len() {
            7 | 9 => Ok(Self(octets.to_vec())),
            _ => Err(Error::new(Code::InvalidArg, "location information: not 7 or 9 octets")),
        }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// What the host tells about itself; `None` is "not to be told" or "unknown".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalInfo {
    /// Equipment identity.
    pub imei: Option<Imei>,
    /// Equipment identity with software version.
    pub imeisv: Option<Imeisv>,
    /// Language, two lower case letters of ISO 639-1.
    pub language: Option<[u8; 2]>,
    /// Location while in service.
    pub location: Option<Location>,
    /// Access technology (TS 102 223 section 8.61: 0 GSM, 3 UTRAN, 8 E-UTRAN, 10 NG-RAN ...).
    pub access_technology: Option<u8>,
    /// Local time minus UTC in quarters of an hour, -79 to 79.
    pub utc_offset_quarters: Option<i8>,
}

macro_rules! not_shown {
    ($($name:ident)*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )* };
}

not_shown! { Imei Imeisv Location }

/// Answers PROVIDE LOCAL INFORMATION for a qualifier that was offered.
pub(super) fn provide(
    info: &LocalInfo,
    qualifier: u8,
    now: Now,
) -> core::result::Result<Response, Outcome> {
    let (tag, value) = match qualifier {
        qualifier::LOCATION => {
            (tag::LOCATION, info.location.as_ref().ok_or(Outcome::NO_SERVICE)?.octets().to_vec())
        }
        qualifier::IMEI => (tag::IMEI, info.imei.as_ref().ok_or(Outcome::BUSY)?.0.to_vec()),
        qualifier::DATE_TIME => {
            (tag::DATE_TIME, date_time(now.unix_s, info.utc_offset_quarters).to_vec())
        }
        qualifier::LANGUAGE => (tag::LANGUAGE, info.language.ok_or(Outcome::BUSY)?.to_vec()),
        qualifier::ACCESS_TECHNOLOGY => {
            (tag::ACCESS_TECHNOLOGY, vec![info.access_technology.ok_or(Outcome::NO_SERVICE)?])
        }
        qualifier::IMEISV => (tag::IMEISV, info.imeisv.as_ref().ok_or(Outcome::BUSY)?.0.to_vec()),
        _ => return Err(Outcome::BEYOND_CAPABILITIES),
    };
    Ok(Response::from(Outcome::OK).with(tag, &value))
}

/// Year, month, day, hour, minute, second, time zone (TS 102 223 section 8.39).
fn date_time(unix_s: i64, offset_quarters: Option<i8>) -> [u8; 7] {
    const UNKNOWN: u8 = 0xFF;
    let offset = offset_quarters.map(|quarters| quarters.clamp(-79, 79));
    let local_s = unix_s.saturating_add(i64::from(offset.unwrap_or(0)) * 900);
    let (days, second) = (local_s.div_euclid(86_400), local_s.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let digits = |value: i64| swapped(u8::try_from(value.rem_euclid(100)).unwrap_or(0));
    let zone = offset.map_or(UNKNOWN, |quarters| {
        let sign = if quarters < 0 { 0x08 } else { 0 };
        swapped(quarters.unsigned_abs()) | sign
    });
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let [year, month, day, hour, minute, second] =
        [year, month, day, hour, minute, second].map(digits);
    [year, month, day, hour, minute, second, zone]
}

/// Year, month and day of the day `days` after 1970-01-01 (proleptic Gregorian calendar), counted
/// in years that begin in March so that the leap day is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_swapped_bcd_in_local_time() {
        let unix_s = 1_020_780_497; // 2002-05-07 14:08:17 UTC
        let expected = [0x20, 0x50, 0x70, 0x41, 0x80, 0x71, 0xFF];
        assert_eq!(date_time(unix_s, None), expected);
        let east = [0x20, 0x50, 0x70, 0x61, 0x80, 0x71, 0x80];
        assert_eq!(date_time(unix_s, Some(8)), east);
        let west = [0x20, 0x50, 0x70, 0x90, 0x80, 0x71, 0x0A];
        assert_eq!(date_time(unix_s, Some(-20)), west);
    }

    #[test]
    fn leap_days_and_ends_of_years() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(11_017), (2000, 3, 1));
        assert_eq!(civil(20_453), (2025, 12, 31));
        assert_eq!(civil(-1), (1969, 12, 31));
    }

    #[test]
    fn identities_need_their_number_of_digits() {
        assert!(Imei::from_digits("12345678901234").is_err());
        assert!(Imei::from_digits("1234567890123456").is_err());
        assert!(Imei::from_digits("12345678901234x").is_err());
        assert!(Imeisv::from_digits("1234567890123456").is_ok());
        assert!(Location::from_octets(&[0; 8]).is_err());
    }

    #[test]
    fn the_identity_is_not_shown() {
        let imei = Imei::from_digits("123456789012345").ok();
        let shown = format!("{:?}", LocalInfo { imei, ..LocalInfo::default() });
        assert!(shown.starts_with("LocalInfo { imei: Some(Imei), imeisv: None,"), "{shown}");
    }
}
