//! Who we are to the workspace: ways to get an access token for its API.
//!
//! Each way is a [`WorkspaceAuth`] in a file of its own and one line of [`METHODS`]. It declares what it reads; options, variables and
//! profile keys follow from that. It only fetches: caching, refreshing, retrying and sharing are `token`'s work, once for all.
//!
//! Order, precedence and wire facts are databricks-sdk-go's (`config/auth_default.go`, `config/config.go`); each file names its source.

mod azure;
mod databricks_cli;
mod discovery;
mod google;
mod identity;
mod jwt;
mod key_vault;
mod learned;
mod m2m;
mod metadata_service;
mod oidc;
mod owner;
mod pat;
pub mod profile;
mod program;
mod provider;
mod settings;
mod token_endpoint;

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

pub use azure::RESOURCE_ID as AZURE_RESOURCE_ID;
pub use identity::Identity;
use learned::Learned;
pub use m2m::CLIENT_SECRET;
pub use owner::{Owner, Question};
pub use pat::TOKEN;
pub use settings::{CLIENT_ID, Chosen, Settings, Source, Unusable};
#[cfg(fuzzing)]
pub use token_endpoint::fuzz_answer;

use crate::error::Error;
use crate::http::ApiNetwork;
use crate::http::{Client, Failure};
use crate::secret::Secret;
use crate::setting::Setting;

/// Every way to authenticate, in the order in which they are considered: databricks-sdk-go's, with those it lacks beside their kin.
pub static METHODS: &[&dyn WorkspaceAuth] = &[
    &provider::Provider,
    &pat::Pat,
    &key_vault::KeyVault,
    &m2m::ClientCredentials,
    &databricks_cli::DatabricksCli,
    &metadata_service::MetadataService,
    &oidc::Callback,
    &oidc::GitHub,
    &oidc::AzureDevOps,
    &oidc::Variable,
    &oidc::File,
    &oidc::Vercel,
    &azure::GitHub,
    &azure::WorkloadIdentity,
    &azure::ManagedIdentity,
    &azure::ClientSecret,
    &azure::Cli,
    &google::Credentials,
    &google::ServiceAccount,
];

/// Everything that any way to authenticate reads, each once.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    static SETTINGS: LazyLock<Vec<&'static Setting>> = LazyLock::new(|| {
        let mut settings: Vec<&'static Setting> = Vec::new();
        for &setting in METHODS.iter().flat_map(|method| method.settings()) {
            if !settings.iter().any(|known| std::ptr::eq(*known, setting)) {
                settings.push(setting);
            }
        }
        settings
    });
    SETTINGS.iter().copied()
}

/// A token for the workspace's API.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub token: Secret,
    /// By this machine's clock; `None` when the method does not know, as with a fixed token.
    pub expires_at: Option<SystemTime>,
    /// Headers that go with it, to the workspace and nowhere else.
    pub headers: Vec<(&'static str, Secret)>,
    /// The name of the method that got it.
    pub method: &'static str,
    /// The workspace it is for: `https://host`.
    pub workspace_url: String,
}

impl AccessToken {
    fn new(token: Secret, expires_at: Option<SystemTime>) -> Self {
        Self { token, expires_at, headers: Vec::new(), method: "", workspace_url: String::new() }
    }
}

/// The workspace and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// `https://host`, without path or trailing slash. Empty where Azure is going to tell it by the workspace's resource id.
    pub url: String,
    pub network: ApiNetwork,
}

impl Workspace {
    /// The process' HTTP client for this network.
    ///
    /// # Errors
    /// [`crate::error::Kind::Configuration`] for an unusable CA file or proxy.
    pub fn client(&self) -> Result<Arc<Client>, Error> {
        Client::shared(&self.network)
    }

    /// A client that uses no proxy: a metadata service answers for this machine, and a proxy would answer for its own.
    fn direct_client(&self) -> Result<Arc<Client>, Error> {
        Client::shared(&ApiNetwork { https_proxy: None, no_proxy: None, ..self.network.clone() })
    }
}

/// Whether a method can be used with what was given.
#[derive(Debug)]
pub enum Applies {
    Yes,
    /// That shows when it is tried: another one may follow.
    Perhaps,
    /// Why not, as the end of a sentence that begins with its name.
    No(String),
    /// Something was given that only this method uses, and something else is missing.
    Lacks(&'static Setting, &'static str),
}

/// What a method fetches with.
pub struct Call<'a> {
    pub workspace: &'a Workspace,
    pub settings: &'a Settings,
    pub owner: Option<&'a dyn Owner>,
    learned: &'a Learned,
    /// Calls end before it.
    pub deadline: Instant,
}

pub type Fetched<'a> = BoxFuture<'a, Result<AccessToken, Failure>>;

/// One way to get an access token.
pub trait WorkspaceAuth: Send + Sync + Debug {
    /// Its name in `authType`: databricks-sdk-go's, where that has it.
    fn name(&self) -> &'static str;

    /// The family whose settings choose it. A method that needs none of them, because the platform provides, is considered without as well.
    fn family(&self) -> &'static str;

    /// Everything it reads.
    fn settings(&self) -> &'static [&'static Setting];

    /// Whether it needs the whole environment: for programs that it runs, or to find their files.
    fn needs_environment(&self) -> bool {
        false
    }

    /// Whether it can be used with `settings`, judged without a call.
    fn applies(&self, settings: &Settings) -> Applies;

    /// Fetches a new token. Dropping the future abandons the fetch.
    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a>;

    /// What to do when the workspace answers a call made with this method's token with `status`; `None` for the general advice.
    fn hint(&self, _status: u16) -> Option<Cow<'static, str>> {
        None
    }
}

/// The method of this name.
pub fn method(name: &str) -> Option<&'static dyn WorkspaceAuth> {
    METHODS.iter().copied().find(|method| method.name() == name)
}
