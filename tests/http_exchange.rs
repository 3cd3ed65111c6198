//! The HTTP exchange over a stream that delivers octets in pieces of any size.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

use dmsc::error::{Code, Error, Result};
use dmsc::limits::{HTTP_HEAD, HTTP_SILENCE_MS};
use dmsc::transport::http::redirect;
use dmsc::transport::http::{Exchange, Headers, Response};
use dmsc::transport::tcp::TcpStream;
use dmsc::transport::{ByteStream, Moved};
use dmsc::url::Url;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

/// A server that answers what it was told to, in the pieces it was told to.
#[derive(Default)]
struct Script {
    /// Octets of each read; an empty one stands for "not yet".
    reads: VecDeque<Vec<u8>>,
    /// After the reads: closed, or silent.
    closes: bool,
    /// Octets one write takes at most; 0 stands for all.
    write_piece: usize,
    written: Vec<u8>,
    waits: Vec<Duration>,
}

impl Script {
    fn whole(answer: &[u8]) -> Self {
        Self { reads: VecDeque::from([answer.to_vec()]), ..Self::default() }
    }
}

impl ByteStream for Script {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Moved> {
        self.waits.push(wait);
        match self.reads.pop_front() {
            None if self.closes => Ok(Moved::Closed),
            None => Ok(Moved::NotYet),
            Some(piece) if piece.is_empty() => Ok(Moved::NotYet),
            Some(mut piece) => {
                let moved = piece.len().min(buffer.len());
                buffer[..moved].copy_from_slice(&piece[..moved]);
                if moved < piece.len() {
                    self.reads.push_front(piece.split_off(moved));
                }
                Ok(Moved::Octets(moved))
            }
        }
    }

    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved> {
        self.waits.push(wait);
        let moved = if self.write_piece == 0 { data.len() } else { self.write_piece };
        let moved = moved.min(data.len());
        self.written.extend_from_slice(&data[..moved]);
        Ok(Moved::Octets(moved))
    }

    fn close(&mut self) {}
}

const MEDIA: &str = "application/vnd.syncml.dm+wbxml";
const MAX: usize = 5120;
const WAIT: Duration = Duration::from_millis(50);

fn exchange_with(more: &[(&str, &str)]) -> Exchange {
    let url = Url::parse("http://127.0.0.1:3516/dm?sid=1").unwrap();
    let headers = Headers { content_type: MEDIA, accept: MEDIA, user_agent: "libdmsc/0.1", more };
    Exchange::post(&url, &headers, b"request", MAX).unwrap()
}

fn exchange() -> Exchange {
    exchange_with(&[])
}

/// Polls until something comes of it.
fn run(mut exchange: Exchange, stream: &mut Script) -> Result<Response> {
    for now_ms in 0..20_000 {
        if let Some(response) = exchange.poll(stream, WAIT, now_ms)? {
            return Ok(response);
        }
    }
    panic!("the exchange neither ends nor fails");
}

fn answer(octets: &[u8]) -> Result<Response> {
    let mut stream = Script { closes: true, ..Script::whole(octets) };
    run(exchange(), &mut stream)
}

fn code(result: Result<Response>) -> Code {
    result.expect_err("refused").code()
}

#[test]
fn sc_124_the_request() {
    let hmac = r#"algorithm=MD5, username="com.example.sc", mac=cJKyuAjHJ7ky5tMQmrfBTQ=="#;
    let mut stream = Script::whole(b"HTTP/1.1 204 No Content\r\n\r\n");
    run(exchange_with(&[("x-syncml-hmac", hmac)]), &mut stream).unwrap();
    let request = String::from_utf8(stream.written).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "request");
    assert!(head.len() + 4 <= 400, "{} octets", head.len() + 4);
    assert_eq!(
        head.split("\r\n").collect::<Vec<_>>(),
        [
            "POST /dm?sid=1 HTTP/1.1",
            "Host: 127.0.0.1:3516",
            "User-Agent: libdmsc/0.1",
            "Accept: application/vnd.syncml.dm+wbxml",
            "Content-Type: application/vnd.syncml.dm+wbxml",
            "Content-Length: 7",
            "Cache-Control: no-store",
            "Connection: keep-alive",
            &format!("x-syncml-hmac: {hmac}"),
        ]
    );
}

