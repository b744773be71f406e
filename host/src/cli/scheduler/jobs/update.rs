//! `host scheduler jobs update http`

use std::collections::BTreeSet;
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
        // A mask that names nothing stands for all fields.
        let updated = match mask.is_empty() {
            true => host.get(&path)?,
            false => host.patch(&format!("{path}?updateMask={mask}"), &after)?,
        };
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

/// The fields of a job whose own fields are named in a mask. Those of others, such as `httpTarget.headers`, may have any
/// names, which a mask cannot tell apart.
const MESSAGES: [&str; 3] = ["httpTarget", "httpTarget.oidcToken", "retryConfig"];

/// The paths of the fields that differ, so that a change of another field at the same time is kept.
fn changed(before: &Value, after: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    add_changed("", before, after, &mut paths);
    // A value that was secret when it was sent is not to be public.
    let [headers, secret] = ["httpTarget.headers", "secretHeaders"];
    let is_named = |path| paths.iter().any(|named| named == path);
    if is_named(headers) && !is_named(secret) {
        paths.push(secret.to_owned());
    }
    paths
}

/// Adds the paths of the fields below `parent` that differ.
fn add_changed(parent: &str, before: &Value, after: &Value, paths: &mut Vec<String>) {
    let documents = [before, after].into_iter().filter_map(Value::as_object);
    let names: BTreeSet<_> = documents.flat_map(|document| document.keys()).collect();
    for name in names {
        let path = match parent {
            "" => name.clone(),
            _ => format!("{parent}.{name}"),
        };
        match (before.get(name), after.get(name)) {
            (before, after) if before == after => {}
            (Some(before), Some(after)) if MESSAGES.contains(&path.as_str()) => {
                add_changed(&path, before, after, paths);
            }
            _ => paths.push(path),
        }
    }
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
    use serde_json::json;

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

    /// The mask of a change from one document to another.
    fn mask(before: Value, after: Value) -> String {
        changed(&before, &after).join(",")
    }

    #[test]
    fn only_fields_that_differ_are_changed() {
        let before = json!({ "schedule": "a", "description": "d", "overlap": "skip" });
        let after = json!({ "schedule": "b", "overlap": "skip", "timeZone": "z" });
        assert_eq!(mask(before.clone(), after), "description,schedule,timeZone");
        assert_eq!(mask(before.clone(), before), "");
    }

    #[test]
    fn fields_of_a_target_and_of_retries_are_changed_one_by_one() {
        let job = |uri, audience, retries| {
            let token = json!({ "serviceAccountEmail": "e", "audience": audience });
            json!({
                "httpTarget": { "uri": uri, "body": "b", "oidcToken": token },
                "retryConfig": { "retryCount": retries, "maxDoublings": 5 },
            })
        };
        assert_eq!(
            mask(job("a", "c", 1), job("b", "d", 2)),
            "httpTarget.oidcToken.audience,httpTarget.uri,retryConfig.retryCount"
        );
        let mut without_token = job("a", "c", 1);
        without_token["httpTarget"] = json!({ "uri": "a", "body": "b" });
        let mask = mask(job("a", "c", 1), without_token);
        assert_eq!(mask, "httpTarget.oidcToken");
    }

    #[test]
    fn header_fields_are_changed_as_a_whole_with_which_are_secret() {
        let job = |value| json!({ "httpTarget": { "headers": { "X.A_b": value } }, "secretHeaders": ["X.A_b"] });
        assert_eq!(mask(job("a"), job("b")), "httpTarget.headers,secretHeaders");
    }
}
