//! What time it is, for jobs: the clock that people set, checked against one that nobody can set.
//!
//! A clock that was set is believed once it has stayed so for a minute; until then time goes on as it did. So a clock that is
//! wrong for less than that changes nothing. One that is set again and again is believed after three minutes. A machine that slept is no such case: the other clock goes on in its sleep.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// By how much the clock may differ from what it should show before it counts as set.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);
/// How long a clock that was set is not believed.
const HOLD: Duration = Duration::from_secs(60);
/// The same for one that is set again and again.
const LONGEST_HOLD: Duration = Duration::from_secs(180);
/// The longest time that reading two clocks may take to count as one moment.
const MOMENT: Duration = Duration::from_millis(100);

/// Two clocks, read at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// The one that people set.
    pub(super) wall: Timestamp,
    /// The one that only goes on, since any moment.
    pub(super) steady: Duration,
}

/// What time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// The time that jobs go by.
    pub(super) now: Timestamp,
    /// By how much the clock that people set is behind that, while it is not believed; 0 otherwise.
    pub(super) behind: SignedDuration,
}

/// What follows from a clock that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// By how much time has moved.
    pub(super) step: SignedDuration,
    /// Whether what has been decided of due times is to be lowered to now, since the clock has gone back. It is a minute after
    /// the start too: the clock may have gone back before.
    pub(super) lowers: bool,
}

/// Judges readings.
#[derive(Debug)]
pub(super) struct Judge {
    /// The last reading that was believed.
    last: Reading,
    /// What the clock shows in place of what it should, if it does.
    off: Option<Off>,
    /// When this began, until a minute has passed and the clock is right.
    started: Option<Duration>,
    /// What has not been reported yet.
    change: Change,
}

/// How a clock is wrong, or was set.
#[derive(Debug)]
struct Off {
    /// Since when it has not shown what it should.
    first: Duration,
    /// By how much it is off.
    step: SignedDuration,
    /// Since when it is off by that.
    since: Duration,
}

impl Change {
    /// None.
    pub(super) const NONE: Self = Self {
        step: SignedDuration::ZERO,
        lowers: false,
    };

    /// Adds a later one.
    pub(super) fn add(&mut self, later: Self) {
        self.step = self.step.saturating_add(later.step);
        self.lowers |= later.lowers;
    }
}

impl Judge {
    pub(super) fn new(reading: Reading) -> Self {
        Self {
            last: reading,
            off: None,
            started: Some(reading.steady),
            change: Change::NONE,
        }
    }

    /// What time it is, given `reading`.
    fn time(&mut self, reading: Reading) -> Moment {
        let expected = self.last.after(reading.steady);
        let step = reading.wall.duration_since(expected);
        let steady = reading.steady;
        let is_within = |since: Duration, hold| steady.saturating_sub(since) < hold;
        if step.abs() > TOLERANCE {
            let off = self.off.get_or_insert(Off {
                first: steady,
                step,
                since: steady,
            });
            if step.saturating_sub(off.step).abs() > TOLERANCE {
                (off.step, off.since) = (step, steady);
            }
            if is_within(off.since, HOLD) && is_within(off.first, LONGEST_HOLD) {
                let behind = expected.duration_since(reading.wall);
                return Moment {
                    now: expected,
                    behind: behind.max(SignedDuration::ZERO),
                };
            }
            let lowers = step.is_negative();
            self.change.add(Change { step, lowers });
        } else if self
            .started
            .is_some_and(|started| !is_within(started, HOLD))
        {
            self.started = None;
            self.change.lowers = true;
        }
        self.off = None;
        self.last = reading;
        Moment {
            now: reading.wall,
            behind: SignedDuration::ZERO,
        }
    }

    /// What time it is, and what has changed since this was last asked.
    pub(super) fn tell(&mut self, reading: Reading) -> (Moment, Change) {
        let moment = self.time(reading);
        (moment, std::mem::replace(&mut self.change, Change::NONE))
    }
}

impl Reading {
    fn now() -> Self {
        loop {
            let before = steady();
            let wall = Timestamp::now();
            let steady = steady();
            // Whoever is held up between the two would see a clock that was set.
            if steady.saturating_sub(before) <= MOMENT {
                return Self { wall, steady };
            }
        }
    }

    /// What the clock shows when the other one shows `steady`, unless it is set.
    fn after(self, steady: Duration) -> Timestamp {
        let passed = steady.saturating_sub(self.steady);
        self.wall.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}

/// Tells the time. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub(super) struct Clock(Arc<Mutex<Judge>>);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Judge::new(Reading::now()))))
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.with(Judge::time).now
    }

    /// What time it is, and what has changed since this was last asked.
    pub(super) fn tell(&self) -> (Moment, Change) {
        self.with(Judge::tell)
    }

    /// Whether there is a change to be reported.
    pub(super) fn has_changed(&self) -> bool {
        self.with(|judge, reading| {
            judge.time(reading);
            judge.change != Change::NONE
        })
    }

    fn with<T>(&self, ask: impl FnOnce(&mut Judge, Reading) -> T) -> T {
        let mut judge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that no reading comes after a later one.
        ask(&mut judge, Reading::now())
    }
}

