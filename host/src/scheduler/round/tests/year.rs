//! A year of five hundred jobs, through changes of the clocks, against a clock that is read minute by minute.
//!
//! The reference knows the jobs as numbers, not as text, and none of the scheduler's code; of the library it knows what the
//! clocks of a zone show at an instant.

use std::collections::{BTreeSet, HashSet};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::*;

const ZONES: [&str; 5] = [
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/New_York",
    "Etc/UTC",
];
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A schedule as the reference knows it.
struct Plan {
    text: String,
    minute: i8,
    hours: Vec<i8>,
    /// Days of the month and of the week, 0 for Sunday: any of either will do. All, if there are none.
    days: Vec<i8>,
    weekdays: Vec<i8>,
    /// Whether it is due at fixed times, and does not follow the clock.
    is_fixed: bool,
}

/// The schedule of job `number`, of which a fifth follow the clock.
fn plan(number: usize) -> Plan {
    let (minute, hour) = ((number * 7 % 60) as i8, (number % 24) as i8);
    let night = (number % 4) as i8;
    let fixed = |text: String, minute: i8, hours: Vec<i8>| Plan {
        text,
        minute,
        hours,
        days: Vec::new(),
        weekdays: Vec::new(),
        is_fixed: true,
    };
    match number % 5 {
        0 => Plan {
            weekdays: vec![0, 4, 5],
            is_fixed: false,
            ..fixed(
                format!("{minute} */6 * * 0,4,5"),
                minute,
                vec![0, 6, 12, 18],
            )
        },
        1 => fixed(format!("{minute} {hour} * * *"), minute, vec![hour]),
        2 => {
            let weekday = (number % 7) as i8;
            Plan {
                weekdays: vec![weekday],
                ..fixed(format!("30 {night} * * {weekday}"), 30, vec![night])
            }
        }
        3 => {
            let (day, weekdays) = match number % 3 {
                0 => ("sunday", vec![0]),
                1 => ("friday", vec![5]),
                _ => ("day", Vec::new()),
            };
            Plan {
                weekdays,
                ..fixed(format!("every {day} 0{night}:15"), 15, vec![night])
            }
        }
        _ => Plan {
            days: [1, 5].into_iter().chain(24..=31).collect(),
            ..fixed(
                format!("{minute} 0-3 1,5,24-31 * *"),
                minute,
                vec![0, 1, 2, 3],
            )
        },
    }
}

impl Plan {
    /// Whether a clock that shows `civil` shows one of its times.
    fn is_shown(&self, civil: DateTime) -> bool {
        let weekday = civil.weekday().to_sunday_zero_offset();
        let is_any_day = self.days.is_empty() && self.weekdays.is_empty();
        let is_day = self.days.contains(&civil.day()) || self.weekdays.contains(&weekday);
        civil.minute() == self.minute
            && self.hours.contains(&civil.hour())
            && (is_any_day || is_day)
    }
}

/// When each of `plans` is due in `zone` between `begin` and `end`, both whole minutes.
fn reference(
    plans: &[(usize, Plan)],
    zone: &TimeZone,
    begin: Timestamp,
    end: Timestamp,
) -> BTreeSet<(Timestamp, usize)> {
    let mut due = BTreeSet::new();
    let mut of_minute: [Vec<&(usize, Plan)>; 60] = [const { Vec::new() }; 60];
    for plan in plans {
        of_minute[plan.1.minute as usize].push(plan);
    }
    let mut shown = HashSet::new();
    let mut last = zone.to_datetime(begin);
    let mut time = begin + MINUTE;
    while time < end {
        let civil = zone.to_datetime(time);
        let is_again = shown.contains(&civil);
        for (number, plan) in &of_minute[civil.minute() as usize] {
            if plan.is_shown(civil) && !(plan.is_fixed && is_again) {
                due.insert((time, *number));
            }
        }
        let mut skipped = last + MINUTE;
        while skipped < civil {
            for (number, plan) in &of_minute[skipped.minute() as usize] {
                if plan.is_shown(skipped) && plan.is_fixed {
                    due.insert((time, *number));
                }
            }
            skipped += MINUTE;
        }
        shown.insert(civil);
        last = civil;
        time += MINUTE;
    }
    due
}

#[test]
fn a_year_of_five_hundred_jobs_comes_out_as_the_clocks_show() {
    let (begin, end) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let mut world = World::new("2026-01-01T00:00:00Z");
    let mut plans: [Vec<(usize, Plan)>; ZONES.len()] = Default::default();
    for number in 0..500 {
        let (plan, zone) = (plan(number), number % 7 % 5);
        world.create(&number.to_string(), &plan.text, ZONES[zone], |_| {});
        plans[zone].push((number, plan));
    }
    let mut expected = BTreeSet::new();
    for (plans, zone) in plans.iter().zip(ZONES) {
        let zone = TimeZone::get(zone).expect("there is such a zone");
        expected.extend(reference(plans, &zone, begin, end));
    }
    let mut found = BTreeSet::new();
    world.round(begin, &[]);
    while world.next_due().is_some() && world.now < end {
        for start in &world.going {
            assert_eq!(start.run.scheduled, world.now, "{}", start.name);
            let number = start.name.as_str().parse().expect("it is a number");
            assert!(
                found.insert((world.now, number)),
                "{} runs twice",
                start.name
            );
        }
        world.end(OK);
    }
    assert!(expected.len() > 100_000, "{}", expected.len());
    let differences: Vec<_> = expected.symmetric_difference(&found).take(5).collect();
    assert!(differences.is_empty(), "{differences:?}");
    let succeeded = |outcome: &RunState| *outcome == RunState::Succeeded;
    assert!(world.outcomes.iter().all(succeeded));
}
