//! Tokens that were refused, counted per worker by issuer and reason.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::identity::IssuerUrl;

/// The issuer's name, or none if it is not a trusted one; and the reason.
pub(super) type Counts = BTreeMap<(Option<IssuerUrl>, &'static str), u64>;

/// Counts of one worker. Issuers are those that are trusted, so their number is bounded, whatever callers send.
#[derive(Debug, Default)]
pub(super) struct TokenCounters {
    /// Only the worker comes here, and who adds up.
    counts: Mutex<Counts>,
}

impl TokenCounters {
    pub(super) fn count(&self, issuer: Option<IssuerUrl>, reason: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((issuer, reason)).or_default() += 1;
    }

    /// Adds what was counted here to `totals`.
    pub(super) fn add_to(&self, totals: &mut Counts) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, count) in &*counts {
            *totals.entry(key.clone()).or_default() += count;
        }
    }
}
