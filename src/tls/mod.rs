//! TLS for both sides: the HTTPS calls to the workspace and the connections to PostgreSQL.
//!
//! The crypto provider is ring, named explicitly: a process default could be installed by another addon in the same process.

mod binding;
mod failure;
mod key_share;
mod settings;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::kx_group::{SECP256R1, SECP384R1};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

pub use binding::channel_binding;
pub use failure::{Peer, describe, describe_io};
pub use settings::{SslConfig, SslMode, TlsVersion};

use crate::error::Error;
use key_share::X25519AndP256;
use verify::{Checks, Verifier};

/// The ALPN name PostgreSQL 17 requires of a direct TLS connection. Source: PostgreSQL documentation, "SSL Session Encryption".
const POSTGRESQL_ALPN: &[u8] = b"postgresql";

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| {
        // The first one is offered with a share of the second.
        let kx_groups = vec![&X25519AndP256 as &dyn SupportedKxGroup, SECP256R1, SECP384R1];
        Arc::new(CryptoProvider { kx_groups, ..rustls::crypto::ring::default_provider() })
    }))
}

/// 64 bits from the operating system's generator; `None` if it has none to give.
pub fn random() -> Option<u64> {
    let mut bytes = [0; 8];
    provider().secure_random.fill(&mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, `RS256`) by a private key in PEM; `None` if it is no RSA key.
pub fn sign_rs256(key: &str, message: &[u8]) -> Option<Vec<u8>> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok()?;
    let key = rustls::crypto::ring::sign::any_supported_type(&key).ok()?;
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?.sign(message).ok()
}

/// Mozilla's roots. One store per process: most configurations share it untouched.
fn default_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(ROOTS.get_or_init(|| Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })))
}

/// Trust anchors, and the certificates the user named one by one.
struct Trust {
    roots: Arc<RootCertStore>,
    named: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// The default roots plus the certificates in `files`.
    fn with_files(files: &[PathBuf]) -> Result<Self, Error> {
        if files.is_empty() {
            return Ok(Self { roots: default_roots(), named: Vec::new() });
        }
        let mut named = Vec::new();
        for file in files {
            named.extend(read_certificates(file)?);
        }
        let mut roots = RootCertStore::clone(&default_roots());
        roots.add_parsable_certificates(named.iter().cloned());
        Ok(Self { roots: Arc::new(roots), named })
    }

    /// Only the certificates in `pem`, which replace the default roots.
    fn only(pem: &str) -> Result<Self, Error> {
        let named = certificates(pem.as_bytes());
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(named.iter().cloned());
        if added == 0 {
            return Err(bad_pem("ssl.ca or PGSSLROOTCERT", "at least one certificate in PEM form (-----BEGIN CERTIFICATE-----)"));
        }
        Ok(Self { roots: Arc::new(roots), named })
    }
}

/// Every certificate of a PEM text that can be read. Broken sections are passed over, as OpenSSL passes over them in a bundle.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let shown = file.display();
    let pem = fs::read(file).map_err(|error| {
        Error::unusable_setting(format!("the file of trusted certificates {shown} cannot be read: {error}"))
            .with_hint("NODE_EXTRA_CA_CERTS and SSL_CERT_FILE name files of PEM certificates; correct or unset the variable")
            .with_source(error)
    })?;
    let found = certificates(&pem);
    if found.is_empty() {
        return Err(bad_pem(&format!("the file of trusted certificates {shown}"), "at least one certificate in PEM form"));
    }
    Ok(found)
}

// Never quotes what was found: a key pasted in the wrong place is a secret.
fn bad_pem(what: &str, expected: &str) -> Error {
    Error::unusable_setting(format!("{what}: expected {expected}"))
}

