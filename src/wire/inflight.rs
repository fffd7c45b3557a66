//! A request whose messages are on the wire: collects its answer, message by message.

use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tokio::sync::oneshot;
use tokio_postgres::error::SqlState;

use super::delivery;
use super::handle::Duplicate;
use super::message::{malformed, violation};
use super::plain_read::is_plain_read;
use super::probe::Probe;
use super::request::{Execution, Fetch, Outcome, Query, Reply, Request};
use super::result::{Response, RowDescription, StatementResult};
use super::session::ConnectionId;
use super::statements::Prepared;
use super::tunnel::Tunnel;
use crate::error::{Error, ServerMessage};

/// How a request was sent, which decides what its answer means.
pub(super) enum Sent {
    Simple,
    /// Parse into the unnamed statement, Describe of the portal.
    Unnamed,
    /// A statement of the cache. `parsed`: this request carries its Parse and Describe.
    Cached {
        prepared: Arc<Prepared>,
        parsed: bool,
    },
    /// A caller's own statement name.
    Named {
        name: String,
        parsed: bool,
    },
    /// A part of a portal's rows, without a Sync: that is said when the last row has come.
    Portal,
}

/// How often a request was sent before, and so how it is sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    /// With a statement that was parsed after the first attempt. All that failed on the same one share it: one of them brings the Parse.
    Afresh,
    /// With a statement of its own, which has no name: nothing that others do can fail it.
    Unnamed,
}

pub(super) struct InFlight {
    pub query: Query,
    pub pipelined: bool,
    pub sent: Sent,
    pub attempt: Attempt,
    /// Where it begins among all bytes that go to the server.
    pub position: u64,
    pub reply: Reply,
    results: Vec<StatementResult>,
    current: StatementResult,
    error: Option<ServerMessage>,
    /// Some of the answer has come.
    acknowledged: bool,
    /// The server says that it does not have the cached statement, or has another of its name.
    statement_missing: bool,
    /// BindComplete has come: from here on the statement may have run.
    bound: bool,
    /// ParseComplete has come.
    parse_complete: bool,
    /// The server had something to say about the text itself.
    noticed: bool,
    /// PortalSuspended has come, for rows of these columns.
    suspended: Option<Arc<RowDescription>>,
}

/// What is on the wire and not yet answered: a request, a tunnel, or a Sync or probe of our own.
pub(super) enum Pending {
    Request(Box<InFlight>),
    Tunnel(Tunnel),
    Ping(oneshot::Sender<()>),
    Probe(Probe),
}

impl InFlight {
    pub fn new(query: Query, pipelined: bool, sent: Sent, reply: Reply) -> Self {
        let current = StatementResult::default();
        Self {
            query,
            pipelined,
            sent,
            attempt: Attempt::First,
            position: 0,
            reply,
            results: Vec::new(),
            current,
            error: None,
            acknowledged: false,
            statement_missing: false,
            bound: false,
            parse_complete: false,
            noticed: false,
            suspended: None,
        }
    }

    /// Hands out a copy if it is a plain read, which may run twice.
    pub fn duplicate(&mut self, duplicate: &mut Duplicate) {
        if self.query.can_pipeline(false) {
            let reply = std::mem::replace(&mut self.reply, Box::new(|_| {}));
            self.reply = duplicate(self.query.clone(), reply);
        }
    }

    pub fn row(&mut self, body: &[u8]) {
        self.current.rows.push(body);
    }

    pub fn columns(&mut self, columns: Arc<RowDescription>) {
        self.acknowledged = true;
        match &self.sent {
            // The answer to our Describe of the statement, not of this execution.
            Sent::Cached { prepared, .. } if !self.bound => {
                let _ = prepared.columns.set(Some(columns));
            }
            _ => self.current.columns = Some(columns),
        }
    }

    pub fn fail(&mut self, mut error: ServerMessage) {
        // Callers do not see the cache: to them the statement has no name.
        if let Sent::Cached { prepared, .. } = &self.sent {
            let quoted = format!("\"{}\"", prepared.name);
            if error.message.contains(&quoted) {
                // Poolers have texts and codes of their own.
                let says = |words| error.message.contains(words);
                self.statement_missing = !self.bound && (says("does not exist") || says("already exists") || says("not found"));
                error.message = error.message.replace(&quoted, "\"\"");
                error.length -= prepared.name.len() as u32;
            }
        }
        self.statement_missing |= matches!(&self.sent, Sent::Cached { .. } if !self.bound)
            && error.is_any(&[SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT]);
        // The first error of an extended query is the cause; servers send no second one before ReadyForQuery.
        self.error.get_or_insert(error);
    }

    /// Takes any other message of the answer. `out` receives what has to be said back.
    pub fn take(&mut self, message: Message, out: &mut BytesMut) -> Result<(), Error> {
        // Statements that are closed on the way are not this request's.
        self.acknowledged |= !matches!(message, Message::CloseComplete);
        match message {
            Message::BindComplete => {
                self.bound = true;
                if let Sent::Cached { prepared, .. } = &self.sent {
                    self.current.columns = prepared.columns.get().cloned().flatten();
                }
            }
            Message::NoData => {
                if let Sent::Cached { prepared, .. } = &self.sent {
                    let _ = prepared.columns.set(None);
                }
            }
            Message::CommandComplete(body) => {
                self.current.tag = Some(body.tag().map_err(malformed)?.to_owned());
                self.end_result()?;
                self.sync_portal(out);
            }
            Message::EmptyQueryResponse => {
                self.end_result()?;
                self.sync_portal(out);
            }
            Message::PortalSuspended => {
                self.suspended = self.current.columns.clone();
                self.end_result()?;
            }
            Message::CopyInResponse(_) => {
                // A query has no data to copy; node-postgres answers with the same words.
                frontend::copy_fail("No source stream defined", out).map_err(malformed)?;
                if !matches!(self.sent, Sent::Simple) {
                    // The server ignores the Sync that came while it was waiting for data.
                    frontend::sync(out);
                }
            }
            Message::ParseComplete => self.parse_complete = true,
            Message::CloseComplete
            | Message::ParameterDescription(_)
            | Message::CopyOutResponse(_)
            | Message::CopyData(_)
            | Message::CopyDone => {}
            _ => return Err(violation("a message came that does not belong to a query")),
        }
        Ok(())
    }

