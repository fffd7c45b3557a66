use std::sync::Arc;
use std::time::{Instant, SystemTime};
use crate::config::TokenConfig;
use crate::error::Error;
use crate::secret::Secret;
pub struct TokenSource;
pub struct Credential { pub token: Secret, pub expires_at: SystemTime }
impl TokenSource {
    pub fn shared(_c: &TokenConfig) -> Result<Arc<Self>, Error> { todo!() }
    pub async fn token(&self, _d: Option<Instant>) -> Result<Credential, Error> { todo!() }
    pub async fn refreshed(&self, _d: Option<Instant>) -> Result<Credential, Error> { todo!() }
    pub fn fetches(&self) -> u64 { 0 }
    pub fn invalidate(&self, _t: &Secret) {}
}
