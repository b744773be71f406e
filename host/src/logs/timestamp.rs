//! Times as text, fast: the date is worked out only when the second changes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where the `T` stands between date and time of day.
const SEPARATOR: usize = "2026-11-23".len();

/// Writes times in UTC.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: Option<u64>,
    /// `2026-11-23T14:00:00`
    text: String,
}

impl Clock {
    /// `2026-11-23T14:00:00.123456789Z` (RFC 3339).
    pub(super) fn rfc3339(&mut self, time: SystemTime, out: &mut Vec<u8>) {
        let since = self.advance(time);
        out.extend_from_slice(self.text.as_bytes());
        out.push(b'.');
        digits(since.subsec_nanos(), 9, out);
        out.push(b'Z');
    }

    /// `2026-11-23 14:00:00.123`
    pub(super) fn table(&mut self, time: SystemTime, out: &mut Vec<u8>) {
        let since = self.advance(time);
        let start = out.len();
        out.extend_from_slice(self.text.as_bytes());
        out[start + SEPARATOR] = b' ';
        out.push(b'.');
        digits(since.subsec_millis(), 3, out);
    }

    fn advance(&mut self, time: SystemTime) -> Duration {
        // A clock before 1970 is set wrong; its entries read as 1970.
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(since.as_secs()) {
            self.second = Some(since.as_secs());
            self.text = date_and_time(since.as_secs());
        }
        since
    }
}

/// The last second that can be written is in the year 9999; later ones read as that.
fn date_and_time(second: u64) -> String {
    let second = i64::try_from(second).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    let time = time.to_zoned(TimeZone::UTC).datetime();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn digits(number: u32, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    let mut rest = number;
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, nanos: u32) -> SystemTime {
        UNIX_EPOCH + Duration::new(seconds, nanos)
    }

    fn both(time: SystemTime) -> (String, String) {
        let (mut long, mut short) = (Vec::new(), Vec::new());
        let mut clock = Clock::default();
        clock.rfc3339(time, &mut long);
        clock.table(time, &mut short);
        (
            String::from_utf8(long).unwrap(),
            String::from_utf8(short).unwrap(),
        )
    }

    #[test]
    fn a_time_has_nanoseconds_for_machines_and_milliseconds_for_people() {
        let (long, short) = both(at(1_795_442_400, 123_456_789));
        assert_eq!(long, "2026-11-23T14:00:00.123456789Z");
        assert_eq!(short, "2026-11-23 14:00:00.123");
    }

    #[test]
    fn a_fraction_keeps_its_leading_zeros() {
        let (long, short) = both(at(0, 1_000_009));
        assert_eq!(long, "1970-01-01T00:00:00.001000009Z");
        assert_eq!(short, "1970-01-01 00:00:00.001");
    }

    #[test]
    fn a_new_second_is_noticed() {
        let mut clock = Clock::default();
        let mut out = Vec::new();
        clock.table(at(59, 0), &mut out);
        clock.table(at(60, 0), &mut out);
        clock.table(at(59, 0), &mut out);
        assert_eq!(
            out,
            b"1970-01-01 00:00:59.0001970-01-01 00:01:00.0001970-01-01 00:00:59.000"
        );
    }

    #[test]
    fn absurd_times_are_written_as_the_nearest_that_can_be() {
        assert_eq!(
            both(UNIX_EPOCH - Duration::from_secs(1)).1,
            "1970-01-01 00:00:00.000"
        );
        assert!(both(at(u64::MAX >> 2, 0)).1.starts_with("9999-12-30"));
    }
}