#[test]
fn an_empty_request_body_is_sent_as_such() {
    let url = Url::parse("https://dm.example.com/").unwrap();
    let headers = Headers { content_type: MEDIA, accept: MEDIA, user_agent: "x", more: &[] };
    let mut stream = Script::whole(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    run(Exchange::post(&url, &headers, b"", MAX).unwrap(), &mut stream).unwrap();
    let request = String::from_utf8(stream.written).unwrap();
    assert!(request.contains("\r\nHost: dm.example.com\r\n"), "{request}");
    assert!(request.contains("\r\nContent-Length: 0\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n"), "{request}");
}

#[test]
fn headers_that_cannot_be_sent_are_refused() {
    let url = Url::parse("http://a/").unwrap();
    for more in [("X-A", "b\r\nX-C: d"), ("X A", "b"), ("Expect", "100-continue")] {
        let more = [more];
        let headers = Headers { content_type: MEDIA, accept: MEDIA, user_agent: "x", more: &more };
        let error = Exchange::post(&url, &headers, b"x", MAX).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArg, "{more:?}");
    }
}

#[test]
fn answer_with_length_and_every_header_of_interest() {
    let response = answer(
        b"HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=1A2B; Path=/\r\ncontent-type: \
          application/vnd.syncml.dm+wbxml; charset=UTF-8\r\nX-SyncML-HMAC: algorithm=MD5, \
          username=\"s\", mac=abc==\r\nset-cookie: AWSALB=x\r\nset-cookie: Expires\r\n\
          Content-Length: 5\r\n\r\nhello",
    )
    .unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"hello"[..]));
    assert_eq!(
        response.content_type.as_deref(),
        Some("application/vnd.syncml.dm+wbxml; charset=UTF-8")
    );
    assert_eq!(response.hmac.as_deref(), Some("algorithm=MD5, username=\"s\", mac=abc=="));
    assert_eq!(response.cookies, ["JSESSIONID=1A2B; Path=/", "AWSALB=x", "Expires"]);
    assert!(response.reusable);
    assert_eq!((response.location, response.retry_after_s), (None, None));
    assert!(response.challenges.is_empty());
}

fn redirected(from: &str, status: u16, location: &str) -> Result<Option<String>> {
    let head =
        format!("HTTP/1.1 {status} Moved\r\n{location}Content-Length: 0\r\n\r\n").into_bytes();
    let to = redirect::target(&Url::parse(from).unwrap(), &answer(&head).unwrap())?;
    Ok(to.map(|url| url.to_string()))
}

#[test]
fn sc_127_a_redirect_stays_with_its_server() {
    const FROM: &str = "http://dm.example/dm?a=1";
    for (location, to) in [
        ("/other?b=2", "http://dm.example/other?b=2"),
        ("http://DM.example/x", "http://dm.example/x"),
        ("https://dm.example/x", "https://dm.example/x"),
    ] {
        for status in [301, 302, 307, 308] {
            let done = redirected(FROM, status, &format!("Location: {location}\r\n"));
            assert_eq!(done, Ok(Some(to.to_owned())));
        }
        // See Other asks for a GET, which is no DM message.
        assert_eq!(redirected(FROM, 303, &format!("Location: {location}\r\n")), Ok(None));
    }
    for (from, location, why) in [
        (FROM, "Location: http://evil.example/dm\r\n", "the server redirects to another host"),
        (
            FROM,
            "Location: //evil.example/dm\r\n",
            "the server redirects wrongly: URL: not absolute",
        ),
        (FROM, "Location: http://dm.example:81/dm\r\n", "the server redirects to another port"),
        (FROM, "", "the server redirects to nowhere"),
        (
            "https://dm.example/dm",
            "Location: http://dm.example/dm\r\n",
            "the server redirects from https to http",
        ),
    ] {
        let error = redirected(from, 307, location).unwrap_err();
        assert_eq!((error.code(), error.http_status), (Code::Http, 307));
        assert_eq!(error.what(), why);
    }
}

#[test]
fn sc_125_chunked_with_extensions_and_trailers() {
    let response = answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
          4;name=value\r\nabcd\r\n\
          0000A ; signature=\"0123456789ABCDEF0123456789ABCDEF\"\r\n0123456789\r\n\
          0;last\r\nX-Checksum: 12345\r\nExpires: never\r\n\r\n",
    )
    .unwrap();
    assert_eq!(response.body, b"abcd0123456789");
    assert!(response.reusable);
}

