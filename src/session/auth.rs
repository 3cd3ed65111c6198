//! Digests and credentials of DM sessions: formulas, wire forms, and the `x-syncml-hmac` header.
//!
//! Owns the octets that prove an identity (DM Security 1.2.1, 5.3 and 5.4). Must not know when a
//! message is sent or what follows from a refusal; that is `login`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// Base64 as it is met in the field: padding may be missing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How one side proves itself to the other inside SyncML (`Cred/Meta/Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scheme {
    /// `syncml:auth-basic`: name and password in the clear.
    Basic,
    /// `syncml:auth-md5`: a digest over a nonce, once for the session.
    Md5,
    /// `syncml:auth-MAC`: a digest over nonce and message, in a transport header.
    Mac,
}

impl Scheme {
    /// The scheme's name on the wire.
    pub(super) fn wire_name(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Md5 => "syncml:auth-md5",
            Self::Mac => "syncml:auth-MAC",
        }
    }

    /// The scheme's name in the journal.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Md5 => "md5",
            Self::Mac => "mac",
        }
    }

    /// The scheme with this `Cred/Meta/Type` or `Chal/Meta/Type`.
    pub(super) fn from_wire(name: &str) -> Option<Self> {
        [Self::Basic, Self::Md5, Self::Mac]
            .into_iter()
            .find(|scheme| scheme.wire_name().eq_ignore_ascii_case(name.trim()))
    }

    /// The scheme with this AAuthType or AAuthPref of an account. `None` for the types outside
    /// SyncML, such as `TRANSPORT`, and the ones that need a token, such as `SECURID`.
    pub(super) fn from_account(name: &str) -> Option<Self> {
        match name.trim().to_ascii_uppercase().as_str() {
            "BASIC" => Some(Self::Basic),
            "DIGEST" => Some(Self::Md5),
            "HMAC" => Some(Self::Mac),
            _ => None,
        }
    }
}

/// B64 with padding.
pub(super) fn encode(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// Octets of base64 text; white space around and missing padding are tolerated.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text.trim()).ok()
}

/// `B64(H(name ":" secret))`, what a verifier needs to know of a password.
pub(super) fn user_digest(name: &str, secret: &[u8]) -> Zeroizing<String> {
    let mut hash = Md5::new();
    hash.update(name.as_bytes());
    hash.update(b":");
    hash.update(secret);
    Zeroizing::new(encode(&hash.finalize()))
}

/// Credential data of `syncml:auth-basic`.
pub(super) fn basic(name: &str, secret: &[u8]) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(Vec::with_capacity(name.len() + 1 + secret.len()));
    plain.extend_from_slice(name.as_bytes());
    plain.push(b':');
    plain.extend_from_slice(secret);
    Zeroizing::new(encode(&plain))
}

/// The 16 octets behind `syncml:auth-md5`.
fn md5_octets(name: &str, secret: &[u8], nonce: &[u8]) -> [u8; 16] {
    let mut hash = Md5::new();
    hash.update(user_digest(name, secret).as_bytes());
    hash.update(b":");
    hash.update(nonce);
    hash.finalize().into()
}

/// Credential data of `syncml:auth-md5`; `nonce` is decoded.
pub(super) fn md5(name: &str, secret: &[u8], nonce: &[u8]) -> String {
    encode(&md5_octets(name, secret, nonce))
}

/// The 16 octets behind `syncml:auth-MAC`.
fn mac_octets(name: &str, secret: &[u8], nonce: &[u8], body: &[u8]) -> [u8; 16] {
    let mut hash = Md5::new();
    hash.update(user_digest(name, secret).as_bytes());
    hash.update(b":");
    hash.update(nonce);
    hash.update(b":");
    hash.update(encode(&Md5::digest(body)).as_bytes());
    hash.finalize().into()
}

/// The `mac` of `syncml:auth-MAC` over the message exactly as transmitted.
pub(super) fn mac(name: &str, secret: &[u8], nonce: &[u8], body: &[u8]) -> String {
    encode(&mac_octets(name, secret, nonce, body))
}

