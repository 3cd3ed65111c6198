//! The gateway to a card's web server.

use super::client::dmsc_client;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use crate::client::Client;
use crate::error::{Code, Error, Result};

/// A gateway. Copied by the call; zero means the default named at the member.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_gateway_config {
    /// sizeof(dmsc_gateway_config); set by the caller.
    pub struct_size: usize,
    /// The card's slot. The card may come later and be exchanged.
    pub slot: u32,
    /// The port of 127.0.0.1 from which the card's web server (its port 3516) is reached. 0: 3516.
    pub port: u32,
    /// The port of 127.0.0.1 from which the card's web server behind TLS (its port 4116) is reached; the
    /// octets are passed on as they are. 0: none. The usual one is 4116.
    pub tls_port: u32,
}

// SAFETY: integers only.
unsafe impl CStruct for dmsc_gateway_config {
    const NAME: &'static str = "dmsc_gateway_config";
}

/// The default port (Smart Card Web Server 1.1).
const SCWS_PORT: u16 = 3516;

fn port(given: u32, name: &str) -> Result<u16> {
    u16::try_from(given)
        .map_err(|_| Error::new(Code::InvalidArg, format!("{name} {given} is above 65535")))
}

/// Lets local applications (a browser, for instance) reach the web server of a card.
///
/// It listens on 127.0.0.1 only. Each connection needs the consent of on_connection in dmsc_callbacks, is
/// served alone, and is slowed down to the card's pace; seven more wait for their turn, others are closed.
/// Who has sent something comes before who has not; a connection that is kept open behind an answer makes
/// room for others after half a second. A DM session with the card and the gateway wait for each other. A
/// connection that waits for a card, says nothing, or gets no answer while others wait, is closed after 30 s.
/// @pre `config->struct_size` is set.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_BUSY a port is taken; DMSC_ERR_CONNECT;
///         DMSC_ERR_STATE there is a gateway already; DMSC_ERR_REENTRANT inside a card or stream callback.
/// Thread: any. The library waits for connections on threads of its own, which call nothing of the host.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_gateway_start(
    client: *mut dmsc_client,
    config: *const dmsc_gateway_config,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let config = unsafe { handle::read_struct(config) }?;
        let own = Some(port(config.port, "port")?).filter(|port| *port != 0);
        let tls = Some(port(config.tls_port, "tls_port")?).filter(|port| *port != 0);
        client.start_gateway(config.slot, own.unwrap_or(SCWS_PORT), tls)?;
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Ends the gateway and the connections over it. @ref dmsc_client_free does the same.
///
/// @return DMSC_OK, also when there is none; DMSC_ERR_INVALID_ARG; DMSC_ERR_REENTRANT; DMSC_ERR_STATE.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_gateway_stop(client: *mut dmsc_client) -> dmsc_result {
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, |client| client.stop_gateway().map(|()| 0)) }
}
