//! The ways into the network: connections of the host or plain TCP, with TLS over them.
//!
//! Owns who opens a connection, and how an attempt is cancelled. Must not know what a session is.

use super::connecting::Connecting;
use crate::config::NetworkConfig;
use crate::error::{Code, Error, Result};
use crate::time::Now;
use crate::transport::tcp::Resolver;
use crate::transport::tls::{Session, Tls};
use crate::transport::udp::UdpStream;
use crate::transport::{ByteStream, Connector, Target};
use crate::url::{Scheme, Url};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Kinds of connections that a host may open itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamScheme {
    /// TCP, for everything that the library does over it: HTTP, its own TLS, connections of the card.
    Tcp,
    /// Datagrams, for connections of the card: one read or write is one datagram.
    Udp,
    /// TLS by the host: plain octets of HTTP go in and come out.
    Https,
}

impl StreamScheme {
    /// `tcp`, `udp` or `https`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Https].into_iter().find(|scheme| scheme.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Https => "https",
        }
    }
}

/// An attempt of the host to connect, while it lasts.
struct Attempt {
    id: u64,
    session: u64,
    connector: Arc<dyn Connector>,
}

/// The attempts that may be cancelled from other threads.
#[derive(Default)]
pub(super) struct Attempts(Mutex<Option<Attempt>>);

impl Attempts {
    /// Cancels the attempt for session `session`, or any if `None`.
    pub(super) fn cancel(&self, session: Option<u64>) {
        let attempt = self.0.lock();
        let meant = attempt
            .as_ref()
            .filter(|attempt| session.is_none_or(|session| session == attempt.session))
            .map(|attempt| (attempt.id, attempt.connector.clone()));
        // The host is called with no lock held.
        drop(attempt);
        if let Some((id, connector)) = meant {
            connector.cancel(id);
        }
    }
}

/// Where to, and on whose behalf.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    /// The session's id; 0 for a connection of the card.
    pub(super) session: u64,
    pub(super) server_id: Option<String>,
    pub(super) con_ref: Option<String>,
    pub(super) slot: u32,
}

/// An open connection, with TLS over it where the library does it.
pub(super) struct Connection {
    stream: Box<dyn ByteStream + Send>,
    tls: Option<Session>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("tls", &self.tls).finish_non_exhaustive()
    }
}

impl Connection {
    /// Lends the stream of plain octets to `work`.
    pub(super) fn with<R>(&mut self, work: impl FnOnce(&mut dyn ByteStream) -> R) -> R {
        match &mut self.tls {
            Some(session) => work(&mut *session.over(&mut *self.stream)),
            None => work(&mut *self.stream),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.with(|stream| stream.close());
    }
}

/// The ways into the network of one client.
pub(super) struct Network {
    pub(super) tls: Tls,
    connectors: BTreeMap<StreamScheme, Arc<dyn Connector>>,
    attempts: Arc<Attempts>,
    resolver: Arc<dyn Resolver>,
    /// Longest wait for a connection.
    timeout: Duration,
    next: u64,
    /// What the host said last.
    is_up: bool,
}

impl Network {
    pub(super) fn new(config: &NetworkConfig, attempts: Arc<Attempts>) -> Result<Self> {
        Ok(Self {
            tls: Tls::new(&config.tls)?,
            connectors: BTreeMap::new(),
            attempts,
            resolver: config.resolver.clone(),
            timeout: config.connect_timeout,
            next: 1,
            is_up: true,
        })
    }

    /// Lets the host open connections of this kind; `None` takes that back.
    pub(super) fn set_connector(
        &mut self,
        scheme: StreamScheme,
        connector: Option<Arc<dyn Connector>>,
    ) {
        match connector {
            Some(connector) => self.connectors.insert(scheme, connector),
            None => self.connectors.remove(&scheme),
        };
    }

    pub(super) fn has(&self, scheme: StreamScheme) -> bool {
        self.connectors.contains_key(&scheme)
    }

    pub(super) fn set_up(&mut self, is_up: bool) {
        self.is_up = is_up;
    }

    /// Begins to connect to the server of `url` at `host`, which is the URL's own host unless a card's address
    /// stands in for the loopback address.
    ///
    /// Fails, now or when octets are to move, with `NoNetwork` while there is none, `Connect`, `Tls`, and what the host's callback
    /// returned.
    pub(super) fn open(
        &mut self,
        url: &Url,
        host: &str,
        route: &Route,
        now: Now,
    ) -> Result<Connection> {
        if url.scheme == Scheme::Https && self.has(StreamScheme::Https) {
            let stream = self.stream(StreamScheme::Https, &url.host, url.port, route)?;
            return Ok(Connection { stream, tls: None });
        }
        let tls = match url.scheme {
            Scheme::Https => Some(self.tls.session(&url.host, now)?),
            Scheme::Http => None,
        };
        Ok(Connection { stream: self.stream(StreamScheme::Tcp, host, url.port, route)?, tls })
    }

    /// Begins to connect without the host.
    pub(super) fn connect(&self, host: &str, port: u16) -> Result<Connecting> {
        Connecting::start(self.resolver.clone(), host, port, self.timeout)
    }

    /// A stream as the host or, for TCP, the system opens it.
    pub(super) fn stream(
        &mut self,
        scheme: StreamScheme,
        host: &str,
        port: u16,
        route: &Route,
    ) -> Result<Box<dyn ByteStream + Send>> {
        if !self.is_up {
            return Err(Error::new(Code::NoNetwork, "the host says that there is no network"));
        }
        let Some(connector) = self.connectors.get(&scheme).cloned() else {
            return match scheme {
                StreamScheme::Tcp => Ok(Box::new(self.connect(host, port)?)),
                StreamScheme::Udp => Ok(Box::new(UdpStream::connect(host, port)?)),
                StreamScheme::Https => Err(Error::new(Code::State, "nobody does TLS here")),
            };
        };
        let id = self.next;
        self.next += 1;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let uri = format!("{}://{host}:{port}", scheme.name());
        let target = Target {
            id,
            uri: &uri,
            server_id: route.server_id.as_deref(),
            con_ref: route.con_ref.as_deref(),
            slot: route.slot,
            timeout: self.timeout,
        };
        let attempt = Attempt { id, session: route.session, connector: connector.clone() };
        *self.attempts.0.lock() = Some(attempt);
        let stream = connector.connect(&target);
        *self.attempts.0.lock() = None;
        stream
    }
}
