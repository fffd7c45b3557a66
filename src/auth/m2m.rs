//! OAuth M2M: the client credentials of a service principal.
//!
//! Wire facts: databricks-sdk-go `config/auth_m2m.go` (HTTP Basic, `scope=all-apis`); RFC 6749 §4.4.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::Method;
use serde::Deserialize;
use tokio::time::Instant;

use super::discovery::token_endpoint;
use super::{AccessToken, Workspace, WorkspaceAuth};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request, Response};
use crate::secret::Secret;

/// Where workspaces have their token endpoint. Asking there at once saves the round trip of discovery.
const TOKEN_PATH: &str = "/oidc/v1/token";

/// What a longer life counts as, a century: clocks cannot add as many seconds as JSON can write.
const LONGEST_LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// `DATABRICKS_CLIENT_ID` and `DATABRICKS_CLIENT_SECRET`.
#[derive(Debug)]
pub struct ClientCredentials {
    client_id: String,
    client_secret: Secret,
    /// The endpoint that discovery found, once the usual one was not there.
    discovered: Mutex<Option<String>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<i64>,
}

impl ClientCredentials {
    pub fn new(client_id: String, client_secret: Secret) -> Self {
        Self { client_id, client_secret, discovered: Mutex::new(None) }
    }

    async fn fetch(&self, workspace: &Workspace, deadline: Instant) -> Result<AccessToken, Failure> {
        let discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let was_discovered = discovered.is_some();
        let endpoint = discovered.unwrap_or_else(|| format!("{}{TOKEN_PATH}", workspace.url));
        match self.ask(workspace, &endpoint, deadline).await {
            Err(failure) if matches!(failure.status(), Some(404 | 405 | 410 | 501)) && !was_discovered => {
                let endpoint = match token_endpoint(workspace, deadline).await {
                    Ok(endpoint) => endpoint,
                    Err(discovery) if discovery.transient => return Err(discovery),
                    // That the endpoint is not there says more than that the second guess failed too.
                    Err(_) => return Err(failure),
                };
                let token = self.ask(workspace, &endpoint, deadline).await?;
                *self.discovered.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint);
                Ok(token)
            }
            result => result,
        }
    }

    async fn ask(&self, workspace: &Workspace, endpoint: &str, deadline: Instant) -> Result<AccessToken, Failure> {
        // Counted from before the request, so that the token never lives longer here than there.
        let asked_at = SystemTime::now();
        let request = Request {
            method: Method::POST,
            url: endpoint,
            authorization: Authorization::Basic { user: &self.client_id, password: &self.client_secret },
            body: Body::Form(&[("grant_type", "client_credentials"), ("scope", "all-apis")]),
        };
        let response = workspace.client()?.send(request, deadline).await.map_err(|failure| {
            let hint = own_hint(failure.status());
            failure.with_hint(hint)
        })?;
        Ok(read(&response, asked_at)?)
    }
}

fn read(response: &Response, asked_at: SystemTime) -> Result<AccessToken, Error> {
    let answer: TokenAnswer = response.json()?;
    let token = response.token("access_token", answer.access_token)?;
    if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(response.invalid("has a token_type other than Bearer"));
    }
    let seconds = answer.expires_in.ok_or_else(|| response.invalid("has no expires_in"))?;
    if seconds <= 0 {
        return Err(response.invalid(&format!("has expires_in {seconds}, which leaves the token no life")));
    }
    let life = Duration::from_secs(seconds.unsigned_abs()).min(LONGEST_LIFE);
    Ok(AccessToken { token, expires_at: Some(asked_at + life) })
}

/// For the fuzz targets: reads an answer of any bytes.
#[cfg(fuzzing)]
pub fn fuzz_answer(body: &[u8]) {
    let _ = read(&Response::fuzz(body), SystemTime::now());
}

fn own_hint(status: Option<u16>) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match status? {
        400 | 401 => {
            "check DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET: a secret lives at most 730 days, and the service principal must be \
             assigned to this workspace"
        }
        403 => "the service principal must be assigned to this workspace",
        404 | 405 | 410 | 501 => "check DATABRICKS_HOST: this host has no OAuth token endpoint, so it is not a workspace",
        _ => return None,
    }))
}

impl WorkspaceAuth for ClientCredentials {
    fn identity(&self) -> Vec<&str> {
        vec!["client-credentials", &self.client_id, self.client_secret.expose()]
    }

    fn access_token<'a>(&'a self, workspace: &'a Workspace, deadline: Instant) -> BoxFuture<'a, Result<AccessToken, Failure>> {
        self.fetch(workspace, deadline).boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        match status {
            401 => Some(Cow::Borrowed(
                "the workspace refused the token it gave this service principal: check that DATABRICKS_HOST is its workspace",
            )),
            _ => None,
        }
    }
}
