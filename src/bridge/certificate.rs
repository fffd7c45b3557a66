//! Certificates for the emulator.

use napi::bindgen_prelude::*;
use napi_derive::napi;

/// PEM texts of a fresh certificate authority and a server certificate signed by it.
#[napi(object)]
pub struct ServerCertificate {
    pub ca: String,
    pub certificate: String,
    pub key: String,
}

#[napi]
pub fn issue_certificate(names: Vec<String>) -> Result<ServerCertificate> {
    let issued = crate::certificate::issue(names).map_err(|error| Error::from_reason(error.to_string()))?;
    Ok(ServerCertificate { ca: issued.ca, certificate: issued.certificate, key: issued.key })
}
