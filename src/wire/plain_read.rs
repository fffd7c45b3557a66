//! Which statements are plain reads: they write nothing, lock nothing but what every read locks, and wait for nothing of their own accord.
//!
//! Told by the text alone, so in doubt a statement is none. What a text does not show is the code behind a name: a view or an operator that
//! calls a function which writes.

use std::cell::RefCell;

use super::lexer::{Token, Tokens};
use crate::fingerprint::fingerprint;

/// Texts whose answer a thread remembers, each in the place that its fingerprint names.
const REMEMBERED: usize = 256;
/// Longer texts are judged each time.
const LONGEST: usize = 4096;

/// A text, and whether it is a plain read.
type Judged = (Box<str>, bool);

thread_local! {
    static JUDGED: RefCell<Vec<Option<Judged>>> = const { RefCell::new(Vec::new()) };
}

/// Whether `text` is one statement that only reads. Remembers the texts it was last asked for.
pub fn is_plain_read(text: &str) -> bool {
    if text.len() > LONGEST {
        return judge(text);
    }
    JUDGED.with_borrow_mut(|judged| {
        if judged.is_empty() {
            judged.resize(REMEMBERED, None);
        }
        let place = &mut judged[(fingerprint(text) >> 8) as usize % REMEMBERED];
        if let Some((known, answer)) = place
            && **known == *text
        {
            return *answer;
        }
        let answer = judge(text);
        *place = Some((text.into(), answer));
        answer
    })
}

fn judge(text: &str) -> bool {
    let (mut begun, mut ended) = (false, false);
    // What stands before the token: the nearest first.
    let mut before = [None; 3];
    for token in Tokens::of(text) {
        let fits = match token {
            Token::Unclear => false,
            Token::Symbol(b';') => {
                ended = true;
                begun
            }
            _ if ended => false,
            Token::Symbol(b'(') => !begun || may_open(before),
            Token::Word(word) if !begun => {
                begun = true;
                is_one_of(word, &BEGINNINGS)
            }
            Token::Word(word) => !is_one_of(word, &WRITES) && !follows_for(before),
            Token::QuotedName => begun && !follows_for(before),
            Token::Value | Token::Symbol(_) => begun,
        };
        if !fits {
            return false;
        }
        before = [Some(token), before[0], before[1]];
    }
    begun
}

/// `FOR UPDATE`, `FOR NO KEY UPDATE`, `FOR SHARE`, `FOR KEY SHARE`. What else has FOR in it (`substring(a for 2)`) goes on with a value, or
/// counts as one of these.
fn follows_for(before: [Option<Token>; 3]) -> bool {
    matches!(before[0], Some(Token::Word(word)) if word.eq_ignore_ascii_case("for"))
}

/// Whether a parenthesis behind these tokens calls nothing, or a function that only computes.
fn may_open([last, second, third]: [Option<Token>; 3]) -> bool {
    let is = |token: Option<Token>, words: &[&str]| matches!(token, Some(Token::Word(word)) if is_one_of(word, words));
    // A list of columns: `with a (b) as …`, `… as a (b)`.
    let is_alias = is(second, &["as", "recursive", "with"]);
    match last {
        Some(Token::Word(word)) if second == Some(Token::Symbol(b'.')) => is(third, &["pg_catalog"]) && is_one_of(word, FUNCTIONS),
        // Words that a function may be called, too: they are no function behind an operand.
        Some(Token::Word(word)) if is_one_of(word, &INFIXES) => match second {
            Some(Token::Word(operand)) => !is_one_of(operand, OPENERS),
            Some(Token::QuotedName | Token::Value | Token::Symbol(b')' | b']')) => true,
            _ => false,
        },
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("by") => is(second, &["group", "order", "partition"]),
        Some(Token::Word(word)) => is_alias || is_one_of(word, OPENERS) || is_one_of(word, FUNCTIONS),
        Some(Token::QuotedName) => is_alias,
        _ => true,
    }
}

/// Whether a parenthesis behind these tokens calls nothing, or a function of PostgreSQL's that leaves the session's settings alone.
pub(super) fn is_known_function(before: [Option<Token>; 3]) -> bool {
    let acts = |word: &str| is_one_of(word, &ACTING) || word.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("pg_advisory_"));
    let is_acting = match before {
        [Some(Token::Word(word)), Some(Token::Symbol(b'.')), Some(Token::Word(schema))] => {
            schema.eq_ignore_ascii_case("pg_catalog") && acts(word)
        }
        [_, Some(Token::Symbol(b'.')), _] => false,
        [Some(Token::Word(word)), ..] => acts(word),
        _ => false,
    };
    is_acting || may_open(before)
}

