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
    /// All addresses by which callers know its functions, that one among them.
    pub public_urls: Vec<String>,
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
    /// Notes that this process serves, and nothing yet.
    ///
    /// # Errors
    /// If the database fails.
    pub fn begin_serving(&self, host: &ServingHost) -> Result<(), StoreError> {
        let public_urls = serde_json::to_string(&host.public_urls)?;
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM served_functions", [])?;
        transaction.execute("UPDATE identity_changes SET taken_up = -1", [])?;
        transaction.execute(
            "INSERT OR REPLACE INTO serving_host (id, pid, url, public_urls, issuer, started)
             VALUES (1, ?, ?, ?, ?, ?)",
            params![host.pid, host.url, public_urls, host.issuer, now()],
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
            .query_row(
                "SELECT pid, url, public_urls, issuer FROM serving_host",
                [],
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get::<_, String>(2)?,
                        row.get(3)?,
                    ))
                },
            )
            .optional()?;
        let Some((pid, url, public_urls, issuer)) = host else {
            return Ok(None);
        };
        Ok(Some(ServingHost {
            pid,
            url,
            public_urls: serde_json::from_str(&public_urls)?,
            issuer,
        }))
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
