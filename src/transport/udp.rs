//! UDP to one peer as a [`ByteStream`] whose reads and writes are datagrams.
//!
//! Owns a socket. Must not know what is spoken over it.

use super::tcp::{failed, outcome};
use super::{ByteStream, Moved};
use crate::error::{Code, Result};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

/// A socket that hears one peer only.
#[derive(Debug)]
pub struct UdpStream(UdpSocket);

impl UdpStream {
    /// A socket for the first address of `host`. Fails with `Connect`.
    pub fn connect(host: &str, port: u16) -> Result<Self> {
        let unusable = |error: &std::io::Error| failed(Code::Connect, "setting up UDP", error);
        let peer = (host, port).to_socket_addrs().map_err(|error| unusable(&error))?.next();
        let peer = peer.ok_or_else(|| unusable(&std::io::ErrorKind::NotFound.into()))?;
        let any = match peer {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any).map_err(|error| unusable(&error))?;
        socket
            .connect(peer)
            .and_then(|()| socket.set_nonblocking(true))
            .map_err(|error| unusable(&error))?;
        Ok(Self(socket))
    }
}

impl ByteStream for UdpStream {
    /// Does not wait.
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<Moved> {
        outcome("receiving a datagram", self.0.recv(buffer))
    }

    /// Does not wait.
    fn write(&mut self, data: &[u8], _: Duration) -> Result<Moved> {
        outcome("sending a datagram", self.0.send(data))
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_go_both_ways_and_keep_their_bounds() {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut ours = UdpStream::connect("127.0.0.1", peer.local_addr().unwrap().port()).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(ours.read(&mut buffer, Duration::ZERO), Ok(Moved::NotYet));
        assert_eq!(ours.write(b"one", Duration::ZERO), Ok(Moved::Octets(3)));
        assert_eq!(ours.write(b"two!", Duration::ZERO), Ok(Moved::Octets(4)));
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"one");
        assert_eq!(peer.recv(&mut buffer).unwrap(), 4);
        peer.send_to(b"back", from).unwrap();
        ours.0.set_nonblocking(false).unwrap();
        assert_eq!(ours.read(&mut buffer, Duration::ZERO), Ok(Moved::Octets(4)));
    }
}
