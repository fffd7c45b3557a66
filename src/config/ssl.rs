//! TLS to the database: the `ssl` object, `PGSSLROOTCERT`, `sslnegotiation` and the files a connection string names.

use serde_json::{Map, Value};

use super::found::{describe, is_function};
use super::reader::{Given, Reader};
use super::settings::{SSL, SSL_CERT, SSL_KEY, SSL_NEGOTIATION, SSL_ROOT_CERT};
use super::{Host, SslConfig, SslMode, TlsVersion, network, pem, ssl_mode};
use crate::error::Problem;
use crate::setting::Setting;

/// How the connection to `host` is encrypted.
pub(super) fn resolve(reader: &mut Reader, host: &Host) -> SslConfig {
    let mode = ssl_mode::resolve(reader, host);
    let mut ssl = with_mode(reader, mode);
    read_option(reader, &mut ssl, Members::Known);
    if ssl.mode != SslMode::Disable {
        read_files(reader, &mut ssl);
    }
    check_pair(reader, &ssl);
    ssl
}

/// The same where only the resolved `ssl` counts: `false`, `true` or an object, by node-postgres' rules.
pub(super) fn resolved(reader: &mut Reader, host: &Host) -> SslConfig {
    let mode = match reader.option(&SSL).as_ref().map(|given| &*given.value) {
        // PostgreSQL has no TLS on Unix sockets.
        _ if matches!(host, Host::Unix(_)) => SslMode::Disable,
        None | Some(Value::Bool(false)) => SslMode::Disable,
        Some(Value::Object(details)) if details.get("rejectUnauthorized") == Some(&Value::Bool(false)) => SslMode::NoVerify,
        Some(_) => SslMode::VerifyFull,
    };
    let mut ssl = with_mode(reader, mode);
    read_option(reader, &mut ssl, Members::Any);
    check_pair(reader, &ssl);
    ssl
}

fn with_mode(reader: &Reader, mode: SslMode) -> SslConfig {
    SslConfig {
        mode,
        ca: None,
        client_certificate: None,
        client_key: None,
        server_name: None,
        asks_identity: false,
        tls_version: None,
        extra_ca_files: network::extra_ca_files(reader),
    }
}

/// A client's certificate and its key belong together.
fn check_pair(reader: &mut Reader, ssl: &SslConfig) {
    if ssl.client_certificate.is_some() != ssl.client_key.is_some() && !reader.has_problem(&SSL_CERT) && !reader.has_problem(&SSL_KEY) {
        let (absent, present) = if ssl.client_key.is_none() { (&SSL_KEY, "ssl.cert") } else { (&SSL_CERT, "ssl.key") };
        reader.missing(absent, format!("the PEM text that belongs to {present}"));
    }
}

/// `sslnegotiation`: whether TLS starts at once, without asking PostgreSQL first.
pub(super) fn direct(reader: &mut Reader, mode: SslMode, host: &Host) -> bool {
    let Some(given) = reader.find(&SSL_NEGOTIATION) else { return false };
    match given.value.as_str() {
        Some("postgres") => false,
        Some("direct") if matches!(host, Host::Unix(_)) => false,
        Some("direct") if mode == SslMode::Disable => {
            reader.reject::<()>(&SSL_NEGOTIATION, &given, "postgres, because direct negotiation needs TLS, which is off");
            false
        }
        Some("direct") => true,
        _ => {
            reader.reject::<()>(&SSL_NEGOTIATION, &given, "postgres or direct");
            false
        }
    }
}

/// What an `ssl` object may hold besides what it is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    /// Nothing: `createLakebasePool()`.
    Known,
    /// What `tls.connect()` takes, as with node-postgres; `checkServerIdentity` is asked.
    Any,
}

fn read_option(reader: &mut Reader, ssl: &mut SslConfig, others: Members) {
    let given = reader.option(&SSL);
    if let Some(details) = given.as_ref().and_then(|given| given.value.as_object()).filter(|details| !details.contains_key("$function")) {
        read_details(reader, details, ssl, others);
    }
}

