//! `azure-key-vault`: client credentials whose secret lies in a Key Vault, read with whatever identity of Azure's is at hand.
//!
//! Facts: Databricks' guide for Azure apps names `KEY_VAULT_NAME` and the secret `databricks-client-secret`; Azure's REST API of Key Vault
//! (`GET {vault}/secrets/{name}?api-version=7.4`).

use std::borrow::Cow;
use std::time::Duration;

use futures_util::future::FutureExt;
use http::Method;
use serde::Deserialize;
use tokio::time::Instant;

use super::m2m::{CLIENT_SECRET, ClientCredentials, fetch};
use super::settings::CLIENT_CREDENTIALS as FAMILY;
use super::token_endpoint::{ACCOUNT_ID, DISCOVERY_URL};
use super::{Applies, CLIENT_ID, Call, Fetched, Settings, WorkspaceAuth, azure};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;
use crate::setting::Setting;

static VAULT: Setting = Setting::new("keyVaultName", &["KEY_VAULT_NAME"]);
const SECRET_NAME: &str = "databricks-client-secret";

/// What the vault may cost where `DATABRICKS_CLIENT_SECRET` stands by.
const PATIENCE: Duration = Duration::from_secs(4);

#[derive(Debug)]
pub struct KeyVault;

impl WorkspaceAuth for KeyVault {
    fn name(&self) -> &'static str {
        "azure-key-vault"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&VAULT, &CLIENT_ID, &CLIENT_SECRET, &ACCOUNT_ID, &DISCOVERY_URL] }
    }

    fn needs_environment(&self) -> bool {
        true
    }

    fn applies(&self, settings: &Settings) -> Applies {
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match (settings.text(&VAULT), settings.has(&CLIENT_ID)) {
            (Some(name), true) if is_name(name) => Applies::Yes,
            (Some(_), true) => Applies::No("keyVaultName (KEY_VAULT_NAME) is no name of letters, digits and hyphens".into()),
            (Some(_), false) => Applies::No("clientId (DATABRICKS_CLIENT_ID) is not set".into()),
            (None, _) => Applies::No("keyVaultName (KEY_VAULT_NAME) is not set".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let secret = match (read(call).await, call.settings.get(&CLIENT_SECRET)) {
                (Ok(secret), _) => secret,
                (Err(failure), None) => return Err(failure),
                (Err(failure), Some(secret)) => {
                    let vault = call.settings.text(&VAULT).unwrap_or_default();
                    let message =
                        format!("DATABRICKS_CLIENT_SECRET is used, because Key Vault {vault} did not give its secret: {}", failure.error);
                    call.warn(&message);
                    secret.clone()
                }
            };
            fetch(call, &secret).await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        ClientCredentials.hint(status)
    }
}

async fn read(call: &Call<'_>) -> Result<Secret, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        value: Option<Secret>,
    }
    let until = if call.settings.has(&CLIENT_SECRET) { call.deadline.min(Instant::now() + PATIENCE) } else { call.deadline };
    let call = &Call { deadline: until, ..*call };
    let (vault, resource) = azure::vault(call.settings, call.settings.text(&VAULT).unwrap_or_default());
    let token = azure::any_token(call, &resource).await?;
    let url = format!("{vault}/secrets/{SECRET_NAME}?api-version=7.4");
    let request =
        Request { method: Method::GET, url: &url, authorization: Authorization::Bearer(&token.token), headers: &[], body: Body::None };
    let response = call.workspace.client()?.send(request, call.deadline).await.map_err(|failure| {
        let hint = match failure.status() {
            Some(401 | 403) => "let this identity of Azure's read secrets of the vault (role Key Vault Secrets User)",
            Some(404) => "put the OAuth secret into the vault as databricks-client-secret",
            _ => "check KEY_VAULT_NAME and that this machine reaches the vault",
        };
        failure.with_hint(Some(hint.into()))
    })?;
    let answer: Answer = response.json()?;
    answer.value.filter(|secret| !secret.is_empty()).ok_or_else(|| {
        let error = Error::invalid_response(format!("the secret {SECRET_NAME} is empty"));
        error.with_hint("put the service principal's OAuth secret into the vault").into()
    })
}
