//! TCP as a [`ByteStream`].
//!
//! Owns a socket and its waiting. Must not know what is spoken over it.

use super::{ByteStream, Moved};
use crate::error::{Code, Error, Result};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 4;

/// Knows the addresses of hosts.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The addresses of `host`, a name or an address, with this port; the best first. May take its time: it is
    /// called on a thread that waits for nothing else.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// What the system says.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}

/// A TCP connection.
#[derive(Debug)]
pub struct TcpStream {
    socket: std::net::TcpStream,
    /// `None` while the socket does not wait at all, else what it waits for both directions.
    wait: Option<Duration>,
}

impl TcpStream {
    /// Connects to the first address of `host` that answers, and waits for it; all tries together take at
    /// most `timeout`, the name's resolution not counted.
    ///
    /// Fails with `Connect`, `os_error` set where the system gave one.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<Self> {
        Self::connect_by(&SystemResolver, host, port, timeout)
    }

    /// As [`connect`](Self::connect), with addresses of somebody else.
    pub fn connect_by(
        resolver: &dyn Resolver,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<Self> {
        let mut addresses = resolver
            .resolve(host, port)
            .map_err(|error| failed(Code::Connect, "resolving the server's name", &error))?;
        addresses.truncate(MAX_ADDRESSES);
        let share = timeout / u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut last = Error::new(Code::Connect, "connecting to the server: it has no address");
        for address in addresses {
            let connected = std::net::TcpStream::connect_timeout(&address, share.max(MINIMUM))
                .and_then(|socket| socket.set_nodelay(true).map(|()| socket));
            match connected {
                Ok(socket) => return Self::new(socket),
                Err(error) => last = failed(Code::Connect, "connecting to the server", &error),
            }
        }
        Err(last)
    }

    /// Takes a connected socket over. Fails with `Connect`.
    pub fn new(socket: std::net::TcpStream) -> Result<Self> {
        socket
            .set_nonblocking(true)
            .map_err(|error| failed(Code::Connect, "setting up the connection", &error))?;
        Ok(Self { socket, wait: None })
    }

    /// Makes the socket wait for `wait` at most; zero means not at all.
    fn patience(&mut self, wait: Duration) -> Result<()> {
        let wait = (!wait.is_zero()).then(|| wait.max(MINIMUM));
        if wait == self.wait {
            return Ok(());
        }
        self.socket
            .set_nonblocking(wait.is_none())
            .and_then(|()| self.socket.set_read_timeout(wait))
            .and_then(|()| self.socket.set_write_timeout(wait))
            .map_err(|error| failed(Code::Io, "setting the connection's timeout", &error))?;
        self.wait = wait;
        Ok(())
    }
}

/// The shortest wait; the system refuses zero and rounds down.
const MINIMUM: Duration = Duration::from_millis(1);

impl ByteStream for TcpStream {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Moved> {
        self.patience(wait)?;
        match self.socket.read(buffer) {
            Ok(0) if !buffer.is_empty() => Ok(Moved::Closed),
            moved => outcome("reading from the server", moved),
        }
    }

    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved> {
        self.patience(wait)?;
        outcome("writing to the server", self.socket.write(data))
    }

    fn close(&mut self) {
        // It fails when the peer was faster; then there is nothing left to end.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

pub(super) fn outcome(doing: &str, moved: io::Result<usize>) -> Result<Moved> {
    match moved {
        Ok(0) => Ok(Moved::NotYet),
        Ok(octets) => Ok(Moved::Octets(octets)),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                Ok(Moved::NotYet)
            }
            _ => Err(failed(Code::Io, doing, &error)),
        },
    }
}

pub(super) fn failed(code: Code, doing: &str, error: &io::Error) -> Error {
    let mut failure = Error::new(code, format!("{doing}: {error}"));
    failure.os_error = error.raw_os_error().unwrap_or_default();
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const LONG: Duration = Duration::from_secs(5);

    fn pair() -> (TcpStream, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ours = TcpStream::connect("127.0.0.1", port, LONG).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    #[test]
    fn octets_go_both_ways_until_the_peer_closes() {
        let (mut ours, mut theirs) = pair();
        let mut buffer = [0; 8];
        assert_eq!(ours.read(&mut buffer, Duration::ZERO), Ok(Moved::NotYet));
        assert_eq!(ours.read(&mut buffer, Duration::from_millis(2)), Ok(Moved::NotYet));
        assert_eq!(ours.write(b"ping", Duration::ZERO), Ok(Moved::Octets(4)));
        theirs.read_exact(&mut buffer[..4]).unwrap();
        assert_eq!(&buffer[..4], b"ping");
        theirs.write_all(b"pong!").unwrap();
        assert_eq!(ours.read(&mut buffer, LONG), Ok(Moved::Octets(5)));
        assert_eq!(&buffer[..5], b"pong!");
        drop(theirs);
        assert_eq!(ours.read(&mut buffer, LONG), Ok(Moved::Closed));
        ours.close();
        ours.close();
    }

    #[test]
    fn a_full_pipe_is_not_yet() {
        let (mut ours, _theirs) = pair();
        let block = [0; 64 * 1024];
        let mut written = 0;
        while let Moved::Octets(octets) = ours.write(&block, Duration::ZERO).unwrap() {
            written += octets;
            assert!(written < 1 << 30, "nothing stops the writer");
        }
        assert!(written > 0);
    }

    #[test]
    fn nobody_listening_is_a_connect_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = TcpStream::connect("127.0.0.1", port, LONG).unwrap_err();
        assert_eq!(error.code(), Code::Connect);
        assert_ne!(error.os_error, 0);
    }
}
