//! Times as people write them: in every form in which this program shows one.

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, Zoned};

use crate::config::values::duration;

/// Parses a time: RFC 3339, the same without an offset or with a blank for the `T` (in UTC, as tables show it), a date,
/// or how long ago it was.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let trimmed = text.trim();
    absolute(trimmed)
        .or_else(|| ago(trimmed))
        .ok_or_else(|| expected(text))
}

/// A time that does not depend on the clock.
pub(super) fn absolute(text: &str) -> Option<Timestamp> {
    // jiff reads more forms; nobody writes those and means a time.
    let begins_with_date = text.len() >= "2026-11-23".len()
        && text.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && text.as_bytes()[4] == b'-';
    if !begins_with_date {
        return None;
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Some(zoned.timestamp());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let civil: DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

/// The moment that is as long ago as `text` says.
fn ago(text: &str) -> Option<Timestamp> {
    if text == "now" {
        return Some(Timestamp::now());
    }
    let length = text.strip_suffix("ago").unwrap_or(text).trim();
    let length = length.strip_prefix('-').unwrap_or(length);
    // A number alone could be seconds, a year or a time since 1970.
    if length.is_empty() || length.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length = duration(length).ok().or_else(|| span(length))?;
    let since = SystemTime::now().checked_sub(length)?;
    Timestamp::try_from(since).ok()
}

/// `1h30m`, `2 hours` or `P1DT2H`; a day has 24 hours.
fn span(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(length.unsigned_abs())
}

fn expected(text: &str) -> String {
    format!(
        "`{text}` is not a time; expected one such as 2026-11-23T14:00:00Z, a date or a date and time in UTC such as \
         2026-11-23 or `2026-11-23 14:00:00`, or 2h for two hours ago"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_which_a_time_is_shown_is_read() {
        let second = Timestamp::from_second(1_795_442_400).unwrap();
        for text in [
            "2026-11-23T14:00:00Z",
            "2026-11-23T14:00:00.000000000Z",
            "2026-11-23T15:00:00+01:00",
            "2026-11-24T01:00:00+11:00[Australia/Sydney]",
            "2026-11-23T14:00:00",
            "2026-11-23 14:00:00",
            "2026-11-23 14:00:00.000",
            "2026-11-23 14:00:00 UTC",
            "2026-11-23 14:00",
            " 2026-11-23 14:00:00Z ",
        ] {
            assert_eq!(instant(text), Ok(second), "{text}");
        }
        let date = instant("2026-11-23").unwrap();
        assert_eq!(date.to_string(), "2026-11-23T00:00:00Z");
        let table = instant("2026-11-28 20:00:00.007").unwrap();
        assert_eq!(table.to_string(), "2026-11-28T20:00:00.007Z");
    }

    #[test]
    fn some_time_ago_has_a_sign_or_none() {
        for text in [
            "2h", "-2h", "2h ago", "120m", "1h60m", "2 hours", "PT2H", "-PT2H",
        ] {
            let ago = Timestamp::now().duration_since(instant(text).unwrap());
            assert!((7199..7210).contains(&ago.as_secs()), "{text}: {ago}");
        }
        let days = Timestamp::now().duration_since(instant("P1D").unwrap());
        assert!((86_399..86_410).contains(&days.as_secs()), "{days}");
        assert!(instant("now").is_ok());
    }

    #[test]
    fn what_is_no_time_is_refused_with_examples() {
        for text in [
            "",
            "-",
            "ago",
            "-x",
            "yesterday",
            "2026-13-01",
            "14:00",
            "2026",
            "60",
            "1764331200",
        ] {
            assert!(
                instant(text).unwrap_err().contains("two hours ago"),
                "{text}"
            );
        }
    }
}
