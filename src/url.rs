//! Absolute `http` and `https` URLs, split strictly.
//!
//! Owns what an AppAddr, a RespURI or a redirect may look like. Must not know who may use which.

use crate::error::{Code, Error, Result};
use crate::limits::URI_OCTETS;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The two schemes, the better one being the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// An absolute URL. It has no user information and no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Name or address in lower case; an IPv6 address without its brackets.
    pub host: String,
    /// The port given, or the scheme's own.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: String,
}

impl Url {
    /// Splits `text` (RFC 3986 3).
    ///
    /// Fails with `Uri`; the error does not repeat the text, which may hold a session's key.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > URI_OCTETS {
            return Err(refuse("longer than a URI may be"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| refuse("not absolute"))?;
        let scheme = [Scheme::Http, Scheme::Https]
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(scheme))
            .ok_or_else(|| refuse("the scheme is neither http nor https"))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => scheme.default_port(),
            Some(port) => parse_port(port)?,
        };
        Ok(Self { scheme, host: parse_host(host)?, port, path: parse_path(path)? })
    }

    /// The URL that a `Location` in this one's answer means: absolute, or a path after `/`.
    ///
    /// Fails with `Uri` for anything else.
    pub fn join(&self, location: &str) -> Result<Self> {
        if location.starts_with("//") || !location.starts_with('/') {
            return Self::parse(location);
        }
        Ok(Self { path: parse_path(location)?, ..self.clone() })
    }

    /// True if both name the same host and port.
    pub fn same_authority(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port
    }

    /// True if the host is this device: any spelling that a resolver takes to the loopback.
    ///
    /// The unspecified addresses count as well, because a connection to them ends here.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse() {
            Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_unspecified(),
            Ok(IpAddr::V6(address)) => {
                let mapped = address.to_ipv4().is_some_and(|v4| v4.is_loopback());
                address.is_loopback() || address.is_unspecified() || mapped
            }
            Err(_) => {
                let name = self.host.strip_suffix('.').unwrap_or(&self.host);
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// True for an address of this device, written as a URL or as an IP address alone.
    pub fn means_loopback(text: &str) -> bool {
        let forms = [text.to_owned(), format!("http://{text}/"), format!("http://[{text}]/")];
        forms.iter().any(|form| Self::parse(form).is_ok_and(|url| url.is_loopback()))
    }

    /// True if the port is the scheme's own.
    pub fn has_default_port(&self) -> bool {
        self.port == self.scheme.default_port()
    }

    /// Host and port as the `Host` header writes them.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.has_default_port() { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.name(), self.authority(), self.path)
    }
}

fn refuse(what: &'static str) -> Error {
    Error::new(Code::Uri, format!("URL: {what}"))
}

/// Host and port text; a bracketed address keeps its brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>)> {
    if authority.contains('@') {
        return Err(refuse("user information is not allowed"));
    }
    let host_end = authority.find(']').map_or(0, |bracket| bracket + 1);
    let (bracketed, rest) = authority.split_at(host_end);
    match rest.split_once(':') {
        Some((name, port)) if bracketed.is_empty() || name.is_empty() => {
            Ok((authority.get(..host_end + name.len()).unwrap_or_default(), Some(port)))
        }
        None if bracketed.is_empty() || rest.is_empty() => Ok((authority, None)),
        _ => Err(refuse("the port is malformed")),
    }
}

fn parse_port(text: &str) -> Result<u16> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(refuse("the port is malformed")),
    }
}

/// A registered name or an address. Numbers that only some resolvers take for an address (`127.1`,
/// `0x7f000001`) are refused, since nobody could tell whether they mean this device.
fn parse_host(text: &str) -> Result<String> {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let address: Ipv6Addr =
            address.parse().map_err(|_| refuse("the IPv6 address is malformed"))?;
        return Ok(address.to_string());
    }
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    if text.is_empty() || text.starts_with('.') || !text.bytes().all(allowed) {
        return Err(refuse("the host is malformed"));
    }
    let host = text.to_ascii_lowercase();
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
    let numeric = hexadecimal || last.bytes().all(|octet| octet.is_ascii_digit());
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err(refuse("the IPv4 address is malformed"));
    }
    Ok(host)
}

