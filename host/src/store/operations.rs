//! Long-running operations: changes of functions that clients ask for, and then ask about until they are done.
//!
//! What an operation changes and that it has changed it are written in one transaction, and only while the operation
//! runs. So whatever happens to the process, an operation that failed for an interruption has changed nothing, and one
//! that changed something is told as done once the function serves.

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::damage;
use super::function_notes;
use super::functions;
use super::jobs::{micros, time};
use super::service_accounts;
use super::{
    FunctionName, FunctionRecord, FunctionSettings, Revision, ServiceAccountRecord, Store,
    StoreError,
};

/// How many operations are kept, however old they are.
const KEPT: i64 = 1000;
/// How long an operation is kept in any case but that there are too many.
const KEPT_TIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many operations there are at most, but for those that run.
const MOST: i64 = 10_000;
/// The code of an operation that was interrupted: `ABORTED` (google.rpc.Code).
const ABORTED: i32 = 10;

/// What an operation does to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationVerb {
    /// Deploys a new one.
    Create,
    /// Deploys another revision of it.
    Update,
    /// Removes it.
    Delete,
}

impl OperationVerb {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "create" => Self::Create,
            "delete" => Self::Delete,
            // The table takes no other word.
            _ => Self::Update,
        }
    }
}

/// The version of the Cloud Functions API that an operation was asked for with, which says how its name and metadata
/// look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiGeneration {
    /// `v1`.
    First,
    /// `v2`.
    Second,
}

impl ApiGeneration {
    fn number(self) -> i64 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }

    fn of(number: i64) -> Self {
        match number {
            1 => Self::First,
            _ => Self::Second,
        }
    }
}

/// An operation that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOperation {
    /// The full name of what it changes, such as `projects/p/locations/l/functions/f`.
    pub target: String,
    /// What it does to it.
    pub verb: OperationVerb,
    /// With which version of the API it was asked for.
    pub generation: ApiGeneration,
    /// Who asked for it.
    pub principal: String,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationOutcome {
    /// It is done. Its response, as JSON.
    Response(String),
    /// It failed.
    Error {
        /// The number of a `google.rpc.Code`.
        code: i32,
        /// Why, in words.
        message: String,
    },
}

/// An operation as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRecord {
    /// Its place among the others: later ones have higher numbers.
    pub number: i64,
    /// Its id: 32 hexadecimal digits, without what comes before it in its name.
    pub id: String,
    /// What it was begun with.
    pub operation: NewOperation,
    /// When it began.
    pub created: Timestamp,
    /// The revision that it has deployed, or removed; `None` if it has changed nothing.
    pub deployed_revision: Option<Revision>,
    /// When it ended, and what came of it, unless it runs.
    pub end: Option<(Timestamp, OperationOutcome)>,
}

/// Why there is nothing to do with an operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// There is no such operation.
    #[error("there is no operation `{}`; operations are kept for seven days", _0.escape_debug())]
    Missing(String),
    /// An operation that has ended changes nothing any more, and one changes something once.
    #[error(
        "the operation `{0}` has ended or was carried out already, so nothing was changed; begin another one"
    )]
    Ended(String),
}

const COLUMNS: &str = "number, id, target, verb, generation, principal, created, deployed_revision, ended, response, \
                       error_code, error_message";

impl Store {
    /// Begins `operation`, and removes operations that are old.
    ///
    /// # Errors
    /// If the database fails.
    pub fn begin_operation(
        &self,
        operation: NewOperation,
        now: Timestamp,
    ) -> Result<OperationRecord, StoreError> {
        let id = HEXLOWER.encode(&rand::random::<[u8; 16]>());
        let connection = self.connection();
        connection.execute(
            "INSERT INTO operations (id, target, verb, generation, principal, created) VALUES (?, ?, ?, ?, ?, ?)",
            params![
                id,
                operation.target,
                operation.verb.as_str(),
                operation.generation.number(),
                operation.principal,
                micros(now)
            ],
        )?;
        let number = connection.last_insert_rowid();
        remove_old(&connection, number, now)?;
        Ok(OperationRecord {
            number,
            id,
            operation,
            created: now,
            deployed_revision: None,
            end: None,
        })
    }

