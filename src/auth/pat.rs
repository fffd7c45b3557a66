//! `pat`: a personal access token, or any other bearer token made elsewhere. databricks-sdk-go `config/auth_pat.go`.

use std::borrow::Cow;

use futures_util::future::{FutureExt, ready};

use super::{AccessToken, Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::setting::Setting;

pub static TOKEN: Setting = Setting::new("token", &["DATABRICKS_TOKEN"]).key("token").secret().family("pat");

/// The token as it was configured. It stays as long as the workspace takes it.
#[derive(Debug)]
pub struct Pat;

impl WorkspaceAuth for Pat {
    fn name(&self) -> &'static str {
        "pat"
    }

    fn family(&self) -> &'static str {
        "pat"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&TOKEN] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        if settings.has(&TOKEN) { Applies::Yes } else { Applies::No("token (DATABRICKS_TOKEN) is not set".into()) }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        let token = call.settings.get(&TOKEN).cloned().unwrap_or_default();
        ready(Ok(AccessToken::new(token, None))).boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        (status == 401)
            .then_some(Cow::Borrowed("check DATABRICKS_TOKEN: it may have expired, been revoked, or belong to another workspace"))
    }
}
