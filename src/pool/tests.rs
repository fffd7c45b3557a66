//! The pool against a server that does as it is told.

mod stalls;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::fake_server::{FakeServer, connect_config};
use super::latency::Latency;
use super::{Checkout, Counts, Events, Login, Pool, Purpose};
use crate::config::PoolConfig;
use crate::error::{Error, ServerMessage};
use crate::fingerprint::fingerprint;
use crate::wire::{Connection, ConnectionId, Query, Response, Target};

/// What the pool has told, in order.
#[derive(Default)]
struct Told {
    log: Mutex<Vec<String>>,
    /// What somebody on another thread does just before a connection's end is told.
    before_removal: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Told {
    fn note(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }

    fn all(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Events for Told {
    fn connected(&self, _: &Connection, purpose: Purpose) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> {
        self.note(format!("connected for {purpose:?}"));
        Box::pin(std::future::ready(Ok(())))
    }
    fn prepares(&self) -> bool {
        false
    }
    fn retired(&self, _: ConnectionId) {
        self.note("retired".into());
    }
    fn removed(&self, _: ConnectionId, error: Option<Error>) {
        if let Some(act) = self.before_removal.lock().unwrap().take() {
            act();
        }
        self.note(format!("removed, {}", error.map_or_else(|| "as asked".into(), |error| error.message().to_owned())));
    }
    fn error(&self, _: ConnectionId, error: Error) {
        self.note(format!("error: {}", error.message()));
    }
    fn notice(&self, _: ConnectionId, _: ServerMessage) {}
    fn notification(&self, _: ConnectionId, _: i32, _: &str, _: &str) {}
}

struct World {
    server: FakeServer,
    pool: Pool,
    told: Arc<Told>,
}

impl World {
    async fn new(max: u32, change: impl FnOnce(&mut PoolConfig)) -> Self {
        let server = FakeServer::start().await;
        let mut config = PoolConfig {
            max,
            min: 0,
            idle_timeout: None,
            connection_timeout: None,
            max_uses: None,
            max_lifetime: None,
            statement_cache_size: 0,
            max_pipeline: 64,
            pipeline_writes: false,
            allow_exit_on_idle: false,
            retry_connect: false,
            close_after_error: true,
        };
        change(&mut config);
        let told = Arc::new(Told::default());
        let target = Arc::new(Target::new(connect_config(server.port)));
        let pool = Pool::new(config, target, Login::Fixed(None), told.clone(), Arc::default(), Handle::current());
        Self { server, pool, told }
    }

    fn query(&self, text: &str) -> oneshot::Receiver<Result<Response, Error>> {
        let (sender, receiver) = oneshot::channel();
        self.pool.query(Query::simple(text), false, Box::new(move |result| _ = sender.send(result)));
        receiver
    }

    fn ask(&self, how: fn(&Pool, super::CheckoutReply)) -> oneshot::Receiver<Result<Checkout, Error>> {
        let (sender, receiver) = oneshot::channel();
        how(&self.pool, Box::new(move |result| _ = sender.send(result)));
        receiver
    }

    async fn checkout(&self) -> Checkout {
        within(self.ask(Pool::checkout)).await.unwrap().unwrap()
    }

    fn end(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        assert!(self.pool.end(Box::new(move || _ = sender.send(()))));
        receiver
    }

    fn counts(&self) -> (usize, usize, usize) {
        let Counts { total, idle, waiting } = self.pool.counts();
        (total, idle, waiting)
    }

    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        within(async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

/// Nothing may hang.
async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("it hangs")
}

async fn outcome(query: oneshot::Receiver<Result<Response, Error>>) -> Result<(), String> {
    within(query).await.expect("every query is answered").map(drop).map_err(|error| error.code().unwrap_or_default().to_owned())
}

fn id(checkout: &Checkout) -> ConnectionId {
    checkout.connection().id()
}

#[tokio::test]
async fn what_was_released_last_is_used_first_also_after_a_sweep() {
    let world = World::new(3, |config| config.idle_timeout = Some(Duration::from_secs(60))).await;
    let (first, second, third) = (world.checkout().await, world.checkout().await, world.checkout().await);
    let order = [id(&second), id(&third), id(&first)];
    for checkout in [first, third, second] {
        assert!(checkout.release(false));
        // The reaper looks at every change.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let taken: Vec<_> = (0..3).map(|_| world.pool.take_idle().expect("three are idle")).collect();
    assert_eq!(taken.iter().map(id).collect::<Vec<_>>(), order);
    assert!(world.pool.take_idle().is_none());
}

#[tokio::test]
async fn a_connection_made_for_one_caller_goes_to_that_caller() {
    let world = World::new(2, |_| {}).await;
    let first = world.checkout().await;
    let first_id = id(&first);
    world.server.answer_logins(false);
    let own = world.ask(Pool::open);
    first.release(false);
    assert_eq!(world.counts(), (2, 1, 0), "the first one lies idle: it is not what was asked for");
    world.server.answer_logins(true);
    let own = within(own).await.unwrap().unwrap();
    assert_ne!(id(&own), first_id);
    assert_eq!(world.told.all(), ["connected for Queue", "connected for Caller"]);
}

#[tokio::test]
async fn in_a_full_pool_it_waits_for_one_that_is_there() {
    let world = World::new(1, |_| {}).await;
    let first = world.checkout().await;
    let first_id = id(&first);
    let own = world.ask(Pool::open);
    first.release(false);
    assert_eq!(id(&within(own).await.unwrap().unwrap()), first_id);
    assert_eq!(world.server.opened(), 1);
}

#[tokio::test]
async fn a_failed_attempt_is_one_callers_and_the_next_one_gets_its_own() {
    let world = World::new(1, |_| {}).await;
    world.server.refuse_logins(2);
    let queries = [world.query("select 1"), world.query("select 2"), world.query("select 3")];
    let mut outcomes = Vec::new();
    for query in queries {
        outcomes.push(outcome(query).await);
    }
    assert_eq!(outcomes, [Err("53300".to_owned()), Err("53300".to_owned()), Ok(())]);
    assert_eq!((world.server.opened(), world.pool.0.ledger.begun()), (3, 1));
}

#[tokio::test]
async fn failures_leave_no_count_behind() {
    let world = World::new(4, |_| {}).await;
    world.server.refuse_logins(6);
    let queries: Vec<_> = (0..4).map(|_| world.query("select 1")).collect();
    for query in queries {
        assert!(outcome(query).await.is_err());
    }
    for _ in 0..2 {
        assert!(within(world.ask(Pool::open)).await.unwrap().is_err());
    }
    assert_eq!((world.counts(), world.pool.0.ledger.begun()), ((0, 0, 0), 0));
    assert_eq!(outcome(world.query("select 1")).await, Ok(()));
    within(world.end()).await.unwrap();
}

#[tokio::test]
async fn where_attempts_are_retried_the_last_failure_is_everybodys() {
    let world = World::new(1, |config| {
        config.retry_connect = true;
        config.connection_timeout = Some(Duration::from_millis(300));
    })
    .await;
    world.server.refuse_logins(usize::MAX);
    let queries = [world.query("select 1"), world.query("select 2")];
    for query in queries {
        assert_eq!(outcome(query).await, Err("53300".to_owned()));
    }
}

#[tokio::test]
async fn who_waits_too_long_for_a_connection_hears_so_and_the_attempt_is_given_up() {
    let world = World::new(1, |config| config.connection_timeout = Some(Duration::from_millis(60))).await;
    world.server.answer_logins(false);
    assert_eq!(outcome(world.query("select 1")).await, Err("CONNECTION_TIMEOUT".to_owned()));
    world.until(|world| world.counts() == (0, 0, 0)).await;
    world.server.answer_logins(true);
    assert_eq!(outcome(world.query("select 1")).await, Ok(()));
}

#[tokio::test]
async fn who_waits_too_long_for_a_busy_connection_hears_so_and_the_others_are_served() {
    let world = World::new(1, |config| config.connection_timeout = Some(Duration::from_millis(60))).await;
    let held = world.checkout().await;
    assert_eq!(outcome(world.query("select 1")).await, Err("CONNECTION_TIMEOUT".to_owned()));
    let next = world.query("select 2");
    held.release(false);
    assert_eq!(outcome(next).await, Ok(()));
    assert_eq!(world.counts(), (1, 1, 0));
}

#[tokio::test]
async fn a_silent_connection_is_replaced_before_it_is_used() {
    let world = World::new(1, |_| {}).await;
    assert_eq!(outcome(world.query("select 1")).await, Ok(()));
    world.until(|world| world.counts() == (1, 1, 0)).await;
    world.pool.age_idle(Duration::from_secs(20));
    assert!(world.pool.take_idle().is_none(), "it has to be asked first");
    world.server.fall_silent();
    let query = world.query("select 2");
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.server.speak_again();
    assert_eq!(outcome(query).await, Ok(()));
    assert_eq!(world.server.arrival("select 2").await, 2);
    assert_eq!(world.counts().0, 1);
}

#[tokio::test]
async fn a_connection_lost_while_it_is_asked_leaves_nothing_behind() {
    let world = World::new(1, |_| {}).await;
    assert_eq!(outcome(world.query("select 1")).await, Ok(()));
    world.pool.age_idle(Duration::from_secs(20));
    world.server.fall_silent();
    let query = world.query("select 2");
    let ended = world.end();
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.server.speak_again();
    assert_eq!(outcome(query).await, Ok(()), "it was accepted before the end");
    within(ended).await.unwrap();
    world.until(|world| world.server.open() == 0).await;
}

/// How many of 64 queries at once each of eight idle connections runs, when the pool believes the statement to be that fast.
async fn spread(speed: Latency) -> Vec<usize> {
    let world = World::new(8, |_| {}).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(world.checkout().await);
    }
    held.into_iter().for_each(|checkout| _ = checkout.release(false));
    world.pool.0.latency.note(fingerprint("select it"), speed);
    let queries: Vec<_> = (0..64).map(|_| world.query("select it")).collect();
    for query in queries {
        assert_eq!(outcome(query).await, Ok(()));
    }
    let mut counts = vec![0; 8];
    world.server.seen().iter().for_each(|(connection, _)| counts[connection - 1] += 1);
    counts.sort_unstable();
    counts
}

#[tokio::test]
async fn statements_that_take_a_moment_are_spread_over_all_connections() {
    assert_eq!(spread(Latency::Quick(1)).await, [8; 8]);
}

#[tokio::test]
async fn statements_that_take_no_time_share_a_few_connections_once_each_has_one() {
    assert_eq!(spread(Latency::Negligible).await, [1, 1, 1, 1, 15, 15, 15, 15]);
}

#[tokio::test]
async fn queries_behind_the_one_that_ended_the_session_run_elsewhere_in_their_order() {
    let world = World::new(1, |_| {}).await;
    let held = world.query("select hold first");
    world.server.arrival("select hold first").await;
    let doomed = world.query("select die");
    let others = [world.query("select a"), world.query("select b"), world.query("select c")];
    world.server.let_go("first");
    assert_eq!(outcome(held).await, Ok(()));
    assert_eq!(outcome(doomed).await, Err("57P01".to_owned()));
    for other in others {
        assert_eq!(outcome(other).await, Ok(()));
    }
    let on_the_second: Vec<_> = world.server.seen().into_iter().filter(|(number, _)| *number == 2).map(|(_, text)| text).collect();
    assert_eq!(on_the_second, ["select a", "select b", "select c"]);
    assert_eq!(world.told.all()[1], "removed, as asked", "its callers were told: it is no idle connection's error");
}

#[tokio::test]
async fn an_idle_connection_that_is_lost_is_an_error_of_the_pool() {
    let world = World::new(1, |_| {}).await;
    let held = world.checkout().await;
    let (sender, receiver) = oneshot::channel();
    let request =
        crate::wire::Request { query: Query::simple("select die"), pipelined: false, reply: Box::new(move |_| _ = sender.send(())) };
    held.connection().send(request);
    within(receiver).await.unwrap();
    world.until(|world| world.told.all().len() == 2).await;
    assert_eq!(world.told.all()[1], "removed, Connection terminated unexpectedly");
    assert!(!held.release(false), "it is not kept");
    assert_eq!(world.counts(), (0, 0, 0));
}

#[tokio::test]
async fn a_failed_query_closes_its_connection_after_those_that_share_it() {
    let world = World::new(1, |_| {}).await;
    let held = world.query("select hold first");
    world.server.arrival("select hold first").await;
    let failed = world.query("select fail");
    let behind = world.query("select behind");
    world.server.let_go("first");
    assert_eq!(outcome(held).await, Ok(()));
    assert_eq!(outcome(failed).await, Err("22012".to_owned()));
    assert_eq!(world.told.all()[..2], ["connected for Queue", "retired"]);
    assert_eq!(outcome(behind).await, Ok(()));
    assert_eq!(world.server.arrival("select behind").await, 1);
    assert_eq!(outcome(world.query("select next")).await, Ok(()));
    assert_eq!(world.server.arrival("select next").await, 2);
}

#[tokio::test]
async fn a_failed_query_keeps_its_connection_where_that_is_wanted() {
    let world = World::new(1, |config| config.close_after_error = false).await;
    assert!(outcome(world.query("select fail")).await.is_err());
    assert_eq!(outcome(world.query("select 1")).await, Ok(()));
    assert_eq!(world.server.opened(), 1);
}

#[tokio::test]
async fn nothing_waits_on_the_wire_behind_a_statement_that_may_be_slow() {
    let world = World::new(2, |_| {}).await;
    let slow = world.query("select hold slow");
    let slow_on = world.server.arrival("select hold slow").await;
    for _ in 0..3 {
        let quick: Vec<_> = (0..10).map(|_| world.query("select quick")).collect();
        for query in quick {
            assert_eq!(outcome(query).await, Ok(()));
        }
    }
    assert!(world.server.seen().iter().all(|(number, text)| *number != slow_on || text == "select hold slow"));
    world.server.let_go("slow");
    assert_eq!(outcome(slow).await, Ok(()));
}

#[tokio::test]
async fn a_checkout_is_served_although_queries_keep_coming() {
    let world = World::new(1, |_| {}).await;
    let checkout = world.ask(Pool::checkout);
    let mut checkout = std::pin::pin!(checkout);
    let served = within(async {
        loop {
            let query = world.query("select 1");
            tokio::select! {
                biased;
                served = &mut checkout => return served,
                _ = query => {}
            }
        }
    })
    .await;
    assert!(served.unwrap().unwrap().release(false));
}

#[tokio::test]
async fn callers_one_after_another_need_one_connection() {
    let world = World::new(5, |_| {}).await;
    for _ in 0..500 {
        assert_eq!(outcome(world.query("select 1")).await, Ok(()));
    }
    assert_eq!(world.server.opened(), 1);
}

#[tokio::test]
async fn end_serves_who_waits_and_is_done_when_the_last_connection_is_closed() {
    let world = World::new(1, |_| {}).await;
    world.server.answer_logins(false);
    let own = world.ask(Pool::open);
    let query = world.query("select 1");
    let mut ended = world.end();
    assert!(outcome(world.query("select 2")).await.is_err(), "too late");
    world.server.answer_logins(true);
    let own = within(own).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(ended.try_recv().is_err(), "somebody still has a connection");
    own.release(false);
    assert_eq!(outcome(query).await, Ok(()));
    within(ended).await.unwrap();
    assert_eq!(world.counts(), (0, 0, 0));
    world.until(|world| world.server.open() == 0).await;
}

#[tokio::test]
async fn the_end_is_told_after_that_of_the_last_connection_whoever_asks_for_it_when() {
    let world = World::new(1, |_| {}).await;
    let (pool, told) = (world.pool.clone(), world.told.clone());
    let end = move || _ = pool.end(Box::new(move || told.note("ended".into())));
    *world.told.before_removal.lock().unwrap() = Some(Box::new(end));
    world.checkout().await.release(true);
    world.until(|world| world.told.all().len() == 3).await;
    assert_eq!(world.told.all(), ["connected for Queue", "removed, as asked", "ended"]);
}

#[tokio::test]
async fn a_checkout_that_nobody_takes_is_closed_not_leaked() {
    let world = World::new(1, |_| {}).await;
    drop(world.ask(Pool::checkout));
    world.until(|world| world.told.all().len() == 2).await;
    assert_eq!(outcome(world.query("select 1")).await, Ok(()));
    assert_eq!(world.server.opened(), 2);
}

#[tokio::test]
async fn an_expired_connection_is_lent_when_idle_and_closed_after_its_query_when_busy() {
    let world = World::new(2, |_| {}).await;
    let (first, second) = (world.checkout().await, world.checkout().await);
    let (first_id, second_id) = (id(&first), id(&second));
    assert!(world.pool.expire(first_id).is_none(), "its holder's business");
    first.release(false);
    second.release(false);
    let lent = world.pool.expire(first_id).expect("it is idle");
    assert_eq!(id(&lent), first_id);
    lent.release(true);
    let busy = world.query("select hold busy");
    world.server.arrival("select hold busy").await;
    assert!(world.pool.expire(second_id).is_none());
    world.server.let_go("busy");
    assert_eq!(outcome(busy).await, Ok(()));
    world.until(|world| world.server.open() == 0 && world.counts() == (0, 0, 0)).await;
}

#[tokio::test]
async fn a_connection_is_replaced_after_its_last_use() {
    let world = World::new(1, |config| config.max_uses = Some(2)).await;
    let first = world.checkout().await;
    assert!(first.release(false));
    assert_eq!(outcome(world.query("select 1")).await, Ok(()));
    let second = world.checkout().await;
    assert_eq!(world.server.opened(), 2);
    assert!(second.release(false));
    let again = world.checkout().await;
    assert!(!again.release(false), "used up");
}
