//! TLS 1.2 and 1.3 over any [`ByteStream`](super::ByteStream).
//!
//! Owns whom a server's certificate has to convince, and says what failed. Opens no connection: a
//! [`Session`] keeps the state, and is laid over a stream each time octets are to move. Must not know
//! what is spoken inside. No revocation lists are read.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod fault;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod verify;

#[cfg(not(feature = "tls"))]
pub use absent::{Session, Tls};
#[cfg(feature = "tls")]
pub use session::{Session, Tls};

use crate::secret::Secret;

/// Certificates that one client may be given as roots, and hashes it may be given as pins.
pub const MAX_PINS: usize = 64;

/// A SHA-256 hash.
pub type Pin = [u8; 32];

/// Whom to trust, and who the client is.
///
/// Without roots and pins the system's roots are used. With pins alone a server is trusted that shows
/// a pinned certificate, or one that a pinned authority issued. With roots and pins both have to agree.
/// Name and dates of the certificate count in every case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates of authorities, PEM; empty for none.
    pub roots_pem: Vec<u8>,
    /// SHA-256 of a certificate's SubjectPublicKeyInfo, or of the whole certificate (DER).
    pub pins: Vec<Pin>,
    /// The client's certificate chain, PEM, its own first; empty for none.
    pub client_chain_pem: Vec<u8>,
    /// The key of the client's certificate, PEM (PKCS#8, PKCS#1 or SEC 1).
    pub client_key_pem: Secret,
}

impl TlsConfig {
    /// True if nothing was given.
    pub fn is_default(&self) -> bool {
        self.roots_pem.is_empty()
            && self.pins.is_empty()
            && self.client_chain_pem.is_empty()
            && self.client_key_pem.is_empty()
    }
}
