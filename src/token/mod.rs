//! The token cache: one database credential per workspace, target and identity, shared by everything in the process.
//!
//! A credential in its refresh window is served while one task fetches the next; only when none is usable does a caller wait, or see a
//! failure. The workspace's access tokens are cached the same way one level below, so that several endpoints of one identity share them.

mod addresses;
mod backoff;
mod cache;
mod registry;
pub mod workspace;

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::time::Instant;

use crate::auth::{AccessToken, Identity, Owner, Settings, Workspace};
use crate::config::{CredentialTarget, Lookup, TokenConfig};
use crate::credential::{self, Credential};
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;
use crate::trace;
use addresses::AddressFetch;
pub use addresses::Found;
use cache::{Cache, Expiring};
use registry::{Key, Registry};

/// When an access token, which nothing but this module sees, is refreshed before its expiry. databricks-sdk-go: 40 s early, because Azure
/// tokens are refused in their last 30 s.
const ACCESS_TOKEN_BUFFER: Duration = Duration::from_secs(40);

/// Where pools and `getToken()` get database credentials. Cheap to make: the cache behind it is the process' own.
pub struct TokenSource {
    cache: Arc<Cache<CredentialFetch>>,
    refresh_buffer: Duration,
    /// Kept for as long as the source: the cache only knows it weakly.
    _listener: Option<Listener>,
}

/// Told of every fetch of a credential.
pub type Listener = Arc<Tell>;
type Tell = dyn Fn(Fetch<'_>) + Send + Sync;

/// What a listener is told.
#[derive(Clone, Copy)]
pub enum Fetch<'a> {
    Began,
    Ended(Result<&'a Credential, &'a Error>),
}

impl TokenSource {
    /// The source for `config`. Two configurations with the same workspace, target, identity, claims and network share one cache; how early
    /// each refreshes is its own.
    pub fn shared(config: &TokenConfig) -> Arc<Self> {
        Arc::new(Self { cache: Self::cache(config), refresh_buffer: config.refresh_buffer, _listener: None })
    }

    /// The same, which tells `listener` of every fetch while it lives, by whomever of those who share the cache.
    pub fn telling(config: &TokenConfig, listener: Listener) -> Self {
        let cache = Self::cache(config);
        let mut listeners = cache.fetcher().listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&listener));
        drop(listeners);
        Self { cache, refresh_buffer: config.refresh_buffer, _listener: Some(listener) }
    }

    fn cache(config: &TokenConfig) -> Arc<Cache<CredentialFetch>> {
        static CREDENTIALS: LazyLock<Registry<Cache<CredentialFetch>>> = LazyLock::new(Registry::default);

        let workspace = Workspace { url: config.workspace_url.clone(), network: config.network.clone() };
        let identity = Key::identity(&workspace, &config.auth, config.owner.as_deref());
        let key = identity.credential(&config.target, config.claims.as_ref());
        CREDENTIALS.get_or_insert(key, || {
            let access = access_tokens(&workspace, &config.auth, config.owner.as_ref());
            let (target, claims) = (config.target.clone(), config.claims.clone());
            Cache::new(CredentialFetch { key, access, workspace, target, claims, listeners: Mutex::default() })
        })
    }

    /// A credential that is usable now. Waits only when none is held, until shortly before `deadline` (10 s from now when `None`).
    ///
    /// Cancel safe: a fetch goes on without those who waited for it.
    ///
    /// # Errors
    /// When no usable credential is held and none could be fetched in time: the last real failure, after retries where they make sense.
    pub async fn token(&self, deadline: Option<Instant>) -> Result<Credential, Error> {
        Ok(self.cache.get(self.refresh_buffer, deadline).await?.value)
    }

    /// A credential fetched now, whatever is held; joins a fetch that is under way. Otherwise like [`TokenSource::token`].
    ///
    /// # Errors
    /// As [`TokenSource::token`]; the credential held before stays.
    pub async fn refreshed(&self, deadline: Option<Instant>) -> Result<Credential, Error> {
        Ok(self.cache.refreshed(deadline).await?.value)
    }

    /// Drops the held credential if it still is the `used` one: PostgreSQL has refused it at login. A newer one stays, so that many
    /// connections refused at once lead to one fetch.
    pub fn invalidate(&self, used: &Secret) {
        self.cache.invalidate(used);
    }

    /// What is `wanted`, as the workspace knows it; looked up once an hour, by everyone who wants the same of the same target.
    ///
    /// # Errors
    /// As [`TokenSource::token`]; [`crate::error::Kind::Credential`] with code `LOOKUP_FAILED` for what is not there, stopped or disabled.
    pub async fn addresses(&self, wanted: Lookup, deadline: Option<Instant>) -> Result<Found, Error> {
        static ADDRESSES: LazyLock<Registry<Cache<AddressFetch>>> = LazyLock::new(Registry::default);
        let CredentialFetch { key, access, workspace, target, .. } = self.cache.fetcher();
        let cache = ADDRESSES.get_or_insert(key.lookup(wanted), || {
            Cache::new(AddressFetch { access: Arc::clone(access), workspace: workspace.clone(), target: target.clone(), wanted })
        });
        Ok(cache.get(Duration::ZERO, deadline).await?.value)
    }

    /// Forgets the credential, the workspace's access token and that fetches have failed: the next caller gets everything anew.
    pub fn clear(&self) {
        self.cache.clear();
        self.cache.fetcher().access.clear();
    }

    /// Database credentials fetched so far, by everyone who shares this cache.
    pub fn fetches(&self) -> u64 {
        self.cache.fetches()
    }

    /// Workspace access tokens fetched so far for this identity; a fixed token counts once.
    pub fn access_token_fetches(&self) -> u64 {
        self.cache.fetcher().access.fetches()
    }
}