/// The time since the machine started, its sleep included.
#[cfg(target_os = "linux")]
fn steady() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// The time since this was first asked. Sleep may not be included: a machine that slept looks like a clock that was set.
#[cfg(not(target_os = "linux"))]
fn steady() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    /// A judge, and a clock that is right at the second 0.
    struct World {
        judge: Judge,
        passed: i64,
        /// By how much the clock that people set is wrong.
        off: i64,
    }

    impl World {
        /// One whose first minute is over.
        fn new() -> Self {
            let mut world = Self::at_start();
            assert_eq!(world.after(100), (at(100), 0, true));
            world
        }

        fn at_start() -> Self {
            Self {
                judge: Judge::new(reading(0, 0)),
                passed: 0,
                off: 0,
            }
        }

        /// What time it is after `seconds` more, the step if there was one, and whether what has been decided is lowered.
        fn after(&mut self, seconds: i64) -> (i64, i64, bool) {
            self.passed += seconds;
            let (moment, change) = self.judge.tell(reading(self.passed, self.off));
            (moment.now.as_second(), change.step.as_secs(), change.lowers)
        }
    }

    fn reading(passed: i64, off: i64) -> Reading {
        Reading {
            wall: Timestamp::from_second(DAY * 9 + passed + off).unwrap(),
            steady: Duration::from_secs(passed as u64),
        }
    }

    fn at(second: i64) -> i64 {
        DAY * 9 + second
    }

    const STEPS: [i64; 4] = [HOUR, -HOUR, DAY, -DAY];

    #[test]
    fn a_clock_that_is_set_is_believed_after_a_minute() {
        for step in STEPS {
            let mut world = World::new();
            world.off = step;
            for second in 101..=160 {
                assert_eq!(world.after(1), (at(second), 0, false));
            }
            // Only one that has gone back shows times again.
            assert_eq!(world.after(1), (at(161 + step), step, step < 0));
            assert_eq!(world.after(1), (at(162 + step), 0, false));
        }
    }

    #[test]
    fn a_clock_that_is_wrong_for_less_than_a_minute_changes_nothing() {
        for step in STEPS {
            let mut world = World::new();
            world.off = step;
            assert_eq!(world.after(1), (at(101), 0, false));
            assert_eq!(world.after(58), (at(159), 0, false));
            world.off = 0;
            assert_eq!(world.after(1), (at(160), 0, false));
            // The next time is no continuation.
            world.off = step;
            assert_eq!(world.after(30), (at(190), 0, false));
        }
    }

    #[test]
    fn one_that_is_set_again_within_the_minute_is_believed_a_minute_after_that() {
        for (first, second) in [(-2, 73 * 365 * DAY), (HOUR, -HOUR), (HOUR, HOUR + 2)] {
            let mut world = World::new();
            world.off = first;
            assert_eq!(world.after(1), (at(101), 0, false));
            assert_eq!(world.after(58), (at(159), 0, false));
            world.off = second;
            assert_eq!(world.after(2), (at(161), 0, false));
            assert_eq!(world.after(59), (at(220), 0, false));
            assert_eq!(world.after(1), (at(221 + second), second, second < 0));
        }
    }

    #[test]
    fn only_one_that_is_behind_and_not_believed_is_said_to_be_behind() {
        for (off, expected) in [(HOUR, 0), (-HOUR, HOUR), (-1, 0)] {
            let mut judge = Judge::new(reading(0, 0));
            let behind = |second| judge.tell(reading(second, off)).0.behind.as_secs();
            assert_eq!([1, 60, 61].map(behind), [expected, expected, 0]);
        }
    }

    #[test]
    fn one_that_never_settles_is_believed_all_the_same() {
        let mut world = World::new();
        let mut steps = 0;
        for _ in 0..200 {
            world.off += 2;
            steps += world.after(1).1;
        }
        assert!(steps > 300, "{steps}");
    }

    #[test]
    fn a_clock_that_is_corrected_a_little_or_a_machine_that_slept_is_none() {
        let mut world = World::new();
        for off in [1, 0, -1, 0] {
            world.off = off;
            let (now, step, lowers) = world.after(1);
            assert_eq!((now, step, lowers), (at(world.passed + off), 0, false));
        }
        assert_eq!(world.after(8 * HOUR), (at(world.passed), 0, false));
    }

    #[test]
    fn several_steps_between_two_questions_are_reported_as_one() {
        let mut world = World::new();
        for off in [-HOUR, -HOUR, HOUR] {
            world.off = off;
            for second in [0, 60] {
                world.judge.time(reading(world.passed + second, off));
            }
            world.passed += 60;
        }
        assert_eq!(world.after(1), (at(281 + HOUR), HOUR, true));
    }

    #[test]
    fn a_minute_after_the_start_it_is_known_whether_the_clock_had_gone_back() {
        let mut world = World::at_start();
        assert_eq!(world.after(59), (at(59), 0, false));
        assert_eq!(world.after(1), (at(60), 0, true));
        // A machine without a clock of its own starts in the past, and is set right soon.
        let mut world = World::at_start();
        world.off = DAY;
        assert_eq!(world.after(10), (at(10), 0, false));
        assert_eq!(world.after(55), (at(65), 0, false));
        assert_eq!(world.after(5), (at(70 + DAY), DAY, false));
        assert_eq!(world.after(1), (at(71 + DAY), 0, true));
    }

    #[test]
    fn clones_are_one_clock() {
        let clock = Clock::start();
        let (moment, change) = clock.tell();
        assert_eq!(change, Change::NONE);
        assert!(clock.clone().now() >= moment.now);
        assert!(!clock.has_changed());
    }
}
