//! `host config set`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;

/// Say where a setting of gcloud is made here
#[derive(Args)]
pub(super) struct Set {
    /// The setting, such as project
    name: String,

    /// Its value
    value: String,
}

impl Set {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let Self { name, value } = self;
        Err(match name.rsplit('/').next().unwrap_or_default() {
            "project" => {
                format!("a host has one project; name it with `host serve --project {value}`")
            }
            "region" | "location" => {
                format!("a host has one location; name it with `host serve --location {value}`")
            }
            _ => format!(
                "commands keep no settings, so `{name}` is not set; give it as a flag, or set the host's own in host.toml (`host \
                 config schema`)"
            ),
        })
    }
}
