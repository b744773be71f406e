//! Jobs are changed, paused and resumed while something is due, waits or is under way.

use super::*;
use crate::store::JobDeclaration;
use RunState::{Failed, Missed, Running, Skipped, Succeeded, Waiting};

fn hourly() -> World {
    World::new("2026-11-24T10:30:00Z").with("0 * * * *", |_| {})
}

fn pause(world: &mut World) {
    edit::pause(&world.store, &name("job"), world.now).expect("it is enabled");
    world.round(world.now, &[]);
}

fn resume(world: &mut World) {
    edit::resume(&world.store, &name("job"), world.now).expect("it is paused");
    world.round(world.now, &[]);
}

fn update(world: &mut World, change: impl FnOnce(&mut JobSettings)) {
    let updated = edit::update(&world.store, &name("job"), world.now, |mut settings| {
        change(&mut settings);
        Ok(settings)
    });
    updated.expect("it is a job");
    world.round(world.now, &[]);
}

/// What became of the runs of `job`, oldest first, and why.
fn reasons(world: &World) -> Vec<(String, RunState, String)> {
    let runs = world.runs().into_iter();
    runs.map(|run| {
        let time = run.scheduled.strftime("%H:%M").to_string();
        (time, run.state, run.reason.unwrap_or_default())
    })
    .collect()
}

fn expected(runs: &[(&str, RunState, &str)]) -> Vec<(String, RunState, String)> {
    let runs = runs.iter();
    runs.map(|(time, state, reason)| ((*time).to_owned(), *state, (*reason).to_owned()))
        .collect()
}

const CHANGED: &str = "the job was changed before this run began";
const LATE: &str = "no host served at that time, and the job was changed before one did";

#[test]
fn what_was_due_before_a_change_and_not_taken_up_is_missed_and_counted() {
    let mut world = hourly();
    world.now = at("2026-11-24T13:00:05Z");
    update(&mut world, |job| job.schedule = "30 * * * *".into());
    let runs = [
        ("11:00", Missed, LATE),
        ("12:00", Missed, LATE),
        ("13:00", Missed, CHANGED),
    ];
    assert_eq!(reasons(&world), expected(&runs));
    assert_eq!(world.outcomes, [Missed; 3]);
    assert_eq!(world.round(world.now, &[]), 0);
    world.next();
    assert_eq!(world.now, at("2026-11-24T13:30:00Z"));
}

#[test]
fn a_pause_skips_what_was_due_and_not_taken_up() {
    let mut world = hourly();
    world.now = at("2026-11-24T12:00:05Z");
    pause(&mut world);
    let runs = [
        ("11:00", Missed, LATE),
        ("12:00", Skipped, "the job was paused"),
    ];
    assert_eq!(reasons(&world), expected(&runs));
    assert_eq!(world.outcomes, [Missed, Skipped]);
}

fn declare(world: &World, settings: JobSettings, is_paused: bool) {
    let job = JobDeclaration {
        name: name("job"),
        settings,
        is_paused,
    };
    edit::declare(&world.store, "host.toml", &[job], world.now).expect("it is a job");
}

#[test]
fn a_file_pauses_a_job_and_resumes_it() {
    let mut world = World::new("2026-11-24T10:30:00Z");
    let settings = JobSettings {
        schedule: "0 * * * *".into(),
        uri: "http://127.0.0.1:9/".into(),
        ..JobSettings::default()
    };
    declare(&world, settings.clone(), true);
    assert_eq!(world.next(), None);
    declare(&world, settings.clone(), false);
    world.now = at("2026-11-24T11:00:05Z");
    declare(&world, settings.clone(), true);
    world.round(world.now, &[]);
    assert_eq!(
        reasons(&world),
        expected(&[("11:00", Skipped, "the job was paused")])
    );
    world.now = at("2026-11-24T12:30:00Z");
    // What was due meanwhile is not caught up, whatever else changes.
    let changed = JobSettings {
        description: "changed".into(),
        ..settings
    };
    declare(&world, changed, false);
    world.next();
    assert_eq!(world.now, at("2026-11-24T13:00:00Z"));
}

