//! The database credential: which workspace issues it, for what, and who asks.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::found::unreadable;
use super::host::is_loopback;
use super::reader::{Given, Origin, Reader};
use super::settings::{CLAIMS, DATABRICKS_HOST, ENDPOINT, INSTANCE_NAME, TOKEN_REFRESH_BUFFER};
use super::{CredentialTarget, TokenConfig, WorkspaceConfig, identity, network};
use crate::auth;

/// Databricks' own connectors refresh two minutes ahead, too.
const DEFAULT_REFRESH_BUFFER: Duration = Duration::from_secs(120);

/// Database tokens live an hour; a buffer near that would refresh without pause.
const MAX_REFRESH_BUFFER_MILLIS: u64 = 55 * 60 * 1000;

const EXPECTED_HOST: &str = "the workspace's URL, for example https://my-workspace.cloud.databricks.com";

const ENDPOINT_FORMAT: &str = "projects/<project>/branches/<branch>/endpoints/<endpoint>";

/// Everything a token needs. `None` if a part is missing or wrong, which is reported.
pub(super) fn resolve(reader: &mut Reader) -> Option<TokenConfig> {
    let target = target(reader);
    let workspace = workspace(reader);
    let claims = claims(reader);
    let refresh_buffer = reader
        .integer(&TOKEN_REFRESH_BUFFER, 0..=MAX_REFRESH_BUFFER_MILLIS, "milliseconds")
        .map_or(DEFAULT_REFRESH_BUFFER, Duration::from_millis);
    let WorkspaceConfig { workspace_url, auth, network, owner, warnings } = workspace?;
    Some(TokenConfig { workspace_url, target: target?, auth, claims, refresh_buffer, network, owner, warnings })
}

/// What calls of the workspace's API need. `None` if a part is missing or wrong, which is reported.
pub(super) fn workspace(reader: &mut Reader) -> Option<WorkspaceConfig> {
    let workspace_url = workspace_url(reader);
    let auth = identity::resolve(reader, workspace_url.as_deref().unwrap_or_default());
    if workspace_url.as_deref() == Some("") && auth.as_ref().is_some_and(|auth| !auth.tell_workspace()) {
        reader.missing(&DATABRICKS_HOST, EXPECTED_HOST);
    }
    let network = network::resolve(reader);
    let warnings = reader.warnings().to_vec();
    Some(WorkspaceConfig { workspace_url: workspace_url?, auth: auth?, network, owner: None, warnings })
}

/// Whether an endpoint or an instance is named anywhere.
pub(super) fn is_requested(reader: &Reader) -> bool {
    reader.find(&ENDPOINT).is_some() || reader.find(&INSTANCE_NAME).is_some()
}

/// The endpoint or the instance. An option beats a variable of the other kind; two of the same rank are a problem.
fn target(reader: &mut Reader) -> Option<CredentialTarget> {
    let (endpoint, instance) = (reader.find(&ENDPOINT), reader.find(&INSTANCE_NAME));
    match (endpoint, instance) {
        (Some(endpoint), Some(instance)) => match (is_option(&endpoint), is_option(&instance)) {
            (true, false) => endpoint_target(reader, &endpoint),
            (false, true) => instance_target(reader, &instance),
            _ => reader.reject(
                &INSTANCE_NAME,
                &instance,
                "either endpoint (LAKEBASE_ENDPOINT, Autoscaling) or instanceName (LAKEBASE_INSTANCE_NAME, Provisioned), not both",
            ),
        },
        (Some(endpoint), None) => endpoint_target(reader, &endpoint),
        (None, Some(instance)) => instance_target(reader, &instance),
        (None, None) => {
            reader.missing(
                &ENDPOINT,
                format!(
                    "{ENDPOINT_FORMAT} for Lakebase Autoscaling; or instanceName (LAKEBASE_INSTANCE_NAME) for Lakebase Provisioned; or, \
                     for a PostgreSQL password instead of tokens, password, connectionString or DATABASE_URL"
                ),
            );
            None
        }
    }
}

fn endpoint_target(reader: &mut Reader, given: &Given) -> Option<CredentialTarget> {
    let name = given.value.as_str().unwrap_or_default();
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        ["projects", project, "branches", branch, "endpoints", endpoint] if [project, branch, endpoint].into_iter().all(is_resource_id) => {
            Some(CredentialTarget::Endpoint(name.to_owned()))
        }
        _ => reader.reject(&ENDPOINT, given, ENDPOINT_FORMAT),
    }
}

fn instance_target(reader: &mut Reader, given: &Given) -> Option<CredentialTarget> {
    match given.value.as_str() {
        Some(name) if is_resource_id(name) => Some(CredentialTarget::Instance(name.to_owned())),
        _ => reader.reject(
            &INSTANCE_NAME,
            given,
            "the name of a Provisioned instance; an Autoscaling endpoint goes into endpoint (LAKEBASE_ENDPOINT)",
        ),
    }
}

fn is_resource_id(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'))
}

/// Scheme, host and port of the workspace, empty where Azure tells them; a path or a query (`?o=…`), as copied from a browser, is dropped.
fn workspace_url(reader: &mut Reader) -> Option<String> {
    let Some(given) = reader.find(&DATABRICKS_HOST) else {
        // Azure tells it, by an identity of Entra's.
        if reader.find(&auth::AZURE_RESOURCE_ID).is_some() {
            return Some(String::new());
        }
        reader.missing(&DATABRICKS_HOST, EXPECTED_HOST);
        return None;
    };
    let text = given.value.as_str().unwrap_or_default().trim();
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    let Some((url, host)) = url.ok().and_then(|url| url.host_str().map(str::to_owned).map(|host| (url, host))) else {
        return reader.reject(&DATABRICKS_HOST, &given, EXPECTED_HOST);
    };
    // Dropped without a word, it would still be shown wherever the options are.
    if url.password().is_some() {
        return reader.reject(&DATABRICKS_HOST, &given, "a URL without a password");
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&host) => {}
        "http" => return reader.reject(&DATABRICKS_HOST, &given, "https: over http the credentials would cross the network readable"),
        _ => return reader.reject(&DATABRICKS_HOST, &given, EXPECTED_HOST),
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}", url.scheme()))
}

/// Unity Catalog claims: `[{permission_set, resources: [{table_name}]}]`.
fn claims(reader: &mut Reader) -> Option<Value> {
    let given = reader.option(&CLAIMS)?;
    match &*given.value {
        Value::Array(claims) if claims.iter().all(Value::is_object) && is_readable(&given.value) => Some(given.value.into_owned()),
        _ => reader.reject(&CLAIMS, &given, "an array of objects such as { permission_set: 'READ_ONLY', resources: [{ table_name }] }"),
    }
}

fn is_readable(value: &Value) -> bool {
    match value {
        Value::Array(members) => members.iter().all(is_readable),
        Value::Object(members) => unreadable(value).is_none() && members.values().all(is_readable),
        _ => true,
    }
}

fn is_option(given: &Given) -> bool {
    given.origin == Origin::Option
}
