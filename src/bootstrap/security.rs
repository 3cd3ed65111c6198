//! SEC and MAC of pushed bootstraps (OMA Provisioning Bootstrap 1.1, 5.2; OMA DM Security 1.2, 5.7).
//!
//! Owns the keys and the check, as pure functions. Must not know where secrets come from, nor how often
//! a user may try: the caller bounds the attempts and discards the push then.

use crate::bytes::bcd;
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use crate::trigger::push::{Media, Push, Sec};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::hint::black_box;
use zeroize::Zeroizing;

/// The secrets at hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'k> {
    /// What network and device share, as octets: of a GSM subscription [`imsi_key`].
    pub network: Option<&'k Secret>,
    /// What the user typed, in ASCII: the PIN, or PIN and MAC for [`Sec::UserPinMac`].
    pub user: Option<&'k Secret>,
}

/// True if `sec` cannot be checked without asking the user.
pub fn needs_user(sec: Sec) -> bool {
    sec != Sec::NetworkPin
}

/// True if `sec` cannot be checked without the network's secret.
pub fn needs_network(sec: Sec) -> bool {
    matches!(sec, Sec::NetworkPin | Sec::UserNetworkPin)
}

/// The key that an IMSI of 6 to 15 ASCII `digits` gives: parity nibble, digits, and filler if their
/// count is even, the nibbles of each octet swapped (as EF.IMSI has them behind its length).
///
/// Fails with `InvalidArg`.
pub fn imsi_key(digits: &Secret) -> Result<Secret> {
    let refuse = || Error::new(Code::InvalidArg, "the IMSI is not 6 to 15 digits");
    let digits = digits.expose();
    if !(6..=15).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(refuse());
    }
    let mut nibbles = Zeroizing::new(String::with_capacity(16));
    nibbles.push(if digits.len() % 2 == 1 { '9' } else { '1' });
    nibbles.extend(digits.iter().map(|digit| char::from(*digit)));
    bcd::encode_swapped(&nibbles).map(Secret::new).map_err(|_| refuse())
}

/// The same key from the content of EF.IMSI (3GPP TS 31.102, 4.2.2): what its length octet counts,
/// without octets FF at the end.
///
/// Fails with `CardBadData`.
pub fn imsi_key_of_file(content: &Secret) -> Result<Secret> {
    let (length, rest) = content.expose().split_first().unwrap_or((&0, &[]));
    let octets = rest.get(..usize::from(*length)).unwrap_or_default();
    let end = octets.iter().rposition(|octet| *octet != 0xFF).map_or(0, |last| last + 1);
    match octets.get(..end) {
        Some(octets) if !octets.is_empty() && *length <= 8 => Ok(Secret::new(octets)),
        _ => Err(Error::new(Code::CardBadData, "EF.IMSI: the length does not fit the content")),
    }
}

