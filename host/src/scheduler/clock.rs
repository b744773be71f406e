//! What time it is, for jobs: the clock that people set, checked against one that nobody can set.
//!
//! A clock that is set back is believed at once in that nothing begins that is not due by it. What it will show again is
//! decided anew only when it has stayed so for a while. One that is set forward is not believed for a minute, and time goes on
//! as it did. So a clock that is wrong for a moment changes nothing. A machine that slept is no such case: the other clock
//! goes on in its sleep.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// By how much the clock may differ from what it should show before it counts as set.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);
/// How long a clock that was set forward is not believed.
const HOLD: Duration = Duration::from_secs(60);
/// How long one that was set back has to stay so. What is due meanwhile is still on time then.
const STAY: Duration = Duration::from_secs(20);
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

/// What follows from a clock that was set, or that is right again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// By how much time has moved.
    pub(super) step: SignedDuration,
    /// From which time on what is due is to be worked out anew, if it is: what the clock as it is now showed, or would have
    /// shown, just before it was set.
    pub(super) anew: Option<Timestamp>,
}

/// Judges readings.
#[derive(Debug)]
pub(super) struct Judge {
    /// The last reading that was believed.
    last: Reading,
    /// Since when the clock has been ahead, and from when on what is due is to be worked out anew if it is right again.
    ahead: Option<(Duration, Timestamp)>,
    /// The last reading before the clock was set back: one that agrees with it was a slip.
    before: Option<Reading>,
    /// When it was set back, and from when on what is due is to be worked out anew if it stays so.
    back: Option<(Duration, Timestamp)>,
    /// What has not been told yet.
    change: Change,
    /// When it was told last.
    told: Duration,
}

const NONE: Change = Change {
    step: SignedDuration::ZERO,
    anew: None,
};

impl Judge {
    pub(super) fn new(reading: Reading) -> Self {
        Self {
            last: reading,
            ahead: None,
            before: None,
            back: None,
            change: NONE,
            told: reading.steady,
        }
    }

    /// What time it is, given `reading`.
    fn time(&mut self, reading: Reading) -> Timestamp {
        let expected = self.last.after(reading.steady);
        let ahead = reading.wall.duration_since(expected);
        let is_as_expected = ahead.abs() <= TOLERANCE;
        if is_as_expected {
            // Commands may have gone by a clock that was ahead, ever since it was.
            if let Some((_, from)) = self.ahead.take() {
                self.work_out_from(from);
            }
        } else if ahead < SignedDuration::ZERO {
            let from = self.at_told(reading);
            let from = self
                .back
                .map_or(from, |(_, earlier)| from.min(earlier + ahead));
            self.before = Some(self.last);
            self.back = Some((reading.steady, from));
        } else if self.is_right_again(reading) {
            (self.before, self.back) = (None, None);
            self.work_out_from(self.at_told(reading));
        } else {
            let wall = expected;
            let from = self.at_told(Reading { wall, ..reading });
            let (since, _) = *self.ahead.get_or_insert((reading.steady, from));
            if reading.steady.saturating_sub(since) < HOLD {
                return expected;
            }
            (self.before, self.back) = (None, None);
            self.work_out_from(self.at_told(reading));
        }
        if !is_as_expected {
            self.ahead = None;
            self.change.step = self.change.step.saturating_add(ahead);
        }
        self.last = reading;
        if let Some((since, from)) = self.back
            && reading.steady.saturating_sub(since) >= STAY
        {
            self.back = None;
            self.work_out_from(from);
        }
        reading.wall
    }

    /// What the clock showed, or would have shown, when it was told last.
    fn at_told(&self, reading: Reading) -> Timestamp {
        let passed = reading.steady.saturating_sub(self.told);
        reading.wall.checked_sub(passed).unwrap_or(Timestamp::MIN)
    }

    fn work_out_from(&mut self, time: Timestamp) {
        let anew = &mut self.change.anew;
        *anew = Some(anew.map_or(time, |earlier| earlier.min(time)));
    }

    /// Whether the clock shows what it would if it had not been set back.
    fn is_right_again(&self, reading: Reading) -> bool {
        let expected = self.before.map(|before| before.after(reading.steady));
        expected.is_some_and(|expected| reading.wall.duration_since(expected).abs() <= TOLERANCE)
    }

    /// What time it is, and what has changed since this was last asked.
    pub(super) fn tell(&mut self, reading: Reading) -> (Timestamp, Change) {
        let now = self.time(reading);
        self.told = reading.steady;
        (now, std::mem::replace(&mut self.change, NONE))
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
        self.with(Judge::time)
    }

