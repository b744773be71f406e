//! Policies: who has which role on what.
//!
//! A policy belongs to a resource: the project, a function or a service account. Whoever may call a function is not in
//! here: that is a part of the function's settings, which a revision keeps.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::functions::put_settings;
use super::{
    FunctionName, FunctionRecord, ServiceAccountRecord, Store, StoreError, damage, functions, now,
    service_accounts,
};

/// The members that have each role.
pub type Bindings = BTreeMap<String, BTreeSet<String>>;

/// What a policy belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyOf {
    /// The project, and with it everything.
    Project,
    /// A function.
    Function(FunctionName),
    /// A service account, by its address.
    ServiceAccount(String),
}

impl PolicyOf {
    /// How the database names it.
    fn key(&self) -> String {
        match self {
            Self::Project => "project".into(),
            Self::Function(name) => format!("functions/{name}"),
            Self::ServiceAccount(email) => format!("serviceAccounts/{email}"),
        }
    }
}

impl Store {
    /// The bindings of this policy; none if nobody has written one.
    ///
    /// # Errors
    /// If the database fails or the policy cannot be read.
    pub fn policy(&self, of: &PolicyOf) -> Result<Bindings, StoreError> {
        read(&self.connection(), of)
    }

    /// Gives the policy of the project or of a service account the bindings that `change` makes of those that it has, and
    /// answers them. Nobody else changes it in between, and no service account comes or goes.
    ///
    /// # Errors
    /// If `change` fails, there is no such service account, or the database fails. Then nothing is changed.
    pub fn change_policy<E: From<StoreError>>(
        &self,
        of: &PolicyOf,
        change: impl FnOnce(Bindings, &[ServiceAccountRecord]) -> Result<Bindings, E>,
    ) -> Result<Bindings, E> {
        self.try_change(|transaction| {
            let accounts = service_accounts::all(transaction)?;
            if let PolicyOf::ServiceAccount(email) = of
                && !accounts.iter().any(|account| account.email == *email)
            {
                return Err(StoreError::no_service_account(email, &accounts).into());
            }
            let bindings = change(read(transaction, of)?, &accounts)?;
            write(transaction, of, &bindings)?;
            Ok(bindings)
        })
    }

    /// As [`change_policy`](Self::change_policy), for a function, together with its settings, which say who may call.
    ///
    /// # Errors
    /// If `change` fails, there is no such function, a file declares it, or the database fails. Then nothing is changed.
    pub fn change_function_policy<E: From<StoreError>>(
        &self,
        name: &FunctionName,
        change: impl FnOnce(
            &mut FunctionRecord,
            Bindings,
            &[ServiceAccountRecord],
        ) -> Result<Bindings, E>,
    ) -> Result<(FunctionRecord, Bindings), E> {
        let of = PolicyOf::Function(name.clone());
        self.try_change(|transaction| {
            let mut record = functions::found(transaction, name)?;
            functions::refuse_declared(Some(&record))?;
            record.check()?;
            let before = record.settings.clone();
            let accounts = service_accounts::all(transaction)?;
            let bindings = change(&mut record, read(transaction, &of)?, &accounts)?;
            write(transaction, &of, &bindings)?;
            if record.settings != before {
                put_settings(transaction, &mut record)?;
            }
            Ok((record, bindings))
        })
    }
}

/// Removes the policy of what is there no longer.
pub(super) fn remove(connection: &Connection, of: &PolicyOf) -> Result<(), StoreError> {
    connection.execute("DELETE FROM policies WHERE resource = ?", [of.key()])?;
    Ok(())
}

/// Takes `member`, who is there no longer, out of all policies.
pub(super) fn remove_member(connection: &Connection, member: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT resource, bindings FROM policies")?;
    let rows = statement.query_map([], |row| Ok((damage::text(row, 0)?, damage::text(row, 1)?)))?;
    for row in rows.collect::<Result<Vec<_>, _>>()? {
        let (resource, text) = row;
        let mut bindings: Bindings = serde_json::from_str(&text)?;
        for members in bindings.values_mut() {
            members.retain(|other| !other.eq_ignore_ascii_case(member));
        }
        bindings.retain(|_, members| !members.is_empty());
        put(connection, &resource, &bindings)?;
    }
    Ok(())
}

fn read(connection: &Connection, of: &PolicyOf) -> Result<Bindings, StoreError> {
    let text: Option<String> = connection
        .prepare_cached("SELECT bindings FROM policies WHERE resource = ?")?
        .query_row([of.key()], |row| damage::text(row, 0))
        .optional()?;
    Ok(text.map_or_else(|| Ok(Bindings::new()), |text| serde_json::from_str(&text))?)
}

fn write(connection: &Connection, of: &PolicyOf, bindings: &Bindings) -> Result<(), StoreError> {
    match bindings.is_empty() {
        true => remove(connection, of),
        false => put(connection, &of.key(), bindings),
    }
}

fn put(connection: &Connection, resource: &str, bindings: &Bindings) -> Result<(), StoreError> {
    connection.execute(
        "INSERT OR REPLACE INTO policies (resource, bindings, updated) VALUES (?, ?, ?)",
        params![resource, serde_json::to_string(bindings)?, now()],
    )?;
    Ok(())
}
