//! The clock is set: forward, back, for good and for a moment, whatever the job does meanwhile.
//!
//! The rule: a clock that was set is believed after a minute. One that has gone forward is then like downtime. One that has gone
//! back lowers what is decided to now, and no run is made twice of a due time that history has. Waits are as long as they are.

mod sim;

use super::*;
use sim::{Begun, Sim, reading};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// How often a scheduler looks at the clock at least, here.
const TICK: i64 = 5;
const BEGIN: &str = "2026-11-24T10:30:00Z";

/// All that the clock is set by.
const STEPS: [i64; 4] = [HOUR, -HOUR, DAY, -DAY];
const OVERLAPS: [Overlap; 3] = [Overlap::Skip, Overlap::Queue, Overlap::Allow];
const CATCH_UPS: [CatchUp; 3] = [CatchUp::Last, CatchUp::None, CatchUp::All];

/// How long it takes until a clock that was set is believed, here.
const HOLD: i64 = MINUTE + TICK;

#[test]
fn a_step_at_any_moment_loses_no_due_time_and_runs_none_twice() {
    // In sleep, just before a due time, in an attempt, in a backoff, and after all of it.
    for moment in [900, 1_797, 1_810, 1_830, 2_400] {
        for step in STEPS {
            for overlap in OVERLAPS {
                for catch_up in CATCH_UPS {
                    let mut sim = Sim::new("0 * * * *", |job| {
                        (job.overlap, job.catch_up) = (overlap, catch_up);
                        job.max_retry_attempts = 1;
                        job.min_backoff = 60_000;
                    });
                    sim.fail = 1;
                    sim.go_on(moment);
                    sim.set(step);
                    sim.go_on(HOLD);
                    let (right, wrong) = (reading(sim.passed, 0).wall, sim.shown());
                    sim.go_on(DAY + 3 * HOUR);
                    let firsts = sim.firsts();
                    sim.assert_waits(60);
                    let what = format!("{moment} {step} {overlap:?} {catch_up:?}");
                    for time in due_times(HOUR, wrong.min(at(BEGIN)), sim.shown()) {
                        let is_known = firsts.contains_key(&time) || sim.seen.contains_key(&time);
                        assert!(is_known, "{what}: {time} is lost");
                        if time > wrong.max(right) + seconds(HOUR) {
                            assert!(firsts.contains_key(&time), "{what}: {time} did not begin");
                        }
                    }
                }
            }
        }
    }
}

/// The due times of a schedule that comes every `every` seconds, after `begin` and up to `end`.
fn due_times(every: i64, begin: Timestamp, end: Timestamp) -> Vec<Timestamp> {
    let first = (begin.as_second() / every + 1) * every;
    let times = (first..=end.as_second()).step_by(every as usize);
    times
        .map(|second| Timestamp::from_second(second).expect("it is a time"))
        .collect()
}

#[test]
fn a_clock_that_is_wrong_for_less_than_a_minute_changes_nothing() {
    for moment in [900, 1_790, 1_810, 1_830] {
        for (step, wrong) in STEPS
            .into_iter()
            .flat_map(|step| [5, 25, 55].map(|wrong| (step, wrong)))
        {
            let mut sim = Sim::new("0 * * * *", |job| {
                job.max_retry_attempts = 1;
                job.min_backoff = 60_000;
            });
            sim.fail = 1;
            sim.go_on(moment);
            sim.set(step);
            sim.go_on(wrong);
            sim.set(-step);
            sim.go_on(DAY + 3 * HOUR);
            sim.assert_on_time(&due_times(HOUR, at(BEGIN), sim.shown()));
            assert!(sim.begun.iter().all(|begun| begun.scheduled > at(BEGIN)));
            sim.assert_waits(60);
            assert!(sim.seen.values().all(|state| *state == RunState::Succeeded));
        }
    }
}

#[test]
fn what_a_command_says_by_a_clock_that_is_ahead_for_a_moment_passes_nothing_over() {
    // Before a job has been due, and after.
    for moment in [1_790, 1_790 + HOUR] {
        let mut sim = Sim::new("0 * * * *", |_| {});
        sim.go_on(moment);
        sim.set(HOUR);
        let change = |settings| {
            Ok(JobSettings {
                description: "other".into(),
                ..settings
            })
        };
        let updated = edit::update(&sim.world.store, &name("job"), sim.shown(), change);
        updated.expect("it is a job");
        sim.go_on(15);
        sim.set(-HOUR);
        sim.go_on(3 * HOUR);
        sim.assert_on_time(&due_times(HOUR, at(BEGIN), sim.shown()));
    }
}

