//! The project and the location that a host has.

use std::fmt;

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError, damage};

/// What a host calls its project and its location, as Google's tools want them named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The project's id.
    pub id: String,
    /// The location, which Google also calls region.
    pub location: String,
}

/// The project and the location of a host to which nobody gave others.
const LOCAL: &str = "local";

impl Default for Project {
    fn default() -> Self {
        Self {
            id: LOCAL.into(),
            location: LOCAL.into(),
        }
    }
}

impl Project {
    /// The domain of the addresses of new service accounts.
    pub fn service_account_domain(&self) -> String {
        match self.id.as_str() {
            LOCAL => host_tokens::SERVICE_ACCOUNT_DOMAIN.into(),
            id => format!("{id}.iam.gserviceaccount.com"),
        }
    }

    /// The host name by which Google would serve the functions, such as `us-central1-p.cloudfunctions.net`; none if nobody
    /// named a project.
    pub fn google_name(&self) -> Option<String> {
        let Self { id, location } = self;
        (id != LOCAL).then(|| format!("{location}-{id}.cloudfunctions.net"))
    }

    /// Its full name: `projects/PROJECT`.
    pub fn name(&self) -> String {
        format!("projects/{}", self.id)
    }

    /// The full name of one of a collection of the location, such as `jobs`.
    pub fn of(&self, collection: &str, name: &dyn fmt::Display) -> String {
        let Self { id, location } = self;
        format!("projects/{id}/locations/{location}/{collection}/{name}")
    }
}

impl Store {
    /// The project of the host that serves from this store, or served last.
    ///
    /// # Errors
    /// If the database fails.
    pub fn project(&self) -> Result<Project, StoreError> {
        let project = self
            .connection()
            .prepare_cached("SELECT id, location FROM project")?
            .query_row([], |row| {
                Ok(Project {
                    id: damage::text(row, 0)?,
                    location: damage::text(row, 1)?,
                })
            })
            .optional()?;
        Ok(project.unwrap_or_default())
    }

    /// Has the host be of this project from now on. What is there already keeps its addresses.
    ///
    /// # Errors
    /// If the database fails.
    pub fn set_project(&self, project: &Project) -> Result<(), StoreError> {
        self.change(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO project (number, id, location) VALUES (1, ?, ?)",
                params![project.id, project.location],
            )?;
            Ok(())
        })
    }
}
