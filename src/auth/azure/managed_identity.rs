//! `azure-msi`: the identity that Azure gives a machine or an app.
//!
//! Wire facts: databricks-sdk-go `config/auth_azure_msi.go` (the metadata service of virtual machines); Azure's documentation of managed
//! identities for App Service, Functions and Container Apps (`IDENTITY_ENDPOINT`, `X-IDENTITY-HEADER`, api-version 2019-08-01), which
//! databricks-sdk-go lacks.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use futures_util::future::FutureExt;
use reqwest::{Method, Url};
use tokio::time::Instant;

use super::{CLIENT_ID, FAMILY, PLATFORM_CLIENT_ID, RESOURCE_ID, ends_early, hint, is_azure, workspace_token};
use crate::auth::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth, token_endpoint};
use crate::config::Setting;
use crate::error::{Error, Kind};
use crate::http::{Authorization, Body, Failure, Request, is_link_local, is_loopback};
use crate::secret::Secret;

static USE: Setting = Setting::new("azureUseMsi", &["ARM_USE_MSI"]).key("azure_use_msi").flag().family(FAMILY);
static ENDPOINT: Setting = Setting::variable(&["IDENTITY_ENDPOINT"]);
static HEADER: Setting = Setting::variable(&["IDENTITY_HEADER"]).secret();

/// The metadata service of a virtual machine: always here, on no route, without TLS.
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// It answers in milliseconds where there is one.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct ManagedIdentity;

impl WorkspaceAuth for ManagedIdentity {
    fn name(&self) -> &'static str {
        "azure-msi"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&USE, &ENDPOINT, &HEADER, &CLIENT_ID, &PLATFORM_CLIENT_ID, &RESOURCE_ID] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match is_azure(settings) {
            Err(no) => no,
            Ok(()) if settings.has(&USE) => Applies::Yes,
            Ok(()) if is_platform(settings) => Applies::Perhaps,
            Ok(()) => Applies::No("neither azureUseMsi (ARM_USE_MSI) nor IDENTITY_ENDPOINT is set".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        workspace_token(call, move |resource| token(call, resource)).boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}

/// App Service, Functions or Container Apps.
pub(super) fn is_platform(settings: &Settings) -> bool {
    settings.has(&ENDPOINT) && settings.has(&HEADER)
}

pub(super) async fn token(call: &Call<'_>, resource: &str) -> Result<AccessToken, Failure> {
    token_at(call, MACHINE, resource).await
}

async fn token_at(call: &Call<'_>, machine: &str, resource: &str) -> Result<AccessToken, Failure> {
    let (endpoint, version, headers) = match (call.settings.text(&ENDPOINT), call.settings.get(&HEADER)) {
        (Some(endpoint), Some(header)) => (endpoint, "2019-08-01", [("X-IDENTITY-HEADER", header.clone())]),
        _ => (machine, "2018-02-01", [("Metadata", Secret::new("true"))]),
    };
    let url = Url::parse(endpoint).ok().filter(|url| is_loopback(url) || is_link_local(url)).ok_or_else(|| {
        // Where else the header would go, it would be somebody's who can act as this app.
        Error::new(Kind::Configuration, "IDENTITY_ENDPOINT is no address of this machine")
            .with_code("CONFIGURATION_ERROR")
            .with_hint("Azure sets it to a loopback or link-local address; remove the variable where Azure does not")
    });
    let mut url = url?;
    url.query_pairs_mut().append_pair("api-version", version).append_pair("resource", resource);
    if let Some(id) = call.settings.text(&CLIENT_ID).or_else(|| call.settings.text(&PLATFORM_CLIENT_ID)) {
        url.query_pairs_mut().append_pair("client_id", id);
    }
    let asked_at = SystemTime::now();
    let request =
        Request { method: Method::GET, url: url.as_str(), authorization: Authorization::None, headers: &headers, body: Body::None };
    let deadline = call.deadline.min(Instant::now() + PATIENCE);
    let response = call.workspace.direct_client()?.send(request, deadline).await.map_err(|failure| {
        let hint = match failure.status() {
            Some(400..=404) => "no managed identity is assigned here, or ARM_CLIENT_ID names another one than is",
            Some(_) => "Azure's metadata service has a problem of its own; try again",
            None => "no metadata service answers: this is no machine of Azure's, or it has no managed identity",
        };
        failure.with_hint(Some(hint.into()))
    })?;
    Ok(ends_early(token_endpoint::read(&response, asked_at)?))
}
