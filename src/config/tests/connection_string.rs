//! Connection strings are taken apart as pg-connection-string and libpq do it.

use proptest::prelude::*;

use crate::config::connection_string::ConnectionString;

fn parse(text: &str) -> ConnectionString {
    ConnectionString::parse(text).unwrap_or_else(|_| panic!("{text}"))
}

fn five(string: &ConnectionString) -> [&str; 5] {
    ["user", "password", "host", "port", "database"].map(|name| string.get(name).unwrap_or_default())
}

#[test]
fn urls_are_read_as_pg_connection_string_reads_them() {
    // What pg-connection-string 2.14.1 makes of the same strings.
    for (text, expected) in [
        ("postgres://u:p@h.example:5433/d", ["u", "p", "h.example", "5433", "d"]),
        ("postgresql://u@h/d", ["u", "", "h", "", "d"]),
        ("postgres://h", ["", "", "h", "", ""]),
        ("postgres:///d", ["", "", "", "", "d"]),
        ("postgres://u:p@/d", ["u", "p", "", "", "d"]),
        ("postgres://u:p@/d?host=/var/run/postgresql", ["u", "p", "/var/run/postgresql", "", "d"]),
        ("postgres://%2Fvar%2Frun%2Fpg/d", ["", "", "/var/run/pg", "", "d"]),
        ("postgres://u:p@%2Ftmp:5433/d", ["u", "p", "/tmp", "5433", "d"]),
        ("socket:/some path/?db=d&encoding=utf8", ["", "", "/some path/", "", "d"]),
        ("socket://u:p@/tmp/?db=d", ["u", "p", "/tmp/", "", "d"]),
        ("/tmp d", ["", "", "/tmp", "", "d"]),
        ("/tmp", ["", "", "/tmp", "", ""]),
        ("postgres://u%40x.com:p%2F%3F%23%40%25@h/d", ["u@x.com", "p/?#@%", "h", "", "d"]),
        ("postgres://my f%irst name:is&%awesome!@h:9000", ["my f%irst name", "is&%awesome!", "h", "9000", ""]),
        ("postgres://u:p@h/u%2520rl", ["u", "p", "h", "", "u%20rl"]),
        ("postgres://h/a%2Fb", ["", "", "h", "", "a%2Fb"]),
        ("postgres://h/b%C3%BCch%20er", ["", "", "h", "", "büch er"]),
        ("postgres://u:p@[::1]:5433/d", ["u", "p", "::1", "5433", "d"]),
        ("postgres://u:p@h/d?user=u2&password=p2&host=h2&port=1", ["u2", "p2", "h2", "1", "d"]),
        ("postgres://u:p@h/?database=x", ["u", "p", "h", "", ""]),
        ("postgres://u:p@@h/d", ["u", "p@", "h", "", "d"]),
        ("postgres://u:p%zz@h/d", ["u", "p%zz", "h", "", "d"]),
        ("postgres://H.Example/D", ["", "", "H.Example", "", "D"]),
        ("postgres://u:p@h/d?user=", ["u", "p", "h", "", "d"]),
        ("postgres://u:p@h:/d", ["u", "p", "h", "", "d"]),
    ] {
        assert_eq!(five(&parse(text)), expected, "{text}");
    }
}

#[test]
fn an_escape_is_decoded_beside_a_stray_space() {
    // pg-connection-string leaves `%2F` standing here.
    assert_eq!(parse("postgres://u:a%2Fb c@h/d").get("password"), Some("a/b c"));
}

#[test]
fn query_parameters_are_form_decoded() {
    let string = parse("postgres://h/d?application_name=my+app%21&options=-c%20search_path%3Da&sslmode=require&x=");
    assert_eq!(string.get("application_name"), Some("my app!"));
    assert_eq!(string.get("options"), Some("-c search_path=a"));
    assert_eq!(string.get("sslmode"), Some("require"));
    assert_eq!(string.get("x"), None);
}

#[test]
fn libpq_pairs_are_read() {
    for (text, expected) in [
        ("host=h port=5433 dbname=d user=u password=p", ["u", "p", "h", "5433", "d"]),
        ("  host = h\n dbname = 'my db' ", ["", "", "h", "", "my db"]),
        (r"user=u password='it\'s \\ here'", ["u", r"it's \ here", "", "", ""]),
        (r"user=a\ b password=''", ["a b", "", "", "", ""]),
        ("password=postgres://x?y=z", ["", "postgres://x?y=z", "", "", ""]),
    ] {
        assert_eq!(five(&parse(text)), expected, "{text}");
    }
    assert_eq!(parse(r"user=a\ ").get("user"), Some("a "));
    assert_eq!(parse("host=h sslmode=verify-full sslrootcert=/ca.pem").get("sslrootcert"), Some("/ca.pem"));
}

#[test]
fn strings_that_say_nothing_clear_are_refused() {
    for text in [
        "mysql://u:p@h/d",
        "h/d",
        "",
        "postgres://u:p@h:port/d",
        "postgres://u:p@h:99999/d",
        // An unencoded /, # or ? in the password.
        "postgres://u:1?2@h/d",
        "postgres://u:1/2@h/d",
        "postgres://u:1#2@h/d",
        "postgres://u:%ff@h/d",
        "host=h password='open",
        "host=h dbname",
        "host=h sec ret=x",
        r"password=x\",
    ] {
        assert!(ConnectionString::parse(text).is_err(), "{text}");
    }
}

/// What any user may have in a password.
fn text() -> impl Strategy<Value = String> {
    "[ -~äß€\u{1F600}]{1,24}"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_the_parser_panic(text in "\\PC*") {
        let _ = ConnectionString::parse(&text);
        let _ = ConnectionString::parse(&format!("postgres://{text}"));
        let _ = ConnectionString::parse(&format!("host={text}"));
    }

    #[test]
    fn percent_encoded_credentials_come_back(user in text(), password in text()) {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let string = parse(&format!("postgres://{}:{}@h:1/d", encode(&user), encode(&password)));
        prop_assert_eq!(five(&string), [&*user, &*password, "h", "1", "d"]);
    }

    #[test]
    fn quoted_values_come_back(user in text(), password in text()) {
        let quote = |text: &str| text.replace('\\', r"\\").replace('\'', r"\'");
        let string = parse(&format!("user='{}' password = '{}' host=h", quote(&user), quote(&password)));
        prop_assert_eq!(five(&string), [&*user, &*password, "h", "", ""]);
    }

    /// `tokio_postgres::Config` reads libpq's pairs, too: where it accepts a string, it finds the same.
    #[test]
    fn pairs_agree_with_tokio_postgres(
        text in r"((user|password|dbname|application_name|options) ?= ?('([a-z =]|\\'|\\\\){0,6}'|([a-z]|\\'|\\ ){1,6}) ){1,4}",
    ) {
        let theirs: tokio_postgres::Config = text.parse().expect("a string made of valid pairs");
        let ours = parse(&text);
        let filled = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
        prop_assert_eq!(ours.get("user").map(str::to_owned), filled(theirs.get_user()));
        prop_assert_eq!(ours.get("database").map(str::to_owned), filled(theirs.get_dbname()));
        prop_assert_eq!(ours.get("application_name").map(str::to_owned), filled(theirs.get_application_name()));
        prop_assert_eq!(ours.get("options").map(str::to_owned), filled(theirs.get_options()));
        prop_assert_eq!(ours.get("password").map(|password| password.as_bytes().to_vec()),
            theirs.get_password().filter(|password| !password.is_empty()).map(<[u8]>::to_vec));
    }
}
