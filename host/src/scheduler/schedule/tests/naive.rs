//! A reference that knows nothing but what a clock shows, minute by minute.

use std::collections::HashSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::schedule;
use crate::scheduler::zones;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// How far around each change of a clock is looked.
const AROUND: SignedDuration = SignedDuration::from_hours(26);

/// What is looked at: fixed times and such as follow the clock, at the hours of changes and others.
const SCHEDULES: [(&str, bool); 8] = [
    ("30 2 * * *", true),
    ("0,15,45 0-3 * * *", true),
    ("59 23 * * *", true),
    ("0 0 1-31 * SUN", true),
    ("0 * * * *", false),
    ("*/20 * * * *", false),
    ("15 1-5/2 * * *", false),
    ("10,40 */3 * * 0-5", false),
];

/// Whether a clock that shows `civil` shows a time of `text`.
fn is_shown(text: &str, civil: DateTime) -> bool {
    let fields: Vec<_> = text.split(' ').collect();
    let weekday = civil.weekday().to_sunday_zero_offset();
    let has = |index: usize, value: i8, most: i8| {
        fields[index].split(',').any(|item| {
            let (range, step) = item.split_once('/').unwrap_or((item, "1"));
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (if index == 2 || index == 3 { 1 } else { 0 }, most),
                Some((first, last)) => (first.parse().unwrap(), last.parse().unwrap()),
                None if range == "SUN" => (0, 0),
                None => (range.parse().unwrap(), range.parse().unwrap()),
            };
            (first..=last).contains(&value) && (value - first) % step.parse::<i8>().unwrap() == 0
        })
    };
    let (day, weekday) = (has(2, civil.day(), 31), has(4, weekday, 6));
    let days = match (fields[2], fields[4]) {
        ("*", _) | (_, "*") => day && weekday,
        _ => day || weekday,
    };
    has(0, civil.minute(), 59) && has(1, civil.hour(), 23) && has(3, civil.month(), 12) && days
}

/// The times of `text` after `from` and up to `to`, both whole minutes.
fn naive(
    text: &str,
    is_fixed: bool,
    zone: &TimeZone,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Timestamp> {
    let mut times = Vec::new();
    let mut seen = HashSet::new();
    // A little earlier, to have seen what comes twice.
    let mut time = from - SignedDuration::from_hours(4);
    let mut last = zone.to_datetime(time);
    while time <= to {
        let civil = zone.to_datetime(time);
        let mut is_due = is_shown(text, civil) && (!is_fixed || !seen.contains(&civil));
        let mut skipped = last + MINUTE;
        while is_fixed && skipped < civil {
            is_due |= is_shown(text, skipped);
            skipped += MINUTE;
        }
        if is_due && time > from {
            times.push(time);
        }
        seen.insert(civil);
        last = civil;
        time += MINUTE;
    }
    times
}

#[test]
fn every_zone_agrees_with_a_clock_that_is_read_minute_by_minute() {
    let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2036-01-01T00:00:00Z".parse().unwrap();
    let mut windows = 0;
    let mut looked_at = HashSet::new();
    for name in zones::names() {
        let Ok(zone) = zones::get(&name) else {
            continue;
        };
        let changes: Vec<Timestamp> = zone
            .following(begin)
            .map(|change| change.timestamp())
            .take_while(|time| *time < end)
            .collect();
        for change in changes {
            let offset = |time| zone.to_offset(time).seconds();
            let shift = (offset(change - MINUTE), offset(change));
            // Zones that share a change share its tests.
            if !looked_at.insert((change, shift)) {
                continue;
            }
            windows += 1;
            let (from, to) = (change - AROUND, change + AROUND);
            for (text, is_fixed) in SCHEDULES {
                let schedule = schedule(text, &name);
                let next = |time: &Timestamp| schedule.next_after(*time);
                let found: Vec<_> = std::iter::successors(next(&from), next)
                    .take_while(|time| *time <= to)
                    .collect();
                assert_eq!(
                    found,
                    naive(text, is_fixed, &zone, from, to),
                    "{text} in {name} around {change}"
                );
            }
        }
    }
    assert!(windows > 300, "only {windows} changes were looked at");
}
