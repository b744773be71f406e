//! Issuers beside the host's own, as a host is told of them.

use std::path::Path;

use super::{Api, Code, Request, Status};
use crate::config::{ConfigFile, IssuerTable};
use crate::identity::OutsideIssuer;

impl Api {
    /// The issuers that the host which serves from the store, or served last, was told of, and what the caller is to know
    /// if some are left out. The host's file is read as it is now.
    ///
    /// # Errors
    /// If the store fails, or an issuer cannot be made of what it has.
    pub(super) fn outside_issuers(
        &self,
        request: &Request<'_>,
    ) -> Result<(Vec<OutsideIssuer>, Option<String>), Status> {
        let (mut issuers, mut warning) = (Vec::new(), None);
        let Some(host) = self.store().serving_host()? else {
            return Ok((issuers, warning));
        };
        if let Some(path) = &host.config {
            match declared(Path::new(path)) {
                Ok(declared) => issuers.extend(declared),
                Err(error) => warning = Some(left_out(request, &error)),
            }
        }
        for issuer in &host.issuers {
            let urls = std::slice::from_ref(&issuer.url);
            let made = outside_issuers(urls, &issuer.audiences);
            issuers.extend(made.map_err(|error| Status::new(Code::FailedPrecondition, error))?);
        }
        Ok((issuers, warning))
    }
}

/// Says that the issuers of the host's file are left out. The reason may name files of its machine.
fn left_out(request: &Request<'_>, error: &str) -> String {
    // An access token of the owner is not the machine.
    if request.caller.is_owner_here() {
        return format!(
            "{error}; the issuers of that file are left out: say where it is with --config"
        );
    }
    tracing::warn!("the issuers of the configuration are left out: {error}");
    "the host's configuration cannot be read, so its issuers are left out; the host's own log says why".into()
}

/// The issuers of `--issuer`, whose tokens may be for the `audiences` of `--audience`.
///
/// # Errors
/// If one cannot be trusted by its URL alone.
pub(crate) fn outside_issuers(
    urls: &[String],
    audiences: &[String],
) -> Result<Vec<OutsideIssuer>, String> {
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
///
/// # Errors
/// If it cannot be read.
pub(crate) fn declared(path: &Path) -> Result<Vec<OutsideIssuer>, String> {
    let file = ConfigFile::read(path).map_err(|error| error.to_string())?;
    file.issuers().map_err(|error| error.to_string())
}
