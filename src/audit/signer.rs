//! Who signs the journal: a key of the library's own, or whatever the host gives.

use super::{PublicKey, SIGNATURE_OCTETS};
use crate::error::Result;
use crate::secret::Secret;
use ed25519_dalek::{SECRET_KEY_LENGTH, Signer as _, SigningKey};
use std::fmt;

/// A holder of a private key.
pub trait Signer: Send {
    /// The public key, which says what kind of signature is made.
    fn public_key(&mut self) -> Result<PublicKey>;
    /// The signature of `message`: pure Ed25519, or for P-256 `r` and `s` of ECDSA over SHA-256, 32 octets
    /// each, big-endian.
    fn sign(&mut self, message: &[u8]) -> Result<[u8; SIGNATURE_OCTETS]>;
}

/// An Ed25519 key in memory: its seed. The key is made from it for each use, since one that is moved about
/// would leave copies on the stack.
pub struct Ed25519(Secret);

impl Ed25519 {
    /// The key of these 32 octets (RFC 8032, 5.1.5). `None` for another number of octets.
    pub fn from_seed(seed: &Secret) -> Option<Self> {
        (seed.expose().len() == SECRET_KEY_LENGTH).then(|| Self(seed.clone()))
    }

    fn key(&self) -> SigningKey {
        SigningKey::from_bytes(self.0.expose().first_chunk().unwrap_or(&[0; SECRET_KEY_LENGTH]))
    }
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519(..)")
    }
}

impl Signer for Ed25519 {
    fn public_key(&mut self) -> Result<PublicKey> {
        Ok(PublicKey::Ed25519(self.key().verifying_key().to_bytes()))
    }

    fn sign(&mut self, message: &[u8]) -> Result<[u8; SIGNATURE_OCTETS]> {
        Ok(self.key().sign(message).to_bytes())
    }
}
