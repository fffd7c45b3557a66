//! What the server says: each message goes to the request at the head of the wire, or to the observer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use super::super::inflight::{InFlight, Pending};
use super::super::message::{decode, frame, make_room, malformed, row_description, server_message, stray, unasked, violation};
use super::{Task, lost};
use crate::error::{Error, ServerMessage};

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.is_held_up() {
            // What the caller takes comes as a command, which wakes this task.
            return Poll::Pending;
        }
        make_room(&mut self.read)?;
        match ready!(poll_read_buf(Pin::new(&mut self.socket), cx, &mut self.read)) {
            Ok(0) => Poll::Ready(Err(Error::connection_lost())),
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(lost(error))),
        }
    }

    /// What the server said before it closed the socket that can no longer be written to.
    pub(super) fn read_last_messages(&mut self, cx: &mut Context<'_>) -> Option<Error> {
        while let Poll::Ready(Ok(())) = self.poll_read(cx) {
            if let Err(error) = self.receive() {
                return Some(error);
            }
        }
        None
    }

    /// Handles every complete message that has been read.
    pub(super) fn receive(&mut self) -> Result<(), Error> {
        if matches!(self.pending.front(), Some(Pending::Tunnel(_))) {
            return self.receive_for_tunnel();
        }
        while let Some((tag, length)) = frame(&self.read)? {
            match (tag, self.pending.front_mut()) {
                (b'D', Some(Pending::Request(request))) => {
                    request.row(&self.read[5..length]);
                    self.read.advance(length);
                }
                (b'D', Some(Pending::Probe(probe))) => {
                    probe.row(&self.read[5..length]);
                    self.read.advance(length);
                }
                (b'W', Some(Pending::Request(_))) => {
                    return Err(Error::replication_not_supported(
                        "the server has begun a replication stream, which is not supported: use pg for that",
                    ));
                }
                (b'T', Some(Pending::Request(request))) => {
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

    fn handle(&mut self, message: Message, wire_length: u32) -> Result<(), Error> {
        match message {
            Message::ReadyForQuery(body) => self.ready(body.status()),
            Message::NoticeResponse(body) => {
                if let Some(Pending::Request(request)) = self.pending.front_mut() {
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
                let request = match self.pending.front_mut() {
                    Some(Pending::Request(request)) => request,
                    Some(Pending::Probe(_)) => return Ok(()),
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
        if let Some(Pending::Request(request)) = self.pending.pop_front() {
            self.complete(request, status);
        }
    }

    fn failed(&mut self, error: ServerMessage) -> Result<(), Error> {
        let fatal = error.fatal;
        match self.pending.front_mut() {
            Some(Pending::Request(request)) => {
                request.fail(error.clone());
                request.sync_portal(&mut self.out);
            }
            Some(Pending::Probe(probe)) => probe.fail(),
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
        if matches!(self.pending.front(), Some(Pending::Request(request)) if request.is_unanswered()) {
            // PgBouncer in transaction mode hands the end of a request to another server when the first one was lost in the middle of it:
            // what has begun there is undone.
            return Err(violation("ReadyForQuery came without the result of the request, as when a pooler has lost its server"));
        }
        match self.pending.pop_front() {
            Some(Pending::Ping(reply)) => {
                let _ = reply.send(());
            }
            Some(Pending::Probe(probe)) => {
                if let Some(sharing) = self.encoder.note_probe(&probe, self.shared.session.process_id, self.shared.id) {
                    self.shared.sharing.store(sharing as u8, Ordering::Relaxed);
                    // Whoever waits for a connection may now share this one.
                    self.completed = true;
                }
            }
            Some(Pending::Request(request)) => {
                self.encoder.note_effects(&request, status);
                if let Some((request, status)) = self.resends.keep(request, status) {
                    self.complete(request, status);
                }
            }
            Some(Pending::Tunnel(_)) | None => return Err(unasked("readyForQuery")),
        }
        if self.pending.is_empty() && !self.resends.is_empty() {
            for (request, status) in self.resends.settle() {
                self.complete(request, status);
            }
        }
        if self.pending.is_empty() && self.resends.is_empty() && status == b'I' {
            self.ask_where_it_leads();
        }
        self.shared.mark_head(!self.pending.is_empty());
        Ok(())
    }

    pub(super) fn complete(&mut self, request: Box<InFlight>, status: u8) {
        self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
        self.completed = true;
        request.complete(self.shared.id, status);
    }
}
