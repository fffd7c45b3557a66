//! Writes queries as messages: chooses the protocol, keeps track of what is prepared on the server.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::effects::Effects;
use super::inflight::{Attempt, InFlight, Sent};
use super::lasting::{calls_unknown_functions, may_be_kept};
use super::pooler::{Pooler, Sharing};
use super::probe::{Names, Probe};
use super::request::{Execution, Fetch, Param, Query, bind, encoding_error};
use super::session::ConnectionId;
use super::statements::{Statements, Validity};
use crate::error::Error;

/// Moves whenever a statement that can change a schema has run on any connection that shares it.
pub type SchemaGeneration = Arc<AtomicU64>;

/// The statements of one connection.
pub(super) struct Encoder {
    statements: Statements,
    pooler: Pooler,
    /// The connection leads to one server process, without a pooler that shares it.
    is_direct: bool,
    names: Names,
    /// Writes are to share the connection if it is direct: ask as early as possible.
    pipelines_writes: bool,
    /// The query that was written last is to be followed by a probe.
    wants_probe: bool,
    /// Callers' own statement names and their texts.
    named: HashMap<String, String>,
    schema_generation: SchemaGeneration,
    /// Counts what can have changed this session's settings.
    settings: u64,
    /// A statement of the open transaction can have changed a schema.
    changed_schema: bool,
}

impl Encoder {
    pub fn new(statement_cache_size: usize, pipelines_writes: bool, schema_generation: SchemaGeneration, pooler: Pooler) -> Self {
        Self {
            statements: Statements::new(statement_cache_size, pooler.clone()),
            pooler,
            is_direct: false,
            names: if pipelines_writes { Names::ask_soon() } else { Names::default() },
            pipelines_writes,
            wants_probe: false,
            named: HashMap::new(),
            schema_generation,
            settings: 0,
            changed_schema: false,
        }
    }

    /// Appends the messages of `query` to `out`. On an error, which is the query's own, `out` may hold a part of them.
    pub fn encode(&mut self, query: &Query, attempt: Attempt, status: u8, out: &mut BytesMut) -> Result<Sent, Error> {
        let is_cacheable = status == b'I' && matches!(&query.execution, Execution::Extended { name: None, .. });
        // What is prepared from here on is prepared after it.
        if !is_cacheable && self.statements.holds_any() && calls_unknown_functions(self.text_of(query)) {
            self.settings += 1;
        }
        if self.pipelines_writes && status == b'I' && !self.is_direct && !matches!(query.execution, Execution::Portal(_)) {
            self.wants_probe |= self.names.note_query();
        }
        let sent = match &query.execution {
            Execution::Simple => {
                frontend::query(&query.text, out).map_err(not_sendable)?;
                return Ok(Sent::Simple);
            }
            Execution::Portal(step) => {
                fetch(&query.text, step, out)?;
                return Ok(Sent::Portal);
            }
            Execution::Extended { name: Some(name), params, binary } => self.named(&query.text, name, params, *binary, out)?,
            // In a transaction always: an error of a stale plan would abort it, and nothing tells what functions and triggers have changed.
            Execution::Extended { name: None, params, binary } if status != b'I' => {
                // What it gives now may be newer than what its cached statement would give afterwards.
                self.statements.forget(&query.text);
                unnamed(&query.text, params, *binary, out)?
            }
            Execution::Extended { name: None, params, binary }
                if *binary || attempt == Attempt::Unnamed || !self.statements.is_enabled() =>
            {
                unnamed(&query.text, params, *binary, out)?
            }
            Execution::Extended { name: None, params, .. } => self.cached(&query.text, params, out)?,
        };
        frontend::execute("", 0, out).map_err(not_sendable)?;
        frontend::sync(out);
        Ok(sent)
    }

    fn named(&mut self, text: &str, name: &str, params: &[Param], binary: bool, out: &mut BytesMut) -> Result<Sent, Error> {
        let parsed = match self.named.get(name) {
            Some(known) if !text.is_empty() && known != text => {
                let message = format!("Prepared statements must be unique - '{name}' was used for a different statement");
                return Err(Error::usage(message));
            }
            known => known.is_none(),
        };
        if parsed {
            frontend::parse(name, text, [], out).map_err(not_sendable)?;
        }
        bind(name, params, binary, out)?;
        frontend::describe(b'P', "", out).map_err(not_sendable)?;
        if parsed {
            self.named.insert(name.to_owned(), text.to_owned());
        }
        Ok(Sent::Named { name: name.to_owned(), parsed })
    }

    fn cached(&mut self, text: &str, params: &[Param], out: &mut BytesMut) -> Result<Sent, Error> {
        let now = Validity { schema: self.schema_generation.load(Ordering::Relaxed), settings: self.settings };
        let at = Instant::now();
        if let Some(prepared) = self.statements.get(text, now, at) {
            bind(&prepared.name, params, false, out)?;
            return Ok(Sent::Cached { prepared, parsed: false });
        }
        if !may_be_kept(text) {
            self.settings += u64::from(self.statements.holds_any() && calls_unknown_functions(text));
            return unnamed(text, params, false, out);
        }
        if self.names != Names::Kept {
            let sent = unnamed(text, params, false, out)?;
            self.wants_probe |= self.names.note_query();
            return Ok(sent);
        }
        let prepared = self.statements.insert(text, now, at);
        // Everything that can fail comes before anything is given up.
        let mut messages = BytesMut::new();
        let written = frontend::parse(&prepared.name, text, [], &mut messages)
            .and_then(|()| frontend::describe(b'S', &prepared.name, &mut messages))
            .map_err(not_sendable)
            .and_then(|()| bind(&prepared.name, params, false, &mut messages));
        if let Err(error) = written {
            self.statements.remove(text, &prepared);
            return Err(error);
        }
        for old in self.statements.take_obsolete() {
            frontend::close(b'S', &old.name, out).map_err(not_sendable)?;
        }
        out.unsplit(messages);
        Ok(Sent::Cached { prepared, parsed: true })
    }

