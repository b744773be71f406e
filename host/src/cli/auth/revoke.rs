//! `host auth revoke`

use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;

use super::super::Message;
use super::super::own_issuer::{own_issuer, settle_identity};
use super::super::state::State;
use crate::identity::{IssuerUrl, OWN, OwnIssuer};
use crate::store::{Revocation, RevokedKind, Store};

/// Refuse tokens of a subject, with a name or of a key, at once and for good
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Revoke {
    /// The subject (`sub`) whose tokens are refused
    #[arg(long, group = "what", value_name = "SUBJECT")]
    subject: Option<String>,

    /// The name (`jti`) of the token that is refused
    #[arg(long, group = "what", value_name = "ID")]
    token_id: Option<String>,

    /// The name (`kid`) of the key whose tokens are refused
    #[arg(long, group = "what", value_name = "ID")]
    key_id: Option<String>,

    /// Whose tokens they are [default: this host's own issuer]
    #[arg(long, value_name = "URL")]
    issuer: Option<IssuerUrl>,

    #[command(flatten)]
    state: State,
}

impl Revoke {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let own = own_issuer(&store, None)?;
        let issuer = self.issuer.as_ref().unwrap_or(&own.url);
        let is_own = *issuer == own.url;
        if let (Some(key), true) = (&self.key_id, is_own) {
            stop_signing_with(&own, &store, key)?;
        }
        let named = [
            (RevokedKind::Subject, self.subject),
            (RevokedKind::Token, self.token_id),
            (RevokedKind::Key, self.key_id),
        ];
        for (kind, value) in named {
            let Some(value) = value else { continue };
            let revocation = Revocation {
                issuer: if is_own { OWN } else { issuer.as_str() }.to_owned(),
                kind,
                value,
            };
            store
                .revoke(&revocation)
                .map_err(|error| error.to_string())?;
            settle_identity(&store)?;
            eprintln!(
                "Revoked the {} [{}] of {issuer}.",
                kind.word(),
                revocation.value
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Lets another key sign, if it is this one that does.
fn stop_signing_with(own: &OwnIssuer, store: &Store, key: &str) -> Result<(), Message> {
    let replaced = own.replace_key(store, key, SystemTime::now());
    if replaced.map_err(|error| error.to_string())? {
        eprintln!(
            "The key [{key}] signed the tokens of this host; another one does so from now on."
        );
    }
    Ok(())
}
