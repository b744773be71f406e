//! What a job may not say, though jobs that were kept before may have said it: they go on as they were.

use std::time::Duration;

use http::header::{self, HeaderName};

use super::{
    JobError, LONGEST_BACKOFF, MAX_BACKOFF, MIN_BACKOFF, SHORTEST_BACKOFF, Setting, within,
};
use crate::store::JobSettings;

/// Fields of the connection, which it sets as it needs them.
const CONNECTION: [&str; 5] = ["keep-alive", "proxy-connection", "te", "trailer", "expect"];
/// Fields of the trace that each attempt begins.
const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// # Errors
/// The first thing that is empty, said twice, or would be replaced by something else.
pub(super) fn check(settings: &JobSettings) -> Result<(), JobError> {
    for (what, text, hint) in texts(settings) {
        if text.is_some_and(|text| text.trim().is_empty()) {
            return Err(JobError::Empty { what, hint });
        }
    }
    let mut names = Vec::with_capacity(settings.headers.len());
    for (name, value) in &settings.headers {
        let name = name.to_ascii_lowercase();
        if let Some(reason) = refusal(&name, value, settings) {
            return Err(JobError::Header { name, reason });
        }
        if names.contains(&name) {
            let reason = "is given twice; its case does not count";
            return Err(JobError::Header { name, reason });
        }
        names.push(name);
    }
    let max_backoff = Duration::from_millis(settings.max_backoff);
    within(MAX_BACKOFF, max_backoff, SHORTEST_BACKOFF, LONGEST_BACKOFF)?;
    let min_backoff = Duration::from_millis(settings.min_backoff);
    within(MIN_BACKOFF, min_backoff, SHORTEST_BACKOFF, max_backoff)?;
    Ok(())
}

/// What must not be empty where it is given, and what to do if it is.
fn texts(settings: &JobSettings) -> [(Setting, Option<&String>, &'static str); 4] {
    [
        (
            Setting::new("http-method", "the method"),
            Some(&settings.http_method),
            "expected post, head, get, put, delete, patch or options",
        ),
        (
            Setting::new("oidc-service-account-email", "the service account"),
            settings.oidc_account.as_ref(),
            "name one, or leave it out to send no token",
        ),
        (
            Setting::new("oidc-token-audience", "the token's audience"),
            settings.oidc_audience.as_ref(),
            "leave it out, and it is the URI without its query",
        ),
        (
            Setting::new("message-body", "the body"),
            settings.body.as_ref(),
            "leave it out to send none; --clear-message-body removes one",
        ),
    ]
}

fn refusal(name: &str, value: &str, settings: &JobSettings) -> Option<&'static str> {
    if CONNECTION.contains(&name) {
        return Some("is set by the connection; leave it out");
    }
    if TRACE.contains(&name) {
        return Some("is set by the host, which begins a trace with each attempt; leave it out");
    }
    let authorization: HeaderName = header::AUTHORIZATION;
    if name == authorization.as_str() && settings.oidc_account.is_some() {
        return Some(
            "is set by the host, which sends the service account's token in it; leave out one of the two",
        );
    }
    value
        .trim()
        .is_empty()
        .then_some("has no value; leave it out")
}
