//! Cookies of one session with one host (RFC 6265, without dates: a session is short).
//!
//! Owns which cookie goes back to which path. Must not know heads.

use crate::url::{Scheme, Url};

/// Cookies that a card may set, and their octets together.
pub const CARD: (usize, usize) = (4, 512);
/// The same for a server in the network.
pub const REMOTE: (usize, usize) = (16, 4096);

struct Cookie {
    name: String,
    value: String,
    path: String,
    secure: bool,
}

impl Cookie {
    fn octets(&self) -> usize {
        self.name.len() + self.value.len()
    }

    fn is_for(&self, url: &Url) -> bool {
        let path = url.path.split('?').next().unwrap_or_default();
        let below = path.strip_prefix(self.path.as_str());
        let fits = below.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')
        });
        fits && (!self.secure || url.scheme == Scheme::Https)
    }
}

/// The cookies of one session. Their values are not shown.
pub struct Cookies {
    list: Vec<Cookie>,
    most: (usize, usize),
}

impl std::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cookies").field("number", &self.list.len()).finish_non_exhaustive()
    }
}

impl Cookies {
    /// None yet; at most `most` cookies and octets of names and values.
    pub fn new(most: (usize, usize)) -> Self {
        Self { list: Vec::new(), most }
    }

    /// Takes the value of a `Set-Cookie` that came from `url`. What is for another host, not for a
    /// plain connection, or beyond the bounds is dropped.
    pub fn take(&mut self, url: &Url, set: &str) {
        let mut parts = set.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let mut cookie = Cookie {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            path: default_path(&url.path),
            secure: false,
        };
        let mut ended = cookie.value.is_empty();
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match (key.trim().to_ascii_lowercase().as_str(), value.trim()) {
                ("path", path) if path.starts_with('/') => path.clone_into(&mut cookie.path),
                ("secure", _) => cookie.secure = true,
                ("max-age", age) => ended |= age == "0" || age.starts_with('-'),
                ("domain", domain) if !covers(domain, &url.host) => return,
                _ => {}
            }
        }
        if cookie.name.is_empty() || (cookie.secure && url.scheme != Scheme::Https) {
            return;
        }
        self.list.retain(|old| old.name != cookie.name || old.path != cookie.path);
        let octets: usize = self.list.iter().map(Cookie::octets).sum();
        if !ended && self.list.len() < self.most.0 && octets + cookie.octets() <= self.most.1 {
            self.list.push(cookie);
        }
    }

    /// The `Cookie` header of a request to `url`; `None` without a cookie for it.
    pub fn header(&self, url: &Url) -> Option<String> {
        let mut fitting: Vec<&Cookie> = self.list.iter().filter(|one| one.is_for(url)).collect();
        // The longest path first (RFC 6265 5.4).
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> =
            fitting.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// RFC 6265 5.1.4.
fn default_path(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    match path.rfind('/') {
        Some(at) if at > 0 => path.get(..at).unwrap_or("/").to_owned(),
        _ => "/".to_owned(),
    }
}

/// True if a cookie of `domain` may come from `host`; it goes back to that host alone all the same.
fn covers(domain: &str, host: &str) -> bool {
    let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
    let parent = host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
    domain.is_empty() || domain == host || (parent && domain.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn after(set: &[&str], from: &str, to: &str) -> Option<String> {
        let mut cookies = Cookies::new(REMOTE);
        for one in set {
            cookies.take(&url(from), one);
        }
        cookies.header(&url(to))
    }

    const SECURE: &str = "https://dm.example/a/b?x";
    const PLAIN: &str = "http://dm.example/a/b";

    #[test]
    fn a_cookie_goes_back_where_it_came_from() {
        let set =
            ["JSESSIONID=1F; HttpOnly", "lb=2; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT"];
        assert_eq!(after(&set, SECURE, SECURE).unwrap(), "JSESSIONID=1F; lb=2");
        assert_eq!(after(&set, SECURE, "https://dm.example/a/c/d").unwrap(), "JSESSIONID=1F; lb=2");
        assert_eq!(after(&set, SECURE, "https://dm.example/ab").unwrap(), "lb=2");
    }

    #[test]
    fn secure_cookies_need_tls_both_ways() {
        assert_eq!(after(&["a=1; Secure"], SECURE, SECURE).unwrap(), "a=1");
        assert_eq!(after(&["a=1; secure"], SECURE, PLAIN), None);
        assert_eq!(after(&["a=1; Secure"], PLAIN, SECURE), None);
        assert_eq!(after(&["a=1"], PLAIN, SECURE).unwrap(), "a=1");
    }

    #[test]
    fn a_server_sets_cookies_for_itself_only() {
        assert_eq!(after(&["a=1; Domain=evil.example"], SECURE, SECURE), None);
        assert_eq!(after(&["a=1; Domain=m.example"], SECURE, SECURE), None);
        assert_eq!(after(&["a=1; Domain=.com"], "https://dm.com/", "https://dm.com/"), None);
        assert_eq!(
            after(
                &["a=1; Domain=.example.org"],
                "https://dm.example.org/",
                "https://dm.example.org/"
            )
            .unwrap(),
            "a=1"
        );
        assert_eq!(after(&["a=1; domain=DM.example"], SECURE, SECURE).unwrap(), "a=1");
    }

    #[test]
    fn a_new_value_replaces_and_ends() {
        assert_eq!(after(&["a=1", "b=2", "a=3"], SECURE, SECURE).unwrap(), "b=2; a=3");
        assert_eq!(after(&["a=1", "a=x; Max-Age=0"], SECURE, SECURE), None);
        assert_eq!(after(&["a=1", "a="], SECURE, SECURE), None);
    }

    #[test]
    fn what_is_no_cookie_and_what_is_too_much() {
        assert_eq!(after(&["nothing", "=1", "", ";;", "a"], SECURE, SECURE), None);
        let many: Vec<String> = (0..40).map(|number| format!("c{number}=v")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(after(&many, SECURE, SECURE).unwrap().split(';').count(), REMOTE.0);
        let long = format!("a={}", "x".repeat(REMOTE.1));
        assert_eq!(after(&[&long, "b=1"], SECURE, SECURE).unwrap(), "b=1");
    }
}
