//! The host ends at any moment, again and again.

use super::killed::Scratch;
use super::*;

const JOBS: i64 = 5;
const BEGIN: &str = "2026-11-24T10:00:00Z";

/// Numbers that look random and are the same in each run (Lehmer's generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0 % sides
    }

    fn seconds(&mut self, most: u64) -> SignedDuration {
        seconds(self.roll(most + 1) as i64)
    }
}

/// Runs that have come to an end: history is bounded, so they are noted whenever somebody looks.
#[derive(Default)]
struct Seen(BTreeMap<RunKey, RunState>);

impl Seen {
    fn look(&mut self, world: &World) {
        for job in 1..=JOBS {
            let runs = world.store.job_runs(&name(&format!("job-{job}")), 1_000);
            for run in runs.expect("it is there") {
                let scheduled = run.scheduled;
                if run.state.is_final() {
                    self.0.insert(RunKey { job, scheduled }, run.state);
                }
            }
        }
    }
}

/// Minutely jobs that catch up all.
fn world(overlap: Overlap) -> World {
    let world = World::new(BEGIN);
    for number in 1..=JOBS {
        world.create(&format!("job-{number}"), "* * * * *", "Etc/UTC", |job| {
            job.overlap = overlap;
            job.catch_up = CatchUp::All;
            job.max_retry_attempts = 1;
            job.min_backoff = 1_000;
        });
    }
    world
}

/// A while of ordinary life: rounds, and attempts that end or go on.
fn live(world: &mut World, dice: &mut Dice) {
    for _ in 0..dice.roll(4) {
        world.now += dice.seconds(50);
        world.round(world.now, &[]);
        if dice.roll(3) > 0 {
            world.end(if dice.roll(4) == 0 { "INTERNAL" } else { OK });
        }
    }
}

/// A crash, and a start some time later: what was under way is forgotten, what was written is not.
fn crash(world: &mut World, dice: &mut Dice) {
    world.now += dice.seconds(40);
    world.restart();
}

#[test]
fn two_hundred_crashes_lose_no_due_time_and_record_none_twice() {
    for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Allow] {
        let mut world = world(overlap);
        let mut dice = Dice(20_261_124);
        let mut seen = Seen::default();
        for _ in 0..200 {
            live(&mut world, &mut dice);
            crash(&mut world, &mut dice);
            seen.look(&world);
        }
        let minutes = world.now.duration_since(at(BEGIN)).as_secs() / 60;
        // All that is left comes to its end.
        while world.round(world.now, &[]) > 0 || !world.going.is_empty() {
            world.end(OK);
            seen.look(&world);
        }
        for job in 1..=JOBS {
            for minute in 1..=minutes {
                let scheduled = at(BEGIN) + seconds(minute * 60);
                let state = seen.0.get(&RunKey { job, scheduled });
                assert!(
                    state.is_some(),
                    "{overlap:?}: {scheduled} of job {job} is lost"
                );
            }
        }
        assert_eq!(seen.0.len() as i64, minutes * JOBS);
    }
}

#[test]
fn an_attempt_that_a_crash_cut_short_is_made_again_and_does_not_count_as_a_retry() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    world.next();
    world.going.clear();
    world.now += seconds(90);
    let interrupted = recover(&world.store, world.now);
    let interrupted = interrupted.expect("memory does not fail").interrupted;
    assert_eq!(interrupted, 1);
    assert_eq!(world.round(world.now, &[]), 1);
    assert_eq!(world.going[0].number, 2);
    world.end(OK);
    let run = &world.runs()[0];
    assert_eq!(run.state, RunState::Succeeded);
    let ends = run.attempts.iter().flat_map(|attempt| &attempt.end);
    let codes: Vec<_> = ends.map(|end| end.code.as_str()).collect();
    assert_eq!(codes, [ABORTED, OK]);
}

#[test]
fn a_job_comes_even_if_the_host_starts_anew_more_often_than_it_is_due() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    let mut begun = 0;
    for _ in 0..30 {
        world.now += seconds(7 * 60);
        world.restart();
        begun += world.round(world.now, &[]);
        world.end(OK);
    }
    assert_eq!(begun, 4);
}

#[test]
fn new_rules_of_a_zone_are_taken_up_at_the_next_start() {
    let scratch = Scratch::new();
    let mut world = World::new("2026-11-24T10:30:00Z").within(&scratch);
    world.create("job", "0 * * * *", "Etc/UTC", |_| {});
    world.round(world.now, &[]);
    // As an older database would have had it.
    let late = at("2026-11-24T11:30:00Z").as_microsecond();
    scratch.write(&format!(
        "UPDATE jobs SET next_due = {late}, next_look = {late}"
    ));
    world.restart();
    assert_eq!(world.next(), Some(1));
    assert_eq!(world.now, at("2026-11-24T11:00:00Z"));
}

#[test]
fn a_command_that_returned_is_carried_out_after_a_crash() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.overlap = Overlap::Queue;
        job.max_retry_attempts = 3;
    });
    world.next();
    world.next();
    // The run of eleven is under way and that of noon waits. No round is played after the commands.
    let asked = world.store.request_run(&name("job"), world.now);
    edit::pause(&world.store, &name("job"), world.now).expect("it is enabled");
    world.restart();
    assert_eq!(world.round(world.now, &[]), 1);
    assert_eq!(world.going[0].run.scheduled, asked.expect("it is there"));
    world.end(OK);
    let states: Vec<_> = world.runs().into_iter().map(|run| run.state).collect();
    let expected = [RunState::Failed, RunState::Skipped, RunState::Succeeded];
    assert_eq!(states, expected);
    assert_eq!(world.next(), None);
    edit::resume(&world.store, &name("job"), world.now).expect("it is paused");
    world.restart();
    world.next();
    assert_eq!(world.now, at("2026-11-24T13:00:00Z"));
}
