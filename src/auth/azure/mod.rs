//! Identities of Microsoft Entra, for workspaces on Azure.
//!
//! Wire facts: databricks-sdk-go `config/azure.go`, `config/environments.go` (clouds, the workspace's application), `config/auth_azure_*.go`
//! (the two headers). Entra's first version of the token endpoint, as there: it takes a `resource`.

mod cli;
mod client_secret;
mod github;
mod managed_identity;
mod workload_identity;

pub use cli::Cli;
pub use client_secret::ClientSecret;
pub use github::GitHub;
pub use managed_identity::ManagedIdentity;
pub use workload_identity::WorkloadIdentity;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use futures_util::future::join;
use http::Method;

use super::{AccessToken, Applies, Call, Settings, token_endpoint};
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;
use crate::setting::Setting;

pub(super) static CLIENT_ID: Setting = Setting::new("azureClientId", &["ARM_CLIENT_ID"]).key("azure_client_id").family(FAMILY);
static TENANT_ID: Setting = Setting::new("azureTenantId", &["ARM_TENANT_ID"]).key("azure_tenant_id").family(FAMILY);
/// The workspace's resource: for an identity that may manage it and is no user of it.
static RESOURCE_ID: Setting =
    Setting::new("azureResourceId", &["DATABRICKS_AZURE_RESOURCE_ID"]).key("azure_workspace_resource_id").family(FAMILY);
/// Another Entra, as the Azure SDKs have it.
static AUTHORITY_HOST: Setting = Setting::variable(&["AZURE_AUTHORITY_HOST"]);
/// What Azure Kubernetes Service sets for a workload's identity, and App Service for a user-assigned one.
static PLATFORM_CLIENT_ID: Setting = Setting::variable(&["AZURE_CLIENT_ID"]);

const FAMILY: &str = "azure";

/// The application that stands for every Databricks workspace.
const WORKSPACE: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";

/// Databricks refuses tokens that end within 30 s.
const END: Duration = Duration::from_secs(40);

/// The hosts of one of Azure's clouds.
struct Cloud {
    /// The end of its workspaces' names.
    zone: &'static str,
    login: &'static str,
    management: &'static str,
    vault: &'static str,
}

const CLOUDS: [Cloud; 3] = [
    Cloud {
        zone: ".azuredatabricks.net",
        login: "https://login.microsoftonline.com",
        management: "https://management.core.windows.net/",
        vault: "vault.azure.net",
    },
    Cloud {
        zone: ".databricks.azure.us",
        login: "https://login.microsoftonline.us",
        management: "https://management.core.usgovcloudapi.net/",
        vault: "vault.usgovcloudapi.net",
    },
    Cloud {
        zone: ".databricks.azure.cn",
        login: "https://login.chinacloudapi.cn",
        management: "https://management.core.chinacloudapi.cn/",
        vault: "vault.azure.cn",
    },
];

/// The cloud of the workspace; the public one if it is not known.
fn cloud(settings: &Settings) -> &'static Cloud {
    CLOUDS.iter().find(|cloud| host(settings).ends_with(cloud.zone)).unwrap_or(&CLOUDS[0])
}

/// The workspace's name, without scheme and port.
fn host(settings: &Settings) -> &str {
    let host = settings.host().trim_start_matches("https://");
    host.split(':').next().unwrap_or(host)
}

/// Why an identity of Entra is of no use: the workspace is not on Azure.
fn is_azure(settings: &Settings) -> Result<(), Applies> {
    if CLOUDS.iter().any(|cloud| host(settings).ends_with(cloud.zone)) || settings.has(&RESOURCE_ID) {
        return Ok(());
    }
    Err(Applies::No("the workspace is not on Azure (https://adb-….azuredatabricks.net), and no azureResourceId is given".into()))
}

