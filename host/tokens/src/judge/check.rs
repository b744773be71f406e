//! A check: a judgement, and what it expects and finds, so that those who explain and those who decide run the same.

use crate::judge::refusal::Refusal;

/// One check of a list that is run in order. `C` is what there is to judge.
pub(crate) struct Check<C> {
    /// What is checked, in a few words.
    pub(crate) title: &'static str,
    pub(crate) judge: fn(&C) -> Result<(), Refusal>,
    /// Called only to explain.
    pub(crate) expected: fn(&C) -> String,
    /// Called only to explain.
    pub(crate) found: fn(&C) -> String,
}

/// A check that was run, for a person to read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    pub(crate) fn explain(&self, case: &C) -> Step {
        Step {
            title: self.title,
            expected: (self.expected)(case),
            found: (self.found)(case),
            refusal: (self.judge)(case).err(),
        }
    }
}

/// Runs `checks` up to the first that refuses.
pub(crate) fn judge<C>(checks: &[Check<C>], case: &C) -> Result<(), Refusal> {
    checks.iter().try_for_each(|check| (check.judge)(case))
}
