//! What is refused although its token is good, as the store keeps it.

use host_tokens::{ANY_ISSUER, Revocation, RevokedKind};
use rusqlite::{Connection, Row, params};

use super::damage;
use super::{Store, StoreError, now};

/// A revocation, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedRevocation {
    /// What is revoked.
    pub revocation: Revocation,
    /// When, in RFC 3339.
    pub made: String,
}

impl Store {
    /// Has tokens of `revocation` refused from now on. To say so twice is no error.
    ///
    /// # Errors
    /// If the database fails.
    pub fn revoke(&self, revocation: &Revocation) -> Result<(), StoreError> {
        insert(&self.connection(), revocation, &now())?;
        self.note_change();
        Ok(())
    }

    /// All revocations, each with when it was made, to be kept by another store.
    ///
    /// # Errors
    /// If the database fails.
    pub fn dated_revocations(&self) -> Result<Vec<DatedRevocation>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT issuer, kind, value, created FROM revocations ORDER BY created, issuer, kind, value",
        )?;
        let rows = statement.query_map([], |row| {
            let made = damage::text(row, 3)?;
            let revocation = revocation(row)?;
            Ok(DatedRevocation { revocation, made })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps the revocations of another store, and tells which of them were not here.
    ///
    /// # Errors
    /// If the database fails. Then none is kept.
    pub fn keep_revocations(
        &self,
        others: &[DatedRevocation],
    ) -> Result<Vec<DatedRevocation>, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut added = Vec::new();
        for other in others {
            let DatedRevocation { revocation, made } = other;
            if insert(&transaction, revocation, made)? > 0 {
                added.push(other.clone());
            }
        }
        transaction.commit()?;
        self.note_change();
        Ok(added)
    }

    /// All revocations.
    ///
    /// # Errors
    /// If the database fails.
    pub fn revocations(&self) -> Result<Vec<Revocation>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT issuer, kind, value FROM revocations ORDER BY issuer, kind, value",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(revocation(row).unwrap_or_else(|_| unreadable(row)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn revocation(row: &Row<'_>) -> Result<Revocation, rusqlite::Error> {
    let kind: String = row.get(1)?;
    Ok(Revocation {
        issuer: row.get(0)?,
        // The table takes no other word.
        kind: RevokedKind::from_word(&kind).unwrap_or(RevokedKind::Unreadable),
        value: row.get(2)?,
    })
}

/// What a record that cannot be read revokes: all that it may have been about.
fn unreadable(row: &Row<'_>) -> Revocation {
    Revocation {
        issuer: row.get(0).unwrap_or_else(|_| ANY_ISSUER.to_owned()),
        kind: RevokedKind::Unreadable,
        value: String::new(),
    }
}

fn insert(
    connection: &Connection,
    revocation: &Revocation,
    made: &str,
) -> Result<usize, rusqlite::Error> {
    connection.execute(
        "INSERT OR IGNORE INTO revocations (issuer, kind, value, created) VALUES (?, ?, ?, ?)",
        params![
            revocation.issuer,
            revocation.kind.word(),
            revocation.value,
            made
        ],
    )
}
