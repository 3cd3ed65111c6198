//! What stands in for TLS in a build without the feature `tls`: the same names, and a clear refusal.

use super::TlsConfig;
use crate::error::{Code, Error, Result};
use crate::time::Now;
use crate::transport::ByteStream;

/// A client's TLS settings; here they can only be the defaults.
#[derive(Debug)]
pub struct Tls;

/// The state of one connection; there is none.
#[derive(Debug)]
pub enum Session {}

fn unsupported() -> Error {
    let text = "this build has no TLS (feature \"tls\"): give a stream transport for https";
    Error::new(Code::NotSupported, text)
}

impl Tls {
    /// Fails with `NotSupported` when there are settings.
    pub fn new(config: &TlsConfig) -> Result<Self> {
        if config.is_default() { Ok(Self) } else { Err(unsupported()) }
    }

    /// Fails with `NotSupported`.
    pub fn session(&self, _host: &str, _now: Now) -> Result<Session> {
        Err(unsupported())
    }
}

impl Session {
    /// Nothing can be laid over a stream.
    pub fn over<'a>(&'a mut self, _under: &'a mut dyn ByteStream) -> Box<dyn ByteStream + 'a> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_feature_tls_says_so() {
        let refused =
            Tls::new(&TlsConfig::default()).unwrap().session("dm.example", Now::default());
        assert_eq!(refused.unwrap_err().code(), Code::NotSupported);
        let config = TlsConfig { pins: vec![[0; 32]], ..TlsConfig::default() };
        assert_eq!(Tls::new(&config).unwrap_err().code(), Code::NotSupported);
    }
}
