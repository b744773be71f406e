use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::values::{HeaderFields, Time, TimeOrZero, file_text, milliseconds};
use crate::store::{CatchUp, JobSettings, Overlap};

/// A job: when it is due and what it calls, as `host scheduler jobs create http` has it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JobTable {
    /// When it is due: unix-cron, such as "0 * * * *", or words, such as "every monday 09:00"
    #[schemars(with = "String")]
    pub schedule: Spanned<String>,
    /// The time zone that the schedule is for
    pub time_zone: Option<String>,
    /// What it calls
    pub uri: String,
    /// How it calls: post, head, get, put, delete, patch or options
    pub http_method: Option<String>,
    /// Fields of the request's head
    #[serde(default)]
    pub headers: HeaderFields,
    /// Fields of the request's head whose values are the text in these files, and are shown nowhere
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PathBuf>")]
    pub header_from_file: BTreeMap<String, Spanned<PathBuf>>,
    /// The request's body
    pub message_body: Option<String>,
    /// The request's body, from a file
    pub message_body_from_file: Option<PathBuf>,
    /// What is in that file.
    #[serde(skip)]
    pub(super) body: Option<Vec<u8>>,
    /// The service account whose token it sends along
    pub oidc_service_account_email: Option<String>,
    /// The audience of that token, in place of the URI without its query
    pub oidc_token_audience: Option<String>,
    /// How long an attempt may take
    pub attempt_deadline: Option<Time>,
    /// Attempts after the first
    pub max_retry_attempts: Option<u32>,
    /// How long after the first attempt others may begin
    pub max_retry_duration: Option<TimeOrZero>,
    /// The time to the first retry
    pub min_backoff: Option<Time>,
    /// The longest time between retries
    pub max_backoff: Option<Time>,
    /// How often the time between retries doubles
    pub max_doublings: Option<u32>,
    /// Whether it is paused
    #[serde(default)]
    pub paused: bool,
    /// What becomes of a due time that comes while a run is going
    #[serde(default)]
    pub overlap: Overlap,
    /// What becomes of due times at which no host served
    #[serde(default)]
    pub catch_up: CatchUp,
    /// What you say of it
    #[serde(default)]
    pub description: String,
}

impl JobTable {
    /// The settings that are kept; paths begin at `directory`. A file that cannot be read gives no field.
    pub(super) fn settings(&self, directory: &Path) -> JobSettings {
        let mut headers = self.headers.0.clone();
        for (name, file) in &self.header_from_file {
            if let Ok(value) = file_text(&directory.join(file.as_ref()), "header-from-file") {
                headers.insert(name.clone(), value);
            }
        }
        let defaults = JobSettings::default();
        let or = |time: Option<Time>, default| time.map_or(default, |time| milliseconds(time.0));
        let body = self.body.as_deref();
        let body = body.or(self.message_body.as_ref().map(String::as_bytes));
        let method = self.http_method.as_ref();
        JobSettings {
            description: self.description.clone(),
            schedule: self.schedule.as_ref().clone(),
            time_zone: self.time_zone.clone().unwrap_or(defaults.time_zone),
            uri: self.uri.clone(),
            http_method: method.map_or(defaults.http_method, |method| method.to_ascii_uppercase()),
            headers,
            body: body.map(|body| STANDARD.encode(body)),
            oidc_account: self.oidc_service_account_email.clone(),
            oidc_audience: self.oidc_token_audience.clone(),
            oidc_subject: None,
            attempt_deadline: or(self.attempt_deadline, defaults.attempt_deadline),
            max_retry_attempts: self
                .max_retry_attempts
                .unwrap_or(defaults.max_retry_attempts),
            max_retry_duration: self
                .max_retry_duration
                .map_or(defaults.max_retry_duration, |time| milliseconds(time.0)),
            min_backoff: or(self.min_backoff, defaults.min_backoff),
            max_backoff: or(self.max_backoff, defaults.max_backoff),
            max_doublings: self.max_doublings.unwrap_or(defaults.max_doublings),
            overlap: self.overlap,
            catch_up: self.catch_up,
            secret_headers: self.header_from_file.keys().cloned().collect(),
        }
    }
}
