//! The DM server behind a TCP port: plain HTTP, for terminals that know it from elsewhere.

use super::server::DmServer;
use crate::application::Application as _;
use crate::profile::Profile;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};

/// A DM server whose account has the address of its port.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    server: Arc<Mutex<DmServer>>,
}

impl Listener {
    /// Binds `address`; port 0 lets the system choose. In the profile's address the port is replaced by
    /// the one bound, an IP address too; a name, under which terminals know the server, and the path stay.
    ///
    /// # Errors
    /// When the port is taken, or the server's memory file cannot be read.
    pub fn bind(address: &str, mut profile: Profile) -> Result<Self, String> {
        let socket = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        let bound = socket.local_addr().map_err(|error| error.to_string())?;
        let mut parts = profile.account.address.splitn(4, '/').skip(2);
        let (authority, path) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        profile.account.address = match authority.split(':').next() {
            Some(name) if name.contains(|letter: char| letter.is_ascii_alphabetic()) => {
                format!("http://{name}:{}/{path}", bound.port())
            }
            _ => format!("http://{bound}/{path}"),
        };
        Ok(Self { socket, server: Arc::new(Mutex::new(DmServer::new(profile)?)) })
    }

    /// Where terminals connect to.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The server, for its findings.
    pub fn server(&self) -> Arc<Mutex<DmServer>> {
        Arc::clone(&self.server)
    }

    /// Serves connections, each on a thread of its own, until so many sessions have ended. Connections go on
    /// to be taken behind that, as long as the process lives.
    ///
    /// # Errors
    /// What accepting a connection says.
    pub fn serve(&self, sessions: u32) -> io::Result<()> {
        let (socket, server) = (self.socket.try_clone()?, self.server());
        let (answered, answers) = mpsc::channel();
        std::thread::spawn(move || {
            let failed = accept(&socket, &server, &answered);
            // Nobody listens any more once the sessions have ended.
            drop(answered.send(failed));
        });
        while ended(&self.server) < sessions {
            answers.recv().map_err(io::Error::other)??;
        }
        Ok(())
    }
}

fn ended(server: &Mutex<DmServer>) -> u32 {
    let server = server.lock().unwrap_or_else(PoisonError::into_inner);
    server.good_sessions() + server.bad_sessions()
}

/// Takes connections until that fails; says so behind each answer of each of them.
fn accept(
    socket: &TcpListener,
    server: &Arc<Mutex<DmServer>>,
    answered: &Sender<io::Result<()>>,
) -> io::Result<()> {
    loop {
        let (stream, _) = socket.accept()?;
        let (server, answered) = (Arc::clone(server), answered.clone());
        // A connection that breaks is the terminal's fault, and shows in the findings.
        std::thread::spawn(move || drop(connection(stream, &server, &answered)));
    }
}

fn connection(
    mut stream: TcpStream,
    server: &Mutex<DmServer>,
    answered: &Sender<io::Result<()>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut pending = Vec::new();
    let mut octets = [0; 8192];
    loop {
        let count = stream.read(&mut octets)?;
        pending.extend_from_slice(octets.get(..count).unwrap_or_default());
        if count == 0 {
            return Ok(());
        }
        // Requests of several connections must not mix: each is handed over whole.
        let Some(length) = super::http::whole(&pending) else { continue };
        let request: Vec<u8> = pending.drain(..length).collect();
        let output = {
            let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
            server.http_received(&request)
        };
        let written = stream.write_all(&output.octets);
        drop(answered.send(Ok(())));
        written?;
        if output.close {
            return Ok(());
        }
    }
}
