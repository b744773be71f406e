//! What came of an attempt.

use std::time::Duration;

use http::StatusCode;

use super::round::{ABORTED, OK};

/// How an attempt is called that found nobody.
pub(super) const UNAVAILABLE: &str = "UNAVAILABLE";

/// What came of a try.
pub(super) struct Outcome {
    pub(super) code: &'static str,
    pub(super) status: Option<StatusCode>,
    pub(super) reason: Option<String>,
    pub(super) execution: Option<String>,
    /// After which time it asks to be tried again.
    pub(super) asked: Option<Duration>,
}

impl Outcome {
    pub(super) fn failure(code: &'static str, reason: String) -> Self {
        Self {
            code,
            status: None,
            reason: Some(reason),
            execution: None,
            asked: None,
        }
    }

    /// The same, if no drain has begun. In one, functions of this host turn requests away because of it: that is no
    /// failure of theirs, and the attempt is made again.
    pub(super) fn in_drain(self, has_begun: bool) -> Self {
        let is_turned_away = match self.status {
            Some(status) if status.is_success() => self.code != OK,
            Some(status) => status == StatusCode::SERVICE_UNAVAILABLE,
            None => self.code == UNAVAILABLE,
        };
        if !has_begun || !is_turned_away {
            return self;
        }
        let reason = self.reason.unwrap_or_default();
        Self {
            code: ABORTED,
            reason: Some(format!("the host was ending: {reason}")),
            ..self
        }
    }

    /// What an answer means, by the names that gRPC has for it. Redirects are not followed.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            200..=299 => OK,
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            500..=599 => "INTERNAL",
            _ => "UNKNOWN",
        };
        let reason = match status.as_u16() {
            200..=299 => None,
            code @ 300..=399 => Some(format!(
                "Original HTTP response code number = {code}; redirects are not followed"
            )),
            code => Some(format!("Original HTTP response code number = {code}")),
        };
        Self {
            code,
            status: Some(status),
            reason,
            execution: None,
            asked: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_the_names_of_grpc() {
        for (status, code) in [
            (200, "OK"),
            (204, "OK"),
            (302, "UNKNOWN"),
            (401, "UNAUTHENTICATED"),
            (403, "PERMISSION_DENIED"),
            (404, "NOT_FOUND"),
            (500, "INTERNAL"),
            (503, "INTERNAL"),
        ] {
            let outcome = Outcome::of_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(outcome.code, code, "{status}");
            assert_eq!(outcome.reason.is_none(), code == "OK");
        }
    }

    #[test]
    fn whoever_is_turned_away_by_a_drain_has_not_failed() {
        let answered = |status| Outcome::of_status(StatusCode::from_u16(status).unwrap());
        let failed = |code| Outcome::failure(code, "it was so".into());
        let cut_short = Outcome {
            code: "INTERNAL",
            ..answered(200)
        };
        for (outcome, code) in [
            (answered(503), ABORTED),
            (failed(UNAVAILABLE), ABORTED),
            (cut_short, ABORTED),
            (answered(200), OK),
            (answered(500), "INTERNAL"),
            (failed("DEADLINE_EXCEEDED"), "DEADLINE_EXCEEDED"),
        ] {
            let before = outcome.code;
            assert_eq!(outcome.in_drain(true).code, code, "{before}");
        }
        assert_eq!(answered(503).in_drain(false).code, "INTERNAL");
    }
}
