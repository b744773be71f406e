//! What is counted of a function, on each worker by itself.
//!
//! A worker counts in memory that no other worker writes to; who asks adds the workers up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use host_sandbox::Failure;
use host_sandbox::execution::Ended;

/// Upper bounds of a histogram's buckets, in microseconds; one more bucket has what is above.
pub(in crate::serve) const BOUNDS: [u64; 16] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 10_000_000, 60_000_000,
];

/// How an execution can end: the values of the label `outcome`.
pub(in crate::serve) const OUTCOMES: [&str; 9] = [
    "success",
    "client_error",
    "server_error",
    "timeout",
    "out_of_memory",
    "crash",
    "load_error",
    "connection_error",
    "error",
];

/// Why a request may get no execution: the values of the label `reason`.
pub(in crate::serve) const REASONS: [&str; 8] = [
    "no_token",
    "bad_credentials",
    "unauthenticated",
    "permission_denied",
    "keys_unavailable",
    "body_too_large",
    "busy",
    "draining",
];

/// Why a request got no execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Reason {
    NoToken,
    BadCredentials,
    Unauthenticated,
    PermissionDenied,
    KeysUnavailable,
    BodyTooLarge,
    Busy,
    Draining,
}

impl Reason {
    /// The word for it in labels and in the log.
    pub(in crate::serve) fn word(self) -> &'static str {
        REASONS[self as usize]
    }

    /// The status that the caller gets.
    pub(in crate::serve) fn status(self) -> StatusCode {
        match self {
            Self::BadCredentials => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::KeysUnavailable | Self::Busy | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What a caller with a token is told of it (RFC 6750, section 3.1).
    pub(in crate::serve) fn challenge(self) -> Option<&'static str> {
        match self {
            Self::NoToken => Some("Bearer realm=\"host\""),
            Self::BadCredentials => Some("Bearer error=\"invalid_request\""),
            Self::Unauthenticated => Some("Bearer error=\"invalid_token\""),
            Self::PermissionDenied => Some("Bearer error=\"insufficient_scope\""),
            Self::KeysUnavailable | Self::BodyTooLarge | Self::Busy | Self::Draining => None,
        }
    }
}

/// Counts of one function on one worker. Aligned so that no two workers write to one cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(in crate::serve) struct Counters {
    started: AtomicU64,
    ended: [AtomicU64; OUTCOMES.len()],
    refused: [AtomicU64; REASONS.len()],
    durations: Times,
    instantiations: Times,
    overruns: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

#[derive(Debug, Default)]
struct Times {
    nanoseconds: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
}

/// What the workers counted of one function, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Totals {
    /// Executions under way.
    pub(in crate::serve) running: u64,
    /// Executions that ended, by outcome.
    pub(in crate::serve) ended: [u64; OUTCOMES.len()],
    /// Requests that got none, by reason.
    pub(in crate::serve) refused: [u64; REASONS.len()],
    pub(in crate::serve) durations: Histogram,
    pub(in crate::serve) instantiations: Histogram,
    /// Turns that lasted too long.
    pub(in crate::serve) overruns: u64,
    /// Bytes of request bodies.
    pub(in crate::serve) received: u64,
    /// Bytes of response bodies.
    pub(in crate::serve) sent: u64,
}

/// Times by how long they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Histogram {
    /// All of them together.
    pub(in crate::serve) sum: Duration,
    /// How many are within each of [`BOUNDS`] and not within the one before, and how many above all.
    pub(in crate::serve) buckets: [u64; BOUNDS.len() + 1],
}

impl Counters {
    pub(in crate::serve) fn started(&self) {
        add(&self.started, 1);
    }

    pub(in crate::serve) fn ended(&self, ended: &Ended) {
        let usage = &ended.usage;
        add(&self.ended[outcome(ended)], 1);
        self.durations.add(usage.wall);
        if let Some(time) = usage.instantiation {
            self.instantiations.add(time);
        }
        add(&self.overruns, usage.overruns);
        add(&self.received, usage.received);
        add(&self.sent, usage.sent);
    }

    pub(in crate::serve) fn refused(&self, reason: Reason) {
        add(&self.refused[reason as usize], 1);
    }

