//! The settings of a function as flags. What is not named stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, Args};
use host_tokens::{EmailAddress, SERVICE_ACCOUNT_DOMAIN};

use super::super::super::Message;
use super::super::super::flags::{Flags, Section};
use super::super::super::yaml;
use crate::config::values::{Listed, Pair, all, bucket_name, host_name, map, names, pairs};
use crate::input;
use crate::settings::{FunctionSettings, Setting};
use crate::store::Store;
use host_sandbox::OutboundPolicy;

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
    /// Makes sure that the account which is named is there, if it would be one of this host.
    pub(super) fn check_account(&self, store: &Store) -> Result<(), Message> {
        let Some(email) = &self.service_account else {
            return Ok(());
        };
        match email.parse::<EmailAddress>() {
            Ok(address) if address.domain() != SERVICE_ACCOUNT_DOMAIN => Ok(()),
            _ => {
                let found = store.service_account(email);
                found.map(drop).map_err(|error| error.to_string())
            }
        }
    }

    /// `settings`, changed as the flags say.
    pub(super) fn apply(
        &self,
        mut settings: FunctionSettings,
    ) -> Result<FunctionSettings, Message> {
        match (self.allow_unauthenticated, self.no_allow_unauthenticated) {
            (true, _) => settings.allow_unauthenticated = true,
            (_, true) => settings.allow_unauthenticated = false,
            _ => {}
        }
        if self.service_account.is_some() {
            settings.service_account.clone_from(&self.service_account);
        }
        if self.clear_max_instances {
            settings.max_instances = None;
        }
        if self.clear_min_instances {
            settings.min_instances = 0;
        }
        match (self.warm, self.no_warm) {
            (true, _) => settings.warm = true,
            (_, true) => {
                settings.warm = false;
                settings.min_instances = 0;
            }
            _ => {}
        }
        self.limits.apply(&mut settings);
        self.apply_environment(&mut settings)?;
        self.apply_config(&mut settings)?;
        self.apply_secrets(&mut settings)?;
        if self.clear_allow_outbound || !self.allow_outbound.is_empty() {
            let mut policy = OutboundPolicy::default();
            for allowed in &self.allow_outbound {
                policy.allow(allowed).map_err(|error| error.to_string())?;
            }
            settings.allow_outbound.clone_from(&self.allow_outbound);
        }
        if self.clear_hosts || !self.host.is_empty() {
            let hosts = self.host.iter().map(|host| host_name(host));
            settings.hosts = hosts.collect::<Result<_, _>>()?;
        }
        if self.clear_keyvalue_buckets || !self.keyvalue_bucket.is_empty() {
            settings.keyvalue_buckets.clone_from(&self.keyvalue_bucket);
        }
        for label in all(&self.remove_labels) {
            settings.labels.remove(label);
        }
        settings.labels.extend(map(&self.update_labels)?);
        Ok(settings)
    }

    fn apply_environment(&self, settings: &mut FunctionSettings) -> Result<(), Message> {
        if let Some(path) = &self.env_vars_file {
            settings.environment = environment_file(path)?;
        } else if self.clear_env_vars || !self.set_env_vars.is_empty() {
            settings.environment = map(&self.set_env_vars)?;
        }
        for name in all(&self.remove_env_vars) {
            settings.environment.remove(name);
        }
        settings.environment.extend(map(&self.update_env_vars)?);
        Ok(())
    }

    fn apply_config(&self, settings: &mut FunctionSettings) -> Result<(), Message> {
        if self.clear_config || !self.set_config.is_empty() {
            settings.config = map(&self.set_config)?;
        }
        for name in all(&self.remove_config) {
            settings.config.remove(name);
        }
        settings.config.extend(map(&self.update_config)?);
        Ok(())
    }

    fn apply_secrets(&self, settings: &mut FunctionSettings) -> Result<(), Message> {
        if !self.set_secrets.is_empty() {
            settings.secrets = secrets(&self.set_secrets)?;
        }
        for name in all(&self.remove_secrets) {
            settings.secrets.remove(name);
        }
        settings.secrets.extend(secrets(&self.update_secrets)?);
        Ok(())
    }
}

/// The files that `lists` name, each of which can be read.
fn secrets(lists: &[Listed<Pair>]) -> Result<BTreeMap<String, PathBuf>, Message> {
    let files = map(lists)?.into_iter().map(|(name, file)| {
        // The host may run elsewhere in the tree, and must find the same file.
        std::path::absolute(&file)
            .and_then(|path| std::fs::File::open(&path).map(|_| (name, path)))
            .map_err(|error| format!("cannot read the secret {file}: {error}"))
    });
    files.collect()
}

fn environment_file(path: &Path) -> Result<BTreeMap<String, String>, Message> {
    let text = input::read(path, "--env-vars-file", LARGEST_ENVIRONMENT)?;
    let wrong = |error: &dyn std::fmt::Display| {
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

    fn applied(before: FunctionSettings, flags: &[String]) -> FunctionSettings {
        let words = std::iter::once("deploy".to_owned()).chain(flags.iter().cloned());
        let line = Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        line.settings.apply(before).unwrap()
    }

    #[test]
    fn secrets_are_replaced_removed_and_added() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let names = |settings: &FunctionSettings| {
            let names = settings.secrets.keys().cloned();
            names.collect::<Vec<_>>()
        };
        let set = |names: &str| {
            let pairs = names.split(',').map(|name| format!("{name}={file}"));
            pairs.collect::<Vec<_>>().join(",")
        };
        let before = || {
            let flags = [format!("--set-secrets={}", set("A,B"))];
            applied(FunctionSettings::default(), &flags)
        };
        assert_eq!(names(&before()), ["A", "B"]);
        for (flags, expected) in [
            (vec![format!("--set-secrets={}", set("C"))], &["C"][..]),
            (
                vec![format!("--update-secrets={}", set("B,C"))],
                &["A", "B", "C"],
            ),
            (vec!["--remove-secrets=A".to_owned()], &["B"]),
            (
                vec![
                    "--remove-secrets=A,B".to_owned(),
                    format!("--update-secrets={}", set("B")),
                ],
                &["B"],
            ),
            (vec!["--memory=64Mi".to_owned()], &["A", "B"]),
        ] {
            assert_eq!(names(&applied(before(), &flags)), expected, "{flags:?}");
        }
    }
}
