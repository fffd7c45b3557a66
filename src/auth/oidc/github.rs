//! `github-oidc`: GitHub Actions gives each job tokens for any audience.
//!
//! Wire facts: databricks-sdk-go `config/experimental/auth/oidc/github.go`.

use futures_util::future::FutureExt;
use http::Method;
use serde::Deserialize;
use url::Url;

use super::{COMMON, audience, exchange, missing};
use crate::auth::{Applies, CLIENT_ID, Call, Fetched, Settings, WorkspaceAuth, azure};
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;
use crate::setting::Setting;

pub(in crate::auth) static REQUEST_URL: Setting = Setting::ambient(&["ACTIONS_ID_TOKEN_REQUEST_URL"]);
pub(in crate::auth) static REQUEST_TOKEN: Setting = Setting::ambient(&["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]).secret();

#[derive(Debug)]
pub struct GitHub;

impl WorkspaceAuth for GitHub {
    fn name(&self) -> &'static str {
        "github-oidc"
    }

    fn family(&self) -> &'static str {
        "github-oidc"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&REQUEST_URL, &REQUEST_TOKEN, COMMON[0], COMMON[1], COMMON[2], COMMON[3]] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match is_job(settings) {
            // An Entra application is named, and no service principal of Databricks' own: `github-oidc-azure`.
            Ok(()) if settings.has(&azure::CLIENT_ID) && !settings.has(&CLIENT_ID) => {
                Applies::No("azureClientId is set and clientId is not".into())
            }
            Ok(()) if settings.has(&CLIENT_ID) => Applies::Yes,
            Ok(()) => Applies::Perhaps,
            Err(reason) => Applies::No(reason),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let token = id_token(call, &audience(call).await?).await?;
            exchange(call, &token, "GitHub Actions").await
        }
        .boxed()
    }
}

/// Whether this is a job of GitHub Actions that may ask for tokens.
pub(in crate::auth) fn is_job(settings: &Settings) -> Result<(), String> {
    if settings.has(&REQUEST_URL) && settings.has(&REQUEST_TOKEN) {
        return Ok(());
    }
    Err("ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN are not set: this is no GitHub Actions job with `permissions: id-token: write`".into())
}

/// The job's token for this audience.
pub(in crate::auth) async fn id_token(call: &Call<'_>, audience: &str) -> Result<Secret, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        value: Option<Secret>,
    }
    let hint = "give the job `permissions: id-token: write`";
    let (Some(url), Some(token)) = (call.current(&REQUEST_URL).await?, call.current(&REQUEST_TOKEN).await?) else {
        return Err(missing("GitHub Actions gives this job no tokens", hint));
    };
    let mut url = Url::parse(url.expose()).map_err(|_| missing("ACTIONS_ID_TOKEN_REQUEST_URL is no URL", hint))?;
    url.query_pairs_mut().append_pair("audience", audience);
    let request =
        Request { method: Method::GET, url: url.as_str(), authorization: Authorization::Bearer(&token), headers: &[], body: Body::None };
    let response = call.workspace.client()?.send(request, call.deadline).await;
    let response = response
        .map_err(|failure| failure.with_hint(Some("GitHub refused the job its token: check `permissions: id-token: write`".into())))?;
    let answer: Answer = response.json()?;
    Ok(answer.value.filter(|token| !token.is_empty()).ok_or_else(|| response.invalid("has no value"))?)
}
