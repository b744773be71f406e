//! Components, each kept once for all functions that run it, under its SHA-256.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError};

impl Store {
    /// The component with this SHA-256, if a function runs it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn component(&self, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let wasm = self
            .connection()
            .prepare_cached("SELECT wasm FROM components WHERE sha256 = ?")?
            .query_row([sha256], |row| row.get(0))
            .optional()?;
        Ok(wasm)
    }
}

/// Keeps the component `wasm` and answers its SHA-256.
pub(super) fn keep_component(connection: &Connection, wasm: &[u8]) -> Result<String, StoreError> {
    let digest = sha256(wasm);
    connection.execute(
        "INSERT OR IGNORE INTO components (sha256, wasm) VALUES (?, ?)",
        params![digest, wasm],
    )?;
    Ok(digest)
}

/// Removes the components that no function runs.
pub(super) fn remove_unused_components(connection: &Connection) -> Result<(), StoreError> {
    connection.execute(
        "DELETE FROM components WHERE sha256 NOT IN (SELECT component FROM functions)",
        [],
    )?;
    Ok(())
}

/// The SHA-256 of a component, as records name it.
pub(crate) fn sha256(wasm: &[u8]) -> String {
    digest(&SHA256, wasm)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
