//! HTTP authentication of the client: Basic (RFC 7617) and Digest (RFC 7616), for the POSTs of one session.
//!
//! Owns how challenges are answered; their grammar is `challenge`'s. Where credentials are kept is the
//! tree's, what is sent again the caller's.

use super::challenge::{Challenge, challenges};
use crate::bytes::{base64, hex};
use crate::random::Random;
use crate::secret::Secret;
use crate::url::{Scheme, Url};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// What the client proves itself with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// User name.
    pub name: String,
    /// Password.
    pub secret: Secret,
    /// Basic may be used, which shows the password to the server and, without TLS, to everybody on the way.
    pub basic: bool,
}

/// The login of one session at the server that asks for it.
#[derive(Debug)]
pub struct Login {
    credentials: Credentials,
    asked: Option<Asked>,
}

/// Who has asked, and how it is answered from then on.
#[derive(Debug)]
struct Asked {
    scheme: Scheme,
    host: String,
    port: u16,
    by: Method,
}

#[derive(Debug)]
enum Method {
    Basic,
    Digest(Digest),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

/// A challenge of Digest, and how often it was answered.
struct Digest {
    algorithm: Algorithm,
    /// The algorithm's name says `-sess`.
    is_session: bool,
    /// The answer has `qop=auth`; without it the server is of RFC 2069.
    has_qop: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    count: u32,
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest")
            .field("algorithm", &self.algorithm)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Login {
    /// One that nobody has asked for yet.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, asked: None }
    }

    /// Takes the challenges (`WWW-Authenticate`) of an answer 401 from `url`. True if the request is worth
    /// sending again, with [`header`](Self::header): they ask for something that was not answered before.
    pub fn challenged(&mut self, url: &Url, headers: &[String]) -> bool {
        let all: Vec<Challenge> = headers.iter().flat_map(|header| challenges(header)).collect();
        let digest = all.iter().filter_map(Digest::read).max_by_key(|digest| digest.0);
        let basic = self.credentials.basic && all.iter().any(|one| one.is("basic"));
        let by = match digest {
            Some((_, is_stale, digest)) => {
                if self.is_refused(url, is_stale) {
                    return false;
                }
                Method::Digest(digest)
            }
            None if basic && self.by(url).is_none() => Method::Basic,
            None => return false,
        };
        self.asked = Some(Asked { scheme: url.scheme, host: url.host.clone(), port: url.port, by });
        true
    }

    /// How this server is answered.
    fn by(&self, url: &Url) -> Option<&Method> {
        let is_it = |asked: &&Asked| {
            (asked.scheme, asked.host.as_str(), asked.port) == (url.scheme, &*url.host, url.port)
        };
        self.asked.as_ref().filter(is_it).map(|asked| &asked.by)
    }

    /// True if the last answer was judged as such: not because its nonce had become too old meanwhile.
    fn is_refused(&self, url: &Url, is_stale: bool) -> bool {
        match self.by(url) {
            None => false,
            Some(Method::Basic) => true,
            Some(Method::Digest(before)) => before.count == 1 && !is_stale,
        }
    }

    /// `Authorization` for a POST to `url`; `None` if nobody there has asked.
    pub fn header(&mut self, url: &Url, random: &mut dyn Random) -> Option<String> {
        self.by(url)?;
        let Self { credentials, asked } = self;
        Some(match &mut asked.as_mut()?.by {
            Method::Basic => {
                let pair =
                    [credentials.name.as_bytes(), b":", credentials.secret.expose()].concat();
                format!("Basic {}", base64::encode(&pair))
            }
            Method::Digest(digest) => {
                let mut cnonce = [0; 16];
                random.fill(&mut cnonce);
                digest.answer("POST", &url.path, credentials, &base64::encode(&cnonce))
            }
        })
    }
}

impl Digest {
    /// What of a challenge can be answered: its strength, if it says `stale`, and itself.
    fn read(challenge: &Challenge) -> Option<(Algorithm, bool, Self)> {
        if !challenge.is("digest") {
            return None;
        }
        let named = challenge.get("algorithm").unwrap_or("MD5").to_ascii_uppercase();
        let (name, is_session) = match named.strip_suffix("-SESS") {
            Some(name) => (name, true),
            None => (named.as_str(), false),
        };
        let algorithm = match name {
            "MD5" => Algorithm::Md5,
            "SHA-256" => Algorithm::Sha256,
            _ => return None,
        };
        let has_qop = match challenge.get("qop") {
            None => false,
            Some(all) if all.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
        };
        // Such a session begins with the client's nonce, which is only sent where there is a `qop`.
        if is_session && !has_qop {
            return None;
        }
        let is_stale = challenge.get("stale").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let digest = Self {
            algorithm,
            is_session,
            has_qop,
            realm: challenge.get("realm")?.to_owned(),
            nonce: challenge.get("nonce")?.to_owned(),
            opaque: challenge.get("opaque").map(str::to_owned),
            count: 0,
        };
        Some((algorithm, is_stale, digest))
    }

