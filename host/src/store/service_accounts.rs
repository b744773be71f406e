//! Service accounts: whom functions and jobs act for.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::damage;
use super::functions::remove_invoker;
use super::{FunctionRecord, PolicyOf, Store, StoreError, now, policies, suggestion};

/// A service account as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountRecord {
    /// Its address, which names it.
    pub email: String,
    /// The subject of its tokens, which no other account ever had.
    pub subject: String,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Whether its tokens are refused, and none is made for it, until it is enabled.
    pub is_disabled: bool,
    /// When it was created, in RFC 3339.
    pub created: String,
}

const COLUMNS: &str = "email, subject, display_name, description, is_disabled, created";

impl Store {
    /// Keeps a new service account.
    ///
    /// # Errors
    /// If there is one with this address, or the database fails.
    pub fn create_service_account(
        &self,
        email: &str,
        subject: &str,
        display_name: &str,
    ) -> Result<ServiceAccountRecord, StoreError> {
        self.create_described_account(email, subject, display_name, "")
    }

    /// As [`create_service_account`](Self::create_service_account), with a text that says what it is for.
    ///
    /// # Errors
    /// If there is one with this address, or the database fails.
    pub fn create_described_account(
        &self,
        email: &str,
        subject: &str,
        display_name: &str,
        description: &str,
    ) -> Result<ServiceAccountRecord, StoreError> {
        self.change(|transaction| {
            if find(transaction, email)?.is_some() {
                return Err(StoreError::ServiceAccountExists(email.to_owned()));
            }
            let record = ServiceAccountRecord {
                email: email.to_owned(),
                subject: subject.to_owned(),
                display_name: display_name.to_owned(),
                description: description.to_owned(),
                is_disabled: false,
                created: now(),
            };
            transaction.execute(
                &format!("INSERT INTO service_accounts ({COLUMNS}) VALUES (?, ?, ?, ?, 0, ?)"),
                params![email, subject, display_name, description, record.created],
            )?;
            Ok(record)
        })
    }

    /// Gives the service account with this address what `change` makes of its texts and of whether it is disabled.
    ///
    /// # Errors
    /// If there is none, `change` fails, or the database does. Then nothing is changed.
    pub fn change_service_account<E: From<StoreError>>(
        &self,
        email: &str,
        change: impl FnOnce(&mut ServiceAccountRecord) -> Result<(), E>,
    ) -> Result<ServiceAccountRecord, E> {
        self.try_change(|transaction| {
            let Some(mut record) = find(transaction, email).map_err(StoreError::from)? else {
                return Err(missing(transaction, email)?.into());
            };
            change(&mut record)?;
            let changed = transaction.execute(
                "UPDATE service_accounts SET display_name = ?, description = ?, is_disabled = ? WHERE email = ?",
                params![record.display_name, record.description, record.is_disabled, email],
            );
            changed.map_err(StoreError::from)?;
            Ok(record)
        })
    }

    /// All service accounts, by address.
    ///
    /// # Errors
    /// If the database fails.
    pub fn service_accounts(&self) -> Result<Vec<ServiceAccountRecord>, StoreError> {
        all(&self.connection())
    }

    /// The service account with this address.
    ///
    /// # Errors
    /// If there is none, or the database fails.
    pub fn service_account(&self, email: &str) -> Result<ServiceAccountRecord, StoreError> {
        let connection = self.connection();
        match find(&connection, email)? {
            Some(account) => Ok(account),
            None => Err(missing(&connection, email)?),
        }
    }

    /// Removes a service account. Its tokens are refused from then on, and whoever gets its address later is no invoker
    /// of what it was: answers the functions that it could call. What a file declares stays as the file has it.
    ///
    /// # Errors
    /// If there is none, or the database fails. Then nothing is removed.
    pub fn delete_service_account(&self, email: &str) -> Result<Vec<FunctionRecord>, StoreError> {
        self.change(|transaction| {
            let count =
                transaction.execute("DELETE FROM service_accounts WHERE email = ?", [email])?;
            if count == 0 {
                return Err(missing(transaction, email)?);
            }
            let member = format!("serviceAccount:{email}");
            policies::remove(transaction, &PolicyOf::ServiceAccount(email.to_owned()))?;
            policies::remove_member(transaction, &member)?;
            remove_invoker(transaction, &member)
        })
    }
}

/// All service accounts, by address.
pub(super) fn all(connection: &Connection) -> Result<Vec<ServiceAccountRecord>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM service_accounts ORDER BY email"
    ))?;
    let rows = statement.query_map([], record)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(
    connection: &Connection,
    email: &str,
) -> Result<Option<ServiceAccountRecord>, rusqlite::Error> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM service_accounts WHERE email = ?"
        ))?
        .query_row([email], record)
        .optional()
}

fn record(row: &Row<'_>) -> Result<ServiceAccountRecord, rusqlite::Error> {
    Ok(ServiceAccountRecord {
        email: damage::text(row, 0)?,
        subject: damage::text(row, 1)?,
        display_name: damage::text(row, 2)?,
        description: damage::text(row, 3)?,
        is_disabled: row.get::<_, i64>(4)? != 0,
        created: damage::text(row, 5)?,
    })
}

fn missing(connection: &Connection, email: &str) -> Result<StoreError, StoreError> {
    Ok(StoreError::no_service_account(email, &all(connection)?))
}

impl StoreError {
    /// There is no account with this address among `accounts`, which are all.
    pub fn no_service_account(email: &str, accounts: &[ServiceAccountRecord]) -> Self {
        let emails = accounts.iter().map(|account| account.email.clone());
        Self::NoServiceAccount {
            email: email.to_owned(),
            nearest: suggestion::nearest(email, emails),
        }
    }
}
