//! Bootstraps that the host receives by push or has from the device's maker.

use super::client::dmsc_client;
use super::handle::{self, CStruct};
use super::status::{dmsc_result, dmsc_status};
use crate::bootstrap::Report;
use crate::client::{Client, Provisioning, Sec};
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use std::ffi::c_char;

/// What a bootstrap came to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_bootstrap_report {
    /// sizeof(dmsc_bootstrap_report); set by the caller.
    pub struct_size: usize,
    /// Accounts that are new.
    pub accounts_added: u32,
    /// Accounts that were made anew because their data changed.
    pub accounts_replaced: u32,
    /// Accounts that are gone because the card no longer holds them.
    pub accounts_removed: u32,
    /// Objects applied before with the same content: nothing was done.
    pub objects_unchanged: u32,
    /// Objects that could not be read or used; the last error's text is in the event.
    pub objects_failed: u32,
    /// Objects with new content that wait for the user's answer.
    pub objects_waiting: u32,
}

// SAFETY: integers only.
unsafe impl CStruct for dmsc_bootstrap_report {
    const NAME: &'static str = "dmsc_bootstrap_report";
}

/// Gives a report to C, which may not want it; DMSC_PENDING if something waits for the user.
///
/// # Safety
/// `report` is NULL or a struct whose first member is its size.
pub(super) unsafe fn give_report(done: &Report, report: *mut dmsc_bootstrap_report) -> Result<i32> {
    if !report.is_null() {
        let ours = dmsc_bootstrap_report {
            struct_size: size_of::<dmsc_bootstrap_report>(),
            accounts_added: done.accounts_added,
            accounts_replaced: done.accounts_replaced,
            accounts_removed: done.accounts_removed,
            objects_unchanged: done.objects_unchanged,
            objects_failed: done.objects_failed,
            objects_waiting: done.waiting,
        };
        // SAFETY: the caller's promise.
        unsafe { handle::write_struct(report, &ours) }?;
    }
    Ok(match done.waiting {
        0 => dmsc_status::DMSC_OK as i32,
        _ => dmsc_status::DMSC_PENDING as i32,
    })
}

/// How a push says that it is authenticated (parameter SEC of its Content-Type), where the host has
/// taken off the envelope.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_sec {
    /// Not given here: as content_type says, else unauthenticated.
    DMSC_SEC_NOT_GIVEN = 0,
    /// 0, NETWPIN, NETWORKID: with the network's secret, of GSM the IMSI.
    DMSC_SEC_NETWPIN = 1,
    /// 1, USERPIN: with a PIN that the user types.
    DMSC_SEC_USERPIN = 2,
    /// 2, USERNETWPIN, USERPIN_NETWORKID: with both.
    DMSC_SEC_USERNETWPIN = 3,
    /// 3, USERPINMAC: the user types PIN and MAC. Not for the DM profile.
    DMSC_SEC_USERPINMAC = 4,
}

/// Bits of flags in @ref dmsc_provisioning.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_provisioning_flag {
    /// The device's maker gives the document, which is not in a push: a provisioning document, a DM
    /// message (WBXML) or a TNDS object. Nothing is checked and nobody is asked. The same document is
    /// applied once for the life of the store; a later one replaces accounts of an earlier one.
    DMSC_PROVISIONING_FACTORY = 0x01,
}

/// A bootstrap to apply. Copied by the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_provisioning {
    /// sizeof(dmsc_provisioning); set by the caller.
    pub struct_size: usize,
    /// Content-Type of `data` where the host has taken off the envelope, for example
    /// "application/vnd.wap.connectivity-wbxml; SEC=1; MAC=0BB3...". NULL: `data` is a WSP push PDU.
    pub content_type: *const c_char,
    /// A dmsc_sec number that counts instead of the one in content_type.
    pub sec: u32,
    /// A dmsc_provisioning_flag number or 0.
    pub flags: u32,
    /// The MAC, 40 hexadecimal digits, instead of the one in content_type; NULL: not given here.
    pub mac: *const c_char,
    /// The subscription's IMSI in digits, for a push signed with the network's secret; NULL: not known.
    pub imsi: *const c_char,
    /// The network's secret itself, for example an ESN; NULL: not known.
    pub network_secret: *const u8,
    /// Number of octets at network_secret.
    pub network_secret_len: usize,
    /// The octets.
    pub data: *const u8,
    /// Number of octets at data.
    pub data_len: usize,
}

