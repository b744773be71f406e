//! Durations, as gcloud takes them.
//!
//! A plain number is seconds. Otherwise parts follow each other, each a number with a unit: `90s`, `1.5h`, `1h30m`; or
//! in the form of ISO 8601, `PT5M` or `P1DT12H`. Case does not count, and a decimal point may be a comma.

use std::time::Duration;

const SECOND: u128 = 1_000_000_000;
const MILLISECOND: u128 = SECOND / 1_000;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;
/// 365.2422 days, and a twelfth of them, to the second: what gcloud makes of ISO 8601's years and months.
const YEAR: u128 = 31_556_926 * SECOND;
const MONTH: u128 = 2_629_744 * SECOND;

/// Ten years. Longer ones overflow clocks and mean a typing error.
const LONGEST: u128 = 10 * 366 * DAY;
/// A number that is longer is no duration, and would overflow.
const MOST_DIGITS: usize = 18;

/// What is in a JSON Schema of a duration above zero.
pub(crate) const TIME: &str = r"^(?=.*[1-9])\+?([0-9]+|[Pp]?([Tt]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([YyWwDdHhMmSs]|[MmUuNn][Ss]))+)$";
/// The same of one that may be zero.
pub(super) const TIME_OR_ZERO: &str = r"^\+?([0-9]+|[Pp]0|[Pp]?([Tt]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([YyWwDdHhMmSs]|[MmUuNn][Ss]))+)$";

/// Parses a duration above zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match duration_or_zero(text)? {
        Duration::ZERO => Err(refused(text, "is zero")),
        duration => Ok(duration),
    }
}

/// Parses a duration, which may be zero.
pub(crate) fn duration_or_zero(text: &str) -> Result<Duration, String> {
    let refused = |reason| refused(text, reason);
    if text.starts_with('-') {
        return Err(refused("is negative"));
    }
    let nanoseconds = nanoseconds(text).ok_or_else(|| refused("is not a duration"))?;
    if nanoseconds > LONGEST {
        return Err(refused("is longer than ten years"));
    }
    if nanoseconds % MILLISECOND != 0 {
        return Err(refused("is finer than a millisecond"));
    }
    // Ten years of milliseconds fit.
    Ok(Duration::from_millis((nanoseconds / MILLISECOND) as u64))
}

fn refused(text: &str, reason: &str) -> String {
    let text: String = text.chars().take(80).collect();
    format!(
        "`{text}` {reason}; expected a number with a unit, such as 500ms, 60s, 5m, 1h30m or 30d, or plain seconds"
    )
}

fn nanoseconds(text: &str) -> Option<u128> {
    let text = text.strip_prefix('+').unwrap_or(text).to_ascii_uppercase();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return Number::read(&text)?.of(SECOND);
    }
    let Some(period) = text.strip_prefix('P') else {
        return parts(&text, true);
    };
    match period {
        "0" => Some(0),
        period => parts(period, false),
    }
}

/// The sum of parts such as `1H` and `30M`. `M` is months only before hours, seconds or a `T` have come, and only in a
/// period (`P1M`).
fn parts(text: &str, mut is_time: bool) -> Option<u128> {
    let (mut rest, mut sum, mut has_separator) = (text, None::<u128>, false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            if has_separator {
                return None;
            }
            (rest, is_time, has_separator) = (time, true, true);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))?;
        let (number, unit) = rest.split_at(end);
        let (unit, length) = match unit.as_bytes() {
            // These stand last.
            b"MS" => (MILLISECOND, 2),
            b"US" => (1_000, 2),
            b"NS" => (1, 2),
            [b'Y', ..] => (YEAR, 1),
            [b'W', ..] => (7 * DAY, 1),
            [b'D', ..] => (DAY, 1),
            [b'M', ..] if !is_time => (MONTH, 1),
            [b'H', ..] => (HOUR, 1),
            [b'M', ..] => (MINUTE, 1),
            [b'S', ..] => (SECOND, 1),
            _ => return None,
        };
        is_time |= !matches!(unit, YEAR | DAY) && unit != 7 * DAY;
        let part = Number::read(number)?.of(unit)?;
        sum = Some(sum.unwrap_or(0).checked_add(part)?);
        rest = &rest[end + length..];
    }
    sum
}

/// A decimal number.
struct Number {
    digits: u128,
    /// How many of the digits come after the point.
    decimals: u32,
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = [whole, decimals].concat();
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || digits.is_empty() || digits.len() > MOST_DIGITS {
            return None;
        }
        Some(Self {
            digits: digits.parse().ok()?,
            // There are few.
            decimals: decimals.len() as u32,
        })
    }

    /// So many units, rounded to the nanosecond.
    fn of(&self, unit: u128) -> Option<u128> {
        let divisor = 10_u128.pow(self.decimals);
        Some((self.digits.checked_mul(unit)? + divisor / 2) / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What googlecloudsdk's own parser made of the same texts.
    #[test]
    fn durations_are_what_gcloud_makes_of_them() {
        for (text, seconds) in [
            ("60", 60.0),
            ("500ms", 0.5),
            ("5m", 300.0),
            ("1h", 3_600.0),
            ("30d", 2_592_000.0),
            ("1w", 604_800.0),
            ("1h30m", 5_400.0),
            ("30m1h", 5_400.0),
            ("1d12h", 129_600.0),
            ("15m20s", 920.0),
            ("1s500ms", 1.5),
            ("1.5s", 1.5),
            ("1,5s", 1.5),
            (".5h", 1_800.0),
            ("5.s", 5.0),
            ("0.25h", 900.0),
            ("20S", 20.0),
            ("500MS", 0.5),
            ("5000us", 0.005),
            ("+5s", 5.0),
            ("PT5M", 300.0),
            ("pt5m", 300.0),
            ("P1DT12H", 129_600.0),
            ("P1D", 86_400.0),
            ("P2W", 1_209_600.0),
            ("P1H", 3_600.0),
            ("T5M", 300.0),
            ("P1M", 2_629_744.0),
            ("P1D1M", 2_716_144.0),
            ("P1H5M", 3_900.0),
            ("P1Y", 31_556_926.0),
            ("0.100s", 0.1),
            ("3600s", 3_600.0),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_secs_f64(seconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_what_is_wrong_and_examples() {
        for (text, reason) in [
            ("", "is not a duration"),
            ("s", "is not a duration"),
            ("P", "is not a duration"),
            ("PT", "is not a duration"),
            ("1h30", "is not a duration"),
            ("1x", "is not a duration"),
            ("1 h", "is not a duration"),
            (" 1h", "is not a duration"),
            ("1.2.3s", "is not a duration"),
            (".s", "is not a duration"),
            ("PT1HT1M", "is not a duration"),
            ("5ms5s", "is not a duration"),
            ("++5s", "is not a duration"),
            ("٣s", "is not a duration"),
            ("18446744073709551615h", "is not a duration"),
            ("0s", "is zero"),
            ("0", "is zero"),
            ("P0", "is zero"),
            ("-1s", "is negative"),
            ("100us", "is finer than a millisecond"),
            ("0.0001s", "is finer than a millisecond"),
            ("999999h", "is longer than ten years"),
            ("11Y", "is longer than ten years"),
        ] {
            let refused = duration(text).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
            assert!(refused.contains("60s"), "{text}: {refused}");
        }
    }

    #[test]
    fn zero_is_taken_where_it_means_something() {
        for text in ["0", "0s", "0ms", "PT0S", "P0", "0h0m"] {
            assert_eq!(duration_or_zero(text), Ok(Duration::ZERO), "{text}");
        }
    }
}
