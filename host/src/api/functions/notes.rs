//! What Google's API knows of a function and this host has no use for: kept, so that clients find what they have set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::Status;
use crate::store::FunctionName;
use crate::store::{ApiGeneration, FunctionSettings, Store, StoreError};

/// The most bytes of the notes on a function, as JSON.
const LARGEST: usize = 64 << 10;

/// The runtime of a function of which nobody has named another: this host runs components of WASI.
pub(super) const RUNTIME: &str = "wasi";

/// The notes on a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Notes {
    /// Whether it was created as a function of the first generation.
    pub(super) is_first_generation: bool,
    /// What its owner says of it.
    pub(super) description: String,
    /// What its source is written in.
    pub(super) runtime: Option<String>,
    /// What is called in its source.
    pub(super) entry_point: Option<String>,
    /// Environment variables of its build.
    pub(super) build_environment: BTreeMap<String, String>,
    /// Where images would be kept.
    pub(super) docker_registry: Option<String>,
    /// Whether plain HTTP would be redirected.
    pub(super) security_level: Option<String>,
    /// How many processors an instance would have.
    pub(super) cpu: Option<String>,
}

impl Notes {
    /// Those of a function that is created by this version of the API.
    pub(super) fn of_new(version: ApiGeneration) -> Self {
        Self {
            is_first_generation: version == ApiGeneration::First,
            ..Self::default()
        }
    }

    /// Reads them from the store's text. What cannot be read was noted by nobody.
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    fn text(&self) -> Result<String, Status> {
        let text = serde_json::to_string(self).map_err(StoreError::from)?;
        match text.len() > LARGEST {
            true => Err(Status::invalid(format!(
                "the function's description, runtime, entry point and build environment have {} bytes together; expected \
                 {LARGEST} at most",
                text.len()
            ))),
            false => Ok(text),
        }
    }
}

/// A function as clients describe it: the settings that it runs by, and notes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Description {
    /// The settings.
    pub(super) settings: FunctionSettings,
    /// The notes.
    pub(super) notes: Notes,
}

impl Description {
    /// Reads what the store has.
    pub(super) fn read(settings: FunctionSettings, notes: &str) -> Self {
        Self {
            settings,
            notes: Notes::read(notes),
        }
    }

    /// As the store has it.
    ///
    /// # Errors
    /// If the notes are too large.
    pub(super) fn into_parts(self) -> Result<(FunctionSettings, String), Status> {
        let notes = self.notes.text()?;
        Ok((self.settings, notes))
    }
}

/// The notes on the function `name`.
///
/// # Errors
/// If the database fails.
pub(super) fn notes(store: &Store, name: &FunctionName) -> Result<Notes, StoreError> {
    store.function_notes(name).map(|text| Notes::read(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_and_those_that_cannot_be_read_are_none() {
        let notes = Notes {
            description: "d".into(),
            ..Notes::of_new(ApiGeneration::First)
        };
        assert_eq!(Notes::read(&notes.text().unwrap()), notes);
        assert_eq!(Notes::read("{}"), Notes::default());
        assert_eq!(Notes::read("["), Notes::of_new(ApiGeneration::Second));
    }

    #[test]
    fn notes_are_bounded() {
        let mut notes = Notes::default();
        let room = LARGEST - notes.text().unwrap().len();
        notes.description = "d".repeat(room);
        assert!(notes.text().is_ok());
        notes.description.push('d');
        assert!(notes.text().unwrap_err().message.contains("65537"));
    }
}
