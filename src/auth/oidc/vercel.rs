//! `vercel-oidc`: a deployment on Vercel.
//!
//! Facts: <https://vercel.com/docs/oidc/api>: `VERCEL_OIDC_TOKEN` in builds and `vercel dev`, the request header `x-vercel-oidc-token` in
//! functions. The header reaches us through the request's context where Vercel's runtime keeps one, or through `oidcToken`.

use futures_util::future::FutureExt;

use super::{COMMON, exchange, missing};
use crate::auth::{Applies, CLIENT_ID, Call, Fetched, Settings, WorkspaceAuth};
use crate::setting::Setting;

static TOKEN: Setting = Setting::ambient(&["VERCEL_OIDC_TOKEN"]).secret();
/// Set to 1 in every deployment.
static DEPLOYED: Setting = Setting::variable(&["VERCEL"]);

#[derive(Debug)]
pub struct Vercel;

impl WorkspaceAuth for Vercel {
    fn name(&self) -> &'static str {
        "vercel-oidc"
    }

    fn family(&self) -> &'static str {
        "vercel-oidc"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&TOKEN, &DEPLOYED, COMMON[0], COMMON[1], COMMON[2], COMMON[3]] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        match (settings.has(&TOKEN), settings.has(&DEPLOYED), settings.has(&CLIENT_ID)) {
            (true, ..) => Applies::Yes,
            (false, true, true) => Applies::Yes,
            (false, true, false) => Applies::Perhaps,
            (false, false, _) => Applies::No("VERCEL_OIDC_TOKEN is not set".into()),
        }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let Some(token) = call.current(&TOKEN).await? else {
                return Err(missing(
                    "Vercel gave no OIDC token",
                    "turn OIDC federation on in the project's settings, and give oidcToken: () => the last request's x-vercel-oidc-token header",
                ));
            };
            exchange(call, &token, "Vercel").await
        }
        .boxed()
    }
}
