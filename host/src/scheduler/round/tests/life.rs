//! Single jobs, step by step.

use std::collections::HashSet;

use super::killed::Scratch;
use super::*;
use RunState::{Failed, Missed, Running, Skipped, Succeeded, Waiting};

fn ledger(expected: &[(&str, RunState)]) -> Vec<(String, RunState)> {
    let expected = expected.iter();
    expected
        .map(|(time, state)| ((*time).to_owned(), *state))
        .collect()
}

#[test]
fn a_run_is_written_down_before_its_attempt_begins() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    assert_eq!(world.next(), Some(1));
    assert_eq!(world.now, at("2026-11-24T11:00:00Z"));
    assert_eq!(world.ledger(), ledger(&[("11:00", Running)]));
    let attempts = &world.runs()[0].attempts;
    assert_eq!((attempts.len(), attempts[0].number), (1, 1));
    assert_eq!(attempts[0].end, None);
    world.end(OK);
    assert_eq!(world.ledger(), ledger(&[("11:00", Succeeded)]));
}

#[test]
fn a_failure_is_tried_again_after_the_backoff_and_then_given_up() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.max_retry_attempts = 2;
        job.min_backoff = 10_000;
    });
    world.next();
    for (number, wait) in [(2, 10), (3, 20)] {
        let before = world.now;
        world.end("INTERNAL");
        assert_eq!(world.next(), Some(1));
        assert_eq!(world.now, before + seconds(wait));
        assert_eq!(world.going[0].number, number);
    }
    world.end("INTERNAL");
    let run = &world.runs()[0];
    assert_eq!((run.state, run.attempts.len()), (Failed, 3));
    assert_eq!(run.reason.as_deref(), Some("it was INTERNAL"));
    assert_eq!(world.outcomes, [Failed]);
}

#[test]
fn a_due_time_that_comes_while_a_run_is_going_is_skipped_with_the_reason() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    world.next();
    assert_eq!(world.next(), Some(0));
    let expected = [("11:00", Running), ("12:00", Skipped)];
    assert_eq!(world.ledger(), ledger(&expected));
    let reason = world.runs()[1].reason.clone();
    assert_eq!(reason.as_deref(), Some("a run was still going"));
    world.end(OK);
    assert_eq!(world.next(), Some(1));
}

#[test]
fn a_run_between_two_attempts_is_still_going() {
    let mut world = World::new("2026-11-24T10:59:30Z").with("* * * * *", |job| {
        job.max_retry_attempts = 1;
        job.min_backoff = 90_000;
    });
    world.next();
    world.end("INTERNAL");
    assert_eq!(world.next(), Some(0));
    assert_eq!(world.next(), Some(1));
    world.end(OK);
    let expected = [("11:00", Succeeded), ("11:01", Skipped)];
    assert_eq!(world.ledger(), ledger(&expected));
}

#[test]
fn a_queue_keeps_one_waiting() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.overlap = Overlap::Queue;
    });
    for _ in 0..3 {
        world.next();
    }
    let expected = [("11:00", Running), ("12:00", Waiting), ("13:00", Skipped)];
    assert_eq!(world.ledger(), ledger(&expected));
    world.end(OK);
    let expected = [("11:00", Succeeded), ("12:00", Running), ("13:00", Skipped)];
    assert_eq!(world.ledger(), ledger(&expected));
}

#[test]
fn what_may_overlap_does() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.overlap = Overlap::Allow;
    });
    for _ in 0..3 {
        assert_eq!(world.next(), Some(1));
    }
    let expected = [("11:00", Running), ("12:00", Running), ("13:00", Running)];
    assert_eq!(world.ledger(), ledger(&expected));
}

#[test]
fn after_downtime_the_latest_missed_time_is_run_once() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    assert_eq!(world.round(at("2026-11-24T13:20:00Z"), &[]), 1);
    let expected = [("11:00", Missed), ("12:00", Missed), ("13:00", Running)];
    assert_eq!(world.ledger(), ledger(&expected));
    assert_eq!(world.runs()[2].trigger, Trigger::CatchUp);
    world.end(OK);
    assert_eq!(world.next(), Some(1));
    assert_eq!(world.now, at("2026-11-24T14:00:00Z"));
}

