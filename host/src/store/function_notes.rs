//! What clients note on functions, and this host has no use for: a JSON object as text, whose fields the control plane knows.

use rusqlite::{Connection, OptionalExtension, params};

use super::{FunctionName, Store, StoreError, damage};

/// The notes on a function on which nobody has noted anything.
const NONE: &str = "{}";

impl Store {
    /// The notes on the function `name`; `{}` if there are none, or no such function.
    ///
    /// # Errors
    /// If the database fails.
    pub fn function_notes(&self, name: &FunctionName) -> Result<String, StoreError> {
        read(&self.connection(), name)
    }
}

pub(super) fn read(connection: &Connection, name: &FunctionName) -> Result<String, StoreError> {
    let notes = connection
        .prepare_cached("SELECT notes FROM functions WHERE name = ?")?
        .query_row([name.as_str()], |row| damage::text(row, 0))
        .optional()?;
    Ok(notes.unwrap_or_else(|| NONE.to_owned()))
}

pub(super) fn put(
    connection: &Connection,
    name: &FunctionName,
    notes: &str,
) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE functions SET notes = ? WHERE name = ?",
        params![notes, name.as_str()],
    )?;
    Ok(())
}
