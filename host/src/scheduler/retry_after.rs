//! `Retry-After` (RFC 9110, section 10.2.3): when a target that is overloaded asks to be tried again.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName};

/// After which time a target that answered with `status` and `headers` asks to be tried again. A date counts from the one of
/// the answer, for the target's clock may differ from this one.
pub(super) fn asked(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if ![
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ]
    .contains(&status)
    {
        return None;
    }
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too large to be read is cut to the longest backoff anyway.
        return Some(Duration::from_secs(
            text.parse().unwrap_or(u64::from(u32::MAX)),
        ));
    }
    let date = |name: HeaderName| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
    let now = date(header::DATE).unwrap_or_else(SystemTime::now);
    let then = date(header::RETRY_AFTER)?;
    Some(then.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn seconds(status: u16, after: &'static str) -> Option<u64> {
        let date = HeaderValue::from_static("Tue, 24 Nov 2026 10:00:00 GMT");
        let headers = [
            (header::DATE, date),
            (header::RETRY_AFTER, HeaderValue::from_static(after)),
        ];
        let status = StatusCode::from_u16(status).unwrap();
        asked(status, &headers.into_iter().collect()).map(|asked| asked.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(seconds(503, "120"), Some(120));
        assert_eq!(seconds(429, " 0 "), Some(0));
        assert_eq!(seconds(503, "Tue, 24 Nov 2026 10:01:30 GMT"), Some(90));
        assert_eq!(seconds(503, "Tue, 24 Nov 2026 09:00:00 GMT"), Some(0));
        assert_eq!(
            seconds(503, "99999999999999999999999"),
            Some(u64::from(u32::MAX))
        );
    }

    #[test]
    fn nothing_else_counts() {
        for text in ["", "-1", "1.5", "soon", "10, 20"] {
            assert_eq!(seconds(503, text), None, "{text}");
        }
        for status in [200, 301, 404, 500] {
            assert_eq!(seconds(status, "120"), None, "{status}");
        }
    }
}
