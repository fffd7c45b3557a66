//! Questions to functions in JavaScript, and their answers.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use tokio::sync::oneshot;

use super::queue::Queue;
use crate::batch::Event;
use crate::error::Error;
use crate::pool::AskPassword;
use crate::secret::Secret;
use crate::wire::CheckIdentity;

/// What a function of the caller's gave: a `password` function perhaps a password, a `checkServerIdentity` nothing.
type GivenAnswer = Result<Option<Secret>, Error>;

/// The answer to come.
pub(super) type Asking = Pin<Box<dyn Future<Output = GivenAnswer> + Send>>;

/// Questions to functions in JavaScript that are not answered yet.
#[derive(Default)]
pub(super) struct Questions {
    next: AtomicU32,
    /// `None` once the JavaScript thread has ended: nobody is going to answer.
    asked: Mutex<Asked>,
}

struct Asked(Option<HashMap<u32, oneshot::Sender<GivenAnswer>>>);

impl Default for Asked {
    fn default() -> Self {
        Self(Some(HashMap::new()))
    }
}

impl Questions {
    /// How connections of `pool` ask for the password.
    pub fn password(self: &Arc<Self>, queue: &Arc<Queue>, pool: u32) -> AskPassword {
        let (questions, queue) = (self.clone(), queue.clone());
        Arc::new(move || questions.ask(&queue, |question| Event::Password { pool, question }))
    }

    /// How connections of `pool` ask whether a certificate belongs to the server they want.
    pub fn identity(self: &Arc<Self>, queue: &Arc<Queue>, pool: u32) -> CheckIdentity {
        let (questions, queue) = (self.clone(), queue.clone());
        Arc::new(move |name, certificates| {
            let certificates: Vec<_> = certificates.iter().map(|certificate| BASE64_STANDARD.encode(certificate)).collect();
            let answer = questions.ask(&queue, |question| Event::Identity { pool, question, name, certificates });
            Box::pin(async move { answer.await.map(drop) })
        })
    }

    /// Asks; the answer comes by [`Questions::answer`].
    pub fn ask<'a>(&self, queue: &Queue, event: impl FnOnce(u32) -> Event<'a>) -> Asking {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        // After the end the sender is dropped here, and the question fails at once.
        if let Some(asked) = &mut self.lock().0 {
            asked.insert(number, sender);
        }
        queue.event(&event(number));
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(Error::function_not_answered())) })
    }

    pub fn answer(&self, question: u32, answer: GivenAnswer) {
        let sender = self.lock().0.as_mut().and_then(|asked| asked.remove(&question));
        if let Some(sender) = sender {
            // A connection that was given up in the meantime no longer listens.
            let _ = sender.send(answer);
        }
    }

    /// The JavaScript thread has ended: connections that wait for its answer are given up.
    pub fn close(&self) {
        let unanswered = self.lock().0.take();
        drop(unanswered);
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
