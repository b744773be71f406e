//! Tables, and how an older database becomes a newer one.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// Marks a database as a store of this program: `host` in ASCII.
const APPLICATION_ID: u32 = 0x686f_7374;

/// What leads from each version to the next. What stands here is never changed, only added to.
const MIGRATIONS: [&str; 9] = [
    "
    CREATE TABLE components (
        sha256 TEXT PRIMARY KEY,
        wasm BLOB NOT NULL
    ) STRICT;
    CREATE TABLE functions (
        name TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        component TEXT NOT NULL REFERENCES components (sha256),
        settings TEXT NOT NULL,
        declared_in TEXT,
        created TEXT NOT NULL,
        updated TEXT NOT NULL
    ) STRICT;
    CREATE INDEX functions_component ON functions (component);
    CREATE TABLE service_accounts (
        email TEXT PRIMARY KEY,
        subject TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT;
    CREATE TABLE signing_keys (
        id TEXT PRIMARY KEY,
        algorithm TEXT NOT NULL,
        pkcs8 BLOB NOT NULL,
        published INTEGER NOT NULL,
        signing INTEGER,
        retired INTEGER
    ) STRICT;
    CREATE TABLE revocations (
        issuer TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('subject', 'token', 'key')),
        value TEXT NOT NULL,
        created TEXT NOT NULL,
        PRIMARY KEY (issuer, kind, value)
    ) STRICT;
    CREATE TABLE identity_changes (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        made INTEGER NOT NULL,
        taken_up INTEGER NOT NULL
    ) STRICT;
    INSERT INTO identity_changes VALUES (1, 0, 0);
    CREATE TRIGGER account_created AFTER INSERT ON service_accounts
        BEGIN UPDATE identity_changes SET made = made + 1; END;
    CREATE TRIGGER account_deleted AFTER DELETE ON service_accounts
        BEGIN UPDATE identity_changes SET made = made + 1; END;
    CREATE TRIGGER key_written AFTER INSERT ON signing_keys
        BEGIN UPDATE identity_changes SET made = made + 1; END;
    CREATE TRIGGER key_deleted AFTER DELETE ON signing_keys
        BEGIN UPDATE identity_changes SET made = made + 1; END;
    CREATE TRIGGER revoked AFTER INSERT ON revocations
        BEGIN UPDATE identity_changes SET made = made + 1; END;
    CREATE TABLE serving_host (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        pid INTEGER NOT NULL,
        url TEXT NOT NULL,
        public_urls TEXT NOT NULL,
        issuer TEXT NOT NULL,
        started TEXT NOT NULL
    ) STRICT;
    CREATE TABLE served_functions (
        name TEXT PRIMARY KEY,
        updated TEXT NOT NULL,
        problem TEXT
    ) STRICT;
",
    "
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL,
        is_paused INTEGER NOT NULL,
        next_due INTEGER,
        declared_in TEXT,
        created TEXT NOT NULL,
        updated TEXT NOT NULL
    ) STRICT;
    CREATE INDEX jobs_next_due ON jobs (next_due);
    CREATE INDEX jobs_paused ON jobs (id) WHERE is_paused;
    CREATE TABLE job_runs (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        scheduled INTEGER NOT NULL,
        trigger TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        next_attempt INTEGER,
        ended INTEGER,
        PRIMARY KEY (job, scheduled)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX job_runs_going ON job_runs (job) WHERE state IN ('waiting', 'running');
    CREATE INDEX job_runs_next_attempt ON job_runs (next_attempt) WHERE next_attempt IS NOT NULL;
    CREATE TABLE job_attempts (
        job INTEGER NOT NULL,
        scheduled INTEGER NOT NULL,
        number INTEGER NOT NULL,
        started INTEGER NOT NULL,
        ended INTEGER,
        code TEXT,
        status INTEGER,
        reason TEXT,
        execution TEXT,
        PRIMARY KEY (job, scheduled, number),
        FOREIGN KEY (job, scheduled) REFERENCES job_runs (job, scheduled) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX job_attempts_going ON job_attempts (job) WHERE ended IS NULL;
",
    "
    ALTER TABLE serving_host ADD COLUMN public_url TEXT;
    ALTER TABLE serving_host ADD COLUMN serves_functions INTEGER NOT NULL DEFAULT 1;
",
    "
    ALTER TABLE serving_host ADD COLUMN issuers TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE serving_host ADD COLUMN config TEXT;
    ALTER TABLE serving_host ADD COLUMN component TEXT NOT NULL DEFAULT 'null';
",
    // What was due before the next due time had been decided; what is due later had not.
    "
    ALTER TABLE jobs ADD COLUMN decided INTEGER;
    UPDATE jobs SET decided = next_due - 1;
    CREATE TABLE job_spans (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (job, first)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE job_runs ADD COLUMN since INTEGER;
    UPDATE job_runs SET since = (SELECT min(started) FROM job_attempts
        WHERE job_attempts.job = job_runs.job AND job_attempts.scheduled = job_runs.scheduled)
        WHERE state IN ('waiting', 'running');
    ALTER TABLE job_runs ADD COLUMN parked TEXT;
    DROP INDEX job_runs_next_attempt;
    CREATE INDEX job_runs_next_attempt ON job_runs (next_attempt)
        WHERE next_attempt IS NOT NULL AND parked IS NULL;
    CREATE INDEX job_runs_parked ON job_runs (parked, next_attempt) WHERE parked IS NOT NULL;
    ALTER TABLE job_attempts ADD COLUMN took INTEGER;
    CREATE TABLE job_outcomes (
        outcome TEXT PRIMARY KEY,
        runs INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    // What is due from the next due time on has not been decided. A next due time within a second is no due time: it said when
    // a job that cannot run was to be looked at again, an hour after the last time; what was due by then has been decided.
    "
    DROP TABLE job_spans;
    DROP TABLE job_outcomes;
    DROP INDEX job_runs_parked;
    DROP INDEX job_runs_next_attempt;
    ALTER TABLE job_runs DROP COLUMN parked;
    CREATE INDEX job_runs_next_attempt ON job_runs (next_attempt) WHERE next_attempt IS NOT NULL;
    ALTER TABLE jobs ADD COLUMN next_look INTEGER;
    UPDATE jobs SET next_look = next_due, decided = next_due - iif(next_due % 1000000 = 0, 1, 3600000000)
        WHERE next_due IS NOT NULL;
    UPDATE jobs SET next_due = NULL WHERE next_due % 1000000 <> 0;
    DROP INDEX jobs_next_due;
    CREATE INDEX jobs_next_look ON jobs (next_look) WHERE next_look IS NOT NULL;
    CREATE TABLE job_changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        changed INTEGER NOT NULL,
        schedule TEXT,
        time_zone TEXT,
        is_pause INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX job_changes_job ON job_changes (job);
",
    // A bucket is that of a function, of the component of a command line, or of all that know its name.
    "
    CREATE TABLE keyvalue_buckets (
        id INTEGER PRIMARY KEY,
        function TEXT UNIQUE,
        component TEXT UNIQUE,
        name TEXT UNIQUE,
        entries INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        made INTEGER NOT NULL DEFAULT 0,
        CHECK ((function IS NULL) + (component IS NULL) + (name IS NULL) = 2)
    ) STRICT;
    CREATE TABLE keyvalue_entries (
        bucket INTEGER NOT NULL REFERENCES keyvalue_buckets (id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        number INTEGER NOT NULL,
        value BLOB NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (bucket, key)
    ) STRICT;
    CREATE UNIQUE INDEX keyvalue_pages ON keyvalue_entries (bucket, number, key);
",
    // What Google's API knows of a function and this host does not use is kept with it. An account that is disabled is
    // one change of accounts, as one that is deleted is.
    "
    CREATE TABLE project (
        number INTEGER PRIMARY KEY CHECK (number = 1),
        id TEXT NOT NULL,
        location TEXT NOT NULL
    ) STRICT;
    CREATE TABLE policies (
        resource TEXT PRIMARY KEY,
        bindings TEXT NOT NULL,
        updated TEXT NOT NULL
    ) STRICT;
    ALTER TABLE service_accounts ADD COLUMN description TEXT NOT NULL DEFAULT '';
    ALTER TABLE service_accounts ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;
    CREATE TRIGGER account_changed AFTER UPDATE ON service_accounts
        BEGIN UPDATE identity_changes SET made = made + 1; END;
    ALTER TABLE functions ADD COLUMN notes TEXT NOT NULL DEFAULT '{}';
",
    // The bytes of an upload come last, so that nothing else is read through them. Numbers of operations are never given
    // again: pages begin with them.
    "
    CREATE TABLE uploads (
        id_sha256 TEXT PRIMARY KEY,
        made INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        bytes BLOB
    ) STRICT;
    CREATE INDEX uploads_expires ON uploads (expires);
    CREATE TABLE operations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        target TEXT NOT NULL,
        verb TEXT NOT NULL CHECK (verb IN ('create', 'update', 'delete')),
        generation INTEGER NOT NULL CHECK (generation IN (1, 2)),
        principal TEXT NOT NULL,
        created INTEGER NOT NULL,
        deployed_revision INTEGER,
        ended INTEGER,
        response TEXT,
        error_code INTEGER,
        error_message TEXT,
        CHECK ((ended IS NOT NULL) = ((response IS NOT NULL) + (error_code IS NOT NULL))),
        CHECK ((error_code IS NULL) = (error_message IS NULL))
    ) STRICT;
    CREATE INDEX operations_running ON operations (number) WHERE ended IS NULL;
",
];

/// Makes an empty or older database one of the current version. Nothing is written to one that is so already.
pub(super) fn prepare(connection: &mut Connection, directory: &Path) -> Result<(), StoreError> {
    let foreign = || StoreError::Foreign(directory.to_owned());
    let not_a_database = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => foreign(),
        _ => StoreError::Database(error),
    };
    let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
    // Readers go on while one writes, and a commit is on disk before it is acknowledged.
    if mode.map_err(not_a_database)? != "wal" {
        connection
            .pragma_update(None, "journal_mode", "wal")
            .map_err(not_a_database)?;
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let known = MIGRATIONS.len() as u32;
    if mark(connection)? == (APPLICATION_ID, known) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (id, found) = mark(&transaction)?;
    if found > known && id == APPLICATION_ID {
        return Err(StoreError::Newer {
            directory: directory.to_owned(),
            found,
            known,
        });
    }
    let tables: u32 =
        transaction.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    let is_new = (id, found, tables) == (0, 0, 0);
    if !is_new && id != APPLICATION_ID {
        return Err(foreign());
    }
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// Makes an empty database one of an earlier `version`.
#[cfg(test)]
pub(super) fn create(connection: &Connection, version: usize) -> Result<(), rusqlite::Error> {
    for migration in &MIGRATIONS[..version] {
        connection.execute_batch(migration)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", version as u32)
}

/// Whose database it is, and of which version.
fn mark(connection: &Connection) -> Result<(u32, u32), rusqlite::Error> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

/// Whether a database is one that [`prepare`] would take, and no empty one.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let (id, found) = mark(connection)?;
    let known = MIGRATIONS.len() as u32;
    match id == APPLICATION_ID && found > 0 {
        false => Err(StoreError::Damaged(
            path.to_owned(),
            "expected a file that `host state backup` made".into(),
        )),
        true if found > known => Err(StoreError::Newer {
            directory: path.to_owned(),
            found,
            known,
        }),
        true => Ok(()),
    }
}
