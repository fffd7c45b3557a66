//! `oauth-m2m`: the client credentials of a service principal.
//!
//! Wire facts: databricks-sdk-go `config/auth_m2m.go` (HTTP Basic, `scope=all-apis`); RFC 6749 §2.3.1 and §4.4. The Databricks developer
//! hub's cookbook posts id and secret as form fields instead, which a server may insist on.

use std::borrow::Cow;

use futures_util::future::FutureExt;

use super::settings::{CLIENT_CREDENTIALS as FAMILY, CLIENT_ID};
use super::token_endpoint::{ACCOUNT_ID, DISCOVERY_URL};
use super::{AccessToken, Applies, Call, Fetched, Settings, Source, WorkspaceAuth};
use crate::http::{Authorization, Failure};
use crate::secret::Secret;
use crate::setting::Setting;

pub static CLIENT_SECRET: Setting =
    Setting::new("clientSecret", &["DATABRICKS_CLIENT_SECRET"]).key("client_secret").secret().family(FAMILY);

/// `DATABRICKS_CLIENT_ID` and `DATABRICKS_CLIENT_SECRET`.
#[derive(Debug)]
pub struct ClientCredentials;

impl Settings {
    /// Those of a service principal's client credentials.
    pub fn with_client_credentials(host: impl Into<String>, id: impl Into<String>, secret: Secret) -> Self {
        let mut settings = Self::new(host);
        settings.give(&CLIENT_ID, Secret::new(id), Source::Option);
        settings.give(&CLIENT_SECRET, secret, Source::Option);
        settings
    }
}

impl WorkspaceAuth for ClientCredentials {
    fn name(&self) -> &'static str {
        "oauth-m2m"
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&CLIENT_ID, &CLIENT_SECRET, &ACCOUNT_ID, &DISCOVERY_URL] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match (settings.has(&CLIENT_ID), settings.has(&CLIENT_SECRET)) {
            (true, true) => Applies::Yes,
            (false, true) => Applies::Lacks(&CLIENT_ID, "the service principal's application id, which belongs to clientSecret"),
            (true, false) => {
                Applies::Lacks(&CLIENT_SECRET, "the OAuth secret that belongs to clientId (or token, DATABRICKS_TOKEN, instead)")
            }
            (false, false) => Applies::No("clientId and clientSecret (DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET) are not set".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        let secret = call.settings.get(&CLIENT_SECRET).cloned().unwrap_or_default();
        async move { fetch(call, &secret).await }.boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        (status == 401).then_some(Cow::Borrowed(
            "the workspace refused the token it gave this service principal: check that DATABRICKS_HOST is its workspace",
        ))
    }
}

/// HTTP Basic first; the form where the server does not take it.
pub(super) async fn fetch(call: &Call<'_>, secret: &Secret) -> Result<AccessToken, Failure> {
    const GRANT: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", "all-apis")];
    let id = call.settings.text(&CLIENT_ID).unwrap_or_default();
    let outcome = match call.grant(&Authorization::Basic { user: id, password: secret }, &GRANT).await {
        Err(failure) if wants_form(&failure) => {
            let form = [GRANT[0], GRANT[1], ("client_id", id), ("client_secret", secret.expose())];
            call.grant(&Authorization::None, &form).await
        }
        outcome => outcome,
    };
    outcome.map_err(|failure| {
        let hint = own_hint(failure.status());
        failure.with_hint(hint)
    })
}

/// RFC 6749 §5.2: `invalid_request` for a parameter that is missing, here the client's. A wrong secret is `invalid_client`.
fn wants_form(failure: &Failure) -> bool {
    matches!(failure.status(), Some(400 | 401)) && failure.error.code().is_some_and(|code| code.eq_ignore_ascii_case("invalid_request"))
}

fn own_hint(status: Option<u16>) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match status? {
        400 | 401 => {
            "check DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET: a secret lives at most 730 days, and the service principal must be \
             assigned to this workspace"
        }
        403 => "the service principal must be assigned to this workspace",
        404 | 405 | 410 | 501 => "check DATABRICKS_HOST: this host has no OAuth token endpoint, so it is not a workspace",
        _ => return None,
    }))
}
