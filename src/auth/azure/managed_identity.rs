//! `azure-msi`: the identity that Azure gives a machine or an app.
//!
//! Wire facts: databricks-sdk-go `config/auth_azure_msi.go` (the metadata service of virtual machines); Azure's documentation of managed
//! identities for App Service, Functions and Container Apps (`IDENTITY_ENDPOINT`, `X-IDENTITY-HEADER`, api-version 2019-08-01), which
//! databricks-sdk-go lacks.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use futures_util::future::FutureExt;
use http::Method;
use tokio::time::Instant;
use url::Url;

use super::{CLIENT_ID, ENVIRONMENT, FAMILY, Management, PLATFORM_CLIENT_ID, RESOURCE_ID, ends_early, hint, is_azure, workspace_token};
use crate::auth::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth, token_endpoint};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request, is_link_local, is_loopback};
use crate::secret::Secret;
use crate::setting::Setting;

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
        const { &[&USE, &ENDPOINT, &HEADER, &CLIENT_ID, &PLATFORM_CLIENT_ID, &RESOURCE_ID, &ENVIRONMENT] }
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
        workspace_token(call, Management::Needed, move |resource| token(call, resource)).boxed()
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
        Error::unusable_setting("IDENTITY_ENDPOINT is no address of this machine")
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::END;
    use super::*;
    use crate::auth::{Learned, Workspace};
    use crate::error::Kind;
    use crate::http::ApiNetwork;

    /// Asks a metadata service that answers with `body`; gives the token, or the error, and the request.
    async fn ask(settings: Settings, body: &str) -> (Result<AccessToken, Failure>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let machine = format!("http://{}/metadata/identity/oauth2/token", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let network = ApiNetwork { https_proxy: Some(Secret::new("http://proxy.invalid:1")), ..ApiNetwork::default() };
        let workspace = Workspace { url: "https://adb-1.1.azuredatabricks.net".into(), network };
        let learned = Learned::default();
        let deadline = Instant::now() + PATIENCE;
        let call = Call { workspace: &workspace, settings: &settings, owner: None, learned: &learned, deadline };
        let token = token_at(&call, &machine, "2ff814a6").await;
        (token, served.await.unwrap())
    }

    #[tokio::test]
    async fn a_virtual_machine_asks_its_metadata_service_past_any_proxy() {
        let mut settings = Settings::new("https://adb-1.1.azuredatabricks.net");
        settings.give(&CLIENT_ID, Secret::new("app 1"), crate::auth::Source::Option);
        let expires_on = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 3600;
        let body = format!(r#"{{"access_token":"t0ken","token_type":"Bearer","expires_on":"{expires_on}"}}"#);
        let (token, request) = ask(settings, &body).await;
        let token = token.unwrap();
        assert_eq!(token.token.expose(), "t0ken");
        assert!(token.expires_at.unwrap() <= SystemTime::now() + Duration::from_secs(3600) - END);
        let line = request.lines().next().unwrap();
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=2ff814a6&client_id=app+1";
        assert_eq!(line, format!("GET {path} HTTP/1.1"));
        assert!(request.to_ascii_lowercase().contains("\r\nmetadata: true\r\n"), "{request}");
        assert!(!request.to_ascii_lowercase().contains("authorization"), "{request}");
    }

    #[tokio::test]
    async fn its_answer_is_not_trusted_to_be_one() {
        for body in ["", "[]", "{}", r#"{"access_token":"t","expires_on":"soon"}"#, r#"{"access_token":"t","expires_on":"1"}"#] {
            let (token, _) = ask(Settings::new("https://adb-1.1.azuredatabricks.net"), body).await;
            assert_eq!(token.unwrap_err().error.code(), Some("INVALID_RESPONSE"), "{body}");
        }
    }

    #[tokio::test]
    async fn the_header_of_an_app_goes_nowhere_but_to_this_machine() {
        for endpoint in ["https://attacker.example/msi", "http://10.0.0.1/msi", "http://169.255.0.1/msi", "nonsense"] {
            let mut settings = Settings::new("https://adb-1.1.azuredatabricks.net");
            settings.give(&ENDPOINT, Secret::new(endpoint), crate::auth::Source::Option);
            settings.give(&HEADER, Secret::new("header"), crate::auth::Source::Option);
            let workspace = Workspace { url: "https://adb-1.1.azuredatabricks.net".into(), network: ApiNetwork::default() };
            let learned = Learned::default();
            let deadline = Instant::now() + PATIENCE;
            let call = Call { workspace: &workspace, settings: &settings, owner: None, learned: &learned, deadline };
            let failure = token(&call, "r").await.unwrap_err();
            assert_eq!(failure.error.kind(), Kind::Configuration, "{endpoint}");
        }
    }
}
