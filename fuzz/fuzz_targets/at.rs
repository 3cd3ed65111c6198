//! A modem that says anything: whatever comes, the transport comes to an end, and gives an APDU or an error.

#![no_main]

use dmsc::card::at::{AtPort, AtTransport, Options};
use dmsc::card::transport::CardTransport;
use dmsc::error::{Code, Error, Result};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

/// Says one part after the other, one behind each command. Who waits for more than there is, is told at once that
/// the port has failed.
struct Parrot {
    parts: Vec<Vec<u8>>,
    was_silent: bool,
}

impl AtPort for Parrot {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> Result<usize> {
        let part: &mut Vec<u8> = self.parts.last_mut().ok_or_else(failed)?;
        let length = buffer.len().min(part.len());
        buffer[..length].copy_from_slice(&part[..length]);
        part.drain(..length);
        if length == 0 && std::mem::replace(&mut self.was_silent, true) {
            return Err(failed());
        }
        Ok(length)
    }

    fn write(&mut self, _: &[u8]) -> Result<()> {
        self.parts.pop();
        self.was_silent = false;
        Ok(())
    }
}

fn failed() -> Error {
    Error::new(Code::CardTransmit, "nothing more comes")
}

fuzz_target!(|octets: &[u8]| {
    let mut parts: Vec<Vec<u8>> = octets.split(|octet| *octet == 0).map(<[u8]>::to_vec).collect();
    parts.push(Vec::new());
    parts.reverse();
    let port = Box::new(Parrot { parts, was_silent: false });
    let Ok(mut modem) = AtTransport::open(port, Options::default()) else { return };
    for command in [&b"\x00\xA4\x00\x04\x02\x2F\xE2\x00"[..], b"\x00\xB0\x00\x00\x0A"] {
        if let Ok(answer) = modem.transmit(command) {
            assert!(answer.len() >= 2);
        }
    }
    if let Ok(channel) = modem.open_channel(b"\xA0\x00\x00\x00\x63PKCS-15") {
        let _ = modem.transmit(b"\x00\xB0\x00\x00\x00");
        let _ = modem.close_channel(channel);
    }
});
