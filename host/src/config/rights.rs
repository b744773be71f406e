//! What a file says of rights alone, read table by table: what is wrong elsewhere in it keeps nobody's rights alive.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{ConfigFile, IssuerTable};
use crate::identity::{Member, OutsideIssuer};
use crate::store::{FunctionName, InvokerRule, Rights};

/// Who may call the functions of a file, and whose tokens count.
#[derive(Clone, Debug, Default)]
pub struct DeclaredRights {
    /// The functions that the file has, each with its rights if they can be read.
    pub functions: BTreeMap<FunctionName, Option<Rights>>,
    /// The issuers, if each of them can be read.
    pub issuers: Option<Vec<OutsideIssuer>>,
}

#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    functions: BTreeMap<String, toml::Value>,
    #[serde(default)]
    issuers: BTreeMap<String, toml::Value>,
}

/// The part of a function's table that says who may call it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RightsTable {
    #[serde(default)]
    allow_unauthenticated: bool,
    #[serde(default)]
    invokers: Vec<String>,
    #[serde(default)]
    invoker_rules: Vec<InvokerRule>,
    #[serde(default)]
    audiences: Vec<String>,
}

impl DeclaredRights {
    /// Of the file at `path`; `None` if it cannot be read, is not TOML, or names what cannot be a function.
    pub fn read(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok()?;
        let tables: Tables = toml::from_str(&ConfigFile::text_of(&path).ok()?).ok()?;
        let functions = tables.functions.into_iter().map(|(name, table)| {
            let rights = read::<RightsTable>(table).and_then(RightsTable::rights);
            Some((name.parse().ok()?, rights))
        });
        let directory = path.parent()?;
        let issuers = tables.issuers.into_values().map(|table| {
            let (config, keys) = read::<IssuerTable>(table)?.issuer(directory).ok()?;
            let config = Arc::new(config);
            Some(OutsideIssuer { config, keys })
        });
        Some(Self {
            functions: functions.collect::<Option<_>>()?,
            issuers: issuers.collect(),
        })
    }
}

impl RightsTable {
    fn rights(self) -> Option<Rights> {
        let is_member = |member: &String| member.parse::<Member>().is_ok();
        let are_well = self.invokers.iter().all(is_member)
            && self.invoker_rules.iter().all(|rule| rule.read().is_ok());
        are_well.then(|| Rights {
            allow_unauthenticated: self.allow_unauthenticated,
            invokers: self.invokers.into_iter().collect(),
            invoker_rules: self.invoker_rules,
            audiences: self.audiences,
        })
    }
}

fn read<T: DeserializeOwned>(table: toml::Value) -> Option<T> {
    table.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(name: &str, text: &str) -> Option<DeclaredRights> {
        let path = std::env::temp_dir().join(format!("host-rights-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let rights = DeclaredRights::read(&path);
        let _ = std::fs::remove_file(&path);
        rights
    }

    #[test]
    fn rights_are_read_whatever_else_is_wrong_with_the_file() {
        let text = r#"
            [host]
            colour = "blue"
            [issuers.it]
            url = "https://id.example"
            [functions.a]
            memory = "lots"
            secrets = { A = "/no/such/file" }
            invokers = ["user:a@example.com"]
            [functions.b]
            invokers = ["group:b"]
            [functions.c]
            allow-unauthenticated = "perhaps"
        "#;
        let rights = rights("wrong", text).unwrap();
        let of = |name: &str| rights.functions[&name.parse().unwrap()].clone();
        assert!(of("a").unwrap().invokers.contains("user:a@example.com"));
        assert_eq!((of("b"), of("c")), (None, None));
        assert_eq!(rights.issuers.unwrap().len(), 1);
    }

    #[test]
    fn nothing_is_read_of_what_is_no_configuration() {
        assert!(rights("broken", "[functions.a]\ninvokers = [").is_none());
        assert!(rights("name", "[functions.\"a b\"]\nsource = \"x\"").is_none());
        let malformed = rights("issuer", "[issuers.it]\nurl = 7").unwrap();
        assert!(malformed.issuers.is_none());
    }
}
