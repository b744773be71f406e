//! Jobs that configuration files declare.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::Connection;

use super::damage;
use super::jobs::{find, insert, replace};
use super::{JobLedger, JobName, JobRecord, JobSettings, Store, StoreError, now};

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

    /// Has the jobs that files declare be `jobs`, all declared in `file`, with when each is due first if it is new. Those that
    /// are the same as before stay as they are; `change` makes of a job what is declared, and sees to its due times.
    ///
    /// # Errors
    /// If one of them has been created already, `change` refuses, or the database fails; then nothing is changed.
    pub fn declare_jobs(
        &self,
        file: &str,
        jobs: &[(JobDeclaration, Option<Timestamp>)],
        change: impl Fn(&JobLedger<'_>, &mut JobRecord, &JobDeclaration) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.write_jobs(|ledger| {
            let connection = &ledger.0;
            for (job, next_due) in jobs {
                match find(connection, &job.name)? {
                    None => insert(connection, job, *next_due, Some(file))?,
                    Some(before) if before.declared_in.is_none() => {
                        return Err(StoreError::JobCreated(job.name.clone()));
                    }
                    Some(before)
                        if before.damage.is_none()
                            && before.settings == job.settings
                            && before.is_paused == job.is_paused => {}
                    Some(mut record) => {
                        change(ledger, &mut record, job)?;
                        record.updated = now();
                        replace(connection, &record)?;
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
    declared: &[(JobDeclaration, Option<Timestamp>)],
) -> Result<(), StoreError> {
    let declared: HashSet<&str> = declared.iter().map(|(job, _)| job.name.as_str()).collect();
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
