//! Identities of Microsoft Entra, for workspaces on Azure.
//!
//! Wire facts: databricks-sdk-go `config/azure.go`, `config/environments.go` (clouds, the workspace's application), `config/auth_azure_*.go`
//! (the two headers).

mod cli;
mod client_secret;
mod entra;
mod github;
mod managed_identity;
mod workload_identity;
mod workspace;

pub use cli::Cli;
pub use client_secret::ClientSecret;
pub use github::GitHub;
pub use managed_identity::ManagedIdentity;
pub use workload_identity::WorkloadIdentity;

use std::borrow::Cow;
use std::time::Duration;

use futures_util::future::join3;

use super::{AccessToken, Applies, Call, Settings};
use crate::http::Failure;
use crate::setting::Setting;
use workspace::tenant;

pub(super) static CLIENT_ID: Setting = Setting::new("azureClientId", &["ARM_CLIENT_ID"]).key("azure_client_id").family(FAMILY);
static TENANT_ID: Setting = Setting::new("azureTenantId", &["ARM_TENANT_ID"]).key("azure_tenant_id").family(FAMILY);
/// The workspace's resource: for an identity that may manage it and is no user of it. Without a host, it tells that, too.
pub static RESOURCE_ID: Setting =
    Setting::new("azureResourceId", &["DATABRICKS_AZURE_RESOURCE_ID"]).key("azure_workspace_resource_id").family(FAMILY);
/// The cloud, where no workspace's name tells it: `public` (default), `usgovernment`, `china`.
static ENVIRONMENT: Setting = Setting::new("azureEnvironment", &["ARM_ENVIRONMENT"]).key("azure_environment");
/// Another Entra, as the Azure SDKs have it.
static AUTHORITY_HOST: Setting = Setting::variable(&["AZURE_AUTHORITY_HOST"]);
/// What Azure Kubernetes Service sets for a workload's identity, and App Service for a user-assigned one.
static PLATFORM_CLIENT_ID: Setting = Setting::variable(&["AZURE_CLIENT_ID"]);

pub(super) const FAMILY: &str = "azure";

/// The application that stands for every Databricks workspace.
const WORKSPACE: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";

/// Databricks refuses tokens that end within 30 s.
const END: Duration = Duration::from_secs(40);

/// The hosts of one of Azure's clouds.
struct Cloud {
    /// The end of its workspaces' names.
    zone: &'static str,
    /// Its name in `azureEnvironment`.
    name: &'static str,
    login: &'static str,
    management: &'static str,
    /// Azure Resource Manager.
    manager: &'static str,
    vault: &'static str,
}

const CLOUDS: [Cloud; 3] = [
    Cloud {
        zone: ".azuredatabricks.net",
        name: "public",
        login: "https://login.microsoftonline.com",
        management: "https://management.core.windows.net/",
        manager: "https://management.azure.com/",
        vault: "vault.azure.net",
    },
    Cloud {
        zone: ".databricks.azure.us",
        name: "usgovernment",
        login: "https://login.microsoftonline.us",
        management: "https://management.core.usgovcloudapi.net/",
        manager: "https://management.usgovcloudapi.net/",
        vault: "vault.usgovcloudapi.net",
    },
    Cloud {
        zone: ".databricks.azure.cn",
        name: "china",
        login: "https://login.chinacloudapi.cn",
        management: "https://management.core.chinacloudapi.cn/",
        manager: "https://management.chinacloudapi.cn/",
        vault: "vault.azure.cn",
    },
];

/// The cloud of the workspace; the public one if nothing tells.
fn cloud(settings: &Settings) -> &'static Cloud {
    let name = settings.text(&ENVIRONMENT).filter(|_| settings.host().is_empty());
    let is_meant = |cloud: &&Cloud| match name {
        Some(name) => cloud.name.eq_ignore_ascii_case(name),
        None => host(settings).ends_with(cloud.zone),
    };
    CLOUDS.iter().find(is_meant).unwrap_or(&CLOUDS[0])
}

/// The workspace's name, without scheme and port.
fn host(settings: &Settings) -> &str {
    let host = settings.host().trim_start_matches("https://");
    host.split(':').next().unwrap_or(host)
}

/// Why an identity of Entra is of no use: the workspace is not on Azure.
fn is_azure(settings: &Settings) -> Result<(), Applies> {
    if settings.text(&ENVIRONMENT).is_some_and(|name| !CLOUDS.iter().any(|cloud| cloud.name.eq_ignore_ascii_case(name))) {
        return Err(Applies::Lacks(&ENVIRONMENT, "public, usgovernment or china"));
    }
    match settings.text(&RESOURCE_ID) {
        Some(id) if !workspace::is_resource_id(id) => {
            Err(Applies::Lacks(&RESOURCE_ID, "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Databricks/workspaces/<name>"))
        }
        Some(_) => Ok(()),
        None if CLOUDS.iter().any(|cloud| host(settings).ends_with(cloud.zone)) => Ok(()),
        None => {
            Err(Applies::No("the workspace is not on Azure (https://adb-….azuredatabricks.net), and no azureResourceId is given".into()))
        }
    }
}

fn ends_early(token: AccessToken) -> AccessToken {
    AccessToken { expires_at: token.expires_at.and_then(|expires_at| expires_at.checked_sub(END)), ..token }
}

/// Whether an identity that cannot get the token for managing the workspace is of use without.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Management {
    Needed,
    /// Whoever is logged in with the Azure CLI may be a user of the workspace who manages nothing.
    Optional,
}

/// The workspace's token with the headers that go with it. `fetch` asks for one resource; all at the same time. The management token proves
/// that the identity may manage the workspace; where no resource is named, it is done without.
async fn workspace_token<F>(call: &Call<'_>, management: Management, fetch: impl Fn(&'static str) -> F) -> Result<AccessToken, Failure>
where
    F: Future<Output = Result<AccessToken, Failure>>,
{
    let Some(resource_id) = call.settings.get(&RESOURCE_ID).cloned() else { return fetch(WORKSPACE).await };
    let cloud = cloud(call.settings);
    let find = async {
        if call.workspace.url.is_empty() {
            call.learned.workspace.set(workspace::url(call, &fetch(cloud.manager).await?).await?);
        }
        Ok::<_, Failure>(())
    };
    let (token, proof, found) = join3(fetch(WORKSPACE), fetch(cloud.management), find).await;
    let mut token = token?;
    found?;
    token.headers = vec![("X-Databricks-Azure-Workspace-Resource-Id", resource_id)];
    match proof {
        Ok(proof) => {
            token.expires_at = token.expires_at.min(proof.expires_at);
            token.headers.push(("X-Databricks-Azure-SP-Management-Token", proof.token));
        }
        Err(failure) if management == Management::Needed || failure.transient => return Err(failure),
        Err(_) => {}
    }
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
    if let Some(pod) = workload_identity::Pod::of(call.settings) {
        return pod.application().await?.token(call, resource).await;
    }
    if let Some(application) = client_secret::application(call.settings) {
        return application.token(call, resource).await;
    }
    match managed_identity::token(call, resource).await {
        Err(failure) => match cli::find(call.settings) {
            Some(program) if !managed_identity::is_platform(call.settings) => cli::token(call, &program, resource).await,
            _ => Err(failure),
        },
        token => token,
    }
}
