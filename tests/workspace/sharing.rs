//! Who shares which token, and when a new one is fetched.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use lakebase_native::config::{CredentialTarget, TokenConfig};
use lakebase_native::token::TokenSource;
use serde_json::json;

use crate::server::{CREDENTIALS, Reply, SENTINEL, Server, TOKEN, time};

#[tokio::test]
async fn a_thousand_concurrent_first_callers_make_one_call_to_each_endpoint() {
    let server = Server::start().await;
    let config = server.config();
    let tokens = join_all((0..1000).map(|_| async { TokenSource::shared(&config).token(None).await.unwrap().token })).await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (1, 1));
    let source = TokenSource::shared(&config);
    assert_eq!((source.fetches(), source.access_token_fetches()), (1, 1));
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn endpoints_share_the_access_token_and_refresh_buffers_share_the_credential() {
    let server = Server::start().await;
    let config = server.config();
    let eager = TokenConfig { refresh_buffer: Duration::from_secs(600), ..config.clone() };
    let other = TokenConfig { target: CredentialTarget::Endpoint("projects/p/branches/b/endpoints/other".into()), ..config.clone() };
    for config in [&config, &eager, &other] {
        TokenSource::shared(config).token(None).await.unwrap();
    }
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (1, 2));
}

#[tokio::test]
async fn many_connections_refused_with_one_token_lead_to_one_fetch() {
    let server = Server::start().await;
    let source = TokenSource::shared(&server.config());
    let refused = source.token(None).await.unwrap().token;
    let fresh = join_all((0..100).map(|_| async {
        source.invalidate(&refused);
        source.token(None).await.unwrap().token
    }))
    .await;
    assert!(fresh.iter().all(|token| *token == fresh[0] && *token != refused));
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (1, 2));
}

#[tokio::test]
async fn a_refused_access_token_is_replaced_once() {
    let server = Server::start().await;
    let source = TokenSource::shared(&server.config());
    let first = source.token(None).await.unwrap().token;
    server.next(CREDENTIALS, Reply::status(401, r#"{"message":"revoked"}"#));
    source.invalidate(&first);
    source.token(None).await.unwrap();
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (2, 3));
    assert_eq!((source.access_token_fetches(), source.fetches()), (2, 2));
}

#[tokio::test]
async fn a_new_access_token_that_is_refused_is_not_asked_for_again() {
    let server = Server::start().await;
    server.next(CREDENTIALS, Reply::status(401, ""));
    let error = TokenSource::shared(&server.config()).token(None).await.unwrap_err();
    assert_eq!(error.http_status(), Some(401));
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (1, 1));
}

#[tokio::test]
async fn a_refused_fixed_token_is_told_at_once() {
    let server = Server::start().await;
    let source = TokenSource::shared(&server.config_with_fixed_token());
    for calls in 1..=2 {
        server.next(CREDENTIALS, Reply::status(401, ""));
        let error = source.token(None).await.unwrap_err();
        assert!(error.hint().unwrap().contains("DATABRICKS_TOKEN"), "{error}");
        assert_eq!(server.calls(CREDENTIALS), calls);
    }
}

#[tokio::test]
async fn transient_answers_and_broken_connections_are_retried() {
    let server = Server::start().await;
    server.next(TOKEN, Reply::Close);
    server.next(TOKEN, Reply::status(503, ""));
    server.next(CREDENTIALS, Reply::Answer(429, vec!["retry-after: 0".into()], String::new()));
    server.next(CREDENTIALS, Reply::Close);
    server.next(CREDENTIALS, Reply::status(502, "<html>"));
    TokenSource::shared(&server.config()).token(None).await.unwrap();
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (3, 4));
}

#[tokio::test]
async fn a_token_of_two_seconds_is_rotated_before_it_ends() {
    let server = Server::start().await;
    server.next(CREDENTIALS, Reply::json(json!({ "token": "short", "expire_time": time(2) })));
    let source = TokenSource::shared(&server.config());
    let first = source.token(None).await.unwrap();
    assert_eq!(first.token.expose(), "short");
    // Used all along, as a pool does; every token handed out is alive.
    let rotated = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            let credential = source.token(None).await.unwrap();
            assert!(credential.expires_at > std::time::SystemTime::now());
            if credential.token != first.token {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    rotated.await.expect("the token is replaced while it lives");
    assert_eq!(server.calls(CREDENTIALS), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_its_fetch_to_the_others() {
    let server = Server::start().await;
    let source = TokenSource::shared(&server.config());
    let first = tokio::spawn({
        let source = Arc::clone(&source);
        async move { source.token(None).await }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    source.token(None).await.unwrap();
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (1, 1));
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let server = Server::start().await;
    for config in [server.config(), server.config_with_fixed_token()] {
        let source = TokenSource::shared(&config);
        let credential = source.token(None).await.unwrap();
        let shown = format!("{config:?} {source:#?} {credential:?}");
        assert!(!shown.contains(SENTINEL), "{shown}");
    }
}
