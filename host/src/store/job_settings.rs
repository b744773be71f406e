use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a job does, and when. Times are milliseconds.
///
/// A field that is not there has its default, so an older record can be read by a newer program.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSettings {
    /// What its owner says of it.
    pub description: String,
    /// When it is due, as it was written.
    pub schedule: String,
    /// The name of the time zone that the schedule is for.
    pub time_zone: String,
    /// What it calls.
    pub uri: String,
    /// How it calls.
    pub http_method: String,
    /// Fields of the request.
    pub headers: BTreeMap<String, String>,
    /// Those of them whose values are secret: they are not shown.
    pub secret_headers: BTreeSet<String>,
    /// The request's body, in base64.
    pub body: Option<String>,
    /// Whose token it sends along.
    pub oidc_account: Option<String>,
    /// The audience of that token, in place of the URI.
    pub oidc_audience: Option<String>,
    /// The subject of that account, so that another account of the same address is not meant. None for jobs that name the account
    /// by its address alone: those of configuration files and of the command line.
    pub oidc_subject: Option<String>,
    /// How long an attempt may take.
    pub attempt_deadline: u64,
    /// Attempts after the first.
    pub max_retry_attempts: u32,
    /// How long after the first attempt others may begin; 0 is no limit of time.
    pub max_retry_duration: u64,
    /// The time to the first retry.
    pub min_backoff: u64,
    /// The longest time between retries.
    pub max_backoff: u64,
    /// How often that time doubles.
    pub max_doublings: u32,
    /// What becomes of a due time that comes while a run is going.
    pub overlap: Overlap,
    /// What becomes of due times at which no host served.
    pub catch_up: CatchUp,
}

/// What becomes of a due time that comes while a run is going.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// It is skipped
    #[default]
    Skip,
    /// One waits; those that come meanwhile are skipped
    Queue,
    /// It runs as well
    Allow,
}

/// What becomes of due times at which no host served.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CatchUp {
    /// The latest is run
    #[default]
    Last,
    /// They are missed
    None,
    /// The latest 100 are run, one after the other
    All,
}

impl JobSettings {
    /// Whether the value of this field of the request is not to be shown.
    pub fn is_secret(&self, header: &str) -> bool {
        let mut secret = self.secret_headers.iter();
        secret.any(|name| name.eq_ignore_ascii_case(header))
    }

    /// Whether a job with these settings sends the same request as one with `other`, with the token of the account of the same
    /// address.
    pub fn has_target_of(&self, other: &Self) -> bool {
        let target = |settings: &Self| {
            let Self {
                uri,
                http_method,
                headers,
                body,
                oidc_account,
                oidc_audience,
                ..
            } = settings.clone();
            (uri, http_method, headers, body, oidc_account, oidc_audience)
        };
        target(self) == target(other)
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            description: String::new(),
            schedule: String::new(),
            time_zone: "Etc/UTC".into(),
            uri: String::new(),
            http_method: "POST".into(),
            headers: BTreeMap::new(),
            secret_headers: BTreeSet::new(),
            body: None,
            oidc_account: None,
            oidc_audience: None,
            oidc_subject: None,
            attempt_deadline: 180_000,
            max_retry_attempts: 0,
            max_retry_duration: 0,
            min_backoff: 5_000,
            max_backoff: 3_600_000,
            max_doublings: 5,
            overlap: Overlap::default(),
            catch_up: CatchUp::default(),
        }
    }
}

/// Without what may be secret: query, headers and body.
impl fmt::Debug for JobSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobSettings")
            .field("schedule", &self.schedule)
            .field("time_zone", &self.time_zone)
            .field("uri", &self.uri.split('?').next())
            .finish_non_exhaustive()
    }
}
