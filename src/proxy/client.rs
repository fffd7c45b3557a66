//! One client, from its first byte to the end of its session.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::relay::{Traffic, relay};
use super::request::{self, Request, Startup};
use super::scram::{Exchange, MECHANISM, Verifier};
use super::sessions::{Entry, Sessions};
use super::{AUTHENTICATION_BOUND, Asked, Events, MAX_CLIENTS, message};
use crate::config::PoolConfig;
use crate::error::{Error, Kind};
use crate::pool::{Login, begin_session};
use crate::wire::{self, Options, SchemaGeneration, Session, Target};

/// How long a cancel request may take.
const CANCEL_BOUND: Duration = Duration::from_secs(10);

/// How long a client may take to read why it is refused.
const REFUSAL_BOUND: Duration = Duration::from_secs(2);

/// What all clients have in common.
pub struct Database {
    pub pool: PoolConfig,
    pub target: Arc<Target>,
    pub login: Login,
    /// Of the local password.
    pub verifier: Option<Arc<Verifier>>,
    pub sessions: Sessions,
    pub events: Arc<dyn Events>,
}

pub struct Client {
    pub number: u64,
    pub peer: SocketAddr,
    pub database: Arc<Database>,
}

/// What comes of a client before it has a session. An I/O error is the client's own: it is gone.
type Admitted = io::Result<Result<Startup, Error>>;

impl Client {
    /// Serves the client to its end. Without a place it hears that there are too many.
    pub async fn serve(self, mut socket: TcpStream, has_place: bool) {
        let deadline = Instant::now() + AUTHENTICATION_BOUND;
        let asked = timeout_at(deadline, request::read(&mut socket)).await;
        let startup = match asked {
            Ok(Ok(Some(Ok(Request::Cancel { process_id, secret_key })))) => return self.cancel((process_id, secret_key)).await,
            Ok(Ok(Some(Ok(Request::Start(startup))))) => startup,
            Ok(Ok(Some(Err(error)))) => return self.refuse(socket, &Asked::default(), &error).await,
            // Another protocol, or nothing in time.
            Ok(Ok(None) | Err(_)) | Err(_) => return,
        };
        let asked = startup.asked();
        if !has_place {
            let message = format!("sorry, too many clients already (the proxy serves {MAX_CLIENTS})");
            return self.refuse(socket, &asked, &Error::new(Kind::Connection, message).with_code("53300")).await;
        }
        match timeout_at(deadline, self.admit(&mut socket, startup)).await {
            Ok(Ok(Ok(startup))) => self.begin(socket, &startup, &asked).await,
            Ok(Ok(Err(error))) => self.refuse(socket, &asked, &error).await,
            // It went away, perhaps to ask its user for the password.
            Ok(Err(_)) | Err(_) => {}
        }
    }

    /// Lets in who knows the local password, if there is one.
    async fn admit(&self, socket: &mut TcpStream, startup: Startup) -> Admitted {
        let mut out = BytesMut::new();
        if startup.newer || !startup.unknown.is_empty() {
            let unknown: Vec<_> = startup.unknown.iter().map(String::as_str).collect();
            message::negotiate_protocol_version(&mut out, &unknown);
        }
        if let Some(verifier) = &self.database.verifier {
            let refused = || {
                let user = startup.parameter("user").unwrap_or_default();
                let message = format!("password authentication failed for user {user:?}");
                let hint = "the proxy wants the password that it was started with";
                Ok(Err(Error::new(Kind::Authentication, message).with_code("28P01").with_hint(hint)))
            };
            message::authentication_sasl(&mut out, MECHANISM);
            socket.write_all_buf(&mut out).await?;
            let Some(initial) = request::answer(socket).await? else { return Err(io::ErrorKind::InvalidData.into()) };
            let Some((exchange, answer)) = Exchange::begin(verifier, &initial) else { return refused() };
            message::authentication_sasl_continue(&mut out, &answer);
            socket.write_all_buf(&mut out).await?;
            let Some(response) = request::answer(socket).await? else { return Err(io::ErrorKind::InvalidData.into()) };
            let Some(proof) = exchange.finish(verifier, &response) else { return refused() };
            message::authentication_sasl_final(&mut out, &proof);
        }
        socket.write_all_buf(&mut out).await?;
        Ok(Ok(startup))
    }

