//! Functions, and which component each of them runs.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::components::{keep_component, remove_unused_components};
use super::damage;
use super::{
    FunctionName, FunctionSettings, PolicyOf, Store, StoreError, now, policies, suggestion,
};

/// How often a function has been deployed, from 1.
pub type Revision = u32;

/// A function as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionRecord {
    /// Its name.
    pub name: FunctionName,
    /// Which deployment of it this is.
    pub revision: Revision,
    /// The SHA-256 of its component, in hexadecimal.
    pub component: String,
    /// Its settings.
    pub settings: FunctionSettings,
    /// The file that declares it, if one does.
    pub declared_in: Option<String>,
    /// When it was first deployed, in RFC 3339.
    pub created: String,
    /// When it was last deployed or changed, in RFC 3339. Differs for each state of the function.
    pub updated: String,
    /// What is wrong with the record, if it cannot be read: then the settings are the defaults, and nobody may call.
    pub damage: Option<String>,
}

impl FunctionRecord {
    /// # Errors
    /// If the record cannot be read.
    pub fn check(&self) -> Result<(), StoreError> {
        match &self.damage {
            Some(damage) => Err(StoreError::DamagedFunction {
                name: self.name.clone(),
                damage: damage.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// A function as a file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Its name.
    pub name: FunctionName,
    /// The SHA-256 of its component, in hexadecimal.
    pub component: String,
    /// The component, unless a function runs it already.
    pub wasm: Option<Bytes>,
    /// Its settings.
    pub settings: FunctionSettings,
}

const COLUMNS: &str = "name, revision, component, settings, declared_in, created, updated";

/// A function, and its component if that is there.
pub type FunctionAndComponent = (FunctionRecord, Option<Vec<u8>>);

impl Store {
    /// Deploys `name` with `component`, or if that is `None` with the one that it has, and with what `change` makes of the
    /// settings that it has, or of the defaults. All of it or nothing is done.
    ///
    /// # Errors
    /// If there is no component and no such function, a file declares it, `change` fails, or the database does.
    pub fn deploy(
        &self,
        name: &FunctionName,
        component: Option<&[u8]>,
        change: impl FnOnce(FunctionSettings) -> Result<FunctionSettings, String>,
    ) -> Result<FunctionRecord, StoreError> {
        self.change(|transaction| deploy(transaction, name, component, change))
    }

    /// Makes the functions that files declare those of `file`, each with its component and its settings. What stays
    /// as it is keeps its revision. All of it or nothing is done.
    ///
    /// # Errors
    /// If one of them has been deployed, or the database fails.
    pub fn declare(&self, file: &str, functions: &[Declaration]) -> Result<(), StoreError> {
        self.change(|transaction| {
            remove_undeclared(transaction, functions)?;
            for new in functions {
                match find(transaction, &new.name)? {
                    Some(before) if before.declared_in.is_none() => {
                        return Err(StoreError::Deployed(before.name));
                    }
                    Some(before)
                        if before.damage.is_none()
                            && before.component == new.component
                            && before.settings == new.settings
                            && before.declared_in.as_deref() == Some(file) =>
                    {
                        continue;
                    }
                    _ => {}
                }
                if let Some(wasm) = &new.wasm {
                    keep_component(transaction, wasm)?;
                }
                put(
                    transaction,
                    &new.name,
                    &new.component,
                    &new.settings,
                    Some(file),
                )?;
            }
            // Only now: a host name may move from one of them to another.
            let changed = functions.iter().map(|new| (&new.name, &new.settings));
            refuse_shared_hosts(transaction, changed)?;
            remove_unused_components(transaction)?;
            Ok(())
        })
    }

    /// Removes `name` with its own bucket, and its component if no other function runs it.
    ///
    /// # Errors
    /// If there is no such function, a file declares it, or the database fails.
    pub fn delete(&self, name: &FunctionName) -> Result<(), StoreError> {
        self.change(|transaction| delete(transaction, name).map(drop))
    }

    /// The function `name`.
    ///
    /// # Errors
    /// If there is no such function, or the database fails.
    pub fn function(&self, name: &FunctionName) -> Result<FunctionRecord, StoreError> {
        found(&self.connection(), name)
    }

    /// The function `name` with its component, both of one moment, if there is such a function.
    ///
    /// # Errors
    /// If the database fails.
    pub fn function_and_component(
        &self,
        name: &FunctionName,
    ) -> Result<Option<FunctionAndComponent>, StoreError> {
        self.connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS}, wasm FROM functions LEFT JOIN components ON sha256 = component WHERE name = ?"
            ))?
            .query_row([name.as_str()], |row| {
                let wasm = row.get(7)?;
                Ok(record(row).map(|record| (record, wasm)))
            })
            .optional()?
            .transpose()
    }

    /// All functions, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub fn functions(&self) -> Result<Vec<FunctionRecord>, StoreError> {
        all(&self.connection())
    }
}

