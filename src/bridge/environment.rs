//! What one JavaScript thread can call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::*;
use napi_derive::napi;
use serde_json::{Map, Value, json};

use super::clients::{Clients, not_queryable};
use super::deferred::Deferred;
use super::events::EventSender;
use super::owner::EnvironmentOwner;
use super::params::Params;
use super::questions::Questions;
use super::queue::{Answer, Queue};
use super::strings::to_js;
use crate::batch::{Batch, Chunk, Decoding, Event, error_text, flags};
use crate::config::{self, Config};
use crate::error::{Error as CoreError, Problem};
use crate::pool::{Ledger, Login, Pool, Purpose, connect};
use crate::proxy::Proxy;
use crate::runtime;
use crate::secret::Secret;
use crate::token::TokenSource;
use crate::wire::{self, Execution, Fetch, Outcome, Query, Request, Target};

/// One per JavaScript thread (the main one and each worker).
#[napi]
pub struct Environment {
    queue: Arc<Queue>,
    pub(super) clients: Arc<Clients>,
    questions: Arc<Questions>,
    pub(super) owner: Arc<EnvironmentOwner>,
    /// Somebody in JavaScript wants to know what Rust does of its own accord.
    observed: Arc<AtomicBool>,
    pools: Mutex<HashMap<u32, OpenPool>>,
    /// They listen until they are dropped.
    pub(super) proxies: Arc<Mutex<HashMap<u32, Proxy>>>,
    /// The batch whose words did not fit into JavaScript's own array.
    large: Mutex<Option<Batch>>,
}

enum Opened {
    Ready(Pool),
    /// The workspace has to be asked first.
    Deferred(Arc<Deferred>),
}

struct OpenPool {
    pool: Opened,
    ledger: Arc<Ledger>,
    prepares: Arc<AtomicBool>,
    /// Where its tokens come from.
    tokens: Option<Arc<TokenSource>>,
}

#[napi]
impl Environment {
    /// `wake` is called on this thread when there is something to drain. `longest`: the length of the longest string, in UTF-16 units.
    #[napi(constructor)]
    pub fn new(wake: Function<'_, (), ()>, longest: u32) -> Result<Self> {
        let queue = Arc::new(Queue::new(wake, longest as usize)?);
        crate::trace::install();
        let questions = Arc::default();
        let observed = Arc::<AtomicBool>::default();
        Ok(Self {
            owner: Arc::new(EnvironmentOwner::new(&queue, &questions, &observed)),
            queue,
            clients: Arc::default(),
            questions,
            observed,
            pools: Mutex::default(),
            proxies: Arc::default(),
            large: Mutex::default(),
        })
    }

