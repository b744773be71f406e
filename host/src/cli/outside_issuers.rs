//! Issuers that the command line names.

use std::path::Path;

use super::Message;
use crate::config::IssuerTable;
use crate::identity::OutsideIssuer;

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
