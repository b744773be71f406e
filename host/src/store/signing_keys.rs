//! Keys of the host's own issuer.

use std::fmt;

use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::damage;
use super::{Store, StoreError};

/// A signing key as it is kept. Times are seconds since the Unix epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// Its name, `kid`.
    pub id: String,
    /// What it signs with, as a token names it.
    pub algorithm: String,
    /// The private key, in PKCS#8.
    pub pkcs8: Vec<u8>,
    /// Since when others can see it.
    pub published: i64,
    /// Since when it signs.
    pub signing: Option<i64>,
    /// Since when it no longer signs.
    pub retired: Option<i64>,
}

/// Without the key itself.
impl fmt::Debug for SigningKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyRecord")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str = "id, algorithm, pkcs8, published, signing, retired";

impl Store {
    /// All signing keys, the newest last.
    ///
    /// # Errors
    /// If the database fails.
    pub fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        Ok(all(&self.connection())?)
    }

    /// Lets `change` change the signing keys, while nobody else does. What it fails at is not done.
    ///
    /// # Errors
    /// What `change` says, or if the database fails.
    pub fn change_signing_keys<E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Vec<SigningKeyRecord>) -> Result<(), E>,
    ) -> Result<(), E> {
        let database = |error: rusqlite::Error| StoreError::from(error);
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(database)?;
        let before = all(&transaction).map_err(database)?;
        let mut keys = before.clone();
        change(&mut keys)?;
        if keys == before {
            return Ok(());
        }
        replace(&transaction, &keys).map_err(database)?;
        transaction.commit().map_err(database)?;
        self.note_change();
        Ok(())
    }
}

fn all(connection: &Connection) -> Result<Vec<SigningKeyRecord>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM signing_keys ORDER BY published, id"
    ))?;
    let rows = statement.query_map([], record)?;
    rows.collect()
}

fn replace(connection: &Connection, keys: &[SigningKeyRecord]) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM signing_keys", [])?;
    for key in keys {
        connection.execute(
            &format!("INSERT INTO signing_keys ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"),
            params![
                key.id,
                key.algorithm,
                key.pkcs8,
                key.published,
                key.signing,
                key.retired
            ],
        )?;
    }
    Ok(())
}

fn record(row: &Row<'_>) -> Result<SigningKeyRecord, rusqlite::Error> {
    Ok(SigningKeyRecord {
        id: damage::text(row, 0)?,
        algorithm: damage::text(row, 1)?,
        pkcs8: row.get(2)?,
        published: row.get(3)?,
        signing: row.get(4)?,
        retired: row.get(5)?,
    })
}
