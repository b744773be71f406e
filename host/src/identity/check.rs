//! A check: a judgement, and what it expects and finds, so that those who explain and those who decide run the same.

use super::refusal::Refusal;

/// One check of a list that is run in order. `C` is what there is to judge.
pub(super) struct Check<C> {
    /// What is checked, in a few words.
    pub(super) title: &'static str,
    pub(super) judge: fn(&C) -> Result<(), Refusal>,
    /// Called only to explain.
    pub(super) expected: fn(&C) -> String,
    /// Called only to explain.
    pub(super) found: fn(&C) -> String,
}

/// A check that was run, for a person to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was checked, in a few words.
    pub title: &'static str,
    /// What a good token has there.
    pub expected: String,
    /// What this one has: harmless and shortened, and never the signature.
    pub found: String,
    /// Why the token is refused, if this check refuses it.
    pub refusal: Option<Refusal>,
}

impl<C> Check<C> {
    pub(super) fn explain(&self, case: &C) -> Step {
        Step {
            title: self.title,
            expected: (self.expected)(case),
            found: (self.found)(case),
            refusal: (self.judge)(case).err(),
        }
    }
}

/// Runs `checks` up to the first that refuses.
pub(super) fn judge<C>(checks: &[Check<C>], case: &C) -> Result<(), Refusal> {
    checks.iter().try_for_each(|check| (check.judge)(case))
}
