//! The I/O task: owns one socket, writes requests, reads answers, keeps the statement cache.

mod receive;
mod shutdown;
mod tunnel;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf, BytesMut};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::encoder::Encoder;
use super::handle::{Command, Connection, Observer, Shared};
use super::inflight::{Attempt, InFlight, Pending, Sent};
use super::pooler::Sharing;
use super::request::{Execution, Fetch, Outcome, Reply, Request};
use super::resend::Resends;
use super::result::{Response, RowDescription};
use super::startup::Started;
use super::tunnel::TunnelCommand;
use crate::error::{Error, Kind, SystemFailure};

/// Starts the task of a connection whose startup is done.
pub fn open<S>(started: Started<S>, observer: Arc<dyn Observer>) -> Connection
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    static NEXT_ID: AtomicU32 = AtomicU32::new(1);
    let (sender, commands) = mpsc::unbounded_channel();
    let sharing = Sharing::at_login(started.session.process_id);
    let pending: VecDeque<_> = started.first_query.into_iter().map(Pending::Request).collect();
    let shared = Arc::new(Shared {
        id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        session: started.session,
        outstanding: AtomicUsize::new(pending.len()),
        head_since: AtomicU64::new(0),
        epoch: Instant::now(),
        runtime: Handle::current(),
        closed: AtomicBool::new(false),
        transaction_status: AtomicU8::new(b'I'),
        sharing: AtomicU8::new(sharing as u8),
        pooler: started.encoder.pooler().clone(),
    });
    let mut task = Task {
        socket: started.socket,
        commands,
        shared: shared.clone(),
        observer,
        encoder: started.encoder,
        waiting: VecDeque::new(),
        resends: Resends::new(started.in_order),
        pending,
        out: BytesMut::new(),
        written: 0,
        read: started.unread,
        columns: None,
        portal: None,
        closing: None,
        completed: false,
        needs_flush: false,
    };
    shared.mark_head(!task.pending.is_empty());
    task.observer.opened(shared.id);
    tokio::spawn(async move {
        let error = match task.receive() {
            // What was read with the startup wakes nobody.
            Ok(()) => poll_fn(|cx| task.poll(cx)).await.err(),
            Err(error) => Some(error),
        };
        task.end(error).await;
    });
    Connection { shared, commands: sender }
}

