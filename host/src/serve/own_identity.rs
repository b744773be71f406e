//! Keeps the host's own issuer like the store: its keys, its accounts, and what is revoked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::error::ServeError;
use super::job_tokens::{JobTokens, Signer};
use super::readiness::Readiness;
use super::trust_board::{OwnDocuments, TrustBoard};
use crate::identity::{
    Fetched, KeyKeeper, KeyRequest, News, OwnIssuer, TrustedIssuer, discovery_document,
    key_document, own_key_set, own_revocations, signing_key, unrevoked_keys,
};
use crate::store::Store;

/// How often the store is asked whether something has changed.
const POLL: Duration = Duration::from_millis(200);
/// How soon it is asked again for a token of an account or a key that is not known yet.
const COOLDOWN: Duration = Duration::from_millis(20);

/// What readiness calls the accounts, keys and revocations of the store.
const ACCOUNTS: &str = "service accounts";

/// The host's own issuer, and what of the store has been taken up.
pub(super) struct OwnIdentity {
    issuer: OwnIssuer,
    store: Arc<Store>,
    board: Arc<TrustBoard>,
    tokens: Arc<JobTokens>,
    request: KeyRequest,
    /// How many of the store's changes have been taken up.
    taken_up: Option<i64>,
}

impl OwnIdentity {
    /// With the keeper that is to run it.
    pub(super) fn new(
        issuer: OwnIssuer,
        store: Arc<Store>,
        board: Arc<TrustBoard>,
        tokens: Arc<JobTokens>,
    ) -> (Self, KeyKeeper) {
        let (keeper, request) = KeyKeeper::new(COOLDOWN);
        let identity = Self {
            issuer,
            store,
            board,
            tokens,
            request,
            taken_up: None,
        };
        (identity, keeper)
    }

    /// Takes up what has changed in the store, after what is due was done to the keys. Blocks.
    ///
    /// # Errors
    /// If the store cannot be used, or a key in it.
    pub(super) fn refresh(&mut self) -> Result<(), ServeError> {
        self.store.check_in_place()?;
        self.issuer.keep_keys(&self.store, SystemTime::now())?;
        // Counted before anything is read, so that a change in between is taken up again.
        let changes = self.store.identity_changes()?;
        if self.taken_up == Some(changes) {
            return Ok(());
        }
        let revoked = own_revocations(self.store.revocations()?, &self.issuer.url);
        // Nobody else is told of a key that is revoked, either.
        let keys = unrevoked_keys(self.store.signing_keys()?, &revoked, &self.issuer.url);
        let accounts = self.store.service_accounts()?;
        let own = TrustedIssuer {
            config: Arc::new(self.issuer.config(accounts.clone())),
            keys: own_key_set(&keys)?.map(Arc::new),
            request: Some(self.request.clone()),
        };
        let algorithms = keys.iter().filter_map(|key| key.algorithm.parse().ok());
        let documents = OwnDocuments {
            discovery: discovery_document(&self.issuer.url, &algorithms.collect::<Vec<_>>())
                .to_string(),
            keys: key_document(&keys)?.to_string(),
        };
        self.board.set_own(own, documents, revoked)?;
        let addresses = accounts.iter();
        let addresses = addresses.map(|account| (account.email.clone(), account.subject.clone()));
        self.tokens.replace(signing_key(&keys)?.map(|key| Signer {
            issuer: self.issuer.url.clone(),
            key,
            accounts: addresses.collect(),
        }));
        self.store.note_identity_taken_up(changes)?;
        self.taken_up = Some(changes);
        Ok(())
    }
}

/// Keeps the board like the store, for ever.
pub(super) async fn follow(identity: OwnIdentity, keeper: KeyKeeper, readiness: Arc<Readiness>) {
    let identity = Arc::new(Mutex::new(identity));
    let refresh = move || {
        let identity = Arc::clone(&identity);
        async move {
            // The disk may be slow, and this thread answers the control plane.
            let refreshed = tokio::task::spawn_blocking(move || {
                let mut identity = identity.lock().unwrap_or_else(PoisonError::into_inner);
                identity.refresh()
            });
            match refreshed.await {
                Ok(Ok(())) => Ok(Fetched {
                    value: (),
                    good_for: POLL,
                }),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            }
        }
    };
    keeper
        .run(refresh, |news| {
            let problem = match news {
                News::Fetched(()) => None,
                News::Failed(problem) | News::Stale(problem) => Some(problem),
            };
            // Told once, not five times a second.
            if readiness.note(ACCOUNTS, problem.clone())
                && let Some(problem) = problem
            {
                eprintln!("error: changes of service accounts are not taken up: {problem}");
            }
        })
        .await;
}
