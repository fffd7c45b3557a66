//! What a failed TLS handshake means: a typed error with the code Node.js gives it and what to do next.

use std::io;

use rustls::CertificateError;

use super::verify::Untrusted;
use crate::error::{Error, Kind};

/// Whom the handshake was with; decides which setting the hint names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Workspace,
    Database,
}

impl Peer {
    fn trust_hint(self) -> &'static str {
        match self {
            Self::Workspace => "if you trust its authority, name a file with that authority's PEM certificate in NODE_EXTRA_CA_CERTS",
            Self::Database => {
                "if you trust its authority, name a file with that authority's PEM certificate in PGSSLROOTCERT, ssl.ca or NODE_EXTRA_CA_CERTS"
            }
        }
    }

    fn name_hint(self) -> &'static str {
        match self {
            Self::Workspace => "check DATABRICKS_HOST",
            Self::Database => "check PGHOST; ssl.servername sets another name to verify",
        }
    }
}

/// A [`Kind::Connection`] error for a TLS failure with `host`.
///
/// Codes are those of Node.js' `tls` module (documentation, "X509 certificate error codes"): `CERT_HAS_EXPIRED`,
/// `DEPTH_ZERO_SELF_SIGNED_CERT`, `ERR_TLS_CERT_ALTNAME_INVALID`, …; `EPROTO` for a handshake that failed for another reason.
pub fn describe(error: &rustls::Error, host: &str, peer: Peer) -> Error {
    let (code, message, hint) = match error {
        rustls::Error::InvalidCertificate(certificate) => {
            let (code, reason, hint) = certificate_problem(certificate, peer);
            (code, format!("the certificate of {host} was refused: {reason}"), hint)
        }
        rustls::Error::InvalidMessage(_) => (
            "EPROTO",
            format!("{host} does not answer with TLS"),
            "check host and port; something else than the expected server may be listening there",
        ),
        other => ("EPROTO", format!("the TLS handshake with {host} failed: {other}"), "TLS 1.2 or 1.3 is needed; check host and port"),
    };
    Error::new(Kind::Connection, message).with_code(code).with_hint(hint).with_source(error.clone())
}

/// [`describe`] for the I/O error that tokio-rustls wraps a TLS failure in; `None` when there is none inside.
pub fn describe_io(error: &io::Error, host: &str, peer: Peer) -> Option<Error> {
    let inner = error.get_ref()?;
    match inner.downcast_ref::<rustls::Error>() {
        Some(tls) => Some(describe(tls, host, peer)),
        None => describe_io(inner.downcast_ref::<io::Error>()?, host, peer),
    }
}

fn certificate_problem(error: &CertificateError, peer: Peer) -> (&'static str, String, &'static str) {
    const CLOCK: &str = "check the clock of this machine; if it is right, the server's certificate must be renewed";
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => ("CERT_HAS_EXPIRED", "it has expired".into(), CLOCK),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("CERT_NOT_YET_VALID", "it is not valid yet".into(), CLOCK)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("ERR_TLS_CERT_ALTNAME_INVALID", altname_reason(error), peer.name_hint())
        }
        CertificateError::Revoked => ("CERT_REVOKED", "it was revoked".into(), "the server's certificate must be replaced"),
        CertificateError::UnknownIssuer => {
            ("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "its chain leads to no trusted root".into(), peer.trust_hint())
        }
        CertificateError::BadSignature => {
            ("CERT_SIGNATURE_FAILURE", "the trusted authority of that name did not sign it".into(), peer.trust_hint())
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("INVALID_PURPOSE", "it was not issued for servers".into(), "the server's certificate must be replaced")
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<Untrusted>() {
            Some(reason) => (reason.code(), reason.to_string(), peer.trust_hint()),
            None => ("CERT_REJECTED", other.to_string(), peer.trust_hint()),
        },
        other => ("CERT_REJECTED", other.to_string(), peer.trust_hint()),
    }
}

fn altname_reason(error: &CertificateError) -> String {
    match error {
        CertificateError::NotValidForNameContext { expected, presented } if !presented.is_empty() => {
            format!("it is not for {}, only for {}", expected.to_str(), presented.join(", "))
        }
        _ => "it is for another name".into(),
    }
}
