//! `azure-client-secret`: an application of Entra with a secret. databricks-sdk-go `config/auth_azure_client_secret.go`.

use std::borrow::Cow;

use futures_util::future::FutureExt;

use super::entra::{Application, Proof, has_tenant};
use super::{AUTHORITY_HOST, CLIENT_ID, ENVIRONMENT, FAMILY, RESOURCE_ID, TENANT_ID, hint, is_azure};
use crate::auth::{Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::setting::Setting;

static SECRET: Setting = Setting::new("azureClientSecret", &["ARM_CLIENT_SECRET"]).key("azure_client_secret").secret().family(FAMILY);

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
        const { &[&SECRET, &CLIENT_ID, &TENANT_ID, &RESOURCE_ID, &AUTHORITY_HOST, &ENVIRONMENT] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        if !settings.has(&SECRET) {
            return Applies::No(format!("{} is not set", SECRET.named()));
        }
        if !settings.has(&CLIENT_ID) {
            return Applies::Lacks(&CLIENT_ID, "the application's id, which belongs to azureClientSecret");
        }
        match is_azure(settings).and_then(|()| has_tenant(settings)) {
            Ok(()) => Applies::Yes,
            Err(no) => no,
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let secret = call.settings.get(&SECRET).cloned().unwrap_or_default();
            Application::configured(call.settings, Proof::Secret(secret)).workspace_token(call).await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}

/// The application, if it is given completely.
pub(super) fn application(settings: &Settings) -> Option<Application> {
    let secret = settings.get(&SECRET).filter(|_| settings.has(&CLIENT_ID) && has_tenant(settings).is_ok())?;
    Some(Application::configured(settings, Proof::Secret(secret.clone())))
}
