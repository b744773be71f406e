//! Which of two values comes first: numbers, times, durations and sizes by what they are, other text by its letters.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::super::time::{absolute, instant};
use crate::config::values::{bytes, duration};

/// What a value is compared by.
#[derive(Debug)]
enum Rank {
    Number(f64),
    Time(Timestamp),
    Text,
}

/// How `value` stands to `other`, a value or what somebody typed.
pub(super) fn compare(value: &Value, other: &Value) -> Ordering {
    match (rank(value), rank(other)) {
        (Rank::Number(one), Rank::Number(other)) => one.total_cmp(&other),
        (Rank::Time(one), Rank::Time(other)) => one.cmp(&other),
        // How long ago it was.
        (Rank::Time(one), Rank::Number(_)) => match instant(&plain(other)) {
            Ok(other) => one.cmp(&other),
            Err(_) => plain(value).cmp(&plain(other)),
        },
        _ => plain(value).cmp(&plain(other)),
    }
}

fn rank(value: &Value) -> Rank {
    let text = plain(value);
    let milliseconds = |text: &str| duration(text).ok().map(|time| time.as_millis() as f64);
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    let measured = number
        .or_else(|| milliseconds(text.strip_prefix('-').unwrap_or(&text)))
        .or_else(|| bytes(&text).ok().map(|bytes| bytes as f64));
    match (measured, absolute(&text)) {
        (Some(number), _) => Rank::Number(number),
        (None, Some(time)) => Rank::Time(time),
        (None, None) => Rank::Text,
    }
}

/// A value as text, without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_what_they_are() {
        for (less, more) in [
            (json!(2), json!(10)),
            (json!("9"), json!(10)),
            (json!("90s"), json!("2m")),
            (json!("512Ki"), json!("64Mi")),
            (
                json!("2026-11-23T14:00:00Z"),
                json!("2026-11-23T15:30:00+01:00"),
            ),
            (json!("2020-11-23T14:00:00Z"), json!("-1h")),
            (json!("a"), json!("b")),
            (json!(null), json!("a")),
        ] {
            assert_eq!(compare(&less, &more), Ordering::Less, "{less} {more}");
        }
        assert_eq!(compare(&json!("60s"), &json!("1m")), Ordering::Equal);
    }
}
