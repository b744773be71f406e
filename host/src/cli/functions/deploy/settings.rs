//! The settings of a function as flags. What is not named stays.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::{Arg, Args};
use serde_json::{Map, Value, json};

use super::super::super::Message;
use super::super::super::flags::{Flags, Section};
use super::super::super::yaml;
use crate::config::values::{Listed, Pair, all, bucket_name, map, names, pairs};
use crate::input;
use crate::settings::{FunctionSettings, Setting};

/// The largest file of environment variables, in bytes.
const LARGEST_ENVIRONMENT: u64 = 16 << 20;

#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingArgs {
    /// Let anyone call it
    #[arg(long, conflicts_with = "no_allow_unauthenticated")]
    allow_unauthenticated: bool,

    /// Let only callers with a valid token call it; so it is unless said otherwise
    #[arg(long)]
    no_allow_unauthenticated: bool,

    /// The service account that it acts for
    #[arg(long, value_name = "EMAIL")]
    service_account: Option<String>,

    #[command(flatten)]
    limits: Flags<Deployed>,

    /// Bound the executions at once by --concurrency alone
    #[arg(long, conflicts_with = "max_instances")]
    clear_max_instances: bool,

    /// Make no instances ahead of need
    #[arg(long, conflicts_with = "min_instances")]
    clear_min_instances: bool,

    /// Keep its instances for further requests, one after the other: what it has in memory stays for the next caller
    #[arg(long, conflicts_with = "no_warm")]
    warm: bool,

    /// Give each request a fresh instance; so it is unless said otherwise
    #[arg(long)]
    no_warm: bool,

    /// Its environment variables, in place of those that it has
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = pairs)]
    set_env_vars: Vec<Listed<Pair>>,

    /// Remove all its environment variables
    #[arg(long, conflicts_with_all = ["set_env_vars", "env_vars_file"])]
    clear_env_vars: bool,

    /// Environment variables to add or change
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = pairs)]
    update_env_vars: Vec<Listed<Pair>>,

    /// Environment variables to remove
    #[arg(long, value_name = "KEY,…", value_parser = names)]
    remove_env_vars: Vec<Listed<String>>,

    /// Its environment variables, from a file that holds a map of strings, as YAML or JSON, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "set_env_vars")]
    env_vars_file: Option<PathBuf>,

    /// What it finds in `wasi:config`, in place of what it has there
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = pairs)]
    set_config: Vec<Listed<Pair>>,

    /// Remove all that it finds in `wasi:config`
    #[arg(long, conflicts_with = "set_config")]
    clear_config: bool,

    /// Values of `wasi:config` to add or change
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = pairs)]
    update_config: Vec<Listed<Pair>>,

    /// Values of `wasi:config` to remove
    #[arg(long, value_name = "KEY,…", value_parser = names)]
    remove_config: Vec<Listed<String>>,

    /// A bucket of `wasi:keyvalue` that it shares with all functions that name it, in place of those that it shares; once
    /// for each
    #[arg(long, value_name = "NAME", value_parser = bucket_name)]
    keyvalue_bucket: Vec<String>,

    /// Share no buckets
    #[arg(long, conflicts_with = "keyvalue_bucket")]
    clear_keyvalue_buckets: bool,

    /// Environment variables whose values are read from files by the host, and kept nowhere else, in place of those that
    /// it has
    #[arg(long, value_name = "KEY=FILE,…", value_parser = pairs)]
    set_secrets: Vec<Listed<Pair>>,

    /// Secrets to add or change
    #[arg(long, value_name = "KEY=FILE,…", value_parser = pairs)]
    update_secrets: Vec<Listed<Pair>>,

    /// Secrets to remove
    #[arg(long, value_name = "KEY,…", value_parser = names)]
    remove_secrets: Vec<Listed<String>>,

    /// Let it call this URL's scheme, host and port, in place of those that it may; once for each
    #[arg(long, value_name = "URL|CIDR")]
    allow_outbound: Vec<String>,

    /// Let it call nobody
    #[arg(long, conflicts_with = "allow_outbound")]
    clear_allow_outbound: bool,

    /// A host name that leads to it whatever the path, in place of those that do; once for each
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,

    /// No host name leads to it
    #[arg(long, conflicts_with = "host")]
    clear_hosts: bool,

    /// Labels to add or change
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = pairs)]
    update_labels: Vec<Listed<Pair>>,

    /// Labels to remove
    #[arg(long, value_name = "KEY,…", value_parser = names)]
    remove_labels: Vec<Listed<String>>,
}

