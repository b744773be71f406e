//! From a request's credentials to who calls.

use std::sync::Arc;
use std::time::Duration;

use super::access::{Access, Policy};
use super::metrics::Reason;
use super::published::Published;
use super::token_counters::TokenCounters;
use super::verdicts::Verdicts;
use crate::identity::{KeyRequest, Moment, Refusal, Rejection, SteadyClock, Trust, Verified};

/// What one worker judges tokens with.
#[derive(Debug)]
pub(super) struct Authenticator {
    trust: Arc<Published<Trust>>,
    counters: Arc<TokenCounters>,
    clock: SteadyClock,
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

/// By how much a clock has to be set back to be worth a word: a leap second is no reason.
const SET_BACK: Duration = Duration::from_secs(2);

impl Authenticator {
    pub(super) fn new(
        trust: Arc<Published<Trust>>,
        counters: Arc<TokenCounters>,
        clock: SteadyClock,
    ) -> Self {
        Self {
            trust,
            counters,
            clock,
            verdicts: Verdicts::default(),
        }
    }

    /// Who calls with `token`, if `policy` lets it in. Keys that are on their way are waited for no longer than
    /// `patience`. Then it counts what `access` says by that time: nobody in particular calls what has become open.
    pub(super) async fn authenticate(
        &self,
        token: Option<&str>,
        policy: &Policy,
        patience: Duration,
        access: impl Fn() -> Access,
    ) -> Result<Option<Arc<Verified>>, NotLetIn> {
        let Some(token) = token else {
            return Err(NotLetIn {
                reason: Reason::NoToken,
                why: "the function is private, and the request has no bearer token".into(),
            });
        };
        let trust = self.trust.current();
        let verdict = self.judge(&trust, token, policy);
        let Some(request) = newer_keys(&trust, token, &verdict) else {
            return self.conclude(token, policy, verdict).map(Some);
        };
        request.newer_keys(patience).await;
        let Access::Private(policy) = access() else {
            return Ok(None);
        };
        // They may as well have come while it was judged.
        let newer = self.trust.current();
        let verdict = match newer.generation() == trust.generation() {
            true => verdict,
            false => self.judge(&newer, token, &policy),
        };
        self.conclude(token, &policy, verdict).map(Some)
    }

    fn judge(&self, trust: &Trust, token: &str, policy: &Policy) -> Result<Judged, NotGood> {
        let moment = self.clock.now();
        let generation = trust.generation();
        let remembered = self.verdicts.get(token, generation);
        let is_remembered = remembered.is_some();
        let judged = match remembered {
            Some(caller) => trust
                .judge_again(&caller, &policy.audiences, moment.time)
                .map(|()| caller),
            None => trust
                .judge(token, &policy.audiences, moment.time)
                .map(Arc::new),
        };
        let caller = judged.map_err(|rejection| NotGood { rejection, moment })?;
        Ok(Judged {
            caller,
            generation,
            is_remembered,
        })
    }

    /// What comes of a verdict that stands.
    fn conclude(
        &self,
        token: &str,
        policy: &Policy,
        verdict: Result<Judged, NotGood>,
    ) -> Result<Arc<Verified>, NotLetIn> {
        let judged = verdict.map_err(|not_good| self.rejected(token, &not_good))?;
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

    fn rejected(&self, token: &str, not_good: &NotGood) -> NotLetIn {
        let rejection = &not_good.rejection;
        let issuer = self.trust.current().issuer_of(token);
        self.counters.count(issuer, rejection.code());
        NotLetIn {
            reason: match rejection {
                Rejection::NoKeys(_) => Reason::KeysUnavailable,
                _ => Reason::Unauthenticated,
            },
            why: format!(
                "its token is refused ({}): {rejection}{}",
                rejection.code(),
                not_good.clock()
            ),
        }
    }
}

/// Why a token is rejected, and when that was.
struct NotGood {
    rejection: Rejection,
    moment: Moment,
}

impl NotGood {
    /// What there is to say of the clock, where that may be the reason.
    fn clock(&self) -> String {
        let is_for_age = matches!(
            self.rejection,
            Rejection::Refused(Refusal::Expired { .. } | Refusal::Age { .. })
        );
        let set_back = self.moment.set_back;
        if !is_for_age || set_back < SET_BACK {
            return String::new();
        }
        format!(
            "; the system's clock was set back by {} s since the host began, which makes no token good again: if it is \
             right now, start the host again",
            set_back.as_secs()
        )
    }
}

/// How to ask for newer keys, if they could change the verdict.
fn newer_keys<'a>(
    trust: &'a Trust,
    token: &str,
    verdict: &Result<Judged, NotGood>,
) -> Option<&'a KeyRequest> {
    let rejection = &verdict.as_ref().err()?.rejection;
    let is_wanted = match rejection {
        Rejection::Refused(refusal) => refusal.wants_newer_keys(),
        // They may be on their way.
        Rejection::NoKeys(_) => true,
        Rejection::Revoked { .. } => false,
    };
    is_wanted.then(|| trust.key_request(token)).flatten()
}

#[cfg(test)]
mod tests;
