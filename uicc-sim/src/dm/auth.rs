//! Digests of DM security: pure functions over names, secrets, nonces and octets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// How one side proves itself to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Name and secret in the clear.
    Basic,
    /// A digest over a nonce in SyncHdr.
    #[default]
    Md5,
    /// A digest over nonce and message in the `x-syncml-hmac` header.
    Hmac,
}

impl Scheme {
    /// The Meta Type of credentials and challenges.
    pub fn meta_type(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Md5 => "syncml:auth-md5",
            Self::Hmac => "syncml:auth-MAC",
        }
    }

    /// AAuthType in an account.
    pub fn account_type(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Md5 => "DIGEST",
            Self::Hmac => "HMAC",
        }
    }
}

/// The nonce of nonce resynchronisation, printed as 0x00000000.
pub const RESYNC_NONCE: [u8; 4] = [0; 4];

/// MD5 of some octets.
pub fn md5(octets: &[u8]) -> [u8; 16] {
    Md5::digest(octets).into()
}

/// Base64 with padding.
pub fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// Octets of base64 text, white space around it dropped.
pub fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim_ascii()).ok()
}

/// `B64(H(name ":" secret))`, which is all that a verifier has to keep.
pub fn user_hash(name: &str, secret: &str) -> String {
    base64(&md5(format!("{name}:{secret}").as_bytes()))
}

/// The `Cred/Data` of `syncml:auth-md5`: `B64(H(B64(H(name ":" secret)) ":" nonce))`.
pub fn md5_credential(name: &str, secret: &str, nonce: &[u8]) -> String {
    let mut input = user_hash(name, secret).into_bytes();
    input.push(b':');
    input.extend_from_slice(nonce);
    base64(&md5(&input))
}

/// The `Cred/Data` of `syncml:auth-basic`.
pub fn basic_credential(name: &str, secret: &str) -> String {
    base64(format!("{name}:{secret}").as_bytes())
}

/// The value of `x-syncml-hmac` over the octets of a message.
pub fn hmac_header(name: &str, secret: &str, nonce: &[u8], message: &[u8]) -> String {
    let mac = base64(&md5(&keyed_input(name, secret, nonce, message)));
    format!("algorithm=MD5, username=\"{name}\", mac={mac}")
}

/// The digest that package #0 begins with, over everything behind it.
pub fn notification_digest(
    server_id: &str,
    secret: &str,
    nonce: &[u8],
    trigger: &[u8],
) -> [u8; 16] {
    md5(&keyed_input(server_id, secret, nonce, trigger))
}

/// `B64(H(name ":" secret)) ":" nonce ":" B64(H(octets))`, what package #0 and the HMAC header hash.
fn keyed_input(name: &str, secret: &str, nonce: &[u8], octets: &[u8]) -> Vec<u8> {
    let mut input = user_hash(name, secret).into_bytes();
    input.push(b':');
    input.extend_from_slice(nonce);
    input.push(b':');
    input.extend_from_slice(base64(&md5(octets)).as_bytes());
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGER: &[u8] = b"\x02\xD0\0\0\0\x12\x34\x12com.mgmtsrv.manage";

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02X}")).collect()
    }

    #[test]
    fn published_md5_credential() {
        assert_eq!(user_hash("Bruce2", "OhBehave"), "PtEdr8lBQ45IbT1bZIkrOQ==");
        assert_eq!(md5_credential("Bruce2", "OhBehave", b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==");
    }

    #[test]
    fn binary_and_empty_nonces() {
        let binary = md5_credential("Bruce2", "OhBehave", &[0, 1, 2, 0xFF]);
        assert_eq!(binary, "uvFLZaY+GqxItEY2W7rDFQ==");
        assert_eq!(md5_credential("Bruce2", "OhBehave", b""), "lEf25jyjHbCcTbj4p/1pUw==");
    }

    #[test]
    fn notification_digests_of_the_appendix() {
        assert_eq!(base64(&md5(TRIGGER)), "ne6BhXyhdpa6cRlZxXFamA==");
        let server = "com.mgmtsrv.manage";
        assert_eq!(
            hex(&notification_digest(server, "srvpwd", b"Nonce", TRIGGER)),
            "10369E83E3FC7103A4A21ACCE6E242AE"
        );
        assert_eq!(
            hex(&notification_digest(server, "srvpwd", &RESYNC_NONCE, TRIGGER)),
            "E37FDC0F8E9070FC31B0967910B921AF"
        );
    }

    #[test]
    fn other_published_credentials() {
        assert_eq!(basic_credential("Bruce2", "OhBehave"), "QnJ1Y2UyOk9oQmVoYXZl");
        assert_eq!(
            hmac_header("Bruce2", "OhBehave", b"Nonce", b"<SyncML/>"),
            "algorithm=MD5, username=\"Bruce2\", mac=urdCeS3JUmjFgi8SX3webw=="
        );
    }

    #[test]
    fn base64_rejects_what_is_none() {
        assert_eq!(from_base64(b" Tm9uY2U=\n").as_deref(), Some(&b"Nonce"[..]));
        assert_eq!(from_base64(b"Tm9uY2U"), None);
    }
}
