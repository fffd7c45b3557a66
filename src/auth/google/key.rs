//! The key of a service account: signs what Google exchanges for tokens (RFC 7523).
//!
//! Wire facts: Google's "Using OAuth 2.0 for Server to Server Applications", AIP-4112; `target_audience` asks for an ID token.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CLOUD_PLATFORM, TOKEN_URL, access_token, grant, unusable, workspace_token};
use crate::auth::{AccessToken, Call};
use crate::http::Failure;
use crate::secret::Secret;
use crate::tls;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const LIFE: Duration = Duration::from_secs(3600);
const REFUSED: &str = "the key may have been deleted or disabled, or this machine's clock is wrong: make a new key for the service account";

/// A file of type `service_account`.
#[derive(Deserialize)]
pub(super) struct Key {
    client_email: String,
    private_key_id: Option<String>,
    /// PEM.
    private_key: Secret,
}

impl Key {
    /// An ID token for the workspace.
    pub async fn id_token(&self, call: &Call<'_>) -> Result<AccessToken, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            id_token: Option<Secret>,
        }
        let assertion = self.sign(&json!({ "target_audience": call.workspace.url }), SystemTime::now())?;
        let response = grant(call, &[("grant_type", GRANT), ("assertion", assertion.expose())], REFUSED).await?;
        let answer: Answer = response.json()?;
        workspace_token(answer.id_token, |what| response.invalid(what))
    }

    /// A token for Google's own services.
    pub async fn access_token(&self, call: &Call<'_>) -> Result<Secret, Failure> {
        let assertion = self.sign(&json!({ "scope": CLOUD_PLATFORM }), SystemTime::now())?;
        access_token(&grant(call, &[("grant_type", GRANT), ("assertion", assertion.expose())], REFUSED).await?)
    }

    fn sign(&self, claims: &Value, now: SystemTime) -> Result<Secret, Failure> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut claims = claims.clone();
        claims["iss"] = self.client_email.as_str().into();
        claims["aud"] = TOKEN_URL.into();
        claims["iat"] = now.as_secs().into();
        claims["exp"] = (now + LIFE).as_secs().into();
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = &self.private_key_id {
            header["kid"] = id.as_str().into();
        }
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = tls::sign_rs256(self.private_key.expose(), message.as_bytes()).ok_or_else(|| {
            unusable("the service account's private_key is no RSA key in PEM", "download a new key of the service account")
        })?;
        Ok(Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}
