//! The card behind a TCP port: one connection at a time, each a card session of its own. Frames are
//! those of vpcd, without control codes.

use super::{Observer, Power};
use crate::card::Card;
use std::io;
use std::net::{TcpListener, TcpStream};

/// Serves connections one after the other until the card is pulled.
pub fn serve(
    listener: &TcpListener,
    card: &mut Card,
    observer: &mut dyn Observer,
) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        // A terminal that breaks off in the middle of a frame ends its session, not the card.
        if let Ok(false) = serve_one(stream, card, observer) {
            return Ok(());
        }
    }
}

/// Serves one connection; false when the card was pulled.
pub fn serve_one(
    stream: TcpStream,
    card: &mut Card,
    observer: &mut dyn Observer,
) -> io::Result<bool> {
    super::power(card, Power::On, observer);
    let outcome = frames(stream, card, observer);
    super::power(card, Power::Off, observer);
    outcome
}

fn frames(mut stream: TcpStream, card: &mut Card, observer: &mut dyn Observer) -> io::Result<bool> {
    stream.set_nodelay(true)?;
    while let Some(command) = super::read_frame(&mut stream)? {
        if !super::exchange(&mut stream, card, &command, observer)? {
            return Ok(false);
        }
    }
    Ok(true)
}
