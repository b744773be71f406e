//! The host's own issuer at work: its keys and accounts in the store.

use std::time::{Duration, SystemTime};

use host_tokens::{
    AccountSubject, Action, Algorithm, IdToken, IssuerConfig, IssuerUrl, IssuerUrlError, KeySet,
    KeySetError, KeyTimes, MintError, Revocation, RevokedKind, RotationPolicy, ServiceAccounts,
    SigningAlgorithm, SigningAlgorithmError, SigningKey, SigningKeyError, current_key,
    jwks_document, mint,
};
use serde_json::Value;

use crate::store::{ServiceAccountRecord, SigningKeyRecord, Store, StoreError};

/// The host's own issuer.
#[derive(Clone, Debug)]
pub struct OwnIssuer {
    /// What it is called.
    pub url: IssuerUrl,
    /// What new keys sign with.
    pub algorithm: SigningAlgorithm,
}

/// What is asked of a token.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// The address of the service account that it is for.
    pub account: &'a str,
    /// Who is to accept it.
    pub audience: &'a str,
    /// Whether it tells the address.
    pub with_email: bool,
    /// How long it is good.
    pub lifetime: Duration,
}

/// Why the host's own issuer did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnIssuerError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// A key of a kind that this program does not know.
    #[error(transparent)]
    Algorithm(#[from] SigningAlgorithmError),
    /// The token.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// The set of its keys.
    #[error("the host's own keys: {0}")]
    Keys(#[from] KeySetError),
    /// The account that a token is asked for.
    #[error(
        "the service account {0} is revoked, so no token of it would be accepted; delete it and create it again, or use \
         another one"
    )]
    Revoked(String),
    /// The account that a token is asked for, as its owner has switched it off.
    #[error(
        "the service account {0} is disabled, so no token of it would be accepted; enable it, or use another one"
    )]
    Disabled(String),
    /// What it is called.
    #[error("the name of the host's own issuer: {0}")]
    Url(#[from] IssuerUrlError),
    /// Keys that others would have to know, and may not read.
    #[error(
        "{0} keys are published already, each until the last token that it signed is dead; wait two hours, or revoke the \
         keys that are not to be trusted with `host auth revoke --key-id`"
    )]
    ManyKeys(usize),
}

/// The most keys that are published before somebody asks for one more. A rotation that is due needs three, and those who
/// check our tokens have bounds of their own on a key set.
const MOST_PUBLISHED: usize = 16;

impl OwnIssuer {
    /// Makes, promotes and forgets keys as far as that is due.
    ///
    /// # Errors
    /// If a key cannot be made or the store fails.
    pub fn keep_keys(&self, store: &Store, now: SystemTime) -> Result<(), OwnIssuerError> {
        let policy = RotationPolicy::default();
        let is_due = |keys: &[SigningKeyRecord]| policy.due(&key_times(keys), now).is_some();
        if !is_due(&store.signing_keys()?) {
            return Ok(());
        }
        store.change_signing_keys(|keys| {
            while let Some(action) = policy.due(&key_times(keys), now) {
                self.apply(action, keys, now)?;
            }
            Ok(())
        })
    }

    /// Begins a rotation before it is due, or goes on with one: the next key is made, or signs if others can know it by
    /// now. `at_once` has it sign whether or not they can. Tells whether there was anything to do.
    ///
    /// # Errors
    /// If many keys are published already, a key cannot be made or the store fails.
    pub fn rotate(
        &self,
        store: &Store,
        at_once: bool,
        now: SystemTime,
    ) -> Result<bool, OwnIssuerError> {
        let revoked = own_revocations(store.revocations()?, &self.url);
        let published = unrevoked_keys(store.signing_keys()?, &revoked, &self.url).len();
        if published >= MOST_PUBLISHED {
            return Err(OwnIssuerError::ManyKeys(published));
        }
        self.rotate_anyway(store, at_once, now)
    }

    fn rotate_anyway(
        &self,
        store: &Store,
        at_once: bool,
        now: SystemTime,
    ) -> Result<bool, OwnIssuerError> {
        let policy = RotationPolicy::default();
        let mut is_changed = false;
        store.change_signing_keys(|keys| {
            let made = policy.rotate(&key_times(keys), at_once, now);
            let is_made = matches!(made, Some(Action::MakeNext));
            is_changed = made.is_some();
            if let Some(action) = made {
                self.apply(action, keys, now)?;
            }
            if at_once
                && is_made
                && let Some(action) = policy.rotate(&key_times(keys), at_once, now)
            {
                self.apply(action, keys, now)?;
            }
            Ok::<_, OwnIssuerError>(())
        })?;
        Ok(is_changed)
    }

