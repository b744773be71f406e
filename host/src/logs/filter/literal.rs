//! Values as they are written in a filter.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::logs::entry::Severity;

/// The units of durations and their nanoseconds, those first that end with another.
const UNITS: [(&str, f64); 6] = [
    ("ms", 1e6),
    ("us", 1e3),
    ("ns", 1.0),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
];

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// `*`: any value.
    Present,
    /// `NULL_VALUE`: null.
    Null,
    /// The text of a value, without quotes.
    Text(String),
}

impl Operand {
    /// The operand that is written as `word`, without quotes.
    pub(super) fn unquoted(word: &str) -> Self {
        match word {
            "*" => Self::Present,
            "NULL_VALUE" => Self::Null,
            word => Self::Text(word.to_owned()),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("*"),
            Self::Null => f.write_str("NULL_VALUE"),
            Self::Text(text) => Quoted(text).fmt(f),
        }
    }
}

/// Displays a text in quotes, on one line.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// A number. Large whole numbers are not rounded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self::Whole(number));
        }
        let number: f64 = text.parse().ok()?;
        number.is_finite().then_some(Self::Real(number))
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (one, other) => one.real().partial_cmp(&other.real()),
        }
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }
}

/// A time: RFC 3339, with or without a colon in the offset; or a date, or a date and a time, in UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    if text.contains('[') {
        return None;
    }
    text.parse().ok().or_else(|| {
        let in_utc: DateTime = text.parse().ok()?;
        Offset::UTC.to_timestamp(in_utc).ok()
    })
}

/// A duration such as `1.5s`, in nanoseconds.
pub(super) fn duration(text: &str) -> Option<i128> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, nanos)| Some((text.strip_suffix(name)?, nanos)))?;
    let number: f64 = number.parse().ok()?;
    // A number that is too large becomes the largest one.
    number
        .is_finite()
        .then_some((number * unit).round() as i128)
}

/// The number of a severity, from its name in any case or from its number.
pub(super) fn severity(text: &str) -> Option<u16> {
    let by_name = Severity::from_name(text.to_ascii_uppercase().as_bytes());
    by_name.map(Severity::number).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_or_in_utc() {
        let noon: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        for text in [
            "2026-11-01T12:00:00Z",
            "2026-11-01T12:00:00.000000+0000",
            "2026-11-01T12:00:00+00:00",
            "2026-11-01T13:00:00+0100",
            "2026-11-01T07:00:00-05:00",
            "2026-11-01T12:00:00",
            "2026-11-01T12:00",
        ] {
            assert_eq!(time(text), Some(noon), "{text}");
        }
        let midnight = "2026-11-01T00:00:00Z".parse().ok();
        assert_eq!(time("2026-11-01"), midnight);
        for text in ["", "yesterday", "2026-13-01", "12:00", "2026-11-01[UTC]"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, nanos) in [
            ("2s", 2_000_000_000),
            ("1.5s", 1_500_000_000),
            ("0.004700000s", 4_700_000),
            ("4.7ms", 4_700_000),
            ("10us", 10_000),
            ("7ns", 7),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
        ] {
            assert_eq!(duration(text), Some(nanos), "{text}");
        }
        for text in ["", "s", "2", "2d", "infs", "NaNs"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn severities_have_names_and_numbers() {
        for (text, number) in [
            ("INFO", Some(200)),
            ("info", Some(200)),
            ("200", Some(200)),
            ("250", Some(250)),
            ("INFORMATION", None),
            ("-1", None),
        ] {
            assert_eq!(severity(text), number, "{text}");
        }
    }

    #[test]
    fn large_whole_numbers_are_not_rounded() {
        let compare = |one: &str, other: &str| {
            let parse = |text: &str| Number::parse(text).unwrap();
            parse(one).compare(parse(other)).unwrap()
        };
        let (less, more) = ("9007199254740992", "9007199254740993");
        assert_eq!(compare(less, more), Ordering::Less);
        assert_eq!(compare("5", "5.0"), Ordering::Equal);
        assert_eq!(compare("-0.5", "0"), Ordering::Less);
        assert!(Number::parse("inf").is_none());
    }
}