#[test]
fn a_change_by_a_file_is_one_like_any_other() {
    let mut world = World::new("2026-11-24T10:30:00Z");
    let settings = |schedule: &str| JobSettings {
        schedule: schedule.into(),
        uri: "http://127.0.0.1:9/".into(),
        ..JobSettings::default()
    };
    let declare = |world: &World, schedule| declare(world, settings(schedule), false);
    declare(&world, "0 * * * *");
    world.round(world.now, &[]);
    world.now = at("2026-11-24T11:00:05Z");
    declare(&world, "0 * * * *");
    let record = world.store.job(&name("job")).expect("it is there");
    assert_eq!(record.changed, None);
    declare(&world, "30 * * * *");
    world.round(world.now, &[]);
    assert_eq!(reasons(&world), expected(&[("11:00", Missed, CHANGED)]));
    world.next();
    assert_eq!(world.now, at("2026-11-24T11:30:00Z"));
}

#[test]
fn a_change_that_makes_no_job_changes_nothing() {
    let mut world = hourly();
    world.now = at("2026-11-24T11:00:05Z");
    let refused = edit::update(&world.store, &name("job"), world.now, |settings| {
        Ok(JobSettings {
            schedule: "0 0 30 2 */2".into(),
            ..settings
        })
    });
    let refused = refused.expect_err("it never comes").to_string();
    assert!(refused.contains("it never comes"), "{refused}");
    assert_eq!(world.ledger(), []);
    assert_eq!(world.round(world.now, &[]), 1);
}

#[test]
fn a_run_that_waits_is_skipped_by_a_pause_and_the_attempt_under_way_goes_on() {
    let mut world = hourly();
    world.change(|job| job.overlap = Overlap::Queue);
    world.next();
    world.next();
    pause(&mut world);
    let runs = [
        ("11:00", Running, ""),
        ("12:00", Skipped, "the job was paused"),
    ];
    assert_eq!(reasons(&world), expected(&runs));
    world.end(OK);
    assert_eq!(world.ledger()[0], ("11:00".into(), Succeeded));
    assert_eq!(world.next(), None);
}

#[test]
fn a_run_in_backoff_fails_by_a_pause_with_what_it_failed_of() {
    let mut world = hourly();
    world.change(|job| job.max_retry_attempts = 3);
    world.next();
    world.end("INTERNAL");
    pause(&mut world);
    let reason = "it was INTERNAL; not tried again, for the job was paused";
    assert_eq!(reasons(&world), expected(&[("11:00", Failed, reason)]));
    assert_eq!(world.next(), None);
}

#[test]
fn an_attempt_that_fails_during_a_pause_is_the_last() {
    for code in ["INTERNAL", ABORTED] {
        let mut world = hourly();
        world.change(|job| job.max_retry_attempts = 3);
        world.next();
        pause(&mut world);
        if code == ABORTED {
            // As when the host ends, and another one starts.
            world.restart();
        } else {
            world.end(code);
        }
        let (_, state, reason) = reasons(&world).remove(0);
        assert_eq!(state, Failed);
        assert!(
            reason.ends_with("not tried again, for the job was paused"),
            "{reason}"
        );
        assert_eq!(world.next(), None);
    }
}

#[test]
fn a_pause_is_nothing_to_a_run_that_somebody_asks_for() {
    let mut world = hourly();
    world.change(|job| job.max_retry_attempts = 1);
    pause(&mut world);
    let asked = world.store.request_run(&name("job"), world.now);
    asked.expect("it is there");
    assert_eq!(world.round(world.now, &[]), 1);
    world.end("INTERNAL");
    assert_eq!(world.next(), Some(1));
    world.end(OK);
    assert_eq!(world.runs()[0].state, Succeeded);
}

