//! What is shown of a function, in whichever form.

use serde::Serialize;
use serde_json::{Value, json};

use super::address::base_url;
use super::notes::{Description, Notes, notes};
use super::settle::not_served;
use super::state::FunctionState;
use super::{v1_form, v2_form};
use crate::store::{ApiGeneration, FunctionRecord, Project, Store, StoreError};

/// A function, and what has become of it.
#[derive(Debug)]
pub(super) struct Shown {
    /// Its full name.
    pub(super) name: String,
    /// Where it answers.
    pub(super) url: String,
    /// What is kept of it.
    pub(super) record: FunctionRecord,
    /// The notes on it.
    pub(super) notes: Notes,
    /// What has become of it.
    pub(super) state: FunctionState,
    /// Why it is so, unless it is served.
    pub(super) reason: Option<String>,
}

impl Shown {
    /// Looks up what has become of `record`.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) fn of(
        store: &Store,
        project: &Project,
        record: FunctionRecord,
    ) -> Result<Self, StoreError> {
        let state = FunctionState::of(&record, store)?;
        let reason = match &state {
            FunctionState::NotServed => Some(not_served(store)),
            state => state.reason(),
        };
        Ok(Self {
            name: project.of("functions", &record.name),
            url: format!("{}/{}", base_url(store)?, record.name),
            notes: notes(store, &record.name)?,
            reason: reason.map(str::to_owned),
            record,
            state,
        })
    }

    /// As its clients describe it.
    pub(super) fn description(&self) -> Description {
        Description {
            settings: self.record.settings.clone(),
            notes: self.notes.clone(),
        }
    }

    /// As clients of this version of the API see it.
    pub(super) fn form(&self, version: ApiGeneration) -> Value {
        match version {
            ApiGeneration::First => v1_form::shown(self),
            ApiGeneration::Second => v2_form::shown(self),
        }
    }
}

/// Gives `document` the field, unless the value is the one of a field that is not set.
pub(super) fn put<T: Serialize + Default + PartialEq>(
    document: &mut Value,
    field: &str,
    value: &T,
) {
    if *value != T::default() {
        document[field] = json!(value);
    }
}
