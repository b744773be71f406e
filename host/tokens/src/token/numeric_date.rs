//! The points in time of a token.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// A point in time as tokens write it: seconds since 1970, with or without a fraction (RFC 7519, section 2). Kept to
/// the millisecond, between 1970 and the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(i64);

/// The first second of the year 10000: whatever a token says beyond it is no date.
const END: f64 = 253_402_300_800.0;

impl NumericDate {
    /// The first one.
    pub(crate) const FIRST: Self = Self(0);

    /// The date of the system's clock; a clock before 1970 counts as 1970, when no token is valid.
    pub fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(milliseconds(since))
    }

    /// The date in a claim, or nothing if it is no number, negative, or after the year 9999.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let seconds = value.as_f64()?;
        // Cut, not rounded: a token does not live longer than it says.
        (0.0..END)
            .contains(&seconds)
            .then(|| Self((seconds * 1000.0).floor() as i64))
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(duration)))
    }

    pub(crate) fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(milliseconds(duration)))
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for NumericDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => f.write_str("a time after the year 9999"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_numbers_of_seconds_with_or_without_a_fraction() {
        assert_eq!(NumericDate::read(&json!(0)), Some(NumericDate(0)));
        assert_eq!(
            NumericDate::read(&json!(1_700_000_000)),
            Some(NumericDate(1_700_000_000_000))
        );
        assert_eq!(
            NumericDate::read(&json!(1_700_000_000.5)),
            Some(NumericDate(1_700_000_000_500))
        );
        assert_eq!(
            NumericDate::read(&json!(1.7e9)),
            Some(NumericDate(1_700_000_000_000))
        );
    }

    #[test]
    fn what_is_out_of_bounds_or_no_number_is_no_date() {
        for value in [
            json!(-1),
            json!(-0.001),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(253_402_300_800_u64),
            json!("1700000000"),
            json!(null),
            json!(true),
            json!([1_700_000_000]),
        ] {
            assert_eq!(NumericDate::read(&value), None, "{value}");
        }
    }

    #[test]
    fn a_clock_before_1970_and_one_far_ahead_do_no_harm() {
        assert_eq!(
            NumericDate::of(UNIX_EPOCH - Duration::from_secs(1)),
            NumericDate(0)
        );
        let late = NumericDate::of(UNIX_EPOCH + Duration::from_secs(u64::MAX / 4));
        assert_eq!(late.plus(Duration::MAX), NumericDate(i64::MAX));
        assert_eq!(
            late.plus(Duration::MAX).to_string(),
            "a time after the year 9999"
        );
    }

    #[test]
    fn a_date_is_shown_in_utc() {
        let date = NumericDate::read(&json!(1_700_000_000.25)).unwrap();
        assert_eq!(date.to_string(), "2023-11-14T22:13:20.25Z");
        assert_eq!(date.seconds(), 1_700_000_000);
    }
}
