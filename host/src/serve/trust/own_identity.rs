//! Keeps the host's own issuer like the store: its keys, its accounts, and what is revoked.
//!
//! What is revoked and which accounts there are takes effect whatever is wrong with the keys: those that could be read
//! last are used until the store's can be read again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use host_tokens::{
    Fetched, KeyRefresh, KeyRequest, KeySet, Revocation, RevokedKind, SigningKey, TrustedIssuer,
    discovery_document,
};

use super::board::{OwnDocuments, TrustBoard};
use super::job_tokens::{Account, JobTokens, Signer};
use crate::identity::{
    OwnIssuer, OwnIssuerError, key_document, own_key_set, own_revocations, readable_keys,
    revocations_of_disabled, revokes, signing_key, unrevoked_keys,
};
use crate::serve::error::ServeError;
use crate::serve::readiness::Readiness;
use crate::store::{POLL, ServiceAccountRecord, SigningKeyRecord, Store};

/// How soon the store is asked again for a token of an account or a key that is not known yet.
const COOLDOWN: Duration = Duration::from_millis(20);
/// How soon it is tried again to make a key, which takes its time. Keys come due by the clock, of which the store tells
/// nothing: they are looked after this often in any case.
const KEYS_AGAIN: Duration = Duration::from_secs(10);
/// What readiness calls all of it.
const OWN_ISSUER: &str = "own issuer";

/// The host's own issuer, and what of the store has been taken up.
pub(in crate::serve) struct OwnIdentity {
    issuer: OwnIssuer,
    store: Arc<Store>,
    board: Arc<TrustBoard>,
    tokens: Arc<JobTokens>,
    request: KeyRequest,
    /// How many of the store's changes have been taken up, and as how many the store knows that.
    taken_up: Option<i64>,
    noted: Option<i64>,
    /// The keys that could be read last.
    keys: Vec<SigningKeyRecord>,
    /// Whether the store's could not be read since.
    lacks_keys: bool,
    /// Why keys could not be looked after, and when that was.
    trouble: Option<(String, Instant)>,
}

/// The keys as they are used.
struct OwnKeys {
    set: Option<KeySet>,
    documents: OwnDocuments,
    signing: Option<SigningKey>,
}

impl OwnIdentity {
    /// With the refresh that is to run it.
    pub(in crate::serve) fn new(
        issuer: OwnIssuer,
        store: Arc<Store>,
        board: Arc<TrustBoard>,
        tokens: Arc<JobTokens>,
    ) -> (Self, KeyRefresh) {
        let (refresh, request) = KeyRefresh::new(COOLDOWN);
        let identity = Self {
            issuer,
            store,
            board,
            tokens,
            request,
            taken_up: None,
            noted: None,
            keys: Vec::new(),
            lacks_keys: false,
            trouble: None,
        };
        (identity, refresh)
    }

    /// Takes up what has changed in the store, and does what is due to the keys. Blocks.
    ///
    /// # Errors
    /// If the store cannot be used, or a key in it. What could be taken up is.
    pub(in crate::serve) fn refresh(&mut self) -> Result<(), ServeError> {
        self.store.check_in_place()?;
        // Before the keys, which may take long; what goes wrong does so again below, and is told then.
        let _ = self.take_up();
        let kept = self.keep_keys(Instant::now());
        self.take_up()?;
        kept
    }

    /// Does what is due to the keys, though not soon again after that has failed.
    fn keep_keys(&mut self, now: Instant) -> Result<(), ServeError> {
        if let Some((trouble, since)) = &self.trouble
            && now.saturating_duration_since(*since) < KEYS_AGAIN
        {
            return Err(ServeError::OwnKeys(trouble.clone()));
        }
        let kept = self.issuer.keep_keys(&self.store, SystemTime::now());
        self.trouble = kept.err().map(|error| (error.to_string(), now));
        match &self.trouble {
            None => Ok(()),
            Some((trouble, _)) => Err(ServeError::OwnKeys(trouble.clone())),
        }
    }

