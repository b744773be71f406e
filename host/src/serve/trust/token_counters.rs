//! Tokens that were refused, counted per worker by issuer and reason.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use host_tokens::IssuerUrl;

/// The issuer's name, or none if it is not a trusted one; and the reason.
pub(in crate::serve) type Counts = BTreeMap<(Option<IssuerUrl>, &'static str), u64>;

/// Counts of one worker. Issuers are those that are trusted, so their number is bounded, whatever callers send.
#[derive(Debug, Default)]
pub(in crate::serve) struct TokenCounters {
    /// Only the worker comes here, and who adds up.
    counts: Mutex<ByIssuer>,
}

type Reasons = BTreeMap<&'static str, u64>;

#[derive(Debug, Default)]
struct ByIssuer {
    of_nobody: Reasons,
    trusted: HashMap<IssuerUrl, Reasons>,
}

impl TokenCounters {
    /// Counts a refusal. What was counted before costs no allocation.
    pub(in crate::serve) fn count(&self, issuer: Option<&IssuerUrl>, reason: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let ByIssuer { of_nobody, trusted } = &mut *counts;
        let reasons = match issuer {
            None => of_nobody,
            Some(issuer) => match trusted.get_mut(issuer) {
                Some(reasons) => reasons,
                None => trusted.entry(issuer.clone()).or_default(),
            },
        };
        *reasons.entry(reason).or_default() += 1;
    }

    /// Adds what was counted here to `totals`.
    pub(in crate::serve) fn add_to(&self, totals: &mut Counts) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let trusted = counts.trusted.iter();
        let of_issuers = trusted.map(|(issuer, reasons)| (Some(issuer), reasons));
        for (issuer, reasons) in of_issuers.chain([(None, &counts.of_nobody)]) {
            for (reason, count) in reasons {
                *totals.entry((issuer.cloned(), reason)).or_default() += count;
            }
        }
    }
}
