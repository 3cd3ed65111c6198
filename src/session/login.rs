//! Mutual authentication of one session: the client's login and the check of the server.
//!
//! Owns the credentials in use, their nonces, and how often a refusal is answered (DM Security
//! 1.2.1, 5.3; DM Protocol 1.2.1, 9). Must not know commands, nor where nonces are stored.

use super::answered;
use super::auth::{self, Scheme};
use crate::error::{Code, Error, Result};
use crate::random::Random;
use crate::secret::Secret;
use crate::syncml::model::{Cred, Meta, MetaExtra};
use crate::syncml::status::{self, Status};
use crate::tree::dmacc::Credential;

/// Octets of a nonce that the client issues.
const NONCE: usize = 16;

/// Credentials of one side.
#[derive(Debug)]
pub(super) struct Entry {
    scheme: Scheme,
    name: String,
    secret: Secret,
    /// Decoded; empty if none is known.
    nonce: Secret,
}

impl Entry {
    /// The credentials of an account. `None` if their type is not one of SyncML's own, and then the
    /// transport has to prove the identity.
    pub(super) fn new(credential: &Credential) -> Option<Self> {
        Some(Self {
            scheme: Scheme::from_account(&credential.auth_type)?,
            name: credential.name.clone(),
            secret: credential.secret.clone(),
            nonce: credential.nonce.clone(),
        })
    }
}

/// What the server's answer to the login asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Go on.
    Proceed,
    /// Send package 1 again with the new credentials.
    Again,
}

/// The client's login at the server.
#[derive(Debug)]
pub(super) struct Login {
    entry: Option<Entry>,
    /// What the server asked for, or the account says.
    scheme: Scheme,
    retried: bool,
    /// 212 was received: no more credentials in this session.
    accepted: bool,
    /// The last answer to the credentials was not a refusal.
    welcome: bool,
    renewed: bool,
}

impl Login {
    /// `preferred` is the account's AAuthPref.
    pub(super) fn new(entry: Option<Entry>, preferred: Option<Scheme>) -> Self {
        let own = entry.as_ref().map_or(Scheme::Basic, |entry| entry.scheme);
        // A preference may make the login stronger than the credentials' own type, never weaker.
        let scheme = preferred.filter(|&scheme| scheme > own).unwrap_or(own);
        let (retried, accepted, welcome, renewed) = (false, false, false, false);
        Self { entry, scheme, retried, accepted, welcome, renewed }
    }

    /// The user's name for Source/LocName.
    pub(super) fn name(&self) -> Option<&str> {
        Some(self.entry.as_ref()?.name.as_str())
    }

