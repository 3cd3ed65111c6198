//! How a terminal reaches the card: a vpcd reader, a TCP socket, or lines of text. Knows APDUs only
//! as octets.

pub mod stdio;
pub mod tcp;
pub mod vpcd;

use crate::card::Card;
use std::io::{self, Read, Write};

/// What a reader does with the card's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Power on: the card starts.
    On,
    /// Reset without loss of power.
    Reset,
    /// Power off.
    Off,
}

/// Somebody who watches a link; every method has an empty default.
pub trait Observer {
    /// A command was carried out.
    fn exchanged(&mut self, _card: &Card, _command: &[u8], _response: &[u8]) {}
    /// The power changed.
    fn powered(&mut self, _card: &Card, _power: Power) {}
    /// The card was pulled; the link ends.
    fn removed(&mut self, _card: &Card) {}
}

/// Watches nothing.
impl Observer for () {}

/// Writes one frame: length in two octets, the octets. In one call, so that it leaves in one segment.
fn write_frame(stream: &mut impl Write, octets: &[u8]) -> io::Result<()> {
    let length = u16::try_from(octets.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "more than 65535 octets"))?;
    stream.write_all(&[&length.to_be_bytes(), octets].concat())
}

/// Reads one frame; none when the other side has ended the link between frames.
fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 2];
    match stream.read(&mut head)? {
        0 => return Ok(None),
        1 => stream.read_exact(&mut head[1..])?,
        _ => {}
    }
    let mut octets = vec![0; usize::from(u16::from_be_bytes(head))];
    stream.read_exact(&mut octets)?;
    Ok(Some(octets))
}

/// Carries out one command for a link; false when the card is gone.
fn exchange(
    stream: &mut impl Write,
    card: &mut Card,
    command: &[u8],
    observer: &mut dyn Observer,
) -> io::Result<bool> {
    let Ok(response) = card.transmit(command) else {
        observer.removed(card);
        return Ok(false);
    };
    observer.exchanged(card, command, &response);
    std::thread::sleep(card.pace());
    if response.is_empty() {
        // A card that is mute: the reader waits.
        return Ok(true);
    }
    write_frame(stream, &response)?;
    Ok(true)
}

/// Changes the card's power for a link.
fn power(card: &mut Card, power: Power, observer: &mut dyn Observer) {
    match power {
        Power::On | Power::Reset => card.reset(),
        Power::Off => card.power_off(),
    }
    observer.powered(card, power);
}
