//! The settings of TLS to the database.

use std::path::PathBuf;

use crate::secret::Secret;

/// How the database connection is encrypted and whom it trusts.
#[derive(Clone, Debug)]
pub struct SslConfig {
    pub mode: SslMode,
    /// PEM certificates that replace the default roots (`ssl.ca`, or the file that `sslrootcert` or `PGSSLROOTCERT` names).
    pub ca: Option<String>,
    /// PEM client certificate (`ssl.cert`, or the file `sslcert` names). Given if and only if there is a key.
    pub client_certificate: Option<String>,
    /// Its PEM key, without passphrase (`ssl.key`, or the file `sslkey` names).
    pub client_key: Option<Secret>,
    /// Name to send as SNI and to verify instead of the host (`ssl.servername`).
    pub server_name: Option<String>,
    /// `ssl.checkServerIdentity`, which only `lakebase-native/pg` has: a function decides, in place of our own check of the name.
    pub asks_identity: bool,
    /// The only TLS version to speak (`ssl.minVersion`, `ssl.maxVersion`); `None` is 1.2 or 1.3.
    pub tls_version: Option<TlsVersion>,
    /// Files of PEM certificates trusted besides the default roots (`NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`).
    pub extra_ca_files: Vec<PathBuf>,
}

/// The versions of TLS there are for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

/// The four behaviours behind the option's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// `disable`: no TLS; a password is then only sent to loopback addresses or Unix sockets, or as a SCRAM/MD5 proof.
    Disable,
    /// `prefer`, `no-verify`: TLS always, certificate not verified. Never a plaintext fallback.
    NoVerify,
    /// `verify-ca`: chain verified, host name not.
    VerifyCa,
    /// `require`, `verify-full`: chain and host name verified.
    VerifyFull,
}
