//! `host config`: the configuration file, looked at without serving.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;
use super::format::{DocumentFormat, document, print};
use super::state::State;
use super::trial::Trial;
use crate::config::{ConfigFile, Declared};

/// Check a configuration file, or print its schema
#[derive(Args)]
pub(super) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Check(Check),
    Schema(Schema),
}

/// Check that a host could serve what a file declares, components included
#[derive(Args)]
struct Check {
    /// The file
    #[arg(default_value = "host.toml")]
    file: PathBuf,

    #[command(flatten)]
    state: State,
}

/// Print the JSON Schema of configuration files, which editors use to help and to check
#[derive(Args)]
struct Schema {}

impl Config {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Check(check) => check.run(),
            Verb::Schema(_) => {
                print(&document(&ConfigFile::schema(), DocumentFormat::Json)?)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Check {
    fn run(self) -> Result<ExitCode, Message> {
        let file = ConfigFile::read(&self.file).map_err(|error| error.to_string())?;
        let functions = file.functions();
        let trial = Trial::new(&self.state)?;
        for Declared {
            name,
            source,
            settings,
        } in &functions
        {
            let tried = trial.read(source);
            let tried = tried.and_then(|wasm| trial.run(&wasm, settings));
            tried.map_err(|error| {
                let message = format!("{}: {error}", source.display());
                file.bad_source(name, &message).to_string()
            })?;
        }
        print(&format!(
            "{}: {} function(s), all of which can be served\n",
            self.file.display(),
            functions.len()
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
