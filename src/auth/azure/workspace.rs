//! The workspace as Azure knows it: its URL by its resource id, the directory of Entra that it belongs to.

use http::Method;
use serde::Deserialize;
use url::Url;

use super::{CLOUDS, RESOURCE_ID, TENANT_ID, cloud};
use crate::auth::{AccessToken, Call, Settings};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request};

/// The URL of the workspace whose resource id is given, as Azure Resource Manager tells it to whoever may read the resource.
///
/// Wire facts: databricks-sdk-go `config/azure.go` (`azureEnsureWorkspaceUrl`).
pub(super) async fn url(call: &Call<'_>, access: &AccessToken) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        properties: Properties,
    }
    #[derive(Deserialize)]
    struct Properties {
        #[serde(rename = "workspaceUrl")]
        workspace_url: Option<String>,
    }
    let resource_id = call.settings.text(&RESOURCE_ID).unwrap_or_default();
    let url = format!("{}{resource_id}?api-version=2018-04-01", cloud(call.settings).manager.trim_end_matches('/'));
    let authorization = Authorization::Bearer(&access.token);
    let request = Request { method: Method::GET, url: &url, authorization, headers: &[], body: Body::None };
    let response = call.workspace.client()?.send(request, call.deadline).await.map_err(|failure| match failure.status() {
        Some(401 | 403 | 404) => failure.with_hint(Some(
            "let this identity read the workspace's resource (role Reader), check DATABRICKS_AZURE_RESOURCE_ID, or set DATABRICKS_HOST"
                .into(),
        )),
        _ => failure,
    })?;
    let answer: Answer = response.json()?;
    let host = answer.properties.workspace_url.unwrap_or_default();
    let is_host = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if is_host(&host) && CLOUDS.iter().any(|cloud| host.ends_with(cloud.zone)) {
        return Ok(format!("https://{host}"));
    }
    Err(response.invalid("has no workspaceUrl of a workspace on Azure").into())
}

/// `/subscriptions/…/resourceGroups/…/providers/Microsoft.Databricks/workspaces/…`: it becomes the path of a URL.
pub(super) fn is_resource_id(text: &str) -> bool {
    let is_part = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'(' | b')'))
    };
    text.strip_prefix("/subscriptions/").is_some_and(|rest| rest.split('/').all(is_part))
}

/// The directory that was given, else the one where the workspace sends its users to log in.
///
/// Wire facts: databricks-sdk-go `config/azure.go` (`loadAzureTenantId`): `GET {host}/aad/auth` redirects to `https://{login}/{tenant}/…`.
pub(super) async fn tenant(call: &Call<'_>) -> Result<String, Failure> {
    if let Some(tenant) = call.settings.text(&TENANT_ID) {
        return Ok(tenant.to_owned());
    }
    if let Some(tenant) = call.learned.tenant.get() {
        return Ok(tenant);
    }
    let location = call.workspace.client()?.location(&format!("{}/aad/auth", call.workspace.url), call.deadline).await?;
    let tenant = location.as_deref().and_then(|location| tenant_of(location, call.settings)).ok_or_else(|| {
        Error::no_tenant("the workspace does not tell the directory of Entra that it belongs to")
            .with_hint("set azureTenantId (ARM_TENANT_ID)")
    })?;
    call.learned.tenant.set(tenant.as_str());
    Ok(tenant)
}

/// The first part of the path, if the redirect leads to Entra.
fn tenant_of(location: &str, settings: &Settings) -> Option<String> {
    let url = Url::parse(location).ok().filter(|url| url.origin().ascii_serialization() == cloud(settings).login)?;
    let tenant = url.path_segments()?.next()?;
    let is_tenant = !tenant.is_empty() && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    is_tenant.then(|| tenant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_read_from_a_redirect_to_entra_only() {
        let public = Settings::new("https://adb-1.1.azuredatabricks.net");
        let tenant = |location| tenant_of(location, &public);
        assert_eq!(tenant("https://login.microsoftonline.com/123-abc/oauth2/authorize?x=1").as_deref(), Some("123-abc"));
        for wrong in [
            "https://login.microsoftonline.com/",
            "https://login.microsoftonline.com/a%2Fb/oauth2",
            "http://login.microsoftonline.com/123/oauth2",
            "https://login.microsoftonline.com.attacker.example/123/oauth2",
            "https://login.microsoftonline.us/123/oauth2",
            "/123/oauth2",
            "",
        ] {
            assert_eq!(tenant(wrong), None, "{wrong}");
        }
        let china = Settings::new("https://adb-1.1.databricks.azure.cn");
        assert!(tenant_of("https://login.chinacloudapi.cn/t/oauth2/authorize", &china).is_some());
    }

    #[test]
    fn a_resource_id_is_a_path_and_nothing_else() {
        assert!(is_resource_id("/subscriptions/b5d0/resourceGroups/my-group_(1)/providers/Microsoft.Databricks/workspaces/w"));
        for wrong in [
            "",
            "/",
            "/subscriptions/",
            "/subscriptions//x",
            "/subscriptions/a/../b",
            "/subscriptions/a?x",
            "/subscriptions/a#x",
            "/subscriptions/a@b",
            "b5d0",
        ] {
            assert!(!is_resource_id(wrong), "{wrong}");
        }
    }
}
