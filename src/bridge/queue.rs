//! Answers and events waiting for their JavaScript thread.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

use crate::batch::{Batch, Decoding, Event, Shapes};
use crate::error::Error as CoreError;
use crate::wire::Response;

/// Calls `wake` on the JavaScript thread; does not keep the process alive, which is for JavaScript to decide.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Answers beyond this size on the wire are packed outside the lock that JavaScript takes.
const LARGE: usize = 32 * 1024;

/// One per JavaScript environment.
pub(super) struct Queue {
    /// Held while an answer is packed, so that a shape is announced before anything uses it.
    shapes: Mutex<Shapes>,
    ready: Mutex<Ready>,
    wake: Wake,
    /// The length of JavaScript's longest string.
    longest: usize,
}

#[derive(Default)]
struct Ready {
    batches: VecDeque<Batch>,
    /// The last batch is complete: what comes next starts another.
    sealed: bool,
    /// `wake` was called and JavaScript has not yet taken the last batch.
    woken: bool,
    /// The environment is gone.
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    pub fn new(wake: Function<'_, (), ()>, longest: usize) -> Result<Self> {
        let wake = wake.build_threadsafe_function().weak::<true>().callee_handled::<false>().build()?;
        Ok(Self { shapes: Mutex::default(), ready: Mutex::default(), wake, longest })
    }

    pub fn respond(&self, request: u32, result: &std::result::Result<Response, CoreError>, decoding: Decoding) {
        let response = match result {
            Ok(response) => response,
            Err(error) => return self.fail(request, error),
        };
        let mut shapes = lock(&self.shapes);
        if response.results.iter().map(|result| result.rows.wire_len()).sum::<usize>() < LARGE {
            self.append(|batch| batch.response(request, response, decoding, &mut shapes));
        } else {
            let mut batch = Batch::new(self.longest);
            batch.response(request, response, decoding, &mut shapes);
            batch.finish();
            self.push(|ready| {
                ready.batches.push_back(batch);
                ready.sealed = true;
            });
        }
    }

    pub fn fail(&self, request: u32, error: &CoreError) {
        self.append(|batch| batch.error(request, error));
    }

    fn never_ran(&self, request: u32, error: &CoreError) {
        self.append(|batch| batch.never_ran(request, error));
    }

    /// Something that happened, for whom the event names. One too long for JavaScript is lost.
    pub fn event(&self, event: &Event<'_>) {
        self.append(|batch| _ = batch.event(0, event));
    }

    /// An event that answers `request`.
    pub fn answer(&self, request: u32, event: &Event<'_>) {
        self.append(|batch| _ = batch.event(request, event));
    }

    /// The server's messages for the tunnel of `request`.
    pub fn tunnel(&self, request: u32, messages: &[u8]) {
        self.append(|batch| batch.tunnel(request, messages));
    }

    /// So many bytes given to the tunnel of `request` have left.
    pub fn sent(&self, request: u32, bytes: usize) {
        self.append(|batch| batch.sent(request, bytes));
    }

    fn append(&self, pack: impl FnOnce(&mut Batch)) {
        self.push(|ready| {
            if ready.sealed || ready.batches.is_empty() {
                ready.batches.push_back(Batch::new(self.longest));
                ready.sealed = false;
            }
            pack(ready.batches.back_mut().expect("one was pushed if there was none"));
        });
    }

    fn push(&self, add: impl FnOnce(&mut Ready)) {
        let wake = {
            let mut ready = lock(&self.ready);
            if ready.closed {
                return;
            }
            add(&mut ready);
            !std::mem::replace(&mut ready.woken, true)
        };
        if wake {
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// The next batch, and whether more are waiting: JavaScript then has to come again of its own accord, otherwise it is woken.
    pub fn pop(&self) -> Option<(Batch, bool)> {
        let mut ready = lock(&self.ready);
        let batch = ready.batches.pop_front();
        ready.woken = !ready.batches.is_empty();
        let more = ready.woken;
        drop(ready);
        batch.map(|mut batch| {
            batch.finish();
            (batch, more)
        })
    }

    pub fn close(&self) {
        let mut ready = lock(&self.ready);
        ready.closed = true;
        ready.batches.clear();
    }
}

/// The duty to answer a request: given up without an answer (a panic), it answers with an internal error.
pub(super) struct Answer {
    queue: std::sync::Arc<Queue>,
    request: u32,
    answered: bool,
}

impl Answer {
    pub fn new(queue: &std::sync::Arc<Queue>, request: u32) -> Self {
        Self { queue: queue.clone(), request, answered: false }
    }

    pub fn respond(mut self, result: &std::result::Result<Response, CoreError>, decoding: Decoding) {
        self.answered = true;
        self.queue.respond(self.request, result, decoding);
    }

    pub fn fail(mut self, error: &CoreError) {
        self.answered = true;
        self.queue.fail(self.request, error);
    }

    /// The query certainly never ran: it may go elsewhere.
    pub fn never_ran(mut self, error: &CoreError) {
        self.answered = true;
        self.queue.never_ran(self.request, error);
    }

    /// Answers with an event.
    pub fn event(mut self, event: &Event<'_>) {
        self.answered = true;
        self.queue.answer(self.request, event);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.answered {
            let error = CoreError::internal("a request was lost inside lakebase-native");
            self.queue.fail(self.request, &error);
        }
    }
}