    /// Cred of the next message. Without a nonce there is none: the server has to give one first.
    pub(super) fn cred(&self) -> Option<Cred<'static>> {
        let entry = self.entry.as_ref().filter(|_| !self.accepted)?;
        let data = match self.scheme {
            Scheme::Basic => auth::basic(&entry.name, entry.secret.expose()).to_string(),
            Scheme::Md5 if !entry.nonce.is_empty() => {
                auth::md5(&entry.name, entry.secret.expose(), entry.nonce.expose())
            }
            _ => return None,
        };
        let meta = Meta {
            format: Some("b64".into()),
            mime: Some(self.scheme.wire_name().into()),
            ..Meta::default()
        };
        Some(Cred { meta, data: data.into() })
    }

    /// `x-syncml-hmac` for the message `body`.
    pub(super) fn header(&self, body: &[u8]) -> Option<String> {
        let entry = self.entry.as_ref().filter(|entry| !entry.nonce.is_empty())?;
        if self.scheme != Scheme::Mac {
            return None;
        }
        let mac = auth::mac(&entry.name, entry.secret.expose(), entry.nonce.expose(), body);
        Some(auth::hmac_header(&entry.name, &mac))
    }

    /// Takes the server's Status for the SyncHdr, with its challenge.
    ///
    /// Errors: `AuthClient` if the server does not accept the client, `Protocol` for another
    /// failure and for an HMAC session without fresh nonce.
    pub(super) fn heard(&mut self, answer: Option<(Status, Option<&Meta<'_>>)>) -> Result<Next> {
        let mac = self.entry.is_some() && self.scheme == Scheme::Mac;
        let Some((code, chal)) = answer else {
            return if mac { Err(no_nonce()) } else { Ok(Next::Proceed) };
        };
        if matches!(code, status::UNAUTHORIZED | status::CREDENTIALS_MISSING) {
            return self.challenged(code, chal);
        }
        if !(200..300).contains(&code) {
            let what = format!("server: Status {code} for SyncHdr");
            return Err(answered(Code::Protocol, code, what));
        }
        let nonce = chal.and_then(next_nonce);
        if mac && (code == status::AUTHENTICATED || nonce.is_none()) {
            return Err(no_nonce());
        }
        if let Some(nonce) = nonce {
            self.renew(nonce);
        }
        self.accepted |= code == status::AUTHENTICATED;
        self.welcome = true;
        Ok(Next::Proceed)
    }

    fn challenged(&mut self, code: Status, chal: Option<&Meta<'_>>) -> Result<Next> {
        let refused =
            |what: &str| answered(Code::AuthClient, code, format!("login, Status {code}: {what}"));
        if self.retried || self.accepted {
            return Err(refused("refused again after the retry"));
        }
        let chal = chal.ok_or_else(|| refused("no challenge given"))?;
        let scheme = chal.mime.as_deref().and_then(Scheme::from_wire);
        let scheme = scheme.ok_or_else(|| refused("challenge of unknown type"))?;
        let Some(entry) = self.entry.as_ref().filter(|entry| entry.scheme <= scheme) else {
            return Err(refused("account does not allow this type"));
        };
        let stale = entry.nonce.is_empty();
        match next_nonce(chal) {
            Some(nonce) => self.renew(nonce),
            None if scheme == Scheme::Basic || !stale => {}
            None => return Err(refused("challenge without nonce")),
        }
        self.scheme = scheme;
        self.retried = true;
        Ok(Next::Again)
    }

    fn renew(&mut self, nonce: Secret) {
        if let Some(entry) = &mut self.entry {
            entry.nonce = nonce;
            self.renewed = true;
        }
    }

    /// How the server has accepted the client.
    pub(super) fn proof(&self) -> &'static str {
        match &self.entry {
            Some(_) if self.welcome => self.scheme.name(),
            _ => "none",
        }
    }

    /// The newest nonce of the server, if the account does not hold it yet.
    pub(super) fn take_renewed(&mut self) -> Option<Secret> {
        let renewed = std::mem::take(&mut self.renewed);
        Some(self.entry.as_ref().filter(|_| renewed)?.nonce.clone())
    }
}

fn no_nonce() -> Error {
    Error::new(Code::Protocol, "HMAC session: the server's message brings no new nonce")
}

fn next_nonce(chal: &Meta<'_>) -> Option<Secret> {
    let nonce = auth::decode(chal.next_nonce()?)?;
    (!nonce.is_empty()).then(|| Secret::new(nonce))
}

/// What the credentials of a server's message are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Commands may be executed.
    Accepted,
    /// There are none, but they are needed.
    Missing,
    /// They are wrong.
    Wrong,
}

/// The check of the server's credentials.
#[derive(Debug)]
pub(super) struct Guard {
    /// What the server has to show; `None` if only the transport proves its identity.
    entry: Option<Entry>,
    /// The transport has authenticated the server already.
    trusted: bool,
    /// The server has proved itself by credentials.
    proven: bool,
    /// The message now in work carried right credentials.
    fresh: bool,
    verdict: Verdict,
    refused: bool,
    /// Sent to the server, but not known to have arrived.
    issued: Option<Secret>,
    renewed: bool,
}

impl Guard {
    /// Errors: `AuthServer` if nothing could ever prove the server's identity.
    pub(super) fn new(entry: Option<Entry>, trusted: bool) -> Result<Self> {
        if entry.is_none() && !trusted {
            let what = "account: no SRVCRED, and the transport does not authenticate the server";
            return Err(Error::new(Code::AuthServer, what));
        }
        let (verdict, issued) = (Verdict::Missing, None);
        let (proven, fresh, refused, renewed) = (false, false, false, false);
        Ok(Self { entry, trusted, proven, fresh, verdict, refused, issued, renewed })
    }

    /// Checks one message of the server.
    pub(super) fn check(&mut self, cred: Option<&Cred<'_>>, hmac: Option<&str>, body: &[u8]) {
        self.delivered();
        self.fresh = false;
        self.verdict = match (&self.entry, cred, hmac) {
            (None, ..) => Verdict::Accepted,
            (Some(_), None, None) if self.trusted && !self.proven => Verdict::Accepted,
            (Some(entry), _, header) if entry.scheme == Scheme::Mac => {
                let right = header.is_some_and(|header| entry.is_mac(header, body));
                self.prove(right)
            }
            _ if self.proven => Verdict::Accepted,
            (Some(entry), Some(cred), _) => {
                let right = entry.is_cred(cred);
                self.prove(right)
            }
            (Some(_), None, _) => Verdict::Missing,
        };
    }

