//! When a signing key is made, signs, stops signing and is forgotten.
//!
//! A key is published before it signs, so that whoever keeps our keys has it by then, and stays published after it has
//! stopped, until the last token that it signed is dead. Nothing here makes or stores keys: it says what to do, and the
//! program that does it writes down when, in the key's [`KeyTimes`].

use std::time::{Duration, SystemTime};

/// When a key is for what, beside the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTimes {
    /// Its name, `kid`.
    pub id: String,
    /// Since when others can see it.
    pub published: SystemTime,
    /// Since when it signs.
    pub signing: Option<SystemTime>,
    /// Since when it no longer signs.
    pub retired: Option<SystemTime>,
}

/// The times of a rotation.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use host_tokens::{Action, RotationPolicy};
///
/// let mut policy = RotationPolicy::default();
/// policy.signs_for = Duration::from_secs(7 * 24 * 60 * 60);
/// // There is no key yet.
/// assert_eq!(policy.due(&[], SystemTime::now()), Some(Action::MakeCurrent));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationPolicy {
    /// How long a key signs.
    pub signs_for: Duration,
    /// How long a key is published before it signs: longer than others keep a key set.
    pub published_ahead: Duration,
    /// How long a key is published after it has stopped signing: longer than its tokens live, with the leeway of those
    /// who check them.
    pub kept_for: Duration,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a key and let it sign at once: there is none that does.
    MakeCurrent,
    /// Make a key and publish it.
    MakeNext,
    /// Let this key sign, and the one that did so far, if any, no longer.
    Promote {
        /// The key that was published.
        next: String,
        /// The key that signed.
        retire: Option<String>,
    },
    /// Let this key no longer sign: a newer one does too.
    Retire(String),
    /// Forget this key: all of its tokens are dead.
    Forget(String),
}

/// What a key is for at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Published, and not yet signing.
    Next,
    /// Signing.
    Current,
    /// No longer signing, and published still.
    Previous,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for RotationPolicy {
    /// Keys sign for 30 days. Others keep a key set for up to a day, so a key is published two days ahead; tokens live
    /// for an hour at most, so a key is kept for two.
    fn default() -> Self {
        Self {
            signs_for: DAY * 30,
            published_ahead: DAY * 2,
            kept_for: Duration::from_secs(2 * 60 * 60),
        }
    }
}

impl KeyTimes {
    /// What it is for.
    pub fn phase(&self) -> Phase {
        match (self.signing, self.retired) {
            (_, Some(_)) => Phase::Previous,
            (Some(_), None) => Phase::Current,
            (None, None) => Phase::Next,
        }
    }
}

impl RotationPolicy {
    /// What is due, if anything. Ask again after it was done, until nothing is.
    pub fn due(&self, keys: &[KeyTimes], now: SystemTime) -> Option<Action> {
        if let Some(dead) = keys.iter().find(|key| self.is_dead(key, now)) {
            return Some(Action::Forget(dead.id.clone()));
        }
        let Some(current) = current_key(keys) else {
            return Some(without_current(keys));
        };
        // Two hosts that share a store may each have made a key at the same moment.
        let second = |key: &&KeyTimes| key.phase() == Phase::Current && key.id != current.id;
        if let Some(second) = keys.iter().find(second) {
            return Some(Action::Retire(second.id.clone()));
        }
        // A current key has the time; without it nothing would be due.
        let signed_for = since(current.signing?, now);
        match newest(keys, Phase::Next) {
            None if signed_for + self.published_ahead >= self.signs_for => Some(Action::MakeNext),
            Some(next) if signed_for >= self.signs_for && self.is_known(next, now) => {
                Some(promote(next, Some(current)))
            }
            _ => None,
        }
    }

    /// What to do when somebody asks for a rotation before it is due: make the next key if there is none, and let it
    /// sign as soon as others can know it, or at once if the current key is not to be trusted any more. Such a key is
    /// still published afterwards, as any other that has stopped signing, until somebody revokes it.
    pub fn rotate(&self, keys: &[KeyTimes], at_once: bool, now: SystemTime) -> Option<Action> {
        let current = current_key(keys);
        match newest(keys, Phase::Next) {
            None if current.is_none() => Some(Action::MakeCurrent),
            None => Some(Action::MakeNext),
            Some(next) if at_once || self.is_known(next, now) => Some(promote(next, current)),
            Some(_) => None,
        }
    }

    fn is_dead(&self, key: &KeyTimes, now: SystemTime) -> bool {
        key.retired
            .is_some_and(|retired| since(retired, now) >= self.kept_for)
    }

    fn is_known(&self, next: &KeyTimes, now: SystemTime) -> bool {
        since(next.published, now) >= self.published_ahead
    }
}

/// The key that signs at this moment.
///
/// ```
/// use std::time::SystemTime;
///
/// use host_tokens::{KeyTimes, current_key};
///
/// let now = SystemTime::now();
/// let key = |id: &str, signing| KeyTimes {
///     id: id.to_owned(),
///     published: now,
///     signing,
///     retired: None,
/// };
/// let keys = [key("signs", Some(now)), key("is published", None)];
/// assert_eq!(current_key(&keys), Some(&keys[0]));
/// ```
pub fn current_key(keys: &[KeyTimes]) -> Option<&KeyTimes> {
    newest(keys, Phase::Current)
}

/// A key that was published is better than one that nobody has seen, even before its time.
fn without_current(keys: &[KeyTimes]) -> Action {
    match newest(keys, Phase::Next) {
        Some(next) => promote(next, None),
        None => Action::MakeCurrent,
    }
}

fn newest(keys: &[KeyTimes], phase: Phase) -> Option<&KeyTimes> {
    let in_phase = keys.iter().filter(|key| key.phase() == phase);
    in_phase.max_by_key(|key| (key.signing.unwrap_or(key.published), &key.id))
}

fn promote(next: &KeyTimes, current: Option<&KeyTimes>) -> Action {
    Action::Promote {
        next: next.id.clone(),
        retire: current.map(|key| key.id.clone()),
    }
}

/// How long ago `time` was: nothing, if the clock was set back behind it, so that nothing is due too early.
fn since(time: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(time).unwrap_or_default()
}

#[cfg(test)]
mod tests;