/// As [`Store::deploy`], within a transaction.
pub(super) fn deploy(
    transaction: &Connection,
    name: &FunctionName,
    component: Option<&[u8]>,
    change: impl FnOnce(FunctionSettings) -> Result<FunctionSettings, String>,
) -> Result<FunctionRecord, StoreError> {
    let before = find(transaction, name)?;
    refuse_declared(before.as_ref())?;
    let (component, settings) = match (component, before) {
        // What cannot be read is not kept: its settings are the defaults.
        (Some(wasm), before) => (
            keep_component(transaction, wasm)?,
            before.map_or_else(FunctionSettings::default, |before| before.settings),
        ),
        (None, Some(before)) => {
            before.check()?;
            (before.component, before.settings)
        }
        (None, None) => return Err(missing(transaction, name)?),
    };
    let settings = change(settings).map_err(StoreError::Settings)?;
    put(transaction, name, &component, &settings, None)?;
    refuse_shared_hosts(transaction, [(name, &settings)])?;
    remove_unused_components(transaction)?;
    found(transaction, name)
}

/// As [`Store::delete`], within a transaction. Tells which revision was removed.
pub(super) fn delete(
    transaction: &Connection,
    name: &FunctionName,
) -> Result<Revision, StoreError> {
    let before = found(transaction, name)?;
    refuse_declared(Some(&before))?;
    transaction.execute("DELETE FROM functions WHERE name = ?", [name.as_str()])?;
    transaction.execute(
        "DELETE FROM keyvalue_buckets WHERE function = ?",
        [name.as_str()],
    )?;
    policies::remove(transaction, &PolicyOf::Function(name.clone()))?;
    remove_unused_components(transaction)?;
    Ok(before.revision)
}

fn find(
    connection: &Connection,
    name: &FunctionName,
) -> Result<Option<FunctionRecord>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM functions WHERE name = ?"))?
        .query_row([name.as_str()], |row| Ok(record(row)))
        .optional()?
        .transpose()
}

/// The function `name`, or the error that there is none.
pub(super) fn found(
    connection: &Connection,
    name: &FunctionName,
) -> Result<FunctionRecord, StoreError> {
    match find(connection, name)? {
        Some(function) => Ok(function),
        None => Err(missing(connection, name)?),
    }
}

pub(super) fn all(connection: &Connection) -> Result<Vec<FunctionRecord>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM functions ORDER BY name"))?;
    let rows = statement.query_map([], |row| Ok(record(row)))?;
    damage::named(rows)
}

fn record(row: &Row<'_>) -> Result<FunctionRecord, StoreError> {
    // Names are checked on their way in.
    let name = damage::text(row, 0)?;
    let (settings, damage) = damage::settings(row, 3)?;
    Ok(FunctionRecord {
        name: serde_json::from_value(name.into())?,
        revision: Revision::try_from(row.get::<_, i64>(1)?).unwrap_or(Revision::MAX),
        component: damage::text(row, 2)?,
        settings,
        declared_in: damage::optional_text(row, 4)?,
        created: damage::text(row, 5)?,
        updated: damage::text(row, 6)?,
        damage,
    })
}

