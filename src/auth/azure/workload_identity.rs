//! `azure-workload-identity`: a pod of Azure Kubernetes Service, or whatever else keeps a token of an issuer in a file that an application of
//! Entra trusts. Not in databricks-sdk-go; variables and request as in the Azure SDKs' `WorkloadIdentityCredential`.

use std::borrow::Cow;

use futures_util::future::FutureExt;

use super::{AUTHORITY_HOST, CLIENT_ID, FAMILY, PLATFORM_CLIENT_ID, Proof, RESOURCE_ID, TENANT_ID, entra, hint, is_azure, workspace_token};
use crate::auth::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth, oidc};
use crate::http::Failure;
use crate::setting::Setting;

/// Read again for every token: the platform replaces it.
static TOKEN_FILE: Setting = Setting::variable(&["AZURE_FEDERATED_TOKEN_FILE"]);
static PLATFORM_TENANT_ID: Setting = Setting::variable(&["AZURE_TENANT_ID"]);

#[derive(Debug)]
pub struct WorkloadIdentity;

impl WorkspaceAuth for WorkloadIdentity {
    fn name(&self) -> &'static str {
        "azure-workload-identity"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&TOKEN_FILE, &PLATFORM_CLIENT_ID, &PLATFORM_TENANT_ID, &CLIENT_ID, &TENANT_ID, &RESOURCE_ID, &AUTHORITY_HOST] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match (is_azure(settings), parts(settings)) {
            (Err(no), _) => no,
            (Ok(()), Some(_)) => Applies::Yes,
            (Ok(()), None) => Applies::No("AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID and AZURE_TENANT_ID are not all set".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let identity = parts(call.settings).unwrap_or_default();
            workspace_token(call, |resource| {
                let identity = identity.clone();
                async move { token(call, &identity, resource).await }
            })
            .await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}

#[derive(Clone, Default)]
pub(super) struct Workload {
    tenant: String,
    id: String,
    file: String,
}

pub(super) fn parts(settings: &Settings) -> Option<Workload> {
    let either = |one, other| settings.text(one).or_else(|| settings.text(other)).map(str::to_owned);
    Some(Workload {
        tenant: either(&TENANT_ID, &PLATFORM_TENANT_ID)?,
        id: either(&CLIENT_ID, &PLATFORM_CLIENT_ID)?,
        file: settings.text(&TOKEN_FILE)?.to_owned(),
    })
}

pub(super) async fn token(call: &Call<'_>, workload: &Workload, resource: &str) -> Result<AccessToken, Failure> {
    let assertion = oidc::read_file(&workload.file).await?;
    entra(call, &workload.tenant, &workload.id, &Proof::Assertion(&assertion), resource).await
}
