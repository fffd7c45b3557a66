//! The TLS mode: `sslMode`, `ssl`, `PGSSLMODE`, and `sslmode` in a connection string.

use serde_json::Value;

use super::found::is_function;
use super::reader::{Given, Reader};
use super::settings::{SSL, SSL_CERT, SSL_KEY, SSL_MODE, SSL_NEGOTIATION, SSL_ROOT_CERT};
use super::{Host, SslMode};
use crate::setting::Setting;

const WORDS: &str = "require, verify-full, verify-ca, prefer, no-verify or disable";

/// A mode and the value that says so, for the error if it turns out not to be acceptable.
struct Stated<'a> {
    mode: SslMode,
    setting: &'static Setting,
    given: Given<'a>,
}

/// The mode from the source that ranks highest: connection string, options, `PGSSLMODE`, default (`require`).
pub(super) fn resolve(reader: &mut Reader, host: &Host) -> SslMode {
    let (option, parameter) = (from_options(reader), from_string(reader));
    let (first, second) = if reader.options_first() { (option, parameter) } else { (parameter, option) };
    let stated = first.or(second).or_else(|| from_variable(reader));
    // PostgreSQL has no TLS on Unix sockets.
    if matches!(host, Host::Unix(_)) {
        return SslMode::Disable;
    }
    let Some(Stated { mode, setting, given }) = stated else { return SslMode::VerifyFull };
    if mode == SslMode::Disable && !host.is_local() {
        let expected = "TLS (require): without it credentials and data would cross the network readable; only a loopback host \
                        (localhost, 127.0.0.0/8, ::1) or a Unix socket may go without";
        reader.reject::<()>(setting, &given, expected);
    }
    mode
}

/// What `sslMode` and `ssl` say. Both may be given, but not against each other.
fn from_options<'a>(reader: &mut Reader<'a>) -> Option<Stated<'a>> {
    let word = reader.option(&SSL_MODE).and_then(|given| word(reader, &SSL_MODE, given));
    let Some(given) = reader.option(&SSL) else { return word };
    let ssl = match &*given.value {
        Value::Object(details) if !is_function(&given.value) => match details.get("rejectUnauthorized") {
            Some(Value::Bool(false)) => Some(Stated { mode: SslMode::NoVerify, setting: &SSL, given }),
            Some(Value::Bool(true)) => Some(Stated { mode: SslMode::VerifyFull, setting: &SSL, given }),
            // An object that leaves it open means TLS, which `sslMode` may detail.
            _ => return word.or(Some(Stated { mode: SslMode::VerifyFull, setting: &SSL, given })),
        },
        _ => self::word(reader, &SSL, given),
    };
    match (word, ssl) {
        (Some(word), Some(ssl)) => {
            // `rejectUnauthorized: true` beside verify-ca: the chain is verified all the same.
            if word.mode != ssl.mode && (word.mode, ssl.mode) != (SslMode::VerifyCa, SslMode::VerifyFull) {
                reader.reject::<()>(&SSL, &ssl.given, "the same as sslMode says, or only one of the two");
            }
            Some(word)
        }
        (word, ssl) => word.or(ssl),
    }
}

/// What the connection string says.
fn from_string<'a>(reader: &mut Reader<'a>) -> Option<Stated<'a>> {
    if let Some(given) = reader.parameter(&SSL_MODE) {
        let compatible = reader.string_parameter("uselibpqcompat") == Some("true");
        return if compatible { libpq_word(reader, given) } else { word(reader, &SSL_MODE, given) };
    }
    // pg-connection-string: naming a certificate turns TLS on.
    if let Some((setting, given)) =
        [&SSL_ROOT_CERT, &SSL_CERT, &SSL_KEY].into_iter().find_map(|setting| Some((setting, reader.parameter(setting)?)))
    {
        return Some(Stated { mode: SslMode::VerifyFull, setting, given });
    }
    if let Some(given) = reader.parameter(&SSL) {
        return word(reader, &SSL, given);
    }
    let given = reader.parameter(&SSL_NEGOTIATION).filter(|given| given.value.as_str() == Some("direct"))?;
    Some(Stated { mode: SslMode::VerifyFull, setting: &SSL_NEGOTIATION, given })
}

/// What `PGSSLMODE` says.
fn from_variable<'a>(reader: &mut Reader<'a>) -> Option<Stated<'a>> {
    let given = reader.environment(&SSL_MODE)?;
    word(reader, &SSL_MODE, given)
}

/// A mode word or a boolean.
///
/// `require` and `prefer` mean what they mean in `@databricks/lakebase`: verified, and encrypted without verification. In
/// node-postgres every word but `disable` and `no-verify` means verified (pg-connection-string 2.14 warns that this will change).
fn word<'a>(reader: &mut Reader<'a>, setting: &'static Setting, given: Given<'a>) -> Option<Stated<'a>> {
    let mode = match &*given.value {
        Value::Bool(true) => SslMode::VerifyFull,
        Value::Bool(false) => SslMode::Disable,
        Value::String(word) => match word.as_str() {
            "disable" | "false" | "0" => SslMode::Disable,
            "no-verify" => SslMode::NoVerify,
            "prefer" => SslMode::NoVerify,
            "verify-ca" => SslMode::VerifyCa,
            "require" | "verify-full" | "true" | "1" => SslMode::VerifyFull,
            _ => return reject_word(reader, setting, &given),
        },
        _ => return reject_word(reader, setting, &given),
    };
    Some(Stated { mode, setting, given })
}

fn reject_word<T>(reader: &mut Reader, setting: &Setting, given: &Given) -> Option<T> {
    let words = if setting.option == SSL.option {
        format!("true, false, {WORDS}, or an object as Node's tls.connect() takes it")
    } else {
        WORDS.to_owned()
    };
    reader.reject(setting, given, words)
}

/// `uselibpqcompat=true`: libpq's meanings, as pg-connection-string gives them on request.
fn libpq_word<'a>(reader: &mut Reader<'a>, given: Given<'a>) -> Option<Stated<'a>> {
    let root = reader.parameter(&SSL_ROOT_CERT).is_some();
    let mode = match given.value.as_str() {
        Some("disable") => SslMode::Disable,
        Some("require" | "verify-ca") if root => SslMode::VerifyCa,
        Some("prefer" | "require" | "no-verify") => SslMode::NoVerify,
        Some("verify-full") => SslMode::VerifyFull,
        Some("verify-ca") => {
            let expected = "sslrootcert beside it, or verify-full: anyone can get a certificate from a public authority";
            return reader.reject(&SSL_MODE, &given, expected);
        }
        _ => return reader.reject(&SSL_MODE, &given, "disable, prefer, require, verify-ca or verify-full"),
    };
    Some(Stated { mode, setting: &SSL_MODE, given })
}
