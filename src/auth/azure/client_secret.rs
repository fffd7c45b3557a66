//! `azure-client-secret`: an application of Entra with a secret. databricks-sdk-go `config/auth_azure_client_secret.go`.

use std::borrow::Cow;

use futures_util::future::FutureExt;

use super::{AUTHORITY_HOST, CLIENT_ID, FAMILY, Proof, RESOURCE_ID, TENANT_ID, entra, hint, is_azure, workspace_token};
use crate::auth::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::http::Failure;
use crate::secret::Secret;
use crate::setting::Setting;

pub(super) static SECRET: Setting =
    Setting::new("azureClientSecret", &["ARM_CLIENT_SECRET"]).key("azure_client_secret").secret().family(FAMILY);

#[derive(Debug)]
pub struct ClientSecret;

impl WorkspaceAuth for ClientSecret {
    fn name(&self) -> &'static str {
        "azure-client-secret"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&SECRET, &CLIENT_ID, &TENANT_ID, &RESOURCE_ID, &AUTHORITY_HOST] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        if !settings.has(&SECRET) {
            return Applies::No(format!("{} is not set", SECRET.named()));
        }
        if let Err(no) = is_azure(settings) {
            return no;
        }
        match (settings.has(&CLIENT_ID), settings.has(&TENANT_ID)) {
            (true, true) => Applies::Yes,
            (false, _) => Applies::Lacks(&CLIENT_ID, "the application's id, which belongs to azureClientSecret"),
            (_, false) => Applies::Lacks(&TENANT_ID, "the directory of the application, which belongs to azureClientSecret"),
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

/// An application: directory, id and secret.
#[derive(Clone, Default)]
pub(super) struct Application {
    tenant: String,
    id: String,
    secret: Secret,
}

pub(super) fn parts(settings: &Settings) -> Option<Application> {
    let text = |setting| settings.text(setting).map(str::to_owned);
    Some(Application { tenant: text(&TENANT_ID)?, id: text(&CLIENT_ID)?, secret: settings.get(&SECRET)?.clone() })
}

pub(super) async fn token(call: &Call<'_>, application: &Application, resource: &str) -> Result<AccessToken, Failure> {
    entra(call, &application.tenant, &application.id, &Proof::Secret(&application.secret), resource).await
}