    /// The operation `id`.
    ///
    /// # Errors
    /// If there is no such operation, or the database fails.
    pub fn operation(&self, id: &str) -> Result<OperationRecord, StoreError> {
        let found = self
            .connection()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM operations WHERE id = ?"))?
            .query_row([id], record)
            .optional()?;
        Ok(found.ok_or_else(|| OperationError::Missing(id.to_owned()))?)
    }

    /// The latest `limit` operations, the newest first; of those with lower numbers than `before`, if it is given.
    ///
    /// # Errors
    /// If the database fails.
    pub fn operations(
        &self,
        limit: usize,
        before: Option<i64>,
    ) -> Result<Vec<OperationRecord>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM operations WHERE number < ? ORDER BY number DESC LIMIT ?"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![before.unwrap_or(i64::MAX), limit], record)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// As [`deploy`](Self::deploy), for the operation `id`, which gets the revision in the same transaction. `change` makes the
    /// notes of those that there are, too.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy), or if there is no such operation or it does not run, it is to create a function that there
    /// is already, or to update one that there is not. Then nothing is changed.
    pub fn deploy_for_operation(
        &self,
        id: &str,
        name: &FunctionName,
        component: Option<&[u8]>,
        change: impl FnOnce(
            FunctionSettings,
            String,
            &[ServiceAccountRecord],
        ) -> Result<(FunctionSettings, String), String>,
    ) -> Result<FunctionRecord, StoreError> {
        self.change(|transaction| {
            let before = function_notes::read(transaction, name)?;
            let accounts = service_accounts::all(transaction)?;
            let mut notes = None;
            let deployed = functions::deploy(transaction, name, component, |settings| {
                let (settings, changed) = change(settings, before, &accounts)?;
                notes = Some(changed);
                Ok(settings)
            })?;
            if let Some(notes) = notes {
                function_notes::put(transaction, name, &notes)?;
            }
            put_revision(transaction, id, deployed.revision)?;
            check_verb(transaction, id, &deployed)?;
            Ok(deployed)
        })
    }

    /// As [`delete`](Self::delete), for the operation `id`, which gets the revision that was removed in the same
    /// transaction.
    ///
    /// # Errors
    /// As [`delete`](Self::delete), or if there is no such operation or it does not run. Then nothing is changed.
    pub fn delete_for_operation(&self, id: &str, name: &FunctionName) -> Result<(), StoreError> {
        self.change(|transaction| {
            let removed = functions::delete(transaction, name)?;
            put_revision(transaction, id, removed)
        })
    }

    /// Ends the operation `id` with `outcome`.
    ///
    /// # Errors
    /// If there is no such operation, it has ended already, or the database fails.
    pub fn end_operation(
        &self,
        id: &str,
        outcome: &OperationOutcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (response, code, message) = match outcome {
            OperationOutcome::Response(json) => (Some(json), None, None),
            OperationOutcome::Error { code, message } => (None, Some(code), Some(message)),
        };
        let connection = self.connection();
        let ended = connection.execute(
            "UPDATE operations SET ended = ?, response = ?, error_code = ?, error_message = ?
             WHERE id = ? AND ended IS NULL",
            params![micros(now), response, code, message, id],
        )?;
        refuse_none(&connection, id, ended)
    }

