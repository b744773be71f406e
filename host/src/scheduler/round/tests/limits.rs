//! Targets that hang, beside others.

use std::collections::BTreeSet;

use super::killed::Scratch;
use super::*;

/// Plays rounds until nothing more begins, and tells what began.
fn begin_all(world: &World, limits: &mut AttemptLimits, ended: &[Ended]) -> Vec<Start> {
    let mut begun = Vec::new();
    let mut ended = ended;
    loop {
        let round =
            play(&world.store, ended, right(world.now), limits).expect("memory does not fail");
        let has_more = round.has_more;
        begun.extend(round.starts);
        ended = &[];
        if !has_more {
            return begun;
        }
    }
}

fn to(starts: &[Start], uri: &str) -> usize {
    let is_to = |start: &&Start| start.job.target.uri.to_string().starts_with(uri);
    starts.iter().filter(is_to).count()
}

#[test]
fn a_target_that_hangs_takes_its_share_and_all_others_begin_at_once() {
    let world = World::new("2026-11-24T10:30:00Z");
    for number in 0..3_000 {
        world.create(&format!("a-{number}"), "0 * * * *", "Etc/UTC", |job| {
            job.uri = format!("http://hangs/?{number}");
        });
    }
    for number in 0..300 {
        world.create(&format!("z-{number}"), "0 * * * *", "Etc/UTC", |job| {
            job.uri = format!("http://other/{number}");
        });
    }
    let mut world = world;
    world.now = at("2026-11-24T11:00:00Z");
    let mut limits = AttemptLimits::new(4_096);
    let begun = begin_all(&world, &mut limits, &[]);
    assert_eq!(
        (to(&begun, "http://hangs/"), to(&begun, "http://other/")),
        (2_048, 300)
    );
    // Nothing is looked at again until an attempt ends.
    let next = world.store.next_job_times(world.now);
    assert_eq!(next.expect("memory does not fail").attempt, None);
    // As permits come free, all the others have their turn, each once.
    let mut names: BTreeSet<_> = begun.iter().map(|start| start.name.clone()).collect();
    let mut going = begun;
    while !going.is_empty() {
        let over: Vec<_> = going.drain(..going.len().min(400)).collect();
        let over: Vec<_> = over
            .iter()
            .map(|start| ended(start, OK, world.now))
            .collect();
        over.iter().for_each(|ended| limits.release(&ended.permit));
        let begun = begin_all(&world, &mut limits, &over);
        assert!(begun.iter().all(|start| names.insert(start.name.clone())));
        going.extend(begun);
    }
    assert_eq!((names.len(), limits.free()), (3_300, 4_096));
}

#[test]
fn what_waits_for_a_permit_gets_one_after_a_restart_and_after_a_change_of_its_target() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.uri = "http://hangs/job".into();
    });
    for _ in 0..300 {
        let asked = world.store.request_run(&name("job"), world.now);
        asked.expect("it is there");
    }
    let mut limits = AttemptLimits::new(4_096);
    assert_eq!(begin_all(&world, &mut limits, &[]).len(), 256);
    assert_eq!(begin_all(&world, &mut limits, &[]).len(), 0);
    world.restart();
    let mut limits = AttemptLimits::new(4_096);
    assert_eq!(begin_all(&world, &mut limits, &[]).len(), 256);
    world.now += seconds(1);
    let change = |settings| {
        Ok(JobSettings {
            uri: "http://other/".into(),
            ..settings
        })
    };
    edit::update(&world.store, &name("job"), world.now, change).expect("it is a job");
    let mut limits = AttemptLimits::new(4_096);
    assert_eq!(begin_all(&world, &mut limits, &[]).len(), 44);
}

