//! The one claim that is read from a JSON Web Token: when it ends.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::secret::Secret;

/// `exp` (RFC 7519 §4.1.4). `None` for anything else than a token that tells it. Nothing is verified: whom the token is for does that.
pub(super) fn expiry(token: &Secret) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let payload = token.expose().split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    epoch(claims.exp)
}

/// Seconds since 1970.
pub(super) fn epoch(seconds: f64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expiry_is_read_and_nothing_else_breaks_it() {
        let token = |payload: &str| Secret::new(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload)));
        assert_eq!(expiry(&token(r#"{"exp":1700000000}"#)), epoch(1_700_000_000.0));
        for wrong in
            [token("{}"), token(r#"{"exp":"x"}"#), token(r#"{"exp":1e300}"#), token(r#"{"exp":-1}"#), Secret::new("a.b"), Secret::new("")]
        {
            assert_eq!(expiry(&wrong), None);
        }
    }
}
