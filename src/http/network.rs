//! How the workspace is reached.

use std::path::PathBuf;

use crate::secret::Secret;

/// Trust and proxies of the HTTPS calls to the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ApiNetwork {
    /// Files of PEM certificates trusted besides the default roots (`NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`).
    pub extra_ca_files: Vec<PathBuf>,
    /// `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY` or `all_proxy`, the first one set: an http or https URL; may carry credentials.
    pub https_proxy: Option<Secret>,
    /// `NO_PROXY` (or `no_proxy`): comma-separated hosts and domains that are reached directly.
    pub no_proxy: Option<String>,
}
