//! The clock is set by a little, or for a moment in which a command is given.

use super::*;

/// A job whose run of eleven goes on past noon, and a clock that is set back by two seconds ten minutes after noon, when nobody
/// had looked at it since.
fn set_back_a_little_after_noon(overlap: Overlap, catch_up: CatchUp) -> Sim {
    let mut sim = Sim::new("0 * * * *", |job| {
        (job.overlap, job.catch_up) = (overlap, catch_up);
    });
    sim.lasts = 5_000;
    sim.go_on(90 * MINUTE);
    sim.passed += 10 * MINUTE;
    sim.set(-2);
    sim.go_on(HOUR);
    sim
}

#[test]
fn a_run_whose_time_the_clock_shows_waits_on_when_the_clock_is_set_back_a_little() {
    for catch_up in CATCH_UPS {
        let sim = set_back_a_little_after_noon(Overlap::Queue, catch_up);
        let noon = at("2026-11-24T12:00:00Z");
        assert!(sim.firsts().contains_key(&noon), "{catch_up:?}");
        let run = sim.world.store.job_run(&name("job"), noon);
        let run = run.expect("it is a job").expect("it is there");
        assert_eq!(run.trigger, Trigger::Schedule, "{catch_up:?}");
    }
}

#[test]
fn a_run_that_was_skipped_stays_so_when_the_clock_is_set_back_a_little() {
    for catch_up in CATCH_UPS {
        let sim = set_back_a_little_after_noon(Overlap::Skip, catch_up);
        let noon = at("2026-11-24T12:00:00Z");
        assert!(!sim.firsts().contains_key(&noon), "{catch_up:?}");
        let run = sim.world.store.job_run(&name("job"), noon);
        let run = run.expect("it is a job").expect("it is there");
        assert_eq!(run.state, RunState::Skipped, "{catch_up:?}");
    }
}

#[test]
fn what_a_command_passed_over_by_a_clock_that_was_ahead_for_a_moment_is_run() {
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
