//! Timestamps as text, in UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize, Serializer};

/// The length of `2026-11-23T14:00:00.123456789Z`.
const LENGTH: usize = 30;
const RFC_3339: DateTimePrinter = DateTimePrinter::new().precision(Some(9));
const TABLE: DateTimePrinter = DateTimePrinter::new().separator(b' ').precision(Some(3));

/// An RFC 3339 timestamp in UTC with nanoseconds. Its order as text is its order in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "&str")]
pub(in crate::logs) struct Rfc3339([u8; LENGTH]);

impl Rfc3339 {
    /// The timestamp written as `text`, if it has the right length and ends in `Z`.
    pub(in crate::logs) fn parse(text: &[u8]) -> Option<Self> {
        let text: [u8; LENGTH] = text.try_into().ok()?;
        let is_utc = text[LENGTH - 1] == b'Z' && text.is_ascii();
        is_utc.then_some(Self(text))
    }

    /// The length of every timestamp, in bytes.
    pub(in crate::logs) const LENGTH: usize = LENGTH;

    /// The timestamp as text.
    pub(in crate::logs) fn as_str(&self) -> &str {
        // It is ASCII, so the default is never used.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<SystemTime> for Rfc3339 {
    fn from(time: SystemTime) -> Self {
        let mut text = Text(Self([b'0'; LENGTH]), 0);
        // The printer writes exactly `LENGTH` bytes for the years 1970 to 9999.
        let _ = RFC_3339.print_timestamp(&timestamp(time), &mut text);
        text.0
    }
}

/// A timestamp being written, and its length so far.
struct Text(Rfc3339, usize);

impl jiff::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> Result<(), jiff::Error> {
        let end = self.1 + text.len();
        if let Some(target) = self.0.0.get_mut(self.1..end) {
            target.copy_from_slice(text.as_bytes());
            self.1 = end;
        }
        Ok(())
    }
}

impl TryFrom<&str> for Rfc3339 {
    type Error = &'static str;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::parse(text.as_bytes()).ok_or("expected a time in UTC with nanoseconds")
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Debug for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Appends `time` for a table: `2026-11-23 14:00:00.123`.
pub(in crate::logs) fn push_table_time(time: SystemTime, out: &mut Vec<u8>) {
    let time = Offset::UTC.to_datetime(timestamp(time));
    // Writing to a `Vec` cannot fail.
    let _ = TABLE.print_datetime(&time, out);
}

/// `time`, or the nearest time in the years 1970 to 9999: a clock outside these is set wrong.
fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time.max(UNIX_EPOCH)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64, nanos: u32) -> SystemTime {
        UNIX_EPOCH + Duration::new(seconds, nanos)
    }

    fn both(time: SystemTime) -> (String, String) {
        let mut short = Vec::new();
        push_table_time(time, &mut short);
        (
            Rfc3339::from(time).as_str().to_owned(),
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
    fn a_fraction_keeps_its_leading_zeros_and_is_not_rounded() {
        let (long, short) = both(at(0, 1_000_009));
        assert_eq!(long, "1970-01-01T00:00:00.001000009Z");
        assert_eq!(short, "1970-01-01 00:00:00.001");
        let (long, short) = both(at(59, 999_999_999));
        assert_eq!(long, "1970-01-01T00:00:59.999999999Z");
        assert_eq!(short, "1970-01-01 00:00:59.999");
        assert_eq!(both(at(60, 0)).0, "1970-01-01T00:01:00.000000000Z");
    }

    #[test]
    fn a_time_out_of_range_is_written_as_the_nearest_in_range() {
        assert_eq!(
            both(UNIX_EPOCH - Duration::from_secs(1)).1,
            "1970-01-01 00:00:00.000"
        );
        let (long, short) = both(at(u64::MAX >> 2, 0));
        assert!(long.starts_with("9999-12-30") && long.ends_with('Z'));
        assert!(short.starts_with("9999-12-30"));
    }

    #[test]
    fn timestamps_sort_as_text_in_order_of_time() {
        let at = |nanos| Rfc3339::from(UNIX_EPOCH + Duration::from_nanos(nanos));
        assert!(at(0) < at(1));
        assert!(at(999_999_999) < at(1_000_000_000));
        assert!(at(1_795_442_400_000_000_000) < at(1_795_442_400_000_000_001));
    }
}