#[test]
fn what_a_command_says_by_a_clock_that_is_behind_for_a_moment_catches_up_nothing() {
    // Just before the job is due, and after.
    for moment in [1_790, 2_100] {
        let mut sim = Sim::new("0 * * * *", |_| {});
        sim.go_on(60);
        edit::pause(&sim.world.store, &name("job"), sim.shown()).expect("it is enabled");
        sim.go_on(moment);
        sim.set(-HOUR);
        let right = reading(sim.passed, 0).wall;
        edit::resume(&sim.world.store, &name("job"), sim.shown()).expect("it is paused");
        sim.world.now = sim.shown();
        sim.world.create("new", "0 * * * *", "Etc/UTC", |_| {});
        sim.go_on(15);
        sim.set(HOUR);
        sim.go_on(3 * HOUR);
        let mut begun: Vec<_> = sim.begun.iter().map(|begun| begun.scheduled).collect();
        begun.sort();
        // Of both jobs.
        let times = due_times(HOUR, right, sim.shown());
        let times: Vec<_> = times.into_iter().flat_map(|time| [time; 2]).collect();
        assert_eq!(begun, times);
    }
}

#[test]
fn a_clock_that_is_ahead_for_longer_than_a_minute_is_like_downtime() {
    for (catch_up, expected) in [(CatchUp::Last, 1), (CatchUp::None, 0), (CatchUp::All, 24)] {
        let mut sim = Sim::new("0 * * * *", |job| job.catch_up = catch_up);
        sim.go_on(900);
        sim.set(DAY);
        sim.go_on(14 * MINUTE);
        assert_eq!(sim.begun.len(), expected, "{catch_up:?}");
        let missed = sim.seen.values();
        let missed = missed.filter(|state| **state == RunState::Missed).count();
        assert_eq!(missed, 24 - expected, "{catch_up:?}");
    }
}

#[test]
fn what_a_clock_that_was_ahead_for_longer_passed_over_is_run_when_it_comes() {
    for ahead in [HOUR, DAY] {
        for overlap in OVERLAPS {
            for catch_up in CATCH_UPS {
                ahead_for_longer("0 * * * *", HOUR, ahead, overlap, catch_up);
            }
        }
    }
    for catch_up in CATCH_UPS {
        ahead_for_longer("* * * * *", MINUTE, DAY, Overlap::Skip, catch_up);
    }
}

/// Has the clock be `ahead` for ten minutes. Whatever did not begin by it has to begin by the clock that is right, once that
/// is believed.
fn ahead_for_longer(schedule: &str, every: i64, ahead: i64, overlap: Overlap, catch_up: CatchUp) {
    let mut sim = Sim::new(schedule, |job| {
        (job.overlap, job.catch_up) = (overlap, catch_up);
    });
    sim.is_watched = false;
    sim.go_on(900);
    sim.set(ahead);
    sim.go_on(10 * MINUTE);
    sim.set(-ahead);
    sim.go_on(HOLD);
    let (early, right) = (sim.begun.clone(), sim.shown());
    sim.go_on(DAY + 2 * HOUR);
    let mut times = due_times(every, right, sim.shown());
    times.retain(|time| early.iter().all(|begun| begun.scheduled != *time));
    sim.assert_on_time(&times);
    // One who wants all of them caught up gets so many of them by the clock that was wrong.
    let is_enough = times.len() as i64 > DAY / every - 20 || catch_up == CatchUp::All;
    assert!(is_enough, "{schedule} {ahead} {overlap:?} {catch_up:?}");
}

#[test]
fn of_times_that_are_shown_again_history_refuses_those_that_it_has_and_the_others_are_run() {
    let mut sim = Sim::new("* * * * *", |_| {});
    sim.is_watched = false;
    sim.go_on(200 * MINUTE);
    let before = sim.begun.len();
    assert_eq!(before, 200);
    sim.set(-200 * MINUTE);
    sim.go_on(HOLD);
    let (known, shown) = (sim.begun.len(), sim.shown());
    sim.go_on(205 * MINUTE);
    let is_again = |begun: &Begun| {
        let mut earlier = sim.begun[..known].iter();
        earlier.any(|other| other.scheduled == begun.scheduled)
    };
    let again: Vec<_> = sim.begun[known..]
        .iter()
        .copied()
        .filter(is_again)
        .collect();
    // All but the latest hundred.
    let forgotten = at(BEGIN) + seconds(100 * MINUTE);
    assert!(again.iter().all(|begun| begun.scheduled <= forgotten));
    let expected = due_times(MINUTE, shown, forgotten).len();
    assert_eq!(again.len(), expected);
}

