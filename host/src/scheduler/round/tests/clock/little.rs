//! The clock is set back by a little, long after anybody has looked at it.

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
