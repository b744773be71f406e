//! What a file says of rights alone: what is wrong elsewhere in it keeps nobody's rights alive.

use std::collections::BTreeMap;

use super::{ConfigFile, FunctionTable};
use crate::identity::{Member, OutsideIssuer};
use crate::store::{FunctionName, Rights};

/// Who may call the functions of a file, and whose tokens count.
#[derive(Clone, Debug, Default)]
pub struct DeclaredRights {
    /// The functions that the file has, each with its rights if they can be read.
    pub functions: BTreeMap<FunctionName, Option<Rights>>,
    /// The issuers, if each of them can be read.
    pub issuers: Option<Vec<OutsideIssuer>>,
}

impl ConfigFile {
    /// The rights that it gives, as far as they make sense.
    pub fn rights(&self) -> DeclaredRights {
        let functions = self
            .tables()
            .map(|(name, table)| (name.clone(), rights(table)));
        DeclaredRights {
            functions: functions.collect(),
            issuers: self.issuers().ok(),
        }
    }
}

fn rights(table: &FunctionTable) -> Option<Rights> {
    let mut members = table.invokers.iter();
    let mut rules = table.invoker_rules.iter();
    let are_well = members.all(|member| member.as_ref().parse::<Member>().is_ok())
        && rules.all(|rule| rule.as_ref().read().is_ok());
    are_well.then(|| Rights {
        allow_unauthenticated: table.allow_unauthenticated,
        invokers: table
            .invokers
            .iter()
            .map(|member| member.as_ref().clone())
            .collect(),
        invoker_rules: table
            .invoker_rules
            .iter()
            .map(|rule| rule.as_ref().clone())
            .collect(),
        audiences: table.audiences.clone(),
    })
}
