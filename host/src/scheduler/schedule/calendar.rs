//! Times of a calendar, and the rule that says which instants they are.
//!
//! The calendar knows nothing of time zones; the library walks it as if every day had 24 hours. What the clocks of a zone
//! do to it is decided here, by the rule of cronie and Cronos. A fixed time that the clock skips is due at the first
//! instant after the gap, and one that it shows twice is due the first time. Schedules with `*` or a step in the hour
//! or minute follow the clock as it is: nothing is due in a gap, and what comes twice is due twice.

use std::sync::Arc;

use croner::Cron;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Days and times of day, to the minute.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    /// What is in any of them.
    patterns: Vec<Arc<Cron>>,
    follows_clock: bool,
}

/// A time at which something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// When.
    pub time: Timestamp,
    /// What the clocks did to it.
    pub shift: Shift,
}

/// What the clocks did to a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Nothing.
    None,
    /// They never showed this time, so it is due when they go on.
    Skipped(DateTime),
    /// They show it twice, and it is due the first time only.
    Once,
    /// They show it twice; this is the first time.
    First,
    /// They show it twice; this is the second time.
    Second,
}

impl Calendar {
    pub(super) fn new(patterns: Vec<Arc<Cron>>, follows_clock: bool) -> Self {
        Self {
            patterns,
            follows_clock,
        }
    }

    /// The first time after `after` in `zone`, or `None` if there is none before the end of time.
    pub(super) fn next_after(&self, zone: &TimeZone, after: Timestamp) -> Option<Occurrence> {
        if self.follows_clock {
            self.next_shown(zone, after)
        } else {
            self.next_fixed(zone, after)
        }
    }

    /// The next fixed time. Times of the calendar become instants in the same order, so the first one that comes after
    /// `after` is it.
    fn next_fixed(&self, zone: &TimeZone, after: Timestamp) -> Option<Occurrence> {
        let mut civil = zone.to_datetime(after);
        loop {
            civil = self.next_civil(civil, false)?;
            let offsets = zone.to_ambiguous_timestamp(civil);
            let (time, shift) = match offsets.offset() {
                AmbiguousOffset::Unambiguous { offset } => {
                    (offset.to_timestamp(civil).ok()?, Shift::None)
                }
                AmbiguousOffset::Fold { before, .. } => {
                    (before.to_timestamp(civil).ok()?, Shift::Once)
                }
                AmbiguousOffset::Gap { after, .. } => {
                    // With the offset after the gap, the time lies before the gap.
                    let before = after.to_timestamp(civil).ok()?;
                    let end = zone.following(before).next()?.timestamp();
                    (end, Shift::Skipped(civil))
                }
            };
            if time > after {
                return Some(Occurrence { time, shift });
            }
        }
    }

    /// The next time that the clock shows, looked for from one change of the clock to the next.
    fn next_shown(&self, zone: &TimeZone, after: Timestamp) -> Option<Occurrence> {
        let (mut from, mut inclusive) = (after, false);
        loop {
            let offset = zone.to_offset(from);
            let change = zone.following(from).next().map(|change| change.timestamp());
            let civil = self.next_civil(offset.to_datetime(from), inclusive)?;
            let time = offset.to_timestamp(civil).ok();
            match (time, change) {
                (Some(time), change) if change.is_none_or(|change| time < change) => {
                    let shift = shown(zone, civil, time);
                    return Some(Occurrence { time, shift });
                }
                (_, Some(change)) => (from, inclusive) = (change, true),
                (_, None) => return None,
            }
        }
    }

    fn next_civil(&self, from: DateTime, inclusive: bool) -> Option<DateTime> {
        // The library works in whole seconds.
        let whole = from - SignedDuration::from_nanos(from.subsec_nanosecond().into());
        let inclusive = inclusive && whole == from;
        let next = |pattern: &Arc<Cron>| pattern.find_next_occurrence(&whole, inclusive).ok();
        self.patterns.iter().filter_map(next).min()
    }
}

/// Which of two times that the clock shows as `civil` this one is.
fn shown(zone: &TimeZone, civil: DateTime, time: Timestamp) -> Shift {
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Fold { before, .. } if before.to_timestamp(civil).ok() == Some(time) => {
            Shift::First
        }
        AmbiguousOffset::Fold { .. } => Shift::Second,
        _ => Shift::None,
    }
}
