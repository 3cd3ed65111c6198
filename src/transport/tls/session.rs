//! TLS by rustls, with ring.

use super::fault::explain;
use super::verify::Verifier;
use super::{MAX_PINS, TlsConfig};
use crate::error::{Code, Error, Result};
use crate::time::Now;
use crate::transport::{ByteStream, Moved};
use once_cell::sync::OnceCell;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Octets of one read from below: one record and a little.
const READ: usize = 17 * 1024;
/// Reads behind a failed write in which the server's reason is looked for.
const LAST_READS: usize = 16;
/// Octets taken in one write: one record.
const WRITE: usize = 16 * 1024;
/// Servers whose sessions are remembered, so that the next handshake is shorter.
const RESUMED: usize = 16;

/// A client's TLS settings.
pub struct Tls {
    config: TlsConfig,
    provider: Arc<CryptoProvider>,
    /// Made for the first connection where only the system's roots are wanted: reading them takes time.
    ready: OnceCell<Arc<ClientConfig>>,
    clock: Arc<Wall>,
}

/// The time that certificates are judged at: that of the latest connection's beginning.
#[derive(Debug, Default)]
struct Wall(AtomicI64);

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.load(Ordering::Relaxed)).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("pins", &self.config.pins.len()).finish_non_exhaustive()
    }
}

impl Tls {
    /// Takes the settings. Fails with `InvalidArg` when one of them cannot be used.
    pub fn new(config: &TlsConfig) -> Result<Self> {
        let tls = Self {
            config: config.clone(),
            provider: Arc::new(ring::default_provider()),
            ready: OnceCell::new(),
            clock: Arc::default(),
        };
        if config.pins.len() > MAX_PINS {
            return Err(unusable(format!("more than {MAX_PINS} pins")));
        }
        if !config.is_default() {
            tls.ready()?;
        }
        Ok(tls)
    }

    /// The state of a new connection to `host`, a name or an address, whose certificate is judged at
    /// the time `now`.
    ///
    /// Fails with `Tls` when the system has no roots, `Uri` when the host has no name that a
    /// certificate could show.
    pub fn session(&self, host: &str, now: Now) -> Result<Session> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::new(Code::Uri, format!("TLS: {host} is no name of a server")))?;
        self.clock.0.store(now.unix_s, Ordering::Relaxed);
        let connection =
            ClientConnection::new(self.ready()?, name).map_err(|fault| explain(&fault))?;
        Ok(Session { connection, received: Vec::new(), to_send: Vec::new() })
    }

    fn ready(&self) -> Result<Arc<ClientConfig>> {
        self.ready.get_or_try_init(|| self.make()).cloned()
    }

    fn make(&self) -> Result<Arc<ClientConfig>> {
        let verifier = Verifier {
            provider: self.provider.clone(),
            roots: self.roots()?,
            pins: self.config.pins.clone(),
        };
        let builder = ClientConfig::builder_with_details(self.provider.clone(), self.clock.clone())
            .with_safe_default_protocol_versions()
            .map_err(|fault| explain(&fault))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match self.identity()? {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|fault| unusable(format!("client certificate: {fault}")))?,
        };
        config.resumption = Resumption::in_memory_sessions(RESUMED);
        Ok(Arc::new(config))
    }

    /// `None` when pins alone decide.
    fn roots(&self) -> Result<Option<RootCertStore>> {
        let mut roots = RootCertStore::empty();
        if !self.config.roots_pem.is_empty() {
            for root in certificates(&self.config.roots_pem, "roots")? {
                roots.add(root).map_err(|fault| unusable(format!("roots: {fault}")))?;
            }
            return Ok(Some(roots));
        }
        if !self.config.pins.is_empty() {
            return Ok(None);
        }
        // What cannot be read is left out: a server that needs it will be of an unknown issuer.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let text = "TLS: the system has no root certificates, and none were given";
            return Err(Error::new(Code::Tls, text));
        }
        Ok(Some(roots))
    }

    fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>> {
        let (chain, key) = (&self.config.client_chain_pem, &self.config.client_key_pem);
        match (chain.is_empty(), key.is_empty()) {
            (true, true) => Ok(None),
            (false, false) => {
                let chain = certificates(chain, "client certificate")?;
                let key = PrivateKeyDer::from_pem_slice(key.expose())
                    .map_err(|_| unusable("client key: no PEM of a private key".to_owned()))?;
                Ok(Some((chain, key)))
            }
            _ => Err(unusable("client certificate and key: one without the other".to_owned())),
        }
    }
}

fn unusable(what: String) -> Error {
    Error::new(Code::InvalidArg, format!("TLS settings: {what}"))
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<core::result::Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(format!("{what}: no PEM of a certificate"))),
        Err(fault) => Err(unusable(format!("{what}: {fault}"))),
    }
}

