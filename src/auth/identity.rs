//! One identity at work: chooses its method and fetches with it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{AccessToken, Applies, Call, Chosen, Learned, Owner, Question, Settings, Unusable, Workspace, WorkspaceAuth};
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;

/// Where to look everything up, at the end of an error that leaves everything open.
const GUIDE: &str = "docs/authentication.md of lakebase-native lists every method and what it needs";

/// What a look at the environment may cost, before what was read earlier is used.
const PATIENCE: Duration = Duration::from_secs(1);

/// The settings of one identity, and what fetching with them has taught.
#[derive(Debug)]
pub struct Identity {
    workspace: Workspace,
    settings: Settings,
    owner: Option<Arc<dyn Owner>>,
    learned: Learned,
    has_fetched: AtomicBool,
    /// The method that got the last token.
    used: Mutex<Option<&'static dyn WorkspaceAuth>>,
}

impl Identity {
    pub fn new(workspace: Workspace, settings: Settings, owner: Option<Arc<dyn Owner>>) -> Self {
        Self { workspace, settings, owner, learned: Learned::default(), has_fetched: AtomicBool::new(false), used: Mutex::default() }
    }

    /// A new token, by the first method that works.
    ///
    /// # Errors
    /// The method's own; where several were tried, one that lists them.
    pub async fn access_token(&self, deadline: Instant) -> Result<AccessToken, Failure> {
        let settings = self.fresh().await?;
        let chosen = settings.choose().map_err(unusable)?;
        let owner = self.owner.as_deref();
        let workspace = self.workspace();
        let call = Call { workspace: &workspace, settings: &settings, owner, learned: &self.learned, deadline };
        let (token, method) = attempt(&chosen, &call).await?;
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(method);
        Ok(AccessToken { method: method.name(), workspace_url: self.workspace().into_owned().url, ..token })
    }

    /// What to do when the workspace answers a call made with the last token with `status`.
    pub fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).and_then(|method| method.hint(status))
    }

    /// The workspace as it was configured, or as Azure told it.
    fn workspace(&self) -> Cow<'_, Workspace> {
        match self.learned.workspace.get() {
            Some(url) => Cow::Owned(Workspace { url, ..self.workspace.clone() }),
            None => Cow::Borrowed(&self.workspace),
        }
    }

    /// The settings with the profile and the secrets of variables as they are now. What was just read is not read again.
    async fn fresh(&self) -> Result<Cow<'_, Settings>, Failure> {
        let mut settings = self.with_profile().await?;
        if !self.has_fetched.swap(true, Ordering::Relaxed) {
            return Ok(settings);
        }
        let secrets: Vec<_> = settings.secrets_of_variables().collect();
        for (setting, name) in secrets {
            let Some(owner) = &self.owner else { break };
            // A variable that was removed after the start, or a program that is busy: what was read before counts.
            let Ok(Ok(Some(secret))) = timeout(PATIENCE, owner.ask(Question::Variable(name))).await else { continue };
            let secret = Secret::new(secret.expose().trim());
            if !secret.is_empty() && settings.get(setting) != Some(&secret) {
                settings = Cow::Owned(settings.into_owned().with(setting, secret));
            }
        }
        Ok(settings)
    }

    async fn with_profile(&self) -> Result<Cow<'_, Settings>, Failure> {
        if self.settings.profile().is_none() {
            return Ok(Cow::Borrowed(&self.settings));
        }
        let settings = self.settings.clone();
        let read = tokio::task::spawn_blocking(move || settings.reread()).await;
        let read = read.map_err(|_| Error::internal("reading the profile was interrupted"))?;
        Ok(Cow::Owned(read.map_err(|reason| Error::profile_unusable(reason).with_hint(GUIDE))?))
    }
}

async fn attempt(chosen: &Chosen, call: &Call<'_>) -> Result<(AccessToken, &'static dyn WorkspaceAuth), Failure> {
    let mut failures = Vec::new();
    for &method in chosen {
        match method.access_token(call).await {
            Ok(token) => return Ok((token, method)),
            Err(failure) => failures.push((method, named(method, failure))),
        }
        if !matches!(method.applies(call.settings), Applies::Perhaps) {
            break;
        }
    }
    match failures.len() {
        0 | 1 => Err(failures.pop().map(|(_, failure)| failure).unwrap_or_else(|| unusable(Unusable::None(Vec::new())).into())),
        _ => {
            let transient = failures.iter().any(|(_, failure)| failure.transient);
            let mut message = String::from("no way to authenticate worked:");
            for (_, failure) in &failures {
                message.push_str(&format!("\n  - {}", failure.error));
            }
            let error = Error::authentication_failed(message).with_hint(GUIDE);
            Err(Failure { transient, ..error.into() })
        }
    }
}

/// The failure with the method's name in front.
fn named(method: &dyn WorkspaceAuth, failure: Failure) -> Failure {
    Failure { error: failure.error.prefixed(method.name()), ..failure }
}

fn unusable(unusable: Unusable) -> Error {
    let message = match unusable {
        Unusable::Lacks(lacks) => {
            let lacks: Vec<_> = lacks.iter().map(|(setting, expected)| format!("{}: expected {expected}", setting.named())).collect();
            lacks.join("; ")
        }
        Unusable::Pinned(name, reason) => format!("{name} is chosen by authType and does not apply: {reason}"),
        Unusable::None(reasons) => {
            let reasons: Vec<_> = reasons.iter().map(|(name, reason)| format!("\n  - {name}: {reason}")).collect();
            format!("no way to authenticate applies any more:{}", reasons.concat())
        }
    };
    Error::authentication_failed(message).with_hint(GUIDE)
}
