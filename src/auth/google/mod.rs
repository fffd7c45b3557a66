//! Identities of Google Cloud, for workspaces there: the workspace takes Google's ID token for a service account as it is.
//!
//! Wire facts: databricks-sdk-go `config/auth_gcp_google_credentials.go`, `config/auth_gcp_google_id.go` (the audience is the workspace's URL).
//! Its second header, `X-Databricks-GCP-SA-Access-Token`, is not sent: it holds all rights of the service account on Google Cloud, and is for the
//! account's provisioning of networks and keys.

mod credentials;
mod default;
mod key;
mod service_account;

pub use credentials::Credentials;
pub use service_account::ServiceAccount;

use std::borrow::Cow;

use http::Method;
use serde::Deserialize;

use super::{AccessToken, Applies, Call, Settings, jwt};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request, Response};
use crate::secret::Secret;

const FAMILY: &str = "google";

/// Workspaces on Google Cloud.
const ZONE: &str = ".gcp.databricks.com";

/// Google's OAuth token endpoint. Source: AIP-4112; a key's own `token_uri` names the same.
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Why an identity of Google's is of no use: the workspace is elsewhere.
fn is_google(settings: &Settings) -> Result<(), Applies> {
    let host = settings.host().trim_start_matches("https://");
    match host.split(':').next().is_some_and(|host| host.ends_with(ZONE)) {
        true => Ok(()),
        false => Err(Applies::No("the workspace is not on Google Cloud (https://….gcp.databricks.com)".into())),
    }
}

/// Asks Google for a token with this grant.
async fn grant(call: &Call<'_>, form: &[(&str, &str)], hint: &'static str) -> Result<Response, Failure> {
    let request =
        Request { method: Method::POST, url: TOKEN_URL, authorization: Authorization::None, headers: &[], body: Body::Form(form) };
    call.workspace.client()?.send(request, call.deadline).await.map_err(|failure| match failure.status() {
        Some(400 | 401 | 403) => failure.with_hint(Some(hint.into())),
        _ => failure,
    })
}

/// Google's ID token as the workspace's access token; it tells its own end.
fn workspace_token(token: Option<Secret>, invalid: impl FnOnce(&str) -> Error) -> Result<AccessToken, Failure> {
    let token = token.filter(|token| !token.is_empty() && token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
    match token.map(|token| (jwt::expiry(&token), token)) {
        Some((Some(expires_at), token)) => Ok(AccessToken::new(token, Some(expires_at))),
        _ => Err(invalid("has no ID token with a time of expiry").into()),
    }
}

/// An access token for Google's own services.
fn access_token(response: &Response) -> Result<Secret, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: Option<String>,
    }
    let answer: Answer = response.json()?;
    Ok(response.token("access_token", answer.access_token)?)
}

/// What is wrong with a file of Google's credentials.
fn unusable(what: impl Into<String>, hint: &'static str) -> Failure {
    Error::google_credentials_unusable(what).with_hint(hint).into()
}

/// What the workspace's refusal of a token of Google's means.
fn hint(status: u16) -> Option<Cow<'static, str>> {
    matches!(status, 401 | 403).then_some(Cow::Borrowed(
        "the workspace does not know this service account of Google's: add its e-mail address to the workspace as a user",
    ))
}
