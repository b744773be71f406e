//! The clock is set: forward, back, for good and for a moment, whatever the job does meanwhile.

mod little;

use std::time::Duration;

use super::*;
use crate::scheduler::clock::{Judge, Reading};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// How often a scheduler looks at the clock at least, here.
const TICK: i64 = 5;
const BEGIN: &str = "2026-11-24T10:30:00Z";

/// An attempt that began.
#[derive(Clone, Copy, Debug)]
struct Begun {
    scheduled: Timestamp,
    number: u32,
    /// The seconds that had passed.
    passed: i64,
    /// What the scheduler took the time for.
    now: Timestamp,
}

/// A scheduler at its work, under a clock that is set.
struct Sim {
    world: World,
    judge: Judge,
    /// The seconds since the beginning, and by how much the clock is wrong.
    passed: i64,
    off: i64,
    /// When the clock was set last.
    set: i64,
    /// How long attempts take, and how many of a run fail.
    lasts: i64,
    fail: u32,
    under_way: Vec<(i64, Start)>,
    begun: Vec<Begun>,
    /// How due times have ended, as anybody saw who looked, if anybody did.
    is_watched: bool,
    seen: BTreeMap<Timestamp, RunState>,
}

impl Sim {
    fn new(schedule: &str, change: impl FnOnce(&mut JobSettings)) -> Self {
        Self {
            world: World::new(BEGIN).with(schedule, change),
            judge: Judge::new(reading(0, 0)),
            passed: 0,
            off: 0,
            set: 0,
            lasts: 20,
            fail: 0,
            under_way: Vec::new(),
            begun: Vec::new(),
            is_watched: true,
            seen: BTreeMap::new(),
        }
    }

    /// The time as the clock shows it.
    fn shown(&self) -> Timestamp {
        reading(self.passed, self.off).wall
    }

    /// Goes on for so many seconds.
    fn go_on(&mut self, seconds: i64) {
        let end = self.passed + seconds;
        while self.passed < end {
            let step = self.quiet().clamp(1, end - self.passed);
            self.passed += step;
            self.tick();
        }
    }

    /// For how long nothing is to do.
    fn quiet(&self) -> i64 {
        if self.passed - self.set < 2 * MINUTE {
            return TICK;
        }
        let next = self.world.store.next_job_times();
        let next = next.expect("memory does not fail").first();
        let to_next = next.map(|next| next.duration_since(self.shown()).as_secs());
        let ends = self.under_way.iter().map(|(end, _)| end - self.passed);
        ends.chain(to_next).min().unwrap_or(DAY).min(HOUR)
    }

    /// Sets the clock.
    fn set(&mut self, step: i64) {
        self.off += step;
        self.passed += 1;
        self.set = self.passed;
        self.tick();
    }

    /// What the scheduler does each time it wakes.
    fn tick(&mut self) {
        let (now, change) = self.judge.tell(reading(self.passed, self.off));
        if !change.step.is_zero() {
            shift(&self.world.store, change.step).expect("memory does not fail");
        }
        let ended = self.ended(now);
        self.play(now, &ended);
        if let Some(anew) = change.anew {
            self.world.resync_from(anew);
            self.play(now, &[]);
        }
    }

    fn ended(&mut self, now: Timestamp) -> Vec<Ended> {
        let (over, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.under_way)
            .into_iter()
            .partition(|(end, _)| *end <= self.passed);
        self.under_way = rest;
        let end = |(_, start): &(i64, Start)| {
            let code = if start.number <= self.fail {
                "INTERNAL"
            } else {
                OK
            };
            ended(start, code, now)
        };
        over.iter().map(end).collect()
    }

    fn play(&mut self, now: Timestamp, ended: &[Ended]) {
        let before = self.world.outcomes.len();
        self.world.round(now, ended);
        for start in std::mem::take(&mut self.world.going) {
            self.begun.push(Begun {
                scheduled: start.run.scheduled,
                number: start.number,
                passed: self.passed,
                now,
            });
            self.under_way.push((self.passed + self.lasts, start));
        }
        if !self.is_watched || self.world.outcomes.len() == before {
            return;
        }
        for run in self.world.runs() {
            if run.state.is_final() {
                self.seen.insert(run.scheduled, run.state);
            }
        }
    }

    /// The process ends without a word and begins anew.
    fn restart(&mut self) {
        self.under_way.clear();
        self.judge = Judge::new(reading(self.passed, self.off));
        let now = self.shown();
        recover(&self.world.store, now).expect("memory does not fail");
        self.world.resync_from(now);
        self.play(now, &[]);
    }

    /// When each due time began first. None began twice, and none before its time.
    fn firsts(&self) -> BTreeMap<Timestamp, Begun> {
        let mut firsts = BTreeMap::new();
        for begun in self.begun.iter().filter(|begun| begun.number == 1) {
            assert!(begun.now >= begun.scheduled, "early: {begun:?}");
            let other = firsts.insert(begun.scheduled, *begun);
            assert!(other.is_none(), "twice: {begun:?} {other:?}");
        }
        firsts
    }

