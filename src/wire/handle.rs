//! The handle to a connection: what the rest of the core holds while the I/O task owns the socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::pooler::{Pooler, Sharing};
use super::request::{Outcome, Query, Reply, Request};
use super::session::{ConnectionId, Session};
use super::tunnel::{TunnelCommand, TunnelEnd};
use crate::error::{Error, ServerMessage};

/// What a connection tells without being asked. Called on the runtime thread; must not block.
pub trait Observer: Send + Sync {
    fn opened(&self, _connection: ConnectionId) {}
    /// Requests have completed since the last call: the load has changed.
    fn progress(&self, _connection: ConnectionId) {}
    fn notice(&self, _connection: ConnectionId, _notice: ServerMessage) {}
    fn notification(&self, _connection: ConnectionId, _process_id: i32, _channel: &str, _payload: &str) {}
    /// The server reported an error that belongs to no request, and keeps the session.
    fn error(&self, _connection: ConnectionId, _error: Error) {}
    /// The connection has ended; `None` when we ended it.
    fn closed(&self, _connection: ConnectionId, _error: Option<Error>) {}
}

/// Makes the reply that a request gets in place of its own, of a copy of its query and its own.
pub type Duplicate = Box<dyn FnMut(Query, Reply) -> Reply + Send>;

pub(super) enum Command {
    Request(Request),
    /// Look for plain reads behind the request at the head.
    Duplicate(Duplicate),
    Tunnel(TunnelCommand),
    /// The caller at the end of a tunnel has taken so many bytes.
    TunnelTaken(usize),
    /// A Sync of our own; answered when the server is alive.
    Ping(oneshot::Sender<()>),
    /// Send Terminate after what is in flight, or now.
    Close {
        at_once: bool,
    },
}

/// What both sides read.
pub(super) struct Shared {
    pub id: ConnectionId,
    pub session: Session,
    /// Requests that were accepted and not yet answered.
    pub outstanding: AtomicUsize,
    /// When the request at the head began to be the server's only business, in µs since `epoch`; 0 when there is none.
    pub head_since: AtomicU64,
    pub epoch: Instant,
    pub runtime: Handle,
    pub closed: AtomicBool,
    pub transaction_status: AtomicU8,
    /// A [`Sharing`].
    pub sharing: AtomicU8,
    pub pooler: Pooler,
}

/// A connection. Clones share it; it is closed when the last one is dropped.
#[derive(Clone)]
pub struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

impl Shared {
    /// Marks that the server now works on the request at the head, or (false) on none.
    pub fn mark_head(&self, busy: bool) {
        let now = if busy { self.epoch.elapsed().as_micros().max(1) as u64 } else { 0 };
        self.head_since.store(now, Ordering::Relaxed);
    }

    pub fn may_share(&self, writes: bool) -> bool {
        match Sharing::from_byte(self.sharing.load(Ordering::Relaxed)) {
            Sharing::Nothing => false,
            Sharing::Reads => !writes && !self.pooler.shares_servers(),
            Sharing::Writes => true,
        }
    }
}

impl Connection {
    pub fn id(&self) -> ConnectionId {
        self.shared.id
    }

    pub fn session(&self) -> &Session {
        &self.shared.session
    }

    /// Puts a request onto the connection. Its reply is called even if the connection is already gone, and never from inside this call.
    pub fn send(&self, request: Request) {
        self.shared.outstanding.fetch_add(1, Ordering::Relaxed);
        if let Err(mpsc::error::SendError(command)) = self.commands.send(Command::Request(request)) {
            self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
            if let Command::Request(Request { query, reply, .. }) = command {
                // Not from here: the caller may hold a lock that the reply takes.
                self.shared
                    .runtime
                    .spawn(async move { reply(Outcome::NeverRan { query, cause: Error::connection_lost(), refused: false }) });
            }
        }
    }

    /// Opens a tunnel after what is in flight. Nothing else runs on the connection before [`tunnel_end`](Self::tunnel_end).
    pub fn tunnel(&self, end: Box<dyn TunnelEnd>) {
        self.shared.outstanding.fetch_add(1, Ordering::Relaxed);
        if self.commands.send(Command::Tunnel(TunnelCommand::Begin(end))).is_err() {
            self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Sends messages, or a part of one, through the tunnel.
    pub fn tunnel_write(&self, bytes: Vec<u8>) {
        self.tell_tunnel(TunnelCommand::Write(bytes));
    }

    /// The caller has taken so many of the bytes that came through the tunnel.
    pub fn tunnel_taken(&self, bytes: usize) {
        // A send that fails finds the connection already ended, here and below.
        let _ = self.commands.send(Command::TunnelTaken(bytes));
    }

    /// Ends the tunnel, after the ReadyForQuery of whatever was sent through it. `named`: the statements that the caller has prepared under
    /// names of its own, with their texts.
    pub fn tunnel_end(&self, named: Vec<(String, String)>) {
        self.tell_tunnel(TunnelCommand::End { named });
    }

    fn tell_tunnel(&self, command: TunnelCommand) {
        let _ = self.commands.send(Command::Tunnel(command));
    }

    /// Hands out copies of the plain reads that are on the wire behind the request at the head, so that they can be run elsewhere, too.
    /// Nothing is taken back from the wire.
    pub fn duplicate_waiting(&self, duplicate: Duplicate) {
        // A send that fails finds the connection already ended.
        let _ = self.commands.send(Command::Duplicate(duplicate));
    }

    /// Pings the server with a Sync. False when it did not answer within `bound`.
    pub async fn ping(&self, bound: Duration) -> bool {
        let (reply, answered) = oneshot::channel();
        self.commands.send(Command::Ping(reply)).is_ok() && matches!(tokio::time::timeout(bound, answered).await, Ok(Ok(())))
    }

    /// Ends the connection: after what is in flight, or (`at_once`) without waiting for it.
    pub fn close(&self, at_once: bool) {
        // A send that fails finds the connection already ended.
        let _ = self.commands.send(Command::Close { at_once });
    }

    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Requests on their way.
    pub fn outstanding(&self) -> usize {
        self.shared.outstanding.load(Ordering::Relaxed)
    }

    /// A number for the request at the head, which no other has; 0 when there is none.
    pub fn head(&self) -> u64 {
        self.shared.head_since.load(Ordering::Relaxed)
    }

    /// How long the server has been at the request at the head; zero when there is none.
    pub fn head_age(&self) -> Duration {
        match self.head() {
            0 => Duration::ZERO,
            since => self.shared.epoch.elapsed().saturating_sub(Duration::from_micros(since)),
        }
    }

    /// Whether a query may be sent before the answers of others are in, or be followed by others. `writes`: it is no plain read.
    pub fn may_share(&self, writes: bool) -> bool {
        self.shared.may_share(writes)
    }

    /// `I` idle, `T` in a transaction, `E` in a failed one, as of the last ReadyForQuery.
    pub fn transaction_status(&self) -> u8 {
        self.shared.transaction_status.load(Ordering::Relaxed)
    }
}
