//! The channel binding of SCRAM-SHA-256-PLUS.

use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::{rfc5912, rfc8410};

/// `tls-server-end-point`: the hash of the server's certificate, given in DER.
///
/// The hash is the one of the certificate's signature, with SHA-256 in place of MD5 and SHA-1 (RFC 5929 §4.1). `None` when the signature
/// names no single hash (Ed25519, RSASSA-PSS): the RFC leaves the binding undefined there, so SCRAM goes on without `-PLUS`.
pub fn channel_binding(end_entity_cert_der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(end_entity_cert_der).ok()?;
    hash(certificate.signature_algorithm.oid, end_entity_cert_der)
}

fn hash(signature_algorithm: ObjectIdentifier, certificate: &[u8]) -> Option<Vec<u8>> {
    match signature_algorithm {
        rfc5912::MD_5_WITH_RSA_ENCRYPTION
        | rfc5912::SHA_1_WITH_RSA_ENCRYPTION
        | rfc5912::DSA_WITH_SHA_1
        | rfc5912::SHA_256_WITH_RSA_ENCRYPTION
        | rfc5912::DSA_WITH_SHA_256
        | rfc5912::ECDSA_WITH_SHA_256 => Some(Sha256::digest(certificate).to_vec()),
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_384 => Some(Sha384::digest(certificate).to_vec()),
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_512 => Some(Sha512::digest(certificate).to_vec()),
        rfc8410::ID_ED_25519 | rfc5912::ID_RSASSA_PSS => None,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_follows_the_signature_algorithm() {
        for (algorithm, bytes) in [
            (rfc5912::SHA_1_WITH_RSA_ENCRYPTION, Some(32)),
            (rfc5912::SHA_256_WITH_RSA_ENCRYPTION, Some(32)),
            (rfc5912::ECDSA_WITH_SHA_256, Some(32)),
            (rfc5912::ECDSA_WITH_SHA_384, Some(48)),
            (rfc5912::SHA_512_WITH_RSA_ENCRYPTION, Some(64)),
            (rfc8410::ID_ED_25519, None),
        ] {
            assert_eq!(hash(algorithm, b"certificate").map(|hash| hash.len()), bytes, "{algorithm}");
        }
    }

    #[test]
    fn the_binding_is_the_hash_of_the_whole_certificate() {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let issued = crate::certificate::issue(vec!["localhost".into()]).unwrap();
        let der = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        // rcgen signs with ECDSA P-256 and SHA-256.
        assert_eq!(channel_binding(&der), Some(Sha256::digest(&der).to_vec()));
        assert_eq!(channel_binding(b"not a certificate"), None);
    }
}
