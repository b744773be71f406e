//! Why instances are let go of.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why an instance answers no further request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retired {
    /// Its last request failed or was given up: a trap, an exit, a time-out, a client that went away.
    Failed,
    /// It returned without a response, or with one that is not valid.
    NoResponse,
    /// It let go of a body that it had not finished.
    Body,
    /// It kept a handle: a request, a response, a body, a timer, an outbound call.
    Handles,
    /// It keeps more memory or tables than it may.
    Memory,
    /// It has answered as many requests as it may.
    Requests,
    /// It is as old as it may be.
    Age,
    /// It was idle for as long as it may be.
    Idle,
    /// The component's instances hang at a second request.
    Unfit,
    /// As many as may lie idle already.
    Surplus,
    /// What it held was needed by others.
    Evicted,
}

impl Retired {
    const ALL: [Self; 11] = [
        Self::Failed,
        Self::NoResponse,
        Self::Body,
        Self::Handles,
        Self::Memory,
        Self::Requests,
        Self::Age,
        Self::Idle,
        Self::Unfit,
        Self::Surplus,
        Self::Evicted,
    ];

    /// One word for it, as for a label of a metric.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NoResponse => "no_response",
            Self::Body => "body",
            Self::Handles => "handles",
            Self::Memory => "memory",
            Self::Requests => "requests",
            Self::Age => "age",
            Self::Idle => "idle",
            Self::Unfit => "unfit",
            Self::Surplus => "surplus",
            Self::Evicted => "evicted",
        }
    }
}

/// Counts instances by why they were let go of.
#[derive(Default)]
pub(super) struct Counts([AtomicU64; Retired::ALL.len()]);

impl Counts {
    pub(super) fn note(&self, retired: Retired) {
        self.0[retired as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> Vec<(Retired, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        Retired::ALL.into_iter().zip(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_count_of_its_own() {
        let counts = Counts::default();
        for (times, retired) in Retired::ALL.into_iter().enumerate() {
            (0..times).for_each(|_| counts.note(retired));
        }
        for (times, (retired, count)) in counts.all().into_iter().enumerate() {
            assert_eq!((retired, count), (Retired::ALL[times], times as u64));
        }
    }
}