/// The `ssl` object.
fn read_details(reader: &mut Reader, details: &Map<String, Value>, ssl: &mut SslConfig, others: Members) {
    let strict = others == Members::Known;
    let (mut lowest, mut highest) = (None, None);
    for (name, value) in details.iter().filter(|(_, value)| !value.is_null()) {
        let expected = match name.as_str() {
            "ca" => {
                ssl.ca = pem::certificates(value);
                if ssl.ca.is_some() { continue } else { pem::EXPECTED_CERTIFICATES }
            }
            "cert" => {
                ssl.client_certificate = pem::certificates(value);
                if ssl.client_certificate.is_some() { continue } else { pem::EXPECTED_CERTIFICATES }
            }
            "key" => {
                ssl.client_key = pem::private_key(value);
                if ssl.client_key.is_some() { continue } else { pem::EXPECTED_KEY }
            }
            "servername" => {
                ssl.server_name = value.as_str().filter(|name| !name.is_empty()).map(str::to_owned);
                if ssl.server_name.is_some() { continue } else { "a host name: Lakebase routes by it" }
            }
            "minVersion" => {
                lowest = version(reader, name, value);
                continue;
            }
            "maxVersion" => {
                highest = version(reader, name, value);
                continue;
            }
            // Node.js: everything but `false` verifies.
            "rejectUnauthorized" if value.is_boolean() || !strict => continue,
            "rejectUnauthorized" => "true or false",
            "checkServerIdentity" if !strict && is_function(value) => {
                ssl.asks_identity = ssl.mode == SslMode::VerifyFull;
                if ssl.asks_identity {
                    ssl.mode = SslMode::VerifyCa;
                }
                continue;
            }
            "checkServerIdentity" => {
                "no such function: name the server with ssl.servername, or leave its name unchecked with sslMode verify-ca"
            }
            "passphrase" => "no passphrase: decrypt the key first (openssl pkey -in key.pem)",
            // Ignoring these would weaken the connection or let it fail for no visible reason.
            "pfx" | "crl" | "secureContext" => "ssl.ca, ssl.cert and ssl.key as PEM instead",
            _ if strict => "only rejectUnauthorized, ca, cert, key, servername, minVersion and maxVersion in ssl",
            _ => continue,
        };
        wrong(reader, name, value, expected);
    }
    ssl.tls_version = match (lowest, highest) {
        (Some(TlsVersion::Tls13), Some(TlsVersion::Tls12)) => {
            wrong(reader, "maxVersion", &Value::from("TLSv1.2"), "a version that is not below ssl.minVersion");
            None
        }
        (Some(TlsVersion::Tls13), _) => Some(TlsVersion::Tls13),
        (_, Some(TlsVersion::Tls12)) => Some(TlsVersion::Tls12),
        _ => None,
    };
}

/// A bound of TLS' versions.
fn version(reader: &mut Reader, name: &str, value: &Value) -> Option<TlsVersion> {
    match value.as_str() {
        Some("TLSv1.2") => return Some(TlsVersion::Tls12),
        Some("TLSv1.3") => return Some(TlsVersion::Tls13),
        // Allowing older versions changes nothing: ours start at 1.2.
        Some("TLSv1" | "TLSv1.1") if name == "minVersion" => {}
        _ => wrong(reader, name, value, "TLSv1.2 or TLSv1.3"),
    }
    None
}

/// Reports a member of the `ssl` object. Certificates and keys are only described.
fn wrong(reader: &mut Reader, name: &str, value: &Value, expected: &str) {
    let secret = !matches!(name, "rejectUnauthorized" | "servername" | "minVersion" | "maxVersion");
    reader.report(Problem {
        option: Some(format!("ssl.{name}")),
        variable: (name == "ca").then(|| "PGSSLROOTCERT".into()),
        found: Some(describe(value, secret)),
        expected: expected.into(),
    });
}

/// Certificates named by path: the connection string's parameters, then `PGSSLROOTCERT` where the `ssl` object has no `ca`.
fn read_files(reader: &mut Reader, ssl: &mut SslConfig) {
    let root = reader.parameter(&SSL_ROOT_CERT).filter(|_| ssl.ca.is_none() || !reader.options_first());
    match root.or_else(|| if ssl.ca.is_none() { reader.environment(&SSL_ROOT_CERT) } else { None }) {
        // libpq's word for the roots of the system; ours are Mozilla's.
        Some(given) if given.value.as_str() == Some("system") => ssl.ca = None,
        Some(given) => ssl.ca = read_file(reader, &SSL_ROOT_CERT, &given, pem::certificates, pem::EXPECTED_CERTIFICATES),
        None => {}
    }
    if let Some(given) = reader.parameter(&SSL_CERT) {
        ssl.client_certificate = read_file(reader, &SSL_CERT, &given, pem::certificates, pem::EXPECTED_CERTIFICATES);
    }
    if let Some(given) = reader.parameter(&SSL_KEY) {
        ssl.client_key = read_file(reader, &SSL_KEY, &given, pem::private_key, pem::EXPECTED_KEY);
    }
}

fn read_file<T>(reader: &mut Reader, setting: &Setting, given: &Given, parse: impl Fn(&Value) -> Option<T>, content: &str) -> Option<T> {
    let path = given.value.as_str().unwrap_or_default();
    match pem::read(path) {
        Ok(text) => match parse(&Value::from(text)) {
            Some(parsed) => Some(parsed),
            None => reader.reject(setting, given, format!("the path of a file with {content}")),
        },
        Err(error) => reader.reject(setting, given, format!("the path of a readable PEM file ({error})")),
    }
}
