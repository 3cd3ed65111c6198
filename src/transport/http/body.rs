//! Bodies of responses: by length, chunked, or until the connection ends (RFC 9112 6 and 7.1).
//!
//! Owns the framing and its bounds. Must not know heads.

use super::head::Framing;
use crate::error::{Code, Error, Result};
use crate::limits::HTTP_HEAD;

/// Hexadecimal digits of a chunk's length that are read.
const MAX_DIGITS: usize = 16;

/// A body being read.
#[derive(Debug)]
pub(super) enum Body {
    /// So many octets are missing.
    Length(usize),
    /// In chunks.
    Chunked(Chunks),
    /// All there is.
    UntilClose,
}

impl Body {
    /// The body of an answer; `None` for the body of an error that is not worth reading.
    ///
    /// Fails with `TooLarge` when its length says so already.
    pub(super) fn new(framing: Framing, status: u16, max: usize) -> Result<Option<Self>> {
        let success = matches!(status, 200..=299);
        match framing {
            Framing::Length(length) => match usize::try_from(length) {
                Ok(length) if length <= max => Ok(Some(Self::Length(length))),
                _ if success => Err(too_large(max)),
                _ => Ok(None),
            },
            _ if !success => Ok(None),
            Framing::Chunked => Ok(Some(Self::Chunked(Chunks::new()))),
            Framing::UntilClose => Ok(Some(Self::UntilClose)),
        }
    }

    /// Moves what belongs to the body from `input` to `output`; true once it is whole.
    ///
    /// Fails with `TooLarge` or `Http`.
    pub(super) fn take(
        &mut self,
        input: &mut Vec<u8>,
        output: &mut Vec<u8>,
        max: usize,
    ) -> Result<bool> {
        match self {
            Self::Length(missing) => {
                let moved = input.len().min(*missing);
                output.extend(input.drain(..moved));
                *missing -= moved;
                Ok(*missing == 0)
            }
            Self::Chunked(chunks) => chunks.take(input, output, max),
            Self::UntilClose => {
                output.append(input);
                if output.len() > max { Err(too_large(max)) } else { Ok(false) }
            }
        }
    }
}

fn too_large(max: usize) -> Error {
    Error::new(Code::TooLarge, format!("HTTP answer: a body of more than {max} octets"))
}

/// The chunked coding.
#[derive(Debug)]
pub(super) struct Chunks {
    next: Next,
    /// Octets that extensions and trailers may still have.
    spare: usize,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Size,
    Data(usize),
    DataEnd,
    Trailer,
}

impl Chunks {
    fn new() -> Self {
        Self { next: Next::Size, spare: HTTP_HEAD }
    }

    fn take(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>, max: usize) -> Result<bool> {
        loop {
            match self.next {
                Next::Data(missing) => {
                    let moved = input.len().min(missing);
                    output.extend(input.drain(..moved));
                    if moved < missing {
                        self.next = Next::Data(missing - moved);
                        return Ok(false);
                    }
                    self.next = Next::DataEnd;
                }
                Next::DataEnd => match self.line(input)? {
                    None => return Ok(false),
                    Some(line) if line.is_empty() => self.next = Next::Size,
                    Some(_) => return Err(malformed("octets behind a chunk")),
                },
                Next::Size => {
                    let Some(line) = self.line(input)? else { return Ok(false) };
                    let size = self.size(&line)?;
                    if size > max.saturating_sub(output.len()) {
                        return Err(too_large(max));
                    }
                    self.next = if size == 0 { Next::Trailer } else { Next::Data(size) };
                }
                Next::Trailer => match self.line(input)? {
                    None => return Ok(false),
                    Some(line) if line.is_empty() => return Ok(true),
                    Some(line) => self.spend(line.len())?,
                },
            }
        }
    }

    /// Takes a line off `input`, without its CRLF.
    fn line(&self, input: &mut Vec<u8>) -> Result<Option<Vec<u8>>> {
        let Some(end) = input.iter().position(|octet| *octet == b'\n') else {
            if input.len() > self.spare + MAX_DIGITS + 1 {
                return Err(overlong());
            }
            return Ok(None);
        };
        let line: Vec<u8> = input.drain(..=end).collect();
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(Some(line.to_vec())),
            None => Err(malformed("a line of the chunked coding does not end in CRLF")),
        }
    }

    /// The length a chunk's line states; what follows the digits must be an extension.
    fn size(&mut self, line: &[u8]) -> Result<usize> {
        let digits = line.iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
        let (digits, extension) = line.split_at_checked(digits).unwrap_or_default();
        let blank = extension.trim_ascii_start();
        if !blank.is_empty() && !blank.starts_with(b";") {
            return Err(malformed("a chunk's length is followed by something else"));
        }
        self.spend(extension.len())?;
        let digits = std::str::from_utf8(digits).ok().filter(|text| text.len() <= MAX_DIGITS);
        digits
            .and_then(|text| usize::from_str_radix(text, 16).ok())
            .ok_or_else(|| malformed("a chunk without a length"))
    }

    fn spend(&mut self, octets: usize) -> Result<()> {
        match self.spare.checked_sub(octets) {
            Some(spare) => {
                self.spare = spare;
                Ok(())
            }
            None => Err(overlong()),
        }
    }
}

fn overlong() -> Error {
    Error::new(Code::TooLarge, "HTTP answer: chunk extensions or trailers are too long")
}

fn malformed(what: &'static str) -> Error {
    Error::new(Code::Http, format!("HTTP answer: {what}"))
}
