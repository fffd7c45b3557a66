//! What a failed call means: the typed error, and whether and when another try makes sense.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde_json::Value;

use super::ApiNetwork;
use super::request::{Authorization, Body, Request, basic};
use crate::error::{Error, Kind};
use crate::scrub::Scrub;
use crate::tls;

/// Longest text of the API that an error repeats, in characters.
const MAX_TEXT: usize = 300;
/// The longest `Retry-After` that is believed: a wrong one must not keep a process without tokens for long.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A failed call.
///
/// Transient are 429, 502, 503 and 504, refused, reset and timed-out connections, and a name server that cannot answer just now: the
/// conditions under which databricks-sdk-go retries a token call.
#[derive(Clone, Debug)]
pub struct Failure {
    pub error: Error,
    /// The same call may succeed later.
    pub transient: bool,
    /// The server's `Retry-After`, at most 60 s: not before this has passed.
    pub retry_after: Option<Duration>,
    /// The caller's deadline ended the call, so this tells less than an earlier failure does.
    pub cut_short: bool,
}

impl Failure {
    pub(crate) fn transient(error: Error) -> Self {
        Self { error, transient: true, retry_after: None, cut_short: false }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.error.http_status()
    }

    /// The same for whoever asks again too soon.
    pub(crate) fn paused(&self, rest: Duration) -> Self {
        let error =
            self.error.with_note(&format!("it is not tried again for {:.1} s, because it has failed repeatedly", rest.as_secs_f64()));
        Self { error, ..self.clone() }
    }

    /// Adds what to do next, when the caller knows better than this module.
    pub(crate) fn with_hint(mut self, hint: Option<Cow<'static, str>>) -> Self {
        if let Some(hint) = hint {
            self.error = self.error.with_hint(hint);
        }
        self
    }
}

/// Not transient: what is wrong stays wrong.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, transient: false, retry_after: None, cut_short: false }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// The secrets that a request carries; a server, or a proxy on the way, may quote any of them.
pub(super) fn secrets(request: &Request<'_>, network: &ApiNetwork) -> Scrub {
    let mut secrets = Scrub::default();
    match &request.authorization {
        Authorization::None => {}
        Authorization::Bearer(token) => secrets.add(token.expose()),
        Authorization::Basic { user, password } => {
            secrets.add(&basic(user, password));
            secrets.add(password.expose());
        }
    }
    request.headers.iter().filter(|(_, value)| value.expose().len() >= 16).for_each(|(_, value)| secrets.add(value.expose()));
    if let Body::Form(fields) = &request.body {
        // Of a form only this, and long values (assertions, subject tokens), are secrets; scrubbing `all-apis` would garble messages.
        let is_secret = |(name, value): &&(&str, &str)| *name == "client_secret" || value.len() >= 64;
        fields.iter().filter(is_secret).for_each(|(_, value)| secrets.add(value));
    }
    if let Some(proxy) = &network.https_proxy
        && let Ok(url) = url::Url::parse(proxy.expose())
    {
        let password = url.password().map(|password| percent_encoding::percent_decode_str(password).decode_utf8_lossy());
        password.inspect(|password| secrets.add(password));
        secrets.add(proxy.expose());
    }
    secrets
}

