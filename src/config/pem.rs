//! PEM texts of certificates and keys, given as they are or by path.

use std::fs::File;
use std::io::{self, Read};

use serde_json::Value;

use crate::secret::Secret;

pub(super) const EXPECTED_CERTIFICATES: &str =
    "PEM certificates (-----BEGIN CERTIFICATE-----), as text, Buffer or array of them; not a path";
pub(super) const EXPECTED_KEY: &str = "an unencrypted PEM private key (-----BEGIN PRIVATE KEY-----), as text or Buffer; not a path";

/// Larger than any bundle of roots (about 250 KiB), small enough to read at once.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// One PEM text of certificates, from a string or an array of strings.
pub(super) fn certificates(value: &Value) -> Option<String> {
    let text = joined(value)?;
    text.contains("-----BEGIN CERTIFICATE-----").then_some(text)
}

/// The PEM text of a private key that needs no passphrase.
pub(super) fn private_key(value: &Value) -> Option<Secret> {
    let text = joined(value)?;
    let encrypted = text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED");
    (text.contains("PRIVATE KEY-----") && !encrypted).then(|| Secret::new(text))
}

fn joined(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|parts| parts.join("\n")),
        _ => None,
    }
}

/// The text of a regular file. The error says why not, without the path.
pub(super) fn read(path: &str) -> io::Result<String> {
    // Opening a named pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut text = String::new();
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 8 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";

    #[test]
    fn an_array_of_certificates_becomes_one_text() {
        assert_eq!(certificates(&json!([CERTIFICATE, CERTIFICATE])), Some(format!("{CERTIFICATE}\n{CERTIFICATE}")));
        assert_eq!(certificates(&json!(CERTIFICATE)), Some(CERTIFICATE.to_owned()));
    }

    #[test]
    fn paths_and_other_values_are_not_certificates() {
        for value in [json!("/etc/ssl/ca.pem"), json!([]), json!([1]), json!({}), json!(true), json!("-----BEGIN PRIVATE KEY-----")] {
            assert_eq!(certificates(&value), None, "{value}");
        }
    }

    #[test]
    fn an_encrypted_key_is_refused() {
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            assert!(private_key(&json!(format!("-----BEGIN {label}-----\nMA=="))).is_some(), "{label}");
        }
        assert!(private_key(&json!("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==")).is_none());
        assert!(private_key(&json!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nMA==")).is_none());
    }

    #[test]
    fn only_regular_files_are_read() {
        assert!(read("/").is_err());
        assert!(read("/dev/zero").is_err());
        assert!(read("/no/such/file").is_err());
        assert!(read("").is_err());
        assert!(read("a\0b").is_err());
    }
}