    fn take_up(&mut self) -> Result<(), ServeError> {
        // Counted before anything is read, so that a change in between is taken up again.
        let changes = self.store.identity_changes()?;
        let is_news = self.taken_up != Some(changes);
        let mut read = Ok(());
        if is_news || self.lacks_keys {
            let accounts = self.store.service_accounts()?;
            let mut revoked = own_revocations(self.store.revocations()?, &self.issuer.url);
            revoked.extend(revocations_of_disabled(&accounts, &self.issuer.url));
            let keys = self.read_keys(&revoked);
            let keys = match keys {
                // Nothing to tell the workers of.
                Err(error) if !is_news => return Err(error.into()),
                Err(error) => {
                    read = Err(error);
                    // These could be read before.
                    self.usable(self.keys.clone(), &revoked)?
                }
                Ok(keys) => keys,
            };
            self.lacks_keys = read.is_err();
            self.publish(keys, accounts, revoked)?;
            self.taken_up = Some(changes);
        }
        if self.noted != Some(changes) {
            self.store.note_identity_taken_up(changes)?;
            self.noted = Some(changes);
        }
        Ok(read?)
    }

    fn read_keys(&mut self, revoked: &[Revocation]) -> Result<OwnKeys, OwnIssuerError> {
        let keys = self.store.signing_keys()?;
        let usable = self.usable(keys.clone(), revoked);
        match &usable {
            Ok(_) => self.keys = keys,
            // A host that begins has no earlier ones. Those that can be read are good for what they signed.
            Err(_) if self.keys.is_empty() => self.keys = readable_keys(keys),
            Err(_) => {}
        }
        usable
    }

    fn usable(
        &self,
        keys: Vec<SigningKeyRecord>,
        revoked: &[Revocation],
    ) -> Result<OwnKeys, OwnIssuerError> {
        // Nobody else is told of a key that is revoked, either.
        let keys = unrevoked_keys(keys, revoked, &self.issuer.url);
        let algorithms = keys.iter().filter_map(|key| key.algorithm.parse().ok());
        let discovery = discovery_document(&self.issuer.url, &algorithms.collect::<Vec<_>>());
        Ok(OwnKeys {
            set: own_key_set(&keys)?,
            documents: OwnDocuments {
                discovery: discovery.to_string(),
                keys: key_document(&keys)?.to_string(),
            },
            signing: signing_key(&keys)?,
        })
    }

    fn publish(
        &self,
        keys: OwnKeys,
        accounts: Vec<ServiceAccountRecord>,
        revoked: Vec<Revocation>,
    ) -> Result<(), ServeError> {
        let is_revoked =
            |subject: &str| revokes(&revoked, &self.issuer.url, RevokedKind::Subject, subject);
        let account = |record: &ServiceAccountRecord| {
            let account = Account {
                subject: record.subject.clone(),
                is_revoked: is_revoked(&record.subject),
                is_disabled: record.is_disabled,
            };
            (record.email.clone(), account)
        };
        self.tokens.replace(keys.signing.map(|key| Signer {
            issuer: self.issuer.url.clone(),
            key,
            accounts: accounts.iter().map(account).collect(),
        }));
        let own = TrustedIssuer::new(self.issuer.config(accounts))
            .with_keys(keys.set.map(Arc::new))
            .with_request(self.request.clone());
        Ok(self.board.set_own(own, keys.documents, revoked)?)
    }
}

/// Keeps the board like the store, for ever.
pub(in crate::serve) async fn follow(
    identity: OwnIdentity,
    refresh: KeyRefresh,
    readiness: Arc<Readiness>,
) {
    let (mut changes, request) = (identity.store.changes(), identity.request.clone());
    let identity = Arc::new(Mutex::new(identity));
    let look = move || {
        let identity = Arc::clone(&identity);
        let readiness = Arc::clone(&readiness);
        async move {
            // The disk may be slow, and this thread answers the control plane.
            let refreshed = tokio::task::spawn_blocking(move || {
                let mut identity = identity.lock().unwrap_or_else(PoisonError::into_inner);
                identity.refresh()
            });
            let problem = match refreshed.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            // What has failed is tried again, though the store does not change.
            let good_for = match problem {
                None => KEYS_AGAIN,
                Some(_) => POLL,
            };
            // Told once, not five times a second.
            if readiness.note(OWN_ISSUER, problem.clone())
                && let Some(problem) = problem
            {
                tracing::error!("the host's own issuer is not kept as it should be: {problem}");
            }
            Ok::<_, ()>(Fetched {
                value: (),
                good_for,
            })
        }
    };
    let note_changes = async {
        while changes.changed().await.is_ok() {
            request.fetch_again();
        }
    };
    tokio::join!(refresh.run(look, |_| ()), note_changes);
}

#[cfg(test)]
mod tests;
