//! The settings of a job as flags. What is not named stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::super::super::Message;
use crate::config::values::{
    Listed, Pair, all, duration, duration_or_zero, file_text, header_map, milliseconds, pairs,
};
use crate::input;
use crate::scheduler::Job;
use crate::store::{CatchUp, JobSettings, Overlap};

/// The largest body that is read from a file, in bytes. A job has less.
const LARGEST_BODY: u64 = 1024 * 1024;

#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingArgs {
    /// The time zone that the schedule is for [default: Etc/UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,

    /// How it calls: post, head, get, put, delete, patch or options [default: post]
    #[arg(long, value_name = "METHOD")]
    http_method: Option<String>,

    /// A field of the request's head whose value is the text in a file, and is shown nowhere; once for each
    #[arg(long, value_name = "NAME=FILE,…", value_parser = pairs)]
    header_from_file: Vec<Listed<Pair>>,

    /// The request's body
    #[arg(long, value_name = "TEXT")]
    message_body: Option<String>,

    /// The request's body, from a file, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "message_body")]
    message_body_from_file: Option<PathBuf>,

    /// The service account whose token it sends along
    #[arg(long, value_name = "EMAIL")]
    oidc_service_account_email: Option<String>,

    /// The audience of that token [default: the URI without its query]
    #[arg(long, value_name = "AUDIENCE")]
    oidc_token_audience: Option<String>,

    /// How long an attempt may take, from 15s to 30m [default: 180s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    attempt_deadline: Option<Duration>,

    /// Attempts after the first, up to 5 [default: 0]
    #[arg(long, value_name = "N")]
    max_retry_attempts: Option<u32>,

    /// How long after the first attempt others may begin; 0s is no limit of time [default: 0s]
    #[arg(long, value_name = "TIME", value_parser = duration_or_zero)]
    max_retry_duration: Option<Duration>,

    /// The time to the first retry, 100ms at least [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = duration_or_zero)]
    min_backoff: Option<Duration>,

    /// The longest time between retries [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = duration_or_zero)]
    max_backoff: Option<Duration>,

    /// How often the time between retries doubles [default: 5]
    #[arg(long, value_name = "N")]
    max_doublings: Option<u32>,

    /// What becomes of a due time that comes while a run is going [default: skip]
    #[arg(long, value_enum, value_name = "RULE")]
    overlap: Option<Overlap>,

    /// What becomes of due times at which no host served [default: last]
    #[arg(long, value_enum, value_name = "RULE")]
    catch_up: Option<CatchUp>,

    /// What you say of it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl SettingArgs {
    /// Changes `settings` as the flags say.
    pub(super) fn apply(&self, settings: &mut JobSettings) -> Result<(), Message> {
        set(&mut settings.time_zone, &self.time_zone);
        if let Some(method) = &self.http_method {
            settings.http_method = method.to_ascii_uppercase();
        }
        for (name, file) in header_map(&self.header_from_file)? {
            let value = file_text(Path::new(&file), "--header-from-file")?;
            let other = |header: &str| !header.eq_ignore_ascii_case(&name);
            settings.headers.retain(|header, _| other(header));
            settings.secret_headers.retain(|header| other(header));
            settings.headers.insert(name.clone(), value);
            settings.secret_headers.insert(name);
        }
        if let Some(body) = self.body()? {
            settings.body = Some(STANDARD.encode(body));
        }
        if self.oidc_service_account_email.is_some() {
            settings
                .oidc_account
                .clone_from(&self.oidc_service_account_email);
        }
        if self.oidc_token_audience.is_some() {
            settings.oidc_audience.clone_from(&self.oidc_token_audience);
        }
        let times = [
            (&mut settings.attempt_deadline, self.attempt_deadline),
            (&mut settings.max_retry_duration, self.max_retry_duration),
            (&mut settings.min_backoff, self.min_backoff),
            (&mut settings.max_backoff, self.max_backoff),
        ];
        for (setting, time) in times {
            set(setting, &time.map(milliseconds));
        }
        set(&mut settings.max_retry_attempts, &self.max_retry_attempts);
        set(&mut settings.max_doublings, &self.max_doublings);
        set(&mut settings.overlap, &self.overlap);
        set(&mut settings.catch_up, &self.catch_up);
        set(&mut settings.description, &self.description);
        Ok(())
    }

    /// Makes sure that no field is given both as text, by `flag`, and from a file.
    pub(super) fn check_headers(
        &self,
        flag: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<(), Message> {
        let is_given = |name: &str| {
            headers
                .keys()
                .any(|header| header.eq_ignore_ascii_case(name))
        };
        let mut from_files = all(&self.header_from_file);
        match from_files.find(|(name, _)| is_given(name)) {
            None => Ok(()),
            Some((name, _)) => Err(format!(
                "`{name}` is given twice, by {flag} and by --header-from-file; leave one of them out"
            )),
        }
    }

    fn body(&self) -> Result<Option<Vec<u8>>, Message> {
        match (&self.message_body, &self.message_body_from_file) {
            (Some(text), _) => Ok(Some(text.clone().into_bytes())),
            (None, Some(file)) => {
                let body = input::read(file, "--message-body-from-file", LARGEST_BODY)?;
                Ok(Some(body))
            }
            (None, None) => Ok(None),
        }
    }
}

/// Checks that `settings` make a job.
pub(super) fn checked(settings: &JobSettings) -> Result<(), Message> {
    let accepted = Job::accept(settings).map(drop);
    accepted.map_err(|error| error.to_string())
}

fn set<T: Clone>(setting: &mut T, given: &Option<T>) {
    if let Some(given) = given {
        setting.clone_from(given);
    }
}
