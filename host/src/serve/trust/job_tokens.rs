//! The tokens that jobs send along, made in memory by the host's own issuer.

use std::collections::HashMap;
use std::sync::Arc;

use host_tokens::{IdToken, IssuerUrl, SigningKey, SteadyClock, mint};

use crate::identity::OwnIssuerError;
use crate::scheduler::{TokenFor, TokenSource};
use crate::serve::published::Published;

/// Makes tokens with what the issuer signs with at this moment.
pub(in crate::serve) struct JobTokens {
    signer: Published<Option<Signer>>,
    /// The one that this host judges tokens by, so that it takes its own.
    clock: SteadyClock,
}

/// The issuer's key, and its accounts.
pub(in crate::serve) struct Signer {
    pub(in crate::serve) issuer: IssuerUrl,
    pub(in crate::serve) key: SigningKey,
    /// Each account, by its address.
    pub(in crate::serve) accounts: HashMap<String, Account>,
}

/// Whom a token is for.
pub(in crate::serve) struct Account {
    pub(in crate::serve) subject: String,
    /// Whether nobody takes its tokens any more.
    pub(in crate::serve) is_revoked: bool,
    /// Whether that is so only until it is enabled.
    pub(in crate::serve) is_disabled: bool,
}

impl JobTokens {
    pub(in crate::serve) fn new(clock: SteadyClock) -> Self {
        Self {
            signer: Published::default(),
            clock,
        }
    }

    pub(in crate::serve) fn replace(&self, signer: Option<Signer>) {
        self.signer.replace(Arc::new(signer));
    }
}

impl TokenSource for JobTokens {
    fn token(&self, identity: &TokenFor) -> Result<String, String> {
        let account = &identity.account;
        let signer = self.signer.current();
        let Some(signer) = signer.as_ref() else {
            return Err("this host has no issuer of its own, or no key of it can sign".into());
        };
        let Some(Account {
            subject,
            is_revoked,
            is_disabled,
        }) = signer.accounts.get(account)
        else {
            return Err(format!("there is no service account {account}"));
        };
        if identity
            .subject
            .as_ref()
            .is_some_and(|meant| meant != subject)
        {
            return Err(format!(
                "the service account {account} was deleted and created again after the job was given it; give the job the \
                 account anew"
            ));
        }
        if *is_disabled {
            return Err(OwnIssuerError::Disabled(account.to_owned()).to_string());
        }
        if *is_revoked {
            return Err(OwnIssuerError::Revoked(account.to_owned()).to_string());
        }
        let token = IdToken::new(subject, &identity.audience).with_email(account);
        let minted = mint(&signer.issuer, &signer.key, &token, self.clock.now().time);
        minted.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_tokens::SigningAlgorithm;

    #[test]
    fn an_account_that_is_revoked_disabled_or_another_gets_no_token_and_the_reason_is_told() {
        let tokens = JobTokens::new(SteadyClock::start());
        let account = |subject: &str, is_revoked| Account {
            subject: subject.to_owned(),
            is_revoked,
            is_disabled: subject == "3",
        };
        tokens.replace(Some(Signer {
            issuer: "https://id.example".parse().unwrap(),
            key: SigningKey::generate(SigningAlgorithm::EdDsa).unwrap(),
            accounts: HashMap::from([
                ("good@host.internal".to_owned(), account("1", false)),
                ("bad@host.internal".to_owned(), account("2", true)),
                ("off@host.internal".to_owned(), account("3", true)),
            ]),
        }));
        let token = |account: &str, subject: Option<&str>| {
            tokens.token(&TokenFor {
                account: format!("{account}@host.internal"),
                subject: subject.map(str::to_owned),
                audience: "x".into(),
            })
        };
        assert!(token("good", None).is_ok());
        let refused = token("bad", None).unwrap_err();
        assert!(refused.contains("is revoked"), "{refused}");
        let refused = token("off", None).unwrap_err();
        assert!(refused.contains("is disabled"), "{refused}");
        assert!(token("other", None).is_err());
        // An account that was created again has another subject.
        assert!(token("good", Some("1")).is_ok());
        let refused = token("good", Some("0")).unwrap_err();
        assert!(refused.contains("created again"), "{refused}");
    }
}
