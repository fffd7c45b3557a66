//! Every way to get no token: a typed error that says what to do, in time, and never a secret.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use lakebase_native::config::TokenConfig;
use lakebase_native::error::{Error, Kind};
use lakebase_native::secret::Secret;
use lakebase_native::token::TokenSource;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::server::{CREDENTIALS, Reply, SENTINEL, Server, TOKEN, time};

/// The error of a first token, after the checks that every error must pass.
async fn fault(config: &TokenConfig, within: Duration) -> Error {
    let deadline = Instant::now() + within;
    let error = TokenSource::shared(config).token(Some(deadline)).await.unwrap_err();
    assert!(Instant::now() < deadline, "{error} came too late");
    assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error} says nothing of what to do");
    assert!(error.code().is_some(), "{error} has no code");
    assert_shows_no_secret(&error);
    error
}

fn assert_shows_no_secret(error: &Error) {
    let mut shown = format!("{error}\n{error:?}\n{error:#?}\n{:?}", error.hint());
    let mut source = error.source();
    while let Some(inner) = source {
        shown += &format!("\n{inner}\n{inner:?}");
        source = inner.source();
    }
    // The sentinel as such, and inside `client:secret-S3NT1NEL` in base64.
    for secret in [SENTINEL, "TM05UMU5FTA", "Y2xpZW50OnNlY3JldC1T"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn statuses_become_errors_with_the_text_of_the_api_but_no_secret_it_quotes() {
    for (status, kind) in [
        (302, Kind::Credential),
        (400, Kind::Credential),
        (401, Kind::Authentication),
        (403, Kind::Authentication),
        (404, Kind::Credential),
        (429, Kind::Credential),
        (500, Kind::Credential),
        (503, Kind::Credential),
    ] {
        for path in [TOKEN, CREDENTIALS] {
            let server = Server::start().await;
            // What each call sent, quoted back by the server.
            let quoted = match path {
                TOKEN => format!("Basic Y2xpZW50OnNlY3JldC1TM05UMU5FTA== secret-{SENTINEL}"),
                _ => format!("Bearer access-1-{SENTINEL}"),
            };
            let text = json!({ "error_code": "SOME_CODE", "message": format!("refused: {quoted}") });
            // A long Retry-After: transient ones are told at once too.
            server.next(path, Reply::Answer(status, vec!["retry-after: 60".into()], text.to_string()));
            let error = fault(&server.config(), SOON).await;
            assert_eq!((error.kind(), error.http_status(), error.code()), (kind, Some(status), Some("SOME_CODE")), "{error}");
            assert!(error.message().contains(&format!("POST {path} to 127.0.0.1:{}", server.port)), "{error}");
            assert!(error.message().contains("refused: "), "{error}");
        }
    }
}

#[tokio::test]
async fn hints_name_the_setting_to_check() {
    for (path, status, name) in [
        (TOKEN, 401, "DATABRICKS_CLIENT_SECRET"),
        (TOKEN, 404, "DATABRICKS_HOST"),
        (CREDENTIALS, 404, "LAKEBASE_ENDPOINT"),
        (CREDENTIALS, 400, "LAKEBASE_ENDPOINT"),
        (CREDENTIALS, 403, "Workspace access"),
        (CREDENTIALS, 401, "DATABRICKS_HOST"),
    ] {
        let server = Server::start().await;
        server.next(path, Reply::status(status, ""));
        let error = fault(&server.config(), SOON).await;
        assert!(error.hint().unwrap().contains(name), "{status}: {error}");
    }
}

#[tokio::test]
async fn answers_without_a_usable_token_are_errors_that_do_not_quote_them() {
    let token = |body: serde_json::Value| (TOKEN, Reply::json(body));
    let credential = |body: serde_json::Value| (CREDENTIALS, Reply::json(body));
    for (number, ((path, reply), what)) in [
        ((TOKEN, Reply::status(200, &format!("<html>{SENTINEL}"))), "not JSON"),
        ((TOKEN, Reply::json(format!(r#"{{"access_token":"{SENTINEL}""#))), "not JSON"),
        (token(json!({ "access_token": { "value": SENTINEL } })), "another shape"),
        (token(json!({ "token_type": "Bearer", "expires_in": 60 })), "no access_token"),
        (token(json!({ "access_token": "", "expires_in": 60 })), "no access_token"),
        (token(json!({ "access_token": SENTINEL })), "no expires_in"),
        (token(json!({ "access_token": SENTINEL, "expires_in": -1 })), "expires_in -1"),
        (token(json!({ "access_token": SENTINEL, "expires_in": 60, "token_type": "mac" })), "token_type"),
        (token(json!({ "access_token": format!("{SENTINEL} {SENTINEL}"), "expires_in": 60 })), "characters in its access_token"),
        (token(json!({ "access_token": format!("{SENTINEL}\n"), "expires_in": 60 })), "has white space, control"),
        ((CREDENTIALS, Reply::status(200, "")), "not JSON"),
        (credential(json!({ "token": format!("{SENTINEL}\r\n"), "expire_time": time(60) })), "characters in its token"),
        (credential(json!({ "token": format!(" {SENTINEL}"), "expire_time": time(60) })), "characters in its token"),
        (credential(json!({ "token": format!("{SENTINEL}\u{0}"), "expire_time": time(60) })), "characters in its token"),
        (credential(json!({ "token": SENTINEL, "expire_time": "NaN" })), "RFC 3339"),
        (credential(json!({ "token": SENTINEL, "expire_time": "+010000-01-01T00:00:00Z" })), "RFC 3339"),
        (credential(json!({ "token": 5, "expire_time": SENTINEL })), "another shape"),
        (credential(json!({ "expire_time": time(60) })), "no token"),
        (credential(json!({ "token": "", "expire_time": time(60) })), "no token"),
        (credential(json!({ "token": SENTINEL })), "no expiry"),
        (credential(json!({ "token": SENTINEL, "expire_time": format!("soon-{SENTINEL}") })), "RFC 3339"),
        (credential(json!({ "token": SENTINEL, "padding": "x".repeat(2 << 20) })), "larger than"),
    ]
    .into_iter()
    .enumerate()
    {
        let server = Server::start().await;
        server.next(path, reply);
        let error = fault(&server.config(), SOON).await;
        assert_eq!((error.kind(), error.code()), (Kind::Credential, Some("INVALID_RESPONSE")), "{number}: {error}");
        assert!(error.message().contains(what), "{number}: {error}");
        assert!(error.message().contains(path), "{number}: {error}");
    }
}

#[tokio::test]
async fn an_expiry_in_the_past_names_the_clock_skew_there_is() {
    for (server_clock, skew) in [(0, "not the reason"), (-3600, "3600 s ahead of"), (7200, "s behind")] {
        let server = Server::start().await;
        let now = SystemTime::now();
        let offset = Duration::from_secs(i64::unsigned_abs(server_clock));
        let date = if server_clock < 0 { now - offset } else { now + offset };
        let body = json!({ "token": SENTINEL, "expire_time": time(-60) });
        server.next(CREDENTIALS, Reply::Answer(200, vec![format!("date: {}", httpdate::fmt_http_date(date))], body.to_string()));
        let error = fault(&server.config(), SOON).await;
        assert_eq!((error.kind(), error.code()), (Kind::Credential, Some("TOKEN_EXPIRED")));
        // Whole seconds of the Date header can round up to the next.
        let hint = error.hint().unwrap().replace("3601", "3600");
        assert!(hint.contains("lock skew") && hint.contains(skew), "{hint}");
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused_before_any_secret_is_sent() {
    let server = Server::start().await;
    let mut config = server.config();
    config.network.extra_ca_files.clear();
    let error = fault(&config, SOON).await;
    assert_eq!((error.kind(), error.code()), (Kind::Connection, Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE")));
    assert!(error.hint().unwrap().contains("NODE_EXTRA_CA_CERTS"));
    assert!(server.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = Server::start().await;
    let config = TokenConfig { workspace_url: format!("https://localhost:{}", server.port), ..server.config() };
    let error = fault(&config, SOON).await;
    assert_eq!((error.kind(), error.code()), (Kind::Connection, Some("ERR_TLS_CERT_ALTNAME_INVALID")));
    assert!(error.message().contains("workspace.test"), "{error}");
    assert!(server.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_ca_file_that_is_not_there_is_a_configuration_error() {
    let server = Server::start().await;
    let mut config = server.config();
    config.network.extra_ca_files = vec!["/does/not/exist.pem".into()];
    let error = fault(&config, SOON).await;
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.message().contains("/does/not/exist.pem"));
}

#[tokio::test]
async fn plain_http_is_refused_except_on_loopback() {
    let server = Server::start().await;
    let config = TokenConfig { workspace_url: "http://dbc.example".into(), ..server.config() };
    assert_eq!(fault(&config, SOON).await.kind(), Kind::Configuration);
}

#[tokio::test]
async fn a_refused_port_is_retried_and_then_told_as_such() {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let config = TokenConfig { workspace_url: format!("https://{closed}"), ..server.config() };
    let error = fault(&config, Duration::from_millis(500)).await;
    assert_eq!((error.kind(), error.code()), (Kind::Connection, Some("ECONNREFUSED")));
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_told_as_such() {
    let server = Server::start().await;
    let config = TokenConfig { workspace_url: "https://no-such-workspace.invalid".into(), ..server.config() };
    let error = fault(&config, Duration::from_secs(3)).await;
    assert_eq!(error.kind(), Kind::Connection);
    // A machine without a name server cannot know that the name does not exist.
    assert!(matches!(error.code(), Some("ENOTFOUND" | "EAI_AGAIN" | "ETIMEDOUT")), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_every_time_is_told_as_reset() {
    let server = Server::start().await;
    (0..100).for_each(|_| server.next(TOKEN, Reply::Close));
    let error = fault(&server.config(), Duration::from_millis(500)).await;
    assert_eq!((error.kind(), error.code()), (Kind::Connection, Some("ECONNRESET")));
}

#[tokio::test]
async fn a_server_without_tls_is_told_as_such() {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let config = TokenConfig { workspace_url: format!("https://{address}"), ..server.config() };
    let error = fault(&config, SOON).await;
    assert_eq!((error.kind(), error.code()), (Kind::Connection, Some("EPROTO")));
}

#[tokio::test]
async fn a_silent_server_is_told_before_the_deadline() {
    let silent = async |path| {
        let server = Server::start().await;
        (0..10).for_each(|_| server.next(path, Reply::Hang));
        let error = fault(&server.config(), Duration::from_secs(2)).await;
        assert_eq!((error.kind(), error.code()), (Kind::Connection, Some("ETIMEDOUT")));
        assert!(error.message().contains(path), "{error}");
    };
    tokio::join!(silent(TOKEN), silent(CREDENTIALS));
}

#[tokio::test]
async fn a_token_that_is_no_header_value_is_refused() {
    let server = Server::start().await;
    let mut config = server.config_with_fixed_token();
    config.auth = lakebase_native::auth::Settings::with_token("", Secret::new(format!("{SENTINEL}\r\nx: y")));
    assert_eq!(fault(&config, SOON).await.kind(), Kind::Authentication);
}
