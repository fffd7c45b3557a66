//! No secret shows in `Debug` of a configuration nor in an error.

use serde_json::{Value, json};

use super::{deployed, env, nothing, options};
use crate::config::{resolve, resolve_client, resolve_token};

const SENTINEL: &str = "s3nt1nel";

/// Debug and Display of whatever came out.
fn shown<T: std::fmt::Debug>(result: Result<T, crate::error::Error>) -> String {
    match result {
        Ok(value) => format!("{value:?} {value:#?}"),
        Err(error) => {
            format!("{error} {error:?} {error:#?} {}", serde_json::to_string(error.problems()).unwrap())
        }
    }
}

fn all(given: Value, pairs: &[(&str, &str)]) -> String {
    let (given, variables) = (options(given), deployed(pairs));
    [shown(resolve(&given, &variables)), shown(resolve_client(&given, &variables)), shown(resolve_token(&given, &variables))].concat()
}

#[test]
fn secrets_in_their_places_are_not_shown() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{SENTINEL}");
    let certificate = "-----BEGIN CERTIFICATE-----";
    for given in [
        json!({"token": SENTINEL}),
        json!({"clientSecret": SENTINEL, "clientId": "id"}),
        json!({"password": SENTINEL}),
        json!({"connectionString": format!("postgres://u:{SENTINEL}@h/d")}),
        json!({"connectionString": format!("postgres://u@h/d?password={SENTINEL}")}),
        json!({"connectionString": format!("host=h user=u password={SENTINEL}")}),
        json!({"ssl": {"key": key, "cert": certificate}}),
        json!({"databricksHost": format!("https://u:{SENTINEL}@ws.example")}),
    ] {
        // Once in a usable configuration, once beside a problem.
        for pairs in [&[("USER", "u")][..], &[("PGPORT", "x")]] {
            let shown = all(given.clone(), pairs);
            assert!(!shown.contains(SENTINEL), "{given}: {shown}");
        }
    }
    for name in ["DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET", "PGPASSWORD"] {
        assert!(!all(nothing(), &[(name, SENTINEL)]).contains(SENTINEL), "{name}");
    }
    let url = format!("postgres://u:{SENTINEL}@h/d");
    assert!(!shown(resolve(&options(nothing()), &env(&[("DATABASE_URL", &url)]))).contains(SENTINEL));
    let proxy = format!("http://u:{SENTINEL}@proxy:1");
    assert!(!all(nothing(), &[("HTTPS_PROXY", &proxy)]).contains(SENTINEL));
}

#[test]
fn secrets_of_the_wrong_type_or_form_are_not_shown() {
    let broken = |text: &str| [json!([text]), json!({ "a": text }), json!(format!("{text} {text}\0")), json!(format!("{text}\u{e9}\n"))];
    for name in ["token", "clientSecret", "password", "connectionString"] {
        for value in broken(SENTINEL) {
            let given = json!({name: value, "clientId": "id"});
            let shown = all(given.clone(), &[("DATABRICKS_CLIENT_SECRET", "")]);
            assert!(!shown.contains(SENTINEL), "{given}: {shown}");
        }
    }
    for name in ["ca", "cert", "key", "passphrase", "pfx", "crl"] {
        for value in broken(SENTINEL) {
            let shown = all(json!({"ssl": {name: value}}), &[]);
            assert!(!shown.contains(SENTINEL), "{name}: {shown}");
        }
    }
}

#[test]
fn unreadable_connection_strings_do_not_show_their_password() {
    for string in [
        format!("postgres://u:{SENTINEL}@h:port/d"),
        format!("postgres://u:{SENTINEL}/x@h/d"),
        format!("postgres://u:1/{SENTINEL}@h/d"),
        format!("postgres://u:1#{SENTINEL}@h/d"),
        format!("postgres://u:1?{SENTINEL}@h/d"),
        format!("mysql://u:{SENTINEL}@h/d"),
        format!("u:{SENTINEL}@h/d"),
        format!("host=h password=my {SENTINEL}=x y"),
        format!("host=h password='{SENTINEL}"),
        SENTINEL.to_owned(),
        format!("postgres://u:{SENTINEL}@a,b/d"),
    ] {
        let given = options(json!({"connectionString": string}));
        let shown = shown(resolve(&given, &deployed(&[])));
        assert!(!shown.contains(SENTINEL), "{string}: {shown}");
    }
}

#[test]
fn secrets_that_slipped_into_other_settings_are_not_quoted() {
    for text in [format!("dapi{SENTINEL} "), format!("eyJ{SENTINEL}/"), format!("postgres://u:{SENTINEL}@h/d")] {
        for name in ["host", "endpoint", "instanceName", "port", "sslMode", "max"] {
            let shown = shown(resolve(&options(json!({ name: text })), &deployed(&[])));
            assert!(!shown.contains(SENTINEL), "{name}: {shown}");
        }
    }
}
