//! The DM server behind a TCP port: plain HTTP, for terminals that know it from elsewhere.

use super::server::DmServer;
use crate::application::Application as _;
use crate::profile::Profile;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A DM server whose account has the address of its port.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    server: Arc<Mutex<DmServer>>,
}

impl Listener {
    /// Binds `address`; port 0 lets the system choose. The authority in the profile's address is
    /// replaced, its path stays.
    ///
    /// # Errors
    /// When the port is taken, or the server's memory file cannot be read.
    pub fn bind(address: &str, mut profile: Profile) -> Result<Self, String> {
        let socket = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        let bound = socket.local_addr().map_err(|error| error.to_string())?;
        let path = profile.account.address.splitn(4, '/').nth(3).unwrap_or_default();
        profile.account.address = format!("http://{bound}/{path}");
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

    /// Serves connections, each on a thread of its own, until so many sessions have ended.
    ///
    /// # Errors
    /// What accepting a connection says.
    pub fn serve(&self, sessions: u32) -> io::Result<()> {
        while ended(&self.server) < sessions {
            let (stream, _) = self.socket.accept()?;
            let server = Arc::clone(&self.server);
            // A connection that breaks is the terminal's fault, and shows in the findings.
            std::thread::spawn(move || drop(connection(stream, &server)));
        }
        Ok(())
    }
}

fn ended(server: &Mutex<DmServer>) -> u32 {
    let server = server.lock().unwrap_or_else(PoisonError::into_inner);
    server.good_sessions() + server.bad_sessions()
}

fn connection(mut stream: TcpStream, server: &Mutex<DmServer>) -> io::Result<()> {
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
        stream.write_all(&output.octets)?;
        if output.close {
            return Ok(());
        }
    }
}
