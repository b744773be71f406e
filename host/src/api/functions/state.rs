//! What has become of a function.

use std::fmt;

use crate::store::{FunctionRecord, Store, StoreError};

/// What has become of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FunctionState {
    /// The host that serves has taken it up.
    Active,
    /// The host that serves has not looked at it yet.
    Deploying,
    /// The host that serves cannot serve it, for this reason; an earlier state may go on serving.
    Failed(String),
    /// What the store has of it cannot be read, for this reason.
    Damaged(String),
    /// No host serves the functions of the store.
    NotServed,
}

impl FunctionState {
    /// Of the function with this `record`.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) fn of(record: &FunctionRecord, store: &Store) -> Result<Self, StoreError> {
        if let Some(damage) = &record.damage {
            return Ok(Self::Damaged(damage.clone()));
        }
        if !store.serves_functions()? {
            return Ok(Self::NotServed);
        }
        Ok(match store.served(&record.name)? {
            // Times of one width in UTC have the order of their text. A later state has taken this one's place.
            Some(served) if served.updated >= record.updated => match served.problem {
                None => Self::Active,
                Some(problem) => Self::Failed(problem),
            },
            _ => Self::Deploying,
        })
    }

    /// Why it is so, if that is known.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) | Self::Damaged(reason) => Some(reason),
            Self::Active | Self::Deploying | Self::NotServed => None,
        }
    }
}

/// The word for it in lists and documents.
impl fmt::Display for FunctionState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "ACTIVE",
            Self::Deploying => "DEPLOYING",
            Self::Failed(_) => "FAILED",
            Self::Damaged(_) => "DAMAGED",
            Self::NotServed => "NOT SERVED",
        })
    }
}