/// Checks that the document of `push` comes from somebody who knows the secrets.
///
/// Every text begins with the class of the fault. Fails with
/// * `BootstrapFormat` for a message of the DM profile in text XML, or no bootstrap at all;
/// * `BootstrapMac` if the push is not authenticated (`E_CP_MAC_MISSING`; whether such a push is
///   taken is the caller's policy), if its method does not exist for it (`E_CP_SEC_UNKNOWN`), or if
///   the network's secret is missing or the MAC is not made with it (`E_CP_MAC_MISMATCH`);
/// * `BootstrapPin` if the user's secret is missing or the MAC is not made with it, which cannot be
///   told from a changed document (`E_CP_MAC_MISMATCH`).
pub fn verify(push: &Push<'_>, keys: Keys<'_>) -> Result<()> {
    let profile = Profile::of(push.media)?;
    let sec = push.sec.ok_or_else(|| {
        refuse(Code::BootstrapMac, "E_CP_MAC_MISSING", "the push is not authenticated")
    })?;
    let user = || {
        keys.user.map(Secret::expose).filter(|user| !user.is_empty()).ok_or_else(|| {
            refuse(Code::BootstrapPin, "E_CP_MAC_MISMATCH", "the user's secret was not given")
        })
    };
    let network = || {
        keys.network.map(Secret::expose).filter(|network| !network.is_empty()).ok_or_else(|| {
            refuse(Code::BootstrapMac, "E_CP_MAC_MISMATCH", "the network's secret is not known")
        })
    };
    let genuine = match sec {
        Sec::NetworkPin => is_signed(push, network()?)?,
        Sec::UserPin => is_signed(push, user()?)?,
        Sec::UserNetworkPin => {
            let [first, second] = profile.combined(network()?, user()?);
            is_signed(push, &first)? || is_signed(push, &second)?
        }
        Sec::UserPinMac if profile == Profile::Dm => {
            let what = "the DM profile has no USERPINMAC";
            return Err(refuse(Code::BootstrapMac, "E_CP_SEC_UNKNOWN", what));
        }
        Sec::UserPinMac => is_typed(push.body, user()?),
    };
    match genuine {
        true => Ok(()),
        false => {
            let code = if needs_user(sec) { Code::BootstrapPin } else { Code::BootstrapMac };
            Err(refuse(code, "E_CP_MAC_MISMATCH", "the document is not signed with these secrets"))
        }
    }
}

/// The two ways to bootstrap, which join the secrets in different orders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    /// Client Provisioning.
    Cp,
    /// A DM message.
    Dm,
}

impl Profile {
    fn of(media: Media) -> Result<Self> {
        let what = match media {
            Media::ConnectivityXml | Media::ConnectivityWbxml => return Ok(Self::Cp),
            Media::DmWbxml => return Ok(Self::Dm),
            Media::DmXml => "a DM bootstrap message has to be WBXML",
            Media::Notification => "a notification is no bootstrap",
        };
        Err(refuse(Code::BootstrapFormat, "E_WSP_CONTENT_TYPE", what))
    }

    /// The keys of both secrets, the likelier first: CP joins network and PIN, DM writes
    /// `PIN:network`. Senders mix them up.
    fn combined(self, network: &[u8], pin: &[u8]) -> [Zeroizing<Vec<u8>>; 2] {
        let provisioning = Zeroizing::new([network, pin].concat());
        let management = Zeroizing::new([pin, b":", network].concat());
        match self {
            Self::Cp => [provisioning, management],
            Self::Dm => [management, provisioning],
        }
    }
}

/// True if the MAC of the push is that of its document, in constant time.
fn is_signed(push: &Push<'_>, key: &[u8]) -> Result<bool> {
    let expected = push
        .mac
        .as_ref()
        .ok_or_else(|| refuse(Code::BootstrapMac, "E_CP_MAC_MISSING", "the push carries no MAC"))?;
    Ok(hmac_sha1(key, push.body).is_some_and(|mac| mac.verify_slice(expected.expose()).is_ok()))
}

/// True if the second half of the digits in `typed` is the MAC that the first half gives, one digit
/// an octet, in constant time.
fn is_typed(document: &[u8], typed: &[u8]) -> bool {
    let half = typed.len() / 2;
    // Below ten digits it would be guessed; above forty there is no octet for a digit.
    if typed.len() % 2 == 1 || !(5..=20).contains(&half) || !typed.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let (pin, digits) = typed.split_at(half);
    let Some(mac) = hmac_sha1(pin, document) else { return false };
    let mac = mac.finalize().into_bytes();
    let different = mac
        .iter()
        .zip(digits)
        .fold(0, |found, (octet, digit)| found | ((octet % 10 + b'0') ^ digit));
    black_box(different) == 0
}

/// HMAC-SHA1, which takes a key of any length.
fn hmac_sha1(key: &[u8], document: &[u8]) -> Option<Hmac<Sha1>> {
    Hmac::new_from_slice(key).ok().map(|mac: Hmac<Sha1>| mac.chain_update(document))
}

fn refuse(code: Code, class: &str, what: &str) -> Error {
    Error::new(code, format!("{class} at byte 0: {what}"))
}

#[cfg(test)]
mod tests;
