//! Entra's token endpoint: how an application proves itself and gets tokens. Its first version, as in databricks-sdk-go: it takes a `resource`.

use std::time::SystemTime;

use http::Method;

use super::{AUTHORITY_HOST, CLIENT_ID, Management, TENANT_ID, cloud, ends_early, tenant, workspace_token};
use crate::auth::{AccessToken, Applies, Call, Settings, token_endpoint};
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;

/// An application, or a managed identity that stands behind one.
#[derive(Clone, Debug)]
pub(super) struct Application {
    id: String,
    /// `None`: the one of the workspace.
    tenant: Option<String>,
    proof: Proof,
}

/// What proves to Entra who the application is.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    Secret(Secret),
    /// A token of an issuer that the application trusts.
    Assertion(Secret),
}

impl Application {
    pub fn new(id: &str, tenant: Option<&str>, proof: Proof) -> Self {
        Self { id: id.to_owned(), tenant: tenant.map(str::to_owned), proof }
    }

    /// The application that azureClientId and azureTenantId name.
    pub fn configured(settings: &Settings, proof: Proof) -> Self {
        Self::new(settings.text(&CLIENT_ID).unwrap_or_default(), settings.text(&TENANT_ID), proof)
    }

    /// A token for the workspace, with the headers that go with it.
    pub async fn workspace_token(&self, call: &Call<'_>) -> Result<AccessToken, Failure> {
        workspace_token(call, Management::Needed, |resource| self.token(call, resource)).await
    }

    /// A token for `resource`.
    pub async fn token(&self, call: &Call<'_>, resource: &str) -> Result<AccessToken, Failure> {
        let tenant = match &self.tenant {
            Some(tenant) => tenant.clone(),
            None => tenant(call).await?,
        };
        let login = call.settings.text(&AUTHORITY_HOST).unwrap_or(cloud(call.settings).login).trim_end_matches('/');
        let url = format!("{login}/{tenant}/oauth2/token");
        let mut form = vec![("grant_type", "client_credentials"), ("client_id", &self.id), ("resource", resource)];
        match &self.proof {
            Proof::Secret(secret) => form.push(("client_secret", secret.expose())),
            Proof::Assertion(token) => {
                form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
                form.push(("client_assertion", token.expose()));
            }
        }
        let asked_at = SystemTime::now();
        let request =
            Request { method: Method::POST, url: &url, authorization: Authorization::None, headers: &[], body: Body::Form(&form) };
        let response = call.workspace.client()?.send(request, call.deadline).await.map_err(|failure| {
            let hint = match (failure.status(), &self.proof) {
                (Some(400 | 401), Proof::Secret(_)) => {
                    "check ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET: an application's secret expires"
                }
                (Some(400 | 401), Proof::Assertion(_)) => {
                    "the application has no federated credential for this token: compare its issuer, subject and audience; it may have \
                     expired, too"
                }
                (Some(404), _) => "check ARM_TENANT_ID, the directory of the application",
                _ => return failure,
            };
            failure.with_hint(Some(hint.into()))
        })?;
        Ok(ends_early(token_endpoint::read(&response, asked_at)?))
    }
}

/// Whether there is a directory: given, or the workspace's, which tells its own where it is known itself.
pub(super) fn has_tenant(settings: &Settings) -> Result<(), Applies> {
    match settings.has(&TENANT_ID) || !settings.host().is_empty() {
        true => Ok(()),
        false => Err(Applies::Lacks(&TENANT_ID, "the directory of the application, which belongs to azureClientId")),
    }
}
