//! Whether a server's certificate convinces: chain, pins, name and dates.

use super::Pin;
use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode, Header, Reader, SliceReader, Tag, Tagged};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The judge of servers' certificates.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) provider: Arc<CryptoProvider>,
    /// `None` when pins alone decide.
    pub(super) roots: Option<RootCertStore>,
    pub(super) pins: Vec<Pin>,
}

impl Verifier {
    fn is_pinned(&self, certificate: &CertificateDer<'_>) -> bool {
        let whole: Pin = Sha256::digest(certificate).into();
        let key = ParsedCertificate::try_from(certificate)
            .map(|parsed| Pin::from(Sha256::digest(parsed.subject_public_key_info())));
        self.pins.iter().any(|pin| *pin == whole || key.as_ref() == Ok(pin))
    }

    fn chain(
        &self,
        parsed: &ParsedCertificate<'_>,
        roots: &RootCertStore,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(parsed, roots, intermediates, now, algorithms)
    }

    /// Pins without roots: the certificate itself, or an authority of its chain.
    fn pinned(
        &self,
        end_entity: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if self.is_pinned(end_entity) {
            return check_dates(end_entity, now);
        }
        let mut anchors = RootCertStore::empty();
        for authority in intermediates.iter().filter(|authority| self.is_pinned(authority)) {
            check_dates(authority, now)?;
            anchors.add(authority.clone().into_owned())?;
        }
        if anchors.is_empty() {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        self.chain(parsed, &anchors, intermediates, now)
    }

    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        match &self.roots {
            Some(roots) => {
                self.chain(&parsed, roots, intermediates, now)?;
                let mut shown = std::iter::once(end_entity).chain(intermediates);
                if !self.pins.is_empty() && !shown.any(|one| self.is_pinned(one)) {
                    return Err(CertificateError::ApplicationVerificationFailure.into());
                }
            }
            None => self.pinned(end_entity, &parsed, intermediates, now)?,
        }
        verify_server_name(&parsed, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

/// The dates of a certificate that no chain vouches for.
fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (from, until) = validity(certificate).ok_or(CertificateError::BadEncoding)?;
    if now.as_secs() < from {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() > until {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

/// The tag of a certificate's version, which one of version 1 lacks.
const VERSION: u8 = 0xA0;

/// notBefore and notAfter in seconds since 1970 (RFC 5280 4.1).
fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let mut reader = SliceReader::new(certificate).ok()?;
    Header::decode(&mut reader).ok()?; // Certificate
    Header::decode(&mut reader).ok()?; // TBSCertificate
    if reader.peek_byte()? == VERSION {
        AnyRef::decode(&mut reader).ok()?;
    }
    for _ in ["serialNumber", "signature", "issuer"] {
        AnyRef::decode(&mut reader).ok()?;
    }
    Header::decode(&mut reader).ok()?; // Validity
    Some((time(&mut reader)?, time(&mut reader)?))
}

fn time(reader: &mut SliceReader<'_>) -> Option<u64> {
    let value = AnyRef::decode(reader).ok()?;
    let seconds = match value.tag() {
        Tag::UtcTime => value.decode_as::<UtcTime>().ok()?.to_unix_duration(),
        Tag::GeneralizedTime => value.decode_as::<GeneralizedTime>().ok()?.to_unix_duration(),
        _ => return None,
    };
    Some(seconds.as_secs())
}
