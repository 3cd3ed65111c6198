//! Bytes that must never be shown: wiped when dropped, without `Display`, and opaque in `Debug`.

use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password, nonce, key or PIN.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes. Each caller answers for where they go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be filled in by whoever makes the secret.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// True without any byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new(*b"srvpwd")), "Secret(..)");
    }
}