/// `text` on one line, without secrets, at most [`MAX_TEXT`] characters.
fn line(text: &str, secrets: &Scrub) -> String {
    let line: String = secrets.clean(text).trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// An answer that is not 2xx.
pub(super) fn bad_status(status: StatusCode, retry_after: Option<&str>, body: &[u8], call: &str, scrub: &Scrub) -> Failure {
    let (code, text) = api_text(body, scrub);
    let mut message = format!("{call} was answered with {status}");
    if let Some(text) = text {
        message.push_str(": ");
        message.push_str(&text);
    }
    let kind = match status.as_u16() {
        401 | 403 => Kind::Authentication,
        _ => Kind::Credential,
    };
    let hint = match status.as_u16() {
        300..=399 => "check DATABRICKS_HOST: the workspace's API does not redirect, so this is another host",
        400 => "the workspace did not understand the request; the text above says why",
        401 => "check the workspace credentials; they may have expired, or belong to another workspace",
        403 => "this identity lacks a permission in the workspace",
        404 => "check DATABRICKS_HOST",
        407 => "the proxy wants credentials: put them into HTTPS_PROXY as http://user:password@host:port",
        429 => "the workspace limits the rate of these calls; share one pool, or one process, per identity",
        500..=599 => "the workspace had a problem of its own; try again later",
        _ => "check DATABRICKS_HOST",
    };
    let error = Error::new(kind, message)
        .with_http_status(status.as_u16())
        .with_code(code.unwrap_or_else(|| format!("HTTP_{}", status.as_u16())))
        .with_hint(hint);
    Failure {
        error,
        transient: matches!(status.as_u16(), 429 | 502 | 503 | 504),
        retry_after: retry_after.and_then(|value| parse_retry_after(value, SystemTime::now())),
        cut_short: false,
    }
}

/// The API's own code and text: `error_code` and `message` (REST), `error` and `error_description` (OAuth, RFC 6749 §5.2), Azure's and Google's
/// `{"error": {"code", "status", "message"}}`. Anything else, such as a proxy's HTML, is not repeated.
fn api_text(body: &[u8], scrub: &Scrub) -> (Option<String>, Option<String>) {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else { return (None, None) };
    if let Some(Value::Object(error)) = fields.get_mut("error") {
        let mut error = std::mem::take(error);
        if let Some(code) = ["code", "status"].iter().find_map(|name| error.remove(*name).filter(Value::is_string)) {
            error.insert("error_code".to_owned(), code);
        }
        fields = error;
    }
    let text = |names: [&str; 2]| names.iter().find_map(|name| fields.get(*name)?.as_str()).filter(|text| !text.trim().is_empty());
    let is_code = |text: &&str| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let code = text(["error_code", "error"]).filter(is_code).map(|code| line(code, scrub));
    let text = text(["message", "error_description"]).or_else(|| text(["error", "error_code"])).map(|text| line(text, scrub));
    (code, text)
}

/// Seconds or an HTTP date (RFC 9110 §10.2.3), at most [`MAX_RETRY_AFTER`].
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let delay = match value.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value.trim()).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(delay.min(MAX_RETRY_AFTER))
}

/// No answer in the time there was; `cut_short` when the caller gave less than a call may take.
pub(super) fn no_answer(call: &str, waited: Duration, cut_short: bool) -> Failure {
    let failure = Failure::transient(
        Error::not_answered(format!("{call} was not answered within {} ms", waited.as_millis()))
            .with_hint("the workspace may be slow or out of reach from here; check the network, or raise connectionTimeoutMillis"),
    );
    Failure { cut_short, ..failure }
}