/// The settings of a function that is deployed.
struct Deployed;

impl Section for Deployed {
    type Settings = FunctionSettings;
    const SECTION: &'static str = "Function";
    const HEADING: &'static str = "Settings";

    fn fitted(flag: Arg, _: &Setting<FunctionSettings>) -> Arg {
        flag
    }
}

impl SettingArgs {
    /// The changes that the flags make, as the method that deploys takes them. `is_here` tells whether the host has the files
    /// of this machine.
    ///
    /// # Errors
    /// If a file cannot be read, or a name is given twice.
    pub(super) fn changes(&self, is_here: bool) -> Result<Map<String, Value>, Message> {
        let mut changes = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            changes.extend(value.map(|value| (name.to_owned(), value)));
        };
        let is_open = self.allow_unauthenticated;
        put(
            "allowUnauthenticated",
            (is_open || self.no_allow_unauthenticated).then(|| json!(is_open)),
        );
        put(
            "serviceAccountEmail",
            self.service_account.as_ref().map(|email| json!(email)),
        );
        put(
            "warm",
            (self.warm || self.no_warm).then(|| json!(self.warm)),
        );
        put("maxInstances", self.clear_max_instances.then(|| json!(0)));
        let has_no_instances = self.clear_min_instances || self.no_warm;
        put("minInstances", has_no_instances.then(|| json!(0)));
        put("environmentVariables", self.environment()?);
        put("config", self.config()?);
        put("secretFiles", self.secrets(is_here)?);
        put(
            "labels",
            map_change(None, &self.remove_labels, map(&self.update_labels)?),
        );
        for (name, list, is_cleared) in [
            (
                "allowOutbound",
                &self.allow_outbound,
                self.clear_allow_outbound,
            ),
            ("hosts", &self.host, self.clear_hosts),
            (
                "keyvalueBuckets",
                &self.keyvalue_bucket,
                self.clear_keyvalue_buckets,
            ),
        ] {
            put(name, (is_cleared || !list.is_empty()).then(|| json!(list)));
        }
        changes.extend(self.limits.shown());
        Ok(changes)
    }

    fn environment(&self) -> Result<Option<Value>, Message> {
        let replaced = match &self.env_vars_file {
            Some(path) => Some(environment_file(path)?),
            None if self.clear_env_vars || !self.set_env_vars.is_empty() => {
                Some(map(&self.set_env_vars)?)
            }
            None => None,
        };
        let updated = map(&self.update_env_vars)?;
        Ok(map_change(replaced, &self.remove_env_vars, updated))
    }

    fn config(&self) -> Result<Option<Value>, Message> {
        let is_replaced = self.clear_config || !self.set_config.is_empty();
        let replaced = is_replaced.then(|| map(&self.set_config)).transpose()?;
        let updated = map(&self.update_config)?;
        Ok(map_change(replaced, &self.remove_config, updated))
    }

    fn secrets(&self, is_here: bool) -> Result<Option<Value>, Message> {
        let files = |lists: &[Listed<Pair>]| match is_here {
            true => secrets(lists),
            false => map(lists),
        };
        let is_replaced = !self.set_secrets.is_empty();
        let replaced = is_replaced.then(|| files(&self.set_secrets)).transpose()?;
        let updated = files(&self.update_secrets)?;
        Ok(map_change(replaced, &self.remove_secrets, updated))
    }
}

/// How a map of texts is changed, if it is.
fn map_change(
    replaced: Option<BTreeMap<String, String>>,
    removed: &[Listed<String>],
    updated: BTreeMap<String, String>,
) -> Option<Value> {
    let mut change = json!({});
    if let Some(replaced) = replaced {
        change["replace"] = json!(replaced);
    }
    if !removed.is_empty() {
        change["remove"] = all(removed).map(String::as_str).collect();
    }
    if !updated.is_empty() {
        change["update"] = json!(updated);
    }
    (change != json!({})).then_some(change)
}

