//! The host that serves from this store, and what has become of its functions.

use rusqlite::{OptionalExtension, params};

use serde::{Deserialize, Serialize};

use super::damage;
use super::{FunctionName, Store, StoreError, now};

/// A process that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingHost {
    /// Its id.
    pub pid: u32,
    /// Where it answers, without a slash at the end.
    pub url: String,
    /// By which address callers know it first of all, if it was told one: without a slash at the end.
    pub public_url: Option<String>,
    /// All addresses by which callers know its functions, that one among them.
    pub public_urls: Vec<String>,
    /// The name of its own issuer.
    pub issuer: String,
    /// Whether it serves the functions of the store, and not only goes by its accounts.
    pub serves_functions: bool,
    /// The issuers that its command line has it trust beside its own.
    pub issuers: Vec<NamedIssuer>,
    /// The file that configures it, which may name more.
    pub config: Option<String>,
    /// The component of its command line, if it serves one.
    pub component: Option<ServedComponent>,
}

/// A component that the command line of a host names, and that is no function of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedComponent {
    /// Its name in log entries.
    pub name: String,
    /// Who may call it: anyone if there is nothing, and all service accounts if nobody is named.
    pub members: Option<Vec<String>>,
}

/// An issuer as the command line of a host names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedIssuer {
    /// Its URL.
    pub url: String,
    /// Whom its tokens may be for, beside the addresses of functions.
    pub audiences: Vec<String>,
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
        let issuers = serde_json::to_string(&host.issuers)?;
        let component = serde_json::to_string(&host.component)?;
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM served_functions", [])?;
        transaction.execute("UPDATE identity_changes SET taken_up = -1", [])?;
        transaction.execute(
            "INSERT OR REPLACE INTO serving_host
             (id, pid, url, public_url, public_urls, issuer, serves_functions, issuers, config, component, started)
             VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                host.pid,
                host.url,
                host.public_url,
                public_urls,
                host.issuer,
                host.serves_functions,
                issuers,
                host.config,
                component,
                now()
            ],
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
                "SELECT pid, url, public_url, issuer, serves_functions, config, public_urls, issuers, component
                 FROM serving_host",
                [],
                |row| {
                    let host = ServingHost {
                        pid: row.get(0)?,
                        url: damage::text(row, 1)?,
                        public_url: damage::optional_text(row, 2)?,
                        public_urls: Vec::new(),
                        issuer: damage::text(row, 3)?,
                        serves_functions: row.get(4)?,
                        issuers: Vec::new(),
                        config: damage::optional_text(row, 5)?,
                        component: None,
                    };
                    let lists = [6, 7, 8].map(|column| damage::text(row, column));
                    Ok((host, lists))
                },
            )
            .optional()?;
        let Some((mut host, [public_urls, issuers, component])) = host else {
            return Ok(None);
        };
        // Told anew by each host that begins: what cannot be read of an earlier one is no reason to stop.
        host.public_urls = serde_json::from_str(&public_urls?).unwrap_or_default();
        host.issuers = serde_json::from_str(&issuers?).unwrap_or_default();
        host.component = serde_json::from_str(&component?).unwrap_or_default();
        Ok(Some(host))
    }

    /// Whether a process serves the functions of this store at this moment.
    ///
    /// # Errors
    /// If the database fails.
    pub fn serves_functions(&self) -> Result<bool, StoreError> {
        let host = self.serving_host()?;
        Ok(self.is_served() && host.is_some_and(|host| host.serves_functions))
    }

    /// Notes what this host made of functions; nothing, if it serves them no longer.
    ///
    /// # Errors
    /// If the database fails. Then nothing is noted.
    pub fn note_served<'a>(
        &self,
        functions: impl IntoIterator<Item = (&'a FunctionName, Option<&'a ServedFunction>)>,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for (name, served) in functions {
            match served {
                Some(served) => transaction.execute(
                    "INSERT OR REPLACE INTO served_functions (name, updated, problem) VALUES (?, ?, ?)",
                    params![name.as_str(), served.updated, served.problem],
                )?,
                None => transaction.execute(
                    "DELETE FROM served_functions WHERE name = ?",
                    [name.as_str()],
                )?,
            };
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
                        updated: damage::text(row, 0)?,
                        problem: damage::optional_text(row, 1)?,
                    })
                },
            )
            .optional()?;
        Ok(served)
    }
}
