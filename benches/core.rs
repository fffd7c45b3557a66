//! Our core beside the obvious design, bb8-postgres over tokio-postgres, on the same queries, over TLS, each on a runtime of one thread.
//!
//! `node bench/rust.mjs` starts PostgreSQL, creates the table and runs this. By hand: `BENCH_DATABASE_URL` and `BENCH_CA_FILE` (PEM).

#[path = "core/tls.rs"]
mod tls;

use std::collections::HashMap;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bb8_postgres::PostgresConnectionManager;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakebase_native::config;
use lakebase_native::error::{Error, ServerMessage};
use lakebase_native::pool::{Events, Login, Pool, Purpose};
use lakebase_native::wire::{Connection, ConnectionId, Param, Query, Target};
use rustls::ClientConfig;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_postgres::types::Type;

use tls::MakeRustls;

const POOL_SIZE: u32 = 10;
const IN_FLIGHT: u64 = 64;

/// The size of `bench_row`, see bench/tables.mjs.
const TABLE_ROWS: u64 = 100_000;

const POINT: &str = "SELECT id, name, amount, active, quantity, created_at, document FROM bench_row WHERE id = $1";
const ROWS: &str = "SELECT id, name, amount, active, quantity, created_at, document FROM bench_row WHERE id > $1 ORDER BY id LIMIT 1000";

/// A pool under test.
trait Contender: Send + Sync + 'static {
    /// Runs `sql` with one `int4` parameter; how many rows came back.
    fn query(&self, sql: &'static str, parameter: i32) -> impl Future<Output = usize> + Send;
}

type Bb8Pool = bb8::Pool<PostgresConnectionManager<MakeRustls>>;

async fn bb8_pool(url: &str, tls: Arc<ClientConfig>) -> Bb8Pool {
    let manager = PostgresConnectionManager::new_from_stringlike(url, MakeRustls(tls)).expect("a connection string");
    bb8::Pool::builder().max_size(POOL_SIZE).min_idle(POOL_SIZE).build(manager).await.expect("a pool with connections")
}

/// `Client::query` with the statement's text, which prepares it every time: what one writes first.
struct Bb8Postgres(Bb8Pool);

impl Contender for Bb8Postgres {
    async fn query(&self, sql: &'static str, parameter: i32) -> usize {
        let client = self.0.get().await.expect("a connection");
        client.query(sql, &[&parameter]).await.expect("rows").len()
    }
}

/// `Client::query_typed`, one round trip without a statement of its own: the best that bb8-postgres offers as it stands.
struct Bb8PostgresTyped(Bb8Pool);

impl Contender for Bb8PostgresTyped {
    async fn query(&self, sql: &'static str, parameter: i32) -> usize {
        let client = self.0.get().await.expect("a connection");
        client.query_typed(sql, &[(&parameter, Type::INT4)]).await.expect("rows").len()
    }
}

/// Our pool, as the bridge uses it, with a channel in the bridge's place.
struct Ours(Pool);

impl Contender for Ours {
    async fn query(&self, sql: &'static str, parameter: i32) -> usize {
        let (sender, answer) = oneshot::channel();
        let query = Query::extended(sql, vec![Param::Text(parameter.to_string())]);
        self.0.query(query, false, Box::new(move |result| drop(sender.send(result))));
        answer.await.expect("an answer").expect("rows").results[0].rows.len()
    }
}

/// An owner that needs to know nothing.
struct Unconcerned;

impl Events for Unconcerned {
    fn connected(&self, _: &Connection, _: Purpose) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn prepares(&self) -> bool {
        false
    }

    fn retired(&self, _: ConnectionId) {}
    fn removed(&self, _: ConnectionId, _: Option<Error>) {}
    fn error(&self, _: ConnectionId, _: Error) {}
    fn notice(&self, _: ConnectionId, _: ServerMessage) {}
    fn notification(&self, _: ConnectionId, _: i32, _: &str, _: &str) {}
}

fn our_pool(url: &str, authority_file: &str, runtime: &Runtime) -> Pool {
    let options = serde_json::json!({ "connectionString": url, "max": POOL_SIZE });
    let variables = HashMap::from([("PGSSLROOTCERT".to_owned(), authority_file.to_owned())]);
    let config = config::resolve(options.as_object().expect("an object"), &variables).expect("a usable configuration");
    let login = Login::new(&config.login, Arc::new(|| unreachable!("the password is in the URL")));
    Pool::new(config.pool, Arc::new(Target::new(config.connect)), login, Arc::new(Unconcerned), Arc::default(), runtime.handle().clone())
}

fn point_parameter(n: u64) -> i32 {
    i32::try_from(n * 48_271 % TABLE_ROWS + 1).expect("an id of the table is an int4")
}

fn rows_parameter(n: u64) -> i32 {
    i32::try_from(n % 8 * 10_000).expect("an id of the table is an int4")
}

/// Runs `iterations` queries one after another.
async fn one_at_a_time<C: Contender>(contender: &C, sql: &'static str, parameter: fn(u64) -> i32, iterations: u64) -> Duration {
    let started = Instant::now();
    for n in 0..iterations {
        black_box(contender.query(sql, parameter(n)).await);
    }
    started.elapsed()
}

/// Runs `iterations` queries from 64 callers, each of which sends its next when its last has answered.
async fn in_flight<C: Contender>(contender: Arc<C>, iterations: u64) -> Duration {
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let contender = Arc::clone(&contender);
        let next = Arc::clone(&next);
        callers.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= iterations {
                    break;
                }
                black_box(contender.query(POINT, point_parameter(n)).await);
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("every query succeeds");
    }
    started.elapsed()
}

fn measure<C: Contender>(criterion: &mut Criterion, runtime: &Runtime, name: &str, contender: C) {
    let contender = Arc::new(contender);
    assert_eq!(runtime.block_on(contender.query(POINT, 1)), 1, "{name} finds the row");
    assert_eq!(runtime.block_on(contender.query(ROWS, 0)), 1_000, "{name} finds the rows");

    let mut group = criterion.benchmark_group("point query, one at a time");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
        bencher.to_async(runtime).iter_custom(|iterations| one_at_a_time(&*contender, POINT, point_parameter, iterations));
    });
    group.finish();

    let mut group = criterion.benchmark_group("point query, 64 in flight");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
        bencher.to_async(runtime).iter_custom(|iterations| in_flight(Arc::clone(&contender), iterations));
    });
    group.finish();

    let mut group = criterion.benchmark_group("1,000 rows of 7 columns");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
        bencher.to_async(runtime).iter_custom(|iterations| one_at_a_time(&*contender, ROWS, rows_parameter, iterations));
    });
    group.finish();
}

fn core(criterion: &mut Criterion) {
    let (Ok(url), Ok(authority_file)) = (std::env::var("BENCH_DATABASE_URL"), std::env::var("BENCH_CA_FILE")) else {
        eprintln!("BENCH_DATABASE_URL and BENCH_CA_FILE are not set: `node bench/rust.mjs` sets them. Nothing is measured.");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tls = tls::trust(&authority_file);

    measure(criterion, &runtime, "ours", Ours(our_pool(&url, &authority_file, &runtime)));
    let pool = runtime.block_on(bb8_pool(&url, Arc::clone(&tls)));
    measure(criterion, &runtime, "bb8-postgres", Bb8Postgres(pool));
    let pool = runtime.block_on(bb8_pool(&url, tls));
    measure(criterion, &runtime, "bb8-postgres, query_typed", Bb8PostgresTyped(pool));
}

criterion_group!(benches, core);
criterion_main!(benches);