    /// Forgets a next key that would sign with another algorithm.
    ///
    /// # Errors
    /// If the store fails.
    pub fn forget_other_next_key(&self, store: &Store) -> Result<(), StoreError> {
        let algorithm = self.algorithm.to_string();
        forget_next_key(store, |key| key.algorithm != algorithm)
    }

    /// Has another key sign, if `key` does so, and forgets it if it would be the next one. Tells whether it signed.
    ///
    /// # Errors
    /// If a key cannot be made or the store fails.
    pub fn replace_key(
        &self,
        store: &Store,
        key: &str,
        now: SystemTime,
    ) -> Result<bool, OwnIssuerError> {
        forget_next_key(store, |next| next.id == key)?;
        let states = key_times(&store.signing_keys()?);
        let signs = current_key(&states).is_some_and(|current| current.id == key);
        if signs {
            // However many there are: this one is about to be published no longer.
            self.rotate_anyway(store, true, now)?;
        }
        Ok(signs)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// If there is no such account, it is revoked or disabled, or no token can be made.
    pub fn token(
        &self,
        store: &Store,
        request: TokenRequest<'_>,
        now: SystemTime,
    ) -> Result<String, OwnIssuerError> {
        let account = self.account(store, request.account)?;
        let key = self.present_key(store, now)?;
        let mut token =
            IdToken::new(&account.subject, request.audience).with_lifetime(request.lifetime);
        if request.with_email {
            token = token.with_email(&account.email);
        }
        Ok(mint(&self.url, &key, &token, now)?)
    }

    /// The account by this address, whose tokens are accepted.
    pub(super) fn account(
        &self,
        store: &Store,
        address: &str,
    ) -> Result<ServiceAccountRecord, OwnIssuerError> {
        let account = store.service_account(address)?;
        let revoked = own_revocations(store.revocations()?, &self.url);
        if revokes(&revoked, &self.url, RevokedKind::Subject, &account.subject) {
            return Err(OwnIssuerError::Revoked(account.email));
        }
        if account.is_disabled {
            return Err(OwnIssuerError::Disabled(account.email));
        }
        Ok(account)
    }

    /// The key that signs now, made if there is none.
    pub(super) fn present_key(
        &self,
        store: &Store,
        now: SystemTime,
    ) -> Result<SigningKey, OwnIssuerError> {
        self.keep_keys(store, now)?;
        // There is one by now.
        let key = signing_key(&store.signing_keys()?)?;
        Ok(key.ok_or(SigningKeyError::Sign(self.algorithm))?)
    }

    /// What its tokens have to be like.
    pub fn config(&self, accounts: Vec<ServiceAccountRecord>) -> IssuerConfig {
        let algorithms = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];
        IssuerConfig::new(self.url.clone(), algorithms).with_service_accounts(accounts_of(accounts))
    }

    fn apply(
        &self,
        action: Action,
        keys: &mut Vec<SigningKeyRecord>,
        now: SystemTime,
    ) -> Result<(), OwnIssuerError> {
        let now = seconds(now);
        match action {
            Action::MakeCurrent => keys.push(self.make(now, Some(now))?),
            Action::MakeNext => keys.push(self.make(now, None)?),
            Action::Promote { next, retire } => {
                for key in keys.iter_mut() {
                    if key.id == next {
                        key.signing = Some(now);
                    } else if Some(&key.id) == retire.as_ref() {
                        key.retired = Some(now);
                    }
                }
            }
            Action::Retire(id) => {
                for key in keys.iter_mut().filter(|key| key.id == id) {
                    key.retired = Some(now);
                }
            }
            Action::Forget(id) => keys.retain(|key| key.id != id),
        }
        Ok(())
    }

    fn make(&self, now: i64, signing: Option<i64>) -> Result<SigningKeyRecord, OwnIssuerError> {
        let key = SigningKey::generate(self.algorithm)?;
        Ok(SigningKeyRecord {
            id: key.public().id().to_owned(),
            algorithm: self.algorithm.to_string(),
            pkcs8: key.to_pkcs8()?.as_bytes().to_vec(),
            published: now,
            signing,
            retired: None,
        })
    }
}

