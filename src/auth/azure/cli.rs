//! `azure-cli`: whoever has run `az login` on this machine. databricks-sdk-go `config/auth_azure_cli.go`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures_util::future::FutureExt;
use serde::Deserialize;
use serde_json::Value;

use super::{ENVIRONMENT, FAMILY, Management, RESOURCE_ID, TENANT_ID, WORKSPACE, ends_early, hint, is_azure, tenant, workspace_token};
use crate::auth::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth, jwt, program};
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;
use crate::setting::Setting;

#[derive(Debug)]
pub struct Cli;

impl WorkspaceAuth for Cli {
    fn name(&self) -> &'static str {
        "azure-cli"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&TENANT_ID, &RESOURCE_ID, &ENVIRONMENT] }
    }

    fn needs_environment(&self) -> bool {
        true
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match (is_azure(settings), find(settings)) {
            (Err(no), _) => no,
            (Ok(()), Some(_)) => Applies::Perhaps,
            (Ok(()), None) => Applies::No("no program `az` is in PATH".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let file = find(call.settings)
                .ok_or_else(|| Error::program_failed("no program `az` is in PATH").with_hint("install the Azure CLI"))?;
            workspace_token(call, Management::Optional, |resource| token(call, &file, resource)).await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}

pub(super) fn find(settings: &Settings) -> Option<PathBuf> {
    program::find("az", settings.variables())
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "accessToken")]
    token: Secret,
    /// Seconds since 1970; not in versions before 2.54, which have the machine's local time only. The token itself tells, too.
    expires_on: Option<Value>,
}

/// A token for `resource` in the tenant that was given, or is the workspace's. A managed identity has no choice of tenants; a service principal
/// that is logged in by federation neither, which shows when it fails.
pub(super) async fn token(call: &Call<'_>, file: &Path, resource: &str) -> Result<AccessToken, Failure> {
    // One who is logged in to the right tenant needs none.
    let tenant = if call.workspace.url.is_empty() { Ok(String::new()) } else { tenant(call).await };
    let tenant = tenant.ok().filter(|tenant| !tenant.is_empty());
    let with_tenant = match tenant {
        Some(_) => Some(account(call, file).await?).filter(|account| !account.is_managed()),
        None => None,
    };
    let outcome = match (tenant.as_deref(), with_tenant) {
        (Some(tenant), Some(account)) => match ask(call, file, resource, &["--tenant", tenant]).await {
            Err(failure) if account.is_application() && failure.error.code() == Some("PROGRAM_FAILED") => {
                ask(call, file, resource, &[]).await
            }
            outcome => outcome,
        },
        _ => match subscription(call.settings) {
            Some(subscription) => match ask(call, file, resource, &["--subscription", subscription]).await {
                // Access to the workspace does not need access to its subscription.
                Err(failure) if failure.error.code() == Some("PROGRAM_FAILED") => ask(call, file, resource, &[]).await,
                outcome => outcome,
            },
            None => ask(call, file, resource, &[]).await,
        },
    };
    let answer = outcome.map_err(|failure| match failure.error.code() {
        Some("PROGRAM_FAILED") if resource == WORKSPACE => failure.with_hint(Some("log in with: az login".into())),
        _ => failure,
    })?;
    let told = answer.expires_on.as_ref().and_then(Value::as_f64).and_then(jwt::epoch);
    let expires_at = told.or_else(|| jwt::expiry(&answer.token)).filter(|expires_at| *expires_at > SystemTime::now());
    let expires_at = expires_at.ok_or_else(|| {
        Error::invalid_response("`az account get-access-token` gave no token with a time to come as its expiry")
            .with_hint("install Azure CLI 2.54 or newer, and check this machine's clock")
    })?;
    Ok(ends_early(AccessToken::new(answer.token, Some(expires_at))))
}

async fn ask(call: &Call<'_>, file: &Path, resource: &str, more: &[&str]) -> Result<Answer, Failure> {
    let arguments = [&["account", "get-access-token", "--resource", resource, "--output", "json"], more].concat();
    program::json(file, &arguments, call).await
}

/// The part of `/subscriptions/<id>/…`.
fn subscription(settings: &Settings) -> Option<&str> {
    settings.text(&RESOURCE_ID)?.split('/').nth(2).filter(|id| !id.is_empty())
}

/// Who is logged in.
#[derive(Deserialize)]
struct Account {
    user: User,
}

#[derive(Deserialize)]
struct User {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Account {
    fn is_application(&self) -> bool {
        self.user.kind == "servicePrincipal"
    }

    fn is_managed(&self) -> bool {
        self.is_application() && matches!(self.user.name.as_str(), "systemAssignedIdentity" | "userAssignedIdentity")
    }
}

async fn account(call: &Call<'_>, file: &Path) -> Result<Account, Failure> {
    program::json(file, &["account", "show", "--output", "json"], call).await.map_err(|failure| match failure.error.code() {
        Some("PROGRAM_FAILED") => failure.with_hint(Some("log in with: az login".into())),
        _ => failure,
    })
}