/// No answer at all: DNS, TCP, TLS, the proxy, or a connection that broke. Codes are the errno names Node.js uses.
pub(super) fn transport(error: Box<dyn StdError + Send + Sync>, call: &str, host: &str, network: &ApiNetwork) -> Failure {
    let chain = || std::iter::successors(Some(&*error as &(dyn StdError + 'static)), |error| (*error).source());
    let io_errors = || chain().filter_map(|error| error.downcast_ref::<io::Error>());

    if let Some(described) = io_errors().find_map(|error| tls::describe_io(error, host, tls::Peer::Workspace)) {
        return described.into();
    }
    let (code, reason, transient) = if io_errors().any(|error| error.kind() == io::ErrorKind::TimedOut) {
        ("ETIMEDOUT", "the connection timed out".to_owned(), true)
    } else if let Some(dns) = io_errors().map(ToString::to_string).find(|text| text.starts_with("failed to lookup address information")) {
        // getaddrinfo's own text is all that std keeps: EAI_AGAIN is the resolver's trouble, everything else means no such name.
        let again = dns.contains("emporary failure") || dns.contains("ry again");
        let (code, reason) =
            if again { ("EAI_AGAIN", "the name server did not answer") } else { ("ENOTFOUND", "the host name does not exist") };
        (code, reason.to_owned(), again)
    } else if let Some(tunnel) = chain().map(ToString::to_string).find(|text| text.starts_with("tunnel error")) {
        ("EPROXY", format!("the proxy refused ({tunnel})"), false)
    } else {
        // hyper's "connection closed before message completed" has no I/O error in it; to Node.js that is a reset as well.
        let (code, reason) =
            io_errors().find_map(errno).unwrap_or(("ECONNRESET", "the connection was closed before the answer was complete"));
        (code, reason.to_owned(), true)
    };
    let hint = match (&network.https_proxy, code) {
        (Some(_), "ENOTFOUND" | "ECONNREFUSED" | "EPROXY") => "HTTPS_PROXY is set: check it and the host, or list the host in NO_PROXY",
        (_, "ENOTFOUND") => "check the host name in DATABRICKS_HOST",
        (_, "ECONNREFUSED") => "check host and port in DATABRICKS_HOST",
        _ => "check that this machine reaches the workspace: network, firewall, IP access list",
    };
    let failure = Error::new(Kind::Connection, format!("{call} failed: {reason}")).with_code(code).with_hint(hint).with_source(error);
    Failure { transient, ..failure.into() }
}

fn errno(error: &io::Error) -> Option<(&'static str, &'static str)> {
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => ("ECONNREFUSED", "the connection was refused"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => ("ECONNRESET", "the connection was reset"),
        io::ErrorKind::ConnectionAborted => ("ECONNABORTED", "the connection was aborted"),
        io::ErrorKind::BrokenPipe => ("EPIPE", "the connection was closed"),
        io::ErrorKind::HostUnreachable => ("EHOSTUNREACH", "there is no route to the host"),
        io::ErrorKind::NetworkUnreachable => ("ENETUNREACH", "the network is unreachable"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const NO_NETWORK: ApiNetwork = ApiNetwork { extra_ca_files: Vec::new(), https_proxy: None, no_proxy: None };

    fn scrub(authorization: Authorization<'_>) -> Scrub {
        let request = Request { method: http::Method::POST, url: "https://dbc.example", authorization, headers: &[], body: Body::None };
        secrets(&request, &NO_NETWORK)
    }

    #[test]
    fn the_text_and_code_of_the_api_are_kept_and_html_is_not() {
        let none = scrub(Authorization::None);
        let status = |body: &str| bad_status(StatusCode::NOT_FOUND, None, body.as_bytes(), "POST /x to dbc.example", &none).error;
        let rest = status(r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no such endpoint\nat all"}"#);
        assert_eq!(rest.code(), Some("RESOURCE_DOES_NOT_EXIST"));
        assert_eq!(rest.message(), "POST /x to dbc.example was answered with 404 Not Found: no such endpoint at all");
        let oauth = status(r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#);
        assert_eq!(oauth.code(), Some("invalid_client"));
        assert!(oauth.message().ends_with("Client authentication failed"));
        let azure = status(r#"{"error":{"code":"SecretNotFound","message":"no such secret"}}"#);
        assert_eq!(azure.code(), Some("SecretNotFound"));
        assert!(azure.message().ends_with("no such secret"));
        let google = status(r#"{"error":{"code":404,"message":"no such account","status":"NOT_FOUND"}}"#);
        assert_eq!(google.code(), Some("NOT_FOUND"));
        let html = status("<html>token SENTINEL</html>");
        assert_eq!((html.code(), html.message()), (Some("HTTP_404"), "POST /x to dbc.example was answered with 404 Not Found"));
    }

    #[test]
    fn a_quoted_secret_is_scrubbed_before_the_text_is_cut() {
        let password = Secret::new("SENTINEL-1");
        let scrub = scrub(Authorization::Basic { user: "id", password: &password });
        let header = basic("id", &password);
        let text = format!(r#"{{"message":"{}{header} and SENTINEL-1"}}"#, "x".repeat(MAX_TEXT - 14));
        let error = bad_status(StatusCode::UNAUTHORIZED, None, text.as_bytes(), "POST /x to dbc.example", &scrub).error;
        assert!(!error.message().contains("SENT") && !error.message().contains(&header[..6]), "{error}");
        assert!(error.message().contains("[redacted]"), "{error}");
        assert!(error.message().chars().count() < 400);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(parse_retry_after("7", now), Some(Duration::from_secs(7)));
        let date = httpdate::fmt_http_date(now + Duration::from_secs(50));
        assert_eq!(parse_retry_after(&date, now), Some(Duration::from_secs(50)));
        assert_eq!(parse_retry_after(&date, now + Duration::from_secs(100)), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("soon", now), None);
        assert_eq!(parse_retry_after(&u64::MAX.to_string(), now), Some(MAX_RETRY_AFTER));
    }

    #[test]
    fn only_what_may_pass_is_transient() {
        let none = scrub(Authorization::None);
        for (status, transient) in
            [(400, false), (401, false), (403, false), (404, false), (429, true), (500, false), (502, true), (503, true), (504, true)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(bad_status(status, None, b"", "POST /x to h", &none).transient, transient, "{status}");
        }
    }
}