    /// A result is whole. Only a simple query has more than one: without this, a few bytes for each would repeat the columns of the first.
    fn end_result(&mut self) -> Result<(), Error> {
        if !matches!(self.sent, Sent::Simple) && !self.results.is_empty() {
            return Err(violation("one statement has two results"));
        }
        self.results.push(std::mem::take(&mut self.current));
        Ok(())
    }

    /// A portal is done, or has failed: now the server may end the implicit transaction.
    pub fn sync_portal(&self, out: &mut BytesMut) {
        if matches!(self.sent, Sent::Portal) {
            frontend::sync(out);
        }
    }

    /// The portal has more rows: the columns of what is to come. The request is done, without a ReadyForQuery.
    pub fn suspended_portal(&self) -> Option<&Arc<RowDescription>> {
        self.suspended.as_ref().filter(|_| matches!(self.sent, Sent::Portal))
    }

    /// How to send it again, when nothing of it has run and the reason may be that its cached statement was stale: its Bind failed outside of a
    /// transaction (plan changed, statement gone, parameter types changed, or its Parse, one request ahead, failed).
    ///
    /// Whether a value or its parameter's type is the wrong one is not told; it shows when the text is parsed once more. That is later than the
    /// request was sent, so what the server says then is the answer.
    pub fn next_attempt(&self, status: u8) -> Option<Attempt> {
        let Sent::Cached { parsed, .. } = self.sent else { return None };
        let error = self.error.as_ref().filter(|error| !error.fatal && !self.bound && status == b'I')?;
        if self.statement_missing {
            return Some(Attempt::Unnamed);
        }
        let can_be_stale = !parsed && self.attempt == Attempt::First && !is_of_the_moment(error);
        can_be_stale.then_some(Attempt::Afresh)
    }

    /// The server does not have a statement that it has described, or has another of that name.
    pub fn has_lost_statement(&self) -> bool {
        match &self.sent {
            Sent::Cached { prepared, parsed } => self.statement_missing && (*parsed || prepared.columns.get().is_some()),
            _ => false,
        }
    }

    /// The Bind was accepted: from there on it may have run.
    pub fn is_bound(&self) -> bool {
        self.bound
    }

    pub fn into_request(self) -> Request {
        Request { query: self.query, pipelined: self.pipelined, reply: self.reply }
    }

    /// Neither a result nor an error has come, though the request asks for one.
    pub fn is_unanswered(&self) -> bool {
        let closes_portal = matches!(self.query.execution, Execution::Portal(Fetch::Close));
        self.results.is_empty() && self.error.is_none() && !closes_portal
    }

    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// The server keeps the statement that this request brought.
    pub fn is_parsed(&self) -> bool {
        self.parse_complete
    }

    /// A notice has come.
    pub fn note_notice(&mut self) {
        self.noticed |= !self.parse_complete;
    }

    /// The server commented on the text when it parsed it (a name that is too long, a backslash), as it will each time.
    pub fn was_noticed_when_parsed(&self) -> bool {
        self.noticed && matches!(self.sent, Sent::Cached { parsed: true, .. })
    }

    pub fn results(&self) -> &[StatementResult] {
        &self.results
    }

    /// ReadyForQuery has come.
    pub fn complete(self, connection: ConnectionId, transaction_status: u8) {
        let outcome = match self.error {
            Some(error) => Err(Error::database(ServerMessage { transaction_status, ..error })),
            None => Ok(Response { results: self.results, transaction_status, connection }),
        };
        (self.reply)(Outcome::Completed(outcome));
    }

    /// The connection has ended with this request at the head of the wire, or behind others. A request at the head that has no error of its
    /// own was behind a probe of ours when the server sent its last message.
    pub fn lose(self, cause: &Error, at_head: bool) {
        let simple = matches!(self.sent, Sent::Simple);
        let is_lost_read = self.error.is_none() && !at_head && self.is_shared_read();
        let (never_ran, cause) = match self.error {
            Some(error) => (at_head && !self.acknowledged && delivery::refuses(&error, simple), Error::database(error)),
            None => (cause.server().is_some_and(delivery::ends_session), cause.clone()),
        };
        (self.reply)(if never_ran {
            Outcome::NeverRan { query: self.query, cause, refused: at_head }
        } else if is_lost_read {
            Outcome::ReadLost { query: self.query, cause }
        } else {
            Outcome::Completed(Err(cause))
        });
    }

    /// The connection has ended before anything of this request was written.
    pub fn lose_unwritten(self, cause: &Error) {
        (self.reply)(Outcome::NeverRan { query: self.query, cause: cause.clone(), refused: false });
    }

    fn is_shared_read(&self) -> bool {
        self.pipelined && is_plain_read(&self.query.text)
    }
}

/// An error of the moment (a shutdown, a cancelled or timed-out query, a lock, a deadlock, no memory, no connection): parsing again would not
/// tell whether the statement was stale, and would run into it a second time.
fn is_of_the_moment(error: &ServerMessage) -> bool {
    let class = error.code.as_deref().and_then(|code| code.get(..2));
    matches!(class, Some("08" | "40" | "53" | "55" | "57" | "58"))
}
