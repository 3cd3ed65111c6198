//! Public keys of the journal's signers, and what is a signature with one.

use super::line::lower;
use ed25519_dalek::{Signature, VerifyingKey};
use p256::ecdsa::signature::Verifier as _;
use std::fmt;

/// Octets of a signature.
pub const SIGNATURE_OCTETS: usize = 64;
/// Octets of a key with its algorithm, see [`PublicKey::to_octets`].
pub const KEY_OCTETS: usize = 33;
/// First octet of an Ed25519 key. Points of SEC 1 that are compressed begin with 02 or 03.
const ED25519: u8 = 0x00;

/// A public key with its algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PublicKey {
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 32]),
    /// ECDSA with P-256 and SHA-256 (FIPS 186-4): the compressed point (SEC 1, 2.3.3). What key stores of
    /// phones have.
    P256([u8; 33]),
}

impl PublicKey {
    /// The key in one array: a compressed point as it is, an Ed25519 key behind `00`.
    pub fn to_octets(&self) -> [u8; KEY_OCTETS] {
        match self {
            Self::Ed25519(key) => {
                let mut octets = [ED25519; KEY_OCTETS];
                octets.iter_mut().skip(1).zip(key).for_each(|(to, from)| *to = *from);
                octets
            }
            Self::P256(point) => *point,
        }
    }

    /// The inverse of [`to_octets`](Self::to_octets). `None` for what is neither; whether a point is on its
    /// curve shows in the verification.
    pub fn from_octets(octets: &[u8; KEY_OCTETS]) -> Option<Self> {
        match octets {
            [ED25519, key @ ..] => Some(Self::Ed25519(*key)),
            [2 | 3, ..] => Some(Self::P256(*octets)),
            _ => None,
        }
    }

    /// A key as seals and people write it: 64 hexadecimal digits for Ed25519, 66 for P-256.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let octets = crate::bytes::hex::decode(digits).ok()?;
        match <[u8; 32]>::try_from(octets.as_slice()) {
            Ok(key) => Some(Self::Ed25519(key)),
            Err(_) => match Self::from_octets(octets.as_slice().try_into().ok()?)? {
                key @ Self::P256(_) => Some(key),
                Self::Ed25519(_) => None,
            },
        }
    }

    /// What seals call the algorithm; Ed25519 goes without saying.
    pub(super) fn algorithm(&self) -> Option<&'static str> {
        match self {
            Self::Ed25519(_) => None,
            Self::P256(_) => Some(P256),
        }
    }

    /// True if `signature` is that of `message` with this key, in its one form.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_OCTETS]) -> bool {
        match self {
            Self::Ed25519(key) => VerifyingKey::from_bytes(key)
                .and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature)))
                .is_ok(),
            Self::P256(point) => {
                let parts = p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
                    .and_then(|key| Ok((key, p256::ecdsa::Signature::from_slice(signature)?)));
                parts.is_ok_and(|(key, signature)| {
                    signature == signature.normalize_s() && key.verify(message, &signature).is_ok()
                })
            }
        }
    }

    /// The one form of a signature with this key: of the two values that ECDSA takes for `s` the lower one.
    pub(super) fn normalized(&self, signature: [u8; SIGNATURE_OCTETS]) -> [u8; SIGNATURE_OCTETS] {
        match (self, p256::ecdsa::Signature::from_slice(&signature)) {
            (Self::P256(_), Ok(parts)) => parts.normalize_s().to_bytes().into(),
            _ => signature,
        }
    }
}

/// ECDSA with P-256 and SHA-256 in seals.
pub(super) const P256: &str = "ecdsa-p256";

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Ed25519(key) => lower(key),
            Self::P256(point) => lower(point),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_from_octets_and_digits() {
        let mut point = [7; 33];
        point[0] = 3;
        for (key, digits) in [(PublicKey::Ed25519([7; 32]), 64), (PublicKey::P256(point), 66)] {
            assert_eq!(PublicKey::from_octets(&key.to_octets()), Some(key));
            assert_eq!(PublicKey::from_hex(&key.to_string()), Some(key));
            assert_eq!(key.to_string().len(), digits);
        }
        assert_eq!(PublicKey::from_octets(&[4; 33]), None);
        let behind_zero = lower(&PublicKey::Ed25519([7; 32]).to_octets());
        for text in ["", "07", &"0g".repeat(32), &behind_zero, &"04".repeat(33)] {
            assert_eq!(PublicKey::from_hex(text), None, "{text}");
        }
    }
}