#[test]
fn sc_126_answer_until_close() {
    let response = answer(b"HTTP/1.1 200 OK\r\n\r\nall of it").unwrap();
    assert_eq!((response.body.as_slice(), response.reusable), (&b"all of it"[..], false));
    let response = answer(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
    assert_eq!((response.body.as_slice(), response.reusable), (&b""[..], false));
}

#[test]
fn sc_128_thirty_seconds_of_silence() {
    let mut stream = Script::default();
    let mut exchange = exchange();
    assert_eq!(exchange.deadline(), None);
    assert_eq!(exchange.poll(&mut stream, WAIT, 1000), Ok(None));
    assert_eq!(exchange.deadline(), Some(1000 + HTTP_SILENCE_MS));
    assert!(!exchange.heard());
    assert_eq!(exchange.poll(&mut stream, WAIT, 999 + HTTP_SILENCE_MS), Ok(None));
    let error = exchange.poll(&mut stream, WAIT, 1000 + HTTP_SILENCE_MS).unwrap_err();
    assert_eq!(error.code(), Code::Timeout);
}

#[test]
fn one_octet_starts_the_silence_anew() {
    let mut stream = Script::default();
    let mut exchange = exchange();
    assert_eq!(exchange.poll(&mut stream, WAIT, 0), Ok(None));
    stream.reads.push_back(b"H".to_vec());
    assert_eq!(exchange.poll(&mut stream, WAIT, HTTP_SILENCE_MS), Ok(None));
    assert!(exchange.heard());
    assert_eq!(exchange.deadline(), Some(2 * HTTP_SILENCE_MS));
    assert_eq!(exchange.poll(&mut stream, WAIT, 2 * HTTP_SILENCE_MS - 1), Ok(None));
    let late = exchange.poll(&mut stream, WAIT, 2 * HTTP_SILENCE_MS).unwrap_err();
    assert_eq!(late.code(), Code::Timeout);
}

#[test]
fn a_poll_waits_once() {
    let mut stream = Script::default();
    for piece in [&b"HTT"[..], b"", b"", b"P/1.1 204 N\r\n", b""] {
        stream.reads.push_back(piece.to_vec());
    }
    assert_eq!(exchange().poll(&mut stream, WAIT, 0), Ok(None));
    // The request, a piece, nothing, the one wait without result.
    assert_eq!(stream.waits, [Duration::ZERO, Duration::ZERO, Duration::ZERO, WAIT]);
    stream.waits.clear();
    let mut stream = Script::default();
    assert_eq!(exchange().poll(&mut stream, Duration::ZERO, 0), Ok(None));
    assert_eq!(stream.waits, [Duration::ZERO, Duration::ZERO]);
}

#[test]
fn errors_are_returned_to_the_caller() {
    let response = answer(
        b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 4\r\nConnection: \
          Keep-Alive, Close\r\n\r\nwait",
    )
    .unwrap();
    assert_eq!((response.status, response.retry_after_s), (503, Some(120)));
    assert_eq!((response.body.as_slice(), response.reusable), (&b"wait"[..], false));
    let response = answer(
        b"HTTP/1.1 302 Found\r\nLocation: http://other/\r\nRetry-After: Fri, 31 Dec 1999 \
          23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
    )
    .unwrap();
    assert_eq!(response.location.as_deref(), Some("http://other/"));
    assert_eq!((response.retry_after_s, response.reusable), (None, true));
    let response = answer(
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"dm\"\r\nContent-Length: 0\r\n\r\n",
    )
    .unwrap();
    assert_eq!(response.challenges, ["Basic realm=\"dm\""]);
}

#[test]
fn bodies_of_errors_are_not_waited_for() {
    for rest in
        ["Transfer-Encoding: chunked\r\n\r\n5\r\nhe", "\r\n<html>", "Content-Length: 99999\r\n\r\n"]
    {
        let mut stream = Script::whole(format!("HTTP/1.1 404 No\r\n{rest}").as_bytes());
        let response = run(exchange(), &mut stream).unwrap();
        assert_eq!((response.status, response.body.len(), response.reusable), (404, 0, false));
    }
}

#[test]
fn interim_answers_are_skipped() {
    let response = answer(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
          HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"ok"[..]));
    let mut endless = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    endless.extend_from_slice(b"HTTP/1.1 204 N\r\n\r\n");
    assert_eq!(code(answer(&endless)), Code::TooLarge);
}

