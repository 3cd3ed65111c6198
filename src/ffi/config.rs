//! `dmsc_config`: what a client is and where it keeps its data.

use super::guard::guard_value;
use super::handle::{self, CStruct};
use super::network::{self, dmsc_network_config};
use super::storage::dmsc_storage;
use crate::config::Config;
use crate::error::{Code, Error, Result};
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
    /// How servers are reached. NULL: over https only, with the system's roots, without a second attempt.
    pub network: *const dmsc_network_config,
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
    config.check()?;
    Ok(config)
}
