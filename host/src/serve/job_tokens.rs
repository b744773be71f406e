//! The tokens that jobs send along, made in memory by the host's own issuer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::published::Published;
use crate::identity::{IdToken, IssuerUrl, LONGEST_LIFETIME, SigningKey, mint};
use crate::scheduler::TokenSource;

/// Makes tokens with what the issuer signs with at this moment.
#[derive(Default)]
pub(super) struct JobTokens(Published<Option<Signer>>);

/// The issuer's key, and its accounts.
pub(super) struct Signer {
    pub(super) issuer: IssuerUrl,
    pub(super) key: SigningKey,
    /// The subject of each account, by its address.
    pub(super) accounts: HashMap<String, String>,
}

impl JobTokens {
    pub(super) fn replace(&self, signer: Option<Signer>) {
        self.0.replace(Arc::new(signer));
    }
}

impl TokenSource for JobTokens {
    fn token(&self, account: &str, audience: &str) -> Result<String, String> {
        let signer = self.0.current();
        let Some(signer) = signer.as_ref() else {
            return Err("this host has no issuer of its own".into());
        };
        let Some(subject) = signer.accounts.get(account) else {
            return Err(format!("there is no service account {account}"));
        };
        let token = IdToken {
            subject,
            address: account,
            audience,
            with_email: true,
            lifetime: LONGEST_LIFETIME,
        };
        let minted = mint(&signer.issuer, &signer.key, &token, SystemTime::now());
        minted.map_err(|error| error.to_string())
    }
}