#[test]
fn a_job_that_was_created_while_the_clock_was_ahead_runs_when_it_is_right() {
    let mut sim = Sim::new("0 * * * *", |_| {});
    sim.go_on(60);
    sim.set(DAY);
    sim.go_on(120);
    sim.world
        .store
        .delete_job(&name("job"))
        .expect("it is there");
    sim.under_way.clear();
    sim.begun.clear();
    sim.world.now = sim.shown();
    sim.world.create("job", "0 * * * *", "Etc/UTC", |_| {});
    sim.go_on(2 * HOUR);
    let early: Vec<_> = sim.begun.iter().map(|begun| begun.scheduled).collect();
    sim.set(-DAY);
    sim.go_on(HOLD);
    let right = sim.shown();
    sim.go_on(2 * DAY);
    let mut times = due_times(HOUR, right, sim.shown());
    times.retain(|time| !early.contains(time));
    assert!(times.len() >= 44, "{}", times.len());
    sim.assert_on_time(&times);
}

#[test]
fn a_clock_that_went_back_while_no_host_served_is_believed_a_minute_after_the_start() {
    let mut sim = Sim::new("0 * * * *", |_| {});
    sim.go_on(5 * HOUR);
    sim.off -= DAY;
    sim.restart();
    sim.go_on(MINUTE - TICK);
    let next = sim.world.store.job(&name("job")).expect("it is there");
    assert!(next.next_due > Some(at(BEGIN)), "{next:?}");
    sim.go_on(2 * TICK);
    let right = sim.shown();
    sim.go_on(DAY);
    let firsts = sim.firsts();
    let times = due_times(HOUR, right, sim.shown());
    assert!(times.iter().all(|time| firsts.contains_key(time)));
}

#[test]
fn steps_and_crashes_in_any_order_lose_nothing_and_run_nothing_twice() {
    let mut dice = 20_261_126_u64;
    let mut roll = |sides: u64| {
        dice = dice * 48_271 % 0x7fff_ffff;
        dice % sides
    };
    for overlap in OVERLAPS {
        for catch_up in CATCH_UPS {
            let mut sim = Sim::new("0 * * * *", |job| {
                (job.overlap, job.catch_up) = (overlap, catch_up);
                job.max_retry_attempts = 2;
            });
            sim.fail = 1;
            for _ in 0..60 {
                sim.go_on(roll(6 * HOUR as u64) as i64);
                // Never back by more than history has.
                match roll(4) {
                    0 => sim.restart(),
                    1 => sim.set(DAY),
                    2 => sim.set(-HOUR),
                    _ => sim.set(roll(7_200) as i64 - HOUR),
                }
            }
            sim.go_on(3 * HOUR);
            let firsts = sim.firsts();
            for time in due_times(HOUR, at(BEGIN), sim.shown()) {
                let is_known = firsts.contains_key(&time) || sim.seen.contains_key(&time);
                assert!(is_known, "{overlap:?} {catch_up:?}: {time} is lost");
            }
        }
    }
}

#[test]
fn a_run_that_waits_for_another_does_not_begin_before_its_time_when_the_clock_is_set_back() {
    let mut sim = Sim::new("0 * * * *", |job| job.overlap = Overlap::Queue);
    sim.lasts = 4_100;
    // The one of noon waits, and the one before it ends just after the clock is believed.
    sim.go_on(5_795);
    sim.set(-2 * HOUR);
    sim.go_on(4 * HOUR);
    let noon = at("2026-11-24T12:00:00Z");
    let begun = sim.firsts()[&noon];
    assert!(begun.now.duration_since(noon) <= seconds(TICK), "{begun:?}");
}

#[test]
fn a_run_whose_time_the_clock_shows_is_as_it_was_when_the_clock_is_set_back_a_little() {
    let noon = at("2026-11-24T12:00:00Z");
    for (overlap, expected) in [
        (Overlap::Queue, RunState::Succeeded),
        (Overlap::Skip, RunState::Skipped),
    ] {
        let mut sim = Sim::new("0 * * * *", |job| job.overlap = overlap);
        sim.lasts = 5_000;
        sim.go_on(90 * MINUTE);
        // Nobody looks at the clock until ten minutes after noon.
        sim.passed += 10 * MINUTE;
        sim.set(-2);
        sim.go_on(3 * HOUR);
        let run = sim.world.store.job_run(&name("job"), noon);
        let run = run.expect("it is a job").expect("it is there");
        assert_eq!((run.state, run.trigger), (expected, Trigger::Schedule));
    }
}
