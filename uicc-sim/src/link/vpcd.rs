//! The card in a virtual PC/SC reader: a TCP client of vpcd.

use super::{Observer, Power};
use crate::card::Card;
use std::io::{self, Read};
use std::net::{TcpStream, ToSocketAddrs};

/// Control codes: a frame of one octet.
const OFF: u8 = 0;
const ON: u8 = 1;
const RESET: u8 = 2;
const ATR: u8 = 4;

/// Connects to a vpcd reader.
pub fn connect(reader: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(reader)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Serves the reader until it hangs up or the card is pulled.
pub fn serve(stream: TcpStream, card: &mut Card, observer: &mut dyn Observer) -> io::Result<()> {
    let mut reader = Prompt(&stream);
    let mut writer = &stream;
    while let Some(frame) = super::read_frame(&mut reader)? {
        match frame[..] {
            [OFF] => super::power(card, Power::Off, observer),
            [ON] => super::power(card, Power::On, observer),
            [RESET] => super::power(card, Power::Reset, observer),
            [ATR] => super::write_frame(&mut writer, card.atr())?,
            _ => {
                if !super::exchange(&mut writer, card, &frame, observer)? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// A stream that acknowledges at once. vpcd sends length and octets in two segments, and would wait
/// 40 ms for the delayed acknowledgement of the first one.
struct Prompt<'a>(&'a TcpStream);

impl Read for Prompt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        acknowledge_quickly(self.0)?;
        (&mut &*self.0).read(buffer)
    }
}

#[cfg(target_os = "linux")]
use crate::capi::acknowledge_quickly;

#[cfg(not(target_os = "linux"))]
fn acknowledge_quickly(_stream: &TcpStream) -> io::Result<()> {
    Ok(())
}
