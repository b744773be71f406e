//! How long and for whom a token with a good signature is good, read from its claims once.
//!
//! A token that comes again is judged anew for its time and its audience each time. What its claims say of them does not
//! change, so it is read when the token is first found good, and is compared afterwards.

use std::time::{Duration, SystemTime};

use crate::issuer::config::IssuerConfig;
use crate::judge::refusal::Refusal;
use crate::token::claims::Claims;
use crate::token::numeric_date::NumericDate;

/// When and for whom a token is good, under the settings of its issuer that it was found good by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    /// The first moment at which it is good, and the first at which it is no more.
    from: NumericDate,
    until: NumericDate,
    audiences: Vec<String>,
    /// Whether the issuer's settings name one of its audiences, which makes it one for every function.
    is_for_all: bool,
}

/// The step of dates: the first moment after another.
const STEP: Duration = Duration::from_millis(1);

impl Standing {
    /// Of a token that has passed every check with these settings.
    pub(crate) fn of(config: &IssuerConfig, claims: &Claims) -> Result<Self, Refusal> {
        let expiry = claims.date("exp")?.ok_or(Refusal::Missing("exp"))?;
        let (issued, start) = (claims.date("iat")?, claims.date("nbf")?);
        let starts = [issued, start].into_iter().flatten();
        let starts = starts.map(|start| start.minus(config.leeway));
        // One that tells neither lives from the moment at which it is shown.
        let shown =
            (issued.is_none() && start.is_none()).then(|| expiry.minus(config.max_lifetime));
        let too_old = config.max_age.zip(issued);
        let too_old =
            too_old.map(|(oldest, issued)| issued.plus(oldest).plus(config.leeway).plus(STEP));
        let ends = std::iter::once(expiry.plus(config.leeway)).chain(too_old);
        let audiences = claims.audiences()?;
        Ok(Self {
            from: starts.chain(shown).max().unwrap_or(NumericDate::FIRST),
            until: ends.min().unwrap_or(NumericDate::FIRST),
            is_for_all: audiences
                .iter()
                .any(|audience| is_one_of(audience, &config.audiences)),
            audiences: audiences.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Whether it is good at this moment, for a function that goes by `audiences`. Nothing is allocated.
    pub(crate) fn holds(&self, audiences: &[String], now: SystemTime) -> bool {
        let now = NumericDate::of(now);
        let is_for = |audience: &String| is_one_of(audience, audiences);
        (self.from..self.until).contains(&now)
            && (self.is_for_all || self.audiences.iter().any(is_for))
    }
}

/// Compared byte by byte; an empty one is nobody's.
fn is_one_of(audience: &str, accepted: &[String]) -> bool {
    !audience.is_empty() && accepted.iter().any(|own| own == audience)
}