/// `words` are in lower case and sorted.
fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.binary_search_by(|known| known.bytes().cmp(word.bytes().map(|byte| byte.to_ascii_lowercase()))).is_ok()
}

/// How a statement begins that may be a read.
const BEGINNINGS: [&str; 4] = ["select", "table", "values", "with"];

/// Words that make a write of it, wherever they stand outside of quotes.
const WRITES: [&str; 5] = ["delete", "insert", "into", "merge", "update"];

/// Words between operands that a parenthesis may follow.
const INFIXES: [&str; 5] = ["filter", "ilike", "join", "like", "over"];

/// Keywords that a parenthesis may follow and that no function can be called.
#[rustfmt::skip]
const OPENERS: &[&str] = &[
    "all", "and", "any", "array", "as", "between", "bit", "case", "cast", "char", "character", "coalesce", "dec", "decimal", "distinct",
    "else", "except", "exists", "extract", "float", "for", "from", "greatest", "group", "grouping", "having", "in", "intersect", "interval",
    "lateral", "least", "limit", "nchar", "not", "nullif", "numeric", "offset", "on", "or", "overlay", "position", "row", "select", "some",
    "substring", "then", "time", "timestamp", "trim", "union", "using", "values", "varchar", "when", "where",
];

/// Functions of PostgreSQL that write, lock or wait, and change nothing that decides what a text means.
const ACTING: [&str; 8] = ["current_setting", "currval", "lastval", "nextval", "pg_notify", "pg_sleep", "pg_try_advisory_lock", "setval"];