#[test]
fn a_run_that_waits_is_made_by_the_new_settings() {
    let mut world = hourly();
    world.change(|job| job.overlap = Overlap::Queue);
    world.next();
    world.next();
    assert_eq!(world.ledger()[1].1, Waiting);
    update(&mut world, |job| job.uri = "http://127.0.0.1:10/".into());
    world.end(OK);
    assert_eq!(world.going[0].job.target.uri, "http://127.0.0.1:10/");
}

#[test]
fn what_a_pause_or_a_change_passed_over_is_due_if_the_clock_is_set_back_to_it() {
    let mut world = hourly();
    world.next();
    world.end(OK);
    world.now = at("2026-11-24T11:30:00Z");
    pause(&mut world);
    world.now = at("2026-11-24T14:30:00Z");
    resume(&mut world);
    update(&mut world, |job| job.description = "other".into());
    world.next();
    world.end(OK);
    assert_eq!(world.now, at("2026-11-24T15:00:00Z"));
    world.set_clock(-SignedDuration::from_hours(5));
    let mut times = Vec::new();
    while world.now < at("2026-11-24T17:00:00Z") {
        if world.next() == Some(1) {
            times.push(world.now.strftime("%H").to_string());
        }
        world.end(OK);
    }
    assert_eq!(times, ["12", "13", "14", "16", "17"]);
}

#[test]
fn changes_that_no_host_has_taken_up_are_each_taken_up_as_of_their_time() {
    let mut world = hourly();
    world.round(world.now, &[]);
    let change = |world: &mut World, time: &str| {
        world.now = at(time);
        let updated = edit::update(&world.store, &name("job"), world.now, |mut settings| {
            settings.schedule = settings.schedule.replace("0 *", "30 *");
            Ok(settings)
        });
        updated.expect("it is a job");
    };
    change(&mut world, "2026-11-24T11:10:00Z");
    edit::pause(&world.store, &name("job"), at("2026-11-24T12:30:05Z")).expect("it is enabled");
    edit::resume(&world.store, &name("job"), at("2026-11-24T13:00:00Z")).expect("it is paused");
    assert_eq!(world.ledger(), []);
    assert_eq!(world.round(at("2026-11-24T14:10:00Z"), &[]), 1);
    let runs = [
        ("11:00", Missed, LATE),
        ("11:30", Missed, LATE),
        ("12:30", Skipped, "the job was paused"),
        ("13:30", Running, ""),
    ];
    assert_eq!(reasons(&world), expected(&runs));
}

#[test]
fn what_commands_show_as_the_next_time_is_what_the_round_decides() {
    let mut world = World::new("2026-11-24T10:30:00Z");
    world.create("job", "0 * * * *", "Etc/UTC", |_| {});
    let shown = |world: &World| {
        let record = world.store.job(&name("job")).expect("it is there");
        edit::next_due(&record).map(|time| time.strftime("%H:%M").to_string())
    };
    let both = |world: &mut World| {
        let before = shown(world);
        world.round(world.now, &[]);
        assert_eq!(shown(world), before);
        before
    };
    assert_eq!(both(&mut world).as_deref(), Some("11:00"));
    world.change(|job| job.schedule = "20 * * * *".into());
    assert_eq!(both(&mut world).as_deref(), Some("11:20"));
    edit::pause(&world.store, &name("job"), world.now).expect("it is enabled");
    assert_eq!(both(&mut world), None);
    world.now = at("2026-11-24T15:30:00Z");
    edit::resume(&world.store, &name("job"), world.now).expect("it is paused");
    assert_eq!(both(&mut world).as_deref(), Some("16:20"));
    world.change(|job| job.time_zone = "Mars/Olympus".into());
    let mut limits = AttemptLimits::new(BATCH);
    play(&world.store, &[], right(world.now), &mut limits).expect("memory does not fail");
    assert_eq!(shown(&world), None);
}
