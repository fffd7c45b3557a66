//! What goes over the wire.

use std::sync::atomic::Ordering;

use lakebase_native::config::{CredentialTarget, TokenConfig};
use lakebase_native::token::TokenSource;
use serde_json::{Value, json};

use crate::server::{CREDENTIALS, DATABASE_CREDENTIALS, DISCOVERY, Reply, SENTINEL, Server, TOKEN};

#[tokio::test]
async fn m2m_asks_for_an_access_token_and_then_for_a_credential_on_one_connection() {
    let server = Server::start().await;
    let credential = TokenSource::shared(&server.config()).token(None).await.unwrap();
    assert_eq!(credential.token.expose(), format!("db-2-{SENTINEL}"));

    let asked = server.asked.lock().unwrap();
    let [token, credentials] = &asked[..] else { panic!("{} calls", asked.len()) };
    assert_eq!((token.method.as_str(), token.path.as_str()), ("POST", TOKEN));
    // base64 of client:secret-S3NT1NEL
    assert_eq!(token.headers["authorization"], "Basic Y2xpZW50OnNlY3JldC1TM05UMU5FTA==");
    assert_eq!(token.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(token.body, "grant_type=client_credentials&scope=all-apis");
    assert_eq!((credentials.method.as_str(), credentials.path.as_str()), ("POST", CREDENTIALS));
    assert_eq!(credentials.headers["authorization"], format!("Bearer access-1-{SENTINEL}"));
    assert_eq!(credentials.headers["content-type"], "application/json");
    let body: Value = serde_json::from_str(&credentials.body).unwrap();
    assert_eq!(body, json!({ "endpoint": "projects/p/branches/b/endpoints/e" }));
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_fixed_token_is_sent_as_it_is() {
    let server = Server::start().await;
    TokenSource::shared(&server.config_with_fixed_token()).token(None).await.unwrap();
    assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (0, 1));
    assert_eq!(server.asked.lock().unwrap()[0].headers["authorization"], format!("Bearer dapi-{SENTINEL}"));
}

#[tokio::test]
async fn an_instance_is_asked_for_by_name_with_a_request_id() {
    let server = Server::start().await;
    let config = TokenConfig { target: CredentialTarget::Instance("orders".into()), ..server.config() };
    TokenSource::shared(&config).token(None).await.unwrap();
    assert_eq!(server.calls(DATABASE_CREDENTIALS), 1);
    let body: Value = serde_json::from_str(&server.asked.lock().unwrap()[1].body).unwrap();
    assert_eq!(body["instance_names"], json!(["orders"]));
    assert_eq!(body["request_id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn claims_are_passed_through() {
    let server = Server::start().await;
    let claims = json!([{ "permission_set": "READ_ONLY", "resources": [{ "table_name": "main.sales.orders" }] }]);
    let config = TokenConfig { claims: Some(claims.clone()), ..server.config() };
    TokenSource::shared(&config).token(None).await.unwrap();
    let body: Value = serde_json::from_str(&server.asked.lock().unwrap()[1].body).unwrap();
    assert_eq!(body["claims"], claims);
}

#[tokio::test]
async fn a_missing_token_endpoint_is_discovered_once() {
    let server = Server::start().await;
    let config = server.config();
    server.next(TOKEN, Reply::status(404, "<html>"));
    server.next(DISCOVERY, Reply::json(json!({ "token_endpoint": format!("{}/other/token", server.url()) })));
    for _ in 0..2 {
        server.next("/other/token", Reply::json(json!({ "access_token": "a", "token_type": "bearer", "expires_in": 2 })));
    }
    let source = TokenSource::shared(&config);
    let first = source.token(None).await.unwrap();
    // Refused by the credential API, so a second access token is needed: straight from the endpoint that was found.
    server.next(CREDENTIALS, Reply::status(401, ""));
    source.invalidate(&first.token);
    assert!(source.token(None).await.is_err(), "the same access token again");
    assert_eq!((server.calls(TOKEN), server.calls(DISCOVERY), server.calls("/other/token")), (1, 1, 2));
}

#[tokio::test]
async fn a_discovered_endpoint_that_is_not_https_gets_no_secret() {
    let server = Server::start().await;
    server.next(TOKEN, Reply::status(404, ""));
    server.next(DISCOVERY, Reply::json(json!({ "token_endpoint": "http://dbc.example/token" })));
    let error = TokenSource::shared(&server.config()).token(None).await.unwrap_err();
    assert_eq!(error.http_status(), Some(404));
    assert!(error.hint().unwrap().contains("DATABRICKS_HOST"));
}

#[tokio::test]
async fn another_host_gets_no_secret_whether_discovery_names_it_or_a_redirect() {
    let location = |other: &Server| vec![format!("location: {}/token", other.url())];
    for status in [404, 307, 308] {
        let (server, other) = (Server::start().await, Server::start().await);
        server.next(TOKEN, Reply::Answer(status, location(&other), String::new()));
        server.next(DISCOVERY, Reply::json(json!({ "token_endpoint": format!("{}/token", other.url()) })));
        let mut config = server.config();
        config.network.extra_ca_files.extend(other.network().extra_ca_files);
        let error = TokenSource::shared(&config).token(None).await.unwrap_err();
        assert_eq!(error.http_status(), Some(status));
        assert_eq!(other.connections.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_credential_may_last_to_the_end_of_the_calendar() {
    for never in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z"] {
        let server = Server::start().await;
        server.next(TOKEN, Reply::json(json!({ "access_token": "a", "token_type": "bearer", "expires_in": i64::MAX })));
        server.next(CREDENTIALS, Reply::json(json!({ "token": "for-ever", "expire_time": never })));
        let source = TokenSource::shared(&server.config());
        for _ in 0..2 {
            assert_eq!(source.token(None).await.unwrap().token.expose(), "for-ever");
        }
        assert_eq!((server.calls(TOKEN), server.calls(CREDENTIALS)), (1, 1));
    }
}