struct Task<S> {
    socket: S,
    commands: mpsc::UnboundedReceiver<Command>,
    shared: Arc<Shared>,
    observer: Arc<dyn Observer>,
    encoder: Encoder,
    /// Accepted, nothing of it written.
    waiting: VecDeque<Command>,
    /// Before those that wait.
    resends: Resends,
    /// Written, in the order of their answers.
    pending: VecDeque<Pending>,
    out: BytesMut,
    /// Bytes that have left `out`, ever.
    written: u64,
    read: BytesMut,
    /// The last RowDescription: the next equal one shares it.
    columns: Option<Arc<RowDescription>>,
    /// The columns of the portal that is suspended.
    portal: Option<Arc<RowDescription>>,
    /// Somebody wants the connection closed; true: at once.
    closing: Option<bool>,
    /// A request completed since the observer was last told.
    completed: bool,
    needs_flush: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    /// Runs until the connection is over: `Ok` when we closed it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            let held_up = self.is_held_up();
            // Read first: a server that ends the session says so, and what it has not read may then go to another connection.
            let has_read = match self.poll_read(cx) {
                Poll::Ready(read) => {
                    read?;
                    self.receive()?;
                    true
                }
                Poll::Pending => false,
            };
            self.accept(cx);
            if self.closing == Some(true) {
                return Poll::Ready(Ok(()));
            }
            self.send_waiting()?;
            if let Err(error) = self.poll_write(cx) {
                return Poll::Ready(Err(self.read_last_messages(cx).unwrap_or(error)));
            }
            if self.completed {
                self.completed = false;
                self.observer.progress(self.shared.id);
            }
            if self.closing.is_some() && self.pending.is_empty() && self.is_done() && self.out.is_empty() {
                return Poll::Ready(Ok(()));
            }
            // What is no longer held up has not been asked for yet: nothing would wake this task.
            if !has_read && held_up == self.is_held_up() {
                return Poll::Pending;
            }
        }
    }

    /// Nothing is left to be sent.
    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.resends.is_empty()
    }

    fn status(&self) -> u8 {
        self.shared.transaction_status.load(Ordering::Relaxed)
    }

    /// Takes what callers have sent.
    fn accept(&mut self, cx: &mut Context<'_>) {
        loop {
            match self.commands.poll_recv(cx) {
                Poll::Ready(Some(Command::Close { at_once })) => self.closing = Some(at_once || self.closing == Some(true)),
                Poll::Ready(Some(Command::TunnelTaken(bytes))) => {
                    if let Some(Pending::Tunnel(tunnel)) = self.pending.front_mut() {
                        tunnel.take(bytes);
                    }
                }
                Poll::Ready(Some(Command::Duplicate(mut duplicate))) => {
                    for pending in self.pending.iter_mut().skip(1) {
                        if let Pending::Request(request) = pending {
                            request.duplicate(&mut duplicate);
                        }
                    }
                }
                Poll::Ready(Some(command)) => self.waiting.push_back(command),
                Poll::Ready(None) => {
                    self.closing.get_or_insert(false);
                    return;
                }
                Poll::Pending => return,
            }
        }
    }

    /// The place in `waiting` of what may go onto the wire next.
    fn next_to_go(&self) -> Option<usize> {
        if matches!(self.pending.front(), Some(Pending::Tunnel(_))) {
            // What is said through the open tunnel, and its end; everything else waits for that.
            let position = self.waiting.iter().position(|command| matches!(command, Command::Tunnel(_)))?;
            return (!matches!(self.waiting[position], Command::Tunnel(TunnelCommand::Begin(_)))).then_some(position);
        }
        if !self.resends.is_empty() {
            return None;
        }
        let may_go = match self.waiting.front()? {
            Command::Request(request) => self.may_go(request),
            // To a tunnel that has ended.
            Command::Tunnel(TunnelCommand::Write(_) | TunnelCommand::End { .. }) => true,
            _ => self.pending.is_empty(),
        };
        may_go.then_some(0)
    }

    fn may_go(&self, request: &Request) -> bool {
        self.pending.iter().all(|pending| match pending {
            Pending::Request(other) => request.pipelined && other.pipelined,
            Pending::Probe(_) => request.pipelined && self.may_ask_behind(),
            Pending::Tunnel(_) | Pending::Ping(_) => false,
        })
    }

    /// Moves requests onto the wire as far as they may share it.
    fn send_waiting(&mut self) -> Result<(), Error> {
        while self.resends.next().is_some_and(|request| self.may_go(request)) {
            if let Some((request, attempt)) = self.resends.take_next() {
                self.shared.mark_head(true);
                self.write_request(request, attempt);
            }
        }
        while let Some(position) = self.next_to_go() {
            if self.pending.is_empty() {
                self.shared.mark_head(true);
            }
            match self.waiting.remove(position) {
                Some(Command::Request(request)) => self.write_request(request, Attempt::First),
                Some(Command::Tunnel(command)) => self.tunnel(command),
                Some(Command::Ping(reply)) => {
                    frontend::sync(&mut self.out);
                    self.pending.push_back(Pending::Ping(reply));
                }
                _ => {}
            }
        }
        if self.pending.is_empty() {
            self.shared.mark_head(false);
        }
        Ok(())
    }

    /// Writes one request; one that cannot be written is answered with the error, and the wire stays as it was.
    fn write_request(&mut self, Request { query, pipelined, reply }: Request, attempt: Attempt) {
        if matches!(query.execution, Execution::Portal(Fetch::More { .. } | Fetch::Close)) && self.portal.is_none() {
            // Asked for before it was known that there is no more.
            let nothing = Response { results: Vec::new(), transaction_status: self.status(), connection: self.shared.id };
            return self.answer(reply, Outcome::Completed(Ok(nothing)));
        }
        let before = self.out.len();
        match self.encoder.encode(&query, attempt, self.status(), &mut self.out) {
            Ok(sent) => {
                let mut request = Box::new(InFlight::new(query, pipelined, sent, reply));
                request.attempt = attempt;
                request.position = self.written + before as u64;
                if let (Sent::Portal, Some(columns)) = (&request.sent, self.portal.take()) {
                    request.columns(columns);
                }
                self.pending.push_back(Pending::Request(request));
                if self.may_ask_behind() {
                    self.ask_where_it_leads();
                }
            }
            Err(error) => {
                self.out.truncate(before);
                self.answer(reply, Outcome::Completed(Err(error)));
            }
        }
    }

    /// Whether a probe may share the wire with queries. Behind what may be a pooler nothing does.
    fn may_ask_behind(&self) -> bool {
        self.shared.may_share(false)
    }

    /// Sends the probe that the encoder wants, if it wants one.
    fn ask_where_it_leads(&mut self) {
        self.pending.extend(self.encoder.take_probe(&mut self.out).map(Pending::Probe));
    }

    fn answer(&mut self, reply: Reply, outcome: Outcome) {
        self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
        self.completed = true;
        reply(outcome);
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        while !self.out.is_empty() {
            match Pin::new(&mut self.socket).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => return Err(Error::connection_lost()),
                Poll::Ready(Ok(written)) => {
                    self.out.advance(written);
                    self.written += written as u64;
                    self.needs_flush = true;
                }
                Poll::Ready(Err(error)) => return Err(lost(error)),
                Poll::Pending => return Ok(()),
            }
        }
        if let Some(Pending::Tunnel(tunnel)) = self.pending.front_mut() {
            tunnel.note_sent();
        }
        if self.needs_flush {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.needs_flush = false,
                Poll::Ready(Err(error)) => return Err(lost(error)),
                Poll::Pending => {}
            }
        }
        Ok(())
    }
}

/// A socket error in the middle of a session, with the code Node.js gives it.
fn lost(error: io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::BrokenPipe => "EPIPE",
        io::ErrorKind::TimedOut => "ETIMEDOUT",
        _ => "ECONNRESET",
    };
    let syscall = if code == "EPIPE" { "write" } else { "read" };
    let failure = SystemFailure { syscall, code: code.into(), errno: error.raw_os_error(), address: None, port: None };
    Error::new(Kind::ConnectionLost, "Connection terminated unexpectedly").with_code(code).with_system(vec![failure]).with_source(error)
}
