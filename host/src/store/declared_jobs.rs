//! Jobs that configuration files declare.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::Connection;

use super::damage;
use super::jobs::{find, insert, replace};
use super::{JobName, JobSettings, Store, StoreError};

/// A job that a configuration file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDeclaration {
    /// Its name.
    pub name: JobName,
    /// What it does, and when.
    pub settings: JobSettings,
    /// Whether it is paused.
    pub is_paused: bool,
}

impl Store {
    /// Whether a file may declare jobs of these names.
    ///
    /// # Errors
    /// If one of them has been created already, or the database fails.
    pub fn check_jobs<'a>(
        &self,
        names: impl IntoIterator<Item = &'a JobName>,
    ) -> Result<(), StoreError> {
        let connection = self.connection();
        for name in names {
            let before = find(&connection, name)?;
            if before.is_some_and(|before| before.declared_in.is_none()) {
                return Err(StoreError::JobCreated(name.clone()));
            }
        }
        Ok(())
    }

    /// Makes the jobs that files declare those in `jobs`, all declared in `file`. Those that are the same as before stay as
    /// they are; the others are created or changed as of `now`.
    ///
    /// # Errors
    /// If one of them has been created already, or the database fails; then nothing is changed.
    pub fn declare_jobs(
        &self,
        file: &str,
        jobs: &[JobDeclaration],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_jobs(|ledger| {
            let connection = &ledger.0;
            for job in jobs {
                match find(connection, &job.name)? {
                    None => insert(connection, job, Some(file), now)?,
                    Some(before) if before.declared_in.is_none() => {
                        return Err(StoreError::JobCreated(job.name.clone()));
                    }
                    Some(before)
                        if before.damage.is_none()
                            && before.settings == job.settings
                            && before.is_paused == job.is_paused => {}
                    Some(before) => {
                        let mut after = before.clone();
                        (after.settings, after.is_paused) = (job.settings.clone(), job.is_paused);
                        replace(connection, &before, after, now)?;
                    }
                }
            }
            remove_undeclared(connection, jobs)
        })?;
        self.note_change();
        Ok(())
    }
}

fn remove_undeclared(
    connection: &Connection,
    declared: &[JobDeclaration],
) -> Result<(), StoreError> {
    let declared: HashSet<&str> = declared.iter().map(|job| job.name.as_str()).collect();
    let mut statement =
        connection.prepare_cached("SELECT name FROM jobs WHERE declared_in IS NOT NULL")?;
    let names = statement.query_map([], |row| damage::text(row, 0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    for name in names
        .iter()
        .filter(|name| !declared.contains(name.as_str()))
    {
        connection.execute("DELETE FROM jobs WHERE name = ?", [name])?;
    }
    Ok(())
}