fn client_config(
    verifier: Arc<dyn ServerCertVerifier>,
    version: Option<TlsVersion>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let versions: &[&rustls::SupportedProtocolVersion] = match version {
        None => rustls::DEFAULT_VERSIONS,
        Some(TlsVersion::Tls12) => &[&rustls::version::TLS12],
        Some(TlsVersion::Tls13) => &[&rustls::version::TLS13],
    };
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .expect("ring supports both TLS versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
}

/// TLS of the HTTPS calls: chain and host name always verified against Mozilla's roots and the PEM certificates in `extra_ca_files`.
///
/// # Errors
/// [`Kind::Configuration`] when a file cannot be read or has no certificate. Single broken certificates in a bundle are passed over.
pub fn api_client_config(extra_ca_files: &[PathBuf]) -> Result<ClientConfig, Error> {
    let trust = Trust::with_files(extra_ca_files)?;
    let verifier = Verifier::new(trust.roots, trust.named, &provider(), Checks::ChainAndName);
    Ok(client_config(Arc::new(verifier), None).with_no_client_auth())
}

/// TLS of the PostgreSQL connections. Build it once per pool: the configuration holds the session tickets that make reconnecting cheap.
///
/// `direct_tls` offers ALPN `postgresql`, which a server requires of a connection that starts with TLS; a negotiated one offers none.
///
/// # Errors
/// [`Kind::Configuration`] when `ca`, a CA file, the client certificate or its key is not usable PEM; [`Kind::Internal`] for
/// [`SslMode::Disable`], which has no TLS to configure.
pub fn database_client_config(ssl: &SslConfig, direct_tls: bool) -> Result<Arc<ClientConfig>, Error> {
    let checks = match ssl.mode {
        SslMode::VerifyFull => Checks::ChainAndName,
        SslMode::VerifyCa => Checks::Chain,
        SslMode::NoVerify => Checks::Nothing,
        SslMode::Disable => return Err(Error::internal("TLS was asked for with sslmode=disable")),
    };
    let trust = match (&ssl.ca, checks) {
        // Nothing is verified, so a missing CA file must not be in the way.
        (_, Checks::Nothing) => Trust { roots: default_roots(), named: Vec::new() },
        (Some(pem), _) => Trust::only(pem)?,
        (None, _) => Trust::with_files(&ssl.extra_ca_files)?,
    };
    let builder = client_config(Arc::new(Verifier::new(trust.roots, trust.named, &provider(), checks)), ssl.tls_version);
    let mut config = match (&ssl.client_certificate, &ssl.client_key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate.as_bytes());
            if chain.is_empty() {
                return Err(bad_pem("ssl.cert", "a client certificate in PEM form (-----BEGIN CERTIFICATE-----)"));
            }
            // PKCS#8, PKCS#1 and SEC1, told apart by their PEM labels. The parser's error could quote the key: it is dropped.
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| bad_pem("ssl.key", "an unencrypted private key in PEM form (PKCS#8, PKCS#1 or SEC1)"))?;
            builder.with_client_cert_resolver(Arc::new(client_identity(chain, key)?))
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(bad_pem("ssl.cert and ssl.key", "both, or neither")),
    };
    if direct_tls {
        config.alpn_protocols = vec![POSTGRESQL_ALPN.to_vec()];
    }
    Ok(Arc::new(config))
}

/// The client's certificate and key. rustls' own way to put them together reads only X.509 version 3; what a client shows is for the server
/// to judge, and PostgreSQL takes version 1, too.
fn client_identity(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<SingleCertAndKey, Error> {
    let unreadable = || bad_pem("ssl.cert", "a client certificate (X.509)");
    let certificate = Certificate::from_der(chain.first().ok_or_else(unreadable)?).map_err(|_| unreadable())?;
    let public_key = certificate.tbs_certificate.subject_public_key_info.to_der().map_err(|_| unreadable())?;
    // The error could quote the key: it is dropped.
    let key = provider().key_provider.load_private_key(key).map_err(|_| bad_pem("ssl.key", "an RSA, ECDSA or Ed25519 key"))?;
    if key.public_key().is_some_and(|key| key.as_ref() != public_key) {
        return Err(bad_pem("ssl.cert and ssl.key", "a certificate and the key that belongs to it"));
    }
    Ok(SingleCertAndKey::from(CertifiedKey::new(chain, key)))
}

/// The name to verify and to send as SNI (an IP address is verified but, as RFC 6066 wants it, not sent): `ssl.servername`, else the host.
///
/// # Errors
/// [`Kind::Configuration`] when the name is neither a DNS name nor an IP address.
pub fn server_name(ssl: &SslConfig, host: &str) -> Result<ServerName<'static>, Error> {
    let name = ssl.server_name.as_deref().unwrap_or(host);
    ServerName::try_from(name.to_owned()).map_err(|error| {
        Error::unusable_setting(format!("{name:?} is neither a DNS name nor an IP address"))
            .with_hint("check PGHOST or ssl.servername")
            .with_source(error)
    })
}

#[cfg(test)]
mod tests;
