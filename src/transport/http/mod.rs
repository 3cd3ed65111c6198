//! One HTTP/1.1 POST and its answer, over any [`ByteStream`].
//!
//! Owns the exchange: what goes out, when the answer is whole, when the server is too slow. Heads
//! are `head`'s, the framing of bodies `body`'s; what a whole session keeps is in `cookies`, where it may
//! be sent in `redirect`; how the client proves itself in `login`. Must not know what a message is, nor open a connection.

mod body;
mod challenge;
pub mod cookies;
mod head;
pub mod login;
pub mod redirect;

pub use head::Headers;

use super::{ByteStream, Moved};
use crate::error::{Code, Error, Result};
use crate::limits::{HTTP_HEAD, HTTP_SILENCE_MS};
use crate::url::Url;
use body::Body;
use head::Waiting;
use std::fmt;
use std::time::Duration;

/// Octets asked for in one read.
const READ: usize = 2048;

/// The server's answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code; only 200 and 204 are success for a DM session.
    pub status: u16,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// `x-syncml-hmac` as sent.
    pub hmac: Option<String>,
    /// `Retry-After`, if it is a number of seconds.
    pub retry_after_s: Option<u32>,
    /// `Location` as sent.
    pub location: Option<String>,
    /// Each `WWW-Authenticate` as sent.
    pub challenges: Vec<String>,
    /// Each `Set-Cookie` as sent.
    pub cookies: Vec<String>,
    /// True if the connection may carry another request.
    pub reusable: bool,
    /// The entity after transfer decoding. Empty for an error whose body is too large or has no
    /// stated length: then the connection is not reusable either.
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("reusable", &self.reusable)
            .field("body_octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A POST on its way. Call [`poll`](Self::poll) until it returns the answer or fails.
pub struct Exchange {
    /// Head and body of the request, and how much of them is sent.
    request: Vec<u8>,
    sent: usize,
    /// Octets sent and received.
    moved: usize,
    /// Received and not yet used.
    input: Vec<u8>,
    stage: Stage,
    max_body: usize,
    heard: bool,
    /// When an octet moved last; unknown before the first poll.
    last_ms: Option<u64>,
}

/// Where the answer is.
enum Stage {
    Head(Waiting),
    Body(Response, Body),
    Done,
}

impl Exchange {
    /// Prepares a POST of `body` to `url`. The answer's body may have `max_body` octets.
    ///
    /// Fails with `InvalidArg` when a header cannot be sent.
    pub fn post(url: &Url, headers: &Headers<'_>, body: &[u8], max_body: usize) -> Result<Self> {
        let (mut request, waiting) = head::request(url, headers, body.len())?;
        request.extend_from_slice(body);
        Ok(Self {
            request,
            sent: 0,
            moved: 0,
            input: Vec::new(),
            stage: Stage::Head(waiting),
            max_body,
            heard: false,
            last_ms: None,
        })
    }

    /// Moves what can be moved, waiting for `wait` at most; `now_ms` is the monotonic clock.
    ///
    /// Returns `None` while the answer is not whole. Fails with `Timeout` after
    /// [`HTTP_SILENCE_MS`] without an octet, `Http` for an answer that is none, `TooLarge` for one
    /// beyond the limits, `Io` when the connection ends early, `State` after the answer.
    pub fn poll(
        &mut self,
        stream: &mut dyn ByteStream,
        wait: Duration,
        now_ms: u64,
    ) -> Result<Option<Response>> {
        if matches!(self.stage, Stage::Done) {
            return Err(over());
        }
        let mut wait = Some(wait).filter(|wait| !wait.is_zero());
        let mut last_ms = *self.last_ms.get_or_insert(now_ms);
        loop {
            let mut moved = self.step(stream, Duration::ZERO)?;
            if moved == Moved::NotYet
                && let Some(wait) = wait.take()
            {
                moved = self.step(stream, wait)?;
            }
            match moved {
                Moved::Octets(octets) => {
                    last_ms = now_ms;
                    self.moved += octets;
                }
                Moved::NotYet if now_ms.saturating_sub(last_ms) >= HTTP_SILENCE_MS => {
                    return Err(Error::new(Code::Timeout, "HTTP: the server is silent"));
                }
                Moved::NotYet => break,
                Moved::Closed => return self.closed().map(Some),
            }
            if let Some(response) = self.advance()? {
                return Ok(Some(response));
            }
        }
        self.last_ms = Some(last_ms);
        Ok(None)
    }

    /// Octets sent and received so far.
    pub fn moved(&self) -> usize {
        self.moved
    }

    /// True once an octet of the answer came. A request that failed unheard on a connection used
    /// before has probably met a server that closed it meanwhile, and may be sent anew.
    pub fn heard(&self) -> bool {
        self.heard
    }

    /// When silence becomes a failure, on the monotonic clock; `None` before the first poll.
    pub fn deadline(&self) -> Option<u64> {
        self.last_ms.map(|last| last + HTTP_SILENCE_MS)
    }

    /// One write while there is something to send, else one read.
    fn step(&mut self, stream: &mut dyn ByteStream, wait: Duration) -> Result<Moved> {
        if let Some(rest) = self.request.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let moved = stream.write(rest, wait)?;
            if let Moved::Octets(octets) = moved {
                self.sent += octets;
            }
            return Ok(moved);
        }
        let mut buffer = [0; READ];
        let moved = stream.read(&mut buffer, wait)?;
        if let Moved::Octets(octets) = moved {
            self.heard = true;
            self.input.extend_from_slice(buffer.get(..octets).unwrap_or_default());
        }
        Ok(moved)
    }

    /// Uses the input as far as it goes.
    fn advance(&mut self) -> Result<Option<Response>> {
        if let Stage::Head(waiting) = &mut self.stage {
            let Some((response, framing)) = waiting.response(&mut self.input)? else {
                return Ok(None);
            };
            self.stage = match Body::new(framing, response.status, self.max_body)? {
                Some(body) => Stage::Body(response, body),
                None => {
                    self.stage = Stage::Done;
                    return Ok(Some(Response { reusable: false, ..response }));
                }
            };
        }
        match &mut self.stage {
            Stage::Body(response, body) => {
                if body.take(&mut self.input, &mut response.body, self.max_body)? {
                    return self.finish().map(Some);
                }
                Ok(None)
            }
            Stage::Head(_) | Stage::Done => Ok(None),
        }
    }

    /// The stream's end: the end of a body that has no other, else a failure.
    fn closed(&mut self) -> Result<Response> {
        match &self.stage {
            Stage::Body(_, Body::UntilClose) => self.finish(),
            _ => Err(Error::new(Code::Io, "HTTP: the server closed before its answer was whole")),
        }
    }

    fn finish(&mut self) -> Result<Response> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Body(mut response, body) => {
                let surplus = !self.input.is_empty();
                response.reusable &= !surplus && !matches!(body, Body::UntilClose);
                Ok(response)
            }
            _ => Err(over()),
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("sent", &format_args!("{}/{}", self.sent, self.request.len()))
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}

fn over() -> Error {
    Error::new(Code::State, "HTTP: the exchange is over")
}

/// Fails when `octets` of a head are too many.
fn check_head(octets: usize) -> Result<()> {
    if octets > HTTP_HEAD {
        return Err(Error::new(Code::TooLarge, format!("HTTP: a head of more than {HTTP_HEAD}")));
    }
    Ok(())
}
