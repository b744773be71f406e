//! Jobs, and when each is due next.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::{JobName, JobSettings, Store, StoreError, now, suggestion};

/// Tells a job from others that had its name before.
pub type JobId = i64;

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// Which one it is.
    pub id: JobId,
    /// Its name.
    pub name: JobName,
    /// What it does, and when.
    pub settings: JobSettings,
    /// Whether it waits to be resumed.
    pub is_paused: bool,
    /// The first due time that has not been dealt with.
    pub next_due: Option<Timestamp>,
    /// The configuration file that declares it, if one does.
    pub declared_in: Option<String>,
    /// When it was created, in RFC 3339.
    pub created: String,
    /// When it was changed last, in RFC 3339.
    pub updated: String,
}

/// A job that a configuration file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDeclaration {
    /// Its name.
    pub name: JobName,
    /// What it does, and when.
    pub settings: JobSettings,
    /// When it is due first, if it is new or changed.
    pub next_due: Option<Timestamp>,
}

/// How many jobs are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Those that wait for their time.
    pub enabled: u32,
    /// Those that wait to be resumed.
    pub paused: u32,
    /// The earliest due time of all.
    pub next_due: Option<Timestamp>,
}

pub(super) const COLUMNS: &str =
    "jobs.id, name, settings, is_paused, next_due, declared_in, jobs.created, updated";
/// How many columns these are.
pub(super) const COLUMN_COUNT: usize = 8;

impl Store {
    /// Keeps a new job, due first at `next_due`.
    ///
    /// # Errors
    /// If there is one of this name, or the database fails.
    pub fn create_job(
        &self,
        name: &JobName,
        settings: &JobSettings,
        next_due: Option<Timestamp>,
    ) -> Result<JobRecord, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if find(&transaction, name)?.is_some() {
            return Err(StoreError::JobExists(name.clone()));
        }
        insert(&transaction, name, settings, next_due, None)?;
        let record = find(&transaction, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        transaction.commit()?;
        Ok(record)
    }

    /// Changes a job as `change` says, which may see it change under its hands in no way.
    ///
    /// # Errors
    /// If there is none, a file declares it, `change` refuses, or the database fails.
    pub fn change_job(
        &self,
        name: &JobName,
        change: impl FnOnce(&mut JobRecord) -> Result<(), String>,
    ) -> Result<JobRecord, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(mut record) = find(&transaction, name)? else {
            return Err(missing(&transaction, name)?);
        };
        refuse_declared(&record)?;
        change(&mut record).map_err(StoreError::Settings)?;
        record.updated = now();
        replace(&transaction, &record)?;
        transaction.commit()?;
        Ok(record)
    }

    /// Removes a job and its history.
    ///
    /// # Errors
    /// If there is none, a file declares it, or the database fails.
    pub fn delete_job(&self, name: &JobName) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(record) = find(&transaction, name)? else {
            return Err(missing(&transaction, name)?);
        };
        refuse_declared(&record)?;
        transaction.execute("DELETE FROM jobs WHERE id = ?", [record.id])?;
        transaction.commit()?;
        Ok(())
    }

    /// Whether a file may declare `jobs`.
    ///
    /// # Errors
    /// If one of them has been created already, or the database fails.
    pub fn check_jobs(&self, jobs: &[JobDeclaration]) -> Result<(), StoreError> {
        let connection = self.connection();
        for job in jobs {
            let before = find(&connection, &job.name)?;
            if before.is_some_and(|before| before.declared_in.is_none()) {
                return Err(StoreError::JobCreated(job.name.clone()));
            }
        }
        Ok(())
    }

    /// Has the jobs that files declare be `jobs`, all declared in `file`. Those that are the same as before stay as they are.
    ///
    /// # Errors
    /// If one of them has been created already, or the database fails; then nothing is changed.
    pub fn declare_jobs(&self, file: &str, jobs: &[JobDeclaration]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for job in jobs {
            match find(&transaction, &job.name)? {
                None => insert(
                    &transaction,
                    &job.name,
                    &job.settings,
                    job.next_due,
                    Some(file),
                )?,
                Some(before) if before.declared_in.is_none() => {
                    return Err(StoreError::JobCreated(job.name.clone()));
                }
                Some(before) if before.settings == job.settings => {}
                Some(before) => {
                    let record = JobRecord {
                        settings: job.settings.clone(),
                        next_due: job.next_due,
                        updated: now(),
                        ..before
                    };
                    replace(&transaction, &record)?;
                }
            }
        }
        remove_undeclared(&transaction, jobs)?;
        transaction.commit()?;
        self.note_change();
        Ok(())
    }

    /// The job `name`.
    ///
    /// # Errors
    /// If there is none, or the database fails.
    pub fn job(&self, name: &JobName) -> Result<JobRecord, StoreError> {
        let connection = self.connection();
        match find(&connection, name)? {
            Some(record) => Ok(record),
            None => Err(missing(&connection, name)?),
        }
    }

    /// All jobs, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs ORDER BY name"))?;
        let rows = statement.query_map([], |row| Ok(record(row)))?;
        rows.map(|row| row?).collect()
    }

    /// How many jobs there are, and the earliest due time.
    ///
    /// # Errors
    /// If the database fails.
    pub fn job_counts(&self) -> Result<JobCounts, StoreError> {
        let counts = self
            .connection()
            .prepare_cached(
                "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM jobs WHERE is_paused), (SELECT min(next_due) FROM jobs)",
            )?
            .query_row([], |row| {
                let (all, paused): (u32, u32) = (row.get(0)?, row.get(1)?);
                Ok(JobCounts {
                    enabled: all - paused,
                    paused,
                    next_due: row.get::<_, Option<i64>>(2)?.map(time),
                })
            })?;
        Ok(counts)
    }
}

