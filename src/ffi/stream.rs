//! `dmsc_stream_transport`: the host's own connections.

use super::callbacks::c_text;
use super::client::dmsc_client;
use super::destroy::UserData;
use super::handle::{self, CStruct};
use super::status::{dmsc_result, dmsc_status};
use super::storage::outcome;
use crate::client::{Client, StreamScheme};
use crate::error::{Code, Error, Result};
use crate::transport::{ByteStream, Connector, Moved, Target};
use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Duration;

/// What a connection is wanted for. Borrowed: valid during the callback only.
#[repr(C)]
#[derive(Debug)]
pub struct dmsc_stream_target {
    /// sizeof(dmsc_stream_target) of the library.
    pub struct_size: usize,
    /// The number of this attempt, for cancel.
    pub id: u64,
    /// "tcp://host:port", "udp://host:port" or "https://host:port"; an IPv6 address is in brackets.
    pub uri: *const c_char,
    /// The DM server that a session is with; NULL for a connection that the card opens.
    pub server_id: *const c_char,
    /// The connectivity that the account asks for (PrefConRef or ConRef: the URI of a connectivity object
    /// in the tree, or a name that the device knows), or the card's network access name. NULL: any.
    pub con_ref: *const c_char,
    /// The slot of the card that it is about; 0 if none.
    pub slot: u32,
    /// Longest time that connect may take, in milliseconds.
    pub timeout_ms: u32,
}

/// Connections by the host, for example through a proxy, or bound to one network. Copied by
/// @ref dmsc_client_set_stream_transport. connect, read, write and close must be there.
///
/// A callback returns DMSC_OK, a dmsc_status named at it, or a negative number of the host's own, which
/// ends the session with that number.
/// Thread: the driving thread, one call at a time, with no lock held; cancel from any.
/// Re-entry: what needs the client's core is DMSC_ERR_REENTRANT inside these callbacks; allowed are
/// @ref dmsc_client_wake, @ref dmsc_session_cancel, @ref dmsc_client_network_changed and the functions of
/// buffers, the library and the last error.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct dmsc_stream_transport {
    /// sizeof(dmsc_stream_transport); set by the caller.
    pub struct_size: usize,
    /// Handed to each callback.
    pub user_data: *mut c_void,
    /// Opens a connection and gives the host's pointer for it. DMSC_ERR_NO_NETWORK: the session waits for
    /// @ref dmsc_client_network_changed. DMSC_ERR_CONNECT or DMSC_ERR_TIMEOUT: the server cannot be reached
    /// (tried again as `retries` of dmsc_network_config says). DMSC_ERR_TLS: the host's TLS refuses.
    pub connect: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            target: *const dmsc_stream_target,
            stream: *mut *mut c_void,
        ) -> i32,
    >,
    /// Reads without waiting: at least one octet, of datagrams a whole one. DMSC_OK with *len 0: the peer
    /// has closed. DMSC_TIMED_OUT: nothing is there now. @ref dmsc_client_wake when something has come
    /// makes the library look at once, else it looks by itself every 2 to 50 ms.
    pub read: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            stream: *mut c_void,
            buffer: *mut u8,
            capacity: usize,
            len: *mut usize,
        ) -> i32,
    >,
    /// Writes without waiting: at least one octet, of datagrams all. DMSC_TIMED_OUT: there is no room now.
    pub write: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            stream: *mut c_void,
            data: *const u8,
            len: usize,
            written: *mut usize,
        ) -> i32,
    >,
    /// Ends a connection; the last call with this stream.
    pub close: Option<unsafe extern "C" fn(user_data: *mut c_void, stream: *mut c_void)>,
    /// Makes the connect with this number return soon (DMSC_ERR_CANCELLED); a number that is over is to be
    /// ignored. From any thread, also while connect runs; must neither wait nor call the library. NULL: a
    /// connect cannot be interrupted.
    pub cancel: Option<unsafe extern "C" fn(user_data: *mut c_void, id: u64)>,
    /// Called exactly once, after the last other callback; may be NULL.
    pub destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: pointers and nullable functions; zero means "not given".
