//! What the two processes say to each other: the name of what is wanted with octets, and octets back.

use std::io::{Read, Result, Write};
use std::os::unix::net::UnixStream;

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
pub(crate) fn ask(stream: &mut UnixStream, what: &str, octets: &[u8]) -> Vec<u8> {
    send(stream, what.as_bytes()).unwrap();
    send(stream, octets).unwrap();
    receive(stream).unwrap()
}

/// The other side: what is wanted; `None` when the phone's process has ended.
pub(crate) fn asked(stream: &mut UnixStream) -> Option<(String, Vec<u8>)> {
    let what = receive(stream).ok()?;
    Some((String::from_utf8(what).unwrap(), receive(stream).ok()?))
}

pub(crate) fn answer(stream: &mut UnixStream, octets: &[u8]) {
    send(stream, octets).unwrap();
}
