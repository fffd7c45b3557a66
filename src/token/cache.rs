//! A value that expires, fetched by one task however many wait for it, and replaced before it expires.
//!
//! Driven by use alone: nothing runs between calls, so a frozen process has nothing to catch up with.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::backoff;
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;

/// The time a caller without a deadline of its own gives a fetch, its retries included.
pub(super) const FETCH_BUDGET: Duration = Duration::from_secs(10);
/// How much sooner than asked a caller is answered, at most: room for its own error to be the one that is seen.
const MARGIN: Duration = Duration::from_millis(100);
/// A value is not handed out in the last moments of its life: the smaller of this and 5 % of its life.
const SAFETY: Duration = Duration::from_secs(1);

/// What a cache holds.
pub(super) trait Expiring: Clone + Send + Sync + 'static {
    fn secret(&self) -> &Secret;
    /// By the wall clock; `None` never expires.
    fn expires_at(&self) -> Option<SystemTime>;
}

/// How a cache gets its value: one attempt, which ends before `deadline`.
pub(super) trait Fetch: Send + Sync + 'static {
    type Value: Expiring;
    fn fetch(&self, deadline: Instant) -> impl Future<Output = Result<Self::Value, Failure>> + Send;
}

/// The wall clock; tests bring their own.
type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

pub(super) struct Cache<F: Fetch> {
    fetch: F,
    clock: Clock,
    state: Mutex<State<F::Value>>,
    fetches: AtomicU64,
}

struct State<V> {
    held: Option<Held<V>>,
    in_progress: Option<FetchInProgress<V>>,
    /// Fetches that have failed since the last success, how many of them somebody waited for, and how the last one did.
    failures: u32,
    failures_told: u32,
    last_failure: Option<Failure>,
    /// No background fetch before this.
    background_from: Option<Instant>,
    /// No fetch at all before this.
    fetch_from: Option<Instant>,
}

/// After this many fetches in a row that failed although somebody waited for them, each with its retries, the circuit is open: whoever asks gets
/// the last failure at once, and after each pause one attempt shows whether it works again.
const OPEN_AFTER: u32 = 3;

impl<V> State<V> {
    fn is_open(&self) -> bool {
        self.failures_told >= OPEN_AFTER
    }
}

/// A value and when it came. Its age is the larger one of two clocks': the wall clock counts while the machine is suspended, the monotonic
/// one when the wall clock is set back.
struct Held<V> {
    value: V,
    came_at: SystemTime,
    came: Instant,
}

impl<V: Expiring> Held<V> {
    fn life(&self) -> Option<Duration> {
        Some(self.value.expires_at()?.duration_since(self.came_at).unwrap_or_default())
    }

    fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.came_at).unwrap_or_default().max(self.came.elapsed())
    }

    fn is_usable(&self, now: SystemTime) -> bool {
        self.life().is_none_or(|life| self.age(now) < life - SAFETY.min(life / 20))
    }

    fn is_due(&self, now: SystemTime, refresh_buffer: Duration) -> bool {
        self.life().is_some_and(|life| self.age(now) >= life - refresh_buffer.min(life / 2))
    }
}

/// One fetch under way, seen by its task and by everyone who waits for it.
type FetchInProgress<V> = Arc<watch::Sender<Progress<V>>>;

struct Progress<V> {
    /// The latest deadline of those who wait; `None` when nobody does, as in a background fetch.
    deadline: Option<Instant>,
    /// How the last attempt failed, while another is coming.
    last_failure: Option<Failure>,
    outcome: Option<Result<V, Failure>>,
}

/// A value as a caller gets it.
#[derive(Debug)]
pub(super) struct Served<V> {
    pub(super) value: V,
    /// It was there already, so it may have been refused or revoked since.
    pub(super) from_cache: bool,
}

impl<F: Fetch> Cache<F> {
    pub(super) fn new(fetch: F) -> Arc<Self> {
        Self::with_clock(fetch, Box::new(SystemTime::now))
    }

    pub(super) fn with_clock(fetch: F, clock: Clock) -> Arc<Self> {
        let state = State {
            held: None,
            in_progress: None,
            failures: 0,
            failures_told: 0,
            last_failure: None,
            background_from: None,
            fetch_from: None,
        };
        Arc::new(Self { fetch, clock, state: Mutex::new(state), fetches: AtomicU64::new(0) })
    }

