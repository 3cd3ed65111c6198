//! Authorities and servers with certificates of their own.

use super::web::Wrap;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// An authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) chain_pem: String,
    pub(crate) key_pem: String,
    pub(crate) spki: Vec<u8>,
}

impl Identity {
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub(crate) fn key_pin(&self) -> [u8; 32] {
        Sha256::digest(&self.spki).into()
    }

    /// SHA-256 of the certificate.
    pub(crate) fn pin(&self) -> [u8; 32] {
        Sha256::digest(&self.chain[0]).into()
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn pin(&self) -> [u8; 32] {
        Sha256::digest(self.0.der()).into()
    }

    /// A certificate for `name`, valid in these years.
    pub(crate) fn issue(&self, name: &str, (from, until): (i32, i32)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            chain: vec![certificate.der().clone(), self.der()],
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            spki: rcgen::PublicKeyData::subject_public_key_info(&key),
        }
    }
}

/// TLS as `identity` over every connection. With `clients` a certificate of that authority is asked for.
pub(crate) fn tls(
    identity: &Identity,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> Wrap {
    let config = server(identity, clients, versions);
    Box::new(move |socket| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        Box::new(StreamOwned::new(connection, socket))
    })
}

/// The server's side of [`tls`].
pub(crate) fn server(
    identity: &Identity,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    Arc::new(builder.with_single_cert(identity.chain.clone(), key).unwrap())
}
