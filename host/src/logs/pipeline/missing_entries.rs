//! Counts of entries that an output is missing and has not reported yet.

use std::collections::BTreeMap;

use crate::logs::entry::{Entry, Severity};

/// How many functions are counted separately at a time. Others are counted together.
const MAX_FUNCTIONS: usize = 1000;
/// The name under which the others are counted, and entries of other logs.
const OTHERS: &str = "(others)";

/// Why entries are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// The queue was full: entries came faster than they could be written.
    Behind,
    /// The disk was full, or failed.
    Disk,
}

/// Counts of missing entries by function.
#[derive(Debug, Default)]
pub(super) struct MissingEntries(BTreeMap<(Reason, String), u64>);

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Self::Behind => "the log output could not keep up",
            Self::Disk => "they could not be written to the disk",
        }
    }

    /// The entry that reports `count` missing entries of `function`.
    pub(super) fn note(self, function: &str, count: u64) -> Entry {
        let function = match function {
            "" => OTHERS,
            name => name,
        };
        let text = format!(
            "{count} log entries of this function were left out: {}",
            self.words()
        );
        Entry::note(function.into(), None, Severity::Warning, text)
    }
}

impl MissingEntries {
    /// Adds `count` entries of `function`.
    pub(super) fn add(&mut self, reason: Reason, function: &str, count: u64) {
        let key = (reason, function.to_owned());
        let is_separate = self.0.len() < MAX_FUNCTIONS || self.0.contains_key(&key);
        let key = if is_separate {
            key
        } else {
            (reason, OTHERS.to_owned())
        };
        *self.0.entry(key).or_default() += count;
    }

    /// How many entries are missing.
    pub(super) fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The next report.
    pub(super) fn first(&self) -> Option<Entry> {
        let ((reason, function), count) = self.0.first_key_value()?;
        Some(reason.note(function, *count))
    }

    /// Removes the counts of the next report, after it was written.
    pub(super) fn remove_first(&mut self) {
        self.0.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_any_number_of_functions_are_counted() {
        let mut missing = MissingEntries::default();
        for function in 0..3_000 {
            missing.add(Reason::Disk, &function.to_string(), 2);
        }
        assert_eq!(missing.count(), 6_000);
        let mut notes = Vec::new();
        while let Some(note) = missing.first() {
            notes.push((note.function.to_string(), note.payload.to_string()));
            missing.remove_first();
        }
        assert_eq!(notes.len(), MAX_FUNCTIONS + 1);
        let others = notes.iter().find(|note| note.0 == OTHERS).unwrap();
        assert!(others.1.starts_with("4000 log entries"), "{}", others.1);
    }
}
