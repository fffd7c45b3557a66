//! Asks, once on each connection, whether the server knows prepared statements by the names they were given, and which process it is.
//!
//! PgBouncer from 1.21 on (`max_prepared_statements`) gives them names of its own, one for each text, and shares them among its clients: what it
//! takes for the statement may have been parsed long ago, on a server session with other settings, before a change of the schema, and is no
//! other when it is parsed again. Nothing may be cached behind such a pooler. The question goes behind a query of the caller's, whose
//! answer does not wait for it, and whose cancellation does not meet it.
//!
//! A process id that equals the one told at login proves that the connection leads to one server process; poolers and proxies tell an id of
//! their own at login.

use bytes::BytesMut;
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;

/// Before it is asked: a connection that runs but one such query is spared.
const QUERIES_BEFORE: u8 = 1;
/// An answer may fail to come (a cancellation that came late for the query before it).
const MAX_TRIES: u8 = 3;

/// What a connection knows about names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Unknown {
        queries: u8,
        tries: u8,
    },
    /// The question is on its way.
    Asked {
        tries: u8,
    },
    Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    process_id: i32,
    kept: bool,
}

/// The question on its way.
#[derive(Default)]
pub(super) struct Probe {
    answer: Option<Answer>,
    failed: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self::Unknown { queries: 0, tries: 0 }
    }
}

impl Names {
    /// Asks behind the first query already.
    pub fn ask_soon() -> Self {
        Self::Unknown { queries: QUERIES_BEFORE, tries: 0 }
    }

    /// A query is sent whose statement could be cached. True when it is time to ask.
    pub fn note_query(&mut self) -> bool {
        match *self {
            Self::Unknown { queries, tries } if queries < QUERIES_BEFORE => {
                *self = Self::Unknown { queries: queries + 1, tries };
                false
            }
            Self::Unknown { tries, .. } if tries < MAX_TRIES => {
                *self = Self::Asked { tries: tries + 1 };
                true
            }
            _ => false,
        }
    }

    /// The answer has come. False when statements have other names than they were given.
    pub fn note_answer(&mut self, probe: &Probe) -> bool {
        let Self::Asked { tries } = *self else { return true };
        *self = match probe.answer() {
            Some(Answer { kept: true, .. }) => Self::Kept,
            Some(_) => Self::Unknown { queries: QUERIES_BEFORE, tries: MAX_TRIES },
            _ => Self::Unknown { queries: QUERIES_BEFORE, tries },
        };
        probe.answer().is_none_or(|answer| answer.kept)
    }
}

impl Probe {
    /// Prepares a statement `name` that looks for itself.
    pub fn write(name: &str, out: &mut BytesMut) -> std::io::Result<Self> {
        let text =
            format!("select pg_catalog.pg_backend_pid() || ' ' || count(*) from pg_catalog.pg_prepared_statements where name = '{name}'");
        frontend::parse(name, &text, [], out)?;
        let no_values: [&str; 0] = [];
        frontend::bind("", name, [], no_values, |_, _| Ok(IsNull::No), [0], out).map_err(|_| std::io::ErrorKind::InvalidInput)?;
        frontend::execute("", 0, out)?;
        frontend::close(b'S', name, out)?;
        frontend::sync(out);
        Ok(Self::default())
    }

    /// The body of a DataRow: one column, the two numbers.
    pub fn row(&mut self, body: &[u8]) {
        self.answer = body.get(6..).and_then(|text| {
            let (process_id, count) = str::from_utf8(text).ok()?.split_once(' ')?;
            Some(Answer { process_id: process_id.parse().ok()?, kept: count == "1" })
        });
    }

    fn answer(&self) -> Option<Answer> {
        self.answer.filter(|_| !self.failed)
    }

    /// The server process that answered.
    pub fn process_id(&self) -> Option<i32> {
        self.answer().map(|answer| answer.process_id)
    }

    pub fn fail(&mut self) {
        self.failed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<u8> {
        [&[0, 1, 0, 0, 0, text.len() as u8], text.as_bytes()].concat()
    }

    fn asked() -> Names {
        let mut names = Names::default();
        assert!(!names.note_query());
        assert!(names.note_query());
        assert!(!names.note_query(), "once");
        names
    }

    #[test]
    fn names_are_kept_when_the_statement_finds_itself() {
        let (mut names, mut probe) = (asked(), Probe::default());
        probe.row(&row("7 1"));
        assert_eq!(probe.process_id(), Some(7));
        assert!(names.note_answer(&probe));
        assert_eq!(names, Names::Kept);
    }

    #[test]
    fn names_are_not_kept_when_it_does_not() {
        let (mut names, mut probe) = (asked(), Probe::default());
        probe.row(&row("7 0"));
        assert!(!names.note_answer(&probe));
        assert_ne!(names, Names::Kept);
    }

    #[test]
    fn a_question_that_fails_is_asked_again_but_not_for_ever() {
        let (mut names, mut asks) = (asked(), 1);
        let failed = Probe { failed: true, ..Probe::default() };
        for _ in 0..10 {
            assert!(names.note_answer(&failed), "it says nothing about names");
            asks += u32::from(names.note_query());
        }
        assert_eq!(asks, 3);
    }
}
