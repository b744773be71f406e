//! Access tokens for the control plane, made by the host's own issuer.

use std::fmt;
use std::time::{Duration, SystemTime};

use host_tokens::{AccessToken, Verified, mint_access_token};

use super::own_keys::{OwnIssuer, OwnIssuerError};
use crate::store::Store;

/// Whom an access token is to stand for.
#[derive(Clone, Copy, Debug)]
pub enum AccessTokenHolder<'a> {
    /// The owner of the host. Only who owns the state directory may ask for such a token.
    Owner,
    /// The service account by this address.
    ServiceAccount(&'a str),
    /// Whom an outside issuer knows, by a good token of theirs.
    Outside(&'a Verified),
}

/// An access token that was made.
pub struct MadeAccessToken {
    /// The token, which is a secret until it has expired.
    pub token: String,
    /// How long it is good, in whole seconds.
    pub lifetime: Duration,
}

impl fmt::Debug for MadeAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeAccessToken")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

impl OwnIssuer {
    /// Makes an access token that is good for `lifetime`, which is an hour at most. One of an outside principal is good no
    /// longer than the token that proves who they are.
    ///
    /// # Errors
    /// If there is no such account, it is revoked, or no token can be made.
    pub fn access_token(
        &self,
        store: &Store,
        holder: AccessTokenHolder<'_>,
        lifetime: Duration,
        now: SystemTime,
    ) -> Result<MadeAccessToken, OwnIssuerError> {
        let account = match holder {
            AccessTokenHolder::ServiceAccount(address) => Some(self.account(store, address)?),
            _ => None,
        };
        let token = match (holder, &account) {
            (AccessTokenHolder::Outside(caller), _) => AccessToken::of_outside(caller),
            (_, Some(account)) => AccessToken::of_service_account(&account.subject, &account.email),
            (_, None) => AccessToken::of_owner(),
        };
        let token = token.with_lifetime(lifetime);
        let lifetime = token.lifetime(now)?;
        let key = self.present_key(store, now)?;
        Ok(MadeAccessToken {
            token: mint_access_token(&self.url, &key, &token, now)?,
            lifetime,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use host_tokens::{
        Algorithm, ControlCaller, IdToken, IssuerConfig, KeySet, LONGEST_LIFETIME, MintError,
        Revocation, RevokedKind, SigningAlgorithm, SigningKey, Trust, TrustedIssuer, jwks_document,
        mint,
    };
    use tempfile::TempDir;

    use super::*;
    use crate::identity::{OWN, own_key_set};

    const ACCOUNT: &str = "caller@host.internal";
    const SUBJECT: &str = "100000000000000000001";
    const OUTSIDE: &str = "https://outside.example";
    const CONTROL: &str = "https://control.example";

    /// A store of a test's own, with one service account, beside an outside issuer.
    struct Scratch {
        _directory: TempDir,
        store: Store,
        issuer: OwnIssuer,
        outside: SigningKey,
        now: SystemTime,
    }

    impl Scratch {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(directory.path()).unwrap();
            store.create_service_account(ACCOUNT, SUBJECT, "").unwrap();
            let issuer = OwnIssuer {
                url: "http://127.0.0.1:8081".parse().unwrap(),
                algorithm: SigningAlgorithm::EdDsa,
            };
            Self {
                _directory: directory,
                store,
                issuer,
                outside: SigningKey::generate(SigningAlgorithm::EdDsa).unwrap(),
                now: SystemTime::now(),
            }
        }

        fn judge(&self, token: &str) -> ControlCaller {
            let keys = own_key_set(&self.store.signing_keys().unwrap()).unwrap();
            let config = self.issuer.config(self.store.service_accounts().unwrap());
            let own = TrustedIssuer::new(config).with_keys(keys.map(Arc::new));
            let document = jwks_document([self.outside.public()]).to_string();
            let keys = KeySet::read(document.as_bytes()).unwrap();
            let config = IssuerConfig::new(OUTSIDE.parse().unwrap(), [Algorithm::EdDsa]);
            let outside = TrustedIssuer::new(config).with_keys(Some(Arc::new(keys)));
            let trust = Trust::new(1, vec![own, outside], []).unwrap();
            let audiences = [CONTROL.to_owned()].into();
            let caller = trust.judge_control_plane(token, &audiences, self.now);
            caller.map_err(|rejected| rejected.rejection).unwrap()
        }

        /// Whom the outside issuer knows, by a token that is good for ten minutes.
        fn outside_caller(&self) -> Box<Verified> {
            let token = IdToken::new("ada", CONTROL).with_lifetime(Duration::from_secs(600));
            let issuer = OUTSIDE.parse().unwrap();
            let token = mint(&issuer, &self.outside, &token, self.now).unwrap();
            let ControlCaller::Outside(caller) = self.judge(&token) else {
                panic!("no outside principal");
            };
            caller
        }

        fn make(
            &self,
            holder: AccessTokenHolder<'_>,
            lifetime: Duration,
        ) -> Result<MadeAccessToken, OwnIssuerError> {
            let made = self
                .issuer
                .access_token(&self.store, holder, lifetime, self.now);
            if let Ok(made) = &made {
                assert!(!format!("{made:?}").contains(&made.token));
            }
            made
        }
    }

    #[test]
    fn a_token_of_each_holder_is_good_for_the_control_plane() {
        let scratch = Scratch::new();
        let made = scratch
            .make(AccessTokenHolder::Owner, LONGEST_LIFETIME)
            .unwrap();
        assert_eq!(made.lifetime, LONGEST_LIFETIME);
        assert_eq!(scratch.judge(&made.token), ControlCaller::Owner);
        let holder = AccessTokenHolder::ServiceAccount(ACCOUNT);
        let made = scratch.make(holder, Duration::from_secs(60)).unwrap();
        assert_eq!(made.lifetime, Duration::from_secs(60));
        let expected = ControlCaller::ServiceAccount {
            email: ACCOUNT.parse().unwrap(),
            subject: SUBJECT.to_owned(),
        };
        assert_eq!(scratch.judge(&made.token), expected);
        let caller = scratch.outside_caller();
        let holder = AccessTokenHolder::Outside(&caller);
        let made = scratch.make(holder, LONGEST_LIFETIME).unwrap();
        assert_eq!(made.lifetime, Duration::from_secs(600));
        let ControlCaller::Outside(again) = scratch.judge(&made.token) else {
            panic!("no outside principal");
        };
        assert_eq!(again.principal, caller.principal);
    }

    #[test]
    fn no_token_is_made_for_too_long_or_for_an_account_that_is_revoked_or_unknown() {
        let scratch = Scratch::new();
        let long = LONGEST_LIFETIME + Duration::from_secs(1);
        let refused = scratch.make(AccessTokenHolder::Owner, long).unwrap_err();
        assert!(matches!(
            refused,
            OwnIssuerError::Mint(MintError::Lifetime(_))
        ));
        let unknown = AccessTokenHolder::ServiceAccount("other@host.internal");
        let refused = scratch.make(unknown, LONGEST_LIFETIME).unwrap_err();
        assert!(matches!(refused, OwnIssuerError::Store(_)));
        let revocation = Revocation {
            issuer: OWN.to_owned(),
            kind: RevokedKind::Subject,
            value: SUBJECT.to_owned(),
        };
        scratch.store.revoke(&revocation).unwrap();
        let holder = AccessTokenHolder::ServiceAccount(ACCOUNT);
        let refused = scratch.make(holder, LONGEST_LIFETIME).unwrap_err();
        assert!(matches!(refused, OwnIssuerError::Revoked(_)));
    }
}
