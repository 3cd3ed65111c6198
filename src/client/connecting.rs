//! A TCP connection that is made while the client goes on: names are looked up and addresses tried by a thread
//! of their own.

use crate::driver::Background;
use crate::error::{Code, Error, Result};
use crate::transport::tcp::{Resolver, TcpStream};
use crate::transport::{ByteStream, Moved};
use std::sync::Arc;
use std::time::Duration;

/// The connection, there or not. Dropping it leaves the attempt to itself.
#[derive(Debug)]
pub(super) enum Connecting {
    Attempt(Background<Result<TcpStream>>),
    Open(TcpStream),
    Failed(Error),
}

impl Connecting {
    /// Begins to connect; name and addresses together may take `timeout`.
    ///
    /// Fails with `NoMemory` if there is no thread to be had.
    pub(super) fn start(
        resolver: Arc<dyn Resolver>,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<Self> {
        let host = host.to_owned();
        let connect = move || TcpStream::connect_by(&*resolver, &host, port, timeout);
        Ok(Self::Attempt(Background::start(timeout, connect)?))
    }

    fn open(&mut self) -> Result<Option<&mut TcpStream>> {
        if let Self::Attempt(background) = self {
            match background.poll() {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(stream))) => *self = Self::Open(stream),
                Ok(Some(Err(error))) => *self = Self::Failed(error),
                Err(error) => {
                    let error = error.with_code(Code::Connect);
                    *self = Self::Failed(error.context("connecting to the server"));
                }
            }
        }
        match self {
            Self::Open(stream) => Ok(Some(stream)),
            Self::Failed(error) => Err(error.clone()),
            Self::Attempt(_) => Ok(None),
        }
    }
}

impl ByteStream for Connecting {
    fn established(&mut self) -> Result<bool> {
        Ok(self.open()?.is_some())
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Moved> {
        self.open()?.map_or(Ok(Moved::NotYet), |stream| stream.read(buffer, wait))
    }

    fn write(&mut self, data: &[u8], wait: Duration) -> Result<Moved> {
        self.open()?.map_or(Ok(Moved::NotYet), |stream| stream.write(data, wait))
    }

    fn close(&mut self) {
        if let Self::Open(stream) = self {
            stream.close();
        }
    }
}
