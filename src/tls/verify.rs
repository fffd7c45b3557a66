//! Verification of the server's certificate, in the three strengths that `sslmode` knows.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// What is verified beyond the handshake's signature, which always is: whoever answers holds the key of the certificate shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checks {
    /// `require`, `verify-full`, and every call to the workspace.
    ChainAndName,
    /// `verify-ca`
    Chain,
    /// `prefer`, `no-verify`
    Nothing,
}

/// rustls' own checks, put together by strength, plus what it leaves out and OpenSSL has: a trusted certificate shown by the server itself
/// (a self-signed one that was given as `ca`), and the reasons Node.js gives for an untrusted chain.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: Arc<RootCertStore>,
    /// Certificates the user named: one of them as the server's own is trusted without a chain.
    named: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
    checks: Checks,
}

impl Verifier {
    pub(super) fn new(roots: Arc<RootCertStore>, named: Vec<CertificateDer<'static>>, provider: &CryptoProvider, checks: Checks) -> Self {
        Self { roots, named, algorithms: provider.signature_verification_algorithms, checks }
    }

    fn verify_chain(
        &self,
        parsed: &ParsedCertificate<'_>,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if self.named.iter().any(|named| named.as_ref() == end_entity.as_ref()) {
            return verify_validity(end_entity, now);
        }
        verify_server_cert_signed_by_trust_anchor(parsed, &self.roots, intermediates, now, self.algorithms.all).map_err(|error| match error
        {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => Untrusted::of(end_entity, intermediates).into(),
            // webpki's "CA used as end entity": what `openssl req -x509` makes, shown by a server whose certificate nobody named.
            Error::InvalidCertificate(CertificateError::Other(_)) if is_self_signed(end_entity) => Untrusted::SelfSignedLeaf.into(),
            other => other,
        })
    }
}

/// The one check of the chain that a named certificate still needs: that it is valid at this time.
fn verify_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let certificate = Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let validity = certificate.tbs_certificate.validity;
    let not_before = UnixTime::since_unix_epoch(validity.not_before.to_unix_duration());
    let not_after = UnixTime::since_unix_epoch(validity.not_after.to_unix_duration());
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    Ok(())
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
        if self.checks != Checks::Nothing {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            self.verify_chain(&parsed, end_entity, intermediates, now)?;
            if self.checks == Checks::ChainAndName {
                verify_server_name(&parsed, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Why a chain leads to no trusted root, in the distinctions of OpenSSL (`X509_V_ERR_*`), whose names Node.js uses as error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untrusted {
    SelfSignedLeaf,
    SelfSignedInChain,
    LeafAlone,
    IssuerUnknown,
}

impl Untrusted {
    fn of(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Self {
        if is_self_signed(end_entity) {
            Self::SelfSignedLeaf
        } else if intermediates.iter().any(is_self_signed) {
            Self::SelfSignedInChain
        } else if intermediates.is_empty() {
            Self::LeafAlone
        } else {
            Self::IssuerUnknown
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::SelfSignedLeaf => "DEPTH_ZERO_SELF_SIGNED_CERT",
            Self::SelfSignedInChain => "SELF_SIGNED_CERT_IN_CHAIN",
            Self::LeafAlone => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            Self::IssuerUnknown => "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        }
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    Certificate::from_der(certificate).is_ok_and(|parsed| parsed.tbs_certificate.subject == parsed.tbs_certificate.issuer)
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SelfSignedLeaf => "it is self-signed and not trusted",
            Self::SelfSignedInChain => "its chain ends in a self-signed certificate that is not trusted",
            Self::LeafAlone => "its issuer is not trusted and the server sent no chain",
            Self::IssuerUnknown => "its chain leads to no trusted root",
        })
    }
}

impl std::error::Error for Untrusted {}

impl From<Untrusted> for Error {
    fn from(reason: Untrusted) -> Self {
        CertificateError::Other(OtherError(Arc::new(reason))).into()
    }
}
