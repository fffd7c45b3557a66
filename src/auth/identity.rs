//! One identity at work: chooses its method and fetches with it.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::{AccessToken, Applies, Call, Chosen, Owner, Settings, TokenEndpoint, Unusable, Workspace, WorkspaceAuth};
use crate::error::Error;
use crate::http::Failure;

/// Where to look everything up, at the end of an error that leaves everything open.
const GUIDE: &str = "docs/authentication.md of lakebase-native lists every method and what it needs";

/// The settings of one identity, and what fetching with them has taught.
#[derive(Debug)]
pub struct Identity {
    workspace: Workspace,
    settings: Settings,
    owner: Option<Arc<dyn Owner>>,
    token_endpoint: TokenEndpoint,
    /// The method that got the last token.
    used: Mutex<Option<&'static dyn WorkspaceAuth>>,
}

impl Identity {
    pub fn new(workspace: Workspace, settings: Settings, owner: Option<Arc<dyn Owner>>) -> Self {
        Self { workspace, settings, owner, token_endpoint: TokenEndpoint::default(), used: Mutex::default() }
    }

    /// A new token, by the first method that works.
    ///
    /// # Errors
    /// The method's own; where several were tried, one that lists them.
    pub async fn access_token(&self, deadline: Instant) -> Result<AccessToken, Failure> {
        let settings = self.fresh().await?;
        let chosen = settings.choose().map_err(unusable)?;
        let owner = self.owner.as_deref();
        let call = Call { workspace: &self.workspace, settings: &settings, owner, token_endpoint: &self.token_endpoint, deadline };
        let (token, method) = attempt(&chosen, &call).await?;
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(method);
        Ok(AccessToken { method: method.name(), ..token })
    }

    /// What to do when the workspace answers a call made with the last token with `status`.
    pub fn hint(&self, status: u16) -> Option<Cow<'static, str>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).and_then(|method| method.hint(status))
    }

    /// The settings with the profile as it is now. Without one nothing is read.
    async fn fresh(&self) -> Result<Cow<'_, Settings>, Failure> {
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
