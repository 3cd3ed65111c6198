//! The audit journal: export, verification, who signs.

use super::buffer::{self, dmsc_buffer};
use super::client::dmsc_client;
use super::destroy::UserData;
use super::guard::guard;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use super::storage::outcome;
use crate::audit::{self, PublicKey, Signer};
use crate::client::Client;
use crate::error::{Code, Error, Result};
use std::ffi::c_void;

/// Octets of a hash, and of the key of a record's value hashes.
pub const DMSC_AUDIT_HASH_SIZE: usize = 32;
/// Octets of a public key with its algorithm. Ed25519 (RFC 8032): 00 and the key. ECDSA with P-256: the
/// compressed point (SEC 1, 2.3.3), which begins with 02 or 03.
pub const DMSC_AUDIT_KEY_SIZE: usize = 33;
/// Octets of a signature.
pub const DMSC_AUDIT_SIGNATURE_SIZE: usize = 64;

/// Somebody who signs the journal in place of its own key: Android Keystore, a secure element, the card.
/// Copied by @ref dmsc_client_set_signer. Both functions must be there.
///
/// A callback returns DMSC_OK or a negative number. If it fails, the records stay unsigned until the next
/// signature, which covers them as well.
/// Thread: the driving thread, or the one that calls @ref dmsc_audit_export, one at a time. Re-entry:
/// functions of the same client that need it return DMSC_ERR_REENTRANT or DMSC_ERR_BUSY.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_signer {
    /// sizeof(dmsc_signer); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Writes the public key, DMSC_AUDIT_KEY_SIZE octets, to `key`. It says what kind of signature is made.
    pub public_key: Option<unsafe extern "C" fn(user_data: *mut c_void, key: *mut u8) -> i32>,
    /// Writes the signature of `message`, DMSC_AUDIT_SIGNATURE_SIZE octets, to `signature`: pure Ed25519, or
    /// for P-256 `r` and `s` of ECDSA over the SHA-256 of `message`, 32 octets each, big-endian.
    pub sign: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            message: *const u8,
            message_len: usize,
            signature: *mut u8,
        ) -> i32,
    >,
    /// Called exactly once, after the last other callback; may be NULL.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: pointers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_signer {
    const NAME: &'static str = "dmsc_signer";
}

/// Where the journal stands.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_audit_info {
    /// sizeof(dmsc_audit_info); set by the caller.
    pub struct_size: usize,
    /// Number of the first record that is there.
    pub first: u64,
    /// Number of the last record.
    pub last: u64,
    /// Number of the last record that is signed; 0 if none is.
    pub signed_to: u64,
    /// Octets of all records; 0 in the answer of @ref dmsc_audit_verify.
    pub octets: u64,
    /// Hash of the last record, as in node ./Ext/DMSC/Audit/Head.
    pub head: [u8; 32],
}

// SAFETY: integers only.
unsafe impl CStruct for dmsc_audit_info {
    const NAME: &'static str = "dmsc_audit_info";
}

struct HostSigner {
    c: dmsc_signer,
    user: UserData,
}

// SAFETY: the contract of dmsc_signer: whichever thread, one at a time.
unsafe impl Send for HostSigner {}

impl Signer for HostSigner {
    fn public_key(&mut self) -> Result<PublicKey> {
        let Some(public_key) = self.c.public_key else { return Err(none()) };
        let mut key = [0; audit::KEY_OCTETS];
        // SAFETY: the host's function with its own pointer; the array has the octets it writes.
        outcome(unsafe { public_key(self.user.pointer(), key.as_mut_ptr()) }, "public_key")?;
        let text = "dmsc_signer: public_key gives a key of no known kind";
        PublicKey::from_octets(&key).ok_or_else(|| Error::new(Code::Callback, text))
    }

    fn sign(&mut self, message: &[u8]) -> Result<[u8; audit::SIGNATURE_OCTETS]> {
        let (mut signature, Some(sign)) = ([0; 64], self.c.sign) else { return Err(none()) };
        let (data, len) = (message.as_ptr(), message.len());
        // SAFETY: the host's function with its own pointer; message and array live until it returns.
        outcome(unsafe { sign(self.user.pointer(), data, len, signature.as_mut_ptr()) }, "sign")?;
        Ok(signature)
    }
}

fn none() -> Error {
    Error::new(Code::InvalidArg, "dmsc_signer needs public_key and sign")
}

/// Writes `octets` to an output array of as many.
///
/// # Safety
/// `out` is NULL or valid for a write of `N` octets.
unsafe fn put_array<const N: usize>(out: *mut u8, name: &str, octets: [u8; N]) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { handle::put(out.cast::<[u8; N]>(), name, octets) }
}

