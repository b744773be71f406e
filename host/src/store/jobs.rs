//! Jobs, as their owners want them and as the scheduler has decided.
//!
//! Commands and configuration files write the settings, and whether a job is paused. They add a row for each change (see
//! [`JobChange`](super::JobChange)). `jobs run` writes its run itself, which is the request: a run that waits to be tried at once.
//! Commands write nothing else. When a job is due is written by the scheduler alone.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::damage;
use super::job_changes::note_change;
use super::{JobDeclaration, JobName, JobSettings, Store, StoreError, now, suggestion};

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
    /// The first due time that the scheduler has not decided, as of its last look at the job.
    pub next_due: Option<Timestamp>,
    /// Up to when the scheduler has decided the due times; `None` if it has not looked at the job yet.
    pub decided: Option<Timestamp>,
    /// When the job was created or changed last, if the scheduler has not taken that up yet.
    pub changed: Option<Timestamp>,
    /// The configuration file that declares it, if one does.
    pub declared_in: Option<String>,
    /// When it was created, in RFC 3339.
    pub created: String,
    /// When it was changed last, in RFC 3339.
    pub updated: String,
    /// What is wrong with the record, if it cannot be read: then the settings are the defaults, which make no job.
    pub damage: Option<String>,
}

/// How many jobs are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Those that wait for their time.
    pub enabled: u32,
    /// Those that wait to be resumed.
    pub paused: u32,
    /// When the scheduler looks at one next; as a rule, when the first is due.
    pub next_due: Option<Timestamp>,
}

pub(super) const COLUMNS: &str =
    "jobs.id, name, settings, is_paused, next_due, declared_in, jobs.created, updated, decided,
     (SELECT max(changed) FROM job_changes WHERE job_changes.job = jobs.id)";
/// How many columns these are.
pub(super) const COLUMN_COUNT: usize = 10;

impl Store {
    /// Keeps a new job, created at `now`: it is due at the times of its schedule after that.
    ///
    /// # Errors
    /// If there is one of this name, or the database fails.
    pub fn create_job(
        &self,
        name: &JobName,
        settings: &JobSettings,
        now: Timestamp,
    ) -> Result<JobRecord, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if find(&transaction, name)?.is_some() {
            return Err(StoreError::JobExists(name.clone()));
        }
        let job = JobDeclaration {
            name: name.clone(),
            settings: settings.clone(),
            is_paused: false,
        };
        insert(&transaction, &job, None, now)?;
        let record = find(&transaction, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        transaction.commit()?;
        self.note_change();
        Ok(record)
    }

    /// Changes the settings of a job, or whether it is paused, as `change` says. The scheduler takes that up as of `now`.
    ///
    /// # Errors
    /// If there is none, a file declares it, `change` refuses, or the database fails.
    pub fn change_job(
        &self,
        name: &JobName,
        now: Timestamp,
        change: impl FnOnce(&mut JobRecord) -> Result<(), StoreError>,
    ) -> Result<JobRecord, StoreError> {
        let changed = self.write_jobs(|ledger| {
            let Some(before) = find(&ledger.0, name)? else {
                return Err(missing(&ledger.0, name)?);
            };
            refuse_declared(&before)?;
            if let Some(damage) = before.damage {
                let name = before.name;
                return Err(StoreError::DamagedJob { name, damage });
            }
            let mut after = before.clone();
            change(&mut after)?;
            replace(&ledger.0, &before, after, now)
        })?;
        self.note_change();
        Ok(changed)
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
        damage::named(rows)
    }

    /// How many jobs there are, and the earliest due time.
    ///
    /// # Errors
    /// If the database fails.
    pub fn job_counts(&self) -> Result<JobCounts, StoreError> {
        let counts = self
            .connection()
            .prepare_cached(
                "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM jobs WHERE is_paused), (SELECT min(next_look) FROM jobs WHERE next_look IS NOT NULL)",
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

pub(super) fn find(
    connection: &Connection,
    name: &JobName,
) -> Result<Option<JobRecord>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE name = ?"))?
        .query_row([name.as_str()], |row| Ok(record(row)))
        .optional()?
        .transpose()
}

/// A row that begins with [`COLUMNS`].
pub(super) fn record(row: &Row<'_>) -> Result<JobRecord, StoreError> {
    // Names are checked on their way in.
    let name = damage::text(row, 1)?;
    let (settings, damage) = damage::settings(row, 2)?;
    Ok(JobRecord {
        id: row.get(0)?,
        name: serde_json::from_value(name.into())?,
        settings,
        is_paused: row.get(3)?,
        next_due: row.get::<_, Option<i64>>(4)?.map(time),
        declared_in: damage::optional_text(row, 5)?,
        created: damage::text(row, 6)?,
        updated: damage::text(row, 7)?,
        damage,
        decided: row.get::<_, Option<i64>>(8)?.map(time),
        changed: row.get::<_, Option<i64>>(9)?.map(time),
    })
}

/// Adds a job that was created at `created`.
pub(super) fn insert(
    connection: &Connection,
    job: &JobDeclaration,
    declared_in: Option<&str>,
    created: Timestamp,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO jobs (name, settings, is_paused, declared_in, created, updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![
            job.name.as_str(),
            serde_json::to_string(&job.settings)?,
            job.is_paused,
            declared_in,
            now()
        ],
    )?;
    note_change(
        connection,
        connection.last_insert_rowid(),
        None,
        false,
        created,
    )
}

/// Replaces `before` by `after`, as a change that was made at `changed`. Returns what was written.
pub(super) fn replace(
    connection: &Connection,
    before: &JobRecord,
    mut after: JobRecord,
    changed: Timestamp,
) -> Result<JobRecord, StoreError> {
    after.updated = now();
    connection.execute(
        "UPDATE jobs SET settings = ?, is_paused = ?, updated = ? WHERE id = ?",
        params![
            serde_json::to_string(&after.settings)?,
            after.is_paused,
            after.updated,
            after.id
        ],
    )?;
    let was_due_by = (!before.is_paused).then_some(&before.settings);
    let is_pause = !before.is_paused && after.is_paused;
    note_change(connection, after.id, was_due_by, is_pause, changed)?;
    after.changed = before.changed.max(Some(changed));
    Ok(after)
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
    let names = statement.query_map([], |row| damage::text(row, 0))?;
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
