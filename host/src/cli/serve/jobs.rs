//! What the jobs of `host serve` may call, and its trigger.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::super::Message;
use super::super::flags::{Flags, HostSection};
use super::trust;
use crate::config::HostSettings;
use crate::scheduler::{Reach, Schedule};
use crate::serve::JobOptions;
use crate::store::JobSettings;

#[derive(Args)]
#[command(next_help_heading = "Jobs")]
pub(super) struct JobArgs {
    /// Call the function whenever this schedule comes, such as `every 5 minutes`, with no catching up
    #[arg(
        long,
        requires = "component",
        conflicts_with = "no_allow_unauthenticated",
        value_name = "SCHEDULE"
    )]
    schedule: Option<String>,

    /// The time zone that --schedule is for
    #[arg(
        long,
        requires = "schedule",
        value_name = "ZONE",
        default_value = "Etc/UTC"
    )]
    time_zone: String,

    /// What --schedule sends
    #[arg(long, requires = "schedule", value_name = "TEXT")]
    message_body: Option<String>,

    #[command(flatten)]
    pub(super) host: Flags<Jobs>,
}

pub(super) struct Jobs;

impl HostSection for Jobs {
    const NAME: &'static str = "Jobs";
}

impl JobArgs {
    pub(super) fn options(self, host: &HostSettings) -> Result<JobOptions, Message> {
        let mut reach = Reach::default();
        for outlet in &host.job_allow_outbound {
            let allowed = reach.policy.allow(outlet);
            allowed.map_err(|error| error.to_string())?;
        }
        if let Some(path) = &host.job_ca {
            trust(&mut reach.policy, path, "--job-ca")?;
        }
        let trigger = match self.schedule {
            None => None,
            Some(schedule) => {
                let parsed = Schedule::parse(&schedule, &self.time_zone);
                parsed.map_err(|error| format!("--schedule: {error}"))?;
                Some(JobSettings {
                    schedule,
                    time_zone: self.time_zone,
                    body: self.message_body.map(|body| STANDARD.encode(body)),
                    ..JobSettings::default()
                })
            }
        };
        Ok(JobOptions { reach, trigger })
    }
}