    fn hash(&self, parts: &[&[u8]]) -> String {
        let joined = parts.join(&b':');
        let octets = match self.algorithm {
            Algorithm::Md5 => Md5::digest(&joined).to_vec(),
            Algorithm::Sha256 => Sha256::digest(&joined).to_vec(),
        };
        hex::encode(&octets).to_ascii_lowercase()
    }

    /// The answer (RFC 7616, 3.4), counted.
    fn answer(&mut self, method: &str, path: &str, who: &Credentials, cnonce: &str) -> String {
        self.count += 1;
        let (nonce, count) = (self.nonce.as_bytes(), format!("{:08x}", self.count));
        let mut a1 = self.hash(&[who.name.as_bytes(), self.realm.as_bytes(), who.secret.expose()]);
        if self.is_session {
            a1 = self.hash(&[a1.as_bytes(), nonce, cnonce.as_bytes()]);
        }
        let a2 = self.hash(&[method.as_bytes(), path.as_bytes()]);
        let response = match self.has_qop {
            true => self.hash(&[
                a1.as_bytes(),
                nonce,
                count.as_bytes(),
                cnonce.as_bytes(),
                b"auth",
                a2.as_bytes(),
            ]),
            false => self.hash(&[a1.as_bytes(), nonce, a2.as_bytes()]),
        };
        let algorithm = match (self.algorithm, self.is_session) {
            (Algorithm::Md5, false) => "MD5",
            (Algorithm::Md5, true) => "MD5-sess",
            (Algorithm::Sha256, false) => "SHA-256",
            (Algorithm::Sha256, true) => "SHA-256-sess",
        };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, algorithm={algorithm}, response=\"{response}\"",
            quoted(&who.name),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(path),
        );
        if let Some(opaque) = &self.opaque {
            header += &format!(", opaque={}", quoted(opaque));
        }
        if self.has_qop {
            header += &format!(", qop=auth, nc={count}, cnonce={}", quoted(cnonce));
        }
        header
    }
}