    /// Successful fetches so far.
    pub(super) fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Relaxed)
    }

    pub(super) fn fetcher(&self) -> &F {
        &self.fetch
    }

    /// The value, at once when a usable one is held; one that is due for refreshing starts a fetch in the background. Otherwise waits for
    /// a fetch, its own or the one under way, until shortly before `deadline` (10 s from now when `None`).
    ///
    /// Cancel safe: a fetch is a task of its own and goes on without those who waited for it.
    pub(super) async fn get(self: &Arc<Self>, refresh_buffer: Duration, deadline: Option<Instant>) -> Result<Served<F::Value>, Failure> {
        let deadline = answer_by(deadline);
        let next = {
            let mut state = self.state();
            let now = (self.clock)();
            match state.held.as_ref().filter(|held| held.is_usable(now)) {
                None => self.join(&mut state, deadline),
                Some(held) => {
                    let served = Served { value: held.value.clone(), from_cache: true };
                    let may_start = state.in_progress.is_none() && state.background_from.is_none_or(|from| from <= Instant::now());
                    let background = held.is_due(now, refresh_buffer) && may_start;
                    Next::Serve(served, background.then(|| self.new_fetch(&mut state, None, None)))
                }
            }
        };
        self.proceed(next, deadline).await
    }

    /// A value fetched now, whatever is held; joins a fetch that is under way. Deadline and cancellation as in [`Cache::get`].
    pub(super) async fn refreshed(self: &Arc<Self>, deadline: Option<Instant>) -> Result<Served<F::Value>, Failure> {
        let deadline = answer_by(deadline);
        let next = self.join(&mut self.state(), deadline);
        self.proceed(next, deadline).await
    }

    /// Drops the held value if it still is the one that was `used`; a newer one stays.
    pub(super) fn invalidate(&self, used: &Secret) {
        let mut state = self.state();
        if state.held.as_ref().is_some_and(|held| held.value.secret() == used) {
            state.held = None;
        }
    }

    /// Drops the held value and every memory of failures. A fetch under way goes on: what it brings is new.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.held = None;
        (state.failures, state.failures_told, state.last_failure) = (0, 0, None);
        (state.background_from, state.fetch_from) = (None, None);
    }

    fn state(&self) -> MutexGuard<'_, State<F::Value>> {
        // Every change of the state is complete before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the fetch in progress, which now lasts until `deadline` at least, or for a new one. Fails at once when the last failure
    /// forbids a new one for longer than `deadline`, would only be repeated, or has persisted.
    fn join(self: &Arc<Self>, state: &mut State<F::Value>, deadline: Instant) -> Next<F> {
        if let Some(in_progress) = &state.in_progress {
            in_progress.send_modify(|progress| progress.deadline = progress.deadline.max(Some(deadline)));
            return Next::Wait(Arc::clone(in_progress), None);
        }
        let from = state.fetch_from.filter(|from| *from > Instant::now());
        match (&state.last_failure, from) {
            (Some(failure), Some(from)) if !failure.transient || from >= deadline || state.is_open() => {
                Next::Fail(failure.paused(from - Instant::now()))
            }
            _ => {
                let task = self.new_fetch(state, Some(deadline), from);
                Next::Wait(Arc::clone(&task.in_progress), Some(task))
            }
        }
    }

    fn new_fetch(self: &Arc<Self>, state: &mut State<F::Value>, deadline: Option<Instant>, from: Option<Instant>) -> FetchTask<F> {
        // A fetch that waits first reports the failure it waits for.
        let last_failure = from.and(state.last_failure.clone());
        let in_progress = Arc::new(watch::Sender::new(Progress { deadline, last_failure, outcome: None }));
        state.in_progress = Some(Arc::clone(&in_progress));
        FetchTask { cache: Arc::clone(self), in_progress, from, is_probe: state.is_open(), outcome: None }
    }

    /// What was decided under the lock, done without it: a runtime that is shutting down drops a task as it is spawned, and the drop of a
    /// [`FetchTask`] takes the lock.
    async fn proceed(&self, next: Next<F>, deadline: Instant) -> Result<Served<F::Value>, Failure> {
        let spawn = |task: Option<FetchTask<F>>| task.map(|task| tokio::spawn(task.run()));
        match next {
            Next::Fail(failure) => Err(failure),
            Next::Serve(served, task) => {
                spawn(task);
                Ok(served)
            }
            Next::Wait(in_progress, task) => {
                spawn(task);
                self.wait(in_progress, deadline).await
            }
        }
    }

    async fn wait(&self, in_progress: FetchInProgress<F::Value>, deadline: Instant) -> Result<Served<F::Value>, Failure> {
        let began = Instant::now();
        let mut watcher = in_progress.subscribe();
        let finished = timeout_at(deadline, watcher.wait_for(|progress| progress.outcome.is_some())).await;
        // The inner result is an error only when the sender is gone, and `in_progress` is one.
        if let Some(outcome) = finished.ok().and_then(Result::ok).and_then(|progress| progress.outcome.clone()) {
            return outcome.map(|value| Served { value, from_cache: false });
        }
        let last_failure = in_progress.borrow().last_failure.clone();
        Err(last_failure.unwrap_or_else(|| {
            let error = Error::timed_out(format!("no token came within {} ms", began.elapsed().as_millis()))
                .with_hint("the workspace is slow to answer; raise connectionTimeoutMillis, or check the network");
            Failure { cut_short: true, ..Failure::transient(error) }
        }))
    }

    /// Records how a fetch ended, then tells those who wait: a caller that asks next sees the new state.
    fn finish(&self, in_progress: &FetchInProgress<F::Value>, outcome: Result<F::Value, Failure>) {
        let mut state = self.state();
        state.in_progress = None;
        match &outcome {
            Ok(value) => {
                self.fetches.fetch_add(1, Ordering::Relaxed);
                state.held = Some(Held { value: value.clone(), came_at: (self.clock)(), came: Instant::now() });
                (state.failures, state.failures_told) = (0, 0);
                state.last_failure = None;
                state.background_from = None;
                state.fetch_from = None;
            }
            Err(failure) => {
                state.failures = state.failures.saturating_add(1);
                state.failures_told = state.failures_told.saturating_add(u32::from(in_progress.borrow().deadline.is_some()));
                let life = state.held.as_ref().and_then(Held::life).unwrap_or_default();
                let retry_after = failure.retry_after.unwrap_or_default();
                let now = Instant::now();
                state.background_from = Some(now + backoff::background(state.failures, life).max(retry_after));
                let pause = backoff::repeated(state.failures, failure.transient).max(retry_after);
                state.fetch_from = (!pause.is_zero()).then(|| now + pause);
                state.last_failure = Some(failure.clone());
            }
        }
        drop(state);
        in_progress.send_modify(|progress| progress.outcome = Some(outcome));
    }
}

