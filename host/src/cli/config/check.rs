//! `host config check`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::compiler::compiler;
use super::super::format::print;
use super::super::serve::trust;
use super::super::state::StateDirectory;
use super::super::trial::Trial;
use crate::config::{ConfigError, ConfigFile, Declared};
use crate::counted::counted;
use crate::input;
use crate::logs::{Collector, CollectorError};
use crate::serve::{TlsError, TlsFiles, check_tls};
use crate::store::{JobDeclaration, Store, StoreError};
use host_sandbox::OutboundPolicy;

/// Check that a host could serve what a file declares, components and other files included
#[derive(Args)]
pub(super) struct Check {
    /// The file, or `-` for standard input
    #[arg(default_value = "host.toml")]
    file: PathBuf,

    #[command(flatten)]
    state: StateDirectory,
}

impl Check {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let file = ConfigFile::read(&self.file).map_err(|error| error.to_string())?;
        let state = self.state.or(file.host().state_dir);
        check_files(&file).map_err(|error| error.to_string())?;
        let functions = file.functions();
        if let Ok(directory) = state.directory() {
            check_beside(&file, &functions, &directory)?;
        }
        let trial = Trial::new(state.compile_cache(), compiler(&file.host()))?;
        for Declared {
            name,
            source,
            settings,
        } in &functions
        {
            let tried = trial.read(source, "its component").and_then(|wasm| {
                let run = trial.run(name.as_str(), wasm, settings);
                run.map_err(|error| format!("{}: {error}", source.display()))
            });
            tried.map_err(|error| file.bad_source(name, &error).to_string())?;
        }
        print(&format!(
            "{} can be served: {}, {}\n",
            input::name(&self.file),
            counted(functions.len(), "function"),
            counted(file.jobs().len(), "job")
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads the files that the process needs.
fn check_files(file: &ConfigFile) -> Result<(), ConfigError> {
    let host = file.host();
    for (certificate, key, names) in [
        (host.tls_cert, host.tls_key, ["tls-cert", "tls-key"]),
        (
            host.admin_tls_cert,
            host.admin_tls_key,
            ["admin-tls-cert", "admin-tls-key"],
        ),
    ] {
        let (Some(certificate), Some(key)) = (certificate, key) else {
            continue;
        };
        check_tls(&TlsFiles { certificate, key }).map_err(|error| {
            let [of_certificate, of_key] = names;
            let place = match &error {
                TlsError::Key { .. } => of_key,
                _ => of_certificate,
            };
            file.bad_host(place, &error.to_string())
        })?;
    }
    if let Some(path) = host.job_ca {
        trust(&mut OutboundPolicy::default(), &path, "job-ca")
            .map_err(|error| file.bad_host("job-ca", &error))?;
    }
    let (headers, authorities) = (host.otlp_headers.as_deref(), host.otlp_ca.as_deref());
    let Some(endpoint) = host.otlp_endpoint else {
        let place = headers.map(|_| "otlp-headers");
        return match place.or(authorities.map(|_| "otlp-ca")) {
            None => Ok(()),
            Some(place) => Err(file.bad_host(
                place,
                "there is no collector; expected otlp-endpoint as well",
            )),
        };
    };
    Collector::new(&endpoint, headers, authorities)
        .map(drop)
        .map_err(|error| {
            let place = match &error {
                CollectorError::Endpoint(_) => "otlp-endpoint",
                CollectorError::File(path, _) if Some(path.as_path()) == headers => "otlp-headers",
                _ => "otlp-ca",
            };
            file.bad_host(place, &error.to_string())
        })
}

/// Compares what is declared with what was deployed and created by commands, if anything was.
fn check_beside(
    file: &ConfigFile,
    functions: &[Declared],
    directory: &Path,
) -> Result<(), Message> {
    if !Store::is_in(directory) {
        return Ok(());
    }
    let store = Store::open_briefly(directory)?;
    let mut deployed = store.functions()?;
    deployed.retain(|function| function.declared_in.is_none());
    for Declared { name, settings, .. } in functions {
        let clash = deployed.iter().find_map(|other| {
            let mut hosts = settings.hosts.iter();
            let host = hosts.find(|host| other.settings.hosts.contains(host));
            match (other.name == *name, host) {
                (true, _) => Some(StoreError::Deployed(name.clone())),
                (_, Some(host)) => Some(StoreError::HostTaken {
                    host: host.clone(),
                    name: other.name.clone(),
                }),
                _ => None,
            }
        });
        if let Some(clash) = clash {
            return Err(file.bad_function(name, &clash.to_string()).to_string());
        }
    }
    for JobDeclaration { name, .. } in file.jobs() {
        store
            .check_jobs([&name])
            .map_err(|error| file.bad_job(&name, &error.to_string()).to_string())?;
    }
    file.check_accounts(&store)
        .map_err(|error| error.to_string())
}
