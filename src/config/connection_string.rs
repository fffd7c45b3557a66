//! Connection strings: `postgres://` and `socket:` URLs as pg-connection-string 2.x reads them, and libpq's `key=value` form.
//!
//! Source: `pg-connection-string/index.js` 2.14, PostgreSQL documentation "Connection Strings".
//! `tokio_postgres::Config` reads the second form, too, but refuses `sslmode=verify-full`, `sslrootcert`, `sslcert` and `sslkey`; the
//! tests hold our reading of it against theirs.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use url::Url;

/// A connection string taken apart. Carries the password: no `Debug`.
#[derive(PartialEq, Eq)]
pub(super) struct ConnectionString {
    parameters: HashMap<String, String>,
}

/// Why a connection string cannot be read; shows none of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub expected: &'static str,
}

const EXPECTED: &str =
    "postgres://user:password@host:port/database, with /, ?, #, @ and % in the password written as %2F, %3F, %23, %40 and %25";
const EXPECTED_KEYWORDS: &str = "key=value pairs such as host=… dbname=… user=…, values with spaces in single quotes";

impl ConnectionString {
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let parameters = if text.starts_with('/') {
            socket_directory(text)
        } else if is_keywords(text) {
            // Not trimmed: a value may end in an escaped space.
            keywords(text).ok_or(Unreadable { expected: EXPECTED_KEYWORDS })?
        } else {
            url(text.trim()).ok_or(Unreadable { expected: EXPECTED })?
        };
        Ok(Self { parameters: parameters.into_iter().filter(|(_, value)| !value.is_empty()).collect() })
    }

    /// A parameter that is present and not empty, by its name as an option or in the query.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// `/directory database`, node-postgres' short form for Unix sockets.
fn socket_directory(text: &str) -> HashMap<String, String> {
    ["host", "database"].into_iter().zip(text.split(' ')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn is_keywords(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| is_keyword(name.trim()))
}

fn is_keyword(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// libpq's `key = 'value'` pairs: quotes and backslashes as in `PQconninfoParse`.
fn keywords(text: &str) -> Option<HashMap<String, String>> {
    let mut parameters = HashMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim();
        if !is_keyword(name) {
            return None;
        }
        let (value, after) = keyword_value(after.trim_start())?;
        parameters.insert(if name == "dbname" { "database" } else { name }.to_owned(), value);
        rest = after.trim_start();
    }
    Some(parameters)
}

/// One value and what follows it. `None` if a quote or an escape is left open.
fn keyword_value(text: &str) -> Option<(String, &str)> {
    let (quoted, body) = match text.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\'' if quoted => return Some((value, &body[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            char if !quoted && char.is_whitespace() => return Some((value, &body[at..])),
            char => value.push(char),
        }
    }
    (!quoted).then_some((value, ""))
}

fn url(text: &str) -> Option<HashMap<String, String>> {
    let text = escape_stray_characters(text);
    let (url, dummy_host) = match Url::parse(&text) {
        Ok(url) => (url, false),
        // WHATWG URLs may not have a user without a host; pg-connection-string allows it with this same stand-in.
        Err(_) => (Url::parse(&text.replacen("@/", "@___DUMMY___/", 1)).ok()?, true),
    };
    if !matches!(url.scheme(), "postgres" | "postgresql" | "socket") {
        return None;
    }
    // An unencoded `/`, `#` or `?` in a password ends the host there; the rest of the password would pass for the database's name.
    let torn = url.fragment().is_some() || url.path().contains('@') || url.query_pairs().any(|(name, _)| name.contains('@'));
    if torn {
        return None;
    }
    let mut parameters: HashMap<String, String> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).filter(|(_, value)| !value.is_empty()).collect();
    let mut fill = |name: &str, value: String| {
        parameters.entry(name.to_owned()).or_insert(value);
    };
    fill("user", decode(url.username())?);
    fill("password", decode(url.password().unwrap_or_default())?);
    if url.scheme() == "socket" {
        let database = parameters.get("db").cloned().unwrap_or_default();
        parameters.insert("database".into(), database);
        parameters.insert("host".into(), decode_path(url.path())?);
        if let Some(encoding) = parameters.get("encoding").cloned() {
            parameters.insert("client_encoding".into(), encoding);
        }
        return Some(parameters);
    }
    let host = url.host_str().filter(|_| !dummy_host).unwrap_or_default();
    fill("host", decode(host.trim_start_matches('[').trim_end_matches(']'))?);
    fill("port", url.port().map(|port| port.to_string()).unwrap_or_default());
    let database = decode_path(url.path().strip_prefix('/').unwrap_or_default())?;
    if !database.is_empty() {
        parameters.insert("database".into(), database);
    } else {
        // The path decides: `?database=` means nothing to pg. libpq's `?dbname=` does no harm there.
        parameters.remove("database");
        if let Some(database) = parameters.get("dbname").cloned() {
            parameters.insert("database".into(), database);
        }
    }
    Some(parameters)
}

/// Encodes what people leave unencoded in passwords: spaces, and `%` that starts no escape.
fn escape_stray_characters(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        let is_escape = || text.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match char {
            ' ' => escaped.push_str("%20"),
            '%' if !is_escape() => escaped.push_str("%25"),
            char => escaped.push(char),
        }
    }
    escaped
}

/// JavaScript's `decodeURIComponent`.
fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// JavaScript's `decodeURI`, which leaves the escapes of `;/?:@&=+$,#` as they are.
fn decode_path(text: &str) -> Option<String> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        kept.push_str(before);
        let reserved =
            escape.get(..3).is_some_and(|escape| percent_decode_str(escape).next().is_some_and(|byte| b";/?:@&=+$,#".contains(&byte)));
        // `%25` keeps the percent sign of a reserved escape through the decoding below.
        kept.push_str(if reserved { "%25" } else { "%" });
        rest = &escape[1..];
    }
    kept.push_str(rest);
    decode(&kept)
}