unsafe impl CStruct for dmsc_stream_transport {
    const NAME: &'static str = "dmsc_stream_transport";
}

/// The host's struct; shared by its connections, so that destroy comes last.
struct Host {
    c: dmsc_stream_transport,
    user: UserData,
}

// SAFETY: the contract of dmsc_stream_transport: the driving thread whichever it is, cancel from any.
unsafe impl Send for Host {}
// SAFETY: as above; the library makes one call at a time but for cancel.
unsafe impl Sync for Host {}

struct HostConnector(Arc<Host>);

impl HostConnector {
    /// # Safety
    /// `transport` points to a struct whose first member is its size.
    unsafe fn read(transport: *const dmsc_stream_transport) -> Result<Self> {
        // SAFETY: the caller's promise.
        let c: dmsc_stream_transport = unsafe { handle::read_struct(transport) }?;
        if c.connect.is_none() || c.read.is_none() || c.write.is_none() || c.close.is_none() {
            let text = "dmsc_stream_transport needs connect, read, write and close";
            return Err(Error::new(Code::InvalidArg, text));
        }
        Ok(Self(Arc::new(Host { user: UserData::new(c.user_data, c.destroy), c })))
    }
}

impl Connector for HostConnector {
    fn connect(&self, target: &Target<'_>) -> Result<Box<dyn ByteStream + Send>> {
        let Some(connect) = self.0.c.connect else { return Err(absent()) };
        let (uri, server_id, con_ref) =
            (c_text(target.uri), target.server_id.map(c_text), target.con_ref.map(c_text));
        let pointer = |text: &Option<std::ffi::CString>| {
            text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
        };
        let c_target = dmsc_stream_target {
            struct_size: size_of::<dmsc_stream_target>(),
            id: target.id,
            uri: uri.as_ptr(),
            server_id: pointer(&server_id),
            con_ref: pointer(&con_ref),
            slot: target.slot,
            timeout_ms: u32::try_from(target.timeout.as_millis()).unwrap_or(u32::MAX),
        };
        let mut stream = std::ptr::null_mut();
        // SAFETY: the host's function with its own pointer; the target lives until it returns.
        let number =
            unsafe { connect(self.0.user.pointer(), &raw const c_target, &raw mut stream) };
        outcome(number, "stream connect")?;
        Ok(Box::new(HostStream { host: self.0.clone(), stream, open: true }))
    }

    fn cancel(&self, id: u64) {
        if let Some(cancel) = self.0.c.cancel {
            // SAFETY: the host's function with its own pointer; any thread by contract.
            unsafe { cancel(self.0.user.pointer(), id) }
        }
    }
}

struct HostStream {
    host: Arc<Host>,
    stream: *mut c_void,
    open: bool,
}

// SAFETY: the contract of dmsc_stream_transport: used on the driving thread whichever it is.
unsafe impl Send for HostStream {}

impl ByteStream for HostStream {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<Moved> {
        let Some(read) = self.host.c.read else { return Err(absent()) };
        let (user, capacity, mut len) = (self.host.user.pointer(), buffer.len(), 0);
        // SAFETY: the host's function with its own pointers; the buffer has `capacity` octets.
        let number =
            unsafe { read(user, self.stream, buffer.as_mut_ptr(), capacity, &raw mut len) };
        match moved(number, len, capacity, "stream read")? {
            Some(0) => Ok(Moved::Closed),
            Some(len) => Ok(Moved::Octets(len)),
            None => Ok(Moved::NotYet),
        }
    }

    fn write(&mut self, data: &[u8], _: Duration) -> Result<Moved> {
        let Some(write) = self.host.c.write else { return Err(absent()) };
        let (user, mut written) = (self.host.user.pointer(), 0);
        // SAFETY: the host's function with its own pointers; the data lives until it returns.
        let number =
            unsafe { write(user, self.stream, data.as_ptr(), data.len(), &raw mut written) };
        match moved(number, written, data.len(), "stream write")? {
            Some(written) if written > 0 => Ok(Moved::Octets(written)),
            _ => Ok(Moved::NotYet),
        }
    }

