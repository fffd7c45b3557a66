//! Names to addresses: the host, the database and the user that belong to an endpoint or instance and an identity, as the workspace knows them.
//!
//! Wire facts: Databricks REST API, `GET /api/2.0/postgres/{endpoint}` (`status.hosts`), `GET /api/2.0/postgres/{branch}/databases`,
//! `GET /api/2.0/database/instances/{name}` (`read_write_dns`, `read_only_dns`, `state`, `effective_stopped`), SCIM `Me` (`userName`).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::try_join3;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::cache::{Cache, Expiring, Fetch};
use super::{AccessTokenFetch, authorized};
use crate::auth::{AccessToken, Workspace};
use crate::config::{CredentialTarget, Lookup};
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;

/// How long what was found counts. A host that moves is found again by then; connections that fail before are told as they are.
const LIFE: Duration = Duration::from_secs(3600);

/// The database that every project and instance has.
const USUAL_DATABASE: &str = "databricks_postgres";

/// Databases that are looked at, in pages of this many.
const PAGE: usize = 100;
const PAGES: usize = 10;

/// What was looked up; `None` for what was not wanted.
#[derive(Clone, Debug)]
pub struct Found {
    pub host: Option<String>,
    pub database: Option<String>,
    pub user: Option<String>,
    until: SystemTime,
    /// Nothing here is one.
    no_secret: Secret,
}

impl Expiring for Found {
    fn secret(&self) -> &Secret {
        &self.no_secret
    }

    fn expires_at(&self) -> Option<SystemTime> {
        Some(self.until)
    }
}

/// The lookup of one endpoint or instance by one identity.
pub(super) struct AddressFetch {
    pub access: Arc<Cache<AccessTokenFetch>>,
    pub workspace: Workspace,
    pub target: CredentialTarget,
    pub wanted: Lookup,
}

impl Fetch for AddressFetch {
    type Value = Found;

    async fn fetch(&self, deadline: Instant) -> Result<Found, Failure> {
        authorized(&self.access, deadline, |access| async move { self.find(&access, deadline).await }).await
    }
}

impl AddressFetch {
    /// Everything that is wanted, at the same time.
    async fn find(&self, access: &AccessToken, deadline: Instant) -> Result<Found, Failure> {
        let calls = Calls { workspace: &self.workspace, access, deadline };
        let host = async {
            match &self.target {
                _ if !self.wanted.host => Ok(None),
                CredentialTarget::Endpoint(name) => calls.endpoint_host(name, self.wanted.read_only).await.map(Some),
                CredentialTarget::Instance(name) => calls.instance_host(name, self.wanted.read_only).await.map(Some),
            }
        };
        let database = async {
            match &self.target {
                _ if !self.wanted.database => Ok(None),
                CredentialTarget::Endpoint(name) => calls.database(name).await.map(Some),
                // There is no list of an instance's databases but in itself.
                CredentialTarget::Instance(_) => Ok(Some(USUAL_DATABASE.to_owned())),
            }
        };
        let user = async { if self.wanted.user { calls.user().await.map(Some) } else { Ok(None) } };
        let (host, database, user) = try_join3(host, database, user).await?;
        Ok(Found { host, database, user, until: SystemTime::now() + LIFE, no_secret: Secret::default() })
    }
}

struct Calls<'a> {
    workspace: &'a Workspace,
    access: &'a AccessToken,
    deadline: Instant,
}

#[derive(Deserialize, Default)]
struct Endpoint {
    #[serde(default)]
    status: EndpointStatus,
}

#[derive(Deserialize, Default)]
struct EndpointStatus {
    #[serde(default)]
    hosts: Hosts,
    #[serde(default)]
    disabled: bool,
}

#[derive(Deserialize, Default)]
struct Hosts {
    host: Option<String>,
    read_only_host: Option<String>,
}

#[derive(Deserialize)]
struct Instance {
    state: Option<String>,
    read_write_dns: Option<String>,
    read_only_dns: Option<String>,
    #[serde(default)]
    effective_stopped: bool,
}

#[derive(Deserialize)]
struct Databases {
    #[serde(default)]
    databases: Vec<Database>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Database {
    #[serde(default)]
    status: DatabaseStatus,
}

#[derive(Deserialize, Default)]
struct DatabaseStatus {
    postgres_database: Option<String>,
}

#[derive(Deserialize)]
struct Me {
    #[serde(rename = "userName")]
    user_name: Option<String>,
}

impl Calls<'_> {
    async fn get<T: DeserializeOwned>(&self, path: &str, hint: &'static str) -> Result<T, Failure> {
        let url = format!("{}/api/2.0/{path}", self.access.workspace_url);
        let authorization = Authorization::Bearer(&self.access.token);
        let request = Request { method: Method::GET, url: &url, authorization, headers: &self.access.headers, body: Body::None };
        let response = self.workspace.client()?.send(request, self.deadline).await;
        let response = response.map_err(|failure| match failure.status() {
            Some(400 | 403 | 404) => failure.with_hint(Some(hint.into())),
            _ => failure,
        })?;
        Ok(response.json()?)
    }

