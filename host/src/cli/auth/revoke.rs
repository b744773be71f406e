//! `host auth revoke`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use host_tokens::{IssuerUrl, Revocation, RevokedKind};

use super::super::Message;
use super::super::own_issuer::{own_issuer, settle_identity};
use super::super::state::StateDirectory;
use super::known_issuers::{Known, KnownIssuers};
use crate::identity::{OWN, OwnIssuer};
use crate::stderr;
use crate::store::{Store, did_you_mean, nearest};

/// Refuse tokens of a subject, with a name or of a key, at once and for good
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Revoke {
    /// The subject (`sub`) whose tokens are refused; of this host's own issuer also the address of an account
    #[arg(
        long,
        group = "what",
        value_name = "SUBJECT",
        allow_hyphen_values = true
    )]
    subject: Option<String>,

    /// The name (`jti`) of the token that is refused
    #[arg(long, group = "what", value_name = "ID", allow_hyphen_values = true)]
    token_id: Option<String>,

    /// The name (`kid`) of the key whose tokens are refused
    #[arg(long, group = "what", value_name = "ID", allow_hyphen_values = true)]
    key_id: Option<String>,

    /// Whose tokens they are [default: this host's own issuer]
    #[arg(long, value_name = "URL")]
    issuer: Option<IssuerUrl>,

    /// The file that names the issuers which are trusted, so that a mistyped --issuer is noticed
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    state: StateDirectory,
}

impl Revoke {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let own = own_issuer(&store, None)?;
        let issuer = self.issuer.as_ref().unwrap_or(&own.url);
        let is_own = *issuer == own.url;
        // Nothing that is wrong elsewhere keeps a right alive.
        let known = KnownIssuers::new(&store, &own.url, self.config.as_deref());
        let known = known.unwrap_or_else(|error| {
            stderr::line!("warning: it is not clear which issuers are known here: {error}");
            KnownIssuers::default()
        });
        match known.look_up(issuer) {
            Known::Yes => {}
            Known::No if is_own => {}
            Known::Alike(other) => {
                return Err(format!(
                    "{issuer} is no issuer that is known here, and would be revoked to no effect; did you mean `{other}`?"
                ));
            }
            Known::No => stderr::line!(
                "warning: {issuer} is no issuer that is known here: this has an effect only if the host trusts it by \
                 exactly this name; --config looks into the host's configuration"
            ),
        }
        let named = [
            (RevokedKind::Subject, self.subject),
            (RevokedKind::Token, self.token_id),
            (RevokedKind::Key, self.key_id),
        ];
        for (kind, value) in named {
            let Some(value) = value else { continue };
            let value = match (is_own, kind) {
                (true, RevokedKind::Subject) => own_subject(&store, value)?,
                (true, RevokedKind::Key) => own_key(&own, &store, value)?,
                _ => value,
            };
            let revocation = Revocation {
                issuer: if is_own { OWN } else { issuer.as_str() }.to_owned(),
                kind,
                value,
            };
            store.revoke(&revocation)?;
            settle_identity(&store)?;
            stderr::line!(
                "Revoked the {} [{}] of {issuer}.",
                kind.word(),
                revocation.value
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The subject of the account that goes by this subject or this address.
fn own_subject(store: &Store, name: String) -> Result<String, Message> {
    if name.contains('@') {
        return Ok(store.service_account(&name)?.subject);
    }
    let accounts = store.service_accounts()?;
    let subjects = accounts.into_iter().map(|account| account.subject);
    let subjects: Vec<_> = subjects.collect();
    if !subjects.contains(&name) {
        return Err(format!(
            "no service account of this host has the subject {name}{}; tokens of one that was deleted are refused already",
            did_you_mean(nearest(&name, subjects).as_ref())
        ));
    }
    Ok(name)
}

/// This key of the host, once another one signs if it was this that did.
fn own_key(own: &OwnIssuer, store: &Store, name: String) -> Result<String, Message> {
    let keys = store.signing_keys()?;
    if !keys.iter().any(|key| key.id == name) {
        let ids = keys.into_iter().map(|key| key.id);
        return Err(format!(
            "this host's own issuer has no key {name}{}; see `host iam keys list`",
            did_you_mean(nearest(&name, ids).as_ref())
        ));
    }
    let replaced = own.replace_key(store, &name, SystemTime::now());
    if replaced.map_err(|error| error.to_string())? {
        stderr::line!(
            "The key [{name}] signed the tokens of this host; another one does so from now on."
        );
    }
    Ok(name)
}
