//! `file-oidc`: the token is in a file that the platform keeps fresh, as Kubernetes does. databricks-sdk-go `config/auth_oidc.go`.

use futures_util::future::FutureExt;

use super::{COMMON, exchange, missing};
use crate::auth::{Applies, Call, Fetched, Settings, WorkspaceAuth};
use crate::error::Error;
use crate::http::Failure;
use crate::secret::Secret;
use crate::setting::Setting;

static FILE: Setting = Setting::new("oidcTokenFile", &["DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"])
    .key("databricks_id_token_filepath")
    .family("file-oidc");

#[derive(Debug)]
pub struct File;

impl WorkspaceAuth for File {
    fn name(&self) -> &'static str {
        "file-oidc"
    }

    fn family(&self) -> &'static str {
        "file-oidc"
    }

    fn settings(&self) -> &'static [&'static Setting] {
        const { &[&FILE, COMMON[0], COMMON[1], COMMON[2], COMMON[3]] }
    }

    fn applies(&self, settings: &Settings) -> Applies {
        if settings.has(&FILE) { Applies::Yes } else { Applies::No(format!("{} is not set", FILE.named())) }
    }

    fn access_token<'a>(&'a self, call: &'a Call<'a>) -> Fetched<'a> {
        async move {
            let token = read(call.settings.text(&FILE).unwrap_or_default()).await?;
            exchange(call, &token, &FILE.named()).await
        }
        .boxed()
    }
}

/// A token file's content, without white space around it.
pub(in crate::auth) async fn read(path: &str) -> Result<Secret, Failure> {
    const MOST: u64 = 64 * 1024;
    let (file, shown) = (path.to_owned(), path.to_owned());
    let content = tokio::task::spawn_blocking(move || {
        let length = std::fs::metadata(&file)?.len();
        if length > MOST { Err(std::io::ErrorKind::FileTooLarge.into()) } else { std::fs::read_to_string(&file) }
    });
    let content = content.await.map_err(|_| Error::internal("reading a file was interrupted"))?;
    let content = content.map(Secret::new).map_err(|error| {
        missing(format!("the token file {shown:?} cannot be read: {}", error.kind()), "check the path, and that this user may read it")
    })?;
    let token = Secret::new(content.expose().trim());
    if token.is_empty() {
        return Err(missing(format!("the token file {shown:?} is empty"), "see that the platform writes a token there"));
    }
    Ok(token)
}