/// A quoted string (RFC 9110, 5.6.4).
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;

    impl Random for Sevens {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn who(name: &str, secret: &str, basic: bool) -> Credentials {
        Credentials { name: name.into(), secret: Secret::new(secret), basic }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// The `response` of an answer to a GET, as in the examples of the documents.
    fn response(header: &str, secret: &str, uri: &str, cnonce: &str) -> String {
        let all = challenges(header);
        let (_, _, mut digest) = Digest::read(&all[0]).unwrap();
        let answer = digest.answer("GET", uri, &who("Mufasa", secret, false), cnonce);
        let found = answer.split("response=\"").nth(1).unwrap();
        found.split('"').next().unwrap().to_owned()
    }

    #[test]
    fn a_session_without_qop_cannot_be_answered() {
        let challenge = |more: &str| {
            challenges(&format!("Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess{more}"))
        };
        assert!(Digest::read(&challenge("")[0]).is_none());
        assert!(Digest::read(&challenge(", qop=\"auth\"")[0]).is_some());
    }

    #[test]
    fn the_examples_of_the_documents() {
        let uri = "/dir/index.html";
        let rfc2617 = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                       nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc\"";
        assert_eq!(
            response(rfc2617, "Circle Of Life", uri, "0a4f113b"),
            "6629fae49393a05397450978507c4ef1"
        );
        // The same without qop, as RFC 2069 and its errata have it.
        let rfc2069 = rfc2617.replace("qop=\"auth,auth-int\", ", "");
        assert_eq!(response(&rfc2069, "CircleOfLife", uri, ""), "1949323746fe6a43ef61f9606e7febea");
        let rfc7616 = |algorithm: &str| {
            let header = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                 algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\""
            );
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            response(&header, "Circle of Life", uri, cnonce)
        };
        assert_eq!(rfc7616("MD5"), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            rfc7616("SHA-256"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    #[test]
    fn basic_is_answered_once_and_only_where_it_may() {
        let server = url("https://dm.example/dm");
        let ask = ["Basic realm=\"dm\"".to_owned()];
        assert!(!Login::new(who("a", "b", false)).challenged(&server, &ask));
        let mut login = Login::new(who("Aladdin", "open sesame", true));
        assert_eq!(login.header(&server, &mut Sevens), None);
        assert!(login.challenged(&server, &ask));
        let answer = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(login.header(&server, &mut Sevens).unwrap(), answer);
        // Another place of the same server; another server, port or scheme.
        let more = "https://dm.example/other";
        assert_eq!(login.header(&url(more), &mut Sevens).unwrap(), answer);
        for other in ["https://dm2.example/", "https://dm.example:4443/", "http://dm.example/dm"] {
            assert_eq!(login.header(&url(other), &mut Sevens), None);
        }
        assert!(!login.challenged(&server, &ask));
    }

    #[test]
    fn the_strongest_challenge_is_answered_and_its_uses_counted() {
        let server = url("http://dm.example/dm?a=1");
        let ask = [
            "Basic realm=\"dm\"".to_owned(),
            "Digest realm=\"r\", nonce=\"1\", algorithm=MD5, Digest realm=\"q\\\"\", nonce=\"2\", \
             algorithm=SHA-256, qop=auth"
                .to_owned(),
            "Digest realm=\"x\", nonce=\"3\", algorithm=SHA-512-256, Digest realm=\"x\", nonce=\"4\", \
             algorithm=SHA-256, qop=auth-int"
                .to_owned(),
        ];
        let mut login = Login::new(who("user", "secret", true));
        assert!(login.challenged(&server, &ask));
        for count in 1..=2 {
            let header = login.header(&server, &mut Sevens).unwrap();
            assert!(header.starts_with(
                "Digest username=\"user\", realm=\"q\\\"\", nonce=\"2\", uri=\"/dm?a=1\", \
                 algorithm=SHA-256, response=\""
            ));
            assert!(header.contains(&format!("qop=auth, nc=0000000{count}, cnonce=\"BwcH")));
        }
    }

    #[test]
    fn a_nonce_that_became_too_old_is_renewed_and_a_refusal_is_one() {
        let server = url("https://dm.example/dm");
        let ask = |nonce: u32, more: &str| [format!("Digest realm=\"r\", nonce=\"{nonce}\"{more}")];
        let mut login = Login::new(who("user", "secret", false));
        assert!(login.challenged(&server, &ask(1, "")));
        login.header(&server, &mut Sevens);
        // The first answer to a nonce was wrong.
        assert!(!login.challenged(&server, &ask(2, "")));
        assert!(login.challenged(&server, &ask(2, ", stale=TRUE")));
        login.header(&server, &mut Sevens);
        login.header(&server, &mut Sevens);
        // This one was right before.
        assert!(login.challenged(&server, &ask(3, ", stale=false")));
        assert!(login.header(&server, &mut Sevens).unwrap().contains("nonce=\"3\""));
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut login = Login::new(who("user", "very-secret", true));
        login.challenged(&url("https://a/"), &["Digest realm=\"r\", nonce=\"n0nce\"".to_owned()]);
        let shown = format!("{login:?}");
        assert!(!shown.contains("very-secret") && !shown.contains("n0nce"), "{shown}");
    }
}
