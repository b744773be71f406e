//! From a request's credentials to who calls.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::access::{Access, Policy};
use super::caller::Caller;
use super::metrics::Reason;
use super::published::Published;
use super::token_counters::TokenCounters;
use super::verdicts::{Key, Verdicts};
use crate::identity::{KeyRequest, Moment, Refusal, Rejected, Rejection, SteadyClock, Trust};

/// What one worker judges tokens with.
#[derive(Debug)]
pub(super) struct Authenticator {
    trust: Arc<Published<Trust>>,
    counters: Arc<TokenCounters>,
    clock: SteadyClock,
    verdicts: Verdicts,
}

/// A caller who is let in.
#[derive(Debug, Default)]
pub(super) struct LetIn {
    /// Who it is; nobody in particular calls what is open.
    pub(super) caller: Option<Arc<Caller>>,
    /// How long keys were waited for.
    pub(super) waited: Duration,
}

/// Why a caller is not let in.
pub(super) struct NotLetIn {
    pub(super) reason: Reason,
    /// For the operator.
    pub(super) why: Box<dyn Display + Send + Sync>,
}

impl NotLetIn {
    pub(super) fn new(reason: Reason, why: impl Display + Send + Sync + 'static) -> Self {
        Self {
            reason,
            why: Box::new(why),
        }
    }
}

/// Who calls, by a good token.
struct Judged {
    caller: Arc<Caller>,
    generation: u64,
    /// What to remember it by, unless it is.
    key: Option<Key>,
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

    /// Lets in who calls with `token` at `begun`, which is now, if `policy` does. Keys that are on their way are waited
    /// for no longer than `patience`. Then it counts what `access` says by that time.
    ///
    /// For a token that is remembered this takes one hash of it, a look at the clock and some comparisons; nothing is
    /// allocated.
    pub(super) async fn authenticate(
        &self,
        token: Option<&[u8]>,
        policy: &Policy,
        (begun, patience): (Instant, Duration),
        access: impl Fn() -> Access,
    ) -> Result<LetIn, NotLetIn> {
        let Some(token) = token else {
            let why = "the function is private, and the request has no bearer token";
            return Err(NotLetIn::new(Reason::NoToken, why));
        };
        let trust = self.trust.current();
        let key = Key::of(token);
        let verdict = self.judge(&trust, (token, key), policy, begun);
        let Some(request) = newer_keys(&trust, &verdict) else {
            return self.conclude(policy, verdict).map(|caller| LetIn {
                caller: Some(caller),
                waited: Duration::ZERO,
            });
        };
        request.newer_keys(patience).await;
        let waited = begun.elapsed();
        let Access::Private(policy) = access() else {
            return Ok(LetIn {
                caller: None,
                waited,
            });
        };
        // They may as well have come while it was judged.
        let newer = self.trust.current();
        let verdict = match newer.generation() == trust.generation() {
            true => verdict,
            false => self.judge(&newer, (token, key), &policy, Instant::now()),
        };
        self.conclude(&policy, verdict).map(|caller| LetIn {
            caller: Some(caller),
            waited,
        })
    }

    fn judge(
        &self,
        trust: &Trust,
        (token, key): (&[u8], Option<Key>),
        policy: &Policy,
        now: Instant,
    ) -> Result<Judged, NotGood> {
        let moment = self.clock.when(SystemTime::now(), now);
        let generation = trust.generation();
        let not_good = |rejected| NotGood { rejected, moment };
        let remembered = key.and_then(|key| self.verdicts.get(&key, generation));
        if let Some(caller) = remembered {
            let again = trust.judge_again(&caller.verified, &policy.audiences, moment.time);
            again.map_err(not_good)?;
            return Ok(Judged {
                caller,
                generation,
                key: None,
            });
        }
        // Whatever is not UTF-8 is not base64url either, and is refused for that.
        let token = String::from_utf8_lossy(token);
        let verified = trust.judge(&token, &policy.audiences, moment.time);
        Ok(Judged {
            caller: Arc::new(Caller::new(verified.map_err(not_good)?)),
            generation,
            key,
        })
    }

    /// What comes of a verdict that stands.
    fn conclude(
        &self,
        policy: &Policy,
        verdict: Result<Judged, NotGood>,
    ) -> Result<Arc<Caller>, NotLetIn> {
        let judged = verdict.map_err(|not_good| self.rejected(not_good))?;
        policy
            .admit(&judged.caller.verified)
            .map_err(|error| NotLetIn::new(Reason::PermissionDenied, error))?;
        if let Some(key) = judged.key {
            let caller = Arc::clone(&judged.caller);
            self.verdicts.put(key, judged.generation, caller);
        }
        Ok(judged.caller)
    }

    fn rejected(&self, not_good: NotGood) -> NotLetIn {
        let Rejected { rejection, issuer } = &not_good.rejected;
        let issuer = issuer.as_ref().map(|config| &config.issuer);
        self.counters.count(issuer, rejection.code());
        let reason = match rejection {
            Rejection::NoKeys(_) => Reason::KeysUnavailable,
            _ => Reason::Unauthenticated,
        };
        NotLetIn::new(reason, not_good)
    }
}

/// Why a token is rejected, and when that was.
struct NotGood {
    rejected: Rejected,
    moment: Moment,
}

impl Display for NotGood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rejection = &self.rejected.rejection;
        write!(
            f,
            "its token is refused ({}): {rejection}",
            rejection.code()
        )?;
        // What there is to say of the clock, where that may be the reason.
        let is_for_age = matches!(
            rejection,
            Rejection::Refused(Refusal::Expired { .. } | Refusal::Age { .. })
        );
        let set_back = self.moment.set_back;
        if !is_for_age || set_back < SET_BACK {
            return Ok(());
        }
        write!(
            f,
            "; the system's clock was set back by {} s since the host began, which makes no token good again: if it is \
             right now, start the host again",
            set_back.as_secs()
        )
    }
}

/// How to ask for newer keys, if they could change the verdict.
fn newer_keys<'a>(trust: &'a Trust, verdict: &Result<Judged, NotGood>) -> Option<&'a KeyRequest> {
    let Rejected { rejection, issuer } = &verdict.as_ref().err()?.rejected;
    let is_wanted = match rejection {
        Rejection::Refused(refusal) => refusal.wants_newer_keys(),
        // They may be on their way.
        Rejection::NoKeys(_) => true,
        Rejection::Revoked { .. } => false,
    };
    let issuer = issuer.as_ref().filter(|_| is_wanted)?;
    trust.key_request(&issuer.issuer)
}

impl std::fmt::Debug for NotLetIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.reason, self.why)
    }
}

#[cfg(test)]
mod tests;