    fn close(&mut self) {
        if let (true, Some(close)) = (std::mem::take(&mut self.open), self.host.c.close) {
            // SAFETY: the host's function with its own pointers; called once.
            unsafe { close(self.host.user.pointer(), self.stream) }
        }
    }
}

impl Drop for HostStream {
    fn drop(&mut self) {
        self.close();
    }
}

fn absent() -> Error {
    Error::new(Code::InvalidArg, "the stream transport lacks a function")
}

/// What a read or write came to; `None` for "not now".
fn moved(number: i32, octets: usize, most: usize, what: &str) -> Result<Option<usize>> {
    if number == dmsc_status::DMSC_TIMED_OUT as i32 {
        return Ok(None);
    }
    outcome(number, what)?;
    if octets > most {
        let text = format!("{what}: {octets} octets of {most}");
        return Err(Error::new(Code::Callback, text));
    }
    Ok(Some(octets))
}

/// Lets the host open the client's connections of one kind.
///
/// "tcp": all TCP connections, over which the library does HTTP and its own TLS, and connections that the
/// card opens. "https": connections to https addresses; the host does TLS and checks the server, plain
/// octets of HTTP go in and come out; also for a card's web server behind TLS (port 4116). "udp":
/// datagrams that the card sends into the network.
/// @pre `transport` is NULL (the library opens connections of this kind itself again) or
///      `transport->struct_size` is set.
/// @param scheme "tcp", "udp" or "https".
/// @param transport copied; the one set before for this scheme is destroyed when its last connection ends.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG (unknown scheme, a function is missing); DMSC_ERR_UTF8;
///         DMSC_ERR_REENTRANT inside a card or stream callback; DMSC_ERR_STATE. On failure destroy is not
///         called.
/// Thread: any.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_set_stream_transport(
    client: *mut dmsc_client,
    scheme: *const c_char,
    transport: *const dmsc_stream_transport,
) -> dmsc_result {
    let body = |client: &Client| {
        // SAFETY: the caller's precondition.
        let name = unsafe { handle::text(scheme, "scheme") }?;
        let scheme = StreamScheme::from_name(name).ok_or_else(|| {
            Error::new(Code::InvalidArg, format!("scheme {name} is not tcp, udp or https"))
        })?;
        if transport.is_null() {
            return client.set_connector(scheme, None).map(|()| 0);
        }
        // SAFETY: not NULL; the caller's precondition.
        let connector = unsafe { HostConnector::read(transport) }?;
        let acceptance = connector.0.user.acceptance();
        client.set_connector(scheme, Some(Arc::new(connector)))?;
        acceptance.accept();
        Ok(0)
    };
    // SAFETY: the caller's precondition.
    unsafe { dmsc_client::guard(client, body) }
}

/// Tells whether there is a network. Sessions that wait for one (DMSC_EVENT_NETWORK_WANTED) begin when
/// there is; while there is none no connection into the network is tried.
///
/// A new client assumes that there is one.
/// @param available 1 or 0.
/// @return DMSC_OK; DMSC_ERR_INVALID_ARG; DMSC_ERR_STATE.
/// Thread: any, also in callbacks.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dmsc_client_network_changed(
    client: *mut dmsc_client,
    available: u32,
) -> dmsc_result {
    if available > 1 {
        return super::guard::guard(|| {
            Err(Error::new(Code::InvalidArg, "available is neither 0 nor 1"))
        });
    }
    // SAFETY: the caller's precondition.
    unsafe {
        dmsc_client::guard(client, |client| client.network_changed(available == 1).map(|()| 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_callback_claims_is_checked() {
        assert_eq!(moved(0, 5, 5, "x"), Ok(Some(5)));
        assert_eq!(moved(2, 99, 5, "x"), Ok(None));
        assert_eq!(moved(0, 6, 5, "x").unwrap_err().code(), Code::Callback);
        assert_eq!(moved(-301, 0, 5, "x").unwrap_err().code(), Code::Io);
        assert_eq!(moved(-4711, 0, 5, "x").unwrap_err().number(), -4711);
    }
}
