//! Which nodes have secret values: their URIs, with patterns.
//!
//! Secret means sealed in the store. Who may read a value is decided by ACL and AccessType alone.

use super::uri::{escape, unescape};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::store::Secrecy;
use std::collections::BTreeSet;

/// Any one name.
const ONE: &str = "*";
/// Any number of names.
const MANY: &str = "**";
/// Passwords and nonces, wherever an object has them: of accounts (DM Standardized Objects 1.2.1,
/// 5.3.1; the application objects made from Client Provisioning documents have the same names), and of
/// access points and proxies (ConnMO 1.0).
const BUILT_IN: [&str; 3] = ["./**/AAuthSecret", "./**/AAuthData", "./**/AuthSecret"];

/// Patterns of the URIs of nodes whose values are secret.
///
/// A name `*` stands for any one name, `**` for any number of names; `**` may stand once in a pattern.
/// For example `./Vendor/*/Password`, `./Wifi/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUris(BTreeSet<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    /// The names before `**`, or all.
    head: Vec<String>,
    /// The names after `**`; `None` without it.
    tail: Option<Vec<String>>,
}

impl SecretUris {
    /// The built-in patterns.
    pub fn built_in() -> Result<Self> {
        let mut uris = Self(BTreeSet::new());
        BUILT_IN.iter().try_for_each(|pattern| uris.add(pattern))?;
        Ok(uris)
    }

    /// Adds a pattern.
    ///
    /// Errors: `Uri` if it is malformed or too long, `TooLarge` above [`limits::SECRET_URIS`].
    pub fn add(&mut self, pattern: &str) -> Result<()> {
        let parsed = Pattern::parse(pattern)
            .ok_or_else(|| Error::new(Code::Uri, format!("{pattern:?} is no pattern of a URI")))?;
        self.0.insert(parsed);
        if self.0.len() > limits::SECRET_URIS {
            let what = format!("more than {} patterns of secret URIs", limits::SECRET_URIS);
            return Err(Error::new(Code::TooLarge, what));
        }
        Ok(())
    }
}

impl Secrecy for SecretUris {
    fn covers(&self, key: &[u8]) -> bool {
        self.0.iter().any(|pattern| pattern.fits(key))
    }

    fn learn(&mut self, record: &[u8]) -> Result<()> {
        let damaged = || Error::new(Code::StorageCorrupt, "store: its secret URIs are unreadable");
        let text = std::str::from_utf8(record).map_err(|_| damaged())?;
        text.lines().try_for_each(|pattern| match self.add(pattern) {
            Err(error) if error.code() == Code::Uri => Err(damaged()),
            other => other,
        })
    }