/// The cache of the identity's access tokens for the workspace.
fn access_tokens(workspace: &Workspace, auth: &Settings, owner: Option<&Arc<dyn Owner>>) -> Arc<Cache<AccessTokenFetch>> {
    static ACCESS_TOKENS: LazyLock<Registry<Cache<AccessTokenFetch>>> = LazyLock::new(Registry::default);
    let key = Key::identity(workspace, auth, owner.map(|owner| &**owner));
    ACCESS_TOKENS.get_or_insert(key, || Cache::new(AccessTokenFetch(Identity::new(workspace.clone(), auth.clone(), owner.cloned()))))
}

#[derive(Debug)]
struct AccessTokenFetch(Identity);

impl cache::Fetch for AccessTokenFetch {
    type Value = AccessToken;

    async fn fetch(&self, deadline: Instant) -> Result<AccessToken, Failure> {
        self.0.access_token(deadline).await
    }
}

struct CredentialFetch {
    key: Key,
    access: Arc<Cache<AccessTokenFetch>>,
    workspace: Workspace,
    target: CredentialTarget,
    claims: Option<Value>,
    listeners: Mutex<Vec<Weak<Tell>>>,
}

impl CredentialFetch {
    async fn request(&self, access: &AccessToken, deadline: Instant) -> Result<Credential, Failure> {
        credential::request(&self.workspace, &self.target, self.claims.as_ref(), access, deadline).await
    }
}

impl cache::Fetch for CredentialFetch {
    type Value = Credential;

    async fn fetch(&self, deadline: Instant) -> Result<Credential, Failure> {
        let timer = trace::fetch_began();
        self.tell(Fetch::Began);
        let fetched = self.credential(deadline).await;
        let outcome = fetched.as_ref().map_err(|failure| &failure.error);
        trace::fetch_ended(timer, outcome.map(|credential| credential.method));
        self.tell(Fetch::Ended(outcome));
        fetched
    }
}

impl CredentialFetch {
    fn tell(&self, fetch: Fetch<'_>) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener(fetch);
        }
    }

    async fn credential(&self, deadline: Instant) -> Result<Credential, Failure> {
        authorized(&self.access, deadline, |access| async move { self.request(&access, deadline).await }).await
    }
}

/// A call by the access token that is held; where the workspace refuses that, by a new one.
async fn authorized<T, F>(access: &Arc<Cache<AccessTokenFetch>>, deadline: Instant, call: impl Fn(AccessToken) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let explained = |failure: Failure| {
        let hint = failure.status().and_then(|status| access.fetcher().0.hint(status));
        failure.with_hint(hint)
    };
    let held = access.get(ACCESS_TOKEN_BUFFER, Some(deadline)).await?;
    let failure = match call(held.value.clone()).await {
        Err(failure) if failure.status() == Some(401) => failure,
        result => return result,
    };
    access.invalidate(&held.value.token);
    // One that was made for this very call is not going to be better the second time.
    if !held.from_cache {
        return Err(explained(failure));
    }
    let fresh = access.get(ACCESS_TOKEN_BUFFER, Some(deadline)).await?;
    if fresh.value.token == held.value.token {
        return Err(explained(failure));
    }
    call(fresh.value).await.map_err(explained)
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").field("cache", &self.cache).field("refresh_buffer", &self.refresh_buffer).finish_non_exhaustive()
    }
}

impl Expiring for AccessToken {
    fn secret(&self) -> &Secret {
        &self.token
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

impl Expiring for Credential {
    fn secret(&self) -> &Secret {
        &self.token
    }

    fn expires_at(&self) -> Option<SystemTime> {
        Some(self.expires_at)
    }
}
