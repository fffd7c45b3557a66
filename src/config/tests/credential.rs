//! `getToken()` and the token part of `createLakebasePool()`.

use serde_json::{Value, json};

use super::{deployed, env, nothing, options, problem, problems};
use crate::auth::{self, Settings};
use crate::config::{CredentialTarget, TokenConfig, resolve_token};

fn token(given: Value, pairs: &[(&str, &str)]) -> TokenConfig {
    resolve_token(&options(given), &deployed(pairs)).expect("a usable configuration")
}

#[test]
fn connection_parameters_of_node_postgres_do_not_disturb() {
    let given = json!({
        "host": 1, "user": false, "password": {"$function": true}, "port": -1, "ssl": "what", "database": "", "options": 5, "max": "x",
        "isDomainSocket": false, "connectionString": "nonsense", "statement_timeout": false,
    });
    assert_eq!(token(given, &[("DATABASE_URL", "postgres://u:p@h/d")]).workspace_url, "https://ws.cloud.databricks.com");
}

#[test]
fn the_workspace_is_reduced_to_scheme_host_and_port() {
    for (given, url) in [
        ("ws.example", "https://ws.example"),
        ("WS.Example:8443", "https://ws.example:8443"),
        ("https://ws.example/", "https://ws.example"),
        ("https://ws.example/sql/editor?o=123#x", "https://ws.example"),
        ("https://user@ws.example", "https://ws.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("https://ws.example:443", "https://ws.example"),
    ] {
        assert_eq!(token(nothing(), &[("DATABRICKS_HOST", given)]).workspace_url, url, "{given}");
        assert_eq!(token(json!({"databricksHost": given}), &[]).workspace_url, url, "{given}");
    }
}

#[test]
fn a_workspace_without_tls_or_sense_is_refused() {
    for given in ["http://ws.example", "ftp://ws.example", "https://user:pw@ws.example", "https://", "https://a b", "://"] {
        let shown = problem(resolve_token(&options(json!({"databricksHost": given})), &deployed(&[])));
        assert!(shown.starts_with("databricksHost (DATABRICKS_HOST): found "), "{given}: {shown}");
    }
    let shown =
        problem(resolve_token(&options(nothing()), &deployed(&[("DATABRICKS_HOST", ""), ("DATABRICKS_WORKSPACE_URL", "http://a.b")])));
    assert!(shown.starts_with("databricksHost (DATABRICKS_WORKSPACE_URL): found \"http://a.b\": expected https"), "{shown}");
}

#[test]
fn endpoints_must_have_their_form() {
    for given in [
        "ep-1",
        "projects/p/branches/b",
        "projects/p/branches/b/endpoints/",
        "/projects/p/branches/b/endpoints/e",
        "projects/p/branches/b/endpoints/e/x",
        "projects/p q/branches/b/endpoints/e",
    ] {
        let shown = problem(resolve_token(&options(json!({"endpoint": given})), &deployed(&[])));
        let expected =
            format!("endpoint (LAKEBASE_ENDPOINT): found {given:?}: expected projects/<project>/branches/<branch>/endpoints/<endpoint>");
        assert_eq!(shown, expected);
    }
}

#[test]
fn an_endpoint_in_place_of_an_instance_is_pointed_out() {
    let shown = problem(resolve_token(&options(json!({"instanceName": super::ENDPOINT})), &deployed(&[("LAKEBASE_ENDPOINT", "")])));
    assert!(shown.contains("goes into endpoint (LAKEBASE_ENDPOINT)"), "{shown}");
}

#[test]
fn endpoint_and_instance_exclude_each_other_unless_an_option_decides() {
    let both = [("LAKEBASE_INSTANCE_NAME", "inst")];
    assert!(problem(resolve_token(&options(nothing()), &deployed(&both))).contains("not both"));
    assert!(
        problem(resolve_token(&options(json!({"endpoint": super::ENDPOINT, "instanceName": "i"})), &deployed(&[]))).contains("not both")
    );
    assert_eq!(token(json!({"instanceName": "opt"}), &[]).target, CredentialTarget::Instance("opt".into()));
    assert_eq!(token(json!({"endpoint": super::ENDPOINT}), &both).target, CredentialTarget::Endpoint(super::ENDPOINT.into()));
}

#[test]
fn one_method_of_authorization_is_chosen() {
    let secret = |settings: Settings| match settings.choose().unwrap()[0].name() {
        "pat" => format!("token {}", settings.text(&auth::TOKEN).unwrap()),
        method => format!("{method} {} {}", settings.text(&auth::CLIENT_ID).unwrap(), settings.text(&auth::CLIENT_SECRET).unwrap()),
    };
    for (given, pairs, expected) in [
        (nothing(), &[][..], "oauth-m2m client-1 client-secret"),
        (json!({"clientId": "id", "clientSecret": "s"}), &[], "oauth-m2m id s"),
        (json!({"token": "t"}), &[], "token t"),
        (json!({"clientSecret": "s"}), &[("DATABRICKS_TOKEN", "t")], "oauth-m2m client-1 s"),
        // The id alone is the database user's name.
        (nothing(), &[("DATABRICKS_TOKEN", "t"), ("DATABRICKS_CLIENT_SECRET", "")], "token t"),
        (json!({"clientId": "id"}), &[("DATABRICKS_TOKEN", "t"), ("DATABRICKS_CLIENT_SECRET", "")], "token t"),
    ] {
        assert_eq!(secret(token(given.clone(), pairs).auth), expected, "{given} {pairs:?}");
    }
}

#[test]
fn contradictory_or_partial_authorization_is_refused() {
    for (pairs, start) in [
        (&[("DATABRICKS_TOKEN", "t")][..], "token (DATABRICKS_TOKEN): found more than one authorization method"),
        (&[("DATABRICKS_CLIENT_SECRET", "")], "clientSecret (DATABRICKS_CLIENT_SECRET): found nothing"),
        (&[("DATABRICKS_CLIENT_ID", "")], "clientId (DATABRICKS_CLIENT_ID): found nothing"),
        (&[("DATABRICKS_CLIENT_ID", ""), ("DATABRICKS_CLIENT_SECRET", "")], "token (DATABRICKS_TOKEN): found nothing: expected clientId"),
        (&[("DATABRICKS_CLIENT_SECRET", "two words")], "clientSecret (DATABRICKS_CLIENT_SECRET): found a string of 9 characters"),
    ] {
        let shown = problem(resolve_token(&options(nothing()), &deployed(pairs)));
        assert!(shown.starts_with(start), "{shown}");
    }
}

#[test]
fn nothing_at_all_lists_everything_a_token_needs() {
    let shown = problems(resolve_token(&options(nothing()), &env(&[])));
    let named: Vec<_> = shown.iter().map(|problem| problem.split(':').next().unwrap_or_default()).collect();
    assert_eq!(named, ["endpoint (LAKEBASE_ENDPOINT)", "databricksHost (DATABRICKS_HOST)", "token (DATABRICKS_TOKEN)"]);
}

#[test]
fn claims_are_an_array_of_objects() {
    for claims in [json!("READ_ONLY"), json!({}), json!(["x"])] {
        assert!(problem(resolve_token(&options(json!({"claims": claims})), &deployed(&[]))).starts_with("claims: found "));
    }
}

#[test]
fn certificates_and_proxies_come_from_the_environment() {
    let network = |pairs: &[(&str, &str)]| token(nothing(), pairs).network;
    let all = network(&[
        ("NODE_EXTRA_CA_CERTS", "/a.pem"),
        ("SSL_CERT_FILE", "/b.pem"),
        ("HTTPS_PROXY", "http://u:p@proxy:3128"),
        ("https_proxy", "http://other:1"),
        ("NO_PROXY", "localhost,.internal"),
    ]);
    assert_eq!(all.extra_ca_files, ["/a.pem", "/b.pem"].map(std::path::PathBuf::from));
    assert_eq!(all.https_proxy.as_ref().map(|proxy| proxy.expose()), Some("http://u:p@proxy:3128"));
    assert_eq!(all.no_proxy.as_deref(), Some("localhost,.internal"));
    assert_eq!(network(&[("https_proxy", "proxy:3128")]).https_proxy.as_ref().map(|proxy| proxy.expose()), Some("http://proxy:3128"));
    assert_eq!(network(&[("ALL_PROXY", "socks5://proxy:1080")]).https_proxy, None);
    assert_eq!(network(&[("no_proxy", "*")]).no_proxy.as_deref(), Some("*"));

    let shown = problem(resolve_token(&options(nothing()), &deployed(&[("HTTPS_PROXY", "socks5://u:hidden@proxy")])));
    assert_eq!(
        shown,
        "HTTPS_PROXY: found a string of 23 characters: expected the URL of an HTTP proxy, for example http://proxy.example:3128"
    );
}