#[test]
fn what_waits_for_a_permit_gets_one_after_a_round_that_failed() {
    let scratch = Scratch::new();
    let world = World::new("2026-11-24T10:30:00Z").within(&scratch);
    let world = world.with("0 * * * *", |_| {});
    for _ in 0..33 {
        let asked = world.store.request_run(&name("job"), world.now);
        asked.expect("it is there");
    }
    // One more than the smallest share of a server.
    let mut limits = AttemptLimits::new(40);
    let begun = begin_all(&world, &mut limits, &[]);
    assert_eq!(begun.len(), 32);
    let over: Vec<_> = begun
        .iter()
        .map(|start| ended(start, OK, world.now))
        .collect();
    over.iter().for_each(|ended| limits.release(&ended.permit));
    scratch.write(
        "CREATE TRIGGER refuse BEFORE INSERT ON job_attempts BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    play(&world.store, &over, right(world.now), &mut limits)
        .expect_err("no attempt can be written");
    assert_eq!(limits.free(), 40);
    scratch.write("DROP TRIGGER refuse");
    assert_eq!(begin_all(&world, &mut limits, &over).len(), 1);
}

#[test]
fn those_behind_ten_thousand_runs_that_cannot_begin_have_their_turn() {
    let world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    let ask = |job, number| {
        let now = world.now - SignedDuration::from_millis(number);
        let asked = world.store.request_run(&name(job), now);
        asked.expect("it is there");
    };
    (0..10_500).for_each(|number| ask("job", number));
    world.create("other", "0 * * * *", "Etc/UTC", |_| {});
    ask("other", 0);
    let mut limits = AttemptLimits::new(4_096);
    let begun = begin_all(&world, &mut limits, &[]);
    let others = begun.iter().filter(|start| start.name == name("other"));
    assert_eq!((begun.len(), others.count()), (257, 1));
}

#[test]
fn a_permit_that_comes_free_during_a_pass_is_taken_by_a_run_that_the_pass_has_left_behind() {
    let world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {});
    world.create("other", "0 * * * *", "Etc/UTC", |_| {});
    let ask = |job, runs| {
        for number in 0..runs {
            let now = world.now - SignedDuration::from_millis(number);
            let asked = world.store.request_run(&name(job), now);
            asked.expect("it is there");
        }
    };
    ask("job", 257);
    ask("other", 10_500);
    let mut limits = AttemptLimits::new(4_096);
    let round = play(&world.store, &[], right(world.now), &mut limits);
    let round = round.expect("memory does not fail");
    assert_eq!((round.starts.len(), round.has_more), (512, true));
    let over = ended(&round.starts[0], OK, world.now);
    assert_eq!(round.starts[0].name, name("job"));
    limits.release(&over.permit);
    let begun = begin_all(&world, &mut limits, &[over]);
    let names: Vec<_> = begun.into_iter().map(|start| start.name).collect();
    assert_eq!(names, [name("job")]);
}

#[test]
fn runs_that_are_made_during_a_pass_have_their_turn_wherever_they_stand() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("1 * * * *", |_| {});
    for number in 0..BATCH {
        world.create(&format!("job-{number}"), "0 * * * *", "Etc/UTC", |job| {
            (job.catch_up, job.overlap) = (CatchUp::All, Overlap::Allow);
        });
    }
    let mut limits = AttemptLimits::new(usize::MAX);
    assert_eq!(begin_all(&world, &mut limits, &[]).len(), 0);
    world.now = at("2026-11-24T12:30:00Z");
    // The first job, whose time came later, is caught up in the second round, as of the same moment.
    let begun = begin_all(&world, &mut limits, &[]);
    let firsts = begun.iter().filter(|start| start.name == name("job"));
    assert_eq!((begun.len(), firsts.count()), (2 * BATCH + 1, 1));
}

#[test]
fn after_a_round_that_could_not_be_committed_the_next_one_begins_anew() {
    let scratch = Scratch::new();
    let world = World::new("2026-11-24T10:30:00Z").within(&scratch);
    for number in 0..5 {
        world.create(&format!("job-{number}"), "0 * * * *", "Etc/UTC", |_| {});
    }
    scratch.write(
        "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 250)
         INSERT INTO job_runs (job, scheduled, trigger, state, next_attempt)
         SELECT id, number, 'manual', 'waiting', 0 FROM jobs, numbers;
         CREATE TABLE refused (job REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER refuse AFTER INSERT ON job_attempts BEGIN INSERT INTO refused VALUES (-1); END",
    );
    let mut limits = AttemptLimits::new(4_096);
    play(&world.store, &[], right(world.now), &mut limits).expect_err("it cannot be committed");
    scratch.write("DROP TRIGGER refuse");
    assert_eq!(begin_all(&world, &mut limits, &[]).len(), 1_250);
}
