//! Gathers what tokens are judged by, and gives it to the workers and the control plane.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use host_tokens::{
    AmbiguousIssuer, COOLDOWN, IssuerUrl, Issuers, KeyRefresh, KeyRequest, KeySet, Refreshed,
    Revocation, Trust, TrustedIssuer,
};
use tokio::task::JoinHandle;

use super::token_counters::{Counts, TokenCounters};
use crate::identity::{FetchError, KeySource, OutsideIssuer};
use crate::serve::published::Published;

/// What the host's own issuer publishes, as JSON.
#[derive(Clone, Debug, Default)]
pub(in crate::serve) struct OwnDocuments {
    pub(in crate::serve) discovery: String,
    pub(in crate::serve) keys: String,
}

/// What can be told of the keys of an issuer.
#[derive(Clone, Debug)]
pub(in crate::serve) struct KeyAccount {
    pub(in crate::serve) issuer: IssuerUrl,
    /// When its keys were last fetched.
    pub(in crate::serve) fetched: Option<SystemTime>,
    pub(in crate::serve) successes: u64,
    pub(in crate::serve) failures: u64,
    /// How many keys of its set cannot be used.
    pub(in crate::serve) left_out: usize,
}

/// What one worker or the control plane judges tokens by, and counts in.
#[derive(Clone, Default)]
pub(in crate::serve) struct WorkerTrust {
    pub(in crate::serve) trust: Arc<Published<Trust>>,
    pub(in crate::serve) counters: Arc<TokenCounters>,
}

/// Where all of it meets.
pub(in crate::serve) struct TrustBoard {
    workers: Vec<WorkerTrust>,
    control_plane: WorkerTrust,
    state: Mutex<TrustState>,
    /// How many tasks have refreshed keys so far.
    refreshes: AtomicU64,
}

#[derive(Default)]
struct TrustState {
    generation: u64,
    own: Option<(TrustedIssuer, OwnDocuments)>,
    revoked: Vec<Revocation>,
    outside: BTreeMap<IssuerUrl, Outside>,
}

struct Outside {
    trusted: TrustedIssuer,
    account: KeyAccount,
    source: KeySource,
    /// Of the task that refreshes its keys.
    number: u64,
    request: KeyRequest,
    refresh: JoinHandle<()>,
}

impl TrustBoard {
    pub(in crate::serve) fn new(workers: usize) -> Self {
        Self {
            workers: (0..workers).map(|_| Default::default()).collect(),
            control_plane: WorkerTrust::default(),
            state: Mutex::default(),
            refreshes: AtomicU64::new(0),
        }
    }

    /// That of worker number `index`.
    pub(in crate::serve) fn of_worker(&self, index: usize) -> WorkerTrust {
        self.workers[index].clone()
    }

    /// That of the control plane.
    pub(in crate::serve) fn of_control_plane(&self) -> WorkerTrust {
        self.control_plane.clone()
    }

    /// Trusts the host's own issuer as it is now, and nothing that is `revoked`.
    ///
    /// # Errors
    /// If another issuer goes by its name.
    pub(in crate::serve) fn set_own(
        &self,
        own: TrustedIssuer,
        documents: OwnDocuments,
        revoked: Vec<Revocation>,
    ) -> Result<(), AmbiguousIssuer> {
        let mut state = self.lock();
        state.own = Some((own, documents));
        state.revoked = revoked;
        self.publish(&mut state)
    }

    /// Whether these outside issuers can be trusted side by side, and beside the host's own.
    ///
    /// # Errors
    /// If two issuers go by the same name.
    pub(in crate::serve) fn check_outside(
        &self,
        issuers: &[OutsideIssuer],
    ) -> Result<(), AmbiguousIssuer> {
        let state = self.lock();
        let own = state.own.iter().map(|(own, _)| Arc::clone(&own.config));
        let outside = issuers.iter().map(|issuer| Arc::clone(&issuer.config));
        Issuers::new(own.chain(outside).collect()).map(drop)
    }

    /// Trusts these outside issuers and no others, and begins to keep their keys, on the present runtime. One that was
    /// trusted before keeps the keys that it has until there are new ones.
    ///
    /// # Errors
    /// If two issuers go by the same name; then those that were trusted are so still.
    pub(in crate::serve) fn set_outside(
        self: &Arc<Self>,
        issuers: &[OutsideIssuer],
    ) -> Result<(), AmbiguousIssuer> {
        self.check_outside(issuers)?;
        let mut state = self.lock();
        let mut before = std::mem::take(&mut state.outside);
        for issuer in issuers {
            let url = issuer.config.issuer().clone();
            let outside = match before.remove(&url) {
                None => self.keep(issuer, KeyRefresh::new(COOLDOWN)),
                Some(before) if !before.source.is_like(&issuer.keys) => {
                    before.refresh.abort();
                    self.keep(issuer, KeyRefresh::new(COOLDOWN))
                }
                Some(before) => {
                    before.refresh.abort();
                    let refresh = KeyRefresh::take_over(&before.request);
                    let mut outside = self.keep(issuer, refresh);
                    outside.trusted.keys = before.trusted.keys;
                    outside.account = before.account;
                    outside
                }
            };
            state.outside.insert(url, outside);
        }
        for gone in before.values() {
            gone.refresh.abort();
        }
        self.publish(&mut state)
    }

