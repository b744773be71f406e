//! `host services`: what gcloud's users switch on before they begin.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;
use crate::stderr;

/// Say that all services are on, as scripts for gcloud ask
#[derive(Args)]
pub(super) struct Services {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Enable(Enable),
}

/// Do nothing: functions, jobs, accounts and the log are always on
#[derive(Args)]
struct Enable {
    /// Services, such as cloudfunctions.googleapis.com
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<String>,
}

/// The services that a host has.
const SERVICES: [&str; 6] = [
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "logging.googleapis.com",
];

impl Services {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let Verb::Enable(enable) = self.verb;
        for service in &enable.services {
            match SERVICES.contains(&service.as_str()) {
                true => stderr::line!("{service} is always on."),
                // Scripts also switch on what a deployment at Google needs, such as cloudbuild.
                false => {
                    stderr::line!("{service} is not part of a host, which needs it for nothing.")
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