/// True if `data` is the right `syncml:auth-basic` credential.
pub(super) fn basic_matches(data: &str, name: &str, secret: &[u8]) -> bool {
    let Some(given) = decode(data).map(Zeroizing::new) else { return false };
    let Some(expected) = decode(&basic(name, secret)).map(Zeroizing::new) else { return false };
    same(&given, &expected)
}

/// True if `data` is the right `syncml:auth-md5` credential.
pub(super) fn md5_matches(data: &str, name: &str, secret: &[u8], nonce: &[u8]) -> bool {
    digest_matches(data, &md5_octets(name, secret, nonce))
}

/// True if `data` is the right `mac` for `body`.
pub(super) fn mac_matches(
    data: &str,
    name: &str,
    secret: &[u8],
    nonce: &[u8],
    body: &[u8],
) -> bool {
    digest_matches(data, &mac_octets(name, secret, nonce, body))
}

/// Compares base64 of the 16 octets, or of their 32 hexadecimal digits: the example in DM Security
/// is of the second kind, its formula of the first.
fn digest_matches(data: &str, expected: &[u8; 16]) -> bool {
    let Some(given) = decode(data) else { return false };
    let hex: String = expected.iter().map(|octet| format!("{octet:02x}")).collect();
    same(&given, expected) | same(&given.to_ascii_lowercase(), hex.as_bytes())
}

/// Equality whose time does not depend on where two texts of one length differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

/// Value of the `x-syncml-hmac` header (DM Security 1.2.1, 5.4.2).
pub(super) fn hmac_header(name: &str, mac: &str) -> String {
    let mut header = String::from("algorithm=MD5, username=\"");
    for letter in name.chars() {
        if matches!(letter, '"' | '\\') {
            header.push('\\');
        }
        header.push(letter);
    }
    header.push_str("\", mac=");
    header.push_str(mac);
    header
}

/// What a received `x-syncml-hmac` header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HmacHeader {
    pub(super) name: String,
    pub(super) mac: String,
}

/// Reads an `x-syncml-hmac` value: parameters in any order, quotes and blanks optional. `None` if
/// name or mac is missing, or the algorithm is not MD5.
pub(super) fn parse_hmac_header(value: &str) -> Option<HmacHeader> {
    let (mut name, mut mac) = (None, None);
    let mut rest = value;
    while let Some((key, value, after)) = parameter(rest) {
        match key.to_ascii_lowercase().as_str() {
            "algorithm" if !value.eq_ignore_ascii_case("MD5") => return None,
            "username" => name = Some(value),
            "mac" => mac = Some(value),
            _ => {}
        }
        rest = after;
    }
    Some(HmacHeader { name: name?, mac: mac? })
}

