//! The file as a whole: how it is read, what is checked in it, and what it declares.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_tokens::{IssuerUrl, Member, ServiceAccounts};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::unknown_key::explained;
use super::values::{bucket_name, file_text, host_name};
use super::{ConfigError, FunctionTable, HostSettings, HostTable, IssuerTable, JobTable};
use crate::identity::OutsideIssuer;
use crate::input;
use crate::scheduler::Job;
use crate::store::{FunctionName, FunctionSettings, JobDeclaration, JobName};
use host_sandbox::OutboundPolicy;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// The largest body that is read from a file, in bytes. A job has less.
const LARGEST_BODY: u64 = 1 << 20;

/// A configuration file that has been read and makes sense.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it is; `-` is standard input.
    path: PathBuf,
    /// Where paths in it begin.
    directory: PathBuf,
    text: String,
    tables: Tables,
}

/// A function that a file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: FunctionName,
    /// Its component.
    pub source: PathBuf,
    /// Its settings.
    pub settings: FunctionSettings,
}

/// What a host serves, and how.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "host.toml")]
struct Tables {
    host: HostTable,
    /// The functions, each under its name
    #[schemars(with = "BTreeMap<FunctionName, FunctionTable>")]
    functions: BTreeMap<Spanned<FunctionName>, FunctionTable>,
    /// The issuers whose tokens are trusted beside the host's own, each under a name of yours
    #[schemars(with = "BTreeMap<String, IssuerTable>")]
    issuers: BTreeMap<Spanned<String>, IssuerTable>,
    /// The jobs, each under its name
    #[schemars(with = "BTreeMap<JobName, JobTable>")]
    jobs: BTreeMap<Spanned<JobName>, JobTable>,
}