/// The state of one connection.
pub struct Session {
    connection: ClientConnection,
    /// Came from below and is not yet taken.
    received: Vec<u8>,
    /// To go down.
    to_send: Vec<u8>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.connection.protocol_version();
        f.debug_struct("Session").field("version", &version).finish_non_exhaustive()
    }
}

impl Session {
    /// The connection as a stream of plain octets, over the stream that carries the ciphered ones. The
    /// handshake is done in the first writes.
    pub fn over<'a>(&'a mut self, under: &'a mut dyn ByteStream) -> Box<dyn ByteStream + 'a> {
        Box::new(TlsStream { session: self, under })
    }

    /// Sends what waits; `NotYet` while some of it is left. A server that refuses says why and closes; who
    /// still sends then may learn of the end first.
    fn flush(&mut self, under: &mut dyn ByteStream, wait: Duration) -> Result<Moved> {
        self.send(under, wait).map_err(|error| self.last_words(under).unwrap_or(error))
    }

    /// Why the server has closed, if that has come.
    fn last_words(&mut self, under: &mut dyn ByteStream) -> Option<Error> {
        for _ in 0..LAST_READS {
            match self.receive(under, Duration::ZERO) {
                Ok(Moved::Octets(_)) => {}
                Ok(_) => return None,
                Err(error) => return Some(error).filter(|error| error.code() == Code::Tls),
            }
        }
        None
    }

    fn send(&mut self, under: &mut dyn ByteStream, wait: Duration) -> Result<Moved> {
        let mut sent = 0;
        loop {
            while self.connection.wants_write() {
                self.connection.write_tls(&mut self.to_send).map_err(|error| broken(&error))?;
            }
            if self.to_send.is_empty() {
                return Ok(Moved::Octets(sent));
            }
            match under.write(&self.to_send, wait)? {
                Moved::Octets(octets) => {
                    sent += octets;
                    self.to_send.drain(..octets.min(self.to_send.len()));
                }
                other => return Ok(other),
            }
        }
    }

    /// Takes what comes from below.
    fn receive(&mut self, under: &mut dyn ByteStream, wait: Duration) -> Result<Moved> {
        if self.received.is_empty() {
            let mut buffer = vec![0; READ];
            match under.read(&mut buffer, wait)? {
                Moved::Octets(octets) => {
                    buffer.truncate(octets);
                    self.received = buffer;
                }
                Moved::Closed => {
                    self.connection.read_tls(&mut [].as_slice()).map_err(|error| broken(&error))?;
                    return Ok(Moved::Closed);
                }
                Moved::NotYet => return Ok(Moved::NotYet),
            }
        }
        let mut rest = self.received.as_slice();
        let taken = self.connection.read_tls(&mut rest).map_err(|error| broken(&error))?;
        self.received.drain(..taken);
        if let Err(fault) = self.connection.process_new_packets() {
            // The alert tells the server why; that it gets through is not certain and not needed.
            let _ = self.send(under, Duration::ZERO);
            return Err(explain(&fault));
        }
        Ok(Moved::Octets(taken))
    }
}

struct TlsStream<'a> {
    session: &'a mut Session,
    under: &'a mut dyn ByteStream,
}

impl ByteStream for TlsStream<'_> {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Moved> {
        loop {
            // What is not out yet is more urgent than an answer to it.
            let unsent = self.session.flush(self.under, wait)? == Moved::NotYet;
            let wait = if unsent { Duration::ZERO } else { wait };
            match self.session.connection.reader().read(buffer) {
                Ok(0) if !buffer.is_empty() => return Ok(Moved::Closed),
                Ok(octets) => return Ok(Moved::Octets(octets)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    // It may be the work of somebody in between.
                    return Err(Error::new(Code::Io, "TLS: the connection was cut off"));
                }
                Err(error) => return Err(broken(&error)),
            }
            if self.session.receive(self.under, wait)? == Moved::NotYet {
                return Ok(Moved::NotYet);
            }
        }
    }

    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved> {
        loop {
            if self.session.flush(self.under, wait)? == Moved::NotYet {
                return Ok(Moved::NotYet);
            }
            if !self.session.connection.is_handshaking() {
                break;
            }
            match self.session.receive(self.under, wait)? {
                Moved::Octets(_) => {}
                Moved::NotYet => return Ok(Moved::NotYet),
                Moved::Closed => {
                    return Err(Error::new(Code::Tls, "TLS: the server closed in the handshake"));
                }
            }
        }
        let record = data.get(..WRITE).unwrap_or(data);
        let taken =
            self.session.connection.writer().write(record).map_err(|error| broken(&error))?;
        self.session.flush(self.under, wait)?;
        Ok(Moved::Octets(taken))
    }

    fn close(&mut self) {
        self.session.connection.send_close_notify();
        // Who has gone already does not hear it.
        let _ = self.session.flush(self.under, Duration::ZERO);
        self.under.close();
    }
}

fn broken(error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("TLS: {error}"))
}