/// What proves to Entra who the application is.
enum Proof<'a> {
    Secret(&'a Secret),
    /// A token of an issuer that the application trusts.
    Assertion(&'a Secret),
}

/// A token of Entra's for `resource`.
async fn entra(call: &Call<'_>, tenant: &str, client_id: &str, proof: &Proof<'_>, resource: &str) -> Result<AccessToken, Failure> {
    let login = call.settings.text(&AUTHORITY_HOST).unwrap_or(cloud(call.settings).login).trim_end_matches('/');
    let url = format!("{login}/{tenant}/oauth2/token");
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", client_id), ("resource", resource)];
    match proof {
        Proof::Secret(secret) => form.push(("client_secret", secret.expose())),
        Proof::Assertion(token) => {
            form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            form.push(("client_assertion", token.expose()));
        }
    }
    let asked_at = SystemTime::now();
    let request = Request { method: Method::POST, url: &url, authorization: Authorization::None, headers: &[], body: Body::Form(&form) };
    let response = call.workspace.client()?.send(request, call.deadline).await.map_err(|failure| {
        let hint = match (failure.status(), proof) {
            (Some(400 | 401), Proof::Secret(_)) => "check ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET: an application's secret expires",
            (Some(400 | 401), Proof::Assertion(_)) => {
                "the application has no federated credential for this token: compare its issuer, subject and audience; it may have expired, too"
            }
            (Some(404), _) => "check ARM_TENANT_ID, the directory of the application",
            _ => return failure,
        };
        failure.with_hint(Some(hint.into()))
    })?;
    Ok(ends_early(token_endpoint::read(&response, asked_at)?))
}

fn ends_early(token: AccessToken) -> AccessToken {
    AccessToken { expires_at: token.expires_at.and_then(|expires_at| expires_at.checked_sub(END)), ..token }
}

/// The workspace's token with the headers that go with it. `fetch` asks for one resource; both at the same time. The management token proves
/// that the identity may manage the workspace; where it need not, it is done without.
async fn workspace_token<'a, F>(call: &'a Call<'a>, fetch: impl Fn(&'static str) -> F) -> Result<AccessToken, Failure>
where
    F: Future<Output = Result<AccessToken, Failure>> + 'a,
{
    let Some(resource_id) = call.settings.get(&RESOURCE_ID).cloned() else { return fetch(WORKSPACE).await };
    let (token, management) = join(fetch(WORKSPACE), fetch(cloud(call.settings).management)).await;
    let (mut token, management) = (token?, management?);
    token.expires_at = token.expires_at.min(management.expires_at);
    token.headers =
        vec![("X-Databricks-Azure-SP-Management-Token", management.token), ("X-Databricks-Azure-Workspace-Resource-Id", resource_id)];
    Ok(token)
}

/// What the workspace's refusal of a token of Entra's means.
fn hint(status: u16) -> Option<Cow<'static, str>> {
    matches!(status, 401 | 403).then_some(Cow::Borrowed(
        "the workspace does not know this identity of Entra's: add it to the workspace, or give azureResourceId \
         (DATABRICKS_AZURE_RESOURCE_ID) if it may manage the workspace",
    ))
}

/// The host of a Key Vault and the resource of a token for it. Source: Azure's documentation of Key Vault's REST API.
pub(super) fn vault(settings: &Settings, name: &str) -> (String, String) {
    let zone = cloud(settings).vault;
    (format!("https://{name}.{zone}"), format!("https://{zone}"))
}

/// A token for another resource than the workspace, by the first identity of Azure's that is at hand.
pub(super) async fn any_token(call: &Call<'_>, resource: &str) -> Result<AccessToken, Failure> {
    if let Some(identity) = workload_identity::parts(call.settings) {
        return workload_identity::token(call, &identity, resource).await;
    }
    if let Some(identity) = client_secret::parts(call.settings) {
        return client_secret::token(call, &identity, resource).await;
    }
    match managed_identity::token(call, resource).await {
        Err(failure) => match cli::find(call.settings) {
            Some(program) if !managed_identity::is_platform(call.settings) => cli::token(call, &program, resource).await,
            _ => Err(failure),
        },
        token => token,
    }
}
