//! Who we are to the workspace: ways to get an access token for its API.
//!
//! A method only fetches. Caching, refreshing, retrying and sharing are `token`'s work, once for all methods.

mod discovery;
mod fixed;
mod m2m;

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

pub use fixed::FixedToken;
pub use m2m::ClientCredentials;
#[cfg(fuzzing)]
pub use m2m::fuzz_answer;

use crate::config::{ApiNetwork, AuthConfig, TokenConfig};
use crate::error::Error;
use crate::http::{Client, Failure};
use crate::secret::Secret;

/// A token for the workspace's API.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub token: Secret,
    /// By this machine's clock; `None` when the method does not know, as with a fixed token.
    pub expires_at: Option<SystemTime>,
}

/// The workspace and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// `https://host`, without path or trailing slash.
    pub url: String,
    pub network: ApiNetwork,
}

impl Workspace {
    pub fn new(config: &TokenConfig) -> Self {
        Self { url: config.workspace_url.clone(), network: config.network.clone() }
    }

    /// The process' HTTP client for this network.
    ///
    /// # Errors
    /// [`crate::error::Kind::Configuration`] for an unusable CA file or proxy.
    pub fn client(&self) -> Result<std::sync::Arc<Client>, Error> {
        Client::shared(&self.network)
    }
}

/// One way to get an access token.
///
/// Further methods (OIDC federation, CLIs, Azure) are further implementations; nothing else has to know them.
pub trait WorkspaceAuth: Send + Sync + Debug {
    /// What tells this identity from others: the method's name, then everything that decides whose token it gets, secrets included. It is
    /// hashed into the cache's key and never kept or shown.
    fn identity(&self) -> Vec<&str>;

    /// Fetches a new token; calls end before `deadline`. Dropping the future abandons the fetch.
    fn access_token<'a>(&'a self, workspace: &'a Workspace, deadline: Instant) -> BoxFuture<'a, Result<AccessToken, Failure>>;

    /// What to do when the workspace answers a call made with this identity's token with `status`; `None` for the general advice.
    fn hint(&self, status: u16) -> Option<Cow<'static, str>>;
}

/// The method that the configuration chose.
pub fn method(config: &AuthConfig) -> Box<dyn WorkspaceAuth> {
    match config {
        AuthConfig::Token(token) => Box::new(FixedToken::new(token.clone())),
        AuthConfig::ClientCredentials { client_id, client_secret } => {
            Box::new(ClientCredentials::new(client_id.clone(), client_secret.clone()))
        }
    }
}