impl ConfigFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its line and column.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut file = Self::parse(path)?;
        file.read_bodies()?;
        file.check()?;
        Ok(file)
    }

    /// Reads the file at `path`, whose keys and types are right; what they say may make no sense.
    ///
    /// # Errors
    /// If it is no such file.
    pub fn parse(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error: &dyn Display| {
            ConfigError::whole(path, format!("cannot read the configuration: {error}"))
        };
        let is_stdin = input::is_stdin(path);
        // Paths in standard input begin where the program was started.
        let place = std::path::absolute(path).map_err(|error| unreadable(&error))?;
        let directory = place.parent().unwrap_or(Path::new("/")).to_owned();
        let (path, text) = match is_stdin {
            true => {
                let text = input::stdin("the configuration", LARGEST);
                let text = text.map_err(|error| unreadable(&error))?;
                let text = String::from_utf8(text.to_vec());
                (path, text.map_err(|error| unreadable(&error))?)
            }
            false => (&*place, read(&place)?),
        };
        let tables = toml::from_str(&text).map_err(|error| {
            ConfigError::at(path, &text, error.span(), &explained(error.message()))
        })?;
        Ok(Self {
            path: path.to_owned(),
            directory,
            text,
            tables,
        })
    }

    /// The schema of such a file: JSON Schema, draft 2020-12.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Tables).to_value()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tables of its functions, by name.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&FunctionName, &FunctionTable)> {
        let tables = self.tables.functions.iter();
        tables.map(|(name, table)| (name.as_ref(), table))
    }

    /// The settings of the process; paths begin at the file's directory.
    pub fn host(&self) -> HostSettings {
        let table = &self.tables.host;
        let mut host = HostSettings {
            state_dir: table
                .state_dir
                .as_ref()
                .map(|path| self.directory().join(path)),
            keep_logs: table.keep_logs,
            ..HostSettings::default()
        };
        table.apply(self.directory(), &mut host);
        host
    }

    /// The functions that it declares, by name.
    pub fn functions(&self) -> Vec<Declared> {
        let directory = self.directory();
        let functions = self.tables.functions.iter();
        functions
            .map(|(name, table)| Declared {
                name: name.as_ref().clone(),
                source: directory.join(table.source.as_ref()),
                settings: table.settings(directory),
            })
            .collect()
    }

    /// The jobs that it declares, by name.
    pub fn jobs(&self) -> Vec<JobDeclaration> {
        let jobs = self.tables.jobs.iter();
        jobs.map(|(name, table)| JobDeclaration {
            name: name.as_ref().clone(),
            settings: table.settings(self.directory()),
            is_paused: table.paused,
        })
        .collect()
    }

    /// The files that bodies and fields of its jobs are in.
    pub fn job_files(&self) -> impl Iterator<Item = PathBuf> {
        let tables = self.tables.jobs.values();
        let files = tables.flat_map(|table| {
            let fields = table.header_from_file.values().map(Spanned::as_ref);
            fields.chain(&table.message_body_from_file)
        });
        files.map(|file| self.directory().join(file))
    }

    /// The issuers that it trusts.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn issuers(&self) -> Result<Vec<OutsideIssuer>, ConfigError> {
        let issuers = self.tables.issuers.iter();
        issuers
            .map(|(name, table)| {
                let issuer = table.issuer(self.directory());
                let (config, keys) = issuer.map_err(|error| {
                    let message = format!("issuer {}: {error}", name.as_ref());
                    self.at(Some(name.span()), &message)
                })?;
                Ok(OutsideIssuer {
                    config: Arc::new(config),
                    keys,
                })
            })
            .collect()
    }

    /// Whose tokens it trusts, as far as that can be told.
    pub(super) fn issuer_urls(&self) -> impl Iterator<Item = IssuerUrl> {
        let issuers = self.tables.issuers.values();
        issuers.filter_map(|table| table.issuer_url().ok())
    }

    /// What is wrong with the component of the function `name`, where the file names it.
    pub fn bad_source(&self, name: &FunctionName, message: &str) -> ConfigError {
        let mut functions = self.tables.functions.iter();
        let table = functions.find(|(key, _)| key.as_ref() == name);
        self.at(table.map(|(_, table)| table.source.span()), message)
    }

    /// What is wrong with the function `name` beside others, where the file declares it.
    pub fn bad_function(&self, name: &FunctionName, message: &str) -> ConfigError {
        let mut names = self.tables.functions.keys();
        let key = names.find(|key| key.as_ref() == name);
        self.at(key.map(Spanned::span), message)
    }

    /// What is wrong with the job `name` beside others, where the file declares it.
    pub fn bad_job(&self, name: &JobName, message: &str) -> ConfigError {
        let mut names = self.tables.jobs.keys();
        let key = names.find(|key| key.as_ref() == name);
        self.at(key.map(Spanned::span), message)
    }

    /// What is wrong with the bytes `span` of the file, or with all of it.
    pub(super) fn at(&self, span: Option<Range<usize>>, message: &str) -> ConfigError {
        ConfigError::at(&self.path, &self.text, span, message)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the names of the issuers stand, in the order of [`issuers`](Self::issuers).
    pub(super) fn issuer_spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.tables.issuers.keys().map(Spanned::span)
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads the bodies of jobs that are in files.
    fn read_bodies(&mut self) -> Result<(), ConfigError> {
        let mut bodies = Vec::new();
        for (name, table) in &self.tables.jobs {
            let Some(file) = &table.message_body_from_file else {
                continue;
            };
            const KEY: &str = "message-body-from-file";
            let wrong = |message: &str| self.bad_job_key(name.as_ref(), KEY, message);
            if table.message_body.is_some() {
                return Err(wrong(
                    "there is a message-body as well; expected one of them",
                ));
            }
            let body = input::read(&self.directory().join(file), KEY, LARGEST_BODY);
            bodies.push(Some(body.map_err(|error| wrong(&error))?));
        }
        let tables = self.tables.jobs.values_mut();
        let tables = tables.filter(|table| table.message_body_from_file.is_some());
        for (table, body) in tables.zip(bodies) {
            table.body = body;
        }
        Ok(())
    }

    /// Finds what the types of the keys do not say.
    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |span: Range<usize>, message: &str| self.at(Some(span), message);
        self.check_host()?;
        for (name, table) in &self.tables.jobs {
            for file in table.header_from_file.values() {
                file_text(&self.directory().join(file.as_ref()), "header-from-file")
                    .map_err(|error| wrong(file.span(), &error))?;
            }
            let job = Job::accept(&table.settings(self.directory()));
            job.map_err(|error| self.bad_setting(name, &error))?;
        }
        let mut hosts = HashMap::new();
        for (function, table) in &self.tables.functions {
            for member in &table.invokers {
                let read: Result<Member, _> = member.as_ref().parse();
                // Accounts of other domains are known only to the store.
                read.and_then(|member| member.check(&ServiceAccounts::default()))
                    .map_err(|error| wrong(member.span(), &error.to_string()))?;
            }
            for rule in &table.invoker_rules {
                let read = rule.as_ref().read();
                read.map_err(|error| wrong(rule.span(), &error))?;
            }
            for outlet in &table.allow_outbound {
                let allowed = OutboundPolicy::default().allow(outlet.as_ref());
                allowed.map_err(|error| wrong(outlet.span(), &error.to_string()))?;
            }
            for host in &table.hosts {
                let name = host_name(host.as_ref()).map_err(|error| wrong(host.span(), &error))?;
                if let Some(other) = hosts.insert(name, function.as_ref()) {
                    let message = format!("the host name leads to the function `{other}` already");
                    return Err(wrong(host.span(), &message));
                }
            }
            for bucket in &table.keyvalue_buckets {
                bucket_name(bucket.as_ref()).map_err(|error| wrong(bucket.span(), &error))?;
            }
            for secret in table.secrets.values() {
                let path = self.directory().join(secret.as_ref());
                File::open(&path).map_err(|error| {
                    let message = format!("cannot read the secret {}: {error}", path.display());
                    wrong(secret.span(), &message)
                })?;
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |error: std::io::Error| {
        ConfigError::whole(path, format!("cannot read the configuration: {error}"))
    };
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        let message = "is not a file; expected one in TOML, such as host.toml";
        return Err(ConfigError::whole(path, message.into()));
    }
    let mut text = String::new();
    let length = file.take(LARGEST + 1).read_to_string(&mut text);
    if length.map_err(unreadable)? as u64 > LARGEST {
        let message = format!("is larger than {LARGEST} bytes");
        return Err(ConfigError::whole(path, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
