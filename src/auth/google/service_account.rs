//! `google-id`: whoever is logged in to Google Cloud here acts as a service account. databricks-sdk-go `config/auth_gcp_google_id.go`.
//!
//! Wire facts: Google's IAM Service Account Credentials API, `projects.serviceAccounts.generateIdToken`.

use std::borrow::Cow;

use futures_util::future::FutureExt;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::default::{self, Login};
use super::{FAMILY, hint, is_google, workspace_token};
use crate::auth::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;
use crate::setting::Setting;

static ACCOUNT: Setting =
    Setting::new("googleServiceAccount", &["DATABRICKS_GOOGLE_SERVICE_ACCOUNT"]).key("google_service_account").family(FAMILY);

#[derive(Debug)]
pub struct ServiceAccount;

impl WorkspaceAuth for ServiceAccount {
    fn name(&self) -> &'static str {
        "google-id"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&ACCOUNT, &default::FILE] }
    }

    fn needs_environment(&self) -> bool {
        true
    }

    fn applies(&self, settings: &Settings) -> Applies {
        let is_address = |text: &str| text.contains('@') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"@.-_".contains(&b));
        match (is_google(settings), settings.text(&ACCOUNT)) {
            (Err(no), _) => no,
            (_, None) => Applies::No(format!("{} is not set", ACCOUNT.named())),
            (_, Some(account)) if is_address(account) => Applies::Yes,
            (_, Some(_)) => Applies::Lacks(&ACCOUNT, "the e-mail address of a service account of Google's"),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let login = Login::find(call.settings).await?;
            let token = login.access_token(call).await?;
            impersonate(call, &token).await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}

/// The service account's ID token for the workspace.
async fn impersonate(call: &Call<'_>, token: &Secret) -> Result<AccessToken, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<Secret>,
    }
    let account = call.settings.text(&ACCOUNT).unwrap_or_default();
    let url = format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateIdToken");
    let body = json!({ "audience": call.workspace.url, "includeEmail": true });
    let authorization = Authorization::Bearer(token);
    let request = Request { method: Method::POST, url: &url, authorization, headers: &[], body: Body::Json(&body) };
    let response = call.workspace.client()?.send(request, call.deadline).await.map_err(|failure| match failure.status() {
        Some(400 | 401 | 403 | 404) => {
            let hint = "give this identity the role Service Account OpenID Connect Identity Token Creator on the service account, and check its name";
            failure.with_hint(Some(hint.into()))
        }
        _ => failure,
    })?;
    let answer: Answer = response.json()?;
    workspace_token(answer.token, |what| response.invalid(what))
}
