//! `authProvider`: a function of the caller's that gives access tokens, for every identity that no method here knows.

use futures_util::future::FutureExt;
use serde::Deserialize;

use super::{AccessToken, Applies, Call, Fetched, Question, Settings, WorkspaceAuth, jwt};
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;
use crate::setting::Setting;

static PROVIDER: Setting = Setting::new("authProvider", &[]).function().family("authProvider");

/// Answers with `{ token, expiresAt }`. A token that does not tell its end is asked whether it is a JSON Web Token, which does.
#[derive(Debug)]
pub struct Provider;

impl WorkspaceAuth for Provider {
    fn name(&self) -> &'static str {
        "auth-provider"
    }

    fn family(&self) -> &'static str {
        "authProvider"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&PROVIDER] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        if settings.has(&PROVIDER) { Applies::Yes } else { Applies::No("no authProvider is given".into()) }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move { fetch(call).await }.boxed()
    }
}

async fn fetch(call: &Call<'_>) -> Result<AccessToken, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        token: Secret,
        #[serde(rename = "expiresAt")]
        expires_at: Option<f64>,
    }
    let function = call.settings.text(&PROVIDER).unwrap_or_default();
    let answer = call.ask(Question::Provider(function), "authProvider").await?;
    let wrong = || {
        Error::invalid_token("authProvider gave something else than { token, expiresAt }")
            .with_hint("return the workspace token as a text and its end as a Date, milliseconds since 1970, or not at all")
    };
    let answer: Answer = answer.and_then(|answer| serde_json::from_str(answer.expose()).ok()).ok_or_else(wrong)?;
    if answer.token.is_empty() {
        return Err(wrong().into());
    }
    let expires_at = match answer.expires_at {
        Some(millis) => Some(jwt::epoch(millis / 1000.0).ok_or_else(wrong)?),
        None => jwt::expiry(&answer.token),
    };
    Ok(AccessToken::new(answer.token, expires_at))
}
