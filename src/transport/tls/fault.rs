//! What went wrong with TLS, in words.

use crate::error::{Code, Error};
use rustls::{CertificateError, Error as Fault};

/// The error for the host: which check failed, and what the peer said.
pub(super) fn explain(fault: &Fault) -> Error {
    let text = match fault {
        Fault::InvalidCertificate(why) => {
            format!("TLS: the server's certificate {}", certificate(why))
        }
        Fault::AlertReceived(alert) => format!("TLS: the server refused with the alert {alert:?}"),
        Fault::PeerIncompatible(why) => {
            format!("TLS: the server has nothing in common with this client ({why:?})")
        }
        Fault::NoCertificatesPresented => "TLS: the server shows no certificate".to_owned(),
        Fault::InvalidMessage(_) => "TLS: the server does not speak TLS".to_owned(),
        other => format!("TLS: {other}"),
    };
    Error::new(Code::Tls, text)
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet".to_owned()
        }
        CertificateError::UnknownIssuer => "is from an unknown issuer".to_owned(),
        CertificateError::NotValidForName => "is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, .. } => {
            format!("is for another name than {}", expected.to_str())
        }
        CertificateError::BadSignature => "has a wrong signature".to_owned(),
        CertificateError::BadEncoding => "cannot be decoded".to_owned(),
        CertificateError::Revoked => "is revoked".to_owned(),
        CertificateError::ApplicationVerificationFailure => "is not a pinned one".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for a server".to_owned()
        }
        other => format!("was refused ({other:?})"),
    }
}
