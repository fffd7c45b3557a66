//! `github-oidc-azure`: an application of Entra that trusts a job of GitHub Actions. databricks-sdk-go `config/auth_azure_github_oidc.go`.

use std::borrow::Cow;

use futures_util::future::FutureExt;

use super::{AUTHORITY_HOST, CLIENT_ID, FAMILY, Proof, RESOURCE_ID, TENANT_ID, entra, hint, is_azure, workspace_token};
use crate::auth::oidc::github::{REQUEST_TOKEN, REQUEST_URL, id_token, is_job};
use crate::auth::{Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::setting::Setting;

/// What Entra wants a token that is presented to it to be for.
const AUDIENCE: &str = "api://AzureADTokenExchange";

#[derive(Debug)]
pub struct GitHub;

impl WorkspaceAuth for GitHub {
    fn name(&self) -> &'static str {
        "github-oidc-azure"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&REQUEST_URL, &REQUEST_TOKEN, &CLIENT_ID, &TENANT_ID, &RESOURCE_ID, &AUTHORITY_HOST] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match (is_azure(settings), is_job(settings)) {
            (Err(no), _) => no,
            (_, Err(reason)) => Applies::No(reason),
            _ if settings.has(&CLIENT_ID) && settings.has(&TENANT_ID) => Applies::Yes,
            _ => Applies::No("azureClientId and azureTenantId (ARM_CLIENT_ID, ARM_TENANT_ID) are not both set".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let assertion = id_token(call, AUDIENCE).await?;
            let text = |setting| call.settings.text(setting).unwrap_or_default();
            workspace_token(call, |resource| {
                let assertion = assertion.clone();
                async move { entra(call, text(&TENANT_ID), text(&CLIENT_ID), &Proof::Assertion(&assertion), resource).await }
            })
            .await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}
