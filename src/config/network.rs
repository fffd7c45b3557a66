//! Trust and proxies that Node.js and its tools take from the environment.

use std::path::PathBuf;

use url::Url;

use super::ApiNetwork;
use super::found::describe_length;
use super::reader::Reader;
use crate::error::Problem;
use crate::secret::Secret;

/// How the workspace is reached.
pub(super) fn resolve(reader: &mut Reader) -> ApiNetwork {
    ApiNetwork {
        extra_ca_files: extra_ca_files(reader),
        https_proxy: proxy(reader),
        no_proxy: ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| reader.variable(name)).map(|list| list.trim().to_owned()),
    }
}

/// Variables that name files of trusted certificates, in this order.
pub(super) const CA_FILES: [&str; 2] = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];

pub(super) fn extra_ca_files(reader: &Reader) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = CA_FILES.into_iter().filter_map(|name| reader.variable(name)).map(PathBuf::from).collect();
    files.dedup();
    files
}

/// `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY`, `all_proxy`: the first one set. May carry credentials.
fn proxy(reader: &mut Reader) -> Option<Secret> {
    let (name, text) =
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(|name| Some((name, reader.variable(name)?)))?;
    let text = text.trim();
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let scheme = Url::parse(&url).ok().filter(Url::has_host).map(|url| url.scheme().to_owned());
    match scheme.as_deref() {
        Some("http" | "https") => Some(Secret::new(url)),
        // ALL_PROXY often names a SOCKS proxy that is meant for other protocols, too.
        Some(_) if name.eq_ignore_ascii_case("ALL_PROXY") => None,
        _ => {
            reader.report(Problem {
                option: None,
                variable: Some(name.into()),
                found: Some(describe_length(text)),
                expected: "the URL of an HTTP proxy, for example http://proxy.example:3128".into(),
            });
            None
        }
    }
}
