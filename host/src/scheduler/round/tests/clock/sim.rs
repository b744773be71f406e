//! A scheduler at its work, under a clock that is set.

use std::time::Duration;

use super::super::*;
use super::{BEGIN, DAY, HOUR, MINUTE, TICK};
use crate::scheduler::clock::{Judge, Reading};

/// An attempt that began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) scheduled: Timestamp,
    pub(super) number: u32,
    /// The seconds that had passed.
    pub(super) passed: i64,
    /// What the scheduler took the time for.
    pub(super) now: Timestamp,
}

/// A scheduler at its work, under a clock that is set.
pub(super) struct Sim {
    pub(super) world: World,
    judge: Judge,
    /// The seconds since the beginning, and by how much the clock is wrong.
    pub(super) passed: i64,
    pub(super) off: i64,
    /// When the clock was set last.
    set: i64,
    /// How long attempts take, and how many of a run fail.
    pub(super) lasts: i64,
    pub(super) fail: u32,
    pub(super) under_way: Vec<(i64, Start)>,
    pub(super) begun: Vec<Begun>,
    /// How due times have ended, as anybody saw who looked, if anybody did.
    pub(super) is_watched: bool,
    pub(super) seen: BTreeMap<Timestamp, RunState>,
}

impl Sim {
    pub(super) fn new(schedule: &str, change: impl FnOnce(&mut JobSettings)) -> Self {
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
    pub(super) fn shown(&self) -> Timestamp {
        reading(self.passed, self.off).wall
    }

    /// Goes on for so many seconds.
    pub(super) fn go_on(&mut self, seconds: i64) {
        let end = self.passed + seconds;
        while self.passed < end {
            let step = self.quiet().clamp(1, end - self.passed);
            self.passed += step;
            self.tick();
        }
    }

    /// For how long nothing is to do.
    pub(super) fn quiet(&self) -> i64 {
        if self.passed - self.set < 2 * MINUTE {
            return TICK;
        }
        let now = self.shown();
        let next = self.world.store.next_job_times(now);
        let next = next.expect("memory does not fail").first();
        let to_next = next.map(|next| next.duration_since(now).as_secs());
        let ends = self.under_way.iter().map(|(end, _)| end - self.passed);
        ends.chain(to_next).min().unwrap_or(DAY).min(HOUR)
    }

    /// Sets the clock.
    pub(super) fn set(&mut self, step: i64) {
        self.off += step;
        self.passed += 1;
        self.set = self.passed;
        self.tick();
    }

    /// What the scheduler does each time it wakes.
    pub(super) fn tick(&mut self) {
        let (Moment { now, behind }, change) = self.judge.tell(reading(self.passed, self.off));
        self.world.behind = behind;
        if change != Change::NONE {
            take_up(&self.world.store, change, now).expect("memory does not fail");
        }
        let ended = self.ended(now);
        self.play(now, &ended);
    }

    pub(super) fn ended(&mut self, now: Timestamp) -> Vec<Ended> {
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

    pub(super) fn play(&mut self, now: Timestamp, ended: &[Ended]) {
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
    pub(super) fn restart(&mut self) {
        self.under_way.clear();
        self.judge = Judge::new(reading(self.passed, self.off));
        self.world.now = self.shown();
        self.world.restart();
        self.play(self.world.now, &[]);
    }

    /// When each due time began first. None began twice, and none before its time.
    pub(super) fn firsts(&self) -> BTreeMap<Timestamp, Begun> {
        let mut firsts = BTreeMap::new();
        for begun in self.begun.iter().filter(|begun| begun.number == 1) {
            assert!(begun.now >= begun.scheduled, "early: {begun:?}");
            let other = firsts.insert(begun.scheduled, *begun);
            assert!(other.is_none(), "twice: {begun:?} {other:?}");
        }
        firsts
    }

    /// That each retry came when its backoff was over, whatever the clock showed.
    pub(super) fn assert_waits(&self, backoff: i64) {
        for retry in self.begun.iter().filter(|begun| begun.number == 2) {
            let is_first = |other: &&Begun| (other.scheduled, other.number) == (retry.scheduled, 1);
            let first = self.begun.iter().find(is_first).expect("it came before");
            let waited = retry.passed - first.passed - self.lasts;
            let is_right = (backoff..=backoff + 2 * TICK).contains(&waited);
            assert!(is_right, "{waited} s: {retry:?}");
        }
    }

    /// That each of the `times` has begun when it came by a clock that was right all the time.
    pub(super) fn assert_on_time(&self, times: &[Timestamp]) {
        let firsts = self.firsts();
        for time in times {
            let begun = firsts.get(time);
            let late = begun.map(|begun| reading(begun.passed, 0).wall.duration_since(*time));
            let is_on_time = late.is_some_and(|late| (0..=30).contains(&late.as_secs()));
            assert!(is_on_time, "{time}: {begun:?}");
        }
    }
}

pub(super) fn reading(passed: i64, off: i64) -> Reading {
    Reading {
        wall: at(BEGIN) + seconds(passed + off),
        steady: Duration::from_secs(passed as u64),
    }
}