// SAFETY: pointers and integers; zero means "not given".
unsafe impl CStruct for dmsc_provisioning {
    const NAME: &'static str = "dmsc_provisioning";
}

/// Applies a bootstrap that was pushed (OMA DM Bootstrap 1.2, DM profile and CP profile; OMA Provisioning
/// Bootstrap 1.1), or a document of the device's maker, completely or not at all.
///
/// A push has to be signed with a secret of the network or of the user. Where that is the user's PIN, or
/// the user's consent is wanted, `on_alert` asks, at most three times for the PIN; a push with wrong
/// secrets is discarded. Nothing is ever answered to the sender. Each account and object is told as
/// DMSC_EVENT_BOOTSTRAP_APPLIED, a failure too. One bootstrap at a time waits for the user.
/// @pre `message->struct_size` is set.
/// @param report may be NULL; written on success only; `report->struct_size` must be set.
/// @return DMSC_OK applied; DMSC_PENDING the user is asked, DMSC_EVENT_BOOTSTRAP_DONE follows;
///         DMSC_ERR_BOOTSTRAP_FORMAT the document or its envelope cannot be used; DMSC_ERR_BOOTSTRAP_MAC
///         it is not signed, the network's secret is missing, or the MAC is wrong;
///         DMSC_ERR_BOOTSTRAP_PIN a PIN is needed and nobody can be asked; DMSC_ERR_BOOTSTRAP_REFUSED
///         the server has an account that may not be replaced, or nobody can be asked; DMSC_ERR_BUSY a
///         transaction is open or another bootstrap waits for the user: try again;
///         DMSC_ERR_INVALID_ARG; DMSC_ERR_UTF8; a DMSC_ERR_NODE_* of the tree; DMSC_ERR_STORAGE_*;
///         DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_apply_provisioning(
    client: *mut dmsc_client,
    message: *const dmsc_provisioning,
    report: *mut dmsc_bootstrap_report,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let message = unsafe { read(message) }?;
        // SAFETY: the caller's precondition.
        unsafe { give_report(&client.provision(message)?, report) }
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// # Safety
/// `message` and its pointers are NULL or valid.
unsafe fn read(message: *const dmsc_provisioning) -> Result<Provisioning> {
    let invalid = |text: String| Error::new(Code::InvalidArg, text);
    // SAFETY: the caller's promise.
    let c = unsafe { handle::read_struct(message) }?;
    let text = |pointer, name: &str| -> Result<Option<String>> {
        // SAFETY: the caller's promise, for each of them.
        Ok(unsafe { handle::optional_text(pointer, name) }?.map(str::to_owned))
    };
    let octets = |pointer, len, name: &str| -> Result<Secret> {
        // SAFETY: the caller's promise, for each of them.
        Ok(Secret::new(unsafe { handle::octets(pointer, len, name) }?))
    };
    let network = octets(c.network_secret, c.network_secret_len, "network_secret")?;
    let message = Provisioning {
        content_type: text(c.content_type, "content_type")?,
        sec: match c.sec {
            0 => None,
            number => {
                let sec = number.checked_sub(1).and_then(Sec::from_number);
                Some(sec.ok_or_else(|| invalid(format!("sec {number} is no dmsc_sec")))?)
            }
        },
        mac: text(c.mac, "mac")?,
        imsi: text(c.imsi, "imsi")?.map(Secret::new),
        network_secret: (!network.is_empty()).then_some(network),
        octets: octets(c.data, c.data_len, "data")?,
        factory: match c.flags {
            0 => false,
            1 => true,
            flags => return Err(invalid(format!("flags {flags:#x}: unknown bits"))),
        },
    };
    if message.content_type.is_none() && (message.sec.is_some() || message.mac.is_some()) {
        return Err(invalid("sec and mac without content_type: the push has its own".to_owned()));
    }
    Ok(message)
}