    /// Ends the operations that run and have changed nothing, as failed, and tells how many they were: at the start of
    /// a host, before it begins any. Nothing is changed by them from now on, even if another process still has one of
    /// them.
    ///
    /// # Errors
    /// If the database fails.
    pub fn abort_interrupted_operations(&self, now: Timestamp) -> Result<usize, StoreError> {
        let aborted = self.connection().execute(
            "UPDATE operations SET ended = ?, error_code = ?, error_message = iif(verb = 'delete',
                'the host ended before the function was deleted; nothing was changed; delete it again',
                'the host ended before the function was deployed; nothing was changed; deploy again')
             WHERE ended IS NULL AND deployed_revision IS NULL",
            params![micros(now), ABORTED],
        )?;
        Ok(aborted)
    }

    /// The operations that run, the oldest first. At the start of a host, after
    /// [`abort_interrupted_operations`](Self::abort_interrupted_operations), these are the ones of an earlier process
    /// that have changed something, and are done once the function serves, or is gone.
    ///
    /// # Errors
    /// If the database fails.
    pub fn interrupted_operations(&self) -> Result<Vec<OperationRecord>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM operations WHERE ended IS NULL ORDER BY number"
        ))?;
        let rows = statement.query_map([], record)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Notes that the operation `id` has deployed or removed `revision`.
fn put_revision(connection: &Connection, id: &str, revision: Revision) -> Result<(), StoreError> {
    let noted = connection.execute(
        "UPDATE operations SET deployed_revision = ? WHERE id = ? AND ended IS NULL AND deployed_revision IS NULL",
        params![revision, id],
    )?;
    refuse_none(connection, id, noted)
}

/// Makes sure that the operation `id` has deployed the first revision if it is to create a function, and else another one.
fn check_verb(
    connection: &Connection,
    id: &str,
    deployed: &FunctionRecord,
) -> Result<(), StoreError> {
    let verb = connection.query_row("SELECT verb FROM operations WHERE id = ?", [id], |row| {
        damage::text(row, 0)
    })?;
    match (OperationVerb::of(&verb), deployed.revision) {
        (OperationVerb::Create, 1) => Ok(()),
        (OperationVerb::Create, _) => Err(StoreError::FunctionExists(deployed.name.clone())),
        (_, 1) => Err(StoreError::NoFunction {
            name: deployed.name.clone(),
            nearest: None,
        }),
        _ => Ok(()),
    }
}

/// Says why no operation was changed, if none was.
fn refuse_none(connection: &Connection, id: &str, changed: usize) -> Result<(), StoreError> {
    if changed > 0 {
        return Ok(());
    }
    let is_there: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM operations WHERE id = ?)",
        [id],
        |row| row.get(0),
    )?;
    Err(match is_there {
        true => OperationError::Ended(id.to_owned()).into(),
        false => OperationError::Missing(id.to_owned()).into(),
    })
}

/// Removes operations that have ended and are too old, or too many, beside the `latest`.
fn remove_old(connection: &Connection, latest: i64, now: Timestamp) -> Result<(), StoreError> {
    let since = micros(now).saturating_sub(KEPT_TIME.as_micros() as i64);
    connection.execute(
        "DELETE FROM operations WHERE ended IS NOT NULL
         AND (number <= ?1 OR (number <= ?2 AND created < ?3))",
        params![latest - MOST, latest - KEPT, since],
    )?;
    Ok(())
}

fn record(row: &Row<'_>) -> Result<OperationRecord, rusqlite::Error> {
    let revision: Option<i64> = row.get(7)?;
    Ok(OperationRecord {
        number: row.get(0)?,
        id: damage::text(row, 1)?,
        operation: NewOperation {
            target: damage::text(row, 2)?,
            verb: OperationVerb::of(&damage::text(row, 3)?),
            generation: ApiGeneration::of(row.get(4)?),
            principal: damage::text(row, 5)?,
        },
        created: time(row.get(6)?),
        deployed_revision: revision
            .map(|revision| Revision::try_from(revision).unwrap_or(Revision::MAX)),
        end: end(row)?,
    })
}

fn end(row: &Row<'_>) -> Result<Option<(Timestamp, OperationOutcome)>, rusqlite::Error> {
    let Some(ended) = row.get::<_, Option<i64>>(8)? else {
        return Ok(None);
    };
    let outcome = match damage::optional_text(row, 9)? {
        Some(response) => OperationOutcome::Response(response),
        None => OperationOutcome::Error {
            code: row.get(10)?,
            message: damage::text(row, 11)?,
        },
    };
    Ok(Some((time(ended), outcome)))
}