/// Nothing was signed with it yet.
fn forget_next_key(
    store: &Store,
    is_unwanted: impl Fn(&SigningKeyRecord) -> bool,
) -> Result<(), StoreError> {
    let is_next = |key: &SigningKeyRecord| key.signing.is_none() && key.retired.is_none();
    store.change_signing_keys(|keys| {
        keys.retain(|key| !(is_next(key) && is_unwanted(key)));
        Ok(())
    })
}

/// The document with the public halves of `keys`.
///
/// # Errors
/// If one of them cannot be read.
pub fn key_document(keys: &[SigningKeyRecord]) -> Result<Value, OwnIssuerError> {
    let keys = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    Ok(jwks_document(keys.iter().map(SigningKey::public)))
}

/// The one of `keys` that signs now, if there is one.
///
/// # Errors
/// If it cannot be read.
pub fn signing_key(keys: &[SigningKeyRecord]) -> Result<Option<SigningKey>, OwnIssuerError> {
    let states = key_times(keys);
    let signing = current_key(&states).map(|state| &state.id);
    let record = keys.iter().find(|key| Some(&key.id) == signing);
    record.map(key).transpose()
}

/// The public halves of `keys`, to check tokens with; `None` if there are no keys yet.
///
/// # Errors
/// If one of them cannot be read.
pub fn own_key_set(keys: &[SigningKeyRecord]) -> Result<Option<KeySet>, OwnIssuerError> {
    if keys.is_empty() {
        return Ok(None);
    }
    let document = key_document(keys)?.to_string();
    Ok(Some(KeySet::read(document.as_bytes())?))
}

/// Those of `keys` that are keys.
pub fn readable_keys(mut keys: Vec<SigningKeyRecord>) -> Vec<SigningKeyRecord> {
    keys.retain(|record| key(record).is_ok());
    keys
}

/// How the store names the host's own issuer in revocations: its URL may change.
pub const OWN: &str = "";

/// `revocations` with the host's own issuer by the name that it has now.
pub fn own_revocations(mut revocations: Vec<Revocation>, url: &IssuerUrl) -> Vec<Revocation> {
    for revocation in revocations.iter_mut().filter(|one| one.issuer == OWN) {
        revocation.issuer = url.as_str().to_owned();
    }
    revocations
}

/// What refuses the tokens of those of `accounts` that are disabled, for as long as they are. They keep their addresses, so
/// that nobody else may vouch for those.
pub fn revocations_of_disabled(
    accounts: &[ServiceAccountRecord],
    url: &IssuerUrl,
) -> impl Iterator<Item = Revocation> {
    let disabled = accounts.iter().filter(|account| account.is_disabled);
    disabled.map(|account| Revocation {
        issuer: url.as_str().to_owned(),
        kind: RevokedKind::Subject,
        value: account.subject.clone(),
    })
}

/// Those of the host's own keys that nobody has revoked.
pub fn unrevoked_keys(
    mut keys: Vec<SigningKeyRecord>,
    revocations: &[Revocation],
    url: &IssuerUrl,
) -> Vec<SigningKeyRecord> {
    keys.retain(|key| !revokes(revocations, url, RevokedKind::Key, &key.id));
    keys
}

/// Whether one of `revocations` is of this `value` of `issuer`.
pub fn revokes(
    revocations: &[Revocation],
    issuer: &IssuerUrl,
    kind: RevokedKind,
    value: &str,
) -> bool {
    revocations.iter().any(|revocation| {
        revocation.kind == kind && revocation.value == value && revocation.issuer == issuer.as_str()
    })
}

/// The times of `keys`, by which their rotation goes.
pub fn key_times(keys: &[SigningKeyRecord]) -> Vec<KeyTimes> {
    let record = |key: &SigningKeyRecord| KeyTimes {
        id: key.id.clone(),
        published: time(key.published),
        signing: key.signing.map(time),
        retired: key.retired.map(time),
    };
    keys.iter().map(record).collect()
}

/// The accounts that the store keeps.
pub fn accounts_of(records: Vec<ServiceAccountRecord>) -> ServiceAccounts {
    let records = records.into_iter();
    records
        .map(|account| (account.subject, account.email))
        .collect()
}

/// A subject that no account has had.
pub fn new_subject() -> AccountSubject {
    AccountSubject::from_random(rand::random())
}

fn key(record: &SigningKeyRecord) -> Result<SigningKey, OwnIssuerError> {
    Ok(SigningKey::from_pkcs8(
        record.algorithm.parse()?,
        &record.pkcs8,
    )?)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

fn time(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests;
