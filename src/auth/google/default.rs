//! Who is logged in to Google Cloud here: Application Default Credentials.
//!
//! Wire facts: Google's documentation of Application Default Credentials (order and places of files), AIP-4113 (a user's refresh token),
//! AIP-4115 (the metadata server).

use std::path::Path;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use tokio::time::Instant;

use super::key::Key;
use super::{CLOUD_PLATFORM, access_token, grant, unusable};
use crate::auth::{Call, Settings, oidc};
use crate::http::{Authorization, Body, Failure, Request};
use crate::secret::Secret;
use crate::setting::Setting;

pub(super) static FILE: Setting = Setting::variable(&["GOOGLE_APPLICATION_CREDENTIALS"]);

/// The metadata server of a virtual machine, of Cloud Run, of GKE: always here, on no route, without TLS.
const MACHINE: &str = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token";
/// It answers in milliseconds where there is one.
const PATIENCE: Duration = Duration::from_secs(3);

/// An identity that Google knows.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Login {
    ServiceAccount(Key),
    /// `gcloud auth application-default login`.
    AuthorizedUser {
        client_id: String,
        client_secret: Secret,
        refresh_token: Secret,
    },
    /// Of this machine.
    #[serde(skip)]
    Machine,
    /// There are more, such as `external_account`.
    #[serde(other)]
    Unknown,
}

impl Login {
    pub async fn find(settings: &Settings) -> Result<Self, Failure> {
        let Some((path, content)) = file(settings).await? else { return Ok(Self::Machine) };
        let hint = "run: gcloud auth application-default login; or use authProvider for other identities";
        // serde's message may quote the secret.
        match serde_json::from_str(content.expose()) {
            Err(_) | Ok(Self::Unknown) => Err(unusable(format!("{path:?} holds neither a service account's key nor a user's login"), hint)),
            Ok(login) => Ok(login),
        }
    }

    /// A token for Google's own services.
    pub async fn access_token(&self, call: &Call<'_>) -> Result<Secret, Failure> {
        match self {
            Self::ServiceAccount(key) => key.access_token(call).await,
            Self::AuthorizedUser { client_id, client_secret, refresh_token } => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id),
                    ("client_secret", client_secret.expose()),
                    ("refresh_token", refresh_token.expose()),
                ];
                access_token(&grant(call, &form, "log in again with: gcloud auth application-default login").await?)
            }
            Self::Machine | Self::Unknown => machine_token(call, MACHINE).await,
        }
    }
}

/// The file that the variable names, else gcloud's, and its content.
async fn file(settings: &Settings) -> Result<Option<(String, Secret)>, Failure> {
    if let Some(path) = settings.text(&FILE) {
        return Ok(Some((path.to_owned(), read(path).await?)));
    }
    let variable = |name| settings.variables().get(name).filter(|value| !value.is_empty());
    let own = |directory: &str| Path::new(directory).join("application_default_credentials.json");
    let places = [
        variable("CLOUDSDK_CONFIG").map(|directory| own(directory)),
        variable("APPDATA").map(|data| own(&format!("{data}/gcloud"))),
        variable("HOME").map(|home| own(&format!("{home}/.config/gcloud"))),
    ];
    let Some(place) = places.into_iter().flatten().find(|place| place.is_file()) else { return Ok(None) };
    let path = place.to_string_lossy().into_owned();
    let content = read(&path).await?;
    Ok(Some((path, content)))
}

/// A file of credentials.
pub(super) async fn read(path: &str) -> Result<Secret, Failure> {
    oidc::read_file(path).await
}

async fn machine_token(call: &Call<'_>, machine: &str) -> Result<Secret, Failure> {
    let url = format!("{machine}?scopes={CLOUD_PLATFORM}");
    let headers = [("Metadata-Flavor", Secret::new("Google"))];
    let request = Request { method: Method::GET, url: &url, authorization: Authorization::None, headers: &headers, body: Body::None };
    let deadline = call.deadline.min(Instant::now() + PATIENCE);
    let response = call.workspace.direct_client()?.send(request, deadline).await.map_err(|failure| {
        let hint = match failure.status() {
            Some(_) => "this machine has no service account of Google's",
            None => {
                "nobody is logged in to Google Cloud here: run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS"
            }
        };
        failure.with_hint(Some(hint.into()))
    })?;
    access_token(&response)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::auth::{Learned, Workspace};
    use crate::http::ApiNetwork;

    #[tokio::test]
    async fn a_machine_of_googles_is_asked_past_any_proxy() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let machine = format!("http://{}/computeMetadata/v1/instance/service-accounts/default/token", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap();
            let body = r#"{"access_token":"ya29.token","expires_in":3599,"token_type":"Bearer"}"#;
            socket.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let network = ApiNetwork { https_proxy: Some(Secret::new("http://proxy.invalid:1")), ..ApiNetwork::default() };
        let workspace = Workspace { url: "https://1.1.gcp.databricks.com".into(), network };
        let (settings, learned) = (Settings::new(workspace.url.as_str()), Learned::default());
        let deadline = Instant::now() + Duration::from_secs(30);
        let call = Call { workspace: &workspace, settings: &settings, owner: None, learned: &learned, deadline };
        assert_eq!(machine_token(&call, &machine).await.unwrap().expose(), "ya29.token");
        let request = served.await.unwrap().to_ascii_lowercase();
        assert!(request.starts_with("get /computemetadata/v1/instance/service-accounts/default/token?scopes=https://www.googleapis.com/"));
        assert!(request.contains("\r\nmetadata-flavor: google\r\n") && !request.contains("authorization"), "{request}");
    }
}
