//! What ways to authenticate ask of JavaScript: functions of the caller's, variables that change, warnings.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use napi_derive::napi;
use serde_json::json;

use super::environment::Environment;
use super::pools::{Questions, described};
use super::queue::Queue;
use crate::auth::{self, Owner, Question};
use crate::config::{Login, TokenConfig, WorkspaceConfig};
use crate::credential::Credential;
use crate::error::Error;
use crate::pool::{self, AskPassword};
use crate::secret::Secret;
use crate::token::{Fetch, TokenSource};

/// One JavaScript thread as the owner of identities.
pub(super) struct Questioner {
    id: u64,
    queue: Arc<Queue>,
    questions: Arc<Questions>,
    observed: Arc<AtomicBool>,
}

impl Questioner {
    pub fn new(queue: &Arc<Queue>, questions: &Arc<Questions>, observed: &Arc<AtomicBool>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), queue: queue.clone(), questions: questions.clone(), observed: observed.clone() }
    }

    /// Makes this thread the owner of the identity, and shows what is unsafe about the configuration.
    pub fn own(self: &Arc<Self>, config: &mut TokenConfig) {
        self.show(&mut config.warnings);
        config.owner = Some(self.clone());
    }

    /// The same for an identity that asks for no database credential.
    pub fn own_workspace(self: &Arc<Self>, config: &mut WorkspaceConfig) {
        self.show(&mut config.warnings);
        config.owner = Some(self.clone());
    }

    fn show(&self, warnings: &mut Vec<String>) {
        for warning in warnings.drain(..) {
            self.warn(&warning);
        }
    }

    /// How connections of `pool` log in; where with tokens, what gives them, which then tells the pool of each.
    pub fn login(self: &Arc<Self>, login: &mut Login, pool: u32, ask: AskPassword) -> (pool::Login, Option<Arc<TokenSource>>) {
        let Login::Token(config) = login else { return (pool::Login::new(login, ask), None) };
        self.own(config);
        let (queue, observed) = (self.queue.clone(), self.observed.clone());
        let tell = move |fetch: Fetch<'_>| match fetch {
            Fetch::Began if observed.load(Ordering::Relaxed) => queue.event(&json!({ "event": "fetching", "pool": pool })),
            Fetch::Ended(Ok(credential)) => {
                let expires_at = millis(credential);
                queue.event(&json!({ "event": "fetched", "pool": pool, "method": credential.method, "expiresAt": expires_at }));
            }
            Fetch::Ended(Err(error)) if observed.load(Ordering::Relaxed) => {
                queue.event(&json!({ "event": "fetchFailed", "pool": pool, "error": described(error) }));
            }
            _ => {}
        };
        let source = Arc::new(TokenSource::telling(config, Arc::new(tell)));
        (pool::Login::Token(source.clone()), Some(source))
    }
}

/// When the credential ends, in milliseconds since 1970.
pub(super) fn millis(credential: &Credential) -> u64 {
    credential.expires_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

impl Owner for Questioner {
    fn id(&self) -> u64 {
        self.id
    }

    fn ask(&self, question: Question<'_>) -> BoxFuture<'static, Result<Option<Secret>, Error>> {
        let event = match question {
            Question::Provider(function) => json!({ "event": "ask", "what": "provider", "function": function }),
            Question::IdToken(function, audience) => {
                json!({ "event": "ask", "what": "idToken", "function": function, "audience": audience })
            }
            Question::Variable(name) => json!({ "event": "ask", "what": "variable", "name": name }),
        };
        self.questions.ask(&self.queue, event).boxed()
    }

    fn warn(&self, message: &str) {
        self.queue.event(&json!({ "event": "warning", "message": message }));
    }
}

impl fmt::Debug for Questioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questioner").field("id", &self.id).finish_non_exhaustive()
    }
}

#[napi]
impl Environment {
    /// Forgets the tokens of a pool: the next connection logs in with a new one.
    #[napi(catch_unwind)]
    pub fn clear_tokens(&self, pool: u32) {
        if let Some(source) = self.tokens(pool) {
            source.clear();
        }
    }
}

/// The options that are secrets or functions: not to be shown where options are.
#[napi]
pub fn secret_options() -> Vec<&'static str> {
    auth::settings().filter(|setting| setting.secret && !setting.option.is_empty()).map(|setting| setting.option).collect()
}

/// All options of the ways to authenticate.
#[napi]
pub fn authentication_options() -> Vec<&'static str> {
    auth::settings().map(|setting| setting.option).filter(|option| !option.is_empty()).collect()
}
