//! The card on lines of text: a command APDU in hexadecimal in, the response APDU out.

use super::{Observer, Power};
use crate::card::Card;
use crate::hex;
use std::io::{self, BufRead, Write};

/// Longest line taken, octets; an APDU in short coding has far fewer.
const MAX_LINE: u64 = 4096;

/// Serves `input` until it ends or the card is pulled.
///
/// A line is an APDU, `reset` (answered with the ATR), or a remark (`#`; empty lines count as one).
/// What cannot be carried out is answered with a line that begins with `!`.
pub fn serve(
    mut input: impl BufRead,
    mut output: impl Write,
    card: &mut Card,
    observer: &mut dyn Observer,
) -> io::Result<()> {
    super::power(card, Power::On, observer);
    let mut line = String::new();
    loop {
        line.clear();
        let read = io::Read::take(&mut input, MAX_LINE).read_line(&mut line)?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let answer = if text == "reset" {
            super::power(card, Power::Reset, observer);
            hex::encode(card.atr())
        } else {
            match hex::decode(text) {
                Err(problem) => format!("! {problem}"),
                Ok(command) => match card.transmit(&command) {
                    Ok(response) => {
                        observer.exchanged(card, &command, &response);
                        hex::encode(&response)
                    }
                    Err(gone) => {
                        writeln!(output, "! {gone}")?;
                        observer.removed(card);
                        return output.flush();
                    }
                },
            }
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    super::power(card, Power::Off, observer);
    Ok(())
}
