//! Issuers beside the host's own: those that a command line names, and those that the serving host was told of.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Message;
use crate::config::{ConfigFile, IssuerTable};
use crate::identity::OutsideIssuer;
use crate::stderr;
use crate::store::Store;

/// Which issuers a command takes for trusted.
#[derive(Args)]
pub(super) struct OutsideIssuers {
    /// The file that names the issuers which are trusted [default: what the host that serves, or served last, was told]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// An issuer that is trusted, as `host serve --issuer` has it; once for each
    #[arg(long, value_name = "URL")]
    issuer: Vec<String>,

    /// An audience that tokens of --issuer may be for; once for each
    #[arg(long, requires = "issuer", value_name = "AUDIENCE")]
    audience: Vec<String>,
}

impl OutsideIssuers {
    /// Those that are named, or else those of the host that serves from `store`, or served last.
    pub(super) fn find(&self, store: &Store) -> Result<Vec<OutsideIssuer>, Message> {
        if self.config.is_none() && self.issuer.is_empty() {
            return issuers_of_host(store);
        }
        let mut issuers = match &self.config {
            Some(path) => declared(path)?,
            None => Vec::new(),
        };
        issuers.extend(outside_issuers(&self.issuer, &self.audience)?);
        Ok(issuers)
    }
}

/// The issuers of `--issuer`, whose tokens may be for the `audiences` of `--audience`.
pub(super) fn outside_issuers(
    urls: &[String],
    audiences: &[String],
) -> Result<Vec<OutsideIssuer>, Message> {
    let issuer = |url: &String| {
        let table = IssuerTable {
            url: Some(url.clone()),
            audiences: audiences.to_vec(),
            ..IssuerTable::default()
        };
        let (config, keys) = table
            .issuer(Path::new("."))
            .map_err(|error| format!("--issuer {url}: {error}"))?;
        Ok(OutsideIssuer {
            config: config.into(),
            keys,
        })
    };
    urls.iter().map(issuer).collect()
}

/// The issuers of the file at `path`.
fn declared(path: &Path) -> Result<Vec<OutsideIssuer>, Message> {
    let file = ConfigFile::read(path).map_err(|error| error.to_string())?;
    file.issuers().map_err(|error| error.to_string())
}

/// What the host that serves from `store`, or served last, was told. Its file is read as it is now; if that cannot be, its
/// issuers are left out, and that is told.
pub(super) fn issuers_of_host(store: &Store) -> Result<Vec<OutsideIssuer>, Message> {
    let Some(host) = store.serving_host()? else {
        return Ok(Vec::new());
    };
    let mut issuers = Vec::new();
    if let Some(path) = &host.config {
        match declared(Path::new(path)) {
            Ok(declared) => issuers.extend(declared),
            Err(error) => stderr::line!(
                "warning: {error}; the issuers of that file are left out: say where it is with --config"
            ),
        }
    }
    for issuer in &host.issuers {
        issuers.extend(outside_issuers(
            std::slice::from_ref(&issuer.url),
            &issuer.audiences,
        )?);
    }
    Ok(issuers)
}
