//! `oidc-callback`: a function of the caller's gives the token: a request header on Vercel or Netlify, AWS, any other issuer.

use futures_util::future::FutureExt;

use super::{ACCOUNT_WIDE, COMMON, audience, exchange, missing};
use crate::auth::{Applies, Call, Fetched, Question, Settings, WorkspaceAuth};
use crate::setting::Setting;

/// Called with the audience, before every exchange.
static FUNCTION: Setting = Setting::new("oidcToken", &[]).function().family("oidcToken");

#[derive(Debug)]
pub struct Callback;

impl WorkspaceAuth for Callback {
    fn name(&self) -> &'static str {
        "oidc-callback"
    }

    fn family(&self) -> &'static str {
        "oidcToken"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&FUNCTION, &ACCOUNT_WIDE, COMMON[0], COMMON[1], COMMON[2], COMMON[3]] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        if settings.has(&FUNCTION) { Applies::Yes } else { Applies::No("no oidcToken is given".into()) }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let function = call.settings.text(&FUNCTION).unwrap_or_default();
            let token = call.ask(Question::IdToken(function, &audience(call).await?), "oidcToken").await?;
            let token = token.filter(|token| !token.is_empty());
            let token =
                token.ok_or_else(|| missing("oidcToken gave no token", "return the identity provider's JSON Web Token as a text"))?;
            exchange(call, &token, "oidcToken").await
        }
        .boxed()
    }
}
