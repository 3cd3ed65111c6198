//! What the two processes say to each other: a request with its octets, and octets back.

use std::io::{Read, Result, Write};
use std::os::unix::net::UnixStream;

/// What the phone's process asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Want {
    /// The card's answer to a command APDU.
    Apdu,
    /// The answer to reset.
    Atr,
    /// The PIN of the card.
    CardPin,
    /// The PIN of the pushed bootstrap.
    PushPin,
    /// The pushed document.
    Push,
    /// The MAC that came with it.
    Mac,
    /// The root certificate of servers.
    Roots,
    /// The client's certificate.
    Chain,
    /// The client's key.
    Key,
    /// The port of the server in the network.
    Port,
    /// A notification of the server in the network.
    Notification,
    /// A secret that is not wiped.
    Canary,
    /// Nothing; the card wants a session.
    Trigger,
    /// Nothing; a session is over.
    SessionOver,
    /// Nothing; the phone may be searched, its client is idle.
    Idle,
    /// Nothing; the phone may be searched, its client is gone.
    Over,
}

impl Want {
    fn from_number(number: u8) -> Self {
        use Want::*;
        [
            Apdu,
            Atr,
            CardPin,
            PushPin,
            Push,
            Mac,
            Roots,
            Chain,
            Key,
            Port,
            Notification,
            Canary,
            Trigger,
            SessionOver,
            Idle,
            Over,
        ][usize::from(number)]
    }
}

fn send(stream: &mut UnixStream, octets: &[u8]) -> Result<()> {
    stream.write_all(&(octets.len() as u32).to_be_bytes())?;
    stream.write_all(octets)
}

fn receive(stream: &mut UnixStream) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut octets = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut octets)?;
    Ok(octets)
}

/// The phone's side.
pub(crate) fn ask(stream: &mut UnixStream, want: Want, octets: &[u8]) -> Vec<u8> {
    stream.write_all(&[want as u8]).unwrap();
    send(stream, octets).unwrap();
    receive(stream).unwrap()
}

/// The other side: the next request; `None` when the phone's process has ended.
pub(crate) fn asked(stream: &mut UnixStream) -> Option<(Want, Vec<u8>)> {
    let mut want = [0];
    stream.read_exact(&mut want).ok()?;
    Some((Want::from_number(want[0]), receive(stream).ok()?))
}

pub(crate) fn answer(stream: &mut UnixStream, octets: &[u8]) {
    send(stream, octets).unwrap();
}