/// Functions of PostgreSQL that compute their result from their arguments, the clock or the session's identity: none writes, locks, waits, runs
/// a text as a statement, or depends on what ran before it in the session.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "abs", "acos", "acosd", "acosh", "age", "array_agg", "array_append", "array_cat", "array_dims", "array_fill", "array_length",
    "array_lower", "array_ndims", "array_position", "array_positions", "array_prepend", "array_remove", "array_replace", "array_to_json",
    "array_to_string", "array_upper", "ascii", "asin", "asind", "asinh", "atan", "atan2", "atan2d", "atand", "atanh", "avg",
    "bit_and", "bit_count", "bit_length", "bit_or", "bit_xor", "bool_and", "bool_or", "btrim",
    "cardinality", "cbrt", "ceil", "ceiling", "char_length", "character_length", "chr", "clock_timestamp", "concat", "concat_ws",
    "convert_from", "convert_to", "corr", "cos", "cosd", "cosh", "cot", "cotd", "count", "covar_pop", "covar_samp", "cume_dist",
    "current_database", "current_schema",
    "date", "date_bin", "date_part", "date_trunc", "decode", "degrees", "dense_rank", "div",
    "encode", "erf", "erfc", "every", "exp",
    "factorial", "first_value", "floor", "format",
    "gcd", "gen_random_uuid", "generate_series", "generate_subscripts", "get_bit", "get_byte",
    "host", "hostmask",
    "initcap", "isempty", "isfinite",
    "json_agg", "json_array_elements", "json_array_elements_text", "json_array_length", "json_build_array", "json_build_object", "json_each",
    "json_each_text", "json_extract_path", "json_extract_path_text", "json_object", "json_object_agg", "json_object_keys",
    "json_populate_record", "json_populate_recordset", "json_strip_nulls", "json_to_record", "json_to_recordset", "json_typeof",
    "jsonb_agg", "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_array_length", "jsonb_build_array", "jsonb_build_object",
    "jsonb_each", "jsonb_each_text", "jsonb_extract_path", "jsonb_extract_path_text", "jsonb_insert", "jsonb_object", "jsonb_object_agg",
    "jsonb_object_keys", "jsonb_path_exists", "jsonb_path_match", "jsonb_path_query", "jsonb_path_query_array", "jsonb_path_query_first",
    "jsonb_populate_record", "jsonb_populate_recordset", "jsonb_pretty", "jsonb_set", "jsonb_set_lax", "jsonb_strip_nulls",
    "jsonb_to_record", "jsonb_to_recordset", "jsonb_typeof",
    "justify_days", "justify_hours", "justify_interval",
    "lag", "last_value", "lcm", "lead", "left", "length", "ln", "log", "log10", "lower", "lower_inc", "lower_inf", "lpad", "ltrim",
    "make_date", "make_interval", "make_time", "make_timestamp", "make_timestamptz", "masklen", "max", "md5", "min", "min_scale", "mod",
    "mode", "multirange",
    "netmask", "network", "normalize", "now", "nth_value", "ntile", "num_nonnulls", "num_nulls", "numnode",
    "octet_length",
    "parse_ident", "percent_rank", "percentile_cont", "percentile_disc", "pg_backend_pid", "pg_column_size", "pg_typeof",
    "phraseto_tsquery", "pi", "plainto_tsquery", "pow", "power",
    "querytree", "quote_ident", "quote_literal", "quote_nullable",
    "radians", "random", "range_agg", "range_intersect_agg", "range_merge", "rank", "regexp_count", "regexp_instr", "regexp_like",
    "regexp_match", "regexp_matches", "regexp_replace", "regexp_split_to_array", "regexp_split_to_table", "regexp_substr", "regr_avgx",
    "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "repeat", "replace",
    "reverse", "right", "round", "row_number", "row_to_json", "rpad", "rtrim",
    "scale", "set_bit", "set_byte", "set_masklen", "setweight", "sha224", "sha256", "sha384", "sha512", "sign", "sin", "sind", "sinh",
    "split_part", "sqrt", "starts_with", "statement_timestamp", "stddev", "stddev_pop", "stddev_samp", "string_agg", "string_to_array",
    "string_to_table", "strip", "strpos", "substr", "sum",
    "tan", "tand", "tanh", "timezone", "to_ascii", "to_char", "to_date", "to_hex", "to_json", "to_jsonb", "to_number", "to_timestamp",
    "to_tsquery", "to_tsvector", "transaction_timestamp", "translate", "trim_array", "trim_scale", "trunc", "ts_delete", "ts_filter",
    "ts_headline", "ts_rank", "ts_rank_cd", "tsvector_to_array",
    "unistr", "unnest", "upper", "upper_inc", "upper_inf",
    "var_pop", "var_samp", "variance", "version",
    "websearch_to_tsquery", "width_bucket",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const READS: &[&str] = &[
        "select 1",
        "SELECT 1 ; ; -- done",
        "/* one /* nested */ two */ (select 1) union all (select 2)",
        "table t",
        "values (1, 'a'), (2, 'b')",
        "select a.*, count(*) from a join b using (id) where a.id = $1 and b.name in ($2, $3) group by a.id having count(*) > 1",
        "select * from (select 1) x left join (select 2) y on (true), lateral (select 3) z",
        "select * from a join (select 1) b on (true) where (a.x like ('b%'))",
        "with x (a) as (select 1), y as materialized (select 2) select * from x, y",
        "with recursive x (n) as (values (1) union all select n + 1 from x where n < 5) select sum(n) from x",
        "select \"update\", 'delete', $$insert$$, E'it\\'s; merge' from \"into\"",
        "select substring('abc' from 2 for 1), overlay('abc' placing 'x' from 1 for (2)), trim(both 'x' from 'xax')",
        "select sum(a) filter (where a > 1) over (partition by (b) order by (c)), pg_catalog.lower('A'), current_date",
        "select percentile_cont(0.5) within group (order by a) from t",
        "select cast(a as numeric(10, 2)), a::varchar(3), array(select 1), row(1, 2), exists(select 1), x in (select 1)",
        "select * from json_to_recordset($1) as t(a int, b text), unnest($2::int[]) with ordinality as u (v, n)",
        "select a -> 'b' ->> 'c', a @> '{}'::jsonb, 1e-3, .5, (-1) from t limit (10) offset 5",
        "select größe from maße where straße = 'ß'",
    ];

    const OTHERS: &[&str] = &[
        "",
        "-- select 1",
        "insert into t values (1)",
        "update t set a = 1",
        "delete from t",
        "merge into t using s on (true) when matched then do nothing",
        "select * from t for update",
        "select * from t FOR/**/SHARE",
        "select * from (select * from t for no key update skip locked) x",
        "select * from t for key share of t",
        "select 1 limit 1for share",
        "with x as (insert into t values (1) returning a) select * from x",
        "with x as (select 1), y as (delete from t returning 1) select * from x, y",
        "select 1 as a into t",
        "select * into temp t from s",
        "select my_function()",
        "select my_schema.lower('A')",
        "select \"lower\"('A')",
        "select * from my_function(1) as t",
        "select pg_sleep(1)",
        "select pg_catalog.pg_sleep(1)",
        "select pg_sleep /* ( */ (1)",
        "select pg_advisory_lock(1)",
        "select pg_try_advisory_xact_lock(1)",
        "select nextval('s')",
        "select setval('s', 1)",
        "select set_config('a.b', 'c', false)",
        "select current_setting('work_mem')",
        "select pg_notify('a', 'b')",
        "select query_to_xml('select 1', true, true, '')",
        "select lo_unlink(1)",
        "select pg_terminate_backend(1)",
        "select dblink('a', 'b')",
        "select over(1)",
        "select join(1), a from t",
        "select by(1)",
        "select 1 where like(1, 2)",
        "explain analyze delete from t",
        "explain select 1",
        "begin",
        "set a to b",
        "show a",
        "call p()",
        "do $$ $$",
        "copy t from stdin",
        "lock table t",
        "listen a",
        "fetch all from c",
        "execute s",
        "prepare s as select 1",
        "declare c cursor for select 1",
        "create table t as select 1",
        "refresh materialized view v",
        "vacuum",
        "truncate t",
        "select 1; select 2",
        "select 1; begin",
        "; select 1",
        "'a' select 1",
        "select 'a\\' , pg_sleep(1) -- '",
        "select 'never closed",
        "select $a$ never closed",
        "select 1 /* never closed",
        "1",
        "selects 1",
    ];

    #[test]
    fn what_only_reads_is_known_by_its_text() {
        READS.iter().for_each(|text| assert!(judge(text), "{text}"));
    }

    #[test]
    fn everything_else_is_no_plain_read() {
        OTHERS.iter().for_each(|text| assert!(!judge(text), "{text}"));
    }

    #[test]
    fn lists_of_words_are_sorted() {
        for words in [&BEGINNINGS[..], &WRITES, &INFIXES, &ACTING, OPENERS, FUNCTIONS] {
            assert!(words.is_sorted(), "{words:?}");
        }
    }

    #[test]
    fn texts_that_share_a_place_in_the_memory_are_judged_each_by_itself() {
        // Four times as many as there are places.
        let texts: Vec<_> = (0..REMEMBERED * 2).flat_map(|i| [format!("select {i}"), format!("select {i} for update")]).collect();
        for _ in 0..2 {
            for text in &texts {
                assert_eq!(is_plain_read(text), !text.ends_with("update"), "{text}");
            }
        }
        assert!(is_plain_read(&format!("select {}1", " ".repeat(LONGEST))));
    }

    fn space() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(" ".to_owned()),
            Just("\n\t".to_owned()),
            Just("/* select /* ' */ $$ */".to_owned()),
            Just("-- \" ; (\n".to_owned()),
            Just(" /**/ ".to_owned()),
        ]
    }

    fn in_mixed_case(word: &str, bits: u64) -> String {
        word.chars().enumerate().map(|(i, c)| if bits >> (i % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect()
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in any::<String>()) {
            judge(&text);
        }

        #[test]
        fn any_text_of_statements_pieces_is_judged(pieces in prop::collection::vec(prop::sample::select(vec![
            "select", "for", "update", "(", ")", "'", "\"", "$$", "$a$", "/*", "*/", "--", "\n", ";", " ", "a", ".", "E'", "\\", "é", "1",
        ]), 0..40)) {
            judge(&pieces.concat());
        }

        #[test]
        fn a_writing_word_shows_behind_whatever_space_and_in_whatever_case(
            space in space(), bits in any::<u64>(), word in prop::sample::select(WRITES.to_vec()),
        ) {
            let word = in_mixed_case(word, bits);
            let text = format!("with x as ({word}{space}t) select 1");
            prop_assert!(!judge(&text), "{}", text);
            let text = format!("select 1{space}{word}{space}t");
            prop_assert!(!judge(&text), "{}", text);
        }

        #[test]
        fn a_lock_shows_behind_whatever_space(space in space(), other in space(), bits in any::<u64>(),
            strength in prop::sample::select(vec!["update", "no key update", "share", "key share"]),
        ) {
            let lock = in_mixed_case(&format!("for{space}{strength}"), bits);
            let text = format!("select * from t{other}{lock}");
            prop_assert!(!judge(&text), "{}", text);
        }

        #[test]
        fn a_call_of_an_unknown_function_shows(name in "[a-z_][a-z0-9_$]{0,12}", space in space(), bits in any::<u64>()) {
            prop_assume!(!is_one_of(&name, FUNCTIONS) && !is_one_of(&name, OPENERS));
            let text = format!("select {}{space}(1)", in_mixed_case(&name, bits));
            prop_assert!(!judge(&text), "{}", text);
            let text = format!("select \"{name}\"{space}(1)");
            prop_assert!(!judge(&text), "{}", text);
        }

        #[test]
        fn what_stands_in_quotes_changes_nothing(inside in r#"[a-z ();$/*-]{0,30}"#) {
            let text = format!("select '{inside}', \"x{inside}\", E'{inside}\\'', $q${}$q$", inside.replace('$', ""));
            prop_assert!(judge(&text), "{}", text);
        }
    }
}
