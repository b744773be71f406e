//! Whether all is as it should be, and if not, what is wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What is wrong at this moment, by what it is about. Nothing is: the host is ready.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    problems: Mutex<BTreeMap<String, String>>,
}

impl Readiness {
    /// Notes what is wrong with `subject`, or that nothing is any more. Tells whether that is news.
    pub(super) fn note(&self, subject: &str, problem: Option<String>) -> bool {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        match problem {
            Some(problem) => problems.insert(subject.to_owned(), problem.clone()) != Some(problem),
            None => problems.remove(subject).is_some(),
        }
    }

    /// Keeps what is wrong with the subjects that `is_kept`.
    pub(super) fn retain(&self, is_kept: impl Fn(&str) -> bool) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.retain(|subject, _| is_kept(subject));
    }

    /// What is wrong, a line each.
    pub(super) fn problems(&self) -> Vec<String> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = problems.iter();
        lines
            .map(|(subject, problem)| format!("{subject}: {problem}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stays_until_it_is_solved() {
        let readiness = Readiness::default();
        assert!(readiness.problems().is_empty());
        assert!(readiness.note("store", Some("it is gone".into())));
        assert!(!readiness.note("store", Some("it is gone".into())));
        assert_eq!(readiness.problems(), ["store: it is gone"]);
        assert!(readiness.note("store", None));
        assert!(readiness.problems().is_empty());
    }

    #[test]
    fn problems_go_with_what_they_are_about() {
        let readiness = Readiness::default();
        readiness.note("function a", Some("x".into()));
        readiness.note("function b", Some("y".into()));
        readiness.retain(|subject| subject != "function a");
        assert_eq!(readiness.problems(), ["function b: y"]);
    }
}
