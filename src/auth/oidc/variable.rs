//! `env-oidc`: the token is in an environment variable. databricks-sdk-go `config/auth_oidc.go`.

use futures_util::future::FutureExt;

use super::{COMMON, exchange, missing};
use crate::auth::{Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::setting::Setting;

/// The token itself, read again for every exchange.
static TOKEN: Setting = Setting::ambient(&["DATABRICKS_OIDC_TOKEN"]).secret().family("env-oidc");
/// Another variable to read it from.
static NAME: Setting = Setting::new("oidcTokenEnv", &["DATABRICKS_OIDC_TOKEN_ENV"]).key("oidc_token_env").family("env-oidc");

#[derive(Debug)]
pub struct Variable;

impl WorkspaceAuth for Variable {
    fn name(&self) -> &'static str {
        "env-oidc"
    }

    fn family(&self) -> &'static str {
        "env-oidc"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&TOKEN, &NAME, COMMON[0], COMMON[1], COMMON[2], COMMON[3]] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        if settings.has(&TOKEN) || settings.has(&NAME) { Applies::Yes } else { Applies::No("DATABRICKS_OIDC_TOKEN is not set".into()) }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let name = call.settings.text(&NAME).unwrap_or(TOKEN.variables[0]);
            let token = call.variable(name).await?;
            let token =
                token.ok_or_else(|| missing(format!("the variable {name} is not set"), "put the identity provider's token there"))?;
            exchange(call, &token, name).await
        }
        .boxed()
    }
}
