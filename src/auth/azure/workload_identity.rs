//! `azure-workload-identity`: a pod of Azure Kubernetes Service, or whatever else keeps a token of an issuer in a file that an application of
//! Entra trusts. Not in databricks-sdk-go; variables and request as in the Azure SDKs' `WorkloadIdentityCredential`.

use std::borrow::Cow;

use futures_util::future::FutureExt;

use super::entra::{Application, Proof};
use super::{AUTHORITY_HOST, CLIENT_ID, ENVIRONMENT, FAMILY, PLATFORM_CLIENT_ID, RESOURCE_ID, TENANT_ID, hint, is_azure};
use crate::auth::{Applies, Call, Fetched, Settings, WorkspaceAuth, oidc};
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
        const { &[&TOKEN_FILE, &PLATFORM_CLIENT_ID, &PLATFORM_TENANT_ID, &CLIENT_ID, &TENANT_ID, &RESOURCE_ID, &AUTHORITY_HOST, &ENVIRONMENT] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match (is_azure(settings), Pod::of(settings)) {
            (Err(no), _) => no,
            (Ok(()), Some(_)) => Applies::Yes,
            (Ok(()), None) => Applies::No("AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID and AZURE_TENANT_ID are not all set".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let pod = Pod::of(call.settings).ok_or_else(|| oidc::missing("the pod has no identity", "set AZURE_FEDERATED_TOKEN_FILE"))?;
            pod.application().await?.workspace_token(call).await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}

/// The identity of a pod.
pub(super) struct Pod<'a> {
    id: &'a str,
    tenant: &'a str,
    file: &'a str,
}

impl<'a> Pod<'a> {
    pub fn of(settings: &'a Settings) -> Option<Self> {
        let either = |one, other| settings.text(one).or_else(|| settings.text(other));
        Some(Self {
            id: either(&CLIENT_ID, &PLATFORM_CLIENT_ID)?,
            tenant: either(&TENANT_ID, &PLATFORM_TENANT_ID)?,
            file: settings.text(&TOKEN_FILE)?,
        })
    }

    /// Reads the token.
    pub async fn application(&self) -> Result<Application, Failure> {
        let assertion = oidc::read_file(self.file).await?;
        Ok(Application::new(self.id, Some(self.tenant), Proof::Assertion(assertion)))
    }
}
