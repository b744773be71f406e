//! What a file says of rights alone: what is wrong elsewhere in it keeps nobody's rights alive.

use std::collections::{BTreeMap, BTreeSet};

use host_tokens::{IssuerUrl, Member};

use super::{ConfigFile, FunctionTable};
use crate::store::{FunctionName, Rights};

/// Who may call the functions of a file, and whose tokens count.
#[derive(Clone, Debug, Default)]
pub struct DeclaredRights {
    /// The functions that the file has, each with its rights. A member or a rule that cannot be read gives none.
    pub functions: BTreeMap<FunctionName, Rights>,
    /// The issuers that the file has. A table whose issuer cannot be told is none.
    pub issuers: BTreeSet<IssuerUrl>,
}

impl ConfigFile {
    /// The rights that it gives, as far as they make sense.
    pub fn rights(&self) -> DeclaredRights {
        let functions = self
            .tables()
            .map(|(name, table)| (name.clone(), rights(table)));
        DeclaredRights {
            functions: functions.collect(),
            issuers: self.issuer_urls().collect(),
        }
    }
}

fn rights(table: &FunctionTable) -> Rights {
    let members = table.invokers.iter().map(|member| member.as_ref());
    let rules = table.invoker_rules.iter().map(|rule| rule.as_ref());
    Rights {
        allow_unauthenticated: table.allow_unauthenticated,
        invokers: members
            .filter(|member| member.parse::<Member>().is_ok())
            .cloned()
            .collect(),
        invoker_rules: rules.filter(|rule| rule.read().is_ok()).cloned().collect(),
        audiences: table.audiences.clone(),
    }
}
