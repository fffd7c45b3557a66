//! `github-oidc-azure`: an application of Entra that trusts a job of GitHub Actions. databricks-sdk-go `config/auth_azure_github_oidc.go`.

use std::borrow::Cow;

use futures_util::future::FutureExt;

use super::entra::{Application, Proof};
use super::{AUTHORITY_HOST, CLIENT_ID, ENVIRONMENT, FAMILY, RESOURCE_ID, TENANT_ID, hint, is_azure};
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
        const { &[&REQUEST_URL, &REQUEST_TOKEN, &CLIENT_ID, &TENANT_ID, &RESOURCE_ID, &AUTHORITY_HOST, &ENVIRONMENT] }
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
            Application::configured(call.settings, Proof::Assertion(assertion)).workspace_token(call).await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}
