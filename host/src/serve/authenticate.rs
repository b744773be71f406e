//! From a request's credentials to who calls.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::access::Policy;
use super::metrics::Reason;
use super::published::Published;
use super::token_counters::TokenCounters;
use super::verdicts::Verdicts;
use crate::identity::{Rejection, Trust, Verified};

/// What one worker judges tokens with.
#[derive(Debug, Default)]
pub(super) struct Authenticator {
    pub(super) trust: Arc<Published<Trust>>,
    pub(super) counters: Arc<TokenCounters>,
    verdicts: Verdicts,
}

/// Why a caller is not let in.
#[derive(Debug)]
pub(super) struct NotLetIn {
    pub(super) reason: Reason,
    /// For the operator.
    pub(super) why: String,
}

/// Who calls, by a good token.
struct Judged {
    caller: Arc<Verified>,
    generation: u64,
    /// Whether its signature was.
    is_remembered: bool,
}

impl Authenticator {
    pub(super) fn new(trust: Arc<Published<Trust>>, counters: Arc<TokenCounters>) -> Self {
        Self {
            trust,
            counters,
            verdicts: Verdicts::default(),
        }
    }

    /// Who calls with `token`, if the policy lets it in. Keys that are on their way are waited for no longer than
    /// `patience`.
    pub(super) async fn authenticate(
        &self,
        token: Option<&str>,
        policy: &Policy,
        patience: Duration,
    ) -> Result<Arc<Verified>, NotLetIn> {
        let Some(token) = token else {
            return Err(NotLetIn {
                reason: Reason::NoToken,
                why: "the function is private, and the request has no bearer token".into(),
            });
        };
        let judged = self.judge(token, policy, patience).await;
        let judged = judged.map_err(|rejection| self.rejected(token, &rejection))?;
        policy.admit(&judged.caller).map_err(|error| NotLetIn {
            reason: Reason::PermissionDenied,
            why: error.to_string(),
        })?;
        if !judged.is_remembered {
            let caller = Arc::clone(&judged.caller);
            self.verdicts.put(token, judged.generation, caller);
        }
        Ok(judged.caller)
    }

    async fn judge(
        &self,
        token: &str,
        policy: &Policy,
        patience: Duration,
    ) -> Result<Judged, Rejection> {
        let trust = self.trust.current();
        let judged = self.judge_by(&trust, token, policy);
        let wants_newer_keys = match &judged {
            Err(Rejection::Refused(refusal)) => refusal.wants_newer_keys(),
            // They may be on their way.
            Err(Rejection::NoKeys(_)) => true,
            _ => false,
        };
        let request = wants_newer_keys.then(|| trust.key_request(token));
        let Some(request) = request.flatten() else {
            return judged;
        };
        request.newer_keys(patience).await;
        // They may as well have come while it was judged.
        let newer = self.trust.current();
        match newer.generation() == trust.generation() {
            true => judged,
            false => self.judge_by(&newer, token, policy),
        }
    }

    fn judge_by(&self, trust: &Trust, token: &str, policy: &Policy) -> Result<Judged, Rejection> {
        let now = SystemTime::now();
        let generation = trust.generation();
        let remembered = self.verdicts.get(token, generation);
        let is_remembered = remembered.is_some();
        let caller = match remembered {
            Some(caller) => {
                trust.judge_again(&caller, &policy.audiences, now)?;
                caller
            }
            None => Arc::new(trust.judge(token, &policy.audiences, now)?),
        };
        Ok(Judged {
            caller,
            generation,
            is_remembered,
        })
    }

    fn rejected(&self, token: &str, rejection: &Rejection) -> NotLetIn {
        let issuer = self.trust.current().issuer_of(token);
        self.counters.count(issuer, rejection.code());
        NotLetIn {
            reason: match rejection {
                Rejection::NoKeys(_) => Reason::KeysUnavailable,
                _ => Reason::Unauthenticated,
            },
            why: format!("its token is refused ({}): {rejection}", rejection.code()),
        }
    }
}
