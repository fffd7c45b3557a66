//! Token federation: a platform's JSON Web Token is exchanged for a token of the workspace. No secret is stored anywhere.
//!
//! Wire facts: RFC 8693; databricks-sdk-go `config/experimental/auth/oidc/tokensource.go` (form and audience): the client id is sent for a
//! service principal's policy and left out for an account-wide one. The platform is asked anew for every exchange.

mod azure_devops;
mod callback;
mod file;
pub(super) mod github;
mod variable;
mod vercel;

pub use azure_devops::AzureDevOps;
pub use callback::Callback;
pub use file::File;
pub(super) use file::read as read_file;
pub use github::GitHub;
pub use variable::Variable;
pub use vercel::Vercel;

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use tokio::time::Instant;

use super::token_endpoint::{ACCOUNT_ID, DISCOVERY_URL};
use super::{AccessToken, CLIENT_ID, Call, jwt};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;
use crate::setting::Setting;

/// What the platform's token is for. Default: what the workspace says, else the account for account hosts, else the workspace's token endpoint.
static AUDIENCE: Setting = Setting::new("tokenAudience", &["DATABRICKS_TOKEN_AUDIENCE"]).key("audience");

/// Leaves the client id out, which may be there as the app's own: the token is a user's.
static ACCOUNT_WIDE: Setting = Setting::new("accountWideFederation", &[]).flag();

/// What every exchange reads.
const COMMON: [&Setting; 4] = [&CLIENT_ID, &AUDIENCE, &ACCOUNT_ID, &DISCOVERY_URL];

/// What the workspace's own word on the audience may cost: there is a usual one.
const PATIENCE: Duration = Duration::from_secs(2);

/// The audience to ask the platform for.
///
/// Wire facts: databricks-sdk-go `config/host_metadata.go` (`token_federation_default_oidc_audiences`).
async fn audience(call: &Call<'_>) -> Result<String, Failure> {
    if let Some(audience) = call.settings.text(&AUDIENCE) {
        return Ok(audience.to_owned());
    }
    if let Some(audience) = call.learned.audience.get() {
        return Ok(audience);
    }
    call.discover().await?;
    let account = call.settings.text(&ACCOUNT_ID).filter(|_| call.is_account_host());
    let usual = account.map_or_else(|| call.token_url(), str::to_owned);
    let audience = match host_audience(call).await {
        Ok(audience) => audience.unwrap_or(usual),
        // Not kept: the next exchange asks again.
        Err(failure) if failure.transient => return Ok(usual),
        Err(_) => usual,
    };
    call.learned.audience.set(audience.as_str());
    Ok(audience)
}

/// The first of the audiences that the host says federation policies have.
async fn host_audience(call: &Call<'_>) -> Result<Option<String>, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        token_federation_default_oidc_audiences: Vec<String>,
    }
    let url = format!("{}/.well-known/databricks-config", call.workspace.url);
    let request = Request { method: Method::GET, url: &url, authorization: Authorization::None, headers: &[], body: Body::None };
    let response = call.workspace.client()?.send(request, call.deadline.min(Instant::now() + PATIENCE)).await?;
    let answer: Answer = response.json()?;
    Ok(answer.token_federation_default_oidc_audiences.into_iter().find(|audience| !audience.is_empty()))
}

/// Exchanges the platform's token, which `source` names in errors.
async fn exchange(call: &Call<'_>, token: &Secret, source: &str) -> Result<AccessToken, Failure> {
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", token.expose()),
        ("scope", "all-apis"),
    ];
    let client_id = call.settings.text(&CLIENT_ID).filter(|_| !call.settings.has(&ACCOUNT_WIDE));
    form.extend(client_id.map(|id| ("client_id", id)));
    call.grant(&Authorization::None, &form).await.map_err(|failure| {
        let over = jwt::expiry(token).is_some_and(|expires_at| expires_at <= std::time::SystemTime::now());
        let hint = match failure.status() {
            Some(400 | 401) if over => format!("the token from {source} has expired: see that a new one is given before each exchange"),
            Some(400 | 401 | 403) => format!(
                "no federation policy of {} takes the token from {source}: compare its issuer, subject and audience with the policy's",
                client_id.map_or_else(|| "the account (no clientId is given)".to_owned(), |id| format!("service principal {id}"))
            ),
            _ => return failure,
        };
        failure.with_hint(Some(hint.into()))
    })
}

/// There was no token to exchange.
pub(super) fn missing(message: impl Into<String>, hint: &'static str) -> Failure {
    Error::no_id_token(message).with_hint(hint).into()
}