/// When a caller with this deadline is answered at the latest.
fn answer_by(deadline: Option<Instant>) -> Instant {
    let now = Instant::now();
    let deadline = deadline.unwrap_or(now + FETCH_BUDGET);
    deadline - MARGIN.min(deadline.saturating_duration_since(now) / 20)
}

/// How a call goes on, with the fetch to start first if there is one.
enum Next<F: Fetch> {
    Fail(Failure),
    Serve(Served<F::Value>, Option<FetchTask<F>>),
    Wait(FetchInProgress<F::Value>, Option<FetchTask<F>>),
}

/// The task of a fetch. Its drop reports the outcome, also when the fetch panicked or the runtime went away: no caller waits for ever.
struct FetchTask<F: Fetch> {
    cache: Arc<Cache<F>>,
    in_progress: FetchInProgress<F::Value>,
    from: Option<Instant>,
    /// One attempt, to see whether what has failed for long works again.
    is_probe: bool,
    outcome: Option<Result<F::Value, Failure>>,
}

impl<F: Fetch> FetchTask<F> {
    async fn run(mut self) {
        if let Some(from) = self.from {
            sleep_until(from).await;
        }
        self.outcome = Some(self.attempts().await);
    }

    /// Tries until it works, for as long as someone waits. A background fetch is one attempt: the next use starts the next one.
    async fn attempts(&self) -> Result<F::Value, Failure> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut failure = match self.cache.fetch.fetch(self.attempt_until()).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if failure.cut_short
                && let Some(earlier) = self.in_progress.borrow().last_failure.clone()
            {
                failure = earlier;
            }
            let next = Instant::now() + backoff::foreground(attempt).max(failure.retry_after.map(backoff::spread).unwrap_or_default());
            let someone_waits = self.in_progress.borrow().deadline.is_some_and(|deadline| next < deadline);
            if !failure.transient || !someone_waits || self.is_probe {
                return Err(failure);
            }
            self.in_progress.send_modify(|progress| progress.last_failure = Some(failure));
            sleep_until(next).await;
        }
    }

    /// A little before those who wait give up, so that they get this attempt's own error.
    fn attempt_until(&self) -> Instant {
        answer_by(self.in_progress.borrow().deadline)
    }
}

impl<F: Fetch> Drop for FetchTask<F> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| {
            Err(Error::internal("the token fetch ended without a result")
                .with_hint("this is a defect in lakebase-native, or the process is shutting down")
                .into())
        });
        self.cache.finish(&self.in_progress, outcome);
    }
}

impl<F: Fetch> fmt::Debug for Cache<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("fetches", &self.fetches()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
