//! The I/O task: owns one socket, writes requests, reads answers, keeps the statement cache.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::io::poll_read_buf;

use super::encoder::Encoder;
use super::handle::{Command, Connection, Observer, Shared, ended};
use super::inflight::{Flight, InFlight, Sent};
use super::message::{decode, frame, make_room, malformed, row_description, server_message, stray, unasked, violation};
use super::pooler::Sharing;
use super::request::{Execution, Fetch, Outcome, Reply, Request};
use super::resend::{Attempt, Resends};
use super::result::{Response, RowDescription};
use super::startup::Started;
use super::tunnel::{Overheard, Tunnel, TunnelCommand, overhear};
use crate::error::{Error, Kind, ServerMessage, SystemFailure};

/// How long a goodbye may take.
const GOODBYE_BOUND: Duration = Duration::from_secs(1);

/// Starts the task of a connection whose startup is done.
pub fn open<S>(started: Started<S>, observer: Arc<dyn Observer>) -> Connection
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    static NEXT_ID: AtomicU32 = AtomicU32::new(1);
    let (sender, commands) = mpsc::unbounded_channel();
    let sharing = Sharing::at_login(started.session.process_id);
    let flights: VecDeque<_> = started.first_query.into_iter().map(Flight::Request).collect();
    let shared = Arc::new(Shared {
        id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        session: started.session,
        outstanding: AtomicUsize::new(flights.len()),
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
        flights,
        out: BytesMut::new(),
        written: 0,
        read: started.unread,
        columns: None,
        portal: None,
        overheard: Vec::new(),
        closing: None,
        completed: false,
        needs_flush: false,
    };
    shared.mark_head(!task.flights.is_empty());
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
    flights: VecDeque<Flight>,
    out: BytesMut,
    /// Bytes that have left `out`, ever.
    written: u64,
    read: BytesMut,
    /// The last RowDescription: the next equal one shares it.
    columns: Option<Arc<RowDescription>>,
    /// The columns of the portal that is suspended.
    portal: Option<Arc<RowDescription>>,
    /// Command tags that have passed through the tunnel since the last ReadyForQuery.
    overheard: Vec<String>,
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
                return Poll::Ready(Err(self.last_words(cx).unwrap_or(error)));
            }
            if self.completed {
                self.completed = false;
                self.observer.progress(self.shared.id);
            }
            if self.closing.is_some() && self.flights.is_empty() && self.is_done() && self.out.is_empty() {
                return Poll::Ready(Ok(()));
            }
            // What is no longer held up has not been asked for yet: nothing would wake this task.
            if !has_read && held_up == self.is_held_up() {
                return Poll::Pending;
            }
        }
    }

    /// Whether nothing is read because the caller at the end of a tunnel is behind.
    fn is_held_up(&self) -> bool {
        matches!(self.flights.front(), Some(Flight::Tunnel(tunnel)) if tunnel.is_behind())
    }

    /// What the server said before it closed the socket that can no longer be written to.
    fn last_words(&mut self, cx: &mut Context<'_>) -> Option<Error> {
        while let Poll::Ready(Ok(())) = self.poll_read(cx) {
            if let Err(error) = self.receive() {
                return Some(error);
            }
        }
        None
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
                    if let Some(Flight::Tunnel(tunnel)) = self.flights.front_mut() {
                        tunnel.take(bytes);
                    }
                }
                Poll::Ready(Some(Command::Duplicate(mut duplicate))) => {
                    for flight in self.flights.iter_mut().skip(1) {
                        if let Flight::Request(request) = flight {
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
        if matches!(self.flights.front(), Some(Flight::Tunnel(_))) {
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
            _ => self.flights.is_empty(),
        };
        may_go.then_some(0)
    }

    fn may_go(&self, request: &Request) -> bool {
        self.flights.iter().all(|flight| match flight {
            Flight::Request(other) => request.pipelined && other.pipelined,
            Flight::Probe(_) => request.pipelined && self.may_ask_behind(),
            Flight::Tunnel(_) | Flight::Ping(_) => false,
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
            if self.flights.is_empty() {
                self.shared.mark_head(true);
            }
            match self.waiting.remove(position) {
                Some(Command::Request(request)) => self.write_request(request, Attempt::First),
                Some(Command::Tunnel(command)) => self.tunnel(command),
                Some(Command::Ping(reply)) => {
                    frontend::sync(&mut self.out);
                    self.flights.push_back(Flight::Ping(reply));
                }
                _ => {}
            }
        }
        if self.flights.is_empty() {
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
                self.flights.push_back(Flight::Request(request));
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
        self.flights.extend(self.encoder.take_probe(&mut self.out).map(Flight::Probe));
    }

    fn tunnel(&mut self, command: TunnelCommand) {
        match command {
            TunnelCommand::Begin(end) => self.flights.push_back(Flight::Tunnel(Tunnel::new(end))),
            TunnelCommand::Write(bytes) => {
                if let Some(Flight::Tunnel(tunnel)) = self.flights.front_mut() {
                    tunnel.note_write(&bytes);
                    self.out.extend_from_slice(&bytes);
                }
            }
            TunnelCommand::End { named } => {
                if matches!(self.flights.front(), Some(Flight::Tunnel(_))) {
                    self.flights.pop_front();
                    self.encoder.note_named(named);
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                    self.completed = true;
                }
            }
        }
    }

    fn answer(&mut self, reply: Reply, outcome: Outcome) {
        self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
        self.completed = true;
        reply(outcome);
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        while !self.out.is_empty() {
            match Pin::new(&mut self.socket).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => return Err(ended()),
                Poll::Ready(Ok(written)) => {
                    self.out.advance(written);
                    self.written += written as u64;
                    self.needs_flush = true;
                }
                Poll::Ready(Err(error)) => return Err(lost(error)),
                Poll::Pending => return Ok(()),
            }
        }
        if let Some(Flight::Tunnel(tunnel)) = self.flights.front_mut() {
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

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.is_held_up() {
            // What the caller takes comes as a command, which wakes this task.
            return Poll::Pending;
        }
        make_room(&mut self.read)?;
        match ready!(poll_read_buf(Pin::new(&mut self.socket), cx, &mut self.read)) {
            Ok(0) => Poll::Ready(Err(ended())),
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(lost(error))),
        }
    }

    /// Handles every complete message that has been read.
    fn receive(&mut self) -> Result<(), Error> {
        if matches!(self.flights.front(), Some(Flight::Tunnel(_))) {
            return self.receive_for_tunnel();
        }
        while let Some((tag, length)) = frame(&self.read)? {
            match (tag, self.flights.front_mut()) {
                (b'D', Some(Flight::Request(request))) => {
                    request.row(&self.read[5..length]);
                    self.read.advance(length);
                }
                (b'D', Some(Flight::Probe(probe))) => {
                    probe.row(&self.read[5..length]);
                    self.read.advance(length);
                }
                (b'W', Some(Flight::Request(_))) => {
                    return Err(Error::new(
                        Kind::Usage,
                        "the server has begun a replication stream, which is not supported: use pg for that",
                    )
                    .with_code("REPLICATION_NOT_SUPPORTED"));
                }
                (b'T', Some(Flight::Request(request))) => {
                    let wire = self.read.split_to(length).freeze();
                    let body = wire.slice(5..);
                    let columns = match &self.columns {
                        Some(last) if last.wire == body => last.clone(),
                        _ => match decode(&mut BytesMut::from(&wire[..]), length)?.0 {
                            Message::RowDescription(fields) => {
                                // A copy: a slice would keep the whole read buffer alive.
                                let own = bytes::Bytes::copy_from_slice(&body);
                                self.columns.insert(Arc::new(row_description(own, &fields)?)).clone()
                            }
                            _ => return Err(violation("a RowDescription cannot be decoded")),
                        },
                    };
                    request.columns(columns);
                }
                _ => {
                    let (message, wire_length) = decode(&mut self.read, length)?;
                    self.handle(message, wire_length)?;
                }
            }
        }
        Ok(())
    }

    fn receive_for_tunnel(&mut self) -> Result<(), Error> {
        let (end, overheard) = overhear(&self.read)?;
        let Some(Flight::Tunnel(tunnel)) = self.flights.front_mut() else { return Ok(()) };
        for word in overheard {
            match word {
                Overheard::Tag(tag) => self.overheard.push(tag),
                Overheard::Ready(status) => {
                    self.shared.transaction_status.store(status, Ordering::Relaxed);
                    self.encoder.note_tunnel(&std::mem::take(&mut self.overheard), tunnel.take_schema_change(), status);
                }
            }
        }
        if end > 0 {
            tunnel.receive(&self.read[..end]);
            self.read.advance(end);
        }
        Ok(())
    }

    fn handle(&mut self, message: Message, wire_length: u32) -> Result<(), Error> {
        match message {
            Message::ReadyForQuery(body) => self.ready(body.status()),
            Message::NoticeResponse(body) => {
                if let Some(Flight::Request(request)) = self.flights.front_mut() {
                    request.note_notice();
                }
                self.observer.notice(self.shared.id, server_message(body.fields(), wire_length)?);
                Ok(())
            }
            Message::NotificationResponse(body) => {
                let (channel, payload) = (body.channel().map_err(malformed)?, body.message().map_err(malformed)?);
                self.observer.notification(self.shared.id, body.process_id(), channel, payload);
                Ok(())
            }
            Message::ParameterStatus(body) => {
                self.encoder.note_parameter(body.name().map_err(malformed)?);
                Ok(())
            }
            Message::ErrorResponse(body) => self.failed(server_message(body.fields(), wire_length)?),
            message => {
                let request = match self.flights.front_mut() {
                    Some(Flight::Request(request)) => request,
                    Some(Flight::Probe(_)) => return Ok(()),
                    _ => return Err(stray(&message)),
                };
                request.take(message, &mut self.out)?;
                self.portal = request.suspended_portal().cloned();
                if self.portal.is_some() {
                    let status = self.status();
                    self.finish_head(status);
                }
                Ok(())
            }
        }
    }

    /// The request at the head has all it will get.
    fn finish_head(&mut self, status: u8) {
        if let Some(Flight::Request(request)) = self.flights.pop_front() {
            self.complete(request, status);
        }
    }

    fn failed(&mut self, error: ServerMessage) -> Result<(), Error> {
        let fatal = error.fatal;
        match self.flights.front_mut() {
            Some(Flight::Request(request)) => {
                request.fail(error.clone());
                request.sync_portal(&mut self.out);
            }
            Some(Flight::Probe(probe)) => probe.fail(),
            // An error nobody asked for: the server ends the session (57P01 and its kin).
            _ if fatal => {}
            // Unless it does not say so: the connection stays, for what it is worth.
            _ => self.observer.error(self.shared.id, Error::database(error.clone())),
        }
        if fatal { Err(Error::database(error)) } else { Ok(()) }
    }

    /// The answer at the head is whole.
    fn ready(&mut self, status: u8) -> Result<(), Error> {
        self.shared.transaction_status.store(status, Ordering::Relaxed);
        if matches!(self.flights.front(), Some(Flight::Request(request)) if request.is_unanswered()) {
            // PgBouncer in transaction mode hands the end of a request to another server when the first one was lost in the middle of it:
            // what has begun there is undone.
            return Err(violation("ReadyForQuery came without the result of the request, as when a pooler has lost its server"));
        }
        match self.flights.pop_front() {
            Some(Flight::Ping(reply)) => {
                let _ = reply.send(());
            }
            Some(Flight::Probe(probe)) => {
                if let Some(sharing) = self.encoder.note_probe(&probe, self.shared.session.process_id, self.shared.id) {
                    self.shared.sharing.store(sharing as u8, Ordering::Relaxed);
                    // Whoever waits for a connection may now share this one.
                    self.completed = true;
                }
            }
            Some(Flight::Request(request)) => {
                self.encoder.note_effects(&request, status);
                if let Some((request, status)) = self.resends.keep(request, status) {
                    self.complete(request, status);
                }
            }
            Some(Flight::Tunnel(_)) | None => return Err(unasked("readyForQuery")),
        }
        if self.flights.is_empty() && !self.resends.is_empty() {
            for (request, status) in self.resends.settle() {
                self.complete(request, status);
            }
        }
        if self.flights.is_empty() && self.resends.is_empty() && status == b'I' {
            self.ask_where_it_leads();
        }
        self.shared.mark_head(!self.flights.is_empty());
        Ok(())
    }

    fn complete(&mut self, request: Box<InFlight>, status: u8) {
        self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
        self.completed = true;
        request.complete(self.shared.id, status);
    }

    /// Says goodbye, answers whoever still waits, tells the observer.
    async fn end(&mut self, error: Option<Error>) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.pooler.forget(self.shared.id);
        self.shared.mark_head(false);
        if error.is_none() {
            frontend::terminate(&mut self.out);
            let goodbye = async {
                self.socket.write_all_buf(&mut self.out).await?;
                self.socket.shutdown().await
            };
            // A peer that is gone, or no longer listens, needs none.
            let _ = timeout(GOODBYE_BOUND, goodbye).await;
        }
        let cause = error.clone().unwrap_or_else(|| Error::new(Kind::Connection, "Connection terminated").with_code("CONNECTION_LOST"));
        let (answered, unsent) = self.resends.end();
        for (request, status) in answered {
            self.complete(request, status);
        }
        unsent.into_iter().rev().for_each(|request| self.waiting.push_front(Command::Request(request)));
        let had_flights = self.flights.iter().any(|flight| !matches!(flight, Flight::Probe(_)));
        let mut at_head = true;
        for flight in std::mem::take(&mut self.flights) {
            match flight {
                Flight::Request(request) => {
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                    if request.position >= self.written {
                        request.lose_unwritten(&cause);
                    } else {
                        request.lose(&cause, std::mem::take(&mut at_head));
                    }
                }
                Flight::Tunnel(_) => {
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                }
                Flight::Ping(_) | Flight::Probe(_) => {}
            }
        }
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.waiting.push_back(command);
        }
        for command in std::mem::take(&mut self.waiting) {
            match command {
                Command::Request(Request { query, reply, .. }) => {
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                    reply(Outcome::NeverRan { query, cause: cause.clone(), refused: false });
                }
                Command::Tunnel(TunnelCommand::Begin(_)) => {
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                }
                _ => {}
            }
        }
        // A server's last word to a request is its caller's; whoever watches the connection hears that it is gone, as in node-postgres.
        let told = had_flights && error.as_ref().is_some_and(|error| error.server().is_some());
        self.observer.closed(self.shared.id, if told { Some(ended()) } else { error });
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
    Error::new(Kind::Connection, "Connection terminated unexpectedly").with_code(code).with_system(vec![failure]).with_source(error)
}
