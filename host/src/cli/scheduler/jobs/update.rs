//! `host scheduler jobs update http`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::super::super::Message;
use super::super::super::client::ClientArgs;
use super::super::super::listing::Shown;
use super::change::path;
use super::settings::{SettingArgs, checked};
use super::shown::value;
use crate::api::job_form;
use crate::config::values::{Listed, Pair, all, header_map, headers, names};
use crate::store::{JobName, JobSettings};

/// Change a job
#[derive(Args)]
pub(super) struct Update {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    Http(Box<UpdateHttp>),
}

/// Change a job that makes an HTTP request whenever it is due
///
/// What is not named stays as it is. Due times before the change are not caught up.
#[derive(Args)]
struct UpdateHttp {
    /// The job
    name: JobName,

    /// When it is due: unix-cron, such as `0 * * * *`, or words, such as `every monday 09:00`
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,

    /// What it calls
    #[arg(long, value_name = "URL")]
    uri: Option<String>,

    /// Fields of the request's head to add or change
    #[arg(long, value_name = "NAME=VALUE,…", value_parser = headers)]
    update_headers: Vec<Listed<Pair>>,

    /// Fields of the request's head to remove
    #[arg(long, value_name = "NAME,…", value_parser = names)]
    remove_headers: Vec<Listed<String>>,

    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    clear: ClearArgs,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

/// Settings that go back to their defaults.
#[derive(Args)]
#[command(next_help_heading = "Back to the default")]
struct ClearArgs {
    /// Send no headers
    #[arg(long, conflicts_with = "update_headers")]
    clear_headers: bool,

    /// Send no body
    #[arg(long, conflicts_with_all = ["message_body", "message_body_from_file"])]
    clear_message_body: bool,

    /// Send no token
    #[arg(long, conflicts_with_all = ["oidc_service_account_email", "oidc_token_audience"])]
    clear_auth_token: bool,

    /// Have the schedule be for UTC
    #[arg(long, conflicts_with = "time_zone")]
    clear_time_zone: bool,

    /// Have no description
    #[arg(long, conflicts_with = "description")]
    clear_description: bool,

    /// Let an attempt take 180s
    #[arg(long, conflicts_with = "attempt_deadline")]
    clear_attempt_deadline: bool,

    /// Make no attempts after the first
    #[arg(long, conflicts_with = "max_retry_attempts")]
    clear_max_retry_attempts: bool,

    /// Have no limit of time for retries
    #[arg(long, conflicts_with = "max_retry_duration")]
    clear_max_retry_duration: bool,

    /// Have the first retry come after 5s
    #[arg(long, conflicts_with = "min_backoff")]
    clear_min_backoff: bool,

    /// Have retries at least every hour
    #[arg(long, conflicts_with = "max_backoff")]
    clear_max_backoff: bool,

    /// Double the time between retries 5 times
    #[arg(long, conflicts_with = "max_doublings")]
    clear_max_doublings: bool,
}

impl Update {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let Kind::Http(update) = self.kind;
        update.run()
    }
}

impl UpdateHttp {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let path = path(&host, &self.name, "");
        let before = job_form::settings(&host.get(&path)?, &JobSettings::default())?;
        let after = self.apply(before.clone())?;
        checked(&after)?;
        let [before, after] = [before, after].map(|settings| job_form::document(&settings));
        let mask = changed(&before, &after).join(",");
        let updated = host.patch(&format!("{path}?updateMask={mask}"), &after)?;
        self.shown.show(&value(updated))?;
        Ok(ExitCode::SUCCESS)
    }

    fn apply(&self, mut settings: JobSettings) -> Result<JobSettings, Message> {
        self.clear.apply(&mut settings);
        if let Some(schedule) = &self.schedule {
            settings.schedule.clone_from(schedule);
        }
        if let Some(uri) = &self.uri {
            settings.uri.clone_from(uri);
        }
        let is_same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        for name in all(&self.remove_headers) {
            settings.headers.retain(|header, _| !is_same(header, name));
        }
        let updated = header_map(&self.update_headers)?;
        self.settings.check_headers("--update-headers", &updated)?;
        for (name, value) in updated {
            settings.headers.retain(|header, _| !is_same(header, &name));
            // It was typed where anybody can read it.
            settings
                .secret_headers
                .retain(|header| !is_same(header, &name));
            settings.headers.insert(name, value);
        }
        self.settings.apply(&mut settings)?;
        // A field of this name that is added later is another one.
        let JobSettings {
            headers,
            secret_headers,
            ..
        } = &mut settings;
        secret_headers.retain(|secret| headers.keys().any(|header| is_same(header, secret)));
        Ok(settings)
    }
}

