//! Database credentials: the short-lived tokens that PostgreSQL takes as passwords.
//!
//! Wire facts: Databricks REST API, `POST /api/2.0/postgres/credentials` (Lakebase Autoscaling) and `POST /api/2.0/database/credentials`
//! (Lakebase Provisioned); the latter as in databricks-sdk-go `service/database`.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::Method;
use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::auth::{AccessToken, Workspace};
use crate::config::CredentialTarget;
use crate::error::Error;
use crate::http::{Authorization, Body, Failure, Request, Response};
use crate::secret::Secret;

/// A password for PostgreSQL. Its expiry is enforced at login only: connections outlive it.
#[derive(Clone, Debug)]
pub struct Credential {
    pub token: Secret,
    pub expires_at: SystemTime,
    /// The name of the method that authenticated for it.
    pub method: &'static str,
}

/// A clock that is off by less than this is not mentioned: the `Date` header has whole seconds and is as old as the answer.
const NOTABLE_SKEW: Duration = Duration::from_secs(5);

/// The fields of both APIs' answers; each has its own name for the expiry.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    expire_time: Option<String>,
    expiration_time: Option<String>,
}

/// Asks the workspace for a credential. `claims` are Unity Catalog's, passed through as they are.
///
/// # Errors
/// Those of [`crate::http::Client::send`]; [`Kind::Credential`] with code `INVALID_RESPONSE` for an answer without a usable token or
/// expiry, and with code `TOKEN_EXPIRED` for a token that is over already, which mostly means that a clock is wrong.
pub async fn request(
    workspace: &Workspace,
    target: &CredentialTarget,
    claims: Option<&Value>,
    access: &AccessToken,
    deadline: Instant,
) -> Result<Credential, Failure> {
    let (path, mut body) = match target {
        CredentialTarget::Endpoint(endpoint) => ("/api/2.0/postgres/credentials", json!({ "endpoint": endpoint })),
        CredentialTarget::Instance(name) => {
            ("/api/2.0/database/credentials", json!({ "instance_names": [name], "request_id": request_id() }))
        }
    };
    if let Some(claims) = claims {
        body["claims"] = claims.clone();
    }
    let url = format!("{}{path}", access.workspace_url);
    let authorization = Authorization::Bearer(&access.token);
    let request = Request { method: Method::POST, url: &url, authorization, headers: &access.headers, body: Body::Json(&body) };
    let response = workspace.client()?.send(request, deadline).await.map_err(|failure| {
        let hint = failure.status().and_then(|status| hint(target, status));
        failure.with_hint(hint)
    })?;
    Ok(Credential { method: access.method, ..read(&response, SystemTime::now())? })
}

fn read(response: &Response, now: SystemTime) -> Result<Credential, Error> {
    let answer: Answer = response.json()?;
    let token = response.token("token", answer.token)?;
    let expiry = answer.expire_time.or(answer.expiration_time).ok_or_else(|| response.invalid("has no expiry of the token"))?;
    let expires_at = expiry_time(&expiry).ok_or_else(|| response.invalid("has an expiry of the token that is not an RFC 3339 time"))?;
    match now.duration_since(expires_at) {
        Err(_) => Ok(Credential { token, expires_at, method: "" }),
        Ok(ago) => Err(expired(ago, response.date, now)),
    }
}

/// An RFC 3339 time. Servers write "never" as the last moment of the year 9999, some hours behind jiff's last timestamp: such a time counts as
/// that one.
fn expiry_time(text: &str) -> Option<SystemTime> {
    let pieces = Pieces::parse(text).ok()?;
    let datetime = pieces.date().to_datetime(pieces.time()?);
    let offset = pieces.to_numeric_offset()?;
    let end = if datetime.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
    Some(offset.to_timestamp(datetime).unwrap_or(end).into())
}

/// The token was over when it came.
fn expired(ago: Duration, server_clock: Option<SystemTime>, now: SystemTime) -> Error {
    let error =
        Error::token_expired(format!("the workspace gave a database token that expired {} s ago by this machine's clock", ago.as_secs()));
    let off = server_clock.map(|server| match now.duration_since(server) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    });
    error.with_hint(match off {
        Some((by, direction)) if by >= NOTABLE_SKEW => {
            format!("clock skew: the clock of this machine is {} s {direction} the workspace's; synchronise it", by.as_secs())
        }
        Some(_) => {
            "clock skew is not the reason: this machine's clock agrees with the workspace's; try again, then ask Databricks".to_owned()
        }
        None => "check for clock skew: is the clock of this machine right?".to_owned(),
    })
}

fn hint(target: &CredentialTarget, status: u16) -> Option<Cow<'static, str>> {
    let text = match (status, target) {
        (400 | 404, CredentialTarget::Endpoint(name)) => {
            format!("check LAKEBASE_ENDPOINT, now {name:?}: projects/<project>/branches/<branch>/endpoints/<endpoint>, in this workspace")
        }
        (400 | 404, CredentialTarget::Instance(name)) => {
            format!("check LAKEBASE_INSTANCE_NAME, now {name:?}: the name of a database instance in this workspace")
        }
        (403, _) => "grant this identity \"Workspace access\" and permission to use the database project or instance".to_owned(),
        _ => return None,
    };
    Some(Cow::Owned(text))
}

/// A version 4 UUID (RFC 9562). It tells repeated requests apart and guards nothing, so it needs no cryptographic randomness.
fn request_id() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76) | 4 << 76;
    let bits = bits & !(0b11 << 62) | 0b10 << 62;
    let mut text = format!("{bits:032x}");
    for position in [20, 16, 12, 8] {
        text.insert(position, '-');
    }
    text
}

/// For the fuzz targets: reads an answer of any bytes.
#[cfg(fuzzing)]
pub fn fuzz_answer(body: &[u8]) {
    let _ = read(&Response::fuzz(body), SystemTime::now());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_version_4_uuids() {
        let (one, two) = (request_id(), request_id());
        assert_ne!(one, two);
        for id in [one, two] {
            assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert_eq!(&id[14..15], "4");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn an_expiry_may_lie_as_far_off_as_rfc_3339_can_write() {
        let seconds = |text| {
            let time = expiry_time(text)?;
            Some(time.duration_since(SystemTime::UNIX_EPOCH).map_or_else(|before| -before.duration().as_secs_f64(), |d| d.as_secs_f64()))
        };
        assert_eq!(seconds("2026-11-21T12:00:00.5Z"), Some(1_795_262_400.5));
        assert_eq!(seconds("2026-11-21t14:00:00+02:00"), Some(1_795_262_400.0));
        for never in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-12:00", "9999-12-30T21:00:00Z"] {
            assert!(seconds(never).is_some_and(|seconds| seconds > 253_402_000_000.0), "{never}");
        }
        assert!(seconds("0001-01-01T00:00:00Z").is_some_and(|seconds| seconds < -62_000_000_000.0));
        for wrong in [
            "",
            "NaN",
            "soon",
            "253402300799",
            "2026-11-21",
            "2026-11-21T12:00:00",
            "12:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_expired_token_tells_the_clock_skew_or_that_there_is_none() {
        let now = SystemTime::now();
        let hour = Duration::from_secs(3600);
        let hint = |date| expired(Duration::from_secs(10), date, now).hint().unwrap().to_owned();
        assert!(hint(Some(now - hour)).contains("3600 s ahead of"));
        assert!(hint(Some(now + hour)).contains("3600 s behind"));
        assert!(hint(Some(now - Duration::from_secs(1))).contains("not the reason"));
        assert!(hint(None).contains("clock skew"));
    }
}
