//! Values of settings: sizes, times, numbers.
//!
//! Each type is read the same way from a flag and from `host.toml`, says in the schema what it takes, and is printed as
//! people write it.

mod duration;
mod size;
mod standard;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::values;
use duration::TIME_OR_ZERO;
pub(crate) use duration::{TIME, duration, duration_or_zero};
pub(crate) use size::bytes;
use size::{BOUND, SIZE};

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

/// Makes types of numbers within bounds.
macro_rules! numbers {
    ($($(#[$attribute:meta])* $Type:ident: $what:literal, $least:literal to $most:literal;)*) => {
        $(
            $(#[$attribute])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
            #[serde(try_from = "i64")]
            #[schemars(with = "u32", extend("minimum" = $least, "maximum" = $most))]
            pub struct $Type(pub u32);

            impl TryFrom<i64> for $Type {
                type Error = String;

                fn try_from(number: i64) -> Result<Self, String> {
                    match u32::try_from(number) {
                        Ok(number @ $least..=$most) => Ok(Self(number)),
                        _ => Err(Self::expected(&number)),
                    }
                }
            }

            impl FromStr for $Type {
                type Err = String;

                fn from_str(text: &str) -> Result<Self, String> {
                    let number: Result<i64, _> = text.parse();
                    number.map_err(|_| Self::expected(&text)).and_then(Self::try_from)
                }
            }

            impl $Type {
                fn expected(given: &dyn fmt::Display) -> String {
                    format!("`{given}` is not {}; expected {} to {}", $what, $least, $most)
                }
            }
        )*
    };
}

numbers! {
    /// A number of executions at once: no more than the pool can hold.
    Executions: "a number of executions", 1 to 10_000;
    /// A number of instances, which may be none.
    Instances: "a number of instances", 0 to 10_000;
    /// A number of requests.
    Requests: "a number of requests", 1 to 1_000_000_000;
    /// A number of requests at once.
    AtOnce: "a number of requests", 1 to 1000;
    /// A number of entries.
    Entries: "a number of entries", 1 to 1_000_000_000;
    /// A part of something.
    Percent: "a number of percent", 1 to 100;
}

/// Reads a type from text, where both flags and files have text.
macro_rules! from_text {
    ($($Type:ty: $read:expr;)*) => {
        $(
            impl std::str::FromStr for $Type {
                type Err = String;

                fn from_str(text: &str) -> Result<Self, String> {
                    $read(text)
                }
            }

            impl TryFrom<String> for $Type {
                type Error = String;

                fn try_from(text: String) -> Result<Self, String> {
                    text.parse()
                }
            }
        )*
    };
}
pub(crate) use from_text;

from_text! {
    Size: |text| bytes(text).map(Self);
    Time: |text| duration(text).map(Self);
    TimeOrZero: |text| duration_or_zero(text).map(Self);
    Bound: |text| match text {
        "unlimited" => Ok(Self(None)),
        _ => bytes(text).map(|bytes| Self(Some(bytes))),
    };
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_u64 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
        let unit = units
            .iter()
            .find(|(factor, _)| self.0.is_multiple_of(*factor));
        match unit {
            Some((factor, unit)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => Size(bytes).fmt(f),
            None => f.write_str("unlimited"),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{}s", self.0.as_secs()),
            _ => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

values! {
    Size => u64, "SIZE", "1 byte or more", |size| size.0, shown |bytes| Size(bytes).to_string().into();
    Bound => Option<u64>, "SIZE", "1 byte or more, or `unlimited`", |bound| bound.0,
        shown |bytes| Bound(bytes).to_string().into();
    Time => Duration, "TIME", "1ms to ten years", |time| time.0, shown |time| Time(time).to_string().into();
    Executions => usize, "N", "1 to 10000", |executions| executions.0 as usize, shown |number| number.into();
    Instances => usize, "N", "0 to 10000", |instances| instances.0 as usize, shown |number| number.into();
    Requests => u32, "N", "1 to 1000000000", |requests| requests.0, shown |number| number.into();
    AtOnce => u32, "N", "1 to 1000", |requests| requests.0, shown |number| number.into();
    Entries => u32, "N", "1 to 1000000000", |entries| entries.0, shown |number| number.into();
    Percent => u8, "PERCENT", "1 to 100", |percent| percent.0 as u8, shown |number| number.into();
    SocketAddr => SocketAddr, "IP:PORT", "an address with a port", |addr| addr;
}

/// In milliseconds, as the store's rows have times.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Times in the store's rows, for serde.
pub(crate) mod as_milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(super::milliseconds(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