    /// Adds what was counted here to `totals`.
    pub(in crate::serve) fn add_to(&self, totals: &mut Totals) {
        // Read before those that started, so that there are never more of them.
        let before: u64 = self.ended.iter().map(get).sum();
        totals.running += get(&self.started).saturating_sub(before);
        add_all(&self.ended, &mut totals.ended);
        add_all(&self.refused, &mut totals.refused);
        self.durations.add_to(&mut totals.durations);
        self.instantiations.add_to(&mut totals.instantiations);
        totals.overruns += get(&self.overruns);
        totals.received += get(&self.received);
        totals.sent += get(&self.sent);
    }
}

impl Times {
    fn add(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        add(&self.nanoseconds, nanoseconds);
        let bucket = BOUNDS.partition_point(|bound| bound * 1_000 < nanoseconds);
        add(&self.buckets[bucket], 1);
    }

    fn add_to(&self, histogram: &mut Histogram) {
        histogram.sum += Duration::from_nanos(get(&self.nanoseconds));
        add_all(&self.buckets, &mut histogram.buckets);
    }
}

fn outcome(ended: &Ended) -> usize {
    let word = match (&ended.failure, ended.status) {
        (Some(failure), _) => failure_outcome(failure),
        (None, Some(status)) => status_outcome(status),
        (None, None) => "error",
    };
    let known = OUTCOMES.iter().position(|outcome| *outcome == word);
    known.unwrap_or(OUTCOMES.len() - 1)
}

fn failure_outcome(failure: &Failure) -> &'static str {
    match failure.word() {
        "out of memory" => "out_of_memory",
        "load error" => "load_error",
        "connection error" => "connection_error",
        word => word,
    }
}

fn status_outcome(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400..=499 => "client_error",
        500.. => "server_error",
        _ => "success",
    }
}

/// Only one thread adds, most of the time; the others read.
fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn add_all(counters: &[AtomicU64], totals: &mut [u64]) {
    for (total, counter) in totals.iter_mut().zip(counters) {
        *total += get(counter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_sandbox::Usage;

    fn ended(status: Option<u16>, failure: Option<Failure>, wall: Duration) -> Ended {
        Ended {
            status: status.map(|status| StatusCode::from_u16(status).unwrap()),
            failure,
            usage: Usage {
                wall,
                overruns: 1,
                received: 10,
                sent: 100,
                ..Usage::default()
            },
            lines: Vec::new(),
        }
    }

    fn totals(counters: &Counters) -> Totals {
        let mut totals = Totals::default();
        counters.add_to(&mut totals);
        totals
    }

    #[test]
    fn each_way_to_end_has_a_count_of_its_own() {
        let ways = [
            (Some(200), None, "success"),
            (Some(404), None, "client_error"),
            (Some(500), None, "server_error"),
            (None, Some(Failure::Timeout(Duration::ZERO)), "timeout"),
            (None, Some(Failure::Exit(1)), "crash"),
            (None, Some(Failure::Start(String::new())), "load_error"),
            (Some(200), Some(Failure::Disconnected), "connection_error"),
            (None, Some(Failure::NoResponse), "error"),
        ];
        for (status, failure, outcome) in ways {
            let counters = Counters::default();
            counters.started();
            assert_eq!(totals(&counters).running, 1);
            counters.ended(&ended(status, failure, Duration::ZERO));
            let totals = totals(&counters);
            let index = OUTCOMES.iter().position(|name| *name == outcome).unwrap();
            assert_eq!((totals.running, totals.ended[index]), (0, 1), "{outcome}");
            let others = (totals.overruns, totals.received, totals.sent);
            assert_eq!(others, (1, 10, 100));
        }
    }

    #[test]
    fn a_time_is_in_the_first_bucket_that_takes_it() {
        let counters = Counters::default();
        for microseconds in [1, 50, 51, 60_000_000, 60_000_001] {
            let wall = Duration::from_micros(microseconds);
            counters.ended(&ended(Some(200), None, wall));
        }
        let durations = totals(&counters).durations;
        assert_eq!(durations.sum, Duration::from_micros(120_000_103));
        assert_eq!(durations.buckets[..3], [2, 1, 0]);
        assert_eq!(durations.buckets[15..], [1, 1]);
    }

    #[test]
    fn workers_are_added_up() {
        let workers = [Counters::default(), Counters::default()];
        let mut totals = Totals::default();
        for worker in &workers {
            worker.refused(Reason::Busy);
            worker.add_to(&mut totals);
        }
        assert_eq!(totals.refused, [0, 0, 0, 0, 0, 0, 2, 0]);
    }
}
