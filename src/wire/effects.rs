//! What a statement can change that decides what other texts mean.

use super::result::StatementResult;

/// Words that start a statement which can change a table's columns or what a name means.
const SCHEMA_CHANGES: [&str; 5] = ["create", "alter", "drop", "do", "import"];

/// What finished statements can have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// Tables, types, functions: everybody's.
    pub schema: bool,
    /// Settings that decide how a text is read (`search_path`, `TimeZone`, …): this session's.
    pub settings: bool,
    /// All prepared statements are gone.
    pub deallocated: bool,
}

impl Effects {
    /// Judges a request by its text and by what the server said it did.
    pub fn of(text: &str, results: &[StatementResult]) -> Self {
        let mut effects = Self { schema: starts_with_schema_change(text), ..Self::default() };
        for result in results {
            let Some(tag) = &result.tag else { continue };
            if tag == "SET" && results.len() == 1 && sets_nothing_that_is_read(text) {
                continue;
            }
            effects.add(tag);
            // Without columns: CREATE TABLE AS, CREATE MATERIALIZED VIEW and SELECT INTO call themselves so.
            effects.schema |= result.columns.is_none() && tag.starts_with("SELECT");
        }
        effects
    }

    /// The same for statements of which only the tags are known.
    pub fn of_tags(tags: &[String]) -> Self {
        let mut effects = Self::default();
        tags.iter().for_each(|tag| effects.add(tag));
        effects
    }

    fn add(&mut self, tag: &str) {
        match tag.split(' ').next().unwrap_or_default() {
            "CREATE" | "ALTER" | "DROP" | "DO" | "IMPORT" => self.schema = true,
            "SET" | "RESET" | "CALL" => self.settings = true,
            "DISCARD" | "DEALLOCATE" if tag.ends_with(" ALL") => self.deallocated = true,
            // One of ours, perhaps: they are all prepared anew.
            "DISCARD" | "DEALLOCATE" => self.settings = true,
            _ => {}
        }
    }
}

/// A SET of something that no text depends on, or that ends with its transaction.
fn sets_nothing_that_is_read(text: &str) -> bool {
    let mut words = text.trim_start().split(|c: char| c.is_ascii_whitespace() || c == '=').filter(|word| !word.is_empty());
    if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("set")) {
        return false;
    }
    let Some(mut name) = words.next().map(str::to_ascii_lowercase) else { return false };
    if name == "session" {
        let Some(next) = words.next() else { return false };
        name = next.to_ascii_lowercase();
    }
    // Nothing is cached in a transaction, and outside one SET LOCAL has no effect.
    let ends = matches!(name.as_str(), "local" | "transaction" | "constraints" | "characteristics");
    ends || name.contains('.') || name.ends_with("_timeout") || name == "application_name"
}

pub(super) fn starts_with_schema_change(text: &str) -> bool {
    let statement = first_keyword(text);
    SCHEMA_CHANGES.iter().any(|keyword| statement.eq_ignore_ascii_case(keyword))
}

/// The first word of a statement, behind white space, comments and opening parentheses.
pub(super) fn first_keyword(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '(');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if rest.starts_with("/*") {
            rest = after_block_comment(rest);
        } else {
            break;
        }
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    &rest[..end]
}

/// Block comments nest in PostgreSQL. An unterminated one leaves nothing.
fn after_block_comment(text: &str) -> &str {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return &text[at..];
                }
            }
            _ => at += 1,
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_keyword_is_found_behind_comments_and_parentheses() {
        for (text, keyword) in [
            ("select 1", "select"),
            ("  \n\t(SELECT 1)", "SELECT"),
            ("-- a note\n with x as (select 1) table x", "with"),
            ("/* one /* nested */ two */ insert into t values (1)", "insert"),
            ("/* never closed", ""),
            ("--", ""),
            ("", ""),
            ("/*/", ""),
            ("1", ""),
        ] {
            assert_eq!(first_keyword(text), keyword, "{text}");
        }
    }

    fn effects(text: &str, tag: &str) -> Effects {
        Effects::of(text, &[StatementResult { tag: Some(tag.into()), ..StatementResult::default() }])
    }

    #[test]
    fn a_change_of_the_schema_is_known_by_its_tag() {
        for (text, tag) in [
            ("create table t ()", "CREATE TABLE"),
            ("/* x */ Alter table t", ""),
            ("select 1 as a into t", "SELECT 1"),
            ("with x as (select 1) select * into t from x", "SELECT 1"),
            ("do $$ $$", "DO"),
        ] {
            assert!(effects(text, tag).schema, "{text}");
        }
        assert!(!effects("update t set a = 1", "UPDATE 1").schema);
    }

    #[test]
    fn a_setting_counts_unless_no_text_depends_on_it() {
        for (text, tag) in [
            ("set search_path = a", "SET"),
            ("set time zone 'UTC'", "SET"),
            ("SET SESSION search_path TO a", "SET"),
            ("set session authorization a", "SET"),
            ("/* x */ set role a", "SET"),
            ("reset all", "RESET"),
            ("call p()", "CALL"),
            ("discard temp", "DISCARD TEMP"),
        ] {
            assert!(effects(text, tag).settings, "{text}");
        }
        for text in [
            "set app.tenant = '1'",
            "set local search_path = a",
            "SET statement_timeout=5",
            "set session characteristics as transaction read only",
            "set transaction read only",
        ] {
            assert!(!effects(text, "SET").settings, "{text}");
        }
        assert!(!effects("update t set a = 1", "UPDATE 1").settings);
    }

    #[test]
    fn statements_are_gone_only_after_all() {
        assert!(effects("deallocate all", "DEALLOCATE ALL").deallocated);
        assert!(effects("discard all", "DISCARD ALL").deallocated);
        assert!(!effects("deallocate a", "DEALLOCATE").deallocated);
        assert!(!effects("discard plans", "DISCARD PLANS").deallocated);
    }
}