#[test]
fn who_wants_all_gets_them_one_after_the_other() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.catch_up = CatchUp::All;
    });
    assert_eq!(world.round(at("2026-11-24T13:20:00Z"), &[]), 1);
    let expected = [("11:00", Running), ("12:00", Waiting), ("13:00", Waiting)];
    assert_eq!(world.ledger(), ledger(&expected));
    for _ in 0..3 {
        world.end(OK);
    }
    let expected = [
        ("11:00", Succeeded),
        ("12:00", Succeeded),
        ("13:00", Succeeded),
    ];
    assert_eq!(world.ledger(), ledger(&expected));
}

#[test]
fn all_are_a_hundred_at_most_after_however_long() {
    let mut world = World::new("2026-01-01T00:00:30Z").with("* * * * *", |job| {
        job.catch_up = CatchUp::All;
    });
    world.round(at("2026-11-24T13:20:40Z"), &[]);
    // And one that says that there were more.
    let runs = world.runs();
    assert_eq!((runs.len(), runs[0].state), (101, Missed));
    let reason = runs[0].reason.as_deref().unwrap_or_default();
    let first = "all before, from 2026-01-01T00:01:00Z on";
    assert!(reason.ends_with(first), "{reason}");
    let mut count = 0;
    while !world.going.is_empty() {
        count += world.going.len();
        world.end(OK);
    }
    assert_eq!(count, 100);
}

#[test]
fn who_wants_none_gets_none() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.catch_up = CatchUp::None;
    });
    assert_eq!(world.round(at("2026-11-24T12:20:00Z"), &[]), 0);
    let expected = [("11:00", Missed), ("12:00", Missed)];
    assert_eq!(world.ledger(), ledger(&expected));
    assert_eq!(world.next(), Some(1));
}

#[test]
fn a_clock_that_is_set_forward_by_an_hour_or_a_day_is_downtime() {
    for hours in [1, 24] {
        let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
        let now = world.now + SignedDuration::from_hours(hours);
        assert_eq!(world.round(now, &[]), 1);
        assert_eq!(world.runs().len() as i64, hours);
    }
}

#[test]
fn a_clock_that_is_set_back_by_an_hour_or_a_day_runs_nothing_twice_and_stops_nothing() {
    // From 12:00 there are 14:00 and 15:00 to come, from 13:00 of the day before 21 hours more.
    for (hours, expected) in [(1, 2), (24, 23)] {
        let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
        for _ in 0..3 {
            world.next();
            world.end(OK);
        }
        world.set_clock(-SignedDuration::from_hours(hours));
        let mut times = HashSet::new();
        while world.now < at("2026-11-24T15:00:00Z") {
            if world.next() == Some(1) {
                assert!(times.insert(world.now));
                world.end(OK);
            }
        }
        let done = [11, 12, 13].map(|hour| at(&format!("2026-11-24T{hour}:00:00Z")));
        assert!(done.iter().all(|time| !times.contains(time)), "{times:?}");
        assert_eq!(times.len(), expected);
    }
}

#[test]
fn nothing_is_caught_up_after_a_pause() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    edit::pause(&world.store, &name("job"), world.now).expect("it is enabled");
    assert_eq!(world.next(), None);
    world.now = at("2026-11-24T15:30:00Z");
    edit::resume(&world.store, &name("job"), world.now).expect("it is paused");
    assert_eq!(world.round(world.now, &[]), 0);
    assert_eq!(world.next(), Some(1));
    assert_eq!(world.ledger(), ledger(&[("16:00", Running)]));
}

#[test]
fn a_run_that_was_asked_for_begins_whatever_is_going() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    world.next();
    let time = world.now + seconds(5);
    let ask = |world: &World| world.store.request_run(&name("job"), time);
    let (asked, again) = (ask(&world), ask(&world));
    assert_ne!(asked.expect("it is there"), again.expect("it is there"));
    assert_eq!(world.round(time, &[]), 2);
    assert_eq!(world.runs().len(), 3);
    assert_eq!(world.runs()[1].trigger, Trigger::Manual);
}

#[test]
fn a_job_that_is_deleted_while_it_runs_leaves_nothing() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    world.next();
    world.store.delete_job(&name("job")).expect("it is there");
    world.create("job", "0 * * * *", "Etc/UTC", |_| {});
    world.end("INTERNAL");
    assert_eq!(world.runs(), []);
    assert_eq!(world.outcomes, []);
}

#[test]
fn history_is_kept_to_a_bound() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("* * * * *", |_| {});
    for _ in 0..250 {
        world.next();
        world.end(OK);
    }
    let runs = world.runs();
    assert_eq!(runs.len(), 100);
    assert_eq!(runs[99].scheduled, world.now);
    // Those that were skipped count as well, and what is going is always kept.
    for _ in 0..250 {
        world.next();
    }
    let runs = world.runs();
    assert_eq!(runs.len(), 101);
    assert_eq!(runs[0].state, Running);
}