/// Lets the host sign the audit journal; NULL: the journal's own key again.
///
/// @pre `signer` is NULL or `signer->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (a function is missing); DMSC_ERR_REENTRANT; DMSC_ERR_STATE. On
///         failure destroy is not called.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_set_signer(
    client: *mut dmsc_client,
    signer: *const dmsc_signer,
) -> dmsc_result {
    let body = |client: &Client| {
        if signer.is_null() {
            client.set_signer(None)?;
            return Ok(0);
        }
        // SAFETY: the caller's precondition.
        let c = unsafe { handle::read_struct(signer) }?;
        if c.public_key.is_none() || c.sign.is_none() {
            return Err(none());
        }
        let user = UserData::new(c.user_data, c.destroy);
        let accepted = user.acceptance();
        client.set_signer(Some(Box::new(HostSigner { c, user })))?;
        accepted.accept();
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Signs the journal up to its end and gives all its records as JSON Lines (docs/audit.md).
///
/// @param out written on success only; free it with @ref dmsc_buffer_free.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_BUSY a transaction is open: try again;
///         DMSC_ERR_AUDIT the signer's signature is wrong; the signer's own negative number;
///         DMSC_ERR_REENTRANT; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_audit_export(
    client: *mut dmsc_client,
    out: *mut *mut dmsc_buffer,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(out, "out")?;
        let octets = client.audit_export()?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { handle::put(out, "out", buffer::give(octets)) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Drops the records up to number `seq`, for example because an export holds them; a signed record notes
/// where the chain goes on.
///
/// @return DMSC_OK (also when they are dropped already); DMSC_ERR_INVALID_ARG there is no record `seq`
///         yet; otherwise as @ref dmsc_audit_export.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_audit_discard(client: *mut dmsc_client, seq: u64) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, |client| client.audit_discard(seq).map(|()| 0)) }
}

/// Bounds the journal to `octets`, which is kept in the store; the oldest records above that are dropped.
/// At first it is 1 MiB; less than 16 KiB counts as 16 KiB.
///
/// @return as @ref dmsc_audit_export.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_audit_set_limit(
    client: *mut dmsc_client,
    octets: u64,
) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, |client| client.audit_set_limit(octets).map(|()| 0)) }
}

/// Where the journal stands.
///
/// @pre `info->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_audit_info_get(
    client: *mut dmsc_client,
    info: *mut dmsc_audit_info,
) -> dmsc_result {
    let body = |client: &Client| {
        let (head, summary) = client.audit_head()?;
        let ours = dmsc_audit_info {
            struct_size: size_of::<dmsc_audit_info>(),
            first: summary.first,
            last: summary.last,
            signed_to: summary.signed,
            octets: summary.octets,
            head,
        };
        // SAFETY: the caller's precondition.
        unsafe { handle::write_struct(info, &ours) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// The public key of whoever signs the journal: the key that @ref dmsc_audit_verify needs.
///
/// @param key DMSC_AUDIT_KEY_SIZE octets, written on success only.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; the signer's own negative number; DMSC_ERR_REENTRANT;
///         DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_audit_key(client: *mut dmsc_client, key: *mut u8) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(key, "key")?;
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { put_array(key, "key", client.audit_key()?.to_octets()) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// The key of the value hashes in record `seq`, to prove which values that record means (docs/audit.md).
/// Whoever has it can find short values of this record by trying; it says nothing about other records.
///
/// @param key DMSC_AUDIT_HASH_SIZE octets, written on success only.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE; DMSC_ERR_STORAGE_*.
/// Thread: any; also inside every callback.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_audit_reveal(
    client: *mut dmsc_client,
    seq: u64,
    key: *mut u8,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(key, "key")?;
        let secret = client.audit_reveal(seq)?;
        let octets = *secret.expose().first_chunk().unwrap_or(&[0; 32]);
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { put_array(key, "key", octets) }?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Verifies an export of a journal. Needs no client and no device.
///
/// @param keys `key_count` public keys one after the other, of DMSC_AUDIT_KEY_SIZE octets each, that may
///        have signed; with `key_count` 0 any key may, which proves only that nobody else has changed it.
/// @param head a head hash that the export has to hold, DMSC_AUDIT_HASH_SIZE octets; NULL: the export has
///        to end with a signature, and what was cut off behind one is not noticed.
/// @param info what the export proves; written on success only; may be NULL.
/// @param broken number of the first broken record; written with DMSC_ERR_AUDIT only; may be NULL.
/// @pre `info` is NULL or `info->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_AUDIT the export is broken, the last error's text says where and how;
///         DMSC_ERR_INVALID_ARG.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_audit_verify(
    export_data: *const u8,
    export_len: usize,
    keys: *const u8,
    key_count: usize,
    head: *const u8,
    info: *mut dmsc_audit_info,
    broken: *mut u64,
) -> dmsc_result {
    guard(|| {
        // SAFETY: the caller's precondition.
        let export = unsafe { handle::octets(export_data, export_len, "export_data") }?;
        let octets = key_count
            .checked_mul(audit::KEY_OCTETS)
            .ok_or_else(|| Error::new(Code::InvalidArg, "key_count is larger than memory"))?;
        // SAFETY: the caller's precondition.
        let keys = unsafe { handle::octets(keys, octets, "keys") }?;
        let (keys, _) = keys.as_chunks::<{ audit::KEY_OCTETS }>();
        let known = keys.iter().map(|key| {
            let what = "keys: one is of no known kind";
            PublicKey::from_octets(key).ok_or_else(|| Error::new(Code::InvalidArg, what))
        });
        let keys = known.collect::<Result<Vec<_>>>()?;
        // SAFETY: NULL, or valid for 32 octets by the caller's precondition.
        let head = unsafe { head.cast::<[u8; 32]>().as_ref() };
        match audit::verify(export, &keys, head) {
            Ok(verified) if info.is_null() => drop(verified),
            Ok(verified) => {
                let ours = dmsc_audit_info {
                    struct_size: size_of::<dmsc_audit_info>(),
                    first: verified.first,
                    last: verified.last,
                    signed_to: verified.signed,
                    octets: 0,
                    head: verified.head,
                };
                // SAFETY: not NULL, with its size set by the caller's precondition.
                unsafe { handle::write_struct(info, &ours) }?;
            }
            Err(fault) => {
                if !broken.is_null() {
                    // SAFETY: not NULL; valid by the caller's precondition.
                    unsafe { broken.write(fault.seq) };
                }
                return Err(Error::new(Code::Audit, format!("audit export: {fault}")));
            }
        }
        Ok(0)
    })
}
