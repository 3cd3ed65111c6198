//! What a client is told once: the device it runs on and its sizes.

use crate::error::{Code, Error, Result};
use crate::limits;
use crate::random::SystemRandom;
use crate::store::{Database, KeySource, Sealing, Store};
use crate::transport::tcp::{Resolver, SystemResolver};
use crate::transport::tls::TlsConfig;
use crate::tree::{DeviceInfo, SecretUris};
use bitflags::bitflags;
use std::sync::Arc;
use std::time::Duration;

bitflags! {
    /// What may bootstrap the device, and who is asked. The numbers are the C API's.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct BootstrapPolicy: u32 {
        /// Cards are not read. What they brought before stays until they go.
        const NO_CARD = 0x01;
        /// The user is asked before new data of a card is applied.
        const ASK_FOR_CARD = 0x02;
        /// The user is asked before a push is applied that needs no PIN of his.
        const ASK_FOR_PUSH = 0x04;
        /// A push without SEC is taken if the user says so.
        const UNSIGNED_PUSH = 0x08;
        /// A push may replace an account that a push brought before.
        const REPLACE_BY_PUSH = 0x10;
        /// A session with the server of each new account is started; else only where the document
        /// says so (w7, INIT).
        const START_SESSIONS = 0x20;
    }
}

/// The device, as ./DevInfo and ./DevDetail have it.
#[derive(Clone, Debug)]
pub struct Device {
    /// ./DevInfo/DevId.
    pub device_id: String,
    /// ./DevInfo/Man.
    pub manufacturer: String,
    /// ./DevInfo/Mod.
    pub model: String,
    /// ./DevInfo/DmV.
    pub dm_version: String,
    /// ./DevInfo/Lang.
    pub language: String,
    /// ./DevDetail/DevTyp.
    pub device_type: String,
    /// ./DevDetail/OEM.
    pub oem: String,
    /// ./DevDetail/FwV.
    pub firmware: String,
    /// ./DevDetail/SwV.
    pub software: String,
    /// ./DevDetail/HwV.
    pub hardware: String,
}

impl Device {
    /// The same for the tree.
    pub(crate) fn info(&self) -> DeviceInfo<'_> {
        DeviceInfo {
            dev_id: &self.device_id,
            man: &self.manufacturer,
            model: &self.model,
            dm_v: &self.dm_version,
            lang: &self.language,
            dev_typ: &self.device_type,
            oem: &self.oem,
            fw_v: &self.firmware,
            sw_v: &self.software,
            hw_v: &self.hardware,
        }
    }
}

/// Whether sessions may go over plain HTTP into the network. The way to a card stays in the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// Never.
    #[default]
    Refuse,
    /// Where the account asks for HMAC, which protects the messages' integrity (AAuthPref).
    Hmac,
    /// Always.
    Allow,
}

/// How a client reaches servers, and how often it tries.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// Whom to trust.
    pub tls: TlsConfig,
    /// Plain HTTP into the network.
    pub plain_http: PlainHttp,
    /// Further attempts of a session whose server cannot be reached, 0 to 10.
    pub retries: u32,
    /// A card may open connections into the network, each with the host's consent.
    pub card_connections: bool,
    /// Sessions with servers in the network are in text XML, not in WBXML.
    pub text_xml: bool,
    /// Longest time from the look-up of a name to the connection, up to 30 s.
    pub connect_timeout: Duration,
    /// Who knows the addresses of servers, where the library opens the connection.
    pub resolver: Arc<dyn Resolver>,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            tls: TlsConfig::default(),
            plain_http: PlainHttp::default(),
            retries: 0,
            card_connections: false,
            text_xml: false,
            connect_timeout: Duration::from_millis(limits::CONNECT_MS),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// A client's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The device.
    pub device: Device,
    /// Largest message taken from a remote server, in octets.
    pub max_msg_size: u32,
    /// Largest message taken from a card as DM server, in octets.
    pub max_msg_size_card: u32,
    /// Largest object taken, in octets.
    pub max_obj_size: u32,
    /// The way to servers.
    pub network: NetworkConfig,
    /// Where the keys are that seal secret values in the store; `None` for a store that is not kept.
    pub keys: Option<Arc<dyn KeySource>>,
    /// Patterns of URIs whose values are secret besides the built-in ones ([`SecretUris`]).
    pub secret_uris: Vec<String>,
    /// What may bootstrap the device.
    pub bootstrap: BootstrapPolicy,
}

impl Config {
    /// The defaults for the device with this identity (./DevInfo/DevId).
    pub fn new(device_id: impl Into<String>) -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            device: Device {
                device_id: device_id.into(),
                manufacturer: unknown(),
                model: unknown(),
                dm_version: concat!("libdmsc ", env!("CARGO_PKG_VERSION")).to_owned(),
                language: "en".to_owned(),
                device_type: "phone".to_owned(),
                oem: unknown(),
                firmware: String::new(),
                software: String::new(),
                hardware: String::new(),
            },
            max_msg_size: limits::MAX_MSG_SIZE,
            max_msg_size_card: limits::MAX_MSG_SIZE_CARD,
            max_obj_size: limits::MAX_OBJ_SIZE,
            network: NetworkConfig::default(),
            keys: None,
            secret_uris: Vec::new(),
            bootstrap: BootstrapPolicy::default(),
        }
    }

    /// Opens a store as this configuration says.
    ///
    /// Errors: those of [`Database::open`] and [`SecretUris::add`].
    pub fn database(&self, store: Arc<dyn Store>) -> Result<Database> {
        let mut secret = SecretUris::built_in()?;
        self.secret_uris.iter().try_for_each(|uri| secret.add(uri))?;
        let Some(keys) = self.keys.clone() else { return Database::new(store) };
        let (secrecy, random) = (Box::new(secret), Box::new(SystemRandom));
        Database::open(store, Sealing { keys, secrecy, random })
    }

    /// Fails with `InvalidArg` if a value cannot be used.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |what: String| Err(Error::new(Code::InvalidArg, what));
        if self.device.device_id.is_empty() {
            return invalid("device_id is missing".into());
        }
        let sizes = [
            ("max_msg_size", self.max_msg_size, 1024 * 1024),
            ("max_msg_size_card", self.max_msg_size_card, 64 * 1024),
            ("max_obj_size", self.max_obj_size, 16 * 1024 * 1024),
        ];
        for (name, size, most) in sizes {
            if !(limits::MIN_MSG_SIZE..=most).contains(&size) {
                return invalid(format!(
                    "{name} {size} is outside {} to {most}",
                    limits::MIN_MSG_SIZE
                ));
            }
        }
        // Behind the silence of a server the session would have ended before.
        let longest = Duration::from_millis(limits::HTTP_SILENCE_MS);
        if self.network.connect_timeout.is_zero() || self.network.connect_timeout > longest {
            return invalid(format!("connect_timeout: not 1 to {} ms", longest.as_millis()));
        }
        if self.network.retries > limits::SESSION_RETRIES {
            return invalid(format!("retries: more than {}", limits::SESSION_RETRIES));
        }
        Ok(())
    }
}