    async fn endpoint_host(&self, name: &str, read_only: bool) -> Result<String, Failure> {
        let hint = "check LAKEBASE_ENDPOINT, and that this identity may see the project; or set PGHOST";
        let Endpoint { status } = self.get(&format!("postgres/{name}"), hint).await?;
        if status.disabled {
            return Err(unusable(format!("the endpoint {name} is disabled"), "enable it, or choose another endpoint"));
        }
        let Hosts { host, read_only_host } = status.hosts;
        let found = if read_only { read_only_host } else { host };
        found.filter(|host| !host.is_empty()).ok_or_else(|| {
            let kind = if read_only { "no read-only host" } else { "no host" };
            unusable(format!("the endpoint {name} has {kind}"), "choose an endpoint that has one, or set PGHOST")
        })
    }

    async fn instance_host(&self, name: &str, read_only: bool) -> Result<String, Failure> {
        let hint = "check LAKEBASE_INSTANCE_NAME, and that this identity may see the instance; or set PGHOST";
        let instance: Instance = self.get(&format!("database/instances/{name}"), hint).await?;
        match instance.state.as_deref() {
            _ if instance.effective_stopped => {
                return Err(unusable(
                    format!("the database instance {name} is stopped"),
                    "start it in the workspace, or with: databricks database update-database-instance",
                ));
            }
            Some("STOPPED") => return Err(unusable(format!("the database instance {name} is stopped"), "start it in the workspace")),
            Some(state @ ("STARTING" | "UPDATING" | "FAILING_OVER")) if instance.read_write_dns.is_none() || state == "STARTING" => {
                let error = Error::not_ready(format!("the database instance {name} is not ready: {state}"));
                return Err(Failure::transient(error.with_hint("wait until it has started; that takes minutes")));
            }
            Some("DELETING") => return Err(unusable(format!("the database instance {name} is being deleted"), "choose another instance")),
            _ => {}
        }
        let found = if read_only { instance.read_only_dns } else { instance.read_write_dns };
        found.filter(|host| !host.is_empty()).ok_or_else(|| {
            let kind = if read_only { "no read-only host: readable secondaries are off" } else { "no host yet" };
            unusable(format!("the database instance {name} has {kind}"), "set PGHOST, or change the instance")
        })
    }

    /// The only database of the endpoint's branch; of several the usual one.
    async fn database(&self, endpoint: &str) -> Result<String, Failure> {
        let hint = "set PGDATABASE: this identity may not list the databases of the branch";
        let branch = endpoint.split("/endpoints/").next().unwrap_or(endpoint);
        let (mut names, mut page) = (Vec::new(), String::new());
        for _ in 0..PAGES {
            let Databases { databases, next_page_token } =
                self.get(&format!("postgres/{branch}/databases?page_size={PAGE}{page}"), hint).await?;
            names.extend(databases.into_iter().filter_map(|database| database.status.postgres_database));
            match next_page_token.filter(|token| !token.is_empty()) {
                Some(token) => {
                    page = format!("&page_token={}", percent_encoding::utf8_percent_encode(&token, percent_encoding::NON_ALPHANUMERIC))
                }
                None => break,
            }
        }
        match names.iter().position(|name| name == USUAL_DATABASE) {
            Some(at) => Ok(names.swap_remove(at)),
            None if names.len() == 1 => Ok(names.remove(0)),
            None if names.is_empty() => Err(unusable(format!("{branch} has no database that this identity may see"), "set PGDATABASE")),
            None => {
                names.truncate(10);
                Err(unusable(format!("{branch} has several databases: {}", names.join(", ")), "set PGDATABASE to one of them"))
            }
        }
    }

    async fn user(&self) -> Result<String, Failure> {
        let Me { user_name } = self.get("preview/scim/v2/Me", "set PGUSER: the workspace does not tell who this identity is").await?;
        let none = || unusable("the workspace does not tell the name of this identity".into(), "set PGUSER");
        user_name.filter(|name| !name.is_empty()).ok_or_else(none)
    }
}

fn unusable(message: String, hint: &'static str) -> Failure {
    Error::lookup_failed(message).with_hint(hint).into()
}
