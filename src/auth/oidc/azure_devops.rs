//! `azure-devops-oidc`: a pipeline of Azure DevOps.
//!
//! Wire facts: databricks-sdk-go `config/experimental/auth/oidc/azuredevops.go`. The audience cannot be chosen: it is always
//! `api://AzureADTokenExchange`.

use futures_util::future::FutureExt;
use http::Method;
use serde::Deserialize;

use super::{COMMON, exchange, missing};
use crate::auth::{Applies, CLIENT_ID, Call, Fetched, Settings, WorkspaceAuth};
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;
use crate::setting::Setting;

static ACCESS_TOKEN: Setting = Setting::ambient(&["SYSTEM_ACCESSTOKEN"]).secret();
static COLLECTION: Setting = Setting::ambient(&["SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"]);
static PROJECT: Setting = Setting::ambient(&["SYSTEM_TEAMPROJECTID"]);
static HOST_TYPE: Setting = Setting::ambient(&["SYSTEM_HOSTTYPE"]);
static PLAN: Setting = Setting::ambient(&["SYSTEM_PLANID"]);
static JOB: Setting = Setting::ambient(&["SYSTEM_JOBID"]);

#[derive(Debug)]
pub struct AzureDevOps;

impl WorkspaceAuth for AzureDevOps {
    fn name(&self) -> &'static str {
        "azure-devops-oidc"
    }

    fn family(&self) -> &'static str {
        "azure-devops-oidc"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&ACCESS_TOKEN, &COLLECTION, &PROJECT, &HOST_TYPE, &PLAN, &JOB, COMMON[0], COMMON[1], COMMON[2], COMMON[3]] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        let absent = [&COLLECTION, &PROJECT, &HOST_TYPE, &PLAN, &JOB].into_iter().find(|setting| !settings.has(setting));
        match absent {
            Some(setting) => Applies::No(format!("{} is not set: this is no pipeline of Azure DevOps", setting.variables[0])),
            None if !settings.has(&ACCESS_TOKEN) => Applies::No(
                "SYSTEM_ACCESSTOKEN is not set: map it in the pipeline with `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`".into(),
            ),
            None if settings.has(&CLIENT_ID) => Applies::Yes,
            None => Applies::Perhaps,
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let token = id_token(call).await?;
            exchange(call, &token, "Azure DevOps").await
        }
        .boxed()
    }
}

async fn id_token(call: &Call<'_>) -> Result<Secret, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "oidcToken")]
        token: Option<Secret>,
    }
    let text = |setting| call.settings.text(setting).unwrap_or_default();
    let Some(access_token) = call.current(&ACCESS_TOKEN).await? else {
        return Err(missing("SYSTEM_ACCESSTOKEN is not set", "map it in the pipeline: env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)"));
    };
    let url = format!(
        "{}/{}/_apis/distributedtask/hubs/{}/plans/{}/jobs/{}/oidctoken?api-version=7.2-preview.1",
        text(&COLLECTION).trim_end_matches('/'),
        text(&PROJECT),
        text(&HOST_TYPE),
        text(&PLAN),
        text(&JOB)
    );
    let request =
        Request { method: Method::POST, url: &url, authorization: Authorization::Bearer(&access_token), headers: &[], body: Body::None };
    let response = call.workspace.client()?.send(request, call.deadline).await;
    let response = response.map_err(|failure| {
        failure.with_hint(Some("Azure DevOps gave the pipeline no token: check that SYSTEM_ACCESSTOKEN is $(System.AccessToken)".into()))
    })?;
    let answer: Answer = response.json()?;
    Ok(answer.token.filter(|token| !token.is_empty()).ok_or_else(|| response.invalid("has no oidcToken"))?)
}