/// The fields that differ, so that only those are changed.
fn changed<'a>(before: &'a Value, after: &'a Value) -> Vec<&'a str> {
    let documents = [before, after].into_iter().filter_map(Value::as_object);
    let mut names: Vec<_> = documents
        .flat_map(|document| document.keys())
        .map(String::as_str)
        .filter(|name| before.get(name) != after.get(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl ClearArgs {
    fn apply(&self, settings: &mut JobSettings) {
        let defaults = JobSettings::default();
        if self.clear_headers {
            settings.headers.clear();
        }
        if self.clear_message_body {
            settings.body = None;
        }
        if self.clear_auth_token {
            (settings.oidc_account, settings.oidc_audience) = (None, None);
        }
        if self.clear_time_zone {
            settings.time_zone = defaults.time_zone;
        }
        if self.clear_description {
            settings.description = defaults.description;
        }
        if self.clear_attempt_deadline {
            settings.attempt_deadline = defaults.attempt_deadline;
        }
        if self.clear_max_retry_attempts {
            settings.max_retry_attempts = defaults.max_retry_attempts;
        }
        if self.clear_max_retry_duration {
            settings.max_retry_duration = defaults.max_retry_duration;
        }
        if self.clear_min_backoff {
            settings.min_backoff = defaults.min_backoff;
        }
        if self.clear_max_backoff {
            settings.max_backoff = defaults.max_backoff;
        }
        if self.clear_max_doublings {
            settings.max_doublings = defaults.max_doublings;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        update: UpdateHttp,
    }

    /// What the flags make of a job with the secret field `X-Key`.
    fn updated(flags: &[&str]) -> Result<JobSettings, Message> {
        let words = ["update", "job"].into_iter().chain(flags.iter().copied());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        let before = JobSettings {
            headers: [("X-Key".to_owned(), "secret".to_owned())].into(),
            secret_headers: ["X-Key".to_owned()].into(),
            ..JobSettings::default()
        };
        line.update.apply(before)
    }

    #[test]
    fn a_field_is_secret_as_long_as_its_value_is_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "other").unwrap();
        let from_file = format!("--header-from-file=x-key={}", file.path().display());
        for (flags, secret) in [
            (&["--description=d"][..], &["X-Key"][..]),
            (&["--update-headers=Accept=a"], &["X-Key"]),
            (&["--remove-headers=x-key"], &[]),
            (&["--clear-headers"], &[]),
            (&["--update-headers=x-key=v"], &[]),
            (&[from_file.as_str()], &["x-key"]),
        ] {
            let settings = updated(flags).unwrap();
            let found: Vec<_> = settings.secret_headers.iter().collect();
            assert_eq!(found, secret, "{flags:?}");
        }
        let refused = updated(&["--update-headers=X-Key=v", &from_file]).unwrap_err();
        assert!(refused.contains("--header-from-file"), "{refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
    }

    #[test]
    fn only_fields_that_differ_are_changed() {
        let before = serde_json::json!({ "schedule": "a", "description": "d", "overlap": "skip" });
        let after = serde_json::json!({ "schedule": "b", "overlap": "skip", "timeZone": "z" });
        assert_eq!(
            changed(&before, &after),
            ["description", "schedule", "timeZone"]
        );
        assert!(changed(&before, &before).is_empty());
    }
}