    fn record(&self) -> Vec<u8> {
        let mut out = String::new();
        for pattern in &self.0 {
            out.push_str(&pattern.text());
            out.push('\n');
        }
        out.into_bytes()
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Option<Self> {
        if pattern.len() > limits::URI_OCTETS {
            return None;
        }
        let mut names = Vec::new();
        for segment in pattern.strip_prefix("./")?.split('/') {
            let name = unescape(segment).ok()?;
            let unusable = matches!(name.as_str(), "" | "." | "..") || name.contains('\0');
            if unusable || segment.contains('?') || name.len() > limits::URI_SEGMENT {
                return None;
            }
            names.push(name);
        }
        let tail = match names.iter().position(|name| name == MANY) {
            Some(at) => {
                let tail = names.split_off(at + 1);
                names.pop();
                Some(tail)
            }
            None => None,
        };
        let twice = tail.iter().flatten().any(|name| name == MANY);
        (!twice && names.len() <= limits::URI_DEPTH).then_some(Self { head: names, tail })
    }

    fn text(&self) -> String {
        let many = self.tail.iter().map(|_| MANY);
        let names = self.head.iter().map(String::as_str).chain(many);
        let names = names.chain(self.tail.iter().flatten().map(String::as_str));
        names.fold(".".to_owned(), |text, name| text + "/" + &escape(name))
    }

    /// True for the key of a node whose names fit.
    fn fits(&self, key: &[u8]) -> bool {
        // Most nodes end with another name than the pattern: that is seen first.
        let last = |names: &[String]| names.last().is_none_or(|name| ends_with(key, name));
        if !last(self.tail.as_deref().unwrap_or(&self.head)) {
            return false;
        }
        let names: Vec<&[u8]> = key.split(|octet| *octet == 0).collect();
        let fit = |wanted: &[String], names: &[&[u8]]| {
            wanted
                .iter()
                .zip(names)
                .all(|(wanted, name)| wanted == ONE || wanted.as_bytes() == *name)
        };
        match &self.tail {
            None => self.head.len() == names.len() && fit(&self.head, &names),
            Some(tail) => {
                let Some(rest) = names.len().checked_sub(tail.len()) else { return false };
                let (before, end) = names.split_at(rest);
                self.head.len() <= before.len() && fit(&self.head, before) && fit(tail, end)
            }
        }
    }
}

/// True if the last name of the key can be `name`.
fn ends_with(key: &[u8], name: &str) -> bool {
    name == ONE || key.ends_with(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Path;

    fn covers(pattern: &str, uri: &str) -> bool {
        let mut uris = SecretUris(BTreeSet::new());
        uris.add(pattern).unwrap();
        uris.covers(Path::parse(uri).unwrap().key())
    }

    #[test]
    fn passwords_and_nonces_are_secret_wherever_they_are() {
        let uris = SecretUris::built_in().unwrap();
        for (uri, secret) in [
            ("./DMAcc/1/AppAuth/1/AAuthSecret", true),
            ("./DMAcc/1/AppAuth/1/AAuthData", true),
            ("./NAP/1/AuthInfo/1/AuthSecret", true),
            ("./PX/1/AuthInfo/2/AuthSecret", true),
            ("./AAuthSecret", true),
            ("./DMAcc/1/AppAuth/1/AAuthName", false),
            ("./DMAcc/1/AppAuth/1/NoAAuthSecret", false),
            ("./DMAcc/1/AppAuth/AAuthSecret/1", false),
            (".", false),
        ] {
            assert_eq!(uris.covers(Path::parse(uri).unwrap().key()), secret, "{uri}");
        }
    }

    #[test]
    fn a_star_is_one_name_and_two_are_any_number() {
        for (pattern, uri, fits) in [
            ("./A/*/C", "./A/b/C", true),
            ("./A/*/C", "./A/C", false),
            ("./A/*/C", "./A/b/b/C", false),
            ("./A/B", "./A/B", true),
            ("./A/B", "./A/B/C", false),
            ("./A/**", "./A", true),
            ("./A/**", "./A/B/C", true),
            ("./A/**", "./AB/C", false),
            ("./A/**/D", "./A/D", true),
            ("./A/**/D", "./A/B/C/D", true),
            ("./A/**/D", "./A", false),
            ("./A/**/A", "./A", false),
            ("./**", ".", true),
            ("./A%20B/*", "./A%20B/c", true),
            ("./A/b", "./A/B", false),
        ] {
            assert_eq!(covers(pattern, uri), fits, "{pattern} {uri}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let mut uris = SecretUris::built_in().unwrap();
        for bad in
            ["", ".", "./", "A/B", "/A", "./A//B", "./A/../B", "./A?prop=ACL", "./**/A/**", "./%0"]
        {
            assert_eq!(uris.add(bad).unwrap_err().code(), Code::Uri, "{bad}");
        }
        assert_eq!(uris.add(&format!("./{}", "a/".repeat(600))).unwrap_err().code(), Code::Uri);
        let last = (0..=limits::SECRET_URIS).find_map(|n| uris.add(&format!("./{n}")).err());
        assert_eq!(last.unwrap().code(), Code::TooLarge);
    }

    #[test]
    fn rules_come_back_from_their_record_and_add_up() {
        let mut uris = SecretUris::built_in().unwrap();
        uris.add("./Line%0Abreak/*/%25").unwrap();
        let mut later = SecretUris::built_in().unwrap();
        later.add("./Other").unwrap();
        later.learn(&uris.record()).unwrap();
        uris.add("./Other").unwrap();
        assert_eq!(later, uris);
        assert_eq!(later.learn(b"no uri\n").unwrap_err().code(), Code::StorageCorrupt);
    }
}
