//! Rights that a configuration file takes away, before anything else of it takes effect.

use std::collections::BTreeMap;

use rusqlite::TransactionBehavior;

use super::functions::{all, put_settings};
use super::{FunctionName, FunctionSettings, Rights, Store, StoreError};

/// What was taken away of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tightening {
    /// Its name.
    pub name: FunctionName,
    /// Its settings before.
    pub before: FunctionSettings,
    /// Its settings now; `None` if it is gone.
    pub after: Option<FunctionSettings>,
}

impl Store {
    /// Takes away of the functions that files declare what a file does not give them any more: those that are not among
    /// `functions` are removed, and the others let in nobody whom the file does not name. Nothing is given.
    ///
    /// # Errors
    /// If the database fails. Then nothing is taken.
    pub fn tighten(
        &self,
        functions: &BTreeMap<FunctionName, Rights>,
    ) -> Result<Vec<Tightening>, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut taken = Vec::new();
        for mut record in all(&transaction)? {
            if record.declared_in.is_none() {
                continue;
            }
            let (name, before) = (record.name.clone(), record.settings.clone());
            let after = match functions.get(&name) {
                None => {
                    transaction.execute("DELETE FROM functions WHERE name = ?", [name.as_str()])?;
                    None
                }
                // One that cannot be read lets nobody in as it is.
                Some(rights) if record.damage.is_none() && record.settings.narrow(rights) => {
                    put_settings(&transaction, &mut record)?;
                    Some(record.settings)
                }
                Some(_) => continue,
            };
            taken.push(Tightening {
                name,
                before,
                after,
            });
        }
        if taken.is_empty() {
            return Ok(taken);
        }
        transaction.commit()?;
        self.note_change();
        Ok(taken)
    }
}
