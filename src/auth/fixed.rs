//! `DATABRICKS_TOKEN`: a personal access token, or any other bearer token made elsewhere.

use std::borrow::Cow;

use futures_util::future::{BoxFuture, FutureExt, ready};
use tokio::time::Instant;

use super::{AccessToken, Workspace, WorkspaceAuth};
use crate::http::Failure;
use crate::secret::Secret;

/// The token as it was configured, for as long as the process lives.
#[derive(Debug)]
pub struct FixedToken {
    token: Secret,
}

impl FixedToken {
    pub fn new(token: Secret) -> Self {
        Self { token }
    }
}

impl WorkspaceAuth for FixedToken {
    fn identity(&self) -> Vec<&str> {
        vec!["token", self.token.expose()]
    }

    fn access_token<'a>(&'a self, _: &'a Workspace, _: Instant) -> BoxFuture<'a, Result<AccessToken, Failure>> {
        ready(Ok(AccessToken { token: self.token.clone(), expires_at: None })).boxed()
    }

    fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        (status == 401)
            .then_some(Cow::Borrowed("check DATABRICKS_TOKEN: it may have expired, been revoked, or belong to another workspace"))
    }
}
