//! Values as people write them, on the command line and in files: sizes, durations, lists.

mod duration;
mod list;

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use host_tokens::IssuerUrl;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::input;
use duration::{TIME, TIME_OR_ZERO};
pub(crate) use duration::{duration, duration_or_zero};
use host_sandbox::outbound::{AddressRange, RangeError};
pub(crate) use list::{Listed, Pair, all, header_map, headers, map, names, pairs};

/// Parses a number of bytes: `1048576`, `512Ki`, `256Mi`, `1Gi`, also `256MB` and the like, as gcloud takes them.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "" => 1,
        "Ki" | "KiB" => 1 << 10,
        "Mi" | "MiB" => 1 << 20,
        "Gi" | "GiB" => 1 << 30,
        "k" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        _ => return Err(expected_bytes(text)),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| expected_bytes(text))
}

fn expected_bytes(text: &str) -> String {
    format!(
        "`{text}` is not a size; expected a number above 0 with an optional unit, such as 512Ki, 256Mi or 1Gi"
    )
}

/// Parses a size, or `unlimited`.
pub(crate) fn bytes_or_unlimited(text: &str) -> Result<Bound, String> {
    match text {
        "unlimited" => Ok(Bound(None)),
        _ => bytes(text).map(|bytes| Bound(Some(bytes))),
    }
}

/// A number of bytes, written as `256Mi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = SIZE))]
pub struct Size(pub u64);

/// A number of bytes, or `unlimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = BOUND))]
pub struct Bound(pub Option<u64>);

/// A duration, written as `60s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = TIME))]
pub struct Time(pub Duration);

/// A duration that may be zero, written as `0s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = TIME_OR_ZERO))]
pub struct TimeOrZero(pub Duration);

/// How long a log entry may wait to be written, written as `200ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = TIME))]
pub struct FlushInterval(pub Duration);

/// The longest: whoever follows the log waits a part of it for each entry.
const LONGEST_FLUSH_INTERVAL: Duration = Duration::from_secs(10);

/// An address, or a block of them, written as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct AddressBlock(pub AddressRange);

/// A number of executions at once: no more than the pool can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "i64")]
#[schemars(with = "u32", extend("minimum" = 1, "maximum" = MOST_EXECUTIONS))]
pub struct Executions(pub u32);

/// What the pool can hold.
const MOST_EXECUTIONS: u32 = 10_000;

const SIZE: &str = "^0*[1-9][0-9]*(Ki|KiB|Mi|MiB|Gi|GiB|k|KB|M|MB|G|GB)?$";
const BOUND: &str = "^(0*[1-9][0-9]*(Ki|KiB|Mi|MiB|Gi|GiB|k|KB|M|MB|G|GB)?|unlimited)$";

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        bytes(&text).map(Self)
    }
}

impl TryFrom<String> for Bound {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        bytes_or_unlimited(&text)
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        duration(&text).map(Self)
    }
}

impl TryFrom<String> for TimeOrZero {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        duration_or_zero(&text).map(Self)
    }
}

impl TryFrom<String> for FlushInterval {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for FlushInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let interval = duration(text).ok();
        interval
            .filter(|interval| *interval <= LONGEST_FLUSH_INTERVAL)
            .map(Self)
            .ok_or_else(|| {
                format!("`{text}` is no such interval; expected 1ms to {LONGEST_FLUSH_INTERVAL:?}")
            })
    }
}

impl TryFrom<String> for AddressBlock {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let range = text.parse().map(Self);
        range.map_err(|error: RangeError| error.to_string())
    }
}

impl TryFrom<i64> for Executions {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match u32::try_from(number) {
            Ok(number @ 1..=MOST_EXECUTIONS) => Ok(Self(number)),
            _ => Err(expected_executions(&number)),
        }
    }
}

impl FromStr for Executions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number: Result<i64, _> = text.parse();
        number
            .map_err(|_| expected_executions(&text))
            .and_then(Self::try_from)
    }
}

impl Executions {
    /// As settings have it.
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }
}

fn expected_executions(given: &dyn Display) -> String {
    format!("`{given}` is not a number of executions; expected 1 to {MOST_EXECUTIONS}")
}

/// In milliseconds, as settings have it.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Parses a host name without a port. Its case does not count.
pub(crate) fn host_name(text: &str) -> Result<String, String> {
    match text.parse::<http::uri::Authority>() {
        Ok(host) if host.host() == text => Ok(text.to_ascii_lowercase()),
        _ => Err(format!(
            "`{text}` is not a host name; expected one without a port, such as api.example.com"
        )),
    }
}

/// Parses an address by which callers know this host.
pub(crate) fn public_url(text: &str) -> Result<(), String> {
    let read: Result<IssuerUrl, _> = text.parse();
    read.map(drop).map_err(|_| {
        format!("`{text}` is not an address of this host; expected one such as https://functions.example.com")
    })
}

/// The most text that is taken from a file, in bytes: all headers of a job together have less.
const LARGEST_TEXT: u64 = 128 << 10;

/// The text in `file`, which `flag` names, without the line feed at its end.
pub(crate) fn file_text(file: &Path, flag: &'static str) -> Result<String, String> {
    let bytes = input::read(file, flag, LARGEST_TEXT)?;
    let mut text = String::from_utf8(bytes)
        .map_err(|_| format!("{} is not text in UTF-8", input::name(file)))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        assert_eq!(bytes("1"), Ok(1));
        assert_eq!(bytes("256Mi"), Ok(256 << 20));
        assert_eq!(bytes("256MB"), Ok(256_000_000));
        assert_eq!(bytes("1GiB"), Ok(1 << 30));
    }

    #[test]
    fn what_is_no_size_is_refused_with_examples() {
        for text in [
            "",
            "Mi",
            "-1",
            "0",
            "1.5Mi",
            "1 Mi",
            "1mi",
            "99999999999999999999",
            "99999999999Gi",
        ] {
            assert!(bytes(text).unwrap_err().contains("256Mi"), "{text}");
        }
    }

    #[test]
    fn a_flush_interval_is_neither_nothing_nor_long() {
        for (text, milliseconds) in [("1ms", 1), ("200ms", 200), ("10s", 10_000)] {
            let interval = Duration::from_millis(milliseconds);
            assert_eq!(text.parse(), Ok(FlushInterval(interval)));
        }
        for text in ["", "0ms", "11s", "1h", "soon"] {
            let refused = text.parse::<FlushInterval>().unwrap_err();
            assert!(refused.ends_with("expected 1ms to 10s"), "{refused}");
        }
    }

    #[test]
    fn executions_are_as_many_as_the_pool_can_hold() {
        assert_eq!("1".parse(), Ok(Executions(1)));
        assert_eq!("10000".parse(), Ok(Executions(10_000)));
        for text in ["", "0", "-1", "many", "10001", "18446744073709551615"] {
            let refused = text.parse::<Executions>().unwrap_err();
            assert!(refused.ends_with("expected 1 to 10000"), "{refused}");
        }
    }
}