pub(super) fn refuse_declared(before: Option<&FunctionRecord>) -> Result<(), StoreError> {
    match before {
        Some(FunctionRecord {
            name,
            declared_in: Some(file),
            ..
        }) => Err(StoreError::Declared {
            name: name.clone(),
            file: file.clone(),
        }),
        _ => Ok(()),
    }
}

/// Writes the next revision of `name`, or the first.
fn put(
    connection: &Connection,
    name: &FunctionName,
    component: &str,
    settings: &FunctionSettings,
    declared_in: Option<&str>,
) -> Result<(), StoreError> {
    let settings = serde_json::to_string(settings)?;
    connection.execute(
        "INSERT INTO functions (name, revision, component, settings, declared_in, created, updated)
         VALUES (?1, 1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (name) DO UPDATE
         SET revision = revision + 1, component = ?2, settings = ?3, declared_in = ?4, updated = ?5",
        params![name.as_str(), component, settings, declared_in, now()],
    )?;
    Ok(())
}

/// Writes the settings of `record`, which stays the same revision.
pub(super) fn put_settings(
    connection: &Connection,
    record: &mut FunctionRecord,
) -> Result<(), StoreError> {
    record.updated = now();
    connection.execute(
        "UPDATE functions SET settings = ?, updated = ? WHERE name = ?",
        params![
            serde_json::to_string(&record.settings)?,
            record.updated,
            record.name.as_str()
        ],
    )?;
    Ok(())
}

/// Takes `member` out of the invokers of every function that no file declares, and answers those that it was in.
pub(super) fn remove_invoker(
    connection: &Connection,
    member: &str,
) -> Result<Vec<FunctionRecord>, StoreError> {
    let mut changed = Vec::new();
    for mut record in all(connection)? {
        // Nobody may call one that cannot be read, and what is in it is not written over.
        if record.declared_in.is_some() || record.damage.is_some() {
            continue;
        }
        let before = record.settings.invokers.len();
        let invokers = &mut record.settings.invokers;
        invokers.retain(|other| !other.eq_ignore_ascii_case(member));
        if invokers.len() < before {
            put_settings(connection, &mut record)?;
            changed.push(record);
        }
    }
    Ok(changed)
}

/// A host name leads to one function: none of those that were `changed` may have one of another.
fn refuse_shared_hosts<'a>(
    connection: &Connection,
    changed: impl IntoIterator<Item = (&'a FunctionName, &'a FunctionSettings)>,
) -> Result<(), StoreError> {
    let changed = changed.into_iter();
    let changed: HashSet<_> = changed
        .filter_map(|(name, settings)| (!settings.hosts.is_empty()).then_some(name))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let functions = all(connection)?.into_iter();
    let (changed, others): (Vec<_>, Vec<_>) =
        functions.partition(|function| changed.contains(&function.name));
    let mut taken: HashMap<String, FunctionName> = HashMap::new();
    // Those that were there first have the better right.
    for function in others.into_iter().chain(changed) {
        for host in function.settings.hosts {
            let before = taken.insert(host.clone(), function.name.clone());
            if let Some(name) = before.filter(|before| *before != function.name) {
                return Err(StoreError::HostTaken { host, name });
            }
        }
    }
    Ok(())
}

/// Removes the declared functions that are not among `declared`. Their buckets stay: a host that was started once without its
/// file is to lose nothing.
fn remove_undeclared(connection: &Connection, declared: &[Declaration]) -> Result<(), StoreError> {
    let declared: HashSet<&str> = declared.iter().map(|new| new.name.as_str()).collect();
    let mut statement =
        connection.prepare_cached("SELECT name FROM functions WHERE declared_in IS NOT NULL")?;
    let names = statement.query_map([], |row| damage::text(row, 0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let is_gone = |name: &&String| !declared.contains(name.as_str());
    for name in names.iter().filter(is_gone) {
        connection.execute("DELETE FROM functions WHERE name = ?", [name])?;
    }
    Ok(())
}

fn missing(connection: &Connection, name: &FunctionName) -> Result<StoreError, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name FROM functions")?;
    let names = statement.query_map([], |row| damage::text(row, 0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    Ok(StoreError::NoFunction {
        name: name.clone(),
        nearest: suggestion::nearest(name.as_str(), names),
    })
}
