//! `google-credentials`: the key of a service account. databricks-sdk-go `config/auth_gcp_google_credentials.go`.

use std::borrow::Cow;

use futures_util::future::FutureExt;
use serde::Deserialize;

use super::key::Key;
use super::{FAMILY, default, hint, is_google, unusable};
use crate::auth::{Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::http::Failure;
use crate::secret::Secret;
use crate::setting::Setting;

/// The key file's path, or its content.
static CREDENTIALS: Setting =
    Setting::new("googleCredentials", &["GOOGLE_CREDENTIALS"]).key("google_credentials").secret().document().family(FAMILY);

#[derive(Debug)]
pub struct Credentials;

impl WorkspaceAuth for Credentials {
    fn name(&self) -> &'static str {
        "google-credentials"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&CREDENTIALS] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match is_google(settings) {
            Err(no) => no,
            Ok(()) if settings.has(&CREDENTIALS) => Applies::Yes,
            Ok(()) => Applies::No(format!("{} is not set", CREDENTIALS.named())),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let given = call.settings.get(&CREDENTIALS).cloned().unwrap_or_default();
            key(&given).await?.id_token(call).await
        }
        .boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        hint(status)
    }
}

async fn key(given: &Secret) -> Result<Key, Failure> {
    #[derive(Deserialize)]
    struct Kind {
        r#type: String,
    }
    let content = match given.expose().trim_start().starts_with('{') {
        true => given.clone(),
        false => default::read(given.expose().trim()).await?,
    };
    let wrong = |_| {
        unusable(
            "googleCredentials (GOOGLE_CREDENTIALS) holds no key of a service account",
            "give the path or the content of its JSON file",
        )
    };
    let Kind { r#type: kind } = serde_json::from_str(content.expose()).map_err(wrong)?;
    if kind != "service_account" {
        let hint = "give the JSON file of a service account's key, or use googleServiceAccount with this login";
        return Err(unusable(format!("googleCredentials (GOOGLE_CREDENTIALS) is of type {kind:?}, not service_account"), hint));
    }
    serde_json::from_str(content.expose()).map_err(wrong)
}
