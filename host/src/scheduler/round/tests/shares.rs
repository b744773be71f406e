//! Targets that hang, beside others.

use std::collections::BTreeSet;

use super::killed::Scratch;
use super::*;

/// Plays rounds until nothing more begins, and tells what began.
fn begin_all(world: &World, places: &mut Places, ended: &[Ended]) -> Vec<Start> {
    let mut begun = Vec::new();
    let mut ended = ended;
    loop {
        let round = play(&world.store, ended, world.now, places).expect("memory does not fail");
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
    let mut places = Places::new(4_096);
    let begun = begin_all(&world, &mut places, &[]);
    assert_eq!(
        (to(&begun, "http://hangs/"), to(&begun, "http://other/")),
        (1_024, 300)
    );
    // Nothing is looked at again until there is a place.
    let next = world.store.next_job_times().expect("memory does not fail");
    assert_eq!(next.attempt, None);
    // As places come free, all the others have their turn, each once.
    let mut names: BTreeSet<_> = begun.iter().map(|start| start.name.clone()).collect();
    let mut going = begun;
    while !going.is_empty() {
        let over: Vec<_> = going.drain(..going.len().min(400)).collect();
        let over: Vec<_> = over
            .iter()
            .map(|start| ended(start, OK, world.now))
            .collect();
        over.iter()
            .for_each(|ended| places.give_back(&ended.keepers));
        let begun = begin_all(&world, &mut places, &over);
        assert!(begun.iter().all(|start| names.insert(start.name.clone())));
        going.extend(begun);
    }
    assert_eq!((names.len(), places.free()), (3_300, 4_096));
}

#[test]
fn what_waits_for_a_place_has_one_after_a_restart_and_after_a_change_of_its_target() {
    let mut world = World::new("2026-11-24T10:30:00Z").with("0 * * * *", |job| {
        job.uri = "http://hangs/job".into();
    });
    for _ in 0..300 {
        let asked = world.store.request_run(&name("job"), world.now);
        asked.expect("it is there");
    }
    let mut places = Places::new(4_096);
    assert_eq!(begin_all(&world, &mut places, &[]).len(), 256);
    assert_eq!(begin_all(&world, &mut places, &[]).len(), 0);
    recover(&world.store, world.now).expect("memory does not fail");
    let mut places = Places::new(4_096);
    assert_eq!(begin_all(&world, &mut places, &[]).len(), 256);
    world.now += seconds(1);
    let change = |settings| {
        Ok(JobSettings {
            uri: "http://other/".into(),
            ..settings
        })
    };
    edit::update(&world.store, &name("job"), world.now, change).expect("it is a job");
    let mut places = Places::new(4_096);
    assert_eq!(begin_all(&world, &mut places, &[]).len(), 44);
}

#[test]
fn what_waits_for_a_place_has_one_after_a_round_that_failed() {
    let directory = format!("host-shares-{}", std::process::id());
    let scratch = Scratch(std::env::temp_dir().join(directory));
    let world = World {
        store: Store::open(&scratch.0).expect("there is room"),
        ..World::new("2026-11-24T10:30:00Z")
    };
    let world = world.with("0 * * * *", |_| {});
    for _ in 0..17 {
        let asked = world.store.request_run(&name("job"), world.now);
        asked.expect("it is there");
    }
    // One more than the smallest share.
    let mut places = Places::new(17);
    let begun = begin_all(&world, &mut places, &[]);
    assert_eq!(begun.len(), 16);
    let over: Vec<_> = begun
        .iter()
        .map(|start| ended(start, OK, world.now))
        .collect();
    over.iter()
        .for_each(|ended| places.give_back(&ended.keepers));
    let database = rusqlite::Connection::open(scratch.0.join("host.db")).expect("it is there");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON job_attempts
                  BEGIN SELECT RAISE(ABORT, 'no'); END";
    database.execute_batch(refuse).expect("it can be made");
    play(&world.store, &over, world.now, &mut places).expect_err("no attempt can be written");
    let allow = database.execute_batch("DROP TRIGGER refuse");
    allow.expect("it is there");
    assert_eq!(begin_all(&world, &mut places, &over).len(), 1);
}
