//! Issuers beside the host's own that a command line names.

use std::path::PathBuf;

use clap::Args;

use super::Message;
use crate::api::{declared_issuers as declared, outside_issuers};
use crate::identity::OutsideIssuer;

/// Which issuers a command takes for trusted.
#[derive(Args)]
pub(super) struct OutsideIssuers {
    /// The file that names the issuers which are trusted [default: what the host that serves, or served last, was told]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// An issuer that is trusted, as `host serve --issuer` has it; once for each
    #[arg(long, value_name = "URL")]
    issuer: Vec<String>,

    /// An audience that tokens of --issuer may be for; once for each
    #[arg(long, requires = "issuer", value_name = "AUDIENCE")]
    audience: Vec<String>,
}

impl OutsideIssuers {
    /// Whether any are named.
    pub(super) fn are_named(&self) -> bool {
        self.config.is_some() || !self.issuer.is_empty()
    }

    /// Those that are named.
    pub(super) fn find(&self) -> Result<Vec<OutsideIssuer>, Message> {
        let mut issuers = match &self.config {
            Some(path) => declared(path)?,
            None => Vec::new(),
        };
        issuers.extend(outside_issuers(&self.issuer, &self.audience)?);
        Ok(issuers)
    }
}
