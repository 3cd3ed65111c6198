//! HTTP/1.1 framing of the on-card web server: requests out of octets, answers into octets.

use crate::profile::Framing;

/// Longest request head that the card takes, octets.
const MAX_HEAD: usize = 1024;
/// Longest request body, octets.
const MAX_BODY: usize = 64 * 1024;

/// One request with its whole body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header field with that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the octets so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A part of a request.
    Incomplete,
    /// A request and how many octets it took.
    Complete(Request, usize),
    /// No request; the status to refuse it with and why.
    Refused(u16, &'static str),
}

/// Looks for a whole request at the beginning of the octets.
pub fn parse(octets: &[u8]) -> Parsed {
    let Some(end) = octets.windows(4).position(|window| window == b"\r\n\r\n") else {
        let too_long = octets.len() > MAX_HEAD;
        return if too_long { Parsed::Refused(431, "head too long") } else { Parsed::Incomplete };
    };
    if end > MAX_HEAD {
        return Parsed::Refused(431, "head too long");
    }
    let head = octets.get(..end).unwrap_or_default();
    let mut request = match parse_head(head) {
        Ok(request) => request,
        Err(why) => return Parsed::Refused(400, why),
    };
    if request.header("transfer-encoding").is_some() {
        return Parsed::Refused(411, "request with Transfer-Encoding");
    }
    let length = match body_length(&request) {
        Ok(length) if length <= MAX_BODY => length,
        Ok(_) => return Parsed::Refused(413, "body too long"),
        Err(why) => return Parsed::Refused(400, why),
    };
    let start = end + 4;
    match octets.get(start..start + length) {
        Some(body) => {
            request.body = body.to_vec();
            Parsed::Complete(request, start + length)
        }
        None => Parsed::Incomplete,
    }
}

fn parse_head(head: &[u8]) -> Result<Request, &'static str> {
    let head = std::str::from_utf8(head).map_err(|_| "head is no text")?;
    let mut lines = head.split("\r\n");
    let mut parts = lines.next().unwrap_or_default().split(' ');
    let (method, target, version) = (parts.next(), parts.next(), parts.next());
    let (Some(method), Some(target), Some(version), None) = (method, target, version, parts.next())
    else {
        return Err("request line without its three parts");
    };
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Err("version of HTTP");
    }
    let mut request =
        Request { method: method.to_owned(), target: target.to_owned(), ..Request::default() };
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("header line without a colon")?;
        if name.is_empty() || name.contains([' ', '\t']) {
            return Err("header name with white space");
        }
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(request)
}

/// The one Content-Length; none is zero.
fn body_length(request: &Request) -> Result<usize, &'static str> {
    let mut lengths = request.headers.iter().filter(|(name, _)| name == "content-length");
    let Some((_, value)) = lengths.next() else { return Ok(0) };
    if lengths.any(|(_, other)| other != value) {
        return Err("different values of Content-Length");
    }
    if value.is_empty() || !value.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err("Content-Length is no number");
    }
    value.parse().map_err(|_| "Content-Length too large")
}

/// Octets of the request at the beginning, or of what is no request; `None` if more has to come.
pub(crate) fn whole(octets: &[u8]) -> Option<usize> {
    match parse(octets) {
        Parsed::Incomplete => None,
        Parsed::Complete(_, length) => Some(length),
        Parsed::Refused(..) => Some(octets.len()),
    }
}

/// What an answer carries.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The media type.
    pub media_type: &'a str,
    /// Value of `x-syncml-hmac`.
    pub hmac: Option<&'a str>,
    /// The octets.
    pub body: &'a [u8],
}

/// How many octets a chunk has when the server writes chunks.
const CHUNK: usize = 200;

/// Writes an answer. Without a content type the body is left out and its length is zero.
pub fn response(
    status: u16,
    content: Option<Content<'_>>,
    framing: Framing,
    close: bool,
) -> Vec<u8> {
    let connection = if close { "close" } else { "keep-alive" };
    let mut head = format!(
        "HTTP/1.1 {status} {}\r\nCache-Control: no-store\r\nConnection: {connection}\r\n",
        reason(status)
    );
    let body = match content {
        Some(Content { media_type, hmac, body }) => {
            head.push_str(&format!("Content-Type: {media_type}\r\n"));
            if let Some(hmac) = hmac {
                head.push_str(&format!("x-syncml-hmac: {hmac}\r\n"));
            }
            body
        }
        None => &[],
    };
    if framing == Framing::Length || content.is_none() {
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        return [head.as_bytes(), body].concat();
    }
    head.push_str("Transfer-Encoding: chunked\r\n\r\n");
    let mut octets = head.into_bytes();
    for chunk in body.chunks(CHUNK) {
        octets.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        octets.extend_from_slice(chunk);
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(b"0\r\n\r\n");
    octets
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &[u8] =
        b"POST /dm HTTP/1.1\r\nHost: 127.0.0.1:3516\r\nContent-Length: 3\r\n\r\nabc";

    #[test]
    fn a_request_may_come_octet_by_octet() {
        for end in 0..POST.len() {
            assert_eq!(parse(&POST[..end]), Parsed::Incomplete, "{end}");
        }
        let Parsed::Complete(request, taken) = parse(&[POST, b"GET"].concat()) else {
            panic!("not complete")
        };
        assert_eq!(taken, POST.len());
        assert_eq!(request.method, "POST");
        assert_eq!(request.target, "/dm");
        assert_eq!(request.header("host"), Some("127.0.0.1:3516"));
        assert_eq!(request.body, b"abc");
    }

    #[test]
    fn bad_requests_have_their_status() {
        let refused = |text: &str| match parse(text.as_bytes()) {
            Parsed::Refused(status, _) => status,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused("POST /dm\r\n\r\n"), 400);
        assert_eq!(refused("POST /dm HTTP/2.0\r\n\r\n"), 400);
        assert_eq!(refused("POST /dm HTTP/1.1\r\nHost\r\n\r\n"), 400);
        assert_eq!(refused("POST /dm HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400);
        let twice = "POST /dm HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(refused(twice), 400);
        assert_eq!(refused("POST /dm HTTP/1.1\r\nContent-Length: 70000\r\n\r\n"), 413);
        assert_eq!(refused("POST /dm HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 411);
        assert_eq!(refused(&"x".repeat(1025)), 431);
    }

    #[test]
    fn answers_by_length_and_by_chunks() {
        let content = |body| Some(Content { media_type: "a/b", hmac: None, body });
        let by_length = response(200, content(b"xyz"), Framing::Length, false);
        assert_eq!(
            by_length,
            b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nConnection: keep-alive\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nxyz"
        );
        let body = [b'q'; 201];
        let chunked = response(200, content(&body), Framing::Chunked, true);
        let text = String::from_utf8(chunked).unwrap();
        let expected = format!("chunked\r\n\r\nC8\r\n{}\r\n1\r\nq\r\n0\r\n\r\n", "q".repeat(200));
        assert!(text.ends_with(&expected), "{text}");
    }
}
