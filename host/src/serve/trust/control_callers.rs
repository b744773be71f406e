//! Who calls the control plane, by a bearer token, and the exchange of an outside token for one of the host's own.
//!
//! Of the host's own issuer only access tokens are taken. Service accounts have no keys of their own, so what one signed
//! itself is refused. Outside issuers' tokens are judged as those of callers of functions are.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use host_tokens::{
    ControlCaller, EmailAddress, FETCH_TIME, Jws, LONGEST_LIFETIME, MintError, Refusal, Rejected,
    Rejection, SteadyClock, Trust, Verified,
};

use super::board::{TrustBoard, WorkerTrust};
use super::token_counters::TokenCounters;
use crate::identity::{
    AccessTokenHolder, AdvisedRejection, ExchangeAnswer, ExchangeError, ExchangeErrorCode,
    ExchangeRequest, OwnIssuer, OwnIssuerError,
};
use crate::serve::published::Published;
use crate::store::Store;

/// Tells who calls the control plane.
pub(crate) struct ControlCallers {
    trust: Arc<Published<Trust>>,
    counters: Arc<TokenCounters>,
    clock: SteadyClock,
    /// For outside tokens, beside the audiences that their issuer's settings name.
    audiences: Arc<[String]>,
}

/// Why a caller of the control plane is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ControlRefusal {
    pub(crate) reason: ControlReason,
    /// For the operator.
    pub(crate) why: String,
}

/// The reason in general, which the caller may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ControlReason {
    /// An ID token of the host's own issuer.
    OwnIdToken,
    /// A JWT that a service account is said to have signed itself.
    SelfSigned,
    /// There are no keys to check it with.
    KeysUnavailable,
    /// Anything else. What it is would help whoever forges tokens.
    Refused,
}

impl Display for ControlReason {
    /// For the caller.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnIdToken => {
                "an ID token does not open the control plane; send an access token: \
                 `host auth print-access-token`"
            }
            Self::SelfSigned => {
                "service accounts of this host have no keys to sign tokens with; send an access token: \
                 `host auth print-access-token`"
            }
            Self::KeysUnavailable => {
                "the token cannot be checked now, since there are no keys of its issuer; try again later"
            }
            Self::Refused => "the token is refused; `host auth explain` says why, and so does the host itself with `--log-level debug`",
        })
    }
}

impl ControlCallers {
    /// With the audiences of the control plane, which are its URLs.
    pub(in crate::serve) fn new(
        board: &TrustBoard,
        clock: SteadyClock,
        audiences: impl Into<Arc<[String]>>,
    ) -> Self {
        let WorkerTrust { trust, counters } = board.of_control_plane();
        Self {
            trust,
            counters,
            clock,
            audiences: audiences.into(),
        }
    }

    /// Tells who calls with `token`. Keys that are on their way are waited for within `patience`.
    ///
    /// # Errors
    /// If the token is refused.
    pub(crate) async fn judge(
        &self,
        token: &str,
        patience: Duration,
    ) -> Result<ControlCaller, ControlRefusal> {
        let judge = |trust: &Trust, now| trust.judge_control_plane(token, &self.audiences, now);
        let verdict = self.judge_by(judge, patience).await;
        verdict.map_err(|rejected| self.refused(token, &rejected))
    }

    /// Exchanges the token of an outside issuer for an access token of `issuer`, whose keys are in `store`.
    ///
    /// # Errors
    /// If the token is refused or no token can be made.
    pub(crate) async fn exchange(
        &self,
        request: &ExchangeRequest,
        (issuer, store): (&OwnIssuer, &Arc<Store>),
        patience: Duration,
    ) -> Result<ExchangeAnswer, ExchangeError> {
        let caller = self.subject(&request.subject_token, patience).await?;
        let (issuer, store, now) = (issuer.clone(), Arc::clone(store), self.clock.now().time);
        let made = tokio::task::spawn_blocking(move || {
            let holder = AccessTokenHolder::Outside(&caller);
            issuer.access_token(&store, holder, LONGEST_LIFETIME, now)
        });
        let made = match made.await {
            Ok(made) => made.map_err(not_made)?,
            Err(error) => return Err(server_error(&error)),
        };
        Ok(ExchangeAnswer {
            access_token: made.token,
            lifetime: made.lifetime,
        })
    }

