//! Which texts may stay prepared: those that go on meaning, and giving the columns of, what they did when they were parsed.
//!
//! What a text means depends on the session's settings. The server reports a change of some (ParameterStatus: `TimeZone`, `DateStyle`,
//! `IntervalStyle`, `standard_conforming_strings`, `session_authorization`, `is_superuser`, …), and SET and `set_config` are seen by their tag
//! and their name. What a function sets that is called by a query, a trigger, a view or a policy is told by nobody. Of those settings:
//!
//! - `search_path`, `row_security`, `session_replication_role`, and the role where row security depends on it: PostgreSQL itself parses and
//!   plans a prepared statement again.
//! - Settings of execution (`bytea_output` of a column, `default_text_search_config`, which only functions read that are not immutable,
//!   `statement_timeout`, all of the planner's): they hold for a prepared statement as for any other.
//! - Settings that decide what a constant is: PostgreSQL reads a literal when it parses the statement, and computes immutable functions of
//!   constants when it plans it. `lc_monetary` (money), `timezone_abbreviations` (timestamps), `array_nulls`, `xmloption`, `backslash_quote`,
//!   `transform_null_equals` (`= NULL`), `extra_float_digits`, `bytea_output` and `quote_all_identifiers` (a constant made a text). Texts
//!   with a constant that may be such a one are not kept: strings with a digit, a backslash, `<` or `null` in them, `null` beside `=`, and
//!   constants beside the names below. An interval's literal depends on a reported setting only.
//! - The role: whether a schema may be used is checked when a name is looked up. So whatever calls a function by name that is not known to be
//!   PostgreSQL's makes all statements of its connection stale, as SET does, and is not kept itself.

use super::lexer::{Token, Tokens};
use super::plain_read::is_known_function;

/// How statements begin whose columns follow from their text. Those of FETCH, EXECUTE, SHOW, EXPLAIN and CALL depend on what else the session
/// holds.
const WITH_COLUMNS_OF_THEIR_OWN: [&str; 8] = ["select", "insert", "update", "delete", "merge", "values", "table", "with"];

/// Types and functions whose constants settings decide that are not reported.
const DEPENDENT: [&str; 14] = [
    "bytea",
    "convert_to",
    "decode",
    "double",
    "float",
    "float4",
    "float8",
    "money",
    "pi",
    "quote_ident",
    "real",
    "sha224",
    "sha256",
    "sha512",
];

/// Literals that are read against the clock when the statement is parsed.
const MOMENTS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

/// Whether `text` may stay prepared.
pub(super) fn may_be_kept(text: &str) -> bool {
    let mut scan = Scan::default();
    scan.run(text) && !scan.calls_unknown && !(scan.has_dependent && scan.has_constant)
}

/// Whether `text` may run code that changes the session's settings without saying so. In doubt it may.
pub(super) fn calls_unknown_functions(text: &str) -> bool {
    let mut scan = Scan { any_statement: true, ..Scan::default() };
    !scan.run(text) || scan.calls_unknown
}

#[derive(Default)]
struct Scan {
    /// Only the calls matter.
    any_statement: bool,
    calls_unknown: bool,
    has_constant: bool,
    has_dependent: bool,
}

