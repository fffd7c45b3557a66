//! Throw-away certificates for the local emulator and the tests: a certificate authority and one server certificate signed by it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};

/// PEM texts of a fresh authority and a server certificate for `names` (DNS names or IP addresses).
pub struct ServerCertificate {
    pub ca: String,
    pub certificate: String,
    pub key: String,
}

/// Makes both with new keys (ECDSA P-256), valid for rcgen's default period. Nothing touches the disk.
pub fn issue(names: Vec<String>) -> Result<ServerCertificate, rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "lakebase-native emulator CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let common_name = names.first().cloned().unwrap_or_default();
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, common_name);
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &authority)?;

    Ok(ServerCertificate { ca: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
}