#[test]
fn when_a_connection_may_be_used_again() {
    for (head, reusable) in [
        ("HTTP/1.1 200 O\r\nContent-Length: 1\r\n\r\nx", true),
        ("HTTP/1.1 200 O\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", false),
        ("HTTP/1.0 200 O\r\nContent-Length: 1\r\n\r\nx", false),
        ("HTTP/1.0 200 O\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx", true),
        ("HTTP/1.1 200 O\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200", false),
        (
            "HTTP/1.1 200 O\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            false,
        ),
    ] {
        assert_eq!(answer(head.as_bytes()).unwrap().reusable, reusable, "{head}");
    }
}

#[test]
fn the_exchange_ends_with_its_answer() {
    let mut stream = Script::whole(b"HTTP/1.1 204 N\r\n\r\n");
    let mut exchange = exchange();
    assert!(exchange.poll(&mut stream, WAIT, 0).unwrap().is_some());
    assert_eq!(exchange.poll(&mut stream, WAIT, 0).unwrap_err().code(), Code::State);
}

#[test]
fn a_server_that_closes_early() {
    for octets in [
        "",
        "HTTP/1.1 200 OK\r\nConte",
        "HTTP/1.1 200 O\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 O\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 O\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let mut stream = Script { closes: true, ..Script::whole(octets.as_bytes()) };
        if octets.is_empty() {
            stream.reads.clear();
        }
        let mut exchange = exchange();
        let error = exchange.poll(&mut stream, WAIT, 0).unwrap_err();
        assert_eq!(error.code(), Code::Io, "{octets:?}");
        assert_eq!(exchange.heard(), !octets.is_empty());
    }
}

#[test]
fn hostile_heads() {
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    for head in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        &format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
    ] {
        assert_eq!(code(answer(head.as_bytes())), Code::Http, "{head}");
    }
}

#[test]
fn the_head_is_limited() {
    let head = |fill: usize| {
        format!("HTTP/1.1 204 N\r\nX: {}\r\n\r\n", "y".repeat(fill - 23)).into_bytes()
    };
    assert_eq!(head(HTTP_HEAD).len(), HTTP_HEAD);
    assert_eq!(answer(&head(HTTP_HEAD)).unwrap().status, 204);
    assert_eq!(code(answer(&head(HTTP_HEAD + 1))), Code::TooLarge);
    let mut endless = Script { closes: true, ..Script::whole(&vec![b'y'; HTTP_HEAD + 1]) };
    endless.reads.push_front(b"HTTP/1.1 204 N\r\nX: ".to_vec());
    assert_eq!(code(run(exchange(), &mut endless)), Code::TooLarge);
}

#[test]
fn the_body_is_limited() {
    let full = "x".repeat(MAX);
    let ways: [fn(&str) -> String; 3] = [
        |body| format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        |body| format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        |body| format!("\r\n{body}"),
    ];
    for way in ways {
        let fits = format!("HTTP/1.1 200 OK\r\n{}", way(&full));
        assert_eq!(answer(fits.as_bytes()).unwrap().body.len(), MAX);
        let too_large = format!("HTTP/1.1 200 OK\r\n{}", way(&format!("{full}x")));
        assert_eq!(code(answer(too_large.as_bytes())), Code::TooLarge, "{}", &too_large[..60]);
    }
}

#[test]
fn hostile_chunks() {
    let long = "e".repeat(HTTP_HEAD + 32);
    for (chunks, expected) in [
        ("x\r\n", Code::Http),
        ("\r\n", Code::Http),
        ("-1\r\n", Code::Http),
        ("+1\r\nx\r\n", Code::Http),
        ("1 1\r\n", Code::Http),
        ("1\nx\r\n", Code::Http),
        ("1\r\nxy\r\n", Code::Http),
        ("00000000000000001\r\nx\r\n0\r\n\r\n", Code::Http),
        ("ffffffffffffffff\r\n", Code::TooLarge),
        (&format!("1;{long}\r\nx\r\n"), Code::TooLarge),
        (&format!("1;{long}"), Code::TooLarge),
        (&format!("0\r\n{long}\r\n\r\n"), Code::TooLarge),
        (&format!("0\r\n{}\r\n", "A: b\r\n".repeat(2000)), Code::TooLarge),
    ] {
        let octets = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(code(answer(octets.as_bytes())), expected, "{chunks:.40}");
    }
}

