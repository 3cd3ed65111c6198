//! The audit journal: what was asked of this device, by whom, and what came of it, in a form that nobody
//! can change afterwards without being found out.
//!
//! Owns the records' form, their chain and their signatures; `docs/audit.md` describes all three for
//! whoever writes a verifier. Records are written in the transaction of what they tell about, so that tree,
//! nonces and journal commit as one. Must not know sessions, cards or the tree.

mod entry;
mod journal;
mod key;
mod line;
mod signer;
#[cfg(test)]
mod tests;
mod verify;

pub use entry::{
    Authentication, Bootstrap, Command, Decision, Entry, Outcome, Start, Tally, Trigger, Unrecorded,
};
pub use journal::{
    Journal, Summary, export, head, head_value, is_kept, public_key, reveal, summary,
};
pub use key::{KEY_OCTETS, PublicKey, SIGNATURE_OCTETS};
pub use signer::{Ed25519, Signer};
pub use verify::{Broken, Verified, verify};

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// SHA-256 of `octets`.
pub fn hash(octets: &[u8]) -> Hash {
    Sha256::digest(octets).into()
}