    /// Logs in for the client and passes on what both sides say.
    async fn begin(&self, socket: TcpStream, startup: &Startup, asked: &Asked) {
        let Database { pool, target, login, sessions, events, .. } = &*self.database;
        let target = Arc::new(target.with_session(|config| apply(config, startup, asked)));
        let began = Instant::now();
        let options = Options {
            statement_cache_size: 0,
            pipeline_writes: false,
            schema_generation: SchemaGeneration::default(),
            in_order: false,
            first_query: None,
        };
        let started = tokio::select! {
            started = begin_session(pool, &target, login, &options) => started,
            () = gone(&socket) => return,
        };
        let (server, session, unread) = match started {
            Ok(started) => started.into_parts(),
            Err(error) => return self.refuse(socket, asked, &error).await,
        };
        let registered = sessions.register(Entry { client: self.number, target, session: session.clone() });
        events.opened(self.number, self.peer, asked, session.process_id, began.elapsed());
        let began = Instant::now();
        let traffic = Traffic::default();
        // A future that is dropped with the proxy says so, too.
        let _closing = Closing { client: self, began, traffic: &traffic };
        let mut socket = socket;
        if socket.write_all(&greeting(&session, registered.key.1, &unread)).await.is_ok() {
            relay(socket, server, &traffic).await;
        }
    }

    async fn refuse(&self, mut socket: TcpStream, asked: &Asked, error: &Error) {
        self.database.events.refused(self.number, self.peer, asked, error);
        let mut out = BytesMut::new();
        message::refusal(&mut out, error);
        // Read to its end: a socket that is closed with unread bytes is reset, and the refusal is lost.
        let told = async {
            socket.write_all_buf(&mut out).await?;
            socket.shutdown().await?;
            tokio::io::copy(&mut socket, &mut tokio::io::sink()).await
        };
        let _ = timeout(REFUSAL_BOUND, told).await;
    }

    /// The client waits for the end of its socket, which comes when the server has acted.
    async fn cancel(&self, key: (i32, i32)) {
        let events = &self.database.events;
        let Some(entry) = self.database.sessions.find(key) else { return events.canceled(None, None) };
        let error = match timeout(CANCEL_BOUND, wire::cancel(&entry.target, &entry.session)).await {
            Ok(done) => done.err(),
            Err(_) => Some(entry.target.timed_out()),
        };
        events.canceled(Some(entry.client), error.as_ref());
    }
}

/// Tells that the session is over, however it came to that.
struct Closing<'a> {
    client: &'a Client,
    began: Instant,
    traffic: &'a Traffic,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let Traffic { sent, received } = self.traffic;
        let (sent, received) = (sent.load(Ordering::Relaxed), received.load(Ordering::Relaxed));
        self.client.database.events.closed(self.client.number, self.began.elapsed(), sent, received);
    }
}

/// Ends when the client has gone. One that already sends its first query has not.
async fn gone(socket: &TcpStream) {
    if let Ok(1..) = socket.peek(&mut [0]).await {
        std::future::pending().await
    }
}

/// The client's session settings in place of the configuration's; the user stays that of the credential.
fn apply(config: &mut crate::config::ConnectConfig, startup: &Startup, asked: &Asked) {
    config.database.clone_from(&asked.database);
    if asked.application_name.is_some() {
        config.application_name.clone_from(&asked.application_name);
    }
    if let Some(theirs) = startup.parameter("options").filter(|options| !options.is_empty()) {
        // Later settings win.
        config.options = Some(config.options.take().map_or_else(|| theirs.to_owned(), |ours| format!("{ours} {theirs}")));
    }
    let own = ["user", "database", "application_name", "options"];
    config.startup_parameters = startup.parameters.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
}

/// What a server says to a client that has logged in; then what the real one has said beyond that.
fn greeting(session: &Session, secret_key: i32, unread: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    message::authentication_ok(&mut out);
    for (name, value) in &session.parameters {
        message::parameter_status(&mut out, name, value);
    }
    message::backend_key_data(&mut out, session.process_id, secret_key);
    for notice in &session.notices {
        message::notice(&mut out, notice);
    }
    message::ready_for_query(&mut out);
    out.extend_from_slice(unread);
    out
}
