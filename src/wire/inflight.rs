//! A request whose messages are on the wire: collects its answer, message by message.

use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tokio::sync::oneshot;

use super::handle::ConnectionId;
use super::message::{malformed, violation};
use super::request::{Outcome, Query, Reply};
use super::result::{Response, RowDescription, StatementResult};
use super::statements::Prepared;
use super::tunnel::Tunnel;
use crate::error::{Error, ServerMessage};

/// How a request was sent, which decides what its answer means.
pub(super) enum Sent {
    Simple,
    /// Parse into the unnamed statement, Describe of the portal.
    Unnamed,
    /// A statement of the cache. `parsed`: this flight carries its Parse and Describe.
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

pub(super) struct InFlight {
    pub query: Query,
    pub pipelined: bool,
    pub sent: Sent,
    pub reply: Reply,
    results: Vec<StatementResult>,
    current: StatementResult,
    error: Option<ServerMessage>,
    /// BindComplete has come: from here on the statement may have run.
    bound: bool,
    /// ParseComplete has come.
    parse_complete: bool,
    /// The server had something to say about the text itself.
    noticed: bool,
    /// PortalSuspended has come, for rows of these columns.
    suspended: Option<Arc<RowDescription>>,
}

/// The head of the wire: a request, a Sync of our own, or somebody else's conversation.
pub(super) enum Flight {
    Request(Box<InFlight>),
    Tunnel(Tunnel),
    Ping(oneshot::Sender<()>),
}

impl InFlight {
    pub fn new(query: Query, pipelined: bool, sent: Sent, reply: Reply) -> Self {
        let current = StatementResult::default();
        Self {
            query,
            pipelined,
            sent,
            reply,
            results: Vec::new(),
            current,
            error: None,
            bound: false,
            parse_complete: false,
            noticed: false,
            suspended: None,
        }
    }

    pub fn row(&mut self, body: &[u8]) {
        self.current.rows.push(body);
    }

    pub fn columns(&mut self, columns: Arc<RowDescription>) {
        match &self.sent {
            // The answer to our Describe of the statement, not of this execution.
            Sent::Cached { prepared, .. } if !self.bound => {
                let _ = prepared.columns.set(Some(columns));
            }
            _ => self.current.columns = Some(columns),
        }
    }

    pub fn fail(&mut self, mut error: ServerMessage) {
        // The cache is nobody's business: to the caller the statement has no name.
        if let Sent::Cached { prepared, .. } = &self.sent {
            let quoted = format!("\"{}\"", prepared.name);
            if error.message.contains(&quoted) {
                error.message = error.message.replace(&quoted, "\"\"");
                error.length -= prepared.name.len() as u32;
            }
        }
        // The first error of an extended query is the cause; servers send no second one before ReadyForQuery.
        self.error.get_or_insert(error);
    }

    /// Takes any other message of the answer. `out` receives what has to be said back.
    pub fn take(&mut self, message: Message, out: &mut BytesMut) -> Result<(), Error> {
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

    /// The statement it was sent with is stale and nothing has run, so it can be parsed afresh and sent again: the Bind of a cached
    /// statement failed outside a transaction (plan changed, statement gone, parameter types changed, or its Parse, one flight ahead,
    /// failed).
    pub fn can_be_resent(&self, status: u8) -> bool {
        let reused = matches!(self.sent, Sent::Cached { parsed: false, .. });
        reused && !self.bound && status == b'I' && self.error.as_ref().is_some_and(|error| !error.fatal)
    }

    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// The server keeps the statement that this flight brought.
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

    /// The connection has ended. With `ran_nothing` the query may go elsewhere.
    pub fn lose(self, cause: &Error, ran_nothing: bool) {
        let began = self.bound || matches!(self.sent, Sent::Simple);
        match self.error {
            // The session was ended before the server came to this query: BindComplete would have been flushed ahead of the error.
            Some(error) if error.fatal && !began => {
                (self.reply)(Outcome::NeverRan { query: self.query, cause: Error::database(error) });
            }
            Some(error) => (self.reply)(Outcome::Completed(Err(Error::database(error)))),
            None if ran_nothing => (self.reply)(Outcome::NeverRan { query: self.query, cause: cause.clone() }),
            None => (self.reply)(Outcome::Completed(Err(cause.clone()))),
        }
    }
}