    /// That each retry came when its backoff was over, whatever the clock showed.
    fn assert_waits(&self, backoff: i64) {
        for retry in self.begun.iter().filter(|begun| begun.number == 2) {
            let is_first = |other: &&Begun| (other.scheduled, other.number) == (retry.scheduled, 1);
            let first = self.begun.iter().find(is_first).expect("it came before");
            let waited = retry.passed - first.passed - self.lasts;
            let is_right = (backoff..=backoff + 2 * TICK).contains(&waited);
            assert!(is_right, "{waited} s: {retry:?}");
        }
    }

    /// That each of the `times` has begun when it came by a clock that was right all the time.
    fn assert_on_time(&self, times: &[Timestamp]) {
        let firsts = self.firsts();
        for time in times {
            let begun = firsts.get(time);
            let late = begun.map(|begun| reading(begun.passed, 0).wall.duration_since(*time));
            let is_on_time = late.is_some_and(|late| (0..=30).contains(&late.as_secs()));
            assert!(is_on_time, "{time}: {begun:?}");
        }
    }
}

fn reading(passed: i64, off: i64) -> Reading {
    Reading {
        wall: at(BEGIN) + seconds(passed + off),
        steady: Duration::from_secs(passed as u64),
    }
}

/// All that the clock is set by.
const STEPS: [i64; 4] = [HOUR, -HOUR, DAY, -DAY];
const OVERLAPS: [Overlap; 3] = [Overlap::Skip, Overlap::Queue, Overlap::Allow];
const CATCH_UPS: [CatchUp; 3] = [CatchUp::Last, CatchUp::None, CatchUp::All];

#[test]
fn a_step_at_any_moment_loses_no_due_time_and_runs_none_twice_or_early() {
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
    let mut cases = Vec::new();
    for moment in [900, 1_790, 1_810, 1_830] {
        cases.extend(STEPS.map(|step| (moment, step, 5)));
    }
    // One that is behind for longer is believed; nothing is due meanwhile, by this clock or that.
    for moment in [900, 1_810, 1_830] {
        for wrong in [25, 40, 55] {
            cases.extend([-HOUR, -DAY].map(|step| (moment, step, wrong)));
        }
    }
    for (moment, step, wrong) in cases {
        for catch_up in CATCH_UPS {
            let mut sim = Sim::new("0 * * * *", |job| {
                job.catch_up = catch_up;
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

/// Has the clock be `ahead` for ten minutes. Whatever did not begin by it has to begin by the clock that is right.
fn ahead_for_longer(schedule: &str, every: i64, ahead: i64, overlap: Overlap, catch_up: CatchUp) {
    let mut sim = Sim::new(schedule, |job| {
        (job.overlap, job.catch_up) = (overlap, catch_up);
    });
    sim.is_watched = false;
    sim.go_on(900);
    sim.set(ahead);
    sim.go_on(10 * MINUTE);
    let wrong = sim.begun.len();
    sim.set(-ahead);
    let (early, right) = (sim.begun[..wrong].to_vec(), sim.shown());
    sim.go_on(DAY + 2 * HOUR);
    let mut times = due_times(every, right, sim.shown());
    times.retain(|time| early.iter().all(|begun| begun.scheduled != *time));
    sim.assert_on_time(&times);
    // One who wants all of them caught up gets so many of them by the clock that was wrong.
    let is_enough = times.len() as i64 > DAY / every - 15 || catch_up == CatchUp::All;
    assert!(is_enough, "{schedule} {ahead} {overlap:?} {catch_up:?}");
}

#[test]
fn a_thousand_missed_times_are_due_again_when_the_clock_is_set_back_and_those_that_ran_are_not() {
    let mut sim = Sim::new("* * * * *", |_| {});
    sim.is_watched = false;
    sim.go_on(DAY);
    sim.set(DAY);
    sim.go_on(HOUR);
    let before = sim.begun.len();
    sim.set(-2 * DAY);
    sim.go_on(3 * DAY);
    let firsts = sim.firsts();
    // A day ran, a day was missed but for its last minute, and what came after ran.
    let is_missed = |time: &Timestamp| {
        let mut again = sim.begun[before..].iter();
        again.any(|begun| begun.scheduled == *time)
    };
    let all = due_times(MINUTE, at(BEGIN), sim.shown());
    assert!(all.iter().all(|time| firsts.contains_key(time)));
    let again = all.iter().filter(|time| is_missed(time)).count() as i64;
    assert!(again >= DAY / MINUTE - 2, "{again}");
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
    let right = sim.shown();
    sim.go_on(2 * DAY);
    let mut times = due_times(HOUR, right, sim.shown());
    times.retain(|time| !early.contains(time));
    assert!(times.len() >= 44, "{}", times.len());
    sim.assert_on_time(&times);
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
                match roll(3) {
                    0 => sim.restart(),
                    1 => sim.set(STEPS[roll(4) as usize]),
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
    sim.lasts = 4_000;
    // The one of noon waits, and the one before it ends just after the clock was set.
    sim.go_on(5_795);
    sim.set(-2 * HOUR);
    sim.go_on(4 * HOUR);
    let noon = at("2026-11-24T12:00:00Z");
    let begun = sim.firsts()[&noon];
    assert!(begun.now.duration_since(noon) <= seconds(TICK), "{begun:?}");
}
