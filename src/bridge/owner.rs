//! What ways to authenticate ask of JavaScript: functions of the caller's, variables that change, warnings.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::BoxFuture;

use super::questions::Questions;
use super::queue::Queue;
use crate::auth::{Owner, Question};
use crate::batch::{Event, error_json};
use crate::config::{Login, TokenConfig, WorkspaceConfig};
use crate::credential::Credential;
use crate::error::Error;
use crate::pool::{self, AskPassword};
use crate::secret::Secret;
use crate::token::{Fetch, TokenSource};

/// One JavaScript thread as the owner of identities.
pub(super) struct EnvironmentOwner {
    id: u64,
    queue: Arc<Queue>,
    questions: Arc<Questions>,
    observed: Arc<AtomicBool>,
}

impl EnvironmentOwner {
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
            Fetch::Began if observed.load(Ordering::Relaxed) => queue.event(&Event::Fetching { pool }),
            Fetch::Ended(Ok(credential)) => {
                let expires_at = millis(credential);
                queue.event(&Event::Fetched { pool, method: credential.method, expires_at });
            }
            Fetch::Ended(Err(error)) if observed.load(Ordering::Relaxed) => {
                queue.event(&Event::FetchFailed { pool, error: error_json(error) });
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

impl Owner for EnvironmentOwner {
    fn id(&self) -> u64 {
        self.id
    }

    fn ask(&self, question: Question<'_>) -> BoxFuture<'static, Result<Option<Secret>, Error>> {
        let event = move |number| match question {
            Question::Provider(function) => Event::AskProvider { question: number, function },
            Question::IdToken(function, audience) => Event::AskIdToken { question: number, function, audience },
            Question::Variable(name) => Event::AskVariable { question: number, name },
        };
        self.questions.ask(&self.queue, event)
    }

    fn warn(&self, message: &str) {
        self.queue.event(&Event::Warning { message });
    }
}

impl fmt::Debug for EnvironmentOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentOwner").field("id", &self.id).finish_non_exhaustive()
    }
}
