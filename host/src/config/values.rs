//! Values as people write them, on the command line and in files, which the settings of hosts have beside those of all
//! settings; host names, URLs and lists.

mod header_fields;
mod list;

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use host_tokens::IssuerUrl;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostics::{DiagnosticsFormat, LogLevel};
use crate::input;
use crate::logs::LogFormat;
pub(crate) use crate::settings::values::{
    Executions, Size, Time, TimeOrZero, bytes, duration, duration_or_zero, milliseconds,
};
use crate::settings::values::{TIME, from_text};
use crate::settings::{Value, values};
pub(crate) use header_fields::HeaderFields;
use host_sandbox::OutboundPolicy;
use host_sandbox::outbound::AddressRange;
use host_tokens::SigningAlgorithm;
pub(crate) use list::{Listed, Pair, all, header_map, headers, map, names, pairs};

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

from_text! {
    FlushInterval: |text| {
        let interval = duration(text).ok();
        interval
            .filter(|interval| *interval <= LONGEST_FLUSH_INTERVAL)
            .map(Self)
            .ok_or_else(|| {
                format!("`{text}` is no such interval; expected 1ms to {LONGEST_FLUSH_INTERVAL:?}")
            })
    };
    AddressBlock: |text: &str| match text.parse() {
        Ok(range) => Ok(Self(range)),
        Err::<AddressRange, _>(error) => Err(error.to_string()),
    };
}

values! {
    FlushInterval => Duration, "TIME", "1ms to 10s", |interval| interval.0;
    AddressBlock => AddressRange, "CIDR", "an address or a block of them", |block| block.0;
    HostName => String, "NAME", "a host name", |name| name.0;
    ProjectId => String, "PROJECT", "a project's id", |id| id.0;
    Location => String, "LOCATION", "a location", |location| location.0;
    Url => String, "URL", "a URL", |url| url.0;
    IssuerName => String, "URL", "the URL of an issuer", |url| url.0;
    Algorithm => String, "ALGORITHM", "`RS256`, `ES256` or `EdDSA`", |algorithm| algorithm.0;
    OutboundRule => String, "URL|CIDR", "a URL or a block of addresses", |rule| rule.0;
}

impl Value for LogFormat {
    type Plain = Self;
    const NAME: &'static str = "FORMAT";
    const BOUNDS: &'static str = "`table` or `json`";
    const CHOICES: &'static [(&'static str, &'static str)] = &[
        ("table", "A table, for people"),
        (
            "json",
            "JSON Lines with Cloud Logging's field names, for machines",
        ),
    ];

    fn plain(self) -> Self {
        self
    }
}

impl Value for LogLevel {
    type Plain = Self;
    const NAME: &'static str = "LEVEL";
    const BOUNDS: &'static str = "`error`, `warn`, `info` or `debug`";
    const CHOICES: &'static [(&'static str, &'static str)] = &[
        ("error", "What needs somebody to act"),
        ("warn", "And what is not as it should be"),
        ("info", "And what has happened"),
        ("debug", "And what helps to find a fault"),
    ];

    fn plain(self) -> Self {
        self
    }
}

impl Value for DiagnosticsFormat {
    type Plain = Self;
    const NAME: &'static str = "FORMAT";
    const BOUNDS: &'static str = "`text` or `json`";
    const CHOICES: &'static [(&'static str, &'static str)] = &[
        ("text", "A line of text, for people"),
        ("json", "A JSON object on a line, for programs"),
    ];

    fn plain(self) -> Self {
        self
    }
}

/// Texts that a flag checks at once, and a file only when all of it has been read: what is wrong with one there does not
/// keep the rest from being understood.
macro_rules! texts {
    ($($(#[$attribute:meta])* $Text:ident, $check:expr;)*) => {
        $(
            #[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
            #[serde(transparent)]
            #[schemars(inline)]
            $(#[$attribute])*
            pub struct $Text(pub String);

            impl FromStr for $Text {
                type Err = String;

                fn from_str(text: &str) -> Result<Self, String> {
                    let check: fn(&str) -> Result<(), String> = $check;
                    check(text).map(|()| Self(text.to_owned()))
                }
            }
        )*
    };
}

texts! {
    // A name that the control plane goes by.
    HostName, |_| Ok(());
    // What Google's tools are told that the project is called.
    ProjectId, |text| is_label(text, 30, "a project's id");
    // What they are told that the location is called.
    Location, |text| is_label(text, 63, "a location");
    // A URL, whose use says whether it will do.
    Url, |_| Ok(());
    // The name of an issuer.
    IssuerName, check::<IssuerUrl>;
    // What signs tokens.
    #[schemars(extend("enum" = ["RS256", "ES256", "EdDSA"]))]
    Algorithm, check::<SigningAlgorithm>;
    // What may be called.
    OutboundRule, allowed;
}

fn check<T: FromStr<Err: Display>>(text: &str) -> Result<(), String> {
    text.parse::<T>()
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Refuses what is not a word of up to `most` letters, digits and dashes.
fn is_label(text: &str, most: usize, what: &str) -> Result<(), String> {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_good = text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.len() <= most
        && text.bytes().all(is_part);
    match is_good {
        true => Ok(()),
        false => Err(format!(
            "`{text}` is not {what}; expected a lower-case letter, then up to {} of a-z, 0-9 and -, the last one not -",
            most - 1
        )),
    }
}

/// Refuses what cannot be allowed to be called.
pub(crate) fn allowed(text: &str) -> Result<(), String> {
    let mut policy = OutboundPolicy::default();
    policy.allow(text).map_err(|error| error.to_string())
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

/// Parses the name of a bucket that functions share. Those that lead to a function's own bucket are none.
pub(crate) fn bucket_name(text: &str) -> Result<String, String> {
    match (1..=LONGEST_BUCKET_NAME).contains(&text.len()) && text != "default" {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not the name of a shared bucket; expected 1 to {LONGEST_BUCKET_NAME} bytes, and not `default`, \
             which is the function's own"
        )),
    }
}

/// In bytes.
const LONGEST_BUCKET_NAME: usize = 128;

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
}