    /// Takes the next batch: the number of its words into the first of `words`, 1 into the second if there are more batches to take, and
    /// the words behind these; its text as one string per chunk. A number of -1 means that the words wait in `takeWords()`.
    #[napi(catch_unwind)]
    pub fn drain<'env>(&self, env: &'env Env, mut words: Int32Array) -> Result<Option<Vec<Unknown<'env>>>> {
        let Some((batch, more)) = self.queue.pop() else { return Ok(None) };
        // A string that cannot be made is missing: the frames that need it fail, the others do not.
        let chunks = batch.chunks().map(|chunk| to_js(env, chunk).or_else(|_| to_js(env, Chunk::Latin1(&[])))).collect::<Result<_>>()?;
        // SAFETY: JavaScript is inside this call, so nothing else reads or writes its array.
        let Some(([count, again], rest)) = (unsafe { words.as_mut() }).split_first_chunk_mut::<2>() else {
            return Err(Error::from_reason("the array for words is too short"));
        };
        *again = i32::from(more);
        if rest.len() >= batch.words().len() {
            *count = batch.words().len() as i32;
            rest[..batch.words().len()].copy_from_slice(batch.words());
        } else {
            *count = -1;
            *lock(&self.large) = Some(batch);
        }
        Ok(Some(chunks))
    }

    /// The words of the batch that was too large for `drain()`.
    #[napi(catch_unwind)]
    pub fn take_words(&self) -> Int32Array {
        Int32Array::new(lock(&self.large).take().map_or_else(Vec::new, Batch::into_words))
    }

    /// Resolves options and environment variables (both JSON objects) and makes a pool under the number `pool`. Returns its settings, or the
    /// error, as JSON.
    #[napi(catch_unwind)]
    pub fn open_pool(&self, pool: u32, options: String, variables: String, as_node_postgres: bool) -> Result<String> {
        let mut config = match resolve(&options, &variables, as_node_postgres) {
            Ok(config) => config,
            Err(error) => return Ok(error_text(&error)),
        };
        let settings = settings(&config).to_string();
        let (login, tokens) = self.owner.login(&mut config.login, pool, self.questions.password(&self.queue, pool));
        let prepares = Arc::<AtomicBool>::default();
        let (queue, clients, identity) = (self.queue.clone(), self.clients.clone(), self.questions.identity(&self.queue, pool));
        let events = {
            let (prepares, observed) = (prepares.clone(), self.observed.clone());
            move |target: &Arc<Target>| EventSender {
                queue: queue.clone(),
                clients: clients.clone(),
                pool,
                target: target.clone(),
                prepares: prepares.clone(),
                observed: observed.clone(),
            }
        };
        let ledger = Arc::<Ledger>::default();
        let own_ledger = ledger.clone();
        let make = move |config: Config| {
            let target = Arc::new(Target::new(config.connect).asking(identity.clone()));
            let events = events(&target);
            Pool::new(config.pool, target, login.clone(), Arc::new(events), own_ledger.clone(), runtime::handle().clone())
        };
        let opened = match &tokens {
            Some(tokens) if config.lookup.is_needed() => {
                let queue = self.queue.clone();
                let make = move |config: Config| {
                    located(&queue, pool, &config);
                    make(config)
                };
                Opened::Deferred(Arc::new(Deferred::new(config, tokens.clone(), Box::new(make))))
            }
            _ => Opened::Ready(make(config)),
        };
        lock(&self.pools).insert(pool, OpenPool { pool: opened, ledger, prepares, tokens });
        Ok(settings)
    }

    /// How many connections the pool has in each phase, as they are whenever they are read: see `Ledger::memory`. Read only.
    #[napi(catch_unwind)]
    pub fn counts(&self, pool: u32) -> Option<Int32Array> {
        let ledger = lock(&self.pools).get(&pool)?.ledger.clone();
        let (counts, length) = ledger.memory();
        // SAFETY: the counts are atomics that live as long as the ledger, which the array keeps until it is collected. JavaScript only reads.
        Some(unsafe { Int32Array::with_external_data(counts, length, move |_, _| drop(ledger)) })
    }

    /// From now on new connections of the pool wait for `prepared()` before they are used.
    #[napi(catch_unwind)]
    pub fn prepare_connections(&self, pool: u32) {
        if let Some(open) = lock(&self.pools).get(&pool) {
            open.prepares.store(true, Ordering::Relaxed);
        }
    }

    /// Runs a query on any connection of the pool; answered by a response.
    #[napi(catch_unwind)]
    pub fn query(&self, pool: u32, request: u32, text: String, name: Option<String>, params: Option<Params>, flags: u32) {
        let answer = Answer::new(&self.queue, request);
        let decoding = Decoding::from_bits(flags as u8);
        let query = query(text, name, params, flags);
        self.with_pool(pool, answer, move |pool, answer| {
            pool.query(query, flags & flags::GROW != 0, Box::new(move |result| answer.respond(&result, decoding)));
        });
    }

    /// A new connection may go into service, or not: `error` is then the number under which JavaScript keeps why.
    #[napi(catch_unwind)]
    pub fn prepared(&self, connection: u32, error: Option<u32>) {
        let sender = self.clients.lock().get_mut(&connection).and_then(|client| client.prepared.take());
        if let Some(sender) = sender {
            let _ = sender.send(error.map_or(Ok(()), |number| Err(CoreError::caller(number))));
        }
    }

    /// Runs a query on one connection, after those that were given to it before; answered by a response.
    #[napi(catch_unwind)]
    pub fn client_query(&self, connection: u32, request: u32, text: String, name: Option<String>, params: Option<Params>, flags: u32) {
        self.run(connection, request, query(text, name, params, flags), flags);
    }

    /// Fetches rows of a large result through the connection's portal, up to `rows` of them. `step`: 0 opens the portal for `text`, 1 goes on,
    /// 2 gives up the rest. Answered by a response, whose result has a command only if it was the last.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "plain arguments cross faster than an object")]
    pub fn fetch(&self, connection: u32, request: u32, step: u32, text: String, params: Option<Params>, rows: i32, flags: u32) {
        let step = match step {
            0 => Fetch::Open { params: params.map_or_else(Vec::new, |params| params.0), rows },
            1 => Fetch::More { rows },
            _ => Fetch::Close,
        };
        self.run(connection, request, Query { text, execution: Execution::Portal(step) }, flags);
    }

    fn run(&self, connection: u32, request: u32, query: Query, flags: u32) {
        let answer = Answer::new(&self.queue, request);
        let Some(connection) = self.clients.connection(connection) else { return answer.never_ran(&not_queryable()) };
        let decoding = Decoding::from_bits(flags as u8);
        let reply = move |outcome| match outcome {
            Outcome::Completed(result) => answer.respond(&result, decoding),
            Outcome::NeverRan { cause, .. } => answer.never_ran(&cause),
            Outcome::ReadLost { cause, .. } => answer.fail(&cause),
        };
        connection.send(Request { query, pipelined: false, reply: Box::new(reply) });
    }

    /// Asks the server to cancel what the connection is running; answered by the event `done`.
    #[napi(catch_unwind)]
    pub fn cancel(&self, connection: u32, request: u32) {
        let answer = Answer::new(&self.queue, request);
        let found = self.clients.lock().get(&connection).map(|client| (client.target.clone(), client.connection.session().clone()));
        let Some((target, session)) = found else { return answer.fail(&not_queryable()) };
        runtime::handle().spawn(async move {
            match wire::cancel(&target, &session).await {
                Ok(()) => answer.event(&Event::Done),
                Err(error) => answer.fail(&error),
            }
        });
    }

    /// Drains the pool and closes its connections; answered by the event `done`.
    #[napi(catch_unwind)]
    pub fn end_pool(&self, pool: u32, request: u32) {
        let answer = Answer::new(&self.queue, request);
        let Some(OpenPool { pool, .. }) = lock(&self.pools).remove(&pool) else { return answer.event(&Event::Done) };
        let pool = match pool {
            Opened::Ready(pool) => pool,
            Opened::Deferred(deferred) => {
                let Some(pool) = deferred.pool() else { return deferred.end(Box::new(move || answer.event(&Event::Done))) };
                pool
            }
        };
        // Kept alive until it has ended.
        let ending = pool.clone();
        pool.end(Box::new(move || {
            drop(ending);
            answer.event(&Event::Done);
        }));
    }

    /// Connects without a pool, under the number `pool`; answered by the event `checkout` after `connect`.
    #[napi(catch_unwind)]
    pub fn open_client(&self, pool: u32, request: u32, options: String, variables: String) {
        let answer = Answer::new(&self.queue, request);
        let config = match resolve(&options, &variables, true) {
            Ok(config) => config,
            Err(error) => return answer.fail(&error),
        };
        let login = Login::new(&config.login, self.questions.password(&self.queue, pool));
        let target = Arc::new(Target::new(config.connect).asking(self.questions.identity(&self.queue, pool)));
        let events = Arc::new(self.events(pool, &target));
        runtime::handle().spawn(async move {
            let options = wire::Options {
                in_order: false,
                statement_cache_size: config.pool.statement_cache_size,
                pipeline_writes: false,
                schema_generation: wire::SchemaGeneration::default(),
                first_query: None,
            };
            match connect(&config.pool, &target, &login, &options, events.clone()).await {
                Ok(connection) => {
                    // Nobody else waits for it: it is prepared when JavaScript has heard of it.
                    drop(events.opened(&connection, Purpose::Caller));
                    answer.event(&Event::Checkout { connection: connection.id() });
                }
                Err(error) => answer.fail(&error),
            }
        });
    }

    /// Ends a connection that has no pool: after what it is running, or at once.
    #[napi(catch_unwind)]
    pub fn close_client(&self, connection: u32, at_once: bool) {
        if let Some(connection) = self.clients.connection(connection) {
            connection.close(at_once);
        }
    }

    /// Whether the events `connecting`, `connectEnded`, `fetching` and `fetchFailed` are wanted.
    #[napi(catch_unwind)]
    pub fn observe(&self, is_observed: bool) {
        self.observed.store(is_observed, Ordering::Relaxed);
    }

    /// Answers a question. `error`: the number under which JavaScript keeps what its function threw.
    #[napi(catch_unwind)]
    pub fn answer(&self, question: u32, password: Option<String>, error: Option<u32>) {
        let answer = match error {
            Some(number) => Err(CoreError::caller(number)),
            None => Ok(password.map(Secret::new)),
        };
        self.questions.answer(question, answer);
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub(super) fn questions(&self) -> &Arc<Questions> {
        &self.questions
    }

    /// The pool, if it is there already.
    pub(super) fn pool(&self, pool: u32) -> Option<Pool> {
        match &lock(&self.pools).get(&pool)?.pool {
            Opened::Ready(pool) => Some(pool.clone()),
            Opened::Deferred(deferred) => deferred.pool(),
        }
    }

    /// Has the pool serve a request: at once, or when the workspace has told where it is.
    pub(super) fn with_pool(&self, pool: u32, answer: Answer, serve: impl FnOnce(&Pool, Answer) + Send + 'static) {
        let deferred = match lock(&self.pools).get(&pool).map(|open| &open.pool) {
            None => Err(None),
            Some(Opened::Ready(pool)) => Err(Some(pool.clone())),
            Some(Opened::Deferred(deferred)) => Ok(deferred.clone()),
        };
        match deferred {
            Err(Some(pool)) => serve(&pool, answer),
            Err(None) => answer.fail(&CoreError::pool_ended()),
            Ok(deferred) => deferred.with(Box::new(move |pool| match pool {
                Ok(pool) => serve(pool, answer),
                Err(error) => answer.fail(error),
            })),
        }
    }

    pub(super) fn tokens(&self, pool: u32) -> Option<Arc<TokenSource>> {
        lock(&self.pools).get(&pool).and_then(|open| open.tokens.clone())
    }

    fn events(&self, pool: u32, target: &Arc<Target>) -> EventSender {
        let (queue, clients) = (self.queue.clone(), self.clients.clone());
        EventSender { queue, clients, pool, target: target.clone(), prepares: Arc::default(), observed: Arc::default() }
    }
}

