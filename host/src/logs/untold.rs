//! What an output lacks, and has not said yet.

use std::collections::BTreeMap;

use super::entry::Entry;
use super::severity::Severity;

/// How many functions are counted by name at a time; others are counted together.
const MOST_FUNCTIONS: usize = 1000;
/// The name of those.
const OTHERS: &str = "(others)";

/// Why entries are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// They came faster than they could be written.
    Behind,
    /// The disk is full, or failed.
    Disk,
}

/// Counts of missing entries by function.
#[derive(Debug, Default)]
pub(super) struct Untold(BTreeMap<(Reason, String), u64>);

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Self::Behind => "the log output could not keep up",
            Self::Disk => "they could not be written to the disk",
        }
    }

    /// What is said of `function` that misses `count` entries.
    pub(super) fn note(self, function: &str, count: u64) -> Entry {
        let text = format!(
            "{count} log entries of this function were left out: {}",
            self.words()
        );
        Entry::note(function.into(), None, Severity::Warning, text)
    }
}

impl Untold {
    /// Adds `count` entries of `function`.
    pub(super) fn add(&mut self, reason: Reason, function: &str, count: u64) {
        let key = (reason, function.to_owned());
        let has_place = self.0.len() < MOST_FUNCTIONS || self.0.contains_key(&key);
        let key = if has_place {
            key
        } else {
            (reason, OTHERS.to_owned())
        };
        *self.0.entry(key).or_default() += count;
    }

    /// How many entries there are.
    pub(super) fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// What is to be said first.
    pub(super) fn first(&self) -> Option<Entry> {
        let ((reason, function), count) = self.0.first_key_value()?;
        Some(reason.note(function, *count))
    }

    /// It was said.
    pub(super) fn remove_first(&mut self) {
        self.0.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_functions_lose_entries_all_are_counted() {
        let mut untold = Untold::default();
        for function in 0..3_000 {
            untold.add(Reason::Disk, &function.to_string(), 2);
        }
        assert_eq!(untold.count(), 6_000);
        let mut notes = Vec::new();
        while let Some(note) = untold.first() {
            notes.push((note.function.to_string(), note.payload.to_string()));
            untold.remove_first();
        }
        assert_eq!(notes.len(), MOST_FUNCTIONS + 1);
        let others = notes.iter().find(|note| note.0 == OTHERS).unwrap();
        assert!(others.1.starts_with("4000 log entries"), "{}", others.1);
    }
}
