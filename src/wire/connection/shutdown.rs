//! The end of a connection: every request gets its outcome, then the observer hears of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::super::handle::Command;
use super::super::inflight::Pending;
use super::super::request::{Outcome, Request};
use super::super::tunnel::TunnelCommand;
use super::Task;
use crate::error::Error;

/// How long sending Terminate and closing the socket may take.
const CLOSE_BOUND: Duration = Duration::from_secs(1);

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    /// Ends the connection: for `error`, or (`None`) because we close it.
    pub(super) async fn end(&mut self, error: Option<Error>) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.pooler.forget(self.shared.id);
        self.shared.mark_head(false);
        if error.is_none() {
            self.terminate().await;
        }
        let cause = error.clone().unwrap_or_else(Error::connection_terminated);
        self.end_resends();
        let had_pending = self.pending.iter().any(|pending| !matches!(pending, Pending::Probe(_)));
        self.fail_sent(&cause);
        self.fail_waiting(&cause);
        // What the server said last to a request is its caller's; the observer hears that the connection is gone, as in node-postgres.
        let told = had_pending && error.as_ref().is_some_and(|error| error.server().is_some());
        self.observer.closed(self.shared.id, if told { Some(Error::connection_lost()) } else { error });
    }

    /// Sends Terminate and closes the socket.
    async fn terminate(&mut self) {
        frontend::terminate(&mut self.out);
        let closed = async {
            self.socket.write_all_buf(&mut self.out).await?;
            self.socket.shutdown().await
        };
        // A server that is gone, or no longer reads, does not need it.
        let _ = timeout(CLOSE_BOUND, closed).await;
    }

    /// What was answered and kept back is answered; what was to be sent again waits with the rest.
    fn end_resends(&mut self) {
        let (answered, unsent) = self.resends.end();
        for (request, status) in answered {
            self.complete(request, status);
        }
        unsent.into_iter().rev().for_each(|request| self.waiting.push_front(Command::Request(request)));
    }

    /// Requests on the wire, or in the out-buffer.
    fn fail_sent(&mut self, cause: &Error) {
        let mut at_head = true;
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Request(request) => {
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                    if request.position >= self.written {
                        request.lose_unwritten(cause);
                    } else {
                        request.lose(cause, std::mem::take(&mut at_head));
                    }
                }
                Pending::Tunnel(_) => {
                    self.shared.outstanding.fetch_sub(1, Ordering::Relaxed);
                }
                Pending::Ping(_) | Pending::Probe(_) => {}
            }
        }
    }

    /// Requests of which nothing was encoded.
    fn fail_waiting(&mut self, cause: &Error) {
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
    }
}
