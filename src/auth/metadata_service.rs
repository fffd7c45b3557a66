//! `metadata-service`: a service on this machine that hands out tokens, as Databricks' editor plugins run it.
//!
//! Wire facts: databricks-sdk-go `config/auth_metadata_service.go` (loopback only, the two headers, 404 for "not configured").

use std::time::SystemTime;

use futures_util::future::FutureExt;
use http::Method;
use url::Url;

use super::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth, token_endpoint};
use crate::http::{Authorization, Body, Failure, Request, is_loopback};
use crate::secret::Secret;
use crate::setting::Setting;

/// Its path may be a secret of the service's.
static SERVICE_URL: Setting = Setting::new("metadataServiceUrl", &["DATABRICKS_METADATA_SERVICE_URL"])
    .key("metadata_service_url")
    .secret()
    .family("metadata-service");

#[derive(Debug)]
pub struct MetadataService;

impl WorkspaceAuth for MetadataService {
    fn name(&self) -> &'static str {
        "metadata-service"
    }

    fn family(&self) -> &'static str {
        "metadata-service"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&SERVICE_URL] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match settings.text(&SERVICE_URL).map(Url::parse) {
            None => Applies::No("metadataServiceUrl (DATABRICKS_METADATA_SERVICE_URL) is not set".into()),
            Some(Ok(url)) if is_loopback(&url) => Applies::Yes,
            Some(_) => Applies::No(format!("{} is no URL on this machine, such as http://localhost:8080/token", SERVICE_URL.named())),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move { fetch(call).await }.boxed()
    }
}

async fn fetch(call: &Call<'_>) -> Result<AccessToken, Failure> {
    let url = call.settings.text(&SERVICE_URL).unwrap_or_default();
    let headers = [("X-Databricks-Metadata-Version", Secret::new("1")), ("X-Databricks-Host", Secret::new(call.workspace.url.as_str()))];
    let asked_at = SystemTime::now();
    let request = Request { method: Method::GET, url, authorization: Authorization::None, headers: &headers, body: Body::None };
    let response = call.workspace.direct_client()?.send(request, call.deadline).await.map_err(|failure| {
        let hint = match failure.status() {
            Some(404) => "the metadata service has no token for this workspace: log in where it runs",
            Some(400..=499) => {
                "the metadata service is for another workspace, or of another version: check DATABRICKS_HOST and the program that runs it"
            }
            _ => "check DATABRICKS_METADATA_SERVICE_URL and that the program behind it is running",
        };
        failure.with_hint(Some(hint.into()))
    })?;
    Ok(token_endpoint::read(&response, asked_at)?)
}
