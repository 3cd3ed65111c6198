//! `dmsc_config`: what a client is and where it keeps its data.

use super::guard::guard_value;
use super::handle::{self, CStruct};
use super::keys::dmsc_keys;
use super::network::{self, dmsc_network_config};
use super::storage::dmsc_storage;
use crate::config::{BootstrapPolicy, Config};
use crate::error::{Code, Error, Result};
use crate::limits;
use std::ffi::c_char;

/// What a client is. Everything is copied by @ref dmsc_client_new. Texts are UTF-8; NULL or 0 means the
/// default named at the member.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_config {
    /// sizeof(dmsc_config); set by @ref dmsc_config_init.
    pub struct_size: usize,
    /// Directory of the built-in store, made with mode 0700 if missing. One process at a time. Needs the
    /// feature "redb". NULL: `storage` is used.
    pub data_dir: *const c_char,
    /// The host's own storage, used when `data_dir` is NULL. Both NULL: nothing is kept.
    pub storage: *const dmsc_storage,
    /// ./DevInfo/DevId, for example "IMEI:004999010640000". Must be given.
    pub device_id: *const c_char,
    /// ./DevInfo/Man and ./DevDetail/OEM. NULL: "unknown".
    pub manufacturer: *const c_char,
    /// ./DevInfo/Mod. NULL: "unknown".
    pub model: *const c_char,
    /// ./DevInfo/Lang, RFC 1766. NULL: "en".
    pub language: *const c_char,
    /// ./DevInfo/DmV, the version of the DM client. NULL: the library's name and version.
    pub dm_version: *const c_char,
    /// ./DevDetail/DevTyp. NULL: "phone".
    pub device_type: *const c_char,
    /// ./DevDetail/FwV. NULL: "".
    pub firmware_version: *const c_char,
    /// ./DevDetail/SwV. NULL: "".
    pub software_version: *const c_char,
    /// ./DevDetail/HwV. NULL: "".
    pub hardware_version: *const c_char,
    /// Largest message taken from a remote server, in octets, 512 to 1048576. 0: 16384.
    pub max_msg_size: u32,
    /// Largest message taken from a card as DM server, in octets, 512 to 65536. 0: 4096.
    pub max_msg_size_card: u32,
    /// Largest object taken, in octets, 512 to 16777216. 0: 1048576.
    pub max_obj_size: u32,
    /// What may bootstrap the device and who is asked: dmsc_bootstrap_flag bits. 0: cards without
    /// question, pushes with a good MAC; no account is replaced by a push.
    pub bootstrap_flags: u32,
    /// Where the keys are that seal secret values in the store. NULL: files "dmsc-1.key" with mode 0600 in
    /// `data_dir`, or blobs "dmsc.key.1" in `storage`, made at the first use.
    pub keys: *const dmsc_keys,
    /// URIs of nodes whose values are sealed like the passwords and nonces of accounts, access points and
    /// proxies. They are patterns: a name that is one asterisk stands for any name, two asterisks stand for
    /// any number of names, once in a pattern. A pattern stays with the store once it was opened with it;
    /// a store has at most 64 with the built-in ones. Sealed values are read and written as others. May be
    /// NULL.
    pub secret_uris: *const *const c_char,
    /// Number of patterns at secret_uris.
    pub secret_uri_count: usize,
    /// How servers are reached. NULL: over https only, with the system's roots, without a second attempt.
    pub network: *const dmsc_network_config,
}

/// Bits of bootstrap_flags in @ref dmsc_config.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_bootstrap_flag {
    /// Cards are not read: @ref dmsc_card_bootstrap gives DMSC_ERR_BOOTSTRAP_REFUSED. What the card
    /// brought before stays until it goes.
    DMSC_BOOTSTRAP_NO_CARD = 0x01,
    /// The user is asked before new data of a card is applied.
    DMSC_BOOTSTRAP_ASK_FOR_CARD = 0x02,
    /// The user is asked before a push is applied, unless its PIN is asked for anyway.
    DMSC_BOOTSTRAP_ASK_FOR_PUSH = 0x04,
    /// A push without SEC is taken if the user says so; else it is DMSC_ERR_BOOTSTRAP_MAC.
    DMSC_BOOTSTRAP_UNSIGNED_PUSH = 0x08,
    /// A push may replace an account that a push brought before; else it is
    /// DMSC_ERR_BOOTSTRAP_REFUSED. An account from elsewhere is never replaced.
    DMSC_BOOTSTRAP_REPLACE_BY_PUSH = 0x10,
    /// A session with the server of each new account is started as soon as possible (OMA DM Bootstrap
    /// 1.2, 5.3); else only where the document says so (w7, INIT). Start the toolkit of a card first
    /// whose server is on the card itself.
    DMSC_BOOTSTRAP_START_SESSIONS = 0x20,
}