    /// Trusts no outside issuer any more but those that `is_kept`, and says which ones that were. Nothing else changes.
    ///
    /// # Errors
    /// None that can be met: fewer issuers have no more names in common.
    pub(in crate::serve) fn retain_outside(
        &self,
        is_kept: impl Fn(&IssuerUrl) -> bool,
    ) -> Result<Vec<IssuerUrl>, AmbiguousIssuer> {
        let mut state = self.lock();
        let outside = std::mem::take(&mut state.outside);
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            outside.into_iter().partition(|(url, _)| is_kept(url));
        state.outside = kept;
        for issuer in gone.values() {
            issuer.refresh.abort();
        }
        if !gone.is_empty() {
            self.publish(&mut state)?;
        }
        Ok(gone.into_keys().collect())
    }

    /// What the host's own issuer publishes.
    pub(in crate::serve) fn own_documents(&self) -> Option<OwnDocuments> {
        let state = self.lock();
        state.own.as_ref().map(|(_, documents)| documents.clone())
    }

    /// The issuers whose keys are fetched.
    pub(in crate::serve) fn key_accounts(&self) -> Vec<KeyAccount> {
        let state = self.lock();
        let outside = state.outside.values();
        outside.map(|outside| outside.account.clone()).collect()
    }

    /// Tokens that were refused.
    pub(in crate::serve) fn refused_tokens(&self) -> Counts {
        let mut totals = Counts::new();
        for worker in self.judges() {
            worker.counters.add_to(&mut totals);
        }
        totals
    }

    fn keep(
        self: &Arc<Self>,
        issuer: &OutsideIssuer,
        (refresh, request): (KeyRefresh, KeyRequest),
    ) -> Outside {
        let source = issuer.keys.clone();
        let (board, url) = (Arc::clone(self), issuer.config.issuer().clone());
        let fetch = move || {
            let source = source.clone();
            async move { source.fetch().await }
        };
        let number = self.refreshes.fetch_add(1, Ordering::Relaxed);
        let keeping = refresh.run(fetch, move |news| board.take_keys(&url, number, news));
        Outside {
            trusted: TrustedIssuer::new(Arc::clone(&issuer.config)).with_request(request.clone()),
            account: KeyAccount {
                issuer: issuer.config.issuer().clone(),
                fetched: None,
                successes: 0,
                failures: 0,
                left_out: 0,
            },
            source: issuer.keys.clone(),
            number,
            request,
            refresh: tokio::spawn(keeping),
        }
    }

    /// Takes what refresh `number` has. One that was replaced may speak once more.
    fn take_keys(&self, issuer: &IssuerUrl, number: u64, news: Refreshed<KeySet, FetchError>) {
        let mut state = self.lock();
        let outside = state.outside.get_mut(issuer);
        let Some(outside) = outside.filter(|outside| outside.number == number) else {
            return;
        };
        match news {
            Refreshed::Fetched(keys) => {
                outside.account.left_out = keys.left_out().len();
                outside.trusted.keys = match keys.problem() {
                    None => {
                        tracing::debug!("the keys of {issuer} were fetched");
                        outside.account.fetched = Some(SystemTime::now());
                        outside.account.successes += 1;
                        Some(Arc::new(keys))
                    }
                    // What was withdrawn is so though nothing takes its place.
                    Some(problem) => {
                        outside.account.failures += 1;
                        tracing::error!(
                            "there are no keys of {issuer}, so none of its tokens is accepted: {problem}"
                        );
                        None
                    }
                };
            }
            Refreshed::Failed(error) => {
                outside.account.failures += 1;
                tracing::warn!("the keys of {issuer} stay as they are: {error}");
                return;
            }
            Refreshed::Stale(error) => {
                outside.account.failures += 1;
                outside.trusted.keys = None;
                tracing::error!(
                    "there are no keys of {issuer}, so none of its tokens is accepted: {error}"
                );
            }
        }
        // Names do not change here, so they are as good as they were.
        let _ = self.publish(&mut state);
    }

    fn publish(&self, state: &mut TrustState) -> Result<(), AmbiguousIssuer> {
        let own = state.own.iter().map(|(own, _)| own.clone());
        let outside = state.outside.values();
        let trusted = own.chain(outside.map(|outside| outside.trusted.clone()));
        let generation = state.generation + 1;
        let trust = Trust::new(generation, trusted.collect(), state.revoked.iter().cloned())?;
        state.generation = generation;
        for worker in self.judges() {
            worker.trust.replace(Arc::new(trust.clone()));
        }
        Ok(())
    }

    /// All that judge tokens.
    fn judges(&self) -> impl Iterator<Item = &WorkerTrust> {
        self.workers.iter().chain([&self.control_plane])
    }

    /// Only the control plane comes here.
    fn lock(&self) -> MutexGuard<'_, TrustState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