/// The next `key=value` of a comma-separated list, and what follows its comma.
fn parameter(list: &str) -> Option<(&str, String, &str)> {
    let list = list.trim_start_matches([' ', '\t', ',']);
    let (key, rest) = list.split_once('=')?;
    let rest = rest.trim_start();
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, after) = rest.split_once(',').unwrap_or((rest, ""));
        return Some((key.trim(), value.trim().to_owned(), after));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((key.trim(), value, quoted.get(at + 1..).unwrap_or(""))),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_digest_vector() {
        assert_eq!(*user_digest("Bruce2", b"OhBehave"), "PtEdr8lBQ45IbT1bZIkrOQ==");
    }

    #[test]
    fn dm_097_basic_credential() {
        assert_eq!(*basic("Bruce2", b"OhBehave"), "QnJ1Y2UyOk9oQmVoYXZl");
        assert!(basic_matches("QnJ1Y2UyOk9oQmVoYXZl", "Bruce2", b"OhBehave"));
        assert!(!basic_matches("QnJ1Y2UyOk9oQmVoYXZm", "Bruce2", b"OhBehave"));
        assert!(!basic_matches("not base64", "Bruce2", b"OhBehave"));
    }

    #[test]
    fn dm_098_md5_credential() {
        assert_eq!(md5("Bruce2", b"OhBehave", b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==");
        assert!(md5_matches("Zz6EivR3yeaaENcRN6lpAQ", "Bruce2", b"OhBehave", b"Nonce"));
        assert!(!md5_matches("Zz6EivR3yeaaENcRN6lpAQ==", "Bruce2", b"OhBehave", b"nonce"));
    }

    /// Rows g01 to g05 of the byte vectors; the rest of the group is about pushed bootstraps.
    #[test]
    fn credentials_of_group_g() {
        let mut rows = 0;
        for line in include_str!("../../tests/data/encoding-vectors.tsv").lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, hex, _, expected] = columns[..] else { panic!("{line}") };
            let nonce: &[u8] = match name.split('-').next().unwrap() {
                "g01" | "g02" | "g03" => b"Nonce",
                "g04" => &decode("AAEC/w==").unwrap(),
                "g05" => b"",
                _ => continue,
            };
            rows += 1;
            let input = crate::bytes::hex::decode(hex).unwrap();
            let (user, password) = ("Bruce2", b"OhBehave");
            let found = match name {
                "g02-cred-basic" => format!("cred={}", *basic(user, password)),
                "g03-hmac-md5-header" => {
                    let header = hmac_header(user, &mac(user, password, nonce, &input));
                    format!("x-syncml-hmac: {header}")
                }
                _ => format!("cred={}", md5(user, password, nonce)),
            };
            assert_eq!(found, expected, "{name}");
            assert!(name.starts_with("g03") || input == b"Bruce2:OhBehave");
        }
        assert_eq!(rows, 5);
    }

    #[test]
    fn dm_099_mac_over_the_body() {
        assert_eq!(mac("Bruce2", b"OhBehave", b"Nonce", b"<SyncML/>"), "urdCeS3JUmjFgi8SX3webw==");
        let right =
            |body| mac_matches("urdCeS3JUmjFgi8SX3webw==", "Bruce2", b"OhBehave", b"Nonce", body);
        assert!(right(b"<SyncML/>"));
        assert!(!right(b"<SyncML />"));
    }

    #[test]
    fn mac_as_base64_of_hexadecimal_text_is_accepted() {
        let octets = mac_octets("Bruce2", b"OhBehave", b"Nonce", b"<SyncML/>");
        let hex: String = octets.iter().map(|octet| format!("{octet:02X}")).collect();
        let data = encode(hex.as_bytes());
        assert!(mac_matches(&data, "Bruce2", b"OhBehave", b"Nonce", b"<SyncML/>"));
    }

    #[test]
    fn dm_100_nonce_is_decoded() {
        assert_eq!(decode("Tm9uY2U=").as_deref(), Some(&b"Nonce"[..]));
        assert_eq!(decode(" Tm9uY2U\n").as_deref(), Some(&b"Nonce"[..]));
    }

    #[test]
    fn scheme_names() {
        assert_eq!(Scheme::from_wire("syncml:auth-mac"), Some(Scheme::Mac));
        assert_eq!(Scheme::from_wire(" syncml:auth-md5 "), Some(Scheme::Md5));
        assert_eq!(Scheme::from_wire("syncml:auth-X509"), None);
    }

    #[test]
    fn hmac_header_round_trip() {
        let header = hmac_header("Bru\"ce\\2", "urdCeS3JUmjFgi8SX3webw==");
        assert_eq!(
            header,
            "algorithm=MD5, username=\"Bru\\\"ce\\\\2\", mac=urdCeS3JUmjFgi8SX3webw=="
        );
        let read = parse_hmac_header(&header).unwrap();
        assert_eq!(
            (read.name.as_str(), read.mac.as_str()),
            ("Bru\"ce\\2", "urdCeS3JUmjFgi8SX3webw==")
        );
    }

    #[test]
    fn hmac_header_in_any_order_with_or_without_quotes() {
        let read = parse_hmac_header("MAC=\"abc=\" ,UserName=bob").unwrap();
        assert_eq!(read, HmacHeader { name: "bob".into(), mac: "abc=".into() });
    }

    #[test]
    fn hmac_header_that_proves_nothing() {
        for value in [
            "",
            "mac=abc",
            "username=\"bob\"",
            "algorithm=SHA1, username=\"bob\", mac=abc",
            "username=\"bob, mac=abc",
            ",,,",
            "=",
        ] {
            assert_eq!(parse_hmac_header(value), None, "{value}");
        }
    }
}