fn find(connection: &Connection, name: &JobName) -> Result<Option<JobRecord>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE name = ?"))?
        .query_row([name.as_str()], |row| Ok(record(row)))
        .optional()?
        .transpose()
}

/// A row that begins with [`COLUMNS`].
pub(super) fn record(row: &Row<'_>) -> Result<JobRecord, StoreError> {
    // Names are checked on their way in.
    let name: String = row.get(1)?;
    Ok(JobRecord {
        id: row.get(0)?,
        name: serde_json::from_value(name.into())?,
        settings: serde_json::from_str(&row.get::<_, String>(2)?)?,
        is_paused: row.get(3)?,
        next_due: row.get::<_, Option<i64>>(4)?.map(time),
        declared_in: row.get(5)?,
        created: row.get(6)?,
        updated: row.get(7)?,
    })
}

fn insert(
    connection: &Connection,
    name: &JobName,
    settings: &JobSettings,
    next_due: Option<Timestamp>,
    declared_in: Option<&str>,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO jobs (name, settings, is_paused, next_due, declared_in, created, updated)
         VALUES (?1, ?2, FALSE, ?3, ?4, ?5, ?5)",
        params![
            name.as_str(),
            serde_json::to_string(settings)?,
            next_due.map(micros),
            declared_in,
            now()
        ],
    )?;
    Ok(())
}

fn replace(connection: &Connection, record: &JobRecord) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE jobs SET settings = ?, is_paused = ?, next_due = ?, updated = ? WHERE id = ?",
        params![
            serde_json::to_string(&record.settings)?,
            record.is_paused,
            record.next_due.map(micros),
            record.updated,
            record.id
        ],
    )?;
    Ok(())
}

fn remove_undeclared(
    connection: &Connection,
    declared: &[JobDeclaration],
) -> Result<(), StoreError> {
    let declared: HashSet<&str> = declared.iter().map(|job| job.name.as_str()).collect();
    let mut statement =
        connection.prepare_cached("SELECT name FROM jobs WHERE declared_in IS NOT NULL")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    for name in names
        .iter()
        .filter(|name| !declared.contains(name.as_str()))
    {
        connection.execute("DELETE FROM jobs WHERE name = ?", [name])?;
    }
    Ok(())
}

fn refuse_declared(record: &JobRecord) -> Result<(), StoreError> {
    match &record.declared_in {
        Some(file) => Err(StoreError::JobDeclared {
            name: record.name.clone(),
            file: file.clone(),
        }),
        None => Ok(()),
    }
}

/// That there is no job `name`, and what was probably meant.
fn missing(connection: &Connection, name: &JobName) -> Result<StoreError, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name FROM jobs")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    Ok(StoreError::NoJob {
        name: name.clone(),
        nearest: suggestion::nearest(name.as_str(), names),
    })
}

/// A time as it is stored: microseconds since the Unix epoch.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A time as it was stored. What no program of ours writes becomes the nearest that there is.
pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
