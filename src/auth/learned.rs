//! What fetching has taught about a workspace, kept for the next fetch.

use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Learned {
    /// The token endpoint, where discovery had to find it.
    pub token_endpoint: Fact,
    /// The workspace's URL, where only its Azure resource is given.
    pub workspace: Fact,
    /// The directory of Entra that the workspace logs its users in with.
    pub tenant: Fact,
    /// What a platform's token must be for.
    pub audience: Fact,
}

/// A text that is found once.
#[derive(Debug, Default)]
pub(super) struct Fact(Mutex<Option<String>>);

impl Fact {
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, text: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.into());
    }
}