#[test]
fn no_more_attempts_begin_than_there_are_permits_and_the_others_are_not_lost() {
    let world = World::new("2026-11-24T10:30:00Z");
    for number in 0..10 {
        world.create(&format!("job-{number}"), "0 * * * *", "Etc/UTC", |_| {});
    }
    let now = at("2026-11-24T11:00:00Z");
    let mut begun = Vec::new();
    for expected in [4, 4, 2] {
        let mut limits = AttemptLimits::new(4);
        let round = play(&world.store, &[], right(now), &mut limits).expect("memory does not fail");
        assert_eq!(round.starts.len(), expected);
        begun.extend(round.starts.into_iter().map(|start| start.name));
    }
    begun.sort();
    begun.dedup();
    assert_eq!(begun.len(), 10);
}

#[test]
fn a_schedule_years_away_holds() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 0 29 2 *", |_| {});
    world.next();
    assert_eq!(world.now, at("2028-02-29T00:00:00Z"));
    world.end(OK);
    world.next();
    assert_eq!(world.now, at("2032-02-29T00:00:00Z"));
}

#[test]
fn a_job_that_cannot_run_is_told_of_at_the_start_and_goes_on_once_it_can() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    world.change(|job| job.time_zone = "Mars/Olympus".into());
    // Long before the job is due.
    let mut limits = AttemptLimits::new(BATCH);
    let round =
        play(&world.store, &[], right(world.now), &mut limits).expect("memory does not fail");
    assert_eq!(round.unreadable.len(), 1);
    assert!(round.unreadable[0].reason.contains("Mars/Olympus"));
    assert!(round.starts.is_empty());
    edit::update(&world.store, &name("job"), world.now, |settings| {
        Ok(JobSettings {
            time_zone: "Etc/UTC".into(),
            ..settings
        })
    })
    .expect("it is a job again");
    world.next();
    assert_eq!(world.now, at("2026-11-24T11:00:00Z"));
}

#[test]
fn a_due_time_at_which_a_job_could_not_run_is_missed_and_says_why() {
    let scratch = Scratch::new();
    let mut world = World::new("2026-11-24T10:30:00Z").within(&scratch);
    world.create("job", "0 * * * *", "Etc/UTC", |_| {});
    world.round(world.now, &[]);
    // As when its zone goes out of the database.
    scratch.write("UPDATE jobs SET settings = replace(settings, 'Etc/UTC', 'Mars/Olympus')");
    let mut limits = AttemptLimits::new(BATCH);
    for (now, is_looked_at) in [
        ("2026-11-24T11:00:05Z", true),
        ("2026-11-24T11:30:00Z", false),
        // Later it is looked at again, which is no due time.
        ("2026-11-24T12:00:05Z", true),
    ] {
        let round = play(&world.store, &[], right(at(now)), &mut limits).expect("there is space");
        assert_eq!(round.unreadable.len(), usize::from(is_looked_at), "{now}");
    }
    assert_eq!(world.ledger(), [("11:00".to_owned(), Missed)]);
    let reason = world.runs()[0].reason.clone();
    assert!(reason.is_some_and(|reason| reason.contains("Mars/Olympus")));
    // What was due meanwhile is not caught up once it can run again.
    scratch.write("UPDATE jobs SET settings = replace(settings, 'Mars/Olympus', 'Etc/UTC')");
    world.now = at("2026-11-24T12:40:00Z");
    world.restart();
    assert_eq!(world.next(), Some(1));
    assert_eq!(world.now, at("2026-11-24T13:00:00Z"));
}

#[test]
fn a_run_without_its_job_keeps_no_other_from_running() {
    let scratch = Scratch::new();
    let mut world = World::new("2026-11-24T10:30:00Z").within(&scratch);
    world.create("job", "0 * * * *", "Etc/UTC", |_| {});
    scratch.write(
        "PRAGMA foreign_keys = off;
         INSERT INTO job_runs (job, scheduled, trigger, state, next_attempt) VALUES (99, 1, 'schedule', 'waiting', 0)",
    );
    assert_eq!(world.next(), Some(1));
    // Its attempt ends after the job is gone behind the host's back.
    scratch.write("PRAGMA foreign_keys = off; DELETE FROM jobs");
    world.end(OK);
}