    /// The server has answered the message with the issued nonce.
    fn delivered(&mut self) {
        if let (Some(nonce), Some(entry)) = (self.issued.take(), &mut self.entry) {
            entry.nonce = nonce;
            self.renewed = true;
        }
    }

    fn prove(&mut self, right: bool) -> Verdict {
        self.fresh = right;
        self.proven |= right;
        if right { Verdict::Accepted } else { Verdict::Wrong }
    }

    /// Result of the last [`check`](Self::check).
    pub(super) fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// True if the last [`check`](Self::check) found right credentials.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// True if what one message proves does not count for those before it.
    pub(super) fn proves_each_message(&self) -> bool {
        self.scheme() == Some(Scheme::Mac)
    }

    /// Counts a refusal of the present message. Errors: `AuthServer` if it is the second.
    pub(super) fn refuse(&mut self) -> Result<Status> {
        let code = self.status();
        if std::mem::replace(&mut self.refused, true) {
            let what = "server: wrong or missing credentials after the retry";
            return Err(answered(Code::AuthServer, code, what));
        }
        Ok(code)
    }

    /// Status for the SyncHdr of the message in work.
    pub(super) fn status(&self) -> Status {
        match self.verdict {
            // HMAC proves one message only.
            Verdict::Accepted if self.fresh && self.scheme() != Some(Scheme::Mac) => {
                status::AUTHENTICATED
            }
            Verdict::Accepted => status::OK,
            Verdict::Missing => status::CREDENTIALS_MISSING,
            Verdict::Wrong => status::UNAUTHORIZED,
        }
    }

    fn scheme(&self) -> Option<Scheme> {
        self.entry.as_ref().map(|entry| entry.scheme)
    }

    /// Chal for that Status: what is asked for, or just the nonce for the next time.
    pub(super) fn challenge(&mut self, random: &mut dyn Random) -> Option<Meta<'static>> {
        let scheme = self.scheme()?;
        let accepted = self.verdict == Verdict::Accepted;
        if accepted && (!self.fresh || scheme == Scheme::Basic) {
            return None;
        }
        let extra = (scheme != Scheme::Basic).then(|| {
            let mut nonce = vec![0; NONCE];
            random.fill(&mut nonce);
            let text = auth::encode(&nonce);
            self.issued = Some(Secret::new(nonce));
            Box::new(MetaExtra { next_nonce: Some(text.into()), ..MetaExtra::default() })
        });
        Some(Meta {
            format: Some("b64".into()),
            mime: Some(scheme.wire_name().into()),
            extra,
            ..Meta::default()
        })
    }

    /// How the server has proved who it is.
    pub(super) fn proof(&self) -> &'static str {
        match &self.entry {
            Some(entry) if self.proven => entry.scheme.name(),
            _ if self.trusted => "transport",
            _ => "none",
        }
    }

    /// True if the server may be trusted with what outlives the session.
    pub(super) fn is_satisfied(&self) -> bool {
        self.proven || self.trusted
    }

    /// The newest delivered nonce, if the account does not hold it yet and the server has proved
    /// itself: nobody else may make the stored one useless.
    pub(super) fn take_renewed(&mut self) -> Option<Secret> {
        if !self.proven || !std::mem::take(&mut self.renewed) {
            return None;
        }
        Some(self.entry.as_ref()?.nonce.clone())
    }
}

impl Entry {
    /// True if this `x-syncml-hmac` header proves `body`.
    fn is_mac(&self, header: &str, body: &[u8]) -> bool {
        let Some(given) = auth::parse_hmac_header(header) else { return false };
        let (secret, nonce) = (self.secret.expose(), self.nonce.expose());
        !nonce.is_empty()
            && given.name == self.name
            && auth::mac_matches(&given.mac, &self.name, secret, nonce, body)
    }

    /// True if these are the right credentials, of the type asked for.
    fn is_cred(&self, cred: &Cred<'_>) -> bool {
        let given = cred.meta.mime.as_deref().and_then(Scheme::from_wire);
        if given != Some(self.scheme) {
            return false;
        }
        let (secret, nonce) = (self.secret.expose(), self.nonce.expose());
        match self.scheme {
            Scheme::Basic => auth::basic_matches(&cred.data, &self.name, secret),
            Scheme::Md5 => {
                !nonce.is_empty() && auth::md5_matches(&cred.data, &self.name, secret, nonce)
            }
            Scheme::Mac => false,
        }
    }
}
