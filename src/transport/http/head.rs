//! Heads of requests and responses. The only file that knows the HTTP crate.
//!
//! The crate writes and parses heads and decides how a body ends. Bodies are read by
//! [`super::body`]: the crate's own reader refuses a chunk's line above 20 octets, which a short
//! extension reaches, and it logs the octets of the body.

use super::{Response, check_head};
use crate::error::{Code, Error, Result};
use crate::url::Url;
use std::fmt::Display;
use ureq_proto::BodyMode;
use ureq_proto::client::state::RecvResponse;
use ureq_proto::client::{Call, RecvResponseResult, SendRequestResult, header_raw};
use ureq_proto::http::{self, HeaderMap, Request, Version, header};

/// What the caller says in a request's head.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    /// Media type of the body.
    pub content_type: &'a str,
    /// Media types the answer may have, as the `Accept` header writes them.
    pub accept: &'a str,
    /// `User-Agent`.
    pub user_agent: &'a str,
    /// Further headers: `x-syncml-hmac`, `Accept-Charset`, `Authorization`, `Cookie`.
    pub more: &'a [(&'a str, &'a str)],
}

/// The head of a POST and the wait for its answer.
pub(super) fn request(url: &Url, headers: &Headers<'_>, body: usize) -> Result<(Vec<u8>, Waiting)> {
    let (host, length) = (url.authority(), body.to_string());
    let own = [
        ("Host", host.as_str()),
        ("User-Agent", headers.user_agent),
        ("Accept", headers.accept),
        ("Content-Type", headers.content_type),
        ("Content-Length", length.as_str()),
        ("Cache-Control", "no-store"),
        ("Connection", "keep-alive"),
    ];
    // Generous: separators, and the words of the first line.
    let mut room = url.path.len() + 64;
    let mut builder = Request::post(url.path.as_str());
    for (name, value) in own.iter().chain(headers.more) {
        // Names keep their usual case, for servers that compare it.
        builder = header_raw(builder, name, value.as_bytes());
        room += name.len() + value.len() + 4;
    }
    let request = builder.body(()).map_err(|error| invalid(&error))?;
    let (head, call) = send(request, room, body).map_err(|error| invalid(&error))?;
    let call = call.ok_or_else(|| invalid(&"a header asks for what is not done here"))?;
    Ok((head, Waiting { call: Some(call), octets: 0 }))
}

fn invalid(error: &dyn Display) -> Error {
    Error::new(Code::InvalidArg, format!("HTTP request: {error}"))
}

/// Drives the crate's machine past head and body; `None` where a header leads it elsewhere.
fn send(
    request: Request<()>,
    room: usize,
    body: usize,
) -> core::result::Result<(Vec<u8>, Option<Call<RecvResponse>>), ureq_proto::Error> {
    let mut call = Call::new(request)?.proceed();
    let mut head = vec![0; room];
    let written = call.write(&mut head)?;
    head.truncate(written);
    let call = match call.proceed()? {
        Some(SendRequestResult::RecvResponse(call)) => Some(call),
        Some(SendRequestResult::SendBody(mut call)) => {
            call.consume_direct_write(body)?;
            call.proceed()
        }
        _ => None,
    };
    Ok((head, call))
}

/// How the answer's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// A request that waits for the head of its answer.
pub(super) struct Waiting {
    /// `None` after the head.
    call: Option<Call<RecvResponse>>,
    /// Octets of interim answers so far.
    octets: usize,
}

impl Waiting {
    /// Takes the head off `input` when it is whole; interim answers (1xx) are dropped.
    pub(super) fn response(&mut self, input: &mut Vec<u8>) -> Result<Option<(Response, Framing)>> {
        let malformed = |what: &dyn Display| Error::new(Code::Http, format!("HTTP answer: {what}"));
        loop {
            let Some(call) = &mut self.call else {
                return Err(malformed(&"its head was read already"));
            };
            let (used, head) =
                call.try_response(input, false).map_err(|error| malformed(&error))?;
            check_head(self.octets + if used == 0 { input.len() } else { used })?;
            self.octets += used;
            input.drain(..used.min(input.len()));
            match head {
                Some(head) => {
                    let framing = self.framing();
                    let framing = framing.ok_or_else(|| malformed(&"no head"))?;
                    return Ok(Some((response(&head), framing)));
                }
                None if used == 0 => return Ok(None),
                None => {}
            }
        }
    }

    fn framing(&mut self) -> Option<Framing> {
        match self.call.take()?.proceed()? {
            RecvResponseResult::RecvBody(call) => Some(match call.body_mode() {
                BodyMode::NoBody => Framing::Length(0),
                BodyMode::LengthDelimited(length) => Framing::Length(length),
                BodyMode::Chunked => Framing::Chunked,
                BodyMode::CloseDelimited => Framing::UntilClose,
            }),
            _ => Some(Framing::Length(0)),
        }
    }
}

fn response(head: &http::Response<()>) -> Response {
    let headers = head.headers();
    Response {
        status: head.status().as_u16(),
        content_type: text(headers, "content-type"),
        hmac: text(headers, "x-syncml-hmac"),
        retry_after_s: text(headers, "retry-after").and_then(|seconds| seconds.parse().ok()),
        location: text(headers, "location"),
        challenges: texts(headers, header::WWW_AUTHENTICATE),
        cookies: texts(headers, header::SET_COOKIE),
        reusable: reusable(head),
        body: Vec::new(),
    }
}

/// The first header of this name, if it is UTF-8.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    std::str::from_utf8(value).ok().map(|text| text.trim().to_owned())
}

/// Each header of this name, if it is text.
fn texts(headers: &HeaderMap, name: header::HeaderName) -> Vec<String> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
}

/// RFC 9112 9.3: HTTP/1.1 keeps the connection unless told otherwise, 1.0 the other way round. An
/// answer with both kinds of length may be a trick (RFC 9112 6.3): it is read, but is the last.
fn reusable(head: &http::Response<()>) -> bool {
    let headers = head.headers();
    let says = |word: &str| {
        headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case(word))
    };
    let ambiguous = headers.contains_key(header::TRANSFER_ENCODING)
        && headers.contains_key(header::CONTENT_LENGTH);
    let keep = if head.version() == Version::HTTP_10 { says("keep-alive") } else { !says("close") };
    keep && !ambiguous && head.status().as_u16() != 101
}
