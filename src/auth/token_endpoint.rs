//! The workspace's OAuth token endpoint: where it is, how a grant is asked for, what the answer means.
//!
//! Wire facts: RFC 6749 §5.1; databricks-sdk-go `config/config.go` (`getOidcEndpoints`: account hosts).

use std::time::{Duration, SystemTime};

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{AccessToken, Call, discovery, jwt};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request, Response};
use crate::setting::Setting;

/// The Databricks account, whose console hosts have a token endpoint per account.
pub(super) static ACCOUNT_ID: Setting = Setting::new("accountId", &["DATABRICKS_ACCOUNT_ID"]).key("account_id");

/// Another discovery document than the workspace's own. databricks-sdk-go `config/config.go` (`DiscoveryURL`).
pub(super) static DISCOVERY_URL: Setting = Setting::new("discoveryUrl", &["DATABRICKS_DISCOVERY_URL"]).key("discovery_url");

/// Where workspaces have their token endpoint. Asking there at once saves the round trip of discovery.
const TOKEN_PATH: &str = "/oidc/v1/token";

/// What a longer life counts as, a century: clocks cannot add as many seconds as JSON can write.
const LONGEST_LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Call<'_> {
    /// Where grants are asked for, as far as it is known.
    pub(super) fn token_url(&self) -> String {
        self.learned.token_endpoint.get().unwrap_or_else(|| self.usual_token_url())
    }

    fn usual_token_url(&self) -> String {
        let host = &self.workspace.url;
        match self.settings.text(&ACCOUNT_ID).filter(|_| self.is_account_host()) {
            Some(account) => format!("{host}/oidc/accounts/{account}/v1/token"),
            None => format!("{host}{TOKEN_PATH}"),
        }
    }

    /// The account console. databricks-sdk-go `config/config.go` (`IsAccountClient`).
    pub(super) fn is_account_host(&self) -> bool {
        ["https://accounts.", "https://accounts-dod."].iter().any(|start| self.workspace.url.starts_with(start))
    }

    /// Asks the discovery document that was configured, once.
    pub(super) async fn discover(&self) -> Result<(), Failure> {
        let Some(url) = self.settings.text(&DISCOVERY_URL).filter(|_| self.learned.token_endpoint.get().is_none()) else { return Ok(()) };
        self.learned.token_endpoint.set(discovery::token_endpoint_of(url, self.workspace, self.deadline).await?);
        Ok(())
    }

    /// Asks for an access token with this grant; discovers the endpoint when it is not where workspaces have it.
    pub(super) async fn grant(&self, authorization: &Authorization<'_>, form: &[(&str, &str)]) -> Result<AccessToken, Failure> {
        self.discover().await?;
        let was_discovered = self.learned.token_endpoint.get().is_some();
        match self.grant_at(&self.token_url(), authorization, form).await {
            Err(failure) if is_missing(&failure) && !was_discovered => {
                let endpoint = match discovery::token_endpoint(self.workspace, self.deadline).await {
                    Ok(endpoint) => endpoint,
                    Err(discovery) if discovery.transient => return Err(discovery),
                    // That the endpoint is not there says more than that the second guess failed too.
                    Err(_) => return Err(failure),
                };
                let token = self.grant_at(&endpoint, authorization, form).await?;
                self.learned.token_endpoint.set(endpoint);
                Ok(token)
            }
            result => result,
        }
    }

    async fn grant_at(&self, url: &str, authorization: &Authorization<'_>, form: &[(&str, &str)]) -> Result<AccessToken, Failure> {
        // Counted from before the request, so that the token never lives longer here than there.
        let asked_at = SystemTime::now();
        let request = Request { method: Method::POST, url, authorization: authorization.clone(), headers: &[], body: Body::Form(form) };
        Ok(read(&self.workspace.client()?.send(request, self.deadline).await?, asked_at)?)
    }
}

/// Nothing serves the path.
pub(super) fn is_missing(failure: &Failure) -> bool {
    matches!(failure.status(), Some(404 | 405 | 410 | 501))
}

/// The token of an answer. `expires_in` is a number of seconds, in Entra's first version a text; without it, `expires_on` since 1970.
pub(super) fn read(response: &Response, asked_at: SystemTime) -> Result<AccessToken, Error> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: Option<String>,
        token_type: Option<String>,
        expires_in: Option<Value>,
        expires_on: Option<Value>,
    }
    let answer: Answer = response.json()?;
    let token = response.token("access_token", answer.access_token)?;
    if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(response.invalid("has a token_type other than Bearer"));
    }
    let expires_at = match (answer.expires_in, answer.expires_on) {
        (Some(expires_in), _) => {
            let seconds = number(&expires_in).ok_or_else(|| response.invalid("has an expires_in that is not a number of seconds"))?;
            if seconds < 1.0 {
                return Err(response.invalid(&format!("has expires_in {seconds}, which leaves the token no life")));
            }
            asked_at + Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE)
        }
        (None, Some(expires_on)) => number(&expires_on)
            .and_then(jwt::epoch)
            .filter(|expires_at| *expires_at > asked_at)
            .ok_or_else(|| response.invalid("has an expires_on that is not a time to come, in seconds since 1970"))?,
        (None, None) => return Err(response.invalid("has no expires_in")),
    };
    Ok(AccessToken::new(token, Some(expires_at)))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// For the fuzz targets: reads an answer of any bytes.
#[cfg(fuzzing)]
pub fn fuzz_answer(body: &[u8]) {
    let _ = read(&Response::fuzz(body), SystemTime::now());
}