// SAFETY: pointers and integers; zero means "not given".
unsafe impl CStruct for dmsc_config {
    const NAME: &'static str = "dmsc_config";
}

/// Sets every member to its default and struct_size to `struct_size` (pass sizeof(dmsc_config)).
///
/// @pre `config` is NULL (nothing is done) or valid for `struct_size` octets.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dmsc_config_init(config: *mut dmsc_config, struct_size: usize) {
    guard_value((), || {
        handle::not_null(config, "config")?;
        if struct_size < size_of::<usize>() {
            return Err(Error::new(Code::InvalidArg, "struct_size is too small"));
        }
        // SAFETY: valid for struct_size octets by the caller's precondition; zero means default.
        unsafe {
            config.cast::<u8>().write_bytes(0, struct_size);
            config.cast::<usize>().write(struct_size);
        }
        Ok(())
    });
}

/// The facade's configuration from the caller's.
///
/// # Safety
/// The pointers of `c` are NULL or valid.
pub(super) unsafe fn read(c: &dmsc_config) -> Result<Config> {
    let text = |pointer, name: &str, default: &str| -> Result<String> {
        // SAFETY: the caller's promise, for each of them.
        Ok(unsafe { handle::optional_text(pointer, name) }?.unwrap_or(default).to_owned())
    };
    let mut config = Config::new(text(c.device_id, "device_id", "")?);
    let device = &mut config.device;
    device.manufacturer = text(c.manufacturer, "manufacturer", &device.manufacturer)?;
    device.oem = device.manufacturer.clone();
    device.model = text(c.model, "model", &device.model)?;
    device.language = text(c.language, "language", &device.language)?;
    device.dm_version = text(c.dm_version, "dm_version", &device.dm_version)?;
    device.device_type = text(c.device_type, "device_type", &device.device_type)?;
    device.firmware = text(c.firmware_version, "firmware_version", "")?;
    device.software = text(c.software_version, "software_version", "")?;
    device.hardware = text(c.hardware_version, "hardware_version", "")?;
    let size = |given: u32, default: u32| if given == 0 { default } else { given };
    config.max_msg_size = size(c.max_msg_size, config.max_msg_size);
    config.max_msg_size_card = size(c.max_msg_size_card, config.max_msg_size_card);
    config.max_obj_size = size(c.max_obj_size, config.max_obj_size);
    // SAFETY: the caller's promise.
    config.network = unsafe { network::read(c.network) }?;
    // SAFETY: the caller's promise.
    config.secret_uris = unsafe { secret_uris(c) }?;
    config.bootstrap = BootstrapPolicy::from_bits(c.bootstrap_flags).ok_or_else(|| {
        let text = format!("bootstrap_flags {:#x}: unknown bits", c.bootstrap_flags);
        Error::new(Code::InvalidArg, text)
    })?;
    config.check()?;
    Ok(config)
}

/// # Safety
/// As for [`read`].
unsafe fn secret_uris(c: &dmsc_config) -> Result<Vec<String>> {
    if c.secret_uri_count == 0 {
        return Ok(Vec::new());
    }
    handle::not_null(c.secret_uris, "secret_uris")?;
    if c.secret_uri_count > limits::SECRET_URIS {
        let what = format!("secret_uri_count is above {}", limits::SECRET_URIS);
        return Err(Error::new(Code::InvalidArg, what));
    }
    // SAFETY: not NULL, and valid for that many pointers by the caller's promise.
    let uris = unsafe { std::slice::from_raw_parts(c.secret_uris, c.secret_uri_count) };
    // SAFETY: the caller's promise, for each of them.
    uris.iter().map(|uri| unsafe { handle::text(*uri, "secret_uris") }.map(str::to_owned)).collect()
}