/// The files that `lists` name, each of which can be read.
fn secrets(lists: &[Listed<Pair>]) -> Result<BTreeMap<String, String>, Message> {
    let files = map(lists)?.into_iter().map(|(name, file)| {
        let unreadable = |error: &dyn Display| format!("cannot read the secret {file}: {error}");
        // The host may run elsewhere in the tree, and must find the same file.
        let path = std::path::absolute(&file).map_err(|error| unreadable(&error))?;
        std::fs::File::open(&path).map_err(|error| unreadable(&error))?;
        let path = path.into_os_string().into_string();
        path.map(|path| (name, path))
            .map_err(|_| unreadable(&"its path is not text in UTF-8"))
    });
    files.collect()
}

fn environment_file(path: &Path) -> Result<BTreeMap<String, String>, Message> {
    let text = input::read(path, "--env-vars-file", LARGEST_ENVIRONMENT)?;
    let wrong = |error: &dyn Display| {
        format!(
            "{}: {error}; expected a map of names to strings",
            input::name(path)
        )
    };
    let variables = yaml::variables(&text).map_err(|error| wrong(&error))?;
    for (name, value) in &variables {
        // As `pair` has it for the command line.
        let is_variable = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
        if !is_variable {
            return Err(wrong(&format!(
                "`{}` cannot be a variable",
                name.escape_debug()
            )));
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: SettingArgs,
    }

    fn changes(flags: &[&str]) -> Value {
        let line = Line::try_parse_from([&["deploy"], flags].concat());
        let line = line.unwrap_or_else(|error| panic!("{error}"));
        Value::Object(line.settings.changes(true).unwrap())
    }

    #[test]
    fn only_what_is_named_is_changed() {
        assert_eq!(changes(&[]), json!({}));
        let flags = [
            "--memory=64Mi",
            "--timeout=1500ms",
            "--max-instances=3",
            "--max-response-body=unlimited",
            "--allow-unauthenticated",
            "--host=f.example.com",
            "--clear-allow-outbound",
        ];
        let expected = json!({
            "memory": "64Mi",
            "timeout": "1500ms",
            "maxInstances": 3,
            "maxResponseBody": "unlimited",
            "allowUnauthenticated": true,
            "hosts": ["f.example.com"],
            "allowOutbound": [],
        });
        assert_eq!(changes(&flags), expected);
        assert_eq!(
            changes(&["--no-warm", "--clear-max-instances"]),
            json!({ "warm": false, "minInstances": 0, "maxInstances": 0 })
        );
        // As a host would take it that has warm instances.
        let both = changes(&["--no-warm", "--min-instances=2"]);
        assert_eq!(both, json!({ "warm": false, "minInstances": 2 }));
    }

    #[test]
    fn maps_are_replaced_and_their_keys_removed_and_added() {
        for (flags, expected) in [
            (
                &["--set-env-vars=A=1,B=2"][..],
                json!({ "replace": { "A": "1", "B": "2" } }),
            ),
            (&["--clear-env-vars"], json!({ "replace": {} })),
            (
                &["--remove-env-vars=A,B", "--update-env-vars=B=2"],
                json!({ "remove": ["A", "B"], "update": { "B": "2" } }),
            ),
        ] {
            let expected = json!({ "environmentVariables": expected });
            assert_eq!(changes(flags), expected, "{flags:?}");
        }
    }

    #[test]
    fn a_secret_is_a_file_that_the_host_finds_and_one_elsewhere_is_for_it_to_find() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let flag = format!("--update-secrets=S={file}");
        let expected = json!({ "secretFiles": { "update": { "S": file } } });
        assert_eq!(changes(&[&flag]), expected);
        let line = Line::try_parse_from(["deploy", "--set-secrets=S=gone"]).unwrap();
        let missing = line.settings.changes(true).unwrap_err();
        assert!(missing.contains("cannot read the secret gone"), "{missing}");
        let elsewhere = Value::Object(line.settings.changes(false).unwrap());
        assert_eq!(
            elsewhere,
            json!({ "secretFiles": { "replace": { "S": "gone" } } })
        );
    }
}
