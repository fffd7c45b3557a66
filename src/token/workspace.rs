//! Reading the workspace's API as an identity: what tools show, such as the lists of projects and branches. Pools need none of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::cache::{Cache, Expiring, Fetch};
use super::{AccessTokenFetch, access_tokens, authorized};
use crate::auth::{AccessToken, Workspace};
use crate::config::WorkspaceConfig;
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;

/// What the workspace answered to one call.
#[derive(Clone, Debug)]
pub struct WorkspaceAnswer {
    pub body: Arc<Value>,
    /// The workspace's clock; whole seconds.
    pub date: Option<SystemTime>,
    /// The name of the way that authenticated.
    pub method: &'static str,
    /// The access token; with `None` it does not tell when it expires.
    pub access_expires_at: Option<SystemTime>,
    pub access_token: Secret,
}

/// The answer of `GET {workspace}{path}`, tried again as credentials are.
///
/// # Errors
/// As [`super::TokenSource::token`].
pub async fn read(config: &WorkspaceConfig, path: &str) -> Result<WorkspaceAnswer, Error> {
    let workspace = Workspace { url: config.workspace_url.clone(), network: config.network.clone() };
    let access = access_tokens(&workspace, &config.auth, config.owner.as_ref());
    Ok(Cache::new(Read { access, workspace, path: path.to_owned() }).get(Duration::ZERO, None).await?.value)
}

struct Read {
    access: Arc<Cache<AccessTokenFetch>>,
    workspace: Workspace,
    path: String,
}

impl Fetch for Read {
    type Value = WorkspaceAnswer;

    async fn fetch(&self, deadline: Instant) -> Result<WorkspaceAnswer, Failure> {
        authorized(&self.access, deadline, |access| async move { self.call(access, deadline).await }).await
    }
}

impl Read {
    async fn call(&self, access: AccessToken, deadline: Instant) -> Result<WorkspaceAnswer, Failure> {
        let url = format!("{}{}", access.workspace_url, self.path);
        let authorization = Authorization::Bearer(&access.token);
        let request = Request { method: Method::GET, url: &url, authorization, headers: &access.headers, body: Body::None };
        let response = self.workspace.client()?.send(request, deadline).await?;
        let body = Arc::new(response.json()?);
        let AccessToken { token: access_token, expires_at: access_expires_at, method, .. } = access;
        Ok(WorkspaceAnswer { body, date: response.date, method, access_expires_at, access_token })
    }
}

/// Asked for once and not kept.
impl Expiring for WorkspaceAnswer {
    fn secret(&self) -> &Secret {
        &self.access_token
    }

    fn expires_at(&self) -> Option<SystemTime> {
        None
    }
}
