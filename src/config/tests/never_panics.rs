//! Whatever crosses from JavaScript or stands in the environment gives a configuration or an error.

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::config::settings::settings;
use crate::config::{resolve, resolve_client, resolve_token};
use crate::error::Error;

fn name() -> impl Strategy<Value = String> {
    let known: Vec<String> = settings().map(|setting| setting.option.to_owned()).collect();
    prop_oneof![9 => prop::sample::select(known), 1 => "\\PC{0,12}"]
}

fn variable() -> impl Strategy<Value = String> {
    let others = ["USER", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "PGSSLROOTCERT", "PGREPLICATION", "NODE_EXTRA_CA_CERTS"];
    let known: Vec<String> = settings()
        .chain(crate::auth::settings())
        .flat_map(|setting| setting.variables)
        .chain(&others)
        .map(|&name| name.to_owned())
        .collect();
    prop::sample::select(known)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        any::<u64>().prop_map(|number| number.to_string()),
        prop::sample::select(vec!["", "0", "true", "require", "disable", "localhost", "/tmp", "a\0b", "system", "::1", "%"])
            .prop_map(str::to_owned),
        prop::sample::select(vec![super::ENDPOINT, "https://ws.example", "direct"]).prop_map(str::to_owned),
        "postgres(ql)?://\\PC{0,20}",
        "(host|sslmode|sslrootcert|sslkey|port)=\\PC{0,8}",
        "postgres://u:p@h/d\\?(sslmode|ssl|port|uselibpqcompat|statement_timeout|sslcert)=[a-z0-9%/&=-]{0,12}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        Just(json!({"$function": true})),
        Just(json!({"$number": "NaN"})),
    ];
    let member = prop::sample::select(vec!["ca", "cert", "key", "servername", "minVersion", "maxVersion", "rejectUnauthorized", "x"]);
    leaf.prop_recursive(2, 8, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((member.clone(), inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn check<T>(result: Result<T, Error>) {
    if let Err(error) = result {
        assert!(!error.problems().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_any_options_and_environment(
        options in vec((name(), value()), 0..8).prop_map(|options| options.into_iter().collect::<Map<String, Value>>()),
        env in hash_map(variable(), text(), 0..8),
    ) {
        check(resolve(&options, &env));
        check(resolve_client(&options, &env));
        check(resolve_token(&options, &env));
    }
}
