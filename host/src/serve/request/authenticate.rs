//! From a request's credentials to who calls.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use host_tokens::{KeyRequest, Moment, Refusal, Rejected, Rejection, SteadyClock, Trust};
use tokio::sync::Mutex;

use super::caller::Caller;
use super::verdicts::{Key, Verdicts};
use crate::identity::access::{Access, Policy};
use crate::identity::{AdvisedCaller, AdvisedRejection};
use crate::serve::functions::counters::Reason;
use crate::serve::published::Published;
use crate::serve::trust::board::WorkerTrust;
use crate::serve::trust::token_counters::TokenCounters;

/// What one worker judges tokens with.
#[derive(Debug)]
pub(in crate::serve) struct Authenticator {
    trust: Arc<Published<Trust>>,
    counters: Arc<TokenCounters>,
    clock: SteadyClock,
    verdicts: Verdicts,
    /// Held while a token is checked whole; whether the last one was refused. Without it, a crowd of connections that each
    /// send a forged one at the same time would have everybody else wait for all of these checks.
    line: Mutex<bool>,
}

/// A caller who is let in.
#[derive(Debug, Default)]
pub(in crate::serve) struct LetIn {
    /// Who it is; nobody in particular calls what is open.
    pub(in crate::serve) caller: Option<Arc<Caller>>,
    /// How long that took, unless the token was remembered.
    pub(in crate::serve) waited: Duration,
}

/// Why a caller is not let in.
pub(in crate::serve) struct NotLetIn {
    pub(in crate::serve) reason: Reason,
    /// For the operator.
    pub(in crate::serve) why: Box<dyn Display + Send + Sync>,
}

impl NotLetIn {
    pub(in crate::serve) fn new(reason: Reason, why: impl Display + Send + Sync + 'static) -> Self {
        Self {
            reason,
            why: Box::new(why),
        }
    }
}

/// For how long a caller may wait for its verdict.
#[derive(Clone, Copy)]
pub(in crate::serve) struct TimeLimit {
    pub(in crate::serve) begun: Instant,
    /// From then on.
    pub(in crate::serve) patience: Duration,
}

