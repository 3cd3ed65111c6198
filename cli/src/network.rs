//! How the phone reaches servers: the options of `dmsc run`.

use clap::Args;
use dmsc::config::{NetworkConfig, PlainHttp};
use dmsc::error::{Code, Error, Result};
use dmsc::transport::tls::{Pin, TlsConfig};
use std::fs;
use std::path::PathBuf;

/// The way to servers in the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArguments {
    /// Trust the authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    tls_roots: Option<PathBuf>,
    /// Trust a certificate or key with this SHA-256 in hexadecimal; may be repeated
    #[arg(long, value_name = "HEX", value_parser = pin)]
    tls_pin: Vec<Pin>,
    /// Let sessions go over plain http into the network
    #[arg(long)]
    plain_http: bool,
    /// Write messages to servers in the network as text XML instead of WBXML
    #[arg(long)]
    text_xml: bool,
    /// Further attempts of a session whose server cannot be reached, 0 to 10
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,
}

fn pin(text: &str) -> std::result::Result<Pin, &'static str> {
    let octets = dmsc::bytes::hex::decode(text).map_err(|_| "not hexadecimal")?;
    octets.try_into().map_err(|_| "not 32 octets")
}

impl NetworkArguments {
    /// The client's configuration. Fails with `InvalidArg` when the roots cannot be read.
    pub(crate) fn config(&self) -> Result<NetworkConfig> {
        let roots_pem = match &self.tls_roots {
            None => Vec::new(),
            Some(path) => fs::read(path).map_err(|error| {
                Error::new(Code::InvalidArg, format!("{}: {error}", path.display()))
            })?,
        };
        Ok(NetworkConfig {
            tls: TlsConfig { roots_pem, pins: self.tls_pin.clone(), ..TlsConfig::default() },
            plain_http: if self.plain_http { PlainHttp::Allow } else { PlainHttp::Refuse },
            retries: self.retries,
            card_connections: false,
            text_xml: self.text_xml,
            ..NetworkConfig::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_thirty_two_octets() {
        assert_eq!(pin(&"0A".repeat(32)), Ok([10; 32]));
        assert_eq!(pin("0A"), Err("not 32 octets"));
        assert_eq!(pin("pin"), Err("not hexadecimal"));
    }
}
