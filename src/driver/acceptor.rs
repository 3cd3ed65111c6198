//! A thread that waits for connections to this device and hands them on.
//!
//! Waiting costs nothing while nobody comes. Must not know what a connection is for.

use crate::error::{Code, Error, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Takes a connection; called on the acceptor's thread.
pub(crate) type Take = Box<dyn Fn(TcpStream, SocketAddr) + Send>;

/// A port of the loopback interface that is listened on until the value is dropped.
#[derive(Debug)]
pub(crate) struct Acceptor {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Pause after a failed accept, which may go on failing while the process has no descriptors.
const PAUSE: Duration = Duration::from_millis(100);

impl Acceptor {
    /// Listens on 127.0.0.1. Fails with `Busy` when the port is taken, else with `Connect`.
    pub(crate) fn start(port: u16, take: Take) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let code = match error.kind() {
                std::io::ErrorKind::AddrInUse => Code::Busy,
                _ => Code::Connect,
            };
            Error::new(code, format!("listening on 127.0.0.1:{port}: {error}"))
                .with_os_error(error.raw_os_error().unwrap_or(0))
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let ends = stop.clone();
        let run = move || {
            while !ends.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok(_) if ends.load(Ordering::SeqCst) => return,
                    Ok((socket, peer)) => take(socket, peer),
                    Err(_) => thread::sleep(PAUSE),
                }
            }
        };
        let thread = thread::Builder::new().name("dmsc-gateway".into()).spawn(run);
        let thread = Some(thread.map_err(failed)?);
        Ok(Self { address, stop, thread })
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread; if that fails, the listener has failed and it is awake.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            // A panic in it has left nothing behind.
            let _ = thread.join();
        }
    }
}