    /// Writes the question whether names are kept, if it is to follow the query that was written last.
    pub fn take_probe(&mut self, out: &mut BytesMut) -> Option<Probe> {
        let wanted = std::mem::take(&mut self.wants_probe);
        wanted.then(|| Probe::write(&self.statements.spare_name(), out).ok()).flatten()
    }

    /// It is answered. `process_id`: what the server told at login. Gives what may share the connection, if the answer shows that.
    pub fn note_probe(&mut self, probe: &Probe, process_id: i32, connection: ConnectionId) -> Option<Sharing> {
        if !self.names.note_answer(probe) {
            self.statements.turn_off();
            self.pooler.note_shared_servers();
        }
        let met = probe.process_id()?;
        self.is_direct = met == process_id;
        if self.is_direct {
            return Some(Sharing::Writes);
        }
        self.pooler.note_server(met, connection);
        Some(Sharing::Reads)
    }

    pub fn pooler(&self) -> &Pooler {
        &self.pooler
    }

    /// The server reports a setting that has changed.
    pub fn note_parameter(&mut self, name: &str) {
        if name != "application_name" {
            self.settings += 1;
        }
    }

    /// What a finished request means for the statements that are prepared.
    pub fn note_effects(&mut self, request: &InFlight, status: u8) {
        if request.has_lost_statement() {
            self.statements.turn_off();
            if !self.is_direct {
                self.pooler.note_shared_servers();
            }
        }
        if request.has_failed() {
            match &request.sent {
                // Stale, or its Parse failed; an execution that failed for its own reasons leaves the statement usable.
                Sent::Cached { prepared, .. } if request.next_attempt(status).is_some() || prepared.columns.get().is_none() => {
                    self.statements.remove(&request.query.text, prepared);
                }
                Sent::Named { name, parsed: true } if !request.is_parsed() => {
                    self.named.remove(name);
                }
                _ => {}
            }
        }
        if let Sent::Cached { prepared, .. } = &request.sent
            && request.was_noticed_when_parsed()
        {
            // pg's callers hear it each time.
            self.statements.remove(&request.query.text, prepared);
        }
        let effects = Effects::of(self.text_of(&request.query), request.results());
        self.note(effects, status);
    }

    /// What was inspected of a tunnel's messages, up to a ReadyForQuery.
    pub fn note_tunnel(&mut self, tags: &[String], changes_schema: bool, status: u8) {
        let mut effects = Effects::of_tags(tags);
        effects.schema |= changes_schema;
        self.note(effects, status);
    }

    /// The caller at the end of a tunnel has prepared these statements.
    pub fn note_named(&mut self, statements: Vec<(String, String)>) {
        self.named.extend(statements);
    }

    fn note(&mut self, effects: Effects, status: u8) {
        if effects.deallocated {
            self.statements.clear();
        }
        self.settings += u64::from(effects.settings);
        // Other connections see the change only at commit: it counts again then.
        self.changed_schema |= effects.schema;
        if effects.schema || (self.changed_schema && status == b'I') {
            self.schema_generation.fetch_add(1, Ordering::Relaxed);
        }
        self.changed_schema &= status != b'I';
    }

    /// A named statement is executed without its text from the second time on.
    fn text_of<'a>(&'a self, query: &'a Query) -> &'a str {
        match &query.execution {
            Execution::Extended { name: Some(name), .. } => self.named.get(name).unwrap_or(&query.text),
            _ => &query.text,
        }
    }
}

/// Parse, Bind and Describe without a name, as node-postgres sends every query that has none.
fn unnamed(text: &str, params: &[Param], binary: bool, out: &mut BytesMut) -> Result<Sent, Error> {
    frontend::parse("", text, [], out).map_err(not_sendable)?;
    bind("", params, binary, out)?;
    frontend::describe(b'P', "", out).map_err(not_sendable)?;
    Ok(Sent::Unnamed)
}

/// Appends the messages of a step through the portal. A Flush, not a Sync: that would end the portal with its transaction.
fn fetch(text: &str, step: &Fetch, out: &mut BytesMut) -> Result<(), Error> {
    match step {
        Fetch::Open { params, rows } => {
            frontend::parse("", text, [], out).map_err(not_sendable)?;
            bind("", params, false, out)?;
            frontend::describe(b'P', "", out).map_err(not_sendable)?;
            frontend::execute("", *rows, out).map_err(not_sendable)?;
            frontend::flush(out);
        }
        Fetch::More { rows } => {
            frontend::execute("", *rows, out).map_err(not_sendable)?;
            frontend::flush(out);
        }
        Fetch::Close => {
            frontend::close(b'P', "", out).map_err(not_sendable)?;
            frontend::sync(out);
        }
    }
    Ok(())
}

fn not_sendable(source: io::Error) -> Error {
    encoding_error(source.into())
}
