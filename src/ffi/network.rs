//! `dmsc_network_config`: how a client reaches servers.

use super::handle::{self, CStruct};
use crate::config::{NetworkConfig, PlainHttp};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::secret::Secret;
use crate::transport::tls::{MAX_PINS, Pin, TlsConfig};
use std::time::Duration;

/// Whether sessions may go over plain HTTP into the network. The way to a card stays in the device.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dmsc_plain_http {
    /// Never: such a session ends with DMSC_ERR_CONNECT.
    DMSC_HTTP_REFUSE = 0,
    /// Where the account asks for HMAC (AAuthPref), which protects the messages' integrity.
    DMSC_HTTP_HMAC = 1,
    /// Always.
    DMSC_HTTP_ALLOW = 2,
}

/// How a client reaches servers, see `network` of dmsc_config. Copied; zero everywhere is the default.
///
/// Without roots and pins the system's roots are trusted. With pins alone a server is trusted that shows a
/// pinned certificate, or one that a pinned authority issued. With roots and pins both have to agree. The
/// certificate's name and dates count in every case; TLS is 1.2 or 1.3. The members about TLS need the
/// feature "tls".
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_network_config {
    /// sizeof(dmsc_network_config); set by the caller.
    pub struct_size: usize,
    /// Certificates of the authorities to trust, PEM.
    pub tls_roots_pem: *const u8,
    /// Number of octets at tls_roots_pem.
    pub tls_roots_pem_len: usize,
    /// Hashes of 32 octets each, one behind the other: SHA-256 of a certificate's SubjectPublicKeyInfo or
    /// of the whole certificate (DER).
    pub tls_pins: *const u8,
    /// Number of hashes at tls_pins, at most 64.
    pub tls_pin_count: usize,
    /// The client's certificate, for servers that ask for one, with its chain, PEM.
    pub tls_client_pem: *const u8,
    /// Number of octets at tls_client_pem.
    pub tls_client_pem_len: usize,
    /// Its private key, PEM (PKCS#8, PKCS#1 or SEC 1). The library's copy is wiped when the client goes.
    pub tls_client_key_pem: *const u8,
    /// Number of octets at tls_client_key_pem.
    pub tls_client_key_pem_len: usize,
    /// A dmsc_plain_http number.
    pub plain_http: u32,
    /// Further attempts, 0 to 10, of a session whose server cannot be reached or has no time: after 30 s,
    /// 60 s, ... 1 h, each a quarter longer or shorter by chance, and not before the server's Retry-After.
    pub retries: u32,
    /// 1: a card may open connections into the network (ETSI TS 102 223, OPEN CHANNEL as client), each
    /// with the consent of on_connection in dmsc_callbacks. 0: it may not, and is told so in the
    /// terminal's profile.
    pub card_connections: u32,
    /// Longest time, in milliseconds, from the look-up of a server's name to the connection, 1 to 30000; the
    /// library goes on meanwhile. 0: 10000. A host that opens connections itself is told this limit.
    pub connect_timeout_ms: u32,
    /// 1: messages to servers in the network are text XML, for servers that do not read WBXML. 0: WBXML. With a
    /// card it is always WBXML.
    pub text_xml: u32,
}

// SAFETY: pointers and integers; zero means "not given".
unsafe impl CStruct for dmsc_network_config {
    const NAME: &'static str = "dmsc_network_config";
}

/// The facade's configuration from the caller's; NULL gives the defaults.
///
/// # Safety
/// `c` is NULL or a struct whose first member is its size, with pointers that are NULL or valid.
pub(super) unsafe fn read(c: *const dmsc_network_config) -> Result<NetworkConfig> {
    if c.is_null() {
        return Ok(NetworkConfig::default());
    }
    // SAFETY: the caller's promise.
    let c = unsafe { handle::read_struct(c) }?;
    let octets = |data, len, name: &str| -> Result<Vec<u8>> {
        // SAFETY: the caller's promise, for each of them.
        unsafe { handle::octets(data, len, name) }.map(<[u8]>::to_vec)
    };
    if c.tls_pin_count > MAX_PINS {
        let text = format!("tls_pin_count: more than {MAX_PINS}");
        return Err(Error::new(Code::InvalidArg, text));
    }
    let pins = octets(c.tls_pins, c.tls_pin_count * size_of::<Pin>(), "tls_pins")?;
    let tls = TlsConfig {
        roots_pem: octets(c.tls_roots_pem, c.tls_roots_pem_len, "tls_roots_pem")?,
        pins: pins.as_chunks().0.to_vec(),
        client_chain_pem: octets(c.tls_client_pem, c.tls_client_pem_len, "tls_client_pem")?,
        client_key_pem: Secret::new(octets(
            c.tls_client_key_pem,
            c.tls_client_key_pem_len,
            "tls_client_key_pem",
        )?),
    };
    let connect_ms = match c.connect_timeout_ms {
        0 => limits::CONNECT_MS,
        given => given.into(),
    };
    Ok(NetworkConfig {
        tls,
        connect_timeout: Duration::from_millis(connect_ms),
        plain_http: match c.plain_http {
            0 => PlainHttp::Refuse,
            1 => PlainHttp::Hmac,
            2 => PlainHttp::Allow,
            other => {
                let text = format!("plain_http {other} is not a dmsc_plain_http number");
                return Err(Error::new(Code::InvalidArg, text));
            }
        },
        retries: c.retries,
        card_connections: c.card_connections != 0,
        text_xml: c.text_xml != 0,
        ..NetworkConfig::default()
    })
}