/// A token as it was sent.
#[derive(Clone, Copy)]
struct SentToken<'a> {
    bytes: &'a [u8],
    /// What to remember it by, if it is not too long for that.
    key: Option<Key>,
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
    pub(in crate::serve) fn new(
        WorkerTrust { trust, counters }: WorkerTrust,
        clock: SteadyClock,
    ) -> Self {
        Self {
            trust,
            counters,
            clock,
            verdicts: Verdicts::default(),
            line: Mutex::default(),
        }
    }

    /// Whether `word` is a token that says that it comes from a trusted issuer.
    pub(in crate::serve) fn is_token(&self, word: &str) -> bool {
        self.trust.current().is_named_by(word)
    }

    /// Lets in who calls with `token` now, when `limit` begins, if `policy` does. Keys that are on their way are waited
    /// for within `limit` only. After any wait it counts what `access` says by that time.
    ///
    /// For a token that is remembered this takes one hash of it, a look at the clock and some comparisons; nothing is
    /// allocated. Whoever sends tokens to be refused has everybody else of this worker go first in between.
    pub(in crate::serve) async fn authenticate(
        &self,
        token: Option<&[u8]>,
        policy: &Arc<Policy>,
        limit: TimeLimit,
        access: impl Fn() -> Access,
    ) -> Result<LetIn, NotLetIn> {
        let Some(bytes) = token else {
            let why = "the function is private, and the request has no bearer token";
            return Err(NotLetIn::new(Reason::NoToken, why));
        };
        let key = Key::of(bytes);
        let remembered = self.judge_again(&self.trust.current(), key, policy, limit.begun);
        let Some(verdict) = remembered else {
            return self
                .authenticate_new(SentToken { bytes, key }, policy, limit, access)
                .await;
        };
        if verdict.is_err() {
            tokio::task::yield_now().await;
        }
        self.conclude(policy, verdict).map(|caller| LetIn {
            caller: Some(caller),
            waited: Duration::ZERO,
        })
    }

    /// Of a token whose signature is not known to be good.
    async fn authenticate_new(
        &self,
        token: SentToken<'_>,
        policy: &Arc<Policy>,
        TimeLimit { begun, patience }: TimeLimit,
        access: impl Fn() -> Access,
    ) -> Result<LetIn, NotLetIn> {
        let mut policy = Arc::clone(policy);
        let opened = || LetIn {
            caller: None,
            waited: begun.elapsed(),
        };
        let Some((trust, mut verdict)) = self.judge_in_line(token, &mut policy, &access).await
        else {
            return Ok(opened());
        };
        if let Some(request) = newer_keys(&trust, &verdict) {
            let patience = patience.saturating_sub(begun.elapsed());
            request.newer_keys(patience).await;
            let Access::Private(present) = access() else {
                return Ok(opened());
            };
            policy = present;
            // They may as well have come while it was judged.
            if self.trust.current().generation() != trust.generation() {
                let Some(again) = self.judge_in_line(token, &mut policy, &access).await else {
                    return Ok(opened());
                };
                verdict = again.1;
            }
        }
        self.conclude(&policy, verdict).map(|caller| LetIn {
            caller: Some(caller),
            waited: begun.elapsed(),
        })
    }

    /// Judges a token when those before it have been. After a wait that is by the policy that `access` has by then; there
    /// is no verdict if everybody is let in by then.
    async fn judge_in_line(
        &self,
        token: SentToken<'_>,
        policy: &mut Arc<Policy>,
        access: impl Fn() -> Access,
    ) -> Option<(Arc<Trust>, Result<Judged, NotGood>)> {
        let place = self.line.try_lock();
        let mut has_waited = place.is_err();
        let mut last_was_refused = match place {
            Ok(place) => place,
            Err(_) => self.line.lock().await,
        };
        if *last_was_refused {
            // To find that out may have taken as long as an execution.
            tokio::task::yield_now().await;
            has_waited = true;
        }
        let trust = self.trust.current();
        if has_waited {
            let Access::Private(present) = access() else {
                return None;
            };
            *policy = present;
            // The one before may have come with the same token.
            let now = Instant::now();
            if let Some(verdict) = self.judge_again(&trust, token.key, policy, now) {
                return Some((trust, verdict));
            }
        }
        let verdict = self.judge(&trust, token, policy);
        let is_let_in = |judged: &Judged| policy.admit(&judged.caller.verified).is_ok();
        *last_was_refused = !verdict.as_ref().is_ok_and(is_let_in);
        Some((trust, verdict))
    }

    /// What a token that is remembered comes to now.
    fn judge_again(
        &self,
        trust: &Trust,
        key: Option<Key>,
        policy: &Policy,
        now: Instant,
    ) -> Option<Result<Judged, NotGood>> {
        let generation = trust.generation();
        let caller = self.verdicts.get(&key?, generation)?;
        let moment = self.clock.when(SystemTime::now(), now);
        let again = trust.judge_again(&caller.verified, &policy.audiences, moment.time);
        Some(match again {
            Ok(()) => Ok(Judged {
                caller,
                generation,
                key: None,
            }),
            Err(rejected) => Err(NotGood { rejected, moment }),
        })
    }

    fn judge(
        &self,
        trust: &Trust,
        SentToken { bytes, key }: SentToken<'_>,
        policy: &Policy,
    ) -> Result<Judged, NotGood> {
        let moment = self.clock.when(SystemTime::now(), Instant::now());
        // Whatever is not UTF-8 is not base64url either, and is refused for that.
        let token = String::from_utf8_lossy(bytes);
        let verified = trust.judge(&token, &policy.audiences, moment.time);
        Ok(Judged {
            caller: Arc::new(Caller::new(
                verified.map_err(|rejected| NotGood { rejected, moment })?,
            )),
            generation: trust.generation(),
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
            .map_err(|error| NotLetIn::new(Reason::PermissionDenied, AdvisedCaller(error)))?;
        if let Some(key) = judged.key {
            let caller = Arc::clone(&judged.caller);
            self.verdicts.put(key, judged.generation, caller);
        }
        Ok(judged.caller)
    }

    fn rejected(&self, not_good: NotGood) -> NotLetIn {
        let Rejected { rejection, issuer } = &not_good.rejected;
        let issuer = issuer.as_ref().map(|config| config.issuer());
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
            "its token is refused ({}): {}",
            rejection.code(),
            AdvisedRejection(rejection)
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
    let issuer = issuer.as_ref().filter(|_| rejection.wants_newer_keys())?;
    trust.key_request(issuer.issuer())
}

impl std::fmt::Debug for NotLetIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.reason, self.why)
    }
}

#[cfg(test)]
mod tests;
