//! How far the host that serves has followed changes of service accounts, signing keys and revocations.

use super::{Store, StoreError};

impl Store {
    /// How often service accounts, signing keys and revocations have been changed.
    ///
    /// # Errors
    /// If the database fails.
    pub fn identity_changes(&self) -> Result<i64, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT made FROM identity_changes")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Notes that this host goes by the first `changes` of them.
    ///
    /// # Errors
    /// If the database fails.
    pub fn note_identity_taken_up(&self, changes: i64) -> Result<(), StoreError> {
        self.connection()
            .execute("UPDATE identity_changes SET taken_up = ?", [changes])?;
        Ok(())
    }

    /// Whether a host that serves goes by all of them.
    ///
    /// # Errors
    /// If the database fails.
    pub fn is_identity_taken_up(&self) -> Result<bool, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT taken_up >= made FROM identity_changes")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}