    /// What time it is, and what has changed since this was last asked.
    pub(super) fn tell(&self) -> (Timestamp, Change) {
        self.with(Judge::tell)
    }

    /// Whether there is a change to be told.
    pub(super) fn has_changed(&self) -> bool {
        self.with(|judge, reading| {
            judge.time(reading);
            judge.change != NONE
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
        fn new() -> Self {
            let judge = Judge::new(reading(0, 0));
            Self {
                judge,
                passed: 0,
                off: 0,
            }
        }

        /// What time it is after `seconds` more, the step if there was one, and from when on to work out what is due.
        fn after(&mut self, seconds: i64) -> (i64, i64, Option<i64>) {
            self.passed += seconds;
            let (now, change) = self.judge.tell(reading(self.passed, self.off));
            let anew = change.anew.map(Timestamp::as_second);
            (now.as_second(), change.step.as_secs(), anew)
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

    #[test]
    fn a_clock_that_is_set_back_is_believed_at_once_and_for_good_when_it_stays_so() {
        for step in [HOUR, DAY] {
            let mut world = World::new();
            assert_eq!(world.after(10), (at(10), 0, None));
            world.off = -step;
            assert_eq!(world.after(5), (at(15 - step), -step, None));
            assert_eq!(world.after(19), (at(34 - step), 0, None));
            // From what it would have shown before.
            assert_eq!(world.after(1), (at(35 - step), 0, Some(at(10 - step))));
            assert_eq!(world.after(10), (at(45 - step), 0, None));
        }
    }

    #[test]
    fn a_clock_that_is_set_forward_is_believed_after_a_minute() {
        for step in [HOUR, DAY] {
            let mut world = World::new();
            world.off = step;
            for second in 1..=60 {
                assert_eq!(world.after(1), (at(second), 0, None));
            }
            assert_eq!(world.after(1), (at(61 + step), step, Some(at(60 + step))));
            assert_eq!(world.after(1), (at(62 + step), 0, None));
        }
    }

    #[test]
    fn a_clock_that_is_ahead_for_a_moment_moves_nothing_and_is_told_of() {
        for step in [HOUR, DAY] {
            let mut world = World::new();
            world.off = step;
            assert_eq!(world.after(1), (at(1), 0, None));
            assert_eq!(world.after(50), (at(51), 0, None));
            world.off = 0;
            // From when it was right, for commands may have gone by it.
            assert_eq!(world.after(1), (at(52), 0, Some(at(0))));
            assert_eq!(world.after(1), (at(53), 0, None));
        }
    }

    #[test]
    fn a_clock_that_is_behind_for_a_moment_is_right_again_at_once() {
        for step in [HOUR, DAY] {
            let mut world = World::new();
            world.off = -step;
            assert_eq!(world.after(1), (at(1 - step), -step, None));
            world.off = 0;
            assert_eq!(world.after(1), (at(2), step, Some(at(1))));
            assert_eq!(world.after(100), (at(102), 0, None));
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
    fn one_that_is_set_back_again_and_again_is_worked_out_from_the_earliest() {
        let mut world = World::new();
        world.off = -10;
        assert_eq!(world.after(5), (at(-5), -10, None));
        world.off = -HOUR;
        assert_eq!(world.after(5), (at(10 - HOUR), 10 - HOUR, None));
        assert_eq!(world.after(20), (at(30 - HOUR), 0, Some(at(-HOUR))));
    }

    #[test]
    fn a_clock_that_is_corrected_a_little_or_a_machine_that_slept_is_none() {
        let mut world = World::new();
        for off in [1, 0, -1, 0] {
            world.off = off;
            let (now, step, anew) = world.after(1);
            assert_eq!((now, step, anew), (at(world.passed + off), 0, None));
        }
        let (now, step, anew) = world.after(8 * HOUR);
        assert_eq!((now, step, anew), (at(world.passed), 0, None));
    }

    #[test]
    fn several_steps_between_two_questions_are_told_as_one() {
        let mut world = World::new();
        for off in [-10, -HOUR] {
            world.passed += 1;
            world.judge.time(reading(world.passed, off));
        }
        world.off = -HOUR;
        assert_eq!(world.after(1), (at(3 - HOUR), -HOUR, None));
    }

    #[test]
    fn clones_are_one_clock() {
        let clock = Clock::start();
        let (now, change) = clock.tell();
        assert_eq!(change, NONE);
        assert!(clock.clone().now() >= now);
        assert!(!clock.has_changed());
    }
}
