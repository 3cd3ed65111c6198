//! How parms become values: what is missing, too long, or no number is `E_CP_PARM`.
//!
//! Owns the lexical forms and lengths; must not know which parm is for what. Lengths are generous:
//! those of ProvCont are too small for today's addresses.

use super::{Characteristic, Parm};
use crate::bytes::base64;
use crate::markup::{Class, Fault};
use crate::secret::Secret;

/// Octets of an identifier, a name or a credential.
pub(super) const NAME: usize = 255;
/// Octets of an address.
pub(super) const ADDRESS: usize = 2048;

/// `E_CP_PARM` at octet `at`.
pub(super) fn unusable(at: usize, what: &'static str) -> Fault {
    Fault::new(Class::CpParm, at, what)
}

impl<'a> Characteristic<'a> {
    fn first<'s>(&'s self, name: &'s str) -> Option<(&'s Parm<'a>, &'s str)> {
        self.parms_of(name).find_map(|parm| Some((parm, parm.filled()?)))
    }

    /// The first value of `name` of at most `most` octets.
    pub(super) fn text<'s>(&'s self, name: &'s str, most: usize) -> Result<Option<&'s str>, Fault> {
        match self.first(name) {
            Some((parm, value)) => bounded(parm, value, most).map(Some),
            None => Ok(None),
        }
    }

    /// Like [`Self::text`] for a parm that has to be there.
    pub(super) fn needed<'s>(
        &'s self,
        name: &'s str,
        most: usize,
        what: &'static str,
    ) -> Result<&'s str, Fault> {
        self.text(name, most)?.ok_or_else(|| unusable(self.at, what))
    }

    /// All values of `name` that are not empty.
    pub(super) fn texts<'s>(&'s self, name: &'s str, most: usize) -> Result<Vec<&'s str>, Fault> {
        let filled = self.parms_of(name).filter_map(|parm| Some((parm, parm.filled()?)));
        filled.map(|(parm, value)| bounded(parm, value, most)).collect()
    }

    /// A password.
    pub(super) fn secret(&self, name: &str) -> Result<Option<Secret>, Fault> {
        Ok(self.text(name, NAME)?.map(Secret::new))
    }

    /// Octets as base64.
    pub(super) fn octets(&self, name: &str) -> Result<Option<Secret>, Fault> {
        let Some((parm, value)) = self.first(name) else { return Ok(None) };
        let value: String = value.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        match base64::decode(&value) {
            Ok(octets) => Ok(Some(Secret::new(octets))),
            Err(_) => Err(unusable(parm.at, "a parm is no base64")),
        }
    }

    /// A decimal number up to `most`.
    pub(super) fn number(&self, name: &str, most: u32) -> Result<Option<u32>, Fault> {
        self.first(name).map(|(parm, value)| decimal(parm, value, most)).transpose()
    }

    /// All decimal numbers of parm `name`.
    pub(super) fn numbers(&self, name: &str, most: u32) -> Result<Vec<u32>, Fault> {
        let filled = self.parms_of(name).filter_map(|parm| Some((parm, parm.filled()?)));
        filled.map(|(parm, value)| decimal(parm, value, most)).collect()
    }

    /// A hexadecimal number.
    pub(super) fn hexadecimal(&self, name: &str) -> Result<Option<u32>, Fault> {
        let Some((parm, value)) = self.first(name) else { return Ok(None) };
        let number = Some(value).filter(|value| value.bytes().all(|b| b.is_ascii_hexdigit()));
        match number.and_then(|value| u32::from_str_radix(value, 16).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(unusable(parm.at, "a parm is no hexadecimal number")),
        }
    }

    /// `0` or `1`.
    pub(super) fn switch(&self, name: &str) -> Result<Option<bool>, Fault> {
        Ok(self.number(name, 1)?.map(|number| number == 1))
    }

    /// One of the words of `table`; case does not matter.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        table: &[(&str, T)],
    ) -> Result<Option<T>, Fault> {
        let Some((parm, value)) = self.first(name) else { return Ok(None) };
        match table.iter().find(|(word, _)| value.trim().eq_ignore_ascii_case(word)) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => Err(unusable(parm.at, "a parm has a value that is not defined")),
        }
    }
}

fn bounded<'s>(parm: &Parm<'_>, value: &'s str, most: usize) -> Result<&'s str, Fault> {
    if value.len() > most {
        return Err(unusable(parm.at, "a parm is too long"));
    }
    Ok(value)
}

fn decimal(parm: &Parm<'_>, value: &str, most: u32) -> Result<u32, Fault> {
    let digits = Some(value.trim()).filter(|value| value.bytes().all(|b| b.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|number| *number <= most)
        .ok_or_else(|| unusable(parm.at, "a parm is no decimal number of its range"))
}
