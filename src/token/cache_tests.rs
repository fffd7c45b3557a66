use std::collections::VecDeque;
use std::future::pending;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::*;
use crate::error::Kind;

const BUFFER: Duration = Duration::from_secs(120);
const LIFE: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
struct Token(Secret, Option<SystemTime>);

impl Expiring for Token {
    fn secret(&self) -> &Secret {
        &self.0
    }
    fn expires_at(&self) -> Option<SystemTime> {
        self.1
    }
}

/// One scripted answer of the fetch; when the script is over, tokens that live [`LIFE`].
enum Answer {
    Token(Duration),
    Fail(Failure),
    Panic,
    Hang,
}

/// A fetch that follows a script, waits for permits, and knows when it was called; and the wall clock.
struct World {
    script: Mutex<VecDeque<Answer>>,
    calls: Mutex<Vec<Instant>>,
    permits: Semaphore,
    now: Mutex<SystemTime>,
}

struct Scripted(Arc<World>);

impl Fetch for Scripted {
    type Value = Token;
    async fn fetch(&self, _: Instant) -> Result<Token, Failure> {
        let number = {
            let mut calls = self.0.calls.lock().unwrap();
            calls.push(Instant::now());
            calls.len()
        };
        self.0.permits.acquire().await.unwrap().forget();
        let answer = self.0.script.lock().unwrap().pop_front().unwrap_or(Answer::Token(LIFE));
        match answer {
            Answer::Token(life) => Ok(Token(Secret::new(format!("token {number}")), Some(self.0.now() + life))),
            Answer::Fail(failure) => Err(failure),
            Answer::Panic => panic!("scripted"),
            Answer::Hang => pending().await,
        }
    }
}

