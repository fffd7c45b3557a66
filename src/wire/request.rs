//! What goes onto a connection: a query, how to execute it, and whom to tell.

use bytes::BytesMut;
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;

use super::effects::first_keyword;
use super::plain_read::is_plain_read;
use super::result::Response;
use crate::error::Error;

/// One parameter value, in the form node-postgres sends it: text for everything but byte strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    Null,
    /// Text format; the server infers the type.
    Text(String),
    /// Binary format: a `Buffer`.
    Bytes(Vec<u8>),
}

/// Which of PostgreSQL's two query protocols runs the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// One `Query` message: several statements allowed, no parameters.
    Simple,
    /// Parse (or a cached statement), Bind, Execute, Sync. `name` is the caller's own statement name.
    Extended { name: Option<String>, params: Vec<Param>, binary: bool },
    /// A part of a result too large to be had at once.
    Portal(Fetch),
}

/// Steps through the unnamed portal of a connection, which nothing else may use until it is done or closed. A result that ends with its
/// `tag` is the last one; any other is followed by [`More`](Self::More) or [`Close`](Self::Close). Either may be sent ahead: behind the last
/// result it is answered with none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// Opens the portal and fetches the first rows.
    Open {
        params: Vec<Param>,
        rows: i32,
    },
    More {
        rows: i32,
    },
    /// Gives up the rest.
    Close,
}

/// A query, before anything of it is on the wire.
#[derive(Clone, Debug)]
pub struct Query {
    pub text: String,
    pub execution: Execution,
}

/// What became of a request.
pub enum Outcome {
    /// The server answered, or the connection was lost after (a part of) the query may have run.
    Completed(Result<Response, Error>),
    /// The connection ended and the server certainly ran nothing of it: the query may go to another connection. `refused`: it was sent, and
    /// was the one to be run next; otherwise it was not sent, or waited behind another.
    NeverRan { query: Query, cause: Error, refused: bool },
    /// The connection ended, and nobody knows whether the server ran the query, which by its text only reads: it may run again where it
    /// cannot write, since a function behind a view may.
    ReadLost { query: Query, cause: Error },
}

/// Called exactly once.
pub type Reply = Box<dyn FnOnce(Outcome) + Send>;

/// A query on its way to a connection.
pub struct Request {
    pub query: Query,
    /// May share the wire: it can be sent before earlier answers are in, and others behind it.
    pub pipelined: bool,
    pub reply: Reply,
}

impl Query {
    pub fn simple(text: impl Into<String>) -> Self {
        Self { text: text.into(), execution: Execution::Simple }
    }

    /// Text parameters, an unnamed (cached) statement, text results.
    pub fn extended(text: impl Into<String>, params: Vec<Param>) -> Self {
        Self { text: text.into(), execution: Execution::Extended { name: None, params, binary: false } }
    }

    /// Whether this query may share a connection with others in flight: be sent behind them, and they behind it.
    ///
    /// A plain read may: it neither waits for a lock of another caller's nor takes one. With `writes`, so may every single statement that reads
    /// or writes rows, whatever it waits for; one that changes the session, starts a transaction or enters COPY must always have the
    /// connection for itself.
    pub fn can_pipeline(&self, writes: bool) -> bool {
        if !writes {
            let is_unnamed = matches!(self.execution, Execution::Simple | Execution::Extended { name: None, .. });
            return is_unnamed && is_plain_read(&self.text);
        }
        let statement = first_keyword(&self.text);
        let plain = ["select", "insert", "update", "delete", "with", "values", "merge", "table"]
            .iter()
            .any(|keyword| statement.eq_ignore_ascii_case(keyword));
        match &self.execution {
            Execution::Simple => plain && !self.text.trim_end().trim_end_matches(';').contains(';'),
            Execution::Extended { name, .. } => plain && name.is_none(),
            Execution::Portal(_) => false,
        }
    }
}

/// Writes a Bind message for the unnamed portal.
pub(super) fn bind(statement: &str, params: &[Param], binary: bool, out: &mut BytesMut) -> Result<(), Error> {
    let formats = params.iter().map(|param| i16::from(matches!(param, Param::Bytes(_))));
    frontend::bind(
        "",
        statement,
        formats,
        params,
        |param, buffer| {
            match param {
                Param::Null => return Ok(IsNull::Yes),
                Param::Text(text) => buffer.extend_from_slice(text.as_bytes()),
                Param::Bytes(bytes) => buffer.extend_from_slice(bytes),
            }
            Ok(IsNull::No)
        },
        [i16::from(binary)],
        out,
    )
    .map_err(|error| match error {
        frontend::BindError::Conversion(source) => encoding_error(source),
        frontend::BindError::Serialization(source) => encoding_error(source.into()),
    })
}

/// A message that cannot be put in PostgreSQL's format: a NUL in a text, more than 65,535 parameters, more than 2 GiB.
pub(super) fn encoding_error(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let limits = "PostgreSQL's texts hold no NUL character, and a statement has at most 65535 parameters";
    Error::invalid_query(format!("the query cannot be sent: {source} ({limits})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_reads_share_the_wire() {
        for text in ["select 1", "select 1;", "SELECT 1 ; ", "/* x */ with t as (select 1) table t"] {
            assert!(Query::simple(text).can_pipeline(false), "{text}");
            assert!(Query::extended(text, Vec::new()).can_pipeline(false), "{text}");
        }
        for text in ["insert into t values (1)", "select 1 for update", "select f()", "begin", "select 1; begin", ""] {
            assert!(!Query::simple(text).can_pipeline(false), "{text}");
            assert!(!Query::extended(text, Vec::new()).can_pipeline(false), "{text}");
        }
        let named = Execution::Extended { name: Some("a".into()), params: Vec::new(), binary: false };
        assert!(!Query { text: "select 1".into(), execution: named }.can_pipeline(false));
        assert!(!Query { text: "select 1".into(), execution: Execution::Portal(Fetch::Close) }.can_pipeline(false));
    }

    #[test]
    fn writes_share_it_where_that_is_wanted() {
        for text in ["select 1", "SELECT f() ; ", "insert into t values (1)", "/* x */ with t as (select 1) table t"] {
            assert!(Query::simple(text).can_pipeline(true), "{text}");
        }
        for text in ["begin", "set x to 1", "listen a", "copy t from stdin", "select 1; begin", "", "discard all", "call p()", "do $$ $$"] {
            assert!(!Query::simple(text).can_pipeline(true), "{text}");
        }
    }

    #[test]
    fn a_nul_in_a_text_is_an_error_not_a_truncation() {
        let error = bind("s\0", &[], false, &mut BytesMut::new()).unwrap_err();
        assert_eq!(error.code(), Some("INVALID_QUERY"));
    }
}