fn parse_path(text: &str) -> Result<String> {
    if text.contains('#') {
        return Err(refuse("a fragment is not allowed"));
    }
    let allowed = |octet: u8| octet.is_ascii_graphic() && !b"\"<>\\^`".contains(&octet);
    if !text.bytes().all(allowed) {
        return Err(refuse("the path holds an octet that must be escaped"));
    }
    Ok(if text.starts_with('/') { text.to_owned() } else { format!("/{text}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sc_139_addresses_of_this_device_in_every_spelling() {
        for text in [
            "http://127.0.0.1:3516/dm",
            "HTTPS://LocalHost/",
            "http://[::1]/",
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "localhost",
            "http://dm.localhost/",
            "http://[::ffff:127.0.0.1]:3516/dm",
        ] {
            assert!(Url::means_loopback(text), "{text}");
        }
        for text in ["https://dm.example/127.0.0.1", "10.0.0.1", "2001:db8::1", "localhost.example"]
        {
            assert!(!Url::means_loopback(text), "{text}");
        }
    }

    #[test]
    fn parts() {
        let url = Url::parse("HTTPS://DM.Example.com/srv?sid=1A/2").unwrap();
        assert_eq!(url.scheme, Scheme::Https);
        assert_eq!((url.host.as_str(), url.port), ("dm.example.com", 443));
        assert_eq!(url.path, "/srv?sid=1A/2");
        assert_eq!(url.to_string(), "https://dm.example.com/srv?sid=1A/2");

        let url = Url::parse("http://127.0.0.1:3516/dm").unwrap();
        assert_eq!((url.authority().as_str(), url.path.as_str()), ("127.0.0.1:3516", "/dm"));
        assert_eq!(Url::parse("http://a").unwrap().path, "/");
        assert_eq!(Url::parse("http://a:/").unwrap().port, 80);
        assert_eq!(Url::parse("http://a?0JTIAA==").unwrap().path, "/?0JTIAA==");
        let url = Url::parse("http://[::1]:8080/").unwrap();
        assert_eq!((url.host.as_str(), url.authority().as_str()), ("::1", "[::1]:8080"));
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "dm",
            "/dm",
            "ftp://a/",
            "http:/a",
            "http://",
            "http:///a",
            "http://:80/",
            "http://u@a/",
            "http://u:p@a/",
            "http://a:0/",
            "http://a:65536/",
            "http://a:+8/",
            "http://a:8:8/",
            "http://a b/",
            "http://a/ b",
            "http://a/#f",
            "http://a/\u{e9}",
            "http://a/\r\nX: y",
            "http://[::1/",
            "http://[::1]x/",
            "http://[::1]x:8/",
            "http://::1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://.a/",
            "http://a%41/",
        ] {
            assert_eq!(Url::parse(text).map_err(|e| e.code()), Err(Code::Uri), "{text:?}");
        }
        let long = format!("http://a/{}", "x".repeat(URI_OCTETS));
        assert_eq!(Url::parse(&long).unwrap_err().code(), Code::Uri);
    }

    #[test]
    fn loopback_in_every_spelling() {
        for text in [
            "http://127.0.0.1:3516/",
            "http://127.8.9.1/",
            "http://localhost/",
            "http://LocalHost./",
            "http://card.localhost/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://[::127.0.0.1]/",
        ] {
            assert!(Url::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["http://128.0.0.1/", "http://localhost.example/", "http://mylocalhost/"] {
            assert!(!Url::parse(text).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn sc_127_another_host_or_port_is_another_authority() {
        let card = Url::parse("http://127.0.0.1:3516/dm").unwrap();
        let same = |text: &str| card.same_authority(&Url::parse(text).unwrap());
        assert!(same("http://127.0.0.1:3516/other?x"));
        assert!(!same("http://127.0.0.1:3517/dm"));
        assert!(!same("http://evil.example:3516/dm"));
        assert!(!same("http://127.0.0.2:3516/dm"));
    }

    #[test]
    fn locations() {
        let base = Url::parse("https://a.example:8443/dm?x").unwrap();
        assert_eq!(base.join("/y?z").unwrap().to_string(), "https://a.example:8443/y?z");
        assert_eq!(base.join("http://b/").unwrap().to_string(), "http://b/");
        for bad in ["//b/y", "y", "", "/a b", "?q"] {
            assert_eq!(base.join(bad).unwrap_err().code(), Code::Uri, "{bad:?}");
        }
    }
}
