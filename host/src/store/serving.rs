//! The host that serves from this store, and what has become of its functions.

use rusqlite::{OptionalExtension, params};

use super::{FunctionName, Store, StoreError, now};

/// A process that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingHost {
    /// Its id.
    pub pid: u32,
    /// Where its functions answer, without a slash at the end.
    pub url: String,
    /// The name of its own issuer.
    pub issuer: String,
}

/// What the serving host made of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedFunction {
    /// Which state of the function: [`FunctionRecord::updated`](super::FunctionRecord::updated).
    pub updated: String,
    /// Why the host does not serve it; an earlier state may go on serving.
    pub problem: Option<String>,
}

impl Store {
    /// Notes that this process serves at `url` and nothing yet, and what its own issuer is called.
    ///
    /// # Errors
    /// If the database fails.
    pub fn begin_serving(&self, url: &str, issuer: &str) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM served_functions", [])?;
        transaction.execute(
            "INSERT OR REPLACE INTO serving_host (id, pid, url, issuer, started) VALUES (1, ?, ?, ?, ?)",
            params![std::process::id(), url, issuer, now()],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// The host that served last, or serves now: see [`Store::is_served`].
    ///
    /// # Errors
    /// If the database fails.
    pub fn serving_host(&self) -> Result<Option<ServingHost>, StoreError> {
        let host = self
            .connection()
            .query_row("SELECT pid, url, issuer FROM serving_host", [], |row| {
                Ok(ServingHost {
                    pid: row.get(0)?,
                    url: row.get(1)?,
                    issuer: row.get(2)?,
                })
            })
            .optional()?;
        Ok(host)
    }

    /// Notes what this host made of functions.
    ///
    /// # Errors
    /// If the database fails.
    pub fn note_served(
        &self,
        functions: &[(FunctionName, ServedFunction)],
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for (name, served) in functions {
            transaction.execute(
                "INSERT OR REPLACE INTO served_functions (name, updated, problem) VALUES (?, ?, ?)",
                params![name.as_str(), served.updated, served.problem],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// What the serving host made of the function `name`, if it has looked at it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn served(&self, name: &FunctionName) -> Result<Option<ServedFunction>, StoreError> {
        let served = self
            .connection()
            .query_row(
                "SELECT updated, problem FROM served_functions WHERE name = ?",
                [name.as_str()],
                |row| {
                    Ok(ServedFunction {
                        updated: row.get(0)?,
                        problem: row.get(1)?,
                    })
                },
            )
            .optional()?;
        Ok(served)
    }
}