/// Cuts `octets` at the given places, with pauses between the pieces.
fn pieces(octets: &[u8], cuts: &[usize]) -> VecDeque<Vec<u8>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (octets.len() + 1)).collect();
    places.extend([0, octets.len()]);
    places.sort_unstable();
    let piece = |pair: &[usize]| [octets[pair[0]..pair[1]].to_vec(), Vec::new()];
    places.windows(2).flat_map(piece).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_answer(
        body in prop::collection::vec(any::<u8>(), 0..600),
        way in 0..3usize,
        chunk in 1..200usize,
        cuts in prop::collection::vec(any::<usize>(), 0..40),
        write_piece in 1..100usize,
    ) {
        let mut octets = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n".to_vec();
        match way {
            0 => octets.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes()),
            1 => octets.extend(b"Transfer-Encoding: chunked\r\n\r\n"),
            _ => octets.extend(b"\r\n"),
        }
        if way == 1 {
            for part in body.chunks(chunk) {
                octets.extend(format!("{:X};a=b\r\n", part.len()).bytes());
                octets.extend(part);
                octets.extend(b"\r\n");
            }
            octets.extend(b"0\r\nA: b\r\n\r\n");
        } else {
            octets.extend(&body);
        }
        let reads = pieces(&octets, &cuts);
        let mut stream = Script { reads, closes: way == 2, write_piece, ..Script::default() };
        let response = run(exchange(), &mut stream).unwrap();
        prop_assert_eq!(response.body, body);
        prop_assert_eq!(response.reusable, way != 2);
        prop_assert!(stream.written.ends_with(b"\r\n\r\nrequest"));
    }

    #[test]
    fn no_answer_panics(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = answer(&octets);
        let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        chunked.extend(&octets);
        let _ = answer(&chunked);
        let mut headers = b"HTTP/1.1 200 OK\r\n".to_vec();
        headers.extend(&octets);
        headers.extend(b"\r\n\r\n");
        let _ = answer(&headers);
    }

    #[test]
    fn every_url_that_parses_can_be_posted_to(path in "[ -~]{0,40}") {
        if let Ok(url) = Url::parse(&format!("http://a:81/{path}")) {
            let headers =
                Headers { content_type: MEDIA, accept: MEDIA, user_agent: "x", more: &[] };
            let mut stream = Script::whole(b"HTTP/1.1 204 N\r\n\r\n");
            run(Exchange::post(&url, &headers, b"", MAX).unwrap(), &mut stream).unwrap();
            let line = format!("POST /{path} HTTP/1.1\r\n");
            prop_assert!(stream.written.starts_with(line.as_bytes()));
        }
    }
}

#[test]
fn over_a_real_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 512];
        while !request.ends_with(b"request") {
            let octets = socket.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..octets]);
        }
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer").unwrap();
        request
    });
    let mut stream = TcpStream::connect("127.0.0.1", port, Duration::from_secs(5)).unwrap();
    let mut exchange = exchange();
    let response = (0..600)
        .find_map(|_| exchange.poll(&mut stream, WAIT, 0).transpose())
        .expect("an answer within thirty seconds")
        .unwrap();
    assert_eq!(response.body, b"answer");
    assert!(server.join().unwrap().starts_with(b"POST /dm?sid=1 HTTP/1.1\r\nHost: "));
}

#[test]
fn a_broken_stream_breaks_the_exchange() {
    struct Broken;
    impl ByteStream for Broken {
        fn read(&mut self, _: &mut [u8], _: Duration) -> Result<Moved> {
            Err(Error::new(Code::Io, "reset"))
        }
        fn write(&mut self, _: &[u8], _: Duration) -> Result<Moved> {
            Err(Error::new(Code::Io, "reset"))
        }
        fn close(&mut self) {}
    }
    assert_eq!(exchange().poll(&mut Broken, WAIT, 0).unwrap_err().code(), Code::Io);
}