/// The JavaScript thread has ended: so do its connections.
impl Drop for Environment {
    fn drop(&mut self) {
        self.queue.close();
        self.questions.close();
        self.clients.clear();
        lock(&self.proxies).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn query(text: String, name: Option<String>, params: Option<Params>, flags: u32) -> Query {
    let execution = if flags & flags::EXTENDED == 0 {
        Execution::Simple
    } else {
        Execution::Extended { name, params: params.map_or_else(Vec::new, |params| params.0), binary: flags & flags::BINARY != 0 }
    };
    Query { text, execution }
}

pub(super) type Parsed = (Map<String, Value>, HashMap<String, String>);

pub(super) fn parse(options: &str, variables: &str) -> std::result::Result<Parsed, CoreError> {
    let unreadable = |_| {
        let found = Some("something that is no object, or a text that is no Unicode".into());
        CoreError::configuration(vec![Problem { option: None, variable: None, found, expected: "an object with options".into() }])
    };
    let internal = |source: serde_json::Error| CoreError::internal("variables did not arrive as JSON").with_source(source);
    Ok((serde_json::from_str(options).map_err(unreadable)?, serde_json::from_str(variables).map_err(internal)?))
}

fn resolve(options: &str, variables: &str, as_node_postgres: bool) -> std::result::Result<Config, CoreError> {
    let (options, variables) = parse(options, variables)?;
    if as_node_postgres { config::resolve_client(&options, &variables) } else { config::resolve(&options, &variables) }
}

/// What the facade shows of a pool's settings: nothing secret. What is to be looked up is empty.
pub(super) fn settings(config: &Config) -> Value {
    let millis = |bound: Option<std::time::Duration>| bound.map_or(0, |bound| bound.as_millis() as u64);
    json!({
        "host": host(config),
        "port": config.connect.port,
        "user": config.connect.user,
        "database": config.connect.database,
        "schema": config.schema_name().filter(|_| !config.lookup.user),
        "application_name": config.connect.application_name,
        "options": config.connect.options,
        "directTls": config.connect.direct_tls,
        "query_timeout": millis(config.query_timeout),
        "encrypted": config.connect.ssl.mode != config::SslMode::Disable,
        "verified": matches!(config.connect.ssl.mode, config::SslMode::VerifyFull | config::SslMode::VerifyCa),
        "usesTokens": matches!(config.login, config::Login::Token(_)),
        "max": config.pool.max,
        "min": config.pool.min,
        "idleTimeoutMillis": millis(config.pool.idle_timeout),
        "connectionTimeoutMillis": millis(config.pool.connection_timeout),
        "allowExitOnIdle": config.pool.allow_exit_on_idle,
        "maxUses": config.pool.max_uses,
        "maxLifetimeSeconds": config.pool.max_lifetime.map_or(0, |lifetime| lifetime.as_secs()),
    })
}

/// Tells what the workspace told.
fn located(queue: &Queue, pool: u32, config: &Config) {
    let host = host(config);
    let (user, database) = (&config.connect.user, &config.connect.database);
    queue.event(&Event::Located { pool, host: &host, user, database, schema: config.schema_name() });
}

fn host(config: &Config) -> String {
    match &config.connect.host {
        _ if config.lookup.host => String::new(),
        config::Host::Tcp(host) => host.clone(),
        config::Host::Unix(directory) => directory.display().to_string(),
    }
}