    /// Whom a token stands for that is to be exchanged.
    async fn subject(&self, token: &str, patience: Duration) -> Result<Verified, ExchangeError> {
        let judge = |trust: &Trust, now| trust.judge(token, &self.audiences, now);
        let verdict = self.judge_by(judge, patience).await;
        let caller = verdict.map_err(|rejected| {
            let ControlRefusal { reason, why } = self.refused(token, &rejected);
            tracing::debug!("a token is not exchanged: {why}");
            match reason {
                ControlReason::KeysUnavailable => ExchangeError::new(
                    ExchangeErrorCode::TemporarilyUnavailable,
                    reason.to_string(),
                ),
                _ => invalid_grant(ControlReason::Refused.to_string()),
            }
        })?;
        match caller.service_account {
            None => Ok(caller),
            Some(_) => Err(invalid_grant(MintError::NotOutside.to_string())),
        }
    }

    /// Judges now and, if newer keys could change the verdict, once more when they are there.
    async fn judge_by<T>(
        &self,
        judge: impl Fn(&Trust, SystemTime) -> Result<T, Rejected>,
        patience: Duration,
    ) -> Result<T, Rejected> {
        let trust = self.trust.current();
        let verdict = judge(&trust, self.clock.now().time);
        let Err(Rejected {
            rejection,
            issuer: Some(issuer),
        }) = &verdict
        else {
            return verdict;
        };
        let request = trust.key_request(issuer.issuer());
        let Some(request) = request.filter(|_| rejection.wants_newer_keys()) else {
            return verdict;
        };
        request.newer_keys(patience.min(FETCH_TIME)).await;
        let newer = self.trust.current();
        if newer.generation() == trust.generation() {
            return verdict;
        }
        judge(&newer, self.clock.now().time)
    }

    fn refused(&self, token: &str, rejected: &Rejected) -> ControlRefusal {
        let Rejected { rejection, issuer } = rejected;
        let issuer = issuer.as_ref().map(|config| config.issuer());
        self.counters.count(issuer, rejection.code());
        let reason = match rejection {
            Rejection::Refused(Refusal::IdToken) => ControlReason::OwnIdToken,
            Rejection::Refused(Refusal::UnknownIssuer(_)) if is_self_signed(token) => {
                ControlReason::SelfSigned
            }
            Rejection::NoKeys(_) => ControlReason::KeysUnavailable,
            _ => ControlReason::Refused,
        };
        let why = match reason {
            ControlReason::SelfSigned => reason.to_string(),
            _ => AdvisedRejection(rejection).to_string(),
        };
        ControlRefusal {
            reason,
            why: format!("the token is refused ({}): {why}", rejection.code()),
        }
    }
}

/// Whether the issuer that it names is an address, as in what a service account of Google's signs itself.
fn is_self_signed(token: &str) -> bool {
    let read = Jws::read(token);
    read.is_ok_and(|read| {
        let issuer = read.unverified_issuer();
        issuer.is_ok_and(|issuer| issuer.parse::<EmailAddress>().is_ok())
    })
}

fn not_made(error: OwnIssuerError) -> ExchangeError {
    match error {
        OwnIssuerError::Mint(
            error @ (MintError::NotOutside
            | MintError::LongOutside(_)
            | MintError::ExchangedExpires),
        ) => invalid_grant(error.to_string()),
        error => server_error(&error),
    }
}

fn invalid_grant(description: String) -> ExchangeError {
    ExchangeError::new(ExchangeErrorCode::InvalidGrant, description)
}

fn server_error(error: &dyn Display) -> ExchangeError {
    tracing::error!("a token cannot be exchanged: {error}");
    ExchangeError::new(
        ExchangeErrorCode::ServerError,
        "no token can be made now; the log of the host says why",
    )
}

#[cfg(test)]
mod tests;