impl World {
    /// A cache over a script, and as many permits as fetches could want.
    fn new(script: impl IntoIterator<Item = Answer>) -> (Arc<Self>, Arc<Cache<Scripted>>) {
        let world = Arc::new(World {
            script: Mutex::new(script.into_iter().collect()),
            calls: Mutex::default(),
            permits: Semaphore::new(1_000_000),
            now: Mutex::new(SystemTime::now()),
        });
        let clock = Arc::clone(&world);
        let cache = Cache::with_clock(Scripted(Arc::clone(&world)), Box::new(move || clock.now()));
        (world, cache)
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    fn now(&self) -> SystemTime {
        *self.now.lock().unwrap()
    }

    fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    fn set_back(&self, time: Duration) {
        *self.now.lock().unwrap() -= time;
    }

    /// Takes all permits away: fetches begin but do not end.
    fn hold(&self) {
        self.permits.forget_permits(usize::MAX);
    }
}

async fn name(cache: &Arc<Cache<Scripted>>) -> String {
    cache.get(BUFFER, None).await.unwrap().value.0.expose().to_owned()
}

/// Lets spawned tasks run until they wait for something; with a paused clock this takes no time.
async fn settle() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

fn failure(transient: bool, retry_after: Option<Duration>) -> Answer {
    Answer::Fail(Failure { error: Error::new(Kind::Credential, "scripted"), transient, retry_after, cut_short: false })
}

#[tokio::test(start_paused = true)]
async fn a_thousand_first_callers_share_one_fetch() {
    let (world, cache) = World::new([]);
    let names = join_all((0..1000).map(|_| name(&cache))).await;
    assert!(names.iter().all(|name| name == "token 1"));
    assert_eq!((world.calls(), cache.fetches()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_first_caller_does_not_take_the_fetch_along() {
    let (world, cache) = World::new([]);
    world.hold();
    let mut first = Box::pin(name(&cache));
    assert!((&mut first).now_or_never().is_none());
    let second = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { name(&cache).await }
    });
    settle().await;
    drop(first);
    world.permits.add_permits(1);
    assert_eq!(second.await.unwrap(), "token 1");
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_whose_every_caller_went_away_still_fills_the_cache() {
    let (world, cache) = World::new([]);
    world.hold();
    assert!(name(&cache).now_or_never().is_none());
    world.permits.add_permits(1);
    settle().await;
    assert_eq!(name(&cache).now_or_never().as_deref(), Some("token 1"));
}

#[tokio::test(start_paused = true)]
async fn a_panicking_fetch_fails_all_who_wait_and_the_next_one_works() {
    let (_, cache) = World::new([Answer::Panic]);
    for result in join_all((0..10).map(|_| cache.get(BUFFER, None))).await {
        assert_eq!(result.unwrap_err().error.kind(), Kind::Internal);
    }
    assert_eq!(name(&cache).await, "token 2");
}

#[tokio::test(start_paused = true)]
async fn a_token_in_its_refresh_window_is_served_while_one_fetch_replaces_it() {
    let (world, cache) = World::new([]);
    assert_eq!(name(&cache).await, "token 1");
    world.pass(LIFE - BUFFER - Duration::from_secs(1));
    assert_eq!(name(&cache).await, "token 1");
    settle().await;
    assert_eq!(world.calls(), 1, "not due yet");

    world.hold();
    world.pass(Duration::from_secs(2));
    for _ in 0..100 {
        assert_eq!(name(&cache).now_or_never().as_deref(), Some("token 1"), "served without waiting");
    }
    settle().await;
    assert_eq!(world.calls(), 2, "one refresh in the background");
    world.permits.add_permits(1);
    settle().await;
    assert_eq!(name(&cache).now_or_never().as_deref(), Some("token 2"));
}

#[tokio::test(start_paused = true)]
async fn the_refresh_window_is_at_most_half_of_the_life() {
    let life = Duration::from_secs(4);
    let (world, cache) = World::new([Answer::Token(life)]);
    name(&cache).await;
    world.pass(Duration::from_millis(1900));
    name(&cache).await;
    settle().await;
    assert_eq!(world.calls(), 1);
    world.pass(Duration::from_millis(200));
    name(&cache).await;
    settle().await;
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_about_to_expire_is_not_served() {
    let (world, cache) = World::new([Answer::Token(Duration::from_secs(2))]);
    name(&cache).await;
    // 5 % of two seconds.
    world.pass(Duration::from_millis(1910));
    assert_eq!(name(&cache).await, "token 2");
}

#[tokio::test(start_paused = true)]
async fn failing_refreshes_back_off_and_surface_only_when_the_token_is_over() {
    let (world, cache) = World::new(
        [Answer::Token(LIFE)].into_iter().chain((0..4).map(|_| failure(true, None))).chain([failure(false, None), failure(false, None)]),
    );
    name(&cache).await;
    world.pass(LIFE - BUFFER);
    for attempt in 1..=4 {
        for _ in 0..10 {
            assert_eq!(name(&cache).await, "token 1");
            settle().await;
        }
        assert_eq!(world.calls(), 1 + attempt, "one try per backoff");
        tokio::time::advance(Duration::from_secs(1 << (attempt - 1))).await;
    }
    world.pass(BUFFER);
    assert_eq!(cache.get(BUFFER, None).await.unwrap_err().error.message(), "scripted");
    assert_eq!(cache.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_holds_background_refreshes_back() {
    let (world, cache) = World::new([Answer::Token(LIFE), failure(true, Some(Duration::from_secs(30)))]);
    name(&cache).await;
    world.pass(LIFE - BUFFER);
    name(&cache).await;
    settle().await;
    tokio::time::advance(Duration::from_secs(29)).await;
    name(&cache).await;
    settle().await;
    assert_eq!(world.calls(), 2);
    tokio::time::advance(Duration::from_secs(2)).await;
    name(&cache).await;
    settle().await;
    assert_eq!((world.calls(), name(&cache).await.as_str()), (3, "token 3"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_waits_has_transient_failures_retried_with_backoff() {
    let (world, cache) = World::new((0..3).map(|_| failure(true, None)));
    assert_eq!(name(&cache).await, "token 4");
    let calls = world.calls.lock().unwrap().clone();
    let gaps: Vec<_> = calls.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    for (gap, whole) in gaps.into_iter().zip([100, 200, 400]) {
        assert!((whole / 2..=whole + 2).contains(&gap), "{gap} of {whole}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_sets_the_pace_of_retries() {
    let (world, cache) = World::new([failure(true, Some(Duration::from_secs(3)))]);
    assert_eq!(name(&cache).await, "token 2");
    let calls = world.calls.lock().unwrap().clone();
    assert!(calls[1] - calls[0] >= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_is_told_at_once_and_also_to_later_callers() {
    let (world, cache) = World::new([failure(true, Some(Duration::from_secs(60)))]);
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(cache.get(BUFFER, None).await.unwrap_err().error.message(), "scripted");
    }
    assert_eq!((began.elapsed(), world.calls()), (Duration::ZERO, 1));
    // Who has the time waits for it.
    let patient = cache.get(BUFFER, Some(began + Duration::from_secs(90))).await.unwrap();
    assert_eq!(patient.value.0.expose(), "token 2");
    assert!(began.elapsed() >= Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_the_wait_with_the_last_real_failure() {
    let (_, cache) = World::new([failure(true, None), Answer::Hang]);
    let began = Instant::now();
    let error = cache.get(BUFFER, Some(began + Duration::from_secs(2))).await.unwrap_err().error;
    assert_eq!(error.message(), "scripted");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn without_any_answer_the_deadline_ends_the_wait_with_a_timeout() {
    let (_, cache) = World::new([Answer::Hang]);
    let error = cache.get(BUFFER, Some(Instant::now() + Duration::from_secs(2))).await.unwrap_err().error;
    assert_eq!((error.kind(), error.code()), (Kind::Timeout, Some("ETIMEDOUT")));
}

#[tokio::test(start_paused = true)]
async fn a_later_deadline_of_a_second_caller_keeps_the_retries_going() {
    let (_, cache) = World::new((0..3).map(|_| failure(true, Some(Duration::from_secs(1)))));
    let began = Instant::now();
    let (hasty, patient) =
        tokio::join!(cache.get(BUFFER, Some(began + Duration::from_millis(1500))), cache.get(BUFFER, Some(began + Duration::from_secs(9))));
    assert_eq!(hasty.unwrap_err().error.message(), "scripted");
    assert_eq!(patient.unwrap().value.0.expose(), "token 4");
}

#[tokio::test(start_paused = true)]
async fn a_final_failure_is_told_at_once_and_repeated_ones_are_not_asked_for_again_and_again() {
    let (world, cache) = World::new((0..9).map(|_| failure(false, None)));
    let began = Instant::now();
    for _ in 0..100 {
        cache.get(BUFFER, None).await.unwrap_err();
    }
    assert_eq!((began.elapsed(), world.calls()), (Duration::ZERO, 3));
    tokio::time::advance(Duration::from_millis(101)).await;
    cache.get(BUFFER, None).await.unwrap_err();
    assert_eq!(world.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_persists_opens_the_circuit_and_one_attempt_at_a_time_finds_its_end() {
    let (world, cache) = World::new((0..10_000).map(|_| failure(true, None)));
    let began = Instant::now();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    while began.elapsed() < minutes(1) {
        cache.get(BUFFER, None).await.unwrap_err();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = world.calls();
    while began.elapsed() < minutes(11) {
        let asked_at = Instant::now();
        let failures = join_all((0..100).map(|_| cache.get(BUFFER, None))).await;
        assert!(failures.into_iter().all(|failure| failure.is_err()));
        assert!(asked_at.elapsed() < Duration::from_millis(5), "nobody waits for what has failed for long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let calls = world.calls() - before;
    assert!((100..=250).contains(&calls), "{calls} calls in ten minutes: one in 2.5 to 5 s");
    let told = loop {
        match cache.get(BUFFER, None).await.unwrap_err().error.hint() {
            Some(hint) => break hint.to_owned(),
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert!(told.contains("it is not tried again for"), "{told}");
    world.script.lock().unwrap().clear();
    tokio::time::sleep(Duration::from_secs(5)).await;
    cache.get(BUFFER, None).await.unwrap();
    cache.invalidate(&cache.get(BUFFER, None).await.unwrap().value.0);
    *world.script.lock().unwrap() = (0..3).map(|_| failure(true, None)).collect();
    cache.get(BUFFER, None).await.expect("after a success failures that pass are retried again");
}

#[tokio::test(start_paused = true)]
async fn invalidate_drops_only_the_token_that_was_used() {
    let (world, cache) = World::new([]);
    let first = cache.get(BUFFER, None).await.unwrap().value;
    cache.invalidate(&Secret::new("another"));
    assert_eq!(name(&cache).await, "token 1");
    for _ in 0..10 {
        cache.invalidate(&first.0);
        assert_eq!(name(&cache).await, "token 2");
    }
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn refreshed_fetches_although_a_token_is_held_and_keeps_it_on_failure() {
    let (world, cache) = World::new([Answer::Token(LIFE), Answer::Token(LIFE), failure(false, None)]);
    name(&cache).await;
    let both = join_all([cache.refreshed(None), cache.refreshed(None)]).await;
    assert!(both.into_iter().all(|served| served.unwrap().value.0.expose() == "token 2"));
    assert_eq!(world.calls(), 2);
    cache.refreshed(None).await.unwrap_err();
    assert_eq!(name(&cache).await, "token 2");
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_never_revives_or_keeps_a_dead_token() {
    let (world, cache) = World::new([]);
    name(&cache).await;
    // Frozen for two hours: only the wall clock went on.
    world.pass(2 * LIFE);
    assert_eq!(name(&cache).await, "token 2");
    // Set back by a day, then a life passes by the monotonic clock.
    world.set_back(24 * LIFE);
    assert_eq!(name(&cache).await, "token 2");
    tokio::time::advance(LIFE).await;
    assert_eq!(name(&cache).await, "token 3");
}

#[test]
fn a_runtime_that_goes_away_neither_hangs_nor_poisons_the_cache() {
    let (world, cache) = World::new([]);
    world.hold();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    first.block_on(async { assert!(name(&cache).now_or_never().is_none()) });
    drop(first);
    world.permits.add_permits(2);
    assert_eq!(runtime().block_on(name(&cache)), "token 1", "the first fetch never began");
}
