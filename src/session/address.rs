//! Where the messages of a session go, and whether a server may change that.
//!
//! Owns the comparison of a RespURI with the address of the session. Opens no connection.

/// Scheme, host and port of an address; the rest of it does not matter here.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn of(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        if !uri.bytes().all(|octet| octet.is_ascii_graphic()) {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        if authority.contains('@') {
            return None;
        }
        let after_address = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority.get(after_address..)?.rfind(':') {
            Some(at) => {
                let (host, port) = authority.split_at_checked(after_address + at)?;
                (host, port.strip_prefix(':')?.parse().ok()?)
            }
            None => (authority, if secure { 443 } else { 80 }),
        };
        (!host.is_empty()).then(|| Self { secure, host: host.to_ascii_lowercase(), port })
    }
}

/// True if the connection of `uri` is ciphered.
pub(super) fn is_secure(uri: &str) -> bool {
    Origin::of(uri).is_some_and(|origin| origin.secure)
}

/// True if a session with `present` may go on at `next`: the same host, and the same port or the
/// change from http to https on the default ports. A server cannot send the client elsewhere.
pub(super) fn may_move(present: &str, next: &str) -> bool {
    let (Some(present), Some(next)) = (Origin::of(present), Origin::of(next)) else { return false };
    let same_port = present.secure == next.secure && present.port == next.port;
    let upgrade = !present.secure && next.secure && (present.port, next.port) == (80, 443);
    present.host == next.host && (same_port || upgrade)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dm_021_same_host_and_port_is_followed() {
        for next in [
            "http://dm.example:8080/dm?sid=1",
            "http://DM.example:8080",
            "HTTP://dm.example:8080/other#x",
        ] {
            assert!(may_move("http://dm.example:8080/dm", next), "{next}");
        }
        assert!(may_move("http://dm.example/dm", "https://dm.example/dm"));
        assert!(may_move("http://[::1]:80/dm", "http://[::1]/x"));
    }

    #[test]
    fn another_host_port_or_scheme_is_not() {
        for next in [
            "http://evil.example:8080/dm",
            "http://dm.example:8081/dm",
            "http://dm.example/dm",
            "https://dm.example:8080/dm",
            "http://dm.example:8080@evil.example/dm",
            "http://dm.example:8080 /dm",
            "ftp://dm.example:8080/dm",
            "//dm.example:8080/dm",
            "http://:8080/dm",
            "http://dm.example:80800/dm",
            "",
        ] {
            assert!(!may_move("http://dm.example:8080/dm", next), "{next}");
        }
        assert!(!may_move("https://dm.example/dm", "http://dm.example/dm"));
    }

    #[test]
    fn dm_122_which_addresses_are_ciphered() {
        assert!(is_secure("https://dm.example/"));
        assert!(!is_secure("http://dm.example/"));
    }
}
