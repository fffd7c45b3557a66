//! What is asked of the workspace and what it answered.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::Error;
use crate::secret::Secret;

/// One call.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    /// Absolute; https, or http on loopback and to the link-local addresses of a cloud's metadata services.
    pub url: &'a str,
    pub authorization: Authorization<'a>,
    /// Further headers. Their values are secrets: of a token for another service, or of a platform.
    pub headers: &'a [(&'static str, Secret)],
    pub body: Body<'a>,
}

/// The `Authorization` header.
#[derive(Clone, Debug)]
pub enum Authorization<'a> {
    None,
    Basic { user: &'a str, password: &'a Secret },
    Bearer(&'a Secret),
}

/// The body and its content type.
#[derive(Debug)]
pub enum Body<'a> {
    None,
    Json(&'a serde_json::Value),
    /// `application/x-www-form-urlencoded`. Its values may be secrets, so they never reach an error.
    Form(&'a [(&'a str, &'a str)]),
}

/// Everything but RFC 3986's unreserved characters, which form encoding leaves alone as well.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Request<'_> {
    /// The parsed URL. The configuration has checked it; this is the last guard before a secret leaves the process.
    pub(super) fn url(&self) -> Result<Url, Error> {
        let refused = |reason: &str| {
            Error::unusable_setting(format!("the workspace URL {reason}"))
                .with_hint("set DATABRICKS_HOST to the workspace's https URL, for example https://dbc-a1b2c3d4-e5f6.cloud.databricks.com")
        };
        let url = Url::parse(self.url).map_err(|error| refused(&format!("cannot be parsed: {error}")))?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback(&url) => Ok(url),
            // Nothing on the way: such an address is never routed. No token of ours is for it.
            "http" if is_link_local(&url) && matches!(self.authorization, Authorization::None) => Ok(url),
            _ => Err(refused("must be https; http is for loopback only")),
        }
    }
}

/// `host`, or `host:port` when the port is not the scheme's own.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `localhost` and names below it (RFC 6761), 127.0.0.0/8 and ::1.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// 169.254.0.0/16 (RFC 3927), where clouds have their metadata services.
pub(crate) fn is_link_local(url: &Url) -> bool {
    matches!(url.host(), Some(url::Host::Ipv4(address)) if address.is_link_local())
}

impl Authorization<'_> {
    pub(super) fn header(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Basic { user, password } => Some(format!("Basic {}", basic(user, password))),
            Self::Bearer(token) => Some(format!("Bearer {}", token.expose())),
        }
    }
}

/// RFC 7617; RFC 6749 §2.3.1 wants both parts form-encoded first, which leaves Databricks' ids and secrets as they are.
pub(super) fn basic(user: &str, password: &Secret) -> String {
    STANDARD.encode(format!("{}:{}", utf8_percent_encode(user, FORM), utf8_percent_encode(password.expose(), FORM)))
}

impl Body<'_> {
    pub(super) fn encode(&self) -> Option<(&'static str, Vec<u8>)> {
        match self {
            Self::None => None,
            Self::Json(value) => Some(("application/json", value.to_string().into_bytes())),
            Self::Form(fields) => {
                let pairs =
                    fields.iter().map(|(name, value)| format!("{}={}", utf8_percent_encode(name, FORM), utf8_percent_encode(value, FORM)));
                Some(("application/x-www-form-urlencoded", pairs.collect::<Vec<_>>().join("&").into_bytes()))
            }
        }
    }
}

/// A 2xx answer. Its body holds a token: it is never shown, not even when it cannot be read.
pub struct Response {
    /// `POST /path to host`, for errors.
    pub(super) call: String,
    pub(super) content_type: Option<String>,
    /// The server's clock, from the `Date` header; whole seconds.
    pub date: Option<SystemTime>,
    pub(super) body: Vec<u8>,
}

impl Response {
    #[cfg(fuzzing)]
    pub(crate) fn fuzz(body: &[u8]) -> Self {
        Self { call: "POST /path to host".to_owned(), content_type: None, date: None, body: body.to_vec() }
    }

    /// The body as `T`. Declare the fields of `T` optional and ask for them with [`Response::invalid`], which names the missing one.
    ///
    /// # Errors
    /// [`Kind::Credential`], code `INVALID_RESPONSE`, when the body is not JSON of that shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // serde's message quotes the value it did not expect, which may be the token: only the place is kept.
            let place = match error.classify() {
                serde_json::error::Category::Data => "JSON of another shape",
                _ => "not JSON",
            };
            let kind = self.content_type.as_deref().unwrap_or("of no content type");
            self.invalid(&format!("is {place} ({} bytes, {kind}; line {}, column {})", self.body.len(), error.line(), error.column()))
        })
    }

    /// The token in the field `name`. One with white space or control characters is no token: it would break an HTTP header apart, or never
    /// be the password that PostgreSQL compares it with.
    ///
    /// # Errors
    /// [`Kind::Credential`] with code `INVALID_RESPONSE` when it is missing, empty or not of visible ASCII characters.
    pub fn token(&self, name: &str, value: Option<String>) -> Result<Secret, Error> {
        let value = value.filter(|value| !value.is_empty()).ok_or_else(|| self.invalid(&format!("has no {name}")))?;
        if value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Secret::new(value));
        }
        Err(self.invalid(&format!("has white space, control or non-ASCII characters in its {name}, which no token has")))
    }

    /// An error about this answer: `the answer to POST /path to host {what}`.
    pub fn invalid(&self, what: &str) -> Error {
        Error::invalid_response(format!("the answer to {} {what}", self.call))
            .with_hint("check that DATABRICKS_HOST is the URL of a Databricks workspace; a proxy or login page may be answering instead")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded_first() {
        assert_eq!(basic("id", &Secret::new("dose-1")), STANDARD.encode("id:dose-1"));
        assert_eq!(basic("id", &Secret::new("a:b")), STANDARD.encode("id:a%3Ab"));
    }

    #[test]
    fn form_values_are_encoded() {
        let (content_type, body) = Body::Form(&[("scope", "all-apis"), ("a b", "&=+é")]).encode().unwrap();
        assert_eq!(content_type, "application/x-www-form-urlencoded");
        assert_eq!(String::from_utf8(body).unwrap(), "scope=all-apis&a%20b=%26%3D%2B%C3%A9");
    }

    #[test]
    fn only_https_and_loopback_are_called() {
        let url =
            |url| Request { method: Method::GET, url, authorization: Authorization::None, headers: &[], body: Body::None }.url().is_ok();
        for allowed in [
            "https://dbc.example/x",
            "http://localhost:1",
            "http://a.localhost",
            "http://127.1.2.3",
            "http://[::1]:9/",
            "http://169.254.169.254/m",
        ] {
            assert!(url(allowed), "{allowed}");
        }
        for refused in
            ["http://dbc.example", "http://localhost.example", "http://10.0.0.1", "http://[::2]", "ftp://localhost", "dbc.example"]
        {
            assert!(!url(refused), "{refused}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret::new("SENTINEL");
        for authorization in [Authorization::Bearer(&secret), Authorization::Basic { user: "id", password: &secret }] {
            assert!(!format!("{authorization:?}").contains("SENTINEL"));
        }
    }
}
