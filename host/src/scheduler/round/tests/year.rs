//! A year of five hundred jobs, through changes of the clocks.

use std::collections::BTreeSet;

use super::*;

const ZONES: [&str; 5] = [
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/New_York",
    "Etc/UTC",
];

/// The schedule of job `number`, of which a fifth follow the clock.
fn schedule(number: usize) -> String {
    let (minute, hour) = (number * 7 % 60, number % 24);
    match number % 5 {
        0 => format!("{minute} */6 * * 0,4,5"),
        1 => format!("{minute} {hour} * * *"),
        2 => format!("30 {} * * {}", number % 4, number % 7),
        3 => {
            let day = ["sunday", "friday", "day"][number % 3];
            format!("every {day} 0{}:15", number % 4)
        }
        _ => format!("{minute} 0-3 1,5,24-31 * *"),
    }
}

#[test]
fn a_year_of_five_hundred_jobs_comes_out_as_the_schedules_say() {
    let (begin, end) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let mut world = World::new("2026-01-01T00:00:00Z");
    let mut expected = BTreeSet::new();
    for number in 0..500 {
        let (text, zone) = (schedule(number), ZONES[number % 7 % 5]);
        let job = format!("job-{number}");
        world.create(&job, &text, zone, |_| {});
        let schedule = Schedule::parse(&text, zone).expect("it is a schedule");
        let next = |time: &Timestamp| schedule.next_after(*time);
        let times = std::iter::successors(next(&begin), next).take_while(|time| *time < end);
        expected.extend(times.map(|time| (time, name(&job))));
    }
    let mut found = BTreeSet::new();
    while world.next().is_some() && world.now < end {
        for start in &world.going {
            let run = (start.run.scheduled, start.name.clone());
            assert_eq!(run.0, world.now, "{}", run.1);
            assert!(found.insert(run), "{} runs twice", start.name);
        }
        world.end(OK);
    }
    assert!(expected.len() > 100_000, "{}", expected.len());
    let differences: Vec<_> = expected.symmetric_difference(&found).take(5).collect();
    assert!(differences.is_empty(), "{differences:?}");
    let succeeded = |outcome: &RunState| *outcome == RunState::Succeeded;
    assert!(world.outcomes.iter().all(succeeded));
}
