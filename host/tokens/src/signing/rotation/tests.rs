//! A rotation played through by a clock that is set by hand.

use std::time::UNIX_EPOCH;

use super::*;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A store of records that does what is due.
#[derive(Default)]
struct Ring {
    policy: RotationPolicy,
    keys: Vec<KeyTimes>,
    made: usize,
}

impl Ring {
    /// Does all that is due at `now`.
    fn turn(&mut self, now: SystemTime) {
        while let Some(action) = self.policy.due(&self.keys, now) {
            self.carry_out(action, now);
        }
    }

    fn carry_out(&mut self, action: Action, now: SystemTime) {
        match action {
            Action::MakeCurrent => self.make(now, Some(now)),
            Action::MakeNext => self.make(now, None),
            Action::Promote { next, retire } => {
                if let Some(retire) = retire {
                    self.key(&retire).retired = Some(now);
                }
                self.key(&next).signing = Some(now);
            }
            Action::Retire(id) => self.key(&id).retired = Some(now),
            Action::Forget(id) => self.keys.retain(|key| key.id != id),
        }
    }

    fn make(&mut self, published: SystemTime, signing: Option<SystemTime>) {
        self.made += 1;
        self.keys.push(KeyTimes {
            id: format!("key-{}", self.made),
            published,
            signing,
            retired: None,
        });
    }

    fn key(&mut self, id: &str) -> &mut KeyTimes {
        self.keys.iter_mut().find(|key| key.id == id).unwrap()
    }

    /// The keys as `key-1 current, key-2 next`.
    fn shown(&self) -> String {
        let shown = self.keys.iter().map(|key| {
            let phase = format!("{:?}", key.phase()).to_lowercase();
            format!("{} {phase}", key.id)
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

fn day(number: u32) -> SystemTime {
    UNIX_EPOCH + DAY * (20_000 + number)
}

#[test]
fn the_first_key_signs_at_once() {
    let mut ring = Ring::default();
    ring.turn(day(0));
    assert_eq!(ring.shown(), "key-1 current");
    assert_eq!(current_key(&ring.keys).unwrap().id, "key-1");
    assert_eq!(ring.policy.due(&ring.keys, day(0)), None);
}

#[test]
fn the_next_key_is_published_ahead_and_the_last_kept_until_its_tokens_are_dead() {
    let mut ring = Ring::default();
    for (now, expected) in [
        (day(0), "key-1 current"),
        (day(28) - HOUR, "key-1 current"),
        (day(28), "key-1 current, key-2 next"),
        (day(30) - HOUR, "key-1 current, key-2 next"),
        (day(30), "key-1 previous, key-2 current"),
        (day(30) + HOUR, "key-1 previous, key-2 current"),
        (day(30) + HOUR * 2, "key-2 current"),
        (day(58), "key-2 current, key-3 next"),
    ] {
        ring.turn(now);
        assert_eq!(ring.shown(), expected, "{:?}", now.duration_since(day(0)));
    }
}

#[test]
fn after_a_long_pause_a_key_is_still_published_before_it_signs() {
    let mut ring = Ring::default();
    ring.turn(day(0));
    ring.turn(day(100));
    assert_eq!(ring.shown(), "key-1 current, key-2 next");
    ring.turn(day(101));
    assert_eq!(ring.shown(), "key-1 current, key-2 next");
    ring.turn(day(102));
    assert_eq!(ring.shown(), "key-1 previous, key-2 current");
}

#[test]
fn no_token_outlives_its_key() {
    let policy = RotationPolicy::default();
    let leeway = crate::DEFAULT_LEEWAY;
    assert!(policy.kept_for > crate::LONGEST_LIFETIME + leeway);
    assert!(policy.published_ahead > DAY && policy.signs_for > policy.published_ahead);
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_due() {
    let mut ring = Ring::default();
    ring.turn(day(0));
    ring.turn(day(28));
    ring.turn(day(30));
    let before = ring.shown();
    for now in [day(29), day(0), UNIX_EPOCH] {
        ring.turn(now);
        assert_eq!(ring.shown(), before);
    }
}

#[test]
fn a_rotation_on_request_waits_until_others_can_know_the_key() {
    let mut ring = Ring::default();
    ring.turn(day(0));
    let asked = |ring: &Ring, now| ring.policy.rotate(&ring.keys, false, now);
    assert_eq!(asked(&ring, day(1)), Some(Action::MakeNext));
    ring.carry_out(Action::MakeNext, day(1));
    assert_eq!(asked(&ring, day(2)), None);
    let promote = Action::Promote {
        next: "key-2".into(),
        retire: Some("key-1".into()),
    };
    assert_eq!(asked(&ring, day(3)), Some(promote));
}

#[test]
fn a_rotation_at_once_does_not_wait() {
    let mut ring = Ring::default();
    assert_eq!(
        ring.policy.rotate(&ring.keys, true, day(0)),
        Some(Action::MakeCurrent)
    );
    ring.turn(day(0));
    for _ in 0..2 {
        let action = ring.policy.rotate(&ring.keys, true, day(1)).unwrap();
        ring.carry_out(action, day(1));
    }
    assert_eq!(ring.shown(), "key-1 previous, key-2 current");
}

#[test]
fn without_a_current_key_the_published_one_signs() {
    let mut ring = Ring::default();
    ring.make(day(0), None);
    ring.turn(day(0));
    assert_eq!(ring.shown(), "key-1 current");
}

#[test]
fn of_two_first_keys_that_two_hosts_made_the_newer_signs_and_the_other_is_forgotten_in_time() {
    let mut ring = Ring::default();
    ring.make(day(0), Some(day(0)));
    ring.make(day(0), Some(day(0) + HOUR));
    assert_eq!(current_key(&ring.keys).unwrap().id, "key-2");
    ring.turn(day(0) + HOUR);
    assert_eq!(ring.shown(), "key-1 previous, key-2 current");
    ring.turn(day(1));
    assert_eq!(ring.shown(), "key-2 current");
}
