//! `dmsc_at_port`: a card behind a modem's AT commands.

use super::card::{dmsc_card, give_card};
use super::client::dmsc_client;
use super::destroy::UserData;
use super::handle::{self, CStruct};
use super::status::dmsc_result;
use super::storage::outcome;
use crate::card::at::{AtPort, AtTransport, Options};
use crate::client::Client;
use crate::error::{Code, Error, Result};
use std::ffi::c_void;
use std::time::Duration;

/// A byte stream to a modem, given by the host: a serial line, a USB endpoint, a multiplexer's channel.
/// Copied when the card is opened; `read` and `write` must be there. Nobody else may use the stream.
///
/// A callback returns DMSC_OK or a negative number, as with @ref dmsc_card_transport.
/// Thread: the driving thread, one at a time. Re-entry: as with @ref dmsc_card_transport.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_at_port {
    /// sizeof(dmsc_at_port); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Reads what is there, at most `cap` octets, their number in `len`; waits for the first one at most
    /// `timeout_ms`. 0 octets: nothing came in that time.
    pub read: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            buffer: *mut u8,
            cap: usize,
            timeout_ms: u32,
            len: *mut usize,
        ) -> i32,
    >,
    /// Writes all of the octets.
    pub write:
        Option<unsafe extern "C" fn(user_data: *mut c_void, data: *const u8, len: usize) -> i32>,
    /// Called exactly once, after the last other callback; not called if the card was not opened.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Longest time for one AT command, in milliseconds. 0: 10000.
    pub timeout_ms: u32,
    /// Most octets of card data to ask for at once, 1 to 256: many modems cut lines of more than 256 or 512
    /// characters, and an octet takes two. 0: 128.
    pub max_le: u32,
}

// SAFETY: pointers, integers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_at_port {
    const NAME: &'static str = "dmsc_at_port";
}

struct HostPort {
    c: dmsc_at_port,
    user: UserData,
}

// SAFETY: the contract of dmsc_at_port: the driving thread, whichever it is, one at a time.
unsafe impl Send for HostPort {}

impl AtPort for HostPort {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize> {
        let Some(read) = self.c.read else { return Ok(0) };
        let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        let mut len = 0;
        // SAFETY: the host's function with its own pointer; the buffer lives until it returns.
        let number = unsafe {
            read(self.user.pointer(), buffer.as_mut_ptr(), buffer.len(), timeout_ms, &raw mut len)
        };
        outcome(number, "AT port read").map(|()| len)
    }

    fn write(&mut self, octets: &[u8]) -> Result<()> {
        let Some(write) = self.c.write else { return Ok(()) };
        // SAFETY: the host's function with its own pointer; the octets live until it returns.
        let number = unsafe { write(self.user.pointer(), octets.as_ptr(), octets.len()) };
        outcome(number, "AT port write")
    }
}

fn options(c: &dmsc_at_port) -> Result<Options> {
    let mut options = Options::default();
    if c.timeout_ms != 0 {
        options.timeout = Duration::from_millis(c.timeout_ms.into());
    }
    match c.max_le {
        0 => {}
        octets @ 1..=256 => options.max_le = octets as u16,
        more => {
            let text = format!("dmsc_at_port.max_le {more} is above 256");
            return Err(Error::new(Code::InvalidArg, text));
        }
    }
    Ok(options)
}

/// Opens the card behind a modem's AT commands (3GPP TS 27.007): +CCHO, +CGLA and +CCHC where the modem
/// has them, else +CSIM, else +CRSM.
///
/// The modem's own toolkit keeps running, so that @ref dmsc_card_toolkit_start has no place here; feed
/// @ref dmsc_card_proactive_command instead where the modem hands commands out. Switches the echo off and
/// numbered errors on (ATE0V1, AT+CMEE=1), and asks the modem only for the commands that are needed.
/// @pre `port->struct_size` is set.
/// @param slot as in @ref dmsc_card_open.
/// @param out the card; written on success only; close it with @ref dmsc_card_close.
/// @return as @ref dmsc_card_open; DMSC_ERR_CARD_TRANSMIT also when no modem answers;
///         DMSC_ERR_NOT_SUPPORTED the modem has none of the commands; DMSC_ERR_CARD_ABSENT no card in it;
///         DMSC_ERR_CARD_ACCESS_DENIED the modem wants the PIN first; DMSC_ERR_TIMEOUT.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_card_open_at(
    client: *mut dmsc_client,
    slot: u32,
    port: *const dmsc_at_port,
    out: *mut *mut dmsc_card,
) -> dmsc_result {
    let body = |client: &Client| {
        handle::not_null(out, "out")?;
        // SAFETY: the caller's precondition.
        let c = unsafe { handle::read_struct(port) }?;
        if c.read.is_none() || c.write.is_none() {
            return Err(Error::new(Code::InvalidArg, "dmsc_at_port needs read and write"));
        }
        let options = options(&c)?;
        let user = UserData::new(c.user_data, c.destroy);
        let acceptance = user.acceptance();
        let port = Box::new(HostPort { c, user });
        let open = move || Ok(Box::new(AtTransport::open(port, options)?) as _);
        let id = client.open_card_with(slot, open)?;
        acceptance.accept();
        // SAFETY: checked above; valid by the caller's precondition.
        unsafe { give_card(client, id, out) }
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}
