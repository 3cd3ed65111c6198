//! A server's answer, in pieces of the size that the first octet says, and what the client proves itself with behind it.

#![no_main]

use dmsc::error::Result;
use dmsc::random::Random;
use dmsc::secret::Secret;
use dmsc::transport::http::login::{Credentials, Login};
use dmsc::transport::http::{Exchange, Headers};
use dmsc::transport::{ByteStream, Moved};
use dmsc::url::Url;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

struct Server<'a> {
    answer: &'a [u8],
    piece: usize,
}

impl ByteStream for Server<'_> {
    fn read(&mut self, buffer: &mut [u8], _wait: Duration) -> Result<Moved> {
        let count = self.answer.len().min(self.piece).min(buffer.len());
        if count == 0 {
            return Ok(Moved::Closed);
        }
        let (now, later) = self.answer.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.answer = later;
        Ok(Moved::Octets(count))
    }

    fn write(&mut self, data: &[u8], _wait: Duration) -> Result<Moved> {
        Ok(Moved::Octets(data.len()))
    }

    fn close(&mut self) {}
}

/// The same octets each time.
struct Same;

impl Random for Same {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

/// What goes into the next request is one line, whatever the server has asked for.
fn prove(url: &Url, challenges: &[String]) {
    let (name, secret) = ("user".to_owned(), Secret::new("secret"));
    let mut login = Login::new(Credentials { name, secret, basic: true });
    let answers = login.challenged(url, challenges);
    let header = login.header(url, &mut Same);
    assert_eq!(header.is_some(), answers);
    assert!(header.is_none_or(|header| !header.contains(['\r', '\n', '\0'])));
}

const HEADERS: Headers<'_> =
    Headers { content_type: "a/b", accept: "a/b", user_agent: "fuzz", more: &[] };
const MAX_BODY: usize = 4096;

fuzz_target!(|octets: &[u8]| {
    let [piece, answer @ ..] = octets else { return };
    let url = Url::parse("http://127.0.0.1:8080/dm").unwrap();
    let mut exchange = Exchange::post(&url, &HEADERS, b"body", MAX_BODY).unwrap();
    let mut server = Server { answer, piece: usize::from(*piece) + 1 };
    for _ in 0..octets.len() + 8 {
        match exchange.poll(&mut server, Duration::ZERO, 0) {
            Ok(Some(response)) => {
                assert!(response.body.len() <= MAX_BODY);
                prove(&url, &response.challenges);
                if let Some(location) = response.location {
                    let _ = url.join(&location);
                }
                return;
            }
            Ok(None) => {}
            Err(_) => return,
        }
    }
    panic!("the exchange never ends");
});
