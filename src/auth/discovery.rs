//! Where an identity's tokens come from, as the workspace's discovery document says (RFC 8414).

use http::Method;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::Workspace;
use crate::http::{Authorization, Body, Failure, Request};

const PATH: &str = "/oidc/.well-known/oauth-authorization-server";

/// The hosts of Databricks accounts, which issue tokens for their workspaces: AWS, AWS GovCloud, Azure, its sovereign clouds, GCP.
///
/// Source: Databricks documentation, "Account console URLs"; databricks-sdk-go `common/environment`.
const ACCOUNT_HOSTS: [&str; 8] = [
    "accounts.cloud.databricks.com",
    "accounts.cloud.databricks.us",
    "accounts-dod.cloud.databricks.us",
    "accounts-dod.cloud.databricks.mil",
    "accounts.azuredatabricks.net",
    "accounts.databricks.azure.us",
    "accounts.databricks.azure.cn",
    "accounts.gcp.databricks.com",
];

#[derive(Deserialize)]
struct Answer {
    token_endpoint: Option<String>,
}

/// The token endpoint of the workspace's discovery document.
///
/// # Errors
/// As [`token_endpoint_of`].
pub(super) async fn token_endpoint(workspace: &Workspace, deadline: Instant) -> Result<String, Failure> {
    token_endpoint_of(&format!("{}{PATH}", workspace.url), workspace, deadline).await
}

/// The token endpoint of the discovery document at `url`. A secret is going to be sent there, so it must be on the same host as the document, the
/// workspace's own or an account's.
///
/// # Errors
/// Those of [`crate::http::Client::send`]; [`crate::error::Kind::Credential`] with code `INVALID_RESPONSE` for a document that names no endpoint, or one
/// that is not trusted.
pub(super) async fn token_endpoint_of(url: &str, workspace: &Workspace, deadline: Instant) -> Result<String, Failure> {
    let request = Request { method: Method::GET, url, authorization: Authorization::None, headers: &[], body: Body::None };
    let response = workspace.client()?.send(request, deadline).await?;
    let answer: Answer = response.json()?;
    let endpoint = answer.token_endpoint.ok_or_else(|| response.invalid("has no token_endpoint"))?;
    if is_trusted(&endpoint, &workspace.url) || is_trusted(&endpoint, url) {
        return Ok(endpoint);
    }
    let invalid = response.invalid("has a token_endpoint that belongs neither to the workspace nor to a Databricks account");
    Err(invalid.with_hint("the secret was not sent there; check that DATABRICKS_HOST is the URL of a Databricks workspace").into())
}

/// Whether `endpoint` is on the workspace's own scheme, host and port, or by https on the host of an account.
fn is_trusted(endpoint: &str, workspace: &str) -> bool {
    let (Ok(endpoint), Ok(workspace)) = (Url::parse(endpoint), Url::parse(workspace)) else { return false };
    let has_login = !endpoint.username().is_empty() || endpoint.password().is_some();
    let is_own = endpoint.origin() == workspace.origin();
    let is_account =
        endpoint.scheme() == "https" && endpoint.port().is_none() && endpoint.host_str().is_some_and(|host| ACCOUNT_HOSTS.contains(&host));
    !has_login && (is_own || is_account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_workspace_itself_and_the_hosts_of_accounts_are_trusted_with_a_secret() {
        let workspace = "https://dbc-1.cloud.databricks.com";
        for endpoint in [
            "https://dbc-1.cloud.databricks.com/oidc/v1/token",
            "https://DBC-1.cloud.databricks.com:443/oidc/v1/token",
            "https://accounts.cloud.databricks.com/oidc/accounts/1/v1/token",
            "https://accounts.azuredatabricks.net/oidc/accounts/1/v1/token",
            "https://accounts.gcp.databricks.com/oidc/accounts/1/v1/token",
            "https://accounts.databricks.azure.us/x",
        ] {
            assert!(is_trusted(endpoint, workspace), "{endpoint}");
        }
        for endpoint in [
            "https://attacker.example/oidc/v1/token",
            "https://dbc-2.cloud.databricks.com/oidc/v1/token",
            "https://dbc-1.cloud.databricks.com:8443/oidc/v1/token",
            "http://dbc-1.cloud.databricks.com/oidc/v1/token",
            "http://accounts.cloud.databricks.com/oidc/v1/token",
            "https://accounts.cloud.databricks.com:8443/oidc/v1/token",
            "https://accounts.cloud.databricks.com.attacker.example/",
            "https://accounts.cloud.databricks.com@attacker.example/",
            "https://user@dbc-1.cloud.databricks.com/oidc/v1/token",
            "https://dbc-1.cloud.databricks.com./oidc/v1/token",
            "https://127.0.0.1/token",
            "/oidc/v1/token",
            "",
        ] {
            assert!(!is_trusted(endpoint, workspace), "{endpoint}");
        }
        assert!(is_trusted("http://127.0.0.1:8080/token", "http://127.0.0.1:8080"), "an emulator without TLS");
        assert!(!is_trusted("http://127.0.0.1:8081/token", "http://127.0.0.1:8080"), "something else on this machine");
    }
}