impl Scan {
    /// False when the text is none that may be kept, whatever is in the rest of it.
    fn run(&mut self, text: &str) -> bool {
        let (mut tokens, mut begun) = (Tokens::of(text), false);
        // The nearest first.
        let mut before: [Option<Token<'_>>; 4] = [None; 4];
        loop {
            let start = tokens.position();
            let Some(token) = tokens.next() else { return begun || self.any_statement };
            let source = &text[start..tokens.position()];
            match token {
                Token::Unclear => return false,
                Token::Word(word) if !begun => {
                    begun = true;
                    if !self.any_statement && !is_one_of(word, &WITH_COLUMNS_OF_THEIR_OWN) {
                        return false;
                    }
                }
                Token::Word(word) => {
                    self.has_dependent |= is_one_of(word, &DEPENDENT);
                    let is_decided = is_xml(word) || (is(word, "null") && before[0] == Some(Token::Symbol(b'=')));
                    if is_decided && !self.any_statement {
                        return false;
                    }
                }
                Token::Symbol(b'=') if matches!(before[0], Some(Token::Word(word)) if is(word, "null")) && !self.any_statement => {
                    return false;
                }
                Token::Symbol(b'(') => self.calls_unknown |= !opens_known(before),
                Token::Value if !self.any_statement && !self.is_lasting(source, before[0]) => return false,
                _ => {}
            }
            before = [Some(token), before[0], before[1], before[2]];
        }
    }

    /// A value as it stands in the text, with the space before it.
    fn is_lasting(&mut self, source: &str, before: Option<Token<'_>>) -> bool {
        // Strings that go on in the next line are one.
        let goes_on = before == Some(Token::Value);
        let is_string = source.contains(['\'']) || source.contains("$$") || source.trim_end().ends_with('$');
        if !is_string {
            self.has_constant |= !source.contains('$');
            return true;
        }
        self.has_constant = true;
        let is_interval = matches!(before, Some(Token::Word(word)) if is(word, "interval"));
        let decided = source.contains(['\\', '<']) || (!is_interval && source.contains(|c: char| c.is_ascii_digit()));
        let mut words = source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        !goes_on && !decided && !words.any(|word| is(word, "null") || is_one_of(word, &MOMENTS))
    }
}

/// Whether the parenthesis behind these tokens calls nothing, or a function of PostgreSQL's.
fn opens_known([last, second, third, fourth]: [Option<Token<'_>>; 4]) -> bool {
    let is_word = |token: Option<Token<'_>>, words: &[&str]| matches!(token, Some(Token::Word(word)) if is_one_of(word, words));
    // `insert into t (a)`, `insert into s.t (a)`.
    let is_table = is_word(second, &["into"]) || (second == Some(Token::Symbol(b'.')) && is_word(fourth, &["into"]));
    let is_clause = is_word(last, &["conflict", "default", "returning", "set", "setof", "target", "value"]);
    is_table || is_clause || is_known_function([last, second, third])
}

fn is(word: &str, other: &str) -> bool {
    word.eq_ignore_ascii_case(other)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| is(word, other))
}

fn is_xml(word: &str) -> bool {
    word.get(..3).is_some_and(|start| is(start, "xml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_whose_columns_follow_from_them() {
        for text in [
            "select * from t where id = $1",
            "/* of */ (select a from t where $1) union all table u",
            "insert into t (a, b) values ($1, 'text') on conflict (a) do update set (a, b) = ($1, $2) returning (a)",
            "insert into s.t (a) select $1",
            "update t set status = 'done', n = n + 1 where id = $1 and kind in ('a', 'b')",
            "delete from t where at < now() - interval '7 days' and id = $1",
            "with x as (select $1::int as a) select a, count(*), lower(b), nextval('s') from x for update",
            "merge into t using u on (t.id = u.id) when matched then update set a = $1",
            "values ($1::int)",
            "table t",
            "select $1::float8, a from t limit $2",
            "select E'it''s', $$text$$, \"1\" from t where a is null and b is not null",
        ] {
            assert!(may_be_kept(text), "{text}");
        }
    }

    #[test]
    fn what_depends_on_the_rest_of_the_session_is_not_kept() {
        for text in [
            "fetch all from c",
            "execute s(1)",
            "show all",
            "explain select 1",
            "call p()",
            "",
            "-- select",
            "declare c cursor for select 1",
        ] {
            assert!(!may_be_kept(text), "{text}");
        }
    }

    #[test]
    fn what_settings_decide_when_it_is_parsed_is_not_kept() {
        for text in [
            "select '12'::money where $1",
            "select timestamptz '2020-01-01 EST' where $1",
            "select '{a,NULL}'::text[] where $1",
            "select E'a\\'b' where $1",
            "select 'a\\b' where $1",
            "select $$1$$ where $1",
            "select $a$1$a$ where $1",
            "select * from t where a = null or $1",
            "select * from t where NULL = a or $1",
            "select '<a/>' where $1",
            "select xmlparse(content $1)",
            "select 0.1::float8::text where $1",
            "select pi()::text, 1 where $1",
            "select decode('ab', 'hex')::text where $1",
            "select quote_ident('a') where $1",
            "select 'now'::timestamptz",
            "select date 'TODAY'",
            "where at > ' tomorrow '",
            "select 'yesterday'::date, now()",
            "select 'no'\n'w'::text",
        ] {
            assert!(!may_be_kept(text), "{text}");
        }
    }

    #[test]
    fn a_function_of_somebodys_may_change_the_session() {
        for text in [
            "select my_function($1)",
            "select * from api.user($1)",
            "select \"f\"()",
            "insert into t (a) values (f($1))",
            "select set_config('role', $1, false)",
            "select 1; select f()",
            "select 'never closed",
        ] {
            assert!(calls_unknown_functions(text) && !may_be_kept(text), "{text}");
        }
        for text in ["select 1", "insert into t (a) values (lower($1))", "select count(*) from t where a in (1)", "begin", ""] {
            assert!(!calls_unknown_functions(text), "{text}");
        }
    }
}
